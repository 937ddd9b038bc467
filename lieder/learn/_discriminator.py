"""A network that tells moved rows from real ones, and what it says of how alike they are."""

from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

LN2 = float(np.log(2.0))
Layers = list[tuple[Array, Array]]


def discriminator(key: PRNGKeyArray, inputs: int, width: int, waves: int = 0) -> Layers:
    """A new perceptron with two hidden layers, in single precision, that sees rows beside sines of them along `waves`
    directions taken at random (Rahimi, Recht 2007; Tancik et al. 2020: without, a network is slow to see what is
    narrow)."""
    direction, phase = jax.random.split(jax.random.fold_in(key, 1))
    along = jax.random.normal(direction, (inputs, waves), jnp.float32)
    sines = along, jax.random.uniform(phase, (waves,), jnp.float32, 0.0, 2 * np.pi)
    sizes = [inputs + waves, width, width, 1]
    return [sines] + [
        (jax.random.normal(one, pair, jnp.float32) * np.float32(np.sqrt(2 / pair[0])), jnp.zeros(pair[1], jnp.float32))
        for one, pair in zip(jax.random.split(key, 3), pairwise(sizes), strict=True)
    ]


def logits(layers: Layers, rows: Float[Array, "b n"], smooth: float) -> Float[Array, " b"]:
    """Of being real. The network is smooth (SiLU), since generators are trained by its slope; with `smooth` 0 it has
    kinks (leaky ReLU), for data that jump."""
    w, b = layers[0]
    rows = jnp.concatenate([rows, jnp.sin(rows @ w + b)], axis=1)
    for w, b in layers[1:-1]:
        rows = rows @ w + b
        rows = jax.nn.silu(rows) if smooth else jax.nn.leaky_relu(rows, 0.2)
    w, b = layers[-1]
    return (rows @ w + b)[:, 0]


def fooled(layers: Layers, moved: Float[Array, "b n"], smooth: float) -> Float[Array, ""]:
    """The generators' loss: the cross entropy of moved rows, called real (Goodfellow et al. 2014, section 3)."""
    return jnp.mean(jax.nn.softplus(-logits(layers, moved, smooth)))


def told_apart(
    layers: Layers, real: Float[Array, "b n"], moved: Float[Array, "b n"], smooth: float
) -> Float[Array, " b"]:
    """The cross entropy of both, in bits; 1 where nothing is told apart."""
    ours, theirs = logits(layers, real, smooth), logits(layers, moved, smooth)
    return 0.5 * (jax.nn.softplus(-ours) + jax.nn.softplus(theirs)) / LN2


def discriminating(
    layers: Layers, real: Float[Array, "b n"], moved: Float[Array, "b n"], smooth: float
) -> tuple[Float[Array, ""], Float[Array, ""]]:
    """The discriminator's loss, cross entropy and `smooth` / 2 |slope at real rows|^2; and the cross entropy in bits.

    The slope's penalty lets the game converge (Mescheder, Geiger, Nowozin 2018, R1).
    """
    entropy = jnp.mean(told_apart(layers, real, moved, smooth))
    if not smooth:
        return LN2 * entropy, entropy
    slope = jax.grad(lambda rows: jnp.sum(logits(layers, rows, smooth)))(real)
    return LN2 * entropy + 0.5 * smooth * jnp.mean(jnp.sum(slope**2, axis=1)), entropy


def divergence(
    layers: Layers, real: Float[Array, "b n"], moved: Float[Array, "b n"], smooth: float
) -> tuple[Float[Array, ""], Float[Array, ""]]:
    """A lower bound of the Jensen-Shannon divergence of real and moved rows in bits, and its standard error.

    On rows that the discriminator was not trained on: 0 where they are alike, 1 where each is known for what it is.
    """
    each = 1.0 - told_apart(layers, real, moved, smooth)
    return jnp.mean(each), jnp.std(each) / np.sqrt(len(real))
