"""Trajectories as a user gives them, checked: a list, an array (trajectories, T, n), or one table with labels."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import interop
from ..sampling import check_rows, check_varying, checked_times, table
from ._question import is_number

LEAST = 5  # rows of a trajectory: two for noise, more for what it does


@dataclass(frozen=True, eq=False)
class Trajectories:
    """States (T, n) and times (T,) of each trajectory, and the names of the columns."""

    states: tuple[np.ndarray, ...]
    times: tuple[np.ndarray, ...]
    names: tuple[str, ...]

    @property
    def rows(self) -> np.ndarray:
        """All states, (N, n)."""
        return np.concatenate(self.states)


def trajectories(data: Any, t: Any, groups: Any, names: Any) -> Trajectories:
    """The trajectories in float64.

    Arguments: `data`; `t`, the step, the times of all, or a list of times; None: rows are one apart; `groups` (N,) of
        one table; `names` of columns.
    Returns: Trajectories.
    Raises: ValueError, TypeError in words for all that they cannot be.
    """
    data = list(data) if isinstance(data, Iterator) else data
    if interop.is_spread(data):
        data = interop.collected(data, "trajectories")  # noise and windows of time are those of all of them
    if groups is not None:
        parts, t = _parted(data, t, groups, names)
    elif isinstance(data, list | tuple) and len(data) and np.ndim(_plain(data[0])) == 2:
        parts = [table(part, f"trajectories[{i}]", names) for i, part in enumerate(data)]
    elif not isinstance(data, list | tuple) and np.ndim(_plain(data)) == 3:
        parts = [table(part, f"trajectories[{i}]", names) for i, part in enumerate(np.asarray(data))]
    else:
        parts = [table(data, "trajectories", names)]
    first = parts[0].names
    if names is None and all(name.startswith("trajectories") for name in first):
        first = tuple(f"x{i}" for i in range(len(first)))
    for i, part in enumerate(parts):
        if part.values.shape[1] != len(first):
            raise ValueError(
                f"trajectories: number {i} has {part.values.shape[1]} columns, the first has {len(first)}; all must"
                " have the same columns."
            )
        check_rows(part.values, first, f"trajectories[{i}]")
    states = tuple(np.asarray(part.values, np.float64) for part in parts)
    for i, x in enumerate(states):
        if len(x) < LEAST:
            raise ValueError(
                f"trajectories: number {i} has {len(x)} row{'s' * (len(x) != 1)}, too few to tell what is constant"
                f" along it from noise: at least {LEAST} are needed. Leave it out, or measure more often."
            )
    if len(states) < 2:
        raise ValueError(
            "trajectories: one trajectory came, and each relation between its rows is constant along it, conserved or"
            " not. Give two or more from different starts (a list, or one table with groups=); or fit the field, such"
            " as lieder.enforce.sparse_dynamics, and give that with x."
        )
    rows = np.concatenate(states)
    check_varying(rows.min(axis=0), rows.max(axis=0), first, "trajectories")
    return Trajectories(states, tuple(_times(t, states)), first)


def _plain(data: Any) -> Any:
    """Something whose dimensions NumPy can tell."""
    return data if getattr(data, "shape", None) is None else np.empty(data.shape)


def _parted(data: Any, t: Any, groups: Any, names: Any) -> tuple[list, Any]:
    whole = table(data, "trajectories", names)
    labels = np.asarray(groups)
    if labels.shape != (len(whole.values),):
        raise ValueError(
            f"groups must hold one label a row, shape ({len(whole.values)},), got shape {labels.shape}: they tell the"
            " trajectories of one table apart."
        )
    chosen = [labels == label for label in dict.fromkeys(labels.tolist())]
    if t is not None and np.ndim(t) == 1:
        times = np.asarray(t)
        if len(times) != len(labels):
            raise ValueError(f"t must hold one time a row, ({len(labels)},), got {len(times)}.")
        t = [times[rows] for rows in chosen]
    names = list(whole.names)
    return [table(whole.values[rows], "trajectories", names) for rows in chosen], t


def _times(t: Any, states: tuple[np.ndarray, ...]) -> list[np.ndarray]:
    if t is None:
        t = 1.0
    elif np.ndim(_first(t)) == 0 and not np.ndim(t) and not is_number(t):
        raise ValueError(f"t: expected a positive step or increasing times, got {t!r}.")
    return checked_times(t, [len(x) for x in states])


def _first(t: Any) -> Any:
    return t[0] if isinstance(t, list | tuple) and len(t) else t
