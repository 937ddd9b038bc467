"""Regression on a dictionary that prefers symmetric functions: convex, with as many candidates as you like."""

import warnings
from collections.abc import Sequence
from numbers import Real
from pathlib import Path

import numpy as np
from jaxtyping import Float, Num
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.validation import check_is_fitted

from ..action import AbstractAction, AbstractFibreAction, scalars
from ..derivative import values
from ..dictionary import AbstractDictionary
from ..discover import Symmetries
from ..discover import function as discover_function
from ..linalg import Columns, Inconsistent, NuclearFit, nuclear_interpolation
from ._candidates import orthonormal
from ._family import lie_columns, measure
from ._kept import kept
from ._measure import Measure
from ._model import DictionaryModel
from ._path import WEAKEST, RegressionPath, cross_validated
from ._rows import Rows, checked, checked_weights

_SPARE = 200  # points more than candidates at which the fitted function is examined


class Regression(RegressorMixin, BaseEstimator):
    """F(x) = W f(x) + b fitted to data, with as few broken symmetries as the data allow: a scikit-learn regressor.

        minimise over W, b    1/2 sum_i w_i |F(x_i) - y_i|^2 + alpha |L_F|_*

    L_F is the map xi -> L_xi F from the candidates to functions, and |L_F|_* the sum of its singular values: a convex
    stand-in for its rank, the number of candidates that F breaks. With `exact`: minimise |L_F|_* subject to
    F(x_i) = y_i.

    Arguments:
        dictionary: the D functions f of the n inputs.
        source: how candidates act on inputs, of width n.
        target: how they act on outputs, linear in them (matrices, or the tangent lift `ld.action.tangent(source)` of a
            vector field); default None: outputs are scalars, which nothing moves.
        alpha: a number > 0; None (default): the largest whose cross-validated error is within one standard error of
            the least, from `path_`.
        exact: interpolate the data: for data without noise, from fewer samples than functions.
        collocation: where L_F is measured: "box" (default), uniform on the bounding box of the inputs, by exact moments
            for polynomials; "gaussian", with the mean and standard deviations of the inputs; "data", at the inputs;
            or points (C, n).
        inner: (q, q) Gram matrix of an inner product on the candidates; default the Frobenius product of their affine
            matrices. The nuclear norm depends on it: a candidate that is twice as long costs twice as much.
        intercept: add constants b that are not penalised; needed only for functions without a constant, or outputs
            whose constants the candidates move.
        tolerance: the relative duality gap to reach; default 1e-6, so that a broken candidate is told from a kept one
            down to a millionth of the whole norm.
        max_iterations: of Newton's method, 20 to 60 of which are usual; default 500.
        kept_tolerance: share of the largest singular value of L_F up to which a candidate always counts as kept;
            default 3e-3. Above it the largest ratio of neighbouring singular values decides, as noise leaves small
            values where there should be none; where exact, everything above it is broken.
        folds: of the cross-validation; default 5.
        seed: of folds and of sampled points.

    Fields after `fit`: `coef_` W (m, D), or (D,) where y has one dimension; `intercept_` (m,) or a number; `alpha_`,
        None where exact; `singular_values_` (q,) of L_F, descending; `kept_`, the number of candidates not broken;
        `kept_directions_` (kept, q), their coefficients; `symmetries_`, the record of what the fitted function keeps,
        by `ld.discover.function`, made when first asked for; `objective_`; `gap_`, the relative duality gap; `n_iter_`;
        `stop_`, "gap", "max_iterations" or "rounding"; `undetermined_`, how many directions of W neither the data nor
        the norm sees; `path_`, a RegressionPath where alpha is None, else None; `n_features_in_`.

    Reference: Otto, Zolman, Kutz, Brunton, A unified framework to enforce, discover, and promote symmetry in machine
    learning, 2025, section 5.
    """

    def __init__(
        self,
        dictionary: AbstractDictionary,
        source: AbstractAction,
        target: AbstractFibreAction | None = None,
        *,
        alpha: float | None = None,
        exact: bool = False,
        collocation: str | Num[np.ndarray, "C n"] = "box",
        inner: Num[np.ndarray, "q q"] | None = None,
        intercept: bool = False,
        tolerance: float = 1e-6,
        max_iterations: int = 500,
        kept_tolerance: float = 3e-3,
        folds: int = 5,
        seed: int = 0,
    ):
        self.dictionary = dictionary
        self.source = source
        self.target = target
        self.alpha = alpha
        self.exact = exact
        self.collocation = collocation
        self.inner = inner
        self.intercept = intercept
        self.tolerance = tolerance
        self.max_iterations = max_iterations
        self.kept_tolerance = kept_tolerance
        self.folds = folds
        self.seed = seed

    def fit(
        self,
        X: Num[np.ndarray, "N n"],
        y: Num[np.ndarray, "N *m"],
        sample_weight: Num[np.ndarray, " N"] | None = None,
    ) -> "Regression":
        """Find W.

        Arguments: `X` (N, n); `y` (N,) or (N, m); `sample_weight` (N,) >= 0, default one.
        Returns: itself.
        Raises: ValueError for shapes that do not fit each other, the dictionary or the actions, NaN, a target that is
            not linear in the outputs, exact data that no function of the dictionary meets; TypeError for arguments of
            another kind.
        Warns: ConvergenceWarning when the tolerance was not reached, with the gap; UserWarning when data and norm leave
            part of W undetermined.
        """
        self._check()
        rows = self._rows(X, y, sample_weight)
        self._where = measure(self.collocation, rows.x)
        columns = self._columns(rows)
        self.path_ = None
        if self.exact:
            self.alpha_ = None
            fit, undetermined = self._interpolate(rows, columns)
        else:
            alpha = self.alpha
            if alpha is None:
                self.path_ = cross_validated(rows, columns, self._settings(), self.folds, self.seed)
                alpha = self.path_.chosen
            self.alpha_ = alpha
            problem = rows.problem(columns)
            if alpha < WEAKEST * problem.largest:
                raise ValueError(
                    f"alpha: {alpha:.3g} is so far below {problem.largest:.3g}, from which on nothing is broken,"
                    " that this is least squares up to rounding. Give a larger one, or take exact=True."
                )
            fit, undetermined = problem.fit(alpha, self.tolerance, self.max_iterations), problem.undetermined
        self._keep(rows, columns, fit, undetermined)
        return self

    def path(
        self,
        X: Num[np.ndarray, "N n"],
        y: Num[np.ndarray, "N *m"],
        sample_weight: Num[np.ndarray, " N"] | None = None,
        *,
        alphas: Num[np.ndarray, " alphas"] | None = None,
        checkpoint: str | Path | None = None,
    ) -> RegressionPath:
        """The fits for many strengths, each started from the one before, and their cross-validated errors.

        Arguments:
            X, y, sample_weight: as for `fit`.
            alphas: the strengths; default 30 from that at which nothing is broken down to 1e-4 of it.
            checkpoint: a file (.npz) written after each strength; a path that was interrupted goes on from there.
        Returns: RegressionPath: which symmetries survive at each strength; `.plot()`.
        Raises: as `fit`; ValueError for a checkpoint of other data or settings, or one that cannot be read.
        """
        self._check()
        rows = self._rows(X, y, sample_weight)
        self._where = measure(self.collocation, rows.x)
        settings = self._settings()
        return cross_validated(rows, self._columns(rows), settings, self.folds, self.seed, alphas, checkpoint)

    def predict(self, X: Num[np.ndarray, "N n"]) -> Float[np.ndarray, "N *m"]:
        """F(x) for examples (N, n).

        Arguments: `X` (N, n).
        Returns: (N,) or (N, m), as y was.
        Raises: NotFittedError before `fit`; ValueError for another width.
        """
        check_is_fitted(self)
        x = np.asarray(X, np.float64)
        if x.ndim != 2 or x.shape[1] != self.n_features_in_:
            raise ValueError(f"X: expected examples of shape (N, {self.n_features_in_}), got {x.shape}.")
        if not np.isfinite(x).all():
            raise ValueError("X holds NaN or infinite values; leave these examples out.")
        return values(self.dictionary, x) @ self.coef_.T + self.intercept_

    @property
    def function(self) -> DictionaryModel:
        """F, one example (n,) to (m,), for JAX: goes into `ld.discover.function` and `ld.enforce.project`."""
        check_is_fitted(self)
        return DictionaryModel(self.dictionary, np.atleast_2d(self.coef_), np.atleast_1d(self.intercept_))

    @property
    def symmetries_(self) -> Symmetries:
        """What the fitted function keeps, examined at points of the measure."""
        check_is_fitted(self)
        if self._found is None:
            where = self._where
            count = 4 * self.source.algebra.dim + _SPARE
            x = where.sample(count, self.seed) if isinstance(where, Measure) else where
            self._found = self._record(x)
        return self._found

    def _record(self, x: np.ndarray) -> Symmetries:
        """As many symmetries as are kept, the cut half-way between defects."""
        given = {"source": self.source, "target": self._target}
        first = discover_function(self.function, x, **given, tolerance=self.kept_tolerance)
        if first.dim == self.kept_:
            return first
        ladder = np.concatenate([[1e-3 * first.defects[0]], first.defects, [np.sqrt(2.0)]])
        cut = float(np.sqrt(ladder[self.kept_] * ladder[self.kept_ + 1]))
        return discover_function(self.function, x, **given, tolerance=cut)

    def equations(self, names: Sequence[str] | None = None, digits: int = 4) -> list[str]:
        """The fitted functions in words.

        Arguments: `names` of the inputs (default x1, x2, ..); `digits` of the coefficients.
        Returns: one line an output, such as "y1 = 2 x1^2 + 2 x2^2".
        Raises: NotFittedError before `fit`; ValueError for another number of names.
        """
        return self.function.equations(names, digits)

    @property
    def _target(self) -> AbstractFibreAction:
        return scalars(self.source.algebra) if self.target is None else self.target

    def _check(self) -> None:
        if not isinstance(self.dictionary, AbstractDictionary):
            raise TypeError(
                "dictionary: expected a family that is linear in its coefficients, such as"
                f" ld.dictionary.polynomials(3, 2), got a {type(self.dictionary).__name__}. For models that are not"
                " linear in their parameters there is ld.promote.penalty."
            )
        if not isinstance(self.source, AbstractAction):
            raise TypeError(f"source: expected an action such as ld.points(ld.algebra.se(3)), got {self.source!r}.")
        if self.target is not None and not isinstance(self.target, AbstractFibreAction):
            raise TypeError(f"target: expected an action on outputs, or None for scalars; got {self.target!r}.")
        if self.source.algebra.dim == 0:
            raise ValueError(f"source: {self.source} has no generators, so that there is nothing to promote.")
        if self.source.width != self.dictionary.width:
            raise ValueError(
                f"source acts on {self.source.width} numbers ({self.source}), but the dictionary takes"
                f" {self.dictionary.width} inputs."
            )
        if self.alpha is not None and not (_is_real(self.alpha) and 0 < self.alpha < np.inf):
            raise ValueError(
                "alpha: expected a finite number above 0, or None to choose it by cross-validation; got"
                f" {self.alpha!r}. For alpha towards 0 use exact=True, or least squares."
            )
        if self.exact and self.alpha is not None:
            raise ValueError(f"alpha: exact=True has none, the data are interpolated; got {self.alpha!r}.")
        for name in ("tolerance", "kept_tolerance"):
            if not (_is_real(getattr(self, name)) and 0 < getattr(self, name) < 1):
                raise ValueError(f"{name}: expected a number between 0 and 1, got {getattr(self, name)!r}.")
        for name, least in (("max_iterations", 1), ("folds", 2), ("seed", 0)):
            if not isinstance(getattr(self, name), int | np.integer) or getattr(self, name) < least:
                raise ValueError(f"{name}: expected a whole number from {least} on, got {getattr(self, name)!r}.")

    def _rows(self, X, y, sample_weight) -> Rows:
        x, outputs, single = checked(X, y, self.dictionary.width, 1 if self.target is None else self.target.width)
        weights = checked_weights(sample_weight, len(x))
        with np.errstate(all="ignore"):
            features = values(self.dictionary, x)
        bad = ~np.isfinite(features).all(axis=1)
        if bad.any():
            raise ValueError(
                f"X: a function of the dictionary is not finite at {bad.sum()} of {len(x)} examples, such as"
                f" {x[bad][0]}. Leave them out, or choose functions defined there."
            )
        return Rows(x, features, outputs, weights, self.intercept, single)

    def _columns(self, rows: Rows) -> Columns:
        return lie_columns(self.dictionary, self.source, self._target, self._where, self.inner, self.seed)

    def _settings(self) -> tuple[float, int, float]:
        return self.tolerance, self.max_iterations, self.kept_tolerance

    def _interpolate(self, rows: Rows, columns: Columns) -> tuple[NuclearFit, int]:
        try:
            return nuclear_interpolation(columns, *rows.system(), self.tolerance, self.max_iterations)
        except Inconsistent as fault:
            reason = (
                "there are more examples than functions, and the dictionary cannot express them"
                if len(rows.x) > rows.features.shape[1]
                else "some examples contradict each other"
            )
            raise ValueError(
                f"y: no function of the dictionary takes these values exactly: the least relative residual is"
                f" {fault.args[0]:.2g}; {reason}. For noisy data use exact=False, or give more functions."
            ) from None

    def _keep(self, rows: Rows, columns: Columns, fit: NuclearFit, undetermined: int) -> None:
        solution = fit.solution
        m, size = rows.y.shape[1], rows.features.shape[1]
        W = fit.w.reshape(m, size)
        b = rows.intercepts(W)
        self.coef_, self.intercept_ = (W[0], float(b[0])) if rows.single else (W, b)
        _, found, turn = np.linalg.svd(columns.apply(fit.w), full_matrices=True)
        self.singular_values_ = np.pad(found, (0, len(turn) - len(found)))
        size = float(np.linalg.norm(rows.y))
        self.kept_ = kept(self.singular_values_, self.kept_tolerance, size, self.exact)
        self.kept_directions_ = turn[len(turn) - self.kept_ :] @ orthonormal(self.source, self._target, self.inner)
        self.objective_ = solution.objective * (1.0 if self.alpha_ is None else self.alpha_)
        self.gap_, self.n_iter_, self.stop_ = solution.gap, solution.iterations, solution.stop
        self.undetermined_ = undetermined
        self.n_features_in_ = rows.x.shape[1]
        self._found = None
        if solution.gap > self.tolerance:
            warnings.warn(
                f"the relative duality gap is {solution.gap:.1g} after {solution.iterations} iterations"
                f" ({solution.stop}), above the tolerance {self.tolerance:.1g}: the objective may be too large by this"
                " share. Raise max_iterations or tolerance.",
                ConvergenceWarning,
                stacklevel=3,
            )
        if undetermined:
            warnings.warn(
                f"{undetermined} directions of the coefficients are seen neither by the data nor by the candidates;"
                " they are set to zero. Give more examples, or fewer functions.",
                UserWarning,
                stacklevel=3,
            )


def _is_real(value) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)
