"""A dictionary and its Jacobians at many states, in float64."""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from lieder.dictionary import AbstractDictionary

ROWS = 65536  # evaluated at once


def evaluated(dictionary: AbstractDictionary, x: np.ndarray) -> Float[np.ndarray, "N D"]:
    """The features at states (N, n), in float64."""
    with jax.enable_x64(True):
        pieces = np.array_split(x, max(1, -(-len(x) // ROWS)))
        return np.concatenate([np.asarray(_features(dictionary, jnp.asarray(p, jnp.float64))) for p in pieces])


def with_jacobian(dictionary: AbstractDictionary, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The features (N, D) and their Jacobians (N, D, n), in float64."""
    with jax.enable_x64(True):
        z = jnp.asarray(x, jnp.float64)
        return np.asarray(_features(dictionary, z)), np.asarray(_jacobians(dictionary, z))


_features = jax.jit(lambda dictionary, x: jax.vmap(dictionary)(x), static_argnums=0)
_jacobians = jax.jit(lambda dictionary, x: jax.vmap(jax.jacfwd(dictionary))(x), static_argnums=0)
