"""An input and its output as one point (x, y): the space in which graphs live and brackets are taken."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ..algebra import LieAlgebra, Span
from ..late import sympy
from ._abstract import AbstractAction, AbstractFibreAction


class TotalAction(AbstractAction):
    """The fields (theta_k(x), phi_k(x, y)) on pairs z = (x, y).

    Build it with `total`, which checks that both sides are over one algebra.
    """

    base: AbstractAction
    fibre: AbstractFibreAction

    @property
    def algebra(self) -> LieAlgebra | Span:
        return self.base.algebra

    @property
    def width(self) -> int:
        return self.base.width + self.fibre.width

    @property
    def blocks(self) -> tuple[tuple[str, int], ...]:
        return self.base.blocks + self.fibre.blocks

    def fields(self, z: Float[Array, " n"]) -> Float[Array, "generators n"]:
        x, y = z[: self.base.width], z[self.base.width :]
        return jnp.concatenate([self.base.fields(x), self.fibre.over(x, y)], axis=1)

    def field(self, xi, z):
        x, y = z[: self.base.width], z[self.base.width :]
        return jnp.concatenate([self.base.field(xi, x), self.fibre.over_one(xi, x, y)])

    def transformed(self, xi, z):
        if not isinstance(self.fibre, AbstractAction):
            return None
        n = self.base.width
        x, y = self.base.transformed(xi, z[:n]), self.fibre.transformed(xi, z[n:])
        return None if x is None or y is None else jnp.concatenate([x, y])

    def unit_groups(self):
        shift = self.base.width
        return self.base.unit_groups() + tuple(group + shift for group in self.fibre.unit_groups())

    def written(self):
        base, fibre = self.base.written(), self.fibre.written()
        return None if base is None or fibre is None else {"type": "TotalAction", "base": base, "fibre": fibre}

    def element(self, number, z, inverse=False):
        x, y = z[: self.base.width], z[self.base.width :]
        moved = self.fibre.element_over(number, x, y, inverse)
        return jnp.concatenate([self.base.element(number, x, inverse), moved])

    def restrict(self, rows: Float[np.ndarray, "new generators"], algebra: LieAlgebra | Span) -> "TotalAction":
        return TotalAction(self.base.restrict(rows, algebra), self.fibre.restrict(rows, algebra))

    def symbolic(self, xi, x, y) -> "list[sympy.Expr]":
        n = self.base.width
        return self.base.symbolic(xi, y[:n], y[:n]) + self.fibre.symbolic(xi, y[:n], y[n:])

    def __repr__(self) -> str:
        return f"({self.base}) with ({self.fibre})"


def total(source: AbstractAction, target: AbstractFibreAction) -> AbstractAction:
    """The action on pairs (input, output).

    Arguments: `source` of width n, `target` of width m over the same algebra.
    Returns: an action of width n + m; the plain sum where both are affine, whose flows are matrix exponentials.
    Raises: ValueError when the algebras differ.
    """
    check_same_algebra(source, target)
    left, right = source.expansion, target.expansion
    if left is not None and right is not None and left.is_affine and right.is_affine:
        return left + right
    return TotalAction(source, target)


def check_same_algebra(source: AbstractFibreAction, target: AbstractFibreAction) -> None:
    """Nothing, when both sides are over one algebra.

    Arguments: `source`, `target`, two actions.
    Raises: ValueError naming both algebras when they differ.
    """
    if source.algebra != target.algebra:
        raise ValueError(
            f"source and target are over different algebras: source over {source.algebra.name} (dim"
            f" {source.algebra.dim}), target over {target.algebra.name} (dim {target.algebra.dim}). Build both from one"
            " algebra, or let them move independently: source, target = lieder.action.independent(source, target)."
        )
