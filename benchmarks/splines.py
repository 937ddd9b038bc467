"""Velocities of noisy trajectories by the library's smoothing spline, and by SciPy's.

    python benchmarks/splines.py            # 20 runs a row, one minute

`scipy.interpolate.make_smoothing_spline` is cubic, penalises the second derivative and takes its strength from
generalised cross-validation; `lieder.enforce.SmoothingSpline` (SciPy's B-splines of degree 5, third derivative,
strength by restricted likelihood). Curves sin(t) + .3 sin(3 t + p), with a phase p of each run, over 0 .. 10; noise is
white, a fraction of the curve's standard deviation.
"""

import argparse
import time

import measure  # noqa: F401 - first: it fixes the threads before NumPy starts

# isort: split

import numpy as np
from scipy.interpolate import make_smoothing_spline

from lieder.enforce import SmoothingSpline


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=20)
    runs = parser.parse_args().runs
    print("| samples | noise | ours | SciPy | ours, worst run | SciPy, worst run | ours, ms | SciPy, ms |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for samples in (50, 200, 1000):
        for noise in (0.001, 0.01, 0.1):
            errors, times = np.empty((2, runs)), np.zeros(2)
            for run in range(runs):
                random = np.random.default_rng(run)
                t, phase = np.linspace(0, 10, samples), random.uniform(0, 2 * np.pi)
                x = np.sin(t) + 0.3 * np.sin(3 * t + phase)
                true = np.cos(t) + 0.9 * np.cos(3 * t + phase)
                x = x + noise * x.std() * random.normal(size=samples)
                for k, slope in enumerate((ours, scipy_s)):
                    start = time.process_time()
                    found = slope(t, x)
                    times[k] += time.process_time() - start
                    errors[k, run] = np.sqrt(np.mean((found - true) ** 2)) / true.std()
            error, worst, spent = np.median(errors, axis=1), errors.max(axis=1), 1e3 * times / runs
            cells = [
                f"{samples:,}",
                f"{noise:g}",
                *(f"{v:.2g}" for v in (*error, *worst)),
                *(f"{v:.1f}" for v in spent),
            ]
            print("| " + " | ".join(cells) + " |", flush=True)


def ours(t: np.ndarray, x: np.ndarray) -> np.ndarray:
    return SmoothingSpline().smooth(t, x[None, :, None]).slopes[0, :, 0]


def scipy_s(t: np.ndarray, x: np.ndarray) -> np.ndarray:
    return make_smoothing_spline(t, x).derivative()(t)


if __name__ == "__main__":
    main()
