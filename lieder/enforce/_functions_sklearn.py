"""Equivariant functions as features of a scikit-learn pipeline."""

from collections.abc import Callable
from typing import Any

import numpy as np
from jaxtyping import Float
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from ..action import AbstractAction, AbstractFibreAction, sized, sized_target
from ..derivative import values
from ..dictionary import AbstractDictionary
from ..dictionary import sized as sized_dictionary
from ..interop import estimator_inputs
from ..sampling import checked_flag
from ._functions import EquivariantFunctions
from ._functions import functions as solved

_BATCH_BYTES = 2**26  # of dictionary values at a time


class FunctionFeatures(TransformerMixin, BaseEstimator):
    """The values of equivariant functions: for invariants, features that no transformation of the group changes.

        make_pipeline(FunctionFeatures("polynomials(2)", "so on vectors"), Ridge())

    Arguments:
        functions: EquivariantFunctions, of which nothing is left to find; or the dictionary among whose functions they
            are found at `fit`: an object, its text without the width, such as "polynomials(2)", or a function from the
            number of columns to a dictionary.
        source: how the inputs are acted on, where a dictionary is given: an action; its text, such as "so on vectors"
            or, over the columns of a data frame, "so(2) on vectors(x,y)"; or a function from the number of columns to
            an action.
        target: how the values are acted on, as in `functions`; default None: not at all (invariants). "vectors",
            "covectors" and "tangent" are understood.
        constant: whether constant functions are kept (default False: regressors have an intercept).
        only_generators: whether invariants that are products of others are left out (default False).
        tolerance: as in `functions`, where a dictionary is given.

    Fields after `fit`: `functions_`, the EquivariantFunctions; `coefficients_` (features, m, D), in the simple basis
    that is printed; `n_features_in_`, and `feature_names_in_` of data frames. With m outputs each function gives m
    columns.
    """

    n_features_in_: int

    def __init__(
        self,
        functions: EquivariantFunctions | AbstractDictionary | str | Callable[[int], AbstractDictionary],
        *,
        source: AbstractAction | str | Callable[[int], AbstractAction] | None = None,
        target: AbstractFibreAction | str | None = None,
        constant: bool = False,
        only_generators: bool = False,
        tolerance: float | None = None,
    ):
        self.functions = functions
        self.source = source
        self.target = target
        self.constant = constant
        self.only_generators = only_generators
        self.tolerance = tolerance

    def fit(self, X: Any, y: Any = None) -> "FunctionFeatures":
        """Choose the functions; only the number and the names of the columns are learned from the data.

        Arguments: `X` (N, n), an array or a data frame; `y`, not used.
        Returns: itself.
        Raises: ValueError for another number of columns, or when no function is left; TypeError for arguments of
            another kind; what `lieder.enforce.functions` raises.
        """
        constant = checked_flag(self.constant, "constant")
        only_generators = checked_flag(self.only_generators, "only_generators")
        estimator_inputs(self, X, first=True)
        found = self._found()
        chosen = found.generators() if only_generators else found.simple()
        if not constant:
            chosen = chosen[[not _is_constant(found, row) for row in chosen]]
        if len(chosen) == 0:
            raise ValueError(
                f"functions: {found!r}; of {found.source.width} feature(s) none is left as a feature. Take a higher"
                " degree, or constant=True."
            )
        self.functions_, self.coefficients_ = found, chosen
        return self

    def _found(self) -> EquivariantFunctions:
        n = self.n_features_in_
        if isinstance(self.functions, EquivariantFunctions):
            own = self.functions.source
            if own.width != n:
                raise ValueError(f"X has {n} columns, but the functions take {own.width}: {own}.")
            given = {"source": self.source, "target": self.target, "tolerance": self.tolerance}
            if extra := [name for name, value in given.items() if value is not None]:
                raise ValueError(f"{extra[0]}: the functions that were given have theirs; leave it out.")
            return self.functions
        dictionary = sized_dictionary(self.functions, n)
        if self.source is None:
            raise ValueError('source: say how the inputs are acted on, such as "so on vectors", to find the functions.')
        source = sized(self.source, list(getattr(self, "feature_names_in_", [f"x{i}" for i in range(n)])))
        target = sized_target(self.target, source)
        return solved(dictionary, source=source, target=target, tolerance=self.tolerance)

    def transform(self, X: Any) -> Float[np.ndarray, "N features"]:
        """Values of the functions.

        Arguments: `X` (N, n).
        Returns: (N, features m), the m outputs of a function beside each other.
        Raises: NotFittedError before `fit`; ValueError for another number of columns, and for columns of other names
            than those of `fit`, or in another order.
        """
        check_is_fitted(self)
        return _evaluated(self.functions_, estimator_inputs(self, X, first=False), self.coefficients_)

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """The functions as text, in the names of the columns where they are known.

        Arguments: `input_features`, names of the n columns; those of the data frame, where one was fitted.
        Returns: (features m,) strings.
        Raises: NotFittedError before `fit`; ValueError for names that are not those of the columns.
        """
        check_is_fitted(self)
        known = getattr(self, "feature_names_in_", None)
        names = known if input_features is None else np.asarray(input_features, dtype=object)
        if names is not None and len(names) != self.n_features_in_:
            raise ValueError(
                f"input_features should have length equal to number of features ({self.n_features_in_}), got"
                f" {len(names)}"
            )
        if names is not None and known is not None and not np.array_equal(names, known):
            raise ValueError("input_features is not equal to feature_names_in_")
        rows = self.coefficients_.reshape(-1, 1, self.functions_.dictionary.size)
        return np.array(
            self.functions_.texts(rows, None if names is None else [str(name) for name in names]), dtype=object
        )


def _is_constant(functions: EquivariantFunctions, row: np.ndarray) -> bool:
    x = np.random.default_rng(0).normal(size=(3, functions.source.width))
    found = _evaluated(functions, x, row[None])
    return bool(np.ptp(found, axis=0).max() <= 1e-9 * np.abs(found).max())


def _evaluated(functions: EquivariantFunctions, x: np.ndarray, coefficients: np.ndarray) -> np.ndarray:
    dictionary = functions.dictionary
    size = max(1, _BATCH_BYTES // (8 * dictionary.size))
    flat = coefficients.reshape(-1, dictionary.size).T
    return np.concatenate([values(dictionary, x[i : i + size]) @ flat for i in range(0, len(x), size)])
