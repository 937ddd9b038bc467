"""Tall matrices reduced to a small triangular factor, block by block."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Float
from scipy.linalg import blas, lapack

PANEL = 32  # columns factored at a time inside LAPACK: wide enough for matrix products, narrow enough for the cache
SLICE = 2**16  # numbers reduced at a time: 512 kB stay in the second-level cache from one BLAS call to the next
PIECE = 8192  # rows between two Cholesky factorisations, or 16 q if that is more: these are then a small part
GROWTH = 100.0  # largest |B|^2 for which the update by Cholesky is taken; it loses at most this factor in rounding


@dataclass(frozen=True, eq=False)
class TriangularFactor:
    """The factor R of A = QR for a tall matrix A seen in blocks of rows; R^T R = A^T A.

    A monoid: `empty`, `absorb` a block, `merge` two factors. The order of blocks changes R only by signs of rows and by
    rounding, so one device, a stream of batches and a cluster share this code. Singular values keep full precision,
    which a Gram matrix A^T A would not (it squares the condition number).

    Once R is square, a tall block is first divided by it, B = A_new R^-1, and

        [R; A_new]^T [R; A_new] = R^T (1 + B^T B) R,    R_new = chol(1 + B^T B) R.

    The Gram matrix formed here is that of [1; B], whose condition number is at most 1 + |B|^2 whatever that of A is:
    about 2 for two batches of one distribution. It takes as many multiplications as Householder reflections, but all
    in products of matrices, which run at twice their speed. Errors: each row of A_new is perturbed by rounding times
    |b| |R| (the triangular solve), and R_new by a factor 1 + O(eps (1 + |B|^2)) from the left, which changes every
    singular value in proportion, the small ones too. While |B|^2 <= GROWTH, which is tested on every piece, this is the
    backward error of reflections, column by column. Where the test fails (directions new to R) reflections are used.

    Fields: `factor` (at most q rows, q columns); `rows` absorbed so far.
    Reference: Demmel, Grigori, Hoemmen, Langou (2012), communication-optimal parallel and sequential QR (TSQR);
    Yamamoto, Nakatsukasa, Yanagisawa, Fukaya (2015), roundoff error analysis of the CholeskyQR2 algorithm.
    """

    factor: Float[np.ndarray, "kept columns"]
    rows: int

    @classmethod
    def empty(cls, columns: int) -> "TriangularFactor":
        return cls(np.zeros((0, columns)), 0)

    def absorb(self, block: Float[np.ndarray, "rows columns"]) -> "TriangularFactor":
        """The factor of [A; block]."""
        block = np.asarray(block)
        columns = self.factor.shape[1]
        if block.ndim != 2 or block.shape[1] != columns:
            raise ValueError(f"block must have {columns} columns, got shape {block.shape}.")
        factor, start = _triangle(self.factor), 0
        if len(factor) < columns:
            start = 4 * columns  # few, for reflections are slow; enough that |B|^2 of the next piece stays small
            factor = _reflected(factor, block[:start])
        pieces = -(-max(len(block) - start, 0) // max(PIECE, 16 * columns))
        for piece in np.array_split(block[start:], pieces) if pieces else ():
            factor = _absorbed(factor, piece)
        _check_finite(factor)
        return TriangularFactor(factor, self.rows + len(block))

    def merge(self, other: "TriangularFactor") -> "TriangularFactor":
        """The factor of [A; B] from the factors of A and of B."""
        mine, others = _triangle(self.factor), _triangle(other.factor)
        if mine.shape == others.shape == (mine.shape[1],) * 2 and mine.size:
            merged = _reflected(mine, others, triangular=True)
            _check_finite(merged)
        else:
            merged = TriangularFactor(mine, self.rows).absorb(others).factor
        return TriangularFactor(merged, self.rows + other.rows)


def _triangle(factor: np.ndarray) -> np.ndarray:
    """A factor whose columns were mixed, or that was given as rows, as a triangle again."""
    return _reflected(factor[:0], factor) if np.any(factor, where=_below(*factor.shape)) else factor


@lru_cache(maxsize=4)
def _below(rows: int, columns: int) -> np.ndarray:
    """Where a matrix is below its diagonal, in the order of memory that LAPACK gives."""
    return np.asfortranarray(np.tri(rows, columns, -1, dtype=bool))


def _check_finite(factor: np.ndarray) -> None:
    if not np.isfinite(factor).all():
        raise ValueError(
            "QR factorisation failed: block holds NaN or inf, or squares that overflow. Leave those rows out or"
            " rescale."
        )


def _absorbed(factor: np.ndarray, block: np.ndarray) -> np.ndarray:
    kept, columns = factor.shape
    # Below twice as many rows as columns the Cholesky factorisation and the product after it outweigh what is saved.
    if columns == 0 or kept < columns or len(block) < 2 * columns:
        return _reflected(factor, block)
    updated = _updated(factor, block)
    if updated is not None:
        return updated
    # Directions in which no row has moved so far hold rounding alone, perhaps a hundredth of the next block's. One unit
    # in the last place of each column makes them comparable: a perturbation the size of rounding in A. (Largest
    # entries, not lengths: squares could underflow.)
    largest = np.abs(factor).max(axis=0)
    rounding = np.diag(np.finfo(np.float64).eps * np.where(largest > 0.0, largest, np.finfo(np.float64).tiny ** 0.5))
    return _reflected(_reflected(factor, rounding), block)


def _updated(factor: np.ndarray, block: np.ndarray) -> np.ndarray | None:
    """chol(1 + B^T B) R with B = block R^-1, or None where B is too large for its squares to be trusted."""
    columns = factor.shape[1]
    square = np.eye(columns, order="F")
    r = np.asfortranarray(factor)
    rows = max(SLICE // columns, 16)
    for start in range(0, len(block), rows):
        # A slice in row order is its transpose in column order, which is what BLAS solves for in place.
        part = np.array(block[start : start + rows], dtype=np.float64, order="C").T
        solved = blas.dtrsm(1.0, r, part, side=0, lower=0, trans_a=1, overwrite_b=1)  # pyright: ignore[reportAttributeAccessIssue]
        square = blas.dsyrk(1.0, solved, beta=1.0, c=square, trans=0, lower=0, overwrite_c=1)  # pyright: ignore[reportAttributeAccessIssue]
    # Largest absolute row sum of the symmetric matrix, an upper bound of its norm; NaN and inf fail the comparison.
    sizes = np.abs(np.triu(square))
    with np.errstate(invalid="ignore"):
        bound = (sizes.sum(0) + sizes.sum(1) - np.diag(sizes)).max(initial=0.0)
    if not bound <= GROWTH:
        return None
    root, info = lapack.dpotrf(square, lower=0, overwrite_a=1, clean=1)  # pyright: ignore[reportAttributeAccessIssue]
    return blas.dtrmm(1.0, r, root, side=1, lower=0, overwrite_b=1) if info == 0 else None  # pyright: ignore[reportAttributeAccessIssue]


def _reflected(factor: np.ndarray, block: np.ndarray, triangular: bool = False) -> np.ndarray:
    """R of a Householder QR of [factor; block]; both triangles of one size where it is `triangular`, a sixth of the
    work."""
    kept, columns = factor.shape
    if triangular:
        r, part = np.array(factor, order="F"), np.array(block, order="F")
        return lapack.dtpqrt(columns, min(PANEL // 2, columns), r, part, overwrite_a=1, overwrite_b=1)[0]  # pyright: ignore[reportAttributeAccessIssue]
    if kept == columns and columns > 0 and len(block) > 0:
        # The triangle is kept as it is: 2 b q^2 operations, however few rows b the block has.
        r = np.array(factor, order="F")
        rows = max(2 * SLICE // columns, 16)
        for start in range(0, len(block), rows):
            part = np.array(block[start : start + rows], dtype=np.float64, order="F")
            r, _, _, _ = lapack.dtpqrt(0, min(PANEL, columns), r, part, overwrite_a=1, overwrite_b=1)  # pyright: ignore[reportAttributeAccessIssue]
        return r
    stacked = np.empty((kept + len(block), columns), dtype=np.float64, order="F")
    stacked[:kept], stacked[kept:] = factor, block
    if len(stacked) <= 1 or columns == 0:
        return np.array(stacked[:columns])
    # The workspace must be given: LAPACK's least workspace runs an unblocked factorisation, ten times slower.
    packed, _, _, _ = lapack.dgeqrf(stacked, lwork=max(1, 2 * PANEL * columns), overwrite_a=1)  # pyright: ignore[reportAttributeAccessIssue]
    return np.asfortranarray(np.triu(packed[:columns]))  # as LAPACK wants it when it is merged
