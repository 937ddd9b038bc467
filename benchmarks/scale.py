"""What moves between workers, what two of them gain on two cores, and what follows for many.

    python benchmarks/scale.py            # 3 minutes; wants two cores that have nothing else to do
    python benchmarks/scale.py --quick    # a tenth of the rows
    python benchmarks/scale.py --memory   # only: 8 GB of rows through two workers that may hold 2 GB each
    python benchmarks/scale.py --jobs     # only: the folds of a fit here and over two processes, in turns

Bytes: of a part as Dask moves it, pickled, at two numbers of rows, beside 8 q^2 bytes (one matrix of the generators);
gl(k) on vectors of k coordinates and one output. Merge: of two such parts.
Gain: rows a second of one Dask worker (a process of one thread), of two, and of two clusters of one worker each that
are busy at the same time, which share the memory but nothing else: the most that two workers could reach.
Projection: 10^12 rows at the rate of a worker, and a binary tree of mergers, each after one transfer of a part, at
10 GB/s and 50 microseconds, which are assumed.
"""

import argparse
import logging
import os
import pickle
import resource
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import cast

# Workers take their threads from here, and cores as they come: `measure` would pin them.
for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_variable] = "1"
os.environ["XLA_FLAGS"] = os.environ.get("XLA_FLAGS", "") + " --xla_cpu_multi_thread_eigen=false"

import dask.array as da  # noqa: E402 - after the settings above
import jax.numpy as jnp  # noqa: E402
import joblib  # noqa: E402
import numpy as np  # noqa: E402
from distributed import Client, LocalCluster  # noqa: E402
from sklearn.ensemble import RandomForestRegressor  # noqa: E402

import lieder as ld  # noqa: E402

BANDWIDTH, LATENCY, ROWS = 1e10, 5e-5, 1e12  # bytes and seconds of a transfer, assumed


def parted(k: int, rows: int, first: int = 0):
    """A part of so many rows; the generators are those of gl(k)."""
    x = np.random.default_rng(first).normal(size=(rows, k))
    return ld.discover.reduce(lambda z: jnp.sum(z**2), x, source=ld.vectors(ld.algebra.gl(k)), first_row=first)


def fastest(call: Callable[[], object], rounds: int = 9) -> float:
    """Seconds of the fastest of several calls."""
    times = []
    for _ in range(rounds):
        begun = time.perf_counter()
        call()
        times.append(time.perf_counter() - begun)
    return min(times)


def what_moves() -> tuple[int, float]:
    """Bytes of a part of gl(16), and seconds of a merger."""
    print("| candidates | q | rows | bytes | of 8 q^2 | merge, ms | of one factor |\n|" + " --- |" * 7)
    size, least = 0, 0.0
    for k in (4, 8, 16):
        for rows in (4_000, 16_000):
            one, other = (parted(k, rows, first).accumulated for first in (0, rows))
            size = len(pickle.dumps(one))
            least = fastest(partial(one.merge, other))
            single = fastest(partial(one.numerator.factors[0].merge, other.numerator.factors[0]))
            told = f"{size:,} | {size / (8 * k**4):.1f} | {least * 1e3:.1f} | {single * 1e3:.2f}"
            print(f"| gl({k}) | {k * k} | {rows:,} | {told} |", flush=True)
    return size, least


def of_block(block: np.ndarray, block_id: tuple[int, int] = (0, 0)) -> np.ndarray:
    """Rows that are made where they are used."""
    return np.random.default_rng(block_id[0]).normal(size=block.shape)


def rate(client: Client, rows: int, block: int) -> float:
    """Rows a second of a client's workers, compiled beforehand."""
    lazy = da.zeros((rows, 8), chunks=(block, 8)).map_blocks(of_block, dtype=float)
    with client.as_current():
        found = ld.discover.function(lambda z: jnp.sum(z**2), lazy[: 4 * block], source=ld.vectors(ld.algebra.gl(8)))
        begun = time.perf_counter()
        found = ld.discover.function(lambda z: jnp.sum(z**2), lazy, source=ld.vectors(ld.algebra.gl(8)))
    if found.dim != 28:
        raise RuntimeError(f"so(8) has 28 generators, found {found.dim}")
    return rows / (time.perf_counter() - begun)


def cluster(workers: int, memory: str = "auto") -> Client:
    logging.getLogger("distributed").setLevel(logging.ERROR)
    return Client(LocalCluster(n_workers=workers, threads_per_worker=1, memory_limit=memory, dashboard_address=":0"))


def gain(rows: int, block: int) -> float:
    """Rows a second of one worker."""
    one, other, both = cluster(1), cluster(1), cluster(2)
    found: dict[str, list[float]] = {"one worker": [], "two workers": [], "two clusters of one": []}
    with ThreadPoolExecutor(2) as pool:
        for _ in range(3):  # in turns, so that what else the machine does falls on all
            found["one worker"].append(rate(one, rows, block))
            found["two workers"].append(rate(both, 2 * rows, block))
            found["two clusters of one"].append(sum(pool.map(lambda c: rate(c, rows, block), (one, other))))
    for client in (one, other, both):
        client.shutdown()
    rates = {name: float(np.median(each)) for name, each in found.items()}
    print("\n| rows of gl(8) | rows a second |\n| --- | --- |")
    for name, each in rates.items():
        print(f"| {name} | {each:,.0f} |")
    print(f"\ntwo workers reach {rates['two workers'] / rates['two clusters of one']:.2f} of what two clusters reach")
    return rates["one worker"]


def most() -> int:
    """Bytes that this process has held at once."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def asked(client: Client, what: Callable[[], int]) -> set[int]:
    """What each worker answers."""
    return set(cast(dict, client.run(what)).values())


def more_than_memory(rows: int = 250_000_000, block: int = 1_000_000) -> None:
    """8 GB of rows of four numbers. A worker that holds more than its 2 GB is ended, and its process is another."""
    client = cluster(2, "2GB")
    before = asked(client, os.getpid)
    lazy = da.zeros((rows, 4), chunks=(block, 4)).map_blocks(of_block, dtype=float)
    begun = time.perf_counter()
    found = ld.discover.function(lambda z: jnp.sum(z**2), lazy, source=ld.vectors(ld.algebra.gl(4)))
    taken = time.perf_counter() - begun
    after = asked(client, os.getpid)
    held = asked(client, most)
    client.shutdown()
    print(f"{rows * 32 / 1e9:.1f} GB, {rows / block:.0f} blocks of {block * 32 / 1e6:.0f} MB, {taken:.0f} s")
    print(f"so(4), 6 generators: found {found.dim}; the workers' most: {[f'{m / 1e9:.2f} GB' for m in sorted(held)]}")
    print("no worker was ended" if before == after else "a worker was ended and replaced")


def side_by_side(rows: int, trees: int) -> None:
    """The folds of a cross-validation and of the refits after it, by a forest."""
    x = np.random.default_rng(0).normal(size=(rows, 4))
    y = np.exp(-np.sum(x**2, axis=1))

    def seconds(processes: int) -> float:
        with joblib.parallel_config("loky", n_jobs=processes):
            begun = time.perf_counter()
            ld.models.fit(x, y, RandomForestRegressor(trees, random_state=0))
            return time.perf_counter() - begun

    seconds(2)  # starts the processes
    turns = [(seconds(1), seconds(2)) for _ in range(3)]
    one, two = (float(np.median(each)) for each in zip(*turns, strict=True))
    print(
        f"{rows:,} rows, {trees} trees: {one:.1f} s here, {two:.1f} s over two processes, {one / two:.2f} times as fast"
    )


def projection(size: int, merger: float, each: float) -> None:
    """Of gl(16) parts, at the rate of gl(8) rows."""
    print(f"\n| workers | {ROWS:.0e} rows, h | tree of mergers, s |\n| --- | --- | --- |")
    for workers in (64, 1024, 16384):
        depth = int(np.ceil(np.log2(workers)))
        tree = depth * (size / BANDWIDTH + LATENCY + merger)
        print(f"| {workers:,} | {ROWS / workers / each / 3600:,.2f} | {tree:.3f} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a tenth of the rows")
    parser.add_argument("--memory", action="store_true", help="8 GB through two workers of 2 GB, and nothing else")
    parser.add_argument("--jobs", action="store_true", help="folds over two processes, and nothing else")
    given = parser.parse_args()
    if given.jobs:
        return side_by_side(*((1000, 20) if given.quick else (4000, 100)))
    if given.memory:
        return more_than_memory()
    print(f"{len(os.sched_getaffinity(0))} cores\n")
    size, merger = what_moves()
    rows = 40_000 if given.quick else 400_000
    projection(size, merger, gain(rows, rows // 16))


if __name__ == "__main__":
    main()
