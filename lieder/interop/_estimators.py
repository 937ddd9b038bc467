"""The tables that an estimator of the house is given, checked in scikit-learn's words."""

from typing import Any

import numpy as np
from jaxtyping import Float
from sklearn.utils.validation import check_array, validate_data

from ..sampling import check_computed


def estimator_inputs(estimator: Any, X: Any, *, first: bool) -> Float[np.ndarray, "N n"]:
    """The columns X of `fit`, or of a later `predict` or `transform`.

    Arguments: `estimator`; `X` (N, n), an array, lists or a data frame; `first`: this is a `fit`, so that the estimator
    takes down `n_features_in_` and, of a data frame, `feature_names_in_`; otherwise X must be like what it took down.
    Returns: (N, n) float64.
    Raises: ValueError for one dimension, no rows or columns, NaN, complex numbers, text, dates, masked entries, and for
    another number, other names or another order of columns than at `fit`; TypeError for sparse matrices, tensors with
    gradients and frames that are not computed yet.
    """
    _check(X, "X")
    return _numbers(validate_data(estimator, X, reset=first), "X")


def estimator_outputs(estimator: Any, y: Any) -> Float[np.ndarray, "N *m"]:
    """The outputs y of `fit`.

    Arguments: `estimator`; `y` (N,) or (N, m).
    Returns: the same in float64.
    Raises: ValueError for None, NaN, complex numbers, text, masked entries; TypeError for sparse matrices.
    """
    if y is None:
        raise ValueError(f"{type(estimator).__name__} requires y to be passed, but the target y is None.")
    _check(y, "y")
    return _numbers(check_array(y, ensure_2d=False, input_name="y", estimator=estimator), "y")


def _check(table: Any, name: str) -> None:
    """What scikit-learn does not say, or not in words: masks are ignored, ragged lists fail inside NumPy."""
    if isinstance(table, np.ma.MaskedArray) and np.ma.is_masked(table):
        count = int(np.ma.getmaskarray(table).sum())
        raise ValueError(f"Input {name} has {count} masked entries. Leave these rows out, or fill them.")
    check_computed(table, name)
    if isinstance(table, list | tuple):
        try:
            np.asarray(table)
        except ValueError:
            raise ValueError(f"{name}: its rows have different lengths; give one rectangular table.") from None


def _numbers(table: Any, name: str) -> np.ndarray:
    array = np.asarray(table)
    if array.dtype.kind not in "fiub":
        raise ValueError(f"Input {name} has dtype {array.dtype}; convert dates and the like to numbers of a unit.")
    return array.astype(np.float64)
