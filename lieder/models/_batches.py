"""A function of one example on many, in float64 and in bounded memory."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ..dictionary import AbstractDictionary
from ..interop import ForeignModel, mapped

BYTES = 2**26  # of outputs at a time: large enough to hide the cost of a call, small beside any machine's memory


def evaluate(function: Callable, x: np.ndarray, *made: Any) -> np.ndarray:
    """`function`, from one example (n,) to (D,), on the rows of x (N, n): (N, D), computed in float64.

    `made`: what is made of a function that is no dictionary first, with its options, as in `mapped`.
    """
    with jax.enable_x64(True):
        many = _many(function) if isinstance(function, AbstractDictionary) else mapped(function, *made)
        size = jax.eval_shape(many, jax.ShapeDtypeStruct((1, x.shape[1]), jnp.float64)).shape[1]
        length = min(len(x), max(1, BYTES // (8 * max(size, 1))))
        out = np.empty((len(x), size))
        for start in range(0, len(x), length):
            # Always one length, so that it is compiled once: the last batch looks back.
            start = min(start, len(x) - length)
            out[start : start + length] = many(jnp.asarray(x[start : start + length], jnp.float64))
        return out


def evaluate_jacobians(model: Callable | ForeignModel, x: np.ndarray, outputs: int) -> np.ndarray:
    """The derivatives of any fitted model on the rows of x (N, n): (N, outputs, n), in float64."""
    if isinstance(model, ForeignModel):
        return np.asarray(model.jacobians(x), dtype=np.float64).reshape(len(x), outputs, -1)
    flat = evaluate(model, x, _slope, outputs, outputs <= x.shape[1])
    return flat.reshape(len(x), outputs, x.shape[1])


def _slope(model: Callable, outputs: int, by_rows: bool) -> Callable:
    slope = (jax.jacrev if by_rows else jax.jacfwd)(lambda a: jnp.reshape(model(a), (outputs,)))
    return lambda z: jnp.ravel(slope(z))


def gradients(dictionary: AbstractDictionary, x: np.ndarray) -> np.ndarray:
    """The derivatives of all features on the rows of x (N, n): (N, D, n), computed in float64."""
    with jax.enable_x64(True):
        return np.asarray(_gradients(dictionary)(jnp.asarray(x, jnp.float64)))


@lru_cache(maxsize=64)
def _gradients(dictionary: AbstractDictionary) -> Callable:
    return jax.jit(jax.vmap(dictionary.jacobian))


@lru_cache(maxsize=64)
def _many(function: Callable) -> Callable:
    """Compiled once for dictionaries that are equal, as those of the same monomials are."""
    return jax.jit(jax.vmap(function))


def values(model: Callable | ForeignModel, x: np.ndarray) -> np.ndarray:
    """Any fitted model on many examples.

    Arguments: `model`, from one example, or foreign; `x` (N, n).
    Returns: (N, m), in float64.
    """
    if isinstance(model, ForeignModel):
        return np.asarray(model.values(x), dtype=np.float64)
    return evaluate(model, x)
