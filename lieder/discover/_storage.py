"""The fields of a discovery as plain data, arrays, numbers and texts, and back."""

import dataclasses
from typing import Any

import jax
import numpy as np

from ..action import AbstractAction, AbstractFibreAction, read, read_algebra, tangent, written_algebra
from ._evidence import Evidence

FORMAT = "lieder symmetries 3"
OWN = "your own"  # the type of actions that are known by code alone


def written_fields(fields: dict[str, Any]) -> dict[str, Any]:
    """The fields of a record, those that are objects written as plain data."""
    target = fields["target"]
    return fields | {
        "source": _written(fields["source"]),
        "target": None if target is None else _written(target),
        "algebra": written_algebra(fields["algebra"]),
        "evidence": dataclasses.asdict(fields["evidence"]),
    }


def read_fields(
    plain: dict[str, Any], path: object, source: AbstractAction | None, target: AbstractFibreAction | None
) -> dict[str, Any]:
    """The fields of a record from plain data; `source` and `target` stand for actions that it cannot hold.

    Raises: ValueError naming `path` and the argument where one of these is needed, or is another action.
    """
    moving = _action(plain["source"], source, "source", path)
    if target is None and plain["lifted"]:
        target = tangent(moving)
    evidence = plain["evidence"] | {name: tuple(plain["evidence"][name]) for name in ("weak", "weak_reasons", "notes")}
    return plain | {
        "names": tuple(plain["names"]),
        "source": moving,
        "target": None if plain["target"] is None else _action(plain["target"], target, "target", path),
        "algebra": read_algebra(plain["algebra"]),
        "evidence": Evidence(**evidence),
    }


def _written(action: AbstractFibreAction) -> dict:
    """The action as plain data; of one that is known by code alone, what tells whether another is the same."""
    plain = action.written()
    if plain is not None:
        return plain
    leaves = [np.asarray(leaf) for leaf in jax.tree.leaves(action)]
    mine = {"type": OWN, "class": type(action).__name__, "text": repr(action), "width": action.width}
    return mine | {"algebra": written_algebra(action.algebra), "leaves": leaves}


def _action(plain: dict, given: Any, argument: str, path: object) -> Any:
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
