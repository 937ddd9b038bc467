"""Outputs that no equivariant function can make other than zero, whatever its layers."""

import numpy as np
import scipy.linalg
import scipy.optimize
from jaxtyping import Bool

from ..action import FieldAction
from ..linalg import right_singular

_MOST = 256  # coordinates of either side, and generators, up to which matrix exponentials take no time
_EXACT = 1e-8


def vanishing(source: FieldAction, target: FieldAction) -> Bool[np.ndarray, " m"]:
    """Which outputs are zero for every equivariant F: those that vanish on what the stabiliser of x leaves fixed.

    F(x) = F(g x) = g F(x) for every g with g x = x, so F(x) lies in the space that the stabiliser of x fixes. Taken at
    a random x: its infinitesimal stabiliser, and for each discrete element h one g = exp(xi) h, where there is any.

    Arguments: `source`, linear or affine of width n; `target`, linear of width m, over one algebra.
    Returns: (m,), all False where the representations are too large to look.
    """
    n, m, q = source.width, target.width, source.algebra.dim
    if max(n, m, q) > _MOST or not source.is_affine:
        return np.zeros(m, bool)
    x = np.append(np.random.default_rng(0).normal(size=n), 1.0)
    moves = np.zeros((q, n + 1, n + 1))
    moves[:, :n] = source.affine().dense()
    turns = target.matrices().dense()
    slopes = (moves @ x)[:, :n]  # q, n
    size, right = right_singular(slopes.T) if q else (np.zeros(0), np.zeros((0, 0)))
    rank = int(np.sum(size > _EXACT * size.max(initial=1.0)))
    conditions = [np.tensordot(xi, turns, axes=1) for xi in right[rank:]]
    elements = source.elements.dense()
    for h, turn in zip(elements, target.discrete().dense(), strict=True):
        there = np.eye(n + 1)
        there[:n, : h.shape[1]] = h
        if (xi := _back(moves, there @ x, x)) is not None:
            conditions.append(scipy.linalg.expm(np.tensordot(xi, turns, axes=1)) @ turn - np.eye(m))
    if not conditions:
        return np.zeros(m, bool)
    size, right = right_singular(np.concatenate(conditions))
    fixed = right[int(np.sum(size > _EXACT * max(1.0, size.max(initial=0.0)))) :]
    return np.linalg.norm(fixed, axis=0) < 1e-6


def _back(moves: np.ndarray, there: np.ndarray, x: np.ndarray) -> np.ndarray | None:
    """xi with exp(xi) there = x, from a few starts; None where none is found."""
    q = len(moves)
    if q == 0:
        return np.zeros(0) if np.allclose(there, x, atol=_EXACT) else None

    def miss(xi):
        return scipy.linalg.expm(np.tensordot(xi, moves, axes=1)) @ there - x

    rng = np.random.default_rng(0)
    for start in (np.zeros(q), *rng.normal(size=(3, q))):
        found = scipy.optimize.least_squares(miss, start, xtol=1e-14, ftol=1e-14, gtol=1e-14)
        if np.linalg.norm(found.fun) < _EXACT * np.linalg.norm(x):
            return found.x
    return None
