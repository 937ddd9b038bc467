"""The two stages of a generative model of transformations, and the numbers that tell whether each has worked."""

import os
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import NamedSharding
from jaxtyping import Array, Float

from ..files import fingerprint
from ._descent import descent
from ._flow import Flow, units_of
from ._inference import GUIDED, INVERTIBLE, Inference, consistency, prototype, uniform
from ._sizes import Sizes
from ._training import Trained, trained
from ._transformations import Transformations

LOOKED = 128  # held-out pictures that the criterion looks at
READ = 512  # pictures that are answered at once
DROPOUTS = (0.2, 0.5)  # shares of features left out: a flow that learns its pictures by heart is fitted with the next
PATIENCE = 12, 0.15  # blocks, and share of all, without likelier pictures kept apart: the others are learnt by heart


class Task(NamedTuple):
    """What is learnt from: `pictures` (n, c, h, w) to train on and `kept` apart; how, and where progress is kept."""

    transforms: Transformations
    pictures: Float[Array, "n c h w"]
    kept: Float[Array, "m c h w"]
    sizes: Sizes
    seed: int
    checkpoint: str | os.PathLike[str] | None
    split: NamedSharding | None = None  # of batches, over devices

    def mark(self, stage: str) -> str:
        """Of the checkpoint: data and settings."""
        t = self.transforms
        words = "; ".join([stage, repr(self.sizes), repr(t.names), repr(t.bounds), repr(self.seed)])
        return fingerprint(np.asarray(self.pictures), np.asarray(self.kept), words)

    def file(self, stage: str) -> Path | None:
        """The checkpoint of one stage, beside that which was named."""
        if self.checkpoint is None:
            return None
        path = Path(self.checkpoint).expanduser()
        return path.with_name(f"{path.stem}-{stage}{path.suffix or '.npz'}")


def inferred(task: Task) -> tuple[Inference, Trained]:
    """Stage 1: the network that reads off eta, best by its error of equivariance on pictures kept apart."""
    transforms, sizes = task.transforms, task.sizes
    at, on = jax.random.split(jax.random.key(task.seed))
    power = _power(task.pictures)

    def read_wrongly(network, rows, keys, sigma):
        def one(row, key):
            return consistency(network, transforms, row, key, sizes.draws, sigma).relative(row, power)

        return jax.vmap(one)(rows, keys)

    def loss(network, rows, key, done, _):
        sigma = sizes.blur.at(done)
        keys = jax.random.split(key, len(rows))
        wrong = read_wrongly(network, rows, keys, sigma)
        told = {"equivariance": wrong.equivariance.mean(), "lost": wrong.lost.mean()}
        # A digit is nearly its own half turn: compared as pictures alone, a network can settle half a turn off.
        guide = jnp.maximum(1 - done / GUIDED, 0) * wrong.away.mean()
        return told["equivariance"] + INVERTIBLE * told["lost"] + guide, told

    first = Inference(transforms, sizes.widths, at)
    start, block, module = descent(first, loss, task.pictures, sizes.inference, split=task.split)
    looked = task.kept[:LOOKED]
    sharp = jnp.zeros((), jnp.float32)
    keys = jax.random.split(jax.random.key(task.seed + 1), len(looked))

    @jax.jit
    def held_out(state, looked, keys):
        network = module(state)
        wrong = read_wrongly(network, looked, keys, sharp)
        return wrong.equivariance.mean() + INVERTIBLE * wrong.lost.mean()

    course = trained(
        start,
        block,
        lambda state: held_out(state, looked, keys),
        blocks=sizes.inference.blocks,
        key=on,
        title="inference of transformations",
        mark=task.mark("inference"),
        checkpoint=task.file("inference"),
        split=task.split,
    )
    return module(course.best), course


def fitted(task: Task, network: Inference) -> tuple[Flow, Trained]:
    """Stage 2: the flow, of the greatest likelihood of f(x) given the prototypes of x placed at random.

    A flow that knows by heart where its pictures stand is too narrow for others. How much must be left out differs:
    patches of photographs need more than digits do. So pictures kept apart decide: where they grow no likelier while
    blocks remain, another flow is fitted with more left out, and that under which they are likelier is kept.
    """
    flow, course, by_heart = _fitted(task, network, DROPOUTS[0])
    for dropout in DROPOUTS[1:]:
        if not by_heart:
            break
        other, along, by_heart = _fitted(task, network, dropout)
        if along.criteria.min() < course.criteria.min():
            flow, course = other, along
    return flow, course


def _fitted(task: Task, network: Inference, dropout: float) -> tuple[Flow, Trained, bool]:
    """One flow, best by pictures kept apart, and whether these grew no likelier before its blocks were done."""
    transforms, sizes = task.transforms, task.sizes
    blocks, stage = sizes.density.blocks, f"density-{dropout}"
    patience = max(PATIENCE[0], round(PATIENCE[1] * blocks))
    at, on = jax.random.split(jax.random.key(task.seed + 2))

    def likelihood(flow, network, picture, key, training):
        """Given the prototype of the picture placed at random: that of the picture, but for errors of f and blur. Both
        would tell eta: the one, where the picture is moved on from where it stands, for errors of f grow with the whole
        way; the other, where it is resampled once, from x to the prototype."""
        place, out = jax.random.split(key)
        eta = network(picture)
        there = transforms.product(transforms.inverse(eta), transforms.element(uniform(transforms, 1, place)[0]))
        seen = prototype(network, transforms, transforms.moved(there, picture))[0]
        return flow.log_density(eta, jax.lax.stop_gradient(seen), out if training else None)

    def loss(flow, rows, key, done, network):
        keys = jax.random.split(key, len(rows))
        total = -jax.vmap(lambda row, key: likelihood(flow, network, row, key, True))(rows, keys).mean()
        return total, {"negative log-likelihood": total}

    units = units_of(transforms, np.asarray(read(network, task.pictures)))
    first = Flow(transforms, units, sizes.features, (sizes.layers, sizes.bins), at, dropout)
    start, block, module = descent(first, loss, task.pictures, sizes.density, network, task.split)
    keys = jax.random.split(jax.random.key(task.seed + 3), len(task.kept))

    @eqx.filter_jit
    def held_out(state, network, kept, keys):
        flow = module(state)
        return -jax.vmap(lambda row, key: likelihood(flow, network, row, key, False))(kept, keys).mean()

    course = trained(
        start,
        block,
        lambda state: held_out(state, network, task.kept, keys),
        blocks=blocks,
        key=on,
        title="density of transformations",
        mark=task.mark(stage),
        checkpoint=task.file(stage),
        patience=patience,
        split=task.split,
    )
    by_heart = len(course.criteria) - 1 - course.chosen >= patience
    return module(course.best), replace(course, stopped="") if by_heart else course, by_heart


@eqx.filter_jit
def _answers(network: Inference, pictures: Array) -> Array:
    return jax.lax.map(network, pictures, batch_size=min(READ, len(pictures)))


def read(network: Inference, pictures: Float[Array, "n c h w"]) -> Float[Array, "n q"]:
    """f of each picture."""
    return _answers(network, pictures)


class Errors(NamedTuple):
    """Squared errors relative to the mean square of the pictures, on those kept apart.

    Fields: `equivariance`, of the composed loss; `chance`, the same of a network that always answers zero; `lost`, by
    T_f T_-f, what a prototype loses; `frame`, the same of transformations drawn within the bounds, before anything is
    learnt; `empty`, the mean square of prototypes.
    """

    equivariance: float
    chance: float
    lost: float
    frame: float
    empty: float


def errors(task: Task, network: Inference) -> Errors:
    """What is wrong with an inference, in numbers."""
    transforms, looked = task.transforms, task.kept[:LOOKED]
    keys = jax.random.split(jax.random.key(task.seed + 4), len(looked))
    sharp = jnp.zeros((), jnp.float32)

    @eqx.filter_jit
    def measured(network, looked, keys):
        def one(picture, key):
            wrong = consistency(network, transforms, picture, key, task.sizes.draws, sharp)
            there, back = uniform(transforms, 2, key)
            whole = transforms.product(transforms.element(there), transforms.inverse(back))
            chance = jnp.mean((transforms.moved(whole, picture) - picture) ** 2)
            gone = transforms.moved(transforms.inverse(there), transforms.moved(transforms.element(there), picture))
            proto = prototype(network, transforms, picture)[0]
            return wrong.equivariance, chance, wrong.lost, jnp.mean((gone - picture) ** 2), jnp.mean(proto**2)

        return [value.mean() for value in jax.vmap(one)(looked, keys)]

    power = _power(looked)
    return Errors(*(float(value) / power for value in measured(network, looked, keys)))


def _power(pictures: Array) -> float:
    return float(jnp.mean(pictures**2))
