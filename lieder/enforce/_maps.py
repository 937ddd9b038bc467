"""Equivariant linear maps between representations."""

import numbers
from dataclasses import dataclass
from functools import lru_cache

import jax
import jax.numpy as jnp
import numpy as np
import scipy.sparse
from jaxtyping import Array, Float

from ..action import AbstractAction, FieldAction, check_same_algebra, represented
from ..algebra import LieAlgebra
from ..linalg import MatrixStack, stacked
from ..representation import AbstractMaps, intertwiners

_EXACT = 1e-9  # the tolerance of algebras that have none of their own
_LOOSEST = 0.1  # the tolerance of a found algebra counts up to here: maps that are not equivariant lie near one
_WIDEST = 8192  # coordinates of one summand: half a gigabyte a dense matrix, and about an hour
_CHECKED = 64  # up to this dimension an algebra's closure is checked before maps are sought
_MOST_BYTES = 2**33  # of a dense basis


@jax.tree_util.register_static
@dataclass(frozen=True, eq=False)
class EquivariantMaps:
    """All linear maps W with W theta_k(x) = phi_k(W x) for every generator, and W H_j x = H'_j W x for finite elements.

    A static pytree: it has no leaves, and may be closed over or passed under `jax.jit`.

    Fields: `source`, of width n; `target`, of width m; `dim`, how many maps are independent; `tolerance`, at which
    constraints counted as satisfied.
    """

    source: FieldAction
    target: FieldAction
    tolerance: float
    _space: AbstractMaps
    _operators: tuple[MatrixStack, MatrixStack]

    @property
    def dim(self) -> int:
        return self._space.dim

    @property
    def scales(self) -> Float[np.ndarray, " dim"]:
        """Standard deviations of random coefficients that take inputs of unit variance to outputs of unit variance."""
        return self._space.scales

    def apply(
        self, coefficients: Float[Array | np.ndarray, " dim"], x: Float[Array | np.ndarray, " n"]
    ) -> Float[Array, " m"]:
        """W x for W = sum_r c_r W_r, through the irreducible pieces: W itself is not formed.

        Arguments: `coefficients` (dim,); `x` (n,), one example; the caller vmaps.
        Returns: (m,) in their common dtype.
        Raises: ValueError for other shapes.
        """
        coefficients, x = jnp.asarray(coefficients), jnp.asarray(x)
        if coefficients.shape != (self.dim,) or x.shape != (self.source.width,):
            raise ValueError(
                f"apply takes coefficients ({self.dim},) and one example x ({self.source.width},), got"
                f" {coefficients.shape} and {x.shape}. Use jax.vmap for many examples."
            )
        return self._space.apply(coefficients, x)

    def matrix(self, coefficients: Float[Array | np.ndarray, " dim"]) -> Float[Array, "m n"]:
        """W = sum_r c_r W_r.

        Arguments: `coefficients` (dim,).
        Returns: (m, n).
        """
        coefficients = jnp.asarray(coefficients)
        if coefficients.shape != (self.dim,):
            raise ValueError(f"matrix takes coefficients ({self.dim},), got {coefficients.shape}.")
        return self._space.matrix(coefficients)

    def pairs(
        self, coefficients: Float[Array, " dim"]
    ) -> list[list[tuple[Float[np.ndarray, "r i j"], Float[Array, "r t s"]]]] | None:
        """W = sum_r c_r W_r by different summands: the block between two is sum_r kron(copies[r], basis[r]).

        Arguments: `coefficients` (dim,).
        Returns: for each different summand of the target a list over those of the source, in the order of their first
            coordinates, of `basis` (r, i, j), maps between one copy of each, and `copies` (r, t, s), how they mix the
            copies; None where such bases would take too much room.
        """
        return self._space.pairs(jnp.asarray(coefficients))

    def dense(self) -> Float[np.ndarray, "dim m n"]:
        """The basis W_r, orthonormal in the Frobenius inner product.

        Returns: (dim, m, n) float64.
        Raises: ValueError when it would pass 8 GiB: use `apply`, `coefficients` and `project`, which do not need it.
        """
        size = 8 * self.dim * self.source.width * self.target.width
        if size > _MOST_BYTES:
            raise ValueError(
                f"dense: a basis of {self.dim} matrices ({self.target.width}, {self.source.width}) takes"
                f" {size / 2**30:.1f} GiB. Use apply, matrix, coefficients and project, which never form it."
            )
        return self._space.dense()

    def coefficients(self, W: Float[np.ndarray, "m n"]) -> Float[np.ndarray, " dim"]:
        """Coefficients of the equivariant matrix nearest to W (Frobenius).

        Arguments: `W` (m, n).
        Returns: (dim,).
        Raises: ValueError for another shape, NaN or infinity.
        """
        return self._space.coefficients(self._checked(W))

    def project(self, W: Float[np.ndarray, "m n"]) -> Float[np.ndarray, "m n"]:
        """The equivariant matrix nearest to W (Frobenius).

        Arguments: `W` (m, n).
        Returns: (m, n) float64.
        """
        with jax.enable_x64(True):
            return np.asarray(self.matrix(jnp.asarray(self.coefficients(W), jnp.float64)))

    def residual(self, W: Float[np.ndarray, "m n"]) -> float:
        """How far W is from being equivariant: the largest |B_k W - W A_k| / ((|A_k| + |B_k|) |W|).

        |A_k|, |B_k| are root mean square sizes (Frobenius over the root of the width), |W| is the Frobenius norm.

        Arguments: `W` (m, n).
        Returns: a number: about 1e-16 for equivariant W, about 1 for others; 0 for W = 0.
        """
        W = self._checked(W)
        size = np.linalg.norm(W)
        if size == 0:
            return 0.0
        m, n = W.shape
        worst = 0.0
        for a, b in zip(*(stack.each() for stack in self._operators), strict=True):
            scale = scipy.sparse.linalg.norm(a) / np.sqrt(n) + scipy.sparse.linalg.norm(b) / np.sqrt(m)
            if scale > 0:
                worst = max(worst, float(np.linalg.norm(b @ W - (a.T @ W.T).T) / (scale * size)))
        return worst

    def _checked(self, W) -> np.ndarray:
        W = np.asarray(W, dtype=np.float64)
        if W.shape != (self.target.width, self.source.width):
            raise ValueError(
                f"W has shape {W.shape}; maps from {self.source} to {self.target} are matrices"
                f" ({self.target.width}, {self.source.width})."
            )
        if not np.isfinite(W).all():
            raise ValueError("W holds NaN or infinite entries.")
        return W

    def __repr__(self) -> str:
        counted = "1 independent map is" if self.dim == 1 else f"{self.dim} independent maps are"
        count = "only the zero map is" if self.dim == 0 else counted
        return f"{count} equivariant from {self.source} to {self.target}"


def maps(source: AbstractAction, target: AbstractAction, *, tolerance: float | None = None) -> EquivariantMaps:
    """All equivariant linear maps between two representations.

    phi_k(W x) = W theta_k(x) for every generator, H'_j W x = W H_j x for every discrete element. Maps between sums are
    found for each pair of different summands. Where the algebra is closed under transposition (so, gl, sl, sp, so(p,
    q), su, finite groups of orthogonal matrices) they are exact and stay factored by irreducible pieces; elsewhere
    (translations, nilpotent algebras, measured generators) they are a null space.

    Arguments:
        source: representation of width n; linear, or affine points (W must then give the same for shifted points).
        target: representation of width m over the same algebra; linear.
        tolerance: for null spaces: singular values of the constraints, operators scaled to root mean square one, at or
            below it count as zero; so does a closure defect of the generators. Default: the algebra's own tolerance,
            1e-9 for exact ones and at most 0.1 for found ones; raise or lower it for measured generators.
    Returns:
        EquivariantMaps, with `dim` 0 when only the zero map is equivariant. The same object for the same question.
    Raises:
        ValueError: different algebras; a representation of a Lie algebra with a summand of more than 8,192 coordinates,
            whose decomposition would not fit; generators not closed under the bracket (with the defect); a tolerance
            that splits a cluster of singular values (with the spectrum around it).
        TypeError: actions that are not linear.
    Reference: Finzi, Welling and Wilson, A Practical Method for Constructing Equivariant MLPs, ICML 2021, equation 6;
        Schur's lemma.
    """
    source, target = represented(source, "source"), represented(target, "target")
    check_same_algebra(source, target)
    if not target.is_linear:
        raise TypeError(
            f"target, {target}, is not linear: maps to points form no vector space. Map to vectors and add them to a"
            " reference point."
        )
    algebra = source.algebra
    if tolerance is None:
        tolerance = min(algebra.tolerance, _LOOSEST) if isinstance(algebra, LieAlgebra) else _EXACT
    if not isinstance(tolerance, numbers.Real) or not 0 < tolerance < 1:
        raise ValueError(f"tolerance must lie between 0 and 1, got {tolerance!r:.60}.")
    return _found(source, target, tolerance)


@lru_cache(maxsize=128)  # kept by content, so that layers of one shape share one object
def _found(source: FieldAction, target: FieldAction, tolerance: float) -> EquivariantMaps:
    operators = _operators(source), _operators(target)
    if source.algebra.dim:
        for stack, side, name in zip(operators, (source, target), ("source", "target"), strict=True):
            _check_size(stack, side, name)
    return EquivariantMaps(source, target, tolerance, _solved(source.algebra, operators, tolerance), operators)


def _operators(action: FieldAction) -> MatrixStack:
    """Generators and discrete elements of a linear action, or of an affine one on (x, 1) without the last row's
    maps."""
    if action.is_linear:
        return stacked([action.matrices(), action.discrete()], axis=0)
    raise TypeError(
        f"source, {action}, is not linear. For affine points write the maps of (x, 1) with"
        " ld.enforce.homogeneous(source), or use the vectors between points."
    )


def _check_size(stack: MatrixStack, action: FieldAction, name: str) -> None:
    """A ValueError where the dense matrices of the largest summand would take gigabytes and hours."""
    _, n, _ = stack.shape
    linked = scipy.sparse.coo_array((np.ones(stack.index.shape[1]), (stack.index[1], stack.index[2])), shape=(n, n))
    size = int(np.bincount(scipy.sparse.csgraph.connected_components(linked, directed=False)[1], minlength=1).max())
    if size > _WIDEST:
        raise ValueError(
            f"{name}, {action}, has a summand of {size:,} coordinates. Its decomposition takes dense matrices"
            f" of {8 * size**2 / 2**30:.1f} GiB each and about {10 * size**3:.0e} floating-point operations; up to"
            f" {_WIDEST:,} coordinates are taken. Map in steps, through tensors of lower rank."
        )


def _solved(algebra, operators: tuple[MatrixStack, MatrixStack], tolerance: float) -> AbstractMaps:
    _check_closed(algebra, tolerance)
    form, lengths = _form(algebra)
    elements = operators[0].shape[0] - algebra.dim
    return intertwiners(
        *operators,
        generators=algebra.dim,
        form=form,
        sizes=np.concatenate([np.where(lengths > 0, lengths, 1.0), np.ones(elements)]),
        tolerance=tolerance,
    )


def _form(algebra) -> tuple[np.ndarray, np.ndarray]:
    """An invariant form on the algebra, tr A B in its own space or the Killing form, and the length of each
    generator."""
    q = algebra.dim
    if not isinstance(algebra, LieAlgebra):
        return np.zeros((q, q)), np.ones(q)
    if algebra.generators is None:
        return algebra.killing(), np.ones(q)
    linear = algebra.generators.columns(0, algebra.degree)
    form = (linear.flat() @ linear.transpose().flat().T).toarray()
    return form, np.sqrt(np.bincount(linear.index[0], linear.value**2, minlength=q))


def _check_closed(algebra, tolerance: float) -> None:
    """Nothing, when the generators are an algebra; measured ones may miss it by the tolerance."""
    if not isinstance(algebra, LieAlgebra) or algebra.generators is None or not 1 < algebra.dim <= _CHECKED:
        return
    dense, n = algebra.generators.dense(), algebra.degree
    first, second = np.triu_indices(algebra.dim, 1)
    commutators = dense[first][:, :, :n] @ dense[second] - dense[second][:, :, :n] @ dense[first]
    lengths = np.linalg.norm(dense, axis=(1, 2))
    outside = algebra.coordinates(commutators)[1] * np.linalg.norm(commutators, axis=(1, 2))
    defect = float((outside / (lengths[first] * lengths[second])).max())
    if defect > max(tolerance, algebra.tolerance):
        raise ValueError(
            f"the generators of {algebra.name} are not closed under the bracket: closure defect {defect:.3g}, tolerance"
            f" {max(tolerance, algebra.tolerance):.3g}. If they were measured, pass a tolerance above the defect. If"
            f" generators are missing, close them: g = ld.algebra.gl({n}); rows, _ ="
            " g.closure(g.coordinates(matrices)[0]); g.subalgebra(rows)."
        )
