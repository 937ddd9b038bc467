"""Least squares among functions that keep symmetries exactly: what is promoted is not shrunk."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from ..linalg import Columns, NuclearRegression, annihilating, low_rank_least_squares
from ._rows import Rows

_RIDGES = np.array([1e-8, 1e-6, 1e-4, 1e-3, 1e-2, 3e-2, 0.1, 0.3, 1.0])  # tried, relative to the sum of weights
_STEADY = 1e-3  # ridge, relative, under which symmetries are sought in a part of the data
_DENSE = 2**24  # entries of L_F as an array, up to which symmetries are refined
_STEPS = 8  # of the refinement without a fold, from the solution on all data
_SAME = 1e-3  # relative distance at which two refits are one
_TRIED = 0.95  # least cosine at which directions of equal number count as tried


@dataclass(frozen=True, eq=False)
class Structure:
    """Functions that keep the same number of candidates, near one of them.

    Fields: `kept`, that number; `vector` (k,), the best of them, in coordinates of `problem`; `basis` (M, d), the
        functions with exactly its symmetries; `changes` (M, e), its changes that keep the number, to first order.
    """

    kept: int
    vector: Float[np.ndarray, " k"]
    basis: Float[np.ndarray, "M d"]
    changes: Float[np.ndarray, "M e"]


@dataclass(frozen=True, eq=False)
class Refit:
    """The regression as refits see it.

    Fields: `rows`; `columns` A; `problem`, whose coordinates are used; `operator` (p, q, k), A as an array in these,
        None where it is too large; `deviations` (M,), the standard deviation of each function over the data; `ridges`,
        to choose from.
    """

    rows: Rows
    columns: Columns
    problem: NuclearRegression
    operator: Float[np.ndarray, "p q k"] | None
    deviations: Float[np.ndarray, " M"]
    ridges: Float[np.ndarray, " r"]

    @property
    def candidates(self) -> int:
        """How many candidates there are."""
        return self.columns.shape[1]

    def structure(self, v: Float[np.ndarray, " k"], kept: int) -> Structure | None:
        """The best function near v that keeps so many candidates exactly; None where there is none."""
        if self.operator is None:
            return None
        curvature, slope = self._curved(self.rows, 0.0)
        found = low_rank_least_squares(self.operator, curvature, slope, v, self.candidates - kept)
        if not found.settled:
            return None
        functions = annihilating(self.operator, found.annihilated)
        return Structure(found.annihilated.shape[1], found.vector, self._full(functions), self._full(found.tangent))

    def free(self) -> Structure:
        """All functions: nothing is kept."""
        every = np.eye(len(self.deviations))
        return Structure(0, np.zeros(self.problem.basis.shape[1]), every, every)

    def fixed(self) -> Structure:
        """Functions that no candidate changes: all are kept."""
        nothing = np.zeros(self.problem.basis.shape[1])
        basis = self._full(np.zeros((len(nothing), 0)))
        return Structure(self.candidates, nothing, basis, basis)

    def solved(self, structure: Structure, ridge: float) -> Float[np.ndarray, " M"]:
        """Least squares with a ridge term among functions of the structure."""
        return self._least(*self.rows.system(), structure.basis, ridge)

    def errors(self, structure: Structure, part: np.ndarray, folds: int) -> Float[np.ndarray, "folds r"]:
        """The mean squared error on each fold, for each ridge term: symmetries are found anew without the fold."""
        out = np.empty((folds, len(self.ridges)))
        m, size = self.rows.y.shape[1], self.rows.features.shape[1]
        for fold in range(folds):
            inside, outside = self.rows.subset(part != fold), self.rows.subset(part == fold)
            share = float(inside.weights.sum() / self.rows.weights.sum())
            changes = structure.changes
            if 0 < structure.kept < self.candidates and self.operator is not None:
                curvature, slope = self._curved(inside, _STEADY)
                rank = self.candidates - structure.kept
                anew = low_rank_least_squares(self.operator, curvature, slope, structure.vector, rank, _STEPS)
                changes = self._full(anew.tangent)
            design, values = inside.system()
            for i, ridge in enumerate(self.ridges):
                W = self._least(design, values, changes, ridge * share).reshape(m, size)
                out[fold, i] = outside.error(W, inside.intercepts(W))
        return out

    def _least(self, design: np.ndarray, values: np.ndarray, basis: np.ndarray, ridge: float) -> np.ndarray:
        if basis.shape[1] == 0:
            return np.zeros(len(basis))
        weighted = np.sqrt(ridge) * self.deviations[:, None] * basis
        system, right = np.concatenate([design @ basis, weighted]), np.concatenate([values, np.zeros(len(basis))])
        return basis @ np.linalg.lstsq(system, right)[0]

    def _curved(self, rows: Rows, ridge: float) -> tuple[np.ndarray, np.ndarray]:
        """Curvature and slope of the misfit in coordinates v, functions that nothing changes fitted away."""
        design, values = rows.system()
        moved = design @ self.problem.basis
        if self.problem.kernel.shape[1]:
            q = np.linalg.qr(design @ self.problem.kernel)[0]
            moved, values = moved - q @ (q.T @ moved), values - q @ (q.T @ values)
        weighted = self.deviations[:, None] * self.problem.basis
        curvature = moved.T @ moved + ridge * rows.weights.sum() * (weighted.T @ weighted)
        return curvature, moved.T @ values

    def _full(self, coordinates: Float[np.ndarray, "k d"]) -> Float[np.ndarray, "M e"]:
        """As coefficients, with the functions that nothing changes."""
        return np.concatenate([self.problem.basis @ coordinates, self.problem.kernel], axis=1)


def refit_of(
    rows: Rows,
    columns: Columns,
    problem: NuclearRegression,
    deviations: Float[np.ndarray, " D"],
    ridge: float | None,
    choose: bool,
) -> Refit:
    """Set up refits; `ridge`, the one that is given; else those to `choose` from, or none."""
    p, q = columns.shape
    fits = p * q * problem.basis.shape[1] <= _DENSE
    operator = columns.dense(problem.basis) if fits else None
    if ridge is not None:
        ridges = np.array([ridge])
    else:
        ridges = rows.weights.sum() * _RIDGES if choose else np.zeros(1)
    return Refit(rows, columns, problem, operator, np.tile(deviations, rows.y.shape[1]), ridges)


def tried(directions: Float[np.ndarray, "q s"], others: list[Float[np.ndarray, "q s"]]) -> bool:
    """Whether a space of directions is close to one of the others, of the same dimension."""
    return any(np.linalg.svd(directions.T @ other, compute_uv=False).min() > _TRIED for other in others)


def same(one: Structure, other: Structure) -> bool:
    """Whether two structures are one."""
    if one.kept != other.kept:
        return False
    size = max(float(np.linalg.norm(one.vector)), np.finfo(float).tiny)
    return float(np.linalg.norm(one.vector - other.vector)) <= _SAME * size
