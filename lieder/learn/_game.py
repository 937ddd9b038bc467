"""The game of generators and discriminator."""

from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, Literal, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import NamedSharding
from jaxtyping import Array, Float, PRNGKeyArray

from ..action import AbstractAction
from ..jobs import results
from ..late import optax
from ..sampling import check_whole
from ._carried import carrier
from ._devices import parted
from ._discriminator import Layers, discriminating, discriminator, divergence, fooled
from ._distribution import Coefficients
from ._numbers import is_size
from ._sight import Sight, sight

State = dict[str, Any]
BLOCK = 250  # steps of a compiled block
RANDOM = 16  # directions taken at random, with which learned ones are compared
LOOKS = 10  # at a discriminator that judges, while it is trained
FLOOR = 0.02  # bits below which a divergence says nothing
SETTLED, GROWN = 0.5, 0.75  # shares of training after which whole coefficients grow, and have their full reach
MOMENTUM = 0.5  # of Adam, half of the usual: the other side moves, too


@dataclass(frozen=True)
class Losses:
    """What is added to the generators' loss.

    Fields:
        identity: weight of what drives generators away from the identity (0 where their size is fixed).
        measure: "cosine", |mean cos(g z, z)|; "relative", -min(1, mean |g z - z| / |z|); "size", -min(1, |L|).
        channels: weight of sum_{i<j} |cos(L_i, L_j)|.
        sparsity: weight of the mean size of the coefficients over the candidates.
    Raises: ValueError for what is no weight or no measure.
    Reference: Yang, Walters, Dehmamy, Yu (2023), section 4.
    """

    identity: float = 0.0
    measure: Literal["cosine", "relative", "size"] = "cosine"
    channels: float = 0.0
    sparsity: float = 0.0

    def __post_init__(self):
        if self.measure not in ("cosine", "relative", "size"):
            raise ValueError(f"measure must be 'cosine', 'relative' or 'size', got {self.measure!r}.")
        for name in ("identity", "channels", "sparsity"):
            if not is_size(value := getattr(self, name)):
                raise ValueError(f"losses.{name} must be a number of at least 0, got {value!r}.")


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
    waves: int = 0

    def __post_init__(self):
        counts = {"n_generators": self.generators, "width": self.width, "batch": self.batch, "steps": self.steps}
        for name, value in counts.items():
            check_whole(value, name)
        check_whole(self.waves, "waves", 0)
        if len(self.rates) != 2 or not all(is_size(rate) and rate > 0 for rate in self.rates):
            raise ValueError(
                f"rates must be two learning rates, of generators and discriminator, above 0, got {self.rates!r}."
            )
        if not is_size(self.smooth):
            raise ValueError(f"smooth must be a number of at least 0, got {self.smooth!r}.")


class Board(NamedTuple):
    """What it is played on: rows `seen` in training and rows `held` for judging, and the `sight` that a discriminator
    has of them; a `basis` (k, q) of combinations of candidates that move the rows by as much as their size, each
    across the others; and `random` (RANDOM, k), directions with which learned ones are compared."""

    seen: Float[Array, "seen n"]
    held: Float[Array, "held n"]
    sight: Sight
    basis: Float[Array, "k q"]
    random: Float[Array, "random k"]


def board(
    rows: Float[np.ndarray, "N n"], motion: Float[np.ndarray, "s q"], held: np.ndarray, products: bool = False
) -> Board:
    """The board of some rows, those at `held` for judging; `motion` says how far candidates move them, and `products`
    whether a discriminator sees those of columns."""
    _, s, right = np.linalg.svd(motion, full_matrices=False)
    moving = s > 1e-7 * s.max(initial=0.0)
    basis = right[moving] / s[moving, None]
    seen = np.delete(rows, held, axis=0)
    random = np.random.default_rng(0).normal(size=(RANDOM, len(basis)))
    random /= np.linalg.norm(random, axis=1, keepdims=True)
    plain, kept, basis, random = (jnp.asarray(part, jnp.float32) for part in (seen, rows[held], basis, random))
    return Board(plain, kept, sight(seen, products), basis, random)


@dataclass(frozen=True)
class Game:
    """The rules: how candidates act, and the settings. Rules that are equal are compiled once."""

    action: AbstractAction
    settings: Settings
    split: NamedSharding | None = None  # of batches, over devices

    @cached_property
    def _carried(self):
        return carrier(self.action, self.settings.coefficients.largest)

    def _moved(self, on: Board, v: Float[Array, "r k"], c: Float[Array, "b r"], rows: Array) -> Float[Array, "b n"]:
        return on.sight(self._carried(v @ on.basis, c, rows))

    @cached_property
    def _optimisers(self) -> tuple["optax.GradientTransformation", "optax.GradientTransformation"]:
        steps = self.settings.steps
        first, second = (
            optax.adam(optax.cosine_decay_schedule(rate, steps), b1=MOMENTUM) for rate in self.settings.rates
        )
        return first, second

    def start(self, on: Board, key: PRNGKeyArray) -> State:
        """Generators of size one in directions taken at random, and a discriminator that knows nothing."""
        first, second = jax.random.split(key)
        v = orthonormal(jax.random.normal(first, (self.settings.generators, len(on.basis)), jnp.float32))
        layers = discriminator(second, on.sight.width, self.settings.width, self.settings.waves)
        ours, theirs = self._optimisers
        done = jnp.zeros((), jnp.float32)  # steps
        return {"v": v, "layers": layers, "ours": ours.init(v), "theirs": theirs.init(layers), "done": done}

    def _course(self, done: Array) -> tuple[Array, Array]:
        """How much generators are driven from the identity, and how far whole coefficients reach, as shares of what
        the settings say, when a share of training is `done`.

        The size of a discrete generator is right at isolated values. Coefficients of one alone lead there from afar,
        large ones only from near, but then exactly; and what drives away from the identity would drive past it.
        """
        if self.settings.coefficients.kind != "integers":
            return jnp.ones(()), jnp.ones(())
        return jnp.clip(1 - done / SETTLED, 0.0, 1.0), jnp.clip((done - SETTLED) / (GROWN - SETTLED), 0.0, 1.0)

    def _generators_loss(self, v: Array, on: Board, layers, rows: Array, c: Array, push: Array):
        s, added = self.settings, self.settings.losses
        v = orthonormal(v) if s.fixed else v
        moved = self._moved(on, v, c, rows)
        loss = fool = fooled(layers, moved, s.smooth)
        if added.identity:
            loss = loss + push * added.identity * _alike(on.sight(rows), moved, v, added.measure)
        if added.channels:
            unit = v / (jnp.linalg.norm(v, axis=1, keepdims=True) + 1e-6)
            loss = loss + added.channels * jnp.sum(jnp.abs(jnp.triu(unit @ unit.T, 1)))
        if added.sparsity:
            loss = loss + added.sparsity * jnp.mean(jnp.abs(v @ on.basis))
        return loss, (fool, moved)

    def _drawn(self, on: Board, key: PRNGKeyArray) -> Float[Array, "b n"]:
        """A batch of rows at random."""
        which = jax.random.randint(key, (self.settings.batch,), 0, len(on.seen))
        return parted(on.seen[which], self.split)

    def _step(self, on: Board, state: State, key: PRNGKeyArray) -> tuple[State, Array]:
        s, (ours, theirs) = self.settings, self._optimisers
        one, two, three = jax.random.split(key, 3)
        rows, real = (self._drawn(on, each) for each in (one, two))
        push, reach = self._course(state["done"] / s.steps)
        c = s.coefficients.draw(three, (s.batch, s.generators), reach)
        v, layers = state["v"], state["layers"]
        slope, (fool, moved) = jax.grad(self._generators_loss, has_aux=True)(v, on, layers, rows, c, push)
        other, entropy = jax.grad(discriminating, has_aux=True)(layers, on.sight(real), moved, s.smooth)
        change, mine = ours.update(slope, state["ours"])
        v = orthonormal(v + change) if s.fixed else v + change
        change, memory = theirs.update(other, state["theirs"])
        layers = optax.apply_updates(layers, change)
        state = {"v": v, "layers": layers, "ours": mine, "theirs": memory, "done": state["done"] + 1}
        return state, jnp.stack([fool, entropy])

    @partial(jax.jit, static_argnums=0)
    def block(self, on: Board, states: State, key: PRNGKeyArray) -> tuple[State, dict[str, Array]]:
        """`BLOCK` steps of all restarts."""

        def one(both):
            state, key = both
            state, losses = jax.lax.scan(partial(self._step, on), state, jax.random.split(key, BLOCK))
            return state, jnp.mean(losses, axis=0)

        states, losses = jax.lax.map(one, (states, jax.random.split(key, len(states["v"]))))
        fool, entropy = jnp.mean(losses, axis=0)
        return states, {"generators": fool, "discriminator": entropy}

    @partial(jax.jit, static_argnums=0)
    def scores(self, on: Board, states: State) -> Float[Array, " restarts"]:
        """How far held-out rows, moved, are from held-out rows, as a share of how far rows are that are moved in
        directions taken at random by as much. 0 where that is within two standard errors: such states are alike,
        however the discriminator happens to see random directions, and the later is better. 1 for a discriminator that
        tells neither."""
        s, held = self.settings, on.held
        c = s.coefficients.draw(jax.random.key(1), (len(held), s.generators))
        chosen = jax.nn.one_hot(jnp.arange(len(held)) % RANDOM, RANDOM, dtype=jnp.float32)

        def one(state):
            v = orthonormal(state["v"]) if s.fixed else state["v"]
            length = jnp.linalg.norm(c @ v, axis=1, keepdims=True)
            real, moves = on.sight(held), ((v, c), (on.random, length * chosen))
            (far, error), (farther, _) = (
                divergence(state["layers"], real, self._moved(on, *move, held), s.smooth) for move in moves
            )
            share = jnp.maximum(far - 2 * error, 0.0) / jnp.maximum(farther, FLOOR)
            return jnp.where(farther > FLOOR, share, 1.0)

        return jax.lax.map(one, states)

    def judged(self, on: Board, v: Float[np.ndarray, "r k"], key: PRNGKeyArray) -> Float[np.ndarray, "r+1 2"]:
        """What new discriminators say, each trained against one generator alone, the last against directions taken at
        random: the divergence in bits on held-out rows and its standard error."""
        size = float(np.mean(np.linalg.norm(v, axis=1)))
        every = jnp.concatenate([jnp.asarray(v, jnp.float32), size * on.random])
        said = results(partial(self._said, on, every, key), range(len(v) + 1), "discriminators that judge")
        return np.array(said, float)

    def _said(self, on: Board, every: Float[Array, "some k"], key: PRNGKeyArray, number: int) -> np.ndarray:
        return np.asarray(self._judge(on, every, number, jax.random.fold_in(key, number)))

    @partial(jax.jit, static_argnums=0)
    def _judge(self, on: Board, every: Float[Array, "some k"], number: Array, key: PRNGKeyArray) -> Float[Array, " 2"]:
        s, theirs = self.settings, self._optimisers[1]
        first, second, third = jax.random.split(key, 3)
        layers = discriminator(first, on.sight.width, s.width, s.waves)

        def moved(key, rows):
            one, two = jax.random.split(key)
            count = len(every) - RANDOM
            which = jnp.where(number < count, number, count + jax.random.randint(one, (len(rows),), 0, RANDOM))
            c = s.coefficients.draw(two, (len(rows), 1)) * jax.nn.one_hot(which, len(every), dtype=jnp.float32)
            return self._moved(on, every, c, rows)

        def step(state, key):
            layers, memory = state
            one, two, three = jax.random.split(key, 3)
            rows, real = (self._drawn(on, each) for each in (one, two))
            slope, _ = jax.grad(discriminating, has_aux=True)(layers, on.sight(real), moved(three, rows), s.smooth)
            change, memory = theirs.update(slope, memory)
            return (optax.apply_updates(layers, change), memory), None

        real, there = on.sight(on.held), moved(third, on.held)
        half = len(real) // 2

        def part(state, keys):
            state, _ = jax.lax.scan(step, state, keys)
            taught: Layers = state[0]  # pyright: ignore[reportAssignmentType]
            pairs = (real[:half], there[:half]), (real[half:], there[half:])
            return state, jnp.stack([jnp.stack(divergence(taught, *pair, s.smooth)) for pair in pairs])

        keys = jax.random.split(second, (LOOKS, -(-s.steps // LOOKS)))
        looks = jax.lax.scan(part, (layers, theirs.init(layers)), keys)[1]  # (LOOKS, halves, 2)
        # Few rows are soon learnt by heart: half of the held-out rows says when to stop, the other how much is seen.
        best = jnp.argmax(looks[:, ::-1, 0], axis=0)
        (one, one_error), (other, other_error) = looks[best, jnp.arange(2)]
        return jnp.stack([(one + other) / 2, jnp.hypot(one_error, other_error) / 2])


def orthonormal(v: Float[Array, "r k"]) -> Float[Array, "r k"]:
    """Rows of length one, each across those before it."""
    q, r = jnp.linalg.qr(v.T)
    return (q * jnp.where(jnp.diag(r) < 0, -1.0, 1.0).astype(v.dtype)).T


def _alike(here: Array, there: Array, v: Array, measure: str) -> Array:
    """How close moved rows are to where they were."""
    if measure == "size":
        return -jnp.minimum(1.0, jnp.sqrt(jnp.mean(jnp.sum(v**2, axis=1)) + 1e-12))
    if measure == "relative":
        return -jnp.minimum(
            1.0, jnp.mean(jnp.linalg.norm(there - here, axis=1) / (jnp.linalg.norm(here, axis=1) + 1e-6))
        )
    return alike(here, there)


def alike(here: Float[Array, "b n"], there: Float[Array, "b n"]) -> Float[Array, ""]:
    """|mean cos| of the angle by which rows are moved."""
    sizes = jnp.linalg.norm(here, axis=1) * jnp.linalg.norm(there, axis=1)
    return jnp.abs(jnp.mean(jnp.sum(here * there, axis=1) / (sizes + 1e-6)))
