"""Draw docs/images/recovery.png and docs/images/recovery-cost.png from what benchmarks/recovery.py measured.

python benchmarks/recovery.py medians --out medians.json
python benchmarks/recovery.py scale --out scale.json
python docs/make_recovery_figure.py medians.json scale.json      # the second file is optional
"""

import json
import sys
from collections import defaultdict
from math import comb
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

IMAGES = Path(__file__).parent / "images"
INK, GREY = "#1f2430", "#6b7280"
KINDS = {
    ("ortho", "t"): ("translations t(m), F of r linear features", "#0072B2", "o"),
    ("ortho", "se"): ("motions se(m), F of r linear features", "#D55E00", "s"),
    ("quad", "se"): ("motions se(m), F of squared distances", "#009E73", "^"),
}


def dress(axes: Axes, xlabel: str, ylabel: str) -> None:
    axes.set_xlabel(xlabel, color=INK)
    axes.set_ylabel(ylabel, color=INK)
    axes.tick_params(colors=GREY)
    axes.grid(True, which="major", color="#e5e7eb", linewidth=0.8)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def recovery(measured: dict[str, list[float]]) -> Figure:
    """One column for each library and algebra, one mark in it for each number of features: nothing can overlap."""
    found: dict[tuple, dict[int, list[float]]] = defaultdict(lambda: defaultdict(list))
    for name, (n, _) in measured.items():
        family, algebra, m, r, d, _ = name.split()
        degree = int(d) * (1 if family == "ortho" else 2)
        place = list(KINDS).index((family, algebra))
        found[place, degree, comb(int(m) + degree, degree), int(m), family, algebra][int(r)].append(n)
    figure = Figure(figsize=(9.6, 5.4), dpi=160, layout="constrained")
    axes = figure.subplots()
    at, ticks, labelled = 0.0, [], set()
    last = None
    for (place, degree, size, m, family, algebra), counts in sorted(found.items()):
        text, colour, marker = KINDS[family, algebra]
        at += 0.5 if last not in (None, place) else 0.0
        last = place
        width = 0.3 * len(counts) + 0.35
        middle = at + width / 2
        axes.plot([at + 0.08, at + width - 0.08], [size, size], color=GREY, linewidth=1.6)
        for k, (r, values) in enumerate(sorted(counts.items())):
            x = at + 0.325 + 0.3 * k
            axes.plot([x, x], [min(values), max(values)], color=colour, alpha=0.35, linewidth=3)
            label = None if place in labelled else text
            labelled.add(place)
            axes.plot(x, np.median(values), marker, color=colour, markersize=7, markeredgecolor="white", label=label)
            axes.annotate(str(r), (x, min(values)), (0, -12), textcoords="offset points", fontsize=9, color=colour,
                          ha="center")  # fmt: skip
        ticks.append((middle, f"{algebra}({m})\ndeg {degree}\n{size}"))
        at += width
    axes.plot([], [], color=GREY, linewidth=1.6, label="number of monomials in the library")
    axes.set_yscale("log")
    axes.set_xticks([x for x, _ in ticks], [text for _, text in ticks], fontsize=9)
    marks = [20, 50, 100, 200, 500]
    axes.set_yticks(marks, map(str, marks))
    axes.set_ylim(14, 1300)
    axes.minorticks_off()
    dress(axes, "candidates; degree and number of monomials", "least number of samples that recovers F")
    axes.grid(False, axis="x")
    axes.legend(frameon=False, fontsize=9.5, loc="upper left", ncols=2,
                title="mark: median of ten draws; bar: their range; number: r")  # fmt: skip
    return figure


def cost(rows: list[dict]) -> Figure:
    """CPU seconds and flops of a fit against the dimension."""
    figure = Figure(figsize=(7.2, 3.4), dpi=160, layout="constrained")
    left, right = figure.subplots(1, 2)
    for algebra, colour, marker in (("t", "#0072B2", "o"), ("se", "#D55E00", "s")):
        some = [row for row in rows if row["algebra"] == algebra]
        m = [row["m"] for row in some]
        left.plot(m, [row["CPU s"] for row in some], marker + "-", color=colour, label=f"{algebra}(m)")
        right.plot(m, [row["Gflop"] for row in some], marker + "-", color=colour, label=f"{algebra}(m)")
    for axes, label in ((left, "one fit, CPU seconds"), (right, "one fit, Gflop")):
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_xticks([5, 10, 20, 40, 100], ["5", "10", "20", "40", "100"])
        axes.minorticks_off()
        dress(axes, "dimension m, library of degree 2", label)
        axes.legend(frameon=False)
    return figure


def main() -> None:
    measured = [json.loads(Path(path).read_text()) for path in sys.argv[1:3]]
    for draw, data, name in zip((recovery, cost), measured, ("recovery.png", "recovery-cost.png"), strict=False):
        draw(data).savefig(IMAGES / name)


if __name__ == "__main__":
    main()
