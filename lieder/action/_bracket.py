"""The bracket of vector fields, measured on points."""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from ._abstract import AbstractAction


def bracket_constants(
    action: AbstractAction, points: Float[np.ndarray, "points n"], noise: float = 1e-10
) -> tuple[Float[np.ndarray, "q q q"], float]:
    """Structure constants of the fields of an action as the points see them, and how far the fields are from closed.

    -(Dtheta_j theta_i - Dtheta_i theta_j) = sum_k c_ijk theta_k + rest, fitted by least squares over the points. The
    sign makes linear fields A z give the commutators of their matrices. What no point can see (fields that vanish on
    the data) is not counted, so this is the bracket modulo ineffective generators.

    Arguments: `action` with q generators (a small number: q^2 brackets are formed); `points` (N, n); `noise`, the share
        of |Dtheta_j||theta_i| + |Dtheta_i||theta_j| up to which a bracket counts as zero: commuting fields leave
        rounding, 1e-10 is far above it.
    Returns: constants (q, q, q); closure defect, the rms of the rest over the rms of |Dtheta_j||theta_i| +
        |Dtheta_i||theta_j|.
    Reference: Otto, Zolman, Kutz, Brunton (2025), section 4 (discovered symmetries are closed under the bracket).
    """
    q = action.algebra.dim
    if q == 0:
        return np.zeros((0, 0, 0)), 0.0

    def one(z):
        theta, slope = action.fields(z), jax.jacfwd(action.fields)(z)  # (q, n), (q, n, n)
        moved = jnp.einsum("jab,ib->ija", slope, theta)  # Dtheta_j theta_i; i, j: generators; a, b: coordinates
        size = jnp.linalg.norm(slope, axis=(1, 2))[None, :] * jnp.linalg.norm(theta, axis=1)[:, None]
        return theta, jnp.swapaxes(moved, 0, 1) - moved, size + size.T

    with jax.enable_x64(True):
        theta, brackets, size = (np.asarray(a) for a in jax.jit(jax.vmap(one))(jnp.asarray(points, jnp.float64)))
    design = np.swapaxes(theta, 1, 2).reshape(-1, q)
    wanted = np.moveaxis(brackets, 3, 1).reshape(len(design), q * q)
    scale = np.linalg.norm(design, axis=0)
    scale = np.where(scale > 0, scale, 1.0)
    fitted = np.linalg.lstsq(design / scale, wanted, rcond=1e-10)[0] / scale[:, None]
    rest = np.linalg.norm(wanted - design @ fitted)
    total = np.linalg.norm(size)
    constants = fitted.reshape(q, q, q).transpose(1, 2, 0)
    commuting = np.sqrt(np.einsum("pija,pija->ij", brackets, brackets)) <= noise * np.linalg.norm(size, axis=0)
    constants = np.where(commuting[:, :, None], 0.0, constants)
    constants = (constants - constants.transpose(1, 0, 2)) / 2
    return constants, float(rest / total) if total > 0 else 0.0
