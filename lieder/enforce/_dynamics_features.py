"""A dictionary with its Jacobians at many states, in float64."""

import jax
import jax.numpy as jnp
import numpy as np

from lieder.derivative import values
from lieder.dictionary import AbstractDictionary


def with_jacobian(dictionary: AbstractDictionary, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The features (N, D) and their Jacobians (N, D, n), in float64."""
    with jax.enable_x64(True):
        return values(dictionary, x), np.asarray(_jacobians(dictionary, jnp.asarray(x, jnp.float64)))


_jacobians = jax.jit(lambda dictionary, x: jax.vmap(jax.jacfwd(dictionary))(x), static_argnums=0)
