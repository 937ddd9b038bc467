"""From two triangular factors to the record: spectrum, decision, repetition, algebra."""

import dataclasses
from collections.abc import Callable
from functools import partial

import numpy as np
from jaxtyping import Float

from ..action import AbstractAction, velocities
from ..linalg import RelativeSpectrum, relative_spectrum
from ._accumulator import Reduction
from ._doubt import Doubt
from ._evenness import even_gap
from ._evidence import CANNOT_TELL, NONE, Evidence, piled_up, rounding_floor, weigh
from ._finite import step
from ._found import found_algebra
from ._identifiability import THIN, uneven_units, weak_directions
from ._question import Question, Rule
from ._symmetries import Symmetries

VETO = 0.1  # a violation under finite moves below this contradicts nothing: it is also the curvature of the model
SEEN = 1e-3  # change of the outputs, as a share of their spread, that is no rounding
AMPLIFIED = 1e3  # times its defect by which a direction changes the outputs only where units differ by so much
JUDGED = 64  # directions examined for weak determination


def null_tolerance(dtype: np.dtype) -> float:
    """Share of the largest below which a candidate's motion counts as none: 1e-7 in float64 (columns that depend on
    each other exactly but are
    printed with eight digits stay below it), 1e-4 in float32."""
    return 1e-7 if dtype == np.float64 else 1e-4


def conclude(
    question: Question,
    rule: Rule,
    reduction: Reduction,
    doubt: Doubt,
    finite: Callable[[Float[np.ndarray, "dim q"], Float[np.ndarray, " dim"]], Float[np.ndarray, " dim"]] | None,
    model: str = "",
) -> Symmetries:
    """Decide, repeat the decision without each part of the data, and describe what was found.

    Arguments: `doubt`, how well each direction is known; `finite`, from generators and the rms of their denominators to
        violations under finite transformations, where that can be asked; `model` in words.
    """
    spectrum = _spectrum(question, reduction)
    dim, evidence = _decided(question, rule, reduction, doubt, spectrum)
    evidence = dataclasses.replace(evidence, model=model)
    if dim and finite is not None:
        evidence = dataclasses.replace(evidence, finite=_moved(reduction, spectrum.directions[:dim], finite))
    dim, evidence = _claimed(question, rule, reduction, doubt, spectrum, dim, evidence)
    return _recorded(question, reduction, spectrum, dim, evidence)


def _spectrum(question: Question, reduction: Reduction) -> RelativeSpectrum:
    """The relative defect of every direction that moves the data."""
    spectrum = relative_spectrum(*reduction.whole(), null_tolerance(reduction.dtype))
    if len(spectrum.values) == 0:
        raise ValueError(
            f"all {question.source.algebra.dim} candidates are ineffective: none of them moves the data. Check that "
            "the candidates act on columns that vary and are not zero."
        )
    return spectrum


def _decided(
    question: Question, rule: Rule, reduction: Reduction, doubt: Doubt, spectrum: RelativeSpectrum
) -> tuple[int, Evidence]:
    """How many directions the spectrum lets count, how often it does so without a part of the data, and which
    directions are weakly determined."""
    numerator, denominator = reduction.whole()
    answer = partial(
        weigh,
        resolution_source=doubt.source,
        tolerance=rule.tolerance,
        min_gap=rule.min_gap,
        rounding=_rounding(spectrum, numerator, reduction, question.both),
    )
    known_along = partial(doubt.along, denominator=denominator, weight=reduction.weight)
    dim, evidence = answer(spectrum.values, resolution=known_along(spectrum.directions))
    repeats = reduction.spectra_without_each(null_tolerance(reduction.dtype))
    confidence, intervals = _repeated(repeats, answer, known_along, dim, evidence, len(spectrum.values))
    weak, reasons = weak_directions(question.both, spectrum.directions[:JUDGED], reduction.examples, question.names)
    return dim, dataclasses.replace(
        evidence, confidence=confidence, intervals=intervals, weak=weak, weak_reasons=reasons
    )


def _moved(reduction: Reduction, directions: Float[np.ndarray, "dim q"], finite: Callable) -> Float[np.ndarray, " dim"]:
    """By how much held-out points miss when each direction moves them."""
    denominator = reduction.whole()[1]
    return finite(directions, np.linalg.norm(denominator @ directions.T, axis=0) / np.sqrt(reduction.weight))


def _claimed(
    question: Question,
    rule: Rule,
    reduction: Reduction,
    doubt: Doubt,
    spectrum: RelativeSpectrum,
    dim: int,
    evidence: Evidence,
) -> tuple[int, Evidence]:
    """How many of the directions that count are claimed: none where anything besides the spectrum speaks against them.
    Nor is a symmetry denied to a model that may be known too little for that."""
    notes = [doubt.unknown] if doubt.unknown else []
    if dim and rule.tolerance is None:
        evidence, uneven = _evenly(question, rule, reduction, doubt, spectrum, dim, evidence)
        notes += uneven
    if evidence.finite is not None and contradicted(evidence.finite, spectrum.values[:dim], evidence):
        notes.append(
            f"the finite check contradicts {dim} symmetr{'y' if dim == 1 else 'ies'}: moved by a quarter of their "
            f"spread, held-out points miss by up to {np.nanmax(evidence.finite):.2g}"
        )
    if notes:
        dim, evidence = 0, dataclasses.replace(evidence, verdict=CANNOT_TELL)
    elif evidence.verdict == NONE and doubt.one_sided:
        evidence = dataclasses.replace(evidence, verdict=CANNOT_TELL)
        notes.append(doubt.one_sided)
    elif dim and (units := uneven_units(question.both, reduction.examples, question.names)):
        notes.append(units)
    return dim, dataclasses.replace(evidence, notes=tuple(notes))


def _evenly(
    question: Question,
    rule: Rule,
    reduction: Reduction,
    doubt: Doubt,
    spectrum: RelativeSpectrum,
    dim: int,
    evidence: Evidence,
) -> tuple[Evidence, list[str]]:
    """The gap and a note where the directions do not stand out in units in which the data spread evenly."""
    examples = reduction.examples
    claimed, others = np.split(spectrum.directions[: dim + JUDGED], [dim])
    known_to, next_one = even_gap(question.both, examples, claimed, others, reduction, doubt, rule.min_gap)
    if known_to * rule.min_gap <= next_one:
        return evidence, []
    note = (
        f"in units of the data's own spread these defects are known to {known_to:.2g}, and the next is "
        f"{next_one:.2g}: {uneven_units(question.both, examples, question.names, THIN)}"
    )
    return dataclasses.replace(evidence, gap=next_one / known_to), [note]


def _recorded(
    question: Question, reduction: Reduction, spectrum: RelativeSpectrum, dim: int, evidence: Evidence
) -> Symmetries:
    """What was found, as an algebra and as the user's record."""
    numerator, denominator = reduction.whole()
    generators, accepted = spectrum.directions[:dim], spectrum.values[:dim]
    limits = evidence.limit(accepted), evidence.limit(accepted, 1.5)
    found = found_algebra(question.both, generators, numerator, denominator, limits, reduction.examples)
    return Symmetries(
        source=question.source,
        target=question.target,
        dim=dim,
        defects=spectrum.values,
        directions=spectrum.directions,
        ineffective=spectrum.null,
        evidence=dataclasses.replace(evidence, closure=found.closure),
        algebra=found.algebra,
        basis=found.basis,
        numerator=numerator,
        denominator=denominator,
        rows=reduction.rows,
        points=reduction.points,
        values=reduction.values,
        names=question.names,
        method=question.method,
        lifted=question.lifted,
        units=question.units,
    )


def _rounding(
    spectrum: RelativeSpectrum, numerator: np.ndarray, reduction: Reduction, both: AbstractAction
) -> Float[np.ndarray, " k"]:
    """Up to which defect each direction may be broken by rounding alone: not at all where, all points moved by a
    quarter of their spread, the outputs change by far more than the defect says.

    So it is where columns of very different size share a unit: the derivative is that along the small one, the
    motion that along the large one, and beside their product all that the motion does is as small as rounding.
    """
    worst = piled_up(reduction.dtype)
    out = np.full(len(spectrum.values), worst)
    n = reduction.points.shape[1]
    pairs = reduction.examples
    if len(reduction.outputs) != pairs.shape[1] - n:
        return out  # data without a model have defects far above rounding
    values = pairs[:, n:] * reduction.outputs
    spread = np.sqrt(np.mean(np.sum((values - values.mean(axis=0)) ** 2, axis=1)))
    asked = (spectrum.values > rounding_floor(reduction.dtype)) & (spectrum.values <= worst)
    for k in np.flatnonzero(asked) if spread > 0 else ():
        speed = velocities(both, spectrum.directions[k], pairs)
        time = step((pairs[:, :n], speed[:, :n]), (pairs[:, n:], speed[:, n:]))
        change = time * np.linalg.norm(numerator @ spectrum.directions[k]) / np.sqrt(reduction.weight) / spread
        if change > max(SEEN, AMPLIFIED * spectrum.values[k]):
            out[k] = 0.0
    return out


def _repeated(
    repeats: list[RelativeSpectrum], rule: Callable, known_along: Callable, dim: int, evidence: Evidence, count: int
) -> tuple[float | None, Float[np.ndarray, "k 2"] | None]:
    """The share of repetitions without one part that give the same answer, and the range of each defect over them.

    A repetition with another number of effective directions is another answer, and has no place in the ranges.
    """
    if not repeats:
        return None, None
    alike = [spectrum for spectrum in repeats if len(spectrum.values) == count]
    answers = [rule(spectrum.values, resolution=known_along(spectrum.directions)) for spectrum in alike]
    same = sum(d == dim and e.verdict == evidence.verdict for d, e in answers)
    values = [spectrum.values for spectrum in alike]
    intervals = np.stack([np.min(values, axis=0), np.max(values, axis=0)], axis=1) if alike else None
    return same / len(repeats), intervals


def contradicted(violation: Float[np.ndarray, " dim"], defects: Float[np.ndarray, " dim"], evidence: Evidence) -> bool:
    """Whether points moved by the symmetries miss by far more than their first-order defects let expect."""
    expected = max(evidence.resolution, float(defects.max(initial=0.0)))
    made = violation[np.isfinite(violation)]
    return bool(np.any(made > max(VETO, evidence.min_gap * expected)))
