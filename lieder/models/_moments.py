"""Second moments of a dictionary over points, as they would be without the noise of the points."""

from dataclasses import dataclass
from functools import partial
from math import factorial

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from ..dictionary import AbstractDictionary

CHUNK = 2**22  # numbers in a table of features


@dataclass(frozen=True, eq=False)
class Moments:
    """What is left of the points, in parts, each of which can be left out.

    Fields: `powers` (parts, K, D, D): sum_k s^k powers[k] is the mean of b b^T over the points of a part without normal
    noise of variance s along each coordinate; `slopes` (parts, D, D), the mean of the products of gradients; `rows`
    (parts,).
    """

    powers: Float[np.ndarray, "parts k D D"]
    slopes: Float[np.ndarray, "parts D D"]
    rows: Int[np.ndarray, " parts"]

    def without(self, part: int) -> "Moments":
        """Those of all other parts."""
        kept = np.arange(len(self.rows)) != part
        return Moments(self.powers[kept], self.slopes[kept], self.rows[kept])

    @property
    def whole(self) -> tuple[Float[np.ndarray, "k D D"], Float[np.ndarray, "D D"]]:
        """Powers and slopes over all points."""
        share = self.rows / self.rows.sum()
        return np.tensordot(share, self.powers, 1), np.tensordot(share, self.slopes, 1)


def moments(
    points: Float[np.ndarray, "N n"],
    dictionary: AbstractDictionary,
    units: Float[np.ndarray, " n"],
    parts: Int[np.ndarray, " N"],
) -> Moments:
    """The moments of a dictionary on points with noise.

    Noise of variance s takes a function g to exp(s Laplacian / 2) g on average, and exp(-s Laplacian / 2) takes it
    back. For monomials that is a finite sum, and exact; of other functions the first term is taken.

    Arguments: `points` (N, n); `dictionary` of D functions; `units` (n,), in which the noise of all coordinates is
        alike; `parts` (N,), whole numbers from 0, each taken.
    Returns: Moments, the variance in squares of these units.
    Reference: Kukush, Markovsky, Van Huffel (2004), consistent estimation in an implicit quadratic model.
    """
    rows = np.bincount(parts)
    if dictionary.exponents is not None:
        return Moments(*_of_monomials(points, dictionary.exponents, units, parts, rows), rows)
    return Moments(*_of_functions(points, dictionary, units, parts, rows), rows)


def _of_monomials(points, exponents, units, parts, rows) -> tuple[np.ndarray, np.ndarray]:
    """From the means of all monomials that occur in the products, and in their Laplacians."""
    n, base = points.shape[1], 2 * int(exponents.sum(axis=1).max(initial=0)) + 1
    code = base ** np.arange(n, dtype=np.float64)  # whole numbers as floats, exact up to 2^53
    pairs = exponents[:, None] + exponents[None]
    known, fresh = {}, np.unique(pairs.reshape(-1, n), axis=0)
    while len(fresh):
        known.update({float(each @ code): each for each in fresh})
        lower = [each - 2 * e for each in fresh for e in np.eye(n, dtype=int) if each @ e >= 2]
        fresh = [each for each in lower if float(each @ code) not in known]
    keys = np.array(sorted(known))
    each = np.stack([known[key] for key in keys])
    means = _means(points, each, parts, rows)
    terms = [means]
    while terms[-1].any():
        laplacian = np.zeros_like(means)
        for c in range(n):
            on = np.flatnonzero(each[:, c] >= 2)
            below = np.searchsorted(keys, keys[on] - 2 * code[c])
            weight = units[c] ** 2 * each[on, c] * (each[on, c] - 1)
            laplacian[:, on] += weight * terms[-1][:, below]
        terms.append(laplacian)
    place = np.searchsorted(keys, pairs @ code)
    powers = np.stack([(-0.5) ** k / factorial(k) * term[:, place] for k, term in enumerate(terms[:-1])], axis=1)
    slopes = np.zeros(powers[:, 0].shape)
    for c in range(n):
        i = np.flatnonzero(exponents[:, c])
        if len(i):
            at = np.searchsorted(keys, keys[place[np.ix_(i, i)]] - 2 * code[c])
            weight = units[c] ** 2 * np.outer(exponents[i, c], exponents[i, c])
            slopes[:, i[:, None], i] += weight * means[:, at]
    return powers, slopes


def _means(points, exponents, parts, rows) -> Float[np.ndarray, "parts monomials"]:
    """The mean of each monomial over each part."""
    out = np.zeros((len(rows), len(exponents)))
    size = max(1, CHUNK // len(exponents))
    for begin in range(0, len(points), size):
        some = points[begin : begin + size]
        table = np.ones((len(some), len(exponents)))
        for c in range(points.shape[1]):
            table *= some[:, c, None] ** np.arange(exponents[:, c].max(initial=0) + 1)[exponents[:, c]]
        for part in range(len(rows)):
            out[part] += table[parts[begin : begin + size] == part].sum(axis=0)
    return out / rows[:, None]


def _of_functions(points, dictionary, units, parts, rows) -> tuple[np.ndarray, np.ndarray]:
    """From values, gradients and Laplacians at the points."""
    D = dictionary.size
    powers, slopes = np.zeros((len(rows), 2, D, D)), np.zeros((len(rows), D, D))
    size = max(1, CHUNK // (D * (points.shape[1] + 2)))
    with jax.enable_x64(True):
        along = jnp.diag(jnp.asarray(units, jnp.float64))
        for begin in range(0, len(points), size):
            value, slope, bend = (
                np.asarray(each) for each in _jets(dictionary, jnp.asarray(points[begin : begin + size]), along)
            )
            for part in range(len(rows)):
                chosen = parts[begin : begin + size] == part
                b, g, h = value[chosen], slope[chosen].reshape(-1, D), bend[chosen]
                powers[part, 0] += b.T @ b
                powers[part, 1] -= 0.5 * (b.T @ h + h.T @ b) + g.T @ g
                slopes[part] += g.T @ g
    return powers / rows[:, None, None, None], slopes / rows[:, None, None]


@partial(jax.jit, static_argnums=0)
def _jets(dictionary: AbstractDictionary, points: Array, along: Array) -> tuple[Array, Array, Array]:
    """Values (N, D), slopes (N, n, D) along some directions, and the sum of second derivatives along these (N, D)."""

    def at(x):
        def slope(v):
            return jax.jvp(dictionary, (x,), (v,))[1]

        def bend(v):
            return jax.jvp(lambda y: jax.jvp(dictionary, (y,), (v,))[1], (x,), (v,))[1]

        return dictionary(x), jax.vmap(slope)(along), jax.vmap(bend)(along).sum(axis=0)

    return jax.vmap(at)(points)
