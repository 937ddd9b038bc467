"""Monotone curves of rational quadratics on an interval or round a circle, with their inverses and slopes."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

BOUND = 3.0  # the curve runs from -3 to 3, six standard deviations of a normal density
LEAST = 1e-3  # share of a bin's width and height, and a slope: a curve is never vertical or flat


class Curve(NamedTuple):
    """A monotone curve through K + 1 knots, the identity beyond them.

    Fields: `x`, `y` (K + 1,) of the knots; `slope` (K + 1,) there.
    """

    x: Float[Array, " knots"]
    y: Float[Array, " knots"]
    slope: Float[Array, " knots"]


def free_numbers(bins: int) -> int:
    """How many numbers `curve` takes."""
    return 3 * bins


def curve(raw: Float[Array, " numbers"], round_: Bool[Array, ""]) -> Curve:
    """The curve of 3 K unbounded numbers; the identity where all are zero.

    Arguments: `raw` (3 K,): K widths and K heights of bins as logarithms of their shares, K slopes; `round_`, whether
        the interval is a circle, where the slope has to be one at its two ends; on a line it is 1 there.
    Returns: the curve.
    Reference: Durkan et al. (2019), Neural spline flows, section 3.1; Rezende et al. (2020), for the circle.
    """
    bins = len(raw) // 3
    x, y = _knots(raw[:bins]), _knots(raw[bins : 2 * bins])
    slopes = LEAST + (1 - LEAST) * jax.nn.softplus(raw[2 * bins :] + np.log(np.e - 1).astype(raw.dtype))
    end = jnp.where(round_, slopes[-1], 1.0)[None]
    return Curve(x, y, jnp.concatenate([end, slopes[:-1], end]))


def _knots(raw: Array) -> Array:
    shares = LEAST + (1 - LEAST * len(raw)) * jax.nn.softmax(raw)
    inner = 2 * BOUND * jnp.cumsum(shares)[:-1] - BOUND
    ends = jnp.full((1,), BOUND, raw.dtype)
    return jnp.concatenate([-ends, inner, ends])


def forward(c: Curve, x: Float[Array, ""]) -> tuple[Float[Array, ""], Float[Array, ""]]:
    """y(x), and the logarithm of its slope."""
    k = jnp.sum(x >= c.x[1:-1])
    left, width, low, height, at, then = _bin(c, k)
    share = jnp.clip((x - left) / width, 0, 1)
    middle = height / width
    both = at + then - 2 * middle
    below = middle + both * share * (1 - share)
    y = low + height * (middle * share**2 + at * share * (1 - share)) / below
    inside = jnp.abs(x) < BOUND
    steep = jnp.log(_slope(share, middle, at, then, below))
    return jnp.where(inside, y, x), jnp.where(inside, steep, 0.0)


def backward(c: Curve, y: Float[Array, ""]) -> tuple[Float[Array, ""], Float[Array, ""]]:
    """x(y), and the logarithm of the slope of y at x."""
    k = jnp.sum(y >= c.y[1:-1])
    left, width, low, height, at, then = _bin(c, k)
    middle = height / width
    both = at + then - 2 * middle
    up = jnp.clip(y - low, 0, height)
    # The root of a quadratic that lies in the bin, in the form without cancellation.
    a = height * (middle - at) + up * both
    b = height * at - up * both
    free = middle * up
    share = 2 * free / (b + jnp.sqrt(jnp.maximum(b**2 + 4 * a * free, 0)) + 1e-30)
    share = jnp.clip(share, 0, 1)
    inside = jnp.abs(y) < BOUND
    steep = jnp.log(_slope(share, middle, at, then, middle + both * share * (1 - share)))
    return jnp.where(inside, left + share * width, y), jnp.where(inside, steep, 0.0)


def _bin(c: Curve, k: Array):
    left, low = c.x[k], c.y[k]
    return left, c.x[k + 1] - left, low, c.y[k + 1] - low, c.slope[k], c.slope[k + 1]


def _slope(share: Array, middle: Array, at: Array, then: Array, below: Array) -> Array:
    rest = 1 - share
    return middle**2 * (then * share**2 + 2 * middle * share * rest + at * rest**2) / below**2
