"""Solutions of x' = W f(x)."""

import diffrax
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from numpy.typing import ArrayLike

from ..dictionary import AbstractDictionary

STEPS = 100_000  # of the integrator
SHORTEST = 1e-12  # step over the whole time: shorter ones mean that the solution leaves the space


def simulated(
    dictionary: AbstractDictionary,
    coefficients: Float[np.ndarray, "n D"],
    x0: ArrayLike,
    t: ArrayLike,
    tolerance: float,
) -> Float[np.ndarray, "*starts times n"]:
    """By an adaptive Runge-Kutta method of order 5 (diffrax Tsit5).

    Arguments: `dictionary` f; `coefficients` W; `x0` (n,), or (C, n) for several; `t` (T,) increasing, the first being
        the time of `x0`; `tolerance`, relative and absolute, of each step.
    Returns: (T, n) or (C, T, n) float64; inf from where a solution leaves the space in finite time.
    Raises: ValueError for another width or times that do not increase.
    """
    n = len(coefficients)
    x0, t = np.asarray(x0, np.float64), np.asarray(t, np.float64)
    if x0.ndim not in (1, 2) or x0.shape[-1] != n or not np.isfinite(x0).all():
        raise ValueError(f"x0: expected finite states ({n},) or (C, {n}).")
    if t.ndim != 1 or len(t) < 2 or not (np.diff(t) > 0).all():
        raise ValueError(f"t: expected two or more increasing times, got shape {t.shape}.")
    with jax.enable_x64(True):
        w, starts = jnp.asarray(coefficients, jnp.float64), jnp.asarray(np.atleast_2d(x0))
        out = np.asarray(_solutions(dictionary, w, starts, jnp.asarray(t), jnp.asarray(tolerance)))
    return out[0] if x0.ndim == 1 else out


def _solve(dictionary: AbstractDictionary, w: Array, x: Array, t: Array, tolerance: Array) -> Array:
    solution = diffrax.diffeqsolve(
        diffrax.ODETerm(lambda time, y, args: w @ dictionary(y)),
        diffrax.Tsit5(),
        t0=t[0],
        t1=t[-1],
        dt0=None,
        y0=x,
        saveat=diffrax.SaveAt(ts=t),
        stepsize_controller=diffrax.PIDController(
            rtol=tolerance, atol=tolerance, dtmin=SHORTEST * (t[-1] - t[0]), force_dtmin=False
        ),
        max_steps=STEPS,
        throw=False,
    )
    return jnp.where(jnp.isfinite(solution.ys), solution.ys, jnp.inf)  # pyright: ignore[reportArgumentType]


_solutions = jax.jit(jax.vmap(_solve, in_axes=(None, None, 0, None, None)), static_argnums=0)
