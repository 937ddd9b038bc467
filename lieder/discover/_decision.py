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
    both, names = question.both, question.names
    numerator, denominator = reduction.whole()
    null = null_tolerance(reduction.dtype)
    spectrum = relative_spectrum(numerator, denominator, null)
    if len(spectrum.values) == 0:
        raise ValueError(
            f"all {question.source.algebra.dim} candidates are ineffective: none of them moves the data. Check that "
            "the candidates act on columns that vary and are not zero."
        )
    answer = partial(
        weigh,
        resolution_source=doubt.source,
        tolerance=rule.tolerance,
        min_gap=rule.min_gap,
        rounding=_rounding(spectrum, numerator, reduction, both),
    )
    known_along = partial(doubt.along, denominator=denominator, weight=reduction.weight)
    known = known_along(spectrum.directions)
    dim, evidence = answer(spectrum.values, resolution=known)
    examples = np.concatenate([reduction.points, reduction.values], axis=1).astype(np.float64)
    confidence, intervals = _repeated(
        reduction.spectra_without_each(null), answer, known_along, dim, evidence, len(spectrum.values)
    )
    weak, reasons = weak_directions(both, spectrum.directions[:JUDGED], examples, names)
    lengths = np.linalg.norm(denominator @ spectrum.directions[:dim].T, axis=0) / np.sqrt(reduction.weight)
    violation = finite(spectrum.directions[:dim], lengths) if dim and finite is not None else None
    notes = [doubt.unknown] if doubt.unknown else []
    if dim and rule.tolerance is None:
        claimed, others = np.split(spectrum.directions[: dim + JUDGED], [dim])
        known_to, next_one = even_gap(both, examples, claimed, others, reduction, doubt, rule.min_gap)
        if known_to * rule.min_gap > next_one:
            evidence = dataclasses.replace(evidence, gap=next_one / known_to)
            notes.append(
                f"in units of the data's own spread these defects are known to {known_to:.2g}, and the next is "
                f"{next_one:.2g}: {uneven_units(both, examples, names, THIN)}"
            )
    if violation is not None and contradicted(violation, spectrum.values[:dim], evidence):
        notes.append(
            f"the finite check contradicts {dim} symmetr{'y' if dim == 1 else 'ies'}: moved by a quarter of their "
            f"spread, held-out points miss by up to {np.nanmax(violation):.2g}"
        )
    if notes:
        dim, evidence = 0, dataclasses.replace(evidence, verdict=CANNOT_TELL)
    elif evidence.verdict == NONE and doubt.one_sided:
        evidence = dataclasses.replace(evidence, verdict=CANNOT_TELL)
        notes.append(doubt.one_sided)
    elif dim and (units := uneven_units(both, examples, names)):
        notes.append(units)
    generators = spectrum.directions[:dim]
    accepted = spectrum.values[:dim]
    limits = evidence.limit(accepted), evidence.limit(accepted, 1.5)
    found = found_algebra(both, generators, numerator, denominator, limits, examples)
    evidence = dataclasses.replace(
        evidence,
        confidence=confidence,
        intervals=intervals,
        weak=weak,
        weak_reasons=reasons,
        finite=violation,
        closure=found.closure,
        model=model,
        notes=tuple(notes),
    )
    return Symmetries(
        source=question.source,
        target=question.target,
        dim=dim,
        defects=spectrum.values,
        directions=spectrum.directions,
        ineffective=spectrum.null,
        evidence=evidence,
        algebra=found.algebra,
        basis=found.basis,
        numerator=numerator,
        denominator=denominator,
        rows=reduction.rows,
        points=reduction.points,
        values=reduction.values,
        names=names,
        method=question.method,
        lifted=question.lifted,
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
    pairs = np.concatenate([reduction.points, reduction.values], axis=1).astype(np.float64)
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
