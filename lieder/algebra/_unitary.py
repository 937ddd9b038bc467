"""Unitary algebras, as real matrices on the real and imaginary parts (Re z_1..Re z_n, Im z_1..Im z_n)."""

from itertools import combinations

from ._algebra import LieAlgebra
from ._classical import Entries, from_entries
from ._registry import named, numbered, size


def _real(n: int, i: int, j: int, value: float) -> Entries:
    """The entry `value` at (i, j) of a complex matrix X + i Y, in [[X, -Y], [Y, X]]."""
    return [(i, j, value), (n + i, n + j, value)]


def _imaginary(n: int, i: int, j: int, value: float) -> Entries:
    return [(i, n + j, -value), (n + i, j, value)]


def _off_diagonal(n: int) -> list[tuple[str, Entries]]:
    basis: list[tuple[str, Entries]] = []
    for i, j in combinations(range(n), 2):
        basis.append((numbered("J", i + 1, j + 1, of=n), _real(n, i, j, -1.0) + _real(n, j, i, 1.0)))
    for i, j in combinations(range(n), 2):
        basis.append((numbered("S", i + 1, j + 1, of=n), _imaginary(n, i, j, 1.0) + _imaginary(n, j, i, 1.0)))
    return basis


@named
def su(n: int) -> LieAlgebra:
    """Anti-Hermitian matrices of trace zero, real 2n x 2n.

    J_ij = E_ji - E_ij, S_ij = i (E_ij + E_ji) for i < j, then H_k = i (E_kk - E_(k+1)(k+1)); a complex matrix X + i Y
    is [[X, -Y], [Y, X]].

    Arguments: n: complex size.
    Returns: the algebra, dimension n^2 - 1; the defining space is R^(2n).
    Reference: Hall, Lie Groups, Lie Algebras, and Representations, 2nd ed. 2015, section 3.4.
    """
    n = size(n, "su(n)")
    diagonal = [(f"H{k + 1}", _imaginary(n, k, k, 1.0) + _imaginary(n, k + 1, k + 1, -1.0)) for k in range(n - 1)]
    return from_entries(f"su({n})", 2 * n, _off_diagonal(n) + diagonal)


@named
def u(n: int) -> LieAlgebra:
    """Anti-Hermitian matrices, real 2n x 2n.

    J_ij = E_ji - E_ij, S_ij = i (E_ij + E_ji) for i < j, then S_kk = i E_kk.

    Arguments: n: complex size.
    Returns: the algebra, dimension n^2; the defining space is R^(2n).
    Reference: Hall 2015, section 3.4.
    """
    n = size(n, "u(n)")
    diagonal = [(numbered("S", k + 1, k + 1, of=n), _imaginary(n, k, k, 1.0)) for k in range(n)]
    return from_entries(f"u({n})", 2 * n, _off_diagonal(n) + diagonal)
