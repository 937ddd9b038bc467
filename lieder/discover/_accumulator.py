"""What `discover` keeps of data: a few triangular factors and a sample, which batches and pieces add up to."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from jaxtyping import Float

from ..linalg import FoldFactors, RelativeSpectrum, TriangularFactor, relative_spectrum
from ..sampling import DrawnRows, Sample

PARTS = 8  # the data are kept in so many parts, so that the answer can be repeated without each
SHOWN = 512  # examples for the finite check and the figures
HELD_LEAST = 64  # held-out examples below which these are taken from all rows


@dataclass(frozen=True, eq=False)
class Accumulator:
    """A monoid: `empty`, `absorb` a batch, `merge` two, `finish`.

    Part, held-out rows and sample follow from the rows' numbers, so that the same rows give the same accumulator, to
    rounding, in whatever batches and pieces they come.

    Fields: `numerator`, rows over generators, and the `terms` of the denominator, each in parts; `sample`, of all
    examples: whether held out, inputs, outputs and weights; `low`, `high` (n,), least and largest inputs; `weight`, the
    sum over the examples in the factors.
    """

    numerator: FoldFactors
    terms: tuple[FoldFactors, ...]
    sample: Sample
    low: Float[np.ndarray, " n"]
    high: Float[np.ndarray, " n"]
    weight: float

    @classmethod
    def empty(cls, generators: int, inputs: int, widths: Sequence[int]) -> "Accumulator":
        """`widths` of what is absorbed for each term of the denominator."""
        parts = parts_of(generators)
        factors = [FoldFactors.empty(parts, width) for width in (generators, *widths)]
        high = np.full(inputs, -np.inf)
        return cls(factors[0], tuple(factors[1:]), Sample.empty(SHOWN), -high, high, 0.0)

    def absorb(
        self,
        drawn: DrawnRows,
        weights: Float[np.ndarray, " b"],
        rows: Float[np.ndarray, "b m q"],
        terms: Sequence[np.ndarray],
    ) -> "Accumulator":
        """With the rows of further examples, multiplied by the root of their weights; they are as many as `weights`,
        and come first in `drawn`."""
        part = drawn.part[: len(weights)]
        return replace(
            self,
            numerator=self.numerator.absorb(rows, part),
            terms=tuple(factors.absorb(block, part) for factors, block in zip(self.terms, terms, strict=True)),
            weight=self.weight + float(np.sum(weights)),
        )

    def show(self, drawn: DrawnRows, points: np.ndarray, values: np.ndarray, weights: np.ndarray) -> "Accumulator":
        """With further examples in the sample."""
        sample = self.sample.absorb(drawn.numbers, drawn.key, drawn.held, points, values, weights)
        low, high = np.minimum(self.low, points.min(axis=0)), np.maximum(self.high, points.max(axis=0))
        return replace(self, sample=sample, low=low, high=high)

    def merge(self, other: "Accumulator") -> "Accumulator":
        """With all that another has seen."""
        return Accumulator(
            self.numerator.merge(other.numerator),
            tuple(a.merge(b) for a, b in zip(self.terms, other.terms, strict=True)),
            self.sample.merge(other.sample),
            np.minimum(self.low, other.low),
            np.maximum(self.high, other.high),
            self.weight + other.weight,
        )

    def finish(
        self,
        expansions: Sequence[Callable[[np.ndarray], np.ndarray]],
        dtype: np.dtype,
        outputs: Float[np.ndarray, " m"],
    ) -> "Reduction":
        """`expansions`: for each term of the denominator how its factor becomes rows over generators."""
        used = [part for part, rows in enumerate(self.numerator.rows) if rows]
        denominators = []
        for part in used:
            grown = [grow(term.factors[part].factor) for grow, term in zip(expansions, self.terms, strict=True)]
            rows = np.concatenate(grown)
            denominators.append(TriangularFactor.empty(rows.shape[1]).absorb(rows))
        numerators = tuple(self.numerator.factors[part] for part in used)
        held, points, values, weights = self.sample.columns
        chosen = held if held.sum() >= HELD_LEAST else np.ones(len(held), bool)
        return Reduction(
            FoldFactors(numerators),
            FoldFactors(tuple(denominators)),
            sum(self.numerator.rows),
            self.weight,
            points[chosen],
            values[chosen],
            weights[chosen],
            points,
            weights,
            dtype,
            outputs,
        )


def parts_of(generators: int) -> int:
    """The number of parts: one where the factors themselves are what memory is spent on."""
    return PARTS if generators <= 512 else 1


@dataclass(frozen=True, eq=False)
class Reduction:
    """What is left of the data.

    Fields: `numerators`, `denominators`, factors over q generators in parts; `rows` counted, and the sum of the
    `weight` of their examples; `points`, `values`, `held_weights`, the held-out examples (any, where these are few);
    `sampled`, `sampled_weights`, a sample of all inputs; `outputs` (m,), the factors that outputs were multiplied by to
    share a unit.
    """

    numerators: FoldFactors
    denominators: FoldFactors
    rows: int
    weight: float
    points: Float[np.ndarray, "held n"]
    values: Float[np.ndarray, "held m"]
    held_weights: Float[np.ndarray, " held"]
    sampled: Float[np.ndarray, "sampled _"]
    sampled_weights: Float[np.ndarray, " sampled"]
    dtype: np.dtype
    outputs: Float[np.ndarray, " outputs"]

    @property
    def examples(self) -> Float[np.ndarray, "held pair"]:
        """Inputs and outputs of the held-out examples."""
        return np.concatenate([self.points, self.values], axis=1).astype(np.float64)

    def whole(self) -> tuple[Float[np.ndarray, "r q"], Float[np.ndarray, "s q"]]:
        """Numerator and denominator over all parts."""
        return self._whole

    @cached_property
    def _whole(self) -> tuple[Float[np.ndarray, "r q"], Float[np.ndarray, "s q"]]:
        return self.numerators.whole().factor, self.denominators.whole().factor

    def spectra_without_each(self, null_tolerance: float) -> list[RelativeSpectrum]:
        """The spectrum repeated with one part left out at a time; empty when there are fewer than four parts."""
        parts = len(self.numerators.factors)
        if parts < 4:
            return []
        pairs = ((self.numerators.whole(part), self.denominators.whole(part)) for part in range(parts))
        return [relative_spectrum(a.factor, b.factor, null_tolerance) for a, b in pairs]
