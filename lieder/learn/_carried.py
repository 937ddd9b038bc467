"""Rows carried along learned generators, so that the generators can be trained through it."""

import math
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ..action import AbstractAction

Field = Callable[[Array], Array]
STEPS = 4.0  # of the integrator per unit of the largest coefficient: errors of 1e-4 for generators of size one


def carrier(
    action: AbstractAction, largest: float
) -> Callable[[Float[Array, "r q"], Float[Array, "b r"], Float[Array, "b n"]], Float[Array, "b n"]]:
    """exp(sum_k c_k L_k) z for a batch of rows, each with its own coefficients.

    The classical Runge-Kutta method with a fixed number of steps: it is the same code for every action, has a
    derivative with respect to the generators, and costs less than a matrix exponential for each row.

    Arguments: `action` of q candidates; `largest`, the size of coefficients that hardly any exceeds.
    Returns: (rows of r generators over the candidates, coefficients, batch) -> the moved batch.
    """
    steps = max(4, math.ceil(STEPS * largest))
    expansion = action.expansion
    if expansion is not None and expansion.is_affine:
        matrices = np.asarray(expansion.affine().dense(), np.float32)  # (q, n, n + 1)
        n = action.width

        def fields(generators: Array, c: Array) -> Field:
            each = jnp.einsum("rq,qij->rij", generators, matrices)
            if len(generators) == 1:  # a matrix that all rows share: in 48 columns twice as fast as one for each
                return lambda z: c * (z @ each[0, :, :n].T + each[0, :, n])
            every = jnp.einsum("br,rij->bij", c, each)
            return lambda z: jnp.einsum("bij,bj->bi", every[:, :, :n], z) + every[:, :, n]
    else:

        def fields(generators: Array, c: Array) -> Field:
            return lambda z: jax.vmap(action.field)(c @ generators, z)

    def carried(generators, c, z):
        field, h = fields(generators, c), 1.0 / steps

        def step(z, _):
            k1 = field(z)
            k2 = field(z + h / 2 * k1)
            k3 = field(z + h / 2 * k2)
            k4 = field(z + h * k3)
            return z + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4), None

        return jax.lax.scan(step, z, None, steps)[0]

    return carried
