"""Polynomials that multiply Gaussians: their harmonic part, and their L2 norm."""

import numpy as np
import scipy.linalg
from jaxtyping import Float
from scipy.special import gamma

from ..dictionary import AbstractDictionary
from ..linalg import right_singular

_ZERO = 1e-9  # share of the Laplacian's size: its singular values on equivariant polynomials are zero or far above


def by_degree(basis: Float[np.ndarray, "r i D"], family: AbstractDictionary) -> Float[np.ndarray, "r i D"]:
    """The same span of polynomial maps, each map of one degree, low degrees first.

    Linear moves keep the degree, so that the span is the sum of its parts: each singular value below is 0 or 1.
    """
    degrees = _exponents(family).sum(axis=1)
    parts = [basis[:0]]
    for degree in range(int(degrees.max()) + 1):
        part = np.where(degrees == degree, basis, 0.0).reshape(len(basis), basis.shape[1] * basis.shape[2])
        _, singular, rows = np.linalg.svd(part, full_matrices=False)
        parts.append(rows[singular > 0.5].reshape(-1, *basis.shape[1:]))
    return np.concatenate(parts)


def harmonic_part(basis: Float[np.ndarray, "r i D"], family: AbstractDictionary) -> Float[np.ndarray, "s i D"]:
    """The combinations of some polynomial maps whose Laplacian vanishes."""
    r, i, size = basis.shape
    laplacian = _laplacian(family)
    if r == 0:
        return basis
    singular, left = right_singular((basis @ laplacian).reshape(r, i * size).T)
    rank = int(np.count_nonzero(singular > _ZERO * np.linalg.norm(laplacian)))
    return by_degree(np.tensordot(left[rank:], basis, axes=1), family)


def normalised(basis: Float[np.ndarray, "r i D"], family: AbstractDictionary) -> Float[np.ndarray, "r i D"]:
    """The same span, orthonormal in L2 after multiplication by exp(-|z|^2 / 2)."""
    if len(basis) == 0:
        return basis
    gram = np.einsum("rif,fg,sig->rs", basis, _overlaps(family), basis, optimize=True)
    lower = np.linalg.cholesky(gram)
    return scipy.linalg.solve_triangular(lower, basis.reshape(len(basis), -1), lower=True).reshape(basis.shape)


def _laplacian(family: AbstractDictionary) -> np.ndarray:
    """(D, D): row a holds the Laplacian of monomial a."""
    exponents = _exponents(family)
    place = {tuple(row): i for i, row in enumerate(exponents.tolist())}
    out = np.zeros((len(exponents), len(exponents)))
    for i, row in enumerate(exponents.tolist()):
        for k, power in enumerate(row):
            if power >= 2:
                out[i, place[(*row[:k], power - 2, *row[k + 1 :])]] += power * (power - 1)
    return out


def _overlaps(family: AbstractDictionary) -> np.ndarray:
    """int z^a z^b exp(-|z|^2) dz for all pairs of monomials: products of Gamma((a_i + b_i + 1) / 2)."""
    exponents = _exponents(family)
    total = exponents[:, None] + exponents[None]
    return np.where(total % 2 == 0, gamma((total + 1) / 2), 0.0).prod(axis=2)


def _exponents(family: AbstractDictionary) -> np.ndarray:
    powers = family.exponents
    if powers is None:
        raise TypeError(f"harmonic polynomials and their norms need polynomials, got {family!r}.")
    return powers
