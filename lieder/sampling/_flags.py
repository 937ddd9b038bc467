"""Switches, checked: a text such as "no" is true to Python."""

import numpy as np


def checked_flag(value, argument: str) -> bool:
    """A switch that was given as one.

    Arguments: `value`; `argument`, what the caller calls it, for messages.
    Returns: True or False.
    Raises: TypeError for anything but True and False.
    """
    if not isinstance(value, bool | np.bool_):
        raise TypeError(f"{argument} must be True or False, got {value!r:.60}.")
    return bool(value)
