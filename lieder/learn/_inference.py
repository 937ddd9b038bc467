"""Stage 1: a network that reads off how a picture was transformed, taught by transforming it further."""

from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from ._resampling import blurring
from ._transformations import Transformations

GUIDED = 0.3  # share of the steps in which errors of eta count, less and less
INVERTIBLE = 0.1  # weight of what a prototype loses of its picture (Allingham et al. 2024)
FAINT = 1e-3  # of the mean square of all pictures: what a picture counts for where its own is less


class Inference(eqx.Module):
    """f: picture -> eta, so that the prototype T_-f(x) x is one for all transforms of a picture.

    A perceptron with normalised layers. A periodic transformation is read off as the direction of two outputs, the
    others are one output each and have no end: pictures differ of their own, in brightness say, by far more than the
    bounds, and answers that level off leave what they miss in the prototype, from which the density then knows eta.

    Fields: `layers`, and `norms` between them; `turns`, which answers are angles.
    """

    layers: list[eqx.nn.Linear]
    norms: list[eqx.nn.LayerNorm]
    turns: tuple[bool, ...] = eqx.field(static=True)

    def __init__(self, transforms: Transformations, widths: tuple[int, ...], key: PRNGKeyArray):
        c, h, w = transforms.shape
        self.turns = transforms.turns
        sizes = [c * h * w, *widths, 2 * transforms.count]
        keys = jax.random.split(key, len(sizes) - 1)
        layers = [
            eqx.nn.Linear(a, b, key=k, dtype=jnp.float32) for (a, b), k in zip(pairwise(sizes), keys, strict=True)
        ]
        # All begin at zero: of an angle, the first of the two outputs is one.
        start = np.stack([np.asarray(self.turns, np.float32), np.zeros(transforms.count, np.float32)], axis=1)
        last = eqx.tree_at(lambda one: one.bias, layers[-1], jnp.asarray(start.reshape(-1)))
        self.layers = [*layers[:-1], last]
        self.norms = [eqx.nn.LayerNorm(width, dtype=jnp.float32) for width in widths]

    def __call__(self, picture: Float[Array, "c h w"]) -> Float[Array, " q"]:
        hidden = picture.reshape(-1)
        for layer, norm in zip(self.layers[:-1], self.norms, strict=True):
            hidden = jax.nn.gelu(norm(layer(hidden)))
        along, across = self.layers[-1](hidden).reshape(-1, 2).T
        turning = jnp.asarray(self.turns)
        # Where the answer is no angle the pair is replaced, or its unused derivative could be infinite.
        angle = jnp.arctan2(across, jnp.where(turning, along, 1.0))
        return jnp.where(turning, angle, across)


@dataclass(frozen=True)
class Blur:
    """How the comparison sharpens: a normal kernel of `sigma` pixels, to 0 over the first `share` of steps."""

    sigma: float = 3.0
    share: float = 0.1

    def at(self, done: Float[Array, ""]) -> Float[Array, ""]:
        """The width in pixels when a share `done` of the training is over."""
        return self.sigma * jnp.maximum(1 - done / self.share, 0)


def prototype(network: Inference, transforms: Transformations, picture: Array) -> tuple[Array, Array]:
    """(T_-f(x) x, f(x)) of one picture."""
    eta = network(picture)
    return transforms.moved(transforms.inverse(eta), picture), eta


def uniform(transforms: Transformations, count: int, key: PRNGKeyArray) -> Float[Array, "count q"]:
    """Coefficients within the bounds, independent and uniform."""
    bounds = jnp.asarray(transforms.bounds, jnp.float32)
    return jax.random.uniform(key, (count, transforms.count), jnp.float32, -1, 1) * bounds


class Wrong(NamedTuple):
    """Of one picture: the mean square by which its transforms' prototypes differ, what its own prototype loses, and how
    far off the coefficients are."""

    equivariance: Float[Array, ""]
    lost: Float[Array, ""]
    away: Float[Array, ""]

    def relative(self, picture: Array, power: float) -> "Wrong":
        """The two of pixels in units of the picture's own mean square, `power` being that of all: a dark picture is to
        be read off as well as a bright one."""
        own = jnp.maximum(jnp.mean(picture**2), FAINT * power)
        return Wrong(self.equivariance / own, self.lost / own, self.away)


def consistency(
    network: Inference, transforms: Transformations, picture: Array, key: PRNGKeyArray, draws: int, sigma: Array
) -> Wrong:
    """What a network does wrong with one picture.

    With x_i = T_eta_i x, i = 1..draws, eta_1 = 0 and the others uniform, and each compared with the next, j = i + 1,

        E = mean |x - T_-eta_j T_f(x_j) T_-f(x_i) T_eta_i x|^2,    I = |T_f(x) T_-f(x) x - x|^2,

    where the four transformations of E are composed and x is resampled once, and the two of I are not composed, so that
    it counts what left the frame. The third is how far the composed element is from the one that does nothing, however
    much alike the pictures are (`away`).

    Reference: Allingham et al. (2024), A generative model of symmetry transformations, eq. (6) and section 3.
    """
    _, h, w = picture.shape
    smooth = blurring(h, sigma) @ picture @ blurring(w, sigma).T
    own = jax.lax.stop_gradient(network(picture))
    drawn = uniform(transforms, draws, key).at[0].set(0)
    there, undone = jax.vmap(transforms.further, (0, None))(drawn, own)
    read = jax.vmap(network)(jax.vmap(transforms.moved, (0, None))(there, picture))
    back, home = jax.vmap(transforms.both_ways)(read)
    product = jax.vmap(transforms.product)
    other = jax.tree.map(lambda part: jnp.roll(part, -1, axis=0), product(back, undone))
    whole = product(product(there, home), other)
    off = jax.vmap(transforms.moved, (0, None))(whole, smooth) - smooth
    proto = transforms.moved(jax.tree.map(lambda part: part[0], home), smooth)
    returned = transforms.moved(jax.tree.map(lambda part: part[0], back), proto)
    return Wrong(jnp.mean(off**2), jnp.mean((returned - smooth) ** 2), jnp.mean(jax.vmap(transforms.away)(whole)))
