"""Regression on a dictionary that prefers symmetric functions: convex, with as many candidates as you like."""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Array, Float, Num
from sklearn.base import BaseEstimator, MultiOutputMixin, RegressorMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.validation import check_is_fitted

from ..action import AbstractAction, AbstractFibreAction, sized, sized_target, without_elements
from ..derivative import values
from ..dictionary import AbstractDictionary
from ..dictionary import sized as sized_dictionary
from ..discover import FiniteSymmetries, Symmetries
from ._examples import checked_inputs, examples_of
from ._fit import Fitted, fitted
from ._group_columns import Elements
from ._model import DictionaryModel, written
from ._path import RegressionPath
from ._record import Examined, recorded, recorded_elements
from ._settings import Settings, check_source, checked_settings
from ._task import SPARE, Family, Task, task_of
from ._validation import cross_validated


class Regression(MultiOutputMixin, RegressorMixin, BaseEstimator):
    """F(x) = W f(x) + b fitted to data, with as few broken symmetries as the data allow: a scikit-learn regressor.

        minimise over W, b    1/2 sum_i w_i |F(x_i) - y_i|^2 + ridge/2 |W|^2 + alpha |L_F|_*

    L_F is the map xi -> L_xi F from the candidates to functions, and |L_F|_* the sum of its singular values: a convex
    stand-in for its rank, the number of candidates that F breaks. With `exact`: minimise |L_F|_* subject to
    F(x_i) = y_i.

    Finite elements: where the algebra of the candidates has discrete elements (reflections, permutations), all their
    products g are candidates, too, and beside |L_F|_* stands the nuclear norm of a map with one column

        (K_g F - F) / |g - 1|,    (K_g F)(x) = rho(g)^-1 F(g x),

    for each cyclic group of elements, which F keeps or breaks together: a stand-in for the dimension of all that the
    elements make of F. |g - 1| is the length of the motion, in the product in which generators have length one.

    Refits: the norm says which symmetries are kept, but also shrinks what is broken. So what a fit proposes is refined
    to symmetries that some function near it has exactly (the nearest rank of L_F, by Gauss-Newton steps, among the
    functions that keep a subgroup of the finite elements), and F is least squares, with the ridge term alone, among
    functions that keep these. Which of them is taken is decided by their marginal likelihoods, in which symmetries pay
    for having been chosen among many (`path_.evidence`).

    Units: coordinates that some candidate mixes share a unit, others have their own, and the problem is solved in these
    (sqrt 3 times the rms about the mean for inputs, the rms for outputs); fields are in the user's units. Where outputs
    are of several units, |F(x_i) - y_i| is taken relative to each, times their geometric mean. |W|^2 is the sum over
    functions of squared coefficients, each times the standard deviation of its function over the data.

    Arguments:
        dictionary: the D functions f of the n inputs: a dictionary; or its text without the width, such as
            "polynomials(2)", or a function from n to a dictionary, which take their width from the data.
        source: how candidates act on inputs, of width n: an action, of generators, finite elements or both; or its
            text, such as "se on points" or, over the columns of a data frame, "so(3) on vectors(x,y,z)"; or a function
            from n to an action.
        target: how they act on outputs, linear in them (matrices, or the tangent lift `ld.action.tangent(source)` of a
            vector field); "vectors", "covectors" and "tangent" are understood; default None: outputs are scalars, which
            nothing moves, as many as y has columns.
        alpha: a number > 0, in the unit of outputs; None (default): chosen by the evidence for what refits keep;
            without refits by cross-validation; see `path_`.
        exact: interpolate the data: for data without noise, from fewer samples than functions; neither refitted nor
            ridged.
        refit: fit again among functions that keep exactly what is kept (default). Where no function near has so many
            symmetries, or alpha is given and nothing is kept, the fit stays as it is: `refitted_` is False, and the
            record says so.
        ridge: strength of the ridge term, >= 0. None (default): each refit has that of least error on examples left out
            one by one (8,192 of more); 0 where alpha is given, where exact, and without refits.
        collocation: where L_F is measured: "box" (default), uniform on the bounding box of the inputs, by exact moments
            for polynomials; "gaussian", with the mean and standard deviations of the inputs; "data", at the inputs,
            8,192 of more; or points (C, n).
        inner: (q, q) Gram matrix of an inner product on the candidates; default the Frobenius product of their fields
            on inputs about their mean and on outputs, in the units above. The nuclear norm depends on it: a candidate
            that is twice as long costs twice as much.
        intercept: add constants b that are not penalised; needed only for functions without a constant, or outputs
            whose constants the candidates move.
        tolerance: the relative duality gap to reach; default 1e-6, so that a broken candidate is told from a kept one
            down to a millionth of the whole norm.
        max_iterations: of Newton's method, 20 to 60 of which are usual; default 500.
        kept_tolerance: share of the largest singular value of L_F up to which a candidate always counts as kept;
            default 3e-3. Above it the largest ratio of neighbouring singular values decides, as noise leaves small
            values where there should be none; where exact, everything above it is broken.
        folds: of the cross-validation; default 5. Refits are validated, but not chosen, by it.
        seed: of folds and of sampled points.

    Fields after `fit` of finite elements: `group_`, a FiniteGroup of all G, None where there are none; `kept_elements_`
        (H,), the numbers of those that are kept, a subgroup; `violations_` (G,) |K_g F - F|, in the unit of outputs;
        `finite_symmetries_`, the record of `ld.discover.finite`.

    Fields after `fit`: `coef_` W (m, D), or (D,) where y has one dimension; `intercept_` (m,) or a number; `alpha_`,
        None where exact, 0 where nothing is kept and the ridge term alone was best; `ridge_`; `refitted_`;
        `singular_values_` (e,) of L_F on the e candidates that move something, descending; `kept_`, the number of
        these not broken; `kept_directions_` (kept, q), their coefficients; `ineffective_` (q - e, q), candidates that
        move nothing; `symmetries_`, the record of what the fitted function keeps, by `ld.discover.function` at the
        error of the fit, made when first asked for; `objective_`, `gap_`, the relative duality gap, `n_iter_` and
        `stop_`, "gap", "max_iterations" or "rounding", of the fit before it is refitted; `undetermined_`, how many
        directions of W neither the data nor the norm sees; `path_`, a RegressionPath where alpha is None, else None;
        `dictionary_`, `source_` and `target_`, of the widths of the data; `n_features_in_`, and `feature_names_in_`
        where X has names.

    Reference: Otto, Zolman, Kutz, Brunton, A unified framework to enforce, discover, and promote symmetry in machine
    learning, 2025, section 5; MacKay, Bayesian interpolation, 1992, for the choice among refits.
    """

    n_features_in_: int

    def __init__(
        self,
        dictionary: AbstractDictionary | str | Callable[[int], AbstractDictionary],
        *,
        source: AbstractAction | str | Callable[[int], AbstractAction],
        target: AbstractFibreAction | str | None = None,
        alpha: float | Float[Array, ""] | None = None,
        exact: bool = False,
        refit: bool = True,
        ridge: float | None = None,
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
        self.refit = refit
        self.ridge = ridge
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
        X: Any,
        y: Any,
        sample_weight: Any = None,
    ) -> "Regression":
        """Find W.

        Everything is solved from one triangular factor of the functions and outputs a fold: memory does not grow with
        N. Up to 32,768 examples equal inputs are in one fold; beyond, the fold follows from the number of the row.
        Nothing depends on whether data come as arrays, files or batches.

        Arguments: `X` (N, n), an array or a data frame; a memory map, read piece by piece; or an iterable of batches of
            rows, which an iterator gives once: they are kept in a temporary file. `y` (N,) or (N, m), likewise, in
            batches of any size of their own; `sample_weight` (N,) >= 0, default one: whole numbers are repetitions; an
            example of weight zero is left out.
        Returns: itself.
        Raises: ValueError for shapes that do not fit each other, the dictionary or the actions, NaN, numbers whose
            squares overflow, candidates that move nothing, discrete elements that generate no finite group or under
            which the dictionary is not closed, a target that is not linear in the outputs, exact data that no function
            of the dictionary meets; TypeError for arguments of another kind.
        Warns: ConvergenceWarning when the tolerance was not reached, with the gap; UserWarning when data and norm leave
            part of W undetermined.
        """
        settings, task, single = self._task(X, y, sample_weight)
        self._keep(settings, task, fitted(task, settings), single)
        return self

    def path(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        *,
        alphas: Num[np.ndarray, " alphas"] | Sequence[float] | None = None,
        checkpoint: str | Path | None = None,
    ) -> RegressionPath:
        """The fits for many strengths, each started from the one before, refitted, and their errors on data left out.

        Arguments:
            X, y, sample_weight: as for `fit`.
            alphas: the strengths, in the unit of outputs; default 12 from that at which nothing is broken down to 1e-3
                of it, and 0; without refits 30 down to 1e-4.
            checkpoint: a file (.npz) written after each strength; a path that was interrupted goes on from there.
        Returns: RegressionPath: which symmetries survive at each strength; `.plot()`.
        Raises: as `fit`; ValueError where exact=True, which has no strengths, for a folder, and for a checkpoint of
            other data or settings, or one that cannot be read.
        """
        settings, task, _ = self._task(X, y, sample_weight)
        if settings.exact:
            raise ValueError(
                "exact: exact=True interpolates the data and has no strengths; take exact=False for a path."
            )
        return cross_validated(task, settings, alphas, checkpoint).path

    def predict(self, X: Any) -> Float[np.ndarray, "N *m"]:
        """F(x) for examples (N, n).

        Arguments: `X` (N, n), an array or a data frame.
        Returns: (N,) or (N, m), as y was.
        Raises: NotFittedError before `fit`; ValueError for another width, other names or another order of columns, NaN,
            text, complex numbers or no rows.
        """
        check_is_fitted(self)
        found = self.function.values(checked_inputs(self, X, first=False))
        return found[:, 0] if np.ndim(self.coef_) == 1 else found

    @property
    def function(self) -> DictionaryModel:
        """F, one example (n,) to (m,), for JAX: goes into `ld.discover.function`."""
        check_is_fitted(self)
        return self._function

    @property
    def symmetries_(self) -> Symmetries:
        """What the fitted function keeps of the generators, examined at points of the measure.

        Raises: AttributeError where the candidates are a finite group, without generators.
        """
        check_is_fitted(self)
        if self.source_.algebra.dim == 0:
            raise AttributeError("symmetries_: the candidates have no generators; see finite_symmetries_.")
        if self._found is None:
            source, target = without_elements(self.source_), without_elements(self.target_)
            self._found = recorded(replace(self._examined, source=source, target=target))
        return self._found

    @property
    def finite_symmetries_(self) -> FiniteSymmetries:
        """What the fitted function keeps of the finite elements, examined at points of the measure.

        Raises: AttributeError where the candidates have none.
        """
        check_is_fitted(self)
        if self.group_ is None:
            raise AttributeError("finite_symmetries_: the candidates have no discrete elements; see symmetries_.")
        if self._found_elements is None:
            self._found_elements = recorded_elements(self._examined, self.refitted_, self.kept_elements_)
        return self._found_elements

    def equations(self, names: Sequence[str] | None = None, digits: int = 4) -> list[str]:
        """The fitted functions in words.

        Arguments: `names` of the inputs (default those of the data frame, else x0, x1, ..); `digits` of the
            coefficients, at least 1.
        Returns: one line an output, such as "y0 = 2 x0^2 + 2 x1^2"; terms below a millionth of the largest are left
            out.
        Raises: NotFittedError before `fit`; ValueError for another number of names or digits.
        """
        check_is_fitted(self)
        if not isinstance(digits, int | np.integer) or isinstance(digits, bool) or digits < 1:
            raise ValueError(f"digits: expected a whole number from 1 on, got {digits!r}.")
        given = self._names if names is None else names
        W, b = np.atleast_2d(self.coef_), np.atleast_1d(self.intercept_)
        return written(self.dictionary_, W, b, given, self._outputs, self._sizes, int(digits))

    def _task(self, X, y, sample_weight) -> tuple[Settings, Task, bool]:
        """Everything checked, in the units in which it is solved."""
        settings = checked_settings(self)
        examples = examples_of(self, X, y, sample_weight, settings)
        self.dictionary_ = sized_dictionary(self.dictionary, self.n_features_in_)
        self.source_ = sized(self.source, self._names)
        check_source(self.source_)
        self.target_ = sized_target(self.target, self.source_, examples.outputs)
        self._outputs = examples.names
        family = Family(self.dictionary_, self.source_, self.target_, self.collocation, self.inner)
        task = task_of(family, examples, settings)
        self._sizes = np.abs(values(self.dictionary_, task.survey.sample.x)).max(axis=0)
        return settings, task, examples.single

    @property
    def _names(self) -> tuple[str, ...]:
        known = getattr(self, "feature_names_in_", None)
        return tuple(f"x{i}" for i in range(self.n_features_in_)) if known is None else tuple(map(str, known))

    def _keep(self, settings: Settings, task: Task, found: Fitted, single: bool) -> None:
        units = task.units
        W, b = units.outside(found.V), found.b * units.outputs
        self.coef_, self.intercept_ = (W[0], float(b[0])) if single else (W, b)
        self.alpha_, self.path_ = found.alpha, found.path
        self.singular_values_ = found.singular_values
        self.kept_, self.kept_directions_ = len(found.directions), found.directions
        self.group_ = None if task.elements is None else task.elements.group
        self.kept_elements_, self.violations_ = found.numbers, _of_each(task.elements, found.violations)
        self.ineffective_ = task.still
        self.refitted_, self.ridge_ = found.refitted, found.ridge
        self.objective_, self.gap_, self.n_iter_, self.stop_ = found.objective, found.gap, found.iterations, found.stop
        self.undetermined_ = found.undetermined
        self._function = DictionaryModel(self.dictionary_, units.shown(found.V), b, units.centre, units.scale)
        self._found = self._found_elements = None
        points = task.points(4 * self.source_.algebra.dim + SPARE, settings.seed)
        self._examined = Examined(
            self._function,
            self.source_,
            task.target,
            task.candidates,
            task.still,
            points,
            found.error,
            self.kept_,
            found.refitted,
            float(task.survey.outputs.level.max()),
            self._names,
            self._outputs,
        )
        if found.gap > settings.tolerance:
            warnings.warn(
                f"the relative duality gap is {found.gap:.1g} after {found.iterations} iterations"
                f" ({found.stop}), above the tolerance {settings.tolerance:.1g}: the objective may be too large by this"
                " share. Raise max_iterations or tolerance.",
                ConvergenceWarning,
                stacklevel=3,
            )
        if found.undetermined:
            warnings.warn(
                f"{found.undetermined} directions of the coefficients are seen neither by the data nor by the"
                " candidates; they are set to zero. Give more examples, or fewer functions.",
                UserWarning,
                stacklevel=3,
            )


def _of_each(elements: Elements | None, violations: np.ndarray) -> np.ndarray:
    """(G,) of each element, from one for each cyclic group."""
    return np.zeros(1) if elements is None else np.append(violations, 0.0)[elements.cyclic]
