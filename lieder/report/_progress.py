"""A progress bar for work that takes longer than a moment, silent where nobody looks."""

import sys
import threading
import time
from collections.abc import Iterable, Iterator
from multiprocessing import parent_process
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

Item = TypeVar("Item")
_PATIENCE = 2.0  # seconds without a bar


def progress(items: Iterable[Item], total: int | None, label: str) -> Iterator[Item]:
    """The items themselves; a bar on the standard error appears after two seconds, only in a terminal, and only in the
    main thread of a process that no other has started: of several side by side each would draw over the others.

    Arguments: `items`; `total`, how many, None if unknown; `label`, what is being done.
    Returns: an iterator over the items.
    """
    alone = threading.current_thread() is threading.main_thread() and parent_process() is None
    if sys.stderr is None or not sys.stderr.isatty() or not alone:
        yield from items
        return
    columns = [
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    ]
    bar = Progress(*columns, console=Console(stderr=True), transient=True)
    task = bar.add_task(label, total=total)
    begun, shown = time.monotonic(), False
    try:
        for item in items:
            yield item
            bar.advance(task)
            if not shown and time.monotonic() - begun > _PATIENCE:
                bar.start()
                shown = True
    finally:
        if shown:
            bar.stop()
