"""lieder discover: a table in, its symmetries out."""

from contextlib import nullcontext
from dataclasses import replace
from typing import Annotated, Literal

import typer

from ._answer import Json, Report, Save, answered
from ._table import (
    CANDIDATES,
    NAMES,
    Decimal,
    Delimiter,
    Files,
    MinGap,
    Missing,
    Seed,
    Tolerance,
    apart,
    check_candidates,
    gathered,
    names,
    rows,
)


def discover(
    files: Files,
    inputs: Annotated[str, typer.Option(help=f"Columns of the inputs, {NAMES}")],
    candidates: Annotated[str, typer.Option(help=CANDIDATES)],
    outputs: Annotated[
        str | None, typer.Option(help="Columns of the outputs; without them the rows are a point cloud.")
    ] = None,
    fit: Annotated[
        str, typer.Option(help='"auto", "graph", "polynomial(3)", "kernel", "mlp", "radial(-5,0)", "fourier(2)", ...')
    ] = "auto",
    weights: Annotated[
        str, typer.Option(help='"auto", "relative" (each row counts by its relative error) or "equal".')
    ] = "auto",
    tolerance: Tolerance = None,
    min_gap: MinGap = 5.0,
    evidence: Annotated[
        Literal["gap", "certificate"],
        typer.Option(help="certificate: at least and at most how many symmetries there are to within --delta."),
    ] = "gap",
    delta: Annotated[float, typer.Option(help="Relative defect up to which a direction counts as a symmetry.")] = 0.05,
    alpha: Annotated[float, typer.Option(help="Probability that the certificate is wrong.")] = 0.05,
    groups: Annotated[
        str | None, typer.Option(help="Column of labels of rows that hang together: a planet, a trajectory, a batch.")
    ] = None,
    workers: Annotated[
        int | None, typer.Option(help="So many processes of Dask on this machine, a task a file.", min=1)
    ] = None,
    dask: Annotated[
        str | None, typer.Option(help='The workers of a Dask scheduler, a task a file: "tcp://host:8786".')
    ] = None,
    report: Report = None,
    save: Save = None,
    json: Json = False,
    delimiter: Delimiter = ",",
    decimal: Decimal = ".",
    missing: Missing = "refuse",
    seed: Seed = 0,
) -> None:
    """Find the symmetries of a table: how many, which, and how sure."""
    columns_in, columns_out = names(inputs, "inputs"), names(outputs, "outputs") if outputs is not None else []
    apart(columns_in, columns_out, "--inputs and --outputs")
    check_candidates(candidates, columns_in + columns_out)
    if outputs is None and groups is not None:
        raise ValueError("--groups are for a table with --outputs: the points of a cloud are taken to be independent.")
    table = rows(files, columns_in + columns_out, delimiter, decimal, missing, label=groups)
    spread = _spread(workers, dask, outputs is not None and groups is None)
    from .. import action
    from ..discover import cloud, dataset
    from ..files import check_path
    from ..interop import cluster, tables_on_workers

    # A path that cannot be written is said before the work, not after it.
    for path in (report, save):
        if path is not None:
            check_path(path)
    source, target = action.parse(candidates, columns_in, columns_out if outputs is not None else None)
    # Of formats that are quick to read twice `dataset` decides whether all rows have to be held in memory.
    lazily = outputs is not None and groups is None and missing == "refuse" and table.binary and not spread
    with cluster(workers, dask) if spread else nullcontext():
        labels = None
        if spread:
            x, y = tables_on_workers(table.by_file(), [("x", columns_in), ("y", columns_out)])
        elif lazily:
            x, y = table[columns_in], table[columns_out]
        else:
            held = gathered(table, json)
            x, y = held.values[:, : len(columns_in)], held.values[:, len(columns_in) :]
            labels = None if groups is None else held.labels
        if target is None:
            found = cloud(
                x,
                action=source,
                tolerance=tolerance,
                min_gap=min_gap,
                names=columns_in,
                seed=seed,
                evidence=evidence,
                delta=delta,
                alpha=alpha,
            )
        else:
            found = dataset(
                x,
                y,
                source=source,
                target=target,
                fit=fit,
                weights=_weights(weights),
                tolerance=tolerance,
                min_gap=min_gap,
                names=columns_in,
                output_names=columns_out,
                seed=seed,
                evidence=evidence,
                delta=delta,
                alpha=alpha,
                groups=labels,
            )
    if not lazily and any(table.units):  # of rows that it reads itself a verb keeps them
        found = replace(found, units=table.units)
    answered(found, json, ("Report", report, found.report), ("Result", save, found.save))


def _spread(workers: int | None, dask: str | None, can: bool) -> bool:
    """Whether workers of Dask are asked for; a ValueError where they cannot help."""
    if workers is not None and dask is not None:
        raise ValueError("--workers starts workers here and --dask takes those of a scheduler: give one of the two.")
    asked = workers is not None or dask is not None
    if asked and not can:
        raise ValueError(
            "--workers and --dask are for a table with --outputs and without --groups: else all rows are needed in one"
            " place."
        )
    return asked


def _weights(text: str) -> Literal["auto", "relative"] | None:
    if text == "equal":
        return None
    if text in ("auto", "relative"):
        return text  # pyright: ignore[reportReturnType]
    raise ValueError(f"--weights must be auto, relative or equal, got '{text}'.")
