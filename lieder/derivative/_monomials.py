"""Monomials under polynomial vector fields and affine maps: exact sparse matrices, from the exponents alone."""

from dataclasses import dataclass
from math import comb

import numpy as np
import scipy.sparse
from scipy.special import gammaln

from .. import dictionary as families
from ..linalg import MatrixStack

_LARGEST = 5_000_000  # monomials of the joint family: above it the exponents alone take gigabytes
_MOST = 50_000_000  # entries of the matrices: above it they take gigabytes


def degree_of_joint(own: np.ndarray, by: np.ndarray) -> int:
    """The degree of the polynomials that hold f and J_f theta, for exponents `own` of f and `by` of theta."""
    more = max(int(by.sum(axis=1).max(initial=0)) - 1, 0)
    return int(own.sum(axis=1).max()) + more


@dataclass(frozen=True, eq=False)
class Monomials:
    """Where each monomial of a family stands, found for all at once.

    The key of x^a is sum_i a_i r_i modulo 2^64 with fixed random r: products of monomials are sums of keys.

    Fields: `exponents` (E, n); `numbers` r (n,); `order` (E,), positions sorted by key; `keys` (E,), sorted.
    """

    exponents: np.ndarray
    numbers: np.ndarray
    order: np.ndarray
    keys: np.ndarray

    def key(self, exponents: np.ndarray) -> np.ndarray:
        return (exponents.astype(np.uint64) * self.numbers).sum(axis=1, dtype=np.uint64)

    def at(self, key: np.ndarray) -> np.ndarray:
        """Positions of monomials that are known to be in the family."""
        return self.order[np.searchsorted(self.keys, key)]

    def step(self, variable: int, key: np.ndarray, up: bool) -> np.ndarray:
        number = self.numbers[variable]
        return key + number if up else key - number


def monomials(width: int, degree: int) -> Monomials:
    """All monomials up to a degree, with their keys."""
    if comb(width + degree, degree) > _LARGEST:
        raise ValueError(
            f"dictionary and action: derivatives of degree {degree} in {width} variables lie among"
            f" {comb(width + degree, degree):,} monomials, more than the {_LARGEST:,} that fit. Take a lower degree."
        )
    exponents = families.polynomials(width, degree).exponents
    for seed in range(10):
        numbers = np.random.default_rng(seed).integers(1, 2**63, width, dtype=np.uint64)
        keys = (exponents.astype(np.uint64) * numbers).sum(axis=1, dtype=np.uint64)
        order = np.argsort(keys, kind="stable")
        if np.all(np.diff(keys[order]) > 0):
            return Monomials(exponents, numbers, order, keys[order])
    raise RuntimeError("no seed of ten tells the monomials apart")  # chance 1e-40 and less


def derivatives(own: np.ndarray, fields: MatrixStack, by: np.ndarray, joint: Monomials) -> MatrixStack:
    """J_f theta_k = T_k g: x^a goes to sum over entries c x^b of (theta_k)_i of a_i c x^(a - e_i + b).

    `own` (D, n), exponents of f; `fields` (q, n, E) with exponents `by` (E, n); `joint`, the monomials g.
    """
    count = int(np.count_nonzero(own, axis=0) @ np.bincount(fields.index[1], minlength=own.shape[1]))
    if count > _MOST:
        raise ValueError(
            f"dictionary and action: the derivatives of {len(own):,} monomials along {fields.shape[0]:,} generators"
            f" have {count:,} entries, more than the {_MOST:,} that fit. Take a lower degree, or fewer generators."
        )
    keys, by_keys = joint.key(own), joint.key(by)
    index, value = [np.zeros((3, 0), np.int64)], [np.zeros(0)]
    for variable in range(own.shape[1]):
        rows = np.flatnonzero(own[:, variable])
        entries = np.flatnonzero(fields.index[1] == variable)
        if len(rows) == 0 or len(entries) == 0:
            continue
        lowered = joint.step(variable, keys[rows], up=False)
        columns = joint.at((lowered[:, None] + by_keys[fields.index[2, entries]][None, :]).reshape(-1))
        index.append(np.stack([np.tile(fields.index[0, entries], len(rows)), np.repeat(rows, len(entries)), columns]))
        value.append((own[rows, variable][:, None] * fields.value[entries][None, :]).reshape(-1))
    shape = (fields.shape[0], len(own), len(joint.exponents))
    return MatrixStack.from_entries(shape, np.concatenate(index, axis=1), np.concatenate(value))


def composed(own: np.ndarray, maps: MatrixStack, joint: Monomials) -> MatrixStack:
    """f(H_j x) = S_j g for affine maps (c, n, n + 1): each monomial from one below it, times a coordinate of H x."""
    size, n = joint.exponents.shape
    degree = joint.exponents.sum(axis=1)
    keys = joint.key(joint.exponents)
    low = np.flatnonzero(degree < degree.max(initial=0))
    # The variable by which a monomial is reached from below, and from where.
    variable = np.argmax(joint.exponents > 0, axis=1)
    above = degree > 0
    below = np.zeros(size, np.int64)
    numbers = [joint.step(v, keys, up=False) for v in range(n)]
    for v in range(n):
        here = above & (variable == v)
        below[here] = joint.at(numbers[v][here])
    times = [
        scipy.sparse.csr_array((np.ones(len(low)), (low, joint.at(joint.step(v, keys[low], up=True)))), (size, size))
        for v in range(n)
    ]
    place = joint.at(joint.key(own))
    out = []
    for number in range(maps.shape[0]):
        on = maps.index[0] == number
        h = scipy.sparse.csr_array((maps.value[on], (maps.index[1, on], maps.index[2, on])), maps.shape[1:]).toarray()
        levels, where = [], np.zeros(size, np.int64)
        one = joint.at(joint.key(np.zeros((1, n), np.int64)))
        current = scipy.sparse.csr_array((np.ones(1), (np.zeros(1, int), one)), (1, size))
        levels.append(current)
        members = np.flatnonzero(degree == 0)
        start, total = 0, len(members)  # where the rows of `current` begin, and end
        where[members] = np.arange(total)
        for d in range(1, int(degree.max(initial=0)) + 1):
            members = np.flatnonzero(degree == d)
            lower = current[where[below[members]] - start]
            factors = h[variable[members]]
            terms = lower * factors[:, [n]]
            for v in np.flatnonzero(factors[:, :n].any(axis=0)):
                terms = terms + (lower * factors[:, [v]]) @ times[v]
            current = scipy.sparse.csr_array(terms)
            where[members] = total + np.arange(len(members))
            start, total = total, total + len(members)
            levels.append(current)
        found = scipy.sparse.csr_array(scipy.sparse.vstack(levels))[where[place]].tocoo()
        out.append((np.full(found.nnz, number), *found.coords, found.data))
    entries = [np.concatenate(part) for part in zip(*out, strict=True)] if out else [np.zeros(0)] * 4
    return MatrixStack.from_entries((maps.shape[0], len(own), size), np.stack(entries[:3]), entries[3])


def weights(exponents: np.ndarray) -> np.ndarray:
    """sqrt(d! / (a_1! .. a_n!)): in these multiples of the monomials rotations are orthogonal (the Bombieri norm)."""
    degree = exponents.sum(axis=1)
    return np.exp(0.5 * (gammaln(degree + 1.0) - gammaln(exponents + 1.0).sum(axis=1)))


def products(exponents: np.ndarray, x: np.ndarray) -> np.ndarray:
    """The monomials x^a (N, E) at points (N, n)."""
    out = np.ones((len(x), len(exponents)))
    for variable in range(exponents.shape[1]):
        on = np.flatnonzero(exponents[:, variable])
        if len(on):
            out[:, on] *= x[:, [variable]] ** exponents[on, variable]
    return out
