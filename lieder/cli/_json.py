"""What was found, for other programs."""

import json
import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..discover import Symmetries


def as_json(found: "Symmetries") -> str:
    """The answer, its evidence and the fields, as one JSON object; numbers that are none are null."""
    evidence = found.evidence
    return json.dumps(
        _plain(
            {
                "method": found.method,
                "verdict": evidence.verdict,
                "dim": found.dim,
                "candidates": found.source.algebra.dim,
                "names": list(found.names or ()),
                "fields": found.fields(),
                "generators": found.generators.tolist(),
                "algebra": found.identify() if found.dim else "",
                "defects": found.defects.tolist(),
                "resolution": evidence.resolution,
                "gap": evidence.gap,
                "confidence": evidence.confidence,
                "finite": None if evidence.finite is None else evidence.finite.tolist(),
                "model": evidence.model,
                "notes": list(evidence.notes),
            }
        ),
        ensure_ascii=False,
        allow_nan=False,
    )


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_plain(entry) for entry in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
