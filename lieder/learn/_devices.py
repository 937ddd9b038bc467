"""Training on the devices that hold the data: each has a copy of the parameters and does its part of every batch."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec
from jaxtyping import Array, Float

from ..interop import all_of, check_alike, exchanged, is_sharded, of_the_first, told, version_mark

T = TypeVar("T")
Tree = TypeVar("Tree")


def split_over(data: Any, batch: int, asked: Mapping[str, Any]) -> NamedSharding | None:
    """How batches are split where the data lie on several devices: by rows, over those devices.

    Arguments: `data`, as a user gave them; `batch`, rows in a batch; `asked`, by name what processes must agree on.
    Returns: None for data that lie in one place.
    Raises: ValueError where the devices do not divide the batch, for data over some of the processes of a job, and for
        processes that do not ask the same.
    """
    if not is_sharded(data):
        return None
    devices = sorted(data.sharding.device_set, key=lambda device: device.id)
    if not data.is_fully_addressable:
        holding = len({device.process_index for device in devices})
        if holding < jax.process_count():
            raise ValueError(
                f"data are spread over {holding} of the {jax.process_count()} processes of this job, and all train"
                " together. Spread them over the devices of all, a mesh of jax.devices()."
            )
        check_same(version_mark() | {name: told(value) for name, value in asked.items()})
    if batch % len(devices):
        raise ValueError(
            f"batch: {batch} rows do not split over the {len(devices)} devices of the data. Give a multiple of"
            f" {len(devices)}."
        )
    return NamedSharding(Mesh(np.array(devices), ("rows",)), PartitionSpec("rows"))


def whole(data: Any) -> Any:
    """Data with all their rows in this process, wherever they lie: a batch takes them from anywhere."""
    return all_of(data) if is_sharded(data) else data


def is_joint(split: NamedSharding | None) -> bool:
    """Whether several processes train together."""
    return split is not None and not split.is_fully_addressable


def check_same(asked: Mapping[str, str]) -> None:
    """A ValueError in all processes that train together where they do not ask the same."""
    check_alike(exchanged(dict(asked)))


def agreed(work: Callable[[], T], split: NamedSharding | None) -> T:
    """What is made once for all that train together: by process 0, of plain data that travel."""
    return of_the_first(work) if is_joint(split) else work()


def copied(tree: Tree, split: NamedSharding | None) -> Tree:
    """A tree of arrays with a copy on each of the devices; each process copies its own, which are the same in all."""
    if split is None:
        return tree
    everywhere = NamedSharding(split.mesh, PartitionSpec())
    if not is_joint(split):
        return jax.tree.map(lambda leaf: jax.device_put(leaf, everywhere), tree)

    def one(leaf):
        here = np.asarray(leaf)
        return jax.make_array_from_callback(here.shape, everywhere, lambda index: here[index], dtype=here.dtype)

    return jax.tree.map(one, tree)


def parted(batch: Float[Array, "b *shape"], split: NamedSharding | None) -> Float[Array, "b *shape"]:
    """A batch inside a program, a part of its rows on each of the devices: sums over it are then made across them."""
    return batch if split is None else jax.lax.with_sharding_constraint(batch, split)


def fetched(tree: Tree, split: NamedSharding | None) -> Tree:
    """What training left, on one device again."""
    return tree if split is None else jax.tree.map(lambda leaf: jax.numpy.asarray(np.asarray(leaf)), tree)
