"""Training that was interrupted and goes on: its state in a file, under a mark of its data and settings."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ..files import read_checkpoint, write_record

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


def keep(file: Path, mark: str, now: Progress) -> None:
    """Write the progress in one step: whenever the process is killed, the file is this one or the one before."""
    content = {
        "mark": mark,
        "last": [np.asarray(leaf) for leaf in jax.tree.leaves(now.last)],
        "best": [np.asarray(leaf) for leaf in jax.tree.leaves(now.best)],
        "criteria": np.asarray(now.criteria, float),
        "losses": {name: np.asarray(values, float) for name, values in now.losses.items()},
        "seconds": float(now.seconds),
    }
    write_record(file, content, FORMAT, "checkpoint")


def resumed(file: Path, mark: str, start: Any) -> Progress:
    """The progress that `keep` wrote, in the form of the starting state.

    Raises: ValueError for a file of another kind, or of other data or settings.
    """
    found = read_checkpoint(file, mark, FORMAT, "training")
    leaves, form = jax.tree.flatten(start)
    last, best = (
        jax.tree.unflatten(
            form, [jnp.asarray(kept, jnp.result_type(one)) for one, kept in zip(leaves, found[which], strict=True)]
        )
        for which in ("last", "best")
    )
    losses = {name: list(map(float, values)) for name, values in found["losses"].items()}
    return Progress(last, best, list(map(float, found["criteria"])), losses, found["seconds"])
