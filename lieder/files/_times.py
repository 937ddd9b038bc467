"""Times of trajectories: numbers or stamps, increasing."""

from datetime import datetime

import numpy as np

from ._cells import number
from ._columns import Columns
from ._reader import Reader


def times_of(reader: Reader, stamps: list[str], lines: list[int], clock: int) -> np.ndarray:
    """Numbers as they are; ISO stamps as seconds since the first."""
    numbers = []
    try:
        numbers = [number(stamp, reader.decimal) for stamp in stamps]
    except ValueError:
        pass
    if len(numbers) == len(stamps):
        return np.array(numbers)
    read = []
    for stamp, line in zip(stamps, lines, strict=True):
        try:
            read.append(datetime.fromisoformat(stamp))
        except ValueError:
            raise ValueError(
                f"file: line {line}, column '{reader.header[clock]}' of '{reader.path}' holds '{stamp}', which is"
                " neither a number nor an ISO time stamp such as 2026-03-01T12:30:00."
            ) from None
    if len({stamp.tzinfo is None for stamp in read}) > 1:
        raise ValueError(f"file: column '{reader.header[clock]}' of '{reader.path}' has stamps with and without zone.")
    return np.array([(stamp - read[0]).total_seconds() for stamp in read])


def check_increasing(reader: Reader, found: Columns, lines: list[int], time: str) -> None:
    last: dict[str, float] = {}
    labels = found.labels if found.labels is not None else ("",) * len(lines)
    for now, label, line in zip(np.asarray(found.times).tolist(), labels, lines, strict=True):
        if not now > last.get(label, -np.inf):
            where, advice = f" of trajectory '{label}'", "Sort the rows by time, and drop repeated ones."
            if found.labels is None:
                others = ", ".join(name for name in reader.header if name not in (*found.names, time))
                where = ""
                advice = (
                    "If the rows are several trajectories, name the column that tells these apart with"
                    f" --trajectories ({others or 'there is no other column: add one'}); if not, sort the rows by time."
                )
            raise ValueError(f"file: the times{where} in column '{time}' do not increase at line {line}. {advice}")
        last[label] = now
