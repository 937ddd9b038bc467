"""Times of trajectories: numbers or stamps, increasing."""

from collections.abc import Callable, Sequence
from datetime import datetime

import numpy as np

from ._cells import number


def times_of(stamps: np.ndarray, column: str, where: Callable[[int], str], decimal: str) -> np.ndarray:
    """Numbers as they are; stamps as seconds since the first.

    Arguments: `stamps` (N,) numbers, datetime64, or objects: texts, and times of other calendars; `column` and `where`
    say what and where they are, for messages.
    """
    if stamps.dtype.kind in "fiu":
        return stamps.astype(np.float64)
    if stamps.dtype.kind == "M":
        return (stamps - stamps[0]) / np.timedelta64(1, "s")
    if stamps.dtype.kind != "O":
        raise ValueError(f"file: column '{column}' of times holds neither numbers nor time stamps.")
    cells = stamps.tolist()
    if not isinstance(cells[0], str):
        try:
            return np.array([(cell - cells[0]).total_seconds() for cell in cells])
        except (AttributeError, TypeError):
            cells = [str(cell) for cell in cells]
    try:
        return np.array([number(cell, decimal) for cell in cells])
    except ValueError:
        pass
    read = []
    for k, cell in enumerate(cells):
        try:
            read.append(datetime.fromisoformat(cell))
        except ValueError:
            raise ValueError(
                f"file: {where(k)} holds '{cell}', which is neither a number nor an ISO time stamp such as"
                " 2026-03-01T12:30:00."
            ) from None
    if len({stamp.tzinfo is None for stamp in read}) > 1:
        raise ValueError(f"file: column '{column}' has stamps with and without zone.")
    return np.array([(stamp - read[0]).total_seconds() for stamp in read])


def check_increasing(
    times: np.ndarray, labels: Sequence[str] | None, time: str, where: Callable[[int], str], others: Sequence[str]
) -> None:
    """A ValueError that says where times go back, within a label; `others` are columns that may tell trajectories."""
    last: dict[str, float] = {}
    for k, (now, label) in enumerate(zip(times.tolist(), labels or ("",) * len(times), strict=True)):
        if not now > last.get(label, -np.inf):
            of, advice = f" of trajectory '{label}'", "Sort the rows by time, and drop repeated ones."
            if labels is None:
                of = ""
                advice = (
                    "If the rows are several trajectories, name the column that tells these apart with --trajectories"
                    f" ({', '.join(others) or 'there is no other column: add one'}); if not, sort the rows by time."
                )
            raise ValueError(f"file: the times{of} in column '{time}' do not increase at {where(k)}. {advice}")
        last[label] = now
