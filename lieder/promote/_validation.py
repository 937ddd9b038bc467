"""The fits for many strengths, on all data and without each fold."""

import warnings
from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from sklearn.exceptions import ConvergenceWarning

from ..files import check_path, fingerprint
from ..jobs import courses
from ..linalg import NuclearFit, NuclearRegression, NuclearSolution
from ..report import progress
from ._checkpoint import keep, resumed
from ._kept import kept_by
from ._path import RegressionPath
from ._refit import refit_of
from ._settings import Settings
from ._structures import structures_of
from ._task import Task

_STRENGTHS, _LEAST = 30, 1e-4  # of a default path: how many, and the last relative to the first
_PROPOSING, _WEAK = 12, 1e-3  # the same where fits only propose what is refitted
_COARSE = 1e-3  # duality gap of such fits
WEAKEST = 1e-14  # strengths, relative to that at which nothing is broken, which rounding does not see


class Validated(NamedTuple):
    """A path, and the inner coefficients (s, m, D) of its fits."""

    path: RegressionPath
    V: Float[np.ndarray, "s m D"]


def cross_validated(task: Task, settings: Settings, alphas=None, checkpoint=None) -> Validated:
    """The path on all data, and the errors of its fits, or refits, on each fold."""
    rows, unit = task.rows, task.units.reference
    folds, count = settings.folds, rows.count
    if count < 2 * folds:
        raise ValueError(
            f"X: {count} sample{'s' * (count != 1)} are too few for {folds} folds; give alpha,"
            f"{f' at most {count // 2} folds,' * (count >= 4)} or more examples."
        )
    file = None if checkpoint is None else check_path(checkpoint, "checkpoint")
    whole = task.problem(settings.ridge)
    strengths = _strengths(alphas, whole, unit, settings.refit)
    tolerance = max(settings.tolerance, _COARSE) if settings.refit else settings.tolerance
    state = _empty(task, len(strengths), folds)
    shape = state["coefficients"].shape
    mark = _mark(task, settings, strengths)
    if file is not None and file.exists():
        state = resumed(file, mark)
    left = {-1: np.isnan(state["gaps"])}
    left |= {fold: np.isnan(state["errors"][fold]) for fold in range(0 if settings.refit else folds)}
    paths = [(fold, np.flatnonzero(open_)) for fold, open_ in left.items() if open_.any()]
    along = partial(_along, task, whole, settings, tolerance, strengths)
    total = sum(len(numbers) for _, numbers in paths)
    for fold, i, fit in progress(courses(along, paths), total, "path over strengths"):
        V = fit.w.reshape(shape[1:])
        b = (rows if fold < 0 else task.folds.others[fold]).intercepts(V)
        if fold < 0:
            state["coefficients"][i], state["intercepts"][i] = V, b
            _measured(task, state, i)
            state["gaps"][i], state["iterations"][i] = fit.solution.gap, fit.solution.iterations
            state["losses"][i] = rows.error(V, b)
        else:
            state["errors"][fold, i] = task.folds.each[fold].error(V, b)
        if file is not None:
            keep(file, mark, state)
    _warn(state["gaps"], tolerance)
    found = [kept_by(task, V.reshape(-1), settings.kept_tolerance, exact=False) for V in state["coefficients"]]
    kept_, holding = np.array([one.count for one in found]), np.stack([_holding(task, one.numbers) for one in found])
    ridges, evidence = np.full(len(strengths), settings.ridge or 0.0), np.full(len(strengths), np.nan)
    final = state
    if settings.refit:
        ends = alphas is None
        strengths, kept_, holding, ridges, evidence, final = _refitted(task, settings, whole, strengths, state, ends)
    path = RegressionPath(
        unit * strengths,
        np.stack([task.units.outside(V) for V in final["coefficients"]]),
        final["intercepts"] * task.units.outputs,
        unit * final["singular_values"],
        kept_,
        unit * final["violations"],
        holding,
        final["gaps"],
        final["iterations"],
        unit**2 * final["losses"],
        unit**2 * final["errors"],
        ridges,
        evidence,
        settings.refit,
        settings.kept_tolerance,
        rows.count,
    )
    if file is not None:
        keep(file, mark, state, path.content())
    return Validated(path, final["coefficients"])


def _along(
    task: Task, whole: NuclearRegression, settings: Settings, tolerance: float, strengths: np.ndarray, path
) -> Iterator[tuple[int, int, NuclearFit]]:
    """The fits of all data, -1, or without a fold, at the numbers of some strengths, each from the one before."""
    fold, numbers = path
    problem, start = whole if fold < 0 else task.problem(settings.ridge, task.folds.others[fold]), None
    for i in numbers.tolist():
        fit = problem.fit(float(strengths[i]), tolerance, settings.max_iterations, start)
        start = _start(fit.solution)
        yield fold, i, fit


def _empty(task: Task, strengths: int, folds: int) -> dict[str, np.ndarray]:
    m, size = task.rows.outputs, task.rows.functions
    return {
        "coefficients": np.zeros((strengths, m, size)),
        "intercepts": np.zeros((strengths, m)),
        "singular_values": np.zeros((strengths, task.motions.shape[1])),
        "violations": np.zeros((strengths, 0 if task.elements is None else task.elements.count)),
        "gaps": np.full(strengths, np.nan),
        "iterations": np.zeros(strengths, np.int64),
        "losses": np.full(strengths, np.nan),
        "errors": np.full((folds, strengths), np.nan),
    }


def _refitted(task: Task, settings: Settings, problem: NuclearRegression, strengths, state, ends: bool):
    """The same path with each fit refitted; with `ends`, strength 0, which keeps nothing, as the last."""
    rows = task.rows
    refit = refit_of(task, problem, settings.ridge, choose=True)
    solutions = state["coefficients"].reshape(len(strengths), -1)
    found = structures_of(refit, solutions, settings.kept_tolerance, ends)
    final = {name: value.copy() for name, value in state.items()}
    if ends:
        strengths = np.append(strengths, 0.0)
        for name in ("coefficients", "intercepts", "singular_values", "violations", "gaps", "iterations", "losses"):
            final[name] = np.concatenate([final[name], np.zeros_like(final[name][-1:])])
    places = found.at.tolist()
    solved = {}
    for place, ridge in zip(places, found.ridges, strict=True):
        own, structure = found.every[place]
        solved[place] = own.solved(structure, ridge)
    for i, place in enumerate(places):
        V = solved[place].reshape(final["coefficients"].shape[1:])
        final["coefficients"][i], final["intercepts"][i] = V, rows.intercepts(V)
        final["losses"][i] = rows.error(V, final["intercepts"][i])
    if ends:
        _measured(task, final, -1)
    final["errors"] = found.errors
    kept_ = np.array([found.every[place].structure.kept for place in places])
    holding = np.stack([_holding(task, found.every[place].refit.numbers) for place in places])
    return strengths, kept_, holding, found.ridges, found.evidence[found.at], final


def _measured(task: Task, state, i: int) -> None:
    """What a fit does to each candidate, into a state."""
    w = state["coefficients"][i].reshape(-1)
    s = np.linalg.svd(task.motions.apply(w), compute_uv=False)
    state["singular_values"][i, : len(s)] = s
    if task.elements is not None:
        state["violations"][i] = task.elements.violations(w)


def _holding(task: Task, numbers: np.ndarray) -> np.ndarray:
    return np.zeros(0, bool) if task.elements is None else task.elements.holding(numbers)


def _warn(gaps: np.ndarray, tolerance: float) -> None:
    missed = gaps > tolerance
    if missed.any():
        warnings.warn(
            f"the relative duality gap is above the tolerance {tolerance:.1g} for {missed.sum()} of"
            f" {len(gaps)} strengths, at most {gaps.max():.1g}. Raise max_iterations or tolerance.",
            ConvergenceWarning,
            stacklevel=4,
        )


def _start(solution: NuclearSolution) -> NuclearSolution | None:
    """A solution that reached its tolerance is a good start; one that did not may mislead."""
    return solution if solution.stop == "gap" else None


def _strengths(alphas, problem: NuclearRegression, unit: float, refit: bool) -> Float[np.ndarray, " s"]:
    """Descending, in inner units."""
    largest = problem.largest
    if alphas is None:
        if largest <= 1e-12 * float(np.linalg.norm(problem.values)):  # the best fit breaks nothing
            return np.ones(1)
        count, least = (_PROPOSING, _WEAK) if refit else (_STRENGTHS, _LEAST)
        return largest * np.geomspace(1.0, least, count)
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
    folds, columns, units = task.folds, task.columns, task.units
    # Of finite elements the columns hold all that the fits depend on.
    data = [*(fold.factor for fold in folds.factors.factors), folds.intercept, units.centre, units.scale, units.outputs]
    family = [columns.factor, columns.stack.index, columns.stack.value]
    return fingerprint(*data, *family, strengths, *(-1.0 if value is None else value for value in settings[1:]))
