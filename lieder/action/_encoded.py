"""An action in coordinates of its own: what is learnt between encoder and decoder."""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ..algebra import LieAlgebra, Span
from ..late import sympy
from ._abstract import AbstractAction, named_components


class Encoded(AbstractAction):
    """x -> decode(g encode(x)), g of an action on k coordinates; the field is J_decode (theta(encode(x))).

    It is an action where encode(decode(z)) = z, and moves those x as they are for which decode(encode(x)) = x; others
    are first set back to such. What trains are the leaves of `base`, `encoder` and `decoder`.

    Fields: `base`, on k coordinates; `encoder`, (n,) -> (k,), and `decoder`, (k,) -> (n,), equinox modules that are
        made of arrays, or other pytrees that can be called; `width` n.
    """

    base: AbstractAction
    encoder: Any
    decoder: Any
    width: int = eqx.field(static=True)

    @property
    def algebra(self) -> LieAlgebra | Span:
        return self.base.algebra

    def field(self, xi, z):
        inner = self.encoder(z)
        return jax.jvp(self.decoder, (inner,), (self.base.field(xi, inner),))[1]

    def fields(self, z):
        inner = self.encoder(z)
        push = jax.linearize(self.decoder, inner)[1]
        return jax.vmap(push)(self.base.fields(inner))

    def transformed(self, xi, z):
        end = self.base.transformed(xi, self.encoder(z))
        return None if end is None else self.decoder(end)

    def element(self, number, z, inverse=False):
        return self.decoder(self.base.element(number, self.encoder(z), inverse))

    def restrict(self, rows, algebra):
        return Encoded(self.base.restrict(rows, algebra), self.encoder, self.decoder, self.width)

    def own_coordinates(self, xi):
        names = [f"z{i}" for i in range(self.base.width)]
        symbols = [sympy.Symbol(name, real=True) for name in names]
        return names, self.base.symbolic(np.asarray(xi), symbols, symbols)

    def written(self):
        base, maps = self.base.written(), [_written(one) for one in (self.encoder, self.decoder)]
        if base is None or None in maps:
            return None
        return {"type": "Encoded", "base": base, "encoder": maps[0], "decoder": maps[1], "width": self.width}

    def symbolic(self, xi, x, y):
        return named_components(self.algebra, np.asarray(xi), y)

    def __repr__(self) -> str:
        return f"{self.base} between encoder and decoder, on {self.width} columns"


def encoded(
    base: AbstractAction,
    encoder: Callable[[Float[Array, " n"]], Float[Array, " k"]],
    decoder: Callable[[Float[Array, " k"]], Float[Array, " n"]],
    width: int,
) -> Encoded:
    """The action x -> decode(g encode(x)) of an action on k coordinates.

    Arguments: `base`, on k coordinates; `encoder`, (n,) -> (k,), and `decoder`, (k,) -> (n,), such as equinox modules,
        whose arrays are then leaves of the action; they should undo each other on the data; `width` n.
    Returns: an action of the same algebra on n columns.
    Raises: ValueError for maps of other shapes; TypeError for what cannot be called.
    Example:
        >>> import jax.numpy as jnp
        >>> import lieder as ld
        >>> turn = ld.vectors(ld.algebra.so(2))  # of the plane, seen through logarithms
        >>> action = ld.action.encoded(turn, jnp.log, jnp.exp, 2)
        >>> action.field(jnp.ones(1), jnp.ones(2)).tolist()
        [0.0, 0.0]

    Reference: Yang, Dehmamy, Walters, Yu (2024), Latent space symmetry discovery, eq. (2).
    """
    check_map(encoder, "encoder", width, base.width)
    check_map(decoder, "decoder", base.width, width)
    return Encoded(base, _held(encoder), _held(decoder), width)


def check_map(given: object, argument: str, inside: int, outside: int) -> None:
    """Nothing for a map of one point, (inside,) -> (outside,).

    Arguments: `given`; `argument`, what the caller calls it, for messages; the widths.
    Raises: TypeError for what is no map; ValueError for one of other widths.
    """
    if not callable(given):
        raise TypeError(
            f"{argument} must be an equinox module, or another map ({inside},) -> ({outside},), got"
            f" {type(given).__name__}."
        )
    try:
        came = jax.eval_shape(given, jax.ShapeDtypeStruct((inside,), jnp.float32)).shape
    except (TypeError, ValueError) as fault:
        raise ValueError(f"{argument} must take a point of shape ({inside},) in float32: {fault}") from None
    if came != (outside,):
        raise ValueError(f"{argument} must take ({inside},) to ({outside},), but makes {came}.")


class Held(eqx.Module):
    """A map of which the arrays alone are leaves: activations that a module holds are none that JAX could take.

    Fields: `arrays`, `rest`: the map in two parts.
    """

    arrays: Any
    rest: Any = eqx.field(static=True)

    def __call__(self, x):
        return eqx.combine(self.arrays, self.rest)(x)


def _held(one: Callable) -> Callable:
    """A map as a pytree of arrays."""
    return one if all(map(eqx.is_array, jax.tree.leaves(one))) else Held(*eqx.partition(one, eqx.is_array))


def _written(one: Any) -> dict | None:
    """The plain data of a map that knows it."""
    write = getattr(one, "written", None)
    return None if write is None else write()
