"""Saving and loading a discovery: arrays and JSON in one .npz file, no pickle."""

import dataclasses
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, cast

import numpy as np

from .. import dictionary as families
from ..action import AbstractAction, AbstractFibreAction, FieldAction, Lift, TotalAction
from ..algebra import LieAlgebra, Span
from ..linalg import MatrixStack
from ._evidence import Evidence

if TYPE_CHECKING:
    from ._symmetries import Symmetries

FORMAT = "lieder symmetries 1"
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
        "source": _encode_action(s.source, "source", arrays),
        "target": None if s.target is None else _encode_action(s.target, "target", arrays),
        "algebra": _encode_algebra(s.algebra, "algebra", arrays),
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


def load(path: str | os.PathLike[str]) -> dict:
    """The fields of the record in a file."""
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
    fields["source"] = _decode_action(header["source"], arrays)
    fields["target"] = None if header["target"] is None else _decode_action(header["target"], arrays)
    fields["algebra"] = _decode_algebra(header["algebra"], arrays)
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


def _encode_stack(stack: MatrixStack, key: str, arrays: dict) -> list[int]:
    arrays[f"{key}.index"], arrays[f"{key}.value"] = stack.index, stack.value
    return list(stack.shape)


def _decode_stack(shape: list[int], key: str, arrays: dict) -> MatrixStack:
    return MatrixStack((shape[0], shape[1], shape[2]), arrays[f"{key}.index"], arrays[f"{key}.value"])


def _encode_algebra(algebra: LieAlgebra | Span, key: str, arrays: dict) -> dict:
    out: dict = {"name": algebra.name, "names": list(algebra.names), "key": key}
    if isinstance(algebra, Span):
        return out | {"kind": "span"}
    if algebra.generators is not None:
        out["generators"] = _encode_stack(algebra.generators, f"{key}.generators", arrays)
    if algebra.constants is not None:
        arrays[f"{key}.constants"] = algebra.constants
    for number, component in enumerate(algebra.components):
        arrays[f"{key}.component{number}"] = component
    return out | {"kind": "algebra", "components": len(algebra.components), "tolerance": algebra.tolerance}


def _decode_algebra(plain: dict, arrays: dict) -> LieAlgebra | Span:
    key = plain["key"]
    if plain["kind"] == "span":
        return Span(plain["name"], tuple(plain["names"]))
    generators = _decode_stack(plain["generators"], f"{key}.generators", arrays) if "generators" in plain else None
    components = tuple(arrays[f"{key}.component{number}"] for number in range(plain["components"]))
    constants = arrays.get(f"{key}.constants")
    return LieAlgebra(plain["name"], tuple(plain["names"]), generators, constants, components, plain["tolerance"])


def _encode_action(action: AbstractFibreAction, key: str, arrays: dict) -> dict:
    if isinstance(action, Lift):
        base = _encode_action(action.base, f"{key}.base", arrays)
        return {"kind": "lift", "base": base, "up": action.up, "down": action.down, "weight": action.weight}
    if isinstance(action, TotalAction):
        return {
            "kind": "total",
            "base": _encode_action(action.base, f"{key}.base", arrays),
            "fibre": _encode_action(action.fibre, f"{key}.fibre", arrays),
        }
    if not isinstance(action, FieldAction):
        raise TypeError(f"{action} cannot be saved: only actions built by lieder can.")
    return {
        "kind": "fields",
        "key": key,
        "algebra": _encode_algebra(action.algebra, f"{key}.algebra", arrays),
        "generators": _encode_stack(action.generators, key, arrays),
        "elements": _encode_stack(action.elements, f"{key}.elements", arrays),
        "dictionary": _encode_dictionary(action.dictionary),
        "blocks": [list(block) for block in action.blocks],
    }


def _decode_action(plain: dict, arrays: dict) -> AbstractFibreAction:
    if plain["kind"] == "lift":
        return Lift(_decode_base(plain, arrays), plain["up"], plain["down"], plain["weight"])
    if plain["kind"] == "total":
        return TotalAction(_decode_base(plain, arrays), _decode_action(plain["fibre"], arrays))
    stack = _decode_stack(plain["generators"], plain["key"], arrays)
    blocks = tuple((kind, width) for kind, width in plain["blocks"])
    elements = _decode_stack(plain["elements"], f"{plain['key']}.elements", arrays)
    algebra, dictionary = _decode_algebra(plain["algebra"], arrays), _decode_dictionary(plain["dictionary"])
    return FieldAction(algebra, stack, dictionary, blocks, elements)


def _decode_base(plain: dict, arrays: dict) -> AbstractAction:
    return cast(AbstractAction, _decode_action(plain["base"], arrays))


def _encode_dictionary(dictionary: families.AbstractDictionary) -> dict:
    if isinstance(dictionary, families.Blocks):
        return {"blocks": [_encode_dictionary(part) for part in dictionary.parts]}
    if isinstance(dictionary, families.Functions):
        raise TypeError(
            "the candidates are your own functions, which cannot be saved without pickle. Keep the script that "
            "defines them instead."
        )
    values = {f.name: getattr(dictionary, f.name) for f in dataclasses.fields(cast(Any, dictionary))}
    return {"type": type(dictionary).__name__, "values": values}


def _decode_dictionary(plain: dict) -> families.AbstractDictionary:
    if "blocks" in plain:
        return families.blocks([_decode_dictionary(part) for part in plain["blocks"]])
    values = {name: tuple(value) if isinstance(value, list) else value for name, value in plain["values"].items()}
    return getattr(families, plain["type"])(**values)
