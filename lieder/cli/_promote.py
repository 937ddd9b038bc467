"""lieder promote: a table in, a regression and the symmetries that it keeps out."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from ._table import (
    CANDIDATES,
    NAMES,
    Decimal,
    Delimiter,
    Files,
    Missing,
    Seed,
    apart,
    bracketed,
    check_candidates,
    names,
    read,
)


def promote(
    files: Files,
    inputs: Annotated[str, typer.Option(help=f"Columns of the inputs, {NAMES}")],
    outputs: Annotated[str, typer.Option(help="Columns of the outputs.")],
    candidates: Annotated[str, typer.Option(help=CANDIDATES)],
    dictionary: Annotated[
        str, typer.Option(help='Terms: "polynomials(2)", "fourier(2)", "radial(-5,0)", "linear", "affine".')
    ] = "polynomials(2)",
    alpha: Annotated[
        float | None, typer.Option(help="Strength of the preference; without it cross-validation chooses.")
    ] = None,
    exact: Annotated[bool, typer.Option(help="Interpolate the data: for rows without noise.")] = False,
    figure: Annotated[Path | None, typer.Option(help="Draw the path over strengths here (.png, .pdf, .svg).")] = None,
    report: Annotated[
        Path | None,
        typer.Option(help="Write an HTML page on the symmetries kept here: generators, or else finite elements."),
    ] = None,
    save: Annotated[
        Path | None, typer.Option(help="Write the symmetries kept here (.npz), for lieder show; likewise.")
    ] = None,
    delimiter: Delimiter = ",",
    decimal: Decimal = ".",
    missing: Missing = "refuse",
    seed: Seed = 0,
) -> None:
    """Fit a function that keeps what symmetries it can.

    Of the candidates as many are kept as the data allow."""
    columns_in, columns_out = names(inputs, "inputs"), names(outputs, "outputs")
    apart(columns_in, columns_out, "--inputs and --outputs")
    if figure is not None and (exact or alpha is not None):
        raise ValueError("--figure shows a path over strengths: leave --alpha and --exact out.")
    check_candidates(candidates, columns_in + columns_out)
    table = read(files, columns_in + columns_out, delimiter, decimal, missing)
    from .. import action
    from ..dictionary import by_name
    from ..files import check_path
    from ..promote import Regression

    for path in (figure, report, save):
        if path is not None:
            check_path(path)
    source, target = action.parse(candidates, columns_in, columns_out)
    x, y = table.values[:, : len(columns_in)], table.values[:, len(columns_in) :]
    model = Regression(
        by_name(dictionary, len(columns_in)), source=source, target=target, alpha=alpha, exact=exact, seed=seed
    )
    model.fit(x, y if len(columns_out) > 1 else y[:, 0])
    for name, line in zip(bracketed(columns_out), model.equations(bracketed(columns_in)), strict=True):
        print(f"{name} = {line.split(' = ', 1)[1]}")
    told = [f"{model.kept_} of {source.algebra.dim} candidates"] if source.algebra.dim else []
    if model.group_ is not None:
        told.append(f"{len(model.kept_elements_)} of {model.group_.order} finite elements")
    print(f"\nKept: {', '.join(told)}" + ("." if exact else f", at strength {model.alpha_:.3g}."))
    columns = (*columns_in, *columns_out)
    elements = None if model.group_ is None else replace(model.finite_symmetries_, names=columns)
    found = replace(model.symmetries_, names=columns) if source.algebra.dim else None
    for record in filter(None, (found, elements)):
        print(record)
    if figure is not None and model.path_ is not None:
        model.path_.plot().savefig(figure)
        print(f"Figure: {figure}")
    # One page, one file: of the generators where there are some, as --report and --save say.
    result = elements if found is None else found
    assert result is not None  # our own bug: candidates without generators have elements
    if report is not None:
        print(f"Report: {result.report(report)}")
    if save is not None:
        print(f"Result: {result.save(save)}")
    if elements is not None and found is not None and (report is not None or save is not None):
        print(
            "The finite elements are in none of these: ask for them alone, or see model.finite_symmetries_ in Python."
        )
