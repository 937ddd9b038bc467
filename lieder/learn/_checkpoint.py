"""Training that was interrupted and goes on: its state in a file, under a mark of its data and settings."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ..files import check_path, read_checkpoint, write_record

FORMAT = "lieder training 1"


@dataclass(frozen=True, eq=False)
class Progress:
    """How far training has come.

    Fields: `last`, the state after `len(criteria)` blocks; `best`, the state of the least criterion so far; `criteria`,
    one a block; `losses`, of each name one a block; `seconds` of work.
    """

    last: Any
    best: Any
    criteria: list[float]
    losses: dict[str, list[float]]
    seconds: float


def plain(now: Progress) -> dict[str, Any]:
    """The progress as numbers alone, for a file or another process."""
    return {
        "last": [np.asarray(leaf) for leaf in jax.tree.leaves(now.last)],
        "best": [np.asarray(leaf) for leaf in jax.tree.leaves(now.best)],
        "criteria": np.asarray(now.criteria, float),
        "losses": {name: np.asarray(values, float) for name, values in now.losses.items()},
        "seconds": float(now.seconds),
    }


def restored(content: dict[str, Any], start: Any) -> Progress:
    """The progress of which `plain` told, in the form of the starting state."""
    leaves, form = jax.tree.flatten(start)
    last, best = (
        jax.tree.unflatten(
            form, [jnp.asarray(kept, jnp.result_type(one)) for one, kept in zip(leaves, content[which], strict=True)]
        )
        for which in ("last", "best")
    )
    losses = {name: list(map(float, values)) for name, values in content["losses"].items()}
    return Progress(last, best, list(map(float, content["criteria"])), losses, content["seconds"])


def keep(file: Path, mark: str, now: Progress) -> None:
    """Write the progress in one step: whenever the process is killed, the file is this one or the one before."""
    write_record(file, {"mark": mark, **plain(now)}, FORMAT, "checkpoint")


def begun(file: Path | None, mark: str, start: Any) -> Progress:
    """The progress that `keep` wrote, or none where there is no file yet.

    Raises: ValueError for a file of another kind, or of other data or settings, and for a path that cannot be written.
    """
    if file is not None and file.exists():
        return restored(read_checkpoint(file, mark, FORMAT, "training"), start)
    if file is not None:
        check_path(file, "checkpoint")
    return Progress(start, start, [], {}, 0.0)
