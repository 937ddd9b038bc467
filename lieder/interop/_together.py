"""What the processes of a job tell each other: what they were asked, their parts, what the first of them decides."""

import pickle
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache, partial
from typing import Any, TypeVar

import jax
import numpy as np
from jax.experimental import multihost_utils

T = TypeVar("T")


def exchanged(mine: T) -> list[T]:
    """What every process gives.

    Returns: one from each, in the order of processes.
    Raises: RuntimeError where one of them has ended.
    """
    with reached("Nothing was written; see the output of the others and run the job again."):
        padded, lengths = _packed(mine)
        rows = multihost_utils.process_allgather(padded)
    return [pickle.loads(row[:n].tobytes()) for row, n in zip(rows, lengths, strict=True)]


def merged(mine: T | Exception | None, merge: Callable[[Any, Any], T]) -> T:
    """What all processes have, merged in pairs of pairs: none gets more parts than the logarithm of their number, and
    two.

    Arguments: `mine`, a part, an error, which then all raise, or None where this process has nothing; `merge`, of two
        parts, the one of lower processes first.
    Returns: the same in every process, bit for bit: in each pair both merge the same two.
    Raises: the error of a process or of a merger, in all of them; RuntimeError where a process has ended.
    """
    rank, count = jax.process_index(), jax.process_count()
    half = 1 << (count.bit_length() - 1)  # the largest power of two: more processes give what they have to a neighbour
    given = {r: r - 1 for r in range(1, 2 * (count - half), 2)}
    paired = [r for r in range(count) if r not in given]

    def both(lower: Any, upper: Any) -> Any:
        if lower is None or (isinstance(upper, Exception) and not isinstance(lower, Exception)):
            return upper
        if upper is None or isinstance(lower, Exception):
            return lower
        try:
            return merge(lower, upper)
        except Exception as error:  # the others go on until all know of it
            return error

    found: Any = mine
    if given:
        neighbours = _sent(found, given)
        found = both(found, neighbours) if rank in given.values() else found
    for stride in (1 << level for level in range(half.bit_length() - 1)):
        others = _sent(found, {r: paired[place ^ stride] for place, r in enumerate(paired)})
        if rank in paired:
            found = both(others, found) if paired.index(rank) & stride else both(found, others)
    if given:
        of_all = _sent(found, {to: r for r, to in given.items()})
        found = of_all if rank in given else found
    if isinstance(found, Exception):
        raise found
    return found


def _sent(mine: Any, to: Mapping[int, int]) -> Any:
    """What the process that sends to this one sends, by number of process; None where there is no such process."""
    with reached("Nothing was written; see the output of the others and run the job again."):
        padded, lengths = _packed(mine)
        carry, mesh = _carrier(tuple(sorted(to.items())))
        here = multihost_utils.host_local_array_to_global_array(padded[None], mesh, jax.P("processes"))
        got = np.asarray(carry(here).addressable_data(0)).ravel()
    sender = {receiver: giver for giver, receiver in to.items()}.get(jax.process_index())
    return None if sender is None else pickle.loads(got[: lengths[sender]].tobytes())


def _packed(mine: Any) -> tuple[np.ndarray, list[int]]:
    """Bytes of an object, filled up to one length in all processes, and how many are meant in each.

    Few lengths, since what carries them is compiled for each: powers of two.
    """
    packed = np.frombuffer(pickle.dumps(mine), np.uint8)
    lengths = multihost_utils.process_allgather(np.array([len(packed)], np.int32)).ravel().tolist()
    return np.pad(packed, (0, (1 << (max(lengths) - 1).bit_length()) - len(packed))), lengths


@cache
def _carrier(to: tuple[tuple[int, int], ...]) -> tuple[Callable[[jax.Array], jax.Array], jax.sharding.Mesh]:
    """What carries rows, one of each process, from process to process, and the mesh that they lie on."""
    first = {device.process_index: device for device in reversed(jax.devices())}
    mesh = jax.sharding.Mesh([first[r] for r in range(jax.process_count())], "processes")
    carried = partial(jax.lax.ppermute, axis_name="processes", perm=to)
    return jax.jit(jax.shard_map(carried, mesh=mesh, in_specs=jax.P("processes"), out_specs=jax.P("processes"))), mesh


def of_the_first(work: Callable[[], T]) -> T:
    """What process 0 makes, in all processes; where it fails it fails in all.

    Arguments: `work`, done in process 0 alone; what it returns travels by pickle.
    Returns: what `work` returned in process 0.
    Raises: what `work` raises; RuntimeError where a process has ended.
    """
    packed = np.zeros(0, np.uint8)
    if jax.process_index() == 0:
        try:
            made = work(), None
        except Exception as error:  # the other processes wait for what this one makes: they raise it, too
            made = None, error
        packed = np.frombuffer(pickle.dumps(made), np.uint8)
    with reached("See the output of the others and run the job again."):
        length = int(multihost_utils.broadcast_one_to_all(np.array([len(packed)], np.int32))[0])
        sent = packed if jax.process_index() == 0 else np.zeros(length, np.uint8)
        found, error = pickle.loads(np.asarray(multihost_utils.broadcast_one_to_all(sent), np.uint8).tobytes())
    if error is not None:
        raise error
    return found


def all_of(array: jax.Array) -> np.ndarray:
    """An array that is spread over devices or processes, all of it in this process.

    Returns: a NumPy array of the same shape.
    Raises: RuntimeError where a process has ended.
    """
    if array.is_fully_addressable:
        return np.asarray(array)
    with reached("See the output of the others and run the job again."):
        return np.asarray(multihost_utils.process_allgather(array, tiled=True))


def check_alike(asked: Sequence[Mapping[str, str]]) -> None:
    """Refuse processes that answer together and were not asked the same.

    Arguments: `asked`, by name, of each process.
    Raises: ValueError naming what differs.
    """
    for k, other in enumerate(asked):
        one = asked[0]
        differing = [name for name in {**one, **other} if one.get(name) != other.get(name)]
        if differing:
            told = [f"{name}: {one.get(name)} and {other.get(name)}" for name in differing]
            raise ValueError(
                f"the processes of this job do not ask the same question, 0 and {k} differ in {'; in '.join(told)}."
                " Call with the same arguments in all of them."
            )


@contextmanager
def reached(then: str) -> Iterator[None]:
    """Within, JAX's error of another process that has ended is said in words, with what to do `then`.

    Raises: RuntimeError in place of that error.
    """
    try:
        yield
    except (jax.errors.JaxRuntimeError, ValueError) as error:  # which of them is up to where the connection broke
        raise RuntimeError(
            f"process {jax.process_index()} of {jax.process_count()} could not go on with the others: one of them has"
            f" ended or cannot be reached. {then}"
        ) from error
