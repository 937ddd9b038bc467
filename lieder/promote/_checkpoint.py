"""A path that was interrupted and goes on: what has been computed, under a mark of the data and settings."""

from pathlib import Path

import numpy as np

from ..files import read_checkpoint, write_record

FORMAT = "lieder regression path 5"
WRITER = "a path of Regression"


def keep(file: Path, mark: str, state: dict[str, np.ndarray], path: dict | None = None) -> None:
    """Write a state under its mark, and the finished path where there is one."""
    write_record(file, {"mark": mark, "state": state, "path": path}, FORMAT, "checkpoint")


def resumed(file: Path, mark: str) -> dict[str, np.ndarray]:
    """The state that `keep` wrote.

    Raises: ValueError for a file of another kind, or of other data or settings.
    """
    return read_checkpoint(file, mark, FORMAT, WRITER)["state"]
