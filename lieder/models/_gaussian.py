"""A Gaussian process: kernel ridge regression whose length scales, directions and noise the data choose."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import scipy.linalg

from ._covariance import Covariance, Covariances
from ._data import Data, standard
from ._family import AbstractFamily, FeatureModel, Validated
from ._likelihood import most_probable
from ._ridge import stacked_factor, triangle

JUDGED = 1000  # rows on which the covariance is chosen: it costs their number cubed, some thirty times
EXACT_ROWS = 2000  # rows up to which every one is a centre
CENTRES = 600  # with more rows: the others are fitted by least squares in the covariances with these
LEAST_WEIGHT = 1e-30  # of a row: one that counts for nothing has noise beyond all others, but no infinite one


@dataclass(frozen=True, eq=False)
class Setting:
    """The covariance, and the units of the inputs that it is given in."""

    covariance: Covariance
    centre: np.ndarray
    inverse: np.ndarray

    def standardised(self, x: np.ndarray) -> np.ndarray:
        return (x - self.centre) * self.inverse


@dataclass(frozen=True, eq=False)
class GaussianProcess(AbstractFamily):
    """The posterior mean of a smooth random function, F(x) = sum_i a_i k(x, x_i) + c.

    The covariance k maximises the marginal likelihood: cross-validated prediction hardly feels what derivatives feel
    most, small ripples. Up to EXACT_ROWS rows the fit is exact, beyond it is that of the subset of regressors.

    Reference: Rasmussen and Williams, 2006, sections 2.2, 5.4 and 8.3.1.
    """

    name: str = "Gaussian process"

    def validate(self, data: Data, folds: list[np.ndarray], seed: int) -> Validated:
        counting = np.flatnonzero(data.weight)
        few = data[counting[:JUDGED]] if len(counting) > 1 else Data(data.x, data.y, np.ones(len(data)))
        centre, inverse = standard(data.x)
        setting = Setting(most_probable((few.x - centre) * inverse, few.y, few.weight), centre, inverse)
        features, fits = _fits(data, setting, folds)
        residual = np.empty_like(data.y)
        for fold, w in zip(folds, fits, strict=True):
            z = setting.standardised(data.x[fold])
            residual[fold] = setting.covariance.between(z, features.centres) @ w[:-1] + w[-1] - data.y[fold]
        return Validated(np.array([data[fold].square(residual[fold]) for fold in folds]), residual, setting)

    def train(self, data: Data, setting: Setting, seed: int) -> tuple[FeatureModel, str]:
        features, (w,) = _fits(data, setting, [np.zeros(0, int)])
        return FeatureModel(features, w.T), "exact (jax)"

    def refits(self, data: Data, setting: Setting, parts: list[np.ndarray], seed: int) -> list[Callable]:
        features, fits = _fits(data, setting, parts)
        return [FeatureModel(features, w.T) for w in fits]


def _fits(data: Data, setting: Setting, parts: list[np.ndarray]) -> tuple[Covariances, list[np.ndarray]]:
    """The features, and the coefficients (centres + 1, m) of the fits without each part."""
    count = len(data) if len(data) <= EXACT_ROWS else CENTRES
    z = setting.standardised(data.x)
    features = Covariances(setting.covariance, z[:count], setting.centre, setting.inverse)
    solve = _exact if count == len(data) else _of_some
    return features, solve(data, z, z[:count], setting.covariance, parts)


def _exact(data: Data, z: np.ndarray, centres: np.ndarray, k: Covariance, parts: list[np.ndarray]) -> list[np.ndarray]:
    """(K + noise / w) a + c = y, 1^T a = 0, on the rows outside each part; zero at those inside."""
    whole = k.between(z, centres)
    rows = np.arange(len(z))
    whole[rows, rows] += k.noise / np.maximum(data.weight, LEAST_WEIGHT)
    out = []
    for part in parts:
        keep = np.setdiff1d(rows, part)
        factor = lower_factor(whole[np.ix_(keep, keep)])
        solved = scipy.linalg.cho_solve((factor, True), np.column_stack([data.y[keep], np.ones(len(keep))]))
        constant = solved[:, :-1].sum(axis=0) / solved[:, -1].sum()
        w = np.zeros((len(z) + 1, data.y.shape[1]))
        w[keep] = solved[:, :-1] - np.outer(solved[:, -1], constant)
        w[-1] = constant
        out.append(w)
    return out


def lower_factor(matrix: np.ndarray) -> np.ndarray:
    """Cholesky's factor of a matrix that is positive semi-definite but for rounding: the least addition that lets it
    exist is made, since rows near each other are one but for rounding."""
    rounding = np.finfo(float).eps * np.trace(matrix)
    for addition in (0.0, *np.geomspace(rounding, 1e6 * rounding, 7)):
        try:
            return np.linalg.cholesky(matrix + addition * np.eye(len(matrix)))
        except np.linalg.LinAlgError:
            continue
    raise AssertionError("a covariance that is not one: our own bug")


def _of_some(
    data: Data, z: np.ndarray, centres: np.ndarray, k: Covariance, parts: list[np.ndarray]
) -> list[np.ndarray]:
    """min over a, c of sum_i w_i |k_i a + c - y_i|^2 + noise a^T K a, K between the centres."""
    between = k.between(centres, centres)
    lower = lower_factor(between)

    def factor(rows: np.ndarray) -> np.ndarray:
        def table(some: np.ndarray) -> np.ndarray:
            white = scipy.linalg.solve_triangular(lower, k.between(z[rows[some]], centres).T, lower=True).T
            ones = np.ones((len(some), 1))
            return np.concatenate([white, ones, data.y[rows[some]]], axis=1) * data.root[rows[some]]

        return stacked_factor(table, len(rows))

    factors = [factor(part) for part in parts if len(part)]
    rest = np.setdiff1d(np.arange(len(data)), np.concatenate(parts))
    factors += [factor(rest)] if len(rest) else []
    size, out = len(centres), []
    penalty = np.sqrt(k.noise) * np.eye(size, size + 1 + data.y.shape[1])
    for index, part in enumerate(part for part in parts):
        others = factors[:index] + factors[index + 1 :] if len(part) else factors
        r = triangle([*others, penalty])
        w = scipy.linalg.solve_triangular(r[: size + 1, : size + 1], r[: size + 1, size + 1 :])
        out.append(np.concatenate([scipy.linalg.solve_triangular(lower.T, w[:-1]), w[-1:]]))
    return out
