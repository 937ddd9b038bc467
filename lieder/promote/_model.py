"""The function that a regression found."""

from collections.abc import Sequence
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ..derivative import values
from ..dictionary import AbstractDictionary, sum_text

_NEGLIGIBLE = 1e-6  # of the largest term: smaller ones are left out of the text


@jax.tree_util.register_static
@dataclass(frozen=True, eq=False)
class DictionaryModel:
    """F(x) = V f(z) + b with z = (x - centre) / scale: offsets and units of x cost no digits.

    Fields: `dictionary` of D functions f; `coefficients` V (m, D); `intercept` b (m,); `centre`, `scale` (n,).
    """

    dictionary: AbstractDictionary
    coefficients: Float[np.ndarray, "m D"]
    intercept: Float[np.ndarray, " m"]
    centre: Float[np.ndarray, " n"]
    scale: Float[np.ndarray, " n"]

    def __call__(self, x: Float[Array | np.ndarray, " n"]) -> Float[Array, " m"]:
        x = jnp.asarray(x)
        x = x if jnp.issubdtype(x.dtype, jnp.inexact) else x.astype(float)
        f = self.dictionary((x - jnp.asarray(self.centre, x.dtype)) / jnp.asarray(self.scale, x.dtype))
        return jnp.asarray(self.coefficients, f.dtype) @ f + jnp.asarray(self.intercept, f.dtype)

    def values(self, x: Float[np.ndarray, "N n"]) -> Float[np.ndarray, "N m"]:
        """F at many examples, in float64."""
        return values(self.dictionary, (x - self.centre) / self.scale) @ self.coefficients.T + self.intercept


def written(
    dictionary: AbstractDictionary,
    W: Float[np.ndarray, "m D"],
    intercept: Float[np.ndarray, " m"],
    names: Sequence[str],
    outputs: Sequence[str],
    sizes: Float[np.ndarray, " D"],
    digits: int,
) -> list[str]:
    """W f(x) + b in words: one line an output; terms below a millionth of the largest are left out, for functions of
    the given sizes."""
    terms = [*dictionary.texts(names), "1"]
    lines = []
    for name, row in zip(outputs, np.concatenate([W, intercept[:, None]], axis=1), strict=True):
        shares = np.abs(row) * np.append(sizes, 1.0)
        told = np.where(shares > _NEGLIGIBLE * shares.max(), row, 0.0)
        lines.append(f"{name} = {sum_text(told, terms, lambda size: f'{size:.{digits}g}')}")
    return lines
