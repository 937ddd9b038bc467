"""One fit: the convex problem solved, what it keeps counted, everything in the user's units."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from ..linalg import Inconsistent, NuclearFit, nuclear_interpolation
from ._kept import kept
from ._path import RegressionPath
from ._settings import Settings
from ._task import Task
from ._validation import check_strength, cross_validated


@dataclass(frozen=True, eq=False)
class Fitted:
    """What a fit ends with.

    Fields: `V` (m, D) and `b` (m,), inner coefficients; `singular_values` (e,), descending, and `directions`
        (kept, q), coefficients of what is kept; `alpha`, `path`, as the estimator's; `objective`, `gap`, `iterations`,
        `stop`, `undetermined`, of the convex problem; `error`, relative to what varies in y, of examples left out.
    """

    V: Float[np.ndarray, "m D"]
    b: Float[np.ndarray, " m"]
    singular_values: Float[np.ndarray, " e"]
    directions: Float[np.ndarray, "kept q"]
    alpha: float | None
    path: RegressionPath | None
    objective: float
    gap: float
    iterations: int
    stop: str
    undetermined: int
    error: float


def fitted(task: Task, settings: Settings) -> Fitted:
    """Choose the strength where none is given, and fit."""
    rows, columns, unit = task.rows, task.columns, task.units.reference
    path, alpha = None, None
    if settings.exact:
        fit, undetermined = _interpolated(task, settings)
    else:
        problem = rows.problem(columns)
        if settings.alpha is None:
            path = cross_validated(task, settings)
            alpha = path.chosen
        else:
            alpha = settings.alpha
            check_strength(alpha / unit, problem.largest, "alpha", unit)
        fit = problem.fit(alpha / unit, settings.tolerance, settings.max_iterations)
        undetermined = problem.undetermined
    V = fit.w.reshape(rows.y.shape[1], rows.features.shape[1])
    b = rows.intercepts(V)
    _, s, turn = np.linalg.svd(columns.apply(fit.w), full_matrices=True)
    s = np.pad(s, (0, len(turn) - len(s)))
    count = kept(s, settings.kept_tolerance, float(np.linalg.norm(rows.y)), settings.exact)
    return Fitted(
        V,
        b,
        unit * s,
        turn[len(turn) - count :] @ task.candidates,
        alpha,
        path,
        fit.solution.objective * (unit if alpha is None else alpha * unit),
        fit.solution.gap,
        fit.solution.iterations,
        fit.solution.stop,
        undetermined,
        _error(task, settings, V, b, path),
    )


def _error(task: Task, settings: Settings, V, b, path: RegressionPath | None) -> float:
    """The error of the function relative to what varies in y, as far as the fit knows it.

    On examples left out where there are folds; else from the residual and the degrees of freedom, all of them: with
    no more examples than coefficients nothing is known.
    """
    rows = task.rows
    variance = rows.variance
    if variance <= 1e-24 * float(np.mean(rows.y**2)):  # constant data
        return 0.0
    if settings.exact:  # the data are taken at their word; small singular values are right up to this
        return settings.kept_tolerance
    if path is not None:
        return float(np.sqrt(path.error[path.position] / variance)) / task.units.reference
    count, free = rows.y.size, rows.features.shape[1] * rows.y.shape[1]
    if count <= free:
        return 1.0
    return float(np.sqrt(rows.error(V, b) * count / (count - free) / variance))


def _interpolated(task: Task, settings: Settings) -> tuple[NuclearFit, int]:
    rows = task.rows
    design, values = rows.system()
    try:
        return nuclear_interpolation(task.columns, design, values, settings.tolerance, settings.max_iterations)
    except Inconsistent as fault:
        reason = (
            "there are more examples than functions, and the dictionary cannot express them"
            if len(rows.y) > rows.features.shape[1]
            else "some examples contradict each other"
        )
        raise ValueError(
            f"y: no function of the dictionary takes these values exactly: the least relative residual is"
            f" {fault.args[0]:.2g}; {reason}. For noisy data use exact=False, or give more functions."
        ) from None
