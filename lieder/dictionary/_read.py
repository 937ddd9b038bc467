"""Dictionaries from the plain data that they write."""

from typing import Any

from ._blocks import Blocks
from ._dictionary import AbstractDictionary
from ._formulas import Formulas
from ._fourier import Fourier
from ._linear import Affine, Linear
from ._polynomials import Polynomials
from ._radial import Radial
from ._union import Union

_KNOWN = {kind.__name__: kind for kind in (Linear, Affine, Polynomials, Fourier, Formulas, Radial)}


def read(plain: dict) -> AbstractDictionary:
    """The dictionary that `AbstractDictionary.written` wrote.

    Arguments: `plain`, as it came from there, also by way of JSON.
    Returns: the dictionary, equal to the one that was written.
    Raises: ValueError for plain data of another kind.
    """
    kind = plain.get("type")
    if kind == "Blocks":
        return Blocks(tuple(read(part) for part in plain["parts"]))
    if kind == "Union":
        return Union(tuple(read(part) for part in plain["parts"]))
    if kind not in _KNOWN:
        raise ValueError(
            f"plain: {kind!r} is no dictionary of lieder; known are {', '.join([*_KNOWN, 'Blocks', 'Union'])}."
        )
    values: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in plain.items() if name != "type"
    }
    return _KNOWN[kind](**values)
