"""What acts: a linear map from coefficients of generators to vector fields."""

import abc
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple, Optional

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jaxtyping import Array, Float, Int

from ..algebra import LieAlgebra, Span
from ..late import sympy

if TYPE_CHECKING:
    from ._fields import FieldAction

NAMED = 8  # variables that a function known by its name alone is written with; of more, the first and the last


class Sampled(NamedTuple):
    """How fields sampled on a grid are moved: places by affine maps, values by linear ones.

    Fields: `shape` (channels, samples along each array axis); `moves` (q, d, d + 1), x -> A x + b, and `turns` (q, c,
    c), the generators; `axes`, the array axis along which each coordinate grows; `spacing` of the samples along each
    coordinate, (0, 0) the centre; `boundary`, what is beyond.
    """

    shape: tuple[int, ...]
    moves: Float[np.ndarray, "q d d+1"]
    turns: Float[np.ndarray, "q c c"]
    axes: tuple[int, ...]
    spacing: tuple[float, ...]
    boundary: str


class AbstractFibreAction(eqx.Module):
    """Vector fields phi_k(x, y) on outputs y that may depend on the input x: what a model's output can carry.

    Every action is an equinox module: numbers that may be trained are its leaves. Two actions are equal, and JAX takes
    them for the same argument, when they are of one class and hold the same content.

    Fields: `algebra` whose q generators act; `width` m of y.
    """

    if TYPE_CHECKING:  # a checker would take abstract variables for arguments of the constructor

        @property
        def algebra(self) -> LieAlgebra | Span: ...
        @property
        def width(self) -> int: ...
    else:
        algebra: eqx.AbstractVar[LieAlgebra | Span]
        width: eqx.AbstractVar[int]

    @abc.abstractmethod
    def over_one(
        self, xi: Float[Array, " generators"], x: Float[Array, " n"], y: Float[Array, " m"]
    ) -> Float[Array, " m"]:
        """phi_xi(x, y) for one combination of generators: cheaper than `over` when there are many."""

    def over(self, x: Float[Array, " n"], y: Float[Array, " m"]) -> Float[Array, "generators m"]:
        """All phi_k(x, y) for one example."""
        return jax.vmap(lambda xi: self.over_one(xi, x, y))(jnp.eye(self.algebra.dim, dtype=y.dtype))

    def element_over(
        self, number: int, x: Float[Array, " n"], y: Float[Array, " m"], inverse: bool = False
    ) -> Float[Array, " m"]:
        """Where discrete element `number` of the algebra, or its inverse, takes an output y at x."""
        return _no_element(self, number)

    @abc.abstractmethod
    def restrict(self, rows: Float[np.ndarray, "new generators"], algebra: LieAlgebra | Span) -> "AbstractFibreAction":
        """The action of combinations of generators (rows of coefficients), which form `algebra`."""

    def symbolic(
        self, xi: Float[np.ndarray, " generators"], x: "list[sympy.Symbol]", y: "list[sympy.Symbol]"
    ) -> "list[sympy.Expr]":
        """The m components of phi_xi as expressions in the given symbols; by default in the generators' names."""
        return named_components(self.algebra, xi, y)

    def own_coordinates(self, xi: Float[np.ndarray, " generators"]) -> "tuple[list[str], list[sympy.Expr]] | None":
        """Names and components of a field in coordinates in which it is simple; None (default) to write it in those of
        the data."""
        return None

    @property
    def blocks(self) -> tuple[tuple[str, int], ...]:
        """(kind, width) of each piece of y, in order; by default one of points."""
        return (("points", self.width),)

    @property
    def expansion(self) -> Optional["FieldAction"]:
        """The same action as matrices times a dictionary of functions, T_k f(y), where it is known in this form.

        Verbs are exact and fast with it and do without it, from values and derivatives, where it is None (default).
        """
        return None

    @property
    def is_linear(self) -> bool:
        """True when it is known that phi_k(y) = A_k y."""
        return self.expansion is not None and self.expansion.is_linear

    @property
    def is_affine(self) -> bool:
        """True when it is known that phi_k(y) = A_k y + b_k."""
        return self.expansion is not None and self.expansion.is_affine

    @property
    def is_trivial(self) -> bool:
        """True when it is known that no generator moves anything (scalars)."""
        return self.expansion is not None and self.expansion.is_trivial

    def unit_groups(self) -> tuple[Int[np.ndarray, " coordinates"], ...]:
        """The coordinates in groups that no generator mixes: only those of one group share a unit.

        Rotations of (x, y) tie x to y; scalings and translations tie nothing. Lengths within a group can be compared,
        between groups they need not be: positions and momenta, or a pressure and a temperature, have units of their
        own.

        Returns: index arrays that part 0..m-1, in the order of their first coordinate; by default all in one, unless
            an expansion tells.
        """
        return (np.arange(self.width),) if self.expansion is None else self.expansion.unit_groups()

    def written(self) -> dict | None:
        """The action in arrays, numbers, texts and lists, from which `lieder.action.read` makes it again.

        Returns: the plain data; None (default) for what is known by code alone, such as a class of your own.
        """
        return None

    @cached_property
    def _content(self) -> tuple:
        """What two equal actions have in common. Leaves that are traced have no content but themselves."""
        leaves, structure = jax.tree_util.tree_flatten(self)
        return type(self), structure, tuple(_plain(leaf) for leaf in leaves)

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if not isinstance(other, AbstractFibreAction):
            return NotImplemented
        return self._content == other._content

    def __hash__(self) -> int:
        return hash(self._content)


class AbstractAction(AbstractFibreAction):
    """Vector fields theta_k(z) on a space: what acts on a model's input, or on its output alone.

    An action of your own is a subclass with an `algebra`, a `width` and `field`; all else is derived from these, and
    may be overridden by what the action knows better. See docs/extending.md.
    """

    @abc.abstractmethod
    def field(self, xi: Float[Array, " generators"], z: Float[Array, " n"]) -> Float[Array, " n"]:
        """theta_xi(z) = sum_k xi^k theta_k(z)."""

    def fields(self, z: Float[Array, " n"]) -> Float[Array, "generators n"]:
        """All theta_k(z) for one point."""
        return jax.vmap(lambda xi: self.field(xi, z))(jnp.eye(self.algebra.dim, dtype=z.dtype))

    def contract(self, left: Float[Array, "m n"], z: Float[Array, " n"]) -> Float[Array, "m generators"]:
        """left theta_k(z) for all k, without forming theta where that is cheaper."""
        return left @ self.fields(z).T

    def over(self, x: Float[Array, " n"], y: Float[Array, " m"]) -> Float[Array, "generators m"]:
        return self.fields(y)

    def over_one(self, xi, x, y):
        return self.field(xi, y)

    def element(self, number: int, z: Float[Array, " n"], inverse: bool = False) -> Float[Array, " n"]:
        """Where discrete element `number` of the algebra (its `components`), or its inverse, takes a point."""
        return _no_element(self, number)

    def element_over(self, number, x, y, inverse=False):
        return self.element(number, y, inverse)

    def transformed(self, xi: Float[Array, " generators"], z: Float[Array, " n"]) -> Float[Array, " n"] | None:
        """exp(xi) . z in closed form; None where it is not known, and the field is then integrated.

        By default that of the expansion, if there is one.
        """
        return None if self.expansion is None else self.expansion.transformed(xi, z)

    def sampled(self) -> Sampled | None:
        """How it moves fields sampled on a grid; None (default) where its points are no such fields."""
        return None

    def restrict(self, rows: Float[np.ndarray, "new generators"], algebra: LieAlgebra | Span) -> "AbstractAction":
        return Restricted(self, np.asarray(rows, np.float64), algebra)


class Restricted(AbstractAction):
    """Combinations of the generators of another action: what `restrict` makes by default.

    Fields: `base`, of q generators; `rows` (r, q); `algebra`, which the combinations form.
    """

    base: AbstractAction
    rows: Float[np.ndarray, "r q"]
    algebra: LieAlgebra | Span

    @property
    def width(self) -> int:
        return self.base.width

    def field(self, xi, z):
        return self.base.field(xi @ jnp.asarray(self.rows, z.dtype), z)

    def fields(self, z):
        return jnp.asarray(self.rows, z.dtype) @ self.base.fields(z)

    def element(self, number, z, inverse=False):
        own, other = discrete_elements(self.algebra), discrete_elements(self.base.algebra)
        if len(own) != len(other) or not all(np.array_equal(a, b) for a, b in zip(own, other, strict=True)):
            return _no_element(self, number)
        return self.base.element(number, z, inverse)

    def transformed(self, xi, z):
        return self.base.transformed(xi @ jnp.asarray(self.rows, z.dtype), z)

    def restrict(self, rows, algebra):
        return Restricted(self.base, np.asarray(rows, np.float64) @ self.rows, algebra)

    def own_coordinates(self, xi):
        return self.base.own_coordinates(np.asarray(xi) @ self.rows)

    def symbolic(self, xi, x, y):
        return self.base.symbolic(np.asarray(xi) @ self.rows, x, y)

    @property
    def blocks(self):
        return self.base.blocks

    def unit_groups(self):
        return self.base.unit_groups()

    def __repr__(self) -> str:
        return f"{self.algebra.name} in {self.base}"


def named_components(
    algebra: LieAlgebra | Span, xi: Float[np.ndarray, " generators"], y: "list[sympy.Symbol]"
) -> "list[sympy.Expr]":
    """Components of sum_k xi^k theta_k by the names of the generators: name_0(y), name_1(y), ...

    Of many symbols the functions name the first and the last, name_0(y0, ..., y99): each component holds them all.

    Arguments: `algebra`; `xi` (q,); `y`, m symbols.
    Returns: m expressions.
    """
    words = [name.replace(" ", "_") for name in algebra.names]
    of = y if len(y) <= NAMED else [y[0], sympy.Symbol("..."), y[-1]]
    return [
        sympy.Add(*[sympy.Float(c) * sympy.Function(f"{w}_{i}")(*of) for c, w in zip(xi, words, strict=True) if c != 0])
        for i in range(len(y))
    ]


def _plain(leaf) -> tuple | object:
    if isinstance(leaf, Tracer) or not eqx.is_array(leaf):
        return leaf
    array = np.asarray(leaf) + 0  # 0.0 and -0.0 are one number
    return array.shape, array.dtype.str, array.tobytes()


def _no_element(action: AbstractFibreAction, number: int) -> Array:
    """The error of an action that does not say what a discrete element does."""
    discrete_element(action.algebra, number)
    raise TypeError(
        f"{action!r} does not say what the discrete elements of {action.algebra.name} do: give"
        f" {type(action).__name__} a method element(number, z, inverse=False), or take an algebra without them."
    )


def discrete_elements(algebra: LieAlgebra | Span) -> tuple[np.ndarray, ...]:
    """The affine maps that belong to a group besides the flows of its generators.

    Arguments: `algebra`.
    Returns: c arrays (n, n + 1), the components of an algebra; a Span has none.
    """
    return algebra.components if isinstance(algebra, LieAlgebra) else ()


def discrete_element(algebra: LieAlgebra | Span, number: int) -> Float[np.ndarray, "n n+1"]:
    """One of `discrete_elements`.

    Raises: IndexError where there are not so many.
    """
    maps = discrete_elements(algebra)
    if not 0 <= number < len(maps):
        plural = "" if len(maps) == 1 else "s"
        raise IndexError(f"{algebra.name} has {len(maps)} discrete element{plural}, and no number {number}.")
    return maps[number]


def refuse_elements(action: AbstractFibreAction, argument: str, reason: str, advice: str) -> None:
    """Nothing, when flows are all there is to a group: for verbs that cannot honour the discrete elements of others.

    Arguments: `action`; `argument`, what the user calls it; `reason` and `advice`, the verb's own words.
    Raises: ValueError when the algebra has discrete elements.
    """
    count = len(discrete_elements(action.algebra))
    if count:
        raise ValueError(
            f"{argument}: {action.algebra.name} has {count} discrete element{'s' * (count > 1)}, such as reflections,"
            f" and {reason}. Take the algebra without them, such as so(3) for o(3); {advice}"
        )
