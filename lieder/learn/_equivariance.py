"""How well generators commute with latent dynamics, on trajectories that were not trained on."""

from dataclasses import dataclass

import numpy as np
import scipy.linalg
import scipy.stats
from jaxtyping import Float, Int

RANDOM = 16  # directions of gl(k) taken at random, with which found ones are compared
STEP = 0.25  # of the latent's spread, by which pairs are moved
MOST = 200  # functions of the polynomial for the displacement
RIDGE = 1e-8
FOLDED = 0.0625  # squared share of a step that a fit of the latent dynamics may miss
SMALL = 0.1  # squared share of directions taken at random


@dataclass(frozen=True, eq=False)
class Equivariance:
    """What moved held-out pairs say.

    Fields: all mean squares as shares of that of the displacement: `found` (r,), of g y - f(g x), with f the latent
        dynamics, and of the covariance of what these leave open; `random`, the same for directions taken at random;
        `fit`, at pairs as they are; `errors` (r,), standard errors of `found` - `fit`, over trajectories; `open`, of
        y - f(x) alone: next to nothing where the next state is a function of the state; `groups`, trajectories.
    """

    found: Float[np.ndarray, " r"]
    random: float
    fit: float
    errors: Float[np.ndarray, " r"]
    open: float
    groups: int

    @property
    def shares(self) -> Float[np.ndarray, " r"]:
        """Squared defects: beyond what the fit misses, as a share of directions taken at random."""
        return np.maximum(self.found - self.fit, 0.0) / max(self.random - self.fit, 1e-12)

    @property
    def function(self) -> bool:
        """Whether the next state is a function of the state, as nearly as a fit can say."""
        return self.open <= FOLDED

    @property
    def resolved(self) -> float:
        """The defect below which none is told from zero: of generators that may be symmetries, if there are such, two
        standard errors (of few trajectories more, by Student's law); and what the fit of a function misses, since it
        misses as much again at moved states."""
        small = self.shares <= max(SMALL, float(self.shares.min()))
        noise = scipy.stats.t.ppf(0.975, max(self.groups - 1, 1)) * np.max(self.errors[small])
        least = max(noise, self.fit if self.function else 0.0)
        return float(np.sqrt(least / max(self.random - self.fit, 1e-12)))


def equivariance(
    seen: tuple[Float[np.ndarray, "N k"], Float[np.ndarray, "N k"]],
    held: tuple[Float[np.ndarray, "M k"], Float[np.ndarray, "M k"]],
    groups: Int[np.ndarray, " M"],
    v: Float[np.ndarray, "r q"],
) -> Equivariance:
    """Held-out pairs (x, y) moved by g, against the dynamics y = f(x) + r and cov(r) = C(x) fitted to the others.

    f is a polynomial of the largest degree up to 6 that has no more than 200 terms, C of the same terms.
    g = exp(c L) with L of size one and c = +-.25 of the latent's spread, root k: f is asked little beyond where it is
    known.

    Arguments: `seen`, latent states and their successors that f is fitted to; `held`, those that are moved; `groups`,
        the trajectory of each of these; `v`, generators over gl(k), of size one.
    Returns: Equivariance.
    """
    k = seen[0].shape[1]
    powers = _powers(k, len(seen[0]))
    x, y = seen
    onward = _fitted(powers, x, y - x)
    spread = _fitted(powers, x, _squares(y - x - onward(x)))
    x, y = held
    size = np.mean(np.sum((y - x) ** 2, axis=1))
    rest = y - x - onward(x)
    numbers = np.unique(groups, return_inverse=True)[1]
    counts = np.bincount(numbers)

    def missed(matrix: np.ndarray) -> Float[np.ndarray, " M"]:
        out = np.zeros(len(x))
        for c in (STEP, -STEP) if matrix.any() else (STEP,):
            g = scipy.linalg.expm(c * np.sqrt(k) * matrix)
            there = x @ g.T
            out += np.sum((y @ g.T - there - onward(there)) ** 2, axis=1) / size
            out += np.sum((_squares(rest @ g.T) - spread(there)) ** 2, axis=1) / size**2
        return out / (2 if matrix.any() else 1)

    fit = missed(np.zeros((k, k)))
    random = np.random.default_rng(0).normal(size=(RANDOM, k * k))
    random /= np.linalg.norm(random, axis=1, keepdims=True)
    other = np.mean([np.mean(missed(one.reshape(k, k))) for one in random])
    found, errors = [], []
    for row in v:
        each = missed(row.reshape(k, k))
        found.append(np.mean(each))
        beyond = np.bincount(numbers, each - fit) / counts
        errors.append(np.std(beyond) / np.sqrt(len(beyond)))
    open = np.mean(np.sum(rest**2, axis=1)) / size
    return Equivariance(np.array(found), float(other), float(np.mean(fit)), np.array(errors), float(open), len(counts))


def _powers(k: int, rows: int) -> Int[np.ndarray, "terms k"]:
    """The exponents of a polynomial as large as rows allow."""
    every = np.array(np.meshgrid(*[np.arange(7)] * k, indexing="ij")).reshape(k, -1).T
    degree = every.sum(axis=1)
    counts = [int(np.sum(degree <= top)) for top in range(7)]
    allowed = [top for top in range(7) if counts[top] <= min(MOST, rows // 5)]
    return every[degree <= max(allowed, default=1)]


def _squares(rest: Float[np.ndarray, "N k"]) -> Float[np.ndarray, "N kk"]:
    """The products of the entries of each row."""
    return (rest[:, :, None] * rest[:, None, :]).reshape(len(rest), -1)


def _fitted(powers: np.ndarray, x: np.ndarray, values: np.ndarray):
    """The polynomial map x -> values of least squares."""

    def features(x):
        return np.prod(x[:, None, :] ** powers, axis=2)

    design = features(x)
    units = np.sqrt(np.mean(design**2, axis=0)) + 1e-300
    gram = (design / units).T @ (design / units) / len(x) + RIDGE * np.eye(len(powers))
    weights = np.linalg.solve(gram, (design / units).T @ values / len(x)) / units[:, None]
    return lambda x: features(x) @ weights
