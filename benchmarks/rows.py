"""Regressions on two million rows of 200 functions against twenty thousand: peak memory, and time over the least.

    python benchmarks/rows.py [--quick] [--rows N] [--only CASE]

Each case runs in a fresh process. The least time is that of the functions' values alone, in blocks, plus 2 N D^2 over
the measured rate of a float64 matrix product; what does not grow with N is in both sizes and subtracted. Seconds are
CPU seconds of the process. Regression fits one output.
"""

import argparse
import json
import time

import measure  # first: it fixes the threads before NumPy and JAX start

# isort: split

import numpy as np

import lieder as ld

WIDTH, SMALL, BLOCK = 4, 20_000, 8192
DICTIONARY = ld.dictionary.polynomials(WIDTH, 6)  # 210 functions
SOURCE = ld.vectors(ld.algebra.so(WIDTH))


def data(rows: int) -> tuple[np.ndarray, np.ndarray]:
    """States and velocities, made block by block: the peak is that of what is measured."""
    random = np.random.default_rng(0)
    x, y = np.empty((2, rows, WIDTH))
    for start in range(0, rows, BLOCK):
        here = slice(start, min(start + BLOCK, rows))
        a, b, c, d = x[here].T
        x[here] = random.uniform(-1, 1, x[here].shape)
        y[here] = np.stack([b, -a - 0.3 * a**3, d, -c * a**2], axis=1)
        y[here] += 0.01 * random.standard_normal(y[here].shape)
    return x, y


def dynamics(x, y):
    return ld.enforce.sparse_dynamics(x, y, DICTIONARY, threshold=0.05)


def regression(x, y):
    return ld.promote.Regression(DICTIONARY, source=SOURCE).fit(x, y[:, 1])


def without_refits(x, y):
    return ld.promote.Regression(DICTIONARY, source=SOURCE, refit=False).fit(x, y[:, 1])


CASES = {
    "sparse_dynamics": dynamics,
    "Regression": regression,
    "Regression, refit=False": without_refits,
}


def one(case: str, rows: int) -> dict[str, float]:
    x, y = data(rows)
    rates = [measure.product_rate(DICTIONARY.size)]
    some = ld.derivative.values(DICTIONARY, x[:BLOCK])
    begun = time.process_time()
    for start in range(0, min(rows, 16 * BLOCK), BLOCK):
        some = ld.derivative.values(DICTIONARY, x[start : start + BLOCK])
    features = (time.process_time() - begun) * rows / min(rows, 16 * BLOCK)
    del some
    begun = time.process_time()
    CASES[case](x, y)
    total = time.process_time() - begun
    rates.append(measure.product_rate(DICTIONARY.size))
    # Not ru_maxrss, which a child inherits from the process that started it.
    peak = next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM")) / 1024
    return {"total": total, "features": features, "peak": peak, "rate": max(rates)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="200,000 rows instead of 2,000,000")
    parser.add_argument("--rows", type=int, default=None)
    parser.add_argument("--only", choices=CASES, help="one regression instead of all")
    parser.add_argument("--one", nargs=2, metavar=("CASE", "ROWS"), help="used by this script itself")
    options = parser.parse_args()
    if options.one:
        print(json.dumps(one(options.one[0], int(options.one[1]))))
        return
    rows = options.rows or (200_000 if options.quick else 2_000_000)
    print(f"{measure.machine()}; N = {rows:,}, {DICTIONARY.size} functions of {WIDTH} inputs, {WIDTH} outputs, float64")
    lines = []
    for case in [options.only] if options.only else CASES:
        small, large = measure.fresh(__file__, case, SMALL), measure.fresh(__file__, case, rows)
        products = 2.0 * rows * DICTIONARY.size**2 / large["rate"]
        growth = (large["total"] - small["total"]) / ((large["features"] + products) * (1.0 - SMALL / rows))
        lines.append(
            (
                case,
                f"{large['total']:.1f} s",
                f"{small['total']:.1f} s",
                f"{large['features']:.1f} s",
                f"{products:.1f} s ({large['rate'] / 1e9:.0f} Gflop/s)",
                f"{growth:.2f}",
                f"{large['peak'] - small['peak']:+.0f} MB ({small['peak']:.0f} MB)",
            )
        )
    head = ("regression", "total", "N = 20,000", "functions alone", "products")
    measure.table((*head, "(total - N = 20,000) / (functions + products)", "peak over N = 20,000"), lines)


if __name__ == "__main__":
    main()
