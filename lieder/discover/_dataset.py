"""Symmetries of a table of inputs and outputs: a fitted model where inputs fill their space, the graph where they do not."""

import dataclasses
from typing import Literal

import numpy as np

from .. import models
from ..action import AbstractAction, AbstractFibreAction
from ..sampling import Table, check_rows, check_varying, intrinsic_dimension, stream, table
from ._cloud import graph
from ._function import _model_symmetries, check_width
from ._symmetries import Symmetries

DECADES = 1e3  # outputs whose sizes differ by more (5 % to 95 %) are weighted relatively


def dataset(
    x,
    y,
    *,
    source: AbstractAction,
    target: AbstractFibreAction,
    fit="auto",
    weights: Literal["auto", "relative"] | np.ndarray | None = "auto",
    tolerance: float | None = None,
    min_gap: float = 5.0,
    names: list[str] | None = None,
    output_names: list[str] | None = None,
    seed: int = 0,
) -> Symmetries:
    """The symmetries of a table of inputs and outputs, and which route was taken.

    Where the inputs fill an open set (their estimated dimension is n) a smooth model is fitted, differentiated, and judged at held-out rows;
    otherwise the data are taken as a cloud on a submanifold (`graph`). A given `fit` decides for a model.

    Arguments:
        x (N, n), y (N, m): arrays or data frames; rows belong together.
        source, target: how inputs and outputs are acted on.
        fit: "auto" (the two routes above, the model family by cross-validation), "graph", a family of `lieder.models.fit` ("polynomial(3)", "kernel", "mlp",
            "radial(-5,0)"), any `lieder.dictionary`, or a scikit-learn regressor.
        weights: "auto" (relative when the sizes of the outputs span more than three decades, else equal), "relative" (rows weighted by 1/|y|: each row's
            relative error counts alike), None, or (N,) numbers.
        tolerance, min_gap, names, output_names, seed: as in `function`.
    Returns:
        Symmetries; `evidence.model` says which model, its held-out error and the weights; `evidence.resolution` is the part of that error that is smooth in x,
        hence the model's and not the labels' noise.
    Raises:
        as `function` and `graph`.
    Reference: Otto, Zolman, Kutz, Brunton (2025), section 6; resolution: lieder's.
    """
    inputs, outputs = table(x, "x", names), table(y, "y", output_names)
    if len(inputs.values) != len(outputs.values):
        raise ValueError(f"x has {len(inputs.values)} rows and y has {len(outputs.values)}: rows must belong together.")
    for data, argument in ((inputs, "x"), (outputs, "y")):
        if len(data.values) == 1:
            raise ValueError(f"{argument} holds one row. One point cannot show a symmetry: give at least as many rows as generators.")
        check_rows(data.values, data.names, argument)
        check_varying(data.values.min(axis=0), data.values.max(axis=0), data.names, argument)
    for data, action, argument, side in ((inputs, source, "x", "source"), (outputs, target, "y", "target")):
        check_width(stream(data, argument), action, argument, side)
    if isinstance(fit, str) and fit in ("auto", "graph"):
        filled = intrinsic_dimension(_standardised(inputs)) if fit == "auto" else 0
        if filled < inputs.values.shape[1]:
            why = "as asked" if fit == "graph" else f"the inputs spread in {filled} of {inputs.values.shape[1]} directions only, so a model has no derivative off them"
            found = graph(
                inputs.values,
                outputs.values,
                source=source,
                target=target,
                tolerance=tolerance,
                min_gap=min_gap,
                names=list(inputs.names),
                output_names=list(outputs.names),
                seed=seed,
            )
            return dataclasses.replace(found, evidence=dataclasses.replace(found.evidence, model=f"none; the graph of the data was used, {why}"))
    w, weighting = _weights(weights, outputs.values)
    fitted = models.fit(inputs.values, outputs.values, fit, weights=w, seed=seed)
    held = Table(inputs.values[fitted.test], inputs.names)
    enough = len(fitted.test) * target.width >= 4 * source.algebra.dim
    rows = fitted.test if enough else np.arange(len(inputs.values))
    where = f"{len(rows)} held-out rows" if enough else "all rows, since the held-out ones are too few"
    return _model_symmetries(
        fitted.model,
        stream(held if enough else inputs, "x"),
        source,
        target,
        error=fitted.resolution,
        tolerance=tolerance,
        min_gap=min_gap,
        weights=fitted.weights[rows],
        output_names=list(outputs.names),
        seed=seed,
        method="symmetries of a model fitted to data",
        resolution_source="the smooth part of the fitted model's held-out error",
        described=f"{fitted.family}, held-out relative error {fitted.error:.2g}, {weighting} weights, derivatives {fitted.derivative}, defects at {where}",
    )


def _standardised(data: Table) -> np.ndarray:
    values = data.values.astype(np.float64)
    return (values - values.mean(axis=0)) / values.std(axis=0)


def _weights(weights, y: np.ndarray):
    """What `models.fit` takes, and its name."""
    if isinstance(weights, str):
        if weights not in ("auto", "relative"):
            raise ValueError(f"weights must be 'auto', 'relative', None or one number a row, got '{weights}'.")
        low, high = np.quantile(np.linalg.norm(y, axis=1), [0.05, 0.95])
        relative = weights == "relative" or high > DECADES * low
        return ("relative", "relative") if relative else (None, "equal")
    return weights, "equal" if weights is None else "given"
