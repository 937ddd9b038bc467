"""Draw docs/images/operators.png: a learned kernel, and the motions of the plane that four operators commute with.

python docs/make_operators_figure.py
"""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from PIL import Image

HERE = Path(__file__).parent
IMAGE = HERE / "images" / "operators.png"
INK, GREY = "#1f2430", "#6b7280"
COLOURS = ["#0072B2", "#D55E00"]


def page() -> dict:
    """What the blocks of the page define, up to the answers."""
    text = (HERE / "operators.md").read_text(encoding="utf-8").partition("## A penalty")[0]
    names: dict = {}
    for block in text.split("```python\n")[1:]:
        exec(block.partition("```")[0], names)
    return names


def arrows(axes, found, title):
    """The found affine motions: a turn as arrows in the plane, a shift as one long arrow."""
    line = np.linspace(-2, 2, 7)
    x = np.stack(np.meshgrid(line, line), axis=-1).reshape(-1, 2)
    for xi in found.sparse():
        linear, shift = xi[:4].reshape(2, 2), xi[4:]
        if np.abs(linear).max() > np.abs(shift).max():
            v = x @ linear.T + shift
            axes.quiver(*x.T, *v.T, color=COLOURS[0], scale=1.1 * np.abs(v).max() * 9, width=0.008, pivot="mid")
        else:
            step = 2 * shift / np.linalg.norm(shift)
            axes.annotate("", step, -step, arrowprops={"color": COLOURS[1], "arrowstyle": "-|>", "lw": 2.5})
    axes.set(xticks=[], yticks=[], aspect="equal", xlim=(-2.7, 2.7), ylim=(-2.7, 2.7))
    axes.set_title(title, fontsize=9, color=INK)
    for spine in axes.spines.values():
        spine.set_color(GREY)


def figure() -> Figure:
    names = page()
    out = Figure(figsize=(10.4, 2.4), layout="constrained", facecolor="white")
    first, *rest = out.subplots(1, 5)
    first.imshow(np.asarray(names["kernel"]).T, origin="lower", cmap="Blues")
    first.set(xticks=[], yticks=[])
    first.set_title("learned 9 x 9 kernel", fontsize=9, color=INK)
    answers = {f"learned: {names['found'].dim}": names["found"]}
    answers |= {f"{name}: {answer.dim}": answer for name, answer in names["answers"].items()}
    for axes, (title, answer) in zip(rest, answers.items(), strict=True):
        arrows(axes, answer, title)
    return out


if __name__ == "__main__":
    figure().savefig(IMAGE, dpi=110)
    with Image.open(IMAGE) as drawn:
        drawn.convert("RGB").save(IMAGE, optimize=True)
    print(f"{IMAGE.stat().st_size // 1024} kB")
