"""What was found, for other programs."""

import json
import math
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from ..discover import Conserved, FiniteSymmetries, Symmetries

Json = Annotated[bool, typer.Option("--json", help="Print the answer as one JSON object, and nothing else.")]


def as_json(found: "Symmetries | Conserved | FiniteSymmetries") -> str:
    """The answer, its evidence and what was found as one JSON object; numbers that are not finite are null."""
    return json.dumps(_finite(found.plain()), ensure_ascii=False, allow_nan=False)


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(entry) for entry in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
