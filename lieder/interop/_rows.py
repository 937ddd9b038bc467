"""Rows from whatever a user hands over: the type of the data says where the work is done."""

from ..sampling import Stream, stream
from ._dask import dask_rows, is_dask
from ._sharded import is_sharded, sharded_rows


def is_spread(data) -> bool:
    """Whether data lie in pieces.

    Returns: True for a Dask collection and for a JAX array over several devices; neither is computed or moved for it.
    """
    return is_dask(data) or is_sharded(data)


def rows_of(data, argument: str = "x", names: list[str] | tuple[str, ...] | None = None) -> Stream:
    """A stream of rows; of those that are spread over devices, processes or a cluster it knows where they are.

    Arguments: `data`, what `lieder.sampling.stream` takes, a Dask collection, or a JAX array over several devices;
        `argument`, what the caller calls it, for messages; `names` of the columns.
    Returns: Stream.
    Raises: as `lieder.sampling.stream`.
    """
    if is_dask(data):
        return dask_rows(data, argument, names)
    if is_sharded(data):
        return sharded_rows(data, argument, names)
    return stream(data, argument, names)
