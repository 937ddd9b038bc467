"""Conserved quantities of noisy trajectories: how often the count is right, wrong, or left open, and what it costs.

    python benchmarks/conserved.py                  # 10 draws of each cell, 10 CPU minutes
    python benchmarks/conserved.py --quick          # 2 draws, 2 minutes
    python benchmarks/conserved.py --keep FILE      # cells that are done are kept there

Each draw has new starts and new white noise, a share of each column's spread. "false": more functions were claimed than
there are, or one that is not conserved; "open": cannot tell, or fewer were claimed. Beside it what a plain threshold on
the same data would say: the ratio of variation within trajectories to that over all, noise not taken off, below .1.
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


def starts(name, count, rng):
    if name == "Lotka-Volterra":
        return rng.uniform(0.6, 1.5, (count, 2))
    if name == "pendulum":
        return rng.uniform(-1, 1, (count, 2)) * [1.8, 0.8]
    if name == "Kepler in the plane":
        turn, size = rng.uniform(0, 2 * np.pi, count), rng.uniform(0.8, 1.5, (count, 1))
        out, across = np.stack([np.cos(turn), np.sin(turn)], 1), np.stack([-np.sin(turn), np.cos(turn)], 1)
        speed = rng.uniform(0.8, 1.15, (count, 1)) * rng.choice([-1, 1], (count, 1)) / np.sqrt(size)
        return np.concatenate([size * out, speed * across], axis=1)
    return rng.normal(size=(count, system(name)[1].width)) * (5.0 if name == "Lorenz" else 1.0)


def solved(name, x, steps, step, substeps=25):
    """Runge-Kutta of order 4, (trajectories, steps + 1, n)."""
    field, h = jax.vmap(system(name)[0]), step / substeps

    def small(_, x):
        a = field(x)
        b = field(x + h / 2 * a)
        c = field(x + h / 2 * b)
        return x + h / 6 * (a + 2 * b + 2 * c + field(x + h * c))

    def one(x, _):
        x = jax.lax.fori_loop(0, substeps, small, x)
        return x, x

    return np.asarray(jnp.concatenate([x[None], jax.lax.scan(one, x, None, steps)[1]]).swapaxes(0, 1))


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


def cell(name, noise, shape, draws):
    field, functions, dim = system(name)
    count, rows = shape
    out = {"right": 0, "false": 0, "open": 0, "plain right": 0, "plain false": 0, "seconds": 0.0}
    times = np.linspace(0, 4.0 if name == "Lorenz" else 12.0, rows)
    for draw in range(draws):
        rng = np.random.default_rng(draw)
        clean = solved(name, jnp.asarray(starts(name, count, rng)), rows - 1, times[1])
        data = clean + noise * clean.std(axis=(0, 1)) * rng.normal(size=clean.shape)
        begun = time.process_time()
        found = discover.conserved(data, functions, t=times)
        out["seconds"] += (time.process_time() - begun) / draws
        fresh = clean[:, ::3].reshape(-1, clean.shape[2])
        rates = jax.vmap(lambda z, c: c @ functions.jacobian(z) @ field(z), (0, None))(fresh, found.basis)
        moved = np.sqrt(np.mean(np.asarray(rates) ** 2, axis=0)) / np.maximum(found.spread[: found.dim], 1e-300)
        wrong = found.dim > dim or bool(np.any(moved > 0.3))
        out["right" if found.dim == dim and not wrong and found.evidence.verdict != "cannot tell"
            else "false" if wrong else "open"] += 1  # fmt: skip
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
                             f"{shape[0]} x {shape[1]}", *(str(c[k]) for k in ("right", "open", "false")),
                             f"{c['plain right']} / {c['plain false']}", f"{c['seconds']:.2f}"))  # fmt: skip
    measure.table(
        ("system", "conserved", "noise", "trajectories", "right", "open", "false", "plain right / false", "CPU s"), rows
    )


if __name__ == "__main__":
    main()
