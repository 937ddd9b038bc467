"""The solvers of examples/pde_solvers.py against their equations."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "examples"))
import pde_solvers  # pyright: ignore[reportMissingImports]


@pytest.mark.parametrize("solve", pde_solvers.ALL, ids=lambda solve: solve.__name__)
def test_the_solvers_solve(solve):
    """The equation holds, by Fourier series in space and differences of order 4 in time."""
    u, (t, *space) = solve(solutions=1, times=161 if solve is pde_solvers.kdv else 81)
    fields, n = u[0], u.shape[-1]
    k = 2 * np.pi * np.fft.fftfreq(n, space[0][1])  # the first sample is at zero
    h = t[1] - t[0]
    first = (fields[:, :-4] - 8 * fields[:, 1:-3] + 8 * fields[:, 3:-1] - fields[:, 4:]) / (12 * h)
    second = (-fields[:, :-4] + 16 * fields[:, 1:-3] - 30 * fields[:, 2:-2] + 16 * fields[:, 3:-1] - fields[:, 4:]) / (
        12 * h**2
    )
    w = fields[:, 2:-2]

    def d(f: np.ndarray, order: int) -> np.ndarray:
        waves = (1j * k) ** order
        return np.fft.ifft(waves * np.fft.fft(f)).real

    def laplace(f: np.ndarray) -> np.ndarray:
        square = k[:, None] ** 2 + k**2
        return np.fft.ifft2(-square * np.fft.fft2(f)).real

    a, b = w[0], w[-1]
    square = a**2 + b**2
    right, left = {
        "heat": lambda: ([d(a, 2)], first),
        "burgers": lambda: ([-a * d(a, 1) + 0.1 * d(a, 2)], first),
        "potential_burgers": lambda: ([d(a, 2) + d(a, 1) ** 2], first),
        "kdv": lambda: ([-a * d(a, 1) - d(a, 3)], first),
        "wave": lambda: ([laplace(a)], second),
        "schroedinger": lambda: ([-laplace(b) / 2 + square * b, laplace(a) / 2 - square * a], first),
        "reaction_diffusion": lambda: (
            [0.1 * laplace(a) + (1 - square) * a + square * b, 0.1 * laplace(b) + (1 - square) * b - square * a],
            first,
        ),
    }[solve.__name__]()
    late = slice(left.shape[1] // 2, None)  # where waves too short for the differences are gone, or none were
    error = np.abs(left - np.stack(right))[:, late].max() / np.abs(left[:, late]).max()
    assert error < 1e-3
