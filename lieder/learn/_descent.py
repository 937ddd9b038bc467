"""Blocks of steps of stochastic gradient descent, for the loop of `_training`."""

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

import equinox as eqx
import jax
import jax.numpy as jnp
from jax.sharding import NamedSharding
from jaxtyping import Array, Float, PRNGKeyArray

from ..late import optax
from ._devices import copied, parted

Module = TypeVar("Module")
WARMUP = 0.05  # of the steps, over which the rate rises from zero
DECAY = 1e-4  # of weights a step, times the rate


class Descent(NamedTuple):
    """How to descend: `steps` in all, `batch` rows a step, `rate` of Adam at its highest, `block` steps a block."""

    steps: int
    batch: int
    rate: float
    block: int = 50

    @property
    def blocks(self) -> int:
        """How many blocks there are."""
        return max(1, self.steps // self.block)


def descent(
    module: Module,
    loss: Callable[[Module, Array, PRNGKeyArray, Array, Any], tuple[Array, dict[str, Array]]],
    data: Float[Array, "rows *shape"],
    how: Descent,
    given: Any = None,
    split: NamedSharding | None = None,
) -> tuple[Any, Callable, Callable[[Any], Module]]:
    """What `trained` needs to fit a module to rows of data by AdamW with a cosine schedule.

    Arguments:
        module: equinox; its inexact arrays are trained.
        loss: of (module, rows of data, key, share of the steps that is done, given): the number to make small, and
            numbers to tell by name.
        data: stays where it is; each step takes `how.batch` of its rows at random.
        how: sizes.
        given: what else the loss takes, such as another module that stays as it is.
        split: of batches, over devices; each then has a copy of the data.
    Returns: the state to start from, the block, and the module of a state.
    """
    parameters, rest = eqx.partition(module, eqx.is_inexact_array)
    total = how.blocks * how.block
    schedule = optax.warmup_cosine_decay_schedule(0.0, how.rate, max(1, round(WARMUP * total)), total)
    optimiser = optax.chain(optax.clip_by_global_norm(1.0), optax.adamw(schedule, weight_decay=DECAY))

    numbers, fixed = eqx.partition(given, eqx.is_array)
    data, numbers = copied((data, numbers), split)

    def of(parameters, rows, key, done, numbers):
        return loss(eqx.combine(parameters, rest), rows, key, done, eqx.combine(numbers, fixed))

    # Data and modules come as arguments: what a program closes over is written into it, and compiled with it.
    @jax.jit
    def steps(state, key, data, numbers):
        def step(state, key):
            parameters, memory, count = state
            which, chance = jax.random.split(key)
            rows = parted(data[jax.random.randint(which, (how.batch,), 0, len(data))], split)
            done = count.astype(jnp.float32) / total
            slope, told = jax.grad(of, has_aux=True)(parameters, rows, chance, done, numbers)
            change, memory = optimiser.update(slope, memory, parameters)
            return (optax.apply_updates(parameters, change), memory, count + 1), told

        state, told = jax.lax.scan(step, state, jax.random.split(key, how.block))
        return state, jax.tree.map(jnp.mean, told)

    start = parameters, optimiser.init(parameters), jnp.zeros((), jnp.int32)
    return start, lambda state, key: steps(state, key, data, numbers), lambda state: eqx.combine(state[0], rest)
