"""Symmetries of a model that was fitted to a table, and how far its fit lets them be known."""

import dataclasses

import numpy as np

from .. import models
from ..action import AbstractAction, AbstractFibreAction
from ..linalg import relative_spectrum
from ..sampling import Table, stream
from ._decision import null_tolerance
from ._doubt import VARYING, unexplained
from ._evidence import SYMMETRIES
from ._function import model_symmetries
from ._reduce import reduce_model
from ._symmetries import Symmetries

ROWS = 512  # on which the family alone is judged


def fitted_symmetries(
    fitted: models.Fitted,
    inputs: Table,
    outputs: Table,
    source: AbstractAction,
    target: AbstractFibreAction,
    tolerance: float | None,
    min_gap: float,
    weighting: str,
    seed: int,
) -> Symmetries:
    """The symmetries of a fitted model, judged at rows that it has not seen.

    The resolution of each direction is how much the Lie derivative along it changes between the functions that the
    data allow as well, together with the misfit that neighbouring rows share.
    """
    held = Table(inputs.values[fitted.test], inputs.names)
    enough = len(fitted.test) * target.width >= 4 * source.algebra.dim
    rows = fitted.test if enough else np.arange(len(inputs.values))
    where = f"{len(rows)} held-out rows" if enough else "all rows, since the held-out ones are too few"
    found = model_symmetries(
        fitted.model,
        stream(held if enough else inputs, "x"),
        source,
        target,
        error=VARYING * fitted.resolution,
        tolerance=tolerance,
        min_gap=min_gap,
        weights=fitted.weights[rows],
        output_names=list(outputs.names),
        seed=seed,
        method="symmetries of a model fitted to data",
        resolution_source="one standard error of the fitted model's derivative along the direction, between fits "
        "without a part of the rows, and the smooth part of its held-out error",
        alternatives=(fitted.alternatives,),
        unknown=unexplained(fitted.gain, target, outputs.names, outputs.values),
        described=f"{fitted.family}, held-out relative error {fitted.error:.2g}, {weighting} weights, "
        f"derivatives {fitted.derivative}, defects at {where}",
    )
    if found.evidence.verdict != SYMMETRIES:
        return found
    own = _of_the_family(fitted, inputs.values[rows], found)
    if own < found.dim:
        return found
    note = (
        f"The family brings as many itself: fitted to the same labels in a random order it has {own}. That they are "
        "the data's rests on the family's fit."
    )
    return dataclasses.replace(found, evidence=dataclasses.replace(found.evidence, notes=(*found.evidence.notes, note)))


def _of_the_family(fitted: models.Fitted, x: np.ndarray, found: Symmetries) -> int:
    """How many symmetries, as good as those found, the family has when there is nothing to be learnt."""
    picked = x[np.linspace(0, len(x) - 1, min(len(x), ROWS)).astype(int)]
    if found.target is None:
        raise AssertionError("a model without target: our own bug")
    reduction = reduce_model(fitted.placebo, stream(picked, "x"), found.source, found.target, None, 0)
    spectrum = relative_spectrum(*reduction.whole(), null_tolerance(reduction.dtype))
    accepted = max(float(found.defects[: found.dim].max()), 1e-6)
    return int(np.sum(spectrum.values <= accepted))
