"""Strips of pictures, and how far pictures were transformed."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from matplotlib.figure import Figure

from ._style import BLUE, GREY, INK, PALE, PLAIN, VERMILLION, blank, dress, headline, words

SIDE = 0.62  # inches of one picture
CRITICAL = 1.36  # Kolmogorov and Smirnov, 5 %, times the root of how many there are


def strips_figure(
    rows: Sequence[tuple[str, Float[np.ndarray, "pictures c h w"]]], title: str, note: str | None = None
) -> Figure:
    """Rows of pictures, one colour map for all: dark is much.

    Arguments: `rows`, each a label and as many pictures, of 1 or 3 channels; `title`; `note`, below it.
    Returns: the figure.
    """
    many = max(len(pictures) for _, pictures in rows)
    figure = blank(1.6 + SIDE * many, 0.7 + SIDE * len(rows))
    low = min(float(pictures.min()) for _, pictures in rows)
    high = max(float(pictures.max()) for _, pictures in rows)
    grid = figure.subplots(len(rows), many, squeeze=False)
    for line, (label, pictures) in zip(grid, rows, strict=True):
        for k, axes in enumerate(line):
            axes.set(xticks=[], yticks=[])
            for spine in axes.spines.values():
                spine.set_color(PALE)
                spine.set_visible(k < len(pictures))
            if k >= len(pictures):
                continue
            if pictures.shape[1] == 3:
                axes.imshow(np.clip(np.moveaxis((pictures[k] - low) / (high - low or 1), 0, 2), 0, 1))
            else:
                axes.imshow(pictures[k, 0], cmap="gray_r", vmin=low, vmax=high)
        line[0].set_ylabel(words(label, 30), rotation=0, ha="right", va="center", fontsize=9, color=INK, **PLAIN)
    headline(figure, title, note)
    return figure


def spreads_figure(
    spreads: Sequence[tuple[str, Float[np.ndarray, " draws"], str]], ranks: Float[np.ndarray, "pictures q"], title: str
) -> Figure:
    """Above the distribution of each transformation, below how its ranks depart from a uniform distribution.

    Arguments: `spreads`, of each what is said of it, its draws in the unit that is shown, and that unit; `ranks`, a
        column for each; `title`.
    Returns: the figure.
    """
    q = len(spreads)
    figure = blank(max(4.2, 3.1 * q), 5.0)
    grid = figure.subplots(2, q, squeeze=False, height_ratios=(3, 2))
    for k, (label, draws, unit) in enumerate(spreads):
        above, below = grid[0, k], grid[1, k]
        above.hist(draws, bins=61, density=True, color=BLUE, alpha=0.75)
        dress(above, unit, "density" if k == 0 else "")
        above.set_yticks([])
        above.set_title(words(label, 44), fontsize=9, color=INK, **PLAIN)
        n = len(ranks)
        share = (np.arange(n) + 0.5) / n
        line = CRITICAL / np.sqrt(n)
        below.axhspan(-line, line, color=PALE, lw=0)
        below.axhline(0, color=GREY, lw=0.8)
        below.plot(share, np.sort(ranks[:, k]) - share, color=VERMILLION, lw=1.4)
        reach = max(2.5 * line, 1.1 * float(np.abs(np.sort(ranks[:, k]) - share).max()))
        below.set(xlim=(0, 1), ylim=(-reach, reach))
        dress(below, "share of pictures", "rank - share" if k == 0 else "")
    headline(figure, title, "Below: ranks of held-out pictures; within the band a density is calibrated.")
    return figure
