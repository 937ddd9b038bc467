"""Least squares for coefficients W in a linear space, with small ones set to zero: what sparse_dynamics solves."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from ..linalg import FoldFactors
from ..report import progress

RANK = 1e-11  # singular values of the regression below this, relative to the largest, are rounding
EXACT = 1e-10  # relative residual below which data count as free of noise
SINGLY = 60  # terms up to which they leave the path one at a time
STRIDE = 1.3  # above: all leave whose certainty is within this factor of the least
EXCHANGED = 200  # coefficients up to which terms that left are tried again
ERRORS = 2  # standard errors of a held-out difference that count as none: at one, every tenth model keeps a false term
ROUNDS = 3  # rounds in which the noise of each coordinate, and the size of a penalty, are estimated


@dataclass(frozen=True, eq=False)
class Regression:
    """A W^T = b in folds, W (n, D) within a linear space.

    Fields: `factors`, triangular factors of [A b], (r, D + n), one a fold; `counts`, rows in each; `size` (D,) and
    `unit` (n,), by which columns of A and of b are divided, so that W is multiplied by `scale` = size / unit; `basis`
    (dim, n, D) of the space in these numbers, or None where all W are allowed; `penalty` (r, n D), rows P on W, and
    `moved`, rows M, of cost weight |P W|^2 / |M W|^2; `weight`; `slack`, the part of what the equations explain that
    may be an error of the smoothed states.
    """

    factors: list[np.ndarray]
    counts: list[int]
    basis: np.ndarray | None
    size: np.ndarray
    unit: np.ndarray
    penalty: np.ndarray | None = None
    moved: np.ndarray | None = None
    weight: float = 0.0
    slack: float = 0.0

    @property
    def features(self) -> int:
        return len(self.size)

    @property
    def targets(self) -> int:
        return len(self.unit)

    @property
    def scale(self) -> np.ndarray:
        return self.size / self.unit[:, None]


class Chosen(NamedTuple):
    """The answer: `coefficients` (n, D), `deviations` (n, D), their standard deviations, and the `path` of choices.

    `path`: one row a step, (number of terms, threshold, held-out error over the noise).
    """

    coefficients: np.ndarray
    deviations: np.ndarray
    path: np.ndarray


def regression(folds: FoldFactors, basis: np.ndarray | None, size: np.ndarray, unit: np.ndarray) -> Regression:
    """The regression of rows that were reduced in folds, of which some may be empty."""
    used = [fold for fold in folds.factors if fold.rows]
    return Regression([fold.factor for fold in used], [fold.rows for fold in used], basis, size, unit)


class _Space(NamedTuple):
    """The W that are still allowed: `basis` (k, n, D) in scaled coefficients, or None with all of `alive` free."""

    alive: np.ndarray
    basis: np.ndarray | None

    def without(self, dead: np.ndarray) -> "_Space":
        """The same with further coefficients zero; those that are tied to them go too."""
        alive = self.alive & ~dead
        if self.basis is None:
            return _Space(alive, None)
        cut = self.basis[:, ~alive]
        if cut.shape[0] and cut.any():
            left, values, _ = np.linalg.svd(cut, full_matrices=True)
            rank = int(np.sum(values > RANK * max(1.0, values.max(initial=0.0))))
            basis = np.tensordot(left[:, rank:].T, self.basis, axes=1)
        else:
            basis = self.basis
        basis = np.where(alive, basis, 0.0)
        alive = alive & (np.abs(basis).max(axis=0, initial=0.0) > RANK)
        return _Space(alive, basis)


@dataclass(frozen=True, eq=False)
class _Solver:
    """Least squares in a space, with the noise of each coordinate known."""

    problem: Regression
    inverse: np.ndarray  # 1 / noise of each target
    reach: float  # |M W|, by which a penalty is measured

    def solve(self, factor: np.ndarray, count: int, space: _Space) -> tuple[np.ndarray, np.ndarray]:
        """Scaled coefficients (n, D) and their standard deviations."""
        p = self.problem
        a, b = factor[:, : p.features] / p.size, factor[:, p.features :] / p.unit * self.inverse
        n = p.targets
        found, deviation = np.zeros((n, p.features)), np.zeros((n, p.features))
        if space.basis is None:
            for i in range(n):
                on = space.alive[i]
                if on.any():
                    x, root = _least_squares(a[:, on] * self.inverse[i], b[:, i])
                    found[i, on], deviation[i, on] = x, np.linalg.norm(root, axis=0)
            return found, deviation
        if len(space.basis) == 0:
            return found, deviation
        design = np.concatenate([self.inverse[i] * (a @ space.basis[:, i].T) for i in range(n)])
        right = b.T.reshape(-1)
        if p.penalty is not None:
            strength = np.sqrt(p.weight * count * n) / self.reach
            flat = (space.basis / p.scale).reshape(len(space.basis), -1)
            rows = strength * (p.penalty @ flat.T)
            design, right = np.concatenate([design, rows]), np.concatenate([right, np.zeros(len(rows))])
        x, root = _least_squares(design, right)
        found = np.tensordot(x, space.basis, axes=1)
        deviation = np.linalg.norm(np.tensordot(root, space.basis, axes=1), axis=0)
        return found, deviation

    def error(self, factor: np.ndarray, count: int, found: np.ndarray) -> float:
        """The mean square of the residual over the noise."""
        p = self.problem
        residual = factor[:, : p.features] / p.size @ found.T - factor[:, p.features :] / p.unit
        return float(np.sum((residual * self.inverse) ** 2) / count)


def _least_squares(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The solution x of least norm, and a root C with covariance C^T C for noise one."""
    left, values, right = np.linalg.svd(a, full_matrices=False)
    inverse = np.where(values > RANK * values[0], 1 / np.where(values > 0, values, 1.0), 0.0)
    root = inverse[:, None] * right
    return root.T @ (left.T @ b), root


def fit(problem: Regression, threshold: float | str) -> Chosen:
    """Least squares, small coefficients set to zero and the rest fitted again, until no more are small.

    Arguments: `problem`; `threshold` on the original coefficients, or "auto": cross-validated, see `sparse_dynamics`.
    Returns: the coefficients.
    """
    whole, count = _joined(problem.factors), sum(problem.counts)
    n, size = problem.targets, problem.features
    space = _Space(np.ones((n, size), bool), problem.basis).without(np.zeros((n, size), bool))
    solver = _noise(problem, whole, count, space)
    if threshold == "auto":
        space, path = _cross_validated(problem, solver, whole, count, space)
    else:
        space, path = _sequential(solver, whole, count, space, float(threshold))
    found, deviation = solver.solve(whole, count, space)
    return Chosen(np.where(space.alive, found, 0.0) / problem.scale, deviation / problem.scale, path)


def _joined(factors: list[np.ndarray]) -> np.ndarray:
    stack = np.concatenate(factors)
    return stack if len(factors) == 1 else np.linalg.qr(stack)[1]


def _noise(problem: Regression, whole: np.ndarray, count: int, space: _Space) -> _Solver:
    """The noise of each coordinate, from what the largest model leaves."""
    target = whole[:, problem.features :] / problem.unit
    square = np.sum(target**2, axis=0) / count
    floor = EXACT * np.sqrt(np.where(square > 0, square, max(square.max(), 1e-300)))
    solver = _Solver(problem, 1 / np.sqrt(np.where(square > 0, square, max(square.max(), 1e-300))), np.inf)
    free = (int(space.alive.sum()) if space.basis is None else len(space.basis)) / problem.targets
    for _ in range(ROUNDS):
        found, _ = solver.solve(whole, count, space)
        left = np.sum((whole[:, : problem.features] / problem.size @ found.T - target) ** 2, axis=0)
        noise = np.maximum(np.sqrt(left / max(count - free, 1)), floor)
        reach = np.inf
        if problem.moved is not None:
            reach = max(float(np.linalg.norm(problem.moved @ (found / problem.scale).reshape(-1))), 1e-300)
        solver = _Solver(problem, 1 / noise, reach)
    return solver


def _sequential(solver: _Solver, whole, count: int, space: _Space, threshold: float) -> tuple[_Space, np.ndarray]:
    path = []
    while True:
        found, _ = solver.solve(whole, count, space)
        path.append((int(space.alive.sum()), threshold, solver.error(whole, count, found)))
        dead = space.alive & (np.abs(found / solver.problem.scale) < threshold)
        if not dead.any():
            return space, np.array(path)
        space = space.without(dead)


def _steps(solver: _Solver, whole, count: int, space: _Space) -> Iterator[tuple[_Space, float]]:
    """Ever smaller spaces: the coefficients least certain against their deviation go first, and stay away."""
    level = 0.0
    while True:
        yield space, level
        if not space.alive.any():
            return
        found, deviation = solver.solve(whole, count, space)
        certain = np.where(space.alive, np.abs(found) / np.where(deviation > 0, deviation, np.inf), np.inf)
        least = float(certain.min())
        level = max(level, least)
        together = STRIDE if space.alive.sum() > SINGLY else 1.0
        space = space.without(space.alive & (certain <= least * together))


@dataclass(frozen=True, eq=False)
class _Judge:
    """Held-out errors of spaces, fold by fold; what came out best, and how much worse still counts as good."""

    solver: _Solver
    rest: list[np.ndarray]  # for each fold, the factor of all others

    def errors(self, space: _Space) -> np.ndarray:
        """One for each fold."""
        p, total = self.solver.problem, sum(self.solver.problem.counts)
        found = [self.solver.solve(rest, total - own, space)[0] for rest, own in zip(self.rest, p.counts, strict=True)]
        return np.array([self.solver.error(f, c, w) for f, c, w in zip(p.factors, p.counts, found, strict=True)])

    def good(self, errors: np.ndarray, best: np.ndarray, worst: float) -> bool:
        """Whether the excess over the best is within its own error, and that of the states.

        Arguments: `errors` and those of the `best` model, (folds,); `worst`, the mean error of F = 0.
        """
        p = self.solver.problem
        total = sum(p.counts)
        share = np.array(p.counts) / total
        excess = errors - best
        spread = np.sqrt((excess - excess @ share) ** 2 @ share / max(len(share) - 1, 1))
        return bool(excess @ share <= ERRORS * spread + 1 / total + p.slack * (worst - best @ share))


def _cross_validated(problem: Regression, solver: _Solver, whole, count: int, space: _Space):
    folds = len(problem.factors)
    if folds < 2:
        return space, np.array([(int(space.alive.sum()), 0.0, np.nan)])
    judge = _Judge(solver, [_joined([f for j, f in enumerate(problem.factors) if j != i]) for i in range(folds)])
    spaces, levels, errors = [], [], []
    for now, level in progress(_steps(solver, whole, count, space), None, "thresholds"):
        errors.append(judge.errors(now))
        spaces.append(now)
        levels.append(level)
    share = np.array(problem.counts) / count
    mean = np.array(errors) @ share
    best, worst = errors[int(np.argmin(mean))], float(mean[-1])
    # The sparsest that predicts as well as the best.
    last = max(i for i, one in enumerate(errors) if judge.good(one, best, worst))
    terms = [int(s.alive.sum()) for s in spaces]
    path = np.stack([terms, levels, mean], axis=1)
    if terms[0] > EXCHANGED:
        return spaces[last], path
    left = [a.alive & ~b.alive for a, b in pairwise(spaces)]
    chosen, error = spaces[last], float(mean[last])
    for _ in range(terms[0]):
        found = _exchange(judge, space, chosen, error, left, lambda one: judge.good(one, best, worst))
        if found is None:
            break
        chosen, error = found
        path = np.concatenate([path, [[int(chosen.alive.sum()), np.nan, error]]])
    return chosen, path


def _exchange(judge: _Judge, whole: _Space, chosen: _Space, error: float, groups: list[np.ndarray], good: Callable):
    """A sparser space that is good, or one as sparse with less error: a term that left comes back, and others go.

    Terms that do the work of one true term together can push it out of the path early.
    Arguments: `whole`, all that is
    allowed; `chosen` with its `error`; `groups`, masks of terms that left together; `good` on errors of folds.
    Returns: the best found and its error, or None.
    """
    problem = judge.solver.problem
    factor, count = _joined(problem.factors), sum(problem.counts)
    share = np.array(problem.counts) / count
    size, best = int(chosen.alive.sum()), None
    for group in groups:
        if (chosen.alive & group).any():
            continue
        start = whole.without(~(chosen.alive | group))
        for now, _ in _steps(judge.solver, factor, count, start):
            terms = int(now.alive.sum())
            if terms > size or not now.alive.any() or (now.alive == chosen.alive).all():
                continue
            errors = judge.errors(now)
            mean = float(errors @ share)
            if not good(errors):
                break
            better = (size, error) if best is None else best[:2]
            if (terms, mean) < better:
                best = terms, mean, now
    return None if best is None else (best[2], best[1])
