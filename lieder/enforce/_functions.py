"""Equivariant functions of a dictionary: the null space of the Lie derivative on its coefficients."""

import numbers
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import jax
import jax.numpy as jnp
import numpy as np
import scipy.sparse
from jaxtyping import Array, Float
from scipy.sparse.csgraph import connected_components

from ..action import (
    AbstractAction,
    AbstractFibreAction,
    FieldAction,
    Measured,
    check_same_algebra,
    measured_algebra,
)
from ..algebra import LieAlgebra
from ..derivative import LieMatrices, lie_matrices
from ..dictionary import AbstractDictionary, linear
from ..linalg import MatrixStack
from ..sampling import real_numbers
from ._functions_family import refuse
from ._functions_measured import MeasuredNull, measured_null, shared_origin
from ._functions_null import Constraint, Coordinates, fibre_operator, linear_constraints, null_space
from ._functions_text import default_names, independent_products, simple_rows, written

_EXACT = 1e-9  # the tolerance of algebras that have none of their own
_JOINT = 1e-8  # above it constraints hold only nearly, and are imposed together
_SAMPLED = 1e-6  # samples resolve 1e-8 where functions are nearly dependent


@jax.tree_util.register_static
@dataclass(frozen=True, eq=False)
class EquivariantFunctions:
    """All functions F(x) = W f(x) of a dictionary with F(g x) = g F(x).

    A static pytree. `print` shows them, in a simple basis.

    Fields: `dictionary` of D functions f; `source`, of width n; `target`, of width m; `tolerance`, at which constraints
        counted as satisfied; `basis` (dim, m, D) of coefficients W, orthonormal (Frobenius); `how`: "exact", or
        "sampled at N points".
    """

    dictionary: AbstractDictionary
    source: AbstractAction
    target: AbstractFibreAction
    tolerance: float
    basis: Float[np.ndarray, "dim m D"]
    how: str
    _constraints: tuple[Constraint, ...]
    _coordinates: Coordinates

    @property
    def dim(self) -> int:
        """The number of independent functions; 0 when only F = 0 is equivariant."""
        return len(self.basis)

    def values(self, x: Float[Array | np.ndarray, " n"]) -> Float[Array, "dim m"]:
        """All functions of the basis at one example; the caller vmaps."""
        f = self.dictionary(x)
        return jnp.asarray(self.basis, f.dtype) @ f

    def apply(
        self, coefficients: Float[Array | np.ndarray, " dim"], x: Float[Array | np.ndarray, " n"]
    ) -> Float[Array, " m"]:
        """F(x) = sum_r c_r W_r f(x); zero when there is no equivariant function.

        Arguments: `coefficients` (dim,); `x` (n,), one example; the caller vmaps.
        Returns: (m,) in their common dtype.
        """
        return self.matrix(coefficients) @ self.dictionary(x)

    def matrix(self, coefficients: Float[Array | np.ndarray, " dim"]) -> Float[Array, "m D"]:
        """W = sum_r c_r W_r.

        Arguments: `coefficients` (dim,).
        Returns: (m, D), for use with the dictionary.
        Raises: ValueError for another shape.
        """
        c = jnp.asarray(coefficients)
        if c.shape != (self.dim,):
            raise ValueError(f"coefficients must have shape ({self.dim},), one for each function; got {c.shape}.")
        c = c if jnp.issubdtype(c.dtype, jnp.inexact) else c.astype(float)
        return jnp.tensordot(c, jnp.asarray(self.basis, c.dtype), axes=1)

    def coefficients(self, W: Float[np.ndarray, "m D"]) -> Float[np.ndarray, " dim"]:
        """Coefficients of the equivariant function nearest to W f(x) (Frobenius norm of W).

        Arguments: `W` (m, D).
        Returns: (dim,).
        """
        return np.tensordot(self.basis, self._checked(W), axes=2)

    def project(self, W: Float[np.ndarray, "m D"]) -> Float[np.ndarray, "m D"]:
        """The equivariant coefficients nearest to W (Frobenius); other inner products: `ld.enforce.project`.

        Arguments: `W` (m, D).
        Returns: (m, D).
        """
        return np.tensordot(self.coefficients(W), self.basis, axes=1)

    def residual(self, W: Float[np.ndarray, "m D"]) -> float:
        """How far W f(x) is from being equivariant: the largest |L_k W| / (size_k |W|), in well-scaled coefficients.

        Arguments: `W` (m, D).
        Returns: a number: about 1e-16 when equivariant, about 1 when not at all; 0 for W = 0.
        """
        V = self._checked(W) @ self._coordinates.from_dictionary
        size = np.linalg.norm(V)
        if size == 0:
            return 0.0
        return max(
            (float(np.linalg.norm(c.rows @ V.reshape(-1)) / (c.size * size)) for c in self._constraints), default=0
        )

    def _checked(self, W) -> np.ndarray:
        W = np.asarray(W, dtype=np.float64)
        wanted = (self.target.width, self.dictionary.size)
        if W.shape != wanted:
            raise ValueError(f"W has shape {W.shape}; functions F(x) = W f(x) of this dictionary have W {wanted}.")
        if not np.isfinite(W).all():
            raise ValueError("W holds NaN or infinite entries.")
        return W

    def simple(self) -> Float[np.ndarray, "dim m D"]:
        """The basis that is printed: reduced row echelon form, whole numbers where the ratios are rational.

        Returns: (dim, m, D), ordered by the first function of the dictionary that occurs.
        """
        return simple_rows(self.basis.reshape(self.dim, np.prod(self.basis.shape[1:], dtype=int))).reshape(
            self.basis.shape
        )

    def equations(self, names: Sequence[str] | None = None, outputs: Sequence[str] | None = None) -> list[str]:
        """The functions as text: "x^2 + y^2 + z^2"; several outputs as "(x, y)" or "u = x, v = y".

        Arguments: `names` of the n inputs (default x, y, z, or x1, x2, ..); `outputs`, names of the m outputs.
        Returns: one string for each function of the simple basis.
        Raises: ValueError for a wrong number of names.
        """
        if outputs is not None and len(outputs) != self.target.width:
            raise ValueError(f"outputs: expected {self.target.width} names, one for each output, got {list(outputs)}.")
        return self.texts(self.simple(), names, outputs)

    def texts(
        self,
        W: Float[np.ndarray, "count m D"],
        names: Sequence[str] | None = None,
        outputs: Sequence[str] | None = None,
    ) -> list[str]:
        """Any coefficients as text, in the manner of `equations`.

        Arguments: `W` (count, m, D); `names`, `outputs` as there.
        Returns: one string for each.
        """
        return written(W, self.dictionary, default_names(self.source) if names is None else list(names), outputs)

    def generators(self) -> Float[np.ndarray, "count 1 D"]:
        """Invariants of which all others of the dictionary are polynomials: |x|^2, but not |x|^4.

        Returns: (count, 1, D), rows of the simple basis. Few, but the fewest only where the functions are homogeneous.
        Raises: TypeError unless the outputs are one scalar and the dictionary polynomials.
        """
        return independent_products(self.simple(), self.dictionary)

    def fit(self, X: Float[np.ndarray, "N n"], Y: Float[np.ndarray, "N m"], ridge: float = 0.0):
        """Least squares within the equivariant functions: min_c sum_i |Y_i - F_c(X_i)|^2 + ridge N |c|^2.

        Arguments: `X` (N, n); `Y` (N, m), or (N,) when m = 1; `ridge` >= 0 (default 0: least norm).
        Returns: coefficients c (dim,) for `apply` and `matrix`.
        Raises: ValueError for shapes that do not fit, NaN, or a negative ridge.
        """
        X, Y = (real_numbers(data, name)[0].astype(np.float64) for data, name in ((X, "X"), (Y, "Y")))
        m, n = self.target.width, self.source.width
        Y = Y[:, None] if Y.ndim == 1 and m == 1 else Y
        if X.ndim != 2 or X.shape[1] != n or Y.shape != (len(X), m):
            raise ValueError(f"X, Y must have shapes (N, {n}) and (N, {m}), got {X.shape} and {Y.shape}.")
        if not (np.isfinite(X).all() and np.isfinite(Y).all() and ridge >= 0):
            raise ValueError("X and Y must be finite and ridge >= 0.")
        with jax.enable_x64(True):
            values = np.asarray(jax.vmap(self.values)(jnp.asarray(X))).transpose(0, 2, 1).reshape(-1, self.dim)
        weight = np.sqrt(ridge * len(X)) * np.eye(self.dim if ridge else 0, self.dim)
        rows, right = np.concatenate([values, weight]), np.concatenate([Y.reshape(-1), np.zeros(len(weight))])
        return np.linalg.lstsq(rows, right, rcond=None)[0]

    def __repr__(self) -> str:
        count = (
            "only F = 0 is" if self.dim == 0 else f"{self.dim} independent function{'s are' if self.dim > 1 else ' is'}"
        )
        return f"{count} equivariant from {self.source} to {self.target} ({self.how})"

    def __str__(self) -> str:
        shown = self.equations()
        more = [f"  .. and {len(shown) - _SHOWN} more: .equations()"] if len(shown) > _SHOWN else []
        return "\n".join([repr(self), *(f"  {line}" for line in shown[:_SHOWN]), *more])


_SHOWN = 40  # lines of a printed record


def functions(
    dictionary: AbstractDictionary,
    *,
    source: AbstractAction,
    target: AbstractFibreAction,
    tolerance: float | None = None,
    x: Float[np.ndarray, "N n"] | None = None,
) -> EquivariantFunctions:
    """All equivariant functions F(x) = W f(x) of a dictionary: invariant and equivariant polynomials, symmetric ODEs.

    DF(x) theta_k(x) = phi_k(x, F(x)) for every generator and F(H_j x) = H'_j F(x) for every discrete element: linear
    equations on W, whose null space this is.

    Arguments:
        dictionary: of D functions of n variables. Polynomials, Fourier and radial ones are exact where they can be (see
            `ld.derivative.lie_matrices`); others are sampled.
        source: action on inputs, of width n; also by nonlinear fields.
        target: action on outputs, of width m, over the same algebra: `ld.scalars` for invariants; it must be linear in
            the outputs (vectors, tensors, or `ld.action.tangent(source)`).
        tolerance: singular values of the constraints, relative to the size of the generator, at or below it count as
            zero. Default: the algebra's own, 1e-9 for exact ones; at least 1e-6 where sampled. A symmetry that was
            found in data (`Symmetries.action`, `.target_action`) needs none: it is moved, within its measured error, to
            where it leaves as many functions as possible exactly as they are.
        x: (N, n) points at which functions are sampled when they must be; default uniform in [-1, 1]^n.
    Returns:
        EquivariantFunctions; `dim` 0 when only F = 0 is equivariant.
    Raises:
        TypeError: a family that is not linear in its parameters, such as a network; a target that does not act
            linearly.
        ValueError: different algebras or widths; a tolerance that splits a cluster of singular values (with the
            spectrum around it); functions not finite at the points.
    Reference: Otto, Zolman, Kutz, Brunton (2025), section 5; Derksen and Kemper, Computational Invariant Theory (2015).
    """
    if not isinstance(dictionary, AbstractDictionary):
        refuse(dictionary, source)
    check_same_algebra(source, target)
    if target.is_affine and not target.is_linear:
        raise TypeError(
            f"target, {target}, moves points, and functions to points form no vector space. Use ld.vectors, and add"
            " F(x) to a reference point."
        )
    shared = shared_origin(source, target) if tolerance is None else None
    fitted = None if shared is None else measured_null(dictionary, *shared)
    if shared is not None and fitted is not None:
        return _of_measured(dictionary, source, target, *shared, fitted)
    matrices = lie_matrices(dictionary, source, x)
    turning = target.expansion if target.is_linear else None
    coordinates = Coordinates.of(matrices)
    count = dictionary.size * (1 + source.algebra.dim) + 50
    points = np.random.default_rng(0).uniform(-1, 1, (count, source.width)) if x is None else np.asarray(x, float)
    how = matrices.how if turning is not None else f"sampled at {len(points):,} points"
    tolerance = _tolerance(tolerance, source.algebra, how)
    joint = (tolerance > _JOINT and not how.startswith("sampled")) or tolerance > _SAMPLED
    if turning is not None:
        moved = matrices.changed(coordinates.to_dictionary)
        constraints = linear_constraints(moved, turning)
        V = _by_summands(moved, turning, tolerance, joint)
    else:
        sides = fibre_operator(dictionary, source, target, coordinates, points).rows()
        constraints = [Constraint(scipy.sparse.csr_array(np.linalg.qr(side)[1]), 1.0) for side in sides]
        V = null_space(constraints, target.width * coordinates.rank, tolerance, joint).T.toarray()
    basis = _basis(V, coordinates, target.width)
    return EquivariantFunctions(dictionary, source, target, tolerance, basis, how, tuple(constraints), coordinates)


def _basis(V: np.ndarray, coordinates: Coordinates, width: int) -> np.ndarray:
    """Orthonormal coefficients (dim, m, D) that span what is spanned by coordinates (dim, m r)."""
    W = np.asarray(V.reshape(len(V) * width, coordinates.rank) @ coordinates.to_dictionary)
    size = W.shape[1]
    basis = np.linalg.qr(W.reshape(len(V), width * size).T)[0].T.reshape(len(V), width, size)
    basis.setflags(write=False)
    return basis


def _of_measured(dictionary, source, target, measured: Measured, turning, fitted: MeasuredNull) -> EquivariantFunctions:
    """The record over the symmetry that fits the functions exactly, next to the measured one."""
    names = tuple(f"X{k + 1}" for k in range(len(fitted.rows)))
    candidates = cast(AbstractAction, measured.candidates)
    algebra = measured_algebra(candidates, fitted.rows, names, measured.points)[0]
    moving, turning = candidates.restrict(fitted.rows, algebra), turning.restrict(fitted.rows, algebra)
    basis = _basis(fitted.basis, fitted.coordinates, target.width)
    how = f"fitted to a measured symmetry at {fitted.points:,} points"
    constraints = fitted.constraints
    return EquivariantFunctions(dictionary, moving, turning, _SAMPLED, basis, how, constraints, fitted.coordinates)


def _tolerance(tolerance: float | None, algebra, how: str) -> float:
    if tolerance is None:
        own = algebra.tolerance if isinstance(algebra, LieAlgebra) else _EXACT
        return max(own, _SAMPLED) if how != "exact" else own
    if not isinstance(tolerance, numbers.Real) or not 0 < tolerance < 1:
        raise ValueError(f"tolerance must lie between 0 and 1, got {tolerance!r:.60}.")
    return float(tolerance)


def _by_summands(moved: LieMatrices, target: FieldAction, tolerance: float, joint: bool) -> np.ndarray:
    """The null space (dim, m r), solved once for each different summand of the target."""
    stacks = target.matrices(), target.discrete()
    pattern = sum(scipy.sparse.csr_array((np.ones(s.index.shape[1]), tuple(s.index[1:])), s.shape[1:]) for s in stacks)
    count, label = connected_components(scipy.sparse.csr_array(pattern), directed=False)
    rank, found, pieces = len(moved.scale), {}, []
    for group in (np.flatnonzero(label == number) for number in range(count)):
        parts = [_part(stack, group) for stack in stacks]
        key = tuple((p.shape, p.index.tobytes(), p.value.tobytes()) for p in parts)
        if key not in found:
            piece = FieldAction(target.algebra, parts[0], linear(len(group)), (("vectors", len(group)),), parts[1])
            found[key] = null_space(linear_constraints(moved, piece), len(group) * rank, tolerance, joint).T.toarray()
        own = found[key].reshape(-1, len(group), rank)
        placed = np.zeros((len(own), target.width, rank))
        placed[:, group] = own
        pieces.append(placed.reshape(len(own), target.width * rank))
    return np.concatenate(pieces)


def _part(stack: MatrixStack, group: np.ndarray) -> MatrixStack:
    """The rows and columns of one summand."""
    new = np.full(stack.shape[1], -1)
    new[group] = np.arange(len(group))
    on = new[stack.index[1]] >= 0
    index = np.stack([stack.index[0, on], new[stack.index[1, on]], new[stack.index[2, on]]])
    return MatrixStack((stack.shape[0], len(group), len(group)), index, stack.value[on])
