"""An action in other units and from another origin."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from ..algebra import LieAlgebra, Span
from ._abstract import AbstractAction


class Rescaled(AbstractAction):
    """The same fields in coordinates w = (z - centre) / size.

    Fields: `base`, in the coordinates z; `centre`, `size` (n,).
    """

    base: AbstractAction
    centre: Float[np.ndarray, " n"]
    size: Float[np.ndarray, " n"]

    @property
    def algebra(self) -> LieAlgebra | Span:
        return self.base.algebra

    @property
    def width(self) -> int:
        return self.base.width

    @property
    def blocks(self) -> tuple[tuple[str, int], ...]:
        return self.base.blocks

    @property
    def is_affine(self) -> bool:
        return self.base.is_affine

    def unit_groups(self):
        return self.base.unit_groups()

    def field(self, xi, z):
        return self.base.field(xi, self._out(z)) / jnp.asarray(self.size, z.dtype)

    def fields(self, z):
        return self.base.fields(self._out(z)) / jnp.asarray(self.size, z.dtype)

    def transformed(self, xi, z):
        end = self.base.transformed(xi, self._out(z))
        return None if end is None else self._in(end)

    def element(self, number, z, inverse=False):
        return self._in(self.base.element(number, self._out(z), inverse))

    def restrict(self, rows, algebra):
        return Rescaled(self.base.restrict(rows, algebra), self.centre, self.size)

    def written(self):
        base = self.base.written()
        return None if base is None else {"type": "Rescaled", "base": base, "centre": self.centre, "size": self.size}

    def symbolic(self, xi, x, y):
        outside = [float(c) + float(s) * w for c, s, w in zip(self.centre, self.size, y, strict=True)]
        components = self.base.symbolic(xi, y, y)
        there = list(zip(y, outside, strict=True))
        return [
            component.subs(there, simultaneous=True).expand() / float(s)
            for component, s in zip(components, self.size, strict=True)
        ]

    def _out(self, w):
        return jnp.asarray(self.centre, w.dtype) + jnp.asarray(self.size, w.dtype) * w

    def _in(self, z):
        return (z - jnp.asarray(self.centre, z.dtype)) / jnp.asarray(self.size, z.dtype)

    def __repr__(self) -> str:
        return f"{self.base}, rescaled"


def rescaled(action: AbstractAction, centre: Float[np.ndarray, " n"], size: Float[np.ndarray, " n"]) -> AbstractAction:
    """The same fields in other units and from another origin: theta'(w) = theta(centre + size w) / size.

    Coefficients of generators stay what they are.

    Arguments: `action` of width n; `centre` (n,); `size` (n,), positive.
    Returns: an action of the same algebra on w = (z - centre) / size.
    Raises: ValueError for numbers of another shape, or that are not finite, or sizes that are not positive.
    """
    given = np.asarray(centre, np.float64), np.asarray(size, np.float64)
    for value, name in zip(given, ("centre", "size"), strict=True):
        if value.shape != (action.width,) or not np.isfinite(value).all():
            raise ValueError(f"{name} must hold {action.width} finite numbers, one a coordinate, got {value!r}.")
    if not (given[1] > 0).all():
        raise ValueError(f"size must be positive, got {given[1]!r}.")
    return Rescaled(action, *given)
