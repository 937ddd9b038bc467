"""The equations a symmetry puts on the coefficients of x' = W f(x)."""

import warnings
from typing import NamedTuple

import numpy as np

from ..action import AbstractAction, discrete_elements, tangent
from ..derivative import sampled_operator
from ..dictionary import AbstractDictionary
from ..interop import ForeignModel
from ..linalg import TriangularFactor, decide

CHUNK = 2**22  # numbers in a block of rows
SPARE = 3  # as many sampled equations as unknowns, three times over
LEAST_POINTS = 50


class Violation(NamedTuple):
    """Factors of two tall matrices on vec(W), W (n, D) row by row: `broken` gives L W, and `moved` its term DF theta.

    Both (at most n D, n D), so that |broken w| / |moved w| is the relative violation of the symmetry.
    """

    broken: np.ndarray
    moved: np.ndarray


def violation(
    features: AbstractDictionary | ForeignModel, symmetry: AbstractAction, points: np.ndarray, unit: np.ndarray
) -> Violation:
    """How far the vector fields W f are from having a symmetry, sampled.

    (L_k F)(x) = W Df(x) theta_k(x) - Dtheta_k(x) W f(x) for each generator, W f(g x) - Dg(x) W f(x) for each discrete
    element g.

    Arguments: `features` f; `symmetry` of width n; `points` (P, n); `unit` (n,) of the states, by which the components
    of velocities are divided.
    Returns: the factors.
    """
    n, size = symmetry.width, _size(features, symmetry.width)
    moves = symmetry.algebra.dim + len(discrete_elements(symmetry.algebra))
    broken = moved = TriangularFactor.empty(n * size)
    for piece in np.array_split(points, max(1, len(points) * moves * n * n * size // CHUNK)):
        found = sampled_operator(features, symmetry, tangent(symmetry), piece)
        each = np.tile(1 / unit, moves * len(piece))[:, None]
        broken = broken.absorb(each * found.rows().reshape(-1, n * size))
        moved = moved.absorb(each * found.moving().reshape(-1, n * size))
    return Violation(broken.factor, moved.factor)


def _size(features: AbstractDictionary | ForeignModel, n: int) -> int:
    return features.size if isinstance(features, AbstractDictionary) else features.values(np.ones((1, n))).shape[1]


def sample(size: int, centre: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """Enough points to tell `size` functions apart, about the middle of the data."""
    count = max(LEAST_POINTS, SPARE * size)
    return centre + np.where(spread > 0, spread, 1.0) * np.random.default_rng(0).standard_normal((count, len(centre)))


def equations(rows: np.ndarray, tolerance: float) -> np.ndarray:
    """Independent, orthonormal equations E w = 0 that say rows w = 0.

    Arguments: `rows` (r, D); `tolerance`, the singular value relative to the largest at and below which an equation
    counts as fulfilled.
    Returns: (rank, D).
    """
    _, values, right = np.linalg.svd(rows, full_matrices=False)
    return right[: len(values) - decide(values, tolerance=tolerance * values.max(initial=0.0)).count]


def warn_of_zero(symmetry: AbstractAction, depth: int) -> None:
    """Say that only F = 0 has the symmetry, to the caller at that depth (as Python counts, from here)."""
    warnings.warn(
        f"No vector field in this dictionary but F = 0 has the symmetry {symmetry}: the model is F = 0, whatever "
        "the data. Give a larger dictionary, a smaller symmetry, or a penalty if it is approximate.",
        UserWarning,
        stacklevel=depth + 1,
    )
