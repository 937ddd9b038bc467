"""What a family of models must do to be compared with others; and models that are linear in features."""

import abc
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ..dictionary import AbstractDictionary
from ..interop import tree
from ._data import Data


@dataclass(frozen=True, eq=False)
class Validated:
    """A family under cross-validation, at its best setting.

    Fields: `squares` (folds,), weighted mean |r|^2 of each fold; `residual` (N, m), of each row under the fold that
    left it out; `setting`, the hyperparameters, as the family's own `train` reads them; `members`, the models fitted
    without each fold, where they were too dear to be fitted again (else empty).
    """

    squares: np.ndarray
    residual: np.ndarray
    setting: Any
    members: tuple[Callable, ...] = ()


class AbstractFamily(abc.ABC):
    """A family of models, with the choice of its hyperparameters.

    Fields: `name`, in words; `chance`, whether two fits to the same rows differ (a network's random start).
    """

    name: str
    chance: bool = False

    @abc.abstractmethod
    def validate(self, data: Data, folds: list[np.ndarray], seed: int) -> Validated:
        """Leave out each fold in turn, and find the setting with the least squared error over all of them."""

    @abc.abstractmethod
    def train(self, data: Data, setting: Any, seed: int) -> tuple[Callable, str]:
        """The model fitted to all rows at that setting, and how its derivatives come about."""

    def refits(self, data: Data, setting: Any, parts: list[np.ndarray], seed: int) -> list[Callable]:
        """The models fitted at that setting without each part in turn."""
        rows = np.arange(len(data))
        return [self.train(data[np.setdiff1d(rows, part)], setting, seed)[0] for part in parts]


@tree
@dataclass(frozen=True, eq=False)
class FeatureModel:
    """A model that is linear in features of one example, F(x) = W f(x).

    Fields: `features`, from x (n,) to f(x) (D,), JAX-differentiable: a dictionary, standardised polynomials, or
    covariances with data points; `coefficients` W, float64. For a dictionary W refers to its own, unscaled functions.
    """

    features: Callable
    coefficients: Float[np.ndarray, "outputs features"]

    def __call__(self, x: Float[Array | np.ndarray, " inputs"]) -> Float[Array, " outputs"]:
        f = self.features(x)
        return jnp.asarray(self.coefficients, f.dtype) @ f


@tree
@dataclass(frozen=True, eq=False)
class Standardised:
    """Features of (x - centre) * inverse: same polynomials, far better conditioned."""

    dictionary: AbstractDictionary
    centre: np.ndarray
    inverse: np.ndarray

    def __call__(self, x: Array | np.ndarray) -> Array:
        return self.dictionary(standardise(x, self.centre, self.inverse))


def standardise(x, centre: Array | np.ndarray, inverse: Array | np.ndarray) -> Array:
    """(x - centre) * inverse in the dtype of x; integers are promoted."""
    x = jnp.asarray(x)
    x = x if jnp.issubdtype(x.dtype, jnp.inexact) else x.astype(float)
    return (x - jnp.asarray(centre, x.dtype)) * jnp.asarray(inverse, x.dtype)
