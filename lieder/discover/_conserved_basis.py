"""Found functions in a simple basis: low degrees first, few terms, and those first that do not follow from others."""

import numpy as np
from jaxtyping import Float

from ..linalg import decide, relative_spectrum
from ._conserved_along import NULL
from ._conserved_family import Family
from ._sparsify import simple_basis

POINTS = 64  # at which gradients are compared
_MOST = 0.9  # quantile over the points
_SAME = 1e-9  # share of a gradient's size up to which it depends on others, in exact data


def graded_basis(
    found: Float[np.ndarray, "dim D"],
    numerator: Float[np.ndarray, "r D"],
    denominator: Float[np.ndarray, "s D"],
    degrees: Float[np.ndarray, " D"],
    limit: float,
) -> Float[np.ndarray, "dim D"]:
    """A basis of nearly the same space, built up by degree, so that an energy is not hidden by its square.

    Arguments: `found`, rows of coefficients; `numerator`, `denominator`, factors of the relative defect; `degrees` of
        the dictionary's functions; `limit`, the largest defect allowed.
    Returns: (dim, D), each row with largest entry 1 in size.
    """
    rows = np.zeros((0, found.shape[1]))
    for degree in np.unique(degrees):
        if len(rows) == len(found):
            break
        inside = np.flatnonzero(degrees <= degree)
        if len(inside) == found.shape[1]:
            space = found
        else:
            spectrum = relative_spectrum(numerator[:, inside], denominator[:, inside], NULL)
            count = min(decide(spectrum.values, tolerance=limit).count, len(found))
            space = np.zeros((count, found.shape[1]))
            space[:, inside] = spectrum.directions[:count]
        new = _without(space, rows, denominator, len(found) - len(rows))
        if len(new):
            new = simple_basis(new, numerator, denominator, limit)
            rows = np.concatenate([rows, new[np.argsort(np.count_nonzero(new, axis=1), kind="stable")]])
    return np.array([row if _positive(row) else -row for row in rows]).reshape(rows.shape)


def _without(space: np.ndarray, rows: np.ndarray, denominator: np.ndarray, most: int) -> np.ndarray:
    """What a space has beyond earlier rows: their largest terms are eliminated from it."""
    if len(rows) == 0:
        return space[:most]
    sizes = np.linalg.norm(denominator, axis=0)
    left, known = space.copy(), rows.copy()
    for k in range(len(known)):
        pivot = int(np.argmax(np.abs(known[k]) * sizes))
        for other in (left, known[k + 1 :]):
            other -= np.outer(other[:, pivot] / known[k, pivot], known[k])
    values, vectors = np.linalg.svd(left @ denominator.T, full_matrices=False)[1::-1]
    count = min(most, max(len(space) - len(rows), 0))
    mixed = vectors.T @ left
    return mixed[:count] / np.maximum(values[:count, None], np.finfo(float).tiny)


def _positive(row: np.ndarray) -> bool:
    """Whether most terms have a plus, or as many, and then the first: energies and x vy - y vx are written so."""
    signs = np.sign(row[row != 0])
    return bool(signs.sum() > 0 or (signs.sum() == 0 and len(signs) > 0 and signs[0] > 0))


def independent(
    functions: Float[np.ndarray, "dim D"], family: Family, x: Float[np.ndarray, "N n"], known: float
) -> tuple[int, np.ndarray]:
    """How many of the functions are functionally independent, and an order that puts such first.

    The rank of their gradients, in standard units, at points of the data. It is that of most points, but nearly lost on
    some: energy and momentum have one direction at circular orbits. So not the median over the points decides.

    Arguments: `functions`, coefficients in standard units; `family`; `x`, the data; `known`, how far gradients are
        known, relative to their size.
    Returns: the number, (dim,) indices.
    """
    if len(functions) < 2:
        return len(functions), np.arange(len(functions))
    points = x[np.linspace(0, len(x) - 1, min(POINTS, len(x))).astype(int)]
    gradients = np.einsum("kd,ndi->nki", functions, family.gradients(points))
    size = np.linalg.norm(gradients, axis=2, keepdims=True)
    gradients = gradients / np.maximum(size, np.finfo(float).tiny)
    singular = np.linalg.svd(gradients, compute_uv=False)
    values = np.sort(np.quantile(singular / singular[:, :1], _MOST, axis=0))
    error = max(known, _SAME)
    rank = decide(values, resolution=error, top=1.0, following=1.0, resolved=error)
    count = len(values) - rank.count
    kept: list[int] = []
    for k in range(len(functions)):
        if len(kept) < count and _beyond(gradients[:, kept], gradients[:, k]) > rank.cut:
            kept.append(k)
    rest = [k for k in range(len(functions)) if k not in kept]
    return len(kept), np.array(kept + rest)


def _beyond(kept: np.ndarray, row: np.ndarray) -> float:
    """What of a unit gradient is not a combination of others, at the points where it is most."""
    if kept.shape[1] == 0:
        return 1.0
    basis = np.linalg.svd(kept, full_matrices=False)[2]
    left = row - np.einsum("nki,nk->ni", basis, np.einsum("nki,ni->nk", basis, row))
    return float(np.quantile(np.linalg.norm(left, axis=1), _MOST))
