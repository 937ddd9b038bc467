"""lieder conserved: trajectories in, what stays constant along them out."""

from pathlib import Path
from typing import Annotated

import typer

from ._answer import Json, Report, Save, answered
from ._table import NAMES, Decimal, Delimiter, Files, Missing, names, read


def conserved(
    files: Files,
    states: Annotated[str, typer.Option(help=f"Columns of the states, {NAMES}")],
    trajectories: Annotated[
        str | None,
        typer.Option(
            "--trajectories",
            "--trajectory",
            help="Column with one value for each trajectory; without it each of several files is one.",
        ),
    ] = None,
    time: Annotated[
        str | None, typer.Option(help="Column of times, numbers or ISO stamps; without it rows are one apart.")
    ] = None,
    dictionary: Annotated[
        str, typer.Option(help='Functions to combine: "polynomials(3)", "fourier(2)", "radial(-5,0)"; "" for none.')
    ] = "polynomials(2)",
    functions: Annotated[
        str | None, typer.Option(help='More functions, with semicolons between them: "log(x); 1/sqrt(x^2 + y^2)".')
    ] = None,
    error: Annotated[
        float | None, typer.Option(help="Relative error of the data besides white noise; default 1e-5.")
    ] = None,
    report: Report = None,
    save: Save = None,
    figure: Annotated[
        Path | None, typer.Option(help="Draw the functions along trajectories here (.png, .pdf).")
    ] = None,
    json: Json = False,
    delimiter: Delimiter = ",",
    decimal: Decimal = ".",
    missing: Missing = "refuse",
) -> None:
    """Find conserved quantities.

    Combinations of functions of the states that are constant along each trajectory, but not the same on all."""
    columns = names(states, "states")
    written = [part.strip() for part in (functions or "").split(";") if part.strip()]
    if not dictionary.strip() and not written:
        raise ValueError("--dictionary and --functions are both empty: there is nothing to combine.")
    table = read(files, columns, delimiter, decimal, missing, time, trajectories, json)
    if table.labels is None:
        raise ValueError(
            "--trajectories is missing: name the column that tells trajectories apart, or give several files, one each."
        )
    from .. import dictionary as families
    from .. import discover
    from ..files import check_path

    for path in filter(None, (report, save, figure)):
        check_path(path)
    parts = [families.by_name(dictionary, len(columns))] if dictionary.strip() else []
    parts += [families.formulas(written, columns)] if written else []
    runs = list(table.trajectories().values())
    found = discover.conserved(
        [values for _, values in runs],
        parts[0] if len(parts) == 1 else families.union(parts),
        t=[times for times, _ in runs if times is not None] if time is not None else None,
        error=error,
        names=columns,
    )

    def drawn(path: Path) -> None:
        found.plot().savefig(path)

    answered(found, json, ("Report", report, found.report), ("Result", save, found.save), ("Figure", figure, drawn))
