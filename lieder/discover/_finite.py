"""What a first-order test cannot see: the model compared before and after a finite transformation."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from ..action import AbstractAction, AbstractFibreAction, flow, total
from ..interop import ForeignModel
from ..sampling import surface_distances

STEP = 0.25  # points are moved by this share of their own rms spread


def finite_model(
    F: Callable | ForeignModel,
    source: AbstractAction,
    target: AbstractFibreAction,
    generators: Float[np.ndarray, "dim q"],
    points: Float[np.ndarray, "held n"],
    values: Float[np.ndarray, "held m"],
    weights: Float[np.ndarray, " held"],
    lengths: Float[np.ndarray, " dim"],
) -> Float[np.ndarray, " dim"]:
    """|F(g x) - g F(x)| over the first-order size of the move, g = exp(t xi), weighted rms over held-out points.

    `lengths`, (dim,): rms of the denominator of the relative defect for each generator, per unit of t."""
    both = total(source, target)
    n = source.width
    out = np.full(len(generators), np.nan)
    with jax.enable_x64(True):
        pairs = jnp.concatenate([jnp.asarray(points, jnp.float64), jnp.asarray(values, jnp.float64)], axis=1)
        move = jax.jit(jax.vmap(lambda xi, z, t: flow(both, xi, z, t), in_axes=(None, 0, None)))
        for k, xi in enumerate(generators):
            time = step(source, xi, points, target, values)
            moved = np.asarray(move(jnp.asarray(xi), pairs, time))
            usable = np.isfinite(moved).all(axis=1)
            if usable.sum() < max(2, len(points) // 2):
                continue
            predicted = evaluate(F, moved[usable, :n].astype(points.dtype), values.shape[1])
            squares = np.sum((predicted - moved[usable, n:]) ** 2, axis=1)
            miss = np.sqrt(np.average(squares, weights=weights[usable]))
            out[k] = miss / (time * lengths[k]) if lengths[k] > 0 else np.nan
    return out


def finite_cloud(
    action: AbstractAction,
    generators: Float[np.ndarray, "dim q"],
    points: Float[np.ndarray, "held n"],
    cloud: Float[np.ndarray, "points n"],
    scales: Float[np.ndarray, " n"],
    dimension: int,
    neighbours: int,
) -> Float[np.ndarray, " dim"]:
    """Distance of moved held-out points from the cloud's local tangent planes, over the distance moved (rms), in block units."""
    out = np.full(len(generators), np.nan)
    with jax.enable_x64(True):
        move = jax.jit(jax.vmap(lambda xi, z, t: flow(action, xi, z, t), in_axes=(None, 0, None)))
        for k, xi in enumerate(generators):
            time = step(action, xi, points)
            moved = np.asarray(move(jnp.asarray(xi), jnp.asarray(points, jnp.float64), time))
            usable = np.isfinite(moved).all(axis=1)
            if usable.sum() < max(2, len(points) // 2):
                continue
            away = surface_distances(cloud / scales, moved[usable] / scales, dimension, neighbours)
            travelled = np.linalg.norm((moved[usable] - points[usable]) / scales, axis=1)
            out[k] = np.sqrt(np.mean(away**2) / np.mean(travelled**2)) if travelled.any() else np.nan
    return out


def step(
    action: AbstractAction,
    xi: np.ndarray,
    points: np.ndarray,
    target: AbstractFibreAction | None = None,
    values: np.ndarray | None = None,
) -> float:
    """The time in which the flow moves points (or, if it leaves them, outputs) by STEP of their rms spread."""
    with jax.enable_x64(True):
        xi64 = jnp.asarray(xi, jnp.float64)
        x = jnp.asarray(points, jnp.float64)
        velocity = np.asarray(jax.vmap(lambda z: action.field(xi64, z))(x))
        time = _time(points, velocity)
        if target is None or values is None:
            return time if np.isfinite(time) else 1.0
        y = jnp.asarray(values, jnp.float64)
        turning = np.asarray(jax.vmap(lambda z, u: target.over_one(xi64, z, u))(x, y))
        time = min(time, _time(values, turning))
    return time if np.isfinite(time) else 1.0


def _time(points: np.ndarray, velocity: np.ndarray) -> float:
    spread = np.sqrt(np.mean(np.sum((points - points.mean(axis=0)) ** 2, axis=1)))
    speed = np.sqrt(np.mean(np.sum(velocity**2, axis=1)))
    return float(STEP * spread / speed) if speed > 1e-9 * spread and spread > 0 else np.inf


def evaluate(F: Callable | ForeignModel, points: np.ndarray, m: int) -> Float[np.ndarray, "points m"]:
    """The model at several points."""
    if isinstance(F, ForeignModel):
        return F.values(points).reshape(len(points), m)
    return np.asarray(jax.vmap(F)(jnp.asarray(points))).reshape(len(points), m)
