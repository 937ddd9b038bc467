"""Candidates in an orthonormal basis: the nuclear norm depends on the inner product of the algebra."""

import numpy as np
from jaxtyping import Float

from ..action import AbstractAction, AbstractFibreAction, FieldAction
from ..algebra import LieAlgebra

_DEPENDENT = 1e-10  # an inner product with a smaller relative eigenvalue does not tell its candidates apart


def orthonormal(
    source: AbstractAction,
    target: AbstractFibreAction | None = None,
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
    Raises: ValueError for a matrix that is no inner product, and for candidates that their matrices cannot tell apart.
    Reference: Otto, Zolman, Kutz, Brunton (2025), section 5: the nuclear norm relative to an inner product.
    """
    gram = _frobenius(source, target) if inner is None else _checked(inner, source.algebra.dim)
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


def _frobenius(source: AbstractAction, target: AbstractFibreAction | None) -> np.ndarray:
    algebra = source.algebra
    if isinstance(algebra, LieAlgebra) and algebra.generators is not None:
        flat = algebra.generators.flat()
        return (flat @ flat.T).toarray()
    parts = [a.generators.flat() for a in (source, target) if isinstance(a, FieldAction)]
    if not parts:
        raise ValueError(
            f"inner: {source} has no matrices to take a Frobenius product of; give inner, a (q, q) Gram matrix."
        )
    return np.sum([(part @ part.T).toarray() for part in parts], axis=0)


def _checked(inner, q: int) -> np.ndarray:
    inner = np.asarray(inner, dtype=np.float64)
    if inner.shape != (q, q):
        raise ValueError(f"inner must be a Gram matrix of shape ({q}, {q}), one row a candidate; got {inner.shape}.")
    if not np.all(np.isfinite(inner)):
        raise ValueError("inner holds NaN or infinite numbers; give finite ones.")
    if np.abs(inner - inner.T).max(initial=0.0) > 1e-12 * np.abs(inner).max(initial=0.0):
        raise ValueError("inner must be symmetric, as <a, b> = <b, a>; symmetrise it with (M + M.T) / 2.")
    return inner
