"""Draw docs/images/conserved.png: a conserved function along noisy trajectories, and the energy of a real pendulum.

python docs/make_conserved_figure.py
"""

import re
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from PIL import Image

HERE = Path(__file__).parent
INK, GREY, COLOURS = "#1f2430", "#6b7280", ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00")


def page() -> dict:
    """The names that the blocks of docs/conserved.md leave behind, up to the energy of the pendulum."""
    blocks = re.findall(r"```python\n(.*?)```", (HERE / "conserved.md").read_text(), re.DOTALL)
    names: dict = {}
    for block in blocks[:5]:
        exec(block.replace('"examples/', f'"{HERE.parent}/examples/'), names)
    return names


def dress(axes, xlabel: str, ylabel: str, title: str) -> None:
    axes.set_xlabel(xlabel, color=INK)
    axes.set_ylabel(ylabel, color=INK)
    axes.set_title(title, fontsize=9.5, color=INK, loc="left")
    axes.tick_params(colors=GREY)
    axes.grid(True, which="major", color="#e5e7eb", linewidth=0.8)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def figure() -> Figure:
    names = page()
    drawn = Figure(figsize=(10, 4.4), dpi=130, layout="constrained", facecolor="white")
    left, right = drawn.subplots(1, 2).ravel()
    left.remove()
    grid = left.get_subplotspec().subgridspec(2, 1)
    above = drawn.add_subplot(grid[0])
    below = drawn.add_subplot(grid[1], sharex=above)
    t, noisy, function = names["times"], names["noisy"], names["found"].transform
    for k, colour in enumerate(COLOURS):
        above.plot(t, noisy[k, :, 0], color=colour, linewidth=0.9)
        below.plot(t, function(noisy[k])[:, 0], color=colour, linewidth=0.9)
    dress(above, "", "hares", "5 of 16 trajectories, 5 % noise")
    dress(below, "time", "", names["found"].expressions()[0])
    data, energy = names["data"], names["energy"]
    right.semilogy(data["t"], energy, color=COLOURS[0], linewidth=0.7, label="energy above rest, as found")
    right.semilogy(
        names["when"],
        np.exp(np.polyval(np.polyfit(names["when"], names["left"], 1), names["when"])),
        color=COLOURS[1],
        linewidth=1.6,
        linestyle=(0, (5, 3)),
        label=f"a loss of {100 * names['rate']:.1f} % a second",
    )
    dress(right, "time (s)", "energy, arbitrary unit", "A double pendulum, measured")
    ticks = [0.03, 0.1, 0.3, 0.6]
    right.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
    right.set_yticks([], minor=True)
    right.legend(frameon=False, labelcolor=INK)
    return drawn


if __name__ == "__main__":
    image = HERE / "images" / "conserved.png"
    figure().savefig(image)
    with Image.open(image) as drawn:
        drawn.convert("P", palette=Image.Palette.ADAPTIVE).save(image, optimize=True)
