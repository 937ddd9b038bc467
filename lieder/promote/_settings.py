"""The choices of a regression, checked in the user's words."""

from typing import NamedTuple

import numpy as np

from ..action import AbstractAction, discrete_elements


class Settings(NamedTuple):
    """What the solver, the path and the choice go by; the fields are those of `Regression`."""

    alpha: float | None
    exact: bool
    refit: bool
    ridge: float | None
    intercept: bool
    tolerance: float
    max_iterations: int
    kept_tolerance: float
    folds: int
    seed: int


def checked_settings(model) -> Settings:
    """The choices of a `Regression` as plain numbers and truth values.

    Raises: TypeError, ValueError that name what is wrong.
    """
    flags = {name: _flag(getattr(model, name), name) for name in ("exact", "refit", "intercept")}
    alpha = model.alpha
    if alpha is not None:
        alpha = _number(alpha)
        if alpha is None or not 0 < alpha < np.inf:
            raise ValueError(
                "alpha: expected a finite number above 0, or None to choose it by cross-validation; got"
                f" {model.alpha!r}. For alpha towards 0 use exact=True, or least squares."
            )
        if flags["exact"]:
            raise ValueError(f"alpha: exact=True has none, the data are interpolated; got {model.alpha!r}.")
    ridge = model.ridge
    if ridge is not None:
        ridge = _number(ridge)
        if ridge is None or not 0 <= ridge < np.inf:
            raise ValueError(
                f"ridge: expected a finite number of at least 0, or None to choose it; got {model.ridge!r}."
            )
        if flags["exact"] and ridge > 0:
            raise ValueError(f"ridge: exact=True has none, the data are interpolated; got {model.ridge!r}.")
    shares = {}
    for name in ("tolerance", "kept_tolerance"):
        share = _number(getattr(model, name))
        if share is None or not 0 < share < 1:
            raise ValueError(f"{name}: expected a number between 0 and 1, got {getattr(model, name)!r}.")
        shares[name] = share
    counts = {}
    for name, least in (("max_iterations", 1), ("folds", 2), ("seed", 0)):
        given = getattr(model, name)
        if not isinstance(given, int | np.integer) or isinstance(given, bool) or given < least:
            raise ValueError(f"{name}: expected a whole number from {least} on, got {given!r}.")
        counts[name] = int(given)
    return Settings(alpha=alpha, ridge=ridge, **flags, **shares, **counts)


def check_source(source: AbstractAction) -> None:
    """ValueError for candidates of which nothing can be promoted."""
    if source.algebra.dim == 0 and not discrete_elements(source.algebra):
        raise ValueError(
            f"source: {source} has neither generators nor discrete elements, so that there is nothing to promote."
        )


def _flag(value, name: str) -> bool:
    if not isinstance(value, bool | np.bool_):
        raise TypeError(f"{name}: expected True or False, got {value!r}.")
    return bool(value)


def _number(value) -> float | None:
    """A real number of Python, NumPy or JAX, without dimensions; None for anything else."""
    if isinstance(value, str | bytes | bool | np.bool_ | list | tuple | dict):
        return None
    try:
        array = np.asarray(value)
    except Exception:  # whatever an object does when it is asked for numbers
        return None
    if array.ndim or array.dtype.kind not in "fiu":
        return None
    return float(array)
