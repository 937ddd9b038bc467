"""Inputs and outputs whose rows belong together, read batch by batch or worked on where they lie."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import NamedTuple, TypeVar

import numpy as np
from jaxtyping import Float

from ._numbers import row_keys
from ._pieces import Pieces
from ._sample import Sample
from ._stream import Stream, stream

T = TypeVar("T")
_READ = 2**13  # rows read at a time for a sample


class Pairs(NamedTuple):
    """A batch: the number of its first row, inputs (B, n), outputs (B, m) and weights (B,), None where all are one."""

    first: int
    x: Float[np.ndarray, "B n"]
    y: Float[np.ndarray, "B m"]
    weights: Float[np.ndarray, " B"] | None


@dataclass(frozen=True, eq=False)
class Together:
    """Inputs `x` and outputs `y`, in float64 when they are read, and `weights` (N,) of the rows, if there are any."""

    x: Stream
    y: Stream
    weights: Float[np.ndarray, " N"] | None = None

    def over(self, work: Callable[[Iterable[Pairs]], T], merge: Callable[[T, T], T], size: int) -> T:
        """What `work` makes of all rows.

        Arguments: `work`, a function of batches of `size` rows; where inputs lie in pieces it works on those of each
            piece where they are, and what it makes of them is merged by `merge`.
        Returns: what work, or merge, returns.
        Raises: ValueError for rows that do not belong together and for what is not finite.
        """
        x, y = self.x, self.y
        if x.pieces is None:
            return work(_batches(x, y, self.weights, size))
        beside: Pieces | np.ndarray | None = y.whole if y.pieces is None else y.pieces
        if beside is None:
            raise ValueError(f"{y.argument}: give it as {x.argument} is given, or as one array.")
        _check_equal(x, y, x.rows or 0, y.rows or 0)
        names = (x.argument, x.names), (y.argument, y.names)
        return x.pieces.each(partial(_of_piece, work, size, names), merge, beside, self.weights)

    def sample(self, size: int, seed: int = 0) -> tuple[Sample, int]:
        """A uniform sample of at most `size` rows, the same in whatever form they come, and how many there are.

        Returns: the sample, whose columns are inputs, outputs and weights; the number of rows.
        Raises: as `over`.
        """
        return self.over(partial(_sampled, size, seed), _both, _READ)


def _sampled(size: int, seed: int, batches: Iterable[Pairs]) -> tuple[Sample, int]:
    kept, count = Sample.empty(size), 0
    for first, a, b, given in batches:
        stop = first + len(a)
        weights = np.ones(len(a)) if given is None else given
        kept, count = kept.absorb(np.arange(first, stop), row_keys(first, stop, seed), a, b, weights), count + len(a)
    return kept, count


def _both(one: tuple[Sample, int], other: tuple[Sample, int]) -> tuple[Sample, int]:
    return one[0].merge(other[0]), one[1] + other[1]


def _of_piece(
    work: Callable[[Iterable[Pairs]], T],
    size: int,
    names: tuple[tuple[str, tuple[str, ...]], ...],
    x: np.ndarray,
    first: int,
    y: np.ndarray,
    weights: np.ndarray | None,
) -> T:
    inputs, outputs = (replace(stream(side, *name), first=first) for side, name in zip((x, y), names, strict=True))
    return work(_batches(inputs, outputs, weights, size))


def _batches(x: Stream, y: Stream, weights: np.ndarray | None, size: int) -> Iterator[Pairs]:
    """In float64."""
    inputs, outputs = x.batches(size, piece=True), y.batches(size, piece=True)
    seen = others = 0
    for a in inputs:
        b = next(outputs, a[:0])
        start, seen, others = seen, seen + len(a), others + len(b)
        if seen != others:
            break
        a, b = (side.astype(np.float64, copy=False) for side in (a, b))
        yield Pairs(x.first + start, a, b, None if weights is None else weights[start:seen])
    _check_equal(x, y, seen + sum(map(len, inputs)), others + sum(map(len, outputs)))


def _check_equal(x: Stream, y: Stream, rows: int, others: int) -> None:
    if rows != others:
        raise ValueError(f"{x.argument} has {rows} rows and {y.argument} has {others}: rows must belong together.")
