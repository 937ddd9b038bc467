"""Equivariant functions as features of a scikit-learn pipeline."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

_BATCH_BYTES = 2**26  # of dictionary values at a time


class FunctionFeatures(TransformerMixin, BaseEstimator):
    """The values of equivariant functions: for invariants, features that no transformation of the group changes.

    Arguments:
        functions: EquivariantFunctions.
        constant: whether constant functions are kept (default False).
        only_generators: whether invariants that are products of others are left out (default False).

    Fields after `fit`: `coefficients_` (features, m, D), in the simple basis that is printed; `n_features_in_`.
    With m outputs each function gives m columns.
    """

    def __init__(self, functions: Any, constant: bool = False, only_generators: bool = False):
        self.functions = functions
        self.constant = constant
        self.only_generators = only_generators

    def fit(self, X, y=None) -> "FunctionFeatures":
        """Choose the functions; nothing is learned from the data.

        Arguments: `X` (N, n); `y`, not used.
        Returns: itself.
        Raises: ValueError for another number of columns, or when no function is left.
        """
        X = np.asarray(validate_data(self, X, dtype=np.float64))
        own, n = self.functions, self.functions.source.width
        if X.shape[1] != n:
            raise ValueError(f"X has {X.shape[1]} columns, but the functions take {n}: {own.source}.")
        chosen = own.generators() if self.only_generators else own.simple()
        if not self.constant:
            chosen = chosen[[not self._is_constant(row) for row in chosen]]
        if len(chosen) == 0:
            raise ValueError(f"functions: {own!r}; none is left as a feature. Take a higher degree, or constant=True.")
        self.coefficients_ = chosen
        return self

    def _is_constant(self, row: np.ndarray) -> bool:
        x = np.random.default_rng(0).normal(size=(3, self.functions.source.width))
        values = self._evaluated(x, row[None])
        return bool(np.ptp(values, axis=0).max() <= 1e-9 * np.abs(values).max())

    def _evaluated(self, X: np.ndarray, coefficients: np.ndarray) -> np.ndarray:
        dictionary = self.functions.dictionary
        size = max(1, _BATCH_BYTES // (8 * dictionary.size))
        flat = coefficients.reshape(-1, dictionary.size).T
        with jax.enable_x64(True):
            parts = [
                np.asarray(jax.vmap(dictionary)(jnp.asarray(X[i : i + size]))) @ flat for i in range(0, len(X), size)
            ]
        return np.concatenate(parts)

    def transform(self, X) -> np.ndarray:
        """Values of the functions.

        Arguments: `X` (N, n).
        Returns: (N, features m), the m outputs of a function beside each other.
        """
        check_is_fitted(self)
        return self._evaluated(np.asarray(validate_data(self, X, dtype=np.float64, reset=False)), self.coefficients_)

    def get_feature_names_out(self, input_features=None) -> np.ndarray:
        """The functions as text, in the names of the columns where they are known.

        Arguments: `input_features`, names of the n columns.
        Returns: (features m,) strings.
        """
        check_is_fitted(self)
        if input_features is None:
            input_features = getattr(self, "feature_names_in_", None)
        names = None if input_features is None else [str(name) for name in input_features]
        rows = self.coefficients_.reshape(-1, 1, self.functions.dictionary.size)
        return np.array(self.functions.texts(rows, names), dtype=object)
