"""What a first-order test cannot see: the model compared before and after a finite transformation."""

from collections.abc import Callable

import jax
import numpy as np
from jaxtyping import Float

from ..action import AbstractAction, moved, velocities
from ..interop import ForeignModel, mapped
from ._accumulator import Reduction
from ._question import Question

STEP = 0.25  # points are moved by this share of their own rms spread
TOGETHER = 16  # generators in one compiled call


def finite_model(
    F: Callable | ForeignModel,
    question: Question,
    reduction: Reduction,
    generators: Float[np.ndarray, "dim q"],
    lengths: Float[np.ndarray, " dim"],
) -> Float[np.ndarray, " dim"]:
    """|F(g x) - g F(x)| over the first-order size of the move, g = exp(t xi), weighted rms over held-out points,
    outputs in their common unit.

    `lengths`, (dim,): rms of the denominator of the
        relative defect for each generator, per unit of t."""
    both, points, values, weights = question.both, reduction.points, reduction.values, reduction.held_weights
    n, dim = question.source.width, len(generators)
    out = np.full(dim, np.nan)
    if dim == 0:
        return out
    pairs = np.concatenate([points, values], axis=1).astype(np.float64)
    group = min(dim, TOGETHER)
    with jax.enable_x64(True):
        predict = F.values if isinstance(F, ForeignModel) else mapped(F)
        for begin in range(0, dim, group):
            # The last group is filled up with generators of the first, so that nothing is compiled twice.
            chosen = np.arange(begin, begin + group) % dim
            speeds = velocities(both, generators[chosen], pairs)
            times = np.array([step((points, v[:, :n]), (values, v[:, n:])) for v in speeds])
            with np.errstate(over="ignore", invalid="ignore"):  # what leaves the range of numbers is not used
                there = moved(both, generators[chosen], pairs, times)
            usable = np.asarray(np.isfinite(there).all(axis=2))
            before = np.where(usable[:, :, None], there[:, :, :n], points).astype(points.dtype)
            after = np.asarray(predict(before.reshape(-1, n))).reshape(group, len(points), -1)
            # Where units are mixed, a share of the widest spread takes narrow columns beyond all numbers.
            with np.errstate(over="ignore", invalid="ignore"):
                missed, reached = reduction.outputs * (after - there[:, :, n:]), reduction.outputs * there[:, :, n:]
                if question.section is not None and question.section.up_to_factor:
                    missed = _across(missed, reached)
                squares = np.sum(missed**2, axis=2)
            usable &= np.isfinite(squares)
            for k, used, square, time in zip(chosen, usable, squares, times, strict=True):
                if used.sum() >= max(2, len(points) // 2) and weights[used].any() and lengths[k] > 0:
                    out[k] = np.sqrt(np.average(square[used], weights=weights[used])) / (time * lengths[k])
    return out


def _across(vectors: Float[np.ndarray, "k p m"], others: Float[np.ndarray, "k p m"]) -> Float[np.ndarray, "k p m"]:
    """What is at right angles to others."""
    size = np.sum(others**2, axis=2, keepdims=True)
    return vectors - others * (np.sum(vectors * others, axis=2, keepdims=True) / np.where(size > 0, size, 1.0))


def finite_cloud(
    action: AbstractAction,
    points: Float[np.ndarray, "held n"],
    units: Float[np.ndarray, " n"],
    away: Callable[[np.ndarray], np.ndarray],
    generators: Float[np.ndarray, "dim q"],
) -> Float[np.ndarray, " dim"]:
    """How much farther moved held-out points lie from the cloud's surface than before, over the distance moved.

    sqrt(max(0, mean away(g z)^2 - mean away(z)^2) / mean |g z - z|^2), in `units`, over points whose distance is known
    (those that stay within the cloud's edges): noise and curvature keep points off the fitted surface also when nothing
    moves them.
    """
    out = np.full(len(generators), np.nan)
    if len(generators) == 0:
        return out
    times = np.array([step((points, velocities(action, xi, points))) for xi in generators])
    there = np.asarray(moved(action, generators, points, times))
    places = np.concatenate([points[None], np.where(np.isfinite(there), there, points)])
    distances = away(places.reshape(-1, points.shape[1]) / units)
    before, after = distances[: len(points)], distances[len(points) :].reshape(len(generators), -1)
    travelled = np.sum(((there - points) / units) ** 2, axis=2)
    usable = np.isfinite(there).all(axis=2) & np.isfinite(after) & np.isfinite(before)
    for k, used in enumerate(usable):
        size = np.mean(travelled[k, used]) if used.sum() >= max(2, len(points) // 4) else 0.0
        if size > 0:
            out[k] = np.sqrt(max(np.mean(after[k, used] ** 2 - before[used] ** 2), 0.0) / size)
    return out


def step(*sides: tuple[np.ndarray, np.ndarray]) -> float:
    """The time in which the flow moves points by STEP of their rms spread; the shortest over (points, velocities) of
    inputs and outputs."""
    shortest = min(_time(points, velocity) for points, velocity in sides)
    return shortest if np.isfinite(shortest) else 1.0


def _time(points: np.ndarray, velocity: np.ndarray) -> float:
    spread = np.sqrt(np.mean(np.sum((points - points.mean(axis=0)) ** 2, axis=1)))
    speed = np.sqrt(np.mean(np.sum(velocity**2, axis=1)))
    return float(STEP * spread / speed) if speed > 1e-9 * spread and spread > 0 else np.inf
