"""Rows over generators from a stream of points, accumulated as they come."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import cached_property, partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Float

from ..derivative import (
    Blocks,
    blocks,
    expand,
    feature_width,
    full_precision,
    section_blocks,
    section_width,
    slopes,
)
from ..interop import ForeignModel
from ..report import progress
from ..sampling import DrawnRows, RowDraws, Stream, check_varying, stream
from ._accumulator import Accumulator, Reduction, parts_of
from ._asked_alike import marks
from ._checks import check_enough
from ._device_rows import DeviceRows, on_accelerator
from ._question import Question, Rule

SAMPLE = 1024  # rows that units are estimated from
BUDGET = 64 * 2**20  # bytes for one batch of rows
MORE = 16  # times as many on an accelerator, which needs large batches to be busy


class _Rows(NamedTuple):
    """`Blocks` as NumPy views; on an accelerator all but the values are left where they are."""

    rows: np.ndarray | jax.Array
    values: np.ndarray
    moved: np.ndarray | jax.Array
    turned: np.ndarray | jax.Array


def reduce_model(
    question: Question,
    F: Callable | ForeignModel,
    x: Stream,
    weights: Float[np.ndarray, " N"] | None,
    rule: Rule,
    needed: Bool[np.ndarray, " n"] | None = None,
) -> Reduction:
    """Rows of the Lie derivative of a model at every point of a stream, of which the columns `needed` must vary."""
    with jax.enable_x64(x.dtype == np.float64):
        scales, x = units(F, x, question)
        if x.pieces is None:
            batches, draws = partial(x.batches, needed=needed), draws_for(question, rule)
            found, dtype, _ = Reducer(question, F, x, scales).accumulated(x, batches, draws, weights)
        else:
            reducer = Reducer(question, F, replace(x, rows=x.pieces.largest), scales)
            asked = marks(question, F, rule, x.dtype) if jax.process_count() > 1 else {}
            found, dtype = x.pieces.each(partial(_of_piece, reducer, rule), _Piece.merge, weights, asked=asked)
            check_varying(found.low, found.high, x.names, x.argument, needed)
    check_enough(sum(found.numerator.rows), question.source.algebra.dim, x.argument)
    return finished(question, found, scales, dtype)


def _of_piece(reducer: "Reducer", rule: Rule, rows: np.ndarray, first: int, weights: np.ndarray | None) -> "_Piece":
    """A piece of a table, wherever it lies."""
    with full_precision(), jax.enable_x64(rows.dtype == np.float64):
        piece = replace(stream(rows, reducer.argument, reducer.names), first=first)
        draws = draws_for(reducer.question, rule, first)
        return _Piece(*reducer.accumulated(piece, partial(piece.batches, piece=True), draws, weights)[:2])


class _Piece(NamedTuple):
    """What it was reduced to, and the dtype of the values."""

    found: Accumulator
    dtype: np.dtype

    def merge(self, other: "_Piece") -> "_Piece":
        return _Piece(self.found.merge(other.found), np.promote_types(self.dtype, other.dtype))


def finished(question: Question, found: Accumulator, units: "Units", dtype: np.dtype) -> Reduction:
    """What is left when all data have been seen."""
    try:
        return found.finish(_expansions(question, units), dtype, units.outputs)
    except ValueError:
        raise _overflow(question.model) from None


def _blocks(question: Question, F: Callable | ForeignModel) -> Callable[..., Blocks]:
    if question.section:
        asked = question.section
        return section_blocks(F, question.source, question.onto, asked.up_to_factor, asked.also)
    return blocks(F, question.source, question.onto)


def _expansions(question: Question, units: "Units") -> tuple[Callable[[np.ndarray], np.ndarray], ...]:
    """How the factor of each term of the denominator becomes rows over generators; those of a section are."""
    if question.section:
        return (np.asarray, np.asarray)
    return (
        partial(expand, question.source, scale=1 / units.inputs),
        partial(expand, question.onto, scale=units.outputs),
    )


def _overflow(name: str) -> ValueError:
    return ValueError(f"{name} or its derivative is so large on x that its squares overflow. Measure in other units.")


class Reducer:
    """What reduces rows of a stream, or of one after another piece of a table, compiled once.

    Arguments: `question`; `F`, its model; `x`, a stream, or one like the pieces and of as many `rows` as the largest
        has; `units` of inputs and outputs.
    """

    def __init__(self, question: Question, F: Callable | ForeignModel, x: Stream, units: "Units"):
        q, m = question.source.algebra.dim, question.onto.width
        more = section_width(question.source) * q if question.section else 0
        self.question, self.F, self.units = question, F, units
        self.names, self.argument = x.names, x.argument
        self.size = batch_size(x.rows, (3 * m + 2) * q + 4 * x.width * m + more)

    @cached_property
    def _evaluate(self) -> Callable[[np.ndarray, np.ndarray], Blocks]:
        evaluate = _blocks(self.question, self.F)
        return lambda batch, probes: evaluate(batch, probes, *self.units)

    def accumulated(
        self,
        x: Stream,
        batches: Callable[[int], Iterator[np.ndarray]],
        draws: RowDraws,
        weights: Float[np.ndarray, " N"] | None,
    ) -> tuple[Accumulator, np.dtype, int]:
        """The rows of a stream; the dtype of the values; how many they are.

        `batches` of the stream, of a given size; `draws` by row number.
        """
        question, size = self.question, self.size
        source, target, name = question.source, question.onto, question.model
        q = source.algebra.dim
        widths = (q, q) if question.section else (feature_width(source), feature_width(target))
        found, device = Accumulator.empty(q, source.width, widths), DeviceRows()
        start, dtype = 0, x.dtype
        pieces = progress(batches(size), None if x.rows is None else -(-x.rows // size), "Lie derivative")
        for out, batch, drawn, order in _evaluated(self._evaluate, pieces, size, draws):
            b, used = len(batch), int(np.sum(~drawn.held))
            w = np.ones(b) if weights is None else weights[start : start + b][order]
            taken = False
            if isinstance(out.rows, jax.Array):
                device, taken = device.absorb(parts_of(q), (out.rows, out.moved, out.turned), drawn, w[:used])
                if not taken:
                    out = _Rows(*(np.asarray(part)[:b] for part in out))
            _check_finite(out, batch, order, x.first + start, x.argument, name, used)
            dtype = out.values.dtype
            found = found.show(drawn, batch, out.values, w)
            if not taken:
                root = None if weights is None else np.sqrt(w[:used])
                rows, *terms = (_weighted(np.asarray(part)[:used], root) for part in (out.rows, out.moved, out.turned))
                try:
                    found = found.absorb(drawn, w[:used], rows, terms)
                except ValueError:
                    # NaN and inf show in the factor, where it costs nothing to look for them; only now is their place
                    # sought.
                    _check_finite(out, batch, order, x.first + start, x.argument, name)
                    raise _overflow(name) from None
            start += b
        return device.merged(found), np.dtype(dtype), start


def draws_for(question: Question, rule: Rule, first_row: int = 0) -> RowDraws:
    """What is drawn for the rows of a table, or of the piece of it that begins with `first_row`."""
    q, m = question.source.algebra.dim, question.onto.width
    # While equations are few none can be spared: the finite check then uses points that the factors have seen.
    parts, spared = parts_of(q), -(-(2 * q + 32) // m)
    together = None if rule.groups is None else rule.groups.parts(parts, rule.seed)
    return RowDraws(rule.seed, parts, spared, first_row, together)


class Units(NamedTuple):
    """`inputs` (n,) are measured in these units, and `outputs` (m,) multiplied by these factors."""

    inputs: Float[np.ndarray, " n"]
    outputs: Float[np.ndarray, " m"]


def check_units(given, question: Question) -> None:
    """A ValueError unless these are units of the inputs and outputs."""
    widths = (question.source.width, question.onto.width)
    fits = isinstance(given, Units) and tuple(np.shape(each) for each in given) == tuple((width,) for width in widths)
    if not fits or not all(np.all(np.isfinite(each)) and np.all(np.asarray(each) > 0) for each in given):
        raise ValueError(
            f"units must be those of lieder.discover.units, for {widths[0]} inputs and {widths[1]} outputs, got"
            f" {given!r}."
        )


def units(F: Callable | ForeignModel, x: Stream, question: Question) -> tuple[Units, Stream]:
    """Units in which columns that no generator mixes can be compared, from a sample of the rows, in a pass of its own.

    Inputs: the rms size of each group of coordinates about its mean. Outputs: one over the rms slope of each group, in
    these units of the inputs. With one group on a side its unit cancels, and is one.

    Returns: these, and the stream, to be read once more.
    """
    source, target = question.source, question.onto
    inputs, outputs = source.unit_groups(), target.unit_groups()
    s, t = np.ones(source.width), np.ones(target.width)
    if question.section:
        x = x.repeatable()
        s = spreads(x.sample(SAMPLE), inputs)
        return Units(s, question.section.factors(s, target.width)), x
    if len(inputs) == 1 and len(outputs) == 1:
        return Units(s, t), x
    x = x.repeatable()
    sample = x.sample(SAMPLE)
    if len(inputs) > 1:
        s = spreads(sample, inputs)
    if len(outputs) > 1:
        slope = slopes(F, source.width, target.width)(sample[:64]) * s
        for group in outputs:
            t[group] = 1.0 / _size(slope[:, group][np.isfinite(slope[:, group])])
    return Units(s, t), x


def spreads(sample: np.ndarray, groups: Iterable[np.ndarray]) -> Float[np.ndarray, " n"]:
    """The rms of each group of columns about its mean, for each column; about zero where it does not vary."""
    out = np.ones(sample.shape[1])
    for group in groups:
        piece = np.asarray(sample[:, group], np.float64)
        spread = piece - piece.mean(axis=0)
        out[group] = _size(spread if spread.any() else piece)
    return out


def _size(values: np.ndarray) -> float:
    """The rms, one where it is not a positive number."""
    size = float(np.sqrt(np.mean(np.square(values)))) if values.size else 0.0
    return size if np.isfinite(size) and size > 0 else 1.0


def batch_size(rows: int | None, numbers_each: int) -> int:
    """Examples a batch, within the byte budget; a power of two where one batch does, so that little is compiled."""
    more = MORE if on_accelerator(jnp.zeros(())) else 1
    fits = int(np.clip(more * BUDGET // (8 * numbers_each), 16, more * 16384))
    if rows is None:
        return fits
    batches = -(-rows // fits)
    return -(-rows // batches) if batches > 1 else min(fits, 1 << max(rows - 1, 1).bit_length())


def _evaluated(
    evaluate: Callable, batches: Iterable[np.ndarray], size: int, draws: RowDraws
) -> Iterator[tuple[_Rows, np.ndarray, DrawnRows, np.ndarray]]:
    """For each batch its `Blocks` as NumPy views, its examples in the order they have there, what is drawn for them,
    and that order.

    Examples are sorted by part, and those held out moved to the end, so that the rest are views and not copies. The
    next batch is handed to JAX before this one is given out: where JAX works in the background, LAPACK works at the
    same time.
    """
    waiting, start = None, 0
    for batch in batches:
        b = len(batch)
        drawn = draws.rows(start, start + b)
        order = np.lexsort((drawn.part, drawn.held))
        drawn = DrawnRows(*(each[order] for each in drawn))
        batch, probes = batch[order], drawn.probe
        if b < size:  # padded, so that nothing is compiled twice
            fill = np.zeros(size - b, np.int64)
            batch, probes = np.concatenate([batch, batch[fill]]), np.concatenate([probes, probes[fill]])
        coming = (evaluate(batch, probes), batch[:b], drawn, order)
        if waiting is not None:
            yield _as_numpy(*waiting)
        waiting = coming
        start += b
    if waiting is not None:
        yield _as_numpy(*waiting)


def _as_numpy(
    out: Blocks, batch: np.ndarray, drawn: DrawnRows, order: np.ndarray
) -> tuple[_Rows, np.ndarray, DrawnRows, np.ndarray]:
    b = len(batch)
    rows, values, moved, turned = out
    if on_accelerator(rows):
        return _Rows(rows, np.asarray(values)[:b], moved, turned), batch, drawn, order
    return _Rows(*(np.asarray(part)[:b] for part in out)), batch, drawn, order


def _weighted(part: np.ndarray, root: np.ndarray | None) -> np.ndarray:
    """Each example's rows times the root of its weight."""
    if root is None:
        return part
    return part.astype(np.float64, copy=False) * root.reshape((-1,) + (1,) * (part.ndim - 1))


def _check_finite(
    out: _Rows, batch: np.ndarray, order: np.ndarray, start: int, argument: str, name: str, rows_from: int = 0
) -> None:
    """A ValueError naming the first example with a value, or a row at or after `rows_from`, that is not finite.

    Rows that stayed on an accelerator were accepted there, and are finite."""
    for part, first, what in ((out.values, 0, "returns"), (out.rows, rows_from, "has a derivative that is")):
        if isinstance(part, jax.Array):
            continue
        bad = first + np.flatnonzero(~np.isfinite(part[first:]).all(axis=tuple(range(1, part.ndim))))
        if len(bad):
            place = int(bad[np.argmin(order[bad])])
            point = ", ".join(f"{v:.6g}" for v in batch[place][:6]) + (", ..." if batch.shape[1] > 6 else "")
            advice = (
                "Leave the point out or guard the model there."
                if what == "returns"
                else (
                    "It is not differentiable there (a norm or square root at zero, say): leave the point out or smooth"
                    " the model."
                )
            )
            where = f"row {start + order[place]} of {argument}, ({point})"
            raise ValueError(f"{name} {what} NaN or inf at {where}. {advice}")
