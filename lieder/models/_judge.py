"""A model that came from elsewhere, judged by labels that it was not fitted to."""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Num

from ..interop import ForeignModel
from ._batches import values
from ._data import Data, checked
from ._doubt import DEGREES, PARTS, Alternatives, added, explained, neighbouring_error, together
from ._family import FeatureModel
from ._ridge import polynomial, polynomial_size

FOLDS = 5
UNSHRUNK = np.array([1e-8])  # what is drawn towards zero varies less than the labels leave open


@dataclass(frozen=True, eq=False)
class Judged:
    """What labels say of a model.

    Fields: `error`, relative to the variation of the labels; `resolution`, the part of it that neighbouring rows share
    after a polynomial in x has been taken from it; `gain` (m,), by how many standard errors each output is predicted
    better than by its mean; `alternatives`, the model with the polynomial that its residuals show added, and how well
    that is known.
    """

    error: float
    resolution: float
    gain: Float[np.ndarray, " outputs"]
    alternatives: Alternatives


def judge(
    model: Callable | ForeignModel,
    x: Num[np.ndarray, "rows inputs"],
    labels: Num[np.ndarray, "rows *outputs"],
    seed: int = 0,
) -> Judged:
    """How well a model is known, from labels y_i at rows x_i that it has not seen.

    The residuals y - F are fitted by a polynomial, of the degree up to 4 that cross-validation chooses: its Lie
    derivative is the bias of the model's, and its spread between fits without a part of the rows how well labels so
    noisy and so few can tell.

    Arguments: `model`, from one example (n,) to (m,), or foreign; `x` (N, n); `labels` (N, m) or (N,), N >= 10.
    Returns: Judged.
    Raises: ValueError, TypeError as `fit`.
    """
    data = checked(x, labels, None, FOLDS, 0.1, "labels")
    scale = np.sqrt(data.variation or data.square(data.y))
    order = np.random.default_rng(seed).permutation(len(data))
    data = data[order]
    # A function of one output may return a bare number.
    flat = model if isinstance(model, ForeignModel) else lambda z: jnp.ravel(model(z))
    predicted = values(flat, data.x)
    folds = np.array_split(np.arange(len(data)), FOLDS)
    left = Data(data.x, data.y - predicted, data.weight)
    width = x.shape[1]
    degrees = [d for d in DEGREES if d == 1 or polynomial_size(width, d) <= 0.2 * len(data)]
    families = [dataclasses.replace(polynomial(d), strengths=UNSHRUNK) for d in degrees]
    tried = [(family, family.validate(left, folds, seed)) for family in families]
    family, best = min(tried, key=lambda pair: pair[1].squares.mean())
    whole, _ = family.train(left, best.setting, seed)
    parts = [part for part in np.array_split(np.arange(len(data)), PARTS) if len(part)]
    others = [
        added(flat, FeatureModel(one.features, one.coefficients - whole.coefficients))
        for one in family.refits(left, best.setting, parts, seed)
    ]
    share = (len(parts) - 1) / len(parts)
    return Judged(
        float(np.sqrt(data.square(data.y - predicted)) / scale),
        neighbouring_error(data, folds, best.residual) / float(scale),
        explained(data, folds, predicted - data.y),
        Alternatives(together([added(flat, whole), *others]), np.append(1.0, np.full(len(parts), share))),
    )
