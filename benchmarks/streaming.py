"""Two million rows against twenty thousand: peak memory, and time over the model's own and the unavoidable products.

    python benchmarks/streaming.py [--quick] [--rows N]

Each case runs in a fresh process. The floor of time is model + 2 N m q^2 / (measured rate of a float64 matrix product
with the same threads), model being value and gradient alone, over the same batches. All of it is measured in that one
process, the rate before and after. Times are CPU seconds of the process, all threads together: on one thread these are
the seconds of an idle machine, whatever else runs.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import measure  # first: it fixes the threads before NumPy and JAX start

# isort: split

import jax
import jax.numpy as jnp
import numpy as np

import lieder as ld
import lieder.discover  # imports have a line of their own: benchmarks/imports.py

WIDTH = 16
BATCH = 8192
SMALL = 20_000


def rotation_invariant(x):
    return jnp.sum(x**2)


def no_symmetry(x):
    weights = jnp.asarray(np.random.default_rng(1).standard_normal((2, 64, 64)), x.dtype) / 8.0
    return jnp.sum(jnp.tanh(weights[1] @ jnp.tanh(weights[0][:, :WIDTH] @ x)))


MODELS = {"sphere": rotation_invariant, "mlp": no_symmetry}


def batches(rows: int) -> Iterator[np.ndarray]:
    random = np.random.default_rng(0)
    for start in range(0, rows, BATCH):
        yield random.standard_normal((min(BATCH, rows - start), WIDTH))


def one(kind: str, model: str, rows: int, path: str) -> dict[str, float]:
    """One case in this process: seconds of the whole call, of the model, of making the data, and the peak of memory."""
    F, algebra = MODELS[model], ld.algebra.gl(WIDTH)
    rates = [measure.product_rate(algebra.dim)]
    with jax.enable_x64(True):
        alone = jax.jit(jax.vmap(jax.value_and_grad(F)))
        jax.block_until_ready(alone(np.zeros((BATCH, WIDTH))))
        begun = time.process_time()
        for _ in range(8):
            jax.block_until_ready(alone(np.zeros((BATCH, WIDTH))))
        model_time = (time.process_time() - begun) * rows / (8 * BATCH)
    begun = time.process_time()
    for _ in batches(rows) if kind == "iterable" else ():
        pass
    reading = time.process_time() - begun
    data = batches(rows) if kind == "iterable" else np.load(path, mmap_mode="r")[:rows]
    begun, wall = time.process_time(), time.perf_counter()
    found = ld.discover.function(F, data, source=ld.vectors(algebra))
    total, wall = time.process_time() - begun, time.perf_counter() - wall
    rates.append(measure.product_rate(algebra.dim))
    assert found.dim == {"sphere": 120, "mlp": 0}[model]
    # Not ru_maxrss, which a child inherits from the process that started it.
    peak = next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM")) / 1024
    return {"total": total, "wall": wall, "model": model_time, "reading": reading, "peak": peak, "rate": max(rates)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="200,000 rows instead of 2,000,000")
    parser.add_argument("--rows", type=int, default=None)
    parser.add_argument("--one", nargs=4, metavar=("KIND", "MODEL", "ROWS", "PATH"), help="used by this script itself")
    options = parser.parse_args()
    if options.one:
        kind, model, rows, path = options.one
        print(json.dumps(one(kind, model, int(rows), path)))
        return
    rows = options.rows or (200_000 if options.quick else 2_000_000)
    print(f"{measure.machine()}; N = {rows:,}, n = {WIDTH}, q = {WIDTH**2}, m = 1, float64")
    lines = []
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "points.npy")
        mapped = np.lib.format.open_memmap(path, mode="w+", dtype=np.float64, shape=(rows, WIDTH))
        start = 0
        for batch in batches(rows):
            mapped[start : start + len(batch)] = batch
            start += len(batch)
        mapped.flush()
        del mapped
        for kind in ("iterable", "memory map"):
            for model in MODELS:
                small, large = (
                    measure.fresh(__file__, kind, model, min(SMALL, rows), path),
                    measure.fresh(__file__, kind, model, rows, path),
                )
                products = 2.0 * rows * WIDTH**4 / large["rate"]
                floor = large["model"] + products
                # What does not grow with N, compiling and the tests of what was found, is in both.
                growth = (large["total"] - small["total"]) / (floor * (1.0 - SMALL / rows))
                lines.append(
                    (
                        f"{kind}, {model}",
                        f"{large['total']:.1f} s ({large['wall']:.1f} s)",
                        f"{small['total']:.1f} s",
                        f"{large['reading']:.1f} s",
                        f"{large['model']:.1f} s",
                        f"{products:.1f} s ({large['rate'] / 1e9:.0f} Gflop/s)",
                        f"{growth:.2f}",
                        f"{large['total'] / floor:.2f}",
                        f"{large['peak'] - small['peak']:+.0f} MB ({small['peak']:.0f} MB)",
                    )
                )
    head = ("data, model", "total (by the clock)", "N = 20,000", "making the data", "model alone", "products")
    head += ("(total - N = 20,000) / (model + products)", "total / (model + products)", "peak over N = 20,000")
    measure.table(head, lines)


if __name__ == "__main__":
    main()
