"""What every dictionary is: D functions of n variables, evaluated together on one example."""

import abc
from collections.abc import Sequence

import jax.numpy as jnp
import numpy as np
import sympy
from jaxtyping import Array, Shaped


class AbstractDictionary(abc.ABC):
    """A family of functions F_W(x) = W f(x), linear in W, given by its features f(x) = (f_1(x), .., f_D(x)).

    Every dictionary is a frozen dataclass, a static pytree (it has no leaves, and may be closed over or passed under
    `jax.jit`) and equal to any other of the same content.

    Fields: `width`, the number n of input variables.
    """

    width: int

    @property
    @abc.abstractmethod
    def size(self) -> int:
        """The number D of functions."""

    @abc.abstractmethod
    def __call__(self, x: Shaped[Array | np.ndarray, " width"]) -> Shaped[Array, " size"]:
        """All features of one example.

        Arguments: `x` (width,), one example; the caller vmaps. Integers are promoted to floats.
        Returns: (size,) in the dtype of `x`.
        Raises: ValueError when `x` has another shape.
        """

    @abc.abstractmethod
    def symbols(self, names: Sequence[str | sympy.Symbol]) -> list[sympy.Expr]:
        """The features as sympy expressions.

        Arguments: `names`, `width` names (or sympy symbols) of the input variables.
        Returns: `size` expressions, in the order of the evaluation.
        Raises: ValueError when there are not `width` names.
        """


def example(x, width: int) -> Array:
    """The argument of a dictionary as a floating vector of `width` entries, or an error that says what came."""
    x = jnp.asarray(x)
    if x.shape != (width,):
        raise ValueError(
            f"x: this dictionary takes one example of shape ({width},), got {x.shape}. "
            "For many examples use jax.vmap(dictionary)(x)."
        )
    return x if jnp.issubdtype(x.dtype, jnp.inexact) else x.astype(float)


def variables(names: Sequence[str | sympy.Symbol], width: int) -> list[sympy.Symbol]:
    """The names as sympy symbols, or an error that says how many are needed."""
    if isinstance(names, str) or len(names) != width:
        raise ValueError(f"names: expected {width} names, one for each input variable, got {names!r}.")
    return [sympy.Symbol(name) if isinstance(name, str) else name for name in names]


def whole(value, name: str, least: int) -> int:
    """`value` as an integer of at least `least`, or an error that names the argument."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise TypeError(f"{name}: expected a whole number, got {value!r}.")
    if value < least:
        raise ValueError(f"{name}: expected at least {least}, got {value}.")
    return int(value)
