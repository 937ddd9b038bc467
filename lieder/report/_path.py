"""A path over strengths: errors on examples left out, and the singular values that survive."""

from typing import Any

import matplotlib.ticker
import numpy as np
from jaxtyping import Float, Int
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ..report._style import BLUE, GREY, INK, PALE, PLAIN, VERMILLION, blank, dress, headline

_FLOOR = 1e-6  # smaller shares of the largest singular value are drawn here


def path_figure(
    alphas: Float[np.ndarray, " s"],
    error: Float[np.ndarray, " s"],
    deviation: Float[np.ndarray, " s"],
    singular_values: Float[np.ndarray, "s q"],
    kept: Int[np.ndarray, " s"],
    chosen: int,
    *,
    title: str = "Path over strengths",
) -> Figure:
    """Two panels over alpha, which falls to the right: errors with their band; singular values, kept and broken.

    Arguments:
        `alphas`: the strengths, descending.
        `error`, `deviation`: the mean squared error on examples left out and its standard error, in the square of the
            outputs' unit.
        `singular_values`: of L_F, at each strength.
        `kept`: how many of them count as zero.
        `chosen`: the position of the strength taken.
        `title`: the figure's title.
    Returns: a matplotlib `Figure` of its own (no pyplot).
    Raises: `ValueError` for arrays of different lengths, or a position outside of them.
    """
    count = len(alphas)
    given = (error, deviation, singular_values, kept)
    if any(len(values) != count for values in given):
        raise ValueError(f"`error`, `deviation`, `singular_values`, `kept`: expected {count} rows, one for each alpha.")
    if not 0 <= chosen < count:
        raise ValueError(f"`chosen` must be between 0 and {count - 1}, got {chosen}.")
    figure = blank(7.2, 5.4)
    top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=[1.0, 1.15])
    dress(top, "", "squared error, left out")
    dress(bottom, "strength alpha (falls to the right)", "singular value / largest")
    best = int(np.argmin(error))
    _errors(top, alphas, error, deviation, best, chosen)
    _values(bottom, alphas, singular_values, kept)
    for axes in (top, bottom):
        axes.axvline(alphas[chosen], color=INK, linewidth=1.1, linestyle=(0, (5, 3)), zorder=1)
    top.set_xscale("log")
    bottom.xaxis.set_major_locator(matplotlib.ticker.LogLocator(numticks=9))
    top.yaxis.set_major_locator(matplotlib.ticker.LogLocator(numticks=6))
    if count > 1:
        room = (alphas[0] / alphas[-1]) ** 0.02
        top.set_xlim(alphas[0] * room, alphas[-1] / room)
    figure.legend(
        handles=_legend(),
        loc="outside lower center",
        ncols=3,
        frameon=False,
        labelcolor=INK,
        prop={"family": "DejaVu Sans", "size": 9},
    )
    note = f"chosen alpha {alphas[chosen]:.3g} keeps {kept[chosen]} of {singular_values.shape[1]} candidates"
    headline(figure, title, note)
    return figure


def _errors(axes: Axes, alphas, error, deviation, best: int, chosen: int) -> None:
    # A standard error as large as the mean has no lower end on this axis.
    low = np.maximum(error - deviation, 0.3 * error)
    axes.fill_between(alphas, low, error + deviation, color=BLUE, alpha=0.15, linewidth=0)
    axes.plot(alphas, error, color=BLUE, linewidth=1.8, marker="o", markersize=3, zorder=3)
    axes.axhline(error[best] + deviation[best], color=GREY, linewidth=0.9, linestyle=(0, (1, 2)), zorder=1)
    axes.plot(alphas[best], error[best], "D", color=BLUE, markersize=7, zorder=5)
    face: dict[str, Any] = {"markerfacecolor": "white", "markeredgecolor": INK, "markeredgewidth": 1.7}
    axes.plot(alphas[chosen], error[chosen], "o", markersize=8.5, zorder=6, **face)
    axes.set_yscale("log" if error.min() > 0 else "linear")
    axes.grid(axis="y", which="major", color="#e5e7eb", linewidth=0.7)


def _values(axes: Axes, alphas, singular_values, kept) -> None:
    values = np.sort(singular_values, axis=1)[:, ::-1]
    q = values.shape[1]
    largest = values.max(axis=1, keepdims=True)
    share = np.where(largest > 0, np.maximum(values / np.where(largest > 0, largest, 1.0), _FLOOR), _FLOOR)
    share[kept == q] = _FLOOR  # where nothing is broken the largest is rounding
    broken = np.arange(q)[None] < (q - kept)[:, None]
    axes.plot(alphas, share, color=PALE, linewidth=0.8, zorder=2)
    for mask, colour, marker in ((broken, VERMILLION, "s"), (~broken, BLUE, "o")):
        i, j = np.nonzero(mask)
        axes.plot(alphas[i], share[i, j], marker, color=colour, markersize=3.2, linestyle="", zorder=3)
    axes.set_yscale("log")
    axes.set_ylim(_FLOOR / 2.5, 12.0)
    axes.yaxis.set_major_locator(matplotlib.ticker.FixedLocator([1e-6, 1e-4, 1e-2, 1.0]))
    labels = ["10⁻⁶ or less", "10⁻⁴", "0.01", "1"]
    axes.yaxis.set_major_formatter(matplotlib.ticker.FixedFormatter(labels))
    axes.yaxis.set_minor_locator(matplotlib.ticker.NullLocator())
    axes.grid(axis="y", which="major", color="#e5e7eb", linewidth=0.7)
    # How many are kept, where the number changes and there is room.
    last = -np.inf
    place = np.log(alphas[0] / alphas)
    width = max(place[-1], 1e-12)
    for i in range(len(alphas)):
        if (i == 0 or kept[i] != kept[i - 1]) and place[i] - last >= 0.04 * width:
            axes.text(alphas[i], 3.2, f"{kept[i]}", ha="center", fontsize=9, color=BLUE, **PLAIN)
            last = place[i]
    axes.text(
        1.0, 3.2, "candidates kept", transform=axes.get_yaxis_transform(), ha="right", fontsize=9, color=BLUE, **PLAIN
    )


def _legend() -> list[Line2D]:
    face: dict[str, Any] = {"markerfacecolor": "white", "markeredgecolor": INK, "markeredgewidth": 1.7}
    dashes: dict[str, Any] = {"color": INK, "linewidth": 1.1, "linestyle": (0, (5, 3))}
    return [
        Line2D([], [], marker="D", color=BLUE, linestyle="", markersize=6.5, label="least error"),
        Line2D([], [], marker="o", markersize=8, label="chosen", **face, **dashes),
        Line2D([], [], color=GREY, linewidth=0.9, linestyle=(0, (1, 2)), label="one standard error above the least"),
        Line2D([], [], color=BLUE, linewidth=6, alpha=0.2, label="± one standard error"),
        Line2D([], [], marker="s", color=VERMILLION, linestyle="", markersize=5, label="broken candidates"),
        Line2D([], [], marker="o", color=BLUE, linestyle="", markersize=5, label="kept candidates"),
    ]
