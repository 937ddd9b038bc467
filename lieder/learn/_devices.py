"""Training on the devices that hold the data: each has a copy of the parameters and does its part of every batch."""

from typing import Any, TypeVar

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec
from jaxtyping import Array, Float

from ..interop import is_sharded

Tree = TypeVar("Tree")


def split_over(data: Any, batch: int) -> NamedSharding | None:
    """How batches are split where the data lie on several devices: by rows, over those devices.

    Arguments: `data`, as a user gave them; `batch`, rows in a batch.
    Returns: None for data that lie in one place.
    Raises: ValueError where the devices do not divide the batch, and for data over several processes.
    """
    if not is_sharded(data):
        return None
    if not data.is_fully_addressable:
        raise ValueError(
            f"data are spread over {jax.process_count()} processes, and a learned action is trained in one. Give one of"
            " them all rows, jax.experimental.multihost_utils.process_allgather(data, tiled=True), if they fit."
        )
    devices = sorted(data.sharding.device_set, key=lambda device: device.id)
    if batch % len(devices):
        raise ValueError(
            f"batch: {batch} rows do not split over the {len(devices)} devices of the data. Give a multiple of"
            f" {len(devices)}."
        )
    return NamedSharding(Mesh(np.array(devices), ("rows",)), PartitionSpec("rows"))


def copied(tree: Tree, split: NamedSharding | None) -> Tree:
    """A tree of arrays with a copy on each of the devices."""
    if split is None:
        return tree
    everywhere = NamedSharding(split.mesh, PartitionSpec())
    return jax.tree.map(lambda leaf: jax.device_put(leaf, everywhere), tree)


def parted(batch: Float[Array, "b *shape"], split: NamedSharding | None) -> Float[Array, "b *shape"]:
    """A batch inside a program, a part of its rows on each of the devices: sums over it are then made across them."""
    return batch if split is None else jax.lax.with_sharding_constraint(batch, split)


def fetched(tree: Tree, split: NamedSharding | None) -> Tree:
    """What training left, on one device again."""
    return tree if split is None else jax.tree.map(lambda leaf: jax.numpy.asarray(np.asarray(leaf)), tree)
