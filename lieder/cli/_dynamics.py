"""lieder dynamics: trajectories in, equations of motion out."""

from typing import Annotated

import typer

from ._table import CANDIDATES, NAMES, Decimal, Delimiter, Files, Missing, bracketed, check_candidates, names, read


def dynamics(
    files: Files,
    states: Annotated[str, typer.Option(help=f"Columns of the states, {NAMES}")],
    time: Annotated[
        str | None,
        typer.Option(help="Column of times, numbers or ISO stamps (then in seconds); needed without --velocities."),
    ] = None,
    velocities: Annotated[
        str | None,
        typer.Option(
            help="Columns of measured velocities, one a state (of the states x,v in a file with accelerations a: v,a);"
            " without them they are estimated."
        ),
    ] = None,
    trajectories: Annotated[
        str | None, typer.Option(help="Column with one value for each trajectory; without it all rows are one.")
    ] = None,
    dictionary: Annotated[
        str, typer.Option(help='Candidate terms: "polynomials(3)", "fourier(2)", "radial(-5,0)", "linear", "affine".')
    ] = "polynomials(3)",
    symmetry: Annotated[
        str | None,
        typer.Option(
            help=f"A symmetry that the equations shall have: a file saved by lieder discover, or {CANDIDATES}"
        ),
    ] = None,
    penalty: Annotated[
        float | None,
        typer.Option(help="Let the symmetry be broken at this cost; 1 weighs a complete violation like all the noise."),
    ] = None,
    threshold: Annotated[
        str, typer.Option(help='Coefficients below this are dropped; "auto" decides by the error on rows left out.')
    ] = "auto",
    derivative: Annotated[
        str, typer.Option(help='How velocities come from trajectories: "weak", "spline" or "total_variation".')
    ] = "weak",
    delimiter: Delimiter = ",",
    decimal: Decimal = ".",
    missing: Missing = "refuse",
) -> None:
    """Find equations of motion with few terms.

    The equations are x' = W f(x); they have the symmetry exactly, if one is given."""
    columns, measured = names(states, "states"), names(velocities, "velocities") if velocities is not None else []
    if velocities is None and time is None:
        raise ValueError("--time is missing: name the column of times, or the measured --velocities.")
    if velocities is not None and len(measured) != len(columns):
        raise ValueError(f"--velocities names {len(measured)} columns for {len(columns)} --states; give one a state.")
    weight = _threshold(threshold)
    if symmetry is not None and not symmetry.endswith(".npz"):
        check_candidates(symmetry, columns)
    table = read(files, columns + measured, delimiter, decimal, missing, time, trajectories)
    from .. import action
    from ..dictionary import by_name
    from ..discover import Symmetries
    from ..enforce import sparse_dynamics

    n, law = len(columns), None
    if symmetry is not None and symmetry.endswith(".npz"):
        record = Symmetries.load(symmetry)
        if list(record.names[: record.source.width]) != columns:
            raise ValueError(
                f"--symmetry '{symmetry}' was found in the columns {', '.join(record.names[: record.source.width])};"
                " give these as --states, in this order."
            )
        law = record.action
    elif symmetry is not None:
        law = action.parse(symmetry, columns)[0]
    parts = table.trajectories().values()
    x = [values[:, :n] for _, values in parts]
    model = sparse_dynamics(
        x,
        [values[:, n:] for _, values in parts] if velocities is not None else None,
        by_name(dictionary, n),
        t=[times for times, _ in parts if times is not None] if velocities is None else None,
        symmetry=law,
        threshold=weight,
        derivative=derivative,
        penalty=penalty,
    )
    terms = int((model.coefficients_ != 0).sum())
    print(
        f"Equations of motion from {len(table.values)} states in {len(x)} trajector{'y' if len(x) == 1 else 'ies'}:\n"
    )
    for line in model.equations(bracketed(columns)):
        print(f"  {line}")
    print(
        f"\n{terms} of {model.coefficients_.size} possible terms; free coefficients at the start: {model.dimension_}."
    )
    left = ", ".join(f"{name}' {100 * part:.3g} %" for name, part in zip(columns, model.residuals_, strict=True))
    print(f"Not explained of each rate (root mean square; 100 % without an equation): {left}.")
    if model.noise_ is not None:
        listed = ", ".join(f"{name} {noise:.2g}" for name, noise in zip(columns, model.noise_, strict=True))
        print(f"Noise of the measurement, as smoothing found it: {listed}.")


def _threshold(text: str) -> float | str:
    if text == "auto":
        return text
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"--threshold must be auto or a number, got '{text}'.") from None
