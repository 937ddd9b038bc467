"""Gradient step of a network with the penalty of its Lie derivative, against the step without it and a bare SVD.

    python benchmarks/penalty.py [--quick]

Calls take turns, compiled beforehand; the seconds of compiling are printed apart.
"""

import argparse

import measure  # first: it fixes the threads before NumPy and JAX start

# isort: split

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax

import lieder as ld
from lieder.derivative import lie_derivative

BATCH, N, WIDTH, DEPTH = 256, 16, 256, 3


def steps(m: int, dtype, activation, rounds: int) -> tuple[str, ...]:
    """One Adam step with and without the penalty, the SVD of L, and what the penalty's parts take."""
    algebra = ld.algebra.gl(N)
    source = ld.vectors(algebra)
    target = source if m == N else ld.scalars(algebra, m)
    model = eqx.nn.MLP(N, m, WIDTH, DEPTH, activation=activation, key=jax.random.key(0), dtype=dtype)
    x = jax.random.normal(jax.random.key(1), (BATCH, N), dtype)
    y = jax.random.normal(jax.random.key(2), (BATCH, m), dtype)
    optimiser = optax.adam(1e-3)
    state = optimiser.init(eqx.filter(model, eqx.is_array))

    def misfit(model, x, y):
        return jnp.mean((jax.vmap(model)(x) - y) ** 2)

    def with_penalty(model, x, y):
        return misfit(model, x, y) + 1e-3 * ld.promote.penalty(model, x, source=source, target=target)

    def step(loss):
        @eqx.filter_jit
        def run(model, state, x, y):
            change, state = optimiser.update(eqx.filter_grad(loss)(model, x, y), state)
            return eqx.apply_updates(model, change), state

        return lambda: run(model, state, x, y)

    def rows(model, x):
        return jax.vmap(lambda one: lie_derivative(model, one, source=source, target=target))(x)

    block = eqx.filter_jit(rows)(model, x)
    flat = block.reshape(BATCH * m, -1)
    svd = jax.jit(lambda a: jnp.linalg.svd(a, full_matrices=False))
    through = eqx.filter_jit(eqx.filter_grad(lambda model, x, block: jnp.sum(rows(model, x) * block)))
    norm = jax.jit(jax.grad(lambda a: ld.linalg.nuclear_norm(a, None, 1e-2)))
    times = measure.interleaved(
        {
            "plain": step(misfit),
            "svd": lambda: svd(flat),
            "ours": step(with_penalty),
            "L": lambda: through(model, x, block),
            "norm": lambda: norm(flat),
        },
        rounds,
    )
    least = {name: 1e3 * float(seconds.min()) for name, seconds in times.items()}
    ratio = np.median(times["ours"] / (3 * times["plain"] + times["svd"]))
    return (
        f"m = {m}, {activation.__name__}, {np.dtype(dtype)}",
        f"{least['plain']:.1f}",
        f"{least['svd']:.1f}",
        f"{least['ours']:.1f}",
        f"{least['L']:.1f}",
        f"{least['norm']:.1f}",
        f"{least['ours'] / least['plain']:.1f}",
        f"{least['ours'] / (3 * least['plain'] + least['svd']):.2f}",
        f"{ratio:.2f}",
        "{:.2f} + {:.2f}".format(*(f / 1e9 for f in flops(m))),
    )


def flops(m: int) -> tuple[float, float]:
    """For the gradient through L, three times its Jacobian at least, and for that of the norm.

    The norm: X^T X and X M, 2 r k^2 each; eigenvalues and vectors, 9 k^3; V diag V^T, 2 k^3.
    """
    weights = N * WIDTH + (DEPTH - 1) * WIDTH**2 + WIDTH * m
    # A directional derivative or gradient is one product a weight matrix; a gradient through it two more.
    jacobian = 2.0 * BATCH * min(m, N) * weights
    rows, columns = max(BATCH * m, N * N), min(BATCH * m, N * N)
    return 3 * jacobian, 4.0 * rows * columns**2 + 11.0 * columns**3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="3 rounds instead of 30, float32 only")
    quick = parser.parse_args().quick
    print(measure.machine())
    rows = []
    for dtype in (jnp.float32,) if quick else (jnp.float32, jnp.float64):
        with jax.enable_x64(dtype == jnp.float64):
            for m in (1, N):
                for activation in (jax.nn.relu, jax.nn.tanh):
                    rows.append(steps(m, dtype, activation, 3 if quick else 30))
    head = ("batch 256, gl(16)", "plain step, ms", "SVD of L, ms", "penalised step, ms", "of it, through L")
    head += ("of it, the norm", "penalised / plain", "penalised / (3 plain + SVD)", "median ratio", "Gflop: L + norm")
    measure.table(head, rows)


if __name__ == "__main__":
    main()
