"""Draw docs/images/latent.png: the latent of a pendulum with orbits of what was found, and the same in its states.

python docs/make_latent_figure.py FOLDER    # trains where FOLDER/pendulum.npz is not there: half a CPU minute
"""

import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from matplotlib.figure import Figure

import lieder as ld

sys.path.insert(0, str(Path(__file__).parents[1] / "examples"))

from latent_tasks import observed, pendulum

IMAGES = Path(__file__).parent / "images"
INK, GREY, ORANGE = "#1f2430", "#6b7280", "#D55E00"


def record(folder: Path) -> ld.Symmetries:
    file = folder / "pendulum.npz"
    if not file.exists():
        ld.discover.latent(observed(pendulum()), latent_dim=2).save(file)
    return ld.Symmetries.load(file)


def main(folder: Path) -> None:
    found = record(folder)
    states = pendulum()
    rows = observed(states).reshape(-1, 50)
    flat = states.reshape(-1, 2)
    energy = flat[:, 1] ** 2 / 2 - np.cos(flat[:, 0])
    encode = jax.jit(jax.vmap(found.source.encoder))
    latent = np.asarray(encode(jnp.asarray(rows)))
    chosen = np.argsort(energy)[(np.linspace(0.05, 0.95, 5) * (len(energy) - 1)).astype(int)]
    turn = 2 * np.pi * np.sqrt(2) / np.linalg.norm(found.basis[0])
    orbits = ld.action.orbits(found.action, np.ones(1), rows[chosen], np.linspace(0, turn, 90))
    inner = np.asarray(encode(jnp.asarray(orbits.reshape(-1, 50)))).reshape(*orbits.shape[:2], 2)
    # A moved row belongs to the state whose row is nearest to it.
    near = np.stack([np.argmin(np.linalg.norm(rows[None] - orbit[:, None], axis=2), axis=1) for orbit in orbits])
    off = np.sqrt(np.mean((energy[near] - energy[chosen, None]) ** 2)) / energy.std()
    print(f"energy of the nearest states: off by {off:.2g} of its spread, root mean square")
    figure = Figure(figsize=(9, 4.2), dpi=160, layout="constrained")
    left, right = figure.subplots(1, 2)
    for axes, points, curves in ((left, latent, inner), (right, flat, flat[near])):
        dots = axes.scatter(*points.T, c=energy, s=3, cmap="viridis", linewidths=0)
        for curve in curves:
            axes.plot(*curve.T, color=ORANGE, lw=1.2 if axes is left else 0, marker=".", ms=0 if axes is left else 4)
        axes.tick_params(colors=GREY)
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
    left.set_title("the latent, and orbits of what was found", fontsize=10, color=INK)
    left.set(xlabel="z0 (spreads)", ylabel="z1 (spreads)", aspect="equal")
    right.set_title("states nearest to the moved rows", fontsize=10, color=INK)
    right.set(xlabel="angle (rad)", ylabel="angular velocity (rad per unit of time)")
    figure.colorbar(dots, ax=right, label="energy (mass x gravity x length)")
    figure.savefig(IMAGES / "latent.png")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
