"""Rows over generators from a stream of points, reduced to two triangular factors as they come."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import jax
import numpy as np
from jaxtyping import Bool, Float

from ..action import AbstractAction, AbstractFibreAction
from ..derivative import Blocks, blocks, expand, feature_width, slopes
from ..interop import ForeignModel
from ..linalg import RelativeSpectrum, TriangularFactor, relative_spectrum
from ..report import progress
from ..sampling import Reservoir, Stream
from ._checks import check_enough
from ._question import Question

PARTS = 8  # the data are kept in so many parts, so that the answer can be repeated without each
# Of few data one row in 4, of many one in 16, is kept for the finite check and the figures and stays out of the
# factors.
HELD = (4, 16)
SAMPLE = 1024  # rows that units are estimated from
BUDGET = 64 * 2**20  # bytes for one batch of rows


@dataclass(frozen=True, eq=False)
class Reduction:
    """What is left of the data.

    Fields: `numerators`, `denominators`, one (rows, q) factor for each part; `rows` counted, and the sum of the
    `weight` of their examples; `points`, `values`, `held_weights`, the held-out examples; `outputs` (m,), the factors
    that outputs were multiplied by to share a unit.
    """

    numerators: tuple[Float[np.ndarray, "_ q"], ...]
    denominators: tuple[Float[np.ndarray, "_ q"], ...]
    rows: int
    weight: float
    points: Float[np.ndarray, "held n"]
    values: Float[np.ndarray, "held m"]
    held_weights: Float[np.ndarray, " held"]
    dtype: np.dtype
    outputs: Float[np.ndarray, " outputs"]

    def whole(self) -> tuple[Float[np.ndarray, "r q"], Float[np.ndarray, "s q"]]:
        """Numerator and denominator over all parts."""
        return _merged(self.numerators), _merged(self.denominators)

    def spectra_without_each(self, null_tolerance: float) -> list[RelativeSpectrum]:
        """The spectrum repeated with one part left out at a time; empty when there are fewer than four parts."""
        parts = len(self.numerators)
        if parts < 4:
            return []
        out = []
        for left_out in range(parts):
            keep = [p for p in range(parts) if p != left_out]
            a, b = (_merged([factors[p] for p in keep]) for factors in (self.numerators, self.denominators))
            out.append(relative_spectrum(a, b, null_tolerance))
        return out


def _merged(factors) -> np.ndarray:
    total = TriangularFactor.empty(factors[0].shape[1])
    for factor in factors:
        total = total.absorb(factor)
    return total.factor


class Collector:
    """Absorbs rows part by part; used by every verb that turns points into rows."""

    def __init__(self, generators: int, terms: tuple[tuple[int, Callable[[np.ndarray], np.ndarray]], ...], seed: int):
        """`terms`: for each term of the denominator the width of what is absorbed, and how its factor becomes rows
        over generators."""
        # Beyond this the factors themselves are what memory is spent on, and one part must do.
        self._parts = PARTS if generators <= 512 else 1
        self._expansions = [expansion for _, expansion in terms]
        self._rows = [TriangularFactor.empty(generators) for _ in range(self._parts)]
        self._terms = [[TriangularFactor.empty(width) for _ in range(self._parts)] for width, _ in terms]
        self._reservoir = Reservoir(512, seed)
        self._batches = 0
        self.count = 0
        self._weight = 0.0

    def absorb(self, weight: float, rows: np.ndarray, *terms: np.ndarray) -> None:
        """Rows (r, q) of the numerator, and each term of the denominator; `weight`, the sum over the examples they
        stand for."""
        self._weight += weight
        part = self._batches % self._parts
        self._rows[part] = self._rows[part].absorb(rows)
        for factors, block in zip(self._terms, terms, strict=True):
            factors[part] = factors[part].absorb(block)
        self._batches += 1
        self.count += len(rows)

    def hold(self, points: np.ndarray, values: np.ndarray, weights: np.ndarray) -> None:
        """Keep examples for the finite check."""
        self._reservoir.absorb(points, values, weights)

    def reduction(self, dtype: np.dtype, outputs: Float[np.ndarray, " m"]) -> Reduction:
        used = [part for part in range(self._parts) if self._rows[part].rows]
        denominators = []
        for part in used:
            rows = np.concatenate(
                [grow(factors[part].factor) for grow, factors in zip(self._expansions, self._terms, strict=True)]
            )
            denominators.append(TriangularFactor.empty(rows.shape[1]).absorb(rows).factor)
        numerators = tuple(self._rows[part].factor for part in used)
        points, values, weights = self._reservoir.rows()
        return Reduction(
            numerators, tuple(denominators), self.count, self._weight, points, values, weights, dtype, outputs
        )


class _Rows(NamedTuple):
    """`Blocks` as NumPy views."""

    rows: np.ndarray
    values: np.ndarray
    moved: np.ndarray
    turned: np.ndarray


def reduce_model(
    question: Question,
    F: Callable | ForeignModel,
    x: Stream,
    weights: Float[np.ndarray, " N"] | None,
    seed: int,
    needed: Bool[np.ndarray, " n"] | None = None,
) -> Reduction:
    """Rows of the Lie derivative of a model at every point of a stream, of which the columns `needed` must vary."""
    source, target, name = question.source, question.onto, question.model
    wide = x.dtype == np.float64
    q, m = source.algebra.dim, target.width
    with jax.enable_x64(wide):
        s, t = units(F, x, source, target)
        evaluate = partial(_in_units, blocks(F, source, target), s, t)
        terms = tuple(
            (feature_width(a), partial(expand, a, scale=scale)) for a, scale in ((source, 1 / s), (target, t))
        )
        collector = Collector(q, terms, seed)
        start, dtype = 0, x.dtype
        size = batch_size(x.rows, (3 * m + 2) * q + 4 * x.width * m)
        # With few rows none can be spared: the finite check then uses points that the factors have seen. Of a batch of
        # one row nothing would be left.
        spare = x.rows is None or (x.rows * m >= 2 * q + 32 and size > 1)
        batches = progress(x.batches(size, needed), None if x.rows is None else -(-x.rows // size), "Lie derivative")
        for out, batch, order, used in _evaluated(evaluate, batches, size, spare, x.rows):
            b = len(batch)
            _check_finite(out, batch, order, start, x.argument, name, used)
            dtype = out.values.dtype
            w = None if weights is None else np.sqrt(weights[start : start + b][order])
            held = slice(used, b) if spare else held_rows(b, x.rows)
            collector.hold(batch[held], out.values[held], np.ones(b)[held] if w is None else w[held] ** 2)
            root = None if w is None else w[:used]
            parts = (_weighted(part[:used], root) for part in (out.rows, out.moved, out.turned))
            try:
                collector.absorb(float(used if root is None else np.sum(root**2)), *parts)
            except ValueError:
                # NaN and inf show in the factor, where it costs nothing to look for them; only now is their place
                # sought.
                _check_finite(out, batch, order, start, x.argument, name)
                raise _overflow(name) from None
            start += b
    check_enough(collector.count, q, x.argument)
    try:
        return collector.reduction(np.dtype(dtype), t)
    except ValueError:
        raise _overflow(name) from None


def _overflow(name: str) -> ValueError:
    return ValueError(f"{name} or its derivative is so large on x that its squares overflow. Measure in other units.")


def _in_units(evaluate: Callable, s: np.ndarray, t: np.ndarray, batch: np.ndarray, numbers: np.ndarray) -> Blocks:
    return evaluate(batch, numbers, s, t)


def units(
    F: Callable | ForeignModel, x: Stream, source: AbstractAction, target: AbstractFibreAction
) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, " m"]]:
    """Units in which columns that no generator mixes can be compared, from a sample of the rows.

    Inputs: the rms size of each group of coordinates about its mean. Outputs: one over the rms slope of each group, in
    these units of the inputs. With one group on a side its unit cancels, and is one.
    """
    inputs, outputs = source.unit_groups(), target.unit_groups()
    s, t = np.ones(source.width), np.ones(target.width)
    if len(inputs) == 1 and len(outputs) == 1:
        return s, t
    sample = x.sample(SAMPLE)
    if len(inputs) > 1:
        for group in inputs:
            piece = np.asarray(sample[:, group], np.float64)
            spread = piece - piece.mean(axis=0)
            s[group] = _size(spread if spread.any() else piece)
    if len(outputs) > 1:
        slope = slopes(F, sample[:64], target.width) * s
        for group in outputs:
            t[group] = 1.0 / _size(slope[:, group][np.isfinite(slope[:, group])])
    return s, t


def _size(values: np.ndarray) -> float:
    """The rms, one where it is not a positive number."""
    size = float(np.sqrt(np.mean(np.square(values)))) if values.size else 0.0
    return size if np.isfinite(size) and size > 0 else 1.0


def batch_size(rows: int | None, numbers_each: int) -> int:
    """Examples a batch: within the byte budget, and at least PARTS batches when the data allow it."""
    fits = int(np.clip(BUDGET // (8 * numbers_each), 16, 16384))
    return fits if rows is None else max(1, min(fits, -(-rows // PARTS)))


def held_rows(batch: int, rows: int | None) -> np.ndarray:
    """Which rows of a batch serve the finite check and the figures: about 512 of all of them, at least one."""
    stride = HELD[1] if rows is None else int(np.clip(rows // 512, *HELD))
    return np.arange(min(stride // 2, batch - 1), batch, stride)


def _evaluated(
    evaluate: Callable, batches: Iterable[np.ndarray], size: int, spare: bool, rows: int | None
) -> Iterator[tuple[_Rows, np.ndarray, np.ndarray, int]]:
    """For each batch its `Blocks` as NumPy views, its examples in the order they have there, that order, and how many
    of them, from the first, the factors may use.

    Examples held for the finite check are moved to the end, so that the rest is a view and not a copy. The next batch
    is
    handed to JAX before this one is given out: where JAX works in the background, LAPACK works at the same time.
    """
    waiting, start, order, held = None, 0, np.zeros(0, np.int64), np.zeros(0, np.int64)
    for batch in batches:
        b = len(batch)
        if b != len(order):
            held = held_rows(b, rows) if spare else held
            order = np.concatenate([np.setdiff1d(np.arange(b), held), held])
        batch, numbers = batch[order], start + order
        if b < size:  # padded, so that nothing is compiled twice
            fill = np.zeros(size - b, np.int64)
            batch, numbers = np.concatenate([batch, batch[fill]]), np.concatenate([numbers, numbers[fill]])
        coming = (evaluate(batch, numbers), batch[:b], order, b - len(held))
        if waiting is not None:
            yield _as_numpy(*waiting)
        waiting = coming
        start += b
    if waiting is not None:
        yield _as_numpy(*waiting)


def _as_numpy(
    out: Blocks, batch: np.ndarray, order: np.ndarray, used: int
) -> tuple[_Rows, np.ndarray, np.ndarray, int]:
    return _Rows(*(np.asarray(part)[: len(batch)] for part in out)), batch, order, used


def _weighted(part: np.ndarray, w: np.ndarray | None) -> np.ndarray:
    """Rows over the last axis, each example's multiplied by its weight."""
    if w is not None:
        part = part.astype(np.float64, copy=False) * w.reshape((-1,) + (1,) * (part.ndim - 1))
    return part.reshape(-1, part.shape[-1])


def _check_finite(
    out: _Rows, batch: np.ndarray, order: np.ndarray, start: int, argument: str, name: str, rows_from: int = 0
) -> None:
    """A ValueError naming the first example with a value, or a row at or after `rows_from`, that is not finite."""
    for part, first, what in ((out.values, 0, "returns"), (out.rows, rows_from, "has a derivative that is")):
        bad = first + np.flatnonzero(~np.isfinite(part[first:]).all(axis=tuple(range(1, part.ndim))))
        if len(bad):
            place = int(bad[np.argmin(order[bad])])
            point = ", ".join(f"{v:.6g}" for v in batch[place][:6]) + (", ..." if batch.shape[1] > 6 else "")
            advice = (
                "Leave the point out or guard the model there."
                if what == "returns"
                else (
                    "It is not differentiable there (a norm or square root at zero, say): leave the point out or "
                    "smooth the"
                    " model."
                )
            )
            where = f"row {start + order[place]} of {argument}, ({point})"
            raise ValueError(f"{name} {what} NaN or inf at {where}. {advice}")
