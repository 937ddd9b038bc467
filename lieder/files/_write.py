"""Writing a file whole or not at all."""

import os
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO


def check_path(path: str | os.PathLike[str], argument: str = "path") -> Path:
    """Check that a file can be written at a path, before any long work.

    Arguments: `path` of the file to be; `~` is the user's home. `argument`: what the caller calls it, for messages.
    Returns: the path as a `Path`.
    Raises: TypeError for something that is no path; FileNotFoundError, NotADirectoryError, IsADirectoryError or
        PermissionError (all OSError), each naming the argument and what to do.
    """
    if not isinstance(path, str | os.PathLike):
        raise TypeError(f"{argument}: expected the path of a file, got {path!r}.")
    target = Path(path).expanduser()
    if not str(path) or target.is_dir():
        raise IsADirectoryError(f"{argument}: '{path}' is a directory. Add a file name.")
    parent = target.parent
    for above in (parent, *parent.parents):
        if above.exists() and not above.is_dir():
            raise NotADirectoryError(
                f"{argument}: cannot write '{path}', because '{above}' is a file, not a directory."
            )
    if not parent.exists():
        raise FileNotFoundError(
            f"{argument}: cannot write '{path}': the directory '{parent}' does not exist. Make it, or write somewhere"
            " else."
        )
    if not os.access(parent, os.W_OK | os.X_OK) or (target.exists() and not os.access(target, os.W_OK)):
        raise PermissionError(f"{argument}: no permission to write '{path}'. Choose a place you may write to.")
    return target


def write_text(path: str | os.PathLike[str], text: str, argument: str = "path") -> Path:
    """Write UTF-8 text in one step: a reader finds the old file or the new one.

    Arguments: `path`; `text`; `argument`: what the caller calls the path, for messages.
    Returns: the path.
    Raises: as `check_path`; OSError when the disk refuses.
    """
    return write_whole(path, lambda file: file.write(text.encode()), argument)


def write_whole(path: str | os.PathLike[str], write: Callable[[BinaryIO], object], argument: str) -> Path:
    """Write to a neighbour of the file first and put it in its place when it is complete and on the disk."""
    target = check_path(path, argument)
    # `open` with "x", not tempfile: the file then has the permissions the user's umask gives.
    beside = target.with_name(f".{target.name[:80]}.{uuid.uuid4().hex}.part")
    try:
        with open(beside, "xb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, target.resolve())  # a link stays a link
    except OSError as error:
        reason = error.strerror or str(error)
        raise type(error)(f"{argument}: cannot write '{path}': {reason}. Choose another place, or free it.") from error
    finally:
        beside.unlink(missing_ok=True)
    return target
