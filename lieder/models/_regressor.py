"""A scikit-learn regressor as a family."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.multioutput import MultiOutputRegressor
from sklearn.utils import get_tags
from sklearn.utils.validation import has_fit_parameter

from ..interop import ForeignModel, from_sklearn
from ..jobs import results
from ._data import Data
from ._family import AbstractFamily, Validated


@dataclass(frozen=True, eq=False)
class Regressor(AbstractFamily):
    """Clones of the user's estimator; one for each output where it has only one."""

    name: str
    estimator: Any

    def validate(self, data: Data, folds: list[np.ndarray], seed: int) -> Validated:
        others = [data[np.concatenate(folds[:k] + folds[k + 1 :])] for k in range(len(folds))]
        residual, members = np.empty_like(data.y), []
        for fitted, fold in zip(results(self._fitted, others, "regressors of folds"), folds, strict=True):
            residual[fold] = fitted.predict(data.x[fold]).reshape(len(fold), -1) - data.y[fold]
            members.append(from_sklearn(fitted, data.x, seed))
        squares = np.array([data[fold].square(residual[fold]) for fold in folds])
        return Validated(squares, residual, None, tuple(members))

    def train(self, data: Data, setting: None, seed: int) -> tuple[ForeignModel, str]:
        model = from_sklearn(self._fitted(data), data.x, seed)
        return model, model.note

    def _fitted(self, data: Data):
        estimator: Any = clone(self.estimator)
        many = data.y.shape[1] > 1
        uneven = bool(np.ptp(data.weight))
        if uneven and not has_fit_parameter(estimator, "sample_weight"):
            raise ValueError(
                f"weights: the fit of {self.name} takes no sample_weight; leave weights out, or choose another family."
            )
        if many and not get_tags(estimator).target_tags.multi_output:
            estimator = MultiOutputRegressor(estimator)
        y = data.y if many else data.y[:, 0]
        return estimator.fit(data.x, y, sample_weight=data.weight) if uneven else estimator.fit(data.x, y)


def regressor(estimator, argument: str) -> Regressor:
    """The family of one estimator, or an error when it cannot predict, in which it is called `argument`."""
    name = type(estimator).__name__
    if not callable(getattr(type(estimator), "fit", None)) or not callable(getattr(estimator, "predict", None)):
        raise TypeError(f"{argument}: {name} has no method predict, so it is not a regressor. Give one, or a pipeline.")
    return Regressor(name, estimator)
