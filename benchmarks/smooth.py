"""Which smooth family to read symmetries from: errors of defects and directions, and the verdicts, by family.

    python benchmarks/smooth.py [--quick] [--keep cells.json] [--fits gaussian,polynomial] [--rows 300] [--noise 0,0.05]

Smooth functions that are no polynomials, with known symmetries; the exact answer is `ld.discover.function` of the true
function. Defect error: the largest defect that the fitted model has within the space of true symmetries, where the
exact model has zero; sine: of the largest angle between that space and as many found directions. Cells that are done
are kept in the file given and are not run again.
"""

import argparse
import json
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import measure  # first: it fixes the threads before NumPy and JAX start

# isort: split

import jax
import jax.numpy as jnp
import numpy as np

import lieder as ld

FITS = ("polynomial", "kernel", "mlp", "auto")
ROWS = (100, 300, 1000)
NOISE = (0.0, 0.01, 0.05, 0.2)


@dataclass(frozen=True)
class Case:
    """A function of one example, what acts on it, and how many symmetries it has."""

    name: str
    width: int
    function: Callable
    source: ld.action.AbstractAction
    target: ld.action.AbstractFibreAction
    dim: int


def _invariant(name: str, width: int, function: Callable, algebra, dim: int, outputs: int = 1) -> Case:
    return Case(name, width, function, ld.points(algebra), ld.scalars(algebra, outputs), dim)


def _equivariant(name: str, width: int, function: Callable, algebra, dim: int) -> Case:
    both = ld.vectors(algebra)
    return Case(name, width, function, both, both, dim)


def _separate(name: str, width: int, function: Callable, dim: int) -> Case:
    source, target = ld.action.independent(ld.vectors(ld.algebra.gl(width)), ld.vectors(ld.algebra.gl(width)))
    return Case(name, width, function, source, target, dim)


def _square(x):
    return jnp.sum(x**2)


AFF = {n: ld.algebra.aff(n) for n in (2, 3, 4)}
GL = {n: ld.algebra.gl(n) for n in (2, 3)}
AXIS = np.array([0.8, -0.6, 1.1, 0.5])
CENTRE = np.array([0.5, -0.3, 0.2])
LORENTZ = np.array([1.0, 1.0, -1.0])

CASES = (
    _invariant("bell", 2, lambda x: jnp.exp(-_square(x)), AFF[2], 1),
    _invariant("log radius", 2, lambda x: jnp.log(0.5 + _square(x)), AFF[2], 1),
    _invariant("ellipse, rational", 2, lambda x: 1 / (1 + x[0] ** 2 + 4 * x[1] ** 2), AFF[2], 1),
    _invariant("plane wave", 2, lambda x: jnp.sin(x[0] + 2 * x[1]), AFF[2], 3),
    _invariant("y exp x", 2, lambda x: x[1] * jnp.exp(x[0]), AFF[2], 1),
    _invariant("squeezed", 2, lambda x: jnp.tanh(x[0] * x[1]), AFF[2], 1),
    _invariant("two waves", 2, lambda x: jnp.exp(x[0]) + jnp.sin(3 * x[1]) * x[0], AFF[2], 0),
    _invariant("bent waves", 2, lambda x: jnp.sin(2 * x[0] * x[1]) + jnp.tanh(2 * x[0]) + jnp.exp(x[1]), AFF[2], 0),
    _equivariant("swirl", 2, lambda x: jnp.exp(-_square(x)) * jnp.array([x[0] - x[1], x[0] + x[1]]), GL[2], 1),
    _invariant("circle", 2, lambda x: jnp.stack([f(x[0] + x[1]) for f in (jnp.sin, jnp.cos)]), AFF[2], 3, 2),
    _invariant("bell 3", 3, lambda x: jnp.exp(-_square(x) / 2), AFF[3], 3),
    _invariant("moved bell 3", 3, lambda x: jnp.exp(-_square(x - CENTRE)), AFF[3], 3),
    _invariant("ellipsoid, log", 3, lambda x: jnp.log(1 + x[0] ** 2 + 2 * x[1] ** 2 + 3 * x[2] ** 2), AFF[3], 3),
    _invariant("plane wave 3", 3, lambda x: jnp.sin(x @ (2 * AXIS[:3])), AFF[3], 8),
    _invariant("ridge 3", 3, lambda x: jnp.tanh(x @ (2 * AXIS[:3])), AFF[3], 8),
    _invariant("two combinations 3", 3, lambda x: jnp.sin(x[0] + x[1]) * jnp.exp(-x[2]), AFF[3], 4),
    _invariant("axis 3", 3, lambda x: jnp.exp(-x[0] ** 2 - x[1] ** 2) * jnp.cos(x[2]), AFF[3], 1),
    _invariant("hyperboloid", 3, lambda x: jnp.tanh(x @ (LORENTZ * x)), AFF[3], 3),
    _invariant("product", 3, lambda x: jnp.sin(x[0] * x[1] * x[2]), ld.algebra.gl(3), 2),
    _invariant("no symmetry 3", 3, lambda x: jnp.sin(x[0]) + jnp.cos(2 * x[1]) * x[2] + jnp.exp(x[0] / 2), AFF[3], 0),
    _equivariant("central 3", 3, lambda x: x * jnp.exp(-_square(x) / 2), GL[3], 3),
    _separate("softened gravity", 3, lambda x: -x / (0.3 + _square(x)) ** 1.5, 3),
    _invariant("bell 4", 4, lambda x: jnp.exp(-_square(x) / 4), AFF[4], 6),
    _invariant("plane wave 4", 4, lambda x: jnp.sin(x @ AXIS), AFF[4], 15),
    _invariant("pair", 4, lambda x: jnp.exp(-_square(x[:2] - x[2:]) / 2), AFF[4], 11),
    _invariant("no symmetry 4", 4, lambda x: jnp.sin(x[0] * x[1]) + x[2] * jnp.exp(x[3] * x[1] / 2 - x[0]), AFF[4], 0),
)  # fmt: skip


def data(case: Case, rows: int, noise: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Uniform inputs in [-1.5, 1.5]^n; labels with noise relative to their own spread."""
    random = np.random.default_rng([seed, rows])
    x = random.uniform(-1.5, 1.5, (rows, case.width))
    clean = np.asarray(jax.vmap(case.function)(jnp.asarray(x))).reshape(rows, -1)
    spread = np.sqrt(np.mean(np.sum((clean - clean.mean(axis=0)) ** 2, axis=1)) / clean.shape[1])
    return x, clean + noise * spread * random.standard_normal(clean.shape)


def cell(case: Case, fit: str, rows: int, noise: float, seed: int) -> dict:
    """One fit: what it answers, and how far its defects and directions are from the exact model's."""
    x, y = data(case, rows, noise, seed)
    exact = ld.discover.function(case.function, x, source=case.source, target=case.target)
    if exact.dim != case.dim:
        raise AssertionError(f"{case.name}: the exact model has {exact.dim} symmetries, the table says {case.dim}")
    start = time.process_time()
    found = ld.discover.dataset(x, y, source=case.source, target=case.target, fit=fit, seed=seed)
    seconds = time.process_time() - start
    error = sine = None
    if case.dim:
        true = exact.directions[: case.dim].T
        moved, size = found.numerator @ true, np.linalg.qr(found.denominator @ true)
        error = float(np.linalg.svd(moved @ np.linalg.inv(size[1]), compute_uv=False).max())
        got = np.linalg.qr(found.denominator @ found.directions[: case.dim].T)[0]
        sine = float(np.sqrt(max(0.0, 1 - np.linalg.svd(size[0].T @ got, compute_uv=False).min() ** 2)))
    verdict = found.evidence.verdict
    right = found.dim == case.dim if verdict != "cannot tell" else None
    return {
        "verdict": "cannot tell" if right is None else "right" if right else "wrong",
        "dim": found.dim,
        "claim": verdict,
        "true": case.dim,
        "error": error,
        "sine": sine,
        "gap": float(exact.defects[case.dim]),
        "resolution": found.evidence.resolution,
        "defects": [float(d) for d in found.defects[: case.dim + 2]],
        "model": found.evidence.model,
        "seconds": seconds,
    }


def doubt(case: Case, rows: int, noise: float) -> tuple[float, float]:
    """The error of the Gaussian process's derivative, relative to the true one: as estimated, and as it is."""
    x, y = data(case, rows, noise, 0)
    fitted = ld.models.fit(x, y, "kernel")
    at = x[fitted.test]

    def slopes(function: Callable) -> np.ndarray:
        flat = jax.jit(jax.vmap(jax.jacfwd(lambda z: jnp.ravel(function(z)))))(at)
        return np.asarray(flat).reshape(len(at), -1, y.shape[1], case.width)

    found, true, others = slopes(fitted.model), slopes(case.function), slopes(fitted.alternatives.model)
    spread = np.einsum("k,ikoc->", fitted.alternatives.shares, (others - found) ** 2)  # rows, fits, outputs, inputs
    size = np.sum(true**2)
    return float(np.sqrt(spread / size)), float(np.sqrt(np.sum((found - true) ** 2) / size))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="five functions, N = 100, noise 0 and 5 %%")
    parser.add_argument("--doubt", action="store_true", help="only: is the derivative's error what it is said to be?")
    parser.add_argument("--keep", type=Path, default=None)
    parser.add_argument("--fits", default=",".join(FITS))
    parser.add_argument("--rows", default=",".join(map(str, ROWS)))
    parser.add_argument("--noise", default=",".join(map(str, NOISE)))
    parser.add_argument("--cases", default="")
    parser.add_argument("--seed", type=int, default=0, help="of inputs, noise and fits")
    options = parser.parse_args()
    cases = [case for case in CASES if not options.cases or case.name in options.cases.split(";")]
    rows, noises = [int(n) for n in options.rows.split(",")], [float(s) for s in options.noise.split(",")]
    if options.quick:
        cases, rows, noises = cases[::5], [100], [0.0, 0.05]
    if options.doubt:
        for n in rows:
            for noise in noises:
                for case in cases:
                    said, true = doubt(case, n, noise)
                    print(f"{n} rows, noise {noise:.0%}, {case.name}: said {said:.2g}, true {true:.2g}", flush=True)
        return
    done: dict[str, dict] = {}
    if options.keep and options.keep.exists():
        done = json.loads(options.keep.read_text())
    fits = options.fits.split(",")
    for n in rows:
        for noise in noises:
            for case in cases:
                for fit in fits:
                    key = f"{fit}|{case.name}|{n}|{noise:g}" + (f"|{options.seed}" if options.seed else "")
                    if key in done:
                        continue
                    with warnings.catch_warnings():
                        warnings.simplefilter("ignore")
                        done[key] = cell(case, fit, n, noise, options.seed)
                    if options.keep:
                        options.keep.write_text(json.dumps(done))
    measure.table(HEADER, list(_lines(done, fits, cases, rows, noises, options.seed)))


HEADER = (
    *("rows", "noise", "fit", "defect error, median", "worst fifth", "sine, median"),
    *("right", "cannot tell", "false none", "false symmetry", "CPU s, median"),
)


def _lines(done, fits, cases, rows, noises, seed):
    for n in rows:
        for noise in noises:
            for fit in fits:
                mark = f"|{seed}" if seed else ""
                cells = [done[key] for case in cases if (key := f"{fit}|{case.name}|{n}|{noise:g}{mark}") in done]
                if not cells:
                    continue
                errors = [c["error"] for c in cells if c["true"]] or [np.nan]
                wrong = [c for c in cells if c["verdict"] == "wrong"]
                none = sum(c["claim"] == "no symmetry" for c in wrong)
                yield (
                    str(n),
                    f"{noise:.0%}",
                    fit,
                    f"{np.median(errors):.2g}",
                    f"{np.quantile(errors, 0.8):.2g}",
                    f"{np.median([c['sine'] for c in cells if c['true']] or [np.nan]):.2g}",
                    str(sum(c["verdict"] == "right" for c in cells)),
                    str(sum(c["verdict"] == "cannot tell" for c in cells)),
                    str(none),
                    str(len(wrong) - none),
                    f"{np.median([c['seconds'] for c in cells]):.1f}",
                )


if __name__ == "__main__":
    jax.config.update("jax_enable_x64", True)
    main()
