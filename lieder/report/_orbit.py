"""Orbits of a few points under the one-parameter group of a generator."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ..report._field import check_points, legend
from ..report._projections import Panel, choose_panels, lay_out, scatter
from ..report._style import CYCLE, INK, headline

_POINTS = 20_000  # of more, this many at random are looked at
_DASHES = ("-", (0, (6, 2)), (0, (2, 1.5)))


def orbit_figure(
    orbits: Float[np.ndarray, "orbits times n"],
    points: Float[np.ndarray, "points n"],
    names: Sequence[str],
    *,
    title: str,
    units: Sequence[str | None] | None = None,
) -> Figure:
    """Orbits t -> exp(t xi) x of a few points over the data, in the projections where they move most.

    An open circle marks where an orbit starts, an arrow head which way it runs. An orbit is cut where it is no longer
    finite, and the axes follow it no further than twice the range of the data.

    Arguments:
        `orbits`: one orbit per row, at ascending times.
        `points`: the data behind them; of more than 20,000, that many drawn at random with a fixed seed.
        `names`: one name per coordinate.
        `title`: the generator, usually written as a formula.
        `units`: one unit per coordinate (or `None`), written with the axis; none by default.
    Returns: a matplotlib `Figure` of its own (no pyplot).
    Raises: `ValueError` for arrays that are empty or do not fit each other, or an orbit whose start is not finite.
    """
    points = check_points("points", points, names, units)
    orbits = np.asarray(orbits, dtype=np.float64)
    if orbits.ndim != 3 or 0 in orbits.shape or orbits.shape[2] != points.shape[1]:
        raise ValueError(
            f"`orbits` must have shape (orbits, times, {points.shape[1]}), the last one the width of `points`; "
            f"got {orbits.shape}."
        )
    if not np.all(np.isfinite(orbits[:, 0])):
        bad = int(np.flatnonzero(~np.isfinite(orbits[:, 0]).all(axis=1))[0])
        raise ValueError(f"`orbits` must start at finite points, but orbit {bad} starts at {orbits[bad, 0]}.")
    if len(points) > _POINTS:
        points = points[np.random.default_rng(0).choice(len(points), _POINTS, replace=False)]
    runs = [_until_not_finite(orbit) for orbit in orbits]
    panels = _panels(runs, points)
    figure, drawn = lay_out(panels, names, units)
    for panel, axes in zip(panels, drawn, strict=True):
        scatter(axes, panel, points)
        for number, run in enumerate(runs):
            _draw(axes, panel, run, number, len(runs))
    handles = [
        Line2D([], [], marker="o", color="#b6bdc9", linestyle="", markersize=4, label="data"),
        Line2D(
            [], [], marker="o", markerfacecolor="white", markeredgecolor=INK, color="none", markersize=6, label="start"
        ),
        Line2D([], [], color=INK, linewidth=1.8, label="orbit"),
    ]
    legend(figure, handles)
    headline(figure, title)
    return figure


def _until_not_finite(orbit: Float[np.ndarray, "times n"]) -> Float[np.ndarray, "some n"]:
    bad = np.flatnonzero(~np.isfinite(orbit).all(axis=1))
    return orbit[: bad[0]] if len(bad) else orbit


def _panels(runs, points) -> list[Panel]:
    """The field's projections, judged on the steps of the orbits; the axes hold the data and the orbits near them."""
    low, high = points.min(axis=0), points.max(axis=0)
    wide = np.maximum(high - low, 1e-9 * np.maximum(np.abs(high), 1.0))
    near = [run[np.all(np.abs(run - (low + high) / 2) <= wide, axis=1)] for run in runs]
    near = [part if len(part) else run[:1] for part, run in zip(near, runs, strict=True)]
    steps = [np.gradient(run, axis=0) if len(run) > 1 else np.zeros_like(run) for run in near]
    return choose_panels(np.concatenate(near), np.concatenate(steps), data=points)


def _draw(axes, panel: Panel, run, number: int, count: int) -> None:
    colour, dash = CYCLE[number % len(CYCLE)], _DASHES[number // len(CYCLE) % len(_DASHES)]
    first = run[:, panel.pair[0]]
    # On a line orbits would cover each other: each gets its own height.
    second = np.full(len(run), -0.7 + 1.4 * (number + 1) / (count + 1)) if panel.line else run[:, panel.pair[1]]
    axes.plot(first, second, color=colour, linestyle=dash, linewidth=1.8, zorder=3)
    face: dict[str, Any] = {"markerfacecolor": "white", "markeredgecolor": colour, "markeredgewidth": 1.6}
    axes.plot(first[:1], second[:1], "o", markersize=6, zorder=4, **face)
    _arrow_head(axes, panel, first, second, colour)


def _arrow_head(axes, panel: Panel, first, second, colour) -> None:
    """An arrow head at the middle of the part of the orbit that can be seen."""
    wide = np.array([np.ptp(panel.limits[0]), 2.0 if panel.line else np.ptp(panel.limits[1])])
    path = np.stack([first, second], axis=1)
    low = np.array([panel.limits[0, 0], -1.0 if panel.line else panel.limits[1, 0]])
    gone = np.flatnonzero(np.any((path < low) | (path > low + wide), axis=1))
    path = path[: gone[0]] if len(gone) else path
    length = np.linalg.norm(np.diff(path, axis=0) / wide, axis=1)
    if length.sum() < 0.02:
        return
    reach = np.cumsum(length)
    middle = int(np.searchsorted(reach, 0.5 * reach[-1]))
    tail, head = path[middle], path[middle + 1]
    head = tail + (head - tail) * min(1.0, 0.01 / max(length[middle], 1e-300))
    style: dict[str, Any] = {
        "arrowstyle": "-|>",
        "color": colour,
        "mutation_scale": 15,
        "linewidth": 0,
        "shrinkA": 0,
        "shrinkB": 0,
    }
    axes.annotate("", xy=tuple(head), xytext=tuple(tail), arrowprops=style, zorder=4, annotation_clip=True)
