"""Mirror symmetries removed: the point that weight decay pulls to is no longer a symmetric one (syre)."""

import math
from collections.abc import Callable
from itertools import accumulate
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from ._selection import Leaves, check_finite, select

_BITS = {2: jnp.uint16, 4: jnp.uint32, 8: jnp.uint64}


class Shifted(eqx.Module):
    """theta + theta_0 with a fixed theta_0, trained as any other pytree.

    Fields: `parameters`, theta, with the shape of the model; `shift`, theta_0, as bits: optimisers and gradients take
        floating-point leaves, and so leave it as it is; `weights`, of the penalty, likewise, None where all are 1;
        `leaves`; `strength`, the penalty.
    """

    parameters: Any
    shift: tuple[Array, ...]
    weights: tuple[Array, ...] | None
    leaves: Leaves = eqx.field(static=True)
    strength: float = eqx.field(static=True)

    def value(self) -> Any:
        """The model, theta + theta_0; after training it is all there is to keep.

        Returns: the pytree that `remove` was given, the same shapes and dtypes.
        """
        every, structure = jax.tree_util.tree_flatten(self.parameters)
        for position, bits in zip(self.leaves.positions, self.shift, strict=True):
            every[position] = every[position] + _numbers(bits, every[position].dtype)
        return jax.tree_util.tree_unflatten(structure, every)

    def penalty(self, strength: float | Float[Array, ""] | None = None) -> Float[Array, ""]:
        """a sum_i d_i theta_i^2, weight decay towards theta_0, to be added to the loss.

        Arguments: `strength`, another a, a number or traced; default that given to `remove`.
        Returns: a scalar.
        """
        every = jax.tree_util.tree_leaves(self.parameters)
        total = jnp.zeros((), every[self.leaves.positions[0]].dtype)
        for number, position in enumerate(self.leaves.positions):
            squares = every[position] ** 2
            if self.weights is not None:
                squares = squares * _numbers(self.weights[number], squares.dtype)
            total = total + jnp.sum(squares)
        return (self.strength if strength is None else strength) * total


def remove(
    params: Any,
    *,
    penalty: float,
    key: PRNGKeyArray,
    scale: float = 0.01,
    spread: float = 0.0,
    where: Callable | None = None,
) -> Shifted:
    """Parameters without mirror symmetries, so that weight decay does not collapse the model (syre).

    With l(theta) = l((I - 2 O O^T) theta) and decay to zero, O^T theta = 0 is stationary and, for enough decay,
    attracts. l(theta + theta_0) + a |theta|^2 decays to a random theta_0, which lies on no mirror; the mirrors need not
    be known. Train the result in the place of `params`, on loss(c.value()) + c.penalty(), or with an optimiser that
    decays its weights and a = 0; then `c.value()` is the model. It does not change at the start.

    Arguments:
        params: a pytree, such as an equinox model.
        penalty: a >= 0, the weight decay.
        key: of theta_0, normal.
        scale: standard deviation of theta_0, relative to the root mean square of each leaf (of all leaves, where one is
            zero, as biases are). Small against the parameters; larger ones break symmetries more.
        spread: the decay of each parameter is multiplied by a fixed random number d from 1 - spread to 1 + spread. A
            rotation has a continuum of mirrors, of which theta_0 alone leaves some; uneven decay breaks these.
        where: takes params to the leaves concerned; default every floating-point array.
    Returns: Shifted.
    Raises: ValueError for penalty, scale or spread out of range, or NaN; TypeError for leaves not of floating point.
    Reference: Ziyin, Xu, Chuang (2025), *Remove Symmetries to Control Model Expressivity and Improve Optimization*,
        ICLR, arXiv 2408.15495.
    """
    for name, number, least in (("penalty", penalty, 0.0), ("scale", scale, 0.0), ("spread", spread, 0.0)):
        if isinstance(number, bool) or not isinstance(number, int | float) or not least <= number < math.inf:
            raise ValueError(f"{name} must be a finite number, zero or positive, got {number}.")
    if scale == 0:
        raise ValueError("scale must be positive: theta_0 = 0 removes no symmetry.")
    if spread >= 1:
        raise ValueError(f"spread must be below 1, so that every parameter decays; got {spread}.")
    _check_key(key)
    leaves = select(params, where)
    check_finite(params, leaves)
    every, structure = jax.tree_util.tree_flatten(params)
    drawn = _drawn([jnp.asarray(every[position]) for position in leaves.positions], key, scale, spread)
    for position, theta in zip(leaves.positions, drawn[0], strict=True):
        every[position] = theta
    made = jax.tree_util.tree_unflatten(structure, every)
    return Shifted(made, drawn[1], drawn[2] if spread > 0 else None, leaves, float(penalty))


def _check_key(key: Any) -> None:
    typed = isinstance(key, jax.Array) and jnp.issubdtype(key.dtype, jax.dtypes.prng_key) and key.shape == ()
    raw = isinstance(key, jax.Array | np.ndarray) and key.dtype == np.uint32 and key.shape == (2,)
    if not (typed or raw):
        raise TypeError(f"key must be a random key, such as jax.random.key(0); got {key!r:.60}.")


@jax.jit
def _drawn(leaves: list[Array], key: PRNGKeyArray, scale: Array, spread: Array) -> tuple[tuple[Array, ...], ...]:
    """Each leaf less theta_0; theta_0 and the weights of the penalty, as bits."""
    sizes = [leaf.size for leaf in leaves]
    total = sum(jnp.sum(leaf.astype(float) ** 2) for leaf in leaves) / sum(sizes)
    overall = jnp.where(total > 0, jnp.sqrt(total), 1.0)
    one, two = jax.random.split(key)
    # One draw for all leaves: each would compile for itself.
    ends = list(accumulate(sizes))[:-1]
    normals = jnp.split(jax.random.normal(one, (sum(sizes),)), ends)
    uniforms = jnp.split(jax.random.uniform(two, (sum(sizes),), minval=-1.0), ends)
    made = []
    for leaf, normal, uniform in zip(leaves, normals, uniforms, strict=True):
        size = jnp.sqrt(jnp.mean(leaf.astype(float) ** 2))
        theta_0 = (scale * jnp.where(size > 0, size, overall) * normal.reshape(leaf.shape)).astype(leaf.dtype)
        weights = (1 + spread * uniform.reshape(leaf.shape)).astype(leaf.dtype)
        made.append((leaf - theta_0, _bits(theta_0), _bits(weights)))
    theta, shift, weights = zip(*made, strict=True)
    return theta, shift, weights


def _bits(numbers: Array) -> Array:
    return jax.lax.bitcast_convert_type(numbers, _BITS[numbers.dtype.itemsize])


def _numbers(bits: Array, dtype) -> Array:
    return jax.lax.bitcast_convert_type(bits, dtype)
