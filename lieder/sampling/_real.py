"""One verdict on numbers that a user hands over, the same in every verb."""

import os
from collections.abc import Iterator
from numbers import Real

import narwhals
import numpy as np

from ._containers import check_container


def real_numbers(data, argument: str) -> tuple[np.ndarray, tuple[str, ...] | None]:
    """The numbers of an array, a data frame (any that narwhals reads: pandas, polars, ...) or nested lists.

    Integers are measurements like any others and are taken as float64; so are objects that are all real numbers. Half
    precision is widened to float32; float32 and float64 stay (the rounding floor follows them).

    Arguments: `data`; `argument`, what the caller calls it, for messages.
    Returns: float32 or float64 numbers of the same shape, which may be NaN; the columns' names of a frame, else None.
    Raises:
        TypeError: booleans, text, times, None among numbers, and what is no table (sparse matrices, tensors with
            gradients, frames that are not computed yet, iterators, functions).
        ValueError: complex numbers, masked values, ragged rows, columns of equal names.
    """
    _check_kind(data, argument)
    try:
        frame = narwhals.from_native(data, pass_through=True, eager_only=True)
        names = tuple(str(column) for column in frame.columns) if isinstance(frame, narwhals.DataFrame) else None
    except narwhals.exceptions.DuplicateError:
        raise ValueError(f"{argument} has columns of equal names: give each its own name.") from None
    if names is not None:
        series = [frame.get_column(column) for column in frame.columns]
        if all(one.dtype.is_float() for one in series):
            whole = np.asarray(frame.to_numpy())
            if whole.dtype.kind == "f":
                return _real(whole, argument), names
        parts = [_real(_array(one), f"{argument}, column '{name}'") for one, name in zip(series, names, strict=True)]
        return np.stack(parts, axis=1) if parts else np.zeros(frame.shape), names
    if isinstance(data, np.memmap):
        return _real(data, argument), None
    try:
        values = np.asarray(data)
    except ValueError:
        raise ValueError(
            f"{argument} is ragged: its rows have different lengths. Give N rows of n numbers each."
        ) from None
    return _real(values, argument), None


def _array(series: narwhals.Series) -> np.ndarray:
    """A column; missing values of a column of numbers are NaN."""
    return np.asarray(series.cast(narwhals.Float64).to_numpy() if series.dtype.is_integer() else series.to_numpy())


def _real(values: np.ndarray, what: str) -> np.ndarray:
    if values.dtype in (np.float32, np.float64):
        return values
    kind, name = values.dtype.kind, str(values.dtype)
    if kind == "f" or name == "bfloat16":
        return values.astype(np.float32 if values.dtype.itemsize < 4 else np.float64)
    if kind in "iu":
        return values.astype(np.float64)
    if kind == "O":
        entries = values.ravel().tolist()
        if all(isinstance(entry, Real) and not isinstance(entry, bool) for entry in entries):
            return values.astype(np.float64)
        if any(isinstance(entry, complex) for entry in entries):
            kind, name = "c", "complex128"
    if kind == "c":
        raise ValueError(
            f"{what} has dtype {name}: split complex numbers into columns of real and imaginary parts; u(n) and su(n)"
            " act on those. (Complex data not supported.)"
        )
    if kind == "b":
        advice = "a switch has no continuous symmetry. Leave the column out, or treat each value's rows apart."
    elif kind in "mM":
        advice = "convert times to numbers of a unit, such as seconds since the first."
    else:
        advice = (
            "every entry must be a real number. An argument must be no text, string or None, but a number everywhere:"
            " convert the column, or leave it out."
        )
    raise TypeError(f"{what} has dtype {name}: {advice}")


def _check_kind(data, argument: str) -> None:
    """A TypeError for what is no table at all."""
    check_container(data, argument)
    if isinstance(data, Iterator):
        raise TypeError(
            f"{argument} is an iterator, but all rows are needed at once here: give np.concatenate(list({argument}))."
        )
    if isinstance(data, list | tuple) and len(data) > 0 and getattr(data[0], "ndim", 0) == 2:
        raise TypeError(
            f"{argument} is a list of batches, but all rows are needed at once here: give np.concatenate({argument})."
        )
    if isinstance(data, str | bytes | os.PathLike | dict | set) or data is None:
        kind = "None" if data is None else f"a {type(data).__name__}"
        advice = " For a file use lieder.files.rows." if isinstance(data, str | os.PathLike) else ""
        raise TypeError(f"{argument} must be an array of N rows or a data frame, got {kind}.{advice}")
    if callable(data) and not callable(getattr(data, "__array__", None)):
        raise TypeError(
            f"{argument} is a function where data are needed: the model comes first, then its sample points."
        )
