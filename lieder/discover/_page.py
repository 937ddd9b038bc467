"""The HTML page of a discovery."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from jaxtyping import Float

from .. import report
from ..action import AbstractAction, bracket_constants
from ..algebra import Span
from ..dictionary import sum_text
from ._sparsify import NEGLIGIBLE
from ._summary import COLUMNS, Columns, Shown, Told, answer, field_figure, number_text, orbit_figure, table_rows

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DRAWN = 8  # generators drawn, and the largest algebra whose brackets are set as a table
_CARRIED = 260_000  # bytes of a saved result that a page still carries


class Shelf(NamedTuple):
    """What stands in the page besides the answer: the spectrum as a figure where nothing can be explored, and what can
    be; brackets, (heading, rows) of a table; invariants in words; Python; the saved result; the candidates in words."""

    spectrum: "Figure | None"
    explorer: "report.Explorer | None"
    brackets: tuple[list[str], list[list[object]]] | None
    invariants: str
    code: str
    saved: bytes | None
    candidates: str


def page(path: str | os.PathLike[str], s: Told, columns: Columns, generators: Sequence[Shown], shelf: Shelf) -> Path:
    """The HTML report: the answer, the spectrum, each generator, what it does to the data, and what was asked."""
    table = report.Table(
        COLUMNS,
        table_rows(s, 40),
        f"{s.method}; {s.rows} equations. The third column repeats the analysis with one part of the data left out at a"
        " time.",
    )
    sections = []
    if shelf.explorer is not None:
        sections.append(report.Section("Explore", [shelf.explorer]))
    evidence: list = [table]
    if shelf.spectrum is not None:
        evidence.insert(0, _spectrum(shelf.spectrum))
    sections += [
        report.Section("Evidence", evidence),
        report.Section("Generators", _formulas(s, columns, generators, shelf)),
    ]
    if shelf.explorer is None:
        drawn = [figure for g in generators for figure in _figures(g, columns)]
        sections.append(report.Section("What they do to the data", drawn))
    if s.dim:
        sections.append(report.Section("Use them", _use(shelf)))
    sections.append(report.Section("Candidates", [report.Text(shelf.candidates)]))
    return report.html(
        path,
        title="Symmetries of the data" if s.dim else "Symmetries sought",
        summary=answer(s),
        sections=sections if len(s.defects) else sections[-1:],
        kind=s.evidence.verdict,
    )


def _spectrum(figure: "Figure") -> "report.Figure":
    return report.Figure(
        figure,
        "Relative defects in ascending order with the decision drawn in.",
        "0 is an exact symmetry, sqrt 2 the largest possible defect.",
    )


def _formulas(s: Told, columns: Columns, generators: Sequence[Shown], shelf: Shelf) -> list:
    written = columns.written
    blocks: list = [
        report.Equations(
            [(g.label, list(zip(columns.names, g.components, strict=True))[:written]) for g in generators],
            digits=max((g.digits for g in generators), default=3),
            negligible=NEGLIGIBLE,
            scales=columns.sizes[:written],
        ),
        report.Text(
            "In the simplest basis that the evidence cannot tell from the one found. Relative defects in this basis: "
            + ", ".join(number_text(g.defect) for g in generators)
            + "."
        ),
    ]
    if s.algebra:
        blocks.append(report.Text(f"They form {s.algebra}."))
    if shelf.brackets is not None:
        blocks.append(report.Text("Brackets, of the symmetry of each row with that of each column:"))
        blocks.append(report.Table(*shelf.brackets))
    if shelf.invariants:
        blocks.append(report.Text(shelf.invariants))
    return blocks


def _use(shelf: Shelf) -> list:
    blocks: list = [report.Code(shelf.code)]
    if shelf.saved is not None and len(shelf.saved) <= _CARRIED:
        words = "The result, symmetries.npz, which this page carries"
        blocks.append(report.Download("symmetries.npz", shelf.saved, words))
    else:
        blocks.append(report.Text("Write symmetries.npz by found.save, or by lieder discover --save symmetries.npz."))
    return blocks


def _figures(shown: Shown, columns: Columns) -> "list[report.Figure]":
    figures = []
    if shown.velocities is not None:
        figures.append(report.Figure(field_figure(shown, columns), f"{shown.label} as arrows over the data."))
    if shown.orbits is not None:
        figures.append(report.Figure(orbit_figure(shown, columns), f"Orbits of a few points under {shown.label}."))
    return figures


def bracket_table(
    action: AbstractAction, rows: Float[np.ndarray, "dim q"], points: Float[np.ndarray, "held k"], limit: float
) -> tuple[list[str], list[list[object]]] | None:
    """Heading and rows of the table of brackets; None where there is none, or too many.

    Arguments: `action` of the candidates; `rows`, the generators as they are shown; `points`; `limit`, the relative
        defect that the evidence cannot tell from theirs, from which on coefficients count.
    """
    dim = len(rows)
    if not 2 <= dim <= DRAWN or len(points) * action.width < 2 * dim:
        return None
    names = [f"X{k + 1}" for k in range(dim)]
    constants, _ = bracket_constants(
        action.restrict(rows, Span("shown", tuple(names))), points[:256], max(limit, 1e-10)
    )
    least = max(3.0 * limit, 1e-6) * max(float(np.abs(constants).max()), 1.0)
    table: list[list[object]] = [
        [names[i], *(_combination(constants[i, j], names, least) for j in range(dim))] for i in range(dim)
    ]
    return ["bracket", *names], table


def _combination(coefficients: Float[np.ndarray, " dim"], names: Sequence[str], least: float) -> str:
    halves = np.round(2 * coefficients) / 2
    near = (np.abs(coefficients - halves) <= least) & (halves != 0)
    shown = np.where(near, halves, coefficients) * (np.abs(coefficients) > least)
    return sum_text(shown, names, lambda size: "" if size == 1 else f"{size:.3g}")
