"""Rows for point clouds: the part of each field that leaves the tangent space."""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from ..action import AbstractAction
from ..report import progress
from ..sampling import Tangents, tangents
from ._reduce import Collector, Reduction, batch_size, held_rows


def block_scales(points: Float[np.ndarray, "points n"], action: AbstractAction) -> Float[np.ndarray, " n"]:
    """One length a block of the action: its rms distance from the mean over its square-rooted width.

    Within a block coordinates mix, so they share units; between blocks they need not."""
    scales = np.ones(points.shape[1])
    start = 0
    for _, width in action.blocks:
        piece = points[:, start : start + width]
        spread = float(np.sqrt(np.mean((piece - piece.mean(axis=0)) ** 2)))
        scales[start : start + width] = spread if spread > 0 else 1.0
        start += width
    return scales


def reduce_cloud(
    points: Float[np.ndarray, "points n"],
    action: AbstractAction,
    dimension: int | None,
    neighbours: int | None,
    seed: int,
) -> tuple[Reduction, Tangents, Float[np.ndarray, " n"]]:
    """Rows (1 - P_i) theta_k(z_i) and the terms theta_k(z_i), both in block units; the tangent spaces; the block
    scales."""
    scales = block_scales(points, action)
    with jax.enable_x64(True):
        spaces = tangents(points / scales, dimension, neighbours)
        q = action.algebra.dim
        collector = Collector(q, ((q, lambda factor: factor),), seed)
        evaluate = jax.jit(jax.vmap(action.fields))
        size = batch_size(len(points), 3 * q * points.shape[1])
        order = np.random.default_rng(seed).permutation(len(points))
        starts = range(0, len(points), size)
        for begin in progress(starts, len(starts), "tangency"):
            chosen = order[begin : begin + size]
            padded = np.resize(chosen, size)
            theta = np.asarray(evaluate(jnp.asarray(points[padded], jnp.float64)))[: len(chosen)] / scales
            along = np.einsum(
                "pda,pqa->pqd", spaces.bases[chosen], theta
            )  # p: points, d: tangent directions, q: generators
            normal = theta - np.einsum("pqd,pda->pqa", along, spaces.bases[chosen])
            held = held_rows(len(chosen))
            collector.hold(points[chosen][held], np.zeros((len(held), 0)), np.ones(len(held)))
            collector.absorb(float(len(chosen)), _rows(normal), _rows(theta))
    return collector.reduction(np.dtype(np.float64)), spaces, scales


def _rows(fields: np.ndarray) -> np.ndarray:
    return np.swapaxes(fields, 1, 2).reshape(-1, fields.shape[1])
