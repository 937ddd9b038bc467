"""The command line: arguments in, report out. Heavy rooms are imported when a command runs, so that --help is quick."""

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Continuous symmetry of data, models and dynamical systems.",
)


@app.callback()
def _root() -> None:
    """Continuous symmetry of data, models and dynamical systems."""


@app.command()
def discover(
    file: Annotated[Path, typer.Argument(help="Delimited text; the first line names the columns.")],
    inputs: Annotated[str, typer.Option(help="Columns of the inputs, with commas.")],
    candidates: Annotated[
        str,
        typer.Option(
            help='"algebra on kind(columns), ...; algebra on ..."; kinds: points, vectors, covectors, scalars.'
        ),
    ],
    outputs: Annotated[
        str | None, typer.Option(help="Columns of the outputs; without them the rows are a point cloud.")
    ] = None,
    fit: Annotated[
        str, typer.Option(help='"auto", "graph", "polynomial(3)", "kernel", "mlp", "radial(-5,0)", "fourier(2)", ...')
    ] = "auto",
    weights: Annotated[
        str, typer.Option(help='"auto", "relative" (each row counts by its relative error) or "equal".')
    ] = "auto",
    tolerance: Annotated[
        float | None, typer.Option(help="Accept relative defects up to this instead of looking for a gap.")
    ] = None,
    min_gap: Annotated[
        float, typer.Option(help="Least ratio between neighbouring defects that counts as a gap.")
    ] = 5.0,
    report: Annotated[Path | None, typer.Option(help="Write a self-contained HTML page here.")] = None,
    save: Annotated[Path | None, typer.Option(help="Write the result here (.npz), for lieder.Symmetries.load.")] = None,
    delimiter: Annotated[str, typer.Option(help="One character between cells.")] = ",",
    seed: Annotated[int, typer.Option(help="Of the choice of held-out rows.")] = 0,
) -> None:
    """Find the symmetries of a table: how many, which, and how sure."""
    from lieder import action, sampling
    from lieder import report as reports
    from lieder.discover import cloud, dataset

    # A path that cannot be written is said before the work, not after it.
    for path in (report, save):
        if path is not None:
            reports.check_path(path)
    columns_in, columns_out = _columns(inputs, "inputs"), _columns(outputs, "outputs") if outputs is not None else []
    if shared := set(columns_in) & set(columns_out):
        raise ValueError(f"--inputs and --outputs share {', '.join(sorted(shared))}: a column is one or the other.")
    source, target = action.parse(candidates, columns_in, columns_out if outputs is not None else None)
    table = sampling.read_csv(file, columns_in + columns_out, delimiter)
    x, y = table.values[:, : len(columns_in)], table.values[:, len(columns_in) :]
    if target is None:
        found = cloud(x, action=source, tolerance=tolerance, min_gap=min_gap, names=columns_in, seed=seed)
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
        )
    print(found)
    if report is not None:
        print(f"Report: {found.report(report)}")
    if save is not None:
        print(f"Result: {found.save(save)}")


@app.command()
def version() -> None:
    """Print the version."""
    from lieder import __version__

    print(__version__)


def _columns(text: str, option: str) -> list[str]:
    columns = [column.strip() for column in text.split(",")]
    if "" in columns:
        raise ValueError(f"--{option} '{text}' holds an empty name; write names with commas between them, x,y,z.")
    if len(set(columns)) < len(columns):
        raise ValueError(f"--{option} '{text}' names a column twice.")
    return columns


def _weights(text: str) -> Literal["auto", "relative"] | None:
    if text == "equal":
        return None
    if text in ("auto", "relative"):
        return text  # pyright: ignore[reportReturnType]
    raise ValueError(f"--weights must be auto, relative or equal, got '{text}'.")


def main() -> None:
    """The `lieder` command: a mistake in the arguments or the data is one line on the standard error, not a
    traceback."""
    try:
        app()
    except (ValueError, TypeError, OSError) as error:
        print(f"lieder: {error}", file=sys.stderr)
        raise SystemExit(2) from None
