"""What acts: a linear map from coefficients of generators to vector fields."""

import abc

import numpy as np
import sympy
from jaxtyping import Array, Float

from ..algebra import LieAlgebra, Span


class AbstractFibreAction(abc.ABC):
    """Vector fields phi_k(x, y) on outputs y that may depend on the input x: what a model's output can carry.

    Attributes: `algebra` whose q generators act; `width` m of y; `blocks`, (kind, width) of each piece of y, in order.
    """

    algebra: LieAlgebra | Span
    width: int
    blocks: tuple[tuple[str, int], ...]

    @abc.abstractmethod
    def over(self, x: Float[Array, " n"], y: Float[Array, " m"]) -> Float[Array, "generators m"]:
        """All phi_k(x, y) for one example."""

    @abc.abstractmethod
    def over_one(
        self, xi: Float[Array, " generators"], x: Float[Array, " n"], y: Float[Array, " m"]
    ) -> Float[Array, " m"]:
        """phi_xi(x, y) for one combination of generators: cheaper than `over` when there are many."""

    @abc.abstractmethod
    def element_over(
        self, number: int, x: Float[Array, " n"], y: Float[Array, " m"], inverse: bool = False
    ) -> Float[Array, " m"]:
        """Where discrete element `number` of the algebra, or its inverse, takes an output y at x."""

    @abc.abstractmethod
    def restrict(self, rows: Float[np.ndarray, "new generators"], algebra: LieAlgebra | Span) -> "AbstractFibreAction":
        """The action of combinations of generators (rows of coefficients), which form `algebra`."""

    @abc.abstractmethod
    def symbolic(
        self, xi: Float[np.ndarray, " generators"], x: list[sympy.Symbol], y: list[sympy.Symbol]
    ) -> list[sympy.Expr]:
        """The m components of phi_xi as expressions in the given symbols."""


class AbstractAction(AbstractFibreAction):
    """Vector fields theta_k(z) on a space: what acts on a model's input, or on its output alone."""

    @abc.abstractmethod
    def fields(self, z: Float[Array, " n"]) -> Float[Array, "generators n"]:
        """All theta_k(z) for one point."""

    @abc.abstractmethod
    def field(self, xi: Float[Array, " generators"], z: Float[Array, " n"]) -> Float[Array, " n"]:
        """theta_xi(z) = sum_k xi^k theta_k(z)."""

    @abc.abstractmethod
    def contract(self, left: Float[Array, "m n"], z: Float[Array, " n"]) -> Float[Array, "m generators"]:
        """left theta_k(z) for all k, without forming theta where that is cheaper."""

    @abc.abstractmethod
    def element(self, number: int, z: Float[Array, " n"], inverse: bool = False) -> Float[Array, " n"]:
        """Where discrete element `number` of the algebra (its `components`), or its inverse, takes a point."""

    @abc.abstractmethod
    def restrict(self, rows: Float[np.ndarray, "new generators"], algebra: LieAlgebra | Span) -> "AbstractAction":
        """The action of combinations of generators (rows of coefficients), which form `algebra`."""


def discrete_elements(algebra: LieAlgebra | Span) -> tuple[np.ndarray, ...]:
    """The affine maps that belong to a group besides the flows of its generators.

    Arguments: `algebra`. Returns: c arrays (n, n + 1), the components of an algebra; a Span has none.
    """
    return algebra.components if isinstance(algebra, LieAlgebra) else ()


def discrete_element(algebra: LieAlgebra | Span, number: int) -> Float[np.ndarray, "n n+1"]:
    """One of `discrete_elements`. Raises: IndexError where there are not so many."""
    maps = discrete_elements(algebra)
    if not 0 <= number < len(maps):
        plural = "" if len(maps) == 1 else "s"
        raise IndexError(f"{algebra.name} has {len(maps)} discrete element{plural}, and no number {number}.")
    return maps[number]
