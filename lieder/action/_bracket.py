"""The bracket of vector fields, measured on points."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ..algebra import LieAlgebra, Span
from ._abstract import AbstractAction

LOOSEST = 0.1  # the most that the tolerance of a measured algebra allows: objects that are not invariant lie near one


def bracket_constants(
    action: AbstractAction, points: Float[np.ndarray, "points n"], noise: float = 1e-10
) -> tuple[Float[np.ndarray, "q q q"], float]:
    """Structure constants of the fields of an action as the points see them, and how far the fields are from closed.

    -(Dtheta_j theta_i - Dtheta_i theta_j) = sum_k c_ijk theta_k + rest, fitted by least squares over the points. The
    sign makes linear fields A z give the commutators of their matrices. What no point can see (fields that vanish on
    the data) is not counted, so this is the bracket modulo ineffective generators.

    Arguments: `action` with q generators (a small number: q^2 brackets are formed); `points` (N, n); `noise`, the share
        of |Dtheta_j||theta_i| + |Dtheta_i||theta_j| up to which a bracket counts as zero, |Dtheta| by what it does to
        the fields and to the points themselves: commuting fields leave rounding, 1e-10 is far above it.
    Returns: constants (q, q, q); closure defect, the rms of the rest over the rms of |Dtheta_j||theta_i| +
        |Dtheta_i||theta_j|.
    Reference: Otto, Zolman, Kutz, Brunton (2025), section 4 (discovered symmetries are closed under the bracket).
    """
    constants, rest, total = _brackets(action, points, noise)
    return constants, float(np.linalg.norm(rest) / total) if total > 0 else 0.0


def leaving_pair(action: AbstractAction, points: Float[np.ndarray, "points n"]) -> tuple[int, int]:
    """The two generators whose bracket leaves their span the most, as the points see it.

    Arguments: `action` with q >= 2 generators; `points` (N, n).
    Returns: their numbers, from 0.
    """
    rest = _brackets(action, points, 0.0)[1]
    i, j = np.unravel_index(np.argmax(rest), rest.shape)
    return min(int(i), int(j)), max(int(i), int(j))


def _brackets(action: AbstractAction, points: np.ndarray, noise: float) -> tuple[np.ndarray, np.ndarray, float]:
    """Structure constants (q, q, q); the rest of each bracket (q, q); the size it is relative to."""
    q = action.algebra.dim
    if q == 0:
        return np.zeros((0, 0, 0)), np.zeros((0, 0)), 0.0
    points = np.asarray(points, np.float64)
    theta, slope = _fields_and_slopes(action, points)
    # Dtheta_j theta_i at point p; i, j: generators; a, b: coordinates
    moved = np.einsum("pjab,pib->pija", slope, theta, optimize=True)
    brackets = np.swapaxes(moved, 1, 2) - moved
    # Slopes of fields on a grid are differences: large as matrices, small on whatever is smooth.
    beside = points - np.mean(points, axis=0)
    length, distance = np.linalg.norm(theta, axis=2), np.linalg.norm(beside, axis=1)[:, None]
    outward = np.linalg.norm(np.einsum("pjab,pb->pja", slope, beside, optimize=True), axis=2)
    tried = np.concatenate([np.linalg.norm(moved, axis=3), outward[:, None]], axis=1)
    sizes = np.concatenate([length, distance], axis=1)[:, :, None]
    acting = np.max(np.divide(tried, sizes, out=np.zeros_like(tried), where=sizes > 0), axis=1)
    size, felt = (_both_ways(each, length) for each in (np.linalg.norm(slope, axis=(2, 3)), acting))
    design = np.swapaxes(theta, 1, 2).reshape(-1, q)
    wanted = np.moveaxis(brackets, 3, 1).reshape(len(design), q * q)
    scale = np.linalg.norm(design, axis=0)
    scale = np.where(scale > 0, scale, 1.0)
    fitted = np.linalg.lstsq(design / scale, wanted, rcond=1e-10)[0] / scale[:, None]
    rest = np.linalg.norm(wanted - design @ fitted, axis=0).reshape(q, q)
    total = float(np.linalg.norm(size))
    constants = fitted.reshape(q, q, q).transpose(1, 2, 0)
    commuting = np.sqrt(np.einsum("pija,pija->ij", brackets, brackets)) <= noise * np.linalg.norm(felt, axis=0)
    constants = np.where(commuting[:, :, None], 0.0, constants)
    return (constants - constants.transpose(1, 0, 2)) / 2, rest, total


def _both_ways(acting: np.ndarray, length: np.ndarray) -> np.ndarray:
    """|Dtheta_j||theta_i| + |Dtheta_i||theta_j|, (points, q, q)."""
    product = acting[:, None, :] * length[:, :, None]
    return product + product.swapaxes(1, 2)


def _fields_and_slopes(action: AbstractAction, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Fields (p, q, n) and their derivatives (p, q, n, n) at points; one of these for all points of affine fields."""
    expanded = action.expansion
    if expanded is not None and expanded.is_affine:
        n = action.width
        matrices = expanded.affine().dense()
        linear, shift = matrices[:, :, :n], matrices[:, :, n]
        return np.einsum("jab,pb->pja", linear, points, optimize=True) + shift, linear[None]
    with jax.enable_x64(True):
        theta, slope = _derivatives(action, jnp.asarray(points))
    return np.asarray(theta), np.asarray(slope)


@eqx.filter_jit
def _derivatives(action: AbstractAction, points: Array) -> tuple[Array, Array]:
    # Compiled once for all actions that differ only in their numbers.
    return jax.vmap(lambda z: (action.fields(z), jax.jacfwd(action.fields)(z)))(points)


def measured_algebra(
    action: AbstractAction,
    rows: Float[np.ndarray, "r q"],
    names: tuple[str, ...],
    points: Float[np.ndarray, "points n"],
    noise: float = 1e-10,
    tolerance: float = 1e-6,
) -> tuple[LieAlgebra | Span, float]:
    """The algebra of combinations of generators, with structure constants measured on points.

    Arguments: `action` of q generators; `rows` of coefficients; `names` (r,); `points` (N, n); `noise`, as in
        `bracket_constants`; `tolerance`, the closure defect that the algebra allows at least; it
        allows ten times its own, up to `LOOSEST`.
    Returns: a LieAlgebra, or a Span where the brackets are too far from closed to be those of an algebra; and the
        closure defect.
    """
    count = len(names)
    free = action.restrict(rows, LieAlgebra("found", names, constants=np.zeros((count, count, count))))
    constants, closure = bracket_constants(free, points, noise)
    try:
        allowed = min(max(tolerance, 10 * closure), LOOSEST)
        return LieAlgebra("found", names, constants=constants, tolerance=allowed), closure
    except ValueError:
        return Span("found (not closed under the bracket)", names), closure
