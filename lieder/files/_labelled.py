"""Variables on named dimensions: NetCDF and Zarr, by xarray."""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from ..late import xarray
from ._names import check_names, unreadable
from ._paths import check_exists
from ._pieces import Piece, Wanted, piece_of, rows_at_once


class Labelled:
    """A data set of variables, those of the same dimensions being columns of a table.

    Where one has several dimensions there is a row for each combination of their places, the last dimension running
    fastest, and variables with fewer dimensions, coordinates say, are repeated. Packed numbers (scale_factor,
    add_offset) are unpacked, and fill values are gaps.
    """

    counted, decimal = "row", "."

    def __init__(self, path: Path, kind: str, engines: tuple[str, ...]):
        check_exists(path)
        self.path, self._kind, self._engines = path, kind, engines
        with self.opened() as found:
            self.names = [str(name) for name in found.variables]
            self._dims = {str(name): tuple(map(str, one.dims)) for name, one in found.variables.items()}
            self._sizes = {str(name): int(size) for name, size in found.sizes.items()}
            self.units = {str(name): _unit(one) for name, one in found.variables.items()}

    def opened(self) -> Any:
        """The xarray.Dataset, of which nothing is read yet."""
        faults: list[Exception] = []
        # Where times cannot be decoded (calendars of models need another package) they are numbers of their unit.
        for engine, decoded in product(self._engines, (True, False)):
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")  # of how a store could be opened more quickly
                    return xarray.open_dataset(
                        self.path,
                        engine=engine,
                        chunks=None,
                        cache=False,
                        decode_times=decoded,
                        decode_timedelta=False,
                        mask_and_scale=True,
                    )
            except Exception as fault:  # a wrong file fails in many ways, and all mean this
                if "dimension" in str(fault) and "metadata" in str(fault):
                    raise ValueError(
                        f"file: the arrays of '{self.path}' have no names of dimensions, so that nothing says which"
                        " belong to one table. Write it by xarray, or as HDF5."
                    ) from None
                faults.append(fault)
        raise unreadable(self.path, self._kind, faults[0]) from None

    def check(self, columns: Sequence[str]) -> None:
        """Nothing, when all these variables are there, and one of them has the dimensions of all."""
        if not self.names:
            raise ValueError(
                f"columns: '{self.path}' has no variables outside groups. Named .h5 it is read as HDF5, where columns"
                " are called 'group/x'."
            )
        check_names(self.path, columns, self.names)
        if not columns:
            return
        widest = max(columns, key=lambda name: len(self._dims[name]))
        for column in columns:
            if not set(self._dims[column]) <= set(self._dims[widest]):
                raise ValueError(
                    f"columns: '{self.path}' has '{widest}' on ({', '.join(self._dims[widest])}) and '{column}' on"
                    f" ({', '.join(self._dims[column])}): they share no rows. Columns of one table need dimensions of"
                    " which one column has all."
                )
        if not self._dims[widest]:
            raise ValueError(f"columns: {', '.join(columns)} of '{self.path}' are single numbers, no columns.")

    def unit(self, column: str) -> str:
        """The attribute `units` of the variable; of times, which become seconds, none."""
        return self.units[column]

    def pieces(self, wanted: Wanted) -> Iterator[Piece]:
        """The rows, some at a time."""
        self.check((*wanted.every, *wanted.beside))
        dims = max((self._dims[name] for name in (*wanted.every, *wanted.beside)), key=len)
        sizes = {dim: self._sizes[dim] for dim in dims}
        first = 0
        with self.opened() as found:
            for places in _blocks(sizes, rows_at_once(len(wanted.every))):
                shape = {dim: places[dim].stop - places[dim].start for dim in dims}
                try:
                    raw = {name: _flat(found.variables[name], places, shape) for name in wanted.every}
                except Exception as fault:
                    raise unreadable(self.path, self._kind, fault) from None
                yield piece_of(self.path, first, wanted, raw)
                first += int(np.prod(list(shape.values())))

    def whole(self, names: Sequence[str]) -> dict[str, np.ndarray]:
        """Variables, those of one dimension first, on whose dimensions, in this order, the others then are.

        Raises: ValueError for one that is not there.
        """
        for name in names:
            if name not in self.names:
                raise ValueError(f"file: '{self.path}' holds no variable '{name}', but {', '.join(self.names)}.")
        axes = [self._dims[name][0] for name in names if len(self._dims[name]) == 1]
        with self.opened() as found:
            out = {}
            for name in names:
                others = [dim for dim in self._dims[name] if dim not in axes]
                variable = found.variables[name].transpose(*others, *(dim for dim in axes if dim in self._dims[name]))
                alone = [dim for dim in others if self._sizes[dim] == 1]  # one level, one member of an ensemble
                out[name] = np.asarray(variable.squeeze(alone).values)
            return out


def netcdf_file(path: Path) -> Labelled:
    """A NetCDF file, of version 4 or 3."""
    return Labelled(path, "NetCDF", ("h5netcdf", "scipy"))


def zarr_store(path: Path) -> Labelled:
    """A Zarr store."""
    return Labelled(path, "Zarr", ("zarr",))


def _blocks(sizes: Mapping[str, int], most: int) -> Iterator[dict[str, slice]]:
    """Boxes of at most so many places where they can be, in the order of rows."""
    dim, *rest = sizes
    inner = int(np.prod([sizes[other] for other in rest]))
    if inner > most and rest:
        for k in range(sizes[dim]):
            for places in _blocks({other: sizes[other] for other in rest}, most):
                yield {dim: slice(k, k + 1), **places}
        return
    step = max(1, most // max(inner, 1))
    for k in range(0, sizes[dim], step):
        yield {dim: slice(k, min(k + step, sizes[dim])), **{other: slice(0, sizes[other]) for other in rest}}


def _flat(variable: Any, places: dict[str, slice], shape: dict[str, int]) -> np.ndarray:
    """The variable's values in a box, one a row."""
    chosen = variable.isel({dim: places[dim] for dim in variable.dims})
    return np.asarray(chosen.set_dims(shape).values).reshape(-1)


def _unit(variable: Any) -> str:
    return str(variable.attrs.get("units", variable.attrs.get("unit", "")))
