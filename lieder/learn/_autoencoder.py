"""Encoder and decoder between columns in units of their own and a latent with mean zero and covariance one."""

from itertools import pairwise
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from ..action import Perceptron
from ._game import orthonormal

THIN = 1e-3  # spread of a latent direction beside the widest, below which it is none
LEAST = 1e-8


class Autoencoder(eqx.Module):
    """An encoder and a decoder of rows in standard units.

    Fields: `encoder`, (n,) -> (k,), `decoder`, (k,) -> (n,); `upright`, whether the rows of the encoder's last matrix
        are kept orthonormal.
    """

    encoder: Any
    decoder: Any
    upright: bool = eqx.field(static=True)

    def raw(self, rows: Float[Array, "b n"]) -> Float[Array, "b k"]:
        """The latent before it is centred and normalised."""
        return jax.vmap(self.projected)(rows)

    @property
    def projected(self) -> Any:
        """The encoder with its orthonormal projection.

        Its last bias stays as it is. The latent is centred, so that the slope along it is zero but for rounding, of
        which Adam would make steps as long as any other.
        """
        if not self.upright:
            return self.encoder
        weights, biases = self.encoder.weights, self.encoder.biases
        last = orthonormal(weights[-1]), jax.lax.stop_gradient(biases[-1])
        return eqx.tree_at(lambda one: (one.weights[-1], one.biases[-1]), self.encoder, last)

    def settled(self) -> "Autoencoder":
        """The same with its projection made once, for all that is encoded."""
        return Autoencoder(self.projected, self.decoder, False)

    def decoded(self, z: Float[Array, "b k"]) -> Float[Array, "b n"]:
        return jax.vmap(self.decoder)(z)


class Normal(NamedTuple):
    """Where the raw latent rests, and the triangular root of its covariance: z = root^-1 (h - centre)."""

    centre: Float[Array, " k"]
    root: Float[Array, "k k"]

    @classmethod
    def of(cls, raw: Float[Array, "b k"], rest: Float[Array, " k"]) -> "Normal":
        """Of some rows; the resting point lies at `rest` from their mean, in spreads."""
        centre = jnp.mean(raw, axis=0)
        away = raw - centre
        covariance = away.T @ away / len(raw)
        ridge = 1e-6 * jnp.trace(covariance) / len(covariance) + LEAST
        root = jnp.linalg.cholesky(covariance + ridge * jnp.eye(len(covariance), dtype=raw.dtype))
        return cls(centre + root @ rest, root)

    def __call__(self, raw: Float[Array, "b k"]) -> Float[Array, "b k"]:
        return jax.scipy.linalg.solve_triangular(self.root, (raw - self.centre).T, lower=True).T


def autoencoder(n: int, k: int, widths: tuple[int, ...], key: PRNGKeyArray, encoder: Any, decoder: Any) -> Autoencoder:
    """New networks, beside those that are given."""
    one, two = jax.random.split(key)
    ours = encoder is None
    encoder = perceptron(one, (n, *widths, k)) if ours else encoder
    decoder = perceptron(two, (k, *reversed(widths), n)) if decoder is None else decoder
    return Autoencoder(encoder, decoder, ours and widths[-1] >= k)


def perceptron(key: PRNGKeyArray, sizes: tuple[int, ...]) -> Perceptron:
    """A new one, in single precision."""
    keys = jax.random.split(key, len(sizes) - 1)
    weights = [
        jax.random.normal(one, (b, a), jnp.float32) * np.float32(np.sqrt(2 / a))
        for one, (a, b) in zip(keys, pairwise(sizes), strict=True)
    ]
    return Perceptron(tuple(weights), tuple(jnp.zeros(size, jnp.float32) for size in sizes[1:]))


def convolves(model: Autoencoder, n: int, k: int) -> bool:
    """Whether there are convolutions in it, and a CPU to do them.

    Their gradients take six times as long in a loop that XLA compiles for a CPU as outside it (jax-ml/jax#12868).
    """
    if jax.default_backend() != "cpu":
        return False
    rows, z = (jax.ShapeDtypeStruct((1, size), jnp.float32) for size in (n, k))
    made = eqx.filter_make_jaxpr(lambda m, x, z: (m.raw(x), m.decoded(z)))(model, rows, z)
    return "conv_general_dilated" in str(made[0])


class Standardised(eqx.Module):
    """A map of the user's in other units: x -> scale map(size (x - centre)) + shift.

    Fields: `map`; `size`, `centre` of what goes in; `scale`, a matrix or a number a row, and `shift` of what comes out.
    """

    map: Any
    size: Float[np.ndarray, " a"]
    centre: Float[np.ndarray, " a"]
    scale: Float[np.ndarray, "b *b"]
    shift: Float[np.ndarray, " b"]

    def __call__(self, x):
        size, centre, scale, shift = (jnp.asarray(one, x.dtype) for one in self._numbers)
        out = self.map((size * (x - centre)).astype(_precision(self.map, x.dtype))).astype(x.dtype)
        return (scale @ out if scale.ndim == 2 else scale * out) + shift

    @property
    def _numbers(self):
        return self.size, self.centre, self.scale, self.shift


def _precision(one: Any, default: Any) -> Any:
    """That in which a map computes: convolutions refuse rows of another."""
    numbers = jax.tree.leaves(eqx.filter(one, eqx.is_inexact_array))
    return numbers[0].dtype if numbers else default


def finished(
    model: Autoencoder, normal: Normal, centre: Float[np.ndarray, " n"], spread: Float[np.ndarray, " n"]
) -> tuple[Any, Any]:
    """Encoder and decoder in the units of the columns, with centring and normalisation in them."""
    back = np.linalg.inv(np.asarray(normal.root, float))
    shift = -back @ np.asarray(normal.centre, float)
    encoder, decoder = model.projected, model.decoder
    if isinstance(encoder, Perceptron):
        encoder = encoder.after(1 / spread, -centre / spread).before(back, shift)
    else:
        encoder = Standardised(encoder, 1 / spread, centre, back, shift)
    k = len(shift)
    if isinstance(decoder, Perceptron):
        decoder = decoder.before(spread, centre)
    else:
        decoder = Standardised(decoder, np.ones(k), np.zeros(k), spread, centre)
    return encoder, decoder
