"""The fields of a discovery as plain data, arrays, numbers and texts, and back."""

import dataclasses
from typing import Any

import jax
import numpy as np

from ..action import AbstractAction, AbstractFibreAction, read, read_algebra, tangent, written_algebra
from ._certificate import Certificate
from ._evidence import Evidence

FORMAT = "lieder symmetries 3"
OWN = "your own"  # the type of actions that are known by code alone


def written_fields(fields: dict[str, Any]) -> dict[str, Any]:
    """The fields of a record, those that are objects written as plain data."""
    return fields | {
        "source": written_action(fields["source"]),
        "target": written_action(fields["target"]),
        "algebra": written_algebra(fields["algebra"]),
        "evidence": dataclasses.asdict(fields["evidence"]),
        "certificate": None if fields["certificate"] is None else dataclasses.asdict(fields["certificate"]),
    }


def read_fields(
    plain: dict[str, Any], path: object, source: AbstractAction | None, target: AbstractFibreAction | None
) -> dict[str, Any]:
    """The fields of a record from plain data; `source` and `target` stand for actions that it cannot hold.

    Raises: ValueError naming `path` and the argument where one of these is needed, or is another action.
    """
    moving = read_action(plain["source"], source, "source", path, "Symmetries.load")
    if target is None and plain["lifted"]:
        target = tangent(moving)
    evidence = plain["evidence"] | {name: tuple(plain["evidence"][name]) for name in ("weak", "weak_reasons", "notes")}
    return plain | {
        "names": tuple(plain["names"]),
        "units": tuple(plain.get("units", ())),
        "source": moving,
        "target": read_action(plain["target"], target, "target", path, "Symmetries.load"),
        "algebra": read_algebra(plain["algebra"]),
        "evidence": Evidence(**evidence),
        "certificate": None if plain.get("certificate") is None else Certificate(**plain["certificate"]),
    }


def written_action(action: AbstractFibreAction | None) -> dict | None:
    """The action as plain data; of one that is known by code alone, what tells whether another is the same."""
    if action is None:
        return None
    plain = action.written()
    return _own(action) if plain is None else plain


def _own(action: AbstractFibreAction) -> dict:
    leaves = [np.asarray(leaf) for leaf in jax.tree.leaves(action)]
    mine = {"type": OWN, "class": type(action).__name__, "text": repr(action), "width": action.width}
    return mine | {"algebra": written_algebra(action.algebra), "leaves": leaves}


def read_action(plain: dict | None, given: Any, argument: str, path: object, loader: str) -> Any:
    """The action of plain data, or the one `given` to the `loader` in its place.

    Raises: ValueError naming `path` and the argument where one has to be given, or another was.
    """
    if plain is None:
        return None
    if plain["type"] != OWN:
        return read(plain)
    name = plain["class"]
    if given is None:
        raise ValueError(
            f"path: '{path}' holds results for {plain['text']}, whose class {name} or functions are your own and which"
            f" no file can hold. Make it again and pass it: {loader}(path, {argument}=...)."
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
    own = _own(given)
    return (
        (own["class"], own["width"], len(own["leaves"])) == (plain["class"], plain["width"], len(plain["leaves"]))
        and given.algebra == read_algebra(plain["algebra"])
        and all(np.array_equal(a, b) for a, b in zip(own["leaves"], plain["leaves"], strict=True))
    )
