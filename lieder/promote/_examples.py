"""The examples of a regression as they are given, checked, and read batch by batch as often as needed."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from operator import add
from typing import Any, NamedTuple, TypeVar

import numpy as np
from jaxtyping import Float, Int

from ..interop import estimator_inputs, estimator_outputs, is_spread, rows_of, settings_mark
from ..sampling import SINGLY, Pairs, RowDraws, Stream, Together, distinct_rows, folds, is_batched, stream
from ._settings import Settings

T = TypeVar("T")
FEW = SINGLY  # examples up to which equal ones are looked for; of more, each is one of its own
_HUGE = 1e140  # values above it have squares that overflow


class Batch(NamedTuple):
    """Examples with weights above zero, the numbers of their rows, and which fold each is in."""

    numbers: Int[np.ndarray, " B"]
    x: Float[np.ndarray, "B n"]
    y: Float[np.ndarray, "B m"]
    weights: Float[np.ndarray, " B"]
    part: Int[np.ndarray, " B"]


@dataclass(frozen=True, eq=False)
class Examples:
    """Inputs (N, n), outputs (N, m), weights and folds.

    Up to FEW of them are held in memory, equal ones as one, and equal inputs are in one fold. Of more, the fold follows
    from the number of the row and a seed. So nothing depends on whether they come as arrays or in batches.

    Fields: `start`, from a number of rows to an iterator over batches of so many, the last one shorter, or rows that
        are read together, with the draws of their folds; `outputs` m; `names` (m,); `single`, whether outputs came with
        one dimension.
    """

    start: Callable[[int], Iterator[Batch]] | tuple[Together, RowDraws]
    outputs: int
    names: tuple[str, ...]
    single: bool

    def over(self, work: Callable[[Iterable[Batch]], T], merge: Callable[[T, T], T], size: int) -> T:
        """What `work` makes of all batches, of about `size` rows; of rows that lie in pieces it works on each piece
        where it is, and what it makes of them is merged."""
        if callable(self.start):
            return work(self.start(size))
        rows, draws = self.start
        return rows.over(partial(_on_batches, work, draws), merge, size)


def _on_batches(work: Callable[[Iterable[Batch]], T], draws: RowDraws, pairs: Iterable[Pairs]) -> T:
    return work(_batches(draws, pairs))


def _batches(draws: RowDraws, pairs: Iterable[Pairs]) -> Iterator[Batch]:
    for first, x, y, weights in pairs:
        _check_size(x, "X")
        _check_size(y, "y")
        yield from _used(first, x, y, weights, draws.rows(first, first + len(x)).part)


def examples_of(model: Any, X: Any, y: Any, sample_weight: Any, settings: Settings) -> Examples:
    """The data of a fit, or an error that says what is wrong with them; the model notes what X is like."""
    flat = np.ndim(y) == 1 if is_spread(y) else False
    asked = settings_mark(model.get_params(deep=False)) if is_spread(X) or is_spread(y) else None
    X, y = (rows_of(data, name, None, asked) if is_spread(data) else data for data, name in ((X, "X"), (y, "y")))
    if not (is_batched(X) or isinstance(X, Stream | np.memmap)):
        x, outputs = checked_inputs(model, X, first=True), estimator_outputs(model, y)
        _check_size(outputs, "y")
        if len(outputs) != len(x):
            raise ValueError(f"y: expected one row for each of the {len(x)} examples in X, got shape {outputs.shape}.")
        table, single = outputs.reshape(len(outputs), -1), outputs.ndim == 1
        weights = _weights(sample_weight, len(x))
        return _of_arrays(x, table, weights, settings, output_names(y, table.shape[1]), single)
    if y is None:
        estimator_outputs(model, None)  # which says what is missing
    inputs, found, single = _streams(model, X, y, flat)
    names = found.names if is_batched(y) or isinstance(y, Stream) else output_names(y, found.width)
    both = Together(inputs, found)
    if few := _few(both):
        x, table = few
        _check_size(x, "X")
        _check_size(table, "y")
        return _of_arrays(x, table, _weights(sample_weight, len(x)), settings, names, single)
    if sample_weight is not None:
        weights = _weights(sample_weight, None)
        _check_count(weights, both.over(_counted, add, 2**13) if inputs.rows is None else inputs.rows)
        both = replace(both, weights=weights)
    return Examples((both, RowDraws(settings.seed, settings.folds, 0)), found.width, names, single)


def _few(both: Together) -> tuple[np.ndarray, np.ndarray] | None:
    """All rows where they are at most FEW, else None."""
    known = both.x.rows
    if both.x.pieces is not None and known is not None and known > FEW:
        return None
    return both.over(_first_few, _joined, 2**13)


def _first_few(pairs: Iterable[Pairs]) -> tuple[np.ndarray, np.ndarray] | None:
    held, count = [], 0
    for pair in pairs:
        held.append((pair.x, pair.y))
        count += len(pair.x)
        if count > FEW:
            return None
    return np.concatenate([x for x, _ in held]), np.concatenate([y for _, y in held])


def _joined(
    one: tuple[np.ndarray, np.ndarray] | None, other: tuple[np.ndarray, np.ndarray] | None
) -> tuple[np.ndarray, np.ndarray] | None:
    if one is None or other is None:
        return None
    return np.concatenate([one[0], other[0]]), np.concatenate([one[1], other[1]])


def _counted(pairs: Iterable[Pairs]) -> int:
    return sum(len(pair.x) for pair in pairs)


def _of_arrays(x, y, weights, settings: Settings, names: tuple[str, ...], single: bool) -> Examples:
    if len(x) <= FEW:
        x, y, weights = merged(x, y, weights)
        part = folds(distinct_rows(x), settings.folds, settings.seed)
    else:
        draws = RowDraws(settings.seed, settings.folds, 0)
        part = np.concatenate(
            [draws.rows(i, min(i + FEW, len(x))).part.astype(np.int32) for i in range(0, len(x), FEW)]
        )

    def start(size: int) -> Iterator[Batch]:
        for begin in range(0, len(x), size):
            rows = slice(begin, begin + size)
            yield from _used(begin, x[rows], y[rows], weights[rows], part[rows])

    return Examples(start, y.shape[1], names, single)


def _used(first: int, x, y, weights, part) -> Iterator[Batch]:
    """What has a weight. One without is none: it must not stretch the box in which L_F is measured."""
    numbers = np.arange(first, first + len(x))
    if weights is None:
        yield Batch(numbers, x, y, np.ones(len(x)), part)
    elif weights.all():
        yield Batch(numbers, x, y, weights, part)
    elif weights.any():
        on = weights > 0
        yield Batch(numbers[on], x[on], y[on], weights[on], part[on])


def _streams(model: Any, X: Any, y: Any, flat: bool) -> tuple[Stream, Stream, bool]:
    """Inputs and outputs in batches, to be read again and again, and whether outputs have one dimension; of a stream it
    is known beforehand whether it is `flat`."""
    inputs = stream(X, "X").repeatable()
    checked_inputs(model, inputs.head[:1], first=True)
    if inputs.names != tuple(f"X{i}" for i in range(inputs.width)):
        model.feature_names_in_ = np.array(inputs.names, dtype=object)
    if isinstance(y, Stream):
        return inputs, y.repeatable(), flat
    dimensions: set[int] = set()

    def tables() -> Iterator[Any]:
        for piece in y:
            dimensions.add(np.ndim(piece))
            yield piece if np.ndim(piece) != 1 else np.asarray(piece)[:, None]

    several = is_batched(y) or (isinstance(y, list | tuple) and len(y) > 0 and np.ndim(y[0]) == 1)
    outputs = stream(tables() if several else y, "y").repeatable()
    return inputs, outputs, 1 in (dimensions if several else {np.ndim(y)})


def checked_inputs(model: Any, X: Any, *, first: bool) -> np.ndarray:
    """Inputs (N, n) in float64, of `fit` or of a later call."""
    x = estimator_inputs(model, X, first=first)
    _check_size(x, "X")
    return x


def _weights(weights, count: int | None) -> np.ndarray:
    """Weights (N,), one where none are given; `count` of the examples where it is known."""
    if weights is None:
        return np.ones(count or 0)
    weights = _real(weights, "sample_weight")
    if count is not None or weights.ndim != 1:
        _check_count(weights, count)
    if weights.min() < 0 or weights.sum() == 0:
        raise ValueError(f"sample_weight must not be negative, nor all zero; the least is {weights.min():.3g}.")
    return weights


def _check_count(weights: np.ndarray, count: int | None) -> None:
    if weights.shape != (count,):
        which = "each example" if count is None else f"each of the {count} examples"
        raise ValueError(f"sample_weight: expected one number for {which}, got shape {weights.shape}.")


def merged(
    x: Float[np.ndarray, "N n"], y: Float[np.ndarray, "N m"], weights: Float[np.ndarray, " N"]
) -> tuple[Float[np.ndarray, "M n"], Float[np.ndarray, "M m"], Float[np.ndarray, " M"]]:
    """Examples with a weight, each once: an example that is given twice is one of weight two."""
    x, y, weights = x[weights > 0], y[weights > 0], weights[weights > 0]
    _, first, place = np.unique(np.concatenate([x, y], axis=1), axis=0, return_index=True, return_inverse=True)
    order = np.sort(first)
    total = np.bincount(np.searchsorted(order, first[place.reshape(-1)]), weights)
    return x[order], y[order], total


def output_names(y, count: int) -> tuple[str, ...]:
    """Those of a data frame or series, else y0, y1, .."""
    columns = getattr(y, "columns", None)
    named = [getattr(y, "name", None)] if columns is None else list(columns)
    known = tuple(name for name in named if isinstance(name, str))
    if len(named) == len(known) == count:
        return known
    return tuple(f"y{i}" for i in range(count))


def _real(values, name: str) -> np.ndarray:
    array = np.asarray(values)
    if not (np.issubdtype(array.dtype, np.number) or array.dtype == bool) or np.iscomplexobj(array):
        raise TypeError(f"{name} must hold real numbers, got dtype {array.dtype}.")
    array = array.astype(np.float64)
    bad = ~np.isfinite(array)
    if bad.any():
        raise ValueError(f"{name} holds {bad.sum()} NaN or infinite values, the first in row {np.argwhere(bad)[0][0]}.")
    return array


def _check_size(array: np.ndarray, name: str) -> None:
    largest = max(array.max(initial=0.0), -array.min(initial=0.0))
    if largest > _HUGE:
        raise ValueError(f"{name} holds values up to {largest:.2g}, whose squares overflow; give it in other units.")
