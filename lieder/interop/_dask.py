"""Dask collections, chunk by chunk."""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Shaped

from ._foreign import ancestors


def is_dask(obj) -> bool:
    """Whether an object is a Dask array or data frame.

    Returns: True for collections of Dask; Dask is not imported for it.
    """
    return any(module.split(".")[0] in {"dask", "dask_expr"} for module, _ in ancestors(obj))


def batches(collection) -> Iterator[Shaped[np.ndarray, "rows *columns"]]:
    """The rows of a Dask collection, one chunk in memory at a time.

    Arguments: `collection`, a Dask array (chunked along its rows; several chunks side by side are joined) or a Dask
    data frame or series.
    Returns: an iterator of NumPy arrays, in the order of the rows; empty chunks are left out.
    Raises: TypeError when it is neither.
    """
    chunks = getattr(
        collection, "blocks" if ("dask.array.core", "Array") in ancestors(collection) else "partitions", None
    )
    if not is_dask(collection) or chunks is None:
        raise TypeError(f"collection: expected a Dask array or data frame, got {type(collection).__name__}.")
    count = collection.numblocks[0] if ("dask.array.core", "Array") in ancestors(collection) else collection.npartitions
    return _computed(chunks, count)


def _computed(chunks, count: int) -> Iterator[np.ndarray]:
    for i in range(count):
        chunk = np.asarray(chunks[i].compute())
        if len(chunk):
            yield chunk
