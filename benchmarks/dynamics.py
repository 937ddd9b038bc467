"""Sparse equations of motion from noisy trajectories, with and without the symmetry.

    python benchmarks/dynamics.py                       # 50 runs of each system, 20 minutes
    python benchmarks/dynamics.py growth --runs 5       # systems by name

Each run draws new initial conditions and new noise. The data are those of Yang, Rao, Dehmamy, Walters and Yu (NeurIPS
2024): 50 trajectories of the damped oscillator, |x| in .5 .. 2, T = 20; 100 of growth, from (.2, 1)^2, T = 2; 200 of
Lotka-Volterra in log coordinates, energy 3 .. 4.5, T = 20; 10 of glycolysis (Sel'kov), from (.5, 1)^2, T = 20. The
noise (white, a fraction of the standard deviation of each state; growth: a fraction of each value) is on every sample,
.002 apart. Functions: polynomials of degree 2, or 3 ("cubic", "sparse", glycolysis). "sparse" keeps
one sample in 100 (oscillator) or 10 (growth), after which nothing is left of the others.
Rows of one system see the same data, one after the other.
"""

import argparse
import time
import warnings
from collections.abc import Callable
from typing import NamedTuple

import measure  # first: it fixes the threads before NumPy and JAX start

# isort: split

import sys
from pathlib import Path

import jax.numpy as jnp
import numpy as np

from lieder import action, algebra, dictionary, discover, enforce

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
import motions

try:
    import pysindy
except ImportError:
    pysindy = None

STEP = 0.002
CONTROL = 10  # runs in which a symmetry of the fitted field is looked for


class System(NamedTuple):
    """A known system and how it is measured."""

    field: Callable
    starts: Callable
    steps: int
    noise: float
    multiplicative: bool
    every: int
    functions: dictionary.AbstractDictionary
    truth: np.ndarray
    symmetry: action.AbstractAction | None
    rival: float | None  # threshold of pysindy; None: our default way alone


def _table(size, entries):
    w = np.zeros((2, size))
    for (i, j), value in entries.items():
        w[i, j] = value
    return w


def _circle(rng):
    radius, angle = rng.uniform(0.5, 2, 50), rng.uniform(0, 2 * np.pi, 50)
    return radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)


def _energies(rng):
    found = np.zeros((0, 2))
    while len(found) < 200:
        x = np.log(rng.uniform(0, 1, (1000, 2)))
        energy = np.exp(x[:, 0]) - x[:, 0] + 4 / 3 * np.exp(x[:, 1]) - 2 / 3 * x[:, 1]
        found = np.concatenate([found, x[(energy >= 3) & (energy <= 4.5)]])
    return found[:200]


SO2 = action.vectors(algebra.so(2))
SCALING = action.vectors(algebra.matrices([[[2.0, 0.0], [0.0, 1.0]]]))


def _exponentials():
    terms = [
        lambda z: jnp.ones_like(z[0]),
        lambda z: z[0],
        lambda z: z[1],
        lambda z: z[0] ** 2,
        lambda z: z[0] * z[1],
        lambda z: z[1] ** 2,
        lambda z: jnp.exp(z[0]),
        lambda z: jnp.exp(z[1]),
    ]
    return dictionary.functions(terms, 2)


def _oscillator(x):
    return x @ np.array([[-0.1, 1.0], [-1.0, -0.1]])


def _growth(x):
    return np.stack([0.1 * x[:, 1] ** 2 - 0.3 * x[:, 0], x[:, 1]], axis=1)


def _lotka(x):
    return np.stack([2 / 3 - 4 / 3 * np.exp(x[:, 1]), np.exp(x[:, 0]) - 1], axis=1)


def _selkov(x):
    both = x[:, 0] * x[:, 1] ** 2
    return np.stack([0.75 - 0.1 * x[:, 0] - both, -x[:, 1] + 0.1 * x[:, 0] + both], axis=1)


def systems() -> dict[str, System]:
    """All systems, by name."""
    cubic, square = dictionary.polynomials(2, 3), dictionary.polynomials(2, 2)
    spiral = {(0, 1): -0.1, (0, 2): -1, (1, 1): 1, (1, 2): -0.1}
    grow = {(0, 1): -0.3, (0, 5): 0.1, (1, 2): 1}
    eat = {(0, 0): 2 / 3, (0, 7): -4 / 3, (1, 0): -1, (1, 6): 1}
    sugar = {(0, 0): 0.75, (0, 1): -0.1, (0, 8): -1, (1, 1): 0.1, (1, 2): -1, (1, 8): 1}
    young = lambda rng: rng.uniform(0.2, 1, (100, 2))  # noqa: E731
    oscillator = System(_oscillator, _circle, 10_000, 0.2, False, 1, square, _table(6, spiral), SO2, 0.01)
    growth = System(_growth, young, 1000, 0.05, True, 1, square, _table(6, grow), SCALING, 0.05)
    return {
        "oscillator": oscillator,
        "oscillator, cubic": oscillator._replace(functions=cubic, truth=_table(10, spiral), rival=None),
        "oscillator, sparse": oscillator._replace(functions=cubic, truth=_table(10, spiral), every=100),
        "growth": growth,
        "growth, cubic": growth._replace(functions=cubic, truth=_table(10, grow), rival=None),
        "growth, sparse": growth._replace(functions=cubic, truth=_table(10, grow), every=10),
        "Lotka-Volterra": System(
            _lotka, _energies, 10_000, 0.99, False, 1, _exponentials(), _table(8, eat), None, None
        ),
        "glycolysis": System(
            _selkov,
            lambda rng: rng.uniform(0.5, 1, (10, 2)),
            10_000,
            0.2,
            False,
            1,
            cubic,
            _table(10, sugar),
            None,
            None,
        ),
    }


def measured(system: System, rng: np.random.Generator) -> np.ndarray:
    """Trajectories (C, T, 2) with noise, by Runge-Kutta steps of .002."""
    x = system.starts(rng)
    out = np.empty((system.steps, *x.shape))
    for i in range(system.steps):
        out[i] = x
        x = motions.step(system.field, x, STEP)
    white = system.noise * rng.standard_normal(out.shape)
    out = out * (1 + white) if system.multiplicative else out + white * out.std(axis=(0, 1))
    return out[:: system.every].swapaxes(0, 1)


def _by_pysindy(x, system: System, degree: int, threshold: float) -> np.ndarray:
    """The package's own plain regression, with its smoothed differences."""
    assert pysindy is not None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = pysindy.SINDy(
            feature_library=pysindy.PolynomialLibrary(degree=degree),
            optimizer=pysindy.STLSQ(threshold=threshold),
            differentiation_method=pysindy.SmoothedFiniteDifference(),
        )
        model.fit(list(x), t=STEP * system.every)
    return np.asarray(model.coefficients())


def ways(system: System) -> dict[str, Callable]:
    """From trajectories to coefficients: ours with the symmetry, ours without, another package's."""
    t = STEP * system.every

    def ours(symmetry, derivative):
        return lambda x: (
            enforce.sparse_dynamics(
                x, None, system.functions, t=t, symmetry=symmetry, derivative=derivative
            ).coefficients_
        )

    found = {} if system.symmetry is None else {"symmetric": ours(system.symmetry, "weak")}
    found["plain"] = ours(None, "weak")
    if system.rival is not None:
        found |= {"symmetric, spline": ours(system.symmetry, "spline"), "plain, spline": ours(None, "spline")}
    if pysindy is not None and system.rival is not None and isinstance(system.functions, dictionary.Polynomials):
        degree, threshold = system.functions.degree, system.rival
        found["plain, pysindy"] = lambda x: _by_pysindy(x, system, degree, threshold)
    return found


def row(name: str, way: str, system: System, found: np.ndarray, seconds: float) -> tuple[str, ...]:
    """Success, error over true terms (all runs), and the damping of the oscillator."""
    true = system.truth != 0
    success = ((found != 0) == true).all(axis=(1, 2))
    squares = [np.mean((found[:, i, true[i]] - system.truth[i, true[i]]) ** 2, axis=1) for i in range(2)]
    error = np.sqrt(np.mean(squares, axis=0))
    damping = "-"
    if name.startswith("oscillator"):
        value = -(found[:, 0, 1] + found[:, 1, 2]) / 2
        damping = f"{value.mean():.4f} ({np.abs(value / 0.1 - 1).max():.1%})"
    each = ", ".join(f"{np.sqrt(s).mean():.4f}" for s in squares)
    return name, way, f"{success.mean():.2f}", f"{error.mean():.4f} ({each})", damping, f"{seconds:.1f}"


def invented(system: System, runs: int) -> int:
    """In how many runs the field fitted without symmetry is found to have an affine one."""
    count = 0
    for seed in range(runs):
        x = measured(system, np.random.default_rng(seed))
        model = enforce.sparse_dynamics(x, None, system.functions, t=STEP)
        states = x[:, ::500].reshape(-1, 2)
        count += discover.vector_field(model.function, states, action=action.points(algebra.aff(2))).dim > 0
    return count


def main():
    """Run the systems asked for, and print the table."""
    parser = argparse.ArgumentParser(description="Sparse equations of motion, with and without the symmetry.")
    every = systems()
    parser.add_argument("names", nargs="*", default=list(every), help=f"some of: {'; '.join(every)}")
    parser.add_argument("--runs", type=int, default=50)
    asked = parser.parse_args()
    print(measure.machine())
    rows = []
    for name in asked.names:
        system = every[name]
        calls = ways(system)
        found, seconds = {way: [] for way in calls}, dict.fromkeys(calls, 0.0)
        for seed in range(asked.runs):
            x = measured(system, np.random.default_rng(seed))
            for way, call in calls.items():
                begun = time.process_time()
                found[way].append(call(x))
                seconds[way] += (time.process_time() - begun) / asked.runs
        new = [row(name, way, system, np.array(found[way]), seconds[way]) for way in calls]
        rows += new
        for line in new:
            print(*line, sep=" | ", flush=True)
    if "glycolysis" in asked.names:
        runs = min(CONTROL, asked.runs)
        print(f"glycolysis: a symmetry is invented in {invented(every['glycolysis'], runs)} of {runs} runs")
    head = ("system", "way", "exact terms", "error (x1', x2')", "damping (worst)", "CPU s")
    measure.table(head, rows)


if __name__ == "__main__":
    main()
