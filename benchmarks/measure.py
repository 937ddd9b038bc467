"""What every benchmark needs: threads fixed, times interleaved, one table printed. Import it before NumPy and JAX."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

# One thread for BLAS and one for XLA: on cores shared with other work anything else is a lottery.
# Set LIEDER_THREADS for more.
THREADS = int(os.environ.get("LIEDER_THREADS", "1"))
for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_variable] = str(THREADS)
CORES = sorted(os.sched_getaffinity(0))
if THREADS < len(CORES):
    # XLA sizes its pool by the cores it may run on.
    os.sched_setaffinity(0, CORES[-THREADS:])

import jax  # noqa: E402 - after the settings above
import numpy as np  # noqa: E402


def move_to_part(place: int) -> None:
    """To cores of its own, of several processes that each do a part. Before the first work of JAX."""
    os.sched_setaffinity(0, {CORES[-1 - (place * THREADS + k) % len(CORES)] for k in range(THREADS)})


def interleaved(calls: dict[str, Callable[[], object]], rounds: int) -> dict[str, np.ndarray]:
    """Seconds of each call, in turns, so that what else the machine does falls on all alike; compiled beforehand."""
    compiling = []
    for name, call in calls.items():
        begun = time.perf_counter()
        jax.block_until_ready(call())
        compiling.append(f"{name} {time.perf_counter() - begun:.2f} s")
        jax.block_until_ready(call())
    print(f"first call, compiling: {', '.join(compiling)}")
    times = {name: np.zeros(rounds) for name in calls}
    for i in range(rounds):
        for name, call in calls.items():
            begun = time.perf_counter()
            jax.block_until_ready(call())
            times[name][i] = time.perf_counter() - begun
    return times


def fresh(script: str, *case: object) -> dict[str, float]:
    """What `script --one CASE` prints, run in a fresh process on the package beside it."""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    command = [sys.executable, script, "--one", *map(str, case)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    if done.returncode:
        raise RuntimeError(done.stderr)
    return json.loads(done.stdout)


def product_rate(columns: int, rounds: int = 9, rows: int = 4096) -> float:
    """Flops a CPU second of the float64 product A^T B, A and B (rows, columns): the best of several."""
    a, b = np.random.default_rng(0).standard_normal((2, rows, columns))
    best = np.inf
    for _ in range(rounds):
        begun = time.process_time()
        _ = a.T @ b
        best = min(best, time.process_time() - begun)
    return 2.0 * rows * columns**2 / best


def least_seconds(run: Callable[[], object], rounds: int = 30) -> float:
    """The least CPU time of several, compiled beforehand."""
    jax.block_until_ready(run())
    times = []
    for _ in range(rounds):
        begun = time.process_time()
        jax.block_until_ready(run())
        times.append(time.process_time() - begun)
    return min(times)


def layer_rate(rows: int, inputs: int, outputs: int) -> float:
    """Flops a CPU second of a float32 product by JAX of the shape of a layer."""
    a = jax.random.normal(jax.random.key(0), (rows, inputs), "float32")
    b = jax.random.normal(jax.random.key(1), (inputs, outputs), "float32")
    product = jax.jit(lambda a, b: a @ b)
    return 2.0 * rows * inputs * outputs / least_seconds(lambda: product(a, b))


def machine() -> str:
    cores = len(os.sched_getaffinity(0))
    return f"{os.cpu_count()} cores, {cores} used, {THREADS} BLAS thread(s); load average {os.getloadavg()[0]:.1f}"


def table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    """A Markdown table on the standard output."""
    for row in (head, tuple("---" for _ in head), *rows):
        print("| " + " | ".join(row) + " |", flush=True)
