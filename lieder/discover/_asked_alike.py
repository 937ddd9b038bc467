"""What processes that answer together must agree on, as texts that can be compared between them."""

import re
from collections.abc import Callable

import equinox as eqx
import jax
import numpy as np

from .. import __version__
from ..files import fingerprint
from ..interop import ForeignModel
from ._question import Question


def marks(question: Question, F: Callable | ForeignModel, seed: int, dtype: np.dtype) -> dict[str, str]:
    """By name, what is asked, in words and with a mark of its numbers.

    A model is marked by its program and the numbers in it; one of another framework has none.
    """
    found = version() | {
        "source": _told(question.source),
        "target": _told(question.target),
        "names": ", ".join(question.names),
        "seed": str(seed),
    }
    return found | program("the model", F, question.source.width, dtype)


def version() -> dict[str, str]:
    """That of lieder, by a name."""
    return {"the version of lieder": __version__}


def program(name: str, F: Callable | ForeignModel, width: int, dtype: np.dtype | type = np.float64) -> dict[str, str]:
    """A mark of a model's program and the numbers in it, by a name; none of one of another framework."""
    if isinstance(F, ForeignModel):
        return {}
    with jax.enable_x64(dtype == np.float64):
        made = jax.make_jaxpr(F)(jax.ShapeDtypeStruct((width,), dtype))
    text = re.sub(r"0x[0-9a-f]+", "", str(made.jaxpr))  # addresses of objects differ between processes
    return {name: "one marked " + fingerprint(text, *map(np.asarray, made.consts))[:12]}


def _told(action) -> str:
    numbers = jax.tree.leaves(eqx.filter(action, eqx.is_array))
    return f"{action} marked {fingerprint(*map(np.asarray, numbers))[:12]}"
