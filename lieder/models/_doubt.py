"""How far a fitted function can be believed: what it explains, where it misfits, and how much it hangs on its rows."""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ..interop import ForeignModel, tree
from ..late import neighbors
from ._batches import evaluate, evaluate_jacobians, values
from ._data import Data, standard
from ._family import AbstractFamily, FeatureModel, Validated
from ._ridge import polynomial, polynomial_size

PARTS = 10  # of the jackknife: enough that a variance estimated from them is seldom wrong by more than a factor 2
MISFIT = 200  # most monomials in which a misfit is sought: it must be quick beside the fit itself
DEGREES = (1, 2, 3, 4)
STEADY = np.geomspace(1e-2, 1.0, 9)  # a misfit has no slope where the rows do not spread: nothing there is known of it
FAR = 20.0  # times the median of the gains: beyond, a row counts no more
SURE = 2.0  # standard errors by which a gain must exceed zero


@dataclass(frozen=True, eq=False)
class Alternatives:
    """Other functions that the data allow as well, and what each counts: the variance of anything linear that is read
    from the model, l(F), is estimated by sum_k share_k (l(F_k) - l(F))^2.

    Fields: `model`, from one example (n,) to the values of all K of them in a row, (K m,), or a foreign model likewise;
    `shares` (K,).
    """

    model: Callable | ForeignModel
    shares: Float[np.ndarray, " models"]


def alternatives(
    family: AbstractFamily,
    validated: Validated,
    data: Data,
    others: list[Callable | ForeignModel],
    share: float,
    seed: int,
) -> Alternatives:
    """Fits without a part of the rows in turn (the jackknife of Quenouille and Tukey), and `others`, each in full.

    `share`: of the rows `data` in those that the model itself was fitted to: with more rows it varies less.
    Reference: Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 11.
    """
    if validated.members:
        models = list(validated.members)
    else:
        parts = [part for part in data.parts(PARTS) if len(part)]
        models = family.refits(data, validated.setting, parts, seed)
    # Fits that differ by chance alone differ twice as much from each other as from their mean, whatever the rows.
    each = 1.0 / len(models) if family.chance else share * (len(models) - 1) / len(models)
    return Alternatives(together([*models, *others]), np.append(np.full(len(models), each), np.ones(len(others))))


def together(models: list[Callable | ForeignModel]) -> Callable | ForeignModel:
    """Several models in one.

    Returns: a function with the values of all of them in a row.
    """
    if any(isinstance(model, ForeignModel) for model in models):
        return ForeignModel(
            lambda x: np.concatenate([values(model, x) for model in models], axis=1),
            lambda x: np.concatenate([model.jacobians(x) for model in models], axis=1),
            "",
        )
    first = models[0].features if isinstance(models[0], FeatureModel) else None
    same = [model for model in models if isinstance(model, FeatureModel) and model.features is first]
    rest = [model for model in models if model not in same]
    if len(same) > 1:
        same = [FeatureModel(same[0].features, np.concatenate([model.coefficients for model in same]))]
    every = [*same, *rest]
    return every[0] if len(every) == 1 else Together(tuple(every))


@tree
@dataclass(frozen=True, eq=False)
class Together:
    """The values of several models in a row."""

    models: tuple[Callable, ...]

    def __call__(self, x: Array) -> Array:
        return jnp.concatenate([jnp.ravel(model(x)) for model in self.models])


def added(model: Callable | ForeignModel, other: FeatureModel) -> Callable | ForeignModel:
    """Their sum."""
    if not isinstance(model, ForeignModel):
        return Sum(model, other)
    outputs = len(other.coefficients)
    return ForeignModel(
        lambda x: model.values(x) + evaluate(other, x),
        lambda x: model.jacobians(x) + evaluate_jacobians(other, x, outputs),
        model.note,
    )


@tree
@dataclass(frozen=True, eq=False)
class Sum:
    """The sum of two models."""

    one: Callable
    other: Callable

    def __call__(self, x: Array) -> Array:
        return self.one(x) + self.other(x)


def explained(data: Data, folds: list[np.ndarray], residual: np.ndarray) -> Float[np.ndarray, " outputs"]:
    """For each output, by how many standard errors the model predicts rows it has not seen better than their mean does.

    The gain of a row is the square of its distance from the mean of the other folds less that of its residual.
    """
    gain = np.empty_like(residual)
    for k, fold in enumerate(folds):
        others = data[np.concatenate(folds[:k] + folds[k + 1 :])]
        # Rows of other folds may all have weight zero.
        weight = others.weight if others.weight.any() else np.ones(len(others))
        gain[fold] = (data.y[fold] - np.average(others.y, axis=0, weights=weight)) ** 2 - residual[fold] ** 2
    gain *= data.weight[:, None]
    # A few rows far from all others, which the mean misses by most, must not decide.
    most = FAR * np.median(np.abs(gain), axis=0)
    gain = np.clip(gain, -most, most)
    return gain.mean(axis=0) / np.maximum(gain.std(axis=0, ddof=1) / np.sqrt(len(gain)), np.finfo(float).tiny)


def no_worse(data: Data, one: Validated, other: Validated) -> bool:
    """Whether the data leave it open that `other` predicts as well as `one`: by less than SURE standard errors."""
    difference = data.weight * np.sum(other.residual**2 - one.residual**2, axis=1)
    return bool(difference.mean() <= SURE * difference.std(ddof=1) / np.sqrt(len(difference)))


def smooth_misfit(data: Data, folds: list[np.ndarray], residual: np.ndarray, seed: int) -> FeatureModel | None:
    """A polynomial in the residuals that predicts them on rows it has not seen; None when there is none.

    Each residual is that of the fold that left its row out. What can be predicted of them is no noise: it is what the
    family could not follow.
    """
    remaining, width = Data(data.x, -residual, data.weight), data.x.shape[1]
    fits = [d for d in DEGREES if polynomial_size(width, d) <= min(MISFIT, 0.2 * len(data))]
    if not fits or not residual.any():
        return None
    family = dataclasses.replace(polynomial(max(fits)), strengths=STEADY)
    validated = family.validate(remaining, folds, seed)
    if np.max(explained(remaining, folds, validated.residual)) <= SURE:
        return None
    return family.train(remaining, validated.setting, seed)[0]


def neighbouring_error(data: Data, folds: list[np.ndarray], residual: np.ndarray) -> float:
    """The root of the mean product of residuals of neighbours, less one standard error of that mean.

    Neighbours share the model's own error, which is smooth, but not the noise of their labels."""
    centre, inverse = standard(data.x)
    z, r = (data.x - centre) * inverse, data.root * residual
    products = []
    for fold in folds:
        if len(fold) < 2:
            continue
        near = neighbors.NearestNeighbors(n_neighbors=1).fit(z[fold]).kneighbors(return_distance=False)[:, 0]
        # Two rows that are each other's neighbours are one pair.
        pairs = np.unique(np.sort(np.stack([np.arange(len(fold)), near]), axis=0), axis=1)
        products.append(np.sum(r[fold][pairs[0]] * r[fold][pairs[1]], axis=1))
    if not products or sum(map(len, products)) < 2:
        return 0.0
    product = np.concatenate(products)
    return float(np.sqrt(max(product.mean() - product.std(ddof=1) / np.sqrt(len(product)), 0.0)))
