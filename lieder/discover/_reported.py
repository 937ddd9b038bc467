"""What is gathered from a discovery for print and for its page."""

import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from .. import report
from ..files import check_path
from ..sampling import checked_flag
from ._certificate import sentences
from ._evidence import SYMMETRIES
from ._explored import Explored, Picked, directions, explorer, readings
from ._page import DRAWN, Shelf, bracket_table, page
from ._record import Record
from ._storage import OWN, written_action
from ._summary import Columns, Shown, Told, orbits_among

WIDEST = 12  # inputs whose invariants of second degree are looked for: 91 functions
_CARRIED = 6  # found generators that can be carried in the page, and one that is none beside them


def reported(found: Record, path: str | os.PathLike[str], explore: bool | None) -> Path:
    """The page of `Symmetries.report`."""
    explore = report.explorable() if explore is None else checked_flag(explore, "explore")
    check_path(path)
    if explore and not report.explorable():
        raise ImportError("explore: a page that can be explored needs plotly: pip install 'lieder[html]'.")
    generators = found.sparse() if found.dim else found.directions[:1]
    labels = [f"Symmetry {k + 1}" if found.dim else "Least defect (not claimed)" for k in range(len(generators))]
    drawn = [
        shown(found, xi, label, k < DRAWN and not explore)
        for k, (xi, label) in enumerate(zip(generators, labels, strict=True))
    ]
    limit = found.evidence.limit(found.defects[: found.dim])
    moving = explore and len(found.defects) > 0
    shelf = Shelf(
        spectrum=None if moving else found.plot(),
        explorer=_explorer(found, generators, drawn) if moving else None,
        brackets=bracket_table(found.total, generators, found.examples(), limit) if found.dim else None,
        invariants=_invariants(found) if found.dim else "",
        code=_code(found),
        saved=_saved(found) if found.dim else None,
        candidates=_candidates(found),
    )
    return page(path, told(found), columns(found), drawn, shelf)


def told(found: Record) -> Told:
    """What print says."""
    some = found.evidence.verdict == SYMMETRIES
    return Told(
        found.dim,
        found.defects,
        found.evidence,
        found.source.algebra.dim,
        len(found.ineffective),
        found.fields() if some else [],
        found.identify() if some and found.dim > 1 else "",
        found.method,
        found.rows,
        () if found.certificate is None else tuple(sentences(found.certificate)),
        [f"{name} ({unit})" for name, unit in zip(found.names, found.units, strict=False) if unit],
    )


def plain(found: Record) -> dict[str, Any]:
    """What print says, for other programs."""
    said, e = told(found), found.evidence
    out = {
        "method": said.method,
        "verdict": e.verdict,
        "dim": said.dim,
        "candidates": said.candidates,
        "ineffective": said.ineffective,
        "rows": said.rows,
        "names": list(found.names),
        "units": list(found.units),
        "fields": said.fields,
        "algebra": said.algebra,
        "generators": found.generators.tolist(),
        "defects": found.defects.tolist(),
        "readings": readings(found),
        "intervals": None if e.intervals is None else e.intervals.tolist(),
        "resolution": e.resolution,
        "resolutions": None if e.resolutions is None else e.resolutions.tolist(),
        "rule": e.rule,
        "gap": e.gap,
        "cut": e.cut,
        "confidence": e.confidence,
        "closure": e.closure,
        "finite": None if e.finite is None else e.finite.tolist(),
        "weak": [int(k) for k in e.weak],
        "model": e.model,
        "notes": list(e.notes),
        "certificate": None,
    }
    if (c := found.certificate) is not None:
        out["certificate"] = {
            "delta": c.delta,
            "alpha": c.alpha,
            "at_least": c.at_least,
            "at_most": c.at_most,
            "defects": c.defects.tolist(),
            "lower": c.lower.tolist(),
            "upper": c.upper.tolist(),
            "weak": c.weak,
            "misfit": c.misfit,
            "flows": c.flows,
            "inputs": c.inputs,
            "family": c.family,
            "reason": c.reason,
        }
    return out


def columns(found: Record) -> Columns:
    """The columns of the data, as fields are written in them."""
    written = found.source.width if found.lifted else len(found.names)
    return Columns(found.names, found.sizes(), written, found.examples())


def shown(found: Record, xi: Float[np.ndarray, " q"], label: str, drawn: bool) -> Shown:
    """A generator in formulas, and `drawn`, in figures."""
    printed, digits = found.printable(xi)
    plain = Shown(label, found.written(xi), found.expressions(printed), digits, found.defect(xi))
    if not drawn:
        return plain
    moving = found.displacement(xi)
    return plain._replace(velocities=moving, orbits=orbits_among(found.total, xi, found.examples(), moving))


def _explorer(found: Record, generators: Float[np.ndarray, "dim q"], drawn: list[Shown]) -> "report.Explorer":
    read = readings(found)
    picked = []
    if found.dim:
        for xi, one in zip(generators[:_CARRIED], drawn, strict=False):
            picked.append(Picked(one.label, xi, one.text, "symmetric", one.defect))
    # What is no symmetry shows what one would look like that is not.
    others = range(found.dim, min(found.dim + (1 if found.dim else 2), len(found.defects)))
    for k in others:
        xi = found.directions[k]
        label = f"Not claimed: direction {k + 1}"
        picked.append(Picked(label, xi, found.written(xi), read[k], float(found.defects[k])))
    points = np.asarray(found.points)
    whole = Explored(
        found.total,
        found.names,
        found.source.width,
        found.examples(),
        found.model if found.target else None,
        points.dtype,
    )
    return explorer(whole, picked, directions(found))


def _invariants(found: Record) -> str:
    """The invariants of degree two on inputs, in words."""
    if found.source.width > WIDEST:
        return ""
    asked = "Polynomials of degree 2 in the inputs that the symmetries leave as they are"
    try:
        same = found.invariants()
    except ValueError:  # columns that do not vary, symmetries that move outputs alone, too few rows
        return ""
    if same.evidence.verdict == "cannot tell":
        return f"{asked}: cannot tell, for the symmetries are not known well enough."
    return f"{asked}: {', '.join(same.expressions()) or 'none but constants'}."


def _code(found: Record) -> str:
    """Python that enforces what was found."""
    given, load = "", 'found = ld.discover.Symmetries.load("symmetries.npz"'
    for side, action in (("source", found.source), ("target", found.target)):
        if action is not None and (written_action(action) or {}).get("type") == OWN:
            given += f", {side}={side}"
    lines = ["import lieder as ld", ""]
    if given:
        lines.append("# Candidates of a class or functions of your own are in no file: make them again as they were.")
    lines.append(f"{load}{given})")
    width = found.source.width
    if found.target is None:
        lines += [
            "# Functions of the inputs that the symmetries leave as they are:",
            f"functions = ld.enforce.functions(ld.dictionary.polynomials({width}, 2), source=found.action,",
            "                                 target=ld.scalars(found.action.algebra))",
            "print(functions)",
        ]
    else:
        lines += [
            "# All polynomials F of degree 2 with F(g x) = g F(x):",
            f"functions = ld.enforce.functions(ld.dictionary.polynomials({width}, 2), source=found.action,",
            "                                 target=found.target_action)",
            "print(functions)",
            "# Of measurements x (N, n) and y (N, m): coefficients = functions.fit(x, y)",
        ]
    return "\n".join(lines)


def _saved(found: Record) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        return found.save(Path(folder) / "symmetries.npz").read_bytes()


def _candidates(found: Record) -> str:
    target = "" if found.target is None else f"\n\nOutputs: {found.target}"
    names = found.source.algebra.names
    listed = ", ".join(names[:40]) + (f", ... ({len(names)} in all)" if len(names) > 40 else "")
    ineffective = f"Ineffective combinations: {len(found.ineffective)}."
    return f"Inputs: {found.source}{target}\n\nGenerators: {listed}.\n\n{ineffective}"
