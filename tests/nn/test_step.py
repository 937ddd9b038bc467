"""What a training step is made of: matrix products and pointwise functions, nothing that XLA runs entry by entry."""

import equinox as eqx
import jax
import jax.extend as jex
import jax.numpy as jnp
import pytest

import lieder as ld

BATCH = 7
CASES = {
    "inertia": (ld.algebra.o(3), lambda V, S: (5 * S + 5 * V, V * V)),
    "crosses": (ld.algebra.so(3), lambda V, S: (3 * V, V + S)),
    "momenta": (ld.algebra.so(1, 3), lambda V, S: (4 * V, S)),
}


def operations(jaxpr):
    for equation in jaxpr.eqns:
        yield equation
        for inner in jax.tree.leaves(equation.params, is_leaf=lambda leaf: isinstance(leaf, jex.core.ClosedJaxpr)):
            if isinstance(inner, jex.core.ClosedJaxpr):
                yield from operations(inner.jaxpr)


@pytest.mark.parametrize("case", CASES)
def test_a_step_gathers_scatters_and_sums_nothing_in_the_middle(case):
    """Sums over the first axis, the batch, are biases; over others they are derivatives of broadcasts, and took half of
    a step."""
    algebra, build = CASES[case]
    source, target = build(ld.vectors(algebra), ld.scalars(algebra))
    net = ld.nn.MLP(source, target, width=40, depth=2, key=jax.random.key(0))
    weights, rest = eqx.partition(net, eqx.is_inexact_array)

    def loss(weights, x):
        return jnp.sum(jax.vmap(eqx.combine(weights, rest))(x) ** 2)

    x = jnp.ones((BATCH, source.width))
    found = list(operations(jax.make_jaxpr(jax.grad(loss))(weights, x).jaxpr))
    names = {equation.primitive.name for equation in found}
    assert "dot_general" in names
    assert not {name for name in names if "scatter" in name or "gather" in name}
    sums = [(one.invars[0].aval.shape, one.params["axes"]) for one in found if one.primitive.name == "reduce_sum"]
    assert not [(shape, axes) for shape, axes in sums if shape[0] == BATCH and 0 not in axes]
