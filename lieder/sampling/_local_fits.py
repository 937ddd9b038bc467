"""A cloud near each of many points as the graph of a polynomial over its tangent space."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

FLOATS = 2**22  # numbers in the arrays of one batch of neighbourhoods
OWN = 0.05  # least share of itself that a point is taken to leave to the others
RIDGE = 1e-12  # share of the mean diagonal added to the Gram matrix: neighbours may repeat positions


class LocalFits(NamedTuple):
    """The surface nearest to each query.

    Fields: `points` (q, n), the queries moved onto it; `bases` (q, d, n), orthonormal rows that span its tangent
    space there; `noise` (q,), the expected sum of squared sines between these and the true tangent spaces, as far as
    the scatter of the neighbours about the fit causes it; `thickness` (q,), scatter across the surface over the
    spread along it in its least direction, 1 or more when there is no surface of this dimension at this scale.
    """

    points: Float[np.ndarray, "queries n"]
    bases: Float[np.ndarray, "queries d n"]
    noise: Float[np.ndarray, " queries"]
    thickness: Float[np.ndarray, " queries"]
    beyond: Float[np.ndarray, " queries"]


def coefficients(dimension: int, order: int) -> int:
    """How many a polynomial of this order in `dimension` variables has: d + 1, or (d + 1)(d + 2) / 2."""
    return dimension + 1 if order == 1 else (dimension + 1) * (dimension + 2) // 2


def local_fits(
    cloud: Float[np.ndarray, "points n"],
    queries: Float[np.ndarray, "queries n"],
    index: Int[np.ndarray, "queries k"],
    dimension: int,
    order: int = 2,
    thickness: bool = False,
) -> LocalFits:
    """Least squares in each neighbourhood, weights 1 - (distance / farthest)^2.

    Principal components give a frame. All coordinates are regressed on the polynomials in the first `dimension`; the
    linear part at the query spans the tangent space, and is the frame of a second regression about the query moved
    onto the surface. So the frame is that of the surface and not of the neighbourhood's outline, and noise along the
    surface, which a regression on a tilted frame would mistake for noise in its variables, does no harm.

    Arguments:
        cloud, queries: in units that can be compared. index: neighbours of each query in the cloud, by distance.
        dimension: of the surface. order: of the polynomial, 1 or 2. thickness: whether to compute it (else NaN).
    Returns: LocalFits.
    Reference: Cheng and Wu (2013), local linear regression on manifolds; Aamari and Levrard (2019), local polynomials.
    """
    k = index.shape[1]
    size = max(1, FLOATS // (k * (coefficients(dimension, order) + cloud.shape[1])))
    pieces = [
        _fit(cloud[index[begin : begin + size]], queries[begin : begin + size], dimension, order, thickness)
        for begin in range(0, len(queries), size)
    ]
    return LocalFits(*(np.concatenate(parts) for parts in zip(*pieces, strict=True)))


def own_residuals(
    cloud: Float[np.ndarray, "points n"], index: Int[np.ndarray, "points k"], dimension: int, order: int
) -> Float[np.ndarray, "points n"]:
    """How far each point lies off the surface that is fitted to its neighbours, itself among them.

    A residual is divided by the root of what the point leaves to the others, 1 - h with its leverage h: its square then
    has the mean of the noise's.

    Arguments: as `local_fits`, with each point's neighbours, the first of which is the point itself.
    Returns: (N, n).
    Reference: MacKinnon and White (1985), HC2.
    """
    size = max(1, FLOATS // (index.shape[1] * (coefficients(dimension, order) + cloud.shape[1])))
    out = []
    for begin in range(0, len(cloud), size):
        near, queries = cloud[index[begin : begin + size]], cloud[begin : begin + size]
        last, w, radius = _surface(near, queries, dimension, order)
        own = _polynomials(last.along[:, :1], order)
        left = 1.0 - w[:, 0] * (own @ np.linalg.solve(last.gram, np.swapaxes(own, 1, 2)))[:, 0, 0]
        out.append(last.residual[:, 0] * (radius / np.sqrt(np.maximum(left, OWN)))[:, None])
    return np.concatenate(out)


def _surface(near: np.ndarray, queries: np.ndarray, d: int, order: int) -> tuple["_Regression", np.ndarray, np.ndarray]:
    """The second regression of one batch, near (q, k, n), in units of each neighbourhood's radius; weights (q, k); and
    the radius (q,)."""
    away = near - queries[:, None]
    squares = np.einsum("qkn,qkn->qk", away, away)
    # A cloud that repeats one point k times has no radius; any unit will do.
    radius = np.sqrt(np.where(squares[:, -1] > 0, squares[:, -1], 1.0))
    # The farthest would have no weight at all, and the fewest points that determine the coefficients not suffice.
    w = 1.0 - squares / (1.0 + 1.0 / near.shape[1]) / radius[:, None] ** 2
    # Neighbours of a cloud that was moved need no longer be the nearest.
    w = np.maximum(w, 0.0)
    local = away / radius[:, None, None]
    first = _regression(local, w, np.zeros_like(queries), _principal(local, w, d), order)
    return _regression(local, w, first.centre, first.bases, order), w, radius


def _fit(near: np.ndarray, queries: np.ndarray, d: int, order: int, thickness: bool) -> LocalFits:
    """`local_fits` of one batch; near (q, k, n)."""
    last, w, radius = _surface(near, queries, d, order)
    gram, residual = last.gram, last.residual
    freedom = np.maximum(w.sum(axis=1) * (1.0 - gram.shape[1] / near.shape[1]), 1e-9)
    scatter = np.einsum("qkn,qk,qkn->q", residual, w, residual) / freedom
    # With weights of at most one the covariance of the coefficients is at most the scatter times the inverse Gram
    # matrix.
    slopes = np.trace(np.linalg.inv(gram)[:, 1 : 1 + d, 1 : 1 + d], axis1=1, axis2=2)
    thick = _thickness(residual, last.along, w, freedom, order) if thickness else np.full(len(queries), np.nan)
    return LocalFits(queries + radius[:, None] * last.centre, last.bases, scatter * slopes, thick, _beyond(last.along))


class _Regression(NamedTuple):
    centre: np.ndarray
    bases: np.ndarray
    gram: np.ndarray
    along: np.ndarray
    residual: np.ndarray


def _regression(local: np.ndarray, w: np.ndarray, centre: np.ndarray, bases: np.ndarray, order: int) -> _Regression:
    shifted = local - centre[:, None]
    along = shifted @ np.swapaxes(bases, 1, 2)
    design = _polynomials(along, order)
    gram, fitted = _solved(design, w, shifted)
    turned = np.linalg.qr(np.swapaxes(fitted[:, 1 : 1 + bases.shape[1]], 1, 2))[0]
    return _Regression(centre + fitted[:, 0], np.swapaxes(turned, 1, 2), gram, along, shifted - design @ fitted)


def _solved(design: np.ndarray, w: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Weighted least squares: the Gram matrix, and the coefficients."""
    weighted = np.swapaxes(design * w[:, :, None], 1, 2)
    gram = weighted @ design
    diagonal = np.arange(gram.shape[1])
    gram[:, diagonal, diagonal] += RIDGE * np.trace(gram, axis1=1, axis2=2)[:, None] / gram.shape[1]
    return gram, np.linalg.solve(gram, weighted @ values)


def _principal(local: np.ndarray, w: np.ndarray, d: int) -> np.ndarray:
    total = w.sum(axis=1)
    centred = local - ((w[:, None] @ local)[:, 0] / total[:, None])[:, None]
    _, vectors = np.linalg.eigh(np.swapaxes(centred * w[:, :, None], 1, 2) @ centred)
    return np.swapaxes(vectors[:, :, ::-1][:, :, :d], 1, 2)


def _polynomials(along: np.ndarray, order: int) -> np.ndarray:
    d = along.shape[2]
    out = np.empty((*along.shape[:2], coefficients(d, order)))
    out[:, :, 0] = 1.0
    out[:, :, 1 : d + 1] = along
    place = d + 1
    for i in range(d if order == 2 else 0):
        np.multiply(along[:, :, i:], along[:, :, i : i + 1], out=out[:, :, place : place + d - i])
        place += d - i
    return out


def _beyond(along: np.ndarray) -> np.ndarray:
    mean = along.mean(axis=1)
    spread = np.swapaxes(along, 1, 2) @ along / along.shape[1] - mean[:, :, None] * mean[:, None]
    diagonal = np.arange(along.shape[2])
    spread[:, diagonal, diagonal] += RIDGE * np.trace(spread, axis1=1, axis2=2)[:, None] + 1e-300
    squares = np.einsum("qd,qd->q", mean, np.linalg.solve(spread, mean[:, :, None])[:, :, 0])
    # Along an axis in which the neighbours do not spread at all rounding makes a square negative.
    return np.sqrt(np.maximum(squares, 0.0))


def _thickness(residual: np.ndarray, along: np.ndarray, w: np.ndarray, freedom: np.ndarray, order: int) -> np.ndarray:
    """The widest scatter across, over the least spread along: what of the least coordinate is no polynomial in the
    others. A curve taken for a surface has a second coordinate that is one in the first, or is noise."""
    across = np.linalg.eigvalsh(np.swapaxes(residual * w[:, :, None], 1, 2) @ residual)[:, -1] / freedom
    total = w.sum(axis=1)
    centred = along - ((w[:, None] @ along)[:, 0] / total[:, None])[:, None]
    _, axes = np.linalg.eigh(np.swapaxes(centred * w[:, :, None], 1, 2) @ centred)
    turned = centred @ axes  # least spread first
    least, others = turned[:, :, 0], _polynomials(turned[:, :, 1:], order)
    gram, fitted = _solved(others, w, least[:, :, None])
    explained = (others @ fitted)[:, :, 0]
    spread = (w * least**2).sum(axis=1) / total
    own = (w * (least - explained) ** 2).sum(axis=1) / np.maximum(total - gram.shape[1] * total / w.shape[1], 1e-9)
    hidden = np.sqrt(across / np.maximum(own, 1e-300))
    # A coordinate of which the others explain half counts as none.
    return np.where(own < 0.5 * spread, np.inf, hidden)
