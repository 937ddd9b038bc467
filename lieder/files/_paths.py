"""The files that a name stands for."""

import difflib
import glob
import os
import re
from collections.abc import Sequence
from pathlib import Path

Paths = str | os.PathLike[str] | Sequence[str | os.PathLike[str]]


def files_of(paths: Paths) -> list[Path]:
    """The files of a path, a pattern, or several of either.

    A pattern (`*`, `?`, `[ab]`, and `**` for folders in folders) gives its files in natural order, run2 before run10.

    Raises: TypeError for what is no path; FileNotFoundError for one that is not there, and for a pattern of no file.
    """
    several = [paths] if isinstance(paths, str | os.PathLike) else paths
    if not isinstance(several, Sequence) or not all(isinstance(one, str | os.PathLike) for one in several):
        raise TypeError(
            f"file: expected a path, a pattern such as 'runs/*.parquet', or a list of these; got {paths!r}."
        )
    found = [path for one in several for path in _matches(Path(one).expanduser())]
    if not found:
        raise ValueError("file: the list of files is empty.")
    if len(set(found)) < len(found):
        twice = next(path for path in found if found.count(path) > 1)
        raise ValueError(f"file: '{twice}' is named twice.")
    return found


def _matches(path: Path) -> list[Path]:
    if path.exists() or not glob.has_magic(str(path)):
        check_exists(path)
        return [path]
    found = [Path(name) for name in glob.glob(str(path), recursive=True)]
    if not found:
        folder = path.parent
        while glob.has_magic(str(folder)):
            folder = folder.parent
        if not folder.is_dir():
            raise FileNotFoundError(f"file: '{path}' matches nothing: there is no folder '{folder}'.")
        names = sorted((one.name for one in folder.iterdir()), key=_natural)
        there = ", ".join(names[:5]) + (", ..." if len(names) > 5 else "") if names else "nothing"
        raise FileNotFoundError(f"file: '{path}' matches no file. The folder '{folder}' holds {there}.")
    return sorted(found, key=lambda one: _natural(str(one)))


def _natural(name: str) -> list[tuple[bool, int, str]]:
    """A key by which run2 comes before run10."""
    return [(not part.isdigit(), int(part) if part.isdigit() else 0, part) for part in re.split(r"(\d+)", name) if part]


def check_exists(path: Path) -> None:
    """A FileNotFoundError that says what to do where there is no such file."""
    if not path.exists():
        names = [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []
        near = difflib.get_close_matches(path.name, names, n=1)
        told = f"; did you mean {near[0]!r}?" if near else ". Check the name and the folder."
        raise FileNotFoundError(f"file: there is no '{path}'{told}")


def check_is_file(path: Path) -> None:
    """An OSError that says what to do where there is no such file, or a folder."""
    if path.is_dir():
        several = path / f"*{path.suffix or '.csv'}"
        raise IsADirectoryError(
            f"file: '{path}' is a folder; give a file in it, or a pattern for several: '{several}', say."
        )
    check_exists(path)
