"""JAX arrays spread over devices and processes: each process works on the shards that it holds, on their devices."""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial, reduce
from typing import Any, TypeVar

import jax
import numpy as np

from ..sampling import Pieces, Sample, Stream, sampled, spread, table
from ._together import check_alike, exchanged, merged

T = TypeVar("T")
HEAD = 1024  # rows, from all over the array, that are looked at beforehand


def is_sharded(obj) -> bool:
    """Whether an object is a JAX array that is spread over several devices, or over processes.

    Returns: True for such an array, also where each device has all of it.
    """
    return isinstance(obj, jax.Array) and len(obj.sharding.device_set) > 1


def sharded_rows(
    array: jax.Array,
    argument: str = "x",
    names: list[str] | tuple[str, ...] | None = None,
    asked: Mapping[str, str] | None = None,
) -> Stream:
    """The rows of a JAX array that is spread over devices, to be worked on where they are.

    Arguments: `array` (N, n), its rows over any axes of a mesh, of one copy or several; `argument`, what the caller
        calls it; `names` of the columns; `asked`, by name, on what processes that hold some of it must agree.
    Returns: a stream; its `start` needs all rows in this process.
    Raises: ValueError for columns that lie on different devices, and naming what processes do not agree on; else as
        `stream`.
    """
    if array.ndim not in (1, 2):
        raise ValueError(f"{argument} must be N rows of n columns, got a JAX array of shape {array.shape}.")
    if array.ndim == 2 and any(index[1] != slice(None) for index in _places(array)):
        raise ValueError(
            f"{argument} is spread over devices along its columns, {array.sharding}, and a model needs whole rows."
            f" Spread the rows alone: jax.device_put({argument}, jax.NamedSharding(mesh, jax.P(axis, None)))."
        )
    pieces = ShardedPieces(array, argument)
    kept = pieces.each(partial(sampled, HEAD), Sample.merge, asked=asked)
    head = table(kept.columns[0], argument, names)
    return spread(pieces, head, array.shape[0], argument)


def at_hand(model: T, argument: str = "model") -> T:
    """A model whose parameters are copied to all devices of a mesh, with one copy of them, which any device can use.

    Arguments: `model`, a tree of arrays and whatever else; `argument`, what the caller calls it.
    Returns: the model; the object itself where no parameter is on several devices.
    Raises: ValueError for parameters that are spread over devices in parts.
    """
    if not any(is_sharded(leaf) for leaf in jax.tree.leaves(model)):
        return model

    def one(leaf):
        if not is_sharded(leaf):
            return leaf
        if not leaf.is_fully_replicated:
            raise ValueError(
                f"{argument} has a parameter of shape {leaf.shape} that is spread over devices in parts, and every"
                " device needs all of it: put a copy on each, jax.device_put(model, jax.NamedSharding(mesh, jax.P()))."
            )
        return jax.numpy.asarray(np.asarray(leaf.addressable_data(0)))

    return jax.tree.map(one, model)


class ShardedPieces:
    """See `lieder.sampling.Pieces`.

    Fields: `array`; `argument`, what the caller calls it.
    """

    def __init__(self, array: jax.Array, argument: str):
        self.array, self.argument = array, argument

    @property
    def largest(self) -> int:
        return max(len(range(*index[0].indices(self.array.shape[0]))) for index in _places(self.array))

    def here(self) -> Iterator[np.ndarray]:
        """The rows, shard after shard, where this process holds them all."""
        if not self.array.is_fully_addressable:
            raise ValueError(
                f"{self.argument} is spread over {jax.process_count()} processes, and this needs all rows in one place:"
                f" give jax.experimental.multihost_utils.process_allgather({self.argument}, tiled=True) if it fits."
            )
        for _, data in self._shards():
            yield self._rows(data)

    def each(
        self,
        work: Callable[..., T],
        merge: Callable[[T, T], T],
        *beside: Pieces | np.ndarray | None,
        asked: Mapping[str, str] | None = None,
    ) -> T:
        if self.array.is_fully_addressable:
            return reduce(merge, self._worked(work, beside))
        check_alike(exchanged(dict(asked or {})))
        try:
            kept = self._worked(work, beside)
            mine: Any = reduce(merge, kept) if kept else None
        except Exception as error:  # the other processes wait for this one: they are told, and raise it, too
            mine = error
        return merged(mine, merge)

    def _worked(self, work: Callable, beside: tuple[Pieces | np.ndarray | None, ...]) -> list:
        """What comes of the shards of this process, in their order: devices work side by side."""
        others = [self._beside(other) for other in beside]

        def one(start: int, data: jax.Array):
            rows = self._rows(data)
            with jax.default_device(next(iter(data.devices()))):
                return work(rows, start, *(of(start, len(rows)) for of in others))

        shards = self._shards()
        if not shards:
            return []
        with ThreadPoolExecutor(len(self.array.sharding.addressable_devices)) as devices:
            return list(devices.map(lambda shard: one(*shard), shards))

    def _beside(self, other: Pieces | np.ndarray | None) -> Callable[[int, int], np.ndarray | None]:
        """The same rows of another table, from the number of the first and how many they are."""
        if other is None:
            return lambda start, count: None
        if isinstance(other, np.ndarray):
            return lambda start, count: other[start : start + count]
        if not isinstance(other, ShardedPieces) or _cuts(self.array) != _cuts(other.array):
            named = other.argument if isinstance(other, ShardedPieces) else "what stands beside it"
            raise ValueError(
                f"{named} does not lie on the devices as {self.argument} does, {self.array.sharding}: put the same rows"
                " of both on each device, jax.device_put with one sharding of rows."
            )
        found = dict(other._shards())
        return lambda start, count: other._rows(found[start])

    def _shards(self) -> list[tuple[int, jax.Array]]:
        """The number of the first row and the data of the shards of this process, one of several copies."""
        shards = [shard for shard in self.array.addressable_shards if shard.replica_id == 0 and shard.data.size]
        return sorted(((shard.index[0].start or 0, shard.data) for shard in shards), key=lambda pair: pair[0])

    def _rows(self, data: jax.Array) -> np.ndarray:
        return table(data, self.argument).values


def _places(array: jax.Array) -> list[tuple[slice, ...]]:
    """Which rows, and columns, each device has."""
    return list(array.sharding.devices_indices_map(array.shape).values())


def _cuts(array: jax.Array) -> dict:
    """Which rows each device has."""
    places = array.sharding.devices_indices_map(array.shape)
    return {device: index[0].indices(array.shape[0])[:2] for device, index in places.items()}
