"""Tangent spaces of a point cloud by local principal components."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Float
from sklearn.neighbors import NearestNeighbors


@dataclass(frozen=True, eq=False)
class Tangents:
    """Local tangent spaces: `bases` (N, d, n) orthonormal rows in the scaled coordinates; `dimension` d; `neighbours`
    k;
    `disagreement`, the rms sine of the angle between spaces estimated from two halves of each neighbourhood: what the
    tangent spaces can resolve."""

    bases: Float[np.ndarray, "points d n"]
    dimension: int
    neighbours: int
    disagreement: float


def tangents(
    cloud: Float[np.ndarray, "points n"],
    dimension: int | None = None,
    neighbours: int | None = None,
    queries: Float[np.ndarray, "queries n"] | None = None,
) -> Tangents:
    """Tangent space at each query point: the leading principal components of its nearest neighbours.

    Arguments:
        cloud: points, already scaled so that distances mean something.
        dimension: of the submanifold; default `intrinsic_dimension`.
        neighbours: per point; default the count among 2d, 4d, 8d, 16d, 32d (at least d + 2) for which spaces estimated
            from the two halves of a neighbourhood disagree least on 500 points: few neighbours leave noise, many leave
            curvature.
        queries: where; default at the cloud's points themselves.
    Returns: Tangents.
    Raises: ValueError for fewer points than neighbours, or a dimension outside 1..n.
    """
    points, n = cloud.shape
    queries = cloud if queries is None else queries
    d = intrinsic_dimension(cloud) if dimension is None else dimension
    if not 1 <= d <= n:
        raise ValueError(f"dimension must lie in 1..{n}, got {d}.")
    least = d + 2
    if points < 2 * least:
        raise ValueError(f"{points} points are too few for tangent spaces of dimension {d}: give at least {2 * least}.")
    probe = np.random.default_rng(0).permutation(len(queries))[:500]
    choices = [k for k in dict.fromkeys(max(c * d, least) for c in (2, 4, 8, 16, 32)) if 2 * k <= points]
    if neighbours is not None:
        if not least <= neighbours <= points:
            raise ValueError(f"neighbours must lie in {least}..{points} for dimension {d}, got {neighbours}.")
        choices = [neighbours]
    choices = choices or [max(least, points // 2)]
    finder = NearestNeighbors().fit(cloud)
    found = finder.kneighbors(queries[probe], n_neighbors=min(2 * choices[-1], points), return_distance=False)
    spread = {k: _disagreement(cloud, found, min(2 * k, points), d) for k in choices}
    # Each half of a neighbourhood twice the size has k points, so the doubled neighbourhood is what is then used.
    best = min(spread, key=lambda k: spread[k])
    used = best if neighbours is not None else min(2 * best, points)
    bases = np.empty((len(queries), d, n))
    for begin in range(0, len(queries), 4096):
        chunk = queries[begin : begin + 4096]
        index = finder.kneighbors(chunk, n_neighbors=used, return_distance=False)
        bases[begin : begin + 4096] = _principal(cloud[index], d)
    # Halving the variance: the space from both halves errs by 1/sqrt(2) of one half's error, two halves differ by
    # sqrt(2) of it.
    return Tangents(bases, d, used, spread[best] / 2.0)


def intrinsic_dimension(cloud: Float[np.ndarray, "points n"]) -> int:
    """How many directions a small neighbourhood spreads in; n when the cloud fills its space.

    In a small ball a cloud spreads equally in its tangent directions, and much less in the others. For neighbourhoods
    of several sizes (n + 2 points, times 1.5 each, up to a fifth of the cloud) the local principal variances, averaged
    over 200 of them, are compared with those of as many points in a full ball. A dimension d is possible where the
    d-th variance is as in a d-ball (at least a quarter of it); among these the largest drop after the d-th wins, if it
    exceeds 4 times that of a full ball. Where neighbourhoods are too large for a drop to show (few points, many
    dimensions) the growth of distances to the ten nearest neighbours decides, if it is far (under 0.65) from that of
    points which fill their space.

    Arguments: `cloud` (N, n), scaled so that distances mean something.
    Returns: d in 1..n. With fewer than about 10^d points, or noise as wide as the neighbourhoods, it tends to n.
    Reference: Little, Maggioni, Rosasco (2017), multiscale singular values; Levina, Bickel (2004), growth of distances.
    """
    points, n = cloud.shape
    if n == 1 or points < 3:
        return n
    sizes = [min(n + 2, points)]
    while int(sizes[-1] * 1.5) <= min(max(points / 5, 2 * n, 16), points):
        sizes.append(int(sizes[-1] * 1.5))
    chosen = np.random.default_rng(0).permutation(points)[:200]
    index = NearestNeighbors(n_neighbors=sizes[-1]).fit(cloud).kneighbors(cloud[chosen], return_distance=False)
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


def _spread(neighbourhoods: np.ndarray) -> np.ndarray:
    """Principal variances of each neighbourhood, scaled to sum 1 and averaged, all positive."""
    local = neighbourhoods - neighbourhoods.mean(axis=1, keepdims=True)
    variances = np.linalg.svd(local, compute_uv=False) ** 2
    total = variances.sum(axis=1, keepdims=True)
    variances = np.mean(variances / np.where(total > 0, total, 1.0), axis=0)
    variances = np.concatenate([variances, np.zeros(neighbourhoods.shape[2] - len(variances))])
    return np.maximum(variances, max(1e-14 * variances[0], 1e-300))


@lru_cache(maxsize=256)
def _spread_of_ball(points: int, n: int) -> np.ndarray:
    """What `_spread` gives for points that fill a ball of dimension n."""
    random = np.random.default_rng(1)
    directions = random.normal(size=(200, points, n))
    directions /= np.linalg.norm(directions, axis=2, keepdims=True)
    return _spread(directions * random.uniform(size=(200, points, 1)) ** (1.0 / n))


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
    distances = NearestNeighbors(n_neighbors=11).fit(cloud).kneighbors(return_distance=True)[0][:, :10]
    distances = distances[distances[:, 0] > 0]
    logarithm = float(np.log(distances[:, -1:] / distances[:, :-1]).mean()) if len(distances) else 0.0
    return 8.0 / 9.0 / logarithm if logarithm > 0 else np.inf


@lru_cache(maxsize=256)
def _growth_of_full(points: int, n: int) -> float:
    """What `_growth` gives for points that fill their space: smaller than n, since a finite cloud has an edge."""
    return _growth(np.random.default_rng(2).normal(size=(points, n)))


def _principal(neighbourhoods: np.ndarray, d: int) -> np.ndarray:
    local = neighbourhoods - neighbourhoods.mean(axis=1, keepdims=True)
    _, vectors = np.linalg.eigh(np.einsum("pka,pkb->pab", local, local))  # p: points, k: neighbours
    return np.swapaxes(vectors[:, :, ::-1][:, :, :d], 1, 2)


def _disagreement(cloud: np.ndarray, index: np.ndarray, k: int, d: int) -> float:
    one, two = _principal(cloud[index[:, 0:k:2]], d), _principal(cloud[index[:, 1:k:2]], d)
    overlap = np.einsum("pia,pja->pij", one, two)
    return float(np.sqrt(max(np.mean(1.0 - (overlap**2).sum(axis=(1, 2)) / d), 1e-32)))


def surface_distances(
    cloud: Float[np.ndarray, "points n"], queries: Float[np.ndarray, "queries n"], dimension: int, neighbours: int
) -> Float[np.ndarray, " queries"]:
    """Distance of each query from the plane through its nearest cloud points.

    Arguments: `cloud` (N, n) and `queries` (k, n) in units that can be compared; `dimension` of the plane;
        `neighbours`.
    Returns: (k,) distances from the plane through the neighbours' mean along their leading principal components.
    """
    index = (
        NearestNeighbors(n_neighbors=min(neighbours, len(cloud))).fit(cloud).kneighbors(queries, return_distance=False)
    )
    near = cloud[index]
    bases = _principal(near, dimension)
    offset = queries - near.mean(axis=1)
    along = np.einsum("pda,pa->pd", bases, offset)  # p: queries, d: tangent directions, a: coordinates
    return np.sqrt(np.maximum((offset**2).sum(axis=1) - (along**2).sum(axis=1), 0.0))
