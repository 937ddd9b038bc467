"""Matrices that were rounded, moved to the nearest ones that represent an algebra exactly."""

import numpy as np
import scipy.sparse
from jaxtyping import Float
from scipy.sparse.linalg import lsqr

_STEPS = 6  # of Gauss and Newton: the error is squared in each, and begins at 1e-3 or less
_MOST = 10**7  # entries of the sparse Jacobian
_NOISE = 10.0  # units of rounding up to which an entry counts as zero


def polished(
    matrices: Float[np.ndarray, "q n n"], structure: Float[np.ndarray, "q q q"], eps: float
) -> Float[np.ndarray, "q n n"]:
    """A_k with [A_i, A_j] = sum_k c_ijk A_k to double precision, near to matrices that fulfil it to their rounding.

    Newton's steps of least change on the entries that are not zero. Representations of semisimple algebras are rigid,
    so that nothing but a change of basis by rounding is left open.

    Arguments: `matrices` (q, n, n); `structure` constants; `eps`, the rounding unit that the matrices came with.
    Returns: (q, n, n), the nearest found; the matrices as they came where they are too many or no step helps.
    Reference: Nocedal and Wright, Numerical Optimization, 2006, section 10.3.
    """
    q, n, _ = matrices.shape
    if q * (q - 1) * n**3 * 2 > _MOST:
        return matrices
    now = np.where(np.abs(matrices) <= _NOISE * eps * np.abs(matrices).max(initial=0.0), 0.0, matrices)
    free = np.flatnonzero(now)
    best, least = matrices, np.inf
    for _ in range(_STEPS):
        residual = _residual(now, structure)
        size = np.abs(residual).max(initial=0.0)
        if not size < least:
            break
        best, least = now, size
        step = lsqr(_jacobian(now, structure)[:, free], -residual, atol=1e-15, btol=1e-15, iter_lim=10 * len(free))[0]
        now = now.copy()
        now.reshape(-1)[free] += step
    return best


def _pairs(q: int) -> list[tuple[int, int]]:
    return [(i, j) for i in range(q) for j in range(i + 1, q)]


def _residual(a: np.ndarray, structure: np.ndarray) -> np.ndarray:
    made = np.tensordot(structure, a, axes=1)
    parts = [(a[i] @ a[j] - a[j] @ a[i] - made[i, j]).ravel() for i, j in _pairs(len(a))]
    return np.concatenate([np.zeros(0), *parts])


def _jacobian(a: np.ndarray, structure: np.ndarray) -> scipy.sparse.csc_array:
    """The derivative of the residual: rows by pairs, columns by the entries of all matrices, row by row."""
    q, n, _ = a.shape
    one = scipy.sparse.eye_array(n)
    every = scipy.sparse.eye_array(n * n)
    rows = []
    for i, j in _pairs(q):
        row = [-structure[i, j, k] * every if structure[i, j, k] else None for k in range(q)]
        for place, own in ((i, _turn(a[j], one)), (j, -_turn(a[i], one))):
            row[place] = own if row[place] is None else own + row[place]
        rows.append([scipy.sparse.csr_array((n * n, n * n)) if part is None else part for part in row])
    return scipy.sparse.csc_array(scipy.sparse.block_array(rows))


def _turn(b: np.ndarray, one) -> scipy.sparse.csr_array:
    """X -> X b - b X on matrices flattened row by row."""
    return scipy.sparse.csr_array(scipy.sparse.kron(one, b.T) - scipy.sparse.kron(b, one))
