"""Five charged bodies (Satorras, Hoogeboom and Welling 2021, section 5.1): where they are 1,000 time steps later.

Message passing put together from `ld.nn.MLP`, beside an EGNN of about the published size, on the same 1,000 systems.
Run by networks.py; both are trained alike: Adam with a cosine schedule from their own rate, gradients clipped at 1,
batches of 100 systems.

Systems are drawn as described there: charges +1 or -1 with equal chance, normal positions, velocities of length .5 in
any direction; Coulomb forces q_i q_j r / |r|^3 without softening, clipped at 100 for each coordinate, no box; leapfrog
with time step .001. The first 3,000 steps bring the system to its start, the next 1,000 to its target.
"""

import time
from functools import lru_cache

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax

import lieder as ld

ROWS, TEST, BODIES, BATCH, SEEDS, STEPS, PIECES = 1000, 2000, 5, 100, 3, 1500, 100
BEFORE, AFTER, STEP, MOST = 3000, 1000, 1e-3, 100.0
OTHERS = 1.0 - np.eye(BODIES, dtype=np.float32)[:, :, None]


@lru_cache
def systems(seed: int, rows: int) -> tuple[jax.Array, ...]:
    """Positions and velocities (rows, 5, 3), charges (rows, 5, 1), and positions 1,000 steps later."""
    rng = np.random.default_rng(seed)
    charge, x = rng.choice([-1.0, 1.0], size=(rows, BODIES)), rng.normal(size=(rows, BODIES, 3))
    v = rng.normal(size=(rows, BODIES, 3))
    v *= 0.5 / np.linalg.norm(v, axis=2, keepdims=True)
    products = charge[:, :, None] * charge[:, None] * OTHERS[:, :, 0]

    def force(x):
        apart = x[:, :, None] - x[:, None]
        squares = np.einsum("nijk,nijk->nij", apart, apart) + np.eye(BODIES)
        return np.clip(np.einsum("nij,nijk->nik", products / squares**1.5, apart), -MOST, MOST)

    v, start = v + STEP * force(x), (x, v)
    for number in range(BEFORE + AFTER):
        if number == BEFORE:
            start = x, v
        x = x + STEP * v
        v = v + STEP * force(x)
    return tuple(jnp.asarray(part, jnp.float32) for part in (*start, charge[:, :, None], x))


class Messages(eqx.Module):
    """Rounds of messages (relative positions, velocities, charges), their sum, and a change of position and velocity.

    Inputs of the messages are bounded by hand, as networks of products want: bodies that met fly off fast and far.
    """

    messages: tuple[ld.nn.MLP, ...]
    updates: tuple[ld.nn.MLP, ...]

    def __init__(self, key, rounds: int = 4, width: int = 32):
        algebra = ld.algebra.o(3)
        V, S = ld.vectors(algebra), ld.scalars(algebra)
        keys = jax.random.split(key, (2, rounds))
        options = {"width": width, "depth": 1, "dtype": jnp.float32}
        self.messages = tuple(ld.nn.MLP(3 * V + 4 * S, 4 * V + 12 * S, key=one, **options) for one in keys[0])
        self.updates = tuple(ld.nn.MLP(5 * V + 13 * S, 2 * V, key=one, **options) for one in keys[1])

    def __call__(self, x, v, charge):
        attraction = charge[:, None] * charge[None]
        for message, update in zip(self.messages, self.updates, strict=True):
            apart, relative = x[:, None] - x[None], v[:, None] - v[None]
            distance = jnp.sqrt(jnp.sum(apart**2, axis=2, keepdims=True) + 0.01)
            near, direction = 1 / (distance + 0.1), apart / distance
            vectors = direction, direction * attraction * near, relative / jnp.sqrt(1 + norm_squares(relative))
            scalars = attraction, near, jnp.log(distance), attraction * near
            sent = jax.vmap(jax.vmap(message))(jnp.concatenate([*vectors, *scalars], axis=2))
            received = jnp.sum(sent * OTHERS, axis=1) / 2
            change = jax.vmap(update)(jnp.concatenate([v, received, charge], axis=1))
            x, v = x + v / len(self.messages) + 0.3 * change[:, :3], v + 0.3 * change[:, 3:]
        return x


def norm_squares(vectors):
    return jnp.sum(vectors**2, axis=-1, keepdims=True)


class EGNN(eqx.Module):
    """Equations 3 to 7 of the paper with velocities: four layers of 64 features, means of displacements."""

    start: eqx.nn.Linear
    edge: tuple
    place: tuple
    node: tuple
    speed: tuple

    def __init__(self, key, layers: int = 4, width: int = 64):
        def pairs(number: int, sizes: tuple[int, int, int]):
            keys = jax.random.split(jax.random.fold_in(key, number), (layers, 2))
            return tuple((eqx.nn.Linear(*sizes[:2], key=one), eqx.nn.Linear(*sizes[1:], key=two)) for one, two in keys)

        self.start = eqx.nn.Linear(1, width, key=key)
        self.edge, self.node = pairs(0, (2 * width + 3, width, width)), pairs(1, (2 * width, width, width))
        self.speed, place = pairs(2, (width, width, 1)), pairs(3, (width, width, 1))
        # Displacements start small, as in the published code.
        self.place = tuple((one, eqx.tree_at(lambda it: it.weight, two, 0.01 * two.weight)) for one, two in place)

    def __call__(self, x, v, charge):
        def both(pair, z):
            one, two = pair
            return jax.nn.silu(z @ one.weight.T + one.bias) @ two.weight.T + two.bias

        h = jnp.sqrt(norm_squares(v)) @ self.start.weight.T + jnp.asarray(self.start.bias)
        known = jnp.concatenate([charge[:, None] * charge[None], norm_squares(x[:, None] - x[None])], axis=2)
        for edge, place, node, speed in zip(self.edge, self.place, self.node, self.speed, strict=True):
            apart, shape = x[:, None] - x[None], (BODIES, BODIES, h.shape[1])
            ends = jnp.broadcast_to(h[:, None], shape), jnp.broadcast_to(h[None], shape)
            sent = both(edge, jnp.concatenate([*ends, norm_squares(apart), known], axis=2))
            sent = jax.nn.silu(sent) * OTHERS
            x = x + jnp.sum(apart * both(place, sent), axis=1) / (BODIES - 1) + both(speed, h) * v
            h = h + both(node, jnp.concatenate([h, jnp.sum(sent, axis=1)], axis=1))
        return x


MODELS = {"nn.MLP": (Messages, 3e-3), "egnn": (EGNN, 1e-3)}  # and the rate at which training starts


def cell(name: str, seed: int, steps: int) -> dict:
    """Train one network and measure its mean square error over all coordinates of 2,000 other systems."""
    build, rate = MODELS[name]
    x, v, charge, y = systems(seed, ROWS)
    weights, rest = eqx.partition(build(jax.random.key(seed)), eqx.is_inexact_array)
    adam = optax.chain(optax.clip_by_global_norm(1.0), optax.adam(optax.cosine_decay_schedule(rate, steps)))

    def predict(weights, x, v, charge):
        return jax.vmap(eqx.combine(weights, rest))(x, v, charge)

    def step(carry, own):
        weights, state = carry
        slope = jax.grad(lambda it: jnp.mean((predict(it, x[own], v[own], charge[own]) - y[own]) ** 2))(weights)
        change, state = adam.update(slope, state)
        return (optax.apply_updates(weights, change), state), None

    run = jax.jit(lambda carry, rows: jax.lax.scan(step, carry, rows)[0])
    rng, carry, times = np.random.default_rng(seed + 1000), (weights, adam.init(weights)), []
    order = np.concatenate([rng.permutation(ROWS).reshape(-1, BATCH) for _ in range(steps * BATCH // ROWS + 1)])
    piece = min(PIECES, steps)
    for start in range(0, steps // piece * piece, piece):
        begun = time.process_time()
        carry = jax.block_until_ready(run(carry, jnp.asarray(order[start : start + piece])))
        times.append((time.process_time() - begun) / piece * 1e3)
    *inputs, truth = systems(10_000, TEST)
    error = float(jnp.mean((jax.jit(predict)(carry[0], *inputs) - truth) ** 2))
    count = sum(leaf.size for leaf in jax.tree.leaves(carry[0]))
    return {"errors": {steps: error}, "ms": float(np.median(times)), "parameters": count}
