"""min 1/2 v^T diag(h) v - c v + |A0 + B v|_*: Newton's method on the augmented Lagrangian, with a certified gap.

Splitting alone (ADMM) takes thousands of steps where the minimum is not sharp. Here each multiplier S is found by a
semismooth Newton method: the derivative of the projection onto the spectral ball differs from the identity only on the
rows and columns of the singular values that survive, few of them at a minimum of low rank.
"""

import abc
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import scipy.linalg
from jaxtyping import Float

_FIRST, _SHRINK = 0.2, 0.2  # the first threshold, relative to the largest singular value, and its factor a round
_INNER = 1.0  # residual of the inner problem relative to that of the outer one
_STEPS = 40  # Newton steps in a round
_ARMIJO = 1e-4
_RIDGE = 1e-6  # keeps the Newton matrix, singular where the minimum is flat and single precision, invertible
_ZERO = 1e-12  # values relative to the start that count as zero


class AbstractOperator(abc.ABC):
    """B, of orthonormal columns, from coordinates v (k,) to (p, q) matrices."""

    @property
    @abc.abstractmethod
    def shape(self) -> tuple[int, int]:
        """(p, q)."""

    @abc.abstractmethod
    def apply(self, v: np.ndarray) -> np.ndarray:
        """B v (p, q)."""

    @abc.abstractmethod
    def adjoint(self, X: np.ndarray) -> np.ndarray:
        """B^T X (k,)."""

    @abc.abstractmethod
    def left(self, U: np.ndarray) -> np.ndarray:
        """u_i^T B_l (r, q, k) for the columns of U (p, r)."""

    @abc.abstractmethod
    def right(self, V: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """rows B_l v_j (r, s, k) for the columns of V (q, r) and rows (s, p)."""


@dataclass(frozen=True, eq=False)
class NuclearProblem:
    """min over v of 1/2 sum_i h_i v_i^2 - c v + |A0 + B v|_*, B^T B = I.

    Fields: `offset` A0 (p, q); `operator` B; `curvature` h (k,) >= 0; `slope` c (k,), zero where h is; `constant`,
        added to the objective so that a relative gap means something.
    """

    offset: Float[np.ndarray, "p q"]
    operator: AbstractOperator
    curvature: Float[np.ndarray, " k"]
    slope: Float[np.ndarray, " k"]
    constant: float = 0.0


class NuclearSolution(NamedTuple):
    """Coordinates `v`; the multiplier `dual` S, |S|_2 <= 1; `objective`; `gap`, relative; `iterations`; `stop`.

    The minimum lies between objective (1 - gap) and objective. `stop`: "gap", "max_iterations" or "rounding".
    """

    v: np.ndarray
    dual: np.ndarray
    objective: float
    gap: float
    iterations: int
    stop: str


def minimise_nuclear_norm(
    problem: NuclearProblem,
    tolerance: float = 1e-7,
    max_iterations: int = 500,
    start: tuple[np.ndarray, np.ndarray] | None = None,
    watch: Callable[[int, float], None] = lambda iterations, gap: None,
) -> NuclearSolution:
    """Solve a NuclearProblem to a certified relative duality gap.

    Augmented Lagrangian: S <- P((A0 + B v) / t + S), P the projection of singular values onto [0, 1], where v minimises
    the Moreau envelope of the nuclear norm. t falls from round to round, so that few rounds are needed.

    Arguments: `problem`; `tolerance`, of the relative duality gap; `max_iterations`, Newton steps; `start`, (v, S) of a
        nearby problem; `watch`, called with iterations and gap after each round.
    Returns: NuclearSolution.
    Reference: Chen, Liu, Sun, Toh (2016), a semismooth Newton-CG based dual PPA for matrix spectral norm
        approximation, section 3.
    """
    B, h, c = problem.operator, problem.curvature, problem.slope
    v, S = (np.zeros(len(h)), np.zeros(B.shape)) if start is None else start
    M = problem.offset + B.apply(v)
    scale = max(float(np.linalg.norm(M, 2)), float(np.linalg.norm(problem.offset, 2)))
    if scale == 0.0:  # no matrix to measure by: the length of the steepest step of least squares
        scale = float(np.linalg.norm(c) ** 3 / max(float(h @ c**2), np.finfo(float).tiny)) or 1.0
    h, M, v, constant = h * scale, M / scale, v / scale, problem.constant / scale
    best = _Certificate(problem.offset / scale, B, h, c, constant)
    best.examine(v, M, S)
    t, steps, stop, stalled = _FIRST, 0, "max_iterations", 0
    if best.gap <= tolerance:
        return NuclearSolution(best.v * scale, best.S, best.primal * scale, best.gap, 0, "gap")
    while steps < max_iterations:
        state = _evaluate(B, h, c, v, M, S, t)
        for _ in range(_STEPS):
            moved = t * float(np.linalg.norm(state.S - S))
            if state.steepness <= max(0.01 * tolerance, min(0.1, _INNER * moved)):
                break
            state = _newton(B, h, c, S, t, state)
            steps += 1
            if steps >= max_iterations or state.stuck:
                break
        v, M, S = state.v, state.M, state.S
        before = best.gap
        best.examine(v, M, S)
        watch(steps, best.gap)
        if best.gap <= tolerance:
            stop = "gap"
            break
        stalled = stalled + 1 if best.gap >= 0.9 * before else 0
        if stalled >= 8:
            stop = "rounding"
            break
        t *= _SHRINK
    return NuclearSolution(best.v * scale, best.S, best.primal * scale, best.gap, steps, stop)


class _Certificate:
    """The best point and the best multiplier so far: bounds from above and below."""

    def __init__(self, offset, B, h, c, constant):
        self.offset, self.B, self.h, self.c, self.constant = offset, B, h, c, constant
        self.primal, self.dual = np.inf, -np.inf
        self.v = self.S = np.zeros(0)

    @property
    def gap(self) -> float:
        # An objective of rounding size has no relative gap.
        return float(max(0.0, self.primal - self.dual) / max(self.primal, _ZERO))

    def examine(self, v, M, S) -> None:
        h, c = self.h, self.c
        quadratic = 0.5 * float(np.sum(h * v * v)) - float(c @ v) + self.constant
        primal = quadratic + float(np.sum(scipy.linalg.svdvals(M)))
        if primal < self.primal:
            self.primal, self.v = primal, v
        # B^T S = c - h v exactly, then into the ball.
        S = S - self.B.apply(self.B.adjoint(S) - c + h * v)
        over = max(1.0, float(np.linalg.norm(S, 2)))
        left = c - (c - h * v) / over
        on = h > 0
        dual = float(np.sum(S * self.offset)) / over - 0.5 * float(np.sum(left[on] ** 2 / h[on])) + self.constant
        if dual > self.dual:
            self.dual, self.S = dual, S / over


class _State(NamedTuple):
    """A point of the inner problem: the envelope there, its gradient, and the singular vectors of A0 + B v + t S."""

    v: np.ndarray
    M: np.ndarray
    S: np.ndarray
    value: float
    gradient: np.ndarray
    steepness: float
    U: np.ndarray
    s: np.ndarray
    V: np.ndarray
    stuck: bool


def _evaluate(B: AbstractOperator, h, c, v, M, S, t) -> _State:
    U, s, Vt = scipy.linalg.svd(M + t * S, full_matrices=True, check_finite=False)
    k = len(s)
    clipped = (U[:, :k] * np.minimum(s / t, 1.0)) @ Vt[:k]
    envelope = float(np.where(s > t, s - 0.5 * t, 0.5 * s * s / t).sum())
    gradient = B.adjoint(clipped) + h * v - c
    value = envelope + 0.5 * float(np.sum(h * v * v)) - float(c @ v)
    return _State(v, M, clipped, value, gradient, float(np.linalg.norm(gradient)), U, s, Vt.T, False)


def _newton(B: AbstractOperator, h, c, S, t, state: _State) -> _State:
    """One Newton step with a line search."""
    E = _lost(B, state, t)
    step = _solve(h, t, E, state.gradient)
    change = B.apply(step)
    slope = float(state.gradient @ step)
    length = 1.0
    for _ in range(30):
        new = _evaluate(B, h, c, state.v + length * step, state.M + length * change, S, t)
        if new.value <= state.value + _ARMIJO * length * slope + 1e-13 * abs(state.value):
            return new
        length *= 0.5
    return state._replace(stuck=True)


def _solve(h: np.ndarray, t: float, E: np.ndarray, gradient: np.ndarray) -> np.ndarray:
    """-(diag(h) + (I - E^T E) / t)^-1 gradient."""
    ridge = _RIDGE
    while True:
        d = h * t + 1.0 + ridge
        if len(E) == 0:  # no singular value survives; LAPACK refuses empty matrices
            return -t * gradient / d
        try:
            if len(E) < len(d):
                F = E / np.sqrt(d).astype(E.dtype)
                small = scipy.linalg.cho_factor(np.eye(len(E)) - _gram(F.T), overwrite_a=True, check_finite=False)
                back = gradient / np.sqrt(d)
                return -t * (gradient / d + F.T @ scipy.linalg.cho_solve(small, F @ back) / np.sqrt(d))
            full = scipy.linalg.cho_factor(np.diag(d) - _gram(E), overwrite_a=True, check_finite=False)
            return -t * scipy.linalg.cho_solve(full, gradient)
        except np.linalg.LinAlgError:
            ridge *= 10.0


def _gram(E: np.ndarray) -> Float[np.ndarray, "k k"]:
    """E^T E, of which only the upper triangle is right: half the work."""
    return scipy.linalg.blas.ssyrk(  # pyright: ignore[reportAttributeAccessIssue]
        1.0, E.T, trans=0, lower=0
    ).astype(np.float64)


def _lost(B: AbstractOperator, state: _State, t: float) -> Float[np.ndarray, "e k"]:
    """E with B^T D B = I - E^T E, D the derivative of the projection onto the spectral ball at state.

    In singular vectors, with g(s) = min(s, t): symmetric parts are multiplied by (g_i - g_j) / (s_i - s_j),
    antisymmetric ones by (g_i + g_j) / (s_i + s_j); both are one where s_i and s_j are at most t. In single precision:
    the step need not be exact, the gradient is.
    """
    p, q = B.shape
    s, k = state.s, len(state.v)
    r, low = int(np.sum(s > t)), s[None, int(np.sum(s > t)) :]
    if r == 0:
        return np.zeros((0, k), np.float32)
    rows = np.matmul(state.V.T.astype(np.float32), B.left(state.U[:, :r]))  # u_i^T B v_j at [i, j], i surviving
    columns = B.right(state.V[:, :r], state.U.T)  # u_j^T B v_i at [i, j]
    high, n = s[:r, None], len(s)
    i, j = np.triu_indices(r, 1)
    root = np.sqrt(0.5)
    twisted = root * np.sqrt(np.maximum(1.0 - 2.0 * t / (s[i] + s[j]), 0.0))
    symmetric = root * np.sqrt(np.maximum(1.0 - (t - low) / (high - low), 0.0))
    skew = root * np.sqrt(np.maximum(1.0 - (t + low) / (high + low), 0.0))
    beyond = np.sqrt(1.0 - t / high)  # no partner: rows beyond the last column, or columns beyond the last row
    longer = columns[:, n:] if p > q else rows[:, n:]
    diagonal, pairs, mixed = r, len(i), r * (n - r)
    ends = np.cumsum([diagonal, pairs, pairs, mixed, mixed, r * abs(p - q)])
    E = np.empty((ends[-1], k), np.float32)
    part = np.split(E, ends[:-1])
    part[0][:] = rows[np.arange(r), np.arange(r)]
    upper, lower = rows[i, j], columns[i, j]
    part[1][:] = np.float32(root) * (upper + lower)
    part[2][:] = (upper - lower) * twisted[:, None].astype(np.float32)
    above, below = rows[:, r:n], columns[:, r:n]
    np.multiply(above + below, symmetric[..., None].astype(np.float32), out=part[3].reshape(r, n - r, k))
    np.multiply(above - below, skew[..., None].astype(np.float32), out=part[4].reshape(r, n - r, k))
    np.multiply(longer, beyond[..., None].astype(np.float32), out=part[5].reshape(r, abs(p - q), k))
    return E
