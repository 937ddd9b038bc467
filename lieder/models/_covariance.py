"""The covariance of a smooth random function, and a model that is linear in it."""

from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from scipy.spatial.distance import cdist

from ..interop import tree
from ._family import standardise


@tree
@dataclass(frozen=True, eq=False)
class Covariance:
    """k(z, z') = (1 + d^2 / 2a)^(-a) + tilt z.z' + curve (z.z')^2 with d = |A (z - z')|, up to one factor.

    A smooth part, a linear and a quadratic one; a constant is always free. As a grows the smooth part becomes
    exp(-d^2 / 2); at a finite it is a mixture of such bells of many widths. A is a full matrix: the prior then prefers
    no axes, and a function of few linear combinations of the inputs is found as one.

    Fields: `metric` A (n, n), per standardised input; `tail` a; `tilt`, `curve`; `noise`, the variance of the labels'
    noise at weight one.
    Reference: Rasmussen and Williams, Gaussian Processes for Machine Learning, 2006, sections 2.7, 4.2 and 5.1.
    """

    metric: Float[np.ndarray, "n n"]
    tail: float
    tilt: float
    curve: float
    noise: float

    def between(self, a: Float[np.ndarray, "rows n"], b: Float[np.ndarray, "centres n"]) -> np.ndarray:
        """k of each row with each centre: (rows, centres)."""
        along = a @ b.T
        squares = cdist(a @ self.metric.T, b @ self.metric.T, "sqeuclidean")
        return (1 + squares / (2 * self.tail)) ** -self.tail + self.tilt * along + self.curve * along**2


@tree
@dataclass(frozen=True, eq=False)
class Covariances:
    """x -> (k(z, z_1), ..., k(z, z_N), 1) with z the standardised x."""

    covariance: Covariance
    centres: Float[np.ndarray, "centres n"]
    centre: np.ndarray
    inverse: np.ndarray

    def __call__(self, x: Array | np.ndarray) -> Array:
        z = standardise(x, self.centre, self.inverse)
        k, centres = self.covariance, jnp.asarray(self.centres, z.dtype)
        away = (z - centres) @ jnp.asarray(k.metric.T, z.dtype)
        along = centres @ z
        smooth = jnp.exp(-k.tail * jnp.log1p(jnp.sum(away**2, axis=1) / (2 * k.tail)))
        return jnp.append(smooth + k.tilt * along + k.curve * along**2, jnp.ones((), z.dtype))
