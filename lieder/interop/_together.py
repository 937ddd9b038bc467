"""What the processes of a job tell each other: what they were asked, their parts, what the first of them decides."""

import pickle
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TypeVar

import jax
import numpy as np
from jax.experimental import multihost_utils

T = TypeVar("T")


def exchanged(mine: T) -> list[T]:
    """What every process gives.

    Returns: one from each, in the order of processes.
    Raises: RuntimeError where one of them has ended.
    """
    packed = np.frombuffer(pickle.dumps(mine), np.uint8)
    with reached("Nothing was written; see the output of the others and run the job again."):
        lengths = multihost_utils.process_allgather(np.array([len(packed)], np.int32))
        padded = np.zeros(int(lengths.max()), np.uint8)
        padded[: len(packed)] = packed
        rows = multihost_utils.process_allgather(padded)
    return [pickle.loads(row[: int(n)].tobytes()) for row, n in zip(rows, lengths.ravel(), strict=True)]


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
