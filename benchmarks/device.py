"""The same questions on an accelerator and on the processor: do the answers agree, and what does a row cost?

    python benchmarks/device.py [--rows 2000000] [--quick]

Without an accelerator the processor's column alone is printed. Rows are arrays of NumPy; one call after the first is
timed, so that nothing is compiled in it. The floor is 2 m q^2 flops a row at the rate of a matrix product measured on
the same device, in the precision of the rows.
"""

import argparse
import time

import jax
import jax.numpy as jnp
import numpy as np

import lieder as ld
import lieder.discover

WIDTH = 16
Q = np.linalg.qr(np.random.default_rng(0).normal(size=(WIDTH, WIDTH)))[0]
WEIGHTS = np.random.default_rng(1).normal(size=(2, 64, 64)) / 8


def sphere(x):
    """Invariant under so(16), through a matrix product whose rounding shows."""
    return jnp.sum((jnp.asarray(Q, x.dtype) @ x) ** 2)


def radial_network(x):
    """Invariant under so(16): a network of the square of the norm."""
    weights = jnp.asarray(WEIGHTS, x.dtype)
    hidden = jnp.tanh(weights[0] @ (jnp.ones(64, x.dtype) * jnp.sum((jnp.asarray(Q, x.dtype) @ x) ** 2) / WIDTH))
    return jnp.sum(jnp.tanh(weights[1] @ hidden))


def network(x):
    """No symmetry."""
    weights = jnp.asarray(WEIGHTS, x.dtype)
    return jnp.sum(jnp.tanh(weights[1] @ jnp.tanh(weights[0][:, :WIDTH] @ x)))


def rotate(x):
    """A linear map that commutes with nothing but what commutes with Q: its own powers."""
    return jnp.asarray(Q, x.dtype) @ x


GL = ld.algebra.gl(WIDTH)
QUESTIONS = {
    "sphere, gl(16)": (sphere, ld.vectors(GL), ld.scalars(GL), 120),
    "network of the norm, gl(16)": (radial_network, ld.vectors(GL), ld.scalars(GL), 120),
    "network, gl(16)": (network, ld.vectors(GL), ld.scalars(GL), 0),
    "orthogonal map, gl(16)": (rotate, ld.vectors(GL), ld.vectors(GL), 16),
}


def devices():
    found = [jax.devices("cpu")[0]]
    if jax.default_backend() != "cpu":
        found.append(jax.devices()[0])
    return found


def rate(device, dtype) -> float:
    """Flops a second of a matrix product of 4,096 columns, at full precision."""
    n = 4096 if device.platform != "cpu" else 1024
    with jax.enable_x64(True), jax.default_device(device):
        a = jnp.asarray(np.random.default_rng(0).normal(size=(n, n)), dtype)
        product = jax.jit(lambda a: jnp.matmul(a, a, precision="highest"))
        product(a).block_until_ready()
        best = np.inf
        for _ in range(5):
            begun = time.perf_counter()
            product(a).block_until_ready()
            best = min(best, time.perf_counter() - begun)
    return 2.0 * n**3 / best


def answers(rows: int) -> None:
    print(
        "| question | rows | device | precision | symmetries | truth | largest kept | least broken | resolution | s |"
    )
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    for name, (F, source, target, truth) in QUESTIONS.items():
        for dtype in (np.float32, np.float64):
            x = np.random.default_rng(2).normal(size=(rows, WIDTH)).astype(dtype)
            for device in devices():
                with jax.default_device(device):
                    ld.discover.function(F, x, source=source, target=target)
                    begun = time.perf_counter()
                    s = ld.discover.function(F, x, source=source, target=target)
                    seconds = time.perf_counter() - begun
                defects = np.asarray(s.defects)
                kept = f"{defects[s.dim - 1]:.1e}" if s.dim else "-"
                broken = f"{defects[s.dim]:.1e}" if s.dim < len(defects) else "-"
                print(
                    f"| {name} | {rows:,} | {device.device_kind} | {np.dtype(dtype)} | "
                    f"{s.dim} ({s.evidence.verdict}) | {truth} | {kept} | {broken} | "
                    f"{s.evidence.resolution:.1e} | {seconds:.2f} |",
                    flush=True,
                )


def sizes(rows: int) -> None:
    print("\n| device | precision | rows | s | rows a second | floor, s | time / floor |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    F, source, target, _ = QUESTIONS["network, gl(16)"]
    for dtype in (np.float32, np.float64):
        for device in devices():
            n = rows if device.platform != "cpu" else rows // 10
            x = np.random.default_rng(2).normal(size=(n, WIDTH)).astype(dtype)
            floor = 2.0 * n * GL.dim**2 / rate(device, dtype)
            with jax.default_device(device):
                ld.discover.function(F, x[: max(n // 10, 2_000)], source=source, target=target)
                begun = time.perf_counter()
                ld.discover.function(F, x, source=source, target=target)
                seconds = time.perf_counter() - begun
            print(
                f"| {device.device_kind} | {np.dtype(dtype)} | {n:,} | {seconds:.2f} | {n / seconds:,.0f} | "
                f"{floor:.3f} | {seconds / floor:.1f} |",
                flush=True,
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--quick", action="store_true", help="a hundredth of the rows")
    options = parser.parse_args()
    print(f"jax {jax.__version__}; {', '.join(d.device_kind for d in devices())}\n")
    answers(2_000 if options.quick else 20_000)
    sizes(options.rows // 100 if options.quick else options.rows)


if __name__ == "__main__":
    main()
