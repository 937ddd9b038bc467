"""Rows from whatever a user hands over: the type of the data says where the work is done."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..files import Columns
from ..sampling import Stream, Table, gather, stream
from ._dask import dask_rows, is_dask
from ._sharded import is_sharded, sharded_rows


def is_spread(data) -> bool:
    """Whether data lie in pieces.

    Returns: True for a Dask collection and for a JAX array over several devices; neither is computed or moved for it.
    """
    return is_dask(data) or is_sharded(data)


def rows_of(
    data,
    argument: str = "x",
    names: list[str] | tuple[str, ...] | None = None,
    asked: Mapping[str, str] | None = None,
) -> Stream:
    """A stream of rows; of those that are spread over devices, processes or a cluster it knows where they are.

    Arguments: `data`, what `lieder.sampling.stream` takes, what `lieder.files.Rows.gather` returns, a Dask collection,
        or a JAX array over several devices; `argument`, what the caller calls it, for messages; `names` of the columns;
        `asked`, by name, on what several processes that hold some of the rows must agree.
    Returns: Stream.
    Raises: as `lieder.sampling.stream`; ValueError naming what processes do not agree on.
    """
    if is_dask(data):
        return dask_rows(data, argument, names)
    if is_sharded(data):
        return sharded_rows(data, argument, names, asked)
    if isinstance(data, Columns):
        data = Table(data.values, data.names)
    return stream(data, argument, names)


def collected(data, argument: str = "x") -> Any:
    """Data that lie in pieces, in the memory of this process, for what needs all of them at once.

    Arguments: `data`, for which `is_spread`, of any number of dimensions; `argument`, what the caller calls it.
    Returns: an array or a data frame.
    Raises: ValueError where other processes hold some, and they are more than 32,768 rows.
    """
    if is_dask(data):
        return data.compute()
    if data.is_fully_addressable:
        return np.asarray(data)
    return gather(sharded_rows(data, argument)).values.reshape(data.shape)
