"""Stage 1: a network that reads off how a picture was transformed, taught by transforming it further."""

from dataclasses import dataclass
from itertools import pairwise

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from ._resampling import blurring
from ._transformations import Transformations

BEYOND = 2.0  # times the bounds: as far as the network can answer, since a picture may begin at one bound
CHARTS = 4  # answers of a network where a transformation is periodic
INVERTIBLE = 0.1  # weight of what a prototype loses of its picture (Allingham et al. 2024)


class Inference(eqx.Module):
    """f: picture -> eta, so that the prototype T_-f(x) x is one for all transforms of a picture.

    A perceptron with normalised layers that has several answers, each with a weight. A single continuous answer cannot
    go once round with a picture that turns unless it does so from the beginning: it gets stuck where it follows the
    picture half way and jumps back by half a turn. Several answers cover the circle as the charts of an atlas do.

    A periodic transformation is read off as the direction of two outputs, the others through tanh, within twice their
    bounds.

    Fields: `layers`, and `norms` between them; `turns`, which answers are angles; `bounds`; `charts`, how many answers.
    """

    layers: list[eqx.nn.Linear]
    norms: list[eqx.nn.LayerNorm]
    turns: tuple[bool, ...] = eqx.field(static=True)
    bounds: tuple[float, ...] = eqx.field(static=True)
    charts: int = eqx.field(static=True)

    def __init__(self, transforms: Transformations, widths: tuple[int, ...], key: PRNGKeyArray):
        c, h, w = transforms.shape
        self.turns, self.bounds = transforms.turns, transforms.bounds
        self.charts = CHARTS if any(self.turns) else 1
        sizes = [c * h * w, *widths, self.charts * (2 * transforms.count + 1)]
        keys = jax.random.split(key, len(sizes) - 1)
        layers = [
            eqx.nn.Linear(a, b, key=k, dtype=jnp.float32) for (a, b), k in zip(pairwise(sizes), keys, strict=True)
        ]
        # Angles begin spread over the circle, one a chart; all else begins at zero.
        around = 2 * np.pi * np.arange(self.charts) / self.charts
        start = np.zeros((self.charts, 2 * transforms.count + 1), np.float32)
        for k, turning in enumerate(self.turns):
            start[:, 2 * k], start[:, 2 * k + 1] = np.cos(around), np.sin(around) * turning
        last = eqx.tree_at(lambda one: one.bias, layers[-1], jnp.asarray(start.reshape(-1)))
        self.layers = [*layers[:-1], last]
        self.norms = [eqx.nn.LayerNorm(width, dtype=jnp.float32) for width in widths]

    def answers(self, picture: Float[Array, "c h w"]) -> tuple[Float[Array, "charts q"], Float[Array, " charts"]]:
        """All answers and the logarithms of their weights."""
        hidden = picture.reshape(-1)
        for layer, norm in zip(self.layers[:-1], self.norms, strict=True):
            hidden = jax.nn.gelu(norm(layer(hidden)))
        out = self.layers[-1](hidden).reshape(self.charts, -1)
        along, across = out[:, :-1:2], out[:, 1::2]
        reach = BEYOND * jnp.asarray(self.bounds, picture.dtype)
        turning = jnp.asarray(self.turns)
        # Where the answer is no angle the pair is replaced, or its unused derivative could be infinite.
        angle = jnp.arctan2(across, jnp.where(turning, along, 1.0))
        return jnp.where(turning, angle, reach * jnp.tanh(across / reach)), jax.nn.log_softmax(out[:, -1])

    def __call__(self, picture: Float[Array, "c h w"]) -> Float[Array, " q"]:
        answers, weights = self.answers(picture)
        return answers[jnp.argmax(weights)]


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
    return transforms.moved(transforms.element(-eta), picture), eta


def uniform(transforms: Transformations, count: int, key: PRNGKeyArray) -> Float[Array, "count q"]:
    """Coefficients within the bounds, independent and uniform."""
    bounds = jnp.asarray(transforms.bounds, jnp.float32)
    return jax.random.uniform(key, (count, transforms.count), jnp.float32, -1, 1) * bounds


def consistency(
    network: Inference, transforms: Transformations, picture: Array, key: PRNGKeyArray, draws: int, sigma: Array
) -> tuple[Array, Array]:
    """What two errors a network makes with one picture: of equivariance, and of what its prototype loses.

    With x_i = T_eta_i x, i = 1..draws, eta_1 = 0 and the others uniform, and each compared with the next, j = i + 1,

        E = mean |x - T_-eta_j T_f(x_j) T_-f(x_i) T_eta_i x|^2,    I = |T_f(x) T_-f(x) x - x|^2,

    where the four transformations of E are composed and x is resampled once, and the two of I are not composed, so that
    it counts what left the frame. E is its expectation over the charts of x_i; that of x_j is drawn.

    Reference: Allingham et al. (2024), A generative model of symmetry transformations, eq. (6) and section 3.
    """
    _, h, w = picture.shape
    smooth = blurring(h, sigma) @ picture @ blurring(w, sigma).T
    drawn = uniform(transforms, draws, key).at[0].set(0)
    seen = jax.vmap(transforms.moved, (0, None))(jax.vmap(transforms.element)(drawn), picture)
    answers, weights = jax.vmap(network.answers)(seen)
    chosen = jax.random.categorical(jax.random.fold_in(key, 1), weights)
    picked = jnp.take_along_axis(answers, chosen[:, None, None], axis=1)[:, 0]

    # All elements in one call, which is compiled once: there, its inverse, back, and to the prototype by each chart.
    kinds = jnp.concatenate([jnp.stack([drawn, -drawn, picked], axis=1), -answers], axis=1)
    elements = jax.vmap(jax.vmap(transforms.element))(kinds)
    there, undone, back = (jax.tree.map(lambda part, k=k: part[:, k], elements) for k in range(3))
    home = jax.tree.map(lambda part: part[:, 3:], elements)
    other = jax.vmap(transforms.product)(back, undone)
    other = jax.tree.map(lambda part: jnp.roll(part, -1, axis=0), other)

    def error(there, home, other):
        whole = transforms.product(transforms.product(there, home), other)
        return jnp.mean((smooth - transforms.moved(whole, smooth)) ** 2)

    each = jax.vmap(jax.vmap(error, (None, 0, None)))(there, home, other)
    proto = transforms.moved(jax.tree.map(lambda part: part[0, chosen[0]], home), smooth)
    returned = transforms.moved(jax.tree.map(lambda part: part[0], back), proto)
    return jnp.mean(jnp.sum(jnp.exp(weights) * each, axis=1)), jnp.mean((returned - smooth) ** 2)
