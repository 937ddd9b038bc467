"""What was read from files."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Columns:
    """What was read.

    Fields: `values` (N, n) float64 and their `names` (n,); `left_out`, the number of rows dropped for their gaps;
        `times` (N,) where a column of times was asked for: its numbers, or the seconds since the first stamp; `labels`
        (N,) texts where a column that tells trajectories apart was asked for, else of several files the name of each
        row's; `units` (n,) of the columns, "" where the file has none; `empty`, the names of
        files without a row.
    """

    values: np.ndarray
    names: tuple[str, ...]
    left_out: int = 0
    times: np.ndarray | None = None
    labels: tuple[str, ...] | None = None
    units: tuple[str, ...] = ()
    empty: tuple[str, ...] = ()

    def trajectories(self) -> dict[str, tuple[np.ndarray | None, np.ndarray]]:
        """Times (T,) and values (T, n) of each trajectory, by its label, in the order of the file.

        Returns: one entry a label; without labels one entry, ''. Times are None where none were read.
        """
        labels = np.array(self.labels if self.labels is not None else [""] * len(self.values))
        parts = {label: labels == label for label in dict.fromkeys(labels.tolist())}
        return {
            label: (None if self.times is None else self.times[rows], self.values[rows])
            for label, rows in parts.items()
        }
