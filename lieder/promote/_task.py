"""A regression as it is solved: everything in units of its own, candidates orthonormal, columns of L_F made once."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from ..action import AbstractAction, AbstractFibreAction, check_same_algebra
from ..algebra import LieAlgebra, Span
from ..dictionary import AbstractDictionary
from ..linalg import Columns, NuclearRegression, nuclear_regression
from ..sampling import distinct_rows
from ._candidates import effective
from ._family import lie_columns, measure
from ._measure import Measure
from ._rows import Rows, check_finite
from ._units import Units, units_of

_CLOSED = 1e-4  # brackets of symmetries of a function, relative to those of the candidates, that are rounding
SPARE = 200  # points more than candidates at which candidates, or the fitted function, are examined


@dataclass(frozen=True, eq=False)
class Task:
    """What is solved.

    Fields: `dictionary`, `algebra` of the candidates, `target`, as given; `units`; `rows`; `columns` A, of the e
        candidates that move something, in the orthonormal basis `candidates` (e, q); `still` (q - e, q), those that
        move nothing; `where`, the measure of L_F or points, in inner coordinates; `inputs` (N,), which distinct
        input each example has.
    """

    dictionary: AbstractDictionary
    algebra: LieAlgebra | Span
    target: AbstractFibreAction
    units: Units
    rows: Rows
    columns: Columns
    candidates: Float[np.ndarray, "e q"]
    still: Float[np.ndarray, "i q"]
    where: Measure | Float[np.ndarray, "C n"]
    inputs: Int[np.ndarray, " N"]

    def points(self, count: int, seed: int) -> Float[np.ndarray, "C n"]:
        """Points of the measure, in the user's units."""
        z = self.where.sample(count, seed) if isinstance(self.where, Measure) else self.where
        return self.units.centre + self.units.scale * z

    def problem(self, ridge: float | None, rows: Rows | None = None) -> NuclearRegression:
        """Least squares, with a ridge term, and the nuclear norm of A(W) for any strength, on all or some rows."""
        rows = self.rows if rows is None else rows
        design, values = rows.system()
        if ridge:
            weighted = np.sqrt(ridge) * np.diag(np.tile(self.deviations, rows.y.shape[1]))
            design = np.concatenate([design, weighted])
            values = np.concatenate([values, np.zeros(len(weighted))])
        return nuclear_regression(self.columns, design, values)

    @property
    def given(self) -> Float[np.ndarray, "q e"]:
        """The candidates as they were given, of length one, in the basis `candidates`; what moves nothing left out."""
        basis = np.concatenate([self.candidates, self.still])
        found = np.linalg.inv(basis)[:, : len(self.candidates)]
        length = np.linalg.norm(found, axis=1)
        moving = length > _CLOSED * length.max()
        return found[moving] / length[moving, None]

    def generating(self, kept: Float[np.ndarray, "s e"]) -> int:
        """How many elements generate a closed set of candidates: as many as are no brackets, or two."""
        algebra = self.algebra
        if isinstance(algebra, Span):
            return 2
        few = np.random.default_rng(0).normal(size=(4, len(kept))) @ kept  # generic: their brackets are all brackets

        def sizes(rows: np.ndarray) -> np.ndarray:
            left, right = np.repeat(rows, len(few), axis=0), np.tile(few, (len(rows), 1))
            found = algebra.bracket(left @ self.candidates, right @ self.candidates)
            return np.linalg.svd(found, compute_uv=False)

        brackets, scale = sizes(kept), sizes(np.eye(len(self.candidates)))[0]
        return max(2, len(kept) - int(np.sum(brackets > _CLOSED * scale)))

    @property
    def deviations(self) -> Float[np.ndarray, " D"]:
        """The standard deviation of each function over the data: what a ridge term is taken relative to."""
        rows = self.rows
        weights = rows.weights / rows.weights.sum()
        away = rows.features - weights @ rows.features
        found = np.sqrt(weights @ away**2)
        return np.where(found > 1e-12 * np.sqrt(weights @ rows.features**2), found, 0.0)


def task_of(
    dictionary: AbstractDictionary,
    source: AbstractAction,
    target: AbstractFibreAction,
    x: Float[np.ndarray, "N n"],
    y: Float[np.ndarray, "N m"],
    weights: Float[np.ndarray, " N"],
    intercept: bool,
    collocation,
    inner,
    seed: int,
) -> Task:
    """Set up a regression on checked data."""
    check_same_algebra(source, target)
    with np.errstate(all="ignore"):
        units = units_of(x, y, weights, dictionary, source, target)
        features = units.features(dictionary, x)
    check_finite(features, x)
    where = measure(collocation, units, x)
    q = source.algebra.dim
    sampled = None
    if units.source is source:
        sampled = where.sample(2 * q + SPARE, seed) if isinstance(where, Measure) else where
    candidates, still = effective(units.source, target, inner, sampled, units.spread)
    columns = lie_columns(dictionary, units.source, target, where, candidates, units.sizes, seed)
    rows = Rows(features, y / units.outputs, weights, intercept)
    return Task(dictionary, source.algebra, target, units, rows, columns, candidates, still, where, distinct_rows(x))
