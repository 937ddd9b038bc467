"""One fit: the convex problem solved, what it keeps counted, everything in the user's units."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from ..linalg import Inconsistent, NuclearFit, NuclearRegression, NuclearSolution, nuclear_interpolation
from ._kept import kept_by
from ._path import RegressionPath
from ._refit import keeping, refit_of
from ._settings import Settings
from ._task import Task
from ._validation import check_strength, cross_validated

_ROUNDING = 1e-9  # singular values of a refit that are zero where all are, relative to what varies in y
_LEAST = float(np.finfo(float).tiny)


@dataclass(frozen=True, eq=False)
class Fitted:
    """What a fit ends with.

    Fields: `V` (m, D) and `b` (m,), inner coefficients; `singular_values` (e,), descending, and `directions`
        (kept, q), coefficients of what is kept; `violations` (c,) of the finite elements, |K_g F - F|, and `numbers`
        (H,) of those that are kept; `alpha`, `path`, as the estimator's; `objective`, `gap`, `iterations`,
        `stop`, `undetermined`, of the convex problem; `refitted`, whether V keeps exactly what is kept; `ridge`;
        `error`, relative to what varies in y.
    """

    V: Float[np.ndarray, "m D"]
    b: Float[np.ndarray, " m"]
    singular_values: Float[np.ndarray, " e"]
    directions: Float[np.ndarray, "kept q"]
    violations: Float[np.ndarray, " c"]
    numbers: Int[np.ndarray, " H"]
    alpha: float | None
    path: RegressionPath | None
    objective: float
    gap: float
    iterations: int
    stop: str
    undetermined: int
    refitted: bool
    ridge: float
    error: float


def fitted(task: Task, settings: Settings) -> Fitted:
    """Choose the strength where none is given, fit, and refit."""
    rows, unit = task.rows, task.units.reference
    shape = rows.outputs, rows.functions
    path, alpha, ridge, refitted = None, None, settings.ridge or 0.0, False
    if settings.exact:
        fit, undetermined = _interpolated(task, settings)
        V = fit.w.reshape(shape)
    else:
        problem = task.problem(settings.ridge)
        refits = None
        if settings.alpha is None:
            path, refits = cross_validated(task, settings)
            alpha = path.chosen
        else:
            alpha = settings.alpha
            check_strength(alpha / unit, problem.largest, "alpha", unit)
        fit, undetermined = _solved(problem, alpha / unit, settings), problem.undetermined
        V = fit.w.reshape(shape)
        if refits is not None and path is not None and settings.refit:
            V, ridge, refitted = refits[path.position], float(path.ridges[path.position]), True
        elif settings.refit:
            again = _refitted(task, settings, problem, fit)
            V, refitted = (V, False) if again is None else (again.reshape(shape), True)
    known = _ROUNDING * float(np.sqrt(rows.variance)) if refitted else 0.0
    found = kept_by(task, V.reshape(-1), settings.kept_tolerance, settings.exact, max(known, _LEAST * refitted))
    strength = 1.0 if alpha is None else alpha if alpha > 0 else 1.0
    return Fitted(
        V,
        rows.intercepts(V),
        unit * found.singular_values,
        found.directions @ task.candidates,
        unit * found.violations * (1.0 if task.elements is None else task.elements.lengths),
        found.numbers,
        alpha,
        path,
        fit.solution.objective * strength * unit * (1.0 if alpha != 0 else unit),
        fit.solution.gap,
        fit.solution.iterations,
        fit.solution.stop,
        undetermined,
        refitted,
        ridge,
        _error(task, settings, V, path),
    )


def _solved(problem: NuclearRegression, alpha: float, settings: Settings) -> NuclearFit:
    """The convex problem; without its norm for strength 0."""
    if alpha > 0:
        return problem.fit(alpha, settings.tolerance, settings.max_iterations)
    w = np.linalg.lstsq(problem.design, problem.values)[0]
    left = 0.5 * float(np.sum((problem.design @ w - problem.values) ** 2))
    return NuclearFit(w, NuclearSolution(w, np.zeros(problem.columns.shape), left, 0.0, 0, "gap"))


def _refitted(task: Task, settings: Settings, problem: NuclearRegression, fit: NuclearFit) -> np.ndarray | None:
    """Least squares among functions that keep exactly what one fit keeps; None where there are no such, or it keeps
    nothing and there is nothing to gain."""
    found = kept_by(task, fit.w, settings.kept_tolerance, exact=False)
    e, elements = len(found.singular_values), task.elements
    finite = 0 if elements is None else int(elements.holding(found.numbers).sum())
    if found.count + finite == 0:
        return None
    refit = keeping(refit_of(task, problem, settings.ridge, choose=False), found.numbers)
    if found.count == e:
        structure = refit.fixed()
    elif found.count == 0:
        structure = refit.free()
    else:
        structure = refit.structure(refit.frame.basis.T @ (task.motions.gram @ fit.w), found.count)
    return None if structure is None else refit.solved(structure, float(refit.ridges[0]))


def _error(task: Task, settings: Settings, V, path: RegressionPath | None) -> float:
    """The error of the function relative to what varies in y, as far as the fit knows it.

    On examples left out where there are folds; else from the residual and the degrees of freedom, all of them: with
    no more examples than coefficients nothing is known.
    """
    rows = task.rows
    variance = rows.variance
    if variance <= 1e-24 * rows.square:  # constant data
        return 0.0
    if settings.exact:  # the data are taken at their word; small singular values are right up to this
        return settings.kept_tolerance
    if path is not None:
        return float(np.sqrt(path.error[path.position] / variance)) / task.units.reference
    count, free = rows.count * rows.outputs, rows.functions * rows.outputs
    if count <= free:
        return 1.0
    return float(np.sqrt(rows.error(V, rows.intercepts(V)) * count / (count - free) / variance))


def _interpolated(task: Task, settings: Settings) -> tuple[NuclearFit, int]:
    rows = task.rows
    design, values = rows.system()
    try:
        return nuclear_interpolation(task.columns, design, values, settings.tolerance, settings.max_iterations)
    except Inconsistent as fault:
        reason = (
            "there are more examples than functions, and the dictionary cannot express them"
            if rows.count > rows.functions
            else "some examples contradict each other"
        )
        raise ValueError(
            f"y: no function of the dictionary takes these values exactly: the least relative residual is"
            f" {fault.args[0]:.2g}; {reason}. For noisy data use exact=False, or give more functions."
        ) from None
