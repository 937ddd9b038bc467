"""Containers of numbers that NumPy would read wrongly or not at all, named with what to do."""

import numpy as np
import scipy.sparse


def check_container(data, argument: str) -> None:
    """Nothing, when NumPy reads the data as they are meant.

    Arguments: `data`, what a user handed over; `argument`, what the caller calls it, for messages.
    Raises: TypeError for sparse matrices, tensors that carry gradients, frames that are not computed yet and labelled
        collections; ValueError for masked values.
    """
    if isinstance(data, np.ma.MaskedArray) and np.ma.getmaskarray(data).any():
        count = int(np.ma.getmaskarray(data).sum())
        raise ValueError(
            f"{argument} has {count} masked value{'s' * (count > 1)}, and what lies under a mask is no number. Drop"
            f" these rows, {argument}[~np.ma.getmaskarray({argument}).any(axis=1)], or fill them."
        )
    if scipy.sparse.issparse(data):
        raise TypeError(f"{argument} is a sparse matrix; give it dense, {argument}.toarray().")
    if isinstance(data, list | tuple):
        if len(data):
            check_container(data[0], argument)
        return
    check_computed(data, argument)


def check_computed(data, argument: str) -> None:
    """Nothing, unless the data are a tensor that carries gradients, a frame that is not computed yet or a collection of
    arrays.

    Arguments: `data`, what a user handed over; `argument`, what the caller calls it, for messages.
    Raises: TypeError that says what to give.
    """
    home = type(data).__module__.partition(".")[0]
    if home == "torch" and getattr(data, "requires_grad", False):
        raise TypeError(f"{argument} is a torch tensor that carries gradients; give {argument}.detach().")
    if home == "polars" and type(data).__name__ == "LazyFrame":
        raise TypeError(f"{argument} is a polars LazyFrame, which is not computed yet; give {argument}.collect().")
    if home == "xarray" and type(data).__name__ != "DataArray":
        raise TypeError(
            f"{argument} is an xarray {type(data).__name__}; give one array of N rows, such as"
            f" {argument}.to_array().transpose().values."
        )
