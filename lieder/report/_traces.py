"""Functions along trajectories, in time: what is conserved runs level."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..report._style import CYCLE, GREY, INK, PLAIN, blank, dress, headline, words

_PANELS = 8  # functions drawn


def traces_figure(
    times: Sequence[Float[np.ndarray, " _"]],
    values: Sequence[Float[np.ndarray, "_ k"]],
    labels: Sequence[str],
    *,
    drift: Float[np.ndarray, "k 3"] | None = None,
    title: str = "Along trajectories",
) -> Figure:
    """One panel a function, one line a trajectory: its values in time.

    Arguments:
        `times`: (T,) of each trajectory, in the user's unit.
        `values`: (T, k) of each trajectory, the functions in units of their spread over all data.
        `labels`: (k,) the functions as texts, written above their panels.
        `drift`: (k, 3) of each function the mean rate of change, in these units and those of time, and the ends of its
            interval: drawn as a line over a wedge, through the mean of all values. Default: none.
        `title`: the figure's title.
    Returns: a matplotlib `Figure` of its own (no pyplot); the first eight functions.
    Raises: `ValueError` where times, values and labels do not fit each other.
    """
    if len(times) != len(values) or not len(values):
        raise ValueError(f"`times`, `values`: expected one of each a trajectory, got {len(times)} and {len(values)}.")
    for i, (t, v) in enumerate(zip(times, values, strict=True)):
        if np.shape(v) != (len(t), len(labels)):
            raise ValueError(f"`values`: number {i} has shape {np.shape(v)}, expected ({len(t)}, {len(labels)}).")
    if drift is not None and np.shape(drift) != (len(labels), 3):
        raise ValueError(f"`drift`: expected shape ({len(labels)}, 3), got {np.shape(drift)}.")
    count = max(1, min(len(labels), _PANELS))
    figure = blank(7.2, 0.9 + 1.5 * count)
    panels = np.atleast_1d(figure.subplots(count, 1, sharex=True))
    reach = max(2.0, float(np.quantile(np.abs(np.concatenate(values)), 0.999, axis=0).max(initial=0.0)) * 1.05)
    for k, axes in enumerate(panels[: len(labels)]):
        dress(axes, "time" if k == count - 1 else "", "")
        for i, (t, v) in enumerate(zip(times, values, strict=True)):
            axes.plot(t, v[:, k], color=CYCLE[i % len(CYCLE)], linewidth=0.9, alpha=0.9)
        name = words(labels[k], 95)
        if drift is not None and np.isfinite(drift[k]).all():
            name = words(labels[k], 60) + f"   drift {drift[k, 0]:.2g} ({drift[k, 1]:.2g} to {drift[k, 2]:.2g})"
            _draw_drift(axes, times, [v[:, k] for v in values], drift[k])
        axes.set_ylim(-reach, reach)
        axes.set_title(name, fontsize=9, loc="left", **PLAIN)
        axes.grid(axis="y", which="major", color="#e5e7eb", linewidth=0.7)
    label = "value, in units of its spread over all data" if count > 1 else "value / its spread"
    figure.supylabel(label, fontsize=9, color=GREY, **PLAIN)
    more = f"; {len(labels) - count} more are not drawn" if len(labels) > count else ""
    line = "; the dashed line is the drift" if drift is not None else ""
    headline(figure, title, f"{len(times)} trajectories: what is conserved runs level{line}{more}")
    return figure


def _draw_drift(axes: Axes, times: Sequence[np.ndarray], values: Sequence[np.ndarray], drift: np.ndarray) -> None:
    """Where the mean of all trajectories would go."""
    start, end = min(float(t[0]) for t in times), max(float(t[-1]) for t in times)
    centre = float(np.mean([np.mean(t - start) for t in times]))
    middle = float(np.mean(np.concatenate(values)))
    span = np.array([start, end])
    mean, low, high = (middle + rate * (span - start - centre) for rate in drift)
    axes.fill_between(span, np.minimum(low, high), np.maximum(low, high), color=GREY, alpha=0.25, linewidth=0, zorder=1)
    axes.plot(span, mean, color=INK, linewidth=1.2, linestyle=(0, (4, 2)), zorder=4)
