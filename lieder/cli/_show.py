"""lieder show: a saved result in, what `discover`, `finite` or `conserved` printed out."""

from pathlib import Path
from typing import Annotated

import typer

from ._json import Json, as_json


def show(
    file: Annotated[Path, typer.Argument(help="A result that discover, finite, conserved or promote saved (.npz).")],
    json: Json = False,
    report: Annotated[Path | None, typer.Option(help="Write a self-contained HTML page here.")] = None,
) -> None:
    """Print a saved result, or write its report."""
    if not file.exists():
        raise FileNotFoundError(f"file: there is no '{file}'. Check the name and the folder.")
    from lieder.discover import Conserved, FiniteSymmetries, Symmetries
    from lieder.files import check_path, record_kind

    if report is not None:
        check_path(report)
    kind = record_kind(file)
    if kind.startswith("lieder finite"):
        if report is not None:
            raise ValueError("--report: finite symmetries have no report page.")
        elements = FiniteSymmetries.load(file)
        print(as_json(elements) if json else elements)
        return
    if kind.startswith("lieder conserved"):
        if report is not None:
            raise ValueError("--report: conserved quantities have no report page; see lieder conserved --figure.")
        kept = Conserved.load(file)
        print(as_json(kept) if json else kept)
        return
    found = Symmetries.load(file)
    print(as_json(found) if json else found)
    if report is not None:
        written = found.report(report)
        if not json:
            print(f"Report: {written}")
