"""Autoencoder and generators trained together, by either route: blocks of steps for the one training loop."""

from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, Literal, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jax.sharding import NamedSharding
from jaxtyping import Array, Float, Key, PRNGKeyArray

from ..action import vectors
from ..algebra import gl
from ..late import optax
from ._autoencoder import Autoencoder, Normal
from ._carried import carrier
from ._devices import parted
from ._discriminator import discriminating, discriminator, fooled
from ._distribution import Coefficients
from ._encoding import Encoding
from ._game import MOMENTUM, State, alike, orthonormal
from ._moments import Law, Pair, discovered, law, near, resting, shares, unlike

Route = Literal["direct", "adversarial"]
SHARES = 10.0  # what weighs a share of directions taken at random in the end, beside a bit of a discriminator
BLOCK = 50  # steps of a compiled block; by the direct route generators are found anew before each
START = 0.15  # of the steps are for reconstruction alone; after as many more the symmetry has its weight
LOOKED = 2048  # pairs from which they are found, and on which a state is judged


class Rows(NamedTuple):
    """Rows in standard units, `x` and their successors `y`: those that are trained on, and `kept` ones."""

    x: Float[Array, "seen n"]
    y: Float[Array, "seen n"]
    kept_x: Float[Array, "kept n"]
    kept_y: Float[Array, "kept n"]


class Latent(NamedTuple):
    """Pairs in the latent, the raw latent's normalisation, and the size of a displacement."""

    pair: Pair
    normal: Normal
    size: Float[Array, ""]


@dataclass(frozen=True)
class Encounter:
    """The rules: sizes, the route, how many coordinates and generators, and what of a network is no number."""

    how: Encoding
    route: Route
    k: int
    generators: int
    rest: Any
    split: NamedSharding | None = None  # of batches, over devices
    stepwise: bool = False  # each step a compiled call, not all of a block in one: see `convolves`

    @cached_property
    def _coefficients(self) -> Coefficients:
        return Coefficients("normal", self.how.spread)

    @cached_property
    def _carried(self):
        """exp(sum_k c_k L_k) of rows that hold a state and a displacement."""
        return carrier(2 * vectors(gl(self.k)), self._coefficients.largest)

    @cached_property
    def _optimisers(self):
        steps = self.blocks * BLOCK
        networks, generators, judge = (optax.cosine_decay_schedule(rate, steps) for rate in self.how.rates)
        # As one vector: programs for each layer are long, and what they cost to compile is seconds.
        ours = optax.flatten(optax.chain(optax.clip_by_global_norm(1.0), optax.adam(networks)))
        return ours, optax.adam(generators, b1=MOMENTUM), optax.adam(judge, b1=MOMENTUM)

    @property
    def blocks(self) -> int:
        """How many there are."""
        return max(1, -(-self.how.steps // BLOCK))

    def model(self, state: State) -> Autoencoder:
        """The networks of a state."""
        return eqx.combine(state["numbers"], self.rest)

    def start(self, model: Autoencoder, key: PRNGKeyArray) -> State:
        """Networks that know nothing, generators in directions taken at random, and a discriminator of such."""
        numbers = eqx.filter(model, eqx.is_inexact_array)
        one, two = jax.random.split(key)
        v = orthonormal(jax.random.normal(one, (self.generators, self.k**2), jnp.float32))
        layers = discriminator(two, 2 * self.k, self.how.judge)
        parts = numbers, v, layers
        memory = [optimiser.init(part) for optimiser, part in zip(self._optimisers, parts, strict=True)]
        return {
            "numbers": numbers,
            "v": v,
            "layers": layers,
            "memory": memory,
            "count": jnp.zeros((), jnp.int32),
            "rest": jnp.zeros(self.k, jnp.float32),
        }

    def encoded(
        self, model: Autoencoder, rest: Float[Array, " k"], x: Float[Array, "b n"], y: Float[Array, "b n"]
    ) -> Latent:
        """Pairs in the latent, normalised by their own mean and covariance, about its resting point."""
        raw = model.raw(jnp.concatenate([x, y]))
        normal = Normal.of(raw, rest)
        z, w = jnp.split(normal(raw), 2)
        size = jnp.sqrt(jnp.mean((w - z) ** 2) + 1e-12)
        return Latent(Pair(z, (w - z) / size), normal, size)

    def _losses(self, numbers, state: State, rows: tuple[Array, Array], key: PRNGKeyArray, found: Law | None):
        """What the networks make small: reconstruction, unlikeness of moved pairs, and how far encoding undoes
        decoding."""
        how, v = self.how, state["v"]
        model = eqx.combine(numbers, self.rest).settled()
        latent = self.encoded(model, state["rest"], *rows)
        pair, normal, size = latent
        w = pair.z + size * pair.d
        both = jnp.concatenate(rows)
        states = [pair.z, w]
        if how.inverse:
            there = self.moved(jax.lax.stop_gradient(v), pair, key)[:, : self.k]
            states.append(there)
        decoded = model.decoded(jnp.concatenate(states))
        miss = jnp.mean((decoded[: len(both)] - both) ** 2)
        if found is not None:
            unlikeness = unlike(pair, v, found)
        else:
            moved = self.moved(v, pair, key)
            unlikeness = fooled(state["layers"], moved, how.smooth)
        # First a latent in which nothing is folded: what is folded once stays so.
        done = state["count"] / (self.blocks * BLOCK)
        pull = how.symmetry * jnp.clip((done - START) / START, 0.0, 1.0)
        if found is not None:  # small while a fold may still open, and large when details are left
            pull = pull * SHARES ** jnp.clip((done - 2 * START) / (2 * START), 0.0, 1.0)
        loss = how.reconstruction * miss + pull * unlikeness
        if how.inverse:
            again = normal(model.raw(decoded[len(both) :]))
            # Far out nothing is known; what is undone there is worth little.
            weight = 1 / (1 + jnp.sum(there**2, axis=1, keepdims=True) / self.k)
            loss = loss + how.inverse * jnp.mean(weight * (again - there) ** 2)
        return loss, (pair, miss, unlikeness)

    def moved(self, v: Array, pair: Pair, key: PRNGKeyArray) -> Float[Array, "b both"]:
        """Each pair moved by coefficients of its own."""
        c = self._coefficients.draw(key, (len(pair.z), self.generators))
        return self._carried(v, c, jnp.concatenate(pair, axis=1))

    def _step(self, rows: Rows, found: Law | None, state: State, key: PRNGKeyArray):
        chosen, moves, others = jax.random.split(key, 3)
        ours, theirs, judges = self._optimisers
        which = jax.random.randint(chosen, (self.how.batch,), 0, len(rows.x))
        batch = parted(rows.x[which], self.split), parted(rows.y[which], self.split)
        slope, (pair, miss, unlikeness) = jax.grad(self._losses, has_aux=True)(
            state["numbers"], state, batch, moves, found
        )
        change, memory = ours.update(slope, state["memory"][0])
        after = state | {"numbers": eqx.apply_updates(state["numbers"], change), "count": state["count"] + 1}
        if self.route == "direct":
            after["memory"] = [memory, *state["memory"][1:]]
            return after, jnp.stack([miss, unlikeness])
        layers, smooth = state["layers"], self.how.smooth
        slope = jax.grad(self._caught)(state["v"], layers, pair, moves)
        change, mine = theirs.update(slope, state["memory"][1])
        after["v"] = orthonormal(state["v"] + change)
        real = jnp.concatenate(pair, axis=1)
        moved = self.moved(state["v"], pair, others)
        slope, _ = jax.grad(discriminating, has_aux=True)(layers, real, moved, smooth)
        change, judging = judges.update(slope, state["memory"][2])
        after["layers"] = optax.apply_updates(layers, change)
        after["memory"] = [memory, mine, judging]
        return after, jnp.stack([miss, unlikeness])

    def _caught(self, v: Array, layers, pair: Pair, key: PRNGKeyArray) -> Float[Array, ""]:
        """What generators make small by the adversarial route."""
        moved = self.moved(v, pair, key)
        return fooled(layers, moved, self.how.smooth) + self.how.identity * alike(pair.z, moved[:, : self.k])

    def block(self, rows: Rows, state: State, key: PRNGKeyArray) -> tuple[State, dict[str, Array]]:
        """`BLOCK` steps; by the direct route generators are found first, by linear algebra."""
        found = None
        looking, stepping = jax.random.split(key)
        if self.route == "direct":
            state, found = self._found(rows, state, looking)
        steps = self._each if self.stepwise else self._all
        state, losses = steps(rows, found, state, jax.random.split(stepping, BLOCK))
        if self.route == "adversarial":
            state = state | {"v": self.sparse(state["v"])}
        miss, unlikeness = jnp.mean(losses, axis=0)
        return state, {"reconstruction": miss, "unlikeness": unlikeness}

    @partial(jax.jit, static_argnums=0)
    def _found(self, rows: Rows, state: State, key: PRNGKeyArray) -> tuple[State, Law]:
        which = jax.random.randint(key, (min(LOOKED, len(rows.x)),), 0, len(rows.x))
        pair = self.encoded(self.model(state), state["rest"], rows.x[which], rows.y[which]).pair
        v, found = discovered(pair, self.generators)
        # A latent that is still folded has no resting point, and one sought for it is kept by the fold.
        unfolded = state["count"] >= 2 * START * self.blocks * BLOCK
        rest = jnp.where(unfolded, near(state["rest"] + resting(pair, v, found)), state["rest"])
        return state | {"v": self.sparse(v), "rest": rest}, found

    @partial(jax.jit, static_argnums=0)
    def _all(self, rows: Rows, found: Law | None, state: State, keys: Key[Array, " steps"]) -> tuple[State, Array]:
        return jax.lax.scan(partial(self._step, rows, found), state, keys)

    def _each(self, rows: Rows, found: Law | None, state: State, keys: Key[Array, " steps"]) -> tuple[State, Array]:
        losses = []
        for key in keys:
            state, told = self._one(rows, found, state, key)
            losses.append(told)
        return state, jnp.stack(losses)

    @partial(jax.jit, static_argnums=0)
    def _one(self, rows: Rows, found: Law | None, state: State, key: PRNGKeyArray) -> tuple[State, Array]:
        return self._step(rows, found, state, key)

    def sparse(self, v: Float[Array, "r q"]) -> Float[Array, "r q"]:
        """The generators without entries that are small."""
        if not self.how.threshold:
            return v
        large = jnp.abs(v) >= self.how.threshold * jnp.max(jnp.abs(v), axis=1, keepdims=True)
        kept = jnp.where(large, v, 0.0)
        return kept / jnp.linalg.norm(kept, axis=1, keepdims=True)

    @partial(jax.jit, static_argnums=0)
    def criterion(self, rows: Rows, state: State) -> Float[Array, ""]:
        """On pairs that are kept apart: what the decoder misses, and how far moved pairs are from pairs, as a share of
        directions taken at random, at the state's generators."""
        x, y = rows.kept_x[:LOOKED], rows.kept_y[:LOOKED]
        model = self.model(state)
        pair, _, size = self.encoded(model, state["rest"], x, y)
        miss = jnp.mean(
            (model.decoded(jnp.concatenate([pair.z, pair.z + size * pair.d])) - jnp.concatenate([x, y])) ** 2
        )
        found = law(pair)
        v = discovered(pair, self.generators)[0] if self.route == "direct" else state["v"]
        return miss + SHARES * self.how.symmetry * jnp.sum(jnp.stack(shares(found, v)))
