"""Faults of files, in words that all formats share."""

import difflib
from collections.abc import Sequence
from pathlib import Path


def unreadable(path: Path, kind: str, fault: Exception) -> ValueError:
    """What to say of a file that its library cannot read."""
    # NumPy takes what it does not know for a pickle, and says how to load it all the same.
    words = f"it is no {kind}" if "pickle" in str(fault) else str(fault).strip().split("\n")[0] or type(fault).__name__
    return ValueError(
        f"file: '{path}' cannot be read as a {kind} file ({words.rstrip('.')}). Is it whole, and of that kind?"
    )


def check_names(path: Path, columns: Sequence[str], names: Sequence[str]) -> None:
    """A ValueError for the first column that the file does not have, or has twice."""
    for column in columns:
        if names.count(column) > 1:
            raise ValueError(
                f"columns: '{path}' has {names.count(column)} columns called '{column}'; give each its own name."
            )
        if column not in names:
            near = [name for name in names if name.casefold() == column.casefold()]
            near = near or difflib.get_close_matches(column, names, n=1)
            raise ValueError(
                f"columns: there is no column '{column}' in '{path}'{f'; did you mean {near[0]!r}?' if near else '.'}"
                f" It has: {', '.join(names[:30]) or 'none'}{', ...' if len(names) > 30 else '.'}"
            )
