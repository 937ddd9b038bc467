"""A combination of functions as text: the one place where formulas of a family are written."""

from collections.abc import Callable, Iterable, Sequence

import numpy as np


def sum_text(coefficients: Iterable[float] | np.ndarray, terms: Sequence[str], number: Callable[[float], str]) -> str:
    """A sum of functions with coefficients, "2 x^2 - 1/2 x y + 1".

    Arguments:
        coefficients: (D,); terms of coefficient 0 are left out.
        terms: (D,) the functions as texts, "1" for the constant.
        number: how the size of a coefficient is written; nothing, "", where a term stands alone.
    Returns: the text; "0" where nothing is left.
    """
    out = ""
    for value, term in zip(coefficients, terms, strict=True):
        if value == 0:
            continue
        size = number(abs(value))
        body = (size or "1") if term == "1" else f"{size} {term}".lstrip()
        sign = ("-" if value < 0 else "") if not out else (" - " if value < 0 else " + ")
        out += sign + body
    return out or "0"
