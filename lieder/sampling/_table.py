"""What a user hands over as data, checked once and turned into rows of real numbers with column names."""

from dataclasses import dataclass

import numpy as np

from ._real import real_numbers


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
    Returns: Table; float32 stays float32 (the rounding floor follows it), all other numbers are float64.
    Raises: TypeError and ValueError as `real_numbers`; ValueError for more than two dimensions, no rows, and names that
        do not fit.
    """
    values, own = real_numbers(data, argument)
    names = own if names is None else names
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
            f" name{'s' * (len(names) != 1)} came: {', '.join(names)}. Give one name a column."
        )
    if len(set(names)) < len(names):
        raise ValueError(f"{argument} has columns of equal names, {', '.join(names)}: give each its own name.")
    return Table(values, names)


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
        f" value{'s' * (count > 1)} in all so far). Drop or fill these rows first."
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
            " changes along it: leave the column out."
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
            f" them leave the range of {low.dtype}. Measure in other"
            f" units{', or use float64' if low.dtype == np.float32 else ''}."
        )
