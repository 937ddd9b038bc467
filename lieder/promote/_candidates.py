"""Candidates in an orthonormal basis: the nuclear norm depends on the inner product of the algebra."""

import jax
import jax.numpy as jnp
import numpy as np
import scipy.linalg
import scipy.sparse
from jaxtyping import Array, Float

from ..action import AbstractAction, AbstractFibreAction
from ..algebra import LieAlgebra
from ..linalg import MatrixStack, decide

_DEPENDENT = 1e-10  # an inner product with a smaller relative eigenvalue does not tell its candidates apart
_STILL = 1e-9  # a combination that moves less than this share of what its terms move does nothing
_ROUNDING = 1e-13  # entries of a basis, relative, that are zero but for rounding


def orthonormal(
    source: AbstractAction,
    target: AbstractFibreAction | None = None,
    *,
    inner: Float[np.ndarray, "q q"] | None = None,
) -> Float[np.ndarray, "q q"]:
    """Coefficients of q combinations of the candidates that are orthonormal.

    |L_F|_* = |L_F C^T|_* holds only for orthogonal C: twice a generator counts twice. So a norm needs an inner product
    on the algebra. By default it is the Frobenius product <xi, eta> = tr(A_xi^T A_eta) of the algebra's own affine
    matrices [A b]; of the coefficients of the fields on inputs and outputs where it has none.

    Arguments:
        source, target: how inputs and outputs are acted on.
        inner: (q, q) the Gram matrix of another inner product, symmetric and positive definite.
    Returns: (q, q), rows are combinations; diagonal when the candidates are orthogonal already.
    Raises: ValueError for a matrix that is no inner product, and for candidates that their matrices cannot tell apart;
        TypeError for one that does not hold real numbers.
    Reference: Otto, Zolman, Kutz, Brunton (2025), section 5: the nuclear norm relative to an inner product.
    """
    gram = _frobenius(source, target) if inner is None else checked_inner(inner, source.algebra.dim)
    diagonal = np.diag(gram)
    orthogonal = np.array_equal(gram, np.diag(diagonal))  # named algebras: no eigenvectors needed
    values, vectors = (np.sort(diagonal), None) if orthogonal else np.linalg.eigh(gram)
    if len(values) and values[0] <= _DEPENDENT * values[-1]:
        if inner is not None:
            raise ValueError(
                f"inner must be positive definite; its eigenvalues range from {values[0]:.2g} to {values[-1]:.2g}."
            )
        raise ValueError(
            "source: some combination of the candidates moves nothing, so that the Frobenius product is no inner"
            " product; leave it out with action.restrict, or give inner, a (q, q) Gram matrix."
        )
    if vectors is None:
        return np.diag(1.0 / np.sqrt(diagonal))
    # The symmetric square root: the combinations nearest to the candidates themselves.
    return (vectors / np.sqrt(values)) @ vectors.T


def effective(
    source: AbstractAction,
    target: AbstractFibreAction,
    inner: Float[np.ndarray, "q q"] | None,
    x: Float[np.ndarray, "N n"] | None,
    spread: Float[np.ndarray, " n"],
) -> tuple[Float[np.ndarray, "e q"], Float[np.ndarray, "i q"]]:
    """Candidates that move something, orthonormal; and those that move nothing, which no function can break.

    By default in the Frobenius product of the fields on inputs and outputs, each in units of its own.

    Arguments: `source`, `target`; `inner`, the Gram matrix of another product, or None; `x`, points at which velocities
        are compared, in units `spread`; None: by the coefficients of fields whose coordinates have units already.
    Returns: (e, q) and (q - e, q); the first is triangular or diagonal where it can be, and so keeps sparse generators
        sparse.
    Raises: ValueError when nothing is moved, or `inner` is no inner product.
    """
    rows = _motions(source, target, x, spread)
    lengths = np.sqrt(np.asarray((rows * rows).sum(axis=1)).reshape(-1))
    moves = np.flatnonzero(lengths > 0)
    q = len(lengths)
    if len(moves) == 0:
        raise ValueError(
            f"source, target: none of the {q} candidates of {source.algebra.name} moves inputs or outputs, so that"
            " there is nothing to promote."
        )
    still = np.delete(np.eye(q), moves, axis=0)
    basis, null = _independent(rows[moves], lengths[moves])
    basis, null = _placed(basis, moves, q), np.concatenate([still, _placed(null, moves, q)])
    if inner is None:
        return basis, null
    gram = checked_inner(inner, q)
    combinations = orthonormal(source, None, inner=inner)
    if len(null) == 0:
        return combinations, null
    # What is orthogonal to the still ones: L_F does not change when they are added.
    across = np.linalg.svd(null @ gram @ combinations.T)[2][len(null) :]
    return across @ combinations, null


def _motions(source, target, x: np.ndarray | None, spread: np.ndarray) -> scipy.sparse.csr_array:
    """One row a candidate: how it moves inputs and outputs."""
    turning = target.expansion
    pieces = [] if turning is None else [turning.generators.flat()]
    if x is None:
        pieces.append(source.expansion.generators.flat())
    else:
        with jax.enable_x64(True):
            moved = np.asarray(jax.vmap(source.fields)(jnp.asarray(x, jnp.float64))) / spread  # (N, q, n)
        pieces.append(np.moveaxis(moved, 1, 0).reshape(moved.shape[1], -1) / np.sqrt(len(x)))
    return scipy.sparse.csr_array(scipy.sparse.hstack([scipy.sparse.csr_array(piece) for piece in pieces]))


def _independent(rows: scipy.sparse.csr_array, lengths: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Combinations with orthonormal rows, and those whose rows vanish."""
    gram = (rows @ rows.T).toarray()
    if np.array_equal(gram, np.diag(np.diag(gram))):
        return np.diag(1.0 / lengths), np.zeros((0, len(lengths)))
    order = np.argsort(lengths, kind="stable")
    dense = rows[order].toarray()
    triangle = np.linalg.qr(dense.T, mode="r")
    pivots = np.abs(np.diag(triangle))
    if len(triangle) == len(order) and np.all(pivots > _STILL * lengths[order]):
        basis = scipy.linalg.solve_triangular(triangle, np.eye(len(order)), trans=1)
        basis[np.abs(basis) * lengths[order] < _ROUNDING] = 0.0
        back = np.empty_like(basis)
        back[:, order] = basis
        return back, np.zeros((0, len(order)))
    left, s, _ = np.linalg.svd(rows.toarray() / lengths[:, None])
    count = len(s) - decide(s, tolerance=_STILL * s[0]).count
    free, null = left[:, :count].T / lengths, left[:, count:].T / lengths
    return _orthonormal_rows(free, rows), null / np.linalg.norm(null, axis=1, keepdims=True)


def _orthonormal_rows(basis: np.ndarray, rows) -> np.ndarray:
    triangle = np.linalg.qr((basis @ rows).T, mode="r")
    return scipy.linalg.solve_triangular(triangle, basis, trans=1)


def _placed(rows: np.ndarray, where: np.ndarray, width: int) -> np.ndarray:
    out = np.zeros((len(rows), width))
    out[:, where] = rows
    return out


def _frobenius(source: AbstractAction, target: AbstractFibreAction | None) -> np.ndarray:
    algebra = source.algebra
    if isinstance(algebra, LieAlgebra) and algebra.generators is not None:
        flat = algebra.generators.flat()
        return (flat @ flat.T).toarray()
    parts = [stack.flat() for stack in _stacks(source, target)]
    if not parts:
        raise ValueError(
            f"inner: {source} has no matrices to take a Frobenius product of; give inner, a (q, q) Gram matrix."
        )
    return np.sum([(part @ part.T).toarray() for part in parts], axis=0)


def traced_frobenius(source: AbstractAction, target: AbstractFibreAction | None) -> Float[Array, "q q"] | None:
    """The Frobenius products where they depend on numbers that JAX is tracing; else None."""
    algebra, stacks = source.algebra, _stacks(source, target)
    own = isinstance(algebra, LieAlgebra) and algebra.generators is not None
    if own or not any(stack.is_traced for stack in stacks):
        return None
    flat = [stack.array(float).reshape(algebra.dim, -1) for stack in stacks]
    return jnp.sum(jnp.stack([part @ part.T for part in flat]), axis=0)


def _stacks(source: AbstractAction, target: AbstractFibreAction | None) -> list[MatrixStack]:
    expansions = (None if a is None else a.expansion for a in (source, target))
    return [fields.generators for fields in expansions if fields is not None]


def checked_inner(inner, q: int) -> Float[np.ndarray, "q q"]:
    """A user's Gram matrix, or an error that says what is wrong with it."""
    try:
        inner = np.asarray(inner)
    except ValueError:
        raise ValueError(f"inner: its rows have different lengths; give a Gram matrix of shape ({q}, {q}).") from None
    if inner.dtype.kind not in "fiub":
        raise TypeError(f"inner must hold real numbers, got dtype {inner.dtype}; give a ({q}, {q}) Gram matrix.")
    inner = inner.astype(np.float64)
    if inner.shape != (q, q):
        raise ValueError(f"inner must be a Gram matrix of shape ({q}, {q}), one row a candidate; got {inner.shape}.")
    if not np.all(np.isfinite(inner)):
        raise ValueError("inner holds NaN or infinite numbers; give finite ones.")
    if np.abs(inner - inner.T).max(initial=0.0) > 1e-12 * np.abs(inner).max(initial=0.0):
        raise ValueError("inner must be symmetric, as <a, b> = <b, a>; symmetrise it with (M + M.T) / 2.")
    return inner
