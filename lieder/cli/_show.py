"""lieder show: a saved result in, what `discover`, `finite` or `conserved` printed out."""

from pathlib import Path
from typing import Annotated

import typer

from ._answer import Json, Report, answered


def show(
    file: Annotated[Path, typer.Argument(help="A result that discover, finite, conserved or promote saved (.npz).")],
    json: Json = False,
    report: Report = None,
) -> None:
    """Print a saved result, or write its report."""
    if not file.exists():
        raise FileNotFoundError(f"file: there is no '{file}'. Check the name and the folder.")
    from ..discover import Conserved, FiniteSymmetries, Symmetries
    from ..files import check_path, record_kind

    if report is not None:
        check_path(report)
    kind = record_kind(file)
    records = {"lieder finite": FiniteSymmetries, "lieder conserved": Conserved}
    record = next((one for begin, one in records.items() if kind.startswith(begin)), Symmetries)
    found = record.load(file)
    answered(found, json, ("Report", report, found.report))
