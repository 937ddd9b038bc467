"""The rows of files, batch by batch or all together."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ._columns import Columns
from ._formats import opened
from ._names import check_names
from ._paths import Paths, files_of
from ._pieces import Piece, Source, Wanted
from ._text import Text
from ._times import check_increasing, times_of


@dataclass(frozen=True, eq=False, repr=False)
class Rows:
    """Rows of files, read when they are asked for, as often as they are asked for.

    It is an iterable of batches (B, n) of float64, which every verb of `discover` and `promote` takes where it takes an
    array; memory does not grow with the number of rows, unless the verb needs all of them at once.

    Fields: `names` (n,) of the columns; `units` (n,), "" where the files have none; `files`, in the order in which they
        are read.
    """

    names: tuple[str, ...]
    units: tuple[str, ...]
    files: tuple[Path, ...]
    _sources: tuple[Source, ...]
    _wanted: Wanted
    _least: int = 1

    def __getitem__(self, names: str | Sequence[str]) -> "Rows":
        """Some of the columns, rows[["x", "y"]] or rows["x"].

        With `missing="drop"` the rows with a gap in any of the columns asked for at first stay out, so that the rows of
        inputs and of outputs belong together.

        Raises: ValueError for a name that is not among the columns.
        """
        chosen = (names,) if isinstance(names, str) else tuple(names)
        check_names(self.files[0], chosen, self.names)
        units = tuple(self.units[self.names.index(name)] for name in chosen)
        every = (*self._wanted.every, *self._wanted.beside)
        wanted = self._wanted if self._wanted.drop else replace(self._wanted, columns=chosen, beside=every)
        return replace(self, names=chosen, units=units, _wanted=wanted)

    def by_file(self) -> tuple["Rows", ...]:
        """The rows of each file, in order; some may hold none."""
        return tuple(
            replace(self, files=(file,), _sources=(source,), _least=0)
            for file, source in zip(self.files, self._sources, strict=True)
        )

    def __iter__(self) -> Iterator[np.ndarray]:
        """Arrays (B, n), B as it comes."""
        places = [self._wanted.columns.index(name) for name in self.names]
        count = 0
        for source in self._sources:
            for piece in self._pieces(source):
                if len(piece.values):
                    count += len(piece.values)
                    yield piece.values[:, places] if len(places) < piece.values.shape[1] else piece.values
        if count < self._least:
            raise _too_few(self.files, 0, 0)

    @property
    def binary(self) -> bool:
        """Whether all files hold numbers as such, so that reading them again costs little."""
        return not any(isinstance(source, Text) for source in self._sources)

    def __repr__(self) -> str:
        columns = ", ".join(
            f"{name} ({unit})" if unit else name for name, unit in zip(self.names, self.units, strict=True)
        )
        first, *more = self.files
        return f"Rows of {columns} from '{first}'{f' and {len(more)} more files' if more else ''}"

    def _pieces(self, source: Source) -> Iterator[Piece]:
        """A file's rows; where gaps are refused the first of them is an error that counts them."""
        pieces = source.pieces(self._wanted)
        count = left_out = 0
        for piece in pieces:
            count, left_out = count + piece.count, left_out + piece.count - len(piece.values)
            if piece.gap is not None and not self._wanted.drop:
                for later in pieces:
                    count, left_out = count + later.count, left_out + later.count - len(later.values)
                place, column, cell = piece.gap
                raise ValueError(
                    f"file: {source.counted} {place}, column '{column}' of '{source.path}' holds {cell} where a number"
                    f" is needed. {left_out} of {count} rows have such gaps in the columns asked for; pass --missing"
                    " drop (in Python missing='drop') to leave these rows out, or leave out the column."
                )
            yield piece

    def gather(self) -> Columns:
        """All rows at once, with times and labels where these were asked for.

        Returns: Columns.
        Raises: ValueError for fewer than two rows, and for times that do not increase.
        """
        read = [(source, list(self._pieces(source))) for source in self._sources]
        every = [piece for _, pieces in read for piece in pieces]
        values = np.concatenate([piece.values for piece in every]) if every else np.zeros((0, len(self.names)))
        left_out = sum(piece.count for piece in every) - len(values)
        if len(values) < 2:
            raise _too_few(self.files, len(values), left_out)
        places = [self._wanted.columns.index(name) for name in self.names]
        if len(places) < values.shape[1]:
            values = values[:, places]
        empty = tuple(str(source.path) for source, pieces in read if not any(piece.count for piece in pieces))
        found = Columns(values, self.names, left_out, units=self.units, empty=empty)
        wanted, rows = self._wanted, _Places(read)
        if wanted.label is not None:
            found = replace(found, labels=tuple(label for piece in every for label in piece.labels or ()))
        elif len(self.files) > 1:
            files = [str(source.path) for source, _ in read]
            found = replace(
                found, labels=tuple(name for name, n in zip(files, rows.counts, strict=True) for _ in range(n))
            )
        if wanted.time is None:
            return found
        stamps = _joined([piece.stamps for piece in every if len(piece.values)], wanted.time)
        source = self._sources[0]
        times = times_of(stamps, wanted.time, lambda k: rows.where(k, f"column '{wanted.time}' of "), source.decimal)
        others = [name for name in source.names if name not in wanted.every]
        check_increasing(times, found.labels, wanted.time, rows.where, others)
        return replace(found, times=times)


class _Places:
    """Where each row is: its line or row, and of several files which."""

    def __init__(self, read: list[tuple[Source, list[Piece]]]):
        self._read = read
        self.counts = [sum(len(piece.values) for piece in pieces) for _, pieces in read]

    def where(self, k: int, of: str = "") -> str:
        """In words: "line 3", or "row 3 of 'run2.parquet'"; `of`: what is named between these."""
        for (source, pieces), count in zip(self._read, self.counts, strict=True):
            if k < count:
                place = np.concatenate([piece.places for piece in pieces])[k]
                file = f", {of}'{source.path}'" if of else f" of '{source.path}'" if len(self._read) > 1 else ""
                return f"{source.counted} {place}{file}"
            k -= count
        raise IndexError(k)


def rows(
    files: Paths,
    columns: Sequence[str],
    delimiter: str = ",",
    *,
    decimal: str = ".",
    missing: str = "refuse",
    time: str | None = None,
    label: str | None = None,
) -> Rows:
    """Columns of one file or of many alike, to be read batch by batch.

    The suffix tells the format: Parquet (.parquet, .pq), Feather and Arrow (.feather, .arrow, .ipc), HDF5 (.h5, .hdf5,
    .he5), NetCDF (.nc, .nc4, .cdf), Zarr (.zarr), an archive of NumPy arrays (.npz); anything else is delimited text
    whose first line names its columns. All but text and archives need `pip install 'lieder[files]'`.

    Columns of structs are called "position.x", of arrays (N, k) "states.0", in groups "group/x". Where variables of
    NetCDF and Zarr have several dimensions there is a row for each combination of their places.

    Arguments:
        files: a path; or a pattern such as "runs/*.parquet", whose files are read in natural order, run2 before run10;
            or a list of these, in its order. The rows of one file follow those of the one before.
        columns: names, in the order wanted.
        delimiter: of text, one character, default the comma; or its name: tab (also \\t), space, comma, semicolon, bar.
        decimal: of text, the sign before decimals: "." (default) or ",".
        missing: "refuse" (default) or "drop" rows with a gap in a column asked for: NaN, null, a fill value; in text an
            empty cell, NA, N/A, NaN, null, None, a question mark, dashes, or a spreadsheet's #N/A and its like.
        time: a column of increasing times for `gather`, numbers or stamps; default None: there is none.
        label: a column for `gather`, text or not, with one value for each trajectory; default None: each
            file is one.
    Returns:
        Rows. Only names, units and lengths have been read. Files without a row are passed over.
    Raises:
        OSError: no such file, a pattern of no file, a folder, no permission. ModuleNotFoundError: the package that
            reads the format is not installed. ValueError: a file that is not what its suffix says, a missing column
            (with the nearest name), columns of different lengths, units that differ between files; later, with file
            and row, a cell that is no number, or a gap. TypeError: `files` that are no paths.
    """
    paths = files_of(files)
    return rows_of([opened(path, delimiter, decimal) for path in paths], columns, missing, time, label)


def rows_of(
    sources: Sequence[Source], columns: Sequence[str], missing: str, time: str | None, label: str | None
) -> Rows:
    """As `rows`, of files whose formats are known."""
    if missing not in ("refuse", "drop"):
        raise ValueError(f"missing: expected 'refuse' or 'drop', got {missing!r}.")
    wanted = Wanted(tuple(columns), time, label, drop=missing == "drop")
    if isinstance(columns, str) or not wanted.columns:
        raise ValueError(f"columns: expected a list of names, got {columns!r}.")
    for source in sources:
        source.check(wanted.every)
    units = tuple(_unit(sources, column) for column in wanted.columns)
    files = tuple(source.path for source in sources)
    return Rows(wanted.columns, units, files, tuple(sources), wanted)


def _unit(sources: Sequence[Source], column: str) -> str:
    """The unit of a column in all files."""
    first = sources[0].unit(column)
    for source in sources[1:]:
        other = source.unit(column)
        if other != first:
            raise ValueError(
                f"file: column '{column}' is in {first or 'no unit'} in '{sources[0].path}' and in"
                f" {other or 'no unit'} in '{source.path}'. Bring them to one unit."
            )
    return first


def _joined(parts: Sequence[np.ndarray | None], time: str) -> np.ndarray:
    stamps = [part for part in parts if part is not None]
    kinds = {"number" if part.dtype.kind in "fiu" else part.dtype.kind for part in stamps}
    if len(kinds) > 1:
        raise ValueError(f"file: the times in column '{time}' are numbers in some of the rows and stamps in others.")
    return np.concatenate(stamps)


def _too_few(files: Sequence[Path], count: int, left_out: int) -> ValueError:
    first, *more = files
    several = f"'{first}' and {len(more)} more files have" if more else f"'{first}' has"
    gaps = f" without gaps ({left_out} dropped)" if left_out else ""
    return ValueError(
        f"file: {several} {count} row{'s' * (count != 1)} of data{gaps}; a symmetry needs many points, at least as many"
        " as candidates."
    )
