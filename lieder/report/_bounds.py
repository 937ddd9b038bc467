"""Defects with their simultaneous bounds, in three sets."""

import numpy as np
from jaxtyping import Float
from matplotlib.figure import Figure

from ..report._style import BLUE, GREY, INK, PLAIN, VERMILLION, blank, dress, headline

_LEAST = 1e-3  # share of delta below which a bound is drawn at the edge
_TOP = 2.0
SETS = ("symmetric to within delta", "undecided", "broken")


def bounds_figure(
    defects: Float[np.ndarray, " k"],
    lower: Float[np.ndarray, " k"],
    upper: Float[np.ndarray, " k"],
    *,
    delta: float,
    at_least: int,
    at_most: int,
    weak: int = 0,
    title: str = "Relative defects with simultaneous bounds",
) -> Figure:
    """Each direction's defect as a dot, its bounds as a bar, coloured by what is certified of it.

    Arguments: `defects`, `lower`, `upper` (k,), in the order of the certificate; `delta`, drawn as a line; `at_least`,
        the first so many are symmetric; `at_most`, those beyond are broken; `weak`, the last so many are not judged.
    Returns: a matplotlib figure of its own.
    Raises: ValueError for bounds of another number than defects.
    """
    if not len(defects) == len(lower) == len(upper):
        raise ValueError(f"lower and upper must hold {len(defects)} bounds, got {len(lower)} and {len(upper)}.")
    count, floor = len(defects), _LEAST * delta
    figure = blank(7.2, 4.0)
    axes = figure.add_subplot()
    dress(axes, "direction, by ascending defect", "relative defect")
    axes.set_yscale("log")
    axes.set_ylim(floor, _TOP)
    axes.set_xlim(0.4, count + 0.6)
    axes.grid(axis="y", which="major", color="#e5e7eb", linewidth=0.7)
    position = np.arange(1, count + 1)
    axes.set_xticks(position if count <= 24 else position[:: -(-count // 12)])
    judged = position <= count - weak
    sets = [position <= at_least, np.zeros(count, bool), judged & (position > at_most - weak)]
    sets[1] = ~(sets[0] | sets[2])
    for mine, colour, label in zip(sets, (BLUE, GREY, VERMILLION), SETS, strict=True):
        if mine.any():
            low, high = np.clip(lower[mine], floor, _TOP), np.clip(upper[mine], floor, _TOP)
            axes.vlines(position[mine], low, high, color=colour, linewidth=5, alpha=0.35, zorder=2)
            axes.scatter(position[mine], np.clip(defects[mine], floor, _TOP), s=26, color=colour, zorder=3, label=label)
    axes.axhline(delta, color=INK, linewidth=1.0, linestyle=(0, (4, 2)))
    axes.annotate(
        f"delta = {delta:g}",
        (count + 0.55, delta),
        xytext=(0, 3),
        textcoords="offset points",
        ha="right",
        va="bottom",
        color=INK,
        fontsize=9,
        **PLAIN,
    )
    axes.legend(loc="lower right", frameon=True, framealpha=0.9, edgecolor="none", fontsize=9)
    headline(figure, title)
    return figure
