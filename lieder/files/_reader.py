"""The rows of a delimited text file, each with the number of its line."""

import csv
import difflib
from collections.abc import Iterable, Iterator
from pathlib import Path

from ._cells import FAILED, advice, is_number

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", " ": "space", "|": "bar"}
_LOOK_AHEAD = 1000  # further cells that are read to describe a column of text


class Reader:
    """The rows of a file with the numbers of their lines; `header` is the first row, `comments` what came before it."""

    def __init__(self, file: Iterable[str], path: Path, delimiter: str, decimal: str):
        self.path, self.delimiter, self.decimal = path, delimiter, decimal
        self.line = 0
        self.comments: list[str] = []
        self._rows = csv.reader(self._lines(file), delimiter=delimiter, skipinitialspace=delimiter == " ")
        self.header = [cell.strip() for cell in next(self._rows, [])]
        if not any(self.header):
            raise ValueError(f"file: '{path}' is empty; its first line must name the columns.")

    def _lines(self, file: Iterable[str]) -> Iterator[str]:
        for self.line, line in enumerate(file, 1):
            start = line.lstrip().lower()
            if start.startswith("#") and not start.startswith(FAILED):
                self.comments.append(line.strip())
            elif self.line == 1 and start.startswith("sep="):  # a spreadsheet's note to itself
                continue
            elif self.delimiter == " ":
                yield line.strip() + "\n"
            else:
                yield line

    def __iter__(self) -> Iterator[list[str]]:
        for cells in self._rows:
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) != len(self.header):
                raise ValueError(
                    f"file: line {self.line} of '{self.path}' has {len(cells)} cells, the first line has"
                    f" {len(self.header)}. Mend that line: a cell is missing, or a text holds the delimiter without"
                    f" quotes{self._decimal_commas(cells)}."
                )
            yield cells

    def _decimal_commas(self, cells: list[str]) -> str:
        """A guess: twice as many cells, all of digits, are numbers with decimal commas between commas."""
        if (
            self.delimiter == ","
            and len(cells) > len(self.header)
            and all(cell.strip("- ").isdigit() for cell in cells)
        ):
            return ", or the comma stands before decimals: then separate cells by semicolons, and pass --decimal ','"
        return ""

    def place(self, column: str) -> int:
        """Where a column stands, or an error that says what there is."""
        header, path = self.header, self.path
        if header.count(column) > 1:
            raise ValueError(
                f"columns: '{path}' has {header.count(column)} columns called '{column}'; give each its own name."
            )
        if column in header:
            return header.index(column)
        if len(header) == 1:
            other = next((sign for sign in DELIMITERS if sign != self.delimiter and sign in header[0]), None)
            if other is not None:
                raise ValueError(
                    f"file: the first line of '{path}' has no {DELIMITERS.get(self.delimiter, repr(self.delimiter))}"
                    f" but {DELIMITERS[other]}s: pass --delimiter {other!r}{self._also_decimal(other)}."
                )
        if self.comments and column in self.comments[-1]:
            raise ValueError(
                f"columns: there is no column '{column}' in '{path}', but the line '{self.comments[-1]}' is a comment."
                " Remove its #, if it names the columns."
            )
        if all(is_number(cell) for cell in header):
            raise ValueError(
                f"columns: the first line of '{path}' holds numbers, {', '.join(header[:5])}; it must name the columns."
            )
        near = difflib.get_close_matches(column, header, n=1)
        raise ValueError(
            f"columns: there is no column '{column}' in '{path}'{f'; did you mean {near[0]!r}?' if near else '.'} It"
            f" has: {', '.join(header[:30])}{', ...' if len(header) > 30 else '.'}"
        )

    def _also_decimal(self, delimiter: str) -> str:
        """The advice to pass --decimal as well, when the next line says so."""
        cells = self.delimiter.join(next(self._rows, [])).split(delimiter)
        commas = delimiter != "," and any("," in cell and is_number(cell.replace(",", ".")) for cell in cells)
        return " --decimal ','" if commas else ""

    def no_number(self, cell: str, column: int) -> ValueError:
        """What to say of a cell that holds no number and is no gap; the cells below it tell what the column is."""
        line, others = self.line, [cell.strip()]
        for cells, _ in zip(self._rows, range(_LOOK_AHEAD), strict=False):
            if len(cells) == len(self.header):
                others.append(cells[column].strip())
        where = f"file: line {line}, column '{self.header[column]}' of '{self.path}' holds '{others[0]}'"
        return ValueError(f"{where} where a number is needed. {advice(others, self.decimal)}")
