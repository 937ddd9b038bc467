"""Trajectories, or rows and their successors, as a latent is trained on them."""

from dataclasses import dataclass, replace

import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Float, Int

from ..sampling import Table, table
from ._encounter import Rows

HELD = 0.2  # share of the trajectories, or of the pairs, that training does not see
GROUPS = 20  # parts in which pairs without trajectories are taken, for standard errors


@dataclass(frozen=True, eq=False)
class LatentPairs:
    """Rows and their successors.

    Fields: `x`, `y` (N, n); `groups` (N,), the trajectory of each pair; `held` (N,), which are kept from training;
        `names` of the columns; `common`, whether these have one unit.
    """

    x: Float[np.ndarray, "N n"]
    y: Float[np.ndarray, "N n"]
    groups: Int[np.ndarray, " N"]
    held: Bool[np.ndarray, " N"]
    names: tuple[str, ...]
    common: bool = False

    @property
    def centre(self) -> Float[np.ndarray, " n"]:
        """Of the rows that are trained on."""
        return self.x[~self.held].mean(axis=0)

    @property
    def spread(self) -> Float[np.ndarray, " n"]:
        """Of the rows that are trained on: of each column, or of all."""
        each = self.x[~self.held].std(axis=0)
        return np.full_like(each, np.sqrt(np.mean(each**2))) if self.common else each

    @property
    def _order(self) -> Int[np.ndarray, " kept"]:
        """Kept pairs in an order of chance: some of them are looked at after each block."""
        return np.flatnonzero(self.held)[np.random.default_rng(0).permutation(int(self.held.sum()))]

    @property
    def kept_groups(self) -> Int[np.ndarray, " kept"]:
        """The trajectories of the kept pairs, in the order of `standard`."""
        return self.groups[self._order]

    def standard(self) -> Rows:
        """All in standard units, in single precision."""
        sides = [(side - self.centre) / self.spread for side in (self.x, self.y)]
        parts = [side[which] for which in (~self.held, self._order) for side in sides]
        return Rows(*(jnp.asarray(part, jnp.float32) for part in parts))


def latent_pairs(x, y, names: list[str] | None, seed: int, common: bool) -> LatentPairs:
    """The pairs of trajectories x, or of rows x and their successors y; `common`, whether columns have one unit.

    Raises: ValueError, TypeError in words for what cannot be used.
    """
    if y is None:
        found = _along(_trajectories(x, names), seed)
    else:
        one, two = table(x, "x", names), table(y, "y", names)
        if one.values.shape != two.values.shape:
            raise ValueError(
                f"x has shape {one.values.shape} and y {two.values.shape}: y holds the successor of each row."
            )
        count = len(one.values)
        held = np.zeros(count, bool)
        held[np.random.default_rng(seed).permutation(count)[: max(1, int(HELD * count))]] = True
        found = LatentPairs(
            np.asarray(one.values, float),
            np.asarray(two.values, float),
            np.arange(count) * GROUPS // max(count, 1),
            held,
            one.names,
        )
    _check(found)
    return replace(found, common=common)


def _trajectories(x, names: list[str] | None) -> list[Table]:
    """Each as a table."""
    many = (len(x) > 0 and np.ndim(x[0]) == 2) if isinstance(x, list | tuple) else np.ndim(x) == 3
    parts = [table(one, f"x[{i}]", names) for i, one in enumerate(x)] if many else []
    if len(parts) < 2:
        raise ValueError(
            "x: one trajectory came, and one must be held out to judge what is found. Give two or more from different"
            " starts, as a list or an array (trajectories, T, n); or rows x and their successors y."
        )
    width = parts[0].values.shape[1]
    for i, part in enumerate(parts):
        if len(part.values) < 2 or part.values.shape[1] != width:
            raise ValueError(
                f"x: trajectory {i} has shape {part.values.shape}; each needs two rows or more and the {width} columns"
                " of the first."
            )
    return parts


def _along(parts: list[Table], seed: int) -> LatentPairs:
    """Each row and the one after it; whole trajectories are kept from training."""
    labels = parts[0].names
    if labels[0].startswith("x[0]"):
        labels = tuple(f"x{i}" for i in range(len(labels)))
    first, then = (np.concatenate([np.asarray(part.values, float)[some] for part in parts]) for some in (FIRST, THEN))
    groups = np.repeat(np.arange(len(parts)), [len(part.values) - 1 for part in parts])
    chosen = np.random.default_rng(seed).permutation(len(parts))[: max(1, round(HELD * len(parts)))]
    return LatentPairs(first, then, groups, np.isin(groups, chosen), labels)


FIRST, THEN = slice(None, -1), slice(1, None)


def _check(data: LatentPairs) -> None:
    if not (np.isfinite(data.x).all() and np.isfinite(data.y).all()):
        raise ValueError("x holds numbers that are not finite; leave these rows out, or fill them in.")
    if len(data.x) < 2 or data.held.all():
        raise ValueError(f"x: {len(data.x)} pairs are too few to train on some and to judge by others; give more rows.")
    seen = data.x[~data.held]
    still = np.flatnonzero(np.ptp(seen, axis=0) <= 1e-9 * np.abs(seen).max(initial=0.0))
    if still.size:
        shown = ", ".join(data.names[i] for i in still[:5]) + (", ..." if still.size > 5 else "")
        raise ValueError(
            f"x: {still.size} of {len(data.names)} columns never vary ({shown}): nothing can be learnt of them. Leave"
            " them out, such as pixels that are always dark."
        )
