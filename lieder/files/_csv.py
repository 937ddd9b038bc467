"""The named columns of a delimited text file."""

import csv
import difflib
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ._cells import is_gap, number
from ._columns import Columns
from ._reader import DELIMITERS, Reader
from ._times import check_increasing, times_of

_WRITTEN = {r"\t": "\t"} | {name: sign for sign, name in DELIMITERS.items()}


def read_csv(
    path: str | os.PathLike[str],
    columns: Sequence[str],
    delimiter: str = ",",
    *,
    decimal: str = ".",
    missing: str = "refuse",
    time: str | None = None,
    label: str | None = None,
) -> Columns:
    """The named columns of a delimited text file whose first line names its columns.

    Empty lines, lines that begin with #, and a first line such as `sep=;` are no data.

    Arguments:
        path: the file, UTF-8.
        columns: names, in the order wanted.
        delimiter: one character, default the comma; or its name: tab (also \\t), space, comma, semicolon, bar.
        decimal: the sign before decimals: "." (default) or ",".
        missing: "refuse" (default) or "drop" rows with a gap in a column asked for: an empty cell, NA, N/A, NaN, null,
            None, a question mark, dashes, or a spreadsheet's #N/A and its like.
        time: a column of increasing times, numbers or ISO 8601 stamps; default None: there is none.
        label: a column, text or not, with one value for each trajectory; default None: all rows are one.
    Returns:
        Columns, float64.
    Raises:
        OSError: no such file, a folder, no permission. ValueError: an empty file, a missing column (with the nearest
            name), another delimiter or decimal sign, a line with more or fewer cells than the first, a cell that is no
            number (line and column named), a gap, fewer than two rows of data, times that do not increase.
    """
    delimiter = _WRITTEN.get(delimiter, delimiter)
    if len(delimiter) != 1 or delimiter in '"\n\r':
        raise ValueError(f"delimiter: expected one character, or tab, space, comma, semicolon, bar; got {delimiter!r}.")
    if decimal not in (".", ",") or decimal == delimiter:
        raise ValueError(
            f"decimal: expected '.' or ',', and not the delimiter; got {decimal!r} with the delimiter {delimiter!r}."
        )
    if missing not in ("refuse", "drop"):
        raise ValueError(f"missing: expected 'refuse' or 'drop', got {missing!r}.")
    path = Path(path)
    check_is_file(path)
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            reader = Reader(file, path, delimiter, decimal)
            return _read(reader, list(columns), missing, time, label)
    except UnicodeDecodeError:
        raise ValueError(f"file: '{path}' is not UTF-8 text. Save it as CSV with UTF-8 encoding.") from None
    except csv.Error as error:
        raise ValueError(f"file: '{path}' cannot be read as delimited text ({error}).") from None


def check_is_file(path: Path) -> None:
    """An OSError that says what to do where there is no such file."""
    if path.is_dir():
        raise IsADirectoryError(
            f"file: '{path}' is a folder; give a text file with one line of column names and then numbers."
        )
    if not path.exists():
        names = [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []
        near = difflib.get_close_matches(path.name, names, n=1)
        advice = f"; did you mean {near[0]!r}?" if near else ". Check the name and the folder."
        raise FileNotFoundError(f"file: there is no '{path}'{advice}")


def _read(reader: Reader, columns: list[str], missing: str, time: str | None, label: str | None) -> Columns:
    places = [reader.place(column) for column in columns]
    clock = None if time is None else reader.place(time)
    mark = None if label is None else reader.place(label)
    rows: list[list[float]] = []
    stamps: list[str] = []
    labels: list[str] = []
    lines: list[int] = []
    gap: tuple[int, int, str] | None = None
    count = 0
    for cells in reader:
        count += 1
        row, empty = [], None
        for place in places:
            try:
                value = number(cells[place], reader.decimal)
            except ValueError:
                if not is_gap(cells[place]):
                    raise reader.no_number(cells[place], place) from None
                value = np.nan
            if value != value:
                empty = place
            row.append(value)
        for place in (clock, mark):
            if place is not None and is_gap(cells[place]):
                empty = place
        if empty is not None:
            gap = gap or (reader.line, empty, cells[empty].strip())
            continue
        rows.append(row)
        lines.append(reader.line)
        if clock is not None:
            stamps.append(cells[clock].strip())
        if mark is not None:
            labels.append(cells[mark].strip())
    left_out = count - len(rows)
    if gap is not None and missing == "refuse":
        line, place, cell = gap
        raise ValueError(
            f"file: line {line}, column '{reader.header[place]}' of '{reader.path}' holds"
            f" {repr(cell) if cell else 'an empty cell'} where a number is needed. {left_out} of {count} rows have such"
            " gaps in the columns asked for; pass --missing drop to leave these rows out, or leave out the column."
        )
    if len(rows) < 2:
        raise ValueError(
            f"file: '{reader.path}' has {len(rows)} row{'s' * (len(rows) != 1)} of data"
            f"{f' without gaps ({left_out} dropped)' if left_out else ''}; a symmetry needs many points, at least as"
            " many as candidates."
        )
    times = None if clock is None else times_of(reader, stamps, lines, clock)
    found = Columns(np.array(rows), tuple(columns), left_out, times, None if mark is None else tuple(labels))
    if times is not None:
        check_increasing(reader, found, lines, str(time))
    return found
