"""Stage 2: the density of transformations given a prototype, by a conditional flow of splines."""

from itertools import pairwise

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from ._spline import BOUND, Curve, backward, curve, forward, free_numbers
from ._transformations import Transformations

HIDDEN = 32  # numbers between a prototype's features and the knots of one curve
STEEPEST = 3.0  # logarithm of how much a layer stretches a line at most


def units_of(
    transforms: Transformations, answers: Float[np.ndarray, "n q"]
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Middle and spread of what the inference reads off the data; angles have the circle's own."""
    least = 1e-3 * np.array(transforms.bounds)
    centre = np.where(transforms.turns, 0.0, np.median(answers, axis=0))
    scale = np.where(transforms.turns, np.pi / BOUND, np.maximum(answers.std(axis=0), least))
    return tuple(centre.tolist()), tuple(scale.tolist())


class Flow(eqx.Module):
    """p(eta | prototype): eta in its own order becomes u, one curve a coordinate and layer, u normal or round uniform.

    In each layer the curve of a coordinate depends on the prototype and on the coordinates before it; layers take turns
    in which comes first. Periodic coordinates live on a circle and stay there.

    Fields: `trunk` and `norms`, of the prototype's features; `first`, `second`, weights and biases (layers, q, ...) of
        the two layers that place the knots of a curve; `centre` and `scale` (q,): z = (eta - centre) / scale; `turns`,
        which coordinates are periodic; `dropout`, the share of features that is left out in training.
    """

    trunk: list[eqx.nn.Linear]
    norms: list[eqx.nn.LayerNorm]
    first: tuple[Float[Array, "layers q hidden given"], Float[Array, "layers q hidden"]]
    second: tuple[Float[Array, "layers q out hidden"], Float[Array, "layers q out"]]
    centre: tuple[float, ...] = eqx.field(static=True)
    scale: tuple[float, ...] = eqx.field(static=True)
    turns: tuple[bool, ...] = eqx.field(static=True)
    dropout: float = eqx.field(static=True)

    def __init__(
        self,
        transforms: Transformations,
        units: tuple[tuple[float, ...], tuple[float, ...]],
        widths: tuple[int, ...],
        layers_bins: tuple[int, int],
        key: PRNGKeyArray,
        dropout: float = 0.2,
    ):
        """`units`, the centre and scale of each coordinate: see `units_of`."""
        self.turns, self.dropout = transforms.turns, dropout
        self.centre, self.scale = units
        (layers, bins), q = layers_bins, transforms.count
        below, one, two = jax.random.split(key, 3)
        pairs = list(pairwise([int(np.prod(transforms.shape)), *widths]))
        keys = jax.random.split(below, len(widths))
        self.trunk = [eqx.nn.Linear(a, b, key=k, dtype=jnp.float32) for (a, b), k in zip(pairs, keys, strict=True)]
        self.norms = [eqx.nn.LayerNorm(width, dtype=jnp.float32) for width in widths]
        given, out = widths[-1] + 2 * q, 2 + free_numbers(bins)
        weights = jax.random.normal(one, (layers, q, HIDDEN, given), jnp.float32) / np.float32(np.sqrt(given))
        self.first = weights, jnp.zeros((layers, q, HIDDEN), jnp.float32)
        # Every curve begins near the identity.
        weights = jax.random.normal(two, (layers, q, out, HIDDEN), jnp.float32) * np.float32(0.1 / np.sqrt(HIDDEN))
        self.second = weights, jnp.zeros((layers, q, out), jnp.float32)

    def features(self, prototype: Float[Array, "c h w"], key: PRNGKeyArray | None = None) -> Float[Array, " features"]:
        """What the flow knows of a prototype; with a key some of it is left out, as in training."""
        hidden = prototype.reshape(-1)
        for k, (layer, norm) in enumerate(zip(self.trunk, self.norms, strict=True)):
            hidden = jax.nn.gelu(norm(layer(hidden)))
            if key is not None:
                kept = jax.random.bernoulli(jax.random.fold_in(key, k), 1 - self.dropout, hidden.shape)
                hidden = jnp.where(kept, hidden / (1 - self.dropout), 0)
        return hidden

    def log_density(
        self, eta: Float[Array, " q"], prototype: Float[Array, "c h w"], key: PRNGKeyArray | None = None
    ) -> Float[Array, ""]:
        """log p(eta | prototype), in nats, of densities in radians and logarithms."""
        return self.log_density_of(eta, self.features(prototype, key))

    def log_density_of(self, eta: Float[Array, " q"], features: Float[Array, " features"]) -> Float[Array, ""]:
        """The same, of features that are known."""
        scale = jnp.asarray(self.scale, eta.dtype)
        z = self._wrapped((eta - jnp.asarray(self.centre, eta.dtype)) / scale)

        def layer(z, weights):
            shift, stretch, curves = self._curves(weights, z, features)
            z, steep = jax.vmap(forward)(curves, self._wrapped((z + shift) * jnp.exp(stretch)))
            return z, jnp.sum(steep + stretch)

        u, slopes = jax.lax.scan(layer, z, self._layers(eta.dtype)[0])
        normal = -0.5 * u**2 - 0.5 * np.log(2 * np.pi)
        base = jnp.sum(jnp.where(jnp.asarray(self.turns), -np.log(2 * BOUND), normal))
        return jnp.sum(slopes) - jnp.sum(jnp.log(scale)) + base

    def sample(self, prototype: Float[Array, "c h w"], key: PRNGKeyArray) -> Float[Array, " q"]:
        """One draw of eta."""
        return self.sample_of(self.features(prototype), key)

    def sample_of(self, features: Float[Array, " features"], key: PRNGKeyArray) -> Float[Array, " q"]:
        """The same, of features that are known."""
        q, dtype = len(self.turns), features.dtype
        normal, flat = jax.random.split(key)
        around = jax.random.uniform(flat, (q,), dtype, -BOUND, BOUND)
        u = jnp.where(jnp.asarray(self.turns), around, jax.random.normal(normal, (q,), dtype))

        def undone(u, layer):
            """Coordinate by coordinate in the order of the layer."""
            weights, order = layer

            def one(z, k):
                shift, stretch, curves = self._curves(weights, z, features)
                x = backward(Curve(curves.x[k], curves.y[k], curves.slope[k]), u[k])[0]
                return self._wrapped(z.at[k].set(x * jnp.exp(-stretch[k]) - shift[k])), None

            return jax.lax.scan(one, jnp.zeros_like(u), order)[0], None

        z, _ = jax.lax.scan(undone, u, self._layers(dtype), reverse=True)
        return self._wrapped(z) * jnp.asarray(self.scale, dtype) + jnp.asarray(self.centre, dtype)

    def _layers(self, dtype):
        """The weights of each layer with the coordinates (q, q) that each coordinate knows, and the order of these."""
        layers, q = self.first[1].shape[:2]
        orders = [np.arange(q) if number % 2 == 0 else np.arange(q)[::-1] for number in range(layers)]
        before = np.stack([np.subtract.outer(place := np.argsort(order), place) > 0 for order in orders])
        return (self.first, self.second, jnp.asarray(before, dtype)), jnp.asarray(np.stack(orders))

    def _curves(self, weights, z: Array, features: Array) -> tuple[Array, Array, Curve]:
        """Shifts, logarithms of stretches, and curves, (q,) of each; those of a coordinate know the ones before it."""
        (inner, bias), (outer, start), before = weights
        q, turning = len(self.turns), jnp.asarray(self.turns)
        angle = z * (np.pi / BOUND)
        pair = jnp.where(turning, jnp.stack([jnp.cos(angle), jnp.sin(angle)]), jnp.stack([z, jnp.tanh(z)]))
        known = (before[:, None, :] * pair).reshape(q, -1)
        given = jnp.concatenate([jnp.broadcast_to(features, (q, len(features))), known], axis=1)
        hidden = jax.nn.gelu(jax.vmap(jnp.dot)(inner, given) + bias)
        raw = jax.vmap(jnp.dot)(outer, hidden) + start
        stretch = jnp.where(turning, 0.0, STEEPEST * jnp.tanh(raw[:, 1] / STEEPEST))
        return raw[:, 0], stretch, jax.vmap(curve)(raw[:, 2:], turning)

    def _wrapped(self, z: Array) -> Array:
        around = z - 2 * BOUND * jnp.floor((z + BOUND) / (2 * BOUND))
        return jnp.where(jnp.asarray(self.turns), around, z)
