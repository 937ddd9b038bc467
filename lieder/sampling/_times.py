"""Times of trajectories."""

from typing import Any

import numpy as np
from jaxtyping import Float


def checked_times(t: Any, lengths: list[int], row: str = "rows") -> list[Float[np.ndarray, " rows"]]:
    """The times of each trajectory, from a step, from times that all share, or from a list of times of each.

    Arguments: `lengths` of the trajectories; `row`, what the caller calls their rows.
    Returns: one array a trajectory.
    Raises: ValueError naming `t` for a step that is not positive, times of another number, or that do not increase.
    """
    if not isinstance(t, list | tuple) and np.ndim(t) == 0:
        step = float(t)
        if not 0 < step < np.inf:
            raise ValueError(f"t: expected a positive step or increasing times, got {t!r}.")
        times = [step * np.arange(length) for length in lengths]
    elif isinstance(t, list | tuple) and len(t) and np.ndim(t[0]) == 1:
        times = [np.asarray(one, np.float64) for one in t]
    else:
        times = [np.asarray(t, np.float64)] * len(lengths)
    if len(times) != len(lengths):
        raise ValueError(f"t: expected times of {len(lengths)} trajectories, got {len(times)}.")
    for i, (one, length) in enumerate(zip(times, lengths, strict=True)):
        if one.shape != (length,):
            raise ValueError(
                f"t: trajectory {i} has {length} {row}, but its times have shape {one.shape}. Give a list of arrays, "
                "one a trajectory, where their lengths differ."
            )
        if not np.isfinite(one).all() or not (np.diff(one) > 0).all():
            raise ValueError(f"t: the times of trajectory {i} do not increase; sort the {row}, drop repeated ones.")
    return times
