"""Draw docs/images/beyond-affine.png: a level set among noisy points, and both routes against noise.

python docs/make_beyond_affine_figure.py
"""

from pathlib import Path

import numpy as np
from make_conserved_figure import dress
from matplotlib.figure import Figure
from PIL import Image

import lieder as ld
from lieder import models

HERE = Path(__file__).parent
INK, GREY, BLUE, RED = "#1f2430", "#6b7280", "#0072B2", "#D55E00"
NOISES = (0.01, 0.03, 0.05, 0.1, 0.2)
METRIC = np.diag([1.0, 1.0, -1.0])
TURNS = [np.eye(3)[[i]].T @ np.eye(3)[[j]] - np.eye(3)[[j]].T @ np.eye(3)[[i]] for i, j in ((0, 1), (0, 2), (1, 2))]


def noisy(z: np.ndarray, noise: float, random: np.random.Generator) -> np.ndarray:
    return z + noise * np.sqrt(np.mean((z - z.mean(axis=0)) ** 2)) * random.normal(size=z.shape)


def sines(route: str) -> list[float]:
    """Largest sine between the symmetries of a hyperboloid and as many directions of least defect, mean of 3 draws."""
    out = []
    for noise in NOISES:
        found = []
        for seed in range(3):
            random = np.random.default_rng(seed)
            angle, height = random.uniform(0, 2 * np.pi, 500), random.uniform(-1, 1, 500)
            wide = np.cosh(height)
            z = np.stack([wide * np.cos(angle), wide * np.sin(angle), np.sinh(height)], axis=1)
            action = ld.vectors(ld.algebra.gl(3))
            try:
                s = ld.discover.cloud(noisy(z, noise, random), action=action, route=route, dimension=2)
            except ValueError:
                continue
            truth = np.stack([(turn @ METRIC).reshape(-1) for turn in TURNS])
            found.append(np.sqrt(1 - s.similarity(truth, dim=3) ** 2))
        out.append(float(np.mean(found)) if found else np.nan)
    return out


def figure() -> Figure:
    drawn = Figure(figsize=(10, 4), dpi=130, layout="constrained", facecolor="white")
    left, right = drawn.subplots(1, 2).ravel()
    random = np.random.default_rng(0)
    x = random.uniform(-1, 1, 500)
    z = noisy(np.stack([x, x**3], axis=1), 0.05, random)
    levels = models.level_functions(z, ld.dictionary.polynomials(2, 3))
    grid = np.stack(np.meshgrid(np.linspace(-1.1, 1.1, 200), np.linspace(-1.2, 1.2, 200)), axis=-1)
    heights = models.jets(levels.model, grid.reshape(-1, 2))[0][:, 0].reshape(200, 200)
    left.plot(*z.T, ".", color=GREY, markersize=3, alpha=0.6, label="points, 5 % noise")
    left.contour(grid[..., 0], grid[..., 1], heights, levels=[0.0], colors=[BLUE], linewidths=2)
    line = np.linspace(-1, 1, 100)
    left.plot(line, line**3, color=RED, linewidth=1.2, linestyle=(0, (5, 3)), label="y = x³")
    left.plot([], [], color=BLUE, linewidth=2, label="level set found")
    left.legend(frameon=False, fontsize=8)
    dress(left, "x", "y", f"noise found: {levels.noise:.3f} of the spread")
    for route, colour in (("tangents", RED), ("level set", BLUE)):
        right.loglog(NOISES, sines(route), "o-", color=colour, linewidth=1.6, label=route)
    right.legend(frameon=False, fontsize=8)
    dress(right, "noise, share of the spread", "largest sine", "symmetries of a hyperboloid, 500 points")
    return drawn


if __name__ == "__main__":
    path = HERE / "images" / "beyond-affine.png"
    figure().savefig(path)
    Image.open(path).convert("P", palette=Image.Palette.ADAPTIVE, colors=64).save(path, optimize=True)
