"""Least squares among functions that keep symmetries exactly: what is promoted is not shrunk."""

from dataclasses import dataclass, replace
from functools import cached_property
from math import comb

import numpy as np
from jaxtyping import Float, Int
from scipy.stats import f

from ..linalg import NuclearRegression, annihilating, decide, low_rank_least_squares, ridge_regression, right_singular
from ._rows import Rows
from ._task import Coordinates, Task

_RIDGES = np.logspace(-8, 2, 31)  # tried, relative to the sum of weights
_PRIORS = np.logspace(-9, 2, 23)  # the same for the evidence, where the best is looked for
_STARTS = (1e-3, 1e-2, 0.1)  # the same for ridge regressions that propose symmetries
_STRONG = 3.0  # log odds against a structure, at least
_STEADY = 1e-3  # ridge, relative, under which symmetries are sought in a part of the data
_DENSE = 2**24  # entries of L_F as an array, up to which symmetries are refined
_STEPS = 8  # of the refinement without a fold, from the solution on all data
_SAME = 1e-3  # relative distance at which two refits are one
_TRIED = 0.95  # least cosine at which directions of equal number count as tried
_NOTHING = 1e-6  # functions, relative to others, that are not there but for rounding
_SURE = 0.99  # of the test whether symmetries are those that were given
_EXACT = 1e-12  # squared residuals, relative, that are rounding
_EXACTLY = 1e-6  # singular values of L_F, relative to the largest, that vanish after a refinement


@dataclass(frozen=True, eq=False)
class Structure:
    """Functions that keep the same number of candidates, near one of them, in coordinates of a frame.

    Fields: `directions` (q, kept), these candidates; `vector` (k,), the best of them; `basis` (k, d), the functions
        with exactly its symmetries; `changes` (k, e), its changes that keep the number, to first order.
    """

    directions: Float[np.ndarray, "q kept"]
    vector: Float[np.ndarray, " k"]
    basis: Float[np.ndarray, "k d"]
    changes: Float[np.ndarray, "k e"]

    @property
    def kept(self) -> int:
        """How many candidates are kept."""
        return self.directions.shape[1]


@dataclass(frozen=True, eq=False)
class Refit:
    """The regression as refits see it.

    Fields: `task`; `frame`, coordinates of functions; `operator` (p, q, k), L_F as an array in these,
        None where it is too large; `deviations` (M,), the standard deviation of each function over the data; `prior`
        (M,), the same, or its size where it does not vary; `ridges`, to choose from; `numbers` (H,), the finite
        elements that all functions keep, and `whole`, the refit of all functions, where that is another.
    """

    task: Task
    frame: Coordinates
    operator: Float[np.ndarray, "p q k"] | None
    deviations: Float[np.ndarray, " M"]
    prior: Float[np.ndarray, " M"]
    ridges: Float[np.ndarray, " r"]
    numbers: Int[np.ndarray, " H"]
    whole: "Refit | None" = None

    @property
    def rows(self) -> Rows:
        """The data."""
        return self.task.rows

    @property
    def candidates(self) -> int:
        """How many candidates there are."""
        return self.task.motions.shape[1]

    def structure(self, v: Float[np.ndarray, " k"], kept: int) -> Structure | None:
        """The best function near v that keeps so many candidates exactly, or more; None where there is none."""
        if self.operator is None:
            return None
        curvature, slope = self._curved(self.rows, 0.0)
        found = low_rank_least_squares(self.operator, curvature, slope, v, self.candidates - kept)
        if not found.settled:
            return None
        s = np.linalg.svd(self.operator @ found.vector, compute_uv=False)
        more = self.candidates - len(s) + decide(s, tolerance=_EXACTLY * s[0]).count
        if more > kept:  # the function has more symmetries than were asked for
            found = low_rank_least_squares(self.operator, curvature, slope, found.vector, self.candidates - more)
            if not found.settled:
                return None
        functions = annihilating(self.operator, found.annihilated)
        return Structure(found.annihilated, found.vector, functions, found.tangent)

    def free(self) -> Structure:
        """All functions: nothing is kept."""
        every = np.eye(self.frame.basis.shape[1])
        return Structure(np.zeros((self.candidates, 0)), np.zeros(len(every)), every, every)

    def fixed(self) -> Structure:
        """Functions that no candidate changes: all are kept."""
        nothing = np.zeros((self.frame.basis.shape[1], 0))
        return Structure(np.eye(self.candidates), np.zeros(len(nothing)), nothing, nothing)

    def snapped(self, structure: Structure) -> Structure | None:
        """The functions that keep as many candidates as they were given, the nearest to those that a structure keeps.

        Nothing has to be found for them but coefficients, so that they have more evidence where the data cannot tell.
        None where there are no such functions, or where the data can tell: an F test at 1 %.
        """
        if self.operator is None:
            return None
        given = self.task.given
        near = np.argsort(-np.linalg.norm(given @ structure.directions, axis=1), kind="stable")[: structure.kept]
        functions = annihilating(self.operator, np.linalg.qr(given[near].T)[0])
        if functions.shape[1] == 0:
            return None
        moved, values, count = self._reduced
        vector = functions @ np.linalg.lstsq(moved @ functions, values)[0]
        most = float(np.sum((moved @ vector - values) ** 2))
        least = float(np.sum((moved @ structure.vector - values) ** 2)) + _EXACT * float(values @ values)
        more, free = structure.changes.shape[1] - functions.shape[1], count - structure.changes.shape[1]
        if more <= 0 or free <= 0 or (most - least) / more > f.ppf(_SURE, more, free) * least / free:
            return None
        # Together they may keep more than they were chosen to.
        moves = np.moveaxis(self.operator @ functions, 1, 2).reshape(-1, self.candidates)
        s, turn = right_singular(moves)
        directions = turn[s <= _EXACTLY * s[0]].T
        return Structure(directions, vector, functions, functions)

    def shrunk(self) -> Float[np.ndarray, "s M"]:
        """Ridge regressions of all functions."""
        design, values = self.rows.system()
        every = np.eye(len(self.deviations))
        return np.stack([self._least(design, values, every, self.rows.weight * s) for s in _STARTS])

    def solved(self, structure: Structure, ridge: float) -> Float[np.ndarray, " M"]:
        """Least squares with a ridge term among functions of the structure."""
        return self._least(*self.rows.system(), self._full(structure.basis), ridge)

    def evidence(self, structure: Structure) -> float:
        """The logarithm of the odds of the structure: its marginal likelihood times its prior probability.

        Likelihood: the structure is taken for the linear space of its changes, in which its functions lie, too, so
        that what has to be estimated to find the symmetries is paid for. Functions that nothing changes are in every
        structure, and free.

        Prior: the best of many structures looks better than it is. To keep nothing and to keep everything are one
        choice each; others share the same as equals, as many as there are ways to choose candidates that generate
        them, and at least 20 (a logarithm of 3 is strong evidence: Kass, Raftery, Bayes factors, 1995, section 3.2).
        """
        whole = self if self.whole is None else self.whole
        changes = structure.changes if whole is self else whole.coordinates(self._full(structure.changes))
        moved, values, count = whole._reduced
        penalty = self.prior[:, None] * (whole.frame.basis @ changes)
        fit = ridge_regression(moved @ changes, penalty, values)
        found = fit.log_evidence(self.rows.weight * _PRIORS, count)
        elements = self.task.elements
        finite = 0 if elements is None else int(elements.holding(self.numbers).sum())
        if structure.kept + finite in (0, self.task.columns.shape[1]):
            return found
        ways = 1
        if structure.kept not in (0, self.candidates):
            ways = comb(self.candidates, min(self.task.generating(structure.directions.T), self.candidates))
        if elements is not None:
            ways *= comb(elements.count, elements.needed(self.numbers))
        return found - max(_STRONG, float(np.log(ways)))

    def coordinates(self, functions: Float[np.ndarray, "M d"]) -> Float[np.ndarray, "k e"]:
        """An orthonormal basis of what some functions are besides those that nothing changes."""
        gram = self.task.columns.gram
        size = np.sqrt(np.diag(gram).max(initial=0.0)) * np.linalg.norm(functions, axis=0).max(initial=0.0)
        left, s, _ = np.linalg.svd(self.frame.basis.T @ (gram @ functions), full_matrices=False)
        return left[:, s > _NOTHING * size]

    def ridge(self, structure: Structure) -> float:
        """The strength of the ridge term of least error on examples left out one by one."""
        if len(self.ridges) == 1:
            return float(self.ridges[0])
        design, values = self.rows.system()
        changes = self._full(structure.changes)
        fit = ridge_regression(design @ changes, self.deviations[:, None] * changes, values)
        errors = sum(fit.left_out(self.ridges, *equations) for equations in self.task.singly(changes))
        return float(self.ridges[np.argmin(errors)])

    def errors(self, structure: Structure, ridge: float) -> Float[np.ndarray, " folds"]:
        """The mean squared error on each fold: symmetries are found anew without the fold."""
        out = np.empty(len(self.task.folds.each))
        for fold, (inside, outside) in enumerate(zip(self.task.folds.others, self.task.folds.each, strict=True)):
            share = inside.weight / self.rows.weight
            changes = structure.changes
            if self.operator is not None and structure.changes.shape[1] > structure.basis.shape[1]:
                curvature, slope = self._curved(inside, _STEADY)
                rank = self.candidates - structure.kept
                changes = low_rank_least_squares(
                    self.operator, curvature, slope, structure.vector, rank, _STEPS
                ).tangent
            W = self._least(*inside.system(), self._full(changes), ridge * share)
            W = W.reshape(self.rows.outputs, self.rows.functions)
            out[fold] = outside.error(W, inside.intercepts(W))
        return out

    def _least(self, design: np.ndarray, values: np.ndarray, basis: np.ndarray, ridge: float) -> np.ndarray:
        if basis.shape[1] == 0:
            return np.zeros(len(basis))
        weighted = np.sqrt(ridge) * self.deviations[:, None] * basis
        system, right = np.concatenate([design @ basis, weighted]), np.concatenate([values, np.zeros(len(basis))])
        return basis @ np.linalg.lstsq(system, right)[0]

    @cached_property
    def _reduced(self) -> tuple[np.ndarray, np.ndarray, int]:
        """Equations for the coordinates v, few, functions that nothing changes fitted away, and how many there were."""
        moved, values, free = self._moved(self.rows)
        count = round(self.task.survey.observed * self.rows.outputs) - free
        if len(values) > moved.shape[1] + 1:
            factor = np.asarray(np.linalg.qr(np.concatenate([moved, values[:, None]], axis=1), mode="r"))
            moved, values = factor[:, :-1], factor[:, -1]
        return moved, values, count

    def _moved(self, rows: Rows) -> tuple[np.ndarray, np.ndarray, int]:
        design, values = rows.system()
        moved = design @ self.frame.basis
        if not self.frame.kernel.shape[1]:
            return moved, values, 0
        q = np.linalg.qr(design @ self.frame.kernel)[0]
        left = values - q @ (q.T @ values)
        if left @ left <= _EXACT**2 * (values @ values):  # they explain everything: what is left is rounding
            left = np.zeros_like(left)
        return moved - q @ (q.T @ moved), left, q.shape[1]

    def _curved(self, rows: Rows, ridge: float) -> tuple[np.ndarray, np.ndarray]:
        """Curvature and slope of the misfit in coordinates v, functions that nothing changes fitted away."""
        moved, values, _ = self._moved(rows)
        weighted = self.deviations[:, None] * self.frame.basis
        curvature = moved.T @ moved + ridge * rows.weight * (weighted.T @ weighted)
        return curvature, moved.T @ values

    def _full(self, coordinates: Float[np.ndarray, "k d"]) -> Float[np.ndarray, "M e"]:
        """As coefficients, with the functions that nothing changes."""
        return np.concatenate([self.frame.basis @ coordinates, self.frame.kernel], axis=1)


def refit_of(task: Task, problem: NuclearRegression, ridge: float | None, choose: bool) -> Refit:
    """Set up refits of all functions, in the coordinates of a problem; `ridge`, the one that is given; else those to
    `choose` from, or none."""
    rows = task.rows
    if ridge is not None:
        ridges = np.array([ridge])
    else:
        ridges = rows.weight * _RIDGES if choose else np.zeros(1)
    deviations, m = rows.deviations, rows.outputs
    prior = np.where(deviations > 0, deviations, rows.lengths)
    none = np.zeros(1, np.int64) if task.elements is None else task.elements.still
    frame = Coordinates(problem.basis, problem.kernel)
    operator = _operator(task, frame)
    return Refit(task, frame, operator, np.tile(deviations, m), np.tile(prior, m), ridges, none)


def keeping(refit: Refit, numbers: Int[np.ndarray, " H"]) -> Refit:
    """The refit of the functions that a finite subgroup keeps, from that of all."""
    task = refit.task
    if task.elements is None:
        return refit
    frame = task.among(task.elements.invariant(numbers))
    return replace(refit, frame=frame, operator=_operator(task, frame), numbers=numbers, whole=refit)


def _operator(task: Task, frame: Coordinates) -> Float[np.ndarray, "p q k"] | None:
    p, q = task.motions.shape
    return task.motions.dense(frame.basis) if p * q * frame.basis.shape[1] <= _DENSE else None


def tried(directions: Float[np.ndarray, "q s"], others: list[Float[np.ndarray, "q s"]]) -> bool:
    """Whether a space of directions is close to one of the others, of the same dimension."""
    return any(np.linalg.svd(directions.T @ other, compute_uv=False).min() > _TRIED for other in others)


def same(one: Structure, other: Structure) -> bool:
    """Whether two structures are one."""
    if one.kept != other.kept or one.changes.shape[1] != other.changes.shape[1]:
        return False
    size = max(float(np.linalg.norm(one.vector)), np.finfo(float).tiny)
    return bool(np.linalg.norm(one.vector - other.vector) <= _SAME * size)
