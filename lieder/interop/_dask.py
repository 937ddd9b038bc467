"""Dask collections: one task a block of rows, on the workers; what is kept of blocks is merged in a tree."""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache, reduce
from typing import Any, NamedTuple, TypeVar

import numpy as np

from ..sampling import Pieces, Stream, spread, table
from ._foreign import ancestors

T = TypeVar("T")
AT_ONCE = 4  # parts that one task merges: a fifth fewer tasks than in pairs, and each costs the scheduler time
HEAD = 1024  # rows of the first block that are looked at beforehand


def is_dask(obj) -> bool:
    """Whether an object is a Dask array or data frame.

    Returns: True for collections of Dask; Dask is not imported for it.
    """
    return any(module.split(".")[0] in {"dask", "dask_expr"} for module, _ in ancestors(obj))


def dask_rows(collection, argument: str = "x", names: list[str] | tuple[str, ...] | None = None) -> Stream:
    """The rows of a Dask collection, to be read block by block here or worked on where they are.

    Where the lengths of blocks are not known, as those of a data frame, they are counted first: blocks are then
    computed twice, unless the collection is persisted.

    Arguments: `collection`, a Dask array (several chunks side by side are joined), data frame or series; `argument`,
        what the caller calls it; `names` of the columns, default those of a frame.
    Returns: a stream of blocks that hold rows, in order.
    Raises: TypeError when it is neither; ValueError as `stream` for its first rows, and when there are none.
    """
    blocks = _row_blocks(collection, argument)
    known = np.asarray(collection.chunks[0], float) if _is_array(collection) else np.full(len(blocks), np.nan)
    return _of_blocks(blocks, None if np.isnan(known).any() else known.astype(int).tolist(), argument, names)


def tables_on_workers(
    tables: Sequence[Iterable[np.ndarray]], sides: Sequence[tuple[str, Sequence[str]]]
) -> list[Stream]:
    """The rows of tables that workers of Dask read themselves, a task a table, and once: they keep what they have read.

    Arguments: `tables`, iterables of batches (B, n) that can be pickled, such as the rows of a file; `sides`, into
        which the columns fall, in their order: what the caller calls each, and the names of its columns.
    Returns: for each side a stream of its columns of the tables that hold rows, in order.
    Raises: as `dask_rows`.
    """
    from dask.base import compute, persist
    from dask.delayed import delayed

    read, cut = delayed(_read, pure=False), delayed(_cut, pure=False)
    blocks = persist(*(read(table) for table in tables))
    counts = compute([delayed(len)(block) for block in blocks])[0]
    streams, first = [], 0
    for argument, names in sides:
        last = first + len(names)
        columns = [cut(block, first, last) for block in blocks]
        streams.append(_of_blocks(columns, counts, argument, list(names)))
        first = last
    return streams


def _of_blocks(blocks: list[Any], lengths: list[int] | None, argument: str, names) -> Stream:
    """A stream of delayed blocks; their lengths are counted where they are not known."""
    from dask.base import compute
    from dask.delayed import delayed

    counts = compute([delayed(len)(block) for block in blocks])[0] if lengths is None else lengths
    filled = [(block, int(count)) for block, count in zip(blocks, counts, strict=True) if count]
    if not filled:
        raise ValueError(f"{argument} is empty: no block of it holds a row.")
    first = delayed(_first)(filled[0][0], HEAD).compute()
    own, head = table(first, argument), table(first, argument, names)
    starts = np.cumsum([0, *(count for _, count in filled)])
    pieces = DaskPieces([block for block, _ in filled], starts, argument, own.names, head.values.dtype)
    return spread(pieces, head, int(starts[-1]), argument)


@contextmanager
def cluster(workers: int | None = None, address: str | None = None) -> Iterator[None]:
    """Workers of Dask on which what follows is done: so many processes on this machine, or those of a scheduler.

    Arguments: `workers`, at least 1, each of one thread; or `address` of a scheduler that runs, "tcp://host:8786".
    Raises: ModuleNotFoundError where Dask's scheduler is not installed; OSError within ten seconds where nothing
        answers at the address.
    """
    try:
        from distributed import Client, LocalCluster
    except ModuleNotFoundError:
        raise ModuleNotFoundError(
            "workers are those of Dask, which is not installed: pip install 'lieder[dask]'."
        ) from None
    if address is not None:
        with Client(address, timeout=10):
            yield
        return
    logging.getLogger("distributed").setLevel(logging.ERROR)  # of workers that end with their work
    with LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=":0") as local, Client(local):
        yield


class DaskPieces:
    """See `lieder.sampling.Pieces`.

    Fields: `blocks`, delayed; `starts` (blocks + 1,), the number of the first row of each and of all; `argument`,
    `names`, the blocks' own, and `dtype` of the rows.
    """

    def __init__(self, blocks: list[Any], starts: np.ndarray, argument: str, names: tuple[str, ...], dtype: np.dtype):
        self.blocks, self.starts = blocks, starts
        self.argument, self.names, self.dtype = argument, names, dtype

    @property
    def largest(self) -> int:
        return int(np.diff(self.starts).max())

    def here(self) -> Iterator[np.ndarray]:
        """The rows, one block in the memory of this process at a time."""
        for block in self.blocks:
            yield self._form.numbers(block.compute())

    def each(
        self,
        work: Callable[..., T],
        merge: Callable[[T, T], T],
        *beside: Pieces | np.ndarray | None,
        asked: Mapping[str, str] | None = None,
    ) -> T:
        import cloudpickle
        from dask.delayed import delayed

        # As bytes, which each worker opens once: one object, and so one compilation, for all of its tasks.
        packed = delayed(cloudpickle.dumps((work, merge)), pure=True)
        worked, merged = delayed(_worked, pure=False), delayed(_merged, pure=False)
        others = [self._beside(one) for one in beside]
        forms = [self._form, *(one._form if isinstance(one, DaskPieces) else None for one in beside)]
        rows = zip(self.starts, self.blocks, *others, strict=False)
        kept = [worked(packed, forms, int(start), *blocks) for start, *blocks in rows]
        while len(kept) > 1:
            kept = [merged(packed, *kept[k : k + AT_ONCE]) for k in range(0, len(kept), AT_ONCE)]
        return kept[0].compute()

    @property
    def _form(self) -> "_Form":
        return _Form(self.argument, self.names, self.dtype)

    def _beside(self, other: Pieces | np.ndarray | None) -> list[Any]:
        """The same rows of another table, block by block."""
        if other is None:
            return [None] * len(self.blocks)
        if isinstance(other, DaskPieces):
            if not np.array_equal(self.starts, other.starts):
                lengths = tuple(np.diff(self.starts).tolist())
                raise ValueError(
                    f"{other.argument} is cut into {len(other.blocks)} blocks and {self.argument} into"
                    f" {len(self.blocks)}, or at other rows: rechunk, {other.argument} ="
                    f" {other.argument}.rechunk({{0: {lengths if len(lengths) < 8 else '...'}}})."
                )
            return other.blocks
        if isinstance(other, np.ndarray):
            return [other[start:stop] for start, stop in zip(self.starts[:-1], self.starts[1:], strict=True)]
        raise ValueError(f"what stands beside {self.argument} must be a Dask collection, too, or one array.")


def _is_array(collection) -> bool:
    return ("dask.array.core", "Array") in ancestors(collection)


def _row_blocks(collection, argument: str) -> list[Any]:
    """Delayed blocks of whole rows."""
    if _is_array(collection):
        if collection.ndim not in (1, 2):
            raise ValueError(f"{argument} must be N rows of n columns, got a Dask array of shape {collection.shape}.")
        if collection.ndim == 2 and collection.numblocks[1] > 1:
            collection = collection.rechunk({1: -1})
        return collection.to_delayed().ravel().tolist()
    if not any("dataframe" in module or module.startswith("dask_expr") for module, _ in ancestors(collection)):
        raise TypeError(f"{argument}: expected a Dask array or data frame, got {type(collection).__name__}.")
    return collection.to_delayed()


def _read(batches: Iterable[np.ndarray]) -> np.ndarray:
    held = list(batches)
    return np.concatenate(held) if held else np.zeros((0, 1))


def _cut(rows: np.ndarray, first: int, last: int) -> np.ndarray:
    return rows[:, first:last]


def _first(block, rows: int):
    return block[:rows]


@lru_cache(maxsize=8)
def _opened(packed: bytes) -> tuple:
    import cloudpickle

    return cloudpickle.loads(packed)


class _Form(NamedTuple):
    """What blocks of one table have in common: what it is called, the names of its columns, its dtype."""

    argument: str
    names: tuple[str, ...]
    dtype: np.dtype

    def numbers(self, block) -> np.ndarray:
        """A block as rows of numbers."""
        argument, names, dtype = self
        found = table(block, argument)
        if found.names != names:
            told, first = ", ".join(found.names), ", ".join(names)
            raise ValueError(f"{argument}: a block has columns {told}, the first had {first}.")
        return found.values.astype(dtype, copy=False)


def _worked(packed: bytes, forms: list[_Form | None], start: int, *blocks):
    rows, *beside = (block if form is None else form.numbers(block) for form, block in zip(forms, blocks, strict=True))
    return _opened(packed)[0](rows, start, *beside)


def _merged(packed: bytes, *kept):
    return reduce(_opened(packed)[1], kept)
