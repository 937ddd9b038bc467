"""One loop for everything that trains: compiled blocks of steps, and the best state by a criterion on held-out data."""

import os
import time
import warnings
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Generic, TypeVar

import jax
import numpy as np
from jax.sharding import NamedSharding
from jaxtyping import Array, Float, PRNGKeyArray

from ..files import fingerprint
from ..interop import reached, version_mark
from ..report import progress
from ._checkpoint import Progress, begun, keep, plain, restored
from ._devices import agreed, check_same, copied, fetched, is_joint

RESUME = "See the output of the others and run the job again: it goes on from its checkpoint, if it was given one."

State = TypeVar("State")  # any pytree of arrays: parameters and whatever their optimisers remember


@dataclass(frozen=True, eq=False)
class Trained(Generic[State]):
    """What training left.

    Fields:
        best: the state after the block whose criterion was least, the last of equals; what a caller uses.
        last: the state after the last block that was sound.
        criteria: (blocks,) the criterion after each block.
        losses: of each name (blocks,) the loss that the block reported.
        seconds: of work, those before an interruption among them.
        stopped: why it ended before its blocks were done, in words; "" where it did not.
    """

    best: State
    last: State
    criteria: Float[np.ndarray, " blocks"]
    losses: dict[str, Float[np.ndarray, " blocks"]]
    seconds: float
    stopped: str = ""

    @property
    def chosen(self) -> int:
        """The number of the block, from 0, whose state is `best`."""
        return _last_least(self.criteria)


def trained(
    start: State,
    block: Callable[[State, PRNGKeyArray], tuple[State, dict[str, Array]]],
    criterion: Callable[[State], float | Array],
    *,
    blocks: int,
    key: PRNGKeyArray,
    title: str,
    mark: str,
    checkpoint: str | os.PathLike[str] | None = None,
    every: float = 60.0,
    patience: int | None = None,
    split: NamedSharding | None = None,
) -> Trained[State]:
    """Train block by block, and keep the state that does best on data that training does not see.

    A block is many steps in one compiled call (`jax.jit` of `jax.lax.scan`), so that nothing waits for the host within;
    between blocks the host reads a few numbers. Adversaries drift: the last state is seldom the best. Where processes
    train together they begin with the state of the first, which alone reads and writes the checkpoint, and decide by
    its numbers.

    Arguments:
        start: a pytree of arrays (no typed keys among its leaves: a file could not hold them).
        block: (state, key) -> (state, losses), the losses scalar arrays by name. It must not give away the memory of
            its argument (`donate_argnums`): the best state may be one that it is called with.
        criterion: of a state, on held-out data; less is better.
        blocks: how many.
        key: block number k gets `jax.random.fold_in(key, k)`, so that a resumed run equals an uninterrupted one.
        title: of the progress bar.
        mark: what the checkpoint belongs to (`lieder.files.fingerprint` of data and settings).
        checkpoint: a file (.npz) that is written as training goes, and from which it goes on where it exists.
        every: seconds between two writings: what a killed process loses at most, beside the block it was in.
        patience: blocks without a better criterion after which it stops; None, by default, to do them all.
        split: of batches, over devices: each has then a copy of the state.
    Returns: the best state, the last, and the course of the numbers.
    Raises: ValueError for a checkpoint of other data or settings; FloatingPointError where the first block already
        makes numbers that are not finite: there is no state to return; RuntimeError where one of several processes has
        ended.
    """
    file = None if checkpoint is None else Path(checkpoint).expanduser()
    mark = fingerprint(mark, repr(jax.tree.map(np.shape, start)))  # a state of other shapes is of other settings, too
    joint = is_joint(split)
    if joint:
        check_same(version_mark() | {"data or settings": f"marked {mark[:12]}", "blocks": str(blocks)})
        now = restored(agreed(lambda: plain(begun(file, mark, start)), split), start)
    else:
        now = begun(file, mark, start)
    now = replace(now, last=copied(now.last, split), best=copied(now.best, split))
    since = written = time.monotonic()
    stopped = ""

    def seconds() -> float:
        return now.seconds + time.monotonic() - since

    def write() -> None:
        if file is not None and not (joint and jax.process_index()):
            keep(file, mark, Progress(now.last, now.best, now.criteria, now.losses, seconds()))

    numbers = range(len(now.criteria), blocks)
    try:
        for number in progress(numbers, len(numbers), title):
            if patience is not None and now.criteria and number - 1 - int(np.argmin(now.criteria)) >= patience:
                stopped = f"no better criterion in {patience} blocks"
                break
            with reached(RESUME) if joint else nullcontext():
                state, losses = block(now.last, jax.random.fold_in(key, number))
                here = {name: float(value) for name, value in losses.items()} | {"criterion": float(criterion(state))}
            told = agreed(partial(dict, here), split)
            unsound = [name for name, value in told.items() if not np.isfinite(value)]
            if unsound:
                stopped = _unsound(unsound, number, blocks, now)
                break
            one = told.pop("criterion")
            best = state if one <= min(now.criteria, default=np.inf) else now.best
            for name, value in told.items():
                now.losses.setdefault(name, []).append(value)
            now = Progress(state, best, [*now.criteria, one], now.losses, now.seconds)
            if time.monotonic() - written > every:
                write()
                written = time.monotonic()
    finally:  # an interruption by hand loses nothing
        write()
    series = {name: np.array(values) for name, values in now.losses.items()}
    best, last = fetched((now.best, now.last), split)
    return Trained(best, last, np.array(now.criteria), series, agreed(seconds, split), stopped)


def _last_least(criteria) -> int:
    return len(criteria) - 1 - int(np.argmin(criteria[::-1]))


def _unsound(names: list[str], number: int, blocks: int, now: Progress) -> str:
    what = f"{' and '.join(names)} became infinite or not a number in block {number + 1} of {blocks}"
    if not now.criteria:
        raise FloatingPointError(f"training: {what}. Lower the learning rate, or look for huge values in the data.")
    kept = f"the state of block {_last_least(now.criteria) + 1} is kept. Lower the learning rate to train longer"
    warnings.warn(f"training: {what}; {kept}.", RuntimeWarning, stacklevel=3)
    return f"{what}; {kept}"
