"""What is asked of a file, and the rows that it gives, some at a time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np

from ._cells import advice, is_gap, is_number

MOST = 2**19  # numbers of a piece: 4 MiB
_LOOK = 1000  # cells that are looked at to describe a column of text


@dataclass(frozen=True)
class Wanted:
    """Columns of numbers; a column of times and one of labels, where they are asked for.

    `beside`: columns that are not read, but have a number in each row, as these do. `drop`: rows with gaps are left
    out, and else refused.
    """

    columns: tuple[str, ...]
    time: str | None = None
    label: str | None = None
    beside: tuple[str, ...] = ()
    drop: bool = False

    @property
    def every(self) -> tuple[str, ...]:
        """The names of all columns to be read, each once."""
        return tuple(dict.fromkeys((*self.columns, *filter(None, (self.time, self.label)))))


@dataclass(frozen=True, eq=False)
class Piece:
    """Rows that were read together, those with gaps left out.

    Fields: `values` (B, n); `places` (B,), the line or row of each in its file; `count`, of rows with those left out;
        `gap`, where the first of these is and what it holds; `stamps` (B,) texts, numbers or datetime64, and `labels`
        (B,), where they are asked for.
    """

    values: np.ndarray
    places: np.ndarray
    count: int
    gap: tuple[int, str, str] | None = None
    stamps: np.ndarray | None = None
    labels: tuple[str, ...] | None = None


@runtime_checkable
class Source(Protocol):
    """A file of one format, opened when it is read."""

    path: Path
    counted: str  # what `places` are called: lines of a text, rows of arrays
    decimal: str
    names: list[str]

    def check(self, columns: Sequence[str]) -> None:
        """A ValueError that names the first column that is not there, or cannot be a column."""
        ...

    def unit(self, column: str) -> str:
        """The unit of a column, as the file has it; '' where it has none."""
        ...

    def pieces(self, wanted: Wanted) -> Iterator[Piece]:
        """The rows."""
        ...


def rows_at_once(width: int) -> int:
    """How many rows of so many numbers are read together."""
    return max(1, MOST // max(width, 1))


def piece_of(path: Path, first: int, wanted: Wanted, raw: dict[str, np.ndarray]) -> Piece:
    """Columns as a library gave them, of a file's rows from the `first` on.

    Raises: ValueError that names the column which holds no numbers.
    """
    values = np.stack([_numbers(raw[name], name, path, first) for name in wanted.columns], axis=1)
    empty = {name: np.isnan(values[:, i]) for i, name in enumerate(wanted.columns)}
    empty |= {name: _gaps(raw[name]) for name in filter(None, (wanted.time, wanted.label)) if name not in empty}
    out = np.logical_or.reduce(list(empty.values()))
    gap, kept = None, slice(None)
    if out.any():
        row, kept = int(np.argmax(out)), ~out
        gap = (first + row, next(name for name, none in empty.items() if none[row]), "no value (NaN or null)")
    return Piece(
        values[kept],
        np.arange(first, first + len(values))[kept],
        len(values),
        gap,
        None if wanted.time is None else raw[wanted.time][kept],
        None if wanted.label is None else tuple(map(_text, raw[wanted.label][kept].tolist())),
    )


def _numbers(raw: np.ndarray, name: str, path: Path, first: int) -> np.ndarray:
    kind = raw.dtype.kind
    if kind in "fiu":
        return raw.astype(np.float64)
    where = f"file: column '{name}' of '{path}'"
    if kind == "c":
        raise ValueError(f"{where} holds complex numbers; write the real and the imaginary parts as two columns.")
    if kind == "b":
        raise ValueError(f"{where} holds true and false: a switch has no continuous symmetry. Leave the column out.")
    if kind in "mM":
        told = advice(["2026-01-01"], ".") if kind == "M" else "Write it as numbers of a unit, such as seconds."
        raise ValueError(f"{where} holds {'times' if kind == 'M' else 'durations'}. {told}")
    cells = [_text(cell) for cell in raw.tolist()]
    if all(map(is_gap, cells)):
        return np.full(len(cells), np.nan)
    row = next(k for k, cell in enumerate(cells) if not is_gap(cell))
    some = cells[row : row + _LOOK]
    told = "The column holds text: write it as numbers, or leave it out."
    if not all(is_number(cell) or is_gap(cell) for cell in some) and len(set(some)) > 1:
        told = advice(some, ".")
    raise ValueError(f"{where} holds '{cells[row]}' in row {first + row}, where a number is needed. {told}")


def _gaps(raw: np.ndarray) -> np.ndarray:
    if raw.dtype.kind in "fmM":
        return np.isnat(raw) if raw.dtype.kind in "mM" else np.isnan(raw)
    if raw.dtype.kind in "OUST":
        return np.array([is_gap(_text(cell)) for cell in raw.tolist()], bool)
    return np.zeros(len(raw), bool)


def _text(cell: object) -> str:
    return cell.decode(errors="replace") if isinstance(cell, bytes) else "" if cell is None else str(cell)
