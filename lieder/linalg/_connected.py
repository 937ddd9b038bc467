"""The singular values of a sparse matrix, and which vectors it nearly annihilates: one connected part at a time."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import scipy.sparse
from jaxtyping import Float, Int
from scipy.sparse.csgraph import connected_components

from ._right import right_singular

LARGEST = 6000  # columns of one part: its dense matrices take 300 MB each, and minutes
_DIRECT = 100  # columns up to which a singular value decomposition is as fast as eigenvectors of the squares
_SMALL = 1e-4  # squares of singular values, relative to the largest, below which they are computed once more


class TooLarge(ValueError):
    """More columns are connected than fit: `columns` of them, and no more than `largest` would."""

    def __init__(self, columns: int):
        self.columns, self.largest = columns, LARGEST
        ValueError.__init__(self, f"{columns:,} connected columns are more than the {LARGEST:,} that fit.")


class SingularPart(NamedTuple):
    """`columns` (u,) that no row connects to others; `values` (u,), ascending; `vectors` (u, u), right, as rows."""

    columns: Int[np.ndarray, " u"]
    values: Float[np.ndarray, " u"]
    vectors: Float[np.ndarray, "u u"]


def connected_columns(rows: scipy.sparse.csr_array) -> list[Int[np.ndarray, " u"]]:
    """The columns of a sparse matrix in groups such that no row has entries in two of them.

    Arguments: `rows` (r, u); entries that are stored count, zeros too.
    Returns: index arrays that part 0..u-1.
    """
    links = scipy.sparse.csr_array(scipy.sparse.block_array([[None, rows], [rows.T, None]]))
    height, width = rows.shape  # pyright: ignore[reportGeneralTypeIssues]
    label = np.asarray(connected_components(links, directed=False)[1])[height:]
    order = np.argsort(label, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(label[order])) + 1) if width else []


def singular_parts(rows: scipy.sparse.csr_array) -> Iterator[SingularPart]:
    """The singular value decomposition of each connected part of a sparse matrix.

    Arguments: `rows` (r, u).
    Returns: the parts; their columns part 0..u-1, and values of columns without entries are zero.
    Raises: TooLarge for more than 6,000 columns in one part.
    """
    groups = connected_columns(rows)
    _check(max(map(len, groups), default=0))
    ordered = rows.tocsc()[:, np.concatenate([np.zeros(0, int), *groups])]
    start = 0
    for own in groups:
        first, last = ordered.indptr[start], ordered.indptr[start + len(own)]
        pointers = ordered.indptr[start : start + len(own) + 1] - first
        start += len(own)
        # Without SciPy's checks, which take longer than the few numbers of most parts.
        row, place = np.unique(ordered.indices[first:last], return_inverse=True)
        shape, entries = (len(row), len(own)), ordered.data[first:last]
        if len(own) <= _DIRECT:
            dense = np.zeros(shape)
            dense[place, np.repeat(np.arange(len(own)), np.diff(pointers))] = entries
            yield SingularPart(own, *_right(dense))
        else:
            part = scipy.sparse.csc_array((entries, place, pointers), shape)
            yield SingularPart(own, *singular_vectors(scipy.sparse.csr_array(part)))


def singular_vectors(
    rows: scipy.sparse.csr_array,
) -> tuple[Float[np.ndarray, " u"], Float[np.ndarray, "u u"]]:
    """All singular values and right singular vectors of a sparse matrix, columns that no row reaches included.

    Arguments: `rows` (r, u).
    Returns: values (u,), ascending, good to about 1e-14 of the largest; vectors (u, u), as rows.
    Raises: TooLarge for more than 6,000 columns.
    """
    width = _check(rows.shape[1])  # pyright: ignore[reportOptionalSubscript]
    rows = rows[np.diff(rows.indptr) > 0]
    if rows.nnz == 0:
        return np.zeros(width), np.eye(width)
    if width <= _DIRECT:
        return _right(rows.toarray())
    squares, turned = np.linalg.eigh((rows.T @ rows).toarray())
    # A square is good to 1e-16 of the largest, its root to 1e-8: the small ones again, from what is made of them.
    few = int(np.searchsorted(squares, _SMALL * squares[-1]))
    values, vectors = np.sqrt(np.maximum(squares, 0.0)), turned.T
    if few:
        again, mixed = _right(np.asarray(rows @ turned[:, :few]))
        values = np.concatenate([again, values[few:]])
        vectors = np.concatenate([mixed @ vectors[:few], vectors[few:]])
    return values, vectors


def _check(columns: int) -> int:
    if columns > LARGEST:
        raise TooLarge(columns)
    return columns


def _right(dense: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Singular values, ascending, and right singular vectors as rows, as many as columns."""
    found, vectors = right_singular(dense)
    return found[::-1], vectors[::-1]
