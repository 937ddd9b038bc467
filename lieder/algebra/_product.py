"""The direct sum of algebras: each acts on its own space, and they commute."""

import numpy as np

from ..linalg import MatrixStack, stacked
from ._algebra import LieAlgebra


def product(*algebras: LieAlgebra) -> LieAlgebra:
    """The algebra of the product group: the generators of all, in order, those of two algebras commuting.

    [(a, b), (a', b')] = ([a, a'], [b, b']). The defining space is the sum of the defining spaces (block-diagonal
    matrices) when every algebra has one.

    Arguments: algebras: at least one.
    Returns: the algebra, its dimension the sum of theirs. Names that clash are
    prefixed by the number of their algebra: "1.J12", "2.J12". Its discrete elements are those of all, in order, each
    the identity on the other spaces; there are none when an algebra without matrices is among them.
    Raises: ValueError if no algebra is given, TypeError if something else is.
    """
    if not algebras:
        raise ValueError("product() needs at least one algebra")
    for number, algebra in enumerate(algebras):
        if not isinstance(algebra, LieAlgebra):
            raise TypeError(f"product: argument {number + 1} is {type(algebra).__name__}, not a LieAlgebra")
    if len(algebras) == 1:
        return algebras[0]
    names = [name for algebra in algebras for name in algebra.names]
    if len(set(names)) < len(names):
        names = [f"{number + 1}.{name}" for number, algebra in enumerate(algebras) for name in algebra.names]
    generators = _blocks(algebras) if all(algebra.generators is not None for algebra in algebras) else None
    constants = None
    if generators is None or any(algebra.constants is not None for algebra in algebras):
        constants = _block_constants(algebras)
    return LieAlgebra(
        " + ".join(algebra.name for algebra in algebras),
        tuple(names),
        generators,
        constants,
        () if generators is None else _components(algebras),
        max(algebra.tolerance for algebra in algebras),
    )


def _blocks(algebras: tuple[LieAlgebra, ...]) -> MatrixStack:
    n = sum(algebra.degree for algebra in algebras)
    parts, start = [], 0
    for algebra in algebras:
        stack, own = algebra._matrices("product"), algebra.degree
        shape = (algebra.dim, n, n + 1)
        linear = stack.columns(0, own).placed(shape, row=start, column=start)
        shift = stack.columns(own, own + 1).placed(shape, row=start, column=n)
        index = np.concatenate([linear.index, shift.index], axis=1)
        parts.append(MatrixStack.from_entries(shape, index, np.concatenate([linear.value, shift.value])))
        start += own
    return stacked(parts, axis=0)


def _block_constants(algebras: tuple[LieAlgebra, ...]) -> np.ndarray:
    q, start = sum(algebra.dim for algebra in algebras), 0
    constants = np.zeros((q, q, q))
    for algebra in algebras:
        own = slice(start, start + algebra.dim)
        constants[own, own, own] = algebra.structure
        start += algebra.dim
    return constants


def _components(algebras: tuple[LieAlgebra, ...]) -> tuple[np.ndarray, ...]:
    """The other components of each algebra, the identity on the spaces of the others."""
    n, start, found = sum(algebra.degree for algebra in algebras), 0, []
    for algebra in algebras:
        own = slice(start, start + algebra.degree)
        for component in algebra.components:
            larger = np.eye(n, n + 1)
            larger[own, own] = component[:, :-1]
            larger[own, -1] = component[:, -1]
            found.append(larger)
        start += algebra.degree
    return tuple(found)
