"""The lattice of subgroups, each at its order and its defect, and what is read of it."""

from collections.abc import Sequence

import matplotlib.ticker
import numpy as np
from jaxtyping import Float, Int
from matplotlib.figure import Figure

from ..report._style import GREEN, GREY, INK, ORANGE, PALE, PLAIN, VERMILLION, blank, dress, headline, words

_COLOURS = {"holds": GREEN, "follows": GREEN, "undecided": ORANGE, "broken": VERMILLION}
_LABELLED = 24  # more nodes than this in one row have no room for names
_TOP = 2.0


def lattice_figure(
    orders: Int[np.ndarray, " s"],
    labels: Sequence[str],
    readings: Sequence[str],
    below: Sequence[tuple[int, int]],
    chosen: int | None = None,
    *,
    title: str = "Subgroups",
) -> Figure:
    """Subgroups by their order, from the trivial one below to the whole above; lines join each to the next larger ones.

    Arguments: `orders` (s,), numbers of elements; `labels` (s,), names, a line each; `readings` (s,): "holds",
        "undecided", "broken"; `below`, pairs (smaller, larger) that are joined; `chosen`, the answer, set in a frame.
    Returns: a matplotlib `Figure` of its own (no pyplot).
    Raises: `ValueError` where lengths differ, or for an unknown reading.
    """
    if not len(orders) == len(labels) == len(readings):
        raise ValueError(f"`labels`, `readings`: expected {len(orders)}, got {len(labels)} and {len(readings)}.")
    _check(readings)
    levels = sorted({int(order) for order in orders})
    widest = max(int(np.sum(np.asarray(orders) == order)) for order in levels)
    wide = float(np.clip(1.15 * widest, 5.0, 11.0))
    figure = blank(wide, 0.9 + 0.85 * len(levels))
    axes = figure.add_subplot()
    dress(axes, "", "order")
    place = np.empty((len(orders), 2))
    for height, order in enumerate(levels):
        row = np.flatnonzero(np.asarray(orders) == order)
        place[row] = np.stack([np.arange(len(row)) - (len(row) - 1) / 2, np.full(len(row), height)], axis=1)
    for small, large in below:
        axes.plot(*place[[small, large]].T, color=PALE, linewidth=1.0, zorder=1)
    for k, (label, reading) in enumerate(zip(labels, readings, strict=True)):
        axes.annotate(
            words(label, 60, lines=True) if widest <= _LABELLED else "",
            tuple(place[k]),
            ha="center",
            va="center",
            fontsize=8,
            color=INK,
            zorder=3,
            bbox={
                "boxstyle": "round,pad=0.35",
                "facecolor": "white",
                "edgecolor": _COLOURS[reading],
                "linewidth": 2.6 if k == chosen else 1.2,
            },
            **PLAIN,
        )
    axes.set_xlim(-0.5 * widest - 0.2, 0.5 * widest + 0.2)
    axes.set_ylim(-0.55, len(levels) - 0.45)
    axes.set_xticks([])
    axes.spines["bottom"].set_visible(False)
    axes.set_yticks(range(len(levels)), [str(order) for order in levels], **PLAIN)
    for reading in dict.fromkeys(readings):
        axes.scatter([], [], color=_COLOURS[reading], s=30, label=reading)
    axes.legend(loc="upper right", frameon=False, fontsize=8, ncols=3, bbox_to_anchor=(1.0, 1.08))
    note = "the largest one that holds has a thick frame" if chosen is not None else None
    headline(figure, title, note)
    return figure


def elements_figure(
    defects: Float[np.ndarray, " G"],
    resolutions: Float[np.ndarray, " G"],
    readings: Sequence[str],
    *,
    delta: float | None,
    title: str = "Elements",
) -> Figure:
    """The defect of each element, ascending, against what is known of it: three and more standard errors, as bars.

    Arguments: `defects` (G,), not NaN; `resolutions` (G,), standard errors; `readings` (G,), as those of a
        `lattice_figure`, or "follows"; `delta`, the defect that must be ruled out, drawn as a line, None for none.
    Returns: a matplotlib `Figure` of its own (no pyplot).
    Raises: `ValueError` where lengths differ, or for an unknown reading.
    """
    if not len(defects) == len(resolutions) == len(readings):
        raise ValueError(f"`resolutions`, `readings`: expected {len(defects)}, one for each defect.")
    _check(readings)
    seen = np.concatenate([defects, 3 * resolutions])
    seen = seen[np.isfinite(seen) & (seen > 0)]
    floor = max(1e-16, float(seen.min(initial=1.0)) / 3)
    top = max(_TOP, 1.5 * float(np.max(defects, initial=0.0)))
    figure = blank(7.2, 3.8)
    axes = figure.add_subplot()
    dress(axes, "element, by ascending defect", "relative defect")
    axes.set_yscale("log")
    axes.set_ylim(floor, top)
    axes.yaxis.set_major_locator(matplotlib.ticker.LogLocator(numticks=8))
    axes.grid(axis="y", which="major", color="#e5e7eb", linewidth=0.7)
    order = np.argsort(defects, kind="stable")
    position = np.arange(1, len(defects) + 1)
    axes.set_xlim(0.4, max(len(defects), 1) + 0.6)
    axes.set_xticks(position if len(defects) <= 24 else position[:: -(-len(defects) // 12)])
    known = np.clip(3 * resolutions[order], floor, top)
    axes.vlines(position, floor, known, color=PALE, linewidth=5, zorder=1, label="three standard errors")
    sorted_readings = np.asarray(readings)[order]
    for reading in dict.fromkeys(sorted_readings.tolist()):
        mine = sorted_readings == reading
        height = np.clip(defects[order][mine], floor, top)
        axes.scatter(position[mine], height, s=22, color=_COLOURS[reading], label=reading, zorder=3)
    if delta is not None:
        axes.axhline(delta, color=INK, linewidth=1.0, linestyle=(0, (4, 2)))
        axes.annotate(
            f"to be ruled out: {delta:g}",
            (len(defects) + 0.55, delta),
            xytext=(0, 3),
            textcoords="offset points",
            ha="right",
            va="bottom",
            fontsize=8,
            color=GREY,
            **PLAIN,
        )
    axes.legend(loc="lower right", frameon=True, framealpha=0.9, edgecolor="none", fontsize=8)
    headline(figure, title)
    return figure


def _check(readings: Sequence[str]) -> None:
    for reading in readings:
        if reading not in _COLOURS:
            raise ValueError(f"`readings` must be among {', '.join(_COLOURS)}, got {reading!r}.")
