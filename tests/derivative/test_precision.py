"""Models are evaluated with products of matrices in full precision, whatever the device's own default is."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import lieder as ld

A = ld.algebra.so(3)
V = ld.vectors(A)
X = np.random.default_rng(0).normal(size=(64, 3)).astype(np.float32)
CALLS = {
    "function": lambda F: ld.discover.function(F, X, source=V, target=V),
    "vector_field": lambda F: ld.discover.vector_field(F, X, action=V),
    "check": lambda F: ld.nn.check(F, V, V, X),
}


@pytest.mark.parametrize("call", list(CALLS))
def test_the_model_is_traced_in_full_precision(call):
    seen = set()

    def model(x):
        seen.add(jax.config.jax_default_matmul_precision)
        return jnp.eye(3, dtype=x.dtype) @ x

    CALLS[call](model)
    assert seen == {"highest"}
    assert jax.config.jax_default_matmul_precision is None
