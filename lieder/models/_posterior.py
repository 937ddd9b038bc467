"""A Gaussian process as a linear family: the functions that prior and rows together leave possible."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from ._batches import evaluate, evaluate_jacobians
from ._family import FeatureModel
from ._fitted import Fitted
from ._gaussian import Covariances

KNOWN = 1e-12  # share of the largest variance below which a function of the prior is rounding


@dataclass(frozen=True, eq=False)
class Posterior:
    """The posterior of a Gaussian process, in the form of a linear family.

    A fit of this kind is drawn towards zero, so that its error has a part that does not vary with the labels: what is
    too small or too rough to be seen. Fits without a part of the rows do not show it; the prior says how large it is.

    Fields: `functions` (D,), of one example, and the `basis` (D, r) in which they are independent; `coefficients`
    (r, m) of the mean; `spread` (r, m), the standard deviation of each; `freedom`, of rows, that the size of noise and
    functions is known from; `leverage`, by which factor the least certain row is less certain than the root mean
    square; `misfit`, NaN: the family is as rich as it is.
    """

    functions: Covariances
    basis: Float[np.ndarray, "D r"]
    coefficients: Float[np.ndarray, "r m"]
    spread: Float[np.ndarray, "r m"]
    freedom: float
    leverage: float
    misfit: float = float("nan")

    def at(self, x: Float[np.ndarray, "B n"]) -> tuple[Float[np.ndarray, "B r"], Float[np.ndarray, "B n r"]]:
        """The functions of the basis and their derivatives at some points."""
        combined = FeatureModel(self.functions, self.basis.T)
        slopes = evaluate_jacobians(combined, x, self.basis.shape[1])
        return evaluate(combined, x), slopes.transpose(0, 2, 1)

    def errors(self, draws: int, seed: int) -> Float[np.ndarray, "draws r m"]:
        """Errors of the coefficients, drawn at random from the posterior; over the root of a chi-square of `freedom`,
        since its size is estimated."""
        random = np.random.default_rng(seed)
        short = np.sqrt(self.freedom / random.chisquare(self.freedom, draws))
        return short[:, None, None] * random.normal(size=(draws, *self.coefficients.shape)) * self.spread


def posterior(fitted: Fitted, x: Float[np.ndarray, "N n"], y: Float[np.ndarray, "N m"]) -> Posterior | None:
    """The posterior of a fitted Gaussian process, given all rows, at the covariance that was chosen.

    With V the values of the prior's functions at the rows, whitened, noise variance s and weights w, the coefficients'
    covariance is a (V^T W V / s + 1)^-1; a, one for each output, is the size of the process itself.

    Arguments: `fitted`, by `fit`; `x`, `y`, the rows.
    Returns: Posterior; None for other models.
    Reference: Rasmussen and Williams (2006), sections 2.2, 2.7 and 8.3.1.
    """
    functions = fitted.model.features if isinstance(fitted.model, FeatureModel) else None
    if not isinstance(functions, Covariances):
        return None
    k, centres = functions.covariance, functions.centres
    values, axes = np.linalg.eigh(k.between(centres, centres))
    kept = values > KNOWN * values[-1]
    white = np.zeros((len(centres) + 1, int(kept.sum()) + 1))
    white[:-1, :-1], white[-1, -1] = axes[:, kept] / np.sqrt(values[kept]), 1.0
    root = np.sqrt(fitted.weights)[:, None]
    design = root * (
        np.append(k.between((x - functions.centre) * functions.inverse, centres), np.ones((len(x), 1)), 1) @ white
    )
    # The constant is free: its prior is as wide as a number may be beside the others'.
    prior = np.append(np.ones(design.shape[1] - 1), 1.0 / np.sqrt(KNOWN))
    left, s, right = np.linalg.svd(design * prior, full_matrices=False)
    shares = s / (s**2 + k.noise)
    coefficients = shares[:, None] * (left.T @ (root * y))
    # y^T (V V^T + s)^-1 y over the number of rows, less one for the constant.
    parts = left.T @ (root * y)
    outside = np.maximum(np.sum((root * y) ** 2, axis=0) - np.sum(parts**2, axis=0), 0.0)
    rows = max(int(np.count_nonzero(root)) - 1, 1)
    size = (np.sum(parts**2 / (s**2 + k.noise)[:, None], axis=0) + outside / k.noise) / rows
    spread = np.sqrt(k.noise / (s**2 + k.noise))[:, None] * np.sqrt(size)
    certain = np.sum((left * np.sqrt(s**2 / (s**2 + k.noise))) ** 2, axis=1)[root[:, 0] > 0]
    certain = certain / root[root[:, 0] > 0, 0] ** 2
    leverage = float(np.sqrt(certain.max() / np.average(certain, weights=root[root[:, 0] > 0, 0] ** 2)))
    return Posterior(functions, white @ (prior[:, None] * right.T), coefficients, spread, float(rows), leverage)
