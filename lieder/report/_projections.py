"""Which two coordinates to look at, and which points to draw an arrow at."""

import itertools
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..report._style import GREY, PLAIN, blank, dress

_CANDIDATES = 12  # coordinates whose pairs are compared; the least displaced of more are left out
_SHARE = 0.05  # a further panel must show at least this share of the displacement


@dataclass(frozen=True)
class Panel:
    """One projection: the positions of its coordinates (the same one twice when there is only one) and its limits.

    Fields: `pair`; `limits` (2, 2): low and high of each axis; `zoomed`: the inner half of widely spread data.
    """

    pair: tuple[int, int]
    limits: Float[np.ndarray, "2 2"]
    zoomed: bool = False

    @property
    def line(self) -> bool:
        return self.pair[0] == self.pair[1]

    def inside(self, points: Float[np.ndarray, "points n"]) -> Bool[np.ndarray, " points"]:
        seen = points[:, list(self.pair)]
        return np.all((seen >= self.limits[:, 0]) & (seen <= self.limits[:, 1]), axis=1)


def choose_panels(
    points: Float[np.ndarray, "points n"],
    displacements: Float[np.ndarray, "points n"],
    data: Float[np.ndarray, "data n"] | None = None,
    most: int = 3,
) -> list[Panel]:
    """The projections in which the displacement is best seen, at most `most`, showing the points and the data.

    A coordinate counts by its mean squared displacement relative to its variance, so units do not matter. Pairs are
    taken greedily by what they add, preferring pairs of like range whose displacement is a function of the pair itself
    (a rotation of (x, y) is seen in (x, y), not in (x, z)). Widely spread data get a second, zoomed look.
    """
    data = points if data is None else data
    seen = np.concatenate([data, points])
    if points.shape[1] == 1:
        return [Panel((0, 0), _limits(seen[:, [0, 0]]))]
    pairs = _choose_pairs(points, displacements, seen, most)
    panels = [Panel(pair, _limits(seen[:, list(pair)])) for pair in pairs]
    return _with_zoom(data, panels, most)


def _choose_pairs(points, displacements, seen, most: int) -> list[tuple[int, int]]:
    # In units of each column's largest number, so that no square overflows.
    unit = np.maximum(np.maximum(np.abs(seen).max(axis=0), np.abs(displacements).max(axis=0)), 1e-300)
    points, displacements, seen = points / unit, displacements / unit, seen / unit
    spread = seen.std(axis=0)
    size = np.sqrt(np.mean(displacements**2, axis=0))
    flat = spread <= 1e-12 * np.abs(seen).max(axis=0)
    spread = np.where(flat, np.where(size > 0, size, 1.0), spread)
    score = (size / spread) ** 2
    order = np.argsort(-score, kind="stable")[:_CANDIDATES]
    pairs = list(itertools.combinations(sorted(order.tolist()), 2))
    weight = {pair: _affinity(points, displacements, spread, unit, pair) for pair in pairs}
    chosen: list[tuple[int, int]] = []
    left = score.copy()
    while len(chosen) < most:
        gain = [(left[i] + left[j]) * weight[i, j] for i, j in pairs]
        best = pairs[int(np.argmax(gain))]
        if chosen and left[list(best)].sum() <= _SHARE * score.sum():
            break
        chosen.append(best)
        left[list(best)] = 0.0
    return chosen


def _affinity(points, displacements, spread, unit, pair) -> float:
    """Weight in (0, 1]: how much of the pair's displacement is affine in the pair, and how alike its ranges are."""
    chosen = list(pair)
    keep = slice(None, None, max(1, len(points) // 2000))
    z = (points[keep][:, chosen] - points[keep][:, chosen].mean(axis=0)) / spread[chosen]
    d = displacements[keep][:, chosen] / spread[chosen]
    total = float(np.sum(d**2))
    design = np.column_stack([z, np.ones(len(z))])
    residual = d - design @ np.linalg.lstsq(design, d, rcond=None)[0]
    explained = 1.0 - float(np.sum(residual**2)) / total if total > 0 else 0.0
    wide = spread[chosen] * unit[chosen]
    alike = float(min(wide) / max(wide))
    return (0.25 + 0.75 * explained) * (0.25 + 0.75 * alike**0.5)


def _with_zoom(data, panels: list[Panel], most: int) -> list[Panel]:
    """After each panel whose data spread over decades the same panel on their inner half, while room lasts."""
    out: list[Panel] = []
    room = most - len(panels)
    for panel in panels:
        out.append(panel)
        seen = data[:, list(panel.pair)]
        centre = np.median(seen, axis=0)
        radius = np.max(np.abs(seen - centre) / np.maximum(np.diff(panel.limits)[:, 0], 1e-300), axis=1)
        inner, outer = np.quantile(radius, [0.5, 0.95])
        if room and len(data) >= 20 and outer > 6 * inner > 0:
            out.append(Panel(panel.pair, _limits(seen[radius <= inner]), zoomed=True))
            room -= 1
    return out


def _limits(seen: Float[np.ndarray, "points 2"]) -> Float[np.ndarray, "2 2"]:
    low, high = seen.min(axis=0), seen.max(axis=0)
    centre, half = (low + high) / 2, (high - low) / 2
    wide = half.max()
    # One constant coordinate takes the other's range, so that its ticks stay readable.
    half = np.where(
        half <= 1e-9 * np.maximum(np.abs(centre), wide),
        wide if wide > 0 else np.maximum(np.abs(centre) * 0.1, 1.0),
        half,
    )
    return np.stack([centre - 1.2 * half, centre + 1.2 * half], axis=1)


def spread_out(seen: Float[np.ndarray, "points 2"], most: int, apart: float) -> Int[np.ndarray, " chosen"]:
    """Positions of at most `most` points no two of which are closer than `apart`: farthest-point sampling."""
    if len(seen) == 0:
        return np.zeros(0, dtype=int)
    pool = np.random.default_rng(0).permutation(len(seen))[:4000]
    seen = seen[pool]
    chosen = [0]
    distance = np.linalg.norm(seen - seen[0], axis=1)
    while len(chosen) < most:
        farthest = int(np.argmax(distance))
        if distance[farthest] < apart:
            break
        chosen.append(farthest)
        distance = np.minimum(distance, np.linalg.norm(seen - seen[farthest], axis=1))
    return pool[chosen]


def lay_out(panels: list[Panel], names, units) -> tuple[Figure, list[Axes]]:
    """A figure with one set of axes per panel, labelled, with equal aspect where the two ranges are comparable."""
    wide = {1: 5.2, 2: 8.8, 3: 12.0}[len(panels)]
    box = wide / len(panels) - 0.8
    figure = blank(6.4, 2.3) if panels[0].line else blank(wide, 1.55 + box * max(map(_shape, panels)))
    drawn = []
    for place, panel in enumerate(panels):
        axes = figure.add_subplot(1, len(panels), place + 1)
        first, second = (_axis_label(names, units, index) for index in panel.pair)
        dress(axes, first, "" if panel.line else second)
        axes.set_xlim(*panel.limits[0])
        if panel.line:
            axes.set_ylim(-1, 1)
            axes.set_yticks([])
            axes.spines["left"].set_visible(False)
        else:
            axes.set_ylim(*panel.limits[1])
            if comparable(panel):
                axes.set_aspect("equal")
            else:
                axes.set_box_aspect(_shape(panel))
        if panel.zoomed:
            axes.set_title("the inner half of the data", fontsize=9, color=GREY, **PLAIN)
        drawn.append(axes)
    return figure, drawn


def _shape(panel: Panel) -> float:
    """Height of a panel by its width."""
    return float(np.ptp(panel.limits[1]) / np.ptp(panel.limits[0])) if comparable(panel) else 0.85


def comparable(panel: Panel) -> bool:
    wide = np.diff(panel.limits)[:, 0]
    return bool(wide.max() <= 2.5 * wide.min())


def scatter(axes: Axes, panel: Panel, points: Float[np.ndarray, "points n"]) -> None:
    """The data behind, light; at most 3,000 of them, as pixels when many so that a vector file stays small."""
    seen = points[panel.inside(points)]
    seen = seen[np.random.default_rng(1).permutation(len(seen))[:3000]]
    height = np.zeros(len(seen)) if panel.line else seen[:, panel.pair[1]]
    size = 7 if len(seen) > 400 else 14
    axes.scatter(
        seen[:, panel.pair[0]], height, s=size, c="#b6bdc9", linewidths=0, rasterized=len(seen) > 400, zorder=1
    )


def _axis_label(names, units, index: int) -> str:
    return str(names[index]) if not units or not units[index] else f"{names[index]} [{units[index]}]"
