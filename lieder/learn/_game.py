"""The game of generators and discriminator on one data set."""

from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray

from ..discover import Pairs
from ..late import optax
from ._carried import carrier
from ._discriminator import FAR, discriminating, discriminator, divergence, fooled
from ._distribution import Coefficients

State = dict[str, Any]
BLOCK = 250  # steps of a compiled block
RANDOM = 16  # directions taken at random, with which learned ones are compared
FLOOR = 0.02  # bits: less says nothing, of which half a thousand steps make more
MOMENTUM = 0.5  # of Adam, half of the usual: the other side moves, too


@dataclass(frozen=True)
class Losses:
    """What is added to the generators' loss.

    Fields:
        identity: weight of what drives generators away from the identity (0 where their size is fixed).
        measure: "cosine", |mean cos(g z, z)|; "relative", -min(1, mean |g z - z| / |z|); "size", -min(1, |L|).
        channels: weight of sum_{i<j} |cos(L_i, L_j)|.
        sparsity: weight of the mean size of the coefficients over the candidates.
    Reference: Yang, Walters, Dehmamy, Yu (2023), section 4.
    """

    identity: float = 0.0
    measure: Literal["cosine", "relative", "size"] = "cosine"
    channels: float = 0.0
    sparsity: float = 0.0


@dataclass(frozen=True)
class Settings:
    """How it is played; see `adversarial`."""

    generators: int
    coefficients: Coefficients
    fixed: bool
    losses: Losses
    width: int
    batch: int
    steps: int
    rates: tuple[float, float]
    smooth: float


@dataclass(frozen=True, eq=False)
class Game:
    """Fields: `pairs`; `settings`; `seen`, `held`: the numbers of rows for training, and for judging."""

    pairs: Pairs
    settings: Settings
    seen: Int[np.ndarray, " seen"]
    held: Int[np.ndarray, " held"]

    @cached_property
    def basis(self) -> Float[np.ndarray, "k q"]:
        """Combinations of candidates that move the rows by as much as their size, each across the others."""
        _, s, right = np.linalg.svd(self.pairs.motion, full_matrices=False)
        moving = s > 1e-7 * s.max(initial=0.0)
        return right[moving] / s[moving, None]

    @cached_property
    def _rows(self) -> tuple[Array, Array]:
        rows = self.pairs.rows
        return jnp.asarray(rows[self.seen], jnp.float32), jnp.asarray(rows[self.held], jnp.float32)

    @cached_property
    def _units(self) -> tuple[np.ndarray, np.ndarray]:
        rows = self.pairs.rows[self.seen]
        spread = rows.std(axis=0)
        spread = np.where(spread > 0, spread, 1.0)
        return rows.mean(axis=0).astype(np.float32), spread.astype(np.float32)

    def _standard(self, rows: Float[Array, "b n"]) -> Float[Array, "b n"]:
        centre, spread = self._units
        return jnp.clip((rows - centre) / spread, -FAR, FAR)

    @cached_property
    def _carried(self):
        return carrier(self.pairs.question.both, self.settings.coefficients.largest)

    def _moved(self, v: Float[Array, "r k"], c: Float[Array, "b r"], rows: Float[Array, "b n"]) -> Float[Array, "b n"]:
        return self._carried(v @ jnp.asarray(self.basis, jnp.float32), c, rows)

    @cached_property
    def _optimisers(self) -> tuple["optax.GradientTransformation", "optax.GradientTransformation"]:
        steps = self.settings.steps
        first, second = (
            optax.adam(optax.cosine_decay_schedule(rate, steps), b1=MOMENTUM) for rate in self.settings.rates
        )
        return first, second

    @cached_property
    def _random(self) -> Float[np.ndarray, "random k"]:
        """Directions with which learned ones are compared."""
        v = np.random.default_rng(0).normal(size=(RANDOM, len(self.basis)))
        return (v / np.linalg.norm(v, axis=1, keepdims=True)).astype(np.float32)

    def start(self, key: PRNGKeyArray) -> State:
        """Generators of size one in directions taken at random, and a discriminator that knows nothing."""
        first, second = jax.random.split(key)
        v = jax.random.normal(first, (self.settings.generators, len(self.basis)), jnp.float32)
        v = orthonormal(v)
        layers = discriminator(second, self.pairs.rows.shape[1], self.settings.width)
        ours, theirs = self._optimisers
        return {"v": v, "layers": layers, "ours": ours.init(v), "theirs": theirs.init(layers)}

    def _generators_loss(self, v, layers, rows, c):
        s, added = self.settings, self.settings.losses
        v = orthonormal(v) if s.fixed else v
        moved = self._moved(v, c, rows)
        there, here = self._standard(moved), self._standard(rows)
        loss = entropy = fooled(layers, there)
        if added.identity:
            loss = loss + added.identity * _alike(here, there, v, added.measure)
        if added.channels:
            unit = v / (jnp.linalg.norm(v, axis=1, keepdims=True) + 1e-6)
            loss = loss + added.channels * jnp.sum(jnp.abs(jnp.triu(unit @ unit.T, 1)))
        if added.sparsity:
            loss = loss + added.sparsity * jnp.mean(jnp.abs(v @ jnp.asarray(self.basis, jnp.float32)))
        return loss, (entropy, there)

    def _step(self, seen: Array, state: State, key: PRNGKeyArray) -> tuple[State, Array]:
        s = self.settings
        ours, theirs = self._optimisers
        one, two, three = jax.random.split(key, 3)
        rows, real = (seen[jax.random.randint(each, (s.batch,), 0, len(seen))] for each in (one, two))
        c = s.coefficients.draw(three, (s.batch, s.generators))
        v, layers = state["v"], state["layers"]
        (_, (fool, moved)), slope = jax.value_and_grad(self._generators_loss, has_aux=True)(v, layers, rows, c)
        (_, entropy), other = jax.value_and_grad(discriminating, has_aux=True)(
            layers, self._standard(real), moved, s.smooth
        )
        change, mine = ours.update(slope, state["ours"])
        v = v + change
        change, memory = theirs.update(other, state["theirs"])
        layers = optax.apply_updates(layers, change)
        v = orthonormal(v) if s.fixed else v
        return {"v": v, "layers": layers, "ours": mine, "theirs": memory}, jnp.stack([fool, entropy])

    @cached_property
    def block(self):
        """(states of all restarts, key) -> (states, losses) after `BLOCK` steps."""

        def one(seen, both):
            state, key = both
            state, losses = jax.lax.scan(partial(self._step, seen), state, jax.random.split(key, BLOCK))
            return state, jnp.mean(losses, axis=0)

        @jax.jit
        def every(seen, states, key):
            states, losses = jax.lax.map(partial(one, seen), (states, jax.random.split(key, len(states["v"]))))
            fool, entropy = jnp.mean(losses, axis=0)
            return states, {"generators": fool, "discriminator": entropy}

        return partial(every, self._rows[0])

    @cached_property
    def scores(self):
        """Of the states of all restarts: how far held-out rows, moved, are from held-out rows, as a share of how far
        rows are that are moved in directions taken at random by as much. A discriminator that tells neither has 1."""
        s = self.settings

        def one(held, state):
            c = s.coefficients.draw(jax.random.key(1), (len(held), s.generators))
            chosen = jax.nn.one_hot(jnp.arange(len(held)) % RANDOM, RANDOM, dtype=jnp.float32)
            v = orthonormal(state["v"]) if s.fixed else state["v"]
            length = jnp.linalg.norm(c @ v, axis=1, keepdims=True)
            real, moved, random = (
                self._standard(rows)
                for rows in (
                    held,
                    self._moved(v, c, held),
                    self._moved(jnp.asarray(self._random), length * chosen, held),
                )
            )
            far, farther = (divergence(state["layers"], real, rows)[0] for rows in (moved, random))
            return (jnp.maximum(far, 0.0) + FLOOR) / (jnp.maximum(farther, 0.0) + FLOOR)

        return partial(jax.jit(lambda held, states: jax.lax.map(partial(one, held), states)), self._rows[1])

    def judged(self, v: Float[np.ndarray, "r k"], key: PRNGKeyArray) -> Float[np.ndarray, "r+1 2"]:
        """What new discriminators say, each trained against one generator alone, the last against directions taken at
        random: the divergence in bits on held-out rows and its standard error."""
        size = float(np.mean(np.linalg.norm(v, axis=1)))
        every = jnp.asarray(np.concatenate([v, size * self._random]), jnp.float32)
        tasks = range(len(v) + 1)
        return np.array([self._judge(every, number, jax.random.fold_in(key, number)) for number in tasks], float)

    @cached_property
    def _judge(self):
        s, theirs = self.settings, self._optimisers[1]

        def moved(every, number, key, rows):
            one, two = jax.random.split(key)
            count = len(every) - RANDOM
            which = jnp.where(number < count, number, count + jax.random.randint(one, (len(rows),), 0, RANDOM))
            c = s.coefficients.draw(two, (len(rows), 1)) * jax.nn.one_hot(which, len(every), dtype=jnp.float32)
            return self._standard(self._moved(every, c, rows))

        @jax.jit
        def judge(rows, every, number, key):
            seen, held = rows
            first, second, third = jax.random.split(key, 3)
            layers = discriminator(first, self.pairs.rows.shape[1], s.width)

            def step(state, key):
                layers, memory = state
                one, two, three = jax.random.split(key, 3)
                rows, real = (seen[jax.random.randint(each, (s.batch,), 0, len(seen))] for each in (one, two))
                slope, _ = jax.grad(discriminating, has_aux=True)(
                    layers, self._standard(real), moved(every, number, three, rows), s.smooth
                )
                change, memory = theirs.update(slope, memory)
                return (optax.apply_updates(layers, change), memory), None

            keys = jax.random.split(second, s.steps)
            layers, _ = jax.lax.scan(step, (layers, theirs.init(layers)), keys)[0]
            return jnp.stack(divergence(layers, self._standard(held), moved(every, number, third, held)))

        return partial(judge, self._rows)


def orthonormal(v: Float[Array, "r k"]) -> Float[Array, "r k"]:
    """Rows of length one, each across those before it."""
    q, r = jnp.linalg.qr(v.T)
    return (q * jnp.where(jnp.diag(r) < 0, -1.0, 1.0).astype(v.dtype)).T


def _alike(here: Array, there: Array, v: Array, measure: str) -> Array:
    """How close moved rows are to where they were."""
    if measure == "size":
        return -jnp.minimum(1.0, jnp.sqrt(jnp.mean(jnp.sum(v**2, axis=1))))
    sizes = jnp.linalg.norm(here, axis=1), jnp.linalg.norm(there, axis=1)
    if measure == "relative":
        return -jnp.minimum(1.0, jnp.mean(jnp.linalg.norm(there - here, axis=1) / (sizes[0] + 1e-6)))
    return jnp.abs(jnp.mean(jnp.sum(here * there, axis=1) / (sizes[0] * sizes[1] + 1e-6)))
