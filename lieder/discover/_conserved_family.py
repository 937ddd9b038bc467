"""A dictionary in standard units: every column from its mean, over its spread, whatever units the user has."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from ..dictionary import AbstractDictionary
from ..sampling import Moments, moments

_ROWS = 8192  # points evaluated at once


@dataclass(frozen=True, eq=False)
class Family:
    """The functions I = c . h(z) of standard columns z = (x - shift) / scale.

    A dictionary that is closed under such changes is taken in z itself, h = f(z), so that an offset costs no digits;
    any other in x, h = f(shift + scale z).

    Fields: `dictionary`; `shift`, `scale` (n,); `change` (D, D), T with f(x) = T h(z): c = T^T c_user.
    """

    dictionary: AbstractDictionary
    shift: Float[np.ndarray, " n"]
    scale: Float[np.ndarray, " n"]
    change: Float[np.ndarray, "D D"]
    own: bool  # h = f(z)

    @classmethod
    def of(cls, dictionary: AbstractDictionary, x: Float[np.ndarray, "N n"]) -> "Family":
        """For data x."""
        return cls.about(dictionary, moments(x))

    @classmethod
    def about(cls, dictionary: AbstractDictionary, where: Moments) -> "Family":
        """For data that lie there."""
        shift, scale = where.mean, np.where(where.deviation > 0, where.deviation, 1.0)
        change = dictionary.substitution(shift, scale)
        if change is None:
            return cls(dictionary, shift, scale, np.eye(dictionary.size), False)
        return cls(dictionary, shift, scale, change.toarray(), True)

    def standard(self, x: Float[np.ndarray, "N n"]) -> Float[np.ndarray, "N n"]:
        """Points in standard units."""
        return (x - self.shift) / self.scale

    def values(self, x: Float[np.ndarray, "N n"]) -> Float[np.ndarray, "N D"]:
        """h at points given in the user's units."""
        return self._mapped(_values, self._at(x))

    def gradients(self, x: Float[np.ndarray, "N n"]) -> Float[np.ndarray, "N D n"]:
        """The derivatives of h along standard columns."""
        return self._mapped(_gradients, self._at(x)) * (1.0 if self.own else self.scale)

    def curvatures(self, x: Float[np.ndarray, "N n"], root: Float[np.ndarray, "n n"]) -> Float[np.ndarray, "N D"]:
        """tr(S D^2 h), S = R R^T in standard units."""
        root = root if self.own else self.scale[:, None] * root
        return self._mapped(partial(_curvatures, root=root.T), self._at(x))

    def _at(self, x: np.ndarray) -> np.ndarray:
        return self.standard(x) if self.own else x

    def _mapped(self, function, x: np.ndarray) -> np.ndarray:
        return on_rows(partial(function, self.dictionary), x)


def on_rows(function: Callable, x: Float[np.ndarray, "N n"]) -> np.ndarray:
    """A function of batches, on rows in float64.

    Batches are filled up to a power of two, so that little is compiled for pieces of many sizes.
    """
    size = min(_ROWS, 1 << max(len(x) - 1, 0).bit_length())
    found = []
    with jax.enable_x64(True):
        for start in range(0, len(x), size):
            piece = x[start : start + size]
            filled = jnp.asarray(np.resize(piece, (size, x.shape[1])), jnp.float64)
            found.append(np.asarray(function(filled))[: len(piece)])
    return np.concatenate(found)


@partial(jax.jit, static_argnums=0)
def _values(dictionary, x):
    return jax.vmap(dictionary)(x)


@partial(jax.jit, static_argnums=0)
def _gradients(dictionary, x):
    return jax.vmap(dictionary.jacobian)(x)


@partial(jax.jit, static_argnums=0)
def _curvatures(dictionary, x, root):
    def along(p, v):
        return jax.jvp(lambda q: jax.jvp(dictionary, (q,), (v,))[1], (p,), (v,))[1]

    return jax.vmap(lambda p: jax.vmap(lambda v: along(p, v))(root).sum(axis=0))(x)


def check_finite(
    values: np.ndarray, dictionary: AbstractDictionary, names: tuple[str, ...], x: np.ndarray, first: int = 0
) -> None:
    """A ValueError naming the first function that is not finite (or not differentiable) at a row, and the row; `first`,
    the number of x[0]."""
    bad = np.asarray(~np.isfinite(values.reshape(*values.shape[:2], -1)).all(axis=2))
    if bad.any():
        row, column = np.argwhere(bad)[0]
        point = ", ".join(f"{name} = {value:.3g}" for name, value in zip(names, x[row], strict=True))
        raise ValueError(
            f"dictionary: {dictionary.texts(names)[column]} or its derivative is not finite at row {first + row}"
            f" ({point}); {bad.any(axis=1).sum()} of {len(x)} rows are such. Leave these rows out, or that function."
        )
