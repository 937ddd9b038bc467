"""The two smallest families: linear functions, and linear functions with a constant."""

from collections.abc import Sequence
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
import scipy.sparse
from jaxtyping import Array, Shaped

from ..late import sympy
from ._dictionary import AbstractDictionary, example, variables, whole


@jax.tree_util.register_static
@dataclass(frozen=True)
class Linear(AbstractDictionary):
    """The variables themselves: f(x) = x, so that F_W(x) = W x."""

    width: int

    @property
    def size(self) -> int:
        return self.width

    def __call__(self, x: Shaped[Array | np.ndarray, " width"]) -> Shaped[Array, " size"]:
        return example(x, self.width)

    def symbols(self, names: "Sequence[str | sympy.Symbol]") -> "list[sympy.Expr]":
        return list(variables(names, self.width))

    @property
    def exponents(self):
        return np.eye(self.width, dtype=np.int64)

    @property
    def depends(self):
        return scipy.sparse.csr_array(scipy.sparse.eye_array(self.width))

    def substitution(self, shift, scale):
        return None if np.any(shift) else scipy.sparse.csr_array(scipy.sparse.diags_array(scale))

    def written(self):
        return {"type": "Linear", "width": self.width}


@jax.tree_util.register_static
@dataclass(frozen=True)
class Affine(AbstractDictionary):
    """The variables, then the constant: f(x) = (x_1, .., x_n, 1), so that F_W(x) = A x + b with W = [A b]."""

    width: int

    @property
    def size(self) -> int:
        return self.width + 1

    def __call__(self, x: Shaped[Array | np.ndarray, " width"]) -> Shaped[Array, " size"]:
        x = example(x, self.width)
        return jnp.concatenate([x, jnp.ones((1,), x.dtype)])

    def symbols(self, names: "Sequence[str | sympy.Symbol]") -> "list[sympy.Expr]":
        return [*variables(names, self.width), sympy.Integer(1)]

    @property
    def exponents(self):
        return np.eye(self.width + 1, self.width, dtype=np.int64)

    @property
    def depends(self):
        return scipy.sparse.csr_array(scipy.sparse.eye_array(self.size, self.width))

    def substitution(self, shift, scale):
        square = np.diag(np.append(scale, 1.0))
        square[: self.width, self.width] = shift
        return scipy.sparse.csr_array(square)

    def written(self):
        return {"type": "Affine", "width": self.width}


def linear(width: int) -> Linear:
    """The functions x_1, .., x_n; no constant.

    Returns: the dictionary, of `size` width.
    Raises: TypeError, ValueError when `width` is not a whole number of at least 1.
    """
    return Linear(whole(width, "width", 1))


def affine(width: int) -> Affine:
    """The functions x_1, .., x_n and 1, in this order.

    Returns: the dictionary, of `size` width + 1.
    Raises: TypeError, ValueError when `width` is not a whole number of at least 1.
    """
    return Affine(whole(width, "width", 1))
