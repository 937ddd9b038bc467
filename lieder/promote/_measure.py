"""Where the Lie derivative of a function is measured: the factor R with |g c|_mu = |R c| for functions g."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from ..derivative import LieMatrices
from ..sampling import Moments

_SPARE = 3  # sampled points for each function, where moments are not known


class Measure(NamedTuple):
    """A product measure: uniform on [low, high], or normal with mean `low` and standard deviation `high` (n,)."""

    kind: str
    low: Float[np.ndarray, " n"]
    high: Float[np.ndarray, " n"]

    def sample(self, count: int, seed: int) -> Float[np.ndarray, "count n"]:
        """Points drawn from it."""
        rng = np.random.default_rng(seed)
        if self.kind == "gaussian":
            return self.low + self.high * rng.normal(size=(count, len(self.low)))
        return rng.uniform(self.low, self.high, (count, len(self.low)))


def measure_of(kind: str, inputs: Moments) -> Measure:
    """The measure of the given kind that fits the inputs: their bounding box, or their mean and standard deviation."""
    if kind == "gaussian":
        spread, mean = inputs.deviation, inputs.mean
        return Measure(kind, mean, np.where(spread > 1e-13 * np.abs(mean), spread, 1.0))
    low, high = inputs.low, inputs.high
    flat = high - low <= 1e-13 * np.maximum(np.abs(low), np.abs(high))
    return Measure(kind, np.where(flat, low - 0.5, low), np.where(flat, high + 0.5, high))


def factor_at(values: Callable[[np.ndarray], np.ndarray], x: Float[np.ndarray, "C n"]) -> Float[np.ndarray, "p E"]:
    """R of the mean over points: the triangular factor of g(x) / sqrt C."""
    found = values(x)
    bad = ~np.isfinite(found).all(axis=1)
    if bad.any():
        raise ValueError(
            f"collocation: a function of the dictionary is not finite at {bad.sum()} of {len(x)} points, such as"
            f" {x[bad][0]}. Give points where all are defined."
        )
    matrix = found / np.sqrt(len(x))
    return np.asarray(np.linalg.qr(matrix, mode="r"))


def factor(matrices: LieMatrices, measure: Measure, seed: int) -> Float[np.ndarray, "p E"]:
    """R of a measure: from exact moments for monomials, else from points drawn from it."""
    if matrices.joint is None:  # sampled: orthonormal over the points already
        return np.eye(matrices.generators.shape[2])
    if matrices.joint_exponents is None:
        count = _SPARE * matrices.generators.shape[2] + 50
        return factor_at(matrices.joint, measure.sample(count, seed))
    return moment_factor(matrices.joint_exponents, measure)


def moment_factor(exponents: Int[np.ndarray, "E n"], measure: Measure) -> Float[np.ndarray, "p E"]:
    """The coefficients of the monomials in products of orthonormal polynomials: R without any Gram matrix."""
    degree = int(exponents.max(initial=0))
    if measure.kind == "gaussian":
        nodes, weights = np.polynomial.hermite_e.hermegauss(degree + 1)
    else:
        nodes, weights = np.polynomial.legendre.leggauss(degree + 1)
    weights = np.sqrt(weights / weights.sum())[:, None]
    lower = _with_lower(exponents)
    out = np.ones((len(lower), len(exponents)))
    for variable in range(exponents.shape[1]):
        low, high = measure.low[variable], measure.high[variable]
        centre, half = (low, high) if measure.kind == "gaussian" else ((low + high) / 2, (high - low) / 2)
        orthonormal = np.linalg.qr(weights * nodes[:, None] ** np.arange(degree + 1))[0]
        single = orthonormal.T @ (weights * (centre + half * nodes)[:, None] ** np.arange(degree + 1))
        out *= np.triu(single)[lower[:, variable][:, None], exponents[:, variable][None, :]]
    rows = np.flatnonzero(np.abs(out).max(axis=1, initial=0.0) > 0)
    return out[rows]


def _with_lower(exponents: np.ndarray) -> np.ndarray:
    """All exponents below or equal to one of the given, variable by variable."""
    known = np.unique(exponents, axis=0)
    new = known
    while len(new):
        steps = [new[new[:, v] > 0] - np.eye(new.shape[1], dtype=new.dtype)[v] for v in range(new.shape[1])]
        new = np.unique(np.concatenate(steps), axis=0)
        both, count = np.unique(np.concatenate([known, new]), axis=0, return_counts=True)
        repeated = {tuple(row) for row in both[count > 1].tolist()}
        new = np.array([row for row in new.tolist() if tuple(row) not in repeated], known.dtype).reshape(
            -1, new.shape[1]
        )
        known = np.concatenate([known, new])
    return known
