"""Whether functions drift: their slopes in time, trajectory by trajectory."""

from collections.abc import Sequence

import numpy as np
import scipy.stats
from jaxtyping import Float

CERTAIN = 1e-3  # chance that a drift of a conserved function is as clear as this: then it is no conserved one
_SIGN = 0.95  # confidence of the interval


def drifts(
    times: Sequence[Float[np.ndarray, " _"]],
    values: Sequence[Float[np.ndarray, "_ k"]],
    spread: Float[np.ndarray, " k"],
) -> tuple[Float[np.ndarray, "k 3"], Float[np.ndarray, " k"]]:
    """The mean slope of each function in time with its interval, and the chance of such slopes without a drift.

    Each trajectory gives a slope by least squares; their scatter over trajectories is the error, whatever the noise
    within one is like. The test is that of slope = a + b level, a = b = 0: losses are often in proportion.

    Arguments: `times` (T,) and `values` (T, k) of each trajectory; `spread` (k,), the unit of slopes.
    Returns: (k, 3) slope, low and high end of a 95 % interval; (k,) chances, 1 where there are too few trajectories.
    """
    slopes, levels, weights = [], [], []
    for t, v in zip(times, values, strict=True):
        apart = t - t.mean()
        slopes.append(apart @ v / (apart @ apart))
        levels.append(v.mean(axis=0))
        weights.append(apart @ apart)
    slope, level = np.array(slopes) / spread, np.array(levels) / spread
    weight = np.array(weights) / np.sum(weights)
    mean = weight @ slope
    count = len(slope)
    effective = 1.0 / np.sum(weight**2)
    error = np.sqrt(weight @ (slope - mean) ** 2 / max(effective - 1.0, 1e-3))
    reach = float(scipy.stats.t.ppf((1 + _SIGN) / 2, max(effective - 1.0, 1.0))) * error
    chance = np.ones(len(spread))
    if count >= 5:
        root = np.sqrt(weight * count)[:, None]
        for k in range(len(spread)):
            design = root * np.stack([np.ones(count), level[:, k] - weight @ level[:, k]], axis=1)
            target = root[:, 0] * slope[:, k]
            left = target - design @ np.linalg.lstsq(design, target, rcond=None)[0]
            rest = float(left @ left) / (count - 2)
            told = (float(target @ target) - float(left @ left)) / 2
            chance[k] = scipy.stats.f.sf(told / max(rest, np.finfo(float).tiny), 2, count - 2)
    return np.stack([mean, mean - reach, mean + reach], axis=1), chance
