"""What most of the rows say, whatever a few far away do: their spread, and which points lie apart."""

import numpy as np
from jaxtyping import Bool, Float

from ..late import neighbors

NORMAL = 1.4826  # the standard deviation of a normal variable over the median of its distances from its median
FAR = 5.0  # times the spread that the median tells; what is farther away counts as being there
NEAREST = 16  # neighbours that tell whether a point lies apart
# A point's distance from its neighbours' mean over their spread; sqrt 3 in the corner of a full cube of any dimension.
APART = 3.0


def drawn_in(values: Float[np.ndarray, "rows columns"]) -> Float[np.ndarray, "rows columns"]:
    """The distances of all entries from their column's median, where what is far counts as less far.

    Far is FAR times the median distance of those that differ from the median, so a column may be constant in most rows.

    Arguments: `values` (N, k), columns of one unit.
    Returns: (N, k).
    Reference: Huber and Ronchetti, Robust Statistics, 2009 (winsorised samples, scales by the median distance).
    """
    away = values - np.median(values, axis=0)
    if not away.any():
        return away
    most = FAR * NORMAL * np.median(np.abs(away[away != 0]))
    return np.clip(away, -most, most)


def common_spread(values: Float[np.ndarray, "rows columns"]) -> float:
    """The rms distance of all entries from their column's mean, entries far from the median `drawn_in`.

    Arguments: `values` (N, k), columns of one unit.
    Returns: the spread; where nothing is far the rms distance from the mean itself, zero when nothing varies.
    """
    near = drawn_in(values)
    return float(np.sqrt(np.mean((near - near.mean(axis=0)) ** 2)))


def apart(
    cloud: Float[np.ndarray, "points n"], queries: Float[np.ndarray, "queries n"]
) -> Bool[np.ndarray, " queries"]:
    """Which of the queries lie apart from the cloud, as outliers do: nothing near them tells of a surface there.

    Arguments: `cloud` in units that can be compared; `queries`, points of it.
    Returns: a mask; all False where it would take more than half of the queries.
    """
    k = min(NEAREST, len(cloud) - 1)
    if k < 2 or len(queries) == 0:
        return np.zeros(len(queries), bool)
    # The nearest of all is the query itself.
    index = neighbors.NearestNeighbors(n_neighbors=k + 1).fit(cloud).kneighbors(queries, return_distance=False)[:, 1:]
    near = cloud[index] - queries[:, None]
    mean = near.mean(axis=1)
    spread = np.sqrt(np.mean(np.sum((near - mean[:, None]) ** 2, axis=2), axis=1))
    out = np.linalg.norm(mean, axis=1) > APART * spread
    return out if out.mean() <= 0.5 else np.zeros(len(queries), bool)
