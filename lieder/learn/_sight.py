"""What a discriminator sees of rows: their columns in standard units, or products of these, decorrelated."""

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

FAR = 50.0  # spreads beyond which a row is as far as can be: what left the data needs no exact place
HARDLY = 0.03  # of the spread of products: what varies less is enlarged by no more than this, and noise with it


class Sight(NamedTuple):
    """Columns less their `centre`, in units of their `spread`; and, where it is the products that are seen, what these
    are on average, `mean`, and the matrix that makes them uncorrelated, of variance one, `white`."""

    centre: Float[Array, " n"]
    spread: Float[Array, " n"]
    mean: Float[Array, " k"] | None = None
    white: Float[Array, "k k"] | None = None

    @property
    def width(self) -> int:
        """How many numbers are seen."""
        return len(self.centre if self.mean is None else self.mean)

    def __call__(self, rows: Float[Array, "b n"]) -> Float[Array, "b width"]:
        """Rows as they are seen."""
        plain = jnp.clip((rows - self.centre) / self.spread, -FAR, FAR)
        if self.mean is None or self.white is None:
            return plain
        return jnp.clip((_products(plain) - self.mean) @ self.white, -FAR, FAR)


def sight(seen: Float[np.ndarray, "N n"], products: bool) -> Sight:
    """How these rows are best seen.

    With products a surface of second order on which the rows lie, such as a light cone, is a direction in which nothing
    varies. Made as wide as the others it shows at once what leaves the surface, which a network that is given the
    columns alone is long in learning.
    """
    spread = seen.std(axis=0)
    plain = Sight(*(jnp.asarray(each, jnp.float32) for each in (seen.mean(axis=0), np.where(spread > 0, spread, 1.0))))
    if not products:
        return plain
    every = np.asarray(_products(plain(jnp.asarray(seen, jnp.float32))), float)
    variances, axes = np.linalg.eigh(np.cov(every.T))
    white = axes / np.sqrt(np.maximum(variances, 0.0) + HARDLY**2 * variances.mean())
    return plain._replace(mean=jnp.asarray(every.mean(axis=0), jnp.float32), white=jnp.asarray(white, jnp.float32))


def products_of(columns: int) -> int:
    """How many products there are: of pairs of columns and one, a column with itself and one with itself among them."""
    return (columns + 1) * (columns + 2) // 2


def _products(rows: Float[Array, "b n"]) -> Float[Array, "b k"]:
    """Products of pairs of (1, row), of length one: so few rows that are large do not hide all others."""
    every = jnp.concatenate([jnp.ones((len(rows), 1), rows.dtype), rows], axis=1)
    i, j = np.triu_indices(every.shape[1])
    return every[:, i] * every[:, j] * (every.shape[1] / jnp.sum(every**2, axis=1, keepdims=True))
