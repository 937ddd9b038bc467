"""Trajectories reduced to triangular factors, block by block: memory does not grow with features times rows."""

from collections.abc import Iterator
from functools import reduce
from typing import NamedTuple

import numpy as np

from lieder.derivative import values
from lieder.dictionary import AbstractDictionary
from lieder.linalg import FoldFactors
from lieder.sampling import Moments, moments

from ._dynamics_data import Trajectories
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


def reduced(data: Trajectories, method: AbstractSlopes, dictionary: AbstractDictionary, folds: int) -> Reduced:
    """The rows of every trajectory or stretch of time, kept whole in one fold each where there are enough."""
    count, noise = sum(map(len, data.states)), np.zeros(dictionary.width)
    square, doubt = np.zeros(dictionary.size), np.zeros(dictionary.width)
    where = _moments(data.states)
    spread = where.deviation
    factors = FoldFactors.empty(folds, dictionary.size + data.targets)
    if data.velocities is not None:
        for fold, i, rows in _stretches([len(x) for x in data.states], folds, max(1, BLOCK // dictionary.size)):
            f = values(dictionary, data.states[i][rows])
            square += np.sum(f**2, axis=0)
            _check_finite(square)
            factors = _absorbed(factors, fold, f, data.velocities[i][rows])
        # Velocities of the states are measured by the states' own units, so that a symmetry mixes what can be compared.
        own = data.targets == len(spread)
        unit = spread if own else _moments(data.velocities).deviation
    else:
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
            factors = _absorbed(factors, fold, *(side[rows] for side in pairs[i]))
        unit = spread
    found = None if data.velocities is not None else np.sqrt(noise)
    unit, size = (np.where(scale > 0, scale, 1.0) for scale in (unit, np.sqrt(square / count)))
    slack = SLACK * float(np.mean(doubt / unit**2)) if data.velocities is None else 0.0
    return Reduced(factors, where.mean, spread, size, unit, found, slack)


def residuals(factors: FoldFactors, W: np.ndarray) -> np.ndarray:
    """|b - A w| / |b| of each equation; 0 where there is nothing to explain."""
    whole = factors.whole().factor
    a, b = whole[:, : W.shape[1]], whole[:, W.shape[1] :]
    left, size = np.sum((b - a @ W.T) ** 2, axis=0), np.sum(b**2, axis=0)
    return np.sqrt(left / np.where(size > 0, size, 1.0))


def _moments(tables: list[np.ndarray]) -> Moments:
    return reduce(Moments.merge, map(moments, tables))


def _absorbed(factors: FoldFactors, fold: int, a: np.ndarray, b: np.ndarray) -> FoldFactors:
    return factors.absorb(np.concatenate([a, b], axis=1), np.full(len(a), fold))


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
