"""The HTML page of conserved quantities: the functions, their course and drift, the defects, Python."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from .. import report
from ._conserved_evidence import CONSERVED
from ._conserved_text import Told, answer, asked, table_rows

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CARRIED = 260_000  # bytes of a saved result that a page still carries
LISTED = 40  # rows of the table of defects


def page(
    path: str | os.PathLike[str],
    s: Told,
    traces: "Figure | None",
    spectrum: "Figure | None",
    save: Callable[[Path], Path],
    own: bool,
) -> Path:
    """The page of `Conserved.report`; `own`, whether functions of the user's own are among those combined."""
    some = s.evidence.verdict == CONSERVED
    sections = []
    if s.found or s.slow:
        sections.append(report.Section("Functions", [_functions(s)]))
    if traces is not None:
        caption = "Values in units of their spread over all data."
        if s.evidence.drift is not None and (s.found or s.slow):
            caption += " The wedge is the 95 % interval of the drift."
        drawn = report.Figure(
            traces, "The functions along trajectories, in time: what is conserved runs level.", caption
        )
        sections.append(report.Section("Along trajectories", [drawn]))
    evidence: list = []
    if spectrum is not None:
        evidence.append(report.Figure(spectrum, "Defects in ascending order with the decision drawn in."))
    columns, rows = table_rows(s, LISTED)
    if rows:
        evidence.append(report.Table(columns, rows, asked(s)))
    if evidence:
        sections.append(report.Section("Evidence", evidence))
    if some:
        sections.append(report.Section("Use them", _use(s, save, own)))
    sections.append(report.Section("Asked", [report.Text(f"{asked(s)}.\n\nColumns: {', '.join(s.names)}.")]))
    return report.html(
        path,
        title="Conserved quantities of the data" if some else "Conserved quantities sought",
        summary=answer(s).replace("\n", "\n\n"),
        sections=sections,
        kind=s.evidence.verdict,
        foot="Relative defects: 0 is conserved, about 1 what changes like anything.",
    )


def _functions(s: Told) -> "report.Table":
    """Each with the symmetry it comes from, its rate of change, and its defect on trajectories left out."""
    e = s.evidence
    whole = [*s.found, *s.slow]
    paired = [*s.generators, *([""] * (len(whole) - len(s.generators)))]
    columns, rows = ["function", "reading"], []
    extra: list[tuple[str, list[str]]] = []
    if s.generators:
        extra.append(("of the symmetry", paired))
    if e.drift is not None:
        told = [f"{mean:.3g} ({low:.3g} to {high:.3g})" for mean, low, high in e.drift]
        extra.append(("drift, in spreads per unit of time", told))
    if e.held is not None:
        held = ["not found again" if np.isnan(value) else f"{value:.2g}" for value in e.held]
        extra.append(("defect on trajectories left out", held))
    for k, one in enumerate(whole):
        free = "conserved" if k < s.independent else "conserved, follows from those above"
        rows.append([one, free if k < len(s.found) else "changes slowly", *(cells[k] for _, cells in extra)])
    return report.Table([*columns, *(name for name, _ in extra)], rows)


def _use(s: Told, save: Callable[[Path], Path], own: bool) -> list:
    again = ", dictionary=dictionary" if own else ""
    lines = ["import lieder as ld", ""]
    if own:
        lines.append("# Functions of your own are in no file: make the dictionary again as it was.")
    lines += [
        f'found = ld.discover.Conserved.load("conserved.npz"{again})',
        "values = found.transform(x)  # (N, n) states -> what stays constant along each trajectory",
    ]
    blocks: list = [report.Code("\n".join(lines))]
    with tempfile.TemporaryDirectory() as folder:
        content = save(Path(folder) / "conserved.npz").read_bytes()
    if len(content) <= CARRIED:
        words = "The result, conserved.npz, which this page carries"
        blocks.append(report.Download("conserved.npz", content, words))
    return blocks
