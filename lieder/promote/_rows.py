"""The data of a regression: checked, weighted, with intercepts fitted away."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from ..interop import estimator_inputs, estimator_outputs

_HUGE = 1e140  # values above it have squares that overflow


@dataclass(frozen=True, eq=False)
class Rows:
    """N examples, in the units in which the regression is solved.

    Fields: `features` g (N, D); `y` (N, m); `weights` (N,); `intercept`, whether constants are fitted.
    """

    features: Float[np.ndarray, "N D"]
    y: Float[np.ndarray, "N m"]
    weights: Float[np.ndarray, " N"]
    intercept: bool

    @property
    def count(self) -> float:
        """How many examples were observed: whole weights say how often each was, others how precisely."""
        whole = bool(np.all(self.weights == np.round(self.weights)))
        return float(self.weights.sum()) if whole else float(len(self.weights))

    def subset(self, rows: np.ndarray) -> "Rows":
        """Some of the examples."""
        return Rows(self.features[rows], self.y[rows], self.weights[rows], self.intercept)

    def system(self) -> tuple[Float[np.ndarray, "Nm mD"], Float[np.ndarray, " Nm"]]:
        """The equations for the entries of W, row by row, each times the root of its weight."""
        features, y = self.features, self.y
        if self.intercept:
            features, y = features - self._mean(features), y - self._mean(y)
        root = np.sqrt(self.weights)[:, None]
        return np.kron(np.eye(y.shape[1]), root * features), (root * y).T.reshape(-1)

    def intercepts(self, W: Float[np.ndarray, "m D"]) -> Float[np.ndarray, " m"]:
        """The best constants for given W; zero without intercepts."""
        if not self.intercept:
            return np.zeros(self.y.shape[1])
        return self._mean(self.y - self.features @ W.T)[0]

    def error(self, W: Float[np.ndarray, "m D"], b: Float[np.ndarray, " m"]) -> float:
        """The weighted mean of |F(x) - y|^2."""
        residual = ((self.features @ W.T + b - self.y) ** 2).sum(axis=1)
        return float(self.weights @ residual / self.weights.sum())

    @property
    def variance(self) -> float:
        """The weighted mean of |y - its mean|^2."""
        return float(self.weights @ ((self.y - self._mean(self.y)) ** 2).sum(axis=1) / self.weights.sum())

    def _mean(self, values: np.ndarray) -> np.ndarray:
        return (self.weights @ values / self.weights.sum())[None]


def checked(model: Any, X: Any, y: Any) -> tuple[np.ndarray, np.ndarray, bool]:
    """Inputs (N, n) and outputs (N, m) in float64, and whether y had one dimension; the model notes what X is like."""
    x, y = checked_inputs(model, X, first=True), estimator_outputs(model, y)
    _check_size(y, "y")
    single = y.ndim == 1
    y = y[:, None] if single else y
    if len(y) != len(x):
        raise ValueError(f"y: expected one row for each of the {len(x)} examples in X, got shape {y.shape}.")
    return x, y, single


def checked_inputs(model: Any, X: Any, *, first: bool) -> np.ndarray:
    """Inputs (N, n) in float64, of `fit` or of a later call."""
    x = estimator_inputs(model, X, first=first)
    _check_size(x, "X")
    return x


def checked_weights(weights, count: int) -> np.ndarray:
    """Weights (N,), one where none are given."""
    if weights is None:
        return np.ones(count)
    weights = _real(weights, "sample_weight")
    if weights.shape != (count,):
        raise ValueError(
            f"sample_weight: expected one number for each of the {count} examples, got shape {weights.shape}."
        )
    if weights.min() < 0 or weights.sum() == 0:
        raise ValueError(f"sample_weight must not be negative, nor all zero; the least is {weights.min():.3g}.")
    return weights


def merged(
    x: Float[np.ndarray, "N n"], y: Float[np.ndarray, "N m"], weights: Float[np.ndarray, " N"]
) -> tuple[Float[np.ndarray, "M n"], Float[np.ndarray, "M m"], Float[np.ndarray, " M"]]:
    """Examples with a weight, each once: an example that is given twice is one of weight two."""
    # One without weight is none: it must not stretch the box in which L_F is measured.
    x, y, weights = x[weights > 0], y[weights > 0], weights[weights > 0]
    _, first, place = np.unique(np.concatenate([x, y], axis=1), axis=0, return_index=True, return_inverse=True)
    order = np.sort(first)
    total = np.bincount(np.searchsorted(order, first[place.reshape(-1)]), weights)
    return x[order], y[order], total


def output_names(y, count: int) -> tuple[str, ...]:
    """Those of a data frame or series, else y0, y1, .."""
    columns = getattr(y, "columns", None)
    named = [getattr(y, "name", None)] if columns is None else list(columns)
    known = tuple(name for name in named if isinstance(name, str))
    if len(named) == len(known) == count:
        return known
    return tuple(f"y{i}" for i in range(count))


def check_finite(features: np.ndarray, x: np.ndarray) -> None:
    """A ValueError where a function of the dictionary is not defined."""
    bad = ~np.isfinite(features).all(axis=1)
    if bad.any():
        raise ValueError(
            f"X: a function of the dictionary is not finite at {bad.sum()} of {len(x)} examples, such as"
            f" {x[bad][0]}. Leave them out, or choose functions defined there."
        )


def _real(values, name: str) -> np.ndarray:
    array = np.asarray(values)
    if not (np.issubdtype(array.dtype, np.number) or array.dtype == bool) or np.iscomplexobj(array):
        raise TypeError(f"{name} must hold real numbers, got dtype {array.dtype}.")
    array = array.astype(np.float64)
    bad = ~np.isfinite(array)
    if bad.any():
        raise ValueError(f"{name} holds {bad.sum()} NaN or infinite values, the first in row {np.argwhere(bad)[0][0]}.")
    return array


def _check_size(array: np.ndarray, name: str) -> None:
    largest = np.abs(array).max(initial=0.0)
    if largest > _HUGE:
        raise ValueError(f"{name} holds values up to {largest:.2g}, whose squares overflow; give it in other units.")
