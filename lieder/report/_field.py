"""One generator as a vector field over the data."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ..report._projections import Panel, choose_panels, lay_out, scatter, spread_out
from ..report._style import BLUE, INK, headline

_ARROWS = 300  # more cannot be told apart on one panel
_POINTS = 20_000  # of more, this many at random are looked at
_APART = 0.05  # of a panel's width, between the feet of two arrows
_LONGEST = 0.08  # of a panel's width
_UNEVEN = 6.0  # arrows whose lengths differ by more are drawn by their square roots


def field_figure(
    points: Float[np.ndarray, "points n"],
    displacements: Float[np.ndarray, "points n"],
    names: Sequence[str],
    *,
    title: str,
    units: Sequence[str | None] | None = None,
) -> Figure:
    """A generator over the data: an arrow from a point x along its displacement theta(x), in up to three projections.

    The projections are the pairs of coordinates with the largest mean squared displacement relative to their variance.
    Arrows are all scaled by one factor in a panel, to be seen; where their lengths differ widely, by the square root of
    length, which the title then says. Data spread over decades get a second panel with their inner half.

    Arguments:
        `points`: the data, in their own units; of more than 20,000, that many drawn at random with a fixed seed.
        `displacements`: the generator at each point, same shape and units.
        `names`: one name per coordinate.
        `title`: the generator, usually written as a formula.
        `units`: one unit per coordinate (or `None`), written with the axis; none by default.
    Returns: a matplotlib `Figure` of its own (no pyplot).
    Raises: `ValueError` for arrays that are empty, not finite or do not fit each other.
    """
    points = check_points("points", points, names, units)
    displacements = check_points("displacements", displacements, names, units)
    if displacements.shape != points.shape:
        raise ValueError(
            f"`displacements` must have the shape of `points`, {points.shape}; got {displacements.shape}. "
            "Give one displacement per point."
        )
    if len(points) > _POINTS:
        some = np.random.default_rng(0).choice(len(points), _POINTS, replace=False)
        points, displacements = points[some], displacements[some]
    panels = choose_panels(points, displacements)
    figure, drawn = lay_out(panels, names, units)
    feet_and_steps = [_chosen(panel, points, displacements) for panel in panels]
    # One rule for the whole figure, so that its title can say it.
    uneven = any(_is_uneven(step) for _, step in feet_and_steps)
    for panel, axes, (foot, step) in zip(panels, drawn, feet_and_steps, strict=True):
        scatter(axes, panel, points)
        if len(foot):
            _arrows(axes, panel, foot, step, uneven)
    handles = [
        Line2D([], [], marker="o", color="#b6bdc9", linestyle="", markersize=4, label="data"),
        Line2D([], [], marker=r"$\rightarrow$", color=BLUE, linestyle="", markersize=13, label="displacement"),
    ]
    legend(figure, handles)
    note = "no point is displaced" if not displacements.any() else None
    headline(figure, title, "arrow length: square root of the displacement" if uneven else note)
    return figure


def _chosen(panel: Panel, points, displacements) -> tuple[np.ndarray, np.ndarray]:
    """Feet of a panel's arrows, in data units, and their steps, as shares of the panel's width and height."""
    here = panel.inside(points)
    pair = list(panel.pair)
    wide = np.diff(panel.limits)[:, 0]
    foot = points[here][:, pair]
    step = displacements[here][:, pair] / wide
    if panel.line:
        foot[:, 1] = 0.0
        step[:, 1] = 0.0
    moved = np.any(step != 0, axis=1)
    foot, step = foot[moved], step[moved]
    apart = 2 * _APART if panel.line else _APART
    chosen = spread_out((foot - panel.limits[:, 0]) / wide, _ARROWS, apart)
    return foot[chosen], step[chosen]


def _is_uneven(step: Float[np.ndarray, "arrows 2"]) -> bool:
    if len(step) == 0:
        return False
    low, high = np.quantile(np.hypot(step[:, 0], step[:, 1]), [0.1, 0.95])
    return bool(high > _UNEVEN * low)


def _arrows(axes, panel: Panel, foot, step, uneven: bool) -> None:
    length = np.hypot(step[:, 0], step[:, 1])  # no square that underflows
    share = length / np.quantile(length, 0.95)
    # Outliers stay on the panel, and the shortest keep a direction.
    drawn = _LONGEST * np.clip(np.sqrt(share) if uneven else share, 0.12, 1.25)
    arrow = step / length[:, None] * drawn[:, None] * np.diff(panel.limits)[:, 0]
    axes.quiver(
        foot[:, 0],
        foot[:, 1],
        arrow[:, 0],
        arrow[:, 1],
        color=BLUE,
        angles="xy",
        scale_units="xy",
        scale=1.0,
        units="width",
        width=0.0042 if not panel.line else 0.005,
        headwidth=4.2,
        headlength=4.6,
        headaxislength=4.1,
        minlength=0.3,
        zorder=3,
    )


def check_points(argument: str, values, names, units=None) -> Float[np.ndarray, "points n"]:
    """A finite float64 table with one column per name, or a `ValueError` naming the argument."""
    values = np.asarray(values, dtype=np.float64)
    if values.ndim != 2 or 0 in values.shape:
        raise ValueError(f"`{argument}` must be a non-empty (points, coordinates) table, got shape {values.shape}.")
    if len(names) != values.shape[1]:
        raise ValueError(
            f"`names` must have one entry per coordinate: got {len(names)} for {values.shape[1]} in `{argument}`."
        )
    if units is not None and len(units) != values.shape[1]:
        raise ValueError(f"`units` must have one entry per coordinate: got {len(units)} for {values.shape[1]}.")
    if not np.all(np.isfinite(values)):
        row, column = np.argwhere(~np.isfinite(values))[0]
        raise ValueError(
            f"`{argument}` must be finite, but row {row}, coordinate {names[column]!r} is {values[row, column]}. "
            "Leave out such rows."
        )
    return values


def legend(figure: Figure, handles: list[Line2D]) -> None:
    figure.legend(
        handles=handles,
        loc="outside lower center",
        ncols=len(handles),
        frameon=False,
        labelcolor=INK,
        prop={"family": "DejaVu Sans", "size": 9},
    )
