"""A discovery in words, tables and figures: what print and report show."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from .. import report
from ..action import orbits
from ..files import check_path
from ._evidence import BROKEN, NONE, SYMMETRIES
from ._sparsify import NEGLIGIBLE

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ._symmetries import Symmetries

SHOWN = 12  # rows of the table of defects in the terminal
DRAWN = 8  # generators drawn in the report


def answer(s: "Symmetries") -> str:
    """The verdict and the evidence that decides it, in sentences."""
    e = s.evidence
    lines = [_headline(s)]
    if s.evidence.verdict == SYMMETRIES:
        lines += [f"  {k + 1}. {field}" for k, field in enumerate(s.fields())]
        if s.dim > 1:
            lines.append(
                f"They form {s.identify()}" + ("." if e.closure is None else f" (closure defect {_number(e.closure)}).")
            )
    lines += [f"Note: {note}" for note in e.notes if e.verdict == SYMMETRIES]
    lines.append(_rule(s))
    lines.append(f"Resolution {_number(e.resolution)}: {e.resolution_source}.")
    if e.model:
        lines.append(f"Model: {e.model}.")
    if e.confidence is not None:
        lines.append(
            "Repeated with one part of the data left out at a time, the answer was the same in "
            f"{100 * e.confidence:.0f} % of cases."
        )
    if e.finite is not None and len(e.finite):
        lines.append(_finite(e.finite))
    near = [(k, why) for k, why in zip(e.weak, e.weak_reasons, strict=True) if k < max(s.dim + 2, 3)]
    lines += [
        f"Weakly determined: direction {k + 1} (defect {_number(s.defects[k])}): {why}; the data can hardly judge it."
        for k, why in near
    ]
    if len(s.ineffective):
        lines.append(
            f"Ineffective: {len(s.ineffective)} of {s.source.algebra.dim} candidates do not move the data at all and "
            "are left aside."
        )
    return "\n".join(lines)


def _headline(s: "Symmetries") -> str:
    e = s.evidence
    if e.verdict == SYMMETRIES:
        plural = "symmetry" if s.dim == 1 else "symmetries"
        return f"{s.dim} {plural} among {s.source.algebra.dim} candidates:"
    least = f"the least defect is {_number(s.defects[0])}" if len(s.defects) else "no candidate moves the data"
    if e.verdict == NONE:
        candidates = f"{s.source.algebra.dim} candidates"
        return f"No symmetry among {candidates}: {least}, clearly above the resolution {_number(e.resolution)}."
    if e.notes:
        return f"Cannot tell: {e.notes[-1]}."
    return (
        f"Cannot tell: {least}, and no gap of {e.min_gap:g} or more parts small defects from large ones above the "
        "resolution"
        f" {_number(e.resolution)}. More or better data, or a better model, would help; nothing is claimed."
    )


def _rule(s: "Symmetries") -> str:
    e = s.evidence
    if e.rule == "tolerance":
        given = _number(e.tolerance or 0.0)
        return f"Rule: defects up to the given tolerance {given} count; the ratio across it is {e.gap:.3g}."
    count = int(np.sum(s.defects <= e.cut))
    below = "the resolution" if count == 0 else f"defect {count} ({_number(s.defects[count - 1])})"
    above = (
        f"defect {count + 1} ({_number(s.defects[count])})"
        if count < len(s.defects)
        else f"what broken candidates have at least, as a rule ({BROKEN:g})"
    )
    where = f"lies between {below} and {above}; at least {e.min_gap:g} is asked for."
    return f"Rule: the largest gap, a factor {e.gap:.3g}, {where}"


def _finite(finite: np.ndarray) -> str:
    told = ", ".join(
        "not made (the flow leaves the space or is lost)" if np.isnan(v) else _number(v) for v in finite[:SHOWN]
    )
    more = ", ..." if len(finite) > SHOWN else ""
    return f"Finite check on held-out points moved by a quarter of their spread, violation for each: {told}{more}."


def _number(value: float) -> str:
    return f"{value:.2g}" if value else "0"


def _rows(s: "Symmetries", most: int) -> list[list[object]]:
    e = s.evidence
    rows: list[list[object]] = []
    for k in range(min(len(s.defects), most)):
        marks = ["symmetry" if k < s.dim else ""] + (["weakly determined"] if k in e.weak else [])
        spread = "" if e.intervals is None else f"{_number(e.intervals[k, 0])} to {_number(e.intervals[k, 1])}"
        rows.append([k + 1, float(s.defects[k]), spread, "; ".join(mark for mark in marks if mark)])
    return rows


COLUMNS = ["direction", "relative defect", "without one part", "reading"]


def text(s: "Symmetries", width: int | None = None) -> str:
    """What print(s) shows."""
    rows = _rows(s, SHOWN)
    more = len(s.defects) - len(rows)
    title = f"{s.method.capitalize()}: {s.source.algebra.dim} candidates, {s.rows} equations"
    parts: list = [title, report.table(rows, COLUMNS)] if rows else [title]
    if more > 0:
        parts.append(f"  ... and {more} more, up to {_number(s.defects[-1])}")
    return report.render(*parts, report.verdict_panel(answer(s), s.evidence.verdict), width=width)


def page(s: "Symmetries", path: str | os.PathLike[str]) -> Path:
    """The HTML report."""
    check_path(path)
    shown = s.directions[: s.dim] if s.dim else s.directions[:1]
    simple = s.sparse() if s.dim else shown
    labels = [f"Symmetry {k + 1}" if s.dim else "Least defect (not claimed)" for k in range(len(simple))]
    sizes = s.sizes()
    shown_names = s.source.width if s.lifted else len(s.names)
    printed = [s.printable(row) for row in simple]
    generators: list = [
        report.Equations(
            [
                (label, list(zip(s.names, s.expressions(row), strict=True))[:shown_names])
                for label, (row, _) in zip(labels, printed, strict=True)
            ],
            digits=max(digits for _, digits in printed),
            negligible=NEGLIGIBLE,
            scales=sizes[:shown_names],
        ),
        report.Text(
            "In the simplest basis that the evidence cannot tell from the one found. Relative defects in this basis: "
            + ", ".join(_number(s.defect(row)) for row in simple)
            + "."
        ),
    ]
    sections = [
        report.Section(
            "Evidence",
            [
                report.Figure(
                    s.plot(),
                    "Relative defects in ascending order with the decision drawn in.",
                    "0 is an exact symmetry, sqrt 2 the largest possible defect.",
                ),
                report.Table(
                    COLUMNS,
                    _rows(s, 40),
                    f"{s.method}; {s.rows} equations. The third column repeats the analysis with one part of the "
                    "data left out at a time.",
                ),
            ],
        ),
        report.Section("Generators", generators),
        report.Section(
            "What they do to the data", [f for k, row in enumerate(simple[:DRAWN]) for f in _figures(s, row, labels[k])]
        ),
        report.Section("Candidates", [report.Text(_candidates(s))]),
    ]
    if not len(s.defects):
        sections = sections[-1:]
    return report.html(
        path,
        title="Symmetries of the data" if s.dim else "Symmetries sought",
        summary=answer(s),
        sections=sections,
        kind=s.evidence.verdict,
    )


def _figures(s: "Symmetries", row: np.ndarray, label: str) -> "list[report.Figure]":
    figures = [report.Figure(field_figure(s, row, label), f"{label} as arrows over the data.")]
    orbits = orbit_figure(s, row, label)
    if orbits is not None:
        figures.append(report.Figure(orbits, f"Orbits of a few points under {label}."))
    return figures


def field_figure(s: "Symmetries", row: np.ndarray, label: str) -> "Figure":
    """One generator as arrows over the data."""
    return report.field_figure(s.examples(), s.displacement(row), s.names, title=f"{label}: {s.written(row)}")


def orbit_figure(s: "Symmetries", row: np.ndarray, label: str) -> "Figure | None":
    """Orbits of a few points under one generator; None when all leave the space."""
    pairs, moved = s.examples(), s.displacement(row)
    starts = pairs[_spread_out(pairs, 5)]
    speed = np.sqrt(np.mean(np.sum(moved**2, axis=1)))
    spread = np.sqrt(np.mean(np.sum((pairs - pairs.mean(axis=0)) ** 2, axis=1)))
    reach = 1.5 * spread / speed if speed > 0 else 1.0
    curves = orbits(s.total, row, starts, np.linspace(0.0, reach, 60))
    staying = np.isfinite(curves).all(axis=(1, 2))
    if not staying.any():
        return None
    return report.orbit_figure(curves[staying], pairs, s.names, title=f"{label}: orbits of {s.written(row)}")


def _spread_out(points: np.ndarray, count: int) -> np.ndarray:
    """Indices of a few points at evenly spaced ranks of their distance from the mean."""
    order = np.argsort(np.linalg.norm(points - points.mean(axis=0), axis=1))
    return order[np.linspace(0.1 * len(order), 0.9 * (len(order) - 1), min(count, len(order))).astype(int)]


def _candidates(s: "Symmetries") -> str:
    target = "" if s.target is None else f"\n\nOutputs: {s.target}"
    names = s.source.algebra.names
    listed = ", ".join(names[:40]) + (f", ... ({len(names)} in all)" if len(names) > 40 else "")
    return f"Inputs: {s.source}{target}\n\nGenerators: {listed}.\n\nIneffective combinations: {len(s.ineffective)}."
