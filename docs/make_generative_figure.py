"""Draw docs/images/generative-*.png: digits that were turned in four ways, what was found, and new transforms of them.

python docs/make_generative_figure.py FOLDER    # trains what is not yet in the folder, a CPU minute each
"""

import sys
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))

from generative import angles, cell, digits, turned

from lieder.learn import Generative

IMAGES = Path(__file__).parent / "images"
INK, GREY, BLUE, ORANGE = "#1f2430", "#6b7280", "#0072B2", "#D55E00"
TITLES = {"none": "as written", "15": "turned within ±15°", "two": "turned by -45° or 45°", "180": "turned at will"}


def model(folder: Path, plan: str) -> Generative:
    file = folder / f"{plan}.npz"
    if not file.exists():
        cell(plan, 0)[0].save(file)
    return Generative.load(file)


def main(folder: Path) -> None:
    models = {plan: model(folder, plan) for plan in TITLES}
    pictures, labels = digits()
    figure = Figure(figsize=(10, 3.4), dpi=160, layout="constrained")
    for axes, (plan, found) in zip(figure.subplots(1, 4), models.items(), strict=True):
        planted = angles(plan, 100_000, 1)
        if plan != "none":
            axes.hist(planted, 90, range=(-180, 180), density=True, histtype="step", color=ORANGE, label="planted")
        draws = np.degrees(found.spreads["rotation"].draws)
        axes.hist(draws, 90, range=(-180, 180), density=True, color=BLUE, alpha=0.7, label="found")
        axes.set_title(TITLES[plan], fontsize=10, color=INK)
        axes.set(xticks=(-180, -90, 0, 90, 180), yticks=[])
        axes.set_xlabel("degrees from the middle", fontsize=9, color=INK)
        axes.tick_params(colors=GREY)
        for side in ("top", "right", "left"):
            axes.spines[side].set_visible(False)
    figure.axes[0].set_ylabel("density", fontsize=9, color=INK)
    figure.axes[1].legend(frameon=False, fontsize=8)
    figure.savefig(IMAGES / "generative-spreads.png")
    some = [int(np.flatnonzero(labels == k)[3]) for k in range(10)]
    given = turned(pictures, angles("15", len(pictures), 0))[some]
    models["15"].plot_strips(given, 4).savefig(IMAGES / "generative-strips.png", dpi=130)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
