"""Least squares among the vectors that a linear map takes to matrices of low rank."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from ._rank import decide
from ._right import right_singular

_SETTLED = 1e-8  # the first singular value that must vanish, relative to the largest, at which it does
_MOVED = 1e-5  # relative change of a step at which the vector has settled, too
_FLOOR = 1e-3  # far from the solution smaller singular values of the constraint say nothing
_CLEAN = 1e-6  # the same near it
_PATIENCE, _PROGRESS = 4, 0.3  # after so many steps the rank must be nearer by this factor, or it is not reached
_SLIGHT = 1e-10  # curvature, relative, that keeps an undetermined step finite


@dataclass(frozen=True, eq=False)
class LowRank:
    """Fields: `vector` v (k,); `tangent` (k, d), an orthonormal basis of the changes of v that keep the rank, to first
    order; `annihilated` (q, q - rank), orthonormal columns with B(v) s = 0; `steps`; `settled`, whether B(v) has the
    rank but for rounding."""

    vector: Float[np.ndarray, " k"]
    tangent: Float[np.ndarray, "k d"]
    annihilated: Float[np.ndarray, "q s"]
    steps: int
    settled: bool


def low_rank_least_squares(
    operator: Float[np.ndarray, "p q k"],
    curvature: Float[np.ndarray, "k k"],
    slope: Float[np.ndarray, " k"],
    start: Float[np.ndarray, " k"],
    rank: int,
    steps: int = 30,
) -> LowRank:
    """min 1/2 v^T H v - c v subject to rank B(v) <= rank, near a start.

    At singular vectors U, V of the surviving part of B(v), S of the others, a change d keeps the rank to first order
    where (1 - U U^T) B(d) S = 0. v is again minimised in that space, whose dimension is read off the singular values
    of this map, until B(v) has the rank exactly: Gauss-Newton on the set of matrices of low rank, 3 to 10 steps.

    Arguments: `operator` B, with orthonormal columns as a (p q, k) matrix; `curvature` H, `slope` c; `start`; `rank`;
        `steps`, at most.
    Returns: LowRank. Where it is not settled there is no solution of that rank nearby.
    Reference: Absil, Mahony, Sepulchre, Optimization algorithms on matrix manifolds, 2008, section 8.4.
    """
    _, q, k = operator.shape
    v, history = start, []
    tiny = _SLIGHT * max(float(np.trace(curvature)) / max(k, 1), np.finfo(float).tiny) * np.eye(k)
    tangent, rest, step = np.eye(k), np.eye(q)[:, :0], 0
    for step in range(1, steps + 1):
        left, s, right = np.linalg.svd(operator @ v, full_matrices=True)
        if s[0] == 0.0:
            return LowRank(v, tangent, rest, step, False)
        away = float(s[rank] / s[0]) if rank < len(s) else 0.0
        rest = right[rank:].T
        tangent = _tangent(operator, left, right.T, rank, _FLOOR if away > _CLEAN else _CLEAN)
        inner = tangent.T @ (curvature + tiny) @ tangent
        new = tangent @ np.linalg.solve(inner, tangent.T @ slope)
        moved = float(np.linalg.norm(new - v)) / max(float(np.linalg.norm(new)), np.finfo(float).tiny)
        v = new
        if away <= _SETTLED and moved <= _MOVED:
            return LowRank(v, tangent, rest, step, True)
        history += [away] if away > _SETTLED else []  # the start may have the rank, and the first step leaves it
        if len(history) > _PATIENCE and away > max(_PROGRESS * history[-1 - _PATIENCE], _SETTLED):
            break
    return LowRank(v, tangent, rest, step, False)


def _tangent(operator: np.ndarray, left: np.ndarray, right: np.ndarray, rank: int, floor: float) -> np.ndarray:
    """Changes whose image stays in the range of U or vanishes off V, of the singular vectors that survive: the small
    eigenvectors of the square of d -> P^T B(d) S, P and S the others; or of

        1 - sum_i |u_i^T B|^2 - sum_j |B v_j|^2 + sum_ij |u_i^T B v_j|^2,

    which is the same, since B has orthonormal columns, whichever takes fewer operations.
    """
    p, q, k = operator.shape
    U, P, V, S = left[:, :rank], left[:, rank:], right[:, :rank], right[:, rank:]
    lost = (p - rank) * (q - rank)
    if p * q * min(p - rank, q - rank) + lost * (min(p, q) + k) <= rank * (2 * p * q + k * (p + q)):
        if p - rank < q - rank:
            others = np.matmul(S.T, (P.T @ operator.reshape(p, q * k)).reshape(-1, q, k))
        else:
            others = (P.T @ np.matmul(S.T, operator).reshape(p, -1)).reshape(-1, q - rank, k)
        gram = _square(others)
    else:
        rows = (U.T @ operator.reshape(p, q * k)).reshape(-1, q, k)
        columns = np.matmul(V.T, operator)  # p, r, k
        gram = np.eye(k) + _square(np.matmul(V.T, rows)) - _square(rows) - _square(columns)
    values, vectors = np.linalg.eigh(gram)
    values = np.maximum(np.sqrt(np.maximum(values, 0.0)), floor)
    # The least counts as zero whatever it is, and none is above one: all may be small.
    return vectors[:, : 1 + decide(values[1:], resolution=values[0], top=1.0).count]


def _square(pieces: np.ndarray) -> np.ndarray:
    flat = pieces.reshape(-1, pieces.shape[-1])
    return flat.T @ flat


def annihilating(
    operator: Float[np.ndarray, "p q k"], directions: Float[np.ndarray, "q s"]
) -> Float[np.ndarray, "k d"]:
    """All v with B(v) s = 0 for the given directions.

    Arguments: `operator` B; `directions` s, as columns.
    Returns: an orthonormal basis, as columns; singular values of the equations up to 1e-6 count as zero.
    """
    moved = np.matmul(directions.T, operator).reshape(-1, operator.shape[2])
    s, turn = right_singular(moved)
    return turn[s <= 1e-6].T
