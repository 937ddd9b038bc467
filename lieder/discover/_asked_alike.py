"""What processes that reduce a model together must agree on."""

from collections.abc import Callable

import numpy as np

from ..interop import ForeignModel, program_mark, told, version_mark
from ._question import Question


def marks(question: Question, F: Callable | ForeignModel, seed: int, dtype: np.dtype) -> dict[str, str]:
    """By name, what is asked, in words and with a mark of its numbers.

    A model is marked by its program and the numbers in it; one of another framework has none.
    """
    asked = {
        "source": told(question.source),
        "target": told(question.target),
        "names": ", ".join(question.names),
        "seed": str(seed),
    }
    return version_mark() | asked | program_mark("the model", F, question.source.width, dtype)
