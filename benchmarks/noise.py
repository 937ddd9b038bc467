"""How often something is claimed that is not so: labels without a law, and laws under noise, by route.

    python benchmarks/noise.py [--quick] [--seeds 20] [--rows 200] [--routes auto,polynomial] [--keep cells.json]

Three inputs under aff(3), twelve candidates. "Symmetries" is false where the labels follow no law, and where a claimed
direction has a defect above .2 for the law itself; "no symmetry" is false where the law has one. Cells that are done
are kept in the file given and are not run again, so that a run can be stopped at any time.
"""

import argparse
import json
import time
import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import measure  # first: it fixes the threads before NumPy and JAX start

# isort: split

import jax.numpy as jnp
import numpy as np
from sklearn.ensemble import GradientBoostingRegressor
from sklearn.linear_model import LinearRegression

import lieder as ld

WRONG = 0.2  # defect under the law itself from which on a claimed direction is wrong
AFFINE = ld.algebra.aff(3)
SOURCE, TARGET = ld.points(AFFINE), ld.scalars(AFFINE)
FITS = ("auto", "polynomial", "kernel", "mlp", "graph")
ROUTES = (*FITS, "cloud", "function, linear", "function, boosting")


def _clusters(random, rows):
    return random.normal(size=(rows, 3)) * 0.3 + random.normal(size=(4, 3))[random.integers(0, 4, rows)] * 3


def _correlated(random, rows):
    shared = random.normal(size=(rows, 1))
    return np.sqrt(0.9) * shared + np.sqrt(0.1) * random.normal(size=(rows, 3))


INPUTS: dict[str, Callable] = {
    "normal": lambda random, rows: random.normal(size=(rows, 3)),
    "uniform": lambda random, rows: random.uniform(-1, 1, (rows, 3)),
    "heavy tails": lambda random, rows: random.standard_t(3, (rows, 3)),
    "whole numbers": lambda random, rows: random.integers(-3, 4, (rows, 3)).astype(float),
    "clusters": _clusters,
    "correlated": _correlated,
    "far from zero": lambda random, rows: random.normal(size=(rows, 3)) + 1e3,
    "skewed": lambda random, rows: random.lognormal(0, 0.7, (rows, 3)),
}

# Labels that follow no law of x: one number a row.
NOISE: dict[str, tuple[str, Callable]] = {
    "normal": ("normal", lambda random, x: random.normal(size=len(x))),
    "5 + normal": ("normal", lambda random, x: 5 + random.normal(size=len(x))),
    "1e4 + normal": ("uniform", lambda random, x: 1e4 + random.normal(size=len(x))),
    "student, 2": ("normal", lambda random, x: random.standard_t(2, len(x))),
    "cauchy": ("uniform", lambda random, x: random.standard_cauchy(len(x))),
    "counts": ("normal", lambda random, x: random.poisson(2, len(x)).astype(float)),
    "plus minus one": ("whole numbers", lambda random, x: random.choice([-1.0, 1.0], len(x))),
    "lognormal": ("skewed", lambda random, x: random.lognormal(0, 1, len(x))),
    "heteroskedastic": ("normal", lambda random, x: np.abs(x[:, 0]) * random.normal(size=len(x))),
    "random walk": ("uniform", lambda random, x: np.cumsum(random.normal(size=len(x)))),
    "heavy inputs": ("heavy tails", lambda random, x: random.normal(size=len(x))),
    "clusters": ("clusters", lambda random, x: random.normal(size=len(x))),
    "correlated": ("correlated", lambda random, x: random.normal(size=len(x))),
    "far inputs": ("far from zero", lambda random, x: random.normal(size=len(x))),
}

# Laws, the inputs they are seen on, and the noise beside their own spread.
LAWS: dict[str, tuple[str, float, Callable]] = {
    "plane": ("normal", 0.5, lambda x: x[0] - 2 * x[1] + 0.5 * x[2]),
    "one column": ("normal", 0.5, lambda x: x[0]),
    "one column, weak": ("uniform", 3.0, lambda x: x[0]),
    "plane, correlated": ("correlated", 0.3, lambda x: x[0] + x[1] - x[2]),
    "sphere": ("uniform", 0.05, lambda x: x @ x),
    "sphere, exact": ("heavy tails", 0.0, lambda x: x @ x),
    "rings": ("uniform", 0.02, lambda x: jnp.exp(-(x[0] ** 2) - x[1] ** 2)),
    "rings, exact": ("uniform", 0.0, lambda x: jnp.sin(x[0] ** 2 + x[1] ** 2)),
    "saddle": ("clusters", 0.1, lambda x: x[0] * x[1]),
    "none, cubic": ("normal", 0.05, lambda x: x[0] ** 3 + x[0] * x[1] + x[1] ** 3 + x[2] ** 3 + x[2] ** 2 * x[0]),
    "none, waves": ("uniform", 0.0, lambda x: jnp.sin(3 * x[0]) + jnp.exp(x[1] * x[2]) + x[2] ** 3),
}


def labelled(name: str, rows: int, seed: int):
    """Inputs, labels, and the law (None for noise)."""
    random = np.random.default_rng(seed)
    if name in NOISE:
        inputs, make = NOISE[name]
        x = INPUTS[inputs](random, rows)
        return x, make(random, x), None
    inputs, noise, law = LAWS[name]
    x = INPUTS[inputs](random, rows)
    y = np.array([float(law(row)) for row in x])
    return x, y + noise * y.std() * random.normal(size=rows), law


def answered(route: str, x: np.ndarray, y: np.ndarray) -> ld.Symmetries:
    if route in FITS:
        return ld.discover.dataset(x, y, source=SOURCE, target=TARGET, fit=route)
    if route == "cloud":
        return ld.discover.cloud(np.column_stack([x, y]), action=ld.action.total(SOURCE, TARGET), dimension=3)
    half = len(x) // 2
    estimator = LinearRegression() if route.endswith("linear") else GradientBoostingRegressor(random_state=0)
    estimator.fit(x[:half], y[:half])
    return ld.discover.function(estimator, x[half:], source=SOURCE, target=TARGET, labels=y[half:])


def judged(route: str, name: str, rows: int, seed: int) -> str:
    """The verdict, and whether it is false."""
    x, y, law = labelled(name, rows, seed)
    try:
        found = answered(route, x, y)
    except ValueError as refused:
        return f"refused: {str(refused)[:60]}"
    verdict = found.evidence.verdict
    if law is None:
        return "false symmetries" if verdict == "symmetries" else verdict
    true = ld.discover.function(law, x, source=SOURCE, target=TARGET)
    if verdict == "symmetries":
        defects = ld.linalg.relative_spectrum(
            true.numerator @ found.generators.T, true.denominator @ found.generators.T, 1e-12
        ).values
        return "false symmetries" if defects.max() > WRONG else "symmetries"
    return "false no symmetry" if verdict == "no symmetry" and true.dim else verdict


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="one seed")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--rows", type=int, default=200)
    parser.add_argument("--routes", default=";".join(ROUTES), help="separated by semicolons")
    parser.add_argument("--keep", type=Path, help="a JSON file of cells that are done")
    parser.add_argument("--minutes", type=float, default=np.inf, help="stop after so many minutes of processor time")
    given = parser.parse_args()
    cells = json.loads(given.keep.read_text()) if given.keep and given.keep.exists() else {}
    routes = given.routes.split(";")
    warnings.simplefilter("ignore")
    for seed in range(1 if given.quick else given.seeds):
        for name in (*NOISE, *LAWS):
            for route in routes:
                key = f"{route}|{name}|{given.rows}|{seed}"
                if key in cells or time.process_time() > 60 * given.minutes:
                    continue
                start = time.process_time()
                cells[key] = [judged(route, name, given.rows, seed), round(time.process_time() - start, 2)]
                if given.keep:
                    given.keep.write_text(json.dumps(cells, indent=0))
    report(cells, routes, given.rows)


def report(cells: dict, routes: list[str], rows: int) -> None:
    print(measure.machine())
    print(f"\n{rows} rows, {len(NOISE)} kinds of labels without a law, {len(LAWS)} laws, aff(3) on three inputs\n")
    kinds = ("symmetries", "no symmetry", "cannot tell", "false symmetries", "false no symmetry", "refused")
    print("| route | labels | runs | " + " | ".join(kinds) + " | s a run |\n|---|---|---|" + "---|" * (len(kinds) + 1))
    for route in routes:
        for title, names in (("noise", NOISE), ("laws", LAWS)):
            mine = [value for key, value in cells.items() if key.split("|")[0] == route and key.split("|")[1] in names]
            mine = [value for value in mine if value]
            told = Counter(said.split(":")[0] for said, _ in mine)
            seconds = np.mean([spent for _, spent in mine]) if mine else 0
            counts = " | ".join(str(told[kind]) for kind in kinds)
            print(f"| {route} | {title} | {len(mine)} | {counts} | {seconds:.1f} |")
    for key, (said, _) in cells.items():
        if said.startswith(("false", "refused")):
            print(f"    {key}: {said}")


if __name__ == "__main__":
    main()
