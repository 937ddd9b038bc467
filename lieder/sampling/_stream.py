"""Batches of rows from arrays, files on disk and iterables, cut to one size, so that memory does not grow with N."""

import dataclasses
import tempfile
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from operator import add
from typing import TypeVar

import numpy as np

from ._containers import check_container
from ._numbers import SINGLY, row_keys
from ._pieces import Pieces
from ._sample import Sample
from ._table import Table, check_rows, check_size, check_varying, table

T = TypeVar("T")
Numbered = Iterable[tuple[int, np.ndarray]]  # batches (B, n) with the number of their first row


@dataclass(frozen=True, eq=False)
class Stream:
    """Rows that arrive in batches.

    Fields: `start` gives a fresh iterator over arrays (B, n) of any B (an iterable that can be read only once gives its
    one); `width` n; `names` (n,); `dtype`; `rows` N if known, else None; `argument` the caller's name for it; `whole`
    the data when they are one array in memory or on disk, else None; `head` the whole data or the first batch; `once`,
    whether they can be read a single time; `first`, the number of the first row where these are a piece of a table;
    `pieces`, where the rows lie elsewhere in pieces and can be worked on there, else None.
    """

    start: Callable[[], Iterator[np.ndarray]]
    width: int
    names: tuple[str, ...]
    dtype: np.dtype
    rows: int | None
    argument: str
    whole: np.ndarray | None
    head: np.ndarray
    once: bool = False
    first: int = 0
    pieces: Pieces | None = None

    def batches(self, size: int, needed: np.ndarray | None = None, piece: bool = False) -> Iterator[np.ndarray]:
        """Arrays (size, n), the last one shorter, every value checked to be finite and every column that is `needed`
        (n,), by default all of them, to vary; of a `piece` of the data nothing need vary."""
        seen = 0
        low, high = np.full(self.width, np.inf, self.dtype), np.full(self.width, -np.inf, self.dtype)
        for batch in _recut(self.start(), size):
            check_rows(batch, self.names, self.argument, start=self.first + seen)
            low, high = np.minimum(low, batch.min(axis=0)), np.maximum(high, batch.max(axis=0))
            check_size(low, high, self.names, self.argument, small=False)
            seen += len(batch)
            yield batch
        if seen == 0:
            raise ValueError(
                f"{self.argument} ended before giving a row. An iterator can be read only once: give a fresh one or a"
                " list."
            )
        if piece:
            return
        if seen == 1:
            raise ValueError(
                f"{self.argument} holds one row. One point cannot show a symmetry: give at least as many rows as"
                " generators."
            )
        check_varying(low, high, self.names, self.argument, needed)

    def over(
        self,
        work: Callable[[Numbered], T],
        merge: Callable[[T, T], T],
        size: int,
        asked: Mapping[str, str] | None = None,
    ) -> T:
        """What `work` makes of all rows, in float64.

        Arguments: `work`, a function of batches (B, n) of `size` rows with the number of the first row of each; where
            rows lie in pieces it works on those of each piece where they are, and what it makes of them is merged by
            `merge`; `asked`, by name, on what several processes must agree.
        Returns: what work, or merge, returns.
        Raises: ValueError for what is not finite.
        """
        if self.pieces is None:
            return work(_numbered(self, size))
        return self.pieces.each(partial(_of_piece, work, size, self.argument, self.names), merge, asked=asked)

    def glance(self, size: int) -> np.ndarray:
        """At most `size` rows without reading on: evenly spaced ones of data at hand, else the first."""
        stride = max(1, len(self.head) // size) if self.whole is not None else 1
        return np.asarray(self.head[::stride][:size])

    def sample(self, size: int) -> np.ndarray:
        """A uniform sample of at most `size` rows, the same in whatever form the data come. Reads all of them."""
        if self.pieces is not None:
            return self.pieces.each(partial(sampled, size), Sample.merge).columns[0]
        kept, start = Sample.empty(size), 0
        for piece in self.start():
            stop = start + len(piece)
            # Rows of a file on disk are read only where they are taken.
            kept, start = kept.absorb(np.arange(start, stop), row_keys(start, stop, 0), piece), stop
        return np.array(kept.columns[0]) if kept.columns else self.head[:0]

    def repeatable(self) -> "Stream":
        """The same rows, to be read as often as one likes: those of an iterator are put into a temporary file."""
        if not self.once:
            return self
        file = tempfile.TemporaryFile()
        for piece in self.start():
            np.save(file, piece)
        end = file.tell()

        def start() -> Iterator[np.ndarray]:
            at = 0
            while at < end:
                file.seek(at)
                piece = np.load(file)
                at = file.tell()
                yield piece

        weakref.finalize(start, file.close)
        return dataclasses.replace(self, start=start, once=False)


def _of_piece(
    work: Callable[[Numbered], T], size: int, argument: str, names: tuple[str, ...], rows: np.ndarray, first: int
) -> T:
    return work(_numbered(dataclasses.replace(stream(rows, argument, names), first=first), size))


def _numbered(rows: Stream, size: int) -> Iterator[tuple[int, np.ndarray]]:
    at = rows.first
    for batch in rows.batches(size, piece=True):
        yield at, batch.astype(np.float64, copy=False)
        at += len(batch)


def _held(rows: np.ndarray, first: int) -> list[np.ndarray]:
    return [rows]


def sampled(size: int, rows: np.ndarray, first: int) -> Sample:
    """The part of a piece in a uniform sample of at most `size` rows of a table.

    Arguments: `size`; `rows` (B, n) of the piece; `first`, the number of its first row in the table.
    Returns: Sample, of one column: rows.
    """
    stop = first + len(rows)
    return Sample.empty(size).absorb(np.arange(first, stop), row_keys(first, stop, 0), rows)


def spread(pieces: Pieces, head: Table, rows: int, argument: str) -> Stream:
    """A stream of rows that lie in pieces.

    Arguments: `pieces`; `head`, some of the rows, with names; `rows`, their number; `argument`, for messages.
    Returns: Stream.
    """
    dtype = head.values.dtype
    return Stream(pieces.here, len(head.names), head.names, dtype, rows, argument, None, head.values, pieces=pieces)


def stream(data, argument: str = "x", names: list[str] | tuple[str, ...] | None = None) -> Stream:
    """A stream from an array, a data frame, a memory map, or an iterable of batches of any of these.

    Arguments:
        data: array (N, n), data frame, np.memmap (read piece by piece, never copied whole), Table, or an iterable of
            batches.
        argument: what the caller calls it, for messages.
        names: column names.
    Returns: Stream.
    Raises: TypeError, ValueError as `table`; for batches of different widths; for an iterator that is empty.
    """
    if isinstance(data, Stream):
        return data
    if isinstance(data, Table):
        data, names = data.values, data.names if names is None else names
    check_container(data, argument)
    if is_batched(data):
        return _from_batches(data, argument, names)
    whole = table(data, argument, names)
    values = whole.values
    return Stream(
        lambda: iter([values]), values.shape[1], whole.names, values.dtype, len(values), argument, values, values
    )


def gather(data, argument: str = "x", names: list[str] | tuple[str, ...] | None = None) -> Table:
    """All rows at once, for what cannot work batch by batch: neighbours, cross-validation.

    Arguments: as `stream`.
    Returns: Table, in memory.
    Raises: as `stream`.
    """
    if isinstance(data, Stream):
        if data.whole is not None:
            return Table(data.whole, data.names)
        few = data.pieces is not None and data.rows is not None and data.rows <= SINGLY
        pieces = data.pieces.each(_held, add) if data.pieces is not None and few else data.start()
        return Table(np.concatenate(list(pieces)), data.names)
    check_container(data, argument)
    if not is_batched(data):
        return table(data, argument, names)
    pieces = stream(data, argument, names)
    return Table(np.concatenate(list(pieces.start())), pieces.names)


def is_batched(data) -> bool:
    """Whether data come in batches.

    Arguments: `data`, whatever a user hands over.
    Returns: True for an iterator or other iterable of tables, a list of tables too; False for a table.
    """
    if isinstance(data, (list, tuple)):
        return len(data) > 0 and _is_array_like(data[0]) and np.ndim(data[0]) == 2
    if isinstance(data, (str, bytes, dict, set)):
        return False
    return isinstance(data, Iterator) or (isinstance(data, Iterable) and not _is_array_like(data))


def _is_array_like(data) -> bool:
    return any(
        callable(getattr(data, name, None))
        for name in ("__array__", "__dataframe__", "__array_interface__", "to_numpy")
    )


def _from_batches(data, argument: str, names) -> Stream:
    if names is None:
        names = getattr(data, "names", None)  # of rows of files
    once = iter(data)
    try:
        first = _batch(next(once), argument, names)
    except StopIteration:
        raise ValueError(
            f"{argument} ended before giving a row. An iterator can be read only once: give a fresh one or a list."
        ) from None
    width = first.values.shape[1]
    own_names = first.names if names is None else None  # a frame whose columns come in another order would go unseen
    spent = False

    def start() -> Iterator[np.ndarray]:
        nonlocal spent
        if spent:
            raise ValueError(f"{argument} is an iterator and has been read to its end. Give a fresh one, or a list.")
        spent = once is data
        rest = once if once is data else iter(data)
        if rest is once:
            yield first.values
        for number, batch in enumerate(rest, start=int(rest is once)):
            piece = _batch(batch, argument, None)
            if piece.values.shape[1] != width:
                raise ValueError(
                    f"{argument}: batch {number} has {piece.values.shape[1]} columns, the first had {width}."
                )
            if own_names is not None and piece.names != own_names:
                raise ValueError(
                    f"{argument}: batch {number} has columns {', '.join(piece.names)}, the first had"
                    f" {', '.join(own_names)}."
                )
            yield piece.values.astype(first.values.dtype, copy=False)

    return Stream(start, width, first.names, first.values.dtype, None, argument, None, first.values, once is data)


def _batch(data, argument: str, names) -> Table:
    """One batch as a table; a single row would otherwise be read as a column."""
    batch = table(data, argument, names)
    if np.ndim(data) != 2:
        raise ValueError(
            f"{argument} yields pieces of shape {np.shape(data)}: an iterable must give batches (rows, columns), not"
            f" single rows. For rows pass np.stack(list({argument}))."
        )
    return batch


def _recut(pieces: Iterator[np.ndarray], size: int) -> Iterator[np.ndarray]:
    """The same rows in batches of exactly `size`, but for the last."""
    waiting: list[np.ndarray] = []
    count = 0
    for piece in pieces:
        begin = 0
        while count + len(piece) - begin >= size:
            take = size - count
            waiting.append(np.asarray(piece[begin : begin + take]))
            yield waiting[0] if len(waiting) == 1 else np.concatenate(waiting)
            waiting, count, begin = [], 0, begin + take
        if begin < len(piece):
            waiting.append(np.asarray(piece[begin:]))
            count += len(piece) - begin
    if waiting:
        yield waiting[0] if len(waiting) == 1 else np.concatenate(waiting)
