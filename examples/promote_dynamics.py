"""Equations of motion from few samples: which symmetries hold is not known, and the data decide.

States and noisy velocities of x' = W f(x), f all quadratic polynomials. `ld.promote.Regression` with all linear maps as
candidates, moving states and velocities alike, against least squares, ridge, the lasso and STLSQ (the thresholded least
squares of SINDy) on the same samples. Every rival is tuned by five-fold cross-validation; ours takes its default, the
largest strength within one standard error of the least error. Three systems:

    mean field   five units that see each other only through their mean m, x_i' = .3 - (1 + .8 m) x_i + .5 m - .6 m^2.
                 m^2 has all 15 products, so nothing is sparse; but the flow commutes with every linear map of the
                 deviations x_i - m.
    odd one out  the same, and one unit has a leak of its own: a part of the symmetry is broken. Nobody says which.
    Lorenz       sparse, and without any continuous linear symmetry: promotion has nothing to offer.

    python examples/promote_dynamics.py                         # 10 seeds, 20 minutes
    python examples/promote_dynamics.py --quick                 # two systems, one size, one seed
    python examples/promote_dynamics.py --figure dynamics.png   # and draw the errors
"""

import argparse
import warnings
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import Lasso, Ridge
from sklearn.model_selection import KFold

import lieder as ld

FOLDS = 5
STYLES = {
    "promoted": ("#0072B2", "o", (0, ())),
    "symmetry known": ("#1f2430", "", (0, (1, 1))),
    "ridge": ("#CC79A7", "^", (0, (4, 2))),
    "lasso": ("#E69F00", "s", (0, (4, 2))),
    "STLSQ": ("#D55E00", "D", (0, (6, 1, 1, 1))),
    "least squares": ("#9aa3af", "v", (0, (2, 2))),
}


class System(NamedTuple):
    """A vector field on states (N, n), the numbers of samples tried, and whether it has symmetries."""

    width: int
    field: Callable[[np.ndarray], np.ndarray]
    sizes: tuple[int, ...]
    known: bool


def mean_field(x: np.ndarray) -> np.ndarray:
    m = x.mean(axis=1, keepdims=True)
    return 0.3 - (1 + 0.8 * m) * x + 0.5 * m - 0.6 * m**2


def odd_one_out(x: np.ndarray) -> np.ndarray:
    return mean_field(x) - 0.7 * x * np.array([0, 0, 0, 0, 1])


def lorenz(x: np.ndarray) -> np.ndarray:
    """In units of 10 for the states and 1/10 for the time."""
    a, b, c = x.T
    return np.stack([b - a, 2.8 * a - a * c - 0.1 * b, a * b - 8 / 30 * c], axis=1)


SYSTEMS = {
    "mean field": System(5, mean_field, (10, 12, 15, 20, 25, 30, 40, 60), True),
    "odd one out": System(5, odd_one_out, (10, 12, 15, 20, 25, 30, 40, 60), True),
    "Lorenz": System(3, lorenz, (10, 12, 15, 20, 30, 60), False),
}


def maps(width: int):
    """All linear maps, on states and on velocities."""
    source = ld.vectors(ld.algebra.gl(width))
    return source, ld.action.tangent(source)


def known_symmetry(width: int, field, functions) -> ld.action.FieldAction:
    """What the true field keeps, from velocities without noise."""
    source, target = maps(width)
    x = np.random.default_rng(1).normal(size=(4 * functions.size, width))
    found = ld.promote.Regression(functions, source=source, target=target, exact=True).fit(x, field(x))
    return found.symmetries_.action


# Rivals: each takes features f (N, D), velocities (N, n) and a strength, and returns W (n, D).


def ridge(f, y, alpha):
    return Ridge(alpha=alpha, fit_intercept=False).fit(f, y).coef_


def lasso(f, y, alpha):
    return np.stack([Lasso(alpha=alpha, fit_intercept=False, max_iter=5000, tol=1e-5).fit(f, v).coef_ for v in y.T])


def stlsq(f, y, threshold):
    """Least squares; what is below the threshold leaves; again, until nothing does."""
    W = np.linalg.lstsq(f, y)[0].T
    for row, v in zip(W, y.T, strict=True):
        for _ in range(20):
            on = np.abs(row) >= threshold
            row[~on] = 0.0
            row[on] = np.linalg.lstsq(f[:, on], v)[0]
            if (np.abs(row[on]) >= threshold).all():
                break
    return W


def least_squares(f, y, _):
    return np.linalg.lstsq(f, y)[0].T


RIVALS = {
    "ridge": (ridge, np.geomspace(1e-5, 1e2, 30)),
    "lasso": (lasso, np.geomspace(1e-4, 1.0, 30)),
    "STLSQ": (stlsq, np.geomspace(1e-3, 1.0, 30)),
    "least squares": (least_squares, [0.0]),
}


def tuned(fit, strengths, f, y, seed: int) -> np.ndarray:
    """W for the strength with the least error over folds."""
    splits = list(KFold(FOLDS, shuffle=True, random_state=seed).split(f)) if len(strengths) > 1 else []
    errors = [
        sum(np.sum((f[test] @ fit(f[train], y[train], s).T - y[test]) ** 2) for train, test in splits)
        for s in strengths
    ]
    return fit(f, y, strengths[int(np.argmin(errors))])


def errors(system: System, count: int, seed: int, noise: float, known) -> dict[str, float]:
    """Relative error of all coefficients, of each way, on the same samples; and how many candidates were kept."""
    rng = np.random.default_rng([seed, count])
    functions = ld.dictionary.polynomials(system.width, 2)
    x = rng.normal(size=(count, system.width))
    y = system.field(x)
    y = y + noise * y.std(axis=0) * rng.normal(size=y.shape)
    dense = np.random.default_rng(0).normal(size=(400, system.width))
    features = lambda z: np.prod(z[:, None, :] ** functions.exponents[None], axis=-1)  # noqa: E731
    true = np.linalg.lstsq(features(dense), system.field(dense))[0].T
    source, target = maps(system.width)
    ours = ld.promote.Regression(
        functions, source=source, target=target, folds=FOLDS, tolerance=1e-4, seed=seed, refit=False
    ).fit(x, y)
    found = {"promoted": ours.coef_}
    if known is not None:
        given = ld.enforce.sparse_dynamics(x, y, functions, symmetry=known, threshold=0.0)
        found["symmetry known"] = given.coefficients_
    for name, (fit, strengths) in RIVALS.items():
        found[name] = tuned(fit, strengths, features(x), y, seed)
    out = {name: float(np.linalg.norm(W - true) / np.linalg.norm(true)) for name, W in found.items()}
    return out | {"kept": float(ours.kept_)}


def table(sizes, results: dict[int, list[dict[str, float]]]) -> str:
    names = [name for name in [*STYLES, "kept"] if name in results[sizes[0]][0]]
    rows = [["samples", *names]]
    for n in sizes:
        cells = [f"{np.median([one[name] for one in results[n]]):.2g}" for name in names]
        rows.append([str(n), *cells])
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = ["| " + " | ".join(cell.rjust(w) for cell, w in zip(row, widths, strict=True)) + " |" for row in rows]
    return "\n".join([lines[0], "|" + "|".join("-" * (w + 1) + ":" for w in widths) + "|", *lines[1:]])


def draw(everything: dict[str, dict[int, list[dict[str, float]]]]) -> Figure:
    """Medians and quartiles against the number of samples."""
    figure = Figure(figsize=(9.0, 3.9), layout="constrained", facecolor="white")
    panels = figure.subplots(1, len(everything), sharey=True, squeeze=False)[0]
    for axes, (name, results) in zip(panels, everything.items(), strict=True):
        sizes = list(results)
        for way, (colour, marker, dashes) in STYLES.items():
            if way not in results[sizes[0]][0]:
                continue
            values = np.array([[one[way] for one in results[n]] for n in sizes])
            low, middle, high = np.quantile(values, (0.25, 0.5, 0.75), axis=1)
            axes.fill_between(sizes, low, high, color=colour, alpha=0.1, lw=0)
            axes.plot(sizes, middle, color=colour, marker=marker, markersize=4, ls=dashes, lw=1.6, label=way)
        axes.set(xscale="log", yscale="log", xlabel="samples", title=name, ylim=(2e-3, 2))
        marks = [n for n in (6, 8, 10, 15, 20, 30, 60) if sizes[0] <= n <= sizes[-1]]
        axes.set_xticks(marks, [str(n) for n in marks])
        axes.minorticks_off()
        axes.spines[["top", "right"]].set_visible(False)
    panels[0].set_ylabel("relative error of the coefficients")
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels), frameon=False, fontsize=8)
    return figure


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="two systems, one size, one seed")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--noise", type=float, default=0.02, help="of the velocities' standard deviation")
    parser.add_argument("--figure", help="where to save a figure")
    given = parser.parse_args()
    warnings.simplefilter("ignore", ConvergenceWarning)  # of the lasso, where hardly anything is penalised
    everything = {}
    for name, system in SYSTEMS.items():
        functions = ld.dictionary.polynomials(system.width, 2)
        known = known_symmetry(system.width, system.field, functions) if system.known else None
        if given.quick and name == "mean field":
            continue
        sizes = (system.sizes[3],) if given.quick else system.sizes
        seeds = 1 if given.quick else given.seeds
        results = {n: [errors(system, n, seed, given.noise, known) for seed in range(seeds)] for n in sizes}
        everything[name] = results
        truth = f"; the true field keeps {known.algebra.dim}" if known is not None else ""
        print(
            f"{name}: {system.width * functions.size} coefficients, noise {100 * given.noise:g} %, median relative"
            f" error of {seeds} seeds; kept: of {system.width**2} candidates{truth}\n"
        )
        print(table(sizes, results) + "\n", flush=True)
    if given.figure:
        draw(everything).savefig(given.figure, dpi=130)


if __name__ == "__main__":
    main()
