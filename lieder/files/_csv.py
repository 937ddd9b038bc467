"""The named columns of a delimited text file."""

import os
from collections.abc import Sequence
from pathlib import Path

from ._columns import Columns
from ._rows import rows_of
from ._text import Text


def read_csv(
    path: str | os.PathLike[str],
    columns: Sequence[str],
    delimiter: str = ",",
    *,
    decimal: str = ".",
    missing: str = "refuse",
    time: str | None = None,
    label: str | None = None,
) -> Columns:
    """The named columns of a delimited text file whose first line names its columns, whatever its suffix.

    Empty lines, lines that begin with #, and a first line such as `sep=;` are no data. For other formats, and for files
    that memory does not hold, see `rows`.

    Arguments:
        path: the file, UTF-8.
        columns, delimiter, decimal, missing, time, label: as `rows`.
    Returns:
        Columns, float64.
    Raises:
        OSError: no such file, a folder, no permission. ValueError: an empty file, a missing column (with the nearest
            name), another delimiter or decimal sign, a line with more or fewer cells than the first, a cell that is no
            number (line and column named), a gap, fewer than two rows of data, times that do not increase.
    """
    return rows_of([Text(Path(path), delimiter, decimal)], columns, missing, time, label).gather()
