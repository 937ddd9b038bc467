"""Arrays in a file that is complete at every moment, and a path that goes on from it."""

import hashlib
import os
import zipfile
from pathlib import Path

import numpy as np

_FORMAT = 2


def writable(path: str | Path, argument: str) -> Path:
    """Where to write, known before anything is computed: a file of an existing folder.

    Raises: TypeError for something that is no path; ValueError for a folder, or one that does not exist.
    """
    if not isinstance(path, str | os.PathLike):
        raise TypeError(f"{argument}: expected the path of a file, got {path!r}.")
    file = Path(path)
    if file.is_dir():
        raise ValueError(f"{argument}: {file} is a folder; name a file in it, such as {file / 'path.npz'}.")
    if not file.parent.is_dir():
        raise ValueError(f"{argument}: there is no folder {file.parent}; make it, or name a file elsewhere.")
    if not os.access(file.parent, os.W_OK):
        raise ValueError(f"{argument}: the folder {file.parent} cannot be written to; name a file elsewhere.")
    return file


def fingerprint(*parts) -> str:
    """A number that changes with any of these arrays, numbers and texts."""
    digest = hashlib.sha256()
    for part in parts:
        array = np.asarray(part)
        digest.update(f"{array.dtype.kind}{array.shape}".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def keep(file: Path, mark: str, state: dict[str, np.ndarray]) -> None:
    """Write a state under its mark."""
    write(file, state | {"mark": np.array(mark), "format": np.array(_FORMAT)})


def resumed(file: Path, mark: str, prefix: str, state: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The arrays of a state that `keep` wrote with this prefix to their names.

    Raises: ValueError for a file of another kind, or of other data or settings.
    """
    found = read(file, "checkpoint")
    if "mark" not in found or any(prefix + name not in found for name in state):
        raise ValueError(f"checkpoint: {file} was not written by a path; name another file, or remove it.")
    if str(found["mark"]) != mark or int(found["format"]) != _FORMAT:
        raise ValueError(
            f"checkpoint: {file} belongs to other data or settings; name another file, or remove it to start again."
        )
    return {name: found[prefix + name] for name in state}


def read(file: Path, argument: str) -> dict[str, np.ndarray]:
    """The arrays of a file (.npz).

    Raises: FileNotFoundError; ValueError for one that is something else.
    """
    if file.is_dir():
        raise ValueError(f"{argument}: {file} is a folder; name a file in it.")
    if not file.exists():
        raise FileNotFoundError(f"{argument}: there is no file {file}.")
    try:
        with open(file, "rb") as opened:
            archive = np.load(opened, allow_pickle=False)
            if isinstance(archive, np.ndarray):
                raise ValueError("it holds a single array (.npy), not a path (.npz)")
            with archive:
                return {name: archive[name] for name in archive.files}
    except (zipfile.BadZipFile, ValueError, OSError, EOFError, AttributeError) as fault:
        raise ValueError(
            f"{argument}: {file} cannot be read ({fault}); name another file, or remove it to start again."
        ) from None


def write(file: Path, arrays: dict[str, np.ndarray]) -> None:
    """Write arrays (.npz) in one step: a reader finds the old file or the new one."""
    new = file.with_name(file.name + ".new")
    with open(new, "wb") as out:
        np.savez(out, allow_pickle=False, **arrays)
    os.replace(new, file)
