"""What processes that reduce a model together must agree on."""

from collections.abc import Callable

import numpy as np

from ..interop import ForeignModel, program_mark, settings_mark
from ._question import Question, Rule


def marks(question: Question, F: Callable | ForeignModel, rule: Rule, dtype: np.dtype) -> dict[str, str]:
    """By name, what is asked, in words and with a mark of its numbers.

    A model is marked by its program and the numbers in it, one of another framework by what it holds.
    """
    asked = {"source": question.source, "target": question.target, "names": ", ".join(question.names)}
    return settings_mark(asked | vars(rule)) | program_mark("the model", F, question.source.width, dtype)
