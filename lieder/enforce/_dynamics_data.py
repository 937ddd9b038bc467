"""Trajectories, checked: arrays, frames, lists or rows that lie elsewhere in, one form out."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..dictionary import AbstractDictionary
from ..interop import collected, estimator_inputs, estimator_outputs, is_spread, rows_of, settings_mark
from ..sampling import Together, check_computed, checked_times, real_numbers
from ._slopes import LEAST


@dataclass(frozen=True, eq=False)
class Trajectories:
    """States (T, n) of each trajectory, with velocities (T, m), or else times (T,) of each.

    `single`: the velocities came with one dimension.
    """

    states: list[np.ndarray]
    velocities: list[np.ndarray] | None
    times: list[np.ndarray]
    single: bool = False

    @property
    def count(self) -> int:
        """The number of states."""
        return sum(map(len, self.states))

    @property
    def targets(self) -> int:
        """The number m of velocities at each state."""
        return (self.states if self.velocities is None else self.velocities)[0].shape[1]

    def groups(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Trajectories that share their times: t (T,) and x (C, T, n)."""
        found: dict[bytes, list[int]] = {}
        for i, t in enumerate(self.times):
            found.setdefault(t.tobytes(), []).append(i)
        for members in found.values():
            yield self.times[members[0]], np.stack([self.states[i] for i in members])


@dataclass(frozen=True, eq=False)
class Spread:
    """One table of states with velocities, whose `rows` lie on devices, in processes or on workers."""

    rows: Together
    single: bool

    @property
    def count(self) -> int:
        """As of `Trajectories`, and so `targets`."""
        return self.rows.x.rows or 0

    @property
    def targets(self) -> int:
        return self.rows.y.width


def trajectories(estimator: Any, x, dx, t) -> Trajectories | Spread:
    """The data of a fit, or an error that says what is wrong with them; the estimator remembers width and names."""
    if is_spread(x) and dx is not None and np.ndim(x) < 3:
        return _spread(estimator, x, dx)
    x, dx = (collected(side, name) if is_spread(side) else side for side, name in ((x, "x"), (dx, "dx")))
    parts = _parts(x, "x")
    states = [_states(estimator, part, "" if len(parts) == 1 else f"x[{i}]: ", i == 0) for i, part in enumerate(parts)]
    if dx is None:
        if t is None:
            raise ValueError("dx, t: give the velocities dx, or the times t (or their step) to estimate them from.")
        return Trajectories(states, None, _times(t, states))
    parts = _parts(dx, "dx")
    if len(states) != len(parts):
        raise ValueError(f"x, dx: expected as many trajectories in both, got {len(states)} and {len(parts)}.")
    arrays = [estimator_outputs(estimator, part) for part in parts]
    velocities = [one[:, None] if one.ndim == 1 else one for one in arrays]
    for i, (a, b) in enumerate(zip(states, velocities, strict=True)):
        if len(a) != len(b) or b.shape[1] != velocities[0].shape[1]:
            raise ValueError(
                f"x, dx: shapes differ in trajectory {i}: {a.shape} and {arrays[i].shape}; one row of velocities"
                " belongs to each state, with as many columns in all trajectories."
            )
    return Trajectories(states, velocities, [], single=arrays[0].ndim == 1)


def _spread(estimator: Any, x, dx) -> Spread:
    states = rows_of(x, "x", asked=settings_mark(estimator.get_params(deep=False)))
    velocities = rows_of(dx, "dx")
    estimator_inputs(estimator, states.head[:1], first=True)
    if states.names != tuple(f"x{i}" for i in range(states.width)):
        estimator.feature_names_in_ = np.array(states.names, dtype=object)
    return Spread(Together(states, velocities), np.ndim(dx) == 1)


def _parts(x, name: str) -> list:
    """The tables of a list, an iterator or an array (trajectories, T, n); a table alone."""
    x = list(x) if isinstance(x, Iterator) else x
    if isinstance(x, list | tuple) and len(x) == 0:
        raise ValueError(f"{name}: expected at least one trajectory, got none.")
    whole = _dimensions(x[0], name) == 2 if isinstance(x, list | tuple) else _dimensions(x, name) == 3
    return list(x) if whole else [x]


def _dimensions(x, name: str) -> int:
    """Of anything with a shape, frames and sparse matrices included, or else of the array that it stands for."""
    check_computed(x, name)
    own = getattr(x, "ndim", None)
    return real_numbers(x, name)[0].ndim if own is None else own


def _states(estimator: Any, table: Any, where: str, first: bool) -> np.ndarray:
    """One table (T, n), in scikit-learn's words where it is not one; the first says how many columns and which."""
    own = estimator.dictionary
    if isinstance(own, AbstractDictionary) and own.width == 1 and _dimensions(table, "x") == 1:
        table = np.reshape(table, (-1, 1))
    try:
        return estimator_inputs(estimator, table, first=first)
    except (TypeError, ValueError) as fault:
        raise type(fault)(f"{where}{fault}") from None


def _times(t, states: list[np.ndarray]) -> list[np.ndarray]:
    times = checked_times(t, [len(x) for x in states], "samples")
    for i, x in enumerate(states):
        if len(x) < LEAST:
            raise ValueError(
                f"x: trajectory {i} has {len(x)} samples, too short to differentiate: at least {LEAST} are needed."
                " Leave it out, or give dx."
            )
    return times
