"""Rows for point clouds: the part of each field that leaves the tangent space."""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from ..action import AbstractAction, components
from ..report import progress
from ..sampling import Tangents, tangents
from ._reduce import Collector, Reduction, batch_size


def block_scales(points: Float[np.ndarray, "points n"], action: AbstractAction) -> Float[np.ndarray, " n"]:
    """One length for each group of coordinates that the action mixes: the rms distance from the mean over a coordinate.

    Within a group coordinates share units, between groups they need not."""
    scales = np.ones(points.shape[1])
    for group in components(action):
        piece = points[:, group]
        spread = float(np.sqrt(np.mean((piece - piece.mean(axis=0)) ** 2)))
        scales[group] = spread if spread > 0 else 1.0
    return scales


def reduce_cloud(
    points: Float[np.ndarray, "points n"],
    action: AbstractAction,
    dimension: int | None,
    neighbours: int | None,
    seed: int,
) -> tuple[Reduction, Tangents, Float[np.ndarray, " n"], Float[np.ndarray, "kept n"]]:
    """Rows (1 - P_i) theta_k(z_i) and terms theta_k(z_i), in block units.

    Returns: the reduction; the tangent spaces; the block scales; the points used, all but those held out.
    """
    scales = block_scales(points, action)
    order = np.random.default_rng(seed).permutation(len(points))
    spared = min(512, len(points) // 8)
    # Of few points none can be spared: the finite check then uses points that the tangent spaces have seen.
    held, kept = (points[order[:spared]], points[order[spared:]]) if len(points) >= 64 else (points, points)
    with jax.enable_x64(True):
        spaces = tangents(kept / scales, dimension, neighbours)
        q = action.algebra.dim
        collector = Collector(q, ((q, lambda factor: factor),), seed)
        collector.hold(held, np.zeros((len(held), 0)), np.ones(len(held)))
        evaluate = jax.jit(jax.vmap(action.fields))
        size = batch_size(len(kept), 3 * q * points.shape[1])
        starts = range(0, len(kept), size)
        for begin in progress(starts, len(starts), "tangency"):
            chosen, bases = kept[begin : begin + size], spaces.bases[begin : begin + size]
            padded = np.resize(chosen, (size, points.shape[1]))
            theta = np.asarray(evaluate(jnp.asarray(padded, jnp.float64)))[: len(chosen)] / scales
            along = np.einsum("pda,pqa->pqd", bases, theta)  # p: points, d: tangent directions, q: generators
            normal = theta - np.einsum("pqd,pda->pqa", along, bases)
            collector.absorb(float(len(chosen)), _rows(normal), _rows(theta))
    return collector.reduction(np.dtype(np.float64), np.ones(0)), spaces, scales, kept


def _rows(fields: np.ndarray) -> np.ndarray:
    return np.swapaxes(fields, 1, 2).reshape(-1, fields.shape[1])
