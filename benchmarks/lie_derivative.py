"""Lie derivative of a batch against the derivative any method needs: ratios of times taken in one run.

    python benchmarks/lie_derivative.py [--quick]

Calls take turns, compiled beforehand; the seconds of compiling are printed apart.
"""

import argparse

import measure  # first: it fixes the threads before NumPy and JAX start

# isort: split

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

import lieder as ld
from lieder.derivative import blocks

BATCH = 256


def scalar_model(dtype, rounds: int) -> tuple[str, float, float, float, str]:
    """n = 64, candidates gl(64): 4,096 generators. Rivals: one gradient and one outer product of the batch."""
    n = 64
    model = eqx.nn.MLP(n, "scalar", 256, 3, key=jax.random.key(0), dtype=dtype)
    x = jax.random.normal(jax.random.key(1), (BATCH, n), dtype)
    source = ld.vectors(ld.algebra.gl(n))
    ours = blocks(model, source, ld.scalars(source.algebra))
    gradient = eqx.filter_jit(lambda model, x: jax.vmap(jax.grad(model))(x))
    outer = jax.jit(lambda g, x: (g[:, :, None] * x[:, None, :]).reshape(len(x), 1, -1))
    g = jnp.ones_like(x)
    numbers = jnp.arange(BATCH)
    times = measure.interleaved(
        {"gradient": lambda: gradient(model, x), "outer": lambda: outer(g, x), "ours": lambda: ours(x, numbers)}, rounds
    )
    np.testing.assert_allclose(ours(x, numbers).rows, outer(gradient(model, x), x), rtol=1e-5, atol=1e-6)
    rival = times["gradient"] + times["outer"]
    size = np.dtype(dtype).itemsize
    floor = f"{BATCH * n * n * size / 2**20:.0f} MB of rows written, {flops(n, 1) * BATCH / 1e6:.0f} Mflop"
    return f"scalar MLP, gl(64), {np.dtype(dtype)}", *ratios(times["ours"], rival), 1.5, floor


def vector_model(dtype, rounds: int) -> tuple[str, float, float, float, str]:
    """n = m = 16, gl(16) on both sides: 256 generators. Rival: the batched Jacobian, by the faster mode."""
    n = 16
    model = eqx.nn.MLP(n, n, 256, 3, key=jax.random.key(0), dtype=dtype)
    x = jax.random.normal(jax.random.key(1), (BATCH, n), dtype)
    both = ld.vectors(ld.algebra.gl(n))
    ours = blocks(model, both, both)
    forward = eqx.filter_jit(lambda model, x: jax.vmap(jax.jacfwd(model))(x))
    reverse = eqx.filter_jit(lambda model, x: jax.vmap(jax.jacrev(model))(x))
    numbers = jnp.arange(BATCH)
    times = measure.interleaved(
        {"forward": lambda: forward(model, x), "reverse": lambda: reverse(model, x), "ours": lambda: ours(x, numbers)},
        rounds,
    )
    y, jacobian = jax.vmap(model)(x), forward(model, x)
    expected = jacobian[..., None] * x[:, None, None, :] - jnp.eye(n)[None, :, :, None] * y[:, None, None, :]
    np.testing.assert_allclose(ours(x, numbers).rows, expected.reshape(BATCH, n, -1), rtol=1e-5, atol=1e-5)
    rival = min((times["forward"], times["reverse"]), key=np.median)
    size = np.dtype(dtype).itemsize
    floor = f"{BATCH * n * n * n * size / 2**20:.0f} MB of rows written, {n * flops(n, n) / 2 * BATCH / 1e9:.1f} Gflop"
    return f"vector MLP, gl(16) twice, {np.dtype(dtype)}", *ratios(times["ours"], rival), 1.3, floor


def flops(inputs: int, outputs: int, width: int = 256) -> int:
    """Of one value and one gradient or directional derivative: two products of matrix and vector a layer."""
    return 4 * (inputs * width + 2 * width**2 + width * outputs)


def ratios(ours: np.ndarray, rival: np.ndarray) -> tuple[float, float]:
    """Of the least times, and the median of the ratios round by round."""
    return float(ours.min() / rival.min()), float(np.median(ours / rival))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="5 rounds instead of 40")
    rounds = 5 if parser.parse_args().quick else 40
    print(measure.machine())
    rows = []
    for dtype in (jnp.float32, jnp.float64):
        with jax.enable_x64(dtype == jnp.float64):
            rows += [scalar_model(dtype, rounds), vector_model(dtype, rounds)]
    measure.table(
        ("block of 256 examples", "ratio of least times", "median ratio", "line", "floor"),
        [(name, f"{least:.2f}", f"{median:.2f}", f"{line:.1f}", floor) for name, least, median, line, floor in rows],
    )


if __name__ == "__main__":
    main()
