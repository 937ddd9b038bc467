"""A path over strengths, from nothing broken to nothing promoted, with cross-validated errors."""

import hashlib
import os
import warnings
import zipfile
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int
from matplotlib.figure import Figure
from sklearn.exceptions import ConvergenceWarning

from ..linalg import Columns, NuclearRegression, NuclearSolution
from ..report import path_figure, progress
from ._kept import kept
from ._rows import Rows

_STRENGTHS, _LEAST = 30, 1e-4  # of a default path: how many, and the last relative to the first
WEAKEST = 1e-14  # strengths, relative to that at which nothing is broken, which rounding does not see
_FORMAT = 1


@dataclass(frozen=True, eq=False)
class RegressionPath:
    """The fits for descending strengths alpha.

    Fields: `alphas` (s,); `coefficients` W (s, m, D); `intercepts` (s, m); `singular_values` (s, q) of L_F; `kept`
        (s,), how many candidates are not broken; `gaps` (s,), relative duality gaps; `iterations` (s,); `losses` (s,),
        mean squared errors on the data; `errors` (folds, s), those on examples left out; `kept_tolerance`.
    """

    alphas: Float[np.ndarray, " s"]
    coefficients: Float[np.ndarray, "s m D"]
    intercepts: Float[np.ndarray, "s m"]
    singular_values: Float[np.ndarray, "s q"]
    kept: Int[np.ndarray, " s"]
    gaps: Float[np.ndarray, " s"]
    iterations: Int[np.ndarray, " s"]
    losses: Float[np.ndarray, " s"]
    errors: Float[np.ndarray, "folds s"]
    kept_tolerance: float

    @property
    def error(self) -> Float[np.ndarray, " s"]:
        """The mean over folds of the error on examples left out."""
        return self.errors.mean(axis=0)

    @property
    def deviation(self) -> Float[np.ndarray, " s"]:
        """The standard error of that mean."""
        return self.errors.std(axis=0, ddof=1) / np.sqrt(len(self.errors))

    @property
    def best(self) -> int:
        """The position of the least error."""
        return int(np.argmin(self.error))

    @property
    def position(self) -> int:
        """The position of the largest strength whose error is within one standard error of the least."""
        return int(np.flatnonzero(self.error <= self.error[self.best] + self.deviation[self.best])[0])

    @property
    def chosen(self) -> float:
        """The strength at `position`: the one-standard-error rule.

        Reference: Breiman, Friedman, Olshen, Stone, Classification and regression trees, 1984, section 3.4.3.
        """
        return float(self.alphas[self.position])

    def plot(self, title: str = "Regression over strengths") -> Figure:
        """The errors on examples left out, and what is kept, over the strength.

        Arguments: `title`.
        Returns: a matplotlib Figure of two panels: the mean squared error on examples left out with its standard error,
            the least and the chosen one marked; and the singular values of L_F, relative to the largest, in two colours
            for kept and broken candidates.
        """
        return path_figure(
            self.alphas, self.error, self.deviation, self.singular_values, self.kept, self.position, title=title
        )

    def save(self, path: str | Path) -> None:
        """Write to a file (.npz), in one step: a reader finds the old file or the new one.

        Arguments: `path`.
        """
        _write(Path(path), {field.name: np.asarray(getattr(self, field.name)) for field in fields(self)})

    @staticmethod
    def load(path: str | Path) -> "RegressionPath":
        """Read what `save` wrote.

        Arguments: `path`.
        Returns: the path.
        Raises: FileNotFoundError; ValueError for a file that holds something else.
        """
        found = _read(Path(path))
        names = [field.name for field in fields(RegressionPath)]
        missing = [name for name in names if name not in found]
        if missing:
            raise ValueError(f"path: {path} holds no finished RegressionPath; it lacks {', '.join(missing)}.")
        return RegressionPath(
            **{name: found[name] for name in names[:-1]}, kept_tolerance=float(found["kept_tolerance"])
        )


def cross_validated(
    rows: Rows,
    columns: Columns,
    settings: tuple[float, int, float],
    folds: int,
    seed: int,
    alphas=None,
    checkpoint: str | Path | None = None,
) -> RegressionPath:
    """The path on all data and without each fold; settings are tolerance, max_iterations, kept_tolerance."""
    tolerance, max_iterations, kept_tolerance = settings
    if len(rows.x) < 2 * folds:
        raise ValueError(
            f"X: {len(rows.x)} examples are too few for {folds} folds; give alpha, at most"
            f" {max(2, len(rows.x) // 2)} folds, or more examples."
        )
    whole = rows.problem(columns)
    alphas = _strengths(alphas, whole)
    part = np.random.default_rng(seed).permutation(len(rows.x)) % folds
    shape = len(alphas), rows.y.shape[1], rows.features.shape[1]
    state = {
        "coefficients": np.zeros(shape),
        "intercepts": np.zeros(shape[:2]),
        "singular_values": np.zeros((shape[0], columns.shape[1])),
        "gaps": np.full(shape[0], np.nan),
        "iterations": np.zeros(shape[0], np.int64),
        "losses": np.full(shape[0], np.nan),
        "errors": np.full((folds, shape[0]), np.nan),
    }
    mark = _fingerprint(rows, columns, alphas, folds, seed, tolerance, max_iterations)
    file = None if checkpoint is None else Path(checkpoint)
    if file is not None and file.exists():
        state = _resumed(file, mark, state)
    work = [(fold, i) for fold in range(-1, folds) for i in range(len(alphas))]
    known = {-1: ~np.isnan(state["gaps"])} | {fold: ~np.isnan(state["errors"][fold]) for fold in range(folds)}
    problem, start, at, inside = whole, None, -1, rows
    for fold, i in progress(work, len(work), "path over strengths"):
        if known[fold][i]:
            continue
        if fold != at:
            inside = rows.subset(part != fold)
            problem, start, at = inside.problem(columns), None, fold
        fit = problem.fit(float(alphas[i]), tolerance, max_iterations, start)
        start = _start(fit.solution)
        W = fit.w.reshape(shape[1:])
        b = inside.intercepts(W)
        if fold < 0:
            s = np.linalg.svd(columns.apply(fit.w), compute_uv=False)
            state["coefficients"][i], state["intercepts"][i] = W, b
            state["singular_values"][i, : len(s)] = s
            state["gaps"][i], state["iterations"][i] = fit.solution.gap, fit.solution.iterations
            state["losses"][i] = rows.error(W, b)
        else:
            state["errors"][fold, i] = rows.subset(part == fold).error(W, b)
        if file is not None:
            _write(file, state | {"mark": np.array(mark), "format": np.array(_FORMAT)})
    missed = state["gaps"] > tolerance
    if missed.any():
        warnings.warn(
            f"the relative duality gap is above the tolerance {tolerance:.1g} for {missed.sum()} of {len(alphas)}"
            f" strengths, at most {state['gaps'].max():.1g}. Raise max_iterations or tolerance.",
            ConvergenceWarning,
            stacklevel=3,
        )
    size = float(np.linalg.norm(rows.y))
    count = np.array([kept(values, kept_tolerance, size, exact=False) for values in state["singular_values"]])
    path = RegressionPath(
        alphas,
        state["coefficients"],
        state["intercepts"],
        state["singular_values"],
        count,
        state["gaps"],
        state["iterations"],
        state["losses"],
        state["errors"],
        kept_tolerance,
    )
    if file is not None:
        everything = {field.name: np.asarray(getattr(path, field.name)) for field in fields(path)}
        _write(file, everything | {"mark": np.array(mark), "format": np.array(_FORMAT)})
    return path


def _start(solution: NuclearSolution) -> NuclearSolution | None:
    """A solution that reached its tolerance is a good start; one that did not may mislead."""
    return solution if solution.stop == "gap" else None


def _strengths(alphas, problem: NuclearRegression) -> np.ndarray:
    if alphas is None:
        largest = problem.largest
        if largest <= 1e-12 * float(np.linalg.norm(problem.values)):  # the best fit breaks nothing
            return np.ones(1)
        return largest * np.geomspace(1.0, _LEAST, _STRENGTHS)
    alphas = np.asarray(alphas, np.float64)
    if alphas.ndim != 1 or len(alphas) == 0 or not np.all((alphas > 0) & np.isfinite(alphas)):
        raise ValueError(f"alphas: expected finite numbers above 0, one for each fit, got {alphas!r}.")
    if alphas.min() < WEAKEST * problem.largest:
        raise ValueError(
            f"alphas: {alphas.min():.3g} is so far below {problem.largest:.3g}, from which on nothing is broken, that"
            " this is least squares up to rounding. Give larger ones."
        )
    return np.sort(np.unique(alphas))[::-1]


def _fingerprint(rows: Rows, columns: Columns, *others) -> str:
    digest = hashlib.sha256()
    arrays = [rows.x, rows.features, rows.y, rows.weights, columns.factor, columns.stack.index, columns.stack.value]
    for array in [*arrays, *(np.asarray(other, np.float64) for other in others), np.array(rows.intercept)]:
        digest.update(str(array.shape).encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def _resumed(file: Path, mark: str, state: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    found = _read(file)
    if "mark" not in found or any(name not in found for name in state):
        raise ValueError(f"checkpoint: {file} was not written by a path; name another file, or remove it.")
    if str(found["mark"]) != mark:
        raise ValueError(
            f"checkpoint: {file} belongs to other data or settings; name another file, or remove it to start again."
        )
    return {name: found[name] for name in state}


def _read(file: Path) -> dict[str, np.ndarray]:
    if not file.exists():
        raise FileNotFoundError(f"path: there is no file {file}.")
    try:
        with open(file, "rb") as opened, np.load(opened, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except (zipfile.BadZipFile, ValueError, OSError, EOFError, AttributeError) as fault:
        raise ValueError(f"checkpoint: {file} cannot be read ({fault}); remove it to start again.") from None


def _write(file: Path, arrays: dict[str, np.ndarray]) -> None:
    new = file.with_name(file.name + ".new")
    with open(new, "wb") as out:
        np.savez(out, allow_pickle=False, **arrays)
    os.replace(new, file)
