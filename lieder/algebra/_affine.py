"""Algebras of affine maps x -> A x + b: translations, rigid motions, all affine maps."""

from ._algebra import LieAlgebra
from ._classical import Entries, all_entries, from_entries, reflection, rotations
from ._registry import named, numbered, size


def translations(n: int) -> list[tuple[str, Entries]]:
    """The basis P_i = d/dx_i."""
    return [(numbered("P", i + 1, of=n), [(i, n, 1.0)]) for i in range(n)]


@named
def t(n: int) -> LieAlgebra:
    """Translations: P_i = d/dx_i.

    Arguments: n: size of the space.
    Returns: the algebra, abelian of dimension n.
    """
    n = size(n, "t(n)")
    return from_entries(f"t({n})", n, translations(n))


@named
def se(n: int) -> LieAlgebra:
    """Rigid motions: the rotations J_ij of so(n), then the translations P_i.

    Arguments: n: size of the space.
    Returns: the algebra, dimension n (n + 1) / 2.
    Reference: Hall, Lie Groups, Lie Algebras, and Representations, 2nd ed. 2015, section 1.2.7.
    """
    n = size(n, "se(n)")
    return from_entries(f"se({n})", n, rotations(n) + translations(n))


@named
def e(n: int) -> LieAlgebra:
    """Rigid motions and reflections: the algebra se(n), with a reflection of x_1 as its second component.

    Arguments: n: size of the space.
    Returns: the algebra, dimension n (n + 1) / 2.
    """
    n = size(n, "e(n)")
    return from_entries(f"e({n})", n, rotations(n) + translations(n), (reflection(n),))


@named
def aff(n: int) -> LieAlgebra:
    """All affine maps: the basis E_ij of gl(n), then the translations P_i.

    Arguments: n: size of the space.
    Returns: the algebra, dimension n (n + 1).
    """
    n = size(n, "aff(n)")
    return from_entries(f"aff({n})", n, all_entries(n) + translations(n))
