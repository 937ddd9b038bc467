"""A dictionary, its derivatives and its values at moved points, reduced from samples to a joint orthonormal basis."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np

from ..action import AbstractAction, discrete_elements, scalars
from ..sampling import check_container
from ._lie import blocks

_MOST_BYTES = 2**31
_SPARE = 50  # points more than functions
_RANK = 1e-10


@dataclass(frozen=True, eq=False)
class Sampled:
    """P (D, E), T (q, D, E) and S (c, D, E) in functions that are orthonormal over the points, and their number."""

    features: np.ndarray
    generators: np.ndarray
    elements: np.ndarray
    points: int


def sampled(dictionary, action: AbstractAction, x: np.ndarray | None, seed: int) -> Sampled:
    """The QR factor of [f, J_f theta_1, .., f(H_1 x), ..] over the points."""
    size, q, c = dictionary.size, action.algebra.dim, len(discrete_elements(action.algebra))
    columns = size * (1 + q + c)
    x = points(action.width, columns + _SPARE, x, seed)
    if 8 * len(x) * columns > _MOST_BYTES:
        raise ValueError(
            f"dictionary: {size} functions under {q} generators and {c} discrete elements, sampled at {len(x)} points,"
            f" take {8 * len(x) * columns / 2**30:.1f} GiB. Take fewer functions, or polynomials: they need no samples."
        )
    with jax.enable_x64(True):
        z = jnp.asarray(x, jnp.float64)
        batch = blocks(dictionary, action, scalars(action.algebra, size))(z, np.arange(len(x)))
        values, rows = np.asarray(batch.values), np.asarray(batch.rows)
        parts = [values, *np.moveaxis(rows, 2, 0)]
        for j in range(c):
            parts.append(np.asarray(jax.vmap(lambda p, j=j: dictionary(action.element(j, p)))(z)))
    matrix = np.concatenate(parts, axis=1) / np.sqrt(len(x))
    bad = ~np.isfinite(matrix).all(axis=1)
    if bad.any():
        raise ValueError(
            f"dictionary: a function or its derivative is not finite at {bad.sum()} of {len(x)} points, such as"
            f" {x[bad][0]}. Give x (N, {action.width}), points where all are defined."
        )
    factor = np.linalg.qr(matrix)[1]
    singular = np.linalg.svd(factor, compute_uv=False)
    if len(x) <= columns and np.count_nonzero(singular > _RANK * singular.max(initial=0.0)) == len(x):
        raise ValueError(
            f"x: {len(x)} points are too few for {columns} functions and derivatives: any would look symmetric. Give"
            f" {columns + _SPARE} or more, or none."
        )
    blocks_ = factor.T.reshape(1 + q + c, size, -1)
    return Sampled(blocks_[0], blocks_[1 : 1 + q], blocks_[1 + q :], len(x))


def points(width: int, count: int, x, seed: int) -> np.ndarray:
    """The user's points, or `count` uniform ones in [-1, 1]^n."""
    if x is None:
        return np.random.default_rng(seed).uniform(-1, 1, (count, width))
    check_container(x, "x")
    x = np.asarray(x, dtype=np.float64)
    if x.ndim != 2 or x.shape[1] != width or len(x) == 0:
        raise ValueError(f"x must hold points as rows, (N, {width}), got {x.shape}.")
    if not np.isfinite(x).all():
        raise ValueError("x holds NaN or infinite values.")
    return x
