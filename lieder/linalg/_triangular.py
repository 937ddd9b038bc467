"""Tall matrices reduced to a small triangular factor, block by block."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from jaxtyping import Float
from scipy.linalg import lapack


@dataclass(frozen=True, eq=False)
class TriangularFactor:
    """The factor R of A = QR for a tall matrix A seen in blocks of rows; R^T R = A^T A.

    A monoid: `empty`, `absorb` a block, `merge` two factors. The order of blocks changes R only by signs of rows and by
    rounding, so one device, a stream of batches and a cluster share this code. Singular values keep full precision, which
    a Gram matrix A^T A would not (it squares the condition number).

    Fields: `factor` (at most q rows, q columns); `rows` absorbed so far.
    Reference: Demmel, Grigori, Hoemmen, Langou (2012), communication-optimal parallel and sequential QR (TSQR).
    """

    factor: Float[np.ndarray, "kept columns"]
    rows: int

    @classmethod
    def empty(cls, columns: int) -> Self:
        return cls(np.zeros((0, columns)), 0)

    def absorb(self, block: Float[np.ndarray, "rows columns"]) -> "TriangularFactor":
        """The factor of [A; block]."""
        block = np.asarray(block)
        if block.ndim != 2 or block.shape[1] != self.factor.shape[1]:
            raise ValueError(f"block must have {self.factor.shape[1]} columns, got shape {block.shape}.")
        kept = len(self.factor)
        stacked = np.empty((kept + len(block), block.shape[1]), dtype=np.float64, order="F")
        stacked[:kept], stacked[kept:] = self.factor, block
        return TriangularFactor(_triangular(stacked), self.rows + len(block))

    def merge(self, other: "TriangularFactor") -> "TriangularFactor":
        """The factor of [A; B] from the factors of A and of B."""
        merged = self.absorb(other.factor)
        return TriangularFactor(merged.factor, self.rows + other.rows)


def _triangular(tall: np.ndarray) -> np.ndarray:
    """R of a Householder QR, overwriting `tall` (float64, Fortran order)."""
    rows, columns = tall.shape
    if rows <= 1 or columns == 0:
        return np.array(tall)
    # The workspace must be given: LAPACK's least workspace runs an unblocked factorisation, ten times slower.
    packed, _, _, info = lapack.dgeqrf(tall, lwork=max(1, 64 * columns), overwrite_a=1)
    if info != 0:
        raise ValueError(f"QR factorisation failed (LAPACK info {info}): the rows hold values that are not finite.")
    return np.triu(packed[:columns])
