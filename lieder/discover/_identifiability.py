"""Directions the data can hardly judge: they move points where the points do not spread."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from ..action import AbstractAction, velocities

THIN = 0.1  # a principal direction with less than this share of its block's widest spread is thin
# a generator is weakly determined when more than this share of its squared displacement runs along thin directions
# Below this share of the coordinates that it is made of a direction is exactly flat but for rounding: a submanifold,
# not a thin spread. One small column is made of itself.
FLAT = 1e-7
SHARE = 0.5
SAMPLED = "fields"  # kinds of pieces whose columns are samples of one field: of one unit, however small at an edge
NAMED = 6  # columns that a note names
APART = 0.01  # columns that share a unit seldom spread less than this share of the widest


def weak_directions(
    action: AbstractAction,
    directions: Float[np.ndarray, "k q"],
    points: Float[np.ndarray, "points n"],
    names: tuple[str, ...],
) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """Indices of weakly determined directions, and for each the reason in words.

    Principal directions are taken among coordinates that the action mixes, since only these share units; about the
    mean for points, about zero for the rest. What a model does along a thin direction is extrapolated from next to
    nothing, so a small defect there is no evidence of a symmetry, nor a large one against it.
    """
    thin, widest = _thin(principal(action, points), points.shape[1])
    if thin.shape[0] == 0 or len(directions) == 0:
        return (), ()
    moved = velocities(action, directions, points) / widest
    along = np.einsum("kpa,ta->kpt", moved, thin[:, :-1])  # k: directions, p: points, a: coordinates, t: thin ones
    total = (moved**2).sum(axis=(1, 2))
    shares = (along**2).sum(axis=1) / np.where(total > 0, total, 1.0)[:, None]
    weak = np.flatnonzero(shares.sum(axis=1) > SHARE)
    reasons = []
    for k in weak:
        parts = [_describe(thin[t], names) for t in np.argsort(-shares[k]) if shares[k, t] > 0.1]
        reasons.append(f"{100 * shares[k].sum():.0f} % of its motion runs along {' and '.join(parts)}")
    return tuple(int(k) for k in weak), tuple(reasons)


def uneven_units(
    action: AbstractAction, points: Float[np.ndarray, "points n"], names: tuple[str, ...], least: float = APART
) -> str:
    """What to say where columns that the candidates mix spread so differently that they can hardly share a unit, some
    by less than a share `least` of the widest; else "".

    Defects are relative to the model's slope in all directions of such a block; where most of it runs along the narrow
    ones, motion along the wide ones counts as next to nothing.
    """
    thin, _ = _thin(columnwise(action, points), points.shape[1])
    apart = thin[thin[:, -1] < least] if len(thin) else thin
    if len(apart) == 0 and least < THIN:
        return ""
    every = list(dict.fromkeys(_describe(row, names) for row in apart))
    named = ", ".join(every[:NAMED]) + (f" and {len(every) - NAMED} more" if len(every) > NAMED else "")
    return (
        "the candidates mix columns as lengths of one unit, and these spread very"
        f" differently{': ' if named else ''}{named}. Motion along the widest then counts for little. If the columns"
        " have units of their own, divide each by its spread first"
    )


class Spreads(NamedTuple):
    """How a group of coordinates that share a unit spreads: about the mean for points, about zero for the rest.
    `shares` of the `widest` spread along `axes` as rows; `flat`, exactly but for rounding."""

    coordinates: Int[np.ndarray, " coordinates"]
    widest: float
    shares: Float[np.ndarray, " axes"]
    axes: Float[np.ndarray, "axes coordinates"]
    flat: Bool[np.ndarray, " axes"]


def principal(action: AbstractAction, points: Float[np.ndarray, "points n"]) -> list[Spreads]:
    """Of each group of coordinates, along its principal directions, the widest first."""
    return _spreads(action, points, lambda piece: np.linalg.svd(piece, full_matrices=False)[1:])


def columnwise(action: AbstractAction, points: Float[np.ndarray, "points n"]) -> list[Spreads]:
    """Of each group of coordinates, along the coordinates themselves."""
    return _spreads(action, points, lambda piece: (np.linalg.norm(piece, axis=0), np.eye(piece.shape[1])))


def _spreads(action: AbstractAction, points: np.ndarray, along: Callable) -> list[Spreads]:
    kinds = np.repeat([kind for kind, _ in action.blocks], [width for _, width in action.blocks])
    groups = []
    for group in action.unit_groups():
        piece = points[:, group]
        if str(kinds[group[0]]).startswith(SAMPLED):
            size, count = float(np.sqrt(np.mean(piece**2))) or 1.0, len(group)
            groups.append(Spreads(group, size, np.ones(count), np.eye(count), np.zeros(count, bool)))
            continue
        sizes = np.sqrt(np.mean(piece**2, axis=0))
        if kinds[group[0]] == "points":
            piece = piece - piece.mean(axis=0)
        lengths, axes = along(piece)
        spreads = lengths / np.sqrt(len(points))
        flat = spreads <= FLAT * np.linalg.norm(axes * sizes, axis=1)
        widest = float(spreads.max()) if spreads.max() > 0 else 1.0
        groups.append(Spreads(group, widest, spreads / widest, axes, flat))
    return groups


def _thin(groups: list[Spreads], n: int) -> tuple[np.ndarray, np.ndarray]:
    """Thin directions as rows (unit vector, relative spread), and the spread each of n coordinates is measured in."""
    rows, widest = [], np.ones(n)
    for group in groups:
        widest[group.coordinates] = group.widest
        for k in np.flatnonzero((group.shares < THIN) & ~group.flat):
            row = np.zeros(n + 1)
            row[group.coordinates], row[-1] = group.axes[k], group.shares[k]
            rows.append(row)
    return np.array(rows).reshape(len(rows), n + 1), widest


def _describe(row: np.ndarray, names: tuple[str, ...]) -> str:
    axis, spread = row[:-1], row[-1]
    main = np.flatnonzero(np.abs(axis) > 0.3 * np.abs(axis).max())
    where = names[main[0]] if len(main) == 1 else "a mix of " + ", ".join(names[i] for i in main)
    return f"{where} (spread {100 * spread:.1f} % of the widest)"
