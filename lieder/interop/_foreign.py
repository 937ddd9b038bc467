"""A model of another framework: values and Jacobians on a batch, in NumPy."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float


@dataclass(frozen=True, eq=False)
class ForeignModel:
    """A predictor that JAX cannot differentiate, with the Jacobians that its framework, or differences, give.

    It works on batches, since that is what foreign predictors are quick at.

    Fields: `predict`, from (B, n) to (B, m); `differentiate`, from (B, n) to (B, m, n); `note`, one line that says how
    the Jacobians are computed; `steps` (n,), the half-widths of the central differences in the unit of each column, or
    None when the Jacobians are exact; `mark`, which gives a text that tells the model from others, the same in another
    process, "" or None where nothing can.
    """

    predict: Callable[[np.ndarray], np.ndarray]
    differentiate: Callable[[np.ndarray], np.ndarray]
    note: str
    steps: Float[np.ndarray, " inputs"] | None = None
    mark: Callable[[], str] | None = None

    def values(self, x: Float[np.ndarray, "batch inputs"]) -> Float[np.ndarray, "batch outputs"]:
        """The outputs F(x_i) of a batch.

        Arguments: `x` (B, n).
        Returns: (B, m), in the precision that the foreign predictor answers in.
        """
        return self.predict(rows(x))

    def jacobians(self, x: Float[np.ndarray, "batch inputs"]) -> Float[np.ndarray, "batch outputs inputs"]:
        """The Jacobians DF(x_i) of a batch.

        Arguments: `x` (B, n).
        Returns: (B, m, n).
        """
        return self.differentiate(rows(x))

    def __call__(self, x: Float[np.ndarray, " inputs"]) -> Float[np.ndarray, " outputs"]:
        """One example: `values` of a batch of one. NumPy only: cannot be traced by JAX."""
        return self.values(np.asarray(x)[None])[0]


def rows(x) -> np.ndarray:
    """A batch of examples as floats, or an error that says what came."""
    x = np.asarray(x)
    if x.ndim != 2:
        raise ValueError(
            f"x: expected a batch of shape (rows, columns), got shape {x.shape}. One example x is x[None]."
        )
    return x if np.issubdtype(x.dtype, np.floating) else x.astype(np.float64)


def ancestors(obj) -> list[tuple[str, str]]:
    """(module, name) of every class that an object is an instance of: tells a framework without importing it."""
    return [(kind.__module__, kind.__qualname__) for kind in type(obj).__mro__]
