"""Delimited text in, columns of numbers out. Only NumPy is needed, so that a mistake in a file is said at once."""

import csv
import difflib
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np

_DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", " ": "space", "|": "bar"}
_WRITTEN = {r"\t": "\t"} | {name: sign for sign, name in _DELIMITERS.items()}
_GAPS = {"", "na", "n/a", "#n/a", "nan", "-nan", "null", "none", "?", "-", "--"}
_LOOK_AHEAD = 1000  # further cells that are read to describe a column of text


@dataclass(frozen=True, eq=False)
class Columns:
    """What was read.

    Fields: `values` (N, n) float64 and their `names` (n,); `left_out`, the number of rows dropped for their gaps;
        `times` (N,) where a column of times was asked for: its numbers, or the seconds since the first stamp; `labels`
        (N,) texts where a column that tells trajectories apart was asked for.
    """

    values: np.ndarray
    names: tuple[str, ...]
    left_out: int = 0
    times: np.ndarray | None = None
    labels: tuple[str, ...] | None = None

    def trajectories(self) -> dict[str, tuple[np.ndarray | None, np.ndarray]]:
        """Times (T,) and values (T, n) of each trajectory, by its label, in the order of the file.

        Returns: one entry a label; without labels one entry, ''. Times are None where none were read.
        """
        labels = np.array(self.labels if self.labels is not None else [""] * len(self.values))
        parts = {label: labels == label for label in dict.fromkeys(labels.tolist())}
        return {
            label: (None if self.times is None else self.times[rows], self.values[rows])
            for label, rows in parts.items()
        }


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

    Empty lines, and lines that begin with #, are no data.

    Arguments:
        path: the file, UTF-8.
        columns: names, in the order wanted.
        delimiter: one character, default the comma; or its name: tab (also \\t), space, comma, semicolon, bar.
        decimal: the sign before decimals: "." (default) or ",".
        missing: "refuse" (default) or "drop" rows with a gap in a column asked for: an empty cell, NA, N/A, NaN, null,
            None, a question mark or dashes.
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
    _check_is_file(path)
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            reader = _Reader(file, path, delimiter, decimal)
            return _read(reader, list(columns), missing, time, label)
    except UnicodeDecodeError:
        raise ValueError(f"file: '{path}' is not UTF-8 text. Save it as CSV with UTF-8 encoding.") from None
    except csv.Error as error:
        raise ValueError(f"file: '{path}' cannot be read as delimited text ({error}).") from None


def _check_is_file(path: Path) -> None:
    if path.is_dir():
        raise IsADirectoryError(
            f"file: '{path}' is a folder; give a text file with one line of column names and then numbers."
        )
    if not path.exists():
        names = [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []
        near = difflib.get_close_matches(path.name, names, n=1)
        advice = f"; did you mean {near[0]!r}?" if near else ". Check the name and the folder."
        raise FileNotFoundError(f"file: there is no '{path}'{advice}")


class _Reader:
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
            if line.lstrip().startswith("#"):
                self.comments.append(line.strip())
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

    def number(self, cell: str) -> float:
        """The number in a cell, NaN in a gap; a ValueError for anything else."""
        if self.decimal == ",":
            if "." in cell:  # 1.234 may mean a thousand and more: nobody can tell
                raise ValueError(cell)
            return float(cell.replace(",", "."))
        return float(cell)

    def _is_number(self, cell: str) -> bool:
        """Also true of a gap."""
        try:
            self.number(cell)
        except ValueError:
            return cell.lower() in _GAPS
        return True

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
            other = next((sign for sign in _DELIMITERS if sign != self.delimiter and sign in header[0]), None)
            if other is not None:
                raise ValueError(
                    f"file: the first line of '{path}' has no"
                    f" {_DELIMITERS.get(self.delimiter, repr(self.delimiter))} but {_DELIMITERS[other]}s: pass"
                    f" --delimiter {other!r}{self._also_decimal(other)}."
                )
        if self.comments and column in self.comments[-1]:
            raise ValueError(
                f"columns: there is no column '{column}' in '{path}', but the line '{self.comments[-1]}' is a comment."
                " Remove its #, if it names the columns."
            )
        if all(_is_number(cell) for cell in header):
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
        commas = delimiter != "," and any("," in cell and _is_number(cell.replace(",", ".")) for cell in cells)
        return " --decimal ','" if commas else ""

    def no_number(self, cell: str, column: int) -> ValueError:
        """What to say of a cell that holds no number and is no gap."""
        name, cell = self.header[column], cell.strip()
        where = f"file: line {self.line}, column '{name}' of '{self.path}' holds '{cell}' where a number is needed."
        if self.decimal == "," and _is_number(cell.replace(".", "").replace(",", ".")):
            return ValueError(f"{where} With --decimal ',' a number has no point; remove signs between thousands.")
        if _is_number(cell.replace(",", ".", 1)):
            return ValueError(f"{where} If its comma stands before decimals, pass --decimal ','.")
        if _is_number(cell.replace(",", "")):
            return ValueError(f"{where} Remove the commas between thousands.")
        others = [cell]
        for cells, _ in zip(self._rows, range(_LOOK_AHEAD), strict=False):
            if len(cells) == len(self.header):
                others.append(cells[column].strip())
        if all(_is_stamp(other) for other in others if other.lower() not in _GAPS):
            return ValueError(f"{where} It is a time: leave the column out, or name it with --time in lieder dynamics.")
        texts = list(dict.fromkeys(other for other in others if not self._is_number(other)))
        if len(texts) == 1 and len(others) > 1:
            return ValueError(f"{where} Mend that cell, or drop the row.")
        shown = ", ".join(texts[:3]) + (f", ... ({len(texts)} different texts)" if len(texts) > 3 else "")
        return ValueError(
            f"{where} The column holds text: {shown}. A category has no continuous symmetry: leave the column out,"
            " or treat the rows of each value apart."
        )


def _read(reader: _Reader, columns: list[str], missing: str, time: str | None, label: str | None) -> Columns:
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
                number = reader.number(cells[place])
            except ValueError:
                if cells[place].strip().lower() not in _GAPS:
                    raise reader.no_number(cells[place], place) from None
                number = np.nan
            if number != number:
                empty = place
            row.append(number)
        for place in (clock, mark):
            if place is not None and cells[place].strip().lower() in _GAPS:
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
    times = None if clock is None else _times(reader, stamps, lines, clock)
    found = Columns(np.array(rows), tuple(columns), left_out, times, None if mark is None else tuple(labels))
    if times is not None:
        _check_increasing(reader, found, lines, str(time))
    return found


def _times(reader: _Reader, stamps: list[str], lines: list[int], clock: int) -> np.ndarray:
    """Numbers as they are; ISO stamps as seconds since the first."""
    numbers = []
    try:
        numbers = [reader.number(stamp) for stamp in stamps]
    except ValueError:
        pass
    if len(numbers) == len(stamps):
        return np.array(numbers)
    read = []
    for stamp, line in zip(stamps, lines, strict=True):
        try:
            read.append(datetime.fromisoformat(stamp))
        except ValueError:
            raise ValueError(
                f"file: line {line}, column '{reader.header[clock]}' of '{reader.path}' holds '{stamp}', which is"
                " neither a number nor an ISO time stamp such as 2026-03-01T12:30:00."
            ) from None
    if len({stamp.tzinfo is None for stamp in read}) > 1:
        raise ValueError(f"file: column '{reader.header[clock]}' of '{reader.path}' has stamps with and without zone.")
    return np.array([(stamp - read[0]).total_seconds() for stamp in read])


def _check_increasing(reader: _Reader, found: Columns, lines: list[int], time: str) -> None:
    last: dict[str, float] = {}
    labels = found.labels if found.labels is not None else ("",) * len(lines)
    for now, label, line in zip(np.asarray(found.times).tolist(), labels, lines, strict=True):
        if not now > last.get(label, -np.inf):
            where, advice = f" of trajectory '{label}'", "Sort the rows by time, and drop repeated ones."
            if found.labels is None:
                others = ", ".join(name for name in reader.header if name not in (*found.names, time))
                where = ""
                advice = (
                    "If the rows are several trajectories, name the column that tells these apart with"
                    f" --trajectories ({others or 'there is no other column: add one'}); if not, sort the rows by time."
                )
            raise ValueError(f"file: the times{where} in column '{time}' do not increase at line {line}. {advice}")
        last[label] = now


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _is_stamp(cell: str) -> bool:
    try:
        datetime.fromisoformat(cell)
    except ValueError:
        return False
    return not cell.isdigit()
