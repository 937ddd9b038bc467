"""The nuclear norm with a gradient that is finite and stable where singular values vanish or coincide."""

from functools import partial

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

_SQUARED = 100.0  # X^T X is right to rounding of |X|^2, which is then at most e^2 / 100


def nuclear_norm(
    matrix: Float[Array, "rows columns"],
    basis: Float[Array, "columns columns"] | Float[Array, " columns"] | None = None,
    smoothing: float = 0.0,
) -> Float[Array, ""]:
    """Sum of the singular values s_i of X = matrix basis^T, smoothed near zero.

        |X|_d = sum_i sqrt(s_i^2 + e^2) - e,    e = d |X|_F

    with d the smoothing. |X|_* - k e <= |X|_d <= |X|_* for k singular values, and |c X|_d = |c| |X|_d. The gradient is
    X (X^T X + e^2)^(-1/2) + c X, where the number c comes from the derivative of e; for d = 0 it is U V^T over the
    singular values above rounding, and for X = 0 it is 0. Nothing is divided by differences of singular values.

    X^T X squares the condition number, so that it knows no singular values below the root of the rounding. Where e is
    well above that (d > 3.5e-3 in float32, 1.5e-7 in float64) nothing is lost and its eigenvectors, which are the
    quickest, are taken; else those of a triangular factor, which are right to rounding of the largest singular value.

    Arguments:
        matrix: (rows, columns).
        basis: (columns, columns), rows of coefficients; or its diagonal (columns,); default the identity.
        smoothing: d >= 0, static; singular values below e count about as squares.
    Returns: a scalar. It has first derivatives with respect to the matrix, in either mode of JAX.
    Raises: NotImplementedError when it is differentiated twice.
    Reference: Watson, Characterization of the subdifferential of some matrix norms, 1992, for the gradient U V^T.
    """
    return _norm(matrix, basis, smoothing)


@partial(jax.custom_jvp, nondiff_argnums=(2,))
def _norm(matrix, basis, smoothing):
    x, unit = _scaled(matrix, basis)
    s, _ = _decomposed(x.T if x.shape[0] < x.shape[1] else x, smoothing)
    return (unit * _summed(s, smoothing)[0]).astype(matrix.dtype)


@_norm.defjvp
def _norm_jvp(smoothing, primals, tangents):
    value, gradient = _with_gradient(*primals, smoothing)
    return value, jnp.sum(gradient * tangents[0])


@partial(jax.custom_jvp, nondiff_argnums=(2,))
def _with_gradient(matrix, basis, smoothing):
    x, unit = _scaled(matrix, basis)
    wide = x.shape[0] < x.shape[1]
    s, v = _decomposed(x.T if wide else x, smoothing)
    value, weights, multiple = _summed(s, smoothing)
    # Singular vectors of equal values are any of a subspace; this product is the same for all of them.
    middle = _product(v * weights, v.T) + multiple * jnp.eye(len(s), dtype=s.dtype)
    gradient = _product(middle, x) if wide else _product(x, middle)
    if basis is not None:
        gradient = gradient * basis if basis.ndim == 1 else _product(gradient, basis)
    return (unit * value).astype(matrix.dtype), gradient.astype(matrix.dtype)


@_with_gradient.defjvp
def _no_second_derivative(smoothing, primals, tangents):
    raise NotImplementedError(
        "the nuclear norm has first derivatives only: its gradient jumps where singular values vanish. Leave the"
        " penalty out of what is differentiated twice."
    )


def _scaled(matrix, basis):
    """X in a unit in which its squares neither overflow nor vanish, and the unit."""
    x = matrix if matrix.dtype.itemsize >= 4 else matrix.astype(jnp.float32)
    if basis is not None:
        x = x * basis if basis.ndim == 1 else _product(x, basis.T)
    top = jnp.abs(x).max(initial=0.0)
    unit = jnp.where(top > 0, top, 1.0)
    return x / unit, unit


def _product(a, b):
    # Some accelerators round factors of float32 products to half as many digits unless told.
    return jnp.matmul(a, b, precision="highest")


def _decomposed(tall, smoothing):
    """Singular values and right singular vectors, as columns; those that are not used cost nothing when compiled."""
    if smoothing**2 > _SQUARED * float(jnp.finfo(tall.dtype).eps):
        squares, v = jnp.linalg.eigh(_product(tall.T, tall))
        return jnp.sqrt(jnp.maximum(squares, 0.0)), v
    _, s, v = jnp.linalg.svd(jnp.linalg.qr(tall, mode="r"))
    return s, v.T


def _summed(s, smoothing):
    """The value; the gradient's weight of each singular direction, and its multiple of X."""
    size = jnp.sqrt(jnp.sum(s**2))
    e = smoothing * size
    root = jnp.sqrt(s**2 + e**2)
    inverse = 1.0 / jnp.where(root > 0, root, 1.0)
    value = jnp.sum(s**2 / jnp.where(root > 0, root + e, 1.0))  # root - e without cancellation
    rounding = len(s) * jnp.finfo(s.dtype).eps * s.max(initial=0.0)
    weights = jnp.where(s > rounding, inverse, 0.0)
    multiple = -smoothing * jnp.sum(jnp.where(root > 0, 1.0 - e * inverse, 0.0)) / jnp.where(size > 0, size, 1.0)
    return value, weights, multiple
