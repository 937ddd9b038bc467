"""Settings of training that are numbers."""

import numbers

import numpy as np


def is_size(value: object) -> bool:
    """Whether this is a finite real number of at least 0, and no switch."""
    return isinstance(value, numbers.Real) and not isinstance(value, bool) and 0 <= value < np.inf  # pyright: ignore[reportOperatorIssue]
