"""Killing fields by `discover.section`: CPU seconds against the flops that any method needs, and against other ways.

    python benchmarks/section.py [--quick]

Ours once compiled, of a whole table and of eight pieces that are merged. The floor is the triangular factor of the
rows, 2 m N q^2 flops at the rate of this machine's matrix product. Dense: derivatives by JAX, then all rows at once by
`numpy.einsum` and their singular values, with neither units, evidence, resolution nor a finite check. Formulas: the
same rows from equations that sympy derives, the formulas' making included.
"""

import measure  # first: it fixes the threads before NumPy and JAX start

# isort: split

import argparse
import time
from collections.abc import Callable
from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np
import sympy

import lieder as ld

PIECES = 8


def half_plane(z):
    return jnp.eye(2) / z[1] ** 2


def schwarzschild(z):
    """A black hole of radius 1, at (t, x, y, z)."""
    place = z[1:]
    r = jnp.sqrt(place @ place)
    f = 1 - 1 / r
    metric = jnp.zeros((4, 4)).at[0, 0].set(-f)
    return metric.at[1:, 1:].set(jnp.eye(3) + (1 / f - 1) * jnp.outer(place, place) / r**2)


def half_plane_formulas():
    z = sympy.symbols("z0:2")
    return z, sympy.eye(2) / z[1] ** 2


def schwarzschild_formulas():
    z = sympy.symbols("z0:4")
    r = sympy.sqrt(sum(v**2 for v in z[1:]))
    f, place = 1 - 1 / r, sympy.Matrix(z[1:])
    space = sympy.eye(3) + (1 / f - 1) * place * place.T / r**2
    return z, sympy.diag(-f, space)


CASES = {
    "half plane, quadratic fields": (half_plane, half_plane_formulas, 2, 2, 3),
    "Schwarzschild, affine fields": (schwarzschild, schwarzschild_formulas, 4, 1, 4),
}


def fields(z, degree: int):
    """All polynomial fields: values (q, n) at a point, in no particular order."""
    n = len(z)
    terms = values_of(z, degree)
    return jnp.einsum("t,ij->tij", terms, jnp.eye(n)).reshape(-1, n)


def values_of(z, degree: int):
    one = [jnp.ones(())]
    pairs = [z[i] * z[j] for i in range(len(z)) for j in range(i + 1)] if degree == 2 else []
    return jnp.stack([*one, *z, *pairs])


def killing(theta, turned, g, slope):
    """L_theta g at all points, for all fields: theta^k d_k g_ij + g_kj d_i theta^k + g_ik d_j theta^k."""
    return (
        np.einsum("pqk,pijk->pijq", theta, slope)
        + np.einsum("pkj,pqki->pijq", g, turned)
        + np.einsum("pik,pqkj->pijq", g, turned)
    )


def dense(S: Callable, degree: int) -> Callable[[np.ndarray], np.ndarray]:
    """All rows at once, their singular values."""
    both = jax.jit(jax.vmap(lambda z: (S(z), jax.jacfwd(S)(z))))
    moving = jax.jit(jax.vmap(lambda z: (fields(z, degree), jax.jacfwd(lambda v: fields(v, degree))(z))))

    def asked(x):
        g, slope = map(np.asarray, both(x))
        theta, turned = map(np.asarray, moving(x))
        rows = killing(theta, turned, g, slope).reshape(-1, theta.shape[1])
        return np.linalg.svd(rows, compute_uv=False)

    return asked


def symbolic(formulas: Callable, degree: int) -> Callable[[np.ndarray], np.ndarray]:
    """The same from formulas, which are made anew."""

    def asked(x):
        z, metric = formulas()
        n = len(z)
        slope = sympy.lambdify(z, [metric.diff(v).tolist() for v in z], "numpy", cse=True)
        values = sympy.lambdify(z, metric.tolist(), "numpy", cse=True)
        g, dg = filled(values(*x.T), (n, n), len(x)), filled(slope(*x.T), (n, n, n), len(x))
        moving = jax.jit(jax.vmap(lambda v: (fields(v, degree), jax.jacfwd(lambda w: fields(w, degree))(v))))
        theta, turned = map(np.asarray, moving(x))
        rows = killing(theta, turned, np.moveaxis(g, -1, 0), np.moveaxis(dg, (0, -1), (3, 0)))
        return np.linalg.svd(rows.reshape(-1, theta.shape[1]), compute_uv=False)

    return asked


def filled(nested, shape: tuple[int, ...], count: int) -> np.ndarray:
    """Numbers and columns, nested, as one array."""
    flat = list(nested)
    while len(flat) < np.prod(shape):
        flat = [entry for row in flat for entry in row]
    return np.stack([np.broadcast_to(entry, count) for entry in flat]).reshape(*shape, count)


def best(call: Callable[[], object], rounds: int) -> float:
    """CPU seconds, once compiled."""
    call()
    times = []
    for _ in range(rounds):
        begun = time.process_time()
        call()
        times.append(time.process_time() - begun)
    return min(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    quick = parser.parse_args().quick
    jax.config.update("jax_enable_x64", True)
    count, rounds = (2000, 1) if quick else (20000, 3)
    table = []
    for name, (S, formulas, n, degree, dim) in CASES.items():
        rng = np.random.default_rng(0)
        x = rng.uniform(1, 2, size=(count, n)) + (0 if n == 2 else 1)
        action = ld.action.polynomial_fields(n, degree) if degree > 1 else ld.points(ld.algebra.aff(n))
        q, how = action.algebra.dim, {"source": action, "kind": "metric"}
        units = ld.discover.units(S, x, **how)
        edges = np.linspace(0, count, PIECES + 1).astype(int)

        def whole(S=S, x=x, action=action):
            return ld.discover.section(S, x, action=action, kind="metric")

        def pieces(S=S, x=x, how=how, units=units, edges=edges):
            spans = pairwise(edges)
            return ld.discover.merge(
                [ld.discover.reduce(S, x[a:b], **how, units=units, first_row=int(a)) for a, b in spans], S
            )

        found = whole()
        assert found.dim == pieces().dim == dim
        rivals = dense(S, degree), symbolic(formulas, degree)
        for rival in rivals:
            singular = rival(x)
            assert np.sum(singular < 1e-9 * singular[0]) == dim
        floor = 2.0 * n * n * count * q**2 / measure.product_rate(q)
        seconds = [best(whole, rounds), best(pieces, rounds), *(best(lambda r=r, x=x: r(x), rounds) for r in rivals)]
        table.append((name, str(count), str(q), f"{floor:.3f}", *(f"{value:.2f}" for value in seconds)))
    measure.table(("section", "points", "candidates", "floor", "section", "pieces", "dense", "formulas"), table)


if __name__ == "__main__":
    main()
