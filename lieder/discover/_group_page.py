"""The HTML page of finite symmetries: the lattice of subgroups, each element against what is known of it, Python."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Int

from .. import report
from ..algebra import FiniteGroup, subgroups
from ._evidence import SYMMETRIES
from ._group_decision import FiniteEvidence

CARRIED = 260_000  # bytes of a saved result that a page still carries
MOST_NODES = 60  # of the lattice that is drawn
MOST_ROWS = 200


class Shown(NamedTuple):
    """What a page shows of an answer; `rows` under `columns`, of elements of one class and reading; `width` of the
    inputs; `target`, whether outputs move; `saved` writes the result."""

    method: str
    group: FiniteGroup
    defects: np.ndarray
    found: Int[np.ndarray, " H"]
    evidence: FiniteEvidence
    told: str
    described: Callable[[int], str]
    columns: list[str]
    rows: list[list[object]]
    names: tuple[str, ...]
    width: int
    target: bool
    saved: Callable[[Path], Path]


def page(path: str | os.PathLike[str], s: Shown) -> Path:
    """The page of `FiniteSymmetries.report`."""
    some = s.evidence.verdict == SYMMETRIES
    sections = [report.Section("Subgroups", _lattice(s)), report.Section("Elements", _elements(s))]
    if some:
        sections.append(report.Section("Use them", _use(s)))
    asked = f"{s.method}: {s.group.order} elements of {s.group.name}.\n\nColumns: {', '.join(s.names)}."
    sections.append(report.Section("Candidates", [report.Text(asked)]))
    return report.html(
        path,
        title="Finite symmetries of the data" if some else "Finite symmetries sought",
        summary=s.told.replace("\n", "\n\n"),
        sections=sections,
        kind=s.evidence.verdict,
        foot="Relative defects: 0 is an exact symmetry, about 1 none.",
    )


class Node(NamedTuple):
    """Conjugate subgroups of one reading; `members` (s, G), which elements each holds."""

    members: Bool[np.ndarray, "s G"]
    reading: str


def nodes(group: FiniteGroup, evidence: FiniteEvidence, found: Int[np.ndarray, " H"]) -> list[Node]:
    """The classes of subgroups, the smallest first, each as its elements are read; the one found by itself.

    A subgroup holds where all its elements do, by themselves or as products; it is broken where one of them is."""
    every = subgroups(group)
    if every is None:
        return []
    read = np.array(evidence.readings)
    keys: dict[tuple[int, str, bool], list[int]] = {}
    for k, (inside, kind) in enumerate(zip(every.members, every.kind, strict=True)):
        those = set(read[inside].tolist())
        reading = "broken" if "broken" in those else "undecided" if "undecided" in those else "holds"
        keys.setdefault((int(kind), reading, np.array_equal(np.flatnonzero(inside), found)), []).append(k)
    return [Node(every.members[some], reading) for (_, reading, _), some in keys.items()]


def joined(parts: list[Node]) -> list[tuple[int, int]]:
    """Pairs (smaller, larger) with a subgroup of the one in one of the other, and none between."""
    order = [int(one.members[0].sum()) for one in parts]
    inside = np.zeros((len(parts), len(parts)), bool)
    for a, one in enumerate(parts):
        for b, other in enumerate(parts):
            if order[a] < order[b]:
                inside[a, b] = any((other.members[:, row]).all(axis=1).any() for row in one.members)
    between = (inside.astype(int) @ inside.astype(int)) > 0
    return [(int(a), int(b)) for a, b in np.argwhere(inside & ~between)]


def _lattice(s: Shown) -> list:
    parts = nodes(s.group, s.evidence, s.found)
    if not parts or len(parts) > MOST_NODES:
        return [report.Text(f"The group has {s.group.order} elements and too many subgroups to be drawn.")]
    labels, rows, chosen = [], [], None
    for k, one in enumerate(parts):
        elements = np.flatnonzero(one.members[0])
        name = s.group.identify(elements)
        labels.append(f"{len(one.members)} x {name}" if len(one.members) > 1 else name)
        if np.array_equal(elements, s.found):
            chosen = k
        inside = np.any(one.members, axis=0) & (np.arange(s.group.order) > 0)
        known = s.defects[inside & np.isfinite(s.defects)]
        worst = float(known.max()) if len(known) else float("nan")
        resolution = float(s.evidence.resolutions[inside].max(initial=0.0))
        labels[-1] += f"\n{worst:.2g}" if len(known) else ""
        rows.append(
            [
                name,
                len(one.members),
                len(elements),
                ", ".join(s.described(j) for j in s.group.generating(elements)) or "identity",
                f"{worst:.3g}" if len(known) else "",
                f"{resolution:.2g}",
                one.reading,
            ]
        )
    figure = report.lattice_figure(
        np.array([int(one.members[0].sum()) for one in parts]),
        labels,
        [one.reading for one in parts],
        joined(parts),
        chosen,
        title="Subgroups, with the largest defect of their elements",
    )
    columns = ["subgroup", "conjugates", "order", "generated by, say", "largest defect", "resolution", "reading"]
    return [
        report.Figure(figure, "The lattice of subgroups, coloured by what is read of each."),
        report.Table(columns, rows, "Conjugate subgroups of one reading share a row."),
    ]


def _elements(s: Shown) -> list:
    told = np.isfinite(s.defects)
    told[0] = False
    e = s.evidence
    blocks: list = []
    if told.any():
        figure = report.elements_figure(
            s.defects[told],
            e.resolutions[told],
            [one for one, seen in zip(e.readings, told, strict=True) if seen],
            delta=e.delta if e.tolerance is None else None,
            title="Defects of elements, against what is known of them",
        )
        blocks.append(report.Figure(figure, "The defect of each element beside three of its standard errors."))
    blocks.append(report.Table(s.columns, s.rows))
    each = [
        [k, s.described(k), float(s.defects[k]), float(e.resolutions[k]), f"{e.covered[k]:.0%}", e.readings[k]]
        for k in range(1, min(s.group.order, MOST_ROWS + 1))
    ]
    more = f"The first {MOST_ROWS} of {s.group.order - 1}." if s.group.order - 1 > MOST_ROWS else None
    blocks.append(
        report.Table(["number", "element", "relative defect", "resolution", "among the data", "reading"], each, more)
    )
    return blocks


def _use(s: Shown) -> list:
    target = "found.target_action" if s.target else "ld.scalars(found.algebra)"
    lines = [
        "import lieder as ld",
        "",
        "# Actions of a class or functions of your own are in no file: pass them as source=, target= as they were.",
        'found = ld.discover.FiniteSymmetries.load("finite.npz")',
        "# Polynomials of degree 2 that have the symmetry:",
        f"functions = ld.enforce.functions(ld.dictionary.polynomials({s.width}, 2), source=found.action,",
        f"                                 target={target})",
    ]
    blocks: list = [report.Code("\n".join(lines))]
    with tempfile.TemporaryDirectory() as folder:
        content = s.saved(Path(folder) / "finite.npz").read_bytes()
    if len(content) <= CARRIED:
        blocks.append(report.Download("finite.npz", content, "The result, finite.npz, which this page carries"))
    return blocks
