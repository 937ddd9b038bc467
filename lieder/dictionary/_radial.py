"""Vector fields of one centre: powers of the distance times the variables."""

from collections.abc import Sequence
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
import sympy
from jaxtyping import Array, Shaped

from ._dictionary import AbstractDictionary, example, variables, whole


@jax.tree_util.register_static
@dataclass(frozen=True)
class Radial(AbstractDictionary):
    """The functions r^p x_i, r = |x|, for p = low..high (outer) and i = 1..n (inner).

    Central forces are among them: gravity is -r^-3 x. At x = 0 the functions with p < 0 are not defined, and those of
    odd p are not differentiable (the gradient there is NaN): keep the centre out of the data.

    Fields: `width`; `low` and `high`, the smallest and the largest power, negative ones included.
    """

    width: int
    low: int
    high: int

    @property
    def size(self) -> int:
        return (self.high - self.low + 1) * self.width

    def __call__(self, x: Shaped[Array | np.ndarray, " width"]) -> Shaped[Array, " size"]:
        x = example(x, self.width)
        square = jnp.sum(x * x)
        # Even powers through r^2 alone, which is smooth at the centre.
        powers = [square ** (p // 2) * (jnp.sqrt(square) if p % 2 else 1) for p in range(self.low, self.high + 1)]
        return (jnp.stack(powers)[:, None] * x[None, :]).reshape(-1)

    def symbols(self, names: Sequence[str | sympy.Symbol]) -> list[sympy.Expr]:
        x = variables(names, self.width)
        r = sympy.sqrt(sum(v**2 for v in x))
        return [r**p * v for p in range(self.low, self.high + 1) for v in x]


def radial(low: int, high: int, width: int) -> Radial:
    """The functions r^p x_i with r = |x| and p from `low` to `high`.

    Arguments: `low` <= `high`, whole, may be negative; `width` >= 1. On the command line "radial(-5,0)" is enough: the
    width is that of the data (`by_name`).
    Returns: the dictionary, of `size` (high - low + 1) * width.
    Raises: TypeError, ValueError when one of them is not of that kind.
    """
    low, high = (whole(value, name, -1000) for value, name in ((low, "low"), (high, "high")))
    if low > high:
        raise ValueError(f"low, high: expected low <= high, got low = {low} and high = {high}.")
    return Radial(whole(width, "width", 1), low, high)
