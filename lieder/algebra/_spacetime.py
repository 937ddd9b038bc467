"""Algebras of space and time: Poincare, Galilean, and the conformal maps of space."""

from ._algebra import LieAlgebra
from ._classical import Entries, from_entries, rotations
from ._registry import named, numbered, size


@named
def poincare(n: int = 3) -> LieAlgebra:
    """Special relativity: boosts, rotations and translations of (t, x_1..x_n), metric (+, -, .., -), light speed 1.

    B_i = x_i d/dt + t d/dx_i, J_ij = x_i d/dx_j - x_j d/dx_i, P0 = d/dt, P_i = d/dx_i, in this order.

    Arguments: n: dimension of space, 3 by default.
    Returns: the algebra, dimension (n + 1)(n + 2) / 2.
    Reference: Weinberg, The Quantum Theory of Fields I, 1995, section 2.4.
    """
    n = size(n, "poincare(n)")
    basis: list[tuple[str, Entries]] = [
        (numbered("B", i + 1, of=n), [(0, i + 1, 1.0), (i + 1, 0, 1.0)]) for i in range(n)
    ]
    basis += rotations(n, start=1)
    basis += [(numbered("P", i, of=n), [(i, n + 1, 1.0)]) for i in range(n + 1)]
    return from_entries(f"poincare({n})", n + 1, basis)


@named
def galilean(n: int = 3) -> LieAlgebra:
    """Newtonian relativity: rotations, boosts and translations of (t, x_1..x_n).

    J_ij = x_i d/dx_j - x_j d/dx_i, B_i = t d/dx_i, P_i = d/dx_i, P0 = d/dt, in this order.

    Arguments: n: dimension of space, 3 by default.
    Returns: the algebra, dimension (n + 1)(n + 2) / 2.
    Reference: Levy-Leblond, Galilei group and Galilean invariance, 1971, section II.
    """
    n = size(n, "galilean(n)")
    basis = rotations(n, start=1)
    basis += [(numbered("B", i + 1, of=n), [(i + 1, 0, 1.0)]) for i in range(n)]
    basis += [(numbered("P", i + 1, of=n), [(i + 1, n + 1, 1.0)]) for i in range(n)]
    return from_entries(f"galilean({n})", n + 1, [*basis, ("P0", [(0, n + 1, 1.0)])])


@named
def conformal(n: int) -> LieAlgebra:
    """Maps of R^n that preserve angles, as the matrices so(n+1, 1) acting on the light cone.

    P_i = d/dx_i, J_ij = x_i d/dx_j - x_j d/dx_i, D = x . d/dx, K_i = 2 x_i (x . d/dx) - |x|^2 d/dx_i, in this order.
    The point x stands for the null vector N(x) = (x, (1 - |x|^2) / 2, (1 + |x|^2) / 2); the matrix M of a field theta
    satisfies M N = DN theta + mu N with a scalar mu(x).

    Arguments: n: size of the space.
    Returns: the algebra, dimension (n + 1)(n + 2) / 2; the defining space is R^(n+2).
    Reference: Di Francesco, Mathieu, Senechal, Conformal Field Theory, 1997, section 4.1.
    """
    n = size(n, "conformal(n)")
    minus, plus = n, n + 1  # (1 - |x|^2) / 2 and (1 + |x|^2) / 2
    basis: list[tuple[str, Entries]] = [
        (numbered("P", i + 1, of=n), [(i, minus, 1.0), (i, plus, 1.0), (minus, i, -1.0), (plus, i, 1.0)])
        for i in range(n)
    ]
    basis += rotations(n)
    basis.append(("D", [(minus, plus, -1.0), (plus, minus, -1.0)]))
    basis += [
        (numbered("K", i + 1, of=n), [(i, minus, 1.0), (i, plus, -1.0), (minus, i, -1.0), (plus, i, -1.0)])
        for i in range(n)
    ]
    return from_entries(f"conformal({n})", n + 2, basis)
