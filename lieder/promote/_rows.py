"""Examples reduced to triangular factors, one a fold: what is solved afterwards costs the same for any number."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property, partial
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from ..dictionary import AbstractDictionary
from ..linalg import FoldFactors
from ..sampling import Moments, Sample, row_keys
from ._examples import Batch, Examples
from ._units import Units

EXAMPLES = 2**13  # examples, at most, at which errors of single ones are measured
_BLOCK = 2**21  # numbers of features at a time: long blocks are what factorisations are fast on
_LEAST = 2**10  # examples at a time, at least


class Survey(NamedTuple):
    """What is known of examples before any function is evaluated.

    Fields: `count`; `observed`, how many that is: whole weights say how often each was, others how precisely; `inputs`
        and `outputs`, weighted; `kept`, at most EXAMPLES of them.
    """

    count: int
    observed: float
    inputs: Moments
    outputs: Moments
    kept: Sample

    @property
    def sample(self) -> Batch:
        """The examples that are kept."""
        return Batch(*self.kept.columns)


def surveyed(examples: Examples, width: int) -> Survey:
    """One pass over the examples; `width` of their inputs."""
    whole, found = examples.over(partial(_seen, width, examples.outputs), _both_seen, _LEAST * 8)
    return found._replace(observed=found.inputs.weight if whole else float(found.count))


def _seen(width: int, outputs: int, batches: Iterable[Batch]) -> tuple[bool, Survey]:
    """Of some batches, and whether weights are whole numbers."""
    found, whole, kept = (Moments.empty(width), Moments.empty(outputs)), True, Sample.empty(EXAMPLES)
    count = 0
    for batch in batches:
        found = found[0].absorb(batch.x, batch.weights), found[1].absorb(batch.y, batch.weights)
        whole = whole and bool(np.all(batch.weights == np.round(batch.weights)))
        first, last = int(batch.numbers[0]), int(batch.numbers[-1])
        keys = row_keys(first, last + 1, 0)[batch.numbers - first]
        kept, count = kept.absorb(batch.numbers, keys, *batch), count + len(batch.x)
    return whole, Survey(count, 0.0, *found, kept)


def _both_seen(one: tuple[bool, Survey], other: tuple[bool, Survey]) -> tuple[bool, Survey]:
    (whole, a), (also, b) = one, other
    inputs, outputs = a.inputs.merge(b.inputs), a.outputs.merge(b.outputs)
    return whole and also, Survey(a.count + b.count, 0.0, inputs, outputs, a.kept.merge(b.kept))


@dataclass(frozen=True, eq=False)
class Rows:
    """Examples, in the units in which the regression is solved, as the triangular factor of sqrt(w) [1, g, y].

    Its rows are as good as the examples for least squares of any kind; the first takes all that constants explain, so
    that the others are what varies about the mean.

    Fields: `factor`; `outputs` m; `intercept`, whether constants are fitted; `count` of the examples.
    """

    factor: Float[np.ndarray, "r columns"]
    outputs: int
    intercept: bool
    count: int

    @property
    def functions(self) -> int:
        """D."""
        return self.factor.shape[1] - 1 - self.outputs

    @property
    def features(self) -> Float[np.ndarray, "r D"]:
        """The columns of g."""
        return self.factor[:, 1 : 1 + self.functions]

    @property
    def y(self) -> Float[np.ndarray, "r m"]:
        """The columns of y."""
        return self.factor[:, 1 + self.functions :]

    @property
    def weight(self) -> float:
        """The sum of weights."""
        return float(self.factor[0, 0] ** 2)

    @property
    def mean(self) -> tuple[Float[np.ndarray, " D"], Float[np.ndarray, " m"]]:
        """The weighted means of g and y."""
        return self.features[0] / self.factor[0, 0], self.y[0] / self.factor[0, 0]

    def system(self) -> tuple[Float[np.ndarray, "rm mD"], Float[np.ndarray, " rm"]]:
        """Equations for the entries of W, row by row, each times the root of its weight."""
        first = int(self.intercept)
        return np.kron(np.eye(self.outputs), self.features[first:]), self.y[first:].T.reshape(-1)

    def intercepts(self, W: Float[np.ndarray, "m D"]) -> Float[np.ndarray, " m"]:
        """The best constants for given W; zero without intercepts."""
        if not self.intercept:
            return np.zeros(self.outputs)
        features, y = self.mean
        return y - W @ features

    def error(self, W: Float[np.ndarray, "m D"], b: Float[np.ndarray, " m"]) -> float:
        """The weighted mean of |F(x) - y|^2."""
        residual = self.features @ W.T + self.factor[:, :1] * b - self.y
        return float(np.sum(residual**2)) / self.weight

    @property
    def variance(self) -> float:
        """The weighted mean of |y - its mean|^2."""
        return float(np.sum(self.y[1:] ** 2)) / self.weight

    @property
    def square(self) -> float:
        """The weighted mean of |y|^2."""
        return float(np.sum(self.y**2)) / self.weight

    @property
    def size(self) -> float:
        """The norm of all outputs, as if weights were one."""
        return float(np.sqrt(self.count * self.square))

    @property
    def lengths(self) -> Float[np.ndarray, " D"]:
        """The rms of each function."""
        return np.linalg.norm(self.features, axis=0) / np.sqrt(self.weight)

    @property
    def deviations(self) -> Float[np.ndarray, " D"]:
        """The standard deviation of each function; zero where it is rounding."""
        found = np.linalg.norm(self.features[1:], axis=0) / np.sqrt(self.weight)
        return np.where(found > 1e-12 * self.lengths, found, 0.0)


@dataclass(frozen=True, eq=False)
class Folds:
    """All examples, in folds.

    Fields: `factors`, of each; `outputs` m; `intercept`, whether constants are fitted.
    """

    factors: FoldFactors
    outputs: int
    intercept: bool

    @cached_property
    def whole(self) -> Rows:
        """All of them."""
        return self._rows(self.factors.whole().factor, sum(self.factors.rows))

    @cached_property
    def each(self) -> tuple[Rows, ...]:
        """One fold each."""
        return tuple(self._rows(fold.factor, fold.rows) for fold in self.factors.factors)

    @cached_property
    def others(self) -> tuple[Rows, ...]:
        """All but one fold each."""
        found = (self.factors.whole(without=fold) for fold in range(len(self.factors.factors)))
        return tuple(self._rows(others.factor, others.rows) for others in found)

    def _rows(self, factor: np.ndarray, count: int) -> Rows:
        return Rows(factor, self.outputs, self.intercept, count)


def reduced(examples: Examples, units: Units, dictionary: AbstractDictionary, parts: int, intercept: bool) -> Folds:
    """One pass over the examples, each function evaluated once; so many `parts`."""
    empty = FoldFactors.empty(parts, 1 + dictionary.size + examples.outputs)
    work = partial(_factored, empty, units, dictionary)
    factors = examples.over(work, FoldFactors.merge, max(_LEAST, _BLOCK // dictionary.size))
    return Folds(factors, examples.outputs, intercept)


def _factored(
    factors: FoldFactors, units: Units, dictionary: AbstractDictionary, batches: Iterable[Batch]
) -> FoldFactors:
    for batch in batches:
        factors = factors.absorb(_equations(batch, units, dictionary), batch.part)
    return factors


def _equations(batch: Batch, units: Units, dictionary: AbstractDictionary) -> Float[np.ndarray, "B columns"]:
    """The rows sqrt(w) [1, g, y]."""
    with np.errstate(all="ignore"):
        features = units.features(dictionary, batch.x)
    _check_finite(features, batch.x)
    rows = np.concatenate([np.ones((len(features), 1)), features, batch.y / units.outputs], axis=1)
    if np.any(batch.weights != 1.0):
        rows *= np.sqrt(batch.weights)[:, None]
    return rows


def _check_finite(features: np.ndarray, x: np.ndarray) -> None:
    """A ValueError where a function of the dictionary is not defined."""
    bad = ~np.isfinite(features).all(axis=1)
    if bad.any():
        raise ValueError(
            f"X: a function of the dictionary is not finite at {bad.sum()} of {len(x)} examples, such as"
            f" {x[bad][0]}. Leave them out, or choose functions defined there."
        )
