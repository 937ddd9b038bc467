"""Trajectories reduced to triangular factors, block by block: memory does not grow with features times rows."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial, reduce
from typing import NamedTuple

import numpy as np

from ..derivative import values
from ..dictionary import AbstractDictionary
from ..linalg import FoldFactors
from ..sampling import Moments, Pairs, moments
from ._dynamics_data import Spread, Trajectories
from ._slopes import AbstractSlopes

SLACK = 0.25  # of the variance of smoothed states: in integrals over time most of their error averages out
BLOCK = 2**21  # numbers of features at a time: long blocks are what factorisations are fast on


class Reduced(NamedTuple):
    """The regression A W^T = b: `factors` of [A b], in folds; where the states lie; units of features and velocities;
    the noise, if found; the error of smoothed states, as a part of their variance, times SLACK.
    """

    factors: FoldFactors
    centre: np.ndarray
    spread: np.ndarray
    size: np.ndarray
    unit: np.ndarray
    noise: np.ndarray | None
    slack: float


def reduced(data: Trajectories | Spread, method: AbstractSlopes, dictionary: AbstractDictionary, folds: int) -> Reduced:
    """The rows of every trajectory or stretch of time, kept whole in one fold each where there are enough."""
    if isinstance(data, Spread) or data.velocities is not None:
        return _given(data, dictionary, folds)
    count, noise = data.count, np.zeros(dictionary.width)
    square, doubt = np.zeros(dictionary.size), np.zeros(dictionary.width)
    where = reduce(Moments.merge, map(moments, data.states))
    factors = FoldFactors.empty(folds, dictionary.size + data.targets)
    pairs: list[tuple[np.ndarray, np.ndarray]] = []
    for t, x in data.groups():
        smooth = method.smooth(t, x)
        noise += smooth.noise**2 * len(x) * len(t) / count
        doubt += smooth.noise**2 * smooth.terms * len(x) / count
        for c in range(len(x)):
            f = values(dictionary, smooth.states[c])
            square += np.sum(f**2, axis=0)
            pairs += method.rows(t, x[c], smooth.states[c], smooth.slopes[c], f, smooth.terms)
    _check_finite(square)
    for fold, i, rows in _stretches([len(a) for a, _ in pairs], folds, count):
        a, b = (side[rows] for side in pairs[i])
        factors = _absorbed(factors, np.full(len(a), fold), a, b)
    unit = _positive(where.deviation)
    slack = SLACK * float(np.mean(doubt / unit**2))
    size = _positive(np.sqrt(square / count))
    return Reduced(factors, where.mean, where.deviation, size, unit, np.sqrt(noise), slack)


def _given(data: Trajectories | Spread, dictionary: AbstractDictionary, folds: int) -> Reduced:
    """Of states whose velocities are given."""
    n, m, block = dictionary.width, data.targets, max(1, BLOCK // dictionary.size)
    seen = _Seen(
        Moments.empty(n), Moments.empty(m), np.zeros(dictionary.size), FoldFactors.empty(folds, dictionary.size + m)
    )
    if isinstance(data, Spread):
        ends = np.cumsum([len(stretch) for stretch in np.array_split(np.arange(data.count), folds)])
        seen = data.rows.over(partial(_of_pairs, seen, dictionary, ends), _Seen.merge, block)
    else:
        assert data.velocities is not None  # our own bug
        for fold, i, rows in _stretches([len(x) for x in data.states], folds, block):
            x, dx = data.states[i][rows], data.velocities[i][rows]
            seen = seen.absorb(dictionary, x, dx, np.full(len(x), fold))
    # Velocities of the states are measured by the states' own units, so that a symmetry mixes what can be compared.
    unit = _positive((seen.states if m == n else seen.velocities).deviation)
    size = _positive(np.sqrt(seen.square / data.count))
    return Reduced(seen.factors, seen.states.mean, seen.states.deviation, size, unit, None, 0.0)


@dataclass(frozen=True, eq=False)
class _Seen:
    """What is kept of states and velocities, wherever they lie: the sum of `square`s of each function, the `factors` of
    functions beside velocities in folds."""

    states: Moments
    velocities: Moments
    square: np.ndarray
    factors: FoldFactors

    def absorb(self, dictionary: AbstractDictionary, x: np.ndarray, dx: np.ndarray, fold: np.ndarray) -> "_Seen":
        """With further rows; `fold` of each."""
        f = values(dictionary, x)
        square = self.square + np.sum(f**2, axis=0)
        _check_finite(square)
        factors = _absorbed(self.factors, fold, f, dx)
        return _Seen(self.states.absorb(x), self.velocities.absorb(dx), square, factors)

    def merge(self, other: "_Seen") -> "_Seen":
        """With the rows of another."""
        return _Seen(
            self.states.merge(other.states),
            self.velocities.merge(other.velocities),
            self.square + other.square,
            self.factors.merge(other.factors),
        )


def _of_pairs(seen: _Seen, dictionary: AbstractDictionary, ends: np.ndarray, batches: Iterable[Pairs]) -> _Seen:
    """Of a piece of one table: the fold of a row is the stretch of the table in which its number lies."""
    for first, x, dx, _ in batches:
        seen = seen.absorb(dictionary, x, dx, np.searchsorted(ends, np.arange(first, first + len(x)), side="right"))
    return seen


def residuals(factors: FoldFactors, W: np.ndarray) -> np.ndarray:
    """|b - A w| / |b| of each equation; 0 where there is nothing to explain."""
    whole = factors.whole().factor
    a, b = whole[:, : W.shape[1]], whole[:, W.shape[1] :]
    left, size = np.sum((b - a @ W.T) ** 2, axis=0), np.sum(b**2, axis=0)
    return np.sqrt(left / np.where(size > 0, size, 1.0))


def _positive(scale: np.ndarray) -> np.ndarray:
    return np.where(scale > 0, scale, 1.0)


def _absorbed(factors: FoldFactors, fold: np.ndarray, a: np.ndarray, b: np.ndarray) -> FoldFactors:
    return factors.absorb(np.concatenate([a, b], axis=1), fold)


def _stretches(lengths: list[int], folds: int, longest: int) -> Iterator[tuple[int, int, slice]]:
    """Fold, number of the piece of data and its rows, in blocks; few pieces are cut, so that each fold has rows."""
    cuts = -(-folds // len(lengths)) if len(lengths) < folds else 1
    fold = 0
    for i, length in enumerate(lengths):
        for stretch in np.array_split(np.arange(length), cuts) if cuts > 1 else [range(length)]:
            if len(stretch) == 0:
                continue
            start, stop = int(stretch[0]), int(stretch[-1]) + 1
            for begin in range(start, stop, longest):
                yield fold % folds, i, slice(begin, min(begin + longest, stop))
            fold += 1


def _check_finite(square: np.ndarray) -> None:
    if not np.isfinite(square).all():
        raise ValueError("dictionary: a function is not finite at the (smoothed) states; leave it out, or rescale.")
