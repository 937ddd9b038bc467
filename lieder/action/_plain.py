"""Stacks of matrices and algebras as plain data, and back."""

import numpy as np

from ..algebra import LieAlgebra, Span
from ..linalg import MatrixStack


def written_stack(stack: MatrixStack) -> dict:
    return {"shape": list(stack.shape), "index": stack.index, "value": np.asarray(stack.value)}


def read_stack(plain: dict) -> MatrixStack:
    q, rows, columns = plain["shape"]
    return MatrixStack((q, rows, columns), plain["index"], plain["value"])


def written_algebra(algebra: LieAlgebra | Span) -> dict:
    """An algebra in arrays, numbers, texts and lists.

    Arguments: `algebra`.
    Returns: the plain data, from which `read_algebra` makes it again.
    """
    out: dict = {"name": algebra.name, "names": list(algebra.names)}
    if isinstance(algebra, Span):
        return out | {"brackets": algebra.brackets}
    out |= {"components": list(algebra.components), "tolerance": algebra.tolerance}
    if algebra.generators is not None:
        out["generators"] = written_stack(algebra.generators)
    if algebra.constants is not None:
        out["constants"] = algebra.constants
    return out


def read_algebra(plain: dict) -> LieAlgebra | Span:
    """The algebra that `written_algebra` wrote.

    Arguments: `plain`.
    Returns: the algebra, equal to the one that was written.
    """
    names = tuple(plain["names"])
    if "tolerance" not in plain:
        return Span(plain["name"], names, plain["brackets"])
    generators = read_stack(plain["generators"]) if "generators" in plain else None
    components = tuple(np.asarray(one) for one in plain["components"])
    return LieAlgebra(plain["name"], names, generators, plain.get("constants"), components, plain["tolerance"])
