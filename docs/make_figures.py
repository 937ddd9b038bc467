"""Draw the figures of the documentation again, from the library itself.

    python docs/make_figures.py              # all of them, into docs/images
    python docs/make_figures.py ellipse      # those named

The picture of the report page needs chromium and the extra `browser`; it is left as it is where there is none. Networks
are trained for "two_body_dynamics", "digits" and "penalty", some minutes each.
"""

import argparse
import importlib.util
import shutil
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

import jax.numpy as jnp
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle
from PIL import Image

import lieder as ld

ROOT = Path(__file__).parents[1]
IMAGES = Path(__file__).parent / "images"
BLUE, INK, GREY, PALE = "#0072B2", "#1f2430", "#6b7280", "#c3c9d2"
NAMES, LAWS = ["x", "y", "z"], ["ax", "ay", "az"]


@cache
def planets() -> ld.Symmetries:
    """The main job."""
    table = ld.files.read_csv(ROOT / "examples" / "planets.csv", NAMES + LAWS)
    source, target = ld.action.independent(ld.vectors(ld.algebra.gl(3)), ld.vectors(ld.algebra.gl(3)))
    x, y = table.values[:, :3], table.values[:, 3:]
    return ld.discover.dataset(x, y, source=source, target=target, fit="radial(-5,0)", names=NAMES, output_names=LAWS)


def front() -> Image.Image:
    """The spectrum beside both symmetries, each on positions and on accelerations."""
    s = planets()
    table = ld.files.read_csv(ROOT / "examples" / "planets.csv", NAMES + LAWS)
    figure = Figure(figsize=(5.0, 4.4), layout="constrained", facecolor="white")
    panels = figure.subplots(2, 2)
    scaling, rotation = s.sparse()
    rows = ((rotation, "symmetry: rotation"), (scaling, "symmetry: scaling"))
    sides = (
        ((0, 1), 0.2, ((1, "1 AU"), (30, "30")), "positions (x, y)"),
        ((3, 4), 1.6e-7, ((1e-6, "10⁻⁶"), (1e-3, "10⁻³ AU/day²")), "accelerations (ax, ay)"),
    )
    for i, (xi, name) in enumerate(rows):
        moved = ld.action.velocities(s.total, xi, table.values)
        for j, (pair, least, marks, side) in enumerate(sides):
            axes = panels[i, j]
            polar(axes, table.values[:, pair], moved[:, pair], least, marks)
            if i == 0:
                axes.set_title(side, fontsize=9, color=INK)
            if j == 0:
                axes.set_ylabel(name, fontsize=9, color=INK)
    figure.supxlabel("distance from the centre on a logarithmic scale; arrows: displacement", fontsize=7.5, color=GREY)
    left, right = picture(s.plot(), 165), picture(figure, 165)
    both = Image.new("RGB", (left.width + right.width, max(left.height, right.height)), "white")
    both.paste(left, (0, 0))
    both.paste(right, (left.width, 0))
    return both


def polar(axes: Axes, points: np.ndarray, moved: np.ndarray, least: float, marks) -> None:
    """Points with the logarithm of their distance, so that all orbits are seen, and arrows along their displacement."""
    radius = np.linalg.norm(points, axis=1, keepdims=True)
    place = points / radius * np.log10(radius / least)
    axes.scatter(*place.T, s=0.4, color=PALE, linewidths=0, rasterized=True)
    for value, label in marks:
        r = np.log10(value / least)
        axes.add_patch(Circle((0, 0), r, fill=False, color=GREY, lw=0.6, ls=(0, (3, 3))))
        axes.text(
            0,
            r,
            label,
            fontsize=6.5,
            color=INK,
            ha="center",
            va="center",
            zorder=5,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6},
        )
    # In the picture a displacement turns with its point: its parts along and across the radius stay.
    feet = []
    for orbit in np.array_split(np.arange(len(points)), 8):
        angle = np.arctan2(points[orbit, 1], points[orbit, 0])
        size = np.median(np.linalg.norm(place[orbit], axis=1))
        count = max(5, round(24 * size / np.abs(place).max()))
        feet += [
            orbit[np.argmin(np.abs(np.angle(np.exp(1j * (angle - t)))))] for t in 2 * np.pi * np.arange(count) / count
        ]
    step = moved[feet] / radius[feet]
    reach = 1.12 * np.abs(place).max()
    arrow = 0.15 * reach * step / np.median(np.linalg.norm(step, axis=1))
    style = {"color": BLUE, "width": 0.009, "headwidth": 4, "headlength": 4.5, "zorder": 3}
    axes.quiver(*place[feet].T, *arrow.T, angles="xy", scale_units="xy", scale=1, **style)
    axes.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal", xticks=[], yticks=[])
    for spine in axes.spines.values():
        spine.set_visible(False)


def ellipse() -> Figure:
    """The symmetry of (x - 1)^2 + 4 (y - 1)^2, from 2000 labels with 20 % noise."""
    random = np.random.default_rng(0)
    points = random.uniform(-1, 3, (2000, 2))
    clean = (points[:, 0] - 1) ** 2 + 4 * (points[:, 1] - 1) ** 2
    affine = ld.algebra.aff(2)
    labels = clean + 0.2 * clean.std() * random.standard_normal(2000)
    s = ld.discover.dataset(
        points, labels, source=ld.points(affine), target=ld.scalars(affine), fit="polynomial", names=["x", "y"]
    )
    shown = points[:400]
    xi = s.generators[0] / s.generators[0][1]  # as found, not rounded
    return ld.report.field_figure(shown, ld.action.velocities(s.source, xi, shown), ["x", "y"], title=s.written(xi))


def cusp() -> Figure:
    """Orbits of the symmetry of x^3 - y^2 among quadratic fields."""
    points = np.random.default_rng(0).uniform(-1, 1, (500, 2))
    s = ld.discover.function(
        lambda p: p[0] ** 3 - p[1] ** 2, points, source=ld.action.polynomial_fields(2, 2), names=["x", "y"]
    )
    xi = s.sparse()[0]
    starts = np.array([[0.3, -0.9], [0.7, -0.9], [0.0, -0.6], [-0.7, -0.9], [0.9, -0.9]])
    curves = ld.action.orbits(s.source, xi, starts, np.linspace(0, 6, 200))
    inside = np.where(np.abs(curves) <= 1.2, curves, np.nan)
    inside = np.array([np.where(np.isnan(c).any(axis=1)[:, None], c[~np.isnan(c).any(axis=1)][-1], c) for c in inside])
    return ld.report.orbit_figure(inside, points, ["x", "y"], title=f"Orbits of {s.written(xi)}: each keeps x³ - y²")


def two_body() -> Figure:
    """The rotation found in orbits of two bodies, without a model."""
    s = transitions(150)
    pairs, xi = s.examples()[:, :8], s.sparse()[0]
    shown = [0, 1, 4, 5]
    names = [s.names[i] for i in shown]
    return ld.report.field_figure(
        pairs[:, shown],
        s.displacement(xi)[:, shown],
        names,
        title="Found in transitions alone, body 1: one rotation of every vector",
    )


def example(name: str):
    """A script of examples/ as a module."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "examples" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def two_body_dynamics() -> Figure:
    """Rollouts of networks with and without the found symmetry."""
    script = example("two_body_dynamics")
    budget = script.Budget()
    return script.draw([script.repetition(seed, budget) for seed in range(budget.repetitions)])


def digits() -> Figure:
    """Four networks that learnt upright digits, at all angles."""
    script = example("digits")
    budget, (pictures, labels) = script.Budget(), script.digits()
    results = [script.repetition(seed, pictures, labels, budget) for seed in range(budget.repetitions)]
    return script.draw(results, budget.angles, pictures)


def penalty() -> Figure:
    """Networks with the penalty of their Lie derivative, and the defects of what they keep and break."""
    script = example("promote_network")
    budget = script.Budget()
    return script.draw({(k, size): script.compare(k, size, budget) for k in script.KEPT for size in budget.sizes})


@cache
def transitions(count: int) -> ld.Symmetries:
    states = example("two_body").orbits(count, 20)
    names = ["q1x", "q1y", "q2x", "q2y", "p1x", "p1y", "p2x", "p2y"]
    whole = ld.vectors(ld.algebra.gl(8))
    now, later = states[:, :-1].reshape(-1, 8), states[:, 1:].reshape(-1, 8)
    return ld.discover.graph(now, later, source=whole, target=whole, transition=True, names=names)


def none() -> Figure:
    """The spectrum of a system without affine symmetry."""
    x = np.random.default_rng(0).normal(size=(240, 2))
    system = ld.discover.vector_field(
        lambda z: jnp.stack([z[1], (1 - z[0] ** 2) * z[1] - z[0]]), x, action=ld.points(ld.algebra.aff(2))
    )
    return system.plot()


def cannot_tell() -> Figure:
    """The spectrum of a model that fits badly."""
    points = np.random.default_rng(8).uniform(-1, 1, (600, 2))
    labels = np.stack([np.sin(4 * points[:, 0]) * points[:, 1], np.cos(4 * points[:, 1]) * points[:, 0]], axis=1)
    both = ld.vectors(ld.algebra.gl(2))
    return ld.discover.dataset(points, labels, source=both, target=both, fit="polynomial(1)").plot()


def certificate() -> Figure:
    """The bounds of a cone's law in few noisy rows: two symmetries are certified, the others broken."""
    random = np.random.default_rng(4)
    x = random.normal(size=(150, 3))
    y = x[:, 2] * (x[:, 0] ** 2 + x[:, 1] ** 2)
    affine = ld.algebra.aff(3)
    found = ld.discover.dataset(
        x,
        y + 0.05 * y.std() * random.normal(size=len(x)),
        source=ld.points(affine),
        target=ld.scalars(affine),
        fit="polynomial(3)",
        evidence="certificate",
    )
    return found.plot_certificate()


def report() -> Image.Image | None:
    """What can be explored in the report page, as a browser shows it, with the slider moved."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        return None
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver:
        path, shot = Path(folder) / "planets.html", Path(folder) / "report.png"
        planets().report(path, explore=True)
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1000, "height": 1000}, device_scale_factor=1.5)
        page.goto(path.as_uri())
        page.wait_for_selector("html[data-ready=yes]")
        for _ in range(8):
            page.press("#slider", "ArrowRight")
        page.locator("#slider").blur()
        page.locator("#s1").screenshot(path=shot)
        browser.close()
        with Image.open(shot) as image:
            return image.convert("RGB")


def picture(figure: Figure, dpi: float) -> Image.Image:
    """A figure as pixels."""
    with tempfile.NamedTemporaryFile(suffix=".png") as file:
        figure.savefig(file.name, dpi=dpi)
        with Image.open(file.name) as image:
            return image.convert("RGB")


FIGURES: dict[str, Callable[[], Figure | Image.Image | None]] = {
    "planets": front,
    "report": report,
    "ellipse": ellipse,
    "cusp": cusp,
    "two-body": two_body,
    "two-body-spectrum": lambda: transitions(150).plot(),
    "two_body_dynamics": two_body_dynamics,
    "digits": digits,
    "penalty": penalty,
    "no-symmetry": none,
    "cannot-tell": cannot_tell,
    "certificate": certificate,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", choices=[*FIGURES, []], help="figures to draw, default all")
    IMAGES.mkdir(exist_ok=True)
    for name in parser.parse_args().names or FIGURES:
        drawn = FIGURES[name]()
        if drawn is None:
            print(f"{name}: left as it is")
            continue
        image = picture(drawn, 130) if isinstance(drawn, Figure) else drawn
        # Few colours are in use, and a palette keeps the files small.
        image.quantize(256, dither=Image.Dither.NONE).save(IMAGES / f"{name}.png", optimize=True)
        print(f"{name}: {(IMAGES / f'{name}.png').stat().st_size // 1024} kB")


if __name__ == "__main__":
    main()
