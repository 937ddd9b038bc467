"""The arrays of a module, for a file and back."""

from collections.abc import Sequence
from typing import TypeVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

Module = TypeVar("Module")


def array_leaves(module: object) -> list[np.ndarray]:
    """All arrays, in the order of the tree."""
    return [np.asarray(leaf) for leaf in jax.tree.leaves(eqx.filter(module, eqx.is_array))]


def with_leaves(module: Module, leaves: Sequence[np.ndarray]) -> Module:
    """A module with other numbers in its arrays."""
    arrays, rest = eqx.partition(module, eqx.is_array)
    return eqx.combine(jax.tree.unflatten(jax.tree.structure(arrays), [jnp.asarray(leaf) for leaf in leaves]), rest)
