"""Sparse equations of motion with a given symmetry, from trajectories: symmetric SINDy."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, MultiOutputMixin, RegressorMixin
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from ..action import AbstractAction, sized, tangent
from ..derivative import values
from ..dictionary import AbstractDictionary, sum_text
from ..dictionary import sized as sized_dictionary
from ..interop import estimator_inputs
from ..models import FeatureModel
from ._dynamics_data import trajectories
from ._dynamics_rows import reduced, residuals
from ._dynamics_symmetry import equations, sample, violation, warn_of_zero
from ._functions import functions
from ._simulate import simulated
from ._slopes import AbstractSlopes, by_name
from ._sparse import fit, regression

FOLDS = 10
BROKEN = 1e-9  # relative singular values above this are equations that a symmetry asks for


class SparseDynamics(MultiOutputMixin, RegressorMixin, BaseEstimator):
    """x' = W f(x) with few non-zero coefficients W, equivariant where a symmetry is given: a scikit-learn regressor.

    W lies in the space of equivariant vector fields, DF(x) theta_k(x) = Dtheta_k(x) F(x) for every generator k. It is
    fitted there by least squares; coefficients that are small are set to zero *in the dictionary's own terms* (others
    that the symmetry ties to them follow); the rest is fitted again, until no more are small. A term once removed stays
    removed.

    Arguments:
        dictionary: the D candidate functions f of the n states: a dictionary; or its text without the width, such as
            "polynomials(3)", or a function from n to a dictionary, which take their width from the data.
        symmetry: how generators act on states, linear, affine or not (`Symmetries.action` of a discovery, say); or its
            text, such as "so on vectors"; or a function from n to an action. None: plain sparse regression (SINDy), by
            the same code.
        threshold: coefficients below this in absolute value are small. "auto" (default): terms are removed one by one,
            the least certain first (coefficient over its standard deviation), and the sparsest model is taken whose
            held-out error over 10 folds (whole trajectories where there are 10) is within two standard errors of the
            best (and within a quarter of what errors of the smoothed states can explain). Terms that left are then
            tried again, where others go for them.
        derivative: "weak" (default), "spline" or "total_variation", or an object such as `WeakForm(windows=5)`; how
            velocities come from trajectories, and unused where velocities are given.
        penalty: None (default): the symmetry holds exactly. A number lambda >= 0, for a symmetry that is only
            approximate: the cost lambda |L F|^2 / |DF theta|^2 is added to the squared error over the noise, one for
            each measured number on average; 1 weighs a complete violation like all the noise.
        tolerance: the relative singular value at and below which an equation of the symmetry counts as fulfilled.
            Default None: as in `functions`.

    Fields after `fit`: `coefficients_` W (n, D), in units of the states and times given; `deviations_`, their standard
    deviations if the noise is white; `dimension_` of the space of equivariant fields before thresholding (n D without
    symmetry); `path_`, one row for each model tried: terms, certainty of the last one removed, error over noise;
    `residuals_` (n,), what each equation leaves of its rate: |b - A w| / |b| over the equations that are fitted, 1
    where nothing is explained; `noise_` (n,), the standard deviation of the measurement as smoothing found it, or None;
    `dictionary_` and `symmetry_`, of the width of the data; `n_features_in_`, and `feature_names_in_` of data frames.

    Reference: Yang, Rao, Dehmamy, Walters and Yu, Symmetry-informed governing equation discovery, NeurIPS 2024;
    Brunton, Proctor and Kutz, Discovering governing equations from data by sparse identification of nonlinear dynamical
    systems, PNAS 113, 2016.
    """

    n_features_in_: int

    def __init__(
        self,
        dictionary: AbstractDictionary | str | Callable[[int], AbstractDictionary],
        *,
        symmetry: AbstractAction | str | Callable[[int], AbstractAction] | None = None,
        threshold: float | str = "auto",
        derivative: str | AbstractSlopes = "weak",
        penalty: float | None = None,
        tolerance: float | None = None,
    ):
        self.dictionary = dictionary
        self.symmetry = symmetry
        self.threshold = threshold
        self.derivative = derivative
        self.penalty = penalty
        self.tolerance = tolerance

    def fit(self, X: Any, y: Any = None, t: Any = None) -> "SparseDynamics":
        """Find W from states with velocities, or from trajectories.

        Arguments:
            X: states (N, n), an array, a memory map or a data frame; or one trajectory (T, n), a list or iterator of
                them (batches of rows count as such), or an array (trajectories, T, n). States with velocities may lie
                on several devices or processes (jax.Array) or in blocks of Dask: they are reduced where they are.
                Without velocities they are collected, for smoothing looks at all of them.
            y: velocities of the same shape; None: they are estimated, and `t` must be given. Without a symmetry other
                rates may be fitted, y (N, m) or (N,): of some states only, where the other columns are inputs.
            t: the times: the step between samples, an array of increasing times for all trajectories, or a list with
                one array each.
        Returns: itself.
        Raises: ValueError for shapes that do not fit each other, the dictionary or the symmetry, NaN, complex numbers,
            times that do not increase, trajectories too short, and no more numbers than unknowns; TypeError for
            arguments of another kind.
        Warns: UserWarning when only F = 0 has the symmetry in this dictionary.
        """
        return self._fit(X, y, t, depth=3)

    def __sklearn_tags__(self) -> Tags:
        tags = RegressorMixin.__sklearn_tags__(self)
        tags.target_tags.multi_output = True
        tags.target_tags.required = False  # times do, too
        return tags

    def predict(self, X: Any) -> Float[np.ndarray, "N *n"]:
        """The velocities W f(x) at states (N, n).

        Returns: (N, n) float64; as y was, where it was given.
        Raises: NotFittedError before `fit`; ValueError for another width, and for columns of other names than those
            of `fit`, or in another order.
        """
        check_is_fitted(self)
        found = values(self.dictionary_, estimator_inputs(self, X, first=False)) @ self.coefficients_.T
        return found[:, 0] if self._single else found

    @property
    def function(self) -> FeatureModel:
        """The vector field, one state (n,) to its velocity (n,), for JAX: `discover.vector_field` takes it."""
        check_is_fitted(self)
        return FeatureModel(self.dictionary_, self.coefficients_)

    def simulate(self, x0: ArrayLike, t: ArrayLike, tolerance: float = 1e-8) -> Float[np.ndarray, "*starts times n"]:
        """The solution of x' = W f(x), by an adaptive Runge-Kutta method of order 5 (diffrax Tsit5).

        Arguments: `x0` (n,), or (C, n) for several; `t` (T,) increasing, the first being the time of `x0`; `tolerance`,
        relative and absolute, of each step.
        Returns: (T, n) or (C, T, n) float64; inf from where a solution leaves the space in finite time.
        Raises: NotFittedError before `fit`; ValueError for another width or times that do not increase, and where
            other rates than those of all states were fitted.
        """
        check_is_fitted(self)
        if len(self.coefficients_) != self.n_features_in_:
            raise ValueError(
                f"simulate: {len(self.coefficients_)} rates of {self.n_features_in_} columns were fitted; only a"
                " velocity for each of them can be integrated."
            )
        return simulated(self.dictionary_, self.coefficients_, x0, t, tolerance)

    def equations(self, names: Sequence[str] | None = None, digits: int = 4) -> list[str]:
        """The equations in words, such as "x' = -0.1 x - 1 y".

        Arguments: `names` of the states (default: those of the data frame, else x0, x1, ..); `digits` of the
            coefficients.
        Returns: one line a state; a line "y1 = .." for each where other rates were fitted.
        Raises: NotFittedError before `fit`; ValueError for another number of names.
        """
        check_is_fitted(self)
        names = self._columns if names is None else list(names)
        terms = self.dictionary_.texts(names)
        whole = len(self.coefficients_) == self.n_features_in_
        left = [f"{name}'" for name in names] if whole else [f"y{i + 1}" for i in range(len(self.coefficients_))]
        sums = [sum_text(row, terms, lambda size: f"{size:.{digits}g}") for row in self.coefficients_]
        return [f"{name} = {text}" for name, text in zip(left, sums, strict=True)]

    @property
    def _columns(self) -> list[str]:
        """Their names in the data frame, or x0, x1, .."""
        return list(getattr(self, "feature_names_in_", [f"x{i}" for i in range(self.n_features_in_)]))

    def _fit(self, x, dx, t, depth: int) -> "SparseDynamics":
        """As `fit`; `depth` of the caller, to whom warnings are addressed."""
        self._check()
        data = trajectories(self, x, dx, t)
        n, m = self.n_features_in_, data.targets
        dictionary = sized_dictionary(self.dictionary, n)
        symmetry = None if self.symmetry is None else sized(self.symmetry, self._columns, "symmetry")
        if symmetry is not None and m != n:
            raise ValueError(
                f"y: a symmetry moves velocities as it moves states, {n} of them, but y has {m}"
                f" column{'s' * (m != 1)}. Give a velocity for each state, or no symmetry."
            )
        count = dictionary.size
        rows = reduced(data, by_name(self.derivative), dictionary, FOLDS)
        basis, law, free = None, None, m * count
        if symmetry is not None and self.penalty is not None:
            points = sample(count, rows.centre, rows.spread)
            law = violation(dictionary, symmetry, points, rows.unit)
            basis = np.eye(n * count).reshape(-1, n, count)
            free -= len(equations(law.broken, BROKEN))
        elif symmetry is not None:
            points = sample(count * (1 + symmetry.algebra.dim), rows.centre, rows.spread)
            target = tangent(symmetry)
            basis = functions(dictionary, source=symmetry, target=target, tolerance=self.tolerance, x=points).basis
            free = len(basis)
            if free == 0:
                warn_of_zero(symmetry, depth)
            flat = (basis * (rows.size / rows.unit[:, None])).reshape(len(basis), n * count)
            basis = np.linalg.qr(flat.T)[0].T.reshape(basis.shape)
        _check_enough(data.count, m, free)
        problem = regression(rows.factors, basis, rows.size, rows.unit)
        problem = replace(problem, slack=rows.slack)
        if law is not None:
            problem = replace(problem, penalty=law.broken, moved=law.moved, weight=float(self.penalty or 0.0))
        chosen = fit(problem, self.threshold)
        self.dictionary_, self.symmetry_, self._single = dictionary, symmetry, data.single
        self.coefficients_, self.deviations_, self.path_ = chosen.coefficients, chosen.deviations, chosen.path
        self.dimension_ = m * count if basis is None else len(basis)
        self.noise_ = rows.noise
        self.residuals_ = residuals(rows.factors, chosen.coefficients)
        return self

    def _check(self) -> None:
        if self.threshold != "auto" and (isinstance(self.threshold, str) or not 0 <= self.threshold < np.inf):
            raise ValueError(f'threshold: expected "auto" or a number of at least 0, got {self.threshold!r}.')
        if self.penalty is not None and not 0 <= self.penalty < np.inf:
            raise ValueError(f"penalty: expected None (exact) or a number of at least 0, got {self.penalty!r}.")
        if self.penalty is not None and self.symmetry is None:
            raise ValueError("penalty: there is no symmetry to be weighed; give symmetry, or leave penalty out.")


def sparse_dynamics(
    x: Any,
    dx: Any,
    dictionary: AbstractDictionary | str | Callable[[int], AbstractDictionary],
    *,
    t: Any = None,
    symmetry: AbstractAction | str | Callable[[int], AbstractAction] | None = None,
    threshold: float | str = "auto",
    derivative: str | AbstractSlopes = "weak",
    penalty: float | None = None,
    tolerance: float | None = None,
) -> SparseDynamics:
    """Equations of motion x' = W f(x) with a given symmetry and few terms (symmetric SINDy).

    Short for `SparseDynamics(dictionary, ...).fit(x, dx, t)`.

    Arguments:
        x: states (N, n); or trajectories: (T, n), a list or iterator of them, or (trajectories, T, n). Where they lie
            on several devices or processes, or in blocks of Dask, and `dx` alike, they are reduced there.
        dx: their velocities, of the same shape; None where `t` is given and they are to be estimated.
        dictionary: the candidate functions f of the n states, or their text, such as "polynomials(3)".
        t: the times, or the step between them.
        symmetry, threshold, derivative, penalty, tolerance: see `SparseDynamics`.
    Returns: the fitted model: `coefficients_`, `equations(names)`, `predict`, `simulate`.
    Raises: ValueError, TypeError as `SparseDynamics.fit`.
    Reference: Yang, Rao, Dehmamy, Walters and Yu, Symmetry-informed governing equation discovery, NeurIPS 2024.
    """
    model = SparseDynamics(
        dictionary, symmetry=symmetry, threshold=threshold, derivative=derivative, penalty=penalty, tolerance=tolerance
    )
    return model._fit(x, dx, t, depth=3)


def _check_enough(count: int, targets: int, free: int) -> None:
    """As many numbers as unknowns are met exactly, whatever they are: they say nothing about terms or noise."""
    if 0 < free and count * targets <= free:
        least = free // targets + 1
        raise ValueError(
            f"X: {count} sample{'s' * (count != 1)} of {targets} number{'s' * (targets != 1)} cannot tell {free} free"
            f" coefficients from noise: at least {least} are needed, better three times as many. Give more samples, a"
            " smaller dictionary, or a larger symmetry."
        )
