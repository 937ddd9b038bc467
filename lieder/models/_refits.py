"""Any fitted model and how it would vary, in the form of a linear family: the functions that the data allow as well."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from ..interop import ForeignModel
from ._batches import evaluate_jacobians, values
from ._doubt import Alternatives


@dataclass(frozen=True, eq=False)
class Refits:
    """A fitted model F beside the fits F_k without a part of the rows, a combination of which is a draw of its error.

    It is a linear family with m functions for each of the 1 + K models, so that what is done with `LeastSquares` can be
    done with it: sum_k z_k sqrt(share_k) (F_k - F), z_k normal, over the root of a chi-square of K - 1 degrees of
        freedom.

    Fields: `model` F, of `outputs` numbers; `alternatives`, the F_k with the share of each; `leverage`, `misfit`, NaN:
        neither is known.
    """

    model: Callable | ForeignModel
    alternatives: Alternatives
    outputs: int
    leverage: float = float("nan")
    misfit: float = float("nan")

    @property
    def _sizes(self) -> tuple[int, int]:
        return len(self.alternatives.shares), self.outputs

    @property
    def coefficients(self) -> Float[np.ndarray, "r m"]:
        """Of the model itself."""
        models, m = self._sizes
        return np.concatenate([np.eye(m), np.zeros((models * m, m))])

    def at(self, x: Float[np.ndarray, "B n"]) -> tuple[Float[np.ndarray, "B r"], Float[np.ndarray, "B n r"]]:
        """The functions of the family and their derivatives at some points."""
        (models, m), both = self._sizes, (self.model, self.alternatives.model)
        found = np.concatenate([values(f, x).reshape(len(x), -1) for f in both], axis=1)
        slopes = [evaluate_jacobians(f, x, k * m) for f, k in zip(both, (1, models), strict=True)]
        return found, np.concatenate(slopes, axis=1).transpose(0, 2, 1)

    def errors(self, draws: int, seed: int) -> Float[np.ndarray, "draws r m"]:
        """Errors of the coefficients, drawn at random."""
        models, m = self._sizes
        freedom = max(models - 1, 1)
        random = np.random.default_rng(seed)
        times = random.normal(size=(draws, models)) * np.sqrt(self.alternatives.shares)
        times *= np.sqrt(freedom / random.chisquare(freedom, draws))[:, None]
        whole = np.concatenate([-times.sum(axis=1, keepdims=True), times], axis=1)
        return (whole[:, :, None, None] * np.eye(m)).reshape(draws, -1, m)
