"""How few samples determine a polynomial whose broken symmetries are few.

    python benchmarks/recovery.py published              # the published problems, number by number: 1 minute
    python benchmarks/recovery.py reproduced             # the published medians, on their ten seeds: 4 minutes
    python benchmarks/recovery.py medians --out FILE     # ten new seeds for each size; resumes from FILE (.json)
    python benchmarks/recovery.py solvers                # against CVXPY with SCS and Clarabel, one instance each
    python benchmarks/recovery.py easy                   # the same where samples abound: half a minute
    python benchmarks/recovery.py bisections             # a whole search, in CPU seconds
    python benchmarks/recovery.py scale                  # cost against dimension, up to t(100) and se(40)

The least N of samples in their order with a relative largest coefficient error below 5e-3, by bisection of [1, D + 1].
Threads are pinned to one (LIEDER_THREADS for more) before NumPy is imported; seconds are CPU seconds of the process.
"""

import measure  # before NumPy: threads are set there

# isort: split
import argparse
import json
import os
import resource
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from math import comb
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from recovery_instances import MEDIANS, PUBLISHED, instance, library, values

import lieder as ld
from lieder.linalg import nuclear_interpolation
from lieder.promote import Regression

ACCURACY = 5e-3
SIZES = [
    *[("ortho", "t", m, r, 2) for m in (10, 20, 30) for r in (1, 2, 3)],
    ("ortho", "t", 10, 1, 3),
    ("ortho", "t", 8, 1, 4),
    *[("ortho", "se", m, r, 2) for m in (10, 15) for r in (1, 2, 3)],
    ("ortho", "se", 8, 1, 3),
    ("quad", "se", 10, 1, 1),
    ("quad", "se", 20, 1, 1),
    ("quad", "se", 6, 1, 2),
]
SEEDS = range(100, 110)  # none of the published ones
AGAINST = [
    (("ortho", "se", 15, 2, 2, 0), 78, 60),
    (("ortho", "se", 20, 2, 2, 0), 108, 60),
    (("ortho", "t", 30, 2, 2, 0), 178, 10),
    (("ortho", "se", 8, 2, 3, 0), 110, 10),
]
EASY = [  # half again as many samples as are needed, or more
    (("ortho", "se", 15, 2, 2, 0), 117),
    (("ortho", "se", 10, 1, 2, 0), 60),
    (("ortho", "t", 30, 2, 2, 0), 300),
    (("ortho", "t", 10, 1, 2, 0), 50),
]
SCALES = [("t", m) for m in (10, 20, 30, 50, 70, 100)] + [("se", m) for m in (5, 10, 15, 20, 30, 40)]


def acting(algebra: str, m: int) -> ld.action.AbstractAction:
    return ld.points(ld.algebra.t(m) if algebra == "t" else ld.algebra.se(m))


def regression(algebra: str, m: int, problem) -> Regression:
    source = acting(algebra, m)
    lengths = ld.promote.orthonormal(source)  # as published: the Frobenius product in the units of the inputs
    return Regression(
        library(m, problem.degree),
        source=source,
        exact=True,
        collocation=problem.collocation,
        inner=np.diag(1.0 / np.diag(lengths) ** 2),
        tolerance=1e-6,
    )


def error(found: np.ndarray, problem) -> float:
    return float(np.abs(found - problem.coefficients).max() / np.abs(problem.coefficients).max())


def least(key: tuple) -> int:
    """The least N, by bisection; matrices of the library are made once."""
    algebra, m = key[1], key[2]
    problem = instance(*key)
    model = regression(algebra, m, problem)
    columns, units = made(model, problem)
    features = units.features(library(m, problem.degree), problem.x)
    low, high = 0, len(problem.x)  # low fails, high recovers
    while high - low > 1:
        n = (low + high) // 2
        fit, _ = nuclear_interpolation(columns, features[:n], problem.y[:n], 1e-6, 500)
        low, high = (
            (low, n) if error(units.outside(fit.w[None])[0] / units.outputs[0], problem) < ACCURACY else (n, high)
        )
    return high


def made(model: Regression, problem):
    """The columns of L_F, and the units they are made in."""
    task = model._task(problem.x, problem.y, None)[1]
    return task.columns, task.units


def table(head: tuple, rows: list) -> None:
    measure.table(head, [tuple(map(str, row)) for row in rows])


def published() -> None:
    rows = []
    for key, n in PUBLISHED.items():
        begun = time.process_time()
        found = least(key)
        rows.append((*key, n, found, f"{time.process_time() - begun:.2f}"))
    head = ("family", "algebra", "m", "r", "d", "seed", "published N", "ours", "CPU s")
    table(head, rows)
    print("all equal" if all(row[6] == row[7] for row in rows) else "DIFFERENT")


def reproduced() -> None:
    """Medians over the published seeds, where a search takes seconds."""
    rows = []
    for size, n in MEDIANS.items():
        family, algebra, m, _, d = size
        if comb(m + (d if family == "ortho" else 2 * d), m) > 500 or (algebra == "se" and m > 10):
            continue
        found = [least((*size, seed)) for seed in range(10)]
        rows.append((*size, n, f"{np.median(found):g}", f"{min(found)} to {max(found)}"))
    table(("family", "algebra", "m", "r", "d", "published median", "ours", "range"), rows)


def medians(out: Path, workers: int, seeds: int) -> None:
    known = json.loads(out.read_text()) if out.exists() else {}
    jobs = [(*size, seed) for size in SIZES for seed in list(SEEDS)[:seeds] if _name((*size, seed)) not in known]
    print(f"{len(known)} known, {len(jobs)} to do", flush=True)
    with ProcessPoolExecutor(
        workers, mp_context=get_context("spawn"), initializer=_anywhere if workers > 1 else None
    ) as pool:
        futures = {pool.submit(_timed, key): key for key in jobs}
        for done in as_completed(futures):
            known[_name(futures[done])] = done.result()
            new = out.with_suffix(".new")
            new.write_text(json.dumps(known, indent=0))
            os.replace(new, out)
            print(_name(futures[done]), *done.result(), flush=True)
    rows = []
    for size in SIZES:
        found = [known[_name((*size, seed))] for seed in SEEDS if _name((*size, seed)) in known]
        if not found:
            continue
        counts, seconds = np.array(found).T
        family, _, m, _, d = size
        terms = comb(m + (d if family == "ortho" else 2 * d), m)
        rows.append(
            (*size, terms, len(found), f"{np.median(counts):g} ({counts.min():g} to {counts.max():g})",
             MEDIANS.get(size, ""), f"{np.median(seconds):.1f}")
        )  # fmt: skip
    head = ("family", "algebra", "m", "r", "d", "terms", "seeds", "median N (range)", "published", "CPU s a search")
    table(head, rows)


def _anywhere() -> None:
    """On any core: importing `measure` pins a process to one."""
    os.sched_setaffinity(0, range(os.cpu_count() or 1))


def _timed(key: tuple) -> tuple[int, float]:
    begun = time.process_time()
    return least(key), round(time.process_time() - begun, 2)


def _name(key: tuple) -> str:
    return " ".join(map(str, key))


def bisections() -> None:
    rows = []
    for key, line, other in ((("ortho", "t", 30, 2, 2, 0), 5, 50), (("ortho", "se", 15, 2, 2, 0), 10, 370)):
        found, seconds = _timed(key)
        rows.append((_name(key), found, f"{seconds:.2f}", line, other))
    table(("problem", "least N", "CPU s", "line", "published CPU s"), rows)


def solvers() -> None:
    """Each solver in a fresh process, on the same problem."""
    rows = []
    for key, n, line in AGAINST:
        ours = _fresh("ours", key, n)
        scs = _fresh("SCS", key, n)
        clarabel = _fresh("CLARABEL", key, n)
        if ours is None:
            raise RuntimeError(f"ours found nothing for {key}")
        row = [_name(key), n, f"{ours['seconds']:.3f}", f"{ours['gap']:.0e}", f"{ours['error']:.0e}"]
        for rival in (scs, clarabel):
            row += (
                [f"{rival['seconds']:.1f}", rival["status"], f"{rival['error']:.0e}"]
                if rival
                else ["", "no result", ""]
            )
        row += [f"{scs['seconds'] / ours['seconds']:.0f}" if scs else "", f">= {line}"]
        rows.append(tuple(row))
        print(row, flush=True)
    head = ("problem", "N", "ours, CPU s", "gap", "error", "SCS, CPU s", "status", "error", "Clarabel, CPU s", "status",
            "error", "SCS / ours", "line")  # fmt: skip
    table(head, rows)


def easy() -> None:
    """Ours against SCS where samples abound."""
    rows = []
    for key, n in EASY:
        ours, scs = _fresh("ours", key, n), _fresh("SCS", key, n)
        if ours is None or scs is None:
            rows.append((_name(key), n, "no result", "", "", "", ""))
            continue
        shown = [text for one in (ours, scs) for text in (f"{one['seconds']:.3f}", f"{one['error']:.0e}")]
        rows.append((_name(key), n, *shown, f"{scs['seconds'] / ours['seconds']:.1f}"))
    table(("problem", "N", "ours, CPU s", "error", "SCS, CPU s", "error", "SCS / ours"), rows)


def _fresh(solver: str, key: tuple, n: int) -> dict | None:
    command = [sys.executable, __file__, "one", "--solver", solver, "--key", json.dumps(key), "--samples", str(n)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=900)
    except subprocess.TimeoutExpired:
        return None
    if done.returncode:
        print(solver, key, "ended:", done.stderr.strip().splitlines()[-1:] or done.returncode, flush=True)
        return None
    return json.loads(done.stdout.splitlines()[-1])


def one(solver: str, key: tuple, n: int) -> dict:
    """One solve; the matrices of the problem are made beforehand for everyone."""
    algebra, m = key[1], key[2]
    problem = instance(*key)
    model = regression(algebra, m, problem)
    design = values(problem.x, library(m, problem.degree).exponents)[:n]
    y = problem.y[:n]
    columns, units = made(model, problem)
    if solver == "ours":
        ours = units.features(library(m, problem.degree), problem.x[:n])
        nuclear_interpolation(columns, ours[:2], y[:2], 1e-6, 1)  # so that BLAS is awake
        begun = time.process_time()
        columns.__dict__.pop("gram", None)
        fit, _ = nuclear_interpolation(columns, ours, y, 1e-6, 500)
        return {
            "seconds": time.process_time() - begun,
            "gap": fit.solution.gap,
            "error": error(units.outside(fit.w[None])[0] / units.outputs[0], problem),
            "iterations": fit.solution.iterations,
            "status": fit.solution.stop,
        }
    import cvxpy

    resource.setrlimit(resource.RLIMIT_AS, (14 << 30, 14 << 30))  # what does not fit fails here, not elsewhere
    # As published: the derivatives themselves at the collocation points, one column a candidate.
    rows = values(problem.collocation, library(m, problem.degree).exponents)
    matrices = ld.derivative.lie_matrices(library(m, problem.degree), acting(algebra, m))
    scale = np.diag(ld.promote.orthonormal(acting(algebra, m)))
    wide = [scale[k] * (rows @ matrix.T) for k, matrix in enumerate(matrices.generators.dense())]
    p, q = len(rows), len(wide)
    tall = np.concatenate(wide)  # vec A(w), column by column
    w = cvxpy.Variable(design.shape[1])
    X = cvxpy.reshape(tall @ w, (p, q), order="F")
    task = cvxpy.Problem(cvxpy.Minimize(cvxpy.normNuc(X)), [design @ w == y])
    begun = time.process_time()
    task.solve(solver=solver)
    return {
        "seconds": time.process_time() - begun,
        "status": task.status,
        "error": error(np.asarray(w.value), problem),
        "gap": 0.0,
    }


def scale(out: Path | None) -> None:
    rows = []
    for algebra, m in SCALES:
        command = [sys.executable, __file__, "large", "--key", json.dumps(["ortho", algebra, m, 1, 2, 0])]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(done.stderr)
        found = json.loads(done.stdout.splitlines()[-1])
        rows.append(found)
        print(found, flush=True)
        if out is not None:
            out.write_text(json.dumps(rows))
    table(tuple(rows[0]), [tuple(row.values()) for row in rows])


def large(key: tuple) -> dict:
    """One solve of a large problem, from half again as many samples as it usually takes."""
    algebra, m = key[1], key[2]
    powers = library(m, 2).exponents
    rng = np.random.default_rng(key[-1])
    axis = rng.normal(size=m)
    axis /= np.linalg.norm(axis)
    weights = rng.random(3)
    n = round(samples(m))
    x = rng.uniform(-1, 1, (n, m))
    y = weights[0] + weights[1] * (x @ axis) + weights[2] * (x @ axis) ** 2
    g = ld.algebra.t(m) if algebra == "t" else ld.algebra.se(m)
    wall, cpu = time.perf_counter(), time.process_time()
    model = Regression(library(m, 2), source=ld.points(g), exact=True).fit(x, y)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    z = rng.uniform(-1, 1, (1000, m))
    truth = weights[0] + weights[1] * (z @ axis) + weights[2] * (z @ axis) ** 2
    return {
        "algebra": algebra, "m": m, "terms": len(powers), "candidates": g.dim, "N": n, "wall s": round(wall, 2),
        "CPU s": round(cpu, 2), "GB": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6, 2),
        "iterations": model.n_iter_, "gap": float(f"{model.gap_:.1e}"), "kept": model.kept_,
        "error": float(f"{np.abs(model.predict(z) - truth).max() / np.abs(truth).max():.1e}"),
        "Gflop": float(f"{flops(algebra, m, n, g.dim - model.kept_, model.n_iter_) / 1e9:.3g}"),
    }  # fmt: skip


def flops(algebra: str, m: int, n: int, r: int, steps: int) -> float:
    """Set-up and Newton steps of a fit of degree 2 to n samples that ends with r broken candidates."""
    terms = comb(m + 2, 2)
    p, q, k = (m + 1, m, terms - n) if algebra == "t" else (terms, m * (m + 1) // 2, terms - n)
    # Null space of the data (QR), the Gram matrix on it, its Cholesky factor and inverse, an orthonormal basis.
    before = 4 * terms**2 * n + 2 * terms**2 * k + 2 * terms * k**2 + 2 * k**3 / 3 + 2 * terms * k**2
    e = r * (p + q - r)  # what the Hessian changes, in frames of singular vectors
    step = 20 * p * q * min(p, q) + 2 * r * k * (2 * p * p + q * q) + k * e * min(k, e) + min(k, e) ** 3 / 3
    return before + steps * step


def samples(m: int) -> float:
    """Half above the published medians for one feature and degree 2: 32, 72, 136, 274 for m = 10, 20, 30, 50."""
    return 1.5 * float(np.interp(m, [5, 10, 20, 30, 50, 100], [15, 32, 72, 136, 274, 900]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "what", choices=["published", "reproduced", "medians", "solvers", "easy", "bisections", "scale", "one", "large"]
    )
    parser.add_argument("--out", type=Path)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seeds", type=int, default=len(SEEDS))
    parser.add_argument("--solver")
    parser.add_argument("--key", type=json.loads)
    parser.add_argument("--samples", type=int)
    options = parser.parse_args()
    if options.what == "one":
        print(json.dumps(one(options.solver, tuple(options.key), options.samples)))
        return
    if options.what == "large":
        print(json.dumps(large(tuple(options.key))))
        return
    print(measure.machine())
    if options.what == "medians":
        medians(options.out or Path("recovery.json"), options.workers, options.seeds)
    elif options.what == "scale":
        scale(options.out)
    else:
        {"published": published, "reproduced": reproduced, "bisections": bisections, "solvers": solvers, "easy": easy}[
            options.what
        ]()


if __name__ == "__main__":
    main()
