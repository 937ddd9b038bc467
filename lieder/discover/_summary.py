"""A discovery in words, tables and figures: what print shows, from texts and numbers."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from jaxtyping import Float

from .. import report
from ..action import AbstractAction, orbits
from ._evidence import BROKEN, NONE, SYMMETRIES, Evidence

if TYPE_CHECKING:
    import sympy
    from matplotlib.figure import Figure

SHOWN = 12  # rows of the table of defects in the terminal


class Told(NamedTuple):
    """What is told of a discovery; `fields`, the found generators as texts, and `algebra`, its name, where there are
    some; `certified`, the sentences of a certificate; `measured`, columns with their units."""

    dim: int
    defects: Float[np.ndarray, " k"]
    evidence: Evidence
    candidates: int
    ineffective: int
    fields: list[str]
    algebra: str
    method: str
    rows: int
    certified: tuple[str, ...] = ()
    measured: Sequence[str] = ()


class Columns(NamedTuple):
    """The columns of the data: names and typical sizes, how many of them fields are written in, and held-out rows."""

    names: tuple[str, ...]
    sizes: list[float]
    written: int
    examples: Float[np.ndarray, "held n"]


class Shown(NamedTuple):
    """A generator as a page shows it: formulas with so many digits, its defect, and its velocities at the examples with
    some orbits, where these are drawn and stay in the space."""

    label: str
    text: str
    components: "list[sympy.Expr]"
    digits: int
    defect: float
    velocities: Float[np.ndarray, "held n"] | None = None
    orbits: Float[np.ndarray, "orbits times n"] | None = None


def answer(s: Told) -> str:
    """The verdict and the evidence that decides it, in sentences."""
    e = s.evidence
    lines = [_headline(s)]
    if s.certified:
        lines.append(f"Certificate: {s.certified[0]}")
    if s.evidence.verdict == SYMMETRIES:
        lines += [f"  {k + 1}. {field}" for k, field in enumerate(s.fields)]
        if s.dim > 1:
            lines.append(
                f"They form {s.algebra}"
                + ("." if e.closure is None else f" (closure defect {number_text(e.closure)}).")
            )
    lines += [f"Note: {note}" for note in e.notes if e.verdict == SYMMETRIES]
    lines.append(_rule(s))
    lines.append(f"Resolution {number_text(e.resolution)}: {e.resolution_source}.")
    if e.model:
        lines.append(f"Model: {e.model}.")
    if s.measured:
        lines.append(f"Units: {', '.join(s.measured)}.")
    if e.confidence is not None:
        lines.append(
            "Repeated with one part of the data left out at a time, the answer was the same in "
            f"{100 * e.confidence:.0f} % of cases."
        )
    if e.finite is not None and len(e.finite):
        lines.append(_finite(e.finite))
    near = [(k, why) for k, why in zip(e.weak, e.weak_reasons, strict=True) if k < max(s.dim + 2, 3)]
    lines += [
        f"Weakly determined: direction {k + 1} (defect {number_text(s.defects[k])}): {why}; the data can hardly judge"
        " it."
        for k, why in near
    ]
    if s.ineffective:
        lines.append(
            f"Ineffective: {s.ineffective} of {s.candidates} candidates do not move the data at all and are left aside."
        )
    if len(s.certified) > 1:
        lines.append(f"Of the certificate: {' '.join(s.certified[1:])}")
    return "\n".join(lines)


def _headline(s: Told) -> str:
    e = s.evidence
    if e.verdict == SYMMETRIES:
        plural = "symmetry" if s.dim == 1 else "symmetries"
        return f"{s.dim} {plural} among {s.candidates} candidates:"
    least = f"the least defect is {number_text(s.defects[0])}" if len(s.defects) else "no candidate moves the data"
    if e.verdict == NONE:
        candidates = f"{s.candidates} candidates"
        return f"No symmetry among {candidates}: {least}, clearly above the resolution {number_text(e.resolution)}."
    if e.notes:
        return f"Cannot tell: {e.notes[-1]}."
    return (
        f"Cannot tell: {least}, and no gap of {e.min_gap:g} or more parts small defects from large ones above the"
        f" resolution {number_text(e.resolution)}. More or better data, or a better model, would help; nothing is"
        " claimed."
    )


def _rule(s: Told) -> str:
    e = s.evidence
    if e.rule == "tolerance":
        given = number_text(e.tolerance or 0.0)
        return f"Rule: defects up to the given tolerance {given} count; the ratio across it is {e.gap:.3g}."
    count = int(np.sum(s.defects <= e.cut))
    below = "the resolution" if count == 0 else f"defect {count} ({number_text(s.defects[count - 1])})"
    above = (
        f"defect {count + 1} ({number_text(s.defects[count])})"
        if count < len(s.defects)
        else f"what broken candidates have at least, as a rule ({BROKEN:g})"
    )
    where = f"lies between {below} and {above}; at least {e.min_gap:g} is asked for."
    return f"Rule: the largest gap, a factor {e.gap:.3g}, {where}"


def _finite(finite: np.ndarray) -> str:
    told = ", ".join(
        "not made (the flow leaves the space or is lost)" if np.isnan(v) else number_text(v) for v in finite[:SHOWN]
    )
    more = ", ..." if len(finite) > SHOWN else ""
    return f"Finite check on held-out points moved by a quarter of their spread, violation for each: {told}{more}."


def number_text(value: float) -> str:
    return f"{value:.2g}" if value else "0"


def table_rows(s: Told, most: int) -> list[list[object]]:
    e = s.evidence
    rows: list[list[object]] = []
    for k in range(min(len(s.defects), most)):
        marks = ["symmetry" if k < s.dim else ""] + (["weakly determined"] if k in e.weak else [])
        spread = "" if e.intervals is None else f"{number_text(e.intervals[k, 0])} to {number_text(e.intervals[k, 1])}"
        rows.append([k + 1, float(s.defects[k]), spread, "; ".join(mark for mark in marks if mark)])
    return rows


COLUMNS = ["direction", "relative defect", "without one part", "reading"]


def text(s: Told, width: int | None = None) -> str:
    """What print(s) shows."""
    rows = table_rows(s, SHOWN)
    more = len(s.defects) - len(rows)
    title = f"{s.method.capitalize()}: {s.candidates} candidates, {s.rows} equations"
    parts: list = [title, report.table(rows, COLUMNS)] if rows else [title]
    if more > 0:
        parts.append(f"  ... and {more} more, up to {number_text(s.defects[-1])}")
    return report.render(*parts, report.verdict_panel(answer(s), s.evidence.verdict), width=width)


def field_figure(shown: Shown, columns: Columns) -> "Figure":
    """One generator as arrows over the data."""
    title = f"{shown.label}: {shown.text}"
    return report.field_figure(columns.examples, np.asarray(shown.velocities), columns.names, title=title)


def orbit_figure(shown: Shown, columns: Columns) -> "Figure":
    """Orbits of a few points under one generator."""
    title = f"{shown.label}: orbits of {shown.text}"
    return report.orbit_figure(np.asarray(shown.orbits), columns.examples, columns.names, title=title)


def orbits_among(
    action: AbstractAction,
    xi: Float[np.ndarray, " q"],
    examples: Float[np.ndarray, "held n"],
    velocities: Float[np.ndarray, "held n"],
) -> Float[np.ndarray, "orbits times n"] | None:
    """The orbits of a few examples under one generator; None when all leave the space."""
    speed = np.sqrt(np.mean(np.sum(velocities**2, axis=1)))
    spread = np.sqrt(np.mean(np.sum((examples - examples.mean(axis=0)) ** 2, axis=1)))
    reach = 1.5 * spread / speed if speed > 0 else 1.0
    curves = orbits(action, xi, examples[_spread_out(examples, 5)], np.linspace(0.0, reach, 60))
    staying = np.isfinite(curves).all(axis=(1, 2))
    return np.asarray(curves)[staying] if staying.any() else None


def _spread_out(points: np.ndarray, count: int) -> np.ndarray:
    """Indices of a few points at evenly spaced ranks of their distance from the mean."""
    order = np.argsort(np.linalg.norm(points - points.mean(axis=0), axis=1))
    return order[np.linspace(0.1 * len(order), 0.9 * (len(order) - 1), min(count, len(order))).astype(int)]
