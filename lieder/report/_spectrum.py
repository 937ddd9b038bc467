"""The spectrum of relative defects with the decision drawn in."""

from collections.abc import Sequence
from typing import Any

import matplotlib.ticker
import numpy as np
from jaxtyping import Float
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.transforms import ScaledTranslation

from ..report._style import BLUE, GREY, INK, PLAIN, VERMILLION, blank, dress, headline, words

_MARKED = 60  # more points than this in one group are drawn as a line: markers would merge into one
_LABELLED = 24  # more labels than this under the axis cannot be read
_CROSS = "\N{MULTIPLICATION SIGN}"
_TOP = float(np.sqrt(2.0))
_HATCHED: dict[str, Any] = {"facecolor": "#f1f3f6", "edgecolor": "#c3c9d2", "hatch": "////", "linewidth": 0}


def spectrum_figure(
    defects: Float[np.ndarray, " candidates"],
    dim: int,
    *,
    resolution: float,
    cut: float | None = None,
    labels: Sequence[str] | None = None,
    weak: Sequence[int] = (),
    title: str = "Spectrum of relative defects",
) -> Figure:
    """Relative defects on a log axis: those kept as symmetries, those rejected, and why the line is where it is.

    A defect below the resolution that was not kept is drawn as not decided.

    The gap is the ratio `defects[dim] / max(defects[dim - 1], resolution)`, shaded; with `dim` 0 it starts at the
    resolution.

    Arguments:
        `defects`: ascending, in [0, sqrt 2], no unit.
        `dim`: how many of them were kept.
        `resolution`: the defect below which the data or the rounding decide nothing; 0 draws no band.
        `cut`: the threshold of the decision, or none when the gap decided.
        `labels`: a short name of each candidate, written under the axis when there are at most 24.
        `weak`: positions in `defects`, from 0, that the data determine only weakly: open markers.
        `title`: the figure's title.
    Returns: a matplotlib `Figure` of its own (no pyplot).
    Raises: `ValueError` for defects that are not an ascending list of finite numbers >= 0, or the other arguments
        not fitting them.
    """
    defects = _checked(defects, dim, resolution, cut, labels, weak)
    count = len(defects)
    floor = _floor(defects, resolution)
    height = np.maximum(defects, floor)
    figure = blank(7.2, 4.4)
    axes = figure.add_subplot()
    dress(
        axes,
        "candidate, by ascending defect",
        "relative defect",
    )
    axes.set_yscale("log")
    decades = np.log10(_TOP / floor)
    axes.set_ylim(floor * 10 ** (-0.08 * decades), _TOP * 10 ** (0.09 * decades))
    if count > _MARKED:
        axes.set_xscale("log")  # the few that matter are at the left
        axes.set_xlim(0.8, count * 1.25)
    else:
        axes.set_xlim(0.4, count + 0.6)
    axes.grid(axis="y", which="major", color="#e5e7eb", linewidth=0.7)
    axes.yaxis.set_major_locator(matplotlib.ticker.LogLocator(numticks=9))
    _ticks(axes, count, labels)

    _draw_resolution(axes, resolution, floor, above=bool(height[-max(1, count // 3)] < resolution))
    _draw_gap(axes, defects, dim, resolution)
    axes.axhline(_TOP, color=GREY, linewidth=0.9, linestyle=(0, (1, 2)))
    _note(axes, _TOP, "√2, the largest possible", above=True)
    if cut is not None:
        axes.axhline(max(cut, floor), color=INK, linewidth=1.1, linestyle=(0, (5, 3)), zorder=2)

    handles = _draw_points(figure, axes, defects, floor, dim, resolution, weak)
    if resolution >= _TOP:  # its label would lie on that of the largest possible
        handles.append(Patch(**_HATCHED, label=f"not resolved (up to {resolution:.2g})"))
    if cut is not None:
        label = f"cut {cut:.2g}"
        handles.append(Line2D([], [], color=INK, linewidth=1.1, linestyle=(0, (5, 3)), label=label))
    _legend(figure, handles)
    headline(figure, title)
    return figure


def _draw_points(figure: Figure, axes: Axes, defects, floor: float, dim: int, resolution, weak) -> list[Artist]:
    """Defects by what was decided, the weak ones open, zeros with a caret below; returns the legend's entries."""
    count = len(defects)
    height = np.maximum(defects, floor)
    place = np.arange(1, count + 1)
    open_ones = np.isin(np.arange(count), np.asarray(weak, dtype=int))
    kept = np.arange(count) < dim
    undecided = ~kept & (defects < resolution)  # what the data do not resolve they do not reject either
    handles: list[Artist] = []
    groups = (
        (kept, "kept", BLUE, "o"),
        (undecided, "not decided", GREY, "D"),
        (~kept & ~undecided, "rejected", VERMILLION, "s"),
    )
    for chosen, name, colour, marker in groups:
        if not chosen.any():
            continue
        number = int(chosen.sum())
        marked = number <= _MARKED
        style: dict[str, Any] = {
            "color": colour,
            "marker": marker if marked else "",
            "linestyle": "" if marked else "-",
        }
        solid = chosen & ~open_ones if marked else chosen
        axes.plot(place[solid], height[solid], markersize=6.5, linewidth=2.2, zorder=4, **style)
        outlined = chosen & open_ones
        if outlined.sum() <= _MARKED:
            face: dict[str, Any] = {"markerfacecolor": "white", "markeredgecolor": colour, "markeredgewidth": 1.7}
            axes.plot(place[outlined], height[outlined], marker, markersize=7, zorder=5, **face)
        handles.append(Line2D([], [], markersize=6.5, linewidth=2.2, label=f"{name} ({number})", **style))
    if open_ones.any():
        face: dict[str, Any] = {
            "markerfacecolor": "white",
            "markeredgecolor": GREY,
            "markeredgewidth": 1.7,
            "color": "none",
        }
        label = f"weakly determined ({int(open_ones.sum())})"
        handles.append(Line2D([], [], marker="o", markersize=7, label=label, **face))
    clipped = defects < floor
    if clipped.any():
        if clipped.sum() <= _MARKED:
            below = axes.transData + ScaledTranslation(0, -0.055, figure.dpi_scale_trans)
            caret: dict[str, Any] = {"marker": 11, "color": GREY, "linestyle": "", "markersize": 6, "clip_on": False}
            axes.plot(place[clipped], height[clipped], transform=below, **caret)
        label = f"below the axis ({int(clipped.sum())})"
        handles.append(Line2D([], [], marker=11, color=GREY, linestyle="", markersize=6, label=label))
    return handles


def _checked(defects, dim, resolution, cut, labels, weak) -> Float[np.ndarray, " candidates"]:
    defects = np.asarray(defects, dtype=np.float64)
    if defects.ndim != 1 or defects.size == 0:
        raise ValueError(f"`defects` must be a list of at least one number, got shape {defects.shape}.")
    if not np.all(np.isfinite(defects)) or defects.min() < 0:
        bad = int(np.flatnonzero(~(np.isfinite(defects) & (defects >= 0)))[0])
        raise ValueError(f"`defects` must be finite and >= 0, but entry {bad} is {defects[bad]}.")
    if np.any(np.diff(defects) < 0):
        raise ValueError("`defects` must be in ascending order. Sort them, and whatever belongs to them, first.")
    if not 0 <= dim <= len(defects):
        raise ValueError(f"`dim` must be between 0 and the number of defects, {len(defects)}; got {dim}.")
    if not np.isfinite(resolution) or resolution < 0:
        raise ValueError(f"`resolution` must be a finite number >= 0, got {resolution}. Give 0 for no band.")
    if cut is not None and not (np.isfinite(cut) and cut >= 0):
        raise ValueError(f"`cut` must be a finite number >= 0 or None, got {cut}.")
    if labels is not None and len(labels) != len(defects):
        raise ValueError(f"`labels` must have one entry per defect: got {len(labels)} for {len(defects)} defects.")
    if any(not 0 <= index < len(defects) for index in weak):
        raise ValueError(f"`weak` must hold positions from 0 to {len(defects) - 1}, got {tuple(weak)}.")
    return defects


def _floor(defects, resolution) -> float:
    """Where zeros are drawn: a third of the smallest number to be shown, at most four decades below the resolution."""
    positive = [*defects[defects > 0], *([resolution] if resolution > 0 else [])]
    lowest = max(min(positive), 1e-4 * resolution) / 3 if positive else 1e-16
    return float(np.clip(lowest, 1e-300, 0.1))


def _ticks(axes: Axes, count: int, labels) -> None:
    axes.xaxis.set_minor_locator(matplotlib.ticker.NullLocator())
    if count > _MARKED:
        axes.xaxis.set_major_formatter(matplotlib.ticker.FuncFormatter(lambda value, _: f"{value:g}"))
    elif labels is None and count <= _LABELLED:
        axes.set_xticks(range(1, count + 1))
    elif labels is not None and count <= _LABELLED:
        texts = [words(label, 26) for label in labels]
        long = max(map(len, texts)) * count > 70
        turn: dict[str, Any] = {"rotation": 35, "ha": "right", "rotation_mode": "anchor"} if long else {}
        axes.set_xticks(range(1, count + 1), texts, fontsize=8 if long else 9, **turn, **PLAIN)
    else:
        axes.xaxis.set_major_locator(matplotlib.ticker.MaxNLocator(integer=True, min_n_ticks=1))


def _draw_resolution(axes: Axes, resolution: float, floor: float, above: bool) -> None:
    if resolution > 0:
        axes.axhspan(floor / 1e3, resolution, **_HATCHED, zorder=0)
        axes.axhline(resolution, color=GREY, linewidth=0.9, zorder=1)
        if resolution < _TOP:
            _note(axes, resolution, f"resolution {resolution:.2g}", above=above)


def _draw_gap(axes: Axes, defects, dim: int, resolution: float) -> None:
    """The band between the last kept and the first rejected defect, as far as it lies above the resolution."""
    if dim == len(defects):
        return
    low = max(defects[dim - 1] if dim else 0.0, resolution)
    high = defects[dim]
    if low <= 0 or high <= low:
        return
    axes.axhspan(low, high, facecolor=BLUE, alpha=0.10, linewidth=0, zorder=0.5)
    ratio = f"{high / low:.3g}" if high / low < 1e4 else f"{high / low:.0e}".replace("e+0", "e").replace("e+", "e")
    text = f"gap {_CROSS} {ratio}" if dim else f"smallest defect is {ratio} {_CROSS} the resolution"
    box: dict[str, Any] = {
        "boxstyle": "round,pad=0.25",
        "facecolor": "white",
        "edgecolor": BLUE,
        "linewidth": 0.6,
        "alpha": 0.92,
    }
    middle = float(np.sqrt(low * high))
    axes.text(
        0.985,
        middle,
        text,
        transform=axes.get_yaxis_transform(),
        ha="right",
        va="center",
        fontsize=9,
        color=BLUE,
        bbox=box,
        zorder=3,
        **PLAIN,
    )


def _note(axes: Axes, height: float, text: str, above: bool) -> None:
    box: dict[str, Any] = {"boxstyle": "round,pad=0.15", "facecolor": "white", "edgecolor": "none", "alpha": 0.85}
    axes.annotate(
        text,
        (0.985, height),
        xycoords=axes.get_yaxis_transform(),
        xytext=(0, 4 if above else -5),
        textcoords="offset points",
        ha="right",
        va="bottom" if above else "top",
        fontsize=8.5,
        color=GREY,
        bbox=box,
        zorder=6,
        **PLAIN,
    )


def _legend(figure: Figure, handles: list[Artist]) -> None:
    figure.legend(
        handles=handles,
        loc="outside lower center",
        ncols=len(handles) if len(handles) <= 4 else 3,
        frameon=False,
        labelcolor=INK,
        prop={"family": "DejaVu Sans", "size": 9},
    )
