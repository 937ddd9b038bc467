"""What every verb asks of a table: the file, how it is written, and the names of columns."""

import csv
import difflib
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from ..files import Columns, Rows

Files = Annotated[
    list[Path],
    typer.Argument(
        help="Delimited text whose first line names the columns, Parquet, Feather, HDF5, NetCDF, Zarr or .npz; one"
        " file, several of one kind, or a pattern such as 'runs/*.parquet'."
    ),
]
Delimiter = Annotated[
    str, typer.Option(help="One character between cells, or its name: tab, space, comma, semicolon, bar.")
]
Decimal = Annotated[str, typer.Option(help="The sign before decimals: '.' or ','.")]
Missing = Annotated[str, typer.Option(help='Rows with gaps: "refuse" or "drop".')]
Seed = Annotated[int, typer.Option(help="Of the choice of held-out rows.")]
Tolerance = Annotated[
    float | None, typer.Option(help="Accept relative defects up to this instead of looking for a gap.")
]
MinGap = Annotated[float, typer.Option(help="Least ratio between neighbouring defects that counts as a gap.")]
CANDIDATES = (
    '"algebra on kind(columns), ...; algebra on ..."; kinds: points, vectors, covectors, scalars. Quote a name that'
    ' holds brackets, commas or semicolons: vectors("x (m)","y (m)").'
)
NAMES = "with commas between them; quote a name that holds a comma: '\"a, b\",c'."


def names(text: str, option: str) -> list[str]:
    """The column names in the text of an option."""
    try:
        columns = [column.strip() for column in next(csv.reader([text], skipinitialspace=True, strict=True), [""])]
    except csv.Error:
        raise ValueError(f"--{option} '{text}' has a quote that does not end, or text after one.") from None
    if "" in columns:
        raise ValueError(f"--{option} '{text}' holds an empty name; write names with commas between them, x,y,z.")
    if len(set(columns)) < len(columns):
        raise ValueError(f"--{option} '{text}' names a column twice.")
    return columns


def check_candidates(text: str, columns: list[str]) -> None:
    """A ValueError for a plain name in a block that is no column.

    The grammar in `action` says the same, and all else, but it comes with JAX, seconds later.
    """
    for block in re.findall(r"\b(?:points|vectors|covectors|scalars)\s*\(([^()\"']*)\)", text):
        for name in filter(None, map(str.strip, block.split(","))):
            if name not in columns:
                near = difflib.get_close_matches(name, columns, n=1)
                advice = f"; did you mean '{near[0]}'?" if near else "."
                raise ValueError(f"candidates: no column '{name}'{advice} Columns in use: {', '.join(columns)}.")


def bracketed(columns: list[str]) -> list[str]:
    """The names as they stand in an equation: those that are no plain word in square brackets."""
    return [name if name.isidentifier() else f"[{name}]" for name in columns]


def apart(first: list[str], second: list[str], options: str) -> None:
    """A ValueError when two options share a column."""
    if shared := set(first) & set(second):
        raise ValueError(f"{options} share {', '.join(sorted(shared))}: a column is one or the other.")


def rows(
    files: list[Path],
    columns: list[str],
    delimiter: str,
    decimal: str,
    missing: str,
    time: str | None = None,
    label: str | None = None,
) -> "Rows":
    """The columns, of which nothing but their names and units has been read."""
    from ..files import rows

    return rows(files, columns, delimiter, decimal=decimal, missing=missing, time=time, label=label)


def read(
    files: list[Path],
    columns: list[str],
    delimiter: str,
    decimal: str,
    missing: str,
    time: str | None = None,
    label: str | None = None,
    as_json: bool = False,
) -> "Columns":
    """The columns, all rows; what was left out, and units that the files have, are told (see `tell`)."""
    table = rows(files, columns, delimiter, decimal, missing, time, label)
    found = gathered(table, as_json)
    tell_units(table.names, table.units, as_json)
    return found


def gathered(table: "Rows", as_json: bool) -> "Columns":
    """All rows; what was left out is told."""
    found = table.gather()
    if found.left_out:
        tell(f"{found.left_out} of {found.left_out + len(found.values)} rows have gaps and are left out.", as_json)
    if found.empty:
        listed = ", ".join(found.empty[:3]) + (", ..." if len(found.empty) > 3 else "")
        tell(f"{len(found.empty)} of {len(table.files)} files hold no rows: {listed}.", as_json)
    return found


def tell_units(columns: Sequence[str], units: Sequence[str], as_json: bool) -> None:
    """The columns whose units the files have, if any."""
    known = [f"{name} ({unit})" for name, unit in zip(columns, units, strict=True) if unit]
    if known:
        tell(f"Units: {', '.join(known)}.", as_json)


def tell(note: str, as_json: bool) -> None:
    """A note on what was read; beside an answer in JSON it is on the standard error."""
    print(note, file=sys.stderr if as_json else sys.stdout)
