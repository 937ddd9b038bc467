"""A function of one example on many, in float64 and in bounded memory."""

from collections.abc import Callable
from functools import lru_cache

import jax
import jax.numpy as jnp
import numpy as np

from lieder.dictionary import AbstractDictionary
from lieder.interop import ForeignModel

BYTES = 2**26  # of outputs at a time: large enough to hide the cost of a call, small beside any machine's memory


def evaluate(function: Callable, x: np.ndarray) -> np.ndarray:
    """`function`, from one example (n,) to (D,), on the rows of x (N, n): (N, D), computed in float64."""
    with jax.enable_x64(True):
        many = _many(function) if isinstance(function, AbstractDictionary) else jax.jit(jax.vmap(function))
        size = jax.eval_shape(many, jax.ShapeDtypeStruct((1, x.shape[1]), jnp.float64)).shape[1]
        length = min(len(x), max(1, BYTES // (8 * max(size, 1))))
        out = np.empty((len(x), size))
        for start in range(0, len(x), length):
            # Always one length, so that it is compiled once: the last batch looks back.
            start = min(start, len(x) - length)
            out[start : start + length] = many(jnp.asarray(x[start : start + length], jnp.float64))
        return out


@lru_cache(maxsize=64)
def _many(function: Callable) -> Callable:
    """Compiled once for dictionaries that are equal, as those of the same monomials are."""
    return jax.jit(jax.vmap(function))


def values(model: Callable | ForeignModel, x: np.ndarray) -> np.ndarray:
    """Any fitted model on a batch of examples, in float64."""
    if isinstance(model, ForeignModel):
        return np.asarray(model.values(x), dtype=np.float64)
    return evaluate(model, x)
