"""The fits for many strengths, on all data and without each fold."""

import warnings

import numpy as np
from jaxtyping import Float
from sklearn.exceptions import ConvergenceWarning

from ..linalg import NuclearRegression, NuclearSolution
from ..report import progress
from ._checkpoint import fingerprint, keep, resumed, writable
from ._kept import kept
from ._path import RegressionPath
from ._settings import Settings
from ._task import Task

_STRENGTHS, _LEAST = 30, 1e-4  # of a default path: how many, and the last relative to the first
WEAKEST = 1e-14  # strengths, relative to that at which nothing is broken, which rounding does not see


def cross_validated(task: Task, settings: Settings, alphas=None, checkpoint=None) -> RegressionPath:
    """The path on all data and without each fold."""
    rows, columns, unit = task.rows, task.columns, task.units.reference
    folds, count = settings.folds, len(task.rows.y)
    if count < 2 * folds:
        raise ValueError(
            f"X: {count} sample{'s' * (count != 1)} are too few for {folds} folds; give alpha,"
            f"{f' at most {count // 2} folds,' * (count >= 4)} or more examples."
        )
    file = None if checkpoint is None else writable(checkpoint, "checkpoint")
    whole = rows.problem(columns)
    strengths = _strengths(alphas, whole, unit)
    part = np.random.default_rng(settings.seed).permutation(count) % folds
    shape = len(strengths), rows.y.shape[1], rows.features.shape[1]
    state = {
        "coefficients": np.zeros(shape),
        "intercepts": np.zeros(shape[:2]),
        "singular_values": np.zeros((shape[0], columns.shape[1])),
        "gaps": np.full(shape[0], np.nan),
        "iterations": np.zeros(shape[0], np.int64),
        "losses": np.full(shape[0], np.nan),
        "errors": np.full((folds, shape[0]), np.nan),
    }
    mark = _mark(task, settings, strengths)
    if file is not None and file.exists():
        state = resumed(file, mark, "inner_", state)
    work = [(fold, i) for fold in range(-1, folds) for i in range(len(strengths))]
    known = {-1: ~np.isnan(state["gaps"])} | {fold: ~np.isnan(state["errors"][fold]) for fold in range(folds)}
    problem, start, at, inside = whole, None, -1, rows
    for fold, i in progress(work, len(work), "path over strengths"):
        if known[fold][i]:
            continue
        if fold != at:
            inside = rows.subset(part != fold)
            problem, start, at = inside.problem(columns), None, fold
        fit = problem.fit(float(strengths[i]), settings.tolerance, settings.max_iterations, start)
        start = _start(fit.solution)
        V = fit.w.reshape(shape[1:])
        b = inside.intercepts(V)
        if fold < 0:
            s = np.linalg.svd(columns.apply(fit.w), compute_uv=False)
            state["coefficients"][i], state["intercepts"][i] = V, b
            state["singular_values"][i, : len(s)] = s
            state["gaps"][i], state["iterations"][i] = fit.solution.gap, fit.solution.iterations
            state["losses"][i] = rows.error(V, b)
        else:
            state["errors"][fold, i] = rows.subset(part == fold).error(V, b)
        if file is not None:
            keep(file, mark, {f"inner_{name}": value for name, value in state.items()})
    missed = state["gaps"] > settings.tolerance
    if missed.any():
        warnings.warn(
            f"the relative duality gap is above the tolerance {settings.tolerance:.1g} for {missed.sum()} of"
            f" {len(strengths)} strengths, at most {state['gaps'].max():.1g}. Raise max_iterations or tolerance.",
            ConvergenceWarning,
            stacklevel=3,
        )
    size = float(np.linalg.norm(rows.y))
    count = np.array([kept(s, settings.kept_tolerance, size, exact=False) for s in state["singular_values"]])
    path = RegressionPath(
        unit * strengths,
        np.stack([task.units.outside(V) for V in state["coefficients"]]),
        state["intercepts"] * task.units.outputs,
        unit * state["singular_values"],
        count,
        state["gaps"],
        state["iterations"],
        unit**2 * state["losses"],
        unit**2 * state["errors"],
        settings.kept_tolerance,
    )
    if file is not None:
        keep(file, mark, {f"inner_{name}": value for name, value in state.items()} | path.arrays())
    return path


def _start(solution: NuclearSolution) -> NuclearSolution | None:
    """A solution that reached its tolerance is a good start; one that did not may mislead."""
    return solution if solution.stop == "gap" else None


def _strengths(alphas, problem: NuclearRegression, unit: float) -> Float[np.ndarray, " s"]:
    """Descending, in inner units."""
    largest = problem.largest
    if alphas is None:
        if largest <= 1e-12 * float(np.linalg.norm(problem.values)):  # the best fit breaks nothing
            return np.ones(1)
        return largest * np.geomspace(1.0, _LEAST, _STRENGTHS)
    try:
        given = np.asarray(alphas)
    except ValueError:
        given = np.zeros((0, 0))
    if given.dtype.kind not in "fiu":
        raise TypeError(f"alphas: expected finite numbers above 0, one for each fit, got {alphas!r}.")
    given = given.astype(np.float64)
    if given.ndim != 1 or len(given) == 0 or not np.all((given > 0) & np.isfinite(given)):
        raise ValueError(f"alphas: expected finite numbers above 0, one for each fit, got {alphas!r}.")
    check_strength(float(given.min()) / unit, largest, "alphas", unit)
    return np.sort(np.unique(given / unit))[::-1]


def check_strength(alpha: float, largest: float, argument: str, unit: float) -> None:
    """A ValueError for a strength, in inner units, that rounding does not see."""
    if alpha < WEAKEST * largest:
        advice = "Give a larger one, or take exact=True." if argument == "alpha" else "Give larger ones."
        raise ValueError(
            f"{argument}: {alpha * unit:.3g} is so far below {largest * unit:.3g}, from which on nothing is broken,"
            f" that this is least squares up to rounding. {advice}"
        )


def _mark(task: Task, settings: Settings, strengths: np.ndarray) -> str:
    rows, columns, units = task.rows, task.columns, task.units
    data = [rows.features, rows.y, rows.weights, rows.intercept, units.centre, units.scale, units.outputs]
    family = [columns.factor, columns.stack.index, columns.stack.value]
    return fingerprint(*data, *family, strengths, *settings[1:])
