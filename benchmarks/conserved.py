"""Conserved quantities of noisy trajectories: how often the count is right, wrong, or left open, and what it costs.

    python benchmarks/conserved.py                  # 10 draws of each cell, 10 CPU minutes
    python benchmarks/conserved.py --quick          # 2 draws, 2 minutes
    python benchmarks/conserved.py --keep FILE      # cells that are done are kept there

Each draw has new starts and new white noise, a share of each column's spread. "open": cannot tell, or fewer were
claimed than there are; "false": a claimed function varies along the trajectories without noise by more than the
resolution that was told; "more": more were claimed than there are, all of which vary by less. Beside it what a plain
threshold on the same data would say: the ratio of variation within trajectories to that over all, noise not taken off,
below .1.
"""

import argparse
import json
import time
from pathlib import Path

import measure  # first: it fixes the threads before NumPy and JAX start

# isort: split

import sys

import jax
import jax.numpy as jnp
import numpy as np

from lieder import discover

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from laws import CONSERVED
from motions import solver, starts_of

jax.config.update("jax_enable_x64", True)
SYSTEMS = [
    "Lotka-Volterra",
    "isotropic oscillator",
    "rigid body",
    "pendulum",
    "Kepler in the plane",
    "Lorenz",
    "damped",
]
NOISES = (0.0, 0.01, 0.05)
SHAPES = ((8, 100), (20, 300))


def system(name):
    """Field, dictionary and how many functions of it are conserved."""
    if name == "damped":
        return (lambda z: jnp.stack([z[1], -z[0] - 0.05 * z[1]])), CONSERVED["damped oscillator"][1], 0
    return CONSERVED[name][:3]


def plain(functions, data):
    """How many combinations a threshold of .1 on within over total variation takes."""
    values = np.asarray(jax.vmap(jax.vmap(functions))(jnp.asarray(data)))
    within = (values - values.mean(axis=1, keepdims=True)).reshape(-1, functions.size)
    total = values.reshape(-1, functions.size) - values.mean(axis=(0, 1))
    scale = np.where(total.std(axis=0) > 0, total.std(axis=0), 1)
    _, s, vt = np.linalg.svd(total / scale, full_matrices=False)
    kept = s > 1e-9 * s[0]
    ratio = np.linalg.svd(within / scale @ (vt[kept].T / s[kept]), compute_uv=False)
    return int(np.sum(ratio < 0.1))


def varies(functions, basis, clean):
    """How much each combination varies along trajectories without noise, over all its variation."""
    values = np.asarray(jax.vmap(jax.vmap(functions))(jnp.asarray(clean))) @ basis.T
    return (values - values.mean(axis=1, keepdims=True)).std(axis=(0, 1)) / values.std(axis=(0, 1))


def cell(name, noise, shape, draws):
    field, functions, dim = system(name)
    count, rows = shape
    out = {"right": 0, "open": 0, "more": 0, "false": 0, "plain right": 0, "plain false": 0, "seconds": 0.0}
    times = np.linspace(0, 4.0 if name == "Lorenz" else 12.0, rows)
    solve = solver(field, rows - 1, float(times[1]))
    for draw in range(draws):
        rng = np.random.default_rng(draw)
        clean = np.asarray(solve(jnp.asarray(starts_of("damped oscillator" if name == "damped" else name, rng, count))))
        data = clean + noise * clean.std(axis=(0, 1)) * rng.normal(size=clean.shape)
        begun = time.process_time()
        found = discover.conserved(data, functions, t=times)
        out["seconds"] += (time.process_time() - begun) / draws
        wrong = found.dim > 0 and np.max(varies(functions, found.basis, clean)) > max(found.evidence.resolution, 1e-4)
        sure = found.evidence.verdict != "cannot tell"
        out["false" if wrong else "more" if found.dim > dim else "right" if found.dim == dim and sure else "open"] += 1
        guess = plain(functions, data)
        out["plain right"] += guess == dim
        out["plain false"] += guess > dim
    return out


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--quick", action="store_true")
    options.add_argument("--keep", type=Path)
    given = options.parse_args()
    draws = 2 if given.quick else 10
    done = json.loads(given.keep.read_text()) if given.keep and given.keep.exists() else {}
    print(f"{draws} draws a cell; {measure.machine()}")
    rows = []
    for name in SYSTEMS:
        for noise in NOISES:
            for shape in SHAPES:
                key = f"{name} {noise} {shape} {draws}"
                if key not in done:
                    done[key] = cell(name, noise, shape, draws)
                    if given.keep:
                        given.keep.write_text(json.dumps(done))
                c = done[key]
                rows.append((name, f"{system(name)[2]} of {system(name)[1].size}", f"{100 * noise:g} %",
                             f"{shape[0]} x {shape[1]}", *(str(c[k]) for k in ("right", "open", "more", "false")),
                             f"{c['plain right']} / {c['plain false']}", f"{c['seconds']:.2f}"))  # fmt: skip
    measure.table(
        (
            "system",
            "conserved",
            "noise",
            "trajectories",
            "right",
            "open",
            "more",
            "false",
            "plain right / false",
            "CPU s",
        ),
        rows,
    )


if __name__ == "__main__":
    main()
