"""Functions sampled on a grid, from an archive of arrays or from a table with a row for each point."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ._csv import check_is_file, read_csv


@dataclass(frozen=True, eq=False)
class Gridded:
    """What was read.

    Fields: `axes`, one array each; `samples`, of solutions (S, m, N_1, .., N_p).
    """

    axes: tuple[np.ndarray, ...]
    samples: np.ndarray


def read_gridded(
    path: str | os.PathLike[str],
    axes: Sequence[str],
    functions: Sequence[str],
    delimiter: str = ",",
    *,
    decimal: str = ".",
    missing: str = "refuse",
    label: str | None = None,
) -> Gridded:
    """Axes and functions from a file.

    An archive (.npz) holds an array of each name: axes (N_i,), functions (N_1, .., N_p), or (S, N_1, .., N_p) of
    several solutions. A single one may also be (S, m, N_1, .., N_p), m functions. Any other file is delimited text with
    a row for each point of the grid, in any order.

    Arguments:
        path: the file.
        axes, functions: names of arrays or columns.
        delimiter, decimal, missing: as `read_csv`.
        label: a column with one value for each solution; default None: there is one. Archives have none.
    Returns: Gridded.
    Raises:
        OSError: no such file, a folder, no permission. ValueError: as `read_csv`; an archive that is none, without one
            of the arrays, or with arrays of another shape; a table without a row for a point, or with two.
    """
    path = Path(path)
    check_is_file(path)
    if path.suffix.lower() == ".npz":
        if label is not None:
            raise ValueError("label: an archive has no column of solutions; its arrays have them as the first axis.")
        return _from_archive(path, axes, functions)
    table = read_csv(path, [*axes, *functions], delimiter, decimal=decimal, missing=missing, label=label)
    parts = {name: values for name, (_, values) in table.trajectories().items()}
    grids = [np.unique(table.values[:, i]) for i in range(len(axes))]
    return Gridded(tuple(grids), np.stack([_placed(part, grids, axes, name) for name, part in parts.items()]))


def _from_archive(path: Path, axes: Sequence[str], functions: Sequence[str]) -> Gridded:
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except Exception as fault:  # a wrong file fails in many ways, and all mean this
        raise ValueError(f"file: '{path}' is no archive of plain arrays (.npz): {fault}.") from None
    for name in (*axes, *functions):
        if name not in arrays:
            raise ValueError(f"file: '{path}' holds no array '{name}', but {', '.join(arrays) or 'none'}.")
    grids = tuple(arrays[name] for name in axes)
    shape = tuple(len(axis) if axis.ndim == 1 else axis.shape for axis in grids)
    read = []
    for name in functions:
        values = arrays[name]
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


def _placed(rows: np.ndarray, grids: Sequence[np.ndarray], axes: Sequence[str], name: str) -> np.ndarray:
    """One solution, (m, *grid), each row in its place."""
    shape = tuple(len(axis) for axis in grids)
    where = np.ravel_multi_index([np.searchsorted(axis, rows[:, i]) for i, axis in enumerate(grids)], shape)
    count = np.bincount(where, minlength=int(np.prod(shape)))
    of = f", solution {name}" if name else ""
    for wrong, words in ((count == 0, "no row"), (count > 1, "more than one row")):
        if wrong.any():
            index = np.unravel_index(int(np.argmax(wrong)), shape)
            place = ", ".join(f"{axis}={grid[k]:g}" for axis, grid, k in zip(axes, grids, index, strict=True))
            raise ValueError(
                f"file: the table{of} has {words} for {place}, and for {wrong.sum()} of {len(count)} points of the grid"
                " in all. Derivatives need one row for each point."
            )
    out = np.empty((rows.shape[1] - len(axes), len(count)))
    out[:, where] = rows[:, len(axes) :].T
    return out.reshape(-1, *shape)
