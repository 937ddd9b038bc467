"""From two triangular factors to the record: spectrum, decision, repetition, algebra."""

import dataclasses
from collections.abc import Callable

import numpy as np
from jaxtyping import Float

from ..action import AbstractAction, AbstractFibreAction, total
from ..linalg import relative_spectrum
from ._evidence import SYMMETRIES, decide
from ._found import found_algebra
from ._reduce import Reduction
from ._symmetries import Symmetries
from ._weak import weak_directions

JUDGED = 64  # directions examined for weak determination


def null_tolerance(dtype: np.dtype) -> float:
    """Share of the largest below which a candidate's motion counts as none: 1e-7 in float64 (columns that depend on
    each other exactly but are
    printed with eight digits stay below it), 1e-4 in float32."""
    return 1e-7 if dtype == np.float64 else 1e-4


def conclude(
    reduction: Reduction,
    source: AbstractAction,
    target: AbstractFibreAction | None,
    *,
    resolution: float,
    resolution_source: str,
    tolerance: float | None,
    min_gap: float,
    names: tuple[str, ...],
    method: str,
    finite: Callable[[Float[np.ndarray, "dim q"], Float[np.ndarray, " dim"]], Float[np.ndarray, " dim"]],
    model: str = "",
    lifted: bool = False,
) -> Symmetries:
    """Decide, repeat the decision without each part of the data, and describe what was found."""
    names = _apart(names, source.width)
    numerator, denominator = reduction.whole()
    null = null_tolerance(reduction.dtype)
    spectrum = relative_spectrum(numerator, denominator, null)
    if len(spectrum.values) == 0:
        raise ValueError(
            f"all {source.algebra.dim} candidates are ineffective: none of them moves the data. Check that the "
            "candidates act on columns that vary"
            " and are not zero."
        )
    dim, evidence = decide(
        spectrum.values,
        resolution=resolution,
        resolution_source=resolution_source,
        tolerance=tolerance,
        min_gap=min_gap,
    )
    repeats = [
        repeat.values for repeat in reduction.spectra_without_each(null) if len(repeat.values) == len(spectrum.values)
    ]
    confidence, intervals = None, None
    if repeats:
        answers = [
            decide(values, resolution=resolution, resolution_source="", tolerance=tolerance, min_gap=min_gap)
            for values in repeats
        ]
        same = [d == dim and e.verdict == evidence.verdict for d, e in answers]
        confidence = float(np.mean(same))
        intervals = np.stack([np.min(repeats, axis=0), np.max(repeats, axis=0)], axis=1)
    both = source if target is None else total(source, target)
    examples = np.concatenate([reduction.points, reduction.values], axis=1).astype(np.float64)
    weak, reasons = weak_directions(both, spectrum.directions[:JUDGED], examples, names)
    generators = spectrum.directions[:dim]
    lengths = np.linalg.norm(denominator @ generators.T, axis=0) / np.sqrt(reduction.weight)
    found = found_algebra(both, generators, numerator, denominator, evidence.limit(spectrum.values[:dim]), examples)
    evidence = dataclasses.replace(
        evidence,
        confidence=confidence,
        intervals=intervals,
        weak=weak,
        weak_reasons=reasons,
        finite=finite(generators, lengths) if evidence.verdict == SYMMETRIES else None,
        closure=found.closure,
        model=model,
    )
    return Symmetries(
        source=source,
        target=target,
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
        method=method,
        lifted=lifted,
    )


def _apart(names: tuple[str, ...], inputs: int) -> tuple[str, ...]:
    """Outputs named like inputs get another name: in one field both occur."""
    known = names[:inputs]
    return known + tuple(f"{name}_out" if name in known else name for name in names[inputs:])
