"""Linear algebras of real matrices: general, special, orthogonal, symplectic, scalings, Heisenberg."""

from itertools import combinations, combinations_with_replacement

import numpy as np

from ..linalg import MatrixStack
from ._algebra import LieAlgebra
from ._registry import named, numbered, size

Entries = list[tuple[int, int, float]]  # row, column, value


def from_entries(name: str, n: int, basis: list[tuple[str, Entries]], components=()) -> LieAlgebra:
    """An algebra from the non-zero entries of each generator; column n is the translation."""
    triples = [(k, *entry) for k, (_, entries) in enumerate(basis) for entry in entries]
    table = np.array(triples, dtype=np.float64).reshape(-1, 4)
    stack = MatrixStack.from_entries((len(basis), n, n + 1), table[:, :3].T, table[:, 3])
    return LieAlgebra(name, tuple(label for label, _ in basis), stack, components=components)


def reflection(n: int) -> np.ndarray:
    """The affine map that turns the first coordinate round."""
    return np.eye(n, n + 1) * np.where(np.arange(n) == 0, -1.0, 1.0)[:, None]


def rotations(n: int, start: int = 0, of: int | None = None) -> list[tuple[str, Entries]]:
    """Generators J_ij, i < j, of so(n): x_i d/dx_j - x_j d/dx_i, counter-clockwise; `start` shifts the coordinates."""
    return [
        (numbered("J", i + 1, j + 1, of=of or n), [(start + i, start + j, -1.0), (start + j, start + i, 1.0)])
        for i, j in combinations(range(n), 2)
    ]


@named
def so(p: int, q: int = 0) -> LieAlgebra:
    """Rotations, or the pseudo-rotations that preserve the metric diag(+1 x p, -1 x q).

    M^T eta + eta M = 0. For i < j the generator is J_ij: x_i d/dx_j - x_j d/dx_i when both signs agree (field of J12
    at (x, y): (-y, x)), and the boost B_ij: x_i d/dx_j + x_j d/dx_i when they differ.

    Arguments: p, q: numbers of plus and minus signs; so(n) is so(n, 0).
    Returns: the algebra, dimension (p + q)(p + q - 1) / 2, in the order of the pairs (i, j).
    Reference: Hall, Lie Groups, Lie Algebras, and Representations, 2nd ed. 2015, sections 1.2.3 and 3.4.
    """
    name = "so(n)" if q == 0 else "so(p, q)"
    p, q = size(p, name), size(q, name, 0)
    n, sign = p + q, [1.0] * p + [-1.0] * q
    basis = []
    for i, j in combinations(range(n), 2):
        letter, upper = ("J", -1.0) if sign[i] == sign[j] else ("B", 1.0)
        basis.append((numbered(letter, i + 1, j + 1, of=n), [(i, j, upper), (j, i, 1.0)]))
    return from_entries(f"so({p},{q})" if q else f"so({p})", n, basis)


@named
def o(n: int) -> LieAlgebra:
    """Rotations and reflections: the algebra so(n), with a reflection of x_1 as its second component.

    Arguments: n: size of the space.
    Returns: the algebra, dimension n (n - 1) / 2.
    """
    n = size(n, "o(n)")
    return from_entries(f"o({n})", n, rotations(n), (reflection(n),))


@named
def sl(n: int) -> LieAlgebra:
    """Matrices of trace zero: linear maps that preserve volume.

    E_ij for i != j, row by row, then H_i = E_ii - E_(i+1)(i+1).

    Arguments: n: size of the matrices.
    Returns: the algebra, dimension n^2 - 1.
    Reference: Hall 2015, section 3.4.
    """
    n = size(n, "sl(n)")
    basis = [(numbered("E", i + 1, j + 1, of=n), [(i, j, 1.0)]) for i in range(n) for j in range(n) if i != j]
    basis += [(f"H{i + 1}", [(i, i, 1.0), (i + 1, i + 1, -1.0)]) for i in range(n - 1)]
    return from_entries(f"sl({n})", n, basis)


@named
def gl(n: int) -> LieAlgebra:
    """All matrices: every linear map.

    E_ij has a single 1 in row i, column j; generator number (i - 1) n + (j - 1) counted from 0.

    Arguments: n: size of the matrices.
    Returns: the algebra, dimension n^2.
    Reference: Hall 2015, section 3.4.
    """
    n = size(n, "gl(n)")
    return from_entries(f"gl({n})", n, all_entries(n))


def all_entries(n: int) -> list[tuple[str, Entries]]:
    """The basis E_ij of gl(n), row by row."""
    return [(numbered("E", i + 1, j + 1, of=n), [(i, j, 1.0)]) for i in range(n) for j in range(n)]


@named
def sp(n: int) -> LieAlgebra:
    """Matrices that preserve the symplectic form: linear canonical transformations of (q_1..q_m, p_1..p_m).

    M^T J + J M = 0 with J = [[0, I], [-I, 0]], so M = [[A, B], [C, -A^T]] with B and C symmetric; generators A_ij, then
    B_ij, then C_ij (i <= j).

    Arguments: n = 2 m: size of the matrices, even.
    Returns: the algebra sp(2m, R), dimension m (2 m + 1).
    Raises: ValueError if n is odd.
    Reference: Hall 2015, section 1.2.4.
    """
    n = size(n, "sp(n)", 2)
    if n % 2:
        raise ValueError(f"sp(n) needs an even size, as many momenta as positions, got {n}")
    m = n // 2
    basis: list[tuple[str, Entries]] = [
        (numbered("A", i + 1, j + 1, of=m), [(i, j, 1.0), (m + j, m + i, -1.0)]) for i in range(m) for j in range(m)
    ]
    for letter, row, column in (("B", 0, m), ("C", m, 0)):
        for i, j in combinations_with_replacement(range(m), 2):
            entries = [(row + i, column + j, 1.0), (row + j, column + i, 1.0)][: 1 if i == j else 2]
            basis.append((numbered(letter, i + 1, j + 1, of=m), entries))
    return from_entries(f"sp({n})", n, basis)


@named
def scalings(n: int) -> LieAlgebra:
    """Every coordinate scaled by itself: the diagonal matrices E_ii, field x_i d/dx_i (changes of units).

    Arguments: n: size of the space.
    Returns: the algebra, abelian of dimension n.
    """
    n = size(n, "scalings(n)")
    return from_entries(f"scalings({n})", n, [(numbered("E", i + 1, i + 1, of=n), [(i, i, 1.0)]) for i in range(n)])


@named
def heisenberg(n: int = 1) -> LieAlgebra:
    """Positions, momenta and the central element: [X_i, Y_j] = delta_ij Z, all else zero.

    Upper triangular (n + 2) x (n + 2) matrices: X_i in the first row, Y_i in the last column, Z in the corner.

    Arguments: n: number of pairs.
    Returns: the algebra, dimension 2 n + 1.
    Reference: Hall 2015, section 1.2.6.
    """
    n = size(n, "heisenberg(n)")
    basis: list[tuple[str, Entries]] = [(f"X{i + 1}", [(0, i + 1, 1.0)]) for i in range(n)]
    basis += [(f"Y{i + 1}", [(i + 1, n + 1, 1.0)]) for i in range(n)]
    return from_entries(f"heisenberg({n})", n + 2, [*basis, ("Z", [(0, n + 1, 1.0)])])
