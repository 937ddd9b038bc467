"""lieder pde: sampled solutions in, the equation they obey and its symmetries out."""

from pathlib import Path
from typing import Annotated

import typer

from ._answer import Json, Report, Save, answered
from ._table import (
    NAMES,
    Decimal,
    Delimiter,
    MinGap,
    Missing,
    Tolerance,
    apart,
    check_candidates,
    names,
    tell_units,
)


def pde(
    files: Annotated[
        list[Path],
        typer.Argument(
            help="NetCDF, Zarr, HDF5 or .npz with arrays of these names: axes, and functions (T, X[, Y]) or (solutions,"
            " T, X[, Y]); or tables with a row for each point. Several files or a pattern: solutions on one grid."
        ),
    ],
    order: Annotated[int, typer.Option(help="Of the highest derivative in space.")],
    axes: Annotated[str, typer.Option(help="Time, then one or two axes of space.")] = "t,x",
    functions: Annotated[str, typer.Option(help=f"What solves the equation, {NAMES}")] = "u",
    solutions: Annotated[str | None, typer.Option(help="Column with one value for each solution.")] = None,
    time_order: Annotated[int, typer.Option(help="2 for u_tt = f.")] = 1,
    candidates: Annotated[
        str | None, typer.Option(help='By default all affine fields; "polynomial(2) on points(t,x,u)".')
    ] = None,
    fit: Annotated[str, typer.Option(help='"sparse" (few monomials), or a family: "mlp", "polynomial(2)".')] = "sparse",
    degree: Annotated[
        int | None, typer.Option(help="Of the monomials; by default 3 where there are not too many.")
    ] = None,
    derivative: Annotated[
        str, typer.Option(help='"auto", "spectral", "local", "differences"; or one for each axis, with commas.')
    ] = "auto",
    tolerance: Tolerance = None,
    min_gap: MinGap = 5.0,
    report: Report = None,
    save: Save = None,
    json: Json = False,
    delimiter: Delimiter = ",",
    decimal: Decimal = ".",
    missing: Missing = "refuse",
    seed: Annotated[int, typer.Option(help="Of the choice of points.")] = 0,
) -> None:
    """Find the symmetries of a partial differential equation from sampled solutions.

    The equation is fitted on the way."""
    variables, unknowns = names(axes, "axes"), names(functions, "functions")
    if len(variables) not in (2, 3):
        raise ValueError(f"--axes '{axes}': name the column of time, then one or two of space, such as t,x.")
    apart(variables, unknowns, "--axes and --functions")
    if candidates is not None:
        check_candidates(candidates, variables + unknowns)
    from ..files import check_path, read_gridded

    for path in filter(None, (report, save)):
        check_path(path)
    read = read_gridded(files, variables, unknowns, delimiter, decimal=decimal, missing=missing, label=solutions)
    tell_units(variables + unknowns, read.units or ("",) * len(variables + unknowns), json)
    from .. import action, discover

    if candidates is None:
        acting = None
    else:
        acting, _ = action.parse(candidates, variables + unknowns, None)
    methods = [part.strip() for part in derivative.split(",")]
    found = discover.pde(
        read.samples,
        read.axes,
        order,
        candidates=acting,
        time_order=time_order,
        fit=fit,
        degree=degree,
        derivative=methods[0] if len(methods) == 1 else methods,
        names=variables + unknowns if read.samples.shape[1] == len(unknowns) else None,
        tolerance=tolerance,
        min_gap=min_gap,
        seed=seed,
    )
    answered(found, json, ("Report", report, found.report), ("Result", save, found.save))
