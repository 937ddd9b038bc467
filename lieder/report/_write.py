"""Writing a file whole or not at all."""

import os
import uuid
from pathlib import Path


def check_path(path: str | os.PathLike[str]) -> Path:
    """Check that a file can be written at a path, before any long work.

    **Arguments:** `path`: of the file to be; `~` is the user's home.

    **Returns:** the path as a `Path`.

    **Raises:** `FileNotFoundError`, `NotADirectoryError`, `IsADirectoryError` or `PermissionError` (all `OSError`),
    each naming `path` and what to do.
    """
    if not isinstance(path, str | os.PathLike):
        raise TypeError(f"`path` must be a string or a path, got {type(path).__name__}.")
    target = Path(path).expanduser()
    if not str(path) or target.is_dir():
        raise IsADirectoryError(
            f"`path`: {str(path)!r} is a directory. Add a file name, such as {str(target / 'report.html')!r}."
        )
    parent = target.parent
    if not parent.exists():
        for above in parent.parents:
            if above.exists() and not above.is_dir():
                raise NotADirectoryError(
                    f"`path`: cannot write {str(path)!r}, because {str(above)!r} is a file, not a directory."
                )
        raise FileNotFoundError(
            f"`path`: the directory {str(parent)!r} does not exist. Make it, or write somewhere else."
        )
    if not parent.is_dir():
        raise NotADirectoryError(
            f"`path`: cannot write {str(path)!r}, because {str(parent)!r} is a file, not a directory."
        )
    if not os.access(parent, os.W_OK | os.X_OK) or (target.exists() and not os.access(target, os.W_OK)):
        raise PermissionError(f"`path`: no permission to write {str(path)!r}. Choose a place you may write to.")
    return target


def write_text(path: str | os.PathLike[str], text: str) -> Path:
    """Write UTF-8 text to a neighbour of the file first and put it in its place when it is complete."""
    target = check_path(path)
    # `open` with "x", not tempfile: the file then has the permissions the user's umask gives.
    beside = target.with_name(f".{target.name[:80]}.{uuid.uuid4().hex}.part")
    try:
        with open(beside, "x", encoding="utf-8", newline="\n") as file:
            file.write(text)
        os.replace(beside, target)
    except OSError as error:
        reason = error.strerror or str(error)
        raise type(error)(f"`path`: cannot write {str(path)!r}: {reason}. Choose another place, or free it.") from error
    finally:
        beside.unlink(missing_ok=True)
    return target
