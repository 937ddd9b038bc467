"""Records in files: plain data in nested dicts and lists, arrays and JSON in one .npz archive, no pickle."""

import json
import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from ._write import write_whole

_HEADER = "header"


def write_record(path: str | os.PathLike[str], content: dict[str, Any], kind: str, argument: str = "path") -> Path:
    """Write a record in one step: a reader finds the old file or the new one, whenever it looks.

    Arguments:
        path: of the file (.npz).
        content: numbers, texts, True, False, None and NumPy arrays in dicts (names are texts) and lists (tuples are
            read as lists), nested. In the archive an array is called by the names that lead to it, "evidence.finite".
        kind: what is written and in which version, "lieder symmetries 2"; `read_record` asks for it.
        argument: what the caller calls the path, for messages.
    Returns: the path.
    Raises: OSError, of the kinds of `check_path`, each saying what to do.
    """
    arrays: dict[str, np.ndarray] = {}
    header = json.dumps({"format": kind, "content": _packed(content, "", arrays)})
    arrays[_HEADER] = np.array(header)
    return write_whole(path, lambda file: np.savez(file, allow_pickle=False, **arrays), argument)


def read_record(path: str | os.PathLike[str], kind: str, writer: str, argument: str = "path") -> dict[str, Any]:
    """The content that `write_record` wrote.

    Arguments:
        path: of the file; `kind`: what it must hold, and in which version.
        writer: who writes such files, "Symmetries.save", and `argument`: what the caller calls the path, for messages.
    Returns: the content.
    Raises: TypeError for something that is no path; FileNotFoundError and IsADirectoryError; ValueError for a file of
        another kind or version, and for a damaged one.
    """
    if not isinstance(path, str | os.PathLike):
        raise TypeError(f"{argument}: expected the path of a file, got {path!r}.")
    file = Path(path).expanduser()
    if file.is_dir():
        raise IsADirectoryError(f"{argument}: '{path}' is a directory; name a file in it.")
    if not file.exists():
        raise FileNotFoundError(f"{argument}: there is no file '{path}'. Check the name and the folder.")
    try:
        arrays = _arrays(file)
        header = json.loads(str(arrays.pop(_HEADER)))
        found = header["format"]
    except PermissionError:
        raise PermissionError(f"{argument}: no permission to read '{path}'.") from None
    except Exception as fault:  # a wrong file fails in many ways (text, one array, a torn archive), and all mean this
        raise ValueError(
            f"{argument}: '{path}' is no file written by {writer}, or it is damaged ({_words(fault)}). Name another"
            " file, or remove it."
        ) from None
    if found != kind:
        raise ValueError(
            f"{argument}: '{path}' has format '{found}', this version reads '{kind}'. Name another file, or write it"
            " again."
        )
    return _unpacked(header["content"], arrays)


def read_checkpoint(path: Path, mark: str, kind: str, writer: str) -> dict[str, Any]:
    """What an interrupted run wrote by `write_record`, with its "mark" among the content, if it is this run.

    Arguments: as `read_record`; `mark`, a fingerprint of the data and settings of the run that would go on.
    Returns: the content.
    Raises: as `read_record`; ValueError for the checkpoint of another run.
    """
    found = read_record(path, kind, writer, "checkpoint")
    if found["mark"] != mark:
        raise ValueError(
            f"checkpoint: {path} belongs to other data or settings; name another file, or remove it to start again."
        )
    return found


def record_kind(path: str | os.PathLike[str]) -> str:
    """What a file says that it holds, "lieder symmetries 3".

    Arguments: `path` of the file.
    Returns: the kind; "" for a file that holds no record, of which `read_record` says more.
    """
    try:
        with np.load(Path(path).expanduser(), allow_pickle=False) as archive:
            return str(json.loads(str(archive[_HEADER]))["format"])
    except Exception:  # a wrong file fails in many ways, and all mean this
        return ""


def _arrays(file: Path) -> dict[str, np.ndarray]:
    with open(file, "rb") as opened:
        archive = np.load(opened, allow_pickle=False)
        if isinstance(archive, np.ndarray):
            raise ValueError("it holds a single array (.npy), not an archive (.npz)")
        with archive:
            return {name: archive[name] for name in archive.files}


def _words(fault: Exception) -> str:
    if isinstance(fault, KeyError):
        return "it is an archive without a header"
    if isinstance(fault, EOFError):
        return "it is empty"
    if isinstance(fault, zipfile.BadZipFile):
        return "it is cut off"
    if "pickle" in str(fault):
        return "it is no archive (.npz)"
    return str(fault)


def _packed(plain: Any, key: str, arrays: dict[str, np.ndarray]) -> Any:
    """Plain data with its arrays put aside, so that the rest is JSON."""
    if isinstance(plain, np.ndarray):
        arrays[key] = plain
        return {"array": key}
    below = f"{key}." if key else ""
    if isinstance(plain, dict):
        return {name: _packed(value, below + name, arrays) for name, value in plain.items()}
    if isinstance(plain, list | tuple):
        return [_packed(value, f"{below}{number}", arrays) for number, value in enumerate(plain)]
    return plain.item() if isinstance(plain, np.generic) else plain


def _unpacked(plain: Any, arrays: dict[str, np.ndarray]) -> Any:
    if isinstance(plain, dict):
        if set(plain) == {"array"}:
            return arrays[plain["array"]]
        return {name: _unpacked(value, arrays) for name, value in plain.items()}
    return [_unpacked(value, arrays) for value in plain] if isinstance(plain, list) else plain
