"""How far a random matrix may lie from its mean, along every direction at once."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

RIDGE = 0.1  # share of the mean size that is added along every direction: none is taken to be known far better
CHUNK = 8  # forms whose eigenvalues are taken at a time


@dataclass(frozen=True, eq=False)
class Band:
    """|E v| <= times |v|_scale along every v at once, with |v|_scale^2 = v^T scale v.

    Fields: `times`; `scale` (k, k), positive definite.
    """

    times: float
    scale: Float[np.ndarray, "k k"]

    def most(self, among: Float[np.ndarray, "k j"]) -> float:
        """The largest bound over unit combinations of orthonormal columns."""
        return self.times * float(np.sqrt(largest_eigenvalue(among.T @ self.scale @ among)))


def simultaneous_band(forms: Float[np.ndarray, "draws k k"], level: float) -> Band:
    """A band that holds for all directions at once, from independent draws of the error E.

    The scale is the mean of E^T E, and the band is as many times as wide as is needed to hold for a share `level` of
    draws, each judged by the mean of the others: with E_g^T E_g <= a T along every direction, T the mean of all G
    draws, that of the others is at least (G - a) / (G - 1) T. So the error that has been made, were it one draw more,
    is outside with a probability of at most 1 - level, draws included.

    Arguments: `forms`, E_g^T E_g, of G draws; `level`, of confidence, at most G / (G + 1).
    Returns: Band.
    Raises: ValueError where the draws are too few for the level.
    Reference: Chernozhukov, Chetverikov, Kato (2014), anti-concentration and honest, adaptive confidence bands; the
    rank of the draws: Dufour (2006), Monte Carlo tests.
    """
    draws, k, _ = forms.shape
    place = int(np.ceil((draws + 1) * level - 1e-9))
    if place > draws:
        raise ValueError(f"level: {draws} draws tell levels up to {draws / (draws + 1):.4g}, got {level:.4g}.")
    mean = forms.mean(axis=0)
    size = float(np.trace(mean)) / k
    if not size > 0.0:
        return Band(0.0, np.eye(k) * np.finfo(float).tiny)
    scale = mean + RIDGE * size * np.eye(k)
    root = np.linalg.inv(np.linalg.cholesky(scale))
    squares = _one_of_the_largest(root @ forms @ root.T, draws - place)
    # Beyond the mean of the others, which cannot be told from one draw, nothing is known.
    apart = squares * (draws - 1) / max(draws - squares, 1e-12) if squares < draws else np.inf
    return Band(float(np.sqrt(apart)), scale)


def _one_of_the_largest(forms: Float[np.ndarray, "draws k k"], place: int) -> float:
    """The largest eigenvalue of the form than which so many have larger ones: sought among those alone that may be it,
    since no eigenvalue is above the sixteenth root of the sum of all sixteenth powers."""
    powers = forms
    for _ in range(3):
        powers = powers @ powers
    most = np.einsum("gij,gij->g", powers, powers) ** (1.0 / 16.0)
    order, found = np.argsort(-most), np.zeros(0)
    for start in range(0, len(order), CHUNK):
        if len(found) > place and found[place] >= most[order[start]]:
            break
        found = -np.sort(-np.append(found, np.linalg.eigvalsh(forms[order[start : start + CHUNK]])[:, -1]))
    return float(found[place])


def largest_eigenvalue(form: Float[np.ndarray, "j j"]) -> float:
    """Of a symmetric matrix, not below zero.

    Arguments: `form` (j, j).
    Returns: the largest eigenvalue; zero where there is none.
    """
    return max(float(np.linalg.eigvalsh(form)[-1]), 0.0) if len(form) else 0.0
