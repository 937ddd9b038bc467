"""Draw docs/images/sections.png: Killing fields of two planes, and the spectrum of a black hole.

python docs/make_sections_figure.py
"""

from pathlib import Path

import jax.numpy as jnp
import numpy as np
from matplotlib.figure import Figure
from PIL import Image

import lieder as ld

IMAGE = Path(__file__).parent / "images" / "sections.png"
INK, GREY = "#1f2430", "#6b7280"
COLOURS = ["#0072B2", "#D55E00", "#009E73"]


def sphere(z):
    return 4 * jnp.eye(2) / (1 + z @ z) ** 2


def half_plane(z):
    return jnp.eye(2) / z[1] ** 2


def schwarzschild(z):
    place = z[1:]
    r = jnp.sqrt(place @ place)
    f = 1 - 1 / r
    metric = jnp.zeros((4, 4)).at[0, 0].set(-f)
    return metric.at[1:, 1:].set(jnp.eye(3) + (1 / f - 1) * jnp.outer(place, place) / r**2)


def orbits(axes, found, starts, times, title, window):
    """A few orbits of each found field, one colour a field."""
    for colour, xi in zip(COLOURS, found.sparse(), strict=True):
        for curve in ld.action.orbits(found.source, xi, starts, times):
            curve = np.where(np.abs(curve) < 50, curve, np.nan)
            axes.plot(*curve.T, color=colour, lw=1)
    axes.set(xlim=window[:2], ylim=window[2:], aspect="equal")
    axes.set_title(title, fontsize=9, color=INK)
    axes.set_xlabel("x", fontsize=8, color=GREY)
    axes.set_ylabel("y", fontsize=8, color=GREY)
    axes.tick_params(labelsize=7, colors=GREY)


def figure() -> Figure:
    rng = np.random.default_rng(0)
    quadratic = ld.action.polynomial_fields(2, 2)
    out = Figure(figsize=(8.6, 3.0), layout="constrained", facecolor="white")
    left, middle, right = out.subplots(1, 3)
    found = ld.discover.section(sphere, rng.normal(size=(80, 2)), action=quadratic, kind="metric")
    starts = np.array([[0.0, 0.35], [0.35, 0.0], [0.0, 0.8], [0.8, 0.0]])
    orbits(left, found, starts, np.linspace(-3.2, 3.2, 120), "sphere, stereographic: so(3)", (-3, 3, -3, 3))
    points = rng.uniform(-1, 1, (80, 2)) + np.array([0, 2])
    found = ld.discover.section(half_plane, points, action=quadratic, kind="metric")
    starts = np.array([[0.6, 0.5], [-0.8, 1.0], [0.3, 1.8]])
    orbits(middle, found, starts, np.linspace(-4, 4, 160), "half plane: sl(2, R)", (-3, 3, 0, 4))
    events = rng.normal(size=(80, 4))
    events[:, 1:] *= (rng.uniform(2, 4, 80) / np.linalg.norm(events[:, 1:], axis=1))[:, None]
    hole = ld.discover.section(schwarzschild, events, action=ld.points(ld.algebra.aff(4)), kind="metric")
    defects = np.maximum(hole.defects, 1e-17)
    colours = [COLOURS[0]] * hole.dim + [GREY] * (len(defects) - hole.dim)
    right.scatter(np.arange(1, len(defects) + 1), defects, c=colours, s=14)
    right.set_yscale("log")
    right.set_title("Schwarzschild: 4 of 20", fontsize=9, color=INK)
    right.set_xlabel("direction, by ascending defect", fontsize=8, color=GREY)
    right.set_ylabel("relative defect", fontsize=8, color=GREY)
    right.tick_params(labelsize=7, colors=GREY)
    return out


if __name__ == "__main__":
    figure().savefig(IMAGE, dpi=150)
    with Image.open(IMAGE) as drawn:
        drawn.convert("RGB").save(IMAGE, optimize=True)
    print(f"{IMAGE.stat().st_size // 1024} kB")
