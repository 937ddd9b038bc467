"""Subspaces of coefficient vectors: orthonormal rows, series of ideals, and what brackets leave outside."""

from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np
from jaxtyping import Float

from ..linalg import right_singular

_PAIRS = 2000  # beyond this many pairs, random combinations stand for all of them

# Axes without names: one call often holds an algebra and its quotient, or two subspaces, of different sizes.
Constants: TypeAlias = Float[np.ndarray, "_ _ _"]  # generators, generators, generators
Rows: TypeAlias = Float[np.ndarray, "_ _"]  # rows, generators


def span(vectors: np.ndarray, tolerance: float) -> Rows:
    """Orthonormal rows spanning the given rows, up to singular values of at most `tolerance` (absolute)."""
    if 0 in vectors.shape:
        return np.zeros((0, vectors.shape[1]))
    if vectors.shape[0] > 2 * vectors.shape[1]:
        vectors = np.asarray(np.linalg.qr(vectors, mode="r"))
    _, singular, right = np.linalg.svd(vectors, full_matrices=False)
    return right[: int(np.sum(singular > tolerance))]


def null(matrix: np.ndarray, tolerance: float) -> Rows:
    """Orthonormal rows x with matrix @ x = 0, up to singular values of at most `tolerance` (absolute)."""
    if 0 in matrix.shape:
        return np.eye(matrix.shape[1])
    singular, right = right_singular(matrix)
    return right[int(np.sum(singular > tolerance)) :]


def complement(rows: Rows) -> Rows:
    """Orthonormal rows orthogonal to the given orthonormal rows."""
    return null(rows, 0.5)


def bracket_span(constants: Constants, left: Rows, right: Rows, tolerance: float) -> Rows:
    """Orthonormal rows spanning all brackets [x, y], x in one subspace and y in another."""
    images = np.einsum("bj,ajk->abk", right, np.tensordot(left, constants, axes=(1, 0)), optimize=True)
    return span(images.reshape(-1, len(constants)), tolerance)


def centre(constants: Constants, tolerance: float) -> Rows:
    """Orthonormal rows spanning the elements whose bracket with everything vanishes."""
    return null(constants.reshape(len(constants), -1).T, tolerance)


def restrict(constants: Constants, rows: Rows) -> Constants:
    """Constants of the ideal with these orthonormal rows, or of the quotient by the ideal orthogonal to them."""
    return np.einsum("ai,bj,ijk,ck->abc", rows, rows, constants, rows, optimize=True)


def killing_form(constants: Constants) -> Float[np.ndarray, "generators generators"]:
    """tr(ad e_i ad e_j)."""
    return np.tensordot(constants, constants, axes=((1, 2), (2, 1)))


def radical(constants: Constants, tolerance: float) -> Rows:
    """The largest solvable ideal: the Killing complement of [g, g]."""
    everything = np.eye(len(constants))
    derived = bracket_span(constants, everything, everything, tolerance)
    return null(derived @ killing_form(constants), tolerance)


def outside(brackets: Callable[[np.ndarray, np.ndarray], np.ndarray], rows: Rows) -> Rows:
    """Parts of the brackets of orthonormal rows that lie outside their span, one row for each pair."""
    i, j = np.triu_indices(len(rows), 1)
    a, b = rows[i], rows[j]
    if len(i) > _PAIRS:
        mix = np.random.default_rng(0).normal(size=(2, _PAIRS, len(rows)))
        a, b = (mix / np.linalg.norm(mix, axis=-1, keepdims=True)) @ rows
    if len(a) == 0:
        return np.zeros((0, rows.shape[1]))
    images = brackets(a, b)
    return images - (images @ rows.T) @ rows


def kept_names(rows: Rows, names: Sequence[str]) -> tuple[str, ...]:
    """A row that is one of the old generators keeps its name; others are numbered."""
    found = []
    for k, row in enumerate(rows):
        place = np.nonzero(row)[0]
        found.append(names[place[0]] if len(place) == 1 and row[place[0]] == 1.0 else f"e{k + 1}")
    return tuple(found) if len(set(found)) == len(found) else tuple(f"e{k + 1}" for k in range(len(rows)))
