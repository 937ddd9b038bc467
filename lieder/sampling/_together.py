"""Inputs and outputs whose rows belong together, read batch by batch or worked on where they lie."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import NamedTuple, TypeVar

import numpy as np
from jaxtyping import Float

from ._pieces import Pieces
from ._stream import Stream, stream

T = TypeVar("T")


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
