"""What processes that answer together must agree on, as texts that can be compared between them."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import equinox as eqx
import jax
import numpy as np
from jax.extend.core import ClosedJaxpr, Jaxpr

from .. import __version__
from ..files import fingerprint
from ._foreign import ForeignModel


def version_mark() -> dict[str, str]:
    """The version of the library.

    Returns: one text, by a name.
    """
    return {"the version of lieder": __version__}


def settings_mark(settings: Mapping[str, object]) -> dict[str, str]:
    """The version of the library, and settings of a verb.

    Arguments: `settings`, by name, anything.
    Returns: one text a setting, by its name.
    """
    return version_mark() | {name: told(value) for name, value in settings.items()}


def told(thing: object) -> str:
    """An object in words, with a mark of the numbers in it.

    Arguments: `thing`, a tree of arrays or anything else.
    Returns: the same text for equal objects, also in another process.
    """
    numbers = jax.tree.leaves(eqx.filter(thing, eqx.is_array))
    text = _without_addresses(str(thing))
    return f"{text} marked {fingerprint(*map(np.asarray, numbers))[:12]}" if numbers else text


def program_mark(
    name: str, F: Callable | ForeignModel, width: int, dtype: np.dtype | type = np.float64
) -> dict[str, str]:
    """A mark of a model's program and the numbers in it, by a name.

    Arguments: `name`; `F`, of one example (width,) of the `dtype`.
    Returns: one text; none of a model of another framework that has no mark.
    """
    if isinstance(F, ForeignModel):
        mark = F.mark() if F.mark is not None else ""
        return {name: f"one marked {mark[:12]}"} if mark else {}
    with jax.enable_x64(dtype == np.float64):
        made = jax.make_jaxpr(F)(jax.ShapeDtypeStruct((width,), dtype))
    numbers = map(np.asarray, [*made.consts, *_numbers(made.jaxpr)])
    return {name: "one marked " + fingerprint(_without_addresses(str(made.jaxpr)), *numbers)[:12]}


def _numbers(program: Jaxpr) -> Iterator[Any]:
    """The arrays in the programs that a program calls, which its text does not show."""
    for equation in program.eqns:
        for part in jax.tree.leaves(list(equation.params.values())):
            if isinstance(part, ClosedJaxpr):
                yield from part.consts
            if isinstance(part, ClosedJaxpr | Jaxpr):
                yield from _numbers(part.jaxpr if isinstance(part, ClosedJaxpr) else part)


def _without_addresses(text: str) -> str:
    """Those of objects differ between processes."""
    return re.sub(r" at 0x[0-9a-f]+|0x[0-9a-f]+", "", text)
