"""The data of a regression: checked, weighted, with intercepts fitted away."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from ..linalg import Columns, NuclearRegression, nuclear_regression


@dataclass(frozen=True, eq=False)
class Rows:
    """N examples.

    Fields: `x` (N, n); `features` f(x) (N, D); `y` (N, m); `weights` (N,); `intercept`, whether constants are fitted;
        `single`, whether y came with one dimension.
    """

    x: Float[np.ndarray, "N n"]
    features: Float[np.ndarray, "N D"]
    y: Float[np.ndarray, "N m"]
    weights: Float[np.ndarray, " N"]
    intercept: bool
    single: bool

    def subset(self, rows: np.ndarray) -> "Rows":
        """Some of the examples."""
        return Rows(self.x[rows], self.features[rows], self.y[rows], self.weights[rows], self.intercept, self.single)

    def system(self) -> tuple[Float[np.ndarray, "Nm mD"], Float[np.ndarray, " Nm"]]:
        """The equations for the entries of W, row by row, each times the root of its weight."""
        features, y = self.features, self.y
        if self.intercept:
            features, y = features - self._mean(features), y - self._mean(y)
        root = np.sqrt(self.weights)[:, None]
        return np.kron(np.eye(y.shape[1]), root * features), (root * y).T.reshape(-1)

    def problem(self, columns: Columns) -> NuclearRegression:
        """Least squares with the nuclear norm of A(W), for any strength."""
        return nuclear_regression(columns, *self.system())

    def intercepts(self, W: Float[np.ndarray, "m D"]) -> Float[np.ndarray, " m"]:
        """The best constants for given W; zero without intercepts."""
        if not self.intercept:
            return np.zeros(self.y.shape[1])
        return self._mean(self.y - self.features @ W.T)[0]

    def error(self, W: Float[np.ndarray, "m D"], b: Float[np.ndarray, " m"]) -> float:
        """The weighted mean of |F(x) - y|^2."""
        residual = ((self.features @ W.T + b - self.y) ** 2).sum(axis=1)
        return float(self.weights @ residual / self.weights.sum())

    def _mean(self, values: np.ndarray) -> np.ndarray:
        return (self.weights @ values / self.weights.sum())[None]


def checked(X, y, width: int, outputs: int) -> tuple[np.ndarray, np.ndarray, bool]:
    """Inputs (N, n) and outputs (N, m) in float64, and whether y had one dimension."""
    x, y = _real(X, "X"), _real(y, "y")
    if x.ndim != 2 or x.shape[1] != width or len(x) == 0:
        raise ValueError(
            f"X: expected examples of shape (N, {width}), as the dictionary takes {width} inputs; got {x.shape}."
        )
    single = y.ndim == 1
    y = y[:, None] if single else y
    if y.ndim != 2 or len(y) != len(x):
        raise ValueError(f"y: expected one row for each of the {len(x)} examples in X, got shape {y.shape}.")
    if y.shape[1] != outputs:
        raise ValueError(
            f"y has {y.shape[1]} columns, but target acts on {outputs} outputs"
            + (
                ". Give target, such as ld.scalars(algebra, 3) for three outputs that nothing moves."
                if outputs == 1
                else "."
            )
        )
    return x, y, single


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


def _real(values, name: str) -> np.ndarray:
    try:
        array = np.asarray(values)
    except ValueError:
        raise ValueError(f"{name}: its rows have different lengths; give one rectangular table of numbers.") from None
    if np.iscomplexobj(array) or not (np.issubdtype(array.dtype, np.number) or array.dtype == bool):
        raise TypeError(f"{name} must hold real numbers, got dtype {array.dtype}.")
    array = array.astype(np.float64)
    bad = ~np.isfinite(array)
    if bad.any():
        raise ValueError(f"{name} holds {bad.sum()} NaN or infinite values, the first in row {np.argwhere(bad)[0][0]}.")
    return array
