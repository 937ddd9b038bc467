"""Delimited text, line by line."""

import csv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from ._cells import is_gap, number
from ._paths import check_is_file
from ._pieces import Piece, Wanted, rows_at_once
from ._reader import DELIMITERS, Reader

_WRITTEN = {r"\t": "\t"} | {name: sign for sign, name in DELIMITERS.items()}
# The first bytes of files that are no text.
_OTHERS = {b"PAR1": "Parquet", b"ARROW1": "Arrow", b"\x89HDF": "HDF5 or NetCDF", b"CDF": "NetCDF", b"PK\x03": "zip"}


class Text:
    """A text file whose first line names its columns."""

    counted = "line"

    def __init__(self, path: Path, delimiter: str = ",", decimal: str = "."):
        delimiter = _WRITTEN.get(delimiter, delimiter)
        if len(delimiter) != 1 or delimiter in '"\n\r':
            raise ValueError(
                f"delimiter: expected one character, or tab, space, comma, semicolon, bar; got {delimiter!r}."
            )
        if decimal not in (".", ",") or decimal == delimiter:
            raise ValueError(
                f"decimal: expected '.' or ',', and not the delimiter; got {decimal!r} with the delimiter"
                f" {delimiter!r}."
            )
        check_is_file(path)
        self.path, self.delimiter, self.decimal = path, delimiter, decimal
        with self._open() as reader:
            self.names = reader.header

    @contextmanager
    def _open(self) -> Iterator[Reader]:
        try:
            with open(self.path, newline="", encoding="utf-8-sig") as file:
                yield Reader(file, self.path, self.delimiter, self.decimal)
        except UnicodeDecodeError:
            with open(self.path, "rb") as file:
                start = file.read(8)
            kind = next((name for mark, name in _OTHERS.items() if start.startswith(mark)), "")
            told = (
                f"It begins like a {kind} file: give it that suffix" if kind else "Save it as CSV with UTF-8 encoding"
            )
            if kind == "zip":
                told = "It begins like a spreadsheet or an archive: save it as CSV, or name it .npz if it is one"
            raise ValueError(f"file: '{self.path}' is not UTF-8 text. {told}.") from None
        except csv.Error as error:
            raise ValueError(f"file: '{self.path}' cannot be read as delimited text ({error}).") from None

    def check(self, columns: Sequence[str]) -> None:
        """Nothing, when all these columns are there."""
        with self._open() as reader:
            for column in columns:
                reader.place(column)

    def unit(self, column: str) -> str:
        """None: a text has no place for it but the name."""
        return ""

    def pieces(self, wanted: Wanted) -> Iterator[Piece]:
        """The rows, as many together as make some MiB of numbers."""
        size = rows_at_once(16 * len(wanted.columns))  # cells in lists take more than the numbers in them
        with self._open() as reader:
            places = [reader.place(column) for column in wanted.columns]
            clock = None if wanted.time is None else reader.place(wanted.time)
            mark = None if wanted.label is None else reader.place(wanted.label)
            others = [place for place in (clock, mark) if place is not None]
            lines: list[tuple[int, list[float], list[str]]] = []
            gap, count = None, 0
            for cells in reader:
                count += 1
                row, empty = _row(reader, cells, places)
                for place in others:
                    empty = place if is_gap(cells[place]) else empty
                if empty is None:
                    lines.append((reader.line, row, cells))
                elif gap is None:
                    cell = cells[empty].strip()
                    gap = reader.line, reader.header[empty], repr(cell) if cell else "an empty cell"
                if count == size:
                    yield _piece(lines, len(places), count, gap, clock, mark)
                    lines, gap, count = [], None, 0
            if count:
                yield _piece(lines, len(places), count, gap, clock, mark)


def _row(reader: Reader, cells: list[str], places: list[int]) -> tuple[list[float], int | None]:
    """The numbers of a line, and where a gap is."""
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
    return row, empty


def _piece(lines, width: int, count: int, gap, clock: int | None, mark: int | None) -> Piece:
    return Piece(
        np.array([row for _, row, _ in lines]).reshape(-1, width),
        np.array([line for line, _, _ in lines], int),
        count,
        gap,
        None if clock is None else np.array([cells[clock].strip() for _, _, cells in lines], object),
        None if mark is None else tuple(cells[mark].strip() for _, _, cells in lines),
    )
