"""Columns that no candidate moves and that hold few values: the surface is sought within each class by itself."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from ..action import AbstractAction
from ._checks import moved_columns
from ._tangency import Sought, Spaces

MOST = 16  # classes
LEAST = 30  # points of a class
RARE = 0.1  # of the points, those that may be left out because their class has too few


class Classes(NamedTuple):
    """Fields: `columns` (n,), which hold the class; `values` (c, columns), one row a class."""

    columns: Bool[np.ndarray, " n"]
    values: Float[np.ndarray, "c columns"]

    def of(self, points: Float[np.ndarray, "N n"]) -> Int[np.ndarray, " N"]:
        """The class of each point, the nearest."""
        away = points[:, None, self.columns] - self.values
        return np.argmin(np.sum(away**2, axis=2), axis=1)


def classes(points: Float[np.ndarray, "N n"], action: AbstractAction, inputs: int) -> Classes | None:
    """The classes that some of the first `inputs` columns tell apart; None where no such column holds a few values.

    Points of classes that are rare have a place in none.
    """
    still = ~moved_columns(action, points[:64])
    still[inputs:] = False
    for column in np.flatnonzero(still):
        still[column] = 1 < len(np.unique(points[:, column])) <= MOST
    if not still.any():
        return None
    values, count = np.unique(points[:, still], axis=0, return_counts=True)
    enough = count >= LEAST
    if not 1 < enough.sum() <= MOST or count[~enough].sum() > RARE * len(points):
        return None
    return Classes(still, values[enough])


def among(points: Float[np.ndarray, "N n"], found: Classes) -> Bool[np.ndarray, " N"]:
    """Which points belong to a class."""
    return np.all(points[:, found.columns] == found.values[found.of(points)], axis=1)


def joined(each: Sequence[Sought], found: Classes, units: Float[np.ndarray, " n"]) -> Sought:
    """The tangent spaces of all classes, one after the other; what is not known of one is not known of all."""
    n, values = len(units), found.values / units[found.columns]
    most = max(len(one.others) for one in each)
    whole = [[_within(one.spaces, value, found.columns) for one, value in zip(each, values, strict=True)]]
    for k in range(most):
        # Where another class has more ways, these agree with what is found.
        ways = [one.others[k] if k < len(one.others) else one.spaces for one in each]
        whole.append([_within(way, value, found.columns) for way, value in zip(ways, values, strict=True)])
    deepest = max(space.bases.shape[1] for space in whole[0])
    spaces, *others = (_stacked(part, deepest, n) for part in whole)

    def away(places: np.ndarray) -> np.ndarray:
        code, out = found.of(places * units), np.empty(len(places))
        for k, one in enumerate(each):
            if np.any(code == k):
                out[code == k] = one.away(places[code == k][:, ~found.columns])
        return out

    unknown = next((f"class {k + 1}: {one.unknown}" for k, one in enumerate(each) if one.unknown), "")
    worst = max(each, key=lambda one: one.floor)
    return Sought(
        spaces,
        tuple(others),
        np.concatenate([one.share for one in each]),
        worst.floor,
        f"within each of {len(each)} classes, the least known: {worst.source}",
        away,
        min(one.tried for one in each),
        unknown,
        "; ".join(dict.fromkeys(one.described for one in each if one.described)),
    )


def _within(spaces: Spaces, value: np.ndarray, columns: np.ndarray) -> Spaces:
    """With the columns that hold the class put back."""
    points = np.empty((len(spaces.points), len(columns)))
    points[:, ~columns], points[:, columns] = spaces.points, value
    bases = np.zeros((*spaces.bases.shape[:2], len(columns)))
    bases[:, :, ~columns] = spaces.bases
    return Spaces(points, bases)


def _stacked(parts: Sequence[Spaces], deepest: int, n: int) -> Spaces:
    bases = []
    for part in parts:
        deep = np.zeros((len(part.bases), deepest, n))
        deep[:, : part.bases.shape[1]] = part.bases
        bases.append(deep)
    return Spaces(np.concatenate([part.points for part in parts]), np.concatenate(bases))
