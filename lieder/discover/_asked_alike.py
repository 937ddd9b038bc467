"""What processes that answer together must agree on, as texts that can be compared between them."""

import re
from collections.abc import Callable, Mapping

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
    found = {
        "the version of lieder": __version__,
        "source": _told(question.source),
        "target": _told(question.target),
        "names": ", ".join(question.names),
        "seed": str(seed),
    }
    if not isinstance(F, ForeignModel):
        program = jax.make_jaxpr(F)(jax.ShapeDtypeStruct((question.source.width,), dtype))
        text = re.sub(r"0x[0-9a-f]+", "", str(program.jaxpr))  # addresses of objects differ between processes
        found["the model"] = "one marked " + fingerprint(text, *map(np.asarray, program.consts))[:12]
    return found


def check_alike(one: Mapping[str, str], other: Mapping[str, str]) -> None:
    """A ValueError naming what differs."""
    differing = [f"{name}: {one[name]} and {other[name]}" for name in one if one[name] != other.get(name)]
    if differing:
        raise ValueError(
            f"the processes of this job do not ask the same question, they differ in {'; in '.join(differing)}. Call"
            " with the same arguments in all of them."
        )


def _told(action) -> str:
    numbers = jax.tree.leaves(eqx.filter(action, eqx.is_array))
    return f"{action} marked {fingerprint(*map(np.asarray, numbers))[:12]}"
