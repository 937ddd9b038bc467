"""The noise of trajectories, from differences in time that a smooth motion does not survive."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

ORDERS = (2, 3, 4, 5, 6)  # of differences: what is left of a motion falls with the order, white noise does not
_DRAWN = 4096  # differences looked at in each trajectory, at most


def measurement_noise(
    times: Sequence[Float[np.ndarray, " _"]], states: Sequence[Float[np.ndarray, "_ n"]]
) -> Float[np.ndarray, "n n"]:
    """The covariance of white noise on the rows of trajectories, at most.

    d_i = sum_j w_j x_{i+j}, with weights of unit norm that annihilate polynomials in time of degree below the order:
    of white noise it has the covariance, of a motion that is smooth between rows next to nothing. The order whose
    differences are smallest is taken. Where rows are so far apart that motion is not smooth between them, that counts
    as noise.

    Arguments: `times` (T,) and `states` (T, n) of each trajectory, three rows or more.
    Returns: (n, n).
    Reference: Hall, Kay and Titterington, Asymptotically optimal difference-based estimation of variance in
        nonparametric regression, Biometrika 77, 1990.
    """
    found = []
    for order in ORDERS:
        parts = [_differences(t, x, order) for t, x in zip(times, states, strict=True) if len(t) > order]
        if sum(map(len, parts)) >= (1 if order == ORDERS[0] else 20):
            rows = np.concatenate(parts)
            found.append(rows.T @ rows / len(rows))
    scale = np.sqrt(np.maximum(np.mean([np.diag(one) for one in found], axis=0), np.finfo(float).tiny))
    return min(found, key=lambda one: np.trace(one / np.outer(scale, scale)))


def _differences(t: np.ndarray, x: np.ndarray, order: int) -> np.ndarray:
    starts = np.arange(len(t) - order)
    if len(starts) > _DRAWN:
        starts = starts[np.linspace(0, len(starts) - 1, _DRAWN).astype(int)]
    at = starts[:, None] + np.arange(order + 1)
    local = t[at] - t[at].mean(axis=1, keepdims=True)
    apart = (local[:, :, None] - local[:, None, :]) / np.ptp(local, axis=1)[:, None, None]
    apart[:, np.arange(order + 1), np.arange(order + 1)] = 1.0
    weights = 1.0 / apart.prod(axis=2)  # of a divided difference
    weights /= np.linalg.norm(weights, axis=1, keepdims=True)
    return np.einsum("ij,ijn->in", weights, x[at])
