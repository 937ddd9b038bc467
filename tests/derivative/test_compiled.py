"""Compiled and uncompiled Lie derivatives agree, in both precisions.

XLA's compiler for processors has fused a product, its sum over one axis and what follows into wrong numbers (jaxlib
0.10.2, float32, where the Jacobian is the same for every example). Contractions are therefore written as dot products.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import lieder as ld
from lieder.derivative import blocks

DTYPES = pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=["float32", "float64"])


# Sizes at which that compiler went wrong: a few hundred rows, or many outputs, each a sum of two terms or more.
SO5, SO6 = ld.algebra.so(5), ld.algebra.so(6)
MIXED = ld.action.FieldAction(
    ld.algebra.Span("mixed", ("a", "b", "c", "d")),
    ld.linalg.MatrixStack.from_dense(np.random.default_rng(1).normal(size=(4, 5, 5))),
    ld.dictionary.linear(5),
    (("vectors", 5),),
)
CASES = {
    "so(5)": (500, 3 * ld.vectors(SO5), 2 * ld.vectors(SO5)),
    "so(6), many outputs": (64, ld.vectors(SO6), 10 * ld.vectors(SO6) + 4 * ld.scalars(SO6)),
    "se(3)": (500, ld.points(ld.algebra.se(3)), 4 * ld.vectors(ld.algebra.se(3))),
    "all entries": (500, MIXED, MIXED),
}


@pytest.mark.parametrize("case", list(CASES))
@DTYPES
def test_compiled_blocks_are_the_uncompiled_ones(case, dtype):
    count, source, target = CASES[case]
    rng = np.random.default_rng(0)
    weight = jnp.asarray(rng.normal(size=(target.width, source.width)), dtype)
    x, numbers = rng.normal(size=(count, source.width)).astype(dtype), np.arange(count)
    found = blocks(lambda x: weight @ x, source, target)(x, numbers)
    with jax.disable_jit():
        wanted = blocks(lambda x: weight @ x, source, target)(x, numbers)
    for name, a, b in zip(found._fields, found, wanted, strict=True):
        tolerance = 200 * np.finfo(dtype).eps * float(jnp.abs(b).max())
        np.testing.assert_allclose(a, b, atol=tolerance, rtol=0, err_msg=name)


@pytest.mark.parametrize("n", [4, 6])
@DTYPES
def test_exact_layers_are_not_blamed(n, dtype):
    V = ld.vectors(ld.algebra.so(n))
    layer = ld.nn.Linear(2 * V, 12 * V, key=jax.random.key(0), dtype=dtype)
    x = np.random.default_rng(0).normal(size=(128, 2 * n)).astype(dtype)
    found = ld.nn.check(layer, 2 * V, 12 * V, x)
    assert found.is_equivariant
    assert found.worst.max() < 100 * np.finfo(dtype).eps


def test_all_rotations_of_an_exact_map_are_found():
    V = ld.vectors(SO6)
    mix = np.random.default_rng(1).normal(size=(2, 3)).astype(np.float32)
    x = np.random.default_rng(0).normal(size=(2000, 18)).astype(np.float32)
    found = ld.discover.function(lambda z: (mix @ z.reshape(3, 6)).reshape(-1), x, source=3 * V, target=2 * V)
    assert found.dim == 15
