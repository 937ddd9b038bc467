"""What is this? Models of other frameworks recognised and wrapped, for every verb that takes a model."""

from collections.abc import Callable, Sequence

import equinox as eqx
import jax
import numpy as np

from ._differences import central_differences
from ._foreign import ForeignModel
from ._sharded import at_hand
from ._sklearn import from_sklearn, is_sklearn, own_function
from ._torch import from_torch, is_torch


def is_foreign(model) -> bool:
    """Whether a model is one of another framework, wrapped or not.

    Returns: True for torch modules, scikit-learn estimators and `ForeignModel`."""
    return isinstance(model, ForeignModel) or is_torch(model) or is_sklearn(model)


def adapted(
    model, x: np.ndarray | None, argument: str = "model", names: Sequence[str] | None = None
) -> Callable | ForeignModel:
    """A model as the derivative wants it: those of other frameworks wrapped, functions as they are.

    An estimator that says what `function` it is, as those of this library do, is that function: exact derivatives.

    Arguments: `model`; `x` (N, n), examples such as an estimator was fitted on, which choose the steps of its
    differences, or None where there are none at hand; `argument`, what the caller calls the model; `names` of the
    columns of `x`.
    Returns: the model.
    Raises: TypeError for a class in place of a model and for what cannot be called; ValueError for an estimator without
    examples; both as `from_sklearn`.
    """
    if isinstance(model, type):
        raise TypeError(
            f"{argument} is the class {model.__name__}, not a model: give an instance of it, fitted to data."
        )
    if is_sklearn(model):
        own = own_function(model, names, argument)
        if own is not None:
            return at_hand(own, argument)
        if x is None:
            raise ValueError(
                f"{argument} is a scikit-learn estimator, and x comes in pieces: its finite differences need the data's"
                f" spread. Give x as one array, or {argument} = lieder.interop.from_sklearn({argument}, sample)."
            )
        return from_sklearn(model, x, names=names, argument=argument)
    if is_torch(model):
        return from_torch(model)
    if not callable(model):
        raise TypeError(
            f"{argument} must be a callable of one example, a fitted scikit-learn regressor or a torch module, got"
            f" {type(model).__name__}."
        )
    return at_hand(model, argument)


def is_numpy(model: Callable, x) -> bool:
    """Whether a function of one example is written with NumPy, so that JAX cannot trace it.

    Arguments: `model`; `x` (N, n), of which the shape and dtype of one row are used.
    Returns: False also for a JAX module with arrays in it, and for what fails in any other way: its own message says
    more.
    """
    try:
        jax.eval_shape(model, jax.ShapeDtypeStruct(x.shape[1:], x.dtype))
    except (jax.errors.TracerArrayConversionError, jax.errors.ConcretizationTypeError):
        return not jax.tree.leaves(eqx.filter(model, eqx.is_array))
    except Exception:
        return False
    return False


def from_numpy(model: Callable, x) -> ForeignModel:
    """A function of one example written with NumPy, with Jacobians by central differences.

    Arguments: `model`, from (n,) to (m,) or a number; `x` (N, n), examples that choose the steps.
    Returns: the model, on batches.
    """
    return central_differences(
        lambda batch: np.stack([np.atleast_1d(np.asarray(model(one))) for one in batch]), np.asarray(x)
    )
