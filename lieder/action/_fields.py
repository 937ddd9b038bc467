"""Vector fields that are linear in a dictionary of functions: affine actions, polynomial fields, the user's own."""

from itertools import groupby

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import scipy.sparse
from jaxtyping import Array, Float

from .. import dictionary as families
from ..algebra import LieAlgebra, Span
from ..late import sympy
from ..linalg import MatrixStack
from ..sampling import checked_flag
from ._abstract import AbstractAction, discrete_element, discrete_elements
from ._kronecker import contragredient, identities, kronecker, kronecker_sum, repeated, side_by_side
from ._measured import Measured
from ._plain import written_algebra, written_stack

NO_ELEMENTS = MatrixStack((0, 0, 0), np.zeros((3, 0), np.int64), np.zeros(0))  # stands for elements not given


class FieldAction(AbstractAction):
    """theta_k(z) = T_k f(z) with matrices T_k and a dictionary f.

    Linear actions have f(z) = z, affine ones f(z) = (z, 1), polynomial fields f = monomials. Linear and affine ones
    can be added (+), repeated (2 * V, V * 2); linear ones also multiplied (V * W, V ** 3), dualised (V.dual) and
    combined to maps (V >> W).

    Leaves are the numbers of the matrices; where they stand is static.

    Fields: `algebra` with q generators; `generators`, a MatrixStack (q, n, D); `dictionary` of D functions of n
        variables; `pieces`, (kind, width) of each piece of z; `elements`, a MatrixStack (c, n, D), what each discrete
        element of the algebra (its `components`: reflections, permutations) does: z -> H_j f(z); `measured`, where
        generators come from that were found in data, None for given ones.
    """

    algebra: LieAlgebra | Span
    generators: MatrixStack
    dictionary: families.AbstractDictionary = eqx.field(static=True)
    pieces: tuple[tuple[str, int], ...] = eqx.field(static=True)
    elements: MatrixStack = NO_ELEMENTS
    measured: Measured | None = eqx.field(static=True, default=None)

    def __post_init__(self):
        q, n, size = self.generators.shape
        if (q, n, size) != (self.algebra.dim, self.dictionary.width, self.dictionary.size):
            raise ValueError(
                f"generators has shape {self.generators.shape}, but the algebra has {self.algebra.dim} generators and"
                f" the dictionary {self.dictionary.size} functions of {self.dictionary.width} variables."
            )
        count = len(discrete_elements(self.algebra))
        if self.elements is NO_ELEMENTS and count == 0:
            self.elements = MatrixStack((0, n, size), NO_ELEMENTS.index, NO_ELEMENTS.value)
        if self.elements.shape != (count, n, size):
            came = "was not given" if self.elements is NO_ELEMENTS else f"has shape {self.elements.shape}"
            raise ValueError(
                f"elements {came}, but {self.algebra.name} has {count} discrete elements: it must have shape"
                f" ({count}, {n}, {size}), one matrix H_j for each, z -> H_j f(z)."
            )

    @property
    def width(self) -> int:
        return self.generators.shape[1]

    @property
    def blocks(self) -> tuple[tuple[str, int], ...]:
        return self.pieces

    @property
    def expansion(self) -> "FieldAction":
        return self

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
        """True when no generator moves anything (scalars)."""
        return len(self.generators.value) == 0

    def fields(self, z: Float[Array, " n"]) -> Float[Array, "generators n"]:
        return self.generators.apply(self.dictionary(z))

    def field(self, xi: Float[Array, " generators"], z: Float[Array, " n"]) -> Float[Array, " n"]:
        generator, row, column = self.generators.places
        terms = jnp.asarray(self.generators.value, z.dtype) * xi[generator] * self.dictionary(z)[column]
        return jnp.zeros(self.width, z.dtype).at[row].add(terms)

    def contract(self, left: Float[Array, "m n"], z: Float[Array, " n"]) -> Float[Array, "m generators"]:
        return self.generators.contract(left, self.dictionary(z))

    def transformed(self, xi, z):
        """The matrix exponential of [[A, b], [0, 0]], of an affine action."""
        if not self.is_affine:
            return None
        n = self.width
        stack = self.affine()
        generator, row, column = stack.places
        matrix = jnp.zeros((n + 1, n + 1), z.dtype)
        matrix = matrix.at[row, column].add(jnp.asarray(stack.value, z.dtype) * xi[generator])
        return (jax.scipy.linalg.expm(matrix) @ jnp.concatenate([z, jnp.ones(1, z.dtype)]))[:n]

    def unit_groups(self):
        # A function ties the coordinates that it moves to the variables that it is made of.
        row, column = np.concatenate([self.generators.index[1:], self.elements.index[1:]], axis=1)
        moved = scipy.sparse.csr_array((np.ones(len(row)), (row, column)), shape=(self.width, self.dictionary.size))
        tied = scipy.sparse.csr_array(moved @ self.dictionary.depends)
        count, label = scipy.sparse.csgraph.connected_components(tied, directed=False)
        return tuple(np.flatnonzero(label == group) for group in range(count))

    def written(self):
        dictionary = self.dictionary.written()
        if dictionary is None:
            return None
        return {
            "type": "FieldAction",
            "algebra": written_algebra(self.algebra),
            "generators": written_stack(self.generators),
            "elements": written_stack(self.elements),
            "dictionary": dictionary,
            "pieces": [list(piece) for piece in self.pieces],
        }

    def element(self, number: int, z: Float[Array, " n"], inverse: bool = False) -> Float[Array, " n"]:
        discrete_element(self.algebra, number)
        one = self.elements.only(number)
        if not checked_flag(inverse, "inverse"):
            return one.apply(self.dictionary(z))[0]
        if not self.is_affine:
            raise TypeError(f"{self} is not affine: the inverse of its discrete elements is not known.")
        map_ = matrix(self.elements, number)
        back = jnp.asarray(inverted(map_[:, : self.width]), z.dtype)
        return back @ (z if self.is_linear else z - jnp.asarray(map_[:, self.width], z.dtype))

    def restrict(self, rows: Float[np.ndarray, "new generators"], algebra: LieAlgebra | Span) -> "FieldAction":
        own, kept = discrete_elements(self.algebra), discrete_elements(algebra)
        same = len(own) == len(kept) and all(np.array_equal(a, b) for a, b in zip(own, kept, strict=True))
        elements = self.elements if same else NO_ELEMENTS
        return FieldAction(algebra, self.generators.combine(rows), self.dictionary, self.blocks, elements)

    def symbolic(self, xi, x, y) -> "list[sympy.Expr]":
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
        self._check_linear()
        return self.generators

    def discrete(self) -> MatrixStack:
        """The (c, n, n) matrices of the discrete elements of a linear action; a TypeError for others."""
        self._check_linear()
        return self.elements

    def _check_linear(self):
        if not self.is_linear:
            raise TypeError(
                f"{self} is not linear: products, duals and maps need matrices. For the directions at a point use"
                " vectors or lieder.action.tangent."
            )

    def affine(self) -> MatrixStack:
        """The (q, n, n + 1) matrices [A_k | b_k] of a linear or affine action; a TypeError for others."""
        if self.is_linear:
            return _with_shift(self.generators)
        if self.is_affine:
            return self.generators
        raise TypeError(f"{self} is not affine: its fields are {self.dictionary}.")

    def __add__(self, other: "FieldAction") -> "FieldAction":
        if not isinstance(other, FieldAction):
            return NotImplemented
        _same_algebra(self, other)
        blocks, width = self.blocks + other.blocks, self.width + other.width
        pairs = (self.generators, other.generators), (self.elements, other.elements)
        shift = self.is_affine and other.is_affine and not (self.is_linear and other.is_linear)
        if shift:
            dictionary = families.affine(width)
            pairs = tuple((_with_shift(a), _with_shift(b)) for a, b in pairs)
        elif self.is_linear and other.is_linear:
            dictionary = families.linear(width)
        else:
            dictionary = families.blocks([self.dictionary, other.dictionary])
        generators, elements = (side_by_side(list(pair), shift) for pair in pairs)
        return FieldAction(self.algebra, generators, dictionary, blocks, elements)

    def __rmul__(self, count: int) -> "FieldAction":
        if not isinstance(count, int) or isinstance(count, bool):
            return NotImplemented
        if count < 1:
            raise ValueError(f"a representation can be repeated 1, 2, 3, ... times, got {count}.")
        if count == 1:
            return self
        shift = self.is_affine and not self.is_linear
        if self.is_affine:
            dictionary = (families.affine if shift else families.linear)(count * self.width)
        else:
            dictionary = families.blocks([self.dictionary] * count)
        generators, elements = (repeated(stack, count, shift) for stack in (self.generators, self.elements))
        return FieldAction(self.algebra, generators, dictionary, count * self.blocks, elements)

    def __mul__(self, other: "FieldAction | int") -> "FieldAction":
        if not isinstance(other, FieldAction):
            return self.__rmul__(other)
        _same_algebra(self, other)
        for factor in (self, other):
            if factor.is_affine and not factor.is_linear:
                raise TypeError(
                    f"{factor} moves points, and a product needs linear actions: use the directions,"
                    " lieder.vectors(algebra), or points of an algebra without translations."
                )
        width = self.width * other.width
        generators = kronecker_sum(self.matrices(), other.matrices())
        elements = kronecker(self.discrete(), other.discrete())
        return FieldAction(self.algebra, generators, families.linear(width), (("tensors", width),), elements)

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
        """Covectors: -A_k^T and H_j^-T, so that the pairing p . u is invariant."""
        if self.is_affine and not self.is_linear:
            raise TypeError(
                f"{self}: a point has no dual; use vectors (directions), whose dual are covectors:"
                " lieder.covectors(algebra). Or take points of an algebra without translations."
            )
        kinds = {"points": "covectors", "vectors": "covectors", "covectors": "vectors"}
        blocks = tuple((kinds.get(kind, kind), width) for kind, width in self.blocks)
        elements = contragredient(self.discrete())
        return FieldAction(self.algebra, -self.matrices().transpose(), self.dictionary, blocks, elements)

    def __rshift__(self, other: "FieldAction") -> "FieldAction":
        """Linear maps from this space to the other, flattened row by row: W -> B W - W A."""
        return other * self.dual

    def __repr__(self) -> str:
        return f"{self.algebra.name} on {written(self.blocks)}"


def matrix(stack: MatrixStack, number: int):
    """One matrix of a stack: NumPy's, in double precision, unless JAX is tracing the values."""
    one = stack.only(number)
    return one.array(float)[0] if one.is_traced else one.dense()[0]


def inverted(square):
    return np.linalg.inv(square) if isinstance(square, np.ndarray) else jnp.linalg.inv(square)


def written(blocks: tuple[tuple[str, int], ...]) -> str:
    """The pieces of a space in words, equal ones that follow each other counted: "2 points(3) + scalars(1)"."""
    runs = [(kind, width, len(list(run))) for (kind, width), run in groupby(blocks)]
    return " + ".join(f"{count} {kind}({width})" if count > 1 else f"{kind}({width})" for kind, width, count in runs)


def scalars(algebra: LieAlgebra | Span, count: int = 1) -> FieldAction:
    """Numbers that no generator moves: phi = 0.

    Arguments: `algebra`; `count`, how many (default 1).
    Returns: a FieldAction of that width.
    Raises: ValueError for a count below 1.
    """
    if count < 1:
        raise ValueError(f"count must be 1, 2, 3, ..., got {count}.")
    nothing = MatrixStack((algebra.dim, count, count), NO_ELEMENTS.index, NO_ELEMENTS.value)
    dictionary = families.linear(count)
    still = identities(len(discrete_elements(algebra)), dictionary)
    return FieldAction(algebra, nothing, dictionary, (("scalars", count),), still)


def _same_algebra(left: FieldAction, right: FieldAction) -> None:
    if left.algebra != right.algebra:
        raise ValueError(
            f"the two sides are over different algebras: {left.algebra.name} (dim {left.algebra.dim}) and"
            f" {right.algebra.name} (dim {right.algebra.dim}). Build both from one algebra, or make them independent"
            " with lieder.action.independent."
        )


def _with_shift(stack: MatrixStack) -> MatrixStack:
    """Matrices (.., n, n) or (.., n, n + 1) as affine maps (.., n, n + 1)."""
    q, n, _ = stack.shape
    return stack.placed((q, n, n + 1))


def over_product(actions: list[FieldAction], algebra: LieAlgebra | Span) -> list[FieldAction]:
    """Each action seen as one of the direct product, whose generators and elements are those of all, in order."""
    out, start, first = [], 0, 0
    total = len(discrete_elements(algebra))
    for action in actions:
        q, n, size = action.generators.shape
        placed = action.generators.placed((algebra.dim, n, size), generator=start)
        elements = NO_ELEMENTS
        if total:
            own = np.arange(total) - first
            others = identities(total, action.dictionary)
            keep = np.isin(others.index[0], np.flatnonzero((own < 0) | (own >= action.elements.shape[0])))
            mine = action.elements.placed(others.shape, generator=first)
            elements = MatrixStack.from_entries(
                others.shape,
                np.concatenate([others.index[:, keep], mine.index], axis=1),
                np.concatenate([others.value[keep], mine.value]),
            )
        out.append(FieldAction(algebra, placed, action.dictionary, action.blocks, elements))
        start, first = start + q, first + action.elements.shape[0]
    return out


def concatenated(pieces: list[FieldAction]) -> FieldAction:
    """The sum of one or more actions over one algebra."""
    total = pieces[0]
    for piece in pieces[1:]:
        total = total + piece
    return total
