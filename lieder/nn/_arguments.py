"""What layers check of the arguments of their constructors."""

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np


def checked_count(value: Any, argument: str, least: int) -> int:
    """A whole number of at least `least`; a ValueError that names the argument for anything else."""
    if not isinstance(value, int | np.integer) or isinstance(value, bool) or value < least:
        raise ValueError(f"{argument} must be {least}, {least + 1}, {least + 2}, ..., got {value!r:.60}.")
    return int(value)


def checked_size(value: Any, argument: str) -> float:
    """A positive finite number; a ValueError that names the argument for anything else."""
    if not isinstance(value, int | float | np.number) or isinstance(value, bool) or not 0 < value < math.inf:
        raise ValueError(f"{argument} must be a positive number, got {value!r:.60}.")
    return float(value)


def floating(dtype) -> np.dtype:
    """The dtype of weights: JAX's default where none is given."""
    try:
        found = jnp.zeros(()).dtype if dtype is None else jnp.dtype(dtype)
    except TypeError:
        found = None
    if found is None or not jnp.issubdtype(found, jnp.floating):
        raise TypeError(f"dtype must be real floating point, such as jnp.float32, got {found or repr(dtype)}.")
    return found


def checked_key(key: Any) -> Any:
    """A random key; a TypeError for a seed in its place."""
    typed = isinstance(key, jax.Array) and jnp.issubdtype(key.dtype, jax.dtypes.prng_key) and key.shape == ()
    raw = isinstance(key, jax.Array | np.ndarray) and key.dtype == np.uint32 and key.shape == (2,)
    if not (typed or raw):
        raise TypeError(f"key must be a random key, such as jax.random.key(0); got {key!r:.60}.")
    return key
