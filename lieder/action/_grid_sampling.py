"""Fields between their samples: slopes on a grid, and values at any place, by one interpolant for both."""

from math import factorial, prod

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

TAPS = 2**20  # numbers held at once while a field is resampled by trigonometric interpolation


def slopes(
    u: Float[Array, "channels *grid"], boundary: str, derivative: str, order: int
) -> Float[Array, "axes channels *grid"]:
    """du/di along each array axis, in units of 1/pixel, of the interpolant that `resampled` evaluates.

    "interpolated": central differences of even order, the slope of the polynomial through order + 1 samples.
    "spectral": i k times the Fourier transform; with a zero boundary after padding to twice the length.
    """
    along = _spectral if derivative == "spectral" else _differences
    return jnp.stack([along(u, axis, boundary, order) for axis in range(1, u.ndim)])


def _spectral(u: Array, axis: int, boundary: str, order: int) -> Array:
    n = u.shape[axis]
    length = _period(n, boundary)
    k = 2 * np.pi * np.fft.rfftfreq(length)
    if length % 2 == 0:
        k[-1] = 0.0  # the fastest wave is sampled at its crests: its slope there is zero
    shape = [1] * u.ndim
    shape[axis] = len(k)
    factor = jnp.asarray(k.reshape(shape), u.dtype) * 1j
    waves = jnp.fft.rfft(u, n=length, axis=axis)
    return jax.lax.slice_in_dim(jnp.fft.irfft(factor * waves, n=length, axis=axis), 0, n, axis=axis)


def _differences(u: Array, axis: int, boundary: str, order: int) -> Array:
    n, half = u.shape[axis], order // 2
    ends = [(half, half) if a == axis else (0, 0) for a in range(u.ndim)]
    wide = jnp.pad(u, ends, mode="wrap") if boundary == "periodic" else jnp.pad(u, ends)
    total = jnp.zeros_like(u)
    for j, weight in enumerate(difference_weights(order), start=1):
        ahead = jax.lax.slice_in_dim(wide, half + j, half + j + n, axis=axis)
        behind = jax.lax.slice_in_dim(wide, half - j, half - j + n, axis=axis)
        total = total + jnp.asarray(weight, u.dtype) * (ahead - behind)
    return total


def difference_weights(order: int) -> Float[np.ndarray, " half"]:
    """Weights w_j of u(i + j) - u(i - j), j = 1..order/2, in the central difference of even order.

    Reference: Fornberg (1988), Generation of finite difference formulas on arbitrarily spaced grids, table 1.
    """
    m = order // 2
    weights = [(-1) ** (j + 1) * factorial(m) ** 2 / (j * factorial(m - j) * factorial(m + j)) for j in range(1, m + 1)]
    return np.array(weights)


def resampled(
    u: Float[Array, "channels *grid"], places: Float[Array, "axes places"], boundary: str, derivative: str, order: int
) -> Float[Array, "channels places"]:
    """Values of the interpolant at places given in pixels along the array axes, the first sample at 0.

    "interpolated": the polynomial through the order + 1 samples around the nearest one, along each axis in turn.
    "spectral": the trigonometric polynomial through all samples. Outside a zero boundary fields are zero.
    """
    return (_trigonometric if derivative == "spectral" else _polynomial)(u, places, boundary, order)


def _polynomial(u: Array, places: Array, boundary: str, order: int) -> Array:
    grid, half = np.array(u.shape[1:], np.int32), order // 2
    nearest = jnp.round(jax.lax.stop_gradient(places))
    offset = places - nearest
    # Far outside, the conversion to integers would overflow; a periodic field repeats, another one is zero there.
    if boundary == "periodic":
        nearest = nearest - grid[:, None] * jnp.floor(nearest / grid[:, None])
    nearest = jnp.clip(nearest, -2 * order - 1, grid[:, None] + 2 * order).astype(jnp.int32)
    weights = _lagrange(offset, half)
    steps = np.stack(np.meshgrid(*[np.arange(order + 1, dtype=np.int32)] * len(grid), indexing="ij"), -1)
    axes = np.arange(len(grid), dtype=np.int32)

    def add(total, step):
        index = nearest + (step - half)[:, None]
        weight = jnp.prod(weights[axes, step], axis=0)
        if boundary == "periodic":
            index = index % grid[:, None]
        else:
            weight = jnp.where(jnp.all((index >= 0) & (index < grid[:, None]), axis=0), weight, 0)
            index = jnp.clip(index, 0, grid[:, None] - 1)
        return total + weight * u[(slice(None), *index)], None

    start = jnp.zeros((u.shape[0], places.shape[1]), u.dtype)
    return jax.lax.scan(add, start, steps.reshape(-1, len(grid)))[0]


def _lagrange(offset: Array, half: int) -> Array:
    """(axes, 2 half + 1, places): the Lagrange polynomials on -half..half at the offsets."""
    nodes = range(-half, half + 1)
    rows = [
        prod([(offset - k) / (j - k) for k in nodes if k != j], start=jnp.ones((), offset.dtype))
        * jnp.ones_like(offset)
        for j in nodes
    ]
    return jnp.stack(rows, axis=1)


def _trigonometric(u: Array, places: Array, boundary: str, order: int) -> Array:
    grid = u.shape[1:]

    def at(place):
        total = u
        for axis in reversed(range(len(grid))):
            total = total @ _dirichlet(place[axis], grid[axis], boundary)
        return total

    together = max(1, TAPS // prod(u.shape[:-1]))
    return jax.lax.map(at, places.T, batch_size=min(together, places.shape[1])).T


def _dirichlet(place: Array, n: int, boundary: str) -> Array:
    """(n,) weights of the samples in the trigonometric polynomial at one place.

    1/N (1 + 2 sum_k cos(2 pi k (place - j) / N)), the fastest wave of an even N counted once.
    """
    length = _period(n, boundary)
    k = np.arange(length // 2 + 1)
    twice = np.where((k == 0) | (2 * k == length), 1.0, 2.0) / length
    angle = 2 * np.pi * np.outer(k, np.arange(n)) / length
    turn = jnp.asarray(2 * np.pi * k / length, place.dtype) * place
    even, odd = (
        jnp.asarray(twice[:, None] * np.cos(angle), place.dtype),
        jnp.asarray(twice[:, None] * np.sin(angle), place.dtype),
    )
    odd = odd.at[-1].set(0) if length % 2 == 0 else odd
    weights = jnp.cos(turn) @ even + jnp.sin(turn) @ odd
    if boundary == "periodic":
        return weights
    rim = (length - n) / 2
    return jnp.where((place >= -rim) & (place <= n - 1 + rim), weights, 0)


def _period(n: int, boundary: str) -> int:
    return n if boundary == "periodic" else 2 * n
