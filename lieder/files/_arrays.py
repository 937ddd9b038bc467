"""Files of arrays by name, in groups or not: HDF5, by h5py, and NumPy's archives."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from ..late import h5py
from ._names import check_names, unreadable
from ._paths import check_is_file
from ._pieces import MOST, Piece, Wanted, piece_of, rows_at_once

_WIDEST = 1000  # columns of one array that are listed by name


class Arrays:
    """A file of arrays.

    Columns are arrays (N,) by their path "group/x", the columns "group/x.0" of arrays (N, k), and the fields "table.x"
    of arrays of records. `opened` gives a mapping from paths to what has shape, dtype and rows, and may have `attrs`.
    """

    counted, decimal = "row", "."

    def __init__(self, path: Path, kind: str, opened: Callable[[Path], AbstractContextManager[Mapping[str, Any]]]):
        check_is_file(path)
        self.path, self._kind, self._opened = path, kind, opened
        with self._open() as arrays:
            self._parts = {name: part for whole in arrays for name, part in _parts(whole, arrays[whole])}
            self._shapes = {name: tuple(arrays[name].shape) for name in arrays}
            self.units = {name: _unit(arrays[name]) for name in arrays}
        self.names = list(self._parts)

    @contextmanager
    def _open(self) -> Iterator[Mapping[str, Any]]:
        try:
            with self._opened(self.path) as arrays:
                yield arrays
        except ValueError as fault:
            if str(fault).startswith(("file:", "columns:")):
                raise
            raise unreadable(self.path, self._kind, fault) from None
        except Exception as fault:  # a wrong file fails in many ways, and all mean this
            raise unreadable(self.path, self._kind, fault) from None

    def check(self, columns: Sequence[str]) -> None:
        """Nothing, when all these columns are there, and of one length."""
        for column in columns:
            self._check_shape(column)
        check_names(self.path, columns, self.names)
        lengths = {column: self._shapes[self._parts[column][0]][0] for column in columns}
        if len(set(lengths.values())) > 1:
            told = ", ".join(f"'{column}' {length}" for column, length in lengths.items())
            raise ValueError(
                f"columns: '{self.path}' has columns of different lengths, {told}: they are no table. Columns of"
                " one table have one number a row each."
            )

    def _check_shape(self, column: str) -> None:
        """A ValueError for what is there, but is no column."""
        if column in self.names:
            return
        inside = [name for name in self._shapes if name.startswith(f"{column.strip('/')}/")]
        if inside:
            raise ValueError(
                f"columns: '{column}' of '{self.path}' is a group; name what is in it: {', '.join(inside[:30])}."
            )
        if column in self._shapes:
            shape = self._shapes[column]
            own = [name for name, (whole, _) in self._parts.items() if whole == column]
            told = (
                f"its columns are '{own[0]}' to '{own[-1]}'"
                if own
                else "a column has one number a row. Functions on a grid are read by lieder pde"
            )
            raise ValueError(f"columns: '{column}' of '{self.path}' has shape {shape}: {told}.")

    def unit(self, column: str) -> str:
        """The attribute `units`, or `unit`, of the array."""
        return self.units[self._parts[column][0]]

    def pieces(self, wanted: Wanted) -> Iterator[Piece]:
        """The rows, some at a time; of arrays that the file holds in pieces only these are read."""
        self.check(wanted.every)
        wholes = list(dict.fromkeys(self._parts[name][0] for name in wanted.every))
        width = sum(int(np.prod(self._shapes[whole][1:])) for whole in wholes)
        size, end = min(rows_at_once(width), MOST), self._shapes[wholes[0]][0]
        with self._open() as arrays:
            for start in range(0, end, size):
                read = {whole: arrays[whole][start : start + size] for whole in wholes}
                raw = {}
                for name in wanted.every:
                    whole, part = self._parts[name]
                    rows = read[whole]
                    raw[name] = rows if part is None else rows[part] if isinstance(part, str) else rows[:, part]
                yield piece_of(self.path, start, wanted, raw)

    def whole(self, names: Sequence[str]) -> dict[str, np.ndarray]:
        """Arrays of any shape, all of them.

        Raises: ValueError for one that is not there.
        """
        with self._open() as arrays:
            for name in names:
                if name not in arrays:
                    raise ValueError(f"file: '{self.path}' holds no array '{name}', but {', '.join(arrays) or 'none'}.")
            return {name: np.asarray(arrays[name][()]) for name in names}


def hdf5_file(path: Path) -> Arrays:
    """An HDF5 file."""
    return Arrays(path, "HDF5", _hdf5)


def archive_file(path: Path) -> Arrays:
    """An archive of NumPy arrays (.npz), which is held in memory while it is read."""
    return Arrays(path, "NumPy archive", _archive)


@contextmanager
def _hdf5(path: Path) -> Iterator[Mapping[str, Any]]:
    with h5py.File(path, "r") as file:
        found: dict[str, Any] = {}

        def keep(name: str, thing: Any) -> None:
            if isinstance(thing, h5py.Dataset) and thing.shape is not None:
                found[name] = thing

        file.visititems(keep)
        yield found


@contextmanager
def _archive(path: Path) -> Iterator[Mapping[str, Any]]:
    archive = np.load(path, allow_pickle=False)
    if isinstance(archive, np.ndarray):
        raise ValueError("it holds a single array (.npy), not an archive of named ones")
    with archive:
        yield {name: archive[name] for name in archive.files}


def _parts(name: str, array: Any) -> list[tuple[str, tuple[str, str | int | None]]]:
    """The columns of an array: their names, and what of the array each is."""
    if array.dtype.names and len(array.shape) == 1:
        return [(f"{name}.{field}", (name, field)) for field in array.dtype.names if not array.dtype[field].shape]
    if len(array.shape) == 1:
        return [(name, (name, None))]
    if len(array.shape) == 2 and array.shape[1] <= _WIDEST:
        return [(f"{name}.{k}", (name, k)) for k in range(array.shape[1])]
    return []


def _unit(array: Any) -> str:
    known = getattr(array, "attrs", {})
    unit = known.get("units", known.get("unit", ""))
    return unit.decode(errors="replace") if isinstance(unit, bytes) else str(unit)
