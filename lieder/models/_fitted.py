"""The record of a fit: the function, and how far it can be believed."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float, Int

from ._batches import values
from ._doubt import Alternatives


@dataclass(frozen=True, eq=False)
class Fitted:
    """A function fitted to data, with its evidence.

    Fields:
    `model`: the function, from one example x (n,) to (m,). A JAX-differentiable tree of float64 arrays, used in the
    dtype of x (`FeatureModel`, `Network`); or an `interop.ForeignModel`, when a scikit-learn regressor was
    given. It was fitted on the rows `train` only.
    `family`: what was chosen, in words: "polynomial ridge, degree 3".
    `error`: the relative error on the rows `test`, which the fit never saw,
        e = sqrt( sum_i w_i |F(x_i) - y_i|^2 / sum_i w_i |y_i - mean y|^2 ).
    The constant part of y counts for nothing: 1 is what the mean alone would reach.
    `resolution`: the part of e that is the model's own error rather than noise in y. Residuals of neighbours share the
    model's error, which is smooth, but not the noise; so with r_i the residual of row i under the fold that left it out
    and j the nearest row to i of the same fold (standardised inputs),
        resolution = sqrt( mean sqrt(w_i w_j) r_i . r_j / mean w_i |y_i - mean y|^2 ),
    the mean lessened by one standard error, and not below zero. Where rows are far apart (many columns, few rows),
    neighbours share less of the model's error, and it is underestimated; `error` is not.
    `gain` (m,): by how many standard errors each output is predicted better than by its mean, in cross-validation.
    `alternatives`: other functions that the data allow as well: fits without a part of the rows, and the model with
    that part of its residuals added that can be predicted from x.
    `placebo`: the family fitted in the same way to the same labels in a random order. What it has, the family brings.
    `scores`: family -> its cross-validated relative error, for each family that was tried.
    `train`, `test`: the rows used for the fit, and those held out.
    `derivative`: how derivatives of `model` come about: "exact (jax)", or "central differences, step ..".
    `weights` (N,): the w_i used, of mean one.
    """

    model: Callable
    family: str
    error: float
    resolution: float
    gain: Float[np.ndarray, " outputs"] = field(repr=False)
    alternatives: Alternatives = field(repr=False)
    placebo: Callable = field(repr=False)
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
