"""Draw docs/images/recovery.png and docs/images/recovery-cost.png from what benchmarks/recovery.py measured.

python benchmarks/recovery.py medians --out medians.json
python benchmarks/recovery.py scale --out scale.json
python docs/make_recovery_figure.py medians.json scale.json
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
    ("ortho", "t"): ("translations t(m), F of r linear features", "#0072B2", "o", 0.97),
    ("ortho", "se"): ("motions se(m), F of r linear features", "#D55E00", "s", 1.03),
    ("quad", "se"): ("motions se(m), F of squared distances", "#009E73", "^", 1.09),
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
    """Least N of each seed, and medians, against the number of monomials."""
    found = defaultdict(list)
    for name, (n, _) in measured.items():
        family, algebra, m, _, d, _ = name.split()
        degree = int(d) * (1 if family == "ortho" else 2)
        found[family, algebra, comb(int(m) + degree, degree), name.rsplit(" ", 1)[0]].append(n)
    figure = Figure(figsize=(7.2, 4.8), dpi=160, layout="constrained")
    axes = figure.subplots()
    terms = np.array([40.0, 640.0])
    axes.plot(terms, terms, color=GREY, linestyle="--", linewidth=1)
    axes.text(150, 160, "as many samples as monomials", color=GREY, fontsize=9, rotation=np.degrees(np.arctan(1)),
              rotation_mode="anchor", transform_rotates_text=True)  # fmt: skip
    labelled = set()
    for (family, algebra, size, name), counts in sorted(found.items()):
        text, colour, marker, shift = KINDS[family, algebra]
        label = None if (family, algebra) in labelled else text
        labelled.add((family, algebra))
        _, _, m, r, d = name.split()
        at = size * shift * (1.04 if (m, d) == ("8", "4") else 1.0)
        axes.plot([at] * len(counts), counts, marker, color=colour, alpha=0.25, markersize=4, markeredgewidth=0)
        middle = np.median(counts)
        axes.plot(at, middle, marker, color=colour, markersize=11, markeredgecolor="white", label=label)
        axes.text(at, middle, r, color="white", fontsize=7, ha="center", va="center_baseline", weight="bold")
        if (family, d) in {("ortho", "3"), ("ortho", "4"), ("quad", "2")}:
            degree = int(d) * (1 if family == "ortho" else 2)
            note = f"m={m}, deg {degree}"
            axes.annotate(note, (at, middle), (8, -3), textcoords="offset points", fontsize=6.5)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xticks([66, 136, 231, 496], ["66\nm=10", "136\nm=15", "231\nm=20", "496\nm=30"])
    ticks = [20, 50, 100, 200, 400]
    axes.set_yticks(ticks, map(str, ticks))
    axes.set_xlim(45, 800)
    axes.set_ylim(15, 600)
    axes.minorticks_off()
    dress(
        axes,
        "monomials in the library (m variables, degree 2 unless written)",
        "least number of samples that recovers F",
    )
    axes.legend(frameon=False, fontsize=9, loc="upper left", title="number in the mark: r")
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
    medians, scale = (json.loads(Path(path).read_text()) for path in sys.argv[1:3])
    recovery(medians).savefig(IMAGES / "recovery.png")
    cost(scale).savefig(IMAGES / "recovery-cost.png")


if __name__ == "__main__":
    main()
