"""A regression as it is solved: everything in units of its own, candidates orthonormal, columns of L_F made once."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Num

from ..action import AbstractAction, AbstractFibreAction, check_same_algebra, without_elements
from ..algebra import LieAlgebra, Span
from ..dictionary import AbstractDictionary
from ..linalg import Columns, MatrixStack, NuclearRegression, nuclear_regression
from ._candidates import effective
from ._examples import Examples
from ._family import lie_columns, measure
from ._group_columns import Elements, elements_of
from ._measure import Measure
from ._rows import Folds, Rows, Survey, reduced, surveyed
from ._settings import Settings
from ._units import Units, units_of

_CLOSED = 1e-4  # brackets of symmetries of a function, relative to those of the candidates, that are rounding
SPARE = 200  # points more than candidates at which candidates, or the fitted function, are examined
_AT_ONCE = 2**11  # examples whose equations are formed at a time


class Family(NamedTuple):
    """What a user promotes, as it was given: the functions, how candidates act, and where and how L_F is measured."""

    dictionary: AbstractDictionary
    source: AbstractAction
    target: AbstractFibreAction
    collocation: str | Num[np.ndarray, "C n"]
    inner: Num[np.ndarray, "q q"] | None


class Coordinates(NamedTuple):
    """Functions w = C v + K u, as in NuclearRegression: nothing changes K u, and what changes C v has length |v|.

    Fields: `basis` C; `kernel` K.
    """

    basis: Float[np.ndarray, "M k"]
    kernel: Float[np.ndarray, "M f"]


@dataclass(frozen=True, eq=False)
class Task:
    """What is solved.

    Fields: `dictionary`, `algebra` of the candidates, `target`, as given; `units`; `folds`, all examples as few rows;
        `survey` of them; `motions`, L_F on the e candidates that move something, in the orthonormal basis `candidates`
        (e, q); `still` (q - e, q), those that move nothing; `elements`, the finite ones, if any; `columns` A, of both,
        whose nuclear norm is promoted; `where`, the measure of L_F or points, in inner coordinates.
    """

    dictionary: AbstractDictionary
    algebra: LieAlgebra | Span
    target: AbstractFibreAction
    units: Units
    folds: Folds
    survey: Survey
    motions: Columns
    elements: Elements | None
    columns: Columns
    candidates: Float[np.ndarray, "e q"]
    still: Float[np.ndarray, "i q"]
    where: Measure | Float[np.ndarray, "C n"]

    @property
    def rows(self) -> Rows:
        """All examples."""
        return self.folds.whole

    def points(self, count: int, seed: int) -> Float[np.ndarray, "C n"]:
        """Points of the measure, in the user's units."""
        z = self.where.sample(count, seed) if isinstance(self.where, Measure) else self.where
        return self.units.centre + self.units.scale * z

    def problem(self, ridge: float | None, rows: Rows | None = None) -> NuclearRegression:
        """Least squares, with a ridge term, and the nuclear norm of A(W) for any strength, on all or some rows."""
        rows = self.rows if rows is None else rows
        design, values = rows.system()
        if ridge:
            weighted = np.sqrt(ridge) * np.diag(np.tile(self.rows.deviations, rows.outputs))
            design = np.concatenate([design, weighted])
            values = np.concatenate([values, np.zeros(len(weighted))])
        return nuclear_regression(self.columns, design, values)

    def among(self, functions: Float[np.ndarray, "M d"]) -> "Coordinates":
        """The same for L_F alone and combinations of some functions."""
        design, values = self.rows.system()
        dense = (self.motions.tall @ functions).reshape(*self.motions.stack.shape[:2], functions.shape[1])
        small = Columns(MatrixStack.from_dense(dense), self.motions.factor)
        found = nuclear_regression(small, design @ functions, values)
        return Coordinates(functions @ found.basis, functions @ found.kernel)

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

    def singly(self, basis: Float[np.ndarray, "M d"]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """The equations of single examples, those of the sample, for coordinates in a basis of the coefficients: blocks
        of rows, each times the root of its weight, and their values."""
        _, x, y, weights, _ = self.survey.sample
        each = basis.reshape(self.rows.outputs, self.rows.functions, -1)
        for start in range(0, len(x), _AT_ONCE):
            here = slice(start, start + _AT_ONCE)
            features, values = self._features[here], y[here] / self.units.outputs
            if self.rows.intercept:
                features, values = features - self.rows.mean[0], values - self.rows.mean[1]
            root = np.sqrt(weights[here])
            for output, coordinates in enumerate(each):
                yield root[:, None] * (features @ coordinates), root * values[:, output]

    @cached_property
    def _features(self) -> Float[np.ndarray, "S D"]:
        return self.units.features(self.dictionary, self.survey.sample.x)


def task_of(family: Family, examples: Examples, settings: Settings) -> Task:
    """Set up a regression on checked data."""
    dictionary, source, target, collocation, inner = family
    check_same_algebra(source, target)
    survey = surveyed(examples, source.width)
    x = survey.sample.x
    with np.errstate(all="ignore"):
        units = units_of(survey.inputs, survey.outputs, x, dictionary, source, target)
    folds = reduced(examples, units, dictionary, settings.folds, settings.intercept)
    where = measure(collocation, units, survey.inputs, x)
    q = source.algebra.dim
    sampled = None
    if units.source is source:
        sampled = where.sample(2 * q + SPARE, settings.seed) if isinstance(where, Measure) else where
    elements = elements_of(dictionary, source, target, units, survey.inputs, where, settings.seed)
    if q or elements is None:
        moving, onto = without_elements(units.source), without_elements(target)
        candidates, still = effective(moving, onto, inner, sampled, units.spread)
        motions = lie_columns(dictionary, moving, onto, where, candidates, units.sizes, settings.seed)
    else:
        candidates = still = np.zeros((0, 0))
        nothing = MatrixStack.from_entries((0, 0, dictionary.size * target.width), np.zeros((3, 0)), np.zeros(0))
        motions = Columns(nothing, np.zeros((0, 0)))
    columns = motions if elements is None else elements.beside(motions)
    return Task(
        dictionary,
        source.algebra,
        target,
        units,
        folds,
        survey,
        motions,
        elements,
        columns,
        candidates,
        still,
        where,
    )
