"""Velocities from noisy trajectories: a smoothing spline, total variation, or none at all (the weak form)."""

import abc
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import scipy.linalg
import scipy.sparse
from jaxtyping import Float
from scipy.interpolate import BSpline, make_interp_spline

from ..linalg import right_singular

LEAST = 12  # samples: fewer than twice the terms of a spline of degree 5 say nothing about noise
KNOTS = 500  # at most, by default: one decomposition of this size takes a quarter of a second
SPLINE_DEGREE, PENALISED = 5, 3  # the third derivative is kept small, so that the first is hardly bent
STRENGTHS = 200  # of smoothing, tried on a logarithmic grid
TERMS_PER_WINDOW = 6  # of the smoothing spline: about one full swing, over which the integrals' own errors stay small
SWEEPS, BISECTIONS = 30, 14  # of reweighting, and of the search for the weight of the total variation


class Smoothed(NamedTuple):
    """Trajectories without their noise.

    `states` and `slopes` (C, T, n); `noise` (n,), the standard deviation of what was removed; `terms`, how many free
    numbers a smoothed coordinate has, on average.
    """

    states: Float[np.ndarray, "trajectories times n"]
    slopes: Float[np.ndarray, "trajectories times n"]
    noise: Float[np.ndarray, " n"]
    terms: float


class AbstractSlopes(abc.ABC):
    """How trajectories become the rows of a regression for W in x' = W f(x)."""

    @abc.abstractmethod
    def smooth(self, t: Float[np.ndarray, " times"], x: Float[np.ndarray, "trajectories times n"]) -> Smoothed:
        """States and velocities of trajectories that share their times.

        Arguments: `t` (T,), increasing; `x` (C, T, n).
        Returns: `Smoothed`.
        """

    def rows(
        self,
        t: Float[np.ndarray, " times"],
        x: Float[np.ndarray, "times n"],
        smoothed: Float[np.ndarray, "times n"],
        slopes: Float[np.ndarray, "times n"],
        features: Float[np.ndarray, "times D"],
        terms: float,
    ) -> list[tuple[np.ndarray, np.ndarray]]:
        """The regression of one trajectory: pairs (A, b) with A W^T = b; here features against velocities.

        Arguments: `t`; the trajectory `x` as measured; `smoothed` and `slopes`; `features` f at the smoothed states;
        `terms` as in `Smoothed`.
        Returns: one pair or more, which belong to separate stretches of time.
        """
        return [(features, slopes)]


@dataclass(frozen=True, kw_only=True)
class SmoothingSpline(AbstractSlopes):
    """A spline of degree 5 whose third derivative is penalised as much as the data ask for.

        sum_i |x(t_i) - x_i|^2 + s int |x'''|^2 dt

    with s of each coordinate, common to all trajectories of the same times, at the maximum of the restricted
    likelihood; its velocity is the spline's derivative.

    Fields: `knots`, the number of basis functions; None (default): half the samples and six, at most 500. A trajectory
    that turns oftener than once in ten of them needs more.
    Reference: Wood, On p-splines with derivative based penalties, Statistics and Computing 27, 2017.
    """

    knots: int | None = None

    def smooth(self, t: Float[np.ndarray, " times"], x: Float[np.ndarray, "trajectories times n"]) -> Smoothed:
        """As for every way of smoothing: states, velocities and noise."""
        basis = _Basis.of(t, self.knots)
        splines, noise, terms = zip(*[basis.fit(x[:, :, i].T) for i in range(x.shape[2])], strict=True)
        states = np.stack([spline(t).T for spline in splines], axis=2)
        slopes = np.stack([spline.derivative()(t).T for spline in splines], axis=2)
        return Smoothed(states, slopes, np.array(noise), float(np.mean(terms)))


@dataclass(frozen=True, kw_only=True)
class WeakForm(AbstractSlopes):
    """No velocities at all: the equation is integrated, and the measured states themselves are fitted.

        x(t) - mean x = W (int f(x) dt - mean)    within each window of time

    f is taken at smoothed states, where its integral has next to no noise; the left side keeps the white noise of the
    measurement, for which least squares is the right method, and no bias of smoothing. This is the weak form for all
    test functions that live in a window, weighted by their noise.

    Fields: `windows`, into which each trajectory is cut; None (default): one for six free terms of the smoothing spline
    (about one swing); `smoother`, which gives the states.
    Reference: Dattner and Klaassen, Optimal rate of direct estimators in systems of ordinary differential equations
    linear in functions of the parameters, Electronic Journal of Statistics 9, 2015; Messenger and Bortz, Weak SINDy,
    Multiscale Modeling and Simulation 19, 2021.
    """

    windows: int | None = None
    smoother: AbstractSlopes = SmoothingSpline()

    def smooth(self, t: Float[np.ndarray, " times"], x: Float[np.ndarray, "trajectories times n"]) -> Smoothed:
        """As the smoother does."""
        return self.smoother.smooth(t, x)

    def rows(
        self,
        t: Float[np.ndarray, " times"],
        x: Float[np.ndarray, "times n"],
        smoothed: Float[np.ndarray, "times n"],
        slopes: Float[np.ndarray, "times n"],
        features: Float[np.ndarray, "times D"],
        terms: float,
    ) -> list[tuple[np.ndarray, np.ndarray]]:
        """Centred integrals of the features against centred states, one pair a window."""
        count = max(1, round(terms / TERMS_PER_WINDOW)) if self.windows is None else self.windows
        # The integrand is smooth, so its spline is integrated: parabolas would err by h^4 at wide spacing.
        integral = make_interp_spline(t, features, k=min(5, len(t) - 1)).antiderivative()(t)
        pieces = np.array_split(np.arange(len(t)), min(count, len(t) // 2))
        return [(integral[p] - integral[p].mean(0), x[p] - x[p].mean(0)) for p in pieces]


@dataclass(frozen=True, kw_only=True)
class TotalVariation(AbstractSlopes):
    """Velocities with as few jumps as the noise allows, for dynamics that switch.

        min over u:  1/2 sum_i |x_0 + int_0^{t_i} u - x_i|^2 + weight sum_i |u_{i+1} - u_i|

    Fields: `weight`, in units of the states; None (default): so that the part removed is as large as the noise, which
    is estimated by `SmoothingSpline`.
    Reference: Chartrand, Numerical differentiation of noisy, nonsmooth data, ISRN Applied Mathematics, 2011; Kim, Koh,
    Boyd and Gorinevsky, l1 trend filtering, SIAM Review 51, 2009.
    """

    weight: float | None = None

    def smooth(self, t: Float[np.ndarray, " times"], x: Float[np.ndarray, "trajectories times n"]) -> Smoothed:
        """As for every way of smoothing: states, velocities (constant between samples) and noise."""
        guess = SmoothingSpline().smooth(t, x)
        states = np.empty_like(x)
        for c in range(len(x)):
            for i in range(x.shape[2]):
                states[c, :, i] = _least_variation(t, x[c, :, i], self.weight, guess.noise[i])
        between = np.diff(states, axis=1) / np.diff(t)[:, None]
        # At a sample the mean of the velocities on either side.
        padded = np.concatenate([between[:, :1], between, between[:, -1:]], axis=1)
        slopes = (padded[:, 1:] + padded[:, :-1]) / 2
        return Smoothed(states, slopes, (states - x).std(axis=(0, 1)), guess.terms)


NAMES = {"spline": SmoothingSpline, "total_variation": TotalVariation, "weak": WeakForm}


def by_name(derivative: str | AbstractSlopes) -> AbstractSlopes:
    """The object that a name stands for; objects are passed through."""
    if isinstance(derivative, AbstractSlopes):
        return derivative
    if not isinstance(derivative, str) or derivative not in NAMES:
        raise ValueError(
            f"derivative: expected one of {', '.join(map(repr, NAMES))} or an object such as "
            f"lieder.enforce.SmoothingSpline(knots=50), got {derivative!r}."
        )
    return NAMES[derivative]()


@dataclass(frozen=True, eq=False)
class _Basis:
    """B-splines at given times, turned so that fit and penalty are both diagonal (Demmler and Reinsch)."""

    knots: np.ndarray
    design: scipy.sparse.csr_array
    root: np.ndarray  # Cholesky factor L of B^T B
    turn: np.ndarray  # orthogonal, columns are the terms, the roughest first
    rough: np.ndarray  # the penalty of each

    @classmethod
    def of(cls, t: np.ndarray, count: int | None) -> "_Basis":
        count = min(len(t) // 2 + 6, KNOTS) if count is None else min(count, len(t))
        count = max(count, SPLINE_DEGREE + 1)
        # At quantiles of the times: then every basis function sees samples, however uneven they are.
        inner = np.quantile(t, np.linspace(0, 1, count - SPLINE_DEGREE + 1))
        knots = np.r_[[t[0]] * SPLINE_DEGREE, inner, [t[-1]] * SPLINE_DEGREE]
        design = BSpline.design_matrix(t, knots, SPLINE_DEGREE)
        gram = (design.T @ design).toarray()
        root = scipy.linalg.cholesky(gram + 1e-12 * np.trace(gram) / count * np.eye(count), lower=True)
        nodes, weights = np.polynomial.legendre.leggauss(SPLINE_DEGREE - PENALISED + 1)
        half = np.diff(inner) / 2
        points = ((inner[1:] + inner[:-1]) / 2)[:, None] + half[:, None] * nodes
        bend = BSpline(knots, np.eye(count), SPLINE_DEGREE).derivative(PENALISED)(points.ravel())
        bend *= np.sqrt(half[:, None] * weights).ravel()[:, None]
        values, turn = right_singular(scipy.linalg.solve_triangular(root, bend.T, lower=True).T)
        rough = values**2
        rough[-PENALISED:] = 0  # polynomials of degree 2, exactly
        return cls(knots, design, root, turn.T, rough)

    def fit(self, y: np.ndarray) -> tuple[BSpline, float, float]:
        """The spline through columns y (T, C), the noise and the number of terms, at the likeliest strength."""
        rows, columns = y.shape
        terms = self.turn.T @ scipy.linalg.solve_triangular(self.root, self.design.T @ y, lower=True)
        square = np.sum(terms**2, axis=1)
        total = np.sum(y**2)
        outside = max(total - square.sum(), 1e-26 * total, 1e-300)
        rough = self.rough[self.rough > 0]
        strength = np.geomspace(1e-3 / rough[0], 1e3 / rough[-1], STRENGTHS)[:, None]
        kept = 1 / (1 + strength * self.rough)
        deviance = columns * (rows - PENALISED) * np.log(outside + (1 - kept) @ square)
        deviance -= columns * np.log(strength * rough * kept[:, self.rough > 0]).sum(axis=1)
        best = int(np.argmin(deviance))
        left = outside + np.sum((1 - kept[best]) ** 2 * square)
        coefficients = scipy.linalg.solve_triangular(
            self.root, self.turn @ (kept[best][:, None] * terms), lower=True, trans=1
        )
        free = float(kept[best].sum())
        noise = np.sqrt(left / columns / max(rows - free, 1.0))
        return BSpline(self.knots, coefficients, SPLINE_DEGREE), float(noise), free


def _least_variation(t: np.ndarray, y: np.ndarray, weight: float | None, noise: float) -> np.ndarray:
    """The piecewise linear curve of least variation of slope, by reweighted least squares in banded matrices."""
    step = np.diff(t)
    # D y: differences of slopes, three entries a row.
    left, right = 1 / step[:-1], 1 / step[1:]
    centre = -(left + right)
    scale = float(np.abs(np.diff(np.diff(y) / step)).max(initial=0.0))
    if scale == 0:
        return y.copy()

    def curve(strength: float) -> np.ndarray:
        z, cut = y, 1e-6 * scale
        for _ in range(SWEEPS):
            bend = left * z[:-2] + centre * z[1:-1] + right * z[2:]
            w = strength / np.maximum(np.abs(bend), cut)
            band = np.zeros((3, len(y)))
            band[2] = 1.0
            band[2, :-2] += w * left**2
            band[2, 1:-1] += w * centre**2
            band[2, 2:] += w * right**2
            band[1, 1:-1] += w * left * centre
            band[1, 2:] += w * centre * right
            band[0, 2:] += w * left * right
            z = scipy.linalg.solveh_banded(band, y)
        return z

    if weight is not None:
        return curve(weight)
    low, high = np.log(noise**2 / scale * 1e-3 + 1e-300), np.log(noise * len(y) * np.ptp(t) + 1e-300)
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        low, high = (middle, high) if np.std(curve(np.exp(middle)) - y) < noise else (low, middle)
    return curve(np.exp((low + high) / 2))
