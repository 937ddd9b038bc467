"""Parquet and Arrow files, by pyarrow."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..late import compute, ipc, parquet, pyarrow
from ._names import check_names, unreadable
from ._paths import check_is_file
from ._pieces import Piece, Wanted, piece_of, rows_at_once


class Columnar:
    """A file of record batches.

    The fields of a struct are columns "position.x", the places of lists of one length "position.0". `kind`: what the
    file is; `schema` reads its columns, and `batches` their rows: of some columns, so many rows together at most.
    """

    counted, decimal = "row", "."

    def __init__(self, path: Path, kind: str, schema: Callable[[Path], Any], batches: Callable[..., Iterator[Any]]):
        check_is_file(path)
        self.path, self._kind, self._batches = path, kind, batches
        try:
            self._schema = schema(path)
        except Exception as fault:  # a wrong file fails in many ways, and all mean this
            raise unreadable(path, kind, fault) from None
        self.names = [name for field in self._schema for name in _leaves(field, field.name)]

    def check(self, columns: Sequence[str]) -> None:
        """Nothing, when all these columns are there, and no two of one name."""
        check_names(self.path, columns, self.names)

    def unit(self, column: str) -> str:
        """What the metadata of the field call `unit` or `units`."""
        known = self._schema.field(self._top(column)).metadata or {}
        return (known.get(b"units") or known.get(b"unit") or b"").decode(errors="replace")

    def _top(self, column: str) -> str:
        """The column of the file that a column is, or is in."""
        while column not in self._schema.names:
            column = column.rpartition(".")[0]
        return column

    def pieces(self, wanted: Wanted) -> Iterator[Piece]:
        """The rows of each record batch."""
        first, tops = 0, list(dict.fromkeys(map(self._top, wanted.every)))
        try:
            for batch in self._batches(self.path, tops, rows_at_once(len(wanted.every))):
                if batch.num_rows:
                    raw = {name: _array(_column(batch, name)) for name in wanted.every}
                    yield piece_of(self.path, first, wanted, raw)
                first += batch.num_rows
        except (OSError, pyarrow.ArrowException) as fault:
            raise unreadable(self.path, self._kind, fault) from None


def parquet_file(path: Path) -> Columnar:
    """A Parquet file, page after page."""
    return Columnar(path, "Parquet", lambda path: parquet.read_schema(path), _pages)


def arrow_file(path: Path) -> Columnar:
    """An Arrow IPC file (Feather) or stream, one record batch after the other."""
    return Columnar(path, "Arrow", _arrow_schema, _record_batches)


def _pages(path: Path, columns: list[str], size: int) -> Iterator[Any]:
    # Pages are decoded as they are needed: pre-buffering would hold all of a row group's columns.
    with parquet.ParquetFile(path, buffer_size=2**16, pre_buffer=False) as file:
        yield from file.iter_batches(batch_size=size, columns=columns, use_threads=False)


def _arrow_schema(path: Path) -> Any:
    with _reader(path, None) as reader:
        return reader.schema


def _record_batches(path: Path, columns: list[str], size: int) -> Iterator[Any]:
    schema = _arrow_schema(path)
    with _reader(
        path, ipc.IpcReadOptions(included_fields=[schema.get_field_index(name) for name in columns])
    ) as reader:
        every = reader if _is_stream(path) else map(reader.get_batch, range(reader.num_record_batches))
        for batch in every:
            for start in range(0, batch.num_rows, size):
                yield batch.slice(start, size)


def _reader(path: Path, options: Any) -> Any:
    source = pyarrow.memory_map(str(path))
    return (ipc.open_stream if _is_stream(path) else ipc.open_file)(source, options=options)


def _is_stream(path: Path) -> bool:
    with open(path, "rb") as file:
        return file.read(6) != b"ARROW1"


def _leaves(field: Any, name: str) -> list[str]:
    kind = field.type
    if pyarrow.types.is_struct(kind):
        return [leaf for inner in kind for leaf in _leaves(inner, f"{name}.{inner.name}")]
    if pyarrow.types.is_fixed_size_list(kind):
        return [f"{name}.{k}" for k in range(kind.list_size)]
    return [name]


def _column(batch: Any, name: str) -> Any:
    if name in batch.schema.names:
        return batch.column(name)
    parent, _, part = name.rpartition(".")
    column = _column(batch, parent)
    kind = column.type
    if pyarrow.types.is_struct(kind):
        return compute.struct_field(column, part)
    return compute.list_element(column, int(part))


def _array(column: Any) -> np.ndarray:
    """A column in NumPy: numbers with NaN for null, datetime64, or objects."""
    types = pyarrow.types
    if types.is_dictionary(column.type):
        column = column.dictionary_decode()
    kind = column.type
    if types.is_boolean(kind):
        return column.fill_null(False).to_numpy(zero_copy_only=False)
    if types.is_integer(kind) or types.is_decimal(kind) or types.is_null(kind):
        return column.cast(pyarrow.float64(), safe=False).to_numpy(zero_copy_only=False)
    if types.is_floating(kind) or types.is_timestamp(kind) or types.is_date(kind) or types.is_duration(kind):
        return column.to_numpy(zero_copy_only=False)
    return np.array([*column.to_pylist(), None], object)[:-1]  # lists in cells stay lists
