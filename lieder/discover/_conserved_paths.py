"""Functions along noisy trajectories: variation within one beside that over all, the noise's share taken off."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.linalg
from jaxtyping import Float

from ..linalg import right_singular
from ._conserved_along import NULL
from ._conserved_changing import Changing
from ._conserved_family import Family, check_finite
from ._conserved_noise import measurement_noise

MOSTLY = 0.5  # share of noise in the spread of a function above which nothing is said of it
UNSEEN = 0.2  # resolution above which nothing is said either: a fifth of what "changes like anything" means
KEPT = 0.05  # share of the noise that stays in both factors: directions that are all noise must not pass for constant
BLURRED = 0.02  # share of the columns' motion within trajectories that windows of time may average away
WINDOWS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128)
LEAST_WINDOWS = 12  # of a trajectory, on average
QUIET = 1e-10  # share of the columns' variance below which noise changes no function


@dataclass(frozen=True, eq=False)
class Sums:
    """What is kept of each trajectory: sums over its windows, in whitened functions.

    Fields: `within` (C, D, D), sum of (f - mean of the trajectory)(..)^T, and `noise` (C, D, D), what noise alone makes
        of it; `between` (C, D), mean of the trajectory from the mean of all, times the root of its weight; `windows`
        (C,), their number.
    """

    within: Float[np.ndarray, "C D D"]
    noise: Float[np.ndarray, "C D D"]
    between: Float[np.ndarray, "C D"]
    windows: Float[np.ndarray, " C"]

    def part(self, chosen: np.ndarray) -> "Sums":
        """The sums of some of the trajectories."""
        return Sums(self.within[chosen], self.noise[chosen], self.between[chosen], self.windows[chosen])


@dataclass(frozen=True, eq=False)
class Paths:
    """Trajectories reduced: `sums`, in functions that `whitening` (D, d) makes of the family's, and `back` (d, D) its
    inverse; `constant` (c, D); `noise` (n, n), covariance in standard units; `window`, rows averaged."""

    sums: Sums
    whitening: Float[np.ndarray, "D d"]
    back: Float[np.ndarray, "d D"]
    constant: Float[np.ndarray, "c D"]
    noise: Float[np.ndarray, "n n"]
    window: int


def reduced(
    family: Family,
    times: Sequence[Float[np.ndarray, " _"]],
    states: Sequence[Float[np.ndarray, "_ n"]],
    names: tuple[str, ...],
) -> Paths:
    """Trajectories as sums over windows of time.

    The mean of I over a window has less noise, and is that of I itself, not I of smoothed states: there is no bias of
    smoothing. That of the noise, E I(x + e) = I + tr(S D^2 I) / 2, is taken off.
    """
    standard = [family.standard(x) for x in states]
    noise = measurement_noise(times, standard)
    window = _window(standard, noise)
    root = _root(noise)
    loud = bool(np.trace(noise) > QUIET * len(noise))
    means, noises, weights, owner = [], [], [], []
    for c, x in enumerate(states):
        values = family.values(x)
        check_finite(values, family.dictionary, names, x)
        own = np.zeros((family.dictionary.size,) * 2)
        if loud:
            values = values - 0.5 * family.curvatures(x, root)
            moved = family.gradients(x) @ root  # N, D, n
            check_finite(moved, family.dictionary, names, x)
            flat = moved.transpose(0, 2, 1).reshape(-1, moved.shape[1])
            own = flat.T @ flat / len(x)
        pieces = np.array_split(values, max(2, round(len(x) / window)))
        means += [piece.mean(axis=0) for piece in pieces]
        weights += [len(piece) for piece in pieces]
        owner += [c] * len(pieces)
        noises.append(own)
    weight, rows, owner = np.array(weights, float), np.array(means), np.array(owner)
    centred = np.sqrt(weight)[:, None] * (rows - np.average(rows, axis=0, weights=weight))
    whitening, back, constant = _whitened(centred)
    white = centred @ whitening
    root_weight = np.sqrt(weight)
    within, between, counts = [], [], []
    for c in range(len(states)):
        mine, w = white[owner == c], root_weight[owner == c]
        mean = w @ mine / (w @ w)
        apart = mine - w[:, None] * mean
        within.append(apart.T @ apart)
        between.append(mean * np.sqrt(w @ w))
        counts.append(len(mine))
    made = [whitening.T @ (one * (count - 1)) @ whitening for one, count in zip(noises, counts, strict=True)]
    return Paths(
        Sums(np.array(within), np.array(made), np.array(between), np.array(counts, float)),
        whitening,
        back,
        constant,
        noise,
        window,
    )


def along_paths(paths: Paths, error: float) -> Changing:
    """rho(c)^2 = (variation within trajectories - noise) / (variation over all - noise) of each combination."""
    numerator, denominator, noise, total = _matrices(paths.sums)
    defects, white, share = _solved(numerator, denominator, noise, total)
    directions = white @ paths.whitening.T
    D, M = len(numerator), float(np.sum(paths.sums.windows - 1))
    # One standard error of a variance of M numbers and of the estimate of its noise, and what a choice among D
    # directions makes of it (the edge of the spectrum of pure noise, Marchenko and Pastur).
    chance = np.sqrt(6.0 / M) + 2.0 * np.sqrt(D / M)
    odds = share / (1.0 - share)
    resolutions = np.hypot(np.sqrt(odds * chance), error)
    # Twice the gain in likelihood of D free coefficients, at most, where noise is all there is (chi squared).
    within_noise = odds * (D + 3.0 * np.sqrt(2.0 * D)) / M + error**2
    factor = [_root(one).T @ paths.back for one in (numerator, denominator)]
    scale = np.linalg.norm(directions, axis=1, keepdims=True)
    order = np.argsort(defects)
    order = order[resolutions[order] <= UNSEEN]
    hidden = D - len(order)
    return Changing(
        factor[0],
        factor[1],
        defects[order],
        (directions / scale)[order],
        paths.constant,
        resolutions[order],
        within_noise[order],
        hidden,
    )


def _matrices(sums: Sums) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Numerator and denominator of the fit, the noise in the numerator, and the total variation."""
    within, noise = sums.within.sum(axis=0), sums.noise.sum(axis=0)
    total = within + sums.between.T @ sums.between
    return within - (1.0 - KEPT) * noise, total - (1.0 - KEPT) * noise, noise, total


def _solved(numerator, denominator, noise, total) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Defects, directions (k, d) in whitened functions and shares of noise, of the directions that are not mostly
    noise."""
    floor = 1e-9 * np.trace(total) / len(total)
    values, vectors = np.linalg.eigh(denominator)
    inverse = vectors / np.sqrt(np.maximum(values, floor))
    _, turned = np.linalg.eigh(inverse.T @ numerator @ inverse)
    white = (inverse @ turned).T
    whole = np.einsum("kd,de,ke->k", white, total, white)
    share = np.clip(np.einsum("kd,de,ke->k", white, noise, white) / whole, 0.0, 1.0)
    clean = np.einsum("kd,de,ke->k", white, numerator - KEPT * noise, white)
    seen = share < MOSTLY
    defects = np.sqrt(np.clip(clean[seen] / (whole[seen] * (1.0 - share[seen])), 0.0, None))
    return defects, white[seen], share[seen]


def held_out(paths: Paths, count: int, folds: int) -> tuple[np.ndarray, np.ndarray | None]:
    """Defects of the first `count` directions on trajectories that had no part in finding them, and of all directions
    with some trajectories left out.

    Arguments: `paths`; `count`; `folds`, at least 2.
    Returns: (count,), NaN where a direction is not found again; (folds, k), or None where their number differs.
    """
    sums, C = paths.sums, len(paths.sums.windows)
    _, _, noise, total = _matrices(sums)
    over = np.zeros(count)
    whole = np.zeros(count)
    repeats = []
    for fold in range(folds):
        out = np.arange(C) % folds == fold
        rest = _matrices(sums.part(~out))
        defects, white, _ = _solved(*rest)
        order = np.argsort(defects)
        defects, white = defects[order], white[order]
        repeats.append(defects)
        if len(white) < count:
            return np.full(count, np.nan), None
        mine = sums.part(out)
        apart = mine.within.sum(axis=0) - mine.noise.sum(axis=0)
        v = white[:count]
        over += np.einsum("kd,de,ke->k", v, apart, v)
        whole += np.einsum("kd,de,ke->k", v, total - noise, v) / folds
    same = len({len(one) for one in repeats}) == 1
    held = np.sqrt(np.clip(over / whole, 0.0, None))
    return held, np.array(repeats) if same else None


def _window(standard: Sequence[np.ndarray], noise: np.ndarray) -> int:
    """Rows that may be averaged: the columns' motion within trajectories must survive it."""
    shortest = np.mean([len(z) for z in standard])
    moved = sum(np.sum((z - z.mean(axis=0)) ** 2, axis=0) for z in standard)
    rows = sum(map(len, standard))
    moved = np.maximum(moved - rows * np.diag(noise), np.finfo(float).tiny)
    best = 1
    for window in WINDOWS[1:]:
        if shortest / window < LEAST_WINDOWS:
            break
        lost = np.zeros(len(noise))
        for z in standard:
            for piece in np.array_split(z, max(2, round(len(z) / window))):
                lost += np.sum((piece - piece.mean(axis=0)) ** 2, axis=0) - (len(piece) - 1) * np.diag(noise)
        if np.any(lost > BLURRED * moved):
            break
        best = window
    return best


def _whitened(centred: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(D, d) that makes orthonormal columns of the functions, (d, D) its inverse, and the combinations that are
    constant on the data."""
    norms = np.linalg.norm(centred, axis=0)
    scale = np.where(norms > 1e-12 * norms.max(initial=0.0), norms, np.inf)
    s, vt = right_singular(centred / scale)
    kept = s > NULL * s[0]
    inverse = np.where(np.isfinite(scale), 1.0 / scale, 0.0)
    constant = np.where(np.isfinite(scale), inverse, 1.0)[:, None] * vt[~kept].T
    back = s[kept, None] * vt[kept] * np.where(np.isfinite(scale), scale, 0.0)
    return inverse[:, None] * (vt[kept].T / s[kept]), back, constant.T


def _root(matrix: np.ndarray) -> np.ndarray:
    """R with R R^T = the positive part of a symmetric matrix."""
    values, vectors = scipy.linalg.eigh(matrix)
    return vectors * np.sqrt(np.clip(values, 0.0, None))
