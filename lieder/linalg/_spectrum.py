"""Relative singular values of a pair of triangular factors: the generalised singular value decomposition."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from ._right import right_singular

# Columns below this share of the largest are zero but for rounding; small ones above it may be due to their units.
VANISHED = 1e-20


@dataclass(frozen=True, eq=False)
class RelativeSpectrum:
    """Stationary values of |A v| / |B v|, ascending, with the directions v, and the null space of B kept apart.

    Fields: `values` (k,); `directions` (k, q), rows of unit Euclidean norm, mutually orthogonal under B^T B;
    `null` (q - k, q), an orthonormal basis of what B annihilates.
    """

    values: Float[np.ndarray, " kept"]
    directions: Float[np.ndarray, "kept columns"]
    null: Float[np.ndarray, "dropped columns"]


def relative_spectrum(
    numerator: Float[np.ndarray, "rows columns"], denominator: Float[np.ndarray, "rows2 columns"], null_tolerance: float
) -> RelativeSpectrum:
    """Generalised singular values of the pair (A, B): B is reduced to a whitening, A is decomposed in it.

    sigma(v) = |A v| / |B v|. Neither A^T A nor B^T B is formed.

    Arguments:
        numerator, denominator: A and B, equal column counts (any units: the ratio has none if A and B share theirs).
        null_tolerance: singular values of the column-scaled B below this share of the largest count as zero. Columns
            are scaled to unit norm first, so that the decision does not depend on the units of single candidates.
    Returns:
        RelativeSpectrum.
    Reference: Golub and Van Loan (2013), section 8.7.4.
    """
    q = denominator.shape[1]
    norms = np.linalg.norm(denominator, axis=0)
    largest = norms.max(initial=0.0)
    if largest == 0.0:
        return RelativeSpectrum(np.zeros(0), np.zeros((0, q)), np.eye(q))
    # A column that is zero but for rounding must not be scaled up to a unit column of noise.
    scale = np.where(norms > VANISHED * largest, norms, np.inf)
    scaled = denominator / scale
    s, vt = right_singular(scaled)
    kept = s > null_tolerance * s[0]
    inverse_scale = np.where(np.isfinite(scale), 1.0 / scale, 0.0)
    whitening = inverse_scale[:, None] * (vt[kept].T / s[kept])
    values, right = right_singular(numerator @ whitening)
    values = values[::-1]
    directions = (whitening @ right.T).T[::-1]
    directions = _signed(directions / np.linalg.norm(directions, axis=1, keepdims=True))
    unscaled = np.where(np.isfinite(scale), 1.0 / scale, 1.0 / largest)
    null = np.linalg.qr(unscaled[:, None] * vt[~kept].T)[0].T if not kept.all() else np.zeros((0, q))
    return RelativeSpectrum(values, directions, null)


def _signed(rows: np.ndarray) -> np.ndarray:
    """Each row with its entry of largest size positive, so that the sign is the same on every machine."""
    largest = np.take_along_axis(rows, np.argmax(np.abs(rows).round(10), axis=1)[:, None], axis=1)
    return rows * np.where(largest < 0, -1.0, 1.0)
