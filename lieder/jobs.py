"""Jobs that do not depend on each other, worked through here or wherever joblib's current backend puts them."""

import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property, lru_cache
from multiprocessing import parent_process
from pathlib import Path
from typing import Any, TypeVar

import cloudpickle
import jax
import joblib

from .files import check_path, read_checkpoint, write_record
from .report import progress

Job = TypeVar("Job")
Result = TypeVar("Result")
Item = TypeVar("Item")
FORMAT = "lieder jobs 1"
EVERY = 5.0  # seconds between two writings of a checkpoint, which holds all results and is written whole


def results(
    work: Callable[[Job], Result],
    jobs: Sequence[Job],
    label: str = "jobs",
    *,
    checkpoint: str | os.PathLike[str] | None = None,
    told: Callable[[int, Result], None] | None = None,
) -> list[Result]:
    """[work(job) for job in jobs], of which several are done at once where a user has said so.

    By default they are done here, one after the other. Inside `with joblib.parallel_config(backend="loky", n_jobs=4):`,
    or with "threading" or "dask" for the backend, they are done there: processes of this machine, threads, or the
    workers of Dask's current client. Results and their order are the same, up to rounding where the workers' linear
    algebra uses another number of threads. A single job is done here.

    To other processes `work` travels by cloudpickle: functions of functions, compiled ones among them, do, and each
    process opens it once, so that it compiles once. There and in threads JAX has the number of bits and the precision
    of products that it has here, whether these are set for all or by a context; and XLA takes as many threads as the
    backend grants to BLAS. On a machine with a GPU every process would open it: take "threading".

    Arguments:
        work: of one job. What it draws at random must follow from the job.
        jobs: they and their results travel by pickle.
        label: what is being done, for the progress bar, one for all; "" for none.
        checkpoint: a file (.npz) in which results are kept as they come, and from which the rest is done. Results are
            then numbers, texts, arrays, None, and lists and dicts of such; tuples come back as lists. What tells one
            study from another must be in its jobs or its label: a function says nothing of itself that lasts.
        told: called here with the number of a job, from 0, and its result, as they come, in any order.
    Returns: the results, in the order of the jobs.
    Raises: what `work` raises, with a note that says in which job; ValueError for a checkpoint of other jobs or another
        label; TypeError for results that a file does not hold, for work that is no function and jobs that are no list;
        OSError as `lieder.files.write_record`.
    """
    if not callable(work):
        raise TypeError(f"work must be a function of one job, got {type(work).__name__}.")
    if not isinstance(jobs, Iterable):
        raise TypeError(f"jobs must be a list of what work takes, one by one, got {jobs!r:.60}; range(n) numbers them.")
    jobs = list(jobs)
    if checkpoint is not None:
        return _kept(work, jobs, label, check_path(checkpoint, "checkpoint"), told)
    found: dict[int, Any] = {}
    for number, result in _each(work, jobs, range(len(jobs)), label):
        found[number] = result
        if told is not None:
            told(number, result)
    return [found[number] for number in range(len(jobs))]


def courses(work: Callable[[Job], Iterator[Item]], jobs: Sequence[Job]) -> Iterator[Item]:
    """The items of jobs that each make several, one from the other, such as the fits along a path.

    Done as `results`. Here each item comes as it is made, so that what keeps them loses none; elsewhere those of a job
    come together, when it is done.

    Arguments: `work`, from a job to an iterator; `jobs`.
    Returns: an iterator over all items, those of a job in order.
    Raises: as `results`.
    """
    if len(jobs) < 2 or joblib.effective_n_jobs(None) == 1:  # pyright: ignore[reportArgumentType]
        for job in jobs:
            yield from work(job)
        return
    for _, items in _each(lambda job: list(work(job)), list(jobs), range(len(jobs)), ""):
        yield from items


def _kept(work: Callable, jobs: list, label: str, file: Path, told: Callable[[int, Any], None] | None) -> list:
    """The same with a file; what comes back is what the file holds, whether it was interrupted or not."""
    mark = str(joblib.hash((jobs, label)))
    done = read_checkpoint(file, mark, FORMAT, "lieder.jobs")["results"] if file.exists() else {}
    written = time.monotonic()

    def write() -> None:
        nonlocal written
        try:
            write_record(file, {"mark": mark, "results": done}, FORMAT, "checkpoint")
        except TypeError as fault:
            raise TypeError(
                f"checkpoint: a result cannot be kept in a file ({fault}). Let the work return numbers, texts, arrays,"
                " and lists and dicts of such, or leave the checkpoint out."
            ) from None
        written = time.monotonic()

    try:
        for number, result in _each(work, jobs, [k for k in range(len(jobs)) if str(k) not in done], label):
            done[str(number)] = result
            if time.monotonic() - written > EVERY:
                write()
            if told is not None:
                told(number, result)
    finally:  # an interruption by hand loses nothing that was done
        write()
    kept = read_checkpoint(file, mark, FORMAT, "lieder.jobs")["results"]
    return [kept[str(number)] for number in range(len(jobs))]


def _each(work: Callable, jobs: list, numbers: Sequence[int], label: str) -> Iterator[tuple[int, Any]]:
    """The numbers of those jobs and their results, as they come."""
    here: Any = jax.config  # as it is in this thread, contexts included
    one = _Job(_Travelling(work), len(jobs), label, here.jax_enable_x64, here.jax_default_matmul_precision)
    if len(numbers) > 1:
        calls = (joblib.delayed(one)(number, jobs[number]) for number in numbers)
        found: Any = joblib.Parallel(return_as="generator_unordered")(calls)
    else:
        found = (one(number, jobs[number]) for number in numbers)
    # The generator is closed here, not when it is forgotten: an error ends what runs elsewhere at once.
    with closing(found) as coming:
        yield from progress(coming, len(numbers), label) if label else coming


class _Travelling:
    """A function that other processes open once, however many jobs they do: what it has compiled is kept."""

    def __init__(self, work: Callable):
        self.work = work

    @cached_property
    def _packed(self) -> bytes:
        return cloudpickle.dumps(self.work)

    def __reduce__(self):
        return _opened, (self._packed,)


@lru_cache(maxsize=8)
def _opened(packed: bytes) -> _Travelling:
    return _Travelling(cloudpickle.loads(packed))


@dataclass(frozen=True)
class _Job:
    """One job, under the settings of JAX that its caller has. Fields: `count` of the jobs, and their `label`."""

    travelling: _Travelling
    count: int
    label: str
    x64: bool
    precision: str | None

    def __call__(self, number: int, job: Any) -> tuple[int, Any]:
        if parent_process() is not None and "OMP_NUM_THREADS" in os.environ:
            os.environ.setdefault("NPROC", os.environ["OMP_NUM_THREADS"])  # read by XLA when it starts
        try:
            with jax.enable_x64(self.x64), jax.default_matmul_precision(self.precision):
                return number, self.travelling.work(job)
        except Exception as fault:
            fault.add_note(f"This was job {number + 1} of {self.count}{f' ({self.label})' if self.label else ''}.")
            raise
