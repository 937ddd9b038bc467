"""The tables that an estimator is given: numbers as in every verb, columns as in scikit-learn."""

from typing import Any, cast

import numpy as np
from jaxtyping import Float
from sklearn.utils.validation import check_array, validate_data

from ..sampling import real_numbers


def estimator_inputs(estimator: Any, X: Any, *, first: bool) -> Float[np.ndarray, "N n"]:
    """The columns X of `fit`, or of a later `predict` or `transform`.

    Arguments: `estimator`; `X` (N, n), an array, lists or a data frame; `first`: this is a `fit`, so that the estimator
    takes down `n_features_in_` and, of a data frame, `feature_names_in_`; otherwise X must be like what it took down.
    Returns: (N, n) float64; X itself where it is that already.
    Raises: as `lieder.sampling.real_numbers`; ValueError for one dimension, no rows or columns, NaN, and for another
    number, other names or another order of columns than at `fit`.
    """
    numbers, names = real_numbers(X, "X")
    if names is None:
        return np.asarray(validate_data(estimator, X=cast(Any, numbers), reset=first), np.float64)
    validate_data(estimator, X=X, reset=first, skip_check_array=True)  # the names
    return check_array(numbers, input_name="X", estimator=estimator).astype(np.float64, copy=False)


def estimator_outputs(estimator: Any, y: Any) -> Float[np.ndarray, "N *m"]:
    """The outputs y of `fit`.

    Arguments: `estimator`; `y` (N,) or (N, m).
    Returns: the same in float64; y itself where it is that already.
    Raises: as `lieder.sampling.real_numbers`; ValueError for None and NaN.
    """
    if y is None:
        raise ValueError(f"{type(estimator).__name__} requires y to be passed, but the target y is None.")
    numbers = real_numbers(y, "y")[0]
    return check_array(numbers, ensure_2d=False, input_name="y", estimator=estimator).astype(np.float64, copy=False)
