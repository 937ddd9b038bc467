"""How the components along O are written as products, so that weight decay on the factors is a norm of the product."""

import abc
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from ._directions import Constant


class AbstractFactors(abc.ABC):
    """c = product of factors f, and min over the factors of |f|^2 = 2 norm(c)."""

    @abc.abstractmethod
    def split(self, c: Array, offset: float) -> tuple[Array, ...]:
        """Factors of c, nearly balanced: the first is larger, by offset^2 in its square."""

    @abc.abstractmethod
    def join(self, factors: tuple[Any, ...]) -> Any:
        """The product, c (k,), of JAX or NumPy arrays."""

    @abc.abstractmethod
    def norm(self, c: Array) -> Array:
        """Half the least sum of squares of factors of c."""

    @abc.abstractmethod
    def vanish(self, c: np.ndarray, threshold: float) -> tuple[np.ndarray, np.ndarray]:
        """c without its small parts, and the size of each part: those up to the threshold are gone."""


@dataclass(frozen=True)
class Elementwise(AbstractFactors):
    """c = u v, number by number: |u|^2 + |v|^2 >= 2 |c|_1."""

    def split(self, c: Array, offset: float) -> tuple[Array, ...]:
        u = _larger(jnp.abs(c), offset)
        return u, c / u

    def join(self, factors: tuple[Any, ...]) -> Any:
        u, v = factors
        return u * v

    def norm(self, c: Array) -> Array:
        return jnp.sum(jnp.abs(c))

    def vanish(self, c: np.ndarray, threshold: float) -> tuple[np.ndarray, np.ndarray]:
        return np.where(np.abs(c) > threshold, c, 0.0), np.abs(c)


@dataclass(frozen=True)
class Grouped(AbstractFactors):
    """c_g = s_g u_g with a number s_g for each group: s^2 + |u|^2 >= 2 sum_g |c_g|_2."""

    groups: Constant  # (k,) the number of the group that each component is in
    count: int

    def split(self, c: Array, offset: float) -> tuple[Array, ...]:
        s = _larger(self._lengths(c), offset)
        return s, c / s[self.groups.array]

    def join(self, factors: tuple[Any, ...]) -> Any:
        s, u = factors
        return s[self.groups.array] * u

    def norm(self, c: Array) -> Array:
        return jnp.sum(self._lengths(c))

    def vanish(self, c: np.ndarray, threshold: float) -> tuple[np.ndarray, np.ndarray]:
        lengths = np.sqrt(np.bincount(self.groups.array, c**2, self.count))
        return np.where(lengths[self.groups.array] > threshold, c, 0.0), lengths

    def _lengths(self, c: Array) -> Array:
        squares = jax.ops.segment_sum(c**2, self.groups.array, self.count)
        # The slope of the square root at zero is infinite: where a group is zero its length is a constant.
        return jnp.where(squares > 0, jnp.sqrt(jnp.where(squares > 0, squares, 1.0)), 0.0)


@dataclass(frozen=True)
class LowRank(AbstractFactors):
    """c as a matrix is U V^T: |U|^2 + |V|^2 >= 2 |c|_*."""

    shape: tuple[int, int]

    def split(self, c: Array, offset: float) -> tuple[Array, ...]:
        left, values, right = jnp.linalg.svd(c.reshape(self.shape), full_matrices=False)
        root = _larger(values, offset)
        return left * root, right.T * (values / root)

    def join(self, factors: tuple[Any, ...]) -> Any:
        U, V = factors
        return (U @ V.T).reshape(-1)

    def norm(self, c: Array) -> Array:
        return jnp.sum(jnp.linalg.svd(c.reshape(self.shape), compute_uv=False))

    def vanish(self, c: np.ndarray, threshold: float) -> tuple[np.ndarray, np.ndarray]:
        left, values, right = np.linalg.svd(c.reshape(self.shape), full_matrices=False)
        return ((left * np.where(values > threshold, values, 0.0)) @ right).reshape(-1), values


def _larger(length: Array, offset: float) -> Array:
    """u >= |v| of u |v| = length, u^2 - v^2 = offset^2.

    The loss alone conserves u^2 - v^2. Exactly balanced factors could only go to zero together, and would stay there: c
    would never change its sign.
    """
    return jnp.sqrt((offset**2 + jnp.sqrt(offset**4 + 4 * length**2)) / 2)
