"""What a small question costs when it is asked a second time in one process: CPU time, and programs that XLA compiles.

    python benchmarks/compilations.py       # half a minute

300 rows of three columns; candidates gl(3), made anew for each call, and a model written anew.
"""

import time

import measure  # noqa: F401 - first: it fixes the threads before NumPy and JAX start

# isort: split

import jax
import numpy as np

import lieder as ld

COMPILED: list[str] = []


def linear():
    return ld.vectors(ld.algebra.gl(3))


def heard(event: str, duration_secs: float, **kwargs: str | int) -> None:
    COMPILED.append(event)


def main() -> None:
    jax.config.update("jax_enable_x64", True)
    jax.monitoring.register_event_duration_secs_listener(heard)
    x = np.random.default_rng(0).normal(size=(300, 3))
    y, sphere = x * np.sum(x**2, axis=1, keepdims=True), x / np.linalg.norm(x, axis=1, keepdims=True)
    affine = lambda: ld.points(ld.algebra.aff(3))  # noqa: E731
    asked = {
        "`function`, invariance": lambda: ld.discover.function(lambda z: z @ z, x, source=linear()),
        "`function`, invariance, aff(3)": lambda: ld.discover.function(lambda z: z @ z, x, source=affine()),
        "`function`, equivariance": lambda: ld.discover.function(
            lambda z: z * (z @ z), x, source=linear(), target=linear()
        ),
        "`vector_field`": lambda: ld.discover.vector_field(lambda z: z * (z @ z), x, action=linear()),
        '`dataset`, fit "polynomial(3)"': lambda: ld.discover.dataset(
            x, y, source=linear(), target=linear(), fit="polynomial(3)"
        ),
        "`cloud`": lambda: ld.discover.cloud(sphere, action=linear()),
        "`graph`": lambda: ld.discover.graph(x, y, source=linear(), target=linear()),
    }
    print("| question | CPU s | programs |")
    print("| --- | --- | --- |")
    for name, ask in asked.items():
        ask()
        COMPILED.clear()
        start = time.process_time()
        ask()
        spent = time.process_time() - start
        count = sum(event.endswith("backend_compile_duration") for event in COMPILED)
        print(f"| {name} | {spent:.2f} | {count} |", flush=True)


if __name__ == "__main__":
    main()
