"""A Lie algebra: generators or structure constants, and what can be done with coefficients alone."""

from dataclasses import dataclass, field
from functools import cached_property
from math import prod

import jax
import numpy as np
import scipy.sparse
from jaxtyping import Float
from numpy.typing import ArrayLike

from ..linalg import MatrixStack
from . import _subspace
from ._bracket import brackets, structure_constants
from ._checks import DEPENDENT, check_bytes, check_constants, check_generators, check_laws, fits, frozen
from ._closest import nearest_closed
from ._identify import LARGEST, describe, name_of
from ._registry import NAMED

_ALL_CONSTANTS = 64  # up to this dimension brackets go through the structure constants


@jax.tree_util.register_static
@dataclass(frozen=True, eq=False, repr=False)
class LieAlgebra:
    """A real Lie algebra with a basis e_1..e_q.

    [e_i, e_j] = sum_k structure[i, j, k] e_k; for matrices [A, B] = A B - B A.

    Fields:
      `name`: what it is called, "so(3)".
      `names`: one name for each generator, "J12".
      `generators`: affine generators x -> A x + b of the defining space R^n as a stack (q, n, n + 1) whose last column
        is b, or None for an algebra given by its constants only.
      `constants`: structure constants (q, q, q), or None: they are then computed from the generators when needed. If
        both are given the constants are used for brackets (an algebra that is closed only within a tolerance).
      `components`: affine maps (n, n + 1), discrete elements that generate the group together with the flows of the
        generators: a reflection; a finite group has no generators and only these.
      `tolerance`: the largest closure defect at which generators count as closed under the bracket. The default 1e-9
        is far above rounding and far below any defect of measured generators.

    A static pytree; two algebras are equal when their contents are.

    Raises: ValueError if shapes disagree, values are not finite, generators are linearly dependent, or constants given
    alone are not antisymmetric or fail the Jacobi identity.
    """

    name: str
    names: tuple[str, ...]
    generators: MatrixStack | None = None
    constants: Float[np.ndarray, "generators generators generators"] | None = None
    components: tuple[Float[np.ndarray, "n n+1"], ...] = ()
    tolerance: float = 1e-9
    _dual: scipy.sparse.csr_array = field(init=False)  # functionals that read off coefficients; set with generators

    def __post_init__(self):
        object.__setattr__(self, "names", tuple(self.names))
        object.__setattr__(self, "components", tuple(frozen(c) for c in self.components))
        if self.constants is not None:
            object.__setattr__(self, "constants", frozen(self.constants))
        if self.generators is None and self.constants is None:
            raise ValueError(f"{self.name}: give generators, constants, or both")
        if self.generators is not None:
            dual = check_generators(self.name, self.dim, self.generators, self.components)
            object.__setattr__(self, "_dual", dual)
        if self.constants is not None:
            check_constants(self.name, self.dim, self.constants)
            if self.generators is None:
                check_laws(self.name, self.constants, self.tolerance)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, LieAlgebra):
            return NotImplemented
        return self is other or self._content == other._content

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def _content(self) -> tuple:
        stack = self.generators
        generators = None if stack is None else (stack.shape, stack.index.tobytes(), (stack.value + 0.0).tobytes())
        constants = None if self.constants is None else self.constants.tobytes()
        components = tuple((c.shape, c.tobytes()) for c in self.components)
        return self.name, self.names, generators, constants, components, self.tolerance

    @cached_property
    def _hash(self) -> int:
        return hash(self._content)

    def __repr__(self) -> str:
        shown = ", ".join(self.names if self.dim <= 8 else [*self.names[:3], "...", self.names[-1]])
        space = "given by its constants" if self.generators is None else f"acting on R^{self.degree}"
        count = len(self.components)
        more = f", and {count} discrete element{'s' * (count != 1)}" if count else ""
        return f"LieAlgebra {self.name}: dim {self.dim}, {space}, generators {shown or 'none'}{more}"

    @property
    def dim(self) -> int:
        """The number q of generators."""
        return len(self.names)

    @property
    def degree(self) -> int:
        """The size n of the defining space.

        Raises: ValueError for an algebra given by its constants only.
        """
        return self._matrices("degree").shape[1]

    @cached_property
    def structure(self) -> Float[np.ndarray, "generators generators generators"]:
        """Structure constants: [e_i, e_j] = sum_k structure[i, j, k] e_k.

        Raises: ValueError if the array would pass 1 GiB, or if the generators are not closed under the bracket.
        """
        if self.constants is not None:
            return self.constants
        check_bytes(self.dim, self.name)
        constants, defect = structure_constants(self._matrices("structure"), self._dual)
        self._check_closed(defect)
        constants.setflags(write=False)
        return constants

    def _matrices(self, wanted: str) -> MatrixStack:
        if self.generators is None:
            raise ValueError(f"{self.name} is given by its structure constants only and has no {wanted} of matrices")
        return self.generators

    def check_closed(self) -> None:
        """Nothing, when the generators are closed under the bracket within the tolerance.

        All brackets of up to 64 generators, those of four random pairs of elements beyond.
        Raises: ValueError naming the closure defect.
        """
        if self.constants is not None or self.dim <= _ALL_CONSTANTS:
            self.structure  # noqa: B018
            return
        a, b = np.random.default_rng(0).normal(size=(2, 4, self.dim))
        self.bracket(a, b)

    def _check_closed(self, defect: float):
        if defect > self.tolerance:
            raise ValueError(
                f"the generators of {self.name} are not closed under the bracket: closure defect {defect:.3g}, "
                f"tolerance {self.tolerance:.3g}. Add the missing brackets, or take the closed subalgebra of a larger "
                "algebra with .closure(rows)"
            )

    def bracket(self, a: ArrayLike, b: ArrayLike) -> Float[np.ndarray, "*batch generators"]:
        """The bracket of two elements, or of two stacks of elements.

        [a, b] = sum_ij a_i b_j [e_i, e_j].

        Arguments: a, b: coefficients, shapes (..., q), broadcast against each other.
        Returns: coefficients, shape (..., q).
        Raises: ValueError if a width is not q, or the generators are not closed under the bracket.
        """
        a, b = np.broadcast_arrays(self._coefficients(a, "a"), self._coefficients(b, "b"))
        pairs = (prod(a.shape[:-1]), self.dim)
        return self._brackets(a.reshape(pairs), b.reshape(pairs)).reshape(a.shape)

    def _brackets(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        if self.constants is not None or self.dim <= _ALL_CONSTANTS:
            return np.einsum("pj,pjk->pk", b, np.tensordot(a, self.structure, axes=(1, 0)))
        coefficients, defect = brackets(self._matrices("bracket"), self._dual, a, b)
        self._check_closed(defect)
        return coefficients

    def _coefficients(self, a: ArrayLike, argument: str) -> np.ndarray:
        a = np.asarray(a, dtype=np.float64)
        if a.ndim == 0 or a.shape[-1] != self.dim:
            raise ValueError(
                f"{argument} has shape {a.shape}; {self.name} needs {self.dim} coefficients on its last axis"
            )
        if not np.all(np.isfinite(a)):
            raise ValueError(f"{argument} holds NaN or infinite coefficients")
        return a

    def killing(self) -> Float[np.ndarray, "generators generators"]:
        """The Killing form K_ij = tr(ad e_i ad e_j), negative definite for compact semisimple algebras.

        Returns: shape (q, q), symmetric.
        """
        return _subspace.killing_form(self.structure)

    def coordinates(
        self, matrices: ArrayLike
    ) -> tuple[Float[np.ndarray, "rows generators"], Float[np.ndarray, " rows"]]:
        """Coefficients of given affine generators, by least squares, and how far they lie outside.

        Arguments: matrices: shape (r, n, n + 1), or (r, n, n) for linear ones.
        Returns: coefficients (r, q), and for each matrix its relative distance to the algebra: 0 inside, 1 orthogonal.
        Raises: ValueError if the shape does not fit the defining space.
        """
        n = self.degree
        m = np.asarray(matrices, dtype=np.float64)
        if m.ndim != 3 or m.shape[1] != n or m.shape[2] not in (n, n + 1):
            raise ValueError(f"matrices has shape {m.shape}; {self.name} needs (r, {n}, {n}) or (r, {n}, {n + 1})")
        flat = np.pad(m, ((0, 0), (0, 0), (0, n + 1 - m.shape[2]))).reshape(len(m), n * (n + 1))
        coefficients = (self._dual @ flat.T).T
        outside = flat - (self._matrices("coordinates").flat().T @ coefficients.T).T
        norm = np.linalg.norm(flat, axis=1)
        return coefficients, np.linalg.norm(outside, axis=1) / np.where(norm > 0, norm, 1.0)

    def conjugate(self, element: ArrayLike) -> tuple[Float[np.ndarray, "generators generators"], float]:
        """What an invertible affine map h of the defining space does to the generators: h e_k h^-1.

        Arguments: element: shape (n, n + 1), x -> H x + h, or (n, n).
        Returns: coefficients C (q, q) with h e_k h^-1 = sum_l C[k, l] e_l, and the largest relative part of an image
        that lies outside the algebra: 0 when h maps the algebra to itself.
        Raises: ValueError if the shape does not fit the defining space.
        """
        n = self.degree
        h = np.asarray(element, dtype=np.float64)
        if h.shape not in ((n, n), (n, n + 1)):
            raise ValueError(f"element has shape {h.shape}; {self.name} needs ({n}, {n}) or ({n}, {n + 1})")
        if self.dim == 0:
            return np.zeros((0, 0)), 0.0
        whole = np.eye(n + 1)
        whole[:n, : h.shape[1]] = h
        image = whole[:n, :n] @ self._matrices("conjugate").dense() @ np.linalg.inv(whole)
        coefficients, outside = self.coordinates(image)
        return coefficients, float(outside.max(initial=0.0))

    def subalgebra(self, rows: ArrayLike, name: str | None = None, tolerance: float = 1e-6) -> "LieAlgebra":
        """The subalgebra with the given elements as its basis.

        Arguments: rows: coefficients, shape (r, q), linearly independent. name: what to call it. tolerance: the largest
        closure defect accepted; 1e-6 is for exact models in float64, raise it for generators found in noisy data.
        Returns: an algebra of dimension r; brackets are projected onto it when the defect is not zero.
        Raises: ValueError if the rows are dependent, or not closed under the bracket within the tolerance.
        """
        rows = self._rows(rows)
        orthonormal = _subspace.span(rows, DEPENDENT * np.linalg.norm(rows, axis=1).max(initial=0.0))
        if len(orthonormal) < len(rows):
            raise ValueError(f"rows: {len(rows)} elements of rank {len(orthonormal)}: pass linearly independent ones")
        defect = np.linalg.norm(_subspace.outside(self._brackets, orthonormal), axis=1).max(initial=0.0)
        if defect > tolerance:
            raise ValueError(
                f"rows: not closed under the bracket of {self.name}: closure defect {defect:.3g}, "
                f"tolerance {tolerance:.3g}. Pass the rows returned by .closure(rows), or a larger tolerance"
            )
        constants = None
        if self.generators is None or len(rows) <= _ALL_CONSTANTS:
            pairs = np.indices((len(rows), len(rows))).reshape(2, -1)
            images = self._brackets(rows[pairs[0]], rows[pairs[1]])
            constants = (images @ np.linalg.pinv(rows)).reshape((len(rows),) * 3)
        return LieAlgebra(
            name or f"subalgebra of {self.name}",
            _subspace.kept_names(rows, self.names),
            None if self.generators is None else self.generators.combine(rows),
            constants,
            tolerance=tolerance,
        )

    def closure(self, rows: ArrayLike, tolerance: float = 1e-6) -> tuple[Float[np.ndarray, "closed generators"], float]:
        """The smallest subalgebra holding the given elements.

        Arguments: rows: coefficients, shape (r, q). tolerance: the part of a bracket (of two orthonormal elements)
        outside the span below which it counts as inside; 1e-6 is for exact models in float64.
        Returns: the rows (an orthonormal basis of their span if dependent) followed by orthonormal rows for what was
        missing, and the closure defect of the rows given: the largest bracket of two of their orthonormal
        combinations outside their span.
        """
        rows = self._rows(rows)
        closed = _subspace.span(rows, DEPENDENT * np.linalg.norm(rows, axis=1).max(initial=0.0))
        given = rows if len(closed) == len(rows) else closed
        first, size = None, len(closed)
        while True:
            extra = _subspace.outside(self._brackets, closed)
            first = np.linalg.norm(extra, axis=1).max(initial=0.0) if first is None else first
            new = _subspace.span(extra, tolerance)
            if len(new) == 0:
                return np.concatenate([given, closed[size:]]), float(first)
            closed = np.concatenate([closed, new])

    def nearest_subalgebra(
        self, rows: ArrayLike, metric: ArrayLike | None = None
    ) -> tuple[Float[np.ndarray, "rows generators"], float, float]:
        """The subalgebra nearest to measured elements: their span is turned no more than closing it takes.

        By Gauss-Newton on the subspace; the dimension stays, which `closure` would raise.

        Arguments: rows: coefficients, shape (r, q), linearly independent. metric: M, shape (s, q), such that |M xi| is
        the size of an element (the factor of the motion of the data, say); default: the identity. What M does not see
        counts as zero.
        Returns: rows (r, q), each the given one moved into the new span; the share of their brackets that still lies
        outside (about 1e-12; larger when no subalgebra was found near, the rows are then the given ones); and the sine
        of the largest angle by which the span was turned.
        Raises: ValueError for dependent rows, wrong widths, or structure constants that pass 1 GiB.
        """
        rows = self._rows(rows)
        size = np.linalg.norm(rows, axis=1, keepdims=True)
        if np.any(size == 0) or np.linalg.matrix_rank(rows / size, tol=DEPENDENT) < len(rows):
            raise ValueError(f"rows: {len(rows)} elements that are linearly dependent: pass independent ones")
        m = np.eye(self.dim) if metric is None else np.asarray(metric, dtype=np.float64)
        if m.ndim != 2 or m.shape[1] != self.dim or not np.isfinite(m).all():
            raise ValueError(f"metric must be finite of shape (s, {self.dim}), got shape {m.shape}")
        return nearest_closed(np.asarray(self.structure), rows, m)

    def _rows(self, rows: ArrayLike) -> np.ndarray:
        rows = self._coefficients(rows, "rows")
        if rows.ndim != 2:
            raise ValueError(
                f"rows has shape {rows.shape}; pass one row of coefficients for each element, (r, {self.dim})"
            )
        return rows

    def identify(self, tolerance: float = 1e-6) -> str:
        """The name of the isomorphism class: "so(3)", "se(2)", "gl(3)", "so(3) + R^1", ...

        From structure constants alone, so independent of the basis: the algebra is split into ideals, and each is
        compared by basis-free invariants with the named algebras of its dimension.

        Arguments: tolerance: relative size, in the given basis, below which a number counts as zero; 1e-6 is for
        exact generators, 1e-2 for generators from data.
        Returns: the name, "trivial" for dimension 0, "unnamed, dim k, ..." with what is known otherwise.
        """
        if self.dim <= LARGEST:
            return name_of(np.asarray(self.structure), tolerance)
        base, _, sizes = self.name.removesuffix(")").partition("(")
        if base in NAMED and all(part.strip().isdigit() for part in sizes.split(",")):
            if NAMED[base](*(int(part) for part in sizes.split(","))) == self:
                return self.name  # too large to compare, but built by its own constructor
        return describe(np.asarray(self.structure), tolerance) if fits(self.dim) else f"unnamed, dim {self.dim}"


@jax.tree_util.register_static
@dataclass(frozen=True)
class Span:
    """Candidates without a bracket, such as all polynomial vector fields of bounded degree.

    Fields: `name`: what they are called together. `names`: one name for each candidate. `brackets`: what is known of
        their brackets, in words.
    """

    name: str
    names: tuple[str, ...]
    brackets: str = "whose brackets were not formed"

    @property
    def dim(self) -> int:
        """The number of candidates."""
        return len(self.names)

    def identify(self, tolerance: float = 1e-6) -> str:
        """No name: without brackets only the dimension is known."""
        return f"a space of dimension {self.dim} {self.brackets}"
