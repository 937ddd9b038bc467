"""Tall matrices whose rows fall into a few parts, each part reduced to its triangular factor."""

from dataclasses import dataclass
from functools import reduce

import numpy as np
from jaxtyping import Float, Int

from ._triangular import TriangularFactor


@dataclass(frozen=True, eq=False)
class FoldFactors:
    """One triangular factor for each part of the rows: what a jackknife or a cross-validation needs of them.

    A monoid: `empty`, `absorb` a block, `merge` two. Which rows come in which block, and in what order, changes the
    factors only by rounding and by signs of rows.

    Fields: `factors`, one a part.
    """

    factors: tuple[TriangularFactor, ...]

    @classmethod
    def empty(cls, parts: int, columns: int) -> "FoldFactors":
        return cls((TriangularFactor.empty(columns),) * parts)

    @property
    def rows(self) -> list[int]:
        """How many rows each part has."""
        return [factor.rows for factor in self.factors]

    def absorb(self, block: Float[np.ndarray, "rows *more columns"], part: Int[np.ndarray, " rows"]) -> "FoldFactors":
        """With further rows; one entry of the block may stand for several of one part, over its middle axes.

        Rows that are sorted by part are not copied.
        """
        if np.any(part[1:] < part[:-1]):
            order = np.argsort(part, kind="stable")
            block, part = block[order], part[order]
        factors = list(self.factors)
        ends = [*(np.flatnonzero(np.diff(part)) + 1), len(part)] if len(part) else []
        start = 0
        for end in ends:
            piece = block[start:end].reshape(-1, block.shape[-1])
            factors[part[start]] = factors[part[start]].absorb(piece)
            start = end
        return FoldFactors(tuple(factors))

    def merge(self, other: "FoldFactors") -> "FoldFactors":
        """With the rows of another."""
        return FoldFactors(tuple(a.merge(b) for a, b in zip(self.factors, other.factors, strict=True)))

    def whole(self, without: int | None = None) -> TriangularFactor:
        """The factor of all rows, or of all but those of one part."""
        kept = [factor for k, factor in enumerate(self.factors) if k != without]
        columns = self.factors[0].factor.shape[1]
        return reduce(TriangularFactor.merge, kept, TriangularFactor.empty(columns))

    def times(self, matrix: Float[np.ndarray, "columns others"]) -> "FoldFactors":
        """Factors of the rows times a matrix."""
        return FoldFactors(tuple(TriangularFactor(part.factor @ matrix, part.rows) for part in self.factors))
