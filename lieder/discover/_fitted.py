"""Symmetries of a model that was fitted to a table, and how far its fit lets them be known."""

import dataclasses

import numpy as np

from .. import models
from ..linalg import decide, relative_spectrum
from ..sampling import Table, stream
from ._certified import certified
from ._decision import null_tolerance
from ._doubt import VARYING, Known, unexplained
from ._evidence import SYMMETRIES
from ._model import model_symmetries
from ._question import CERTIFICATE, Question, Rule
from ._reduce import reduce_model
from ._symmetries import Symmetries

ROWS = 512  # on which the family alone is judged


def fitted_symmetries(
    question: Question, rule: Rule, fitted: models.Fitted, inputs: Table, outputs: Table, weighting: str
) -> Symmetries:
    """The symmetries of a fitted model, judged at rows that it has not seen.

    The resolution of each direction is how much the Lie derivative along it changes between the functions that the
    data allow as well, together with the misfit that neighbouring rows share.
    """
    held = Table(inputs.values[fitted.test], inputs.names)
    together = rule.groups is not None
    enough = not together and len(fitted.test) * question.onto.width >= 4 * question.source.algebra.dim
    rows = fitted.test if enough else np.arange(len(inputs.values))
    where = f"{len(rows)} held-out rows" if enough else "all rows, since the held-out ones are too few"
    # Held out are few groups, and how the answer hangs on each group is seen where all of them are.
    where = f"all rows, of {rule.groups.count} groups" if rule.groups is not None else where
    known = Known(
        VARYING * fitted.resolution,
        "one standard error of the fitted model's derivative along the direction, between fits without a part of the "
        "rows, and the smooth part of its held-out error",
        alternatives=(fitted.alternatives,),
        unknown=unexplained(fitted.gain, question.onto, outputs.names, outputs.values),
        described=f"{fitted.family}, held-out relative error {fitted.error:.2g}, {weighting} weights, "
        f"derivatives {fitted.derivative}, defects at {where}",
    )
    data = stream(held if enough else inputs, "x")
    found = model_symmetries(question, rule, fitted.model, data, known, fitted.weights[rows])
    if rule.evidence == CERTIFICATE:
        stated = certified(question, rule, fitted, (inputs, outputs), known.unknown)
        found = dataclasses.replace(found, certificate=stated)
    if found.evidence.verdict != SYMMETRIES:
        return found
    own = _of_the_family(question, fitted, inputs.values[rows], found)
    if own < found.dim:
        return found
    note = (
        f"The family brings as many itself: fitted to the same labels in a random order it has {own}. That they are "
        "the data's rests on the family's fit."
    )
    return dataclasses.replace(found, evidence=dataclasses.replace(found.evidence, notes=(*found.evidence.notes, note)))


def _of_the_family(question: Question, fitted: models.Fitted, x: np.ndarray, found: Symmetries) -> int:
    """How many symmetries, as good as those found, the family has when there is nothing to be learnt."""
    picked = x[np.linspace(0, len(x) - 1, min(len(x), ROWS)).astype(int)]
    reduction = reduce_model(question, fitted.placebo, stream(picked, "x"), None, Rule())
    spectrum = relative_spectrum(*reduction.whole(), null_tolerance(reduction.dtype))
    accepted = max(float(found.defects[: found.dim].max()), 1e-6)
    return decide(spectrum.values, tolerance=accepted).count
