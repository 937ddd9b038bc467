"""How near a regression comes to least squares that knows the symmetry.

    python benchmarks/regression.py --out FILE           # 672 problems, 5 minutes; resumes from FILE (.json)
    python benchmarks/regression.py --out FILE --quick   # 2 seeds, 2 sizes
    python benchmarks/regression.py speed                # CPU seconds of a cross-validated fit at n = 12

Quadratic functions of five variables, 21 coefficients, under the 15 rigid motions; inputs uniform on [-1, 1]^5; noise
relative to the standard deviation of the function; errors are those of the function itself, relative, on fresh inputs.
Coefficients are of size one half to three halves, so that what is broken is broken at any of these noises.

    none      random gradient and Hessian                          0 kept
    one       a + a^2, a a random direction                       10
    two       a, b, a^2, a b, b^2                                  6
    radial    |x|^2                                               10
    axis      a, a^2 and |x|^2                                     6
    sparse    as two, of the first two variables                   6
    shifted   |x - c|^2, c a random point                         10

The oracle is least squares among exactly the invariant functions (2 to 6 coefficients). Who has to find the symmetry
has to estimate which conjugate of it is there, too: "form" is least squares over coefficients and conjugates (7 or 12
numbers), started at the truth; to first order no estimator that does not know the conjugate can have a smaller error.
"""

import measure  # before NumPy: threads are set there

# isort: split
import argparse
import json
import os
import time
import warnings
from itertools import product
from pathlib import Path

import numpy as np
from sklearn.linear_model import ARDRegression, LassoCV, RidgeCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler

import lieder as ld
from lieder.linalg import annihilating, low_rank_least_squares
from lieder.promote import Regression

N, KINDS = 5, {"none": 0, "one": 10, "two": 6, "radial": 10, "axis": 6, "sparse": 6, "shifted": 10}
RATIOS, NOISES, SEEDS = (0.6, 1.0, 1.5, 3.0), (0.01, 0.05, 0.3), range(200, 208)
DICTIONARY, MOTIONS = ld.dictionary.polynomials(N, 2), ld.points(ld.algebra.se(N))
RIVALS = {
    "ridge": lambda: RidgeCV(np.logspace(-6, 3, 28)),
    "lasso": lambda: LassoCV(cv=5, max_iter=20_000),
    "ARD": lambda: ARDRegression(),
}


def planted(kind: str, rng: np.random.Generator):
    """A function of the kind."""
    c = rng.uniform(0.5, 1.5, 5) * rng.choice([-1.0, 1.0], 5)
    a, b = np.eye(N)[:2] if kind == "sparse" else np.linalg.qr(rng.normal(size=(N, N)))[0][:2]
    centre, g, G = rng.uniform(-0.5, 0.5, N), rng.normal(size=N), rng.normal(size=(N, N))
    forms = {
        "none": lambda x: x @ g + np.einsum("ni,ij,nj->n", x, G, x),
        "one": lambda x: c[0] * (x @ a) + c[1] * (x @ a) ** 2,
        "two": lambda x: np.stack([x @ a, x @ b, (x @ a) ** 2, (x @ a) * (x @ b), (x @ b) ** 2], axis=1) @ c,
        "radial": lambda x: c[0] * (x**2).sum(axis=1),
        "axis": lambda x: c[0] * (x @ a) + c[1] * (x @ a) ** 2 + c[2] * (x**2).sum(axis=1),
        "shifted": lambda x: c[0] * ((x - centre) ** 2).sum(axis=1),
    }
    return forms["two" if kind == "sparse" else kind]


def problem(kind: str, ratio: float, noise: float, seed: int) -> dict:
    """The errors of everyone, whether the count is right, CPU seconds."""
    rng = np.random.default_rng([seed, *map(ord, kind)])
    truth = planted(kind, rng)
    fresh = rng.uniform(-1, 1, (2000, N))
    exact = truth(fresh)
    rows = round(ratio * DICTIONARY.size)
    x = rng.uniform(-1, 1, (rows, N))
    y = truth(x) + noise * exact.std() * rng.normal(size=rows)

    def error(found: np.ndarray) -> float:
        return float(np.sqrt(np.mean((found - exact) ** 2)) / exact.std())

    begun = time.process_time()
    model = Regression(DICTIONARY, source=MOTIONS).fit(x, y)
    out = {"seconds": time.process_time() - begun, "kept": model.kept_, "ours": error(model.predict(fresh))}
    for name, rival in RIVALS.items():
        features = make_pipeline(PolynomialFeatures(2, include_bias=False), StandardScaler(), rival())
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            out[name] = error(features.fit(x, y).predict(fresh))
    if KINDS[kind]:
        out |= {name: error(found) for name, found in known(x, y, fresh, exact, KINDS[kind], model).items()}
    return out


def known(x, y, fresh, exact, kept: int, model: Regression) -> dict[str, np.ndarray]:
    """Predictions of least squares that knows the symmetry, and of that which knows its form only."""
    _, task, _ = model._task(x, y, None)
    regression = task.problem(None)
    C, K = regression.basis, regression.kernel
    operator = task.columns.dense(C)
    inside, outside = task.rows.features, task.units.features(DICTIONARY, fresh)
    unit = task.units.outputs[0]
    true = np.linalg.lstsq(outside, exact / unit)[0]
    start = (np.linalg.pinv(np.concatenate([C, K], axis=1)) @ true)[: C.shape[1]]
    directions = np.linalg.svd(operator @ start)[2][-kept:].T
    invariant = np.concatenate([C @ annihilating(operator, directions), K], axis=1)
    oracle = invariant @ np.linalg.lstsq(inside @ invariant, y / unit)[0]
    q = np.linalg.qr(inside @ K)[0]
    moved = inside @ C - q @ (q.T @ (inside @ C))
    form = low_rank_least_squares(operator, moved.T @ moved, moved.T @ (y / unit), start, operator.shape[1] - kept)
    w = C @ form.vector
    w = w + K @ np.linalg.lstsq(inside @ K, y / unit - inside @ w)[0]
    return {"oracle": unit * (outside @ oracle), "form": unit * (outside @ w)}


def run(out: Path, quick: bool) -> dict:
    """All problems that FILE does not hold yet."""
    done = json.loads(out.read_text()) if out.exists() else {}
    ratios, seeds = (RATIOS[1:3], SEEDS[:2]) if quick else (RATIOS, SEEDS)
    for kind in KINDS:
        for ratio, noise, seed in product(ratios, NOISES, seeds):
            name = f"{kind} {ratio} {noise} {seed}"
            if name not in done:
                done[name] = problem(kind, ratio, noise, seed)
        new = out.with_suffix(".new")
        new.write_text(json.dumps(done))
        os.replace(new, out)
    return {tuple(name.split()): value for name, value in done.items()}


def tables(done: dict) -> None:
    """One line a kind and noise; then what was asked for."""
    rows, every = [], {}
    for kind, noise in product(KINDS, map(str, NOISES)):
        found = {
            ratio: [v for (k, r, e, _), v in done.items() if (k, r, e) == (kind, str(ratio), noise)] for ratio in RATIOS
        }
        for ratio, some in found.items():
            if some:
                every[kind, ratio, noise] = some
        some = [v for group in found.values() for v in group]
        right = [v for v in some if v["kept"] == KINDS[kind]]
        enough = [v for ratio, group in found.items() if ratio >= 1 for v in group]
        cells = [100 * np.mean([v["kept"] == KINDS[kind] for v in enough])] if enough else [np.nan]
        rows.append(
            (kind, noise, str(len(some)), f"{cells[0]:.0f}",
             *(f"{np.median([v[name] for v in some]):.2g}" for name in ("ours", *RIVALS)),
             f"{_ratio(right, 'oracle'):.2f}" if KINDS[kind] and right else "",
             f"{_ratio(right, 'form'):.2f}" if KINDS[kind] and right else "",
             f"{np.median([v['form'] / v['oracle'] for v in right]):.2f}" if KINDS[kind] and right else "")
        )  # fmt: skip
    head = ("planted", "noise", "problems", "kept right, %, from rows = coefficients on",
            "ours", "ridge", "lasso", "ARD", "ours / oracle", "ours / form", "form / oracle")  # fmt: skip
    measure.table(head, rows)
    lines(every)


def _ratio(some: list[dict], other: str) -> float:
    return float(np.median([v["ours"] / v[other] for v in some]))


def _right(planted: dict, ratio: float, noise: str) -> float:
    found = [
        v["kept"] == KINDS[kind] for (kind, r, e), some in planted.items() if (r, e) == (ratio, noise) for v in some
    ]
    return 100 * float(np.mean(found)) if found else np.nan


def lines(every: dict) -> None:
    """What is asked for, and whether it holds."""
    planted = {key: some for key, some in every.items() if KINDS[key[0]]}
    right = [v for (kind, *_), some in planted.items() for v in some if v["kept"] == KINDS[kind]]
    share = {}
    for noise in map(str, NOISES):
        some = [
            v["kept"] == KINDS[key[0]]
            for key, group in planted.items()
            if key[1] >= 1 and key[2] == noise
            for v in group
        ]
        share[noise] = 100 * float(np.mean(some)) if some else np.nan
    nothing = [v for (kind, *_), some in every.items() if kind == "none" for v in some]
    medians = {
        noise: np.median([(v["ours"], v["ridge"]) for v in some], axis=0)
        for noise in map(str, NOISES)
        if (
            some := [
                v for key, group in every.items() if key[0] == "none" and key[1] >= 1 and key[2] == noise for v in group
            ]
        )
    }
    wins = sum(
        np.median([v["ours"] for v in some]) <= min(np.median([v[name] for v in some]) for name in RIVALS)
        for some in planted.values()
    )
    ratio, form = _ratio(right, "oracle"), _ratio(right, "form")
    ridge = float(np.median([v["ours"] / v["ridge"] for v in nothing]))
    told = [
        ("median error over the oracle's, kept right", f"{ratio:.2f}", "<= 1.3", ratio <= 1.3),
        ("the same over that of the known form", f"{form:.2f}", "1 is the least possible", form <= 1.05),
        ("kept right at noise .05, rows >= coefficients, %", f"{share['0.05']:.0f}", ">= 97", share["0.05"] >= 97),
        ("kept right at noise .3, rows >= coefficients, %", f"{share['0.3']:.0f}", ">= 80", share["0.3"] >= 80),
        *(
            (
                f"the same at noise .3, rows = {ratio:g} coefficients, %",
                f"{_right(planted, ratio, '0.3'):.0f}",
                "",
                True,
            )
            for ratio in RATIOS[1:]
        ),
        ("nothing planted: median error over ridge's", f"{ridge:.2f}", "<= 1.05", ridge <= 1.05),
        *(
            (
                f"the same at noise {noise}, rows >= coefficients: ratio of medians",
                f"{a / b:.2f}",
                "<= 1.1",
                a <= 1.1 * b,
            )
            for noise, (a, b) in medians.items()
        ),
        ("cells of planted symmetry with the least median error", f"{wins} of {len(planted)}", "", True),
    ]
    measure.table(("", "found", "asked", "holds"), [(*row[:3], "yes" if row[3] else "NO") for row in told])
    seconds = [v["seconds"] for some in every.values() for v in some]
    print(f"CPU seconds a fit: median {np.median(seconds):.2f}, most {max(seconds):.2f}")


def speed() -> None:
    """One cross-validated fit at n = 12, degree 2, se(12): 91 coefficients, 78 candidates."""
    rows = []
    for kind in ("one", "none"):
        rng = np.random.default_rng(0)
        x = rng.uniform(-1, 1, (120, 12))
        axis = rng.normal(size=12) / np.sqrt(12)
        y = 1 + 2 * x @ axis + 3 * (x @ axis) ** 2
        if kind == "none":
            y = x @ rng.normal(size=12) + np.einsum("ni,ij,nj->n", x, rng.normal(size=(12, 12)), x)
        y += 0.05 * y.std() * rng.normal(size=120)
        for refit in (True, False):
            begun = time.process_time()
            model = Regression(ld.dictionary.polynomials(12, 2), source=ld.points(ld.algebra.se(12)), refit=refit).fit(
                x, y
            )
            rows.append((kind, refit, f"{time.process_time() - begun:.2f}", model.kept_))
    measure.table(("planted", "refit", "CPU s", "kept"), [tuple(map(str, row)) for row in rows])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="?", default="errors", choices=("errors", "speed"))
    parser.add_argument("--out", type=Path, default=Path("regression.json"))
    parser.add_argument("--quick", action="store_true")
    given = parser.parse_args()
    if given.what == "speed":
        speed()
    else:
        tables(run(given.out, given.quick))
