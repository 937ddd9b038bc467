"""Solutions of systems, for tests and benchmarks: Runge-Kutta, and starts whose orbits stay apart."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from laws import CONSERVED


def step(field: Callable, x, h: float):
    """One step of the classical Runge-Kutta method, of NumPy or JAX arrays."""
    a = field(x)
    b = field(x + h / 2 * a)
    c = field(x + h / 2 * b)
    return x + h / 6 * (a + 2 * b + 2 * c + field(x + h * c))


def solver(field: Callable, steps: int, size: float, substeps: int = 25) -> Callable:
    """Compiled, starts (C, n) -> (C, steps + 1, n), for a field of one state."""
    fields, h = jax.vmap(field), size / substeps

    def one(x, _):
        x = jax.lax.fori_loop(0, substeps, lambda _, z: step(fields, z, h), x)
        return x, x

    return jax.jit(lambda x: jnp.concatenate([x[None], jax.lax.scan(one, x, None, steps)[1]]).swapaxes(0, 1))


def starts_of(name: str, seed: int | np.random.Generator, count: int = 16) -> np.ndarray:
    """Starts of a system of `laws.CONSERVED`, where its dictionary is defined."""
    rng = np.random.default_rng(seed)
    if name == "Lotka-Volterra":
        return rng.uniform(0.6, 1.5, (count, 2))
    if name == "pendulum":
        return rng.uniform(-1, 1, (count, 2)) * [1.8, 0.8]
    if name == "Kepler in the plane":
        turn, part = rng.uniform(0, 2 * np.pi, count), rng.uniform(0.8, 1.15, (count, 1))
        size = rng.uniform(0.8, 1.5, (count, 1))
        out, across = np.stack([np.cos(turn), np.sin(turn)], 1), np.stack([-np.sin(turn), np.cos(turn)], 1)
        return np.concatenate([size * out, part * rng.choice([-1, 1], (count, 1)) * across / np.sqrt(size)], axis=1)
    return rng.normal(size=(count, CONSERVED[name][1].width)) * (5.0 if name == "Lorenz" else 1.0)
