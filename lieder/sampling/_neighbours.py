"""Tangent spaces of a point cloud, their scale and their error."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from ..late import neighbors
from ._dimension import intrinsic_dimension
from ._local_fits import LocalFits, coefficients, local_fits, own_residuals
from ._outliers import apart

PROBES = 200  # queries at which scales are compared
LARGEST = 2048  # neighbours: their noise is then small beside all else, and more would only cost
EXACT = 1e-8  # errors below it are not worth a larger neighbourhood
MOST = 256  # neighbours, where noise is drawn many times
THICK = 0.5  # scatter across a surface over the spread along it from which a neighbourhood shows no tangent space
SURE = 0.35  # below it the noise of a tangent space is as estimated, and a difference from it tells of bias
# A query's distance from its neighbours' mean along the surface, over their spread in that direction: sqrt 3 at the end
# of a line, less at the edge of a disc or ball.
EDGE = 1.75
CHANCE = 1.5  # times the expected square of a difference: what noise may explain of it


@dataclass(frozen=True)
class Scale:
    """How large a neighbourhood shows tangent spaces, and how well.

    Fields: `dimension` of the surface; `order` of the fitted polynomials; `neighbours`; `other`, how many the
    comparison has; `error`, the estimated rms sine between fitted and true tangent spaces, bias and noise, 1 where no
    scale shows any; `error_share`, that error over the rms sine between the two scales: what differs between these,
    times it, is what is not known.
    """

    dimension: int
    order: int
    neighbours: int
    other: int
    error: float
    error_share: float


@dataclass(frozen=True, eq=False)
class Tangents:
    """Local tangent spaces, twice: from the chosen neighbourhoods, and from those of the other scale.

    Fields: `points` (M, n), the queries moved onto the surface; `bases` (M, d, n), orthonormal rows; `other_points`,
    `other_bases`, the same at the other scale; `scale`.
    """

    points: Float[np.ndarray, "points n"]
    bases: Float[np.ndarray, "points d n"]
    other_points: Float[np.ndarray, "points n"]
    other_bases: Float[np.ndarray, "points d n"]
    scale: Scale


def tangents(
    cloud: Float[np.ndarray, "points n"],
    scale: Scale | None = None,
    queries: Float[np.ndarray, "queries n"] | None = None,
) -> Tangents:
    """Tangent space at each query point from local quadratic fits.

    Arguments:
        cloud: points, already scaled so that distances mean something.
        scale: of the neighbourhoods; default `tangent_scale(cloud)`.
        queries: where; default at the cloud's points themselves.
    Returns: Tangents.
    """
    scale = tangent_scale(cloud) if scale is None else scale
    queries = cloud if queries is None else queries
    near = _Near(cloud, scale.dimension, scale.order, queries)
    chosen, other = (near.fits(k, most=max(scale.neighbours, scale.other)) for k in (scale.neighbours, scale.other))
    return Tangents(chosen.points, chosen.bases, other.points, other.bases, scale)


def tangent_scale(
    cloud: Float[np.ndarray, "points n"], dimension: int | None = None, neighbours: int | None = None
) -> Scale:
    """The number of neighbours with which tangent spaces err least, and by how much they err.

    The error of a scale has two parts. Noise: from the residuals of the fits. Bias: a quadratic fit among k points errs
    by c k^(2/d) in its tangents, so those from k/2 points differ by a known share of that; what noise explains of the
    difference is taken off. A larger neighbourhood cannot be less biased than a smaller one: the largest bias seen on
    the way up counts. Scales are k, 2k, 4k, ..., from twice the number of coefficients, as far as the error falls.
    With too few points for that, planes are fitted (bias c k^(1/d)).

    Arguments:
        cloud: points, already scaled so that distances mean something.
        dimension: of the submanifold; default `intrinsic_dimension`.
        neighbours: per point; default the count of least error at 200 of the points.
    Returns: Scale.
    Raises: ValueError for fewer points than neighbours, or a dimension outside 1..n.
    Reference: Lepski (1991), comparing scales; Aamari, Levrard (2019), tangent spaces by local polynomials.
    """
    points, n = cloud.shape
    d = intrinsic_dimension(cloud) if dimension is None else dimension
    if not 1 <= d <= n:
        raise ValueError(f"dimension must lie in 1..{n}, got {d}.")
    least = d + 2
    if points < 2 * least:
        raise ValueError(f"{points} points are too few for tangent spaces of dimension {d}: give at least {2 * least}.")
    if neighbours is not None and not least <= neighbours <= points:
        raise ValueError(f"neighbours must lie in {least}..{points} for dimension {d}, got {neighbours}.")
    probe = cloud[np.random.default_rng(0).permutation(points)[:PROBES]]
    probe = probe[~apart(cloud, probe)]
    near = _Near(cloud, d, _order(d, points if neighbours is None else neighbours), probe)
    return _best(near) if neighbours is None else _given(near, neighbours)


def _order(dimension: int, largest: int) -> int:
    return 2 if largest >= 4 * coefficients(dimension, 2) else 1


class _Near:
    """Local fits of one order to a cloud, near some queries."""

    def __init__(self, cloud: np.ndarray, dimension: int, order: int, queries: np.ndarray):
        self.cloud, self.dimension, self.order, self.queries = cloud, dimension, order, queries
        self._finder = neighbors.NearestNeighbors().fit(cloud)
        self._index = np.zeros((len(queries), 0), np.int64)

    def fits(self, neighbours: int, most: int = 0, thickness: bool = False) -> LocalFits:
        """Among so many neighbours; `most` are looked up, and kept for the next time."""
        if neighbours > self._index.shape[1]:
            most = min(max(most, neighbours), len(self.cloud))
            self._index = self._finder.kneighbors(self.queries, n_neighbors=most, return_distance=False)
        near = self._index[:, :neighbours]
        return local_fits(self.cloud, self.queries, near, self.dimension, self.order, thickness)

    def scale(self, neighbours: int, other: int, error: float, difference: float) -> Scale:
        """From square roots of mean sums of squared sines."""
        share = error / max(difference, 1e-16) if np.isfinite(error) else 1.0
        return Scale(
            self.dimension, self.order, neighbours, other, min(error / np.sqrt(self.dimension), 1.0), float(share)
        )


def _best(near: _Near) -> Scale:
    """The scale of least error, on the way up from the smallest."""
    k = min(2 * coefficients(near.dimension, near.order), len(near.cloud) // 2)
    tried = {k: near.fits(k, most=8 * k, thickness=True)}
    best, least = near.scale(k, k // 2, np.inf, 1.0), np.inf
    largest = min(len(near.cloud) // 2, LARGEST)
    while (wider := min(2 * k, largest)) >= 1.5 * k and least > EXACT:
        here = near.fits(wider, most=4 * wider, thickness=True)
        if _thickness(here) < THICK:
            # A larger neighbourhood is no less biased than a smaller one that differs from it by more than noise.
            sure = [j for j, fits in tried.items() if _thickness(fits) < SURE]
            known = sure or [k] * (_thickness(tried[k]) < THICK)
            bias = max((_bias(near, tried[j], here, j, wider) for j in known), default=np.inf)
            error = float(np.hypot(bias, _noise(here)))
            if error < least:
                best, least = near.scale(wider, k, error, _difference(tried[k], here)), error
            elif error > 1.5 * least:
                break
        tried[wider], k = here, wider
    return best


def _given(near: _Near, neighbours: int) -> Scale:
    half = neighbours // 2
    # Where half as many do not determine a fit, twice as many are the comparison.
    other = half if half > coefficients(near.dimension, near.order) else min(2 * neighbours, len(near.cloud))
    one, two = near.fits(other, most=neighbours), near.fits(neighbours, thickness=True)
    error = np.hypot(_bias(near, one, two, other, neighbours), _noise(two)) if _thickness(two) < THICK else np.inf
    return near.scale(neighbours, other, float(error), _difference(one, two))


def _thickness(fits: LocalFits) -> float:
    return float(np.median(fits.thickness))


def _noise(fits: LocalFits) -> float:
    return float(np.sqrt(np.mean(np.minimum(fits.noise, fits.bases.shape[1]))))


def _difference(one: LocalFits, two: LocalFits) -> float:
    overlap = one.bases @ np.swapaxes(two.bases, 1, 2)
    return float(np.sqrt(max(np.mean(one.bases.shape[1] - (overlap**2).sum(axis=(1, 2))), 1e-32)))


def _bias(near: _Near, one: LocalFits, two: LocalFits, other: int, neighbours: int) -> float:
    """Of the fits `two` at `neighbours`, from their difference to the fits `one` at `other`."""
    few = min(other, neighbours) / max(other, neighbours)
    # The larger neighbourhood contains the smaller, so their errors are correlated and the variance of the difference
    # is the difference of the variances; slopes have variances like k^(-1 - 2 / d).
    noise = _noise(one if other < neighbours else two) ** 2 * (1.0 - few ** (1.0 + 2.0 / near.dimension))
    shown = abs(1.0 - (other / neighbours) ** (near.order / near.dimension))
    return float(np.sqrt(max(_difference(one, two) ** 2 - CHANCE * noise, 0.0)) / max(shown, 0.1))


def surface_distances(
    cloud: Float[np.ndarray, "points n"], queries: Float[np.ndarray, "queries n"], scale: Scale
) -> Float[np.ndarray, " queries"]:
    """Distance of each query from the surface that is fitted to the nearest cloud points, as far as it is known.

    Arguments: `cloud` (N, n) and `queries` (k, n) in units that can be compared; `scale`, of its tangent spaces.
    Returns: (k,) distances, less what the surfaces of the two scales are apart; NaN for a query beyond the edge of the
        cloud, where a fit would be extrapolated.
    """
    near = _Near(cloud, scale.dimension, scale.order, queries)
    one, two = (near.fits(k, most=max(scale.neighbours, scale.other)) for k in (scale.neighbours, scale.other))
    away = np.linalg.norm(one.points - queries, axis=1) - np.linalg.norm(one.points - two.points, axis=1)
    return np.where(np.maximum(one.beyond, two.beyond) > EDGE, np.nan, np.maximum(away, 0.0))


@dataclass(frozen=True, eq=False)
class Redrawn:
    """Tangent spaces of a cloud, and of clouds whose noise is drawn anew.

    Fields: `chosen`, `wider`: points (M, n) and bases (M, d, n) among `neighbours` and twice as many; `draws` of the
    same; `share`: by what the difference of the two scales is multiplied to give the bias of the first.
    """

    chosen: LocalFits
    wider: LocalFits
    draws: Iterator[tuple[LocalFits, LocalFits]]
    share: float
    neighbours: int


def redrawn_tangents(
    cloud: Float[np.ndarray, "points n"], scale: Scale, queries: Int[np.ndarray, " queries"], draws: int, seed: int
) -> Redrawn:
    """Tangent spaces of less bias than noise, and how they would differ with other noise.

    Half as many neighbours as err least in sum: bias falls, and noise can be drawn. Each point is moved by its own
    residual, ahead or back as a coin decides, and the same neighbourhoods are fitted again: what they share varies
    together.

    Arguments: `cloud` (N, n) in units that can be compared; `scale` of it; `queries`, numbers of points; `draws`, how
        many; `seed`.
    Returns: Redrawn.
    Raises: ValueError for a cloud of too few points.
    Reference: Wu (1986), jackknife, bootstrap and other resampling methods in regression analysis (external draws);
    Hall (1992), undersmoothing: effect of bootstrap estimators of bias.
    """
    d, order = scale.dimension, scale.order
    least = 2 * coefficients(d, order)
    k = int(np.clip(scale.neighbours // 2, least, max(MOST, least)))
    if len(cloud) < 4 * k:
        raise ValueError(f"{len(cloud)} points are too few to draw tangent spaces of {k} neighbours anew")
    finder = neighbors.NearestNeighbors().fit(cloud)
    index = finder.kneighbors(cloud, n_neighbors=2 * k, return_distance=False)
    # Where points coincide another may come first.
    index[:, 0] = np.arange(len(cloud))
    noise = own_residuals(cloud, index[:, :k], d, order)
    near = index[queries]

    def fits(points: np.ndarray) -> tuple[LocalFits, LocalFits]:
        one, two = (local_fits(points, cloud[queries], near[:, :count], d, order) for count in (k, 2 * k))
        return one, two

    random = np.random.default_rng(seed)
    drawn = (fits(cloud + noise * random.choice([-1.0, 1.0], size=(len(cloud), 1))) for _ in range(draws))
    return Redrawn(*fits(cloud), drawn, 1.0 / (2.0 ** (order / d) - 1.0), k)
