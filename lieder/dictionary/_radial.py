"""Vector fields of one centre: powers of the distance times the variables."""

from collections.abc import Sequence
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Shaped

from ..late import sympy
from ..linalg import MatrixStack
from ._dictionary import AbstractDictionary, example, text, variables, whole

_ROUND = 1e-12  # departure from a rotation times a number that counts as rounding


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

    def symbols(self, names: "Sequence[str | sympy.Symbol]") -> "list[sympy.Expr]":
        x = variables(names, self.width)
        r = sympy.sqrt(sum(v**2 for v in x))
        return [r**p * v for p in range(self.low, self.high + 1) for v in x]

    def texts(self, names):
        """As for every dictionary; the distance |x| by its usual name, r^-3 x, unless a variable is called so."""
        if "r" in [str(name) for name in names]:
            return [text(symbol) for symbol in self.symbols(names)]
        radius = ["" if p == 0 else "r " if p == 1 else f"r^{p} " for p in range(self.low, self.high + 1)]
        return [f"{r}{name}" for r in radius for name in names]

    def under_affine(self, moves, maps):
        """Rotations turn x in r^p x; a dilation of rate s, A = s 1 + rotation, adds p s."""
        n, size = self.width, self.size
        generators, elements = moves.dense(), maps.dense()
        if generators[:, :, n].any() or elements[:, :, n].any():
            return None
        powers = np.arange(self.low, self.high + 1)
        unit = np.eye(n)
        generators, elements = generators[:, :, :n], elements[:, :, :n]
        rate = np.trace(generators, axis1=1, axis2=2) / n
        skew = generators + generators.transpose(0, 2, 1) - 2 * rate[:, None, None] * unit
        square = np.einsum("cij,cij->c", elements, elements) / n
        turns = elements.transpose(0, 2, 1) @ elements - square[:, None, None] * unit
        if max(np.abs(skew).max(initial=0.0), np.abs(turns).max(initial=0.0)) > _ROUND:
            return None
        T = [np.kron(np.eye(len(powers)), a) + s * np.kron(np.diag(powers), unit)
             for a, s in zip(generators, rate, strict=True)]  # fmt: skip
        S = [np.kron(np.diag(s ** (powers / 2)), h) for h, s in zip(elements, square, strict=True)]
        moved, turned = (MatrixStack.from_dense(np.reshape(found, (-1, size, size))) for found in (T, S))
        return moved, turned

    def written(self):
        return {"type": "Radial", "width": self.width, "low": self.low, "high": self.high}


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
