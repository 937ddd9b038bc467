"""lieder show: a saved result in, what `discover` printed out."""

from pathlib import Path
from typing import Annotated

import typer


def show(
    file: Annotated[Path, typer.Argument(help="A result that lieder discover or lieder promote saved (.npz).")],
    report: Annotated[Path | None, typer.Option(help="Write a self-contained HTML page here.")] = None,
) -> None:
    """Print a saved result, or write its report."""
    if not file.exists():
        raise FileNotFoundError(f"file: there is no '{file}'. Check the name and the folder.")
    from lieder.discover import Symmetries
    from lieder.files import check_path

    if report is not None:
        check_path(report)
    found = Symmetries.load(file)
    print(found)
    if report is not None:
        print(f"Report: {found.report(report)}")
