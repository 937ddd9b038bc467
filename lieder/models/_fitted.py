"""The record of a fit: the function, and how far it can be believed."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float, Int

from lieder.interop import ForeignModel

from ._batches import evaluate


@dataclass(frozen=True, eq=False)
class Fitted:
    """A function fitted to data, with its evidence.

    Fields:
    `model`: the function, from one example x (n,) to (m,). A static JAX-differentiable object holding float64 arrays,
    used in the dtype of x (`FeatureModel`, `Network`); or an `interop.ForeignModel`, when a scikit-learn regressor was
    given. It was fitted on the rows `train` only.
    `family`: what was chosen, in words: "polynomial ridge, degree 3".
    `error`: the relative error on the rows `test`, which the fit never saw,
        e = sqrt( sum_i w_i |F(x_i) - y_i|^2 / sum_i w_i |y_i|^2 ).
    The mean of y is not removed: e is relative to |y|, as the defects that it bounds are. Data with a large constant
    offset therefore look better than they are; centre them, or work with displacements.
    `resolution`: the part of e that is the model's own error rather than noise in y. Residuals of neighbours share the
    model's error, which is smooth, but not the noise; so with r_i the residual of row i under the fold that left it out
    and j the nearest row to i of the same fold (standardised inputs),
        resolution = sqrt( mean sqrt(w_i w_j) r_i . r_j / mean w_i |y_i|^2 ),
    clipped below by one standard error of that mean, and never above `error`. Where rows are far apart (many columns,
    few rows), neighbours share less of the model's error, and it is underestimated; `error` is not.
    `scores`: family -> its cross-validated relative error, for each family that was tried.
    `train`, `test`: the rows used for the fit, and those held out.
    `derivative`: how derivatives of `model` come about: "exact (jax)", or "central differences, step ..".
    `weights` (N,): the w_i used, of mean one.
    """

    model: Callable
    family: str
    error: float
    resolution: float
    scores: dict[str, float]
    train: Int[np.ndarray, " train"] = field(repr=False)
    test: Int[np.ndarray, " test"] = field(repr=False)
    derivative: str
    weights: Float[np.ndarray, " rows"] = field(repr=False)

    def values(self, x: Float[np.ndarray, "rows inputs"]) -> Float[np.ndarray, "rows outputs"]:
        """The fitted function on a batch, in float64.

        Arguments: `x` (N, n).
        Returns: (N, m).
        """
        return values(self.model, x)


def values(model: Callable, x: np.ndarray) -> np.ndarray:
    """Any fitted model on a batch of examples, in float64."""
    if isinstance(model, ForeignModel):
        return np.asarray(model.values(x), dtype=np.float64)
    return evaluate(model, x)
