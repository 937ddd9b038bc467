"""Equations in a discovered latent by genetic programming and by sparse regression, with the symmetry and without.

    python benchmarks/latent_equations.py --keep equations.json --seeds 5    # a CPU minute a seed
    python benchmarks/latent_equations.py --keep equations.json --quick      # one seed, little training

The example of docs/latent.md: points of a plane that turn the faster the further out they are, .3 + .25 r radians a
unit of time, in ten columns; 40 trajectories of 30 rows. Each seed draws trajectories and the map to the columns anew,
trains a latent, and fits velocities of its trajectories (of a cubic spline) at some of their rows, taken at random.
"Right" is an error of less than 5 % of the velocity, root mean square, at 600 states of 20 fresh trajectories, where it
is known exactly: the encoder's derivative along the motion. Terms are those of both equations, multiplied out.
"""

import argparse
import json
import re
import time
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import sympy
from scipy.interpolate import CubicSpline

import lieder as ld

TRAJECTORIES, TIMES, FRESH, EDGE = 40, 30, 20, 2
ROWS = (400, 40)  # that equations are fitted to
RIGHT = 0.05
FUNCTIONS = ("add", "sub", "mul", "sqrt")
DEGREE = 5  # of the polynomials that are there for sparse regression


def turning(count: int, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """States (count, TIMES, 2) and their velocities."""
    radius, start = random.uniform(0.3, 1.7, (count, 1)), random.uniform(-np.pi, np.pi, (count, 1))
    rate = 0.3 + 0.25 * radius
    angle = start + rate * np.arange(TIMES)
    plane = radius[..., None] * np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    return plane, rate[..., None] * np.stack([-plane[..., 1], plane[..., 0]], axis=-1)


def cell(seed: int, steps: int, generations: int) -> dict:
    """Of each way its error, its terms and its seconds."""
    random = np.random.default_rng(seed)
    mixing = random.normal(size=(2, 10)) / 2
    x = np.sinh(turning(TRAJECTORIES, random)[0] @ mixing)
    how = ld.discover.Encoding(widths=(32, 32), batch=128, steps=steps)
    begun = time.process_time()
    found = ld.discover.latent(x, latent_dim=2, training=how, seed=seed)
    told = {"trained": {"seconds": time.process_time() - begun, "verdict": found.evidence.verdict}}
    encode = found.source.encoder  # pyright: ignore[reportAttributeAccessIssue]
    symmetry = found.action.base if found.dim else None  # pyright: ignore[reportAttributeAccessIssue]
    inner = np.asarray(jax.vmap(jax.vmap(encode))(jnp.asarray(x)), float)
    rates = CubicSpline(np.arange(TIMES), inner, axis=1)(np.arange(TIMES), 1)
    states, velocities = (each[:, EDGE:-EDGE].reshape(-1, 2) for each in (inner, rates))
    plane, motion = (jnp.asarray(each.reshape(-1, 2)) for each in turning(FRESH, random))

    def latent(p):
        return encode(jnp.sinh(p @ mixing))

    z, dz = (np.asarray(each, float) for each in jax.vmap(lambda p, v: jax.jvp(latent, (p,), (v,)))(plane, motion))
    for rows in ROWS:
        which = random.permutation(len(states))[:rows]
        given = states[which], velocities[which]
        for with_, action in (("none", None), ("found", symmetry)):
            if with_ == "found" and symmetry is None:
                continue
            ways = {
                "genetic programming": lambda given=given, action=action: ld.enforce.symbolic_dynamics(
                    given[0], given[1], symmetry=action, functions=FUNCTIONS, generations=generations, seed=seed
                ),
                "sparse regression": lambda given=given, action=action: ld.enforce.sparse_dynamics(
                    given[0], given[1], f"polynomials({DEGREE})", symmetry=action
                ),
            }
            for way, fit in ways.items():
                begun = time.process_time()
                law = fit()
                seconds = time.process_time() - begun
                missed = np.asarray(law.predict(z)) - dz
                told[f"{rows} rows|{way}|{with_}"] = {
                    "error": float(np.linalg.norm(missed) / np.linalg.norm(dz)),
                    "terms": terms(law.equations()),
                    "seconds": seconds,
                }
    return told


def terms(equations: list[str]) -> int:
    """How many there are, both sides multiplied out."""
    texts = [re.sub(r"(?<=[0-9x]) (?=x)", "*", one.split("=")[1].replace("^", "**")) for one in equations]
    right = [sympy.expand(sympy.sympify(text)) for text in texts]
    return sum(len(sympy.Add.make_args(one)) for one in right if one != 0)


def table(done: dict[str, dict]) -> str:
    lines = ["| rows | by | symmetry | right | median error | terms, median | CPU s, median |", "|" + " --- |" * 7]
    of = list(done.values())
    for key in dict.fromkeys(key for one in of for key in one if "|" in key):
        those = [one[key] for one in of if key in one]
        error, count, seconds = (np.median([one[what] for one in those]) for what in ("error", "terms", "seconds"))
        right = f"{sum(one['error'] < RIGHT for one in those)} of {len(of)}"
        lines.append(f"| {' | '.join(key.split('|'))} | {right} | {error:.2g} | {count:.0f} | {seconds:.1f} |")
    claimed = sum(one["trained"]["verdict"] == "symmetries" for one in of)
    return "\n".join([f"a symmetry claimed: {claimed} of {len(of)}", *lines])


def main() -> None:
    parser = argparse.ArgumentParser(description="Equations in a discovered latent, with the symmetry and without")
    parser.add_argument("--keep", type=Path, required=True, help="a JSON file; seeds in it are not run again")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="one seed, little training")
    given = parser.parse_args()
    done = json.loads(given.keep.read_text()) if given.keep.exists() else {}
    for seed in range(1 if given.quick else given.seeds):
        if str(seed) not in done:
            done[str(seed)] = cell(seed, *((200, 3) if given.quick else (800, 15)))
            given.keep.write_text(json.dumps(done, indent=1))
    print(table(done))


if __name__ == "__main__":
    main()
