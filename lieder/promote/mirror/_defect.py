"""Whether a loss has a mirror symmetry."""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from ...sampling import checked_flag
from ._factors import Grouped
from ._mirror import Mirror, own
from ._selection import check_finite

_ON_THE_MIRROR = 1e-9  # relative length of O^T theta under which the reflection moves nothing


def defect(
    loss: Callable,
    params: Any,
    O: Any,  # noqa: E741
    *,
    where: Callable | None = None,
    dim: int | None = None,
    each: bool = False,
) -> float | np.ndarray:
    """How much a loss changes when its parameters are reflected, theta -> (I - 2 O O^T) theta.

    |l(R theta) - l(theta)| / (|l(R theta)|^2 + |l(theta)|^2)^(1/2): rounding for a mirror symmetry, order 1 without.
    A single number may agree by accident; let `loss` return the predictions for many examples instead.

    Arguments:
        loss: params -> an array, a number or all predictions.
        params: where it is compared; anywhere but on the mirror O^T theta = 0.
        O, where, dim: a Mirror, or directions as in `own`.
        each: one reflection for each group of the mirror (each direction, where it has no groups), not one for all.
    Returns: the relative difference; an array of them with `each`.
    Raises: ValueError when O^T theta = 0, where every loss agrees; for a loss that returns NaN. TypeError for a loss
        that is no function or returns no numbers.
    """
    if not callable(loss):
        raise TypeError(f"loss must be a function of params, defect(loss, params, O); got {type(loss).__name__}.")
    each = checked_flag(each, "each")
    mirror = O if isinstance(O, Mirror) else own(params, O, where=where, dim=dim)
    check_finite(params, mirror.leaves)
    leaves, structure = jax.tree_util.tree_flatten(params)
    theta = mirror.leaves.ravel(leaves)
    before = _values(loss, params)

    def difference(flipped: np.ndarray) -> float:
        reflected, part = _reflected(mirror, theta, flipped)
        if np.linalg.norm(part) <= _ON_THE_MIRROR * np.linalg.norm(theta):
            raise ValueError(
                "params lie on the mirror, O^T theta = 0, where every loss agrees; compare at random ones."
            )
        after = _values(loss, jax.tree_util.tree_unflatten(structure, mirror.leaves.put(leaves, reflected)))
        size = np.hypot(np.linalg.norm(before), np.linalg.norm(after))
        return float(np.linalg.norm(after - before) / size) if size > 0 else 0.0

    if not each:
        return difference(np.ones(mirror.dim, bool))
    labels = mirror.factors.groups.array if isinstance(mirror.factors, Grouped) else np.arange(mirror.dim)
    return np.array([difference(labels == label) for label in range(int(labels.max()) + 1)])


@partial(jax.jit, static_argnums=0)
def _reflected(mirror: Mirror, theta: Array, flipped: Array) -> tuple[Array, Array]:
    part = jnp.where(flipped, mirror.directions.components(theta), 0)
    return theta - 2 * mirror.directions.combine(part), part


def _values(loss: Callable, params: Any) -> np.ndarray:
    try:
        values = np.asarray(loss(params))
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as fault:
        raise TypeError(f"loss cannot be evaluated at params: {fault}. It takes params to numbers.") from fault
    if values.dtype.kind not in "fiub" and str(values.dtype) != "bfloat16":
        raise TypeError(f"loss must return real numbers, got {values.dtype}.")
    values = values.astype(np.float64)
    if not np.isfinite(values).all():
        raise ValueError("loss returns NaN or infinite numbers; begin from parameters where it is finite.")
    return values
