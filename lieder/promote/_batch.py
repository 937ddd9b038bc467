"""What every penalty asks of its arguments, in the user's words."""

import numbers

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jaxtyping import Array

from .. import interop
from ..action import AbstractAction
from ..sampling import real_numbers


def checked_smoothing(smoothing) -> None:
    """A ValueError unless this is a number of at least 0."""
    real = isinstance(smoothing, numbers.Real) and not isinstance(smoothing, bool)
    if not real or not 0.0 <= float(smoothing) < np.inf:
        raise ValueError(
            f"smoothing must be a finite number of at least 0, relative to the size of L, got {smoothing!r}."
        )


def checked_batch(F, x, source: AbstractAction | None, width: int | None = None) -> Array:
    """The minibatch (B, n), which holds NaN neither now nor, where it is traced, when it is run."""
    if source is not None and not isinstance(source, AbstractAction):
        raise TypeError(
            f"source must be an action, such as lieder.vectors(lieder.algebra.gl(3)), got {type(source).__name__}."
        )
    if interop.is_foreign(F) or not callable(F):
        raise TypeError(
            f"F must be a function of one example that JAX can differentiate, got {type(F).__name__}: its parameters"
            " could not be trained through the penalty."
        )
    n = width if source is None else source.width
    traced = isinstance(x, Tracer)
    if not traced:
        # What lies on a device stays there: training calls this for each minibatch.
        on_device = isinstance(x, jax.Array) and jnp.issubdtype(x.dtype, jnp.floating)
        x = x if on_device else jnp.asarray(real_numbers(x, "x")[0])
    if x.ndim != 2 or x.shape[1] != n or len(x) == 0:
        advice = " This is one example; pass x[None], or better many." if x.shape == (n,) else ""
        raise ValueError(f"x must be a minibatch of shape (B, {n}), rows are examples; got {x.shape}.{advice}")
    if not jnp.issubdtype(x.dtype, jnp.floating):
        raise TypeError(f"x has dtype {x.dtype}; derivatives need real floating-point inputs, such as x.astype(float).")
    if not traced:
        bad = ~np.isfinite(np.asarray(x)).all(axis=1)
        if bad.any():
            raise ValueError(
                f"x holds NaN or infinite values in {bad.sum()} of {len(x)} rows, the first {bad.argmax()}."
            )
        return x
    # A number carries the error, not the batch, which may be spread over devices that would all have to hand it over.
    one = jnp.ones((), x.dtype)
    return x * eqx.error_if(one, ~jnp.isfinite(x).all(), "x holds NaN or infinite values in this minibatch.")


def output_width(F, x: Array) -> int:
    """The number of outputs of a model; one where it fails, for then the derivative says what is wrong."""
    try:
        out = jax.eval_shape(F, jax.ShapeDtypeStruct(x.shape[1:], x.dtype))
    except Exception:
        return 1
    return int(np.prod(getattr(out, "shape", ())) or 1)
