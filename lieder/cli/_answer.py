"""What was found, in words or as JSON, and the files that go with it."""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from ..discover import Conserved, FiniteSymmetries, Symmetries

Json = Annotated[bool, typer.Option("--json", help="Print the answer as one JSON object, and nothing else.")]
Report = Annotated[Path | None, typer.Option(help="Write a self-contained HTML page here.")]
Save = Annotated[Path | None, typer.Option(help="Write the result here (.npz), for lieder show.")]


def answered(
    found: "Symmetries | FiniteSymmetries | Conserved",
    as_json: bool,
    *files: tuple[str, Path | None, Callable[[Path], object]],
) -> None:
    """Print what was found, write the files that were asked for and say where they are.

    Arguments: `found`; `as_json`, one JSON object and nothing else, in which numbers that are not finite are null;
        `files`, what each is called, its path if it was asked for, and what writes it.
    """
    print(json.dumps(_finite(found.plain()), ensure_ascii=False, allow_nan=False) if as_json else found)
    for name, path, write in files:
        if path is not None:
            write(path)
            if not as_json:
                print(f"{name}: {path}")


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(entry) for entry in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
