"""Switches and counts, checked: a text such as "no" is true to Python, and True is 1."""

import numbers

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


def check_whole(value: object, argument: str, least: int = 1) -> None:
    """Nothing for a whole number of at least `least`.

    Arguments: `value`; `argument`, what the caller calls it, for messages.
    Raises: ValueError for anything else.
    """
    if isinstance(value, bool) or not isinstance(value, numbers.Integral) or value < least:
        raise ValueError(f"{argument} must be a whole number of at least {least}, got {value!r}.")
