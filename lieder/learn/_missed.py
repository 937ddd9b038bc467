"""What a decoder misses: what it does not know, and what nobody could know, the noise of single rows."""

import numpy as np
from jaxtyping import Float


def noise_among(residual: Float[np.ndarray, "rows n"], later: Float[np.ndarray, "rows n"]) -> float:
    """The share of a residual's squares that is noise of the measurement: alike in all directions and new in each row.

    What a latent does not hold depends on the state behind the rows. It lies in some directions rather than in others,
    and is much the same a step later. Noise does neither. So the directions in which half of the rows miss most are
    looked at in the other half: what they hold there beyond the rest of the directions is not noise; nor is what the
    residual has in common with that of the next row. The larger of the two counts. (That the level of noise is read off
    the directions that hold least: Gavish, Donoho 2014.) Noise that differs between columns counts as something missed.

    Arguments: `residual` of rows, and of the rows that follow them, `later`.
    Returns: from 0 to 1; 0 where there are too few rows or columns to tell.
    """
    rows, n = residual.shape
    most = min(n // 2, rows // 4)
    if most < 1:
        return 0.0
    total = np.mean(residual**2) + 1e-30
    one, other = residual[::2], residual[1::2]
    beyond = (_beyond(one, other, most) + _beyond(other, one, most)) / 2
    common = np.mean(np.sum(residual * later, axis=1)) / n
    return float(np.clip(1 - max(beyond, common) / total, 0.0, 1.0))


def _beyond(here: np.ndarray, there: np.ndarray, most: int) -> float:
    """Mean square a column of `there` in the `most` directions largest in `here`, beyond as much as the others hold."""
    directions = np.linalg.svd(here, full_matrices=False)[2][:most]
    n = here.shape[1]
    inside = np.sum((there @ directions.T) ** 2) / len(there)
    outside = np.sum(there**2) / len(there) - inside
    return float(max(inside - most * outside / (n - most), 0.0) / n)
