"""The user's own functions as a dictionary."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Shaped

from ..late import sympy
from ._dictionary import AbstractDictionary, example, text, variables, whole
from ._traced import traced


@jax.tree_util.register_static
@dataclass(frozen=True)
class Functions(AbstractDictionary):
    """Functions given one by one, each from one example x (width,) to a scalar.

    Fields: `width`; `members`, the callables; `names`, one for each; `labelled`, whether these are the user's words,
        which are then printed instead of a formula that is more than arithmetic.
    """

    width: int
    members: tuple[Callable, ...]
    names: tuple[str, ...]
    labelled: bool = False

    @property
    def size(self) -> int:
        return len(self.members)

    def __call__(self, x: Shaped[Array | np.ndarray, " width"]) -> Shaped[Array, " size"]:
        x = example(x, self.width)
        return jnp.stack([jnp.asarray(f(x), x.dtype) for f in self.members])

    def symbols(self, names: "Sequence[str | sympy.Symbol]") -> "list[sympy.Expr]":
        """As for every dictionary; a name of the user's, or of a function without a formula, stands as `name(x, y)`."""
        x = variables(names, self.width)
        return [self._symbol(f, name, x) for f, name in zip(self.members, self.names, strict=True)]

    def _symbol(self, f: Callable, name: str, x: "list[sympy.Symbol]") -> "sympy.Expr":
        arithmetic = _of_symbols(f, x)
        if arithmetic is not None:
            return arithmetic
        formula = None if self.labelled and name.isidentifier() else traced(f, x)
        if formula is not None:
            return formula
        return sympy.Function(name)(*x) if name.isidentifier() else sympy.Symbol(name)

    def texts(self, names: Sequence[str]) -> list[str]:
        """As for every dictionary; a name that is a formula, such as "1/r" or "cos(x)", stands as it is."""
        written = [text(symbol) for symbol in self.symbols(names)]
        return [own if not own.isidentifier() else known for own, known in zip(self.names, written, strict=True)]


def functions(members: Sequence[Callable], width: int, names: Sequence[str] | None = None) -> Functions:
    """A dictionary of your own functions.

    Arguments: `members`, callables from one example (width,) to a scalar, written with jax.numpy so that they can be
    differentiated; `width` >= 1; `names`, one for each (default: the functions' own names, f1, f2, .. for lambdas).
    Returns: the dictionary, of `size` len(members).
    Raises: TypeError when a member is not callable; ValueError when there is none, when one does not return a scalar,
    or when the names do not fit.
    """
    width, members = whole(width, "width", 1), tuple(members)
    if not members:
        raise ValueError("members: expected at least one function, got none.")
    for i, f in enumerate(members):
        if not callable(f):
            raise TypeError(f"members[{i}]: expected a function from x ({width},) to a scalar, got {f!r}.")
        # Called, not traced: JAX keeps traces of integer indices, which then fail under scoped float64.
        shape = jnp.shape(f(jnp.ones(width)))
        if shape != ():
            raise ValueError(
                f"members[{i}]: expected a scalar, got an output of shape {shape}. Give one function per output."
            )
    given = tuple(_own_name(f, i) for i, f in enumerate(members)) if names is None else tuple(names)
    if len(given) != len(members):
        raise ValueError(f"names: expected {len(members)} names, one for each function, got {len(given)}: {given}.")
    return Functions(width, members, given, names is not None)


def _own_name(f: Callable, i: int) -> str:
    name = getattr(f, "__name__", "")
    return name if name.isidentifier() else f"f{i + 1}"


def _of_symbols(f: Callable, x: "list[sympy.Symbol]") -> "sympy.Expr | None":
    try:
        return sympy.sympify(f(np.array(x, dtype=object)))
    # The user's code may raise anything when given symbols; none of it is a fault.
    except Exception:
        return None
