"""Settings of training that are numbers."""

import numbers

import numpy as np


def check_whole(value: object, argument: str) -> None:
    """Nothing for a whole number of at least 1.

    Arguments: `value`; `argument`, what the caller calls it.
    Raises: ValueError for anything else.
    """
    if isinstance(value, bool) or not isinstance(value, numbers.Integral) or value < 1:
        raise ValueError(f"{argument} must be a whole number of at least 1, got {value!r}.")


def is_size(value: object) -> bool:
    """Whether this is a finite real number of at least 0, and no switch."""
    return isinstance(value, numbers.Real) and not isinstance(value, bool) and 0 <= value < np.inf  # pyright: ignore[reportOperatorIssue]
