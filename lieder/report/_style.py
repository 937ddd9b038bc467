"""How every figure looks, set on the objects themselves: no global matplotlib state is read or written."""

import functools
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ft2font import FT2Font
from matplotlib.layout_engine import ConstrainedLayoutEngine

from ..report._words import clean

# Okabe and Ito (2008), Color Universal Design: distinct under the common colour-vision deficiencies.
BLUE = "#0072B2"
VERMILLION = "#D55E00"
GREEN = "#009E73"
PURPLE = "#CC79A7"
ORANGE = "#E69F00"
SKY = "#56B4E9"
INK = "#1f2430"
GREY = "#6b7280"
PALE = "#d5d9e0"
CYCLE = (BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY)

# The font is the one matplotlib ships, so figures look alike everywhere; a `$` in a column name is a dollar sign.
_FONT: dict[str, Any] = {"family": "DejaVu Sans", "usetex": False}
PLAIN: dict[str, Any] = {**_FONT, "parse_math": False}


def blank(width: float, height: float) -> Figure:
    """An empty white figure (inches) with its own Agg canvas, in no registry: it closes by going out of scope."""
    room = ConstrainedLayoutEngine(w_pad=0.1, h_pad=0.08, wspace=0.03)
    figure = Figure(figsize=(width, height), dpi=110, layout=room, facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def dress(axes: Axes, xlabel: str, ylabel: str) -> None:
    """Labels, spines, ticks and grid in the house style."""
    axes.set_facecolor("white")
    axes.set_axisbelow(True)
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color(GREY)
        spine.set_linewidth(0.8)
    axes.tick_params(which="major", colors=INK, labelsize=9, labelfontfamily="DejaVu Sans", width=0.8, length=4)
    axes.tick_params(which="minor", colors=GREY, width=0.5, length=2)
    axes.set_xlabel(words(xlabel, 60), fontsize=10, color=INK, **PLAIN)
    axes.set_ylabel(words(ylabel, 60), fontsize=10, color=INK, **PLAIN)


def headline(figure: Figure, title: str, note: str | None = None) -> None:
    """The figure's title, with a smaller note on its second line."""
    lines = wrapped(title, int(10.5 * figure.get_size_inches()[0]))
    text = lines if note is None else f"{lines}\n{wrapped(note, int(11.5 * figure.get_size_inches()[0]))}"
    figure.suptitle(text, fontsize=10.5, color=INK, linespacing=1.35, **PLAIN)


def wrapped(text: str, width: int) -> str:
    """Text broken at spaces into lines of at most `width` characters, words longer than that cut."""
    out: list[str] = []
    for line in words(text, 2000, lines=True).split("\n"):
        current = ""
        for word in line.split(" "):
            if current and len(current) + 1 + len(word) > width:
                out.append(current)
                current = word
            else:
                current = f"{current} {word}" if current else word
        out.append(current)
    return "\n".join(out)


def words(text: object, most: int, lines: bool = False) -> str:
    """Text for a figure: at most `most` characters, characters the font lacks written as their code point."""
    known = _glyphs()
    out = "".join(x if x == "\n" or ord(x) in known else f"\\u{ord(x):04x}" for x in clean(text, lines=lines))
    return out if len(out) <= most else out[: most - 1] + "…"


@functools.cache
def _glyphs() -> frozenset[int]:
    path = matplotlib.get_data_path() + "/fonts/ttf/DejaVuSans.ttf"
    return frozenset(FT2Font(path).get_charmap())
