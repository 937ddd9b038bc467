"""Trajectories, checked: arrays or lists in, one form out."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ._slopes import LEAST


@dataclass(frozen=True, eq=False)
class Trajectories:
    """States (T, n) of each trajectory, with velocities of the same shapes, or else times (T,) of each."""

    states: list[np.ndarray]
    velocities: list[np.ndarray] | None
    times: list[np.ndarray]

    def groups(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Trajectories that share their times: t (T,) and x (C, T, n)."""
        found: dict[bytes, list[int]] = {}
        for i, t in enumerate(self.times):
            found.setdefault(t.tobytes(), []).append(i)
        for members in found.values():
            yield self.times[members[0]], np.stack([self.states[i] for i in members])


def trajectories(x, dx, t, width: int) -> Trajectories:
    """The data of a fit, or an error that says what is wrong with them."""
    states = _tables(x, "x", width)
    if dx is not None:
        velocities = _tables(dx, "dx", width)
        if len(states) != len(velocities):
            raise ValueError(f"x, dx: expected as many trajectories in both, got {len(states)} and {len(velocities)}.")
        for i, (a, b) in enumerate(zip(states, velocities, strict=True)):
            if a.shape != b.shape:
                raise ValueError(f"x, dx: shapes differ in trajectory {i}: {a.shape} and {b.shape}.")
        return Trajectories(states, velocities, [])
    if t is None:
        raise ValueError("dx, t: give the velocities dx, or the times t (or their step) to estimate them from.")
    return Trajectories(states, None, _times(t, states))


def _tables(x, name: str, width: int) -> list[np.ndarray]:
    """A list of tables (T, n)."""
    if isinstance(x, list | tuple) and len(x) == 0:
        raise ValueError(f"{name}: expected at least one trajectory, got none.")
    parts = list(x) if (isinstance(x, list | tuple) and np.ndim(x[0]) == 2) or np.ndim(x) == 3 else [x]
    tables = []
    for i, part in enumerate(parts):
        where = name if len(parts) == 1 else f"{name}[{i}]"
        table = np.asarray(part)
        if np.iscomplexobj(table):
            raise TypeError(f"{where}: expected real numbers, got complex ones; give both parts as columns.")
        try:
            table = np.asarray(table, np.float64)
        except (TypeError, ValueError) as fault:
            raise TypeError(f"{where}: expected a table of numbers, got entries of type {table.dtype}.") from fault
        if table.ndim == 1 and width == 1:
            table = table[:, None]
        if table.ndim != 2 or table.shape[1] != width or len(table) == 0:
            raise ValueError(
                f"{where}: expected shape (T, {width}), as the dictionary takes {width} states, got {table.shape}."
            )
        if not np.isfinite(table).all():
            bad = int(np.sum(~np.isfinite(table).all(axis=1)))
            raise ValueError(f"{where}: {bad} of {len(table)} rows have NaN or infinite entries; drop or repair them.")
        tables.append(table)
    return tables


def _times(t, states: list[np.ndarray]) -> list[np.ndarray]:
    if not isinstance(t, list | tuple) and np.ndim(t) == 0:
        step = float(t)
        if not 0 < step < np.inf:
            raise ValueError(f"t: expected a positive step or increasing times, got {t!r}.")
        times = [step * np.arange(len(x)) for x in states]
    elif isinstance(t, list | tuple) and len(t) and np.ndim(t[0]) == 1:
        times = [np.asarray(one, np.float64) for one in t]
    else:
        times = [np.asarray(t, np.float64)] * len(states)
    if len(times) != len(states):
        raise ValueError(f"t: expected times of {len(states)} trajectories, got {len(times)}.")
    for i, (one, x) in enumerate(zip(times, states, strict=True)):
        if one.shape != (len(x),):
            raise ValueError(
                f"t: trajectory {i} has {len(x)} samples, but its times have shape {one.shape}. Give a list of arrays, "
                "one a trajectory, where their lengths differ."
            )
        if not np.isfinite(one).all() or not (np.diff(one) > 0).all():
            raise ValueError(f"t: the times of trajectory {i} do not increase; sort the samples, drop repeated ones.")
        if len(x) < LEAST:
            raise ValueError(
                f"x: trajectory {i} has {len(x)} samples, too short to differentiate: at least {LEAST} are needed."
                " Leave it out, or give dx."
            )
    return times
