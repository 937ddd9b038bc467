"""Tangent spaces of a point cloud by local principal components."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from sklearn.neighbors import NearestNeighbors


@dataclass(frozen=True, eq=False)
class Tangents:
    """Local tangent spaces: `bases` (N, d, n) orthonormal rows in the scaled coordinates; `dimension` d; `neighbours` k;
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
        neighbours: per point; default the count among 2d, 4d, 8d, 16d, 32d (at least d + 2) for which spaces estimated from the two
            halves of a neighbourhood disagree least on 500 points: few neighbours leave noise, many leave curvature.
        queries: where; default at the cloud's points themselves.
    Raises:
        ValueError: fewer points than neighbours, a dimension outside 1..n-1.
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
    # Halving the variance: the space from both halves errs by 1/sqrt(2) of one half's error, two halves differ by sqrt(2) of it.
    return Tangents(bases, d, used, spread[best] / 2.0)


def intrinsic_dimension(cloud: Float[np.ndarray, "points n"], neighbours: int | None = None, share: float = 0.01) -> int:
    """How many directions a neighbourhood spreads in: the largest drop of the average local spectrum.

    Local principal variances (averaged over 300 neighbourhoods of max(2n, 20) points, each scaled to sum 1); the dimension is where the
    ratio of neighbouring averages is largest, among positions that explain at least 1 - `share`... of the variance or where the rest is
    flat; n when no ratio exceeds 4 (the cloud fills its space).
    """
    points, n = cloud.shape
    if n == 1:
        return 1
    k = min(max(2 * n, 20) if neighbours is None else neighbours, points)
    chosen = np.random.default_rng(0).permutation(points)[:300]
    index = NearestNeighbors(n_neighbors=k).fit(cloud).kneighbors(cloud[chosen], return_distance=False)
    local = cloud[index] - cloud[index].mean(axis=1, keepdims=True)
    variances = np.linalg.svd(local, compute_uv=False) ** 2
    total = variances.sum(axis=1, keepdims=True)
    variances = np.mean(variances / np.where(total > 0, total, 1.0), axis=0)
    variances = np.concatenate([variances, np.zeros(n - len(variances))])
    floor = 1e-14 * variances[0]
    ratios = np.maximum(variances[:-1], floor) / np.maximum(variances[1:], floor)
    explained = np.cumsum(variances)[:-1] >= 1.0 - 0.1
    ratios = np.where(explained, ratios, 1.0)
    best = int(np.argmax(ratios))
    return best + 1 if ratios[best] > 4.0 else n


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
    """Distance of each query from the plane through its nearest cloud points (their mean and leading principal components)."""
    index = NearestNeighbors(n_neighbors=min(neighbours, len(cloud))).fit(cloud).kneighbors(queries, return_distance=False)
    near = cloud[index]
    bases = _principal(near, dimension)
    offset = queries - near.mean(axis=1)
    along = np.einsum("pda,pa->pd", bases, offset)  # p: queries, d: tangent directions, a: coordinates
    return np.sqrt(np.maximum((offset**2).sum(axis=1) - (along**2).sum(axis=1), 0.0))
