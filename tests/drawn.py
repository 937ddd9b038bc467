"""Numbers and weights that NumPy draws: each shape that `jax.random` draws is a program of its own, slow to compile."""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np


def normal(seed: int, shape: tuple[int, ...], dtype=None) -> jax.Array:
    """Standard normal numbers."""
    return jnp.asarray(np.random.default_rng(seed).normal(size=shape), dtype)


def weights(make: Callable[[], Any], seed: int = 0) -> Any:
    """The module that `make` makes, its arrays uniform within one over the root of their last size."""
    random = np.random.default_rng(seed)

    def filled(leaf):
        if not isinstance(leaf, jax.ShapeDtypeStruct):
            return leaf
        bound = 1 / np.sqrt(leaf.shape[-1])
        return jnp.asarray(random.uniform(-bound, bound, leaf.shape), leaf.dtype)

    return jax.tree.map(filled, eqx.filter_eval_shape(make))
