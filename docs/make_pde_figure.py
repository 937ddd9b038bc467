"""Draw docs/images/pde.png: symmetries of Burgers' equation from three solutions, and one of them moved by its boost.

python docs/make_pde_figure.py
"""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

import lieder as ld

INK, GREY, BLUE, ORANGE = "#1f2430", "#6b7280", "#0072B2", "#D55E00"
T, X = np.linspace(0, 1, 60), np.arange(64) * 2 * np.pi / 64
WAVES = np.arange(1, 4)[:, None, None]


def solution(random: np.random.Generator) -> np.ndarray:
    """Of u_t = -u u_x + u_xx, by the formula of Cole and Hopf."""
    size, phase = random.normal(size=(3, 1, 1)), random.uniform(0, 2 * np.pi, (3, 1, 1))
    decay = size * np.exp(-(WAVES**2) * T[:, None])
    heat = 12 + np.sum(decay * np.sin(WAVES * X + phase), axis=0)
    return -2 * np.sum(decay * WAVES * np.cos(WAVES * X + phase), axis=0) / heat


def main() -> None:
    random = np.random.default_rng(0)
    solutions = [solution(random) for _ in range(3)]
    found = ld.discover.pde(solutions, (T, X), order=2)
    figure = Figure(figsize=(9.6, 3.8), dpi=160, layout="constrained")
    left, right = figure.subplots(1, 2)
    # Exact zeros have no logarithm: all that lies below the resolution is drawn at it.
    floor = found.evidence.resolution
    defects = np.maximum(found.defects, floor)
    number = np.arange(1, len(defects) + 1)
    left.semilogy(number[: found.dim], defects[: found.dim], "o", color=BLUE, label="symmetries")
    left.semilogy(number[found.dim :], defects[found.dim :], "o", color=ORANGE, label="broken")
    left.axhline(floor, color=GREY, linewidth=1, linestyle="--", label="resolution")
    left.set_xlabel("direction", color=INK)
    left.set_ylabel("relative defect, not below the resolution", color=INK)
    left.legend(frameon=False, loc="center right")
    u, boost = solutions[0], 1.5
    for k, shade in ((0, 1.0), (8, 0.65), (24, 0.4)):  # t = 0, 0.14, 0.41
        right.plot(X, u[k], color=BLUE, alpha=shade)
        right.plot(X + boost * T[k], u[k] + boost, color=ORANGE, alpha=shade)
    right.text(X[0], 0.55, "a solution at t = 0, 0.14, 0.41: paler is later", color=BLUE, fontsize=9)
    right.text(X[0], boost + 0.55, f"boosted: x + {boost} t, u + {boost}", color=ORANGE, fontsize=9)
    right.set_xlabel("x", color=INK)
    right.set_ylabel("u", color=INK)
    right.margins(x=0.12, y=0.12)
    left.set_title("Twelve candidates, four symmetries", fontsize=9.5, color=INK, loc="left")
    right.set_title("One of them: t d/dx + d/du", fontsize=9.5, color=INK, loc="left")
    for axes in (left, right):
        axes.tick_params(colors=GREY)
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
    figure.savefig(Path(__file__).parent / "images" / "pde.png")


if __name__ == "__main__":
    main()
