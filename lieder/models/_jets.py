"""Values and slopes of models that are linear in features, where many models are looked at once each."""

from collections.abc import Callable
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ._family import FeatureModel, Standardised

NUMBERS = 2**23  # in a table of features and their slopes


def jets(
    model: FeatureModel, points: Float[np.ndarray, "N n"]
) -> tuple[Float[np.ndarray, "N c"], Float[np.ndarray, "N c n"]]:
    """The values of a model that is linear in features, and their derivatives; of monomials without compiling anything.

    Arguments: `model` of c values; `points` (N, n).
    Returns: (N, c) and (N, c, n).
    """
    features, centre, inverse = model.features, 0.0, np.ones(points.shape[1])
    if isinstance(features, Standardised):
        features, centre, inverse = features.dictionary, features.centre, features.inverse
    powers = getattr(features, "exponents", None)
    if powers is None:
        return _jets_by_jax(model, points)
    z = (points - centre) * inverse
    table = z[:, :, None] ** np.arange(powers.max(initial=0) + 1)  # (N, n, powers)
    factors = [table[:, c][:, powers[:, c]] for c in range(z.shape[1])]
    slopes = np.empty((len(z), len(model.coefficients), z.shape[1]))
    for c in range(z.shape[1]):
        term = powers[:, c] * table[:, c][:, np.maximum(powers[:, c] - 1, 0)]
        for other, factor in enumerate(factors):
            if other != c:
                term = term * factor
        slopes[:, :, c] = term @ model.coefficients.T * inverse[c]
    return np.prod(factors, axis=0) @ model.coefficients.T, slopes


def _jets_by_jax(model: FeatureModel, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    size = max(1, NUMBERS // (model.coefficients.shape[1] * (1 + points.shape[1])))
    values, slopes = [], []
    with jax.enable_x64(True):
        for begin in range(0, len(points), size):
            f, df = _features(model.features, jnp.asarray(points[begin : begin + size], jnp.float64))
            values.append(np.asarray(f) @ model.coefficients.T)
            slopes.append(np.einsum("cd,pdn->pcn", model.coefficients, np.asarray(df)))
    return np.concatenate(values), np.concatenate(slopes)


@partial(jax.jit, static_argnums=0)
def _features(features: Callable, points: Array) -> tuple[Array, Array]:
    # Many models share their features: these are compiled once.
    return jax.vmap(features)(points), jax.vmap(jax.jacfwd(features))(points)
