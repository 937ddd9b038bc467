"""Finite transformations exp(t xi) of points."""

from functools import partial

import diffrax
import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import scipy.linalg
from jaxtyping import Array, Float

from ._abstract import AbstractAction
from ._grid import GridAction
from ._total import TotalAction

MOST_STEPS = 4096  # of the integrator, before it gives up
FAR = 1e6  # times its first distance from the origin (or 1): a solution that stops beyond has left the space


def flow(
    action: AbstractAction,
    xi: Float[Array, " generators"],
    z: Float[Array, " n"],
    time: float | Float[Array, ""] = 1.0,
    tolerance: float | None = None,
) -> Float[Array, " n"]:
    """The point exp(t xi) . z, for one point.

    dz/dt = theta_xi(z). In closed form where the action knows one (`transformed`): affine actions by the matrix
    exponential of [[A, b], [0, 0]], fields on grids by resampling. Others by an adaptive Runge-Kutta method of order 8
    (diffrax Dopri8).

    Arguments:
        action: of width n with q generators.
        xi: (q,) coefficients. z: (n,) the point. time: t, in units of 1/xi; may be negative.
        tolerance: relative and absolute, of the integrator; default 1e-10 in float64, 1e-6 in float32, near what the
            dtype carries.
    Returns:
        (n,) in the dtype of z; inf where a nonlinear flow leaves the space in finite time.
    Reference: Dormand, Prince (1980) for the integrator; Al-Mohy, Higham (2009) for the exponential.
    Raises: TypeError when z is not floating point; ValueError for shapes that do not fit the action. RuntimeError, also
        under jit, where the integrator gives up after 4,096 steps without leaving: a stiff field, a time that is too
        long, or a field that is not finite on the way.
    """
    end = _flow(action, xi, z, time, tolerance)
    return eqx.error_if(
        end,
        jnp.isnan(end).any() & jnp.isfinite(jnp.asarray(z)).all(),
        f"the flow could not be followed: after {MOST_STEPS} steps the integrator had neither arrived nor left the"
        " space. The field is stiff or not finite on the way, or the time is too long: take a shorter time or a larger"
        " tolerance.",
    )


def _flow(action: AbstractAction, xi, z, time, tolerance: float | None = None, adjoint=None) -> Array:
    """`flow` with NaN where it could not be followed; `adjoint` is diffrax's, by default the one for gradients."""
    z = jnp.asarray(z)
    if not jnp.issubdtype(z.dtype, jnp.floating):
        raise TypeError(f"z must be real floating point, got dtype {z.dtype}.")
    if z.shape != (action.width,):
        raise ValueError(f"z must be one point of shape ({action.width},), got {z.shape}; use jax.vmap for many.")
    xi, time = jnp.asarray(xi, z.dtype), jnp.asarray(time, z.dtype)
    if xi.shape != (action.algebra.dim,):
        raise ValueError(f"xi must hold {action.algebra.dim} coefficients, got shape {xi.shape}.")
    known = action.transformed(xi * time, z)
    if known is not None:
        return known
    if isinstance(action, TotalAction) and isinstance(action.fibre, AbstractAction):
        # Both sides move by themselves, each in its own best way.
        n = action.base.width
        parts = (action.base, z[:n]), (action.fibre, z[n:])
        return jnp.concatenate([_flow(part, xi, place, time, tolerance, adjoint) for part, place in parts])
    tolerance = tolerance if tolerance is not None else (1e-10 if z.dtype == jnp.float64 else 1e-6)
    solution = diffrax.diffeqsolve(
        diffrax.ODETerm(lambda t, y, args: time * action.field(xi, y)),
        diffrax.Dopri8(),
        # Python floats would be float64 under x64, and the solution with them.
        t0=jnp.zeros((), z.dtype),
        t1=jnp.ones((), z.dtype),
        dt0=None,
        y0=z,
        stepsize_controller=diffrax.PIDController(rtol=tolerance, atol=tolerance),
        max_steps=MOST_STEPS,
        adjoint=adjoint or diffrax.RecursiveCheckpointAdjoint(),
        throw=False,
    )
    end = solution.ys[-1]  # pyright: ignore[reportOptionalSubscript]
    reached = solution.result == diffrax.RESULTS.successful
    size = jnp.linalg.norm(end)
    left = jnp.isinf(end).any() | (size > FAR * (1.0 + jnp.linalg.norm(z)))
    return jnp.where(reached & jnp.isfinite(end).all(), end, jnp.where(left, jnp.inf, jnp.nan))


def moved(
    action: AbstractAction,
    xi: Float[np.ndarray, "moves generators"],
    points: Float[np.ndarray, "points n"],
    times: Float[np.ndarray, " moves"],
) -> Float[np.ndarray, "moves points n"]:
    """Several points under several finite transformations exp(times_k xi_k), in NumPy.

    Affine actions by one matrix exponential a move and nothing compiled, fields on grids then resampled; others by
    `flow`.

    Arguments: `xi` (k, q); `points` (p, n); `times` (k,).
    Returns: (k, p, n) float64, inf or NaN where a flow leaves the space or the range of numbers, NaN where it could not
        be followed.
    """
    points = np.asarray(points, dtype=np.float64)
    fields = action.expansion
    if fields is not None and fields.is_affine:
        n = action.width
        matrices = np.zeros((len(xi), n + 1, n + 1))
        matrices[:, :n] = fields.affine().combine(xi).dense() * np.asarray(times)[:, None, None]
        # Columns a million times apart can take a map, or points under it, beyond the range of numbers: inf or NaN.
        with np.errstate(over="ignore", invalid="ignore"):
            maps = scipy.linalg.expm(matrices)[:, :n]
            return points @ maps[:, :, :n].swapaxes(1, 2) + maps[:, None, :, n]
    if isinstance(action, GridAction):
        return _carried(action, np.asarray(xi, np.float64) * np.asarray(times)[:, None], points)
    if isinstance(action, TotalAction) and isinstance(action.fibre, AbstractAction):
        n = action.base.width
        ends = [moved(action.base, xi, points[:, :n], times), moved(action.fibre, xi, points[:, n:], times)]
        return np.concatenate(ends, axis=2)
    with jax.enable_x64(True):
        return np.asarray(_flows(action, jnp.asarray(xi), jnp.asarray(points), jnp.asarray(times, jnp.float64)))


def _carried(action: GridAction, xi: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Fields on grids: the small exponentials in SciPy, which takes seconds less than compiling them."""
    d = len(action.shape)
    affine = np.zeros((len(xi), d + 1, d + 1))
    affine[:, :d] = -action.base.affine().combine(xi).dense()
    turns = scipy.linalg.expm(action.fibre.matrices().combine(xi).dense())
    with jax.enable_x64(True):
        back, turn, fields = (jnp.asarray(a, jnp.float64) for a in (scipy.linalg.expm(affine)[:, :d], turns, points))
        return np.asarray(_resample(action, back, turn, fields))


@partial(jax.jit, static_argnums=0)
def _resample(action: GridAction, back: Array, turn: Array, fields: Array) -> Array:
    one_move = jax.vmap(action.carried, in_axes=(None, None, 0))
    return jax.lax.map(lambda pair: one_move(pair[0], pair[1], fields), (back, turn))


@partial(jax.jit, static_argnums=0)
def _flows(action: AbstractAction, xi: Array, points: Array, times: Array) -> Array:
    # Nobody asks NumPy for a gradient: without one in reverse the program is compiled in two thirds of the time.
    along = jax.vmap(lambda c, z, t: _flow(action, c, z, t, adjoint=diffrax.ForwardMode()), in_axes=(None, 0, None))
    return jax.vmap(along, in_axes=(0, None, 0))(xi, points, times)


def orbits(
    action: AbstractAction,
    xi: Float[np.ndarray, " generators"],
    points: Float[np.ndarray, "points n"],
    times: Float[np.ndarray, " times"],
) -> Float[np.ndarray, "points times n"]:
    """The curves t -> exp(t xi) . z of several points.

    Arguments: `points` (k, n); `times` (T,).
    Returns: (k, T, n) float64.
    """
    return moved(action, np.tile(np.asarray(xi, np.float64), (len(times), 1)), points, times).swapaxes(0, 1)


def velocities(
    action: AbstractAction, xi: Float[np.ndarray, "*moves generators"], points: Float[np.ndarray, "points n"]
) -> Float[np.ndarray, "*moves points n"]:
    """The fields theta_xi at several points.

    Arguments: `xi` (q,) or (k, q) coefficients; `points` (p, n).
    Returns: (p, n) or (k, p, n) float64.
    """
    xi, points = np.asarray(xi, np.float64), np.asarray(points, np.float64)
    expanded = action.expansion
    if expanded is not None and expanded.is_affine:
        n = action.width
        matrices = expanded.affine().combine(np.atleast_2d(xi)).dense()
        fields = points @ matrices[:, :, :n].swapaxes(1, 2) + matrices[:, None, :, n]
    else:
        with jax.enable_x64(True):
            fields = np.asarray(_fields_along(action, jnp.asarray(np.atleast_2d(xi)), jnp.asarray(points)))
    return fields.reshape(*xi.shape[:-1], *points.shape)


@partial(jax.jit, static_argnums=0)
def _fields_along(action: AbstractAction, xi: Array, points: Array) -> Array:
    return jax.vmap(jax.vmap(action.field, in_axes=(None, 0)), in_axes=(0, None))(xi, points)
