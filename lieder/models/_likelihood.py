"""How probable the labels are under a covariance, and the covariance under which they are most probable."""

import numpy as np
import scipy.linalg
from jaxtyping import Float
from scipy.optimize import minimize
from scipy.spatial.distance import cdist

from ..linalg import decide
from ._covariance import Covariance

FLOOR = 1e-11  # least variance of the noise, relative to the smooth part: below it Cholesky's rounding takes over
# Rows and iterations: of every start, of the best of them, and of the end on all rows. An iteration costs rows cubed,
# and the last ones only settle what the first ones found.
STAGES = ((250, 40), (400, 60), (None, 10))
FULL = 12  # inputs up to which A is a full matrix; beyond, diagonal
# Scale of the smooth part, in units of sqrt(n) standard deviations, and variance of the noise: where to start.
STARTS = ((1.0, 1e-2), (3.0, 1e-6), (0.4, 0.1))
# Standard deviations of the logarithms of tilt and curve, of the entries of A, and of log a about 2: weak, so that
# few rows do not decide for extremes.
AMPLITUDE, METRIC, TAIL = 5.0, 2.0, 1.5
BEST = 2.0  # the mean of log a
(_INVERSE,) = scipy.linalg.get_lapack_funcs(("potri",), dtype=np.float64)
PROPER = 1e-12  # outputs that depend linearly on others leave this share of their covariance


class Likelihood:
    """Minus the logarithm of the restricted marginal likelihood, and the weak prior, as a function of parameters.

    With K = k(z, z) + noise / w, P = K^-1 - K^-1 1 1^T K^-1 / 1^T K^-1 1 (the constant is free) and
    S = Y^T P Y / (N - 1), the covariance of the outputs, which is profiled out:

        (N - 1)/2 log det S + m/2 (log det K + log 1^T K^-1 1).

    It does not change when outputs are mixed linearly.
    Parameters: log tilt, log curve, log noise, log a, and the entries of A (or its diagonal).
    Reference: Rasmussen and Williams, 2006, equations 5.8 and 5.9; Harville, 1974 (restricted likelihood).
    """

    def __init__(self, z: np.ndarray, y: np.ndarray, weight: np.ndarray):
        self.z, self.noise, self.full = z, 1.0 / weight, z.shape[1] <= FULL
        y = y - np.average(y, axis=0, weights=weight)
        _, s, vt = np.linalg.svd(np.sqrt(weight)[:, None] * y, full_matrices=False)
        # Combinations of outputs that are zero but for rounding say nothing.
        kept = max(1, len(s) - decide(s, tolerance=1e-10 * s[0]).count)
        self.y = y @ (vt[:kept].T * np.sqrt(len(z)) / np.where(s[:kept] > 0, s[:kept], 1.0))
        self.along = z @ z.T

    def __call__(self, p: Float[np.ndarray, " parameters"]) -> tuple[float, Float[np.ndarray, " parameters"]]:
        k = self.covariance(p)
        moved = self.z @ k.metric.T
        half = cdist(moved, moved, "sqeuclidean") / (2 * k.tail)
        log = np.log1p(half)
        smooth = np.exp(-k.tail * log)
        whole = smooth + self.along * (k.tilt + k.curve * self.along)
        rows = np.arange(len(whole))
        whole[rows, rows] += k.noise * self.noise
        try:
            value, g = self._of(whole)
        except np.linalg.LinAlgError:
            return 1e12, np.zeros_like(p)
        pull = g * smooth
        tail = k.tail * np.sum(pull * (half / (1 + half) - log))
        pull /= 1 + half
        # sum over pairs of pull (z - z')(z - z')^T
        spread = 2 * ((self.z.T * pull.sum(axis=1)) @ self.z - self.z.T @ pull @ self.z)
        metric = -k.metric @ spread
        g_along = g * self.along
        slope = np.concatenate(
            [
                [k.tilt * g_along.sum(), k.curve * np.sum(g_along * self.along)],
                [k.noise * np.sum(np.diag(g) * self.noise), tail],
                metric.ravel() if self.full else np.diag(metric),
            ]
        )
        mean, precision = self._prior(len(p))
        return value + 0.5 * np.sum(precision * (p - mean) ** 2), slope + precision * (p - mean)

    def _of(self, whole: np.ndarray) -> tuple[float, np.ndarray]:
        """The value, and its derivative by each entry of K."""
        count, m = len(whole), self.y.shape[1]
        factor = np.linalg.cholesky(whole)
        inverse = _INVERSE(factor, lower=1)[0]
        inverse = np.tril(inverse) + np.tril(inverse, -1).T
        ones = inverse.sum(axis=1)
        total = ones.sum()
        inverse -= np.outer(ones, ones / total)
        solved = inverse @ self.y
        s = self.y.T @ solved / (count - 1)
        s += PROPER * np.trace(s) / m * np.eye(m)
        sign, log = np.linalg.slogdet(s)
        if not (sign > 0 and total > 0):
            raise np.linalg.LinAlgError
        value = 0.5 * (count - 1) * log + 0.5 * m * (2 * np.sum(np.log(np.diag(factor))) + np.log(total))
        return value, 0.5 * (m * inverse - solved @ np.linalg.solve(s, solved.T))

    def covariance(self, p: Float[np.ndarray, " parameters"]) -> Covariance:
        """What these parameters stand for."""
        tilt, curve, noise, tail = np.exp(p[:4]).tolist()
        n = self.z.shape[1]
        return Covariance(p[4:].reshape(n, n) if self.full else np.diag(p[4:]), tail, tilt, curve, noise)

    def start(self, length: float, noise: float) -> Float[np.ndarray, " parameters"]:
        """Parameters of an isotropic covariance."""
        n = self.z.shape[1]
        metric = np.eye(n) / (length * np.sqrt(n))
        return np.concatenate([np.log([0.1, 0.1, noise]), [BEST], metric.ravel() if self.full else np.diag(metric)])

    def _prior(self, count: int) -> tuple[np.ndarray, np.ndarray]:
        mean, precision = np.zeros(count), np.full(count, METRIC**-2.0)
        precision[:4] = AMPLITUDE**-2.0, AMPLITUDE**-2.0, 0.0, TAIL**-2.0
        mean[3] = BEST
        return mean, precision


def most_probable(z: np.ndarray, y: np.ndarray, weight: np.ndarray) -> Covariance:
    """The covariance of greatest marginal likelihood: several starts on a few of the rows, the best goes on on all.

    Rows are taken from the first on: they must be in random order.
    """
    found: list[np.ndarray] = []
    for rows, iterations in STAGES:
        likelihood = Likelihood(z[:rows], y[:rows], weight[:rows])
        starts = found or [likelihood.start(*start) for start in STARTS]
        best = min((_descend(likelihood, start, iterations) for start in starts), key=lambda ended: ended.fun)
        found = [best.x]
        if rows is not None and rows >= len(z) and best.success:
            break
    return likelihood.covariance(found[0])


def _descend(likelihood: Likelihood, p: np.ndarray, iterations: int):
    bounds = [(-14, 18), (-14, 18), (np.log(FLOOR), 9), (-2, 7)] + [(-20, 20)] * (len(p) - 4)
    return minimize(
        likelihood,
        p,
        jac=True,
        method="L-BFGS-B",
        bounds=bounds,
        options={"maxiter": iterations, "maxfun": iterations + iterations // 4, "maxcor": 20},
    )
