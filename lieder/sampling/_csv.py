"""A table of measurements in a text file."""

import csv
import difflib
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ._table import Table

_DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", " ": "space", "|": "bar"}


def read_csv(path: str | os.PathLike[str], columns: Sequence[str], delimiter: str = ",") -> Table:
    """The named columns of a delimited text file whose first line names its columns.

    Arguments:
        path: the file, UTF-8.
        columns: names, in the order wanted.
        delimiter: one character (default the comma).
    Returns:
        Table, float64.
    Raises:
        OSError: no such file, a folder, no permission. ValueError: an empty file, a missing column (with the nearest
            name), another delimiter, a line with more or fewer cells than the first, a cell that is no number (line
            and column named), fewer than two rows of data.
    """
    path = Path(path)
    if path.is_dir():
        raise IsADirectoryError(
            f"file: '{path}' is a folder; give a text file with one line of column names and then numbers."
        )
    if not path.exists():
        near = difflib.get_close_matches(
            path.name, [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else [], n=1
        )
        raise FileNotFoundError(
            "file: there is no"
            f" '{path}'{f'; did you mean {near[0]!r}?' if near else '. Check the name and the folder.'}"
        )
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            return _read(csv.reader(file, delimiter=delimiter), path, columns, delimiter)
    except UnicodeDecodeError:
        raise ValueError(f"file: '{path}' is not UTF-8 text. Save it as CSV with UTF-8 encoding.") from None
    except csv.Error as error:
        raise ValueError(f"file: '{path}' cannot be read as delimited text ({error}).") from None


def _read(reader, path: Path, columns: Sequence[str], delimiter: str) -> Table:
    header = [cell.strip() for cell in next(reader, [])]
    if not any(header):
        raise ValueError(f"file: '{path}' is empty; its first line must name the columns.")
    places = [_place(column, header, path, delimiter) for column in columns]
    rows: list[list[float]] = []
    for cells in reader:
        if not cells or (len(cells) == 1 and not cells[0].strip()):
            continue
        if len(cells) != len(header):
            raise ValueError(
                f"file: line {reader.line_num} of '{path}' has {len(cells)} cells, the first line has {len(header)}."
                " Mend that line: a cell is missing, or"
                " a text holds the delimiter without quotes."
            )
        try:
            rows.append([float(cells[place]) for place in places])
        except ValueError:
            wrong = next(p for p in places if not _is_number(cells[p]))
            what = f"'{cells[wrong]}'" if cells[wrong].strip() else "an empty cell"
            raise ValueError(
                f"file: line {reader.line_num}, column '{header[wrong]}' of '{path}' holds {what} where a number is"
                " needed. Drop the row or the column."
            ) from None
    if len(rows) < 2:
        raise ValueError(
            f"file: '{path}' has {len(rows)} row{'s' * (len(rows) != 1)} of data; a symmetry needs many points, at"
            " least as many as candidates."
        )
    return Table(np.array(rows), tuple(columns))


def _place(column: str, header: list[str], path: Path, delimiter: str) -> int:
    if header.count(column) > 1:
        raise ValueError(
            f"columns: '{path}' has {header.count(column)} columns called '{column}'; give each its own name."
        )
    if column in header:
        return header.index(column)
    if len(header) == 1:
        other = next((d for d in _DELIMITERS if d != delimiter and d in header[0]), None)
        if other is not None:
            raise ValueError(
                f"file: the first line of '{path}' has no {_DELIMITERS.get(delimiter, repr(delimiter))} but"
                f" {_DELIMITERS[other]}s: pass --delimiter {other!r}."
            )
    near = difflib.get_close_matches(column, header, n=1)
    raise ValueError(
        f"columns: there is no column '{column}' in '{path}'{f'; did you mean {near[0]!r}?' if near else '.'} It has:"
        f" {', '.join(header[:30])}."
    )


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
