"""Saving and loading a discovery: arrays and JSON in one .npz file, no pickle."""

import dataclasses
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import jax
import numpy as np

from ..action import AbstractAction, AbstractFibreAction, read, read_algebra, tangent, written_algebra
from ._evidence import Evidence

if TYPE_CHECKING:
    from ._symmetries import Symmetries

FORMAT = "lieder symmetries 2"
OWN = "your own"  # the type of actions that are known by code alone
ARRAYS = ("defects", "directions", "ineffective", "basis", "numerator", "denominator", "points", "values")


def save(s: "Symmetries", path: str | os.PathLike[str]) -> Path:
    """Write a discovery to a file."""
    path = Path(path)
    arrays = {name: getattr(s, name) for name in ARRAYS}
    header = {
        "format": FORMAT,
        "dim": s.dim,
        "rows": s.rows,
        "names": list(s.names),
        "method": s.method,
        "lifted": s.lifted,
        "source": _packed(_written(s.source), "source", arrays),
        "target": None if s.target is None else _packed(_written(s.target), "target", arrays),
        "algebra": _packed(written_algebra(s.algebra), "algebra", arrays),
        "evidence": _encode_evidence(s.evidence, arrays),
    }
    arrays["header"] = np.array(json.dumps(header))
    try:
        with open(path, "wb") as file:
            np.savez_compressed(file, **arrays)
    except OSError as error:
        raise type(error)(
            f"path: cannot write '{path}' ({error.strerror}). Give a file name in a folder that exists and that you "
            "may write to."
        ) from None
    return path


def load(path: str | os.PathLike[str], source: AbstractAction | None, target: AbstractFibreAction | None) -> dict:
    """The fields of the record in a file; `source` and `target` stand for actions that it cannot hold."""
    path = Path(path)
    with open(path, "rb") as file:
        arrays, header = _contents(file, path)
    if header.get("format") != FORMAT:
        raise ValueError(f"path: '{path}' has format '{header.get('format')}', this version reads '{FORMAT}'.")
    fields = {name: arrays[name] for name in ARRAYS}
    fields |= {
        "dim": header["dim"],
        "rows": header["rows"],
        "names": tuple(header["names"]),
        "method": header["method"],
        "lifted": header["lifted"],
    }
    moving = _action(_unpacked(header["source"], arrays), source, "source", path)
    fields["source"] = moving
    if header["target"] is None:
        fields["target"] = None
    else:
        if target is None and fields["lifted"]:
            target = tangent(moving)
        fields["target"] = _action(_unpacked(header["target"], arrays), target, "target", path)
    fields["algebra"] = read_algebra(_unpacked(header["algebra"], arrays))
    fields["evidence"] = _decode_evidence(header["evidence"], arrays)
    return fields


def _contents(file: BinaryIO, path: Path) -> tuple[dict, dict]:
    try:
        with np.load(file, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        return arrays, dict(json.loads(str(arrays["header"])))
    except Exception:  # a wrong file fails in many ways (text, one array, a torn archive), and all mean this
        raise ValueError(f"path: '{path}' is no file written by Symmetries.save, or it is damaged.") from None


def _encode_evidence(evidence: Evidence, arrays: dict) -> dict:
    plain = {}
    for field in dataclasses.fields(evidence):
        value = getattr(evidence, field.name)
        if isinstance(value, np.ndarray):
            arrays[f"evidence.{field.name}"] = value
        else:
            plain[field.name] = value
    return plain


def _decode_evidence(plain: dict, arrays: dict) -> Evidence:
    stored = {name.removeprefix("evidence."): value for name, value in arrays.items() if name.startswith("evidence.")}
    lists: dict[str, Any] = {name: tuple(plain[name]) for name in ("weak", "weak_reasons", "notes")}
    return Evidence(**(plain | stored | lists))


def _written(action: AbstractFibreAction) -> dict:
    """The action as plain data; of one that is known by code alone, what tells whether another is the same."""
    plain = action.written()
    if plain is not None:
        return plain
    leaves = [np.asarray(leaf) for leaf in jax.tree.leaves(action)]
    mine = {"type": OWN, "class": type(action).__name__, "text": repr(action), "width": action.width}
    return mine | {"algebra": written_algebra(action.algebra), "leaves": leaves}


def _action(plain: dict, given: Any, argument: str, path: Path) -> Any:
    if plain["type"] != OWN:
        return read(plain)
    name = plain["class"]
    if given is None:
        raise ValueError(
            f"path: '{path}' holds results for {plain['text']}, whose class {name} or functions are your own and which"
            f" no file can hold. Make it again and pass it: Symmetries.load(path, {argument}=...)."
        )
    if not _is_the_same(given, plain):
        raise ValueError(
            f"{argument}: '{path}' was written for {plain['text']} of class {name}, with other numbers or of another"
            f" kind than what came, {given!r}."
        )
    return given


def _is_the_same(given: Any, plain: dict) -> bool:
    if not isinstance(given, AbstractFibreAction) or given.written() is not None:
        return False
    own = _written(given)
    return (
        (own["class"], own["width"], len(own["leaves"])) == (plain["class"], plain["width"], len(plain["leaves"]))
        and given.algebra == read_algebra(plain["algebra"])
        and all(np.array_equal(a, b) for a, b in zip(own["leaves"], plain["leaves"], strict=True))
    )


def _packed(plain: Any, key: str, arrays: dict) -> Any:
    """Plain data with its arrays put aside, so that the rest is JSON."""
    if isinstance(plain, np.ndarray):
        arrays[key] = plain
        return {"array": key}
    if isinstance(plain, dict):
        return {name: _packed(value, f"{key}.{name}", arrays) for name, value in plain.items()}
    if isinstance(plain, list):
        return [_packed(value, f"{key}.{number}", arrays) for number, value in enumerate(plain)]
    return plain


def _unpacked(plain: Any, arrays: dict) -> Any:
    if isinstance(plain, dict):
        if set(plain) == {"array"}:
            return arrays[plain["array"]]
        return {name: _unpacked(value, arrays) for name, value in plain.items()}
    return [_unpacked(value, arrays) for value in plain] if isinstance(plain, list) else plain
