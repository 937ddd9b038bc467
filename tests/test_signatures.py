"""discover, enforce and promote are called alike: what a verb works on by position, the rest by keyword."""

import dataclasses
import importlib
import inspect

import pytest

# What verbs work on: a model or section, points, a table, a family of functions, its numbers, a loss, parameters.
DATA = {
    *("F", "U", "H", "S", "system", "model", "loss", "parameters", "params"),
    *("x", "y", "z", "dx", "parts", "units"),
    *("dictionary", "functions", "library"),
    *("u", "grids", "order"),  # solutions of an equation of an order, on a grid
    "images",  # pictures that were transformed
    *("O", "into", "out_of"),  # the directions in which parameters are mirrored
}
ACTIONS = ["source", "target"]
ROOMS = ["discover", "enforce", "promote", "promote.mirror"]


def callables() -> dict[str, inspect.Signature]:
    """Every public function of the verbs, and every constructor but those of records that a verb fills in."""
    found = {}
    for room in ROOMS:
        module = importlib.import_module(f"lieder.{room}")
        names = [name for name in dir(module) if not name.startswith("_")]
        for name, thing in ((name, getattr(module, name)) for name in names):
            own = str(getattr(thing, "__module__", "")).startswith("lieder") and callable(thing)
            fields = dataclasses.fields(thing) if dataclasses.is_dataclass(thing) else []
            if own and not any(field.default is dataclasses.MISSING for field in fields):
                found[f"{room}.{name}"] = inspect.signature(thing)
    return found


def positional(signature: inspect.Signature) -> list[str]:
    kinds = inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD
    return [one.name for one in signature.parameters.values() if one.kind in kinds]


def test_all_are_seen():
    assert len(callables()) >= 28
    assert {"discover.function", "enforce.maps", "enforce.SparseDynamics", "promote.Regression"} <= set(callables())


@pytest.mark.parametrize("name", callables())
def test_data_come_by_position_and_the_rest_by_keyword(name):
    """A verb that works on nothing but actions, such as `enforce.maps`, takes these by position."""
    given = positional(callables()[name])
    if name in {"enforce.Constraints", "enforce.Smoothed"}:
        return  # named tuples, filled in by a verb
    if name == "enforce.homogeneous":
        assert given == ["action"]
    elif ACTIONS[0] in given:
        assert given == ACTIONS
    else:
        assert set(given) <= DATA


@pytest.mark.parametrize("name", callables())
def test_actions_have_one_pair_of_names(name):
    """Inputs are moved by `source`, outputs by `target`, one side alone by `action`, and a flow by its `symmetry`."""
    parameters = callables()[name].parameters
    assert not {"target"} & set(parameters) or "source" in parameters
    assert not {"source", "target"} & set(parameters) or not {"action", "symmetry"} & set(parameters)
