"""Conserved quantities in words: what print shows."""

from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from .. import report
from ._conserved_evidence import CANNOT_TELL, CONSERVED, ConservedEvidence
from ._sparsify import DENOMINATOR

SHOWN = 10  # rows of the table of defects
LISTED = 12  # functions written out
COLUMNS = ["function", "relative defect", "resolution", "some left out", "reading"]


class Told(NamedTuple):
    """What is told of conserved quantities; `found` and `slow` as texts, `generators` where symmetries gave them."""

    independent: int
    found: list[str]
    slow: list[str]
    generators: tuple[str, ...]
    defects: Float[np.ndarray, " k"]
    evidence: ConservedEvidence
    names: tuple[str, ...]
    functions: int
    rows: int
    trajectories: int
    method: str


def number(size: float, digits: int) -> str:
    """The size of a coefficient: nothing for one, a simple fraction, or so many digits."""
    near = Fraction(size).limit_denominator(DENOMINATOR)
    if near and abs(size - near) <= 1e-9 * size:
        return "" if near == 1 else str(near)
    return f"{size:.{digits}g}"


def plain(s: Told) -> dict[str, Any]:
    """What print shows, as numbers, texts and lists that JSON can hold; what is not a number is None."""
    e, drift = s.evidence, s.evidence.drift
    rates = [None] * (len(s.found) + len(s.slow)) if drift is None else [_finite(row) for row in drift]
    paired = s.generators or (None,) * len(s.found)
    return {
        "verdict": e.verdict,
        "dim": len(s.found),
        "independent": s.independent,
        "conserved": [
            {"function": one, "generator": of, "drift": rate}
            for one, of, rate in zip(s.found, paired, rates, strict=False)
        ],
        "slow": [{"function": one, "drift": rate} for one, rate in zip(s.slow, rates[len(s.found) :], strict=True)],
        "columns": list(s.names),
        "functions": s.functions,
        "states": s.rows,
        "trajectories": s.trajectories,
        "defects": _finite(s.defects),
        "resolutions": _finite(e.resolutions),
        "resolution": _finite([e.resolution])[0],
        "held_out": None if e.held is None else _finite(e.held),
        "noise": None if e.noise is None else _finite(e.noise),
        "gap": _finite([e.gap])[0],
        "min_gap": e.min_gap,
        "constant": e.constant,
        "hidden": e.hidden,
        "notes": list(e.notes),
        "method": s.method,
    }


def _finite(values) -> list[float | None]:
    return [float(value) if np.isfinite(value) else None for value in values]


def text(s: Told) -> str:
    """What print shows."""
    e = s.evidence
    columns, rows = table_rows(s, SHOWN)
    parts: list = [asked(s)]
    if rows:
        parts.append(report.table(rows, columns))
    if (more := len(s.defects) - len(rows)) > 0:
        parts.append(f"  ... and {more} more, up to {s.defects[-1]:.2g}")
    return report.render(*parts, report.verdict_panel(answer(s), e.verdict))


def asked(s: Told) -> str:
    """How the functions were found, and from what."""
    where = f"{s.rows} states of {s.trajectories} trajectories" if s.trajectories else f"{s.rows} states"
    return f"{s.method[0].upper()}{s.method[1:]}: {s.functions} functions, {where}"


def table_rows(s: Told, most: int) -> tuple[list[str], list[list[object]]]:
    """Headings, and a row for each of the least defects."""
    e, d = s.evidence, len(s.found)
    rows: list[list[object]] = []
    for k in range(min(len(s.defects), most)):
        reading = "conserved" if k < d else "changes slowly" if k < d + len(s.slow) else ""
        left = "" if e.intervals is None else f"{e.intervals[k, 0]:.2g} to {e.intervals[k, 1]:.2g}"
        rows.append([k + 1, float(s.defects[k]), f"{e.resolutions[k]:.2g}", left, reading])
    keep = [i for i in range(len(COLUMNS)) if i != 3 or e.intervals is not None]
    return [COLUMNS[i] for i in keep], [[row[i] for i in keep] for row in rows]


def answer(s: Told) -> str:
    """The verdict and what decides it, in sentences."""
    e = s.evidence
    lines = [_headline(s)]
    for k, one in enumerate(s.found[:LISTED]):
        paired = f"   of {s.generators[k]}" if s.generators else ""
        lines.append(f"  {k + 1}. {one}{paired}")
    if len(s.found) > LISTED:
        lines.append(f"  ... and {len(s.found) - LISTED} more")
    lines += _dependent(s)
    if s.slow:
        plural = "s" if len(s.slow) > 1 else ""
        lines.append(f"{len(s.slow)} function{plural} not conserved, but far slower than all others:")
        for k, one in enumerate(s.slow[:LISTED]):
            lines.append(f"  {one}{_drift(e, len(s.found) + k)}")
    if s.generators:
        lines.append(
            f"Each is the function J with dJ = omega(theta, .), and conserved: {{J, H}} at most {e.resolution:.2g}."
        )
    elif len(s.defects):
        lines.append(_rule(s))
        told = (
            " What changes by less along trajectories is not told from conserved." if s.found and s.trajectories else ""
        )
        lines.append(f"Resolution {e.resolution:.2g}: {e.resolution_source}.{told}")
    if e.held is not None and len(e.held):
        told = ", ".join("not found again" if np.isnan(value) else f"{value:.2g}" for value in e.held[:LISTED])
        lines.append(f"Defects on trajectories that took no part in finding the function: {told}.")
    if e.noise is not None:
        told = ", ".join(f"{name} {value:.2g}" for name, value in zip(s.names, e.noise, strict=True))
        lines.append(f"Noise of the measurement, at most: {told}.")
    if e.constant > 1:
        lines.append(
            f"{e.constant - 1} combination{'s' * (e.constant > 2)} of functions had one value in all the data"
            " (relations between columns, or a function given twice) and are counted out, as the constant is."
        )
    if e.hidden:
        plural = "s are" if e.hidden > 1 else " is"
        lines.append(f"{e.hidden} combination{plural} left aside: most of what they do is noise.")
    return "\n".join([*lines, *(f"Note: {note}" for note in e.notes)])


def _headline(s: Told) -> str:
    e, count = s.evidence, len(s.found)
    if e.verdict == CONSERVED:
        of = f", {s.independent} of them independent" if s.independent < count else ""
        plural = "y" if count == 1 else "ies"
        return f"{count} conserved quantit{plural} among combinations of {s.functions} functions{of}:"
    least = f"the least defect is {s.defects[0]:.2g}" if len(s.defects) else "nothing but noise and constants is left"
    if e.verdict == CANNOT_TELL:
        if e.notes:
            return f"Cannot tell: {least}."
        return (
            f"Cannot tell: {least}, the resolution {e.resolution:.2g}, and no gap of {e.min_gap:g} or more parts them"
            " from the rest. More rows, less noise, longer trajectories or fewer functions would help; nothing is"
            " claimed."
        )
    return (
        f"None in this family: of all combinations of {s.functions} functions the least defect is"
        f" {s.defects[0]:.2g}, clearly above the resolution {e.resolution:.2g}."
    )


def _dependent(s: Told) -> list[str]:
    rest = len(s.found) - s.independent
    if s.evidence.verdict != CONSERVED or rest == 0:
        return []
    numbers = f"{s.independent + 1}" if rest == 1 else f"{s.independent + 1} to {len(s.found)}"
    return [f"Number {numbers} follow{'s' * (rest == 1)} from the first {s.independent}, as their gradients say."]


def _rule(s: Told) -> str:
    e = s.evidence
    count = int(np.sum(s.defects <= e.cut))
    below = "the resolution" if count == 0 else f"defect {count} ({s.defects[count - 1]:.2g})"
    above = f"defect {count + 1} ({s.defects[count]:.2g})" if count < len(s.defects) else "what others have as a rule"
    return f"Rule: the largest gap, a factor {e.gap:.3g}, lies between {below} and {above}; {e.min_gap:g} is asked for."


def _drift(e: ConservedEvidence, k: int) -> str:
    if e.drift is None:
        return ""
    mean, low, high = 100 * e.drift[k]
    return f"\n     changes by {mean:.3g} % of its spread in a unit of time (95 % interval {low:.3g} to {high:.3g})"
