"""The intrinsic dimension of a point cloud."""

from functools import lru_cache

import numpy as np
from jaxtyping import Float, Int

from ..late import neighbors


def intrinsic_dimension(cloud: Float[np.ndarray, "points n"]) -> int:
    """How many directions a small neighbourhood spreads in; n when the cloud fills its space.

    In a small ball a cloud spreads equally in its tangent directions, and much less in the others. For neighbourhoods
    of several sizes (n + 2 points, times 1.5 each, up to a fifth of the cloud) the local principal variances, averaged
    over 200 of them, are compared with those of as many points in a full ball. A dimension d is possible where the
    d-th variance is as in a d-ball (at least a quarter of it); among these the largest drop after the d-th wins, if it
    exceeds 4 times that of a full ball. Where neighbourhoods are too large for a drop to show (few points, many
    dimensions) the growth of distances to the ten nearest neighbours decides, if it is far (under 0.65) from that of
    points which fill their space.

    Arguments: `cloud` (N, n), scaled so that distances mean something; points that are repeated count once.
    Returns: d in 1..n. With fewer than about 10^d points, or noise as wide as the neighbourhoods, it tends to n.
    Reference: Little, Maggioni, Rosasco (2017), multiscale singular values; Levina, Bickel (2004), growth of distances.
    """
    # Copies of a point, as repeated measurements give them, spread in no direction.
    cloud = np.unique(cloud, axis=0)
    points, n = cloud.shape
    if n == 1 or points < 3:
        return n
    sizes = [min(n + 2, points)]
    while int(sizes[-1] * 1.5) <= min(max(points / 5, 2 * n, 16), points):
        sizes.append(int(sizes[-1] * 1.5))
    chosen = np.random.default_rng(0).permutation(points)[:200]
    index = (
        neighbors.NearestNeighbors(n_neighbors=sizes[-1]).fit(cloud).kneighbors(cloud[chosen], return_distance=False)
    )
    best, drop = n, 4.0
    for k in sizes:
        variances, full = _spread(cloud[index[:, :k]]), _spread_of_ball(k, n)
        for d in range(1, min(n, k - 1)):
            own = _spread_of_ball(k, d)
            if variances[d - 1] / variances[0] < 0.25 * own[d - 1] / own[0]:
                break
            here = (variances[d - 1] / variances[d]) / (full[d - 1] / full[d])
            if here > drop:
                best, drop = d, here
    return best if best < n else _dimension_by_growth(cloud)


def spreads_beyond(
    cloud: Float[np.ndarray, "points n"], queries: Int[np.ndarray, " q"], neighbours: int, dimension: int
) -> bool:
    """Whether neighbourhoods spread in more directions than a surface's, as points of trajectories do: near each there
    is its own trajectory alone, and farther away there are others.

    Arguments: `cloud`, scaled so that distances mean something; `queries`, numbers of the points at which to look;
        `neighbours` of each, in a neighbourhood; `dimension` of the surface.
    Returns: True where the variance along one direction more is at least an eighth of that in a ball of one dimension
        more: half of what would make it one for `intrinsic_dimension`.
    """
    if dimension >= cloud.shape[1] or neighbours < dimension + 2:
        return False
    near = neighbors.NearestNeighbors(n_neighbors=min(neighbours, len(cloud))).fit(cloud)
    variances = _spread(cloud[near.kneighbors(cloud[queries], return_distance=False)])
    ball = _spread_of_ball(neighbours, dimension + 1)
    return bool(variances[dimension] / variances[0] >= 0.125 * ball[dimension] / ball[0])


def _spread(neighbourhoods: np.ndarray) -> np.ndarray:
    """Principal variances of each neighbourhood, scaled to sum 1 and averaged, all positive."""
    local = neighbourhoods - neighbourhoods.mean(axis=1, keepdims=True)
    variances = np.linalg.eigvalsh(np.swapaxes(local, 1, 2) @ local)[:, ::-1]
    total = variances.sum(axis=1, keepdims=True)
    variances = np.mean(variances / np.where(total > 0, total, 1.0), axis=0)
    return np.maximum(variances, max(1e-14 * variances[0], 1e-300))


@lru_cache(maxsize=256)
def _spread_of_ball(points: int, n: int) -> np.ndarray:
    """What `_spread` gives for points that fill a ball of dimension n."""
    random = np.random.default_rng(1)
    repeats = int(np.clip(2**16 // points, 20, 200))  # a large neighbourhood spreads as the ball does
    directions = random.normal(size=(repeats, points, n))
    directions /= np.linalg.norm(directions, axis=2, keepdims=True)
    return _spread(directions * random.uniform(size=(repeats, points, 1)) ** (1.0 / n))


def _dimension_by_growth(cloud: np.ndarray) -> int:
    points, n = cloud.shape
    if points < 20:
        return n
    sample = cloud[np.random.default_rng(0).permutation(points)[:2000]]
    growth = _growth(sample)
    if growth > 0.65 * _growth_of_full(len(sample), n):
        return n
    return min(range(1, n + 1), key=lambda d: abs(_growth_of_full(len(sample), d) - growth))


def _growth(cloud: np.ndarray) -> float:
    """The exponent of the number of points within a distance, by maximum likelihood over the ten nearest; inf for
    equal distances."""
    distances = neighbors.NearestNeighbors(n_neighbors=11).fit(cloud).kneighbors(return_distance=True)[0][:, :10]
    distances = distances[distances[:, 0] > 0]
    logarithm = float(np.log(distances[:, -1:] / distances[:, :-1]).mean()) if len(distances) else 0.0
    return 8.0 / 9.0 / logarithm if logarithm > 0 else np.inf


@lru_cache(maxsize=256)
def _growth_of_full(points: int, n: int) -> float:
    """What `_growth` gives for points that fill their space: smaller than n, since a finite cloud has an edge."""
    return _growth(np.random.default_rng(2).normal(size=(points, n)))
