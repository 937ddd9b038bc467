"""scikit-learn estimators, and anything that keeps to their interface."""

import pickle
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from jaxtyping import Float

from ._differences import central_differences
from ._foreign import ForeignModel, ancestors


def is_sklearn(obj) -> bool:
    """Whether an object is a scikit-learn estimator (pipelines, and other packages' subclasses, included).

    Returns: True for instances of `sklearn.base.BaseEstimator`; scikit-learn is not imported for it.
    """
    return ("sklearn.base", "BaseEstimator") in ancestors(obj)


def from_sklearn(
    estimator,
    x: Float[np.ndarray, "rows inputs"],
    seed: int = 0,
    names: Sequence[str] | None = None,
    argument: str = "estimator",
) -> ForeignModel:
    """A fitted estimator as a model: its predictions, and their Jacobians by central differences.

    A classifier is read through its probabilities, since its labels have no derivative.

    Arguments: `estimator`, fitted; `x` (N, n), examples such as it was fitted on: they choose the steps of the
    differences (see `central_differences`); `seed`, of the examples used for that; `names` of the columns of `x`, where
    they are known; `argument`, what the caller calls the estimator, for messages.
    Returns: the model, with a `note` on the differences.
    Raises: TypeError when the estimator cannot predict; ValueError when it is not fitted, or was fitted to a data frame
    with these columns in another order.
    """
    predict: Any = getattr(estimator, "predict_proba", None)
    if not callable(predict):
        predict = getattr(estimator, "predict", None)
    if not callable(predict):
        raise TypeError(
            f"{argument}: {type(estimator).__name__} has no method predict, so it is not a model. "
            "Give a regressor, or a pipeline that ends in one."
        )
    _check_names(estimator, names, argument)
    # By name: other packages raise subclasses of their own, and scikit-learn stays unimported.
    try:
        return replace(central_differences(_Prediction(predict), x, seed), mark=partial(_mark, estimator))
    except Exception as fault:
        if ("sklearn.exceptions", "NotFittedError") in ancestors(fault):
            raise ValueError(
                f"{argument}: this {type(estimator).__name__} is not fitted; call its fit(x, y) first."
            ) from fault
        raise


def own_function(estimator, names: Sequence[str] | None, argument: str) -> Callable | None:
    """What a fitted estimator of this library, or of another that does alike, says that it is: a function for JAX.

    Arguments: `estimator`; `names` of the columns it is used on; `argument`, what the caller calls it.
    Returns: its `function`, of one example; None where it has none.
    Raises: ValueError where it knows the columns in another order; NotFittedError before it is fitted.
    """
    own = getattr(estimator, "function", None)
    if not callable(own):
        return None
    _check_names(estimator, names, argument)
    return own


def _check_names(estimator, names: Sequence[str] | None, argument: str) -> None:
    """Columns that the estimator knows by name must stand where it knows them; labels of the user's own say nothing."""
    known = [str(name) for name in getattr(estimator, "feature_names_in_", [])]
    # Arrays without names have these.
    if names is None or list(names) == [f"x{i}" for i in range(len(names))]:
        return
    if set(known) & set(names) and known != list(names):
        raise ValueError(
            f"{argument}: the {type(estimator).__name__} was fitted to the columns {', '.join(known)}, but x has"
            f" {', '.join(names)}. Feature names must be in the same order as they were in fit."
        )


def _mark(estimator) -> str:
    """A digest of all that it holds, "" where something in it has none, such as a function without a name."""
    import joblib

    try:
        # Of a copy: the first may lay out the arrays in another way, the copies of a copy no more.
        return str(joblib.hash(pickle.loads(pickle.dumps(estimator))))
    except (pickle.PicklingError, AttributeError, TypeError):
        return ""


@dataclass(frozen=True, eq=False)
class _Prediction:
    """An estimator's own prediction, without its remark that arrays have no column names."""

    predict: Callable[..., object]

    def __call__(self, x: np.ndarray) -> np.ndarray:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="X does not have valid feature names")
            return np.asarray(self.predict(x))
