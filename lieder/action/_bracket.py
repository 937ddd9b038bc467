"""The bracket of vector fields, measured on points."""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

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
    q = action.algebra.dim
    if q == 0:
        return np.zeros((0, 0, 0)), 0.0

    mean = np.mean(points, axis=0)

    def one(z):
        theta, slope = action.fields(z), jax.jacfwd(action.fields)(z)  # (q, n), (q, n, n)
        moved = jnp.einsum("jab,ib->ija", slope, theta)  # Dtheta_j theta_i; i, j: generators; a, b: coordinates
        length = jnp.linalg.norm(theta, axis=1)
        size = jnp.linalg.norm(slope, axis=(1, 2))[None, :] * length[:, None]
        # Slopes of fields on a grid are differences: large as matrices, small on whatever is smooth.
        tried = jnp.concatenate([jnp.linalg.norm(moved, axis=2), jnp.linalg.norm(slope @ (z - mean), axis=1)[None]])
        sizes = jnp.append(length, jnp.linalg.norm(z - mean))[:, None]
        acting = jnp.max(jnp.where(sizes > 0, tried / jnp.where(sizes > 0, sizes, 1.0), 0.0), axis=0)
        felt = acting[None, :] * length[:, None]
        return theta, jnp.swapaxes(moved, 0, 1) - moved, size + size.T, felt + felt.T

    with jax.enable_x64(True):
        theta, brackets, size, felt = (np.asarray(a) for a in jax.jit(jax.vmap(one))(jnp.asarray(points, jnp.float64)))
    design = np.swapaxes(theta, 1, 2).reshape(-1, q)
    wanted = np.moveaxis(brackets, 3, 1).reshape(len(design), q * q)
    scale = np.linalg.norm(design, axis=0)
    scale = np.where(scale > 0, scale, 1.0)
    fitted = np.linalg.lstsq(design / scale, wanted, rcond=1e-10)[0] / scale[:, None]
    rest = np.linalg.norm(wanted - design @ fitted)
    total = np.linalg.norm(size)
    constants = fitted.reshape(q, q, q).transpose(1, 2, 0)
    commuting = np.sqrt(np.einsum("pija,pija->ij", brackets, brackets)) <= noise * np.linalg.norm(felt, axis=0)
    constants = np.where(commuting[:, :, None], 0.0, constants)
    constants = (constants - constants.transpose(1, 0, 2)) / 2
    return constants, float(rest / total) if total > 0 else 0.0


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
