"""Functions along trajectories, in time: what is conserved runs level."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from matplotlib.figure import Figure

from lieder.report._style import CYCLE, GREY, PLAIN, blank, dress, headline, words

_PANELS = 8  # functions drawn


def traces_figure(
    times: Sequence[Float[np.ndarray, " _"]],
    values: Sequence[Float[np.ndarray, "_ k"]],
    labels: Sequence[str],
    *,
    title: str = "Along trajectories",
) -> Figure:
    """One panel a function, one line a trajectory: its values in time.

    Arguments:
        `times`: (T,) of each trajectory, in the user's unit.
        `values`: (T, k) of each trajectory, the functions in units of their spread over all data.
        `labels`: (k,) the functions as texts, written above their panels.
        `title`: the figure's title.
    Returns: a matplotlib `Figure` of its own (no pyplot); the first eight functions.
    Raises: `ValueError` where times, values and labels do not fit each other.
    """
    if len(times) != len(values) or not len(values):
        raise ValueError(f"`times`, `values`: expected one of each a trajectory, got {len(times)} and {len(values)}.")
    for i, (t, v) in enumerate(zip(times, values, strict=True)):
        if np.shape(v) != (len(t), len(labels)):
            raise ValueError(f"`values`: number {i} has shape {np.shape(v)}, expected ({len(t)}, {len(labels)}).")
    count = max(1, min(len(labels), _PANELS))
    figure = blank(7.2, 0.9 + 1.5 * count)
    panels = np.atleast_1d(figure.subplots(count, 1, sharex=True))
    reach = max(2.0, float(np.quantile(np.abs(np.concatenate(values)), 0.999, axis=0).max(initial=0.0)) * 1.05)
    for k, axes in enumerate(panels[: len(labels)]):
        dress(axes, "time" if k == count - 1 else "", "")
        for i, (t, v) in enumerate(zip(times, values, strict=True)):
            axes.plot(t, v[:, k], color=CYCLE[i % len(CYCLE)], linewidth=0.9, alpha=0.9)
        axes.set_ylim(-reach, reach)
        axes.set_title(words(labels[k], 95), fontsize=9, loc="left", **PLAIN)
        axes.grid(axis="y", which="major", color="#e5e7eb", linewidth=0.7)
    figure.supylabel("value, in units of its spread over all data", fontsize=9, color=GREY, **PLAIN)
    more = f"; {len(labels) - count} more are not drawn" if len(labels) > count else ""
    headline(figure, title, f"{len(times)} trajectories: what is conserved runs level{more}")
    return figure
