"""How far a learned action moves the rows that are to look like real ones: the distribution of its coefficients."""

from dataclasses import dataclass
from typing import Literal

import jax
import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Float, PRNGKeyArray

from ._numbers import is_size

Kind = Literal["normal", "uniform", "integers"]
KINDS = ("normal", "uniform", "integers")
REACH = 4.0  # standard deviations that hardly any draw exceeds


@dataclass(frozen=True)
class Coefficients:
    """c in exp(sum_k c_k L_k): normal of standard deviation `spread`; uniform within +-spread; or whole numbers within
    +-spread, each as likely, none of them zero, for groups that are discrete.

    Raises: ValueError for what is no distribution.
    """

    kind: Kind = "normal"
    spread: float = 1.0

    def __post_init__(self):
        if self.kind not in KINDS:
            raise ValueError(f"distribution must be one of {', '.join(KINDS)}, got {self.kind!r}.")
        if not is_size(self.spread) or not self.spread > 0:
            raise ValueError(f"spread must be a number above 0, got {self.spread!r}.")
        if self.kind == "integers" and self.spread != int(self.spread):
            raise ValueError(f"spread: the largest of the whole numbers is a whole number, got {self.spread!r}.")

    @property
    def largest(self) -> float:
        """What hardly any coefficient exceeds."""
        return self.spread * (REACH if self.kind == "normal" else 1.0)

    def draw(self, key: PRNGKeyArray, shape: tuple[int, ...], reach: ArrayLike = 1.0) -> Float[Array, "..."]:
        """Coefficients, in single precision; whole ones up to a share `reach` of the way from 1 to the largest."""
        if self.kind == "normal":
            return self.spread * jax.random.normal(key, shape, jnp.float32)
        if self.kind == "uniform":
            return jax.random.uniform(key, shape, jnp.float32, -self.spread, self.spread)
        size, sign = jax.random.split(key)
        above = 2.0 + reach * (self.spread - 1.0)
        whole = jnp.floor(jax.random.uniform(size, shape, jnp.float32, 1.0, above))
        return whole * jax.random.rademacher(sign, shape, jnp.float32)
