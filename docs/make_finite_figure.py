"""Draw docs/images/finite.png: a scan of rotations, and what benchmarks/ethanol.py measured of elements.

python benchmarks/ethanol.py ethanol.npz --out ethanol.json
python docs/make_finite_figure.py ethanol.json
"""

import json
import sys
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

IMAGES = Path(__file__).parent / "images"
INK, GREY = "#1f2430", "#6b7280"
COLOURS = {"holds": "#0072B2", "undecided": "#9ca3af", "broken": "#D55E00"}


def seven(z: np.ndarray) -> np.ndarray:
    power = (z[:, 0] + 1j * z[:, 1]) ** 7
    return np.sum(z**2, axis=1) + 0.05 * power.real + 0.03 * power.imag


def rotations() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The violation under rotations and mirrors by angle, relative to the spread of the function."""
    z = np.random.default_rng(0).normal(size=(4000, 2))
    z = z[np.linalg.norm(z, axis=1) < 1.8]
    y = seven(z)
    angles = np.radians(np.arange(0, 360.25, 0.25))
    turned, mirrored = [], []
    for angle in angles:
        c, s = np.cos(angle), np.sin(angle)
        turned.append(np.sqrt(np.mean((seven(z @ np.array([[c, s], [-s, c]])) - y) ** 2) / (2 * y.var())))
        mirrored.append(np.sqrt(np.mean((seven(z @ np.array([[c, s], [s, -c]])) - y) ** 2) / (2 * y.var())))
    return np.degrees(angles), np.array(turned), np.array(mirrored)


def dress(axes) -> None:
    axes.tick_params(colors=GREY)
    axes.grid(True, color="#e5e7eb", linewidth=0.8)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def main(path: str) -> None:
    figure = Figure(figsize=(10, 4.2), dpi=160, layout="constrained")
    left, right = figure.subplots(1, 2)
    angle, turned, mirrored = rotations()
    left.plot(angle, turned, color="#0072B2", label="rotation by this angle")
    left.plot(angle, mirrored, color="#E69F00", linestyle="--", label="mirror at half of this angle")
    left.set_xticks(np.arange(8) * 360 / 7, [f"{k}/7" if k else "0" for k in range(8)])
    left.set_xlabel("angle, in turns", color=INK)
    left.set_ylabel("relative defect", color=INK)
    left.set_title("A function with seven-fold symmetry", color=INK, fontsize=11)
    left.set_ylim(0, None)
    left.legend(frameon=False, loc="upper center", ncols=2, bbox_to_anchor=(0.5, -0.16))
    with open(path) as file:
        found = json.load(file)
    defects = np.array(found["defects"], float)
    covered, readings = 100 * np.array(found["covered"]), np.array(found["readings"])
    for reading, marker in (("holds", "o"), ("undecided", "s"), ("broken", "^")):
        some = (readings == reading) & np.isfinite(defects) & (np.arange(len(defects)) > 0)
        if some.any():
            label = {"holds": "holds", "undecided": "cannot be told", "broken": "broken"}[reading]
            right.scatter(covered[some], defects[some], color=COLOURS[reading], marker=marker, s=45, label=label)
    gone = int(np.isnan(defects).sum())
    right.axvline(50, color=GREY, linewidth=1, linestyle=":")
    right.set_xlabel("share of molecules moved to where others are, %", color=INK)
    right.set_ylabel("relative defect", color=INK)
    right.set_xlim(-4, 100)
    right.set_ylim(0, 0.4)
    right.set_title("Ethanol: exchanges of hydrogens, with and without mirror", color=INK, fontsize=11)
    right.text(2, 0.02, f"{gone} more elements leave the data altogether", color=GREY, fontsize=9)
    right.legend(frameon=False, loc="upper right")
    for axes in (left, right):
        dress(axes)
    figure.savefig(IMAGES / "finite.png")


if __name__ == "__main__":
    main(sys.argv[1])
