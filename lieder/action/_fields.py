"""Vector fields that are linear in a dictionary of functions: affine actions, polynomial fields, the user's own."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
import sympy
from jaxtyping import Array, Float

from .. import dictionary as families
from ..algebra import LieAlgebra, Span
from ..linalg import MatrixStack
from ._abstract import AbstractAction


@jax.tree_util.register_static
@dataclass(frozen=True, eq=False)
class FieldAction(AbstractAction):
    """theta_k(z) = T_k f(z) with matrices T_k and a dictionary f.

    Linear actions have f(z) = z, affine ones f(z) = (z, 1), polynomial fields f = monomials. Linear and affine ones
    can be added (+), repeated (2 * V); linear ones also multiplied (V * W, V ** 3), dualised (V.dual) and combined to
    maps (V >> W).

    Fields: `algebra` with q generators; `generators`, a MatrixStack (q, n, D); `dictionary` of D functions of n
        variables;
    `blocks`, (kind, width) of each piece of z.
    """

    algebra: LieAlgebra | Span
    generators: MatrixStack
    dictionary: families.AbstractDictionary
    blocks: tuple[tuple[str, int], ...]

    def __post_init__(self):
        q, n, size = self.generators.shape
        if (q, n, size) != (self.algebra.dim, self.dictionary.width, self.dictionary.size):
            raise ValueError(
                f"generators has shape {self.generators.shape}, but the algebra has {self.algebra.dim} generators and"
                " the dictionary"
                f" {self.dictionary.size} functions of {self.dictionary.width} variables."
            )

    @property
    def width(self) -> int:
        return self.generators.shape[1]

    @property
    def is_linear(self) -> bool:
        """True when theta_k(z) = A_k z."""
        return self.dictionary == families.linear(self.width)

    @property
    def is_affine(self) -> bool:
        """True when theta_k(z) = A_k z + b_k."""
        return self.is_linear or self.dictionary == families.affine(self.width)

    @property
    def is_trivial(self) -> bool:
        """True when nothing moves (scalars)."""
        return len(self.generators.value) == 0

    def fields(self, z: Float[Array, " n"]) -> Float[Array, "generators n"]:
        return self.generators.apply(self.dictionary(z))

    def field(self, xi: Float[Array, " generators"], z: Float[Array, " n"]) -> Float[Array, " n"]:
        generator, row, column = self.generators.places
        terms = jnp.asarray(self.generators.value, z.dtype) * xi[generator] * self.dictionary(z)[column]
        return jnp.zeros(self.width, z.dtype).at[row].add(terms)

    def contract(self, left: Float[Array, "m n"], z: Float[Array, " n"]) -> Float[Array, "m generators"]:
        return self.generators.contract(left, self.dictionary(z))

    def over(self, x: Float[Array, " n"], y: Float[Array, " m"]) -> Float[Array, "generators m"]:
        return self.fields(y)

    def over_one(self, xi, x, y):
        return self.field(xi, y)

    def restrict(self, rows: Float[np.ndarray, "new generators"], algebra: LieAlgebra | Span) -> "FieldAction":
        return FieldAction(algebra, self.generators.combine(rows), self.dictionary, self.blocks)

    def symbolic(self, xi, x, y) -> list[sympy.Expr]:
        matrix = self.generators.combine(np.asarray(xi)[None]).dense()[0]
        functions = self.dictionary.symbols(y)
        return [
            sympy.Add(*[sympy.Float(c) * f for c, f in zip(row, functions, strict=True) if c != 0.0])
            if row.any()
            else sympy.Integer(0)
            for row in matrix
        ]

    def matrices(self) -> MatrixStack:
        """The (q, n, n) matrices of a linear action; a TypeError for others, which have none."""
        if not self.is_linear:
            raise TypeError(
                f"{self} is not linear: products, duals and maps need matrices. For the directions at a point use"
                " vectors or lieder.action.tangent."
            )
        return self.generators

    def affine(self) -> MatrixStack:
        """The (q, n, n + 1) matrices [A_k | b_k] of a linear or affine action; a TypeError for others."""
        n = self.width
        if self.is_linear:
            return self.generators.placed((self.algebra.dim, n, n + 1))
        if self.is_affine:
            return self.generators
        raise TypeError(f"{self} is not affine: its fields are {self.dictionary}.")

    def __add__(self, other: "FieldAction") -> "FieldAction":
        if not isinstance(other, FieldAction):
            return NotImplemented
        _same_algebra(self, other)
        q, n, m = self.algebra.dim, self.width, other.width
        blocks = self.blocks + other.blocks
        if self.is_linear and other.is_linear:
            both = [
                self.generators.placed((q, n + m, n + m)),
                other.generators.placed((q, n + m, n + m), row=n, column=n),
            ]
            return FieldAction(self.algebra, _sum(both), families.linear(n + m), blocks)
        if self.is_affine and other.is_affine:
            shape = (q, n + m, n + m + 1)
            a, b = self.affine(), other.affine()
            parts = [a.columns(0, n).placed(shape), a.columns(n, n + 1).placed(shape, column=n + m)]
            parts += [
                b.columns(0, m).placed(shape, row=n, column=n),
                b.columns(m, m + 1).placed(shape, row=n, column=n + m),
            ]
            return FieldAction(self.algebra, _sum(parts), families.affine(n + m), blocks)
        d, e = self.dictionary.size, other.dictionary.size
        shape = (q, n + m, d + e)
        both = [self.generators.placed(shape), other.generators.placed(shape, row=n, column=d)]
        return FieldAction(self.algebra, _sum(both), families.blocks([self.dictionary, other.dictionary]), blocks)

    def __rmul__(self, count: int) -> "FieldAction":
        if not isinstance(count, int) or isinstance(count, bool):
            return NotImplemented
        if count < 1:
            raise ValueError(f"a representation can be repeated 1, 2, 3, ... times, got {count}.")
        total = self
        for _ in range(count - 1):
            total = total + self
        return total

    def __mul__(self, other: "FieldAction") -> "FieldAction":
        if not isinstance(other, FieldAction):
            return NotImplemented
        _same_algebra(self, other)
        left, right = self.matrices(), other.matrices()
        n, m = self.width, other.width
        shape = (self.algebra.dim, n * m, n * m)
        first = _kronecker(left, m, shape, inner=False)
        second = _kronecker(right, n, shape, inner=True)
        return FieldAction(self.algebra, _sum([first, second]), families.linear(n * m), (("tensors", n * m),))

    def __pow__(self, count: int) -> "FieldAction":
        if not isinstance(count, int) or count < 0:
            raise ValueError(f"a tensor power must be 0, 1, 2, ..., got {count!r}.")
        if count == 0:
            return scalars(self.algebra, 1)
        total = self
        for _ in range(count - 1):
            total = total * self
        return total

    @property
    def dual(self) -> "FieldAction":
        """Covectors: -A_k^T, so that the pairing p . u is invariant."""
        kinds = {"points": "covectors", "vectors": "covectors", "covectors": "vectors"}
        blocks = tuple((kinds.get(kind, kind), width) for kind, width in self.blocks)
        return FieldAction(self.algebra, -self.matrices().transpose(), self.dictionary, blocks)

    def __rshift__(self, other: "FieldAction") -> "FieldAction":
        """Linear maps from this space to the other, flattened row by row: W -> B W - W A."""
        return other * self.dual

    def __repr__(self) -> str:
        pieces = " + ".join(f"{kind}({width})" for kind, width in self.blocks)
        return f"{self.algebra.name} on {pieces}"


def scalars(algebra: LieAlgebra | Span, count: int = 1) -> FieldAction:
    """Numbers that no generator moves: phi = 0.

    Arguments: `algebra`; `count`, how many (default 1).
    Returns: a FieldAction of that width.
    Raises: ValueError for a count below 1.
    """
    if count < 1:
        raise ValueError(f"count must be 1, 2, 3, ..., got {count}.")
    nothing = MatrixStack.from_entries((algebra.dim, count, count), np.zeros((3, 0)), np.zeros(0))
    return FieldAction(algebra, nothing, families.linear(count), (("scalars", count),))


def _same_algebra(left: FieldAction, right: FieldAction) -> None:
    if left.algebra != right.algebra:
        raise ValueError(
            f"the two sides are over different algebras: {left.algebra.name} (dim {left.algebra.dim}) and"
            f" {right.algebra.name} (dim"
            f" {right.algebra.dim}). Build both from one algebra, or make them independent with"
            " lieder.action.independent."
        )


def _sum(parts: list[MatrixStack]) -> MatrixStack:
    """Stacks of one shape added."""
    return MatrixStack.from_entries(
        parts[0].shape, np.concatenate([p.index for p in parts], 1), np.concatenate([p.value for p in parts])
    )


def _kronecker(stack: MatrixStack, other: int, shape: tuple[int, int, int], inner: bool) -> MatrixStack:
    """A (x) 1 (inner False) or 1 (x) A (inner True), the identity of size `other`."""
    copies = []
    n = stack.shape[1]
    for i in range(other):
        index = stack.index.copy()
        index[1:] = index[1:] + i * n if inner else index[1:] * other + i
        copies.append(MatrixStack(shape, index, stack.value))
    return _sum(copies)


def over_product(actions: list[FieldAction], algebra: LieAlgebra | Span) -> list[FieldAction]:
    """Each action seen as one of the direct product, whose generators are those of all, in order."""
    out, start = [], 0
    for action in actions:
        q, n, size = action.generators.shape
        placed = action.generators.placed((algebra.dim, n, size), generator=start)
        out.append(FieldAction(algebra, placed, action.dictionary, action.blocks))
        start += q
    return out


def concatenated(pieces: list[FieldAction]) -> FieldAction:
    """The sum of one or more actions over one algebra."""
    total = pieces[0]
    for piece in pieces[1:]:
        total = total + piece
    return total
