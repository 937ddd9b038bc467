"""Equations found by genetic programming, with a symmetry and without: how often the right ones, over 20 seeds.

    python benchmarks/equations.py [--runs 20] [--keep FILE.json] [--quick]

oscillator: x' = x (1 - r^2) - y (1 + r^2 / 2), y' = y (1 - r^2) + x (1 + r^2 / 2), 200 states uniform in [-1.5, 1.5]^2;
epidemic: S' = -b S I / N, E' = b S I / N - s E, I' = s E - g I, R' = g I with N = S + E + I + R, b = .5, s = .25,
g = .15, eight outbreaks of 40 days in populations of 100 to 2,000, whose symmetry is the scaling of all numbers.
Velocities with noise of 5 % (2 %) of their spread, drawn anew for each run. Right: relative error below 5 % at 500
fresh states from a larger box, [-2, 2]^2 ([10, 1000]^4), of all equations together and of each. All ways have the same
search (500 formulas, 15 generations), the same fit of constants and choice of length; quotients are among the functions
for the epidemic, except where its symmetry has already formed those that there are.
"""

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import measure  # first: it fixes the threads before NumPy and JAX start

# isort: split

import numpy as np
import pandas
from scipy.integrate import solve_ivp

import lieder as ld

RIGHT = 0.05


class System(NamedTuple):
    """Velocities, states to learn from and to judge by, the symmetry with its functions, and the noise."""

    velocity: Callable[[np.ndarray], np.ndarray]
    states: np.ndarray
    fresh: np.ndarray
    symmetry: ld.action.AbstractAction
    dictionary: ld.dictionary.AbstractDictionary
    noise: float
    functions: tuple[str, ...]


def oscillator() -> System:
    random = np.random.default_rng(0)

    def velocity(z: np.ndarray) -> np.ndarray:
        square = np.sum(z**2, axis=1, keepdims=True)
        return z * (1 - square) + np.stack([-z[:, 1], z[:, 0]], axis=1) * (1 + square / 2)

    states, fresh = random.uniform(-1.5, 1.5, (200, 2)), random.uniform(-2, 2, (500, 2))
    rotations = ld.vectors(ld.algebra.so(2))
    return System(velocity, states, fresh, rotations, ld.dictionary.polynomials(2, 2), 0.05, ("add", "sub", "mul"))


def epidemic() -> System:
    random = np.random.default_rng(0)

    def velocity(z: np.ndarray) -> np.ndarray:
        s, e, i, _ = z.T
        new = 0.5 * s * i / z.sum(axis=1)
        return np.stack([-new, new - 0.25 * e, 0.25 * e - 0.15 * i, 0.15 * i], axis=1)

    outbreaks = []
    for _ in range(8):
        start = np.array([0.97, 0.02, 0.01, 0.0]) * random.uniform(100, 2000) * np.exp(random.standard_normal(4) / 2)
        days = np.linspace(1, 80, 40)
        outbreaks.append(solve_ivp(lambda t, z: velocity(z[None])[0], (0, 80), start, t_eval=days, rtol=1e-9).y.T)
    scaling = ld.vectors(ld.algebra.matrices(np.eye(4)[None], names=["scaling"]))
    texts = ["S+E+I+R", "S/(S+E+I+R)", "E/(S+E+I+R)", "I/(S+E+I+R)"]
    shares = ld.dictionary.formulas(texts, ["S", "E", "I", "R"])
    functions = ("add", "sub", "mul", "div")
    fresh = random.uniform(10, 1000, (500, 4))
    return System(velocity, np.concatenate(outbreaks), fresh, scaling, shares, 0.02, functions)


SYSTEMS = {"oscillator": oscillator, "epidemic": epidemic}
WAYS = {
    "oscillator": ("none", "invariants", "infinitesimal", "flow"),
    "epidemic": ("none", "invariants"),
}


def run(system: System, way: str, seed: int, quick: bool) -> dict[str, Any]:
    random = np.random.default_rng(1000 + seed)
    exact = system.velocity(system.states)
    noisy = exact + system.noise * exact.std(axis=0) * random.standard_normal(exact.shape)
    names = ["x", "y"] if exact.shape[1] == 2 else list("SEIR")
    x = pandas.DataFrame(system.states, columns=names)
    more: dict[str, Any] = {"population": 60, "generations": 3} if quick else {}
    if way != "none":
        more |= {"symmetry": system.symmetry, "by": way, "dictionary": system.dictionary}
    functions = ("add", "sub", "mul") if way == "invariants" else system.functions
    start = time.process_time()
    found = ld.enforce.symbolic_dynamics(x, noisy, functions=functions, seed=seed, **more)
    spent = time.process_time() - start
    right = system.velocity(system.fresh)
    wrong = found.predict(system.fresh) - right
    each = np.linalg.norm(wrong, axis=0) / np.linalg.norm(right, axis=0)
    return {"error": float(np.linalg.norm(wrong) / np.linalg.norm(right)), "each": each.tolist(), "seconds": spent}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--keep", type=Path, help="JSON file of runs that are done")
    parser.add_argument("--quick", action="store_true", help="two runs of a little search")
    given = parser.parse_args()
    done = json.loads(given.keep.read_text()) if given.keep and given.keep.exists() else {}
    runs = 2 if given.quick else given.runs
    print(measure.machine())
    print("\n| system | symmetry as | right | of each equation | median error | CPU s, median |")
    print("|---|---|---|---|---|---|")
    for seed in range(runs):
        for name, make in SYSTEMS.items():
            system = make()
            for way in WAYS[name]:
                key = f"{name}|{way}|{seed}"
                if key not in done:
                    done[key] = run(system, way, seed, given.quick)
                    if given.keep:
                        given.keep.write_text(json.dumps(done, indent=0))
    for name in SYSTEMS:
        for way in WAYS[name]:
            mine = [done[f"{name}|{way}|{seed}"] for seed in range(runs)]
            whole = sum(one["error"] < RIGHT for one in mine)
            each = np.mean([np.array(one["each"]) < RIGHT for one in mine], axis=0)
            told = " ".join(f"{share:.2f}" for share in each)
            error, seconds = (np.median([one[what] for one in mine]) for what in ("error", "seconds"))
            print(f"| {name} | {way} | {whole} of {runs} | {told} | {error:.3f} | {seconds:.1f} |")


if __name__ == "__main__":
    main()
