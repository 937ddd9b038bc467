"""Cells and names as text: how values are written, and which characters never reach a terminal or a page."""

import re
import unicodedata

import numpy as np

# Thousands separators, signs, exponents, "x 3.2" and "3.2 %" are what tables of defects hold.
_NUMBER = re.compile(
    r"^\s*[<>~≤≥]?\s*[-+\u2212]?\d[\d,]*(\.\d+)?([eE][-+]?\d+)?\s*[%\u00d7]?\s*$|^\s*[-\u2013\u2014]?\s*$"
)


def clean(text: object, lines: bool = False) -> str:
    """Text without control characters (an escape sequence in a column name must not reach the terminal).

    With `lines`, line breaks stay; otherwise they become spaces.
    """
    out = []
    for letter in str(text):
        if letter == "\n" and lines:
            out.append(letter)
        elif letter in "\n\r\t":
            out.append(" ")
        elif unicodedata.category(letter) not in ("Cc", "Cs", "Cf"):
            out.append(letter)
    return "".join(out)


def cell_text(cell: object) -> str:
    """A cell as text: floats with three significant digits, nothing for `None`, the rest by `str`."""
    if cell is None:
        return ""
    if isinstance(cell, float | np.floating):
        return f"{float(cell):.3g}"
    return clean(cell, lines=True)


def is_number(cell: object) -> bool:
    """True if a cell reads as a number, so that its column is set flush right."""
    if cell is None or (isinstance(cell, int | float | np.integer | np.floating) and not isinstance(cell, bool)):
        return True
    return isinstance(cell, str) and _NUMBER.match(cell) is not None
