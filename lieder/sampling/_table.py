"""What a user hands over as data, checked once and turned into rows of real numbers with column names."""

import os
from collections.abc import Iterator
from dataclasses import dataclass

import narwhals
import numpy as np

from ._containers import check_container


@dataclass(frozen=True, eq=False)
class Table:
    """Rows of finite real numbers: `values` (N, n) in float32 or float64, and one name a column."""

    values: np.ndarray
    names: tuple[str, ...]


def table(data, argument: str = "x", names: list[str] | tuple[str, ...] | None = None) -> Table:
    """Rows and column names of an array, a data frame (any that narwhals reads: pandas, polars, ...) or nested lists.

    Arguments:
        data: N rows of n columns; a one-dimensional array is one column.
        argument: what the caller calls it, for messages.
        names: column names; default those of the data frame, else argument0, argument1, ...
    Returns:
        Table; float32 stays float32 (the rounding floor follows it), float64 stays float64.
    Raises:
        TypeError: numbers that are not real floating point (integers, booleans, complex, objects, text), and containers
            that NumPy cannot read (sparse matrices, tensors with gradients, frames not computed yet).
        ValueError: NaN or inf (named by row and column), masked values, more than two dimensions, no rows.
    """
    _check_kind(data, argument)
    try:
        frame = narwhals.from_native(data, pass_through=True, eager_only=True)
        columns = list(frame.columns) if isinstance(frame, narwhals.DataFrame) else []
    except narwhals.exceptions.DuplicateError:
        raise ValueError(f"{argument} has columns of equal names: give each its own name.") from None
    if isinstance(frame, narwhals.DataFrame):
        for column in columns:
            series = frame.get_column(column)
            if not series.dtype.is_float():
                dtype = str(series.dtype if series.dtype != narwhals.Unknown else series.to_numpy().dtype)
                raise TypeError(_dtype_message(f"{argument}, column '{column}'", dtype))
        if names is None:
            names = [str(column) for column in columns]
        values = frame.to_numpy()
    elif isinstance(data, np.memmap):
        values = data
    else:
        try:
            values = np.asarray(data)
        except ValueError:
            raise ValueError(
                f"{argument} is ragged: its rows have different lengths. Give N rows of n numbers each."
            ) from None
    values = real(values, argument)
    if values.ndim == 1:
        values = values[:, None]
    if values.ndim != 2:
        raise ValueError(
            f"{argument} must be N rows of n columns, got shape {values.shape}. Reshape it to two dimensions."
        )
    if values.shape[0] == 0 or values.shape[1] == 0:
        raise ValueError(f"{argument} is empty: shape {values.shape}. Give at least two rows and one column.")
    if names is None:
        names = [f"{argument}{i}" for i in range(values.shape[1])]
    if isinstance(names, str):
        raise TypeError(f"names of {argument} must be a list, one name a column, got the text '{names}'.")
    names = tuple(str(name) for name in names)
    if len(names) != values.shape[1]:
        raise ValueError(
            f"{argument} has {values.shape[1]} column{'s' * (values.shape[1] != 1)} but {len(names)}"
            f" name{'s' * (len(names) != 1)}"
            f" came: {', '.join(names)}. Give one name a column."
        )
    if len(set(names)) < len(names):
        raise ValueError(f"{argument} has columns of equal names, {', '.join(names)}: give each its own name.")
    return Table(values, names)


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
        advice = " For a file use lieder.files.read_csv." if isinstance(data, str | os.PathLike) else ""
        raise TypeError(f"{argument} must be an array of N rows or a data frame, got {kind}.{advice}")
    if callable(data) and not callable(getattr(data, "__array__", None)):
        raise TypeError(
            f"{argument} is a function where data are needed: the model comes first, then its sample points."
        )


def real(values: np.ndarray, argument: str) -> np.ndarray:
    """`values` if they are float32 or float64 (half precision is widened); a TypeError saying what to do otherwise."""
    if values.dtype in (np.float32, np.float64):
        return values
    if values.dtype.kind == "f" or str(values.dtype) == "bfloat16":
        return values.astype(np.float32 if values.dtype.itemsize < 4 else np.float64)
    raise TypeError(_dtype_message(argument, str(values.dtype)))


def _dtype_message(what: str, dtype: str) -> str:
    kind = dtype.lower()
    if kind.startswith(("int", "uint")):
        advice = (
            "derivatives need real numbers. If the integers are measurements, convert them to float64, an array by"
            " x.astype(float); if they are labels, leave the column out."
        )
    elif kind.startswith("bool"):
        advice = "a switch has no continuous symmetry. Leave the column out, or treat each value's rows apart."
    elif kind.startswith("complex"):
        advice = "split complex numbers into columns of real and imaginary parts; u(n) and su(n) act on those."
    else:
        advice = (
            "every entry must be a real number. Look for text, None or missing values, and convert them to float64."
        )
    return f"{what} has dtype {dtype}: {advice}"


def check_rows(values: np.ndarray, names: tuple[str, ...], argument: str, start: int = 0) -> None:
    """Nothing, when every value is finite.

    Arguments: `values` (B, n); `names` of the columns; `argument`, for messages; `start`, the first row's number.
    Raises: ValueError naming row and column of the first value that is not finite.
    """
    finite = np.isfinite(values)
    if finite.all():
        return
    row, column = np.argwhere(~finite)[0]
    value = values[row, column]
    count = int((~finite).sum())
    raise ValueError(
        f"{argument} holds {value} in column '{names[column]}', row {start + row} ({count} such"
        f" value{'s' * (count > 1)} in all"
        " so far). Drop or fill these rows first."
    )


def check_varying(
    low: np.ndarray, high: np.ndarray, names: tuple[str, ...], argument: str, needed: np.ndarray | None = None
) -> None:
    """Nothing, when the columns that have to vary do so.

    Arguments: `low`, `high` (n,), least and largest values; `names` of the columns; `argument`, for messages; `needed`
        (n,), which columns have to vary, default all. Whatever is needed, one column must vary.
    Raises: ValueError naming the columns whose least and largest values coincide.
    """
    still = low == high
    refused = still if needed is None or still.all() else still & needed
    constant = [(name, value) for name, value, no in zip(names, low, refused, strict=True) if no]
    if constant:
        listed = ", ".join(f"'{name}' (always {value:g})" for name, value in constant)
        raise ValueError(
            f"{argument} has constant columns: {listed}. Data that never vary along a column cannot say how anything"
            " changes"
            " along it: leave the column out."
        )
    check_size(low, high, names, argument)


def check_size(low: np.ndarray, high: np.ndarray, names: tuple[str, ...], argument: str, small: bool = True) -> None:
    """Nothing, when products of a few of the numbers stay within the range of their dtype.

    Arguments: `low`, `high` (n,), least and largest values; `names`; `argument`; `small`: refuse tiny numbers too.
    Raises: ValueError naming the column of the largest.
    """
    largest = np.maximum(np.abs(low), np.abs(high)).astype(np.float64)
    bound = 1e12 if low.dtype == np.float32 else 1e60
    column = int(np.argmax(largest))
    if largest[column] > bound or (small and largest[column] < 1 / bound):
        raise ValueError(
            f"{argument} holds numbers of size {largest[column]:.1g} (column '{names[column]}'): products of a few of"
            " them leave the"
            f" range of {low.dtype}. Measure in other units{', or use float64' if low.dtype == np.float32 else ''}."
        )
