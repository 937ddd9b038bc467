"""lieder finite: a table and a finite group in, which of its elements are symmetries out."""

from typing import Annotated

import typer

from ._answer import Json, Report, Save, answered
from ._table import CANDIDATES, NAMES, Decimal, Delimiter, Files, Missing, Seed, apart, check_candidates, names, read


def finite(
    files: Files,
    inputs: Annotated[str, typer.Option(help=f"Columns of the inputs, {NAMES}")],
    outputs: Annotated[str, typer.Option(help="Columns of the outputs.")],
    candidates: Annotated[
        str,
        typer.Option(help=f"{CANDIDATES} Finite groups: polygon(n), symmetric(n), cyclic(n), signs(n), ..."),
    ],
    fit: Annotated[str, typer.Option(help='"auto", "polynomial(3)", "kernel", "mlp", ...')] = "auto",
    delta: Annotated[
        float, typer.Option(help="The relative defect that the data must rule out for an element to hold.")
    ] = 0.3,
    min_gap: Annotated[float, typer.Option(help="Standard errors from which on an element is broken.")] = 5.0,
    tolerance: Annotated[
        float | None, typer.Option(help="Accept relative defects up to this instead; larger ones are broken.")
    ] = None,
    report: Report = None,
    save: Save = None,
    json: Json = False,
    delimiter: Delimiter = ",",
    decimal: Decimal = ".",
    missing: Missing = "refuse",
    seed: Seed = 0,
) -> None:
    """Find finite symmetries.

    Which elements of a finite group hold, are broken, or cannot be told, and the largest subgroup that holds."""
    columns_in, columns_out = names(inputs, "inputs"), names(outputs, "outputs")
    apart(columns_in, columns_out, "--inputs and --outputs")
    check_candidates(candidates, columns_in + columns_out)
    table = read(files, columns_in + columns_out, delimiter, decimal, missing, as_json=json)
    from .. import action, discover
    from ..files import check_path

    for path in filter(None, (report, save)):
        check_path(path)
    source, target = action.parse(candidates, columns_in, columns_out)
    found = discover.finite(
        (table.values[:, : len(columns_in)], table.values[:, len(columns_in) :]),
        source=source,
        target=target,
        fit=fit,
        delta=delta,
        min_gap=min_gap,
        tolerance=tolerance,
        names=columns_in,
        output_names=columns_out,
        seed=seed,
    )
    answered(found, json, ("Report", report, found.report), ("Result", save, found.save))
