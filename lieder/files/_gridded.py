"""Functions sampled on a grid, from files of arrays or from tables with a row for each point."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ._arrays import Arrays
from ._formats import opened
from ._labelled import Labelled
from ._paths import Paths, files_of
from ._rows import rows_of
from ._times import times_of


@dataclass(frozen=True, eq=False)
class Gridded:
    """What was read.

    Fields: `axes`, one array each; `samples`, of solutions (S, m, N_1, .., N_p); `units` of axes and functions, ""
    where the file has none.
    """

    axes: tuple[np.ndarray, ...]
    samples: np.ndarray
    units: tuple[str, ...] = ()


def read_gridded(
    path: Paths,
    axes: Sequence[str],
    functions: Sequence[str],
    delimiter: str = ",",
    *,
    decimal: str = ".",
    missing: str = "refuse",
    label: str | None = None,
) -> Gridded:
    """Axes and functions from a file, or from several on one grid.

    HDF5 files and archives (.npz) hold an array of each name: axes (N_i,), functions (N_1, .., N_p), or
    (S, N_1, .., N_p) of several solutions. A single one may also be (S, m, N_1, .., N_p), m functions. In NetCDF and
    Zarr the dimensions have names, and may come in any order; one that is no axis counts solutions. Any other file is a
    table with a row for each point of the grid, in any order. Several files hold solutions of their own.

    Arguments:
        path: the file, a pattern, or a list of these, as in `rows`.
        axes, functions: names of arrays or columns.
        delimiter, decimal, missing: as `rows`; missing values on a grid are always refused.
        label: a column with one value for each solution; default None: each file has one. Arrays have none.
    Returns: Gridded.
    Raises:
        OSError: no such file, a folder, no permission. ModuleNotFoundError: as `rows`. ValueError: as `rows`; a file
            without one of the arrays, or with arrays of another shape; files of different grids; a table without a row
            for a point, or with two.
    """
    sources = [opened(file, delimiter, decimal) for file in files_of(path)]
    grids = [source for source in sources if isinstance(source, Arrays | Labelled)]
    if not grids:
        table = rows_of(sources, [*axes, *functions], missing, None, label).gather()
        places = tuple(np.unique(table.values[:, i]) for i in range(len(axes)))
        parts = [_placed(part, places, axes, name) for name, (_, part) in table.trajectories().items()]
        return Gridded(places, np.stack(parts), table.units)
    if len(grids) < len(sources):
        raise ValueError(f"file: '{grids[0].path}' holds arrays on a grid, but not all of the files do: give one kind.")
    if label is not None:
        raise ValueError("label: an archive has no column of solutions; its arrays have them as the first axis.")
    read = [_on_grid(source, axes, functions) for source in grids]
    for source, other in zip(grids, read, strict=True):
        for name, mine, its in zip(axes, read[0].axes, other.axes, strict=True):
            if not np.array_equal(mine, its):
                raise ValueError(
                    f"file: '{grids[0].path}' and '{source.path}' have different values of '{name}': solutions are"
                    " taken together on one grid only."
                )
        if other.samples.shape[1] != read[0].samples.shape[1]:
            raise ValueError(f"file: '{grids[0].path}' and '{source.path}' have different numbers of functions.")
        if other.units != read[0].units:
            raise ValueError(f"file: '{grids[0].path}' and '{source.path}' have different units.")
    return replace(read[0], samples=np.concatenate([one.samples for one in read]))


def _on_grid(source: Arrays | Labelled, axes: Sequence[str], functions: Sequence[str]) -> Gridded:
    arrays = source.whole([*axes, *functions])
    found = _of_arrays(source.path, arrays | {name: _axis(arrays[name], name) for name in axes}, axes, functions)
    for k, name in enumerate(functions if found.samples.shape[1] == len(functions) else ()):
        gaps = np.isnan(found.samples[:, k])
        if gaps.any():
            index = [int(k) for k in np.unravel_index(int(np.argmax(gaps)), gaps.shape)[1:]]
            raise ValueError(
                f"file: '{name}' of '{source.path}' has no value at {_place(index, found.axes, axes)}, and at"
                f" {gaps.sum()} of {gaps.size} points in all. Derivatives need all of them: choose a part without gaps,"
                " or fill them."
            )
    return replace(found, units=tuple(source.units[name] for name in (*axes, *functions)))


def _axis(values: np.ndarray, name: str) -> np.ndarray:
    """Numbers; stamps as seconds since the first."""
    return (
        values if values.dtype.kind in "fiu" or not values.size else times_of(values, name, lambda k: f"'{name}'", ".")
    )


def _of_arrays(path: Path, arrays: Mapping[str, np.ndarray], axes: Sequence[str], functions: Sequence[str]) -> Gridded:
    grids = tuple(arrays[name] for name in axes)
    shape = tuple(len(axis) if axis.ndim == 1 else axis.shape for axis in grids)
    read = []
    for name in functions:
        values = arrays[name]
        if values.dtype.kind not in "fiu":
            raise ValueError(f"file: '{name}' of '{path}' has dtype {values.dtype}, and no real numbers.")
        if len(functions) == 1 and values.ndim == len(shape) + 2 and values.shape[2:] == shape:
            return Gridded(grids, values)
        if values.shape[values.ndim - len(shape) :] != shape or values.ndim not in (len(shape), len(shape) + 1):
            raise ValueError(
                f"file: '{path}': the array '{name}' has shape {values.shape}, but the axes {', '.join(axes)} have"
                f" {shape} samples. Give it as {shape}, or with solutions before these."
            )
        read.append(values.reshape(-1, *shape))
    if len({len(values) for values in read}) > 1:
        raise ValueError(f"file: '{path}': {', '.join(functions)} have different numbers of solutions.")
    return Gridded(grids, np.stack(read, axis=1))


def _place(index: Sequence[int], grids: Sequence[np.ndarray], axes: Sequence[str]) -> str:
    return ", ".join(f"{axis}={grid[k]:g}" for axis, grid, k in zip(axes, grids, index, strict=True))


def _placed(rows: np.ndarray, grids: Sequence[np.ndarray], axes: Sequence[str], name: str) -> np.ndarray:
    """One solution, (m, *grid), each row in its place."""
    shape = tuple(len(axis) for axis in grids)
    where = np.ravel_multi_index([np.searchsorted(axis, rows[:, i]) for i, axis in enumerate(grids)], shape)
    count = np.bincount(where, minlength=int(np.prod(shape)))
    of = f", solution {name}" if name else ""
    for wrong, words in ((count == 0, "no row"), (count > 1, "more than one row")):
        if wrong.any():
            index = [int(k) for k in np.unravel_index(int(np.argmax(wrong)), shape)]
            raise ValueError(
                f"file: the table{of} has {words} for {_place(index, grids, axes)}, and for"
                f" {wrong.sum()} of {len(count)} points of the grid in all. Derivatives need one row for each point."
            )
    out = np.empty((rows.shape[1] - len(axes), len(count)))
    out[:, where] = rows[:, len(axes) :].T
    return out.reshape(-1, *shape)
