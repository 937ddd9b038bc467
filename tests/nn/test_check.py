"""The check finds what was planted, and its shares add up."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import lieder as ld

O3 = ld.algebra.o(3)
V, S = ld.vectors(O3), ld.scalars(O3)
KEY = jax.random.key(0)
H = 4 * S + 4 * V
X = np.random.default_rng(0).normal(size=(20, 6))


def layers():
    return [
        ld.nn.Linear(2 * V, H, key=KEY),
        ld.nn.Norm(H),
        ld.nn.Linear(H, H, key=jax.random.key(1)),
        ld.nn.Linear(H, V, key=KEY),
    ]


def test_a_sound_network_passes():
    net = ld.nn.MLP(2 * V, V, width=20, depth=1, key=KEY)
    found = ld.nn.check(net, 2 * V, V, X)
    assert found.first is None
    assert found.is_equivariant
    assert found.layers == ("Linear", "Bilinear", "Gated", "Linear")
    assert found.worst.max() < 1e-12
    assert found.errors.shape == (4, 3)
    assert found.discrete.shape == (4, 1)
    assert "equivariant: all layers" in str(found)


def test_a_planted_relu_is_named():
    parts = layers()
    parts.insert(2, jax.nn.relu)
    found = ld.nn.check(parts, 2 * V, V, X)
    assert found.first == 2
    assert found.layers[2] == "relu"
    assert found.errors[2].min() > 0.1
    assert found.discrete[2] > 0.1
    assert found.finite[2] > 0.1
    assert max(found.worst[:2].max(), found.worst[3:].max()) < 1e-12
    assert not found.is_equivariant
    assert "layer 2, relu, breaks equivariance" in str(found)
    # All of the error of the whole comes from there.
    np.testing.assert_allclose(found.contributions[2], found.total[0], rtol=1e-10)


def test_a_parity_that_only_reflections_see():
    """The cross product turns like a vector, and breaks o(3) by its sign alone."""
    found = ld.nn.check(lambda x: jnp.cross(x[:3], x[3:]), 2 * V, V, X)
    assert found.errors.max() < 1e-12
    assert found.discrete.max() == pytest.approx(2.0)
    assert found.first == 0
    assert "element 0" in found.summary


def test_finite_groups_are_checked():
    P = ld.vectors(ld.algebra.symmetric(4))
    found = ld.nn.check(lambda x: x[0] * x, P, P, np.random.default_rng(0).normal(size=(10, 4)))
    assert found.errors.shape == (1, 0)
    assert found.first == 0
    assert found.finite[0] > 0.1
    assert ld.nn.check(lambda x: jnp.sum(x) * x, P, P, np.ones((10, 4))).first is None


def test_shares_add_up_to_the_lie_derivative():
    """For an ordinary dense network: the sum of the pushed-forward derivatives is that of the whole."""
    keys = jax.random.split(KEY, 2)
    first, last = eqx.nn.Linear(6, 16, key=keys[0]), eqx.nn.Linear(16, 3, key=keys[1])
    net = eqx.nn.Sequential([first, eqx.nn.Lambda(jnp.tanh), last])
    found = ld.nn.check(net, 2 * V, V, X, actions=[H, H])
    # By hand, at every example.
    tail = [lambda z: last(jnp.tanh(z)), last, lambda z: z]
    sides = [(2 * V, H), (H, H), (H, V)]
    parts = []
    z = jnp.asarray(X)
    for layer, after, (before, behind) in zip(net.layers, tail, sides, strict=True):
        own = jax.vmap(lambda one, f=layer, a=before, b=behind: ld.lie_derivative(f, one, source=a, target=b))(z)
        z = jax.vmap(layer)(z)
        parts.append(jnp.einsum("bom,bmq->boq", jax.vmap(jax.jacobian(after))(z), own))
    np.testing.assert_allclose(found.lee, [np.mean(part**2, axis=(0, 1)) for part in parts], rtol=1e-8)
    whole = jax.vmap(lambda one: ld.lie_derivative(net, one, source=2 * V, target=V))(jnp.asarray(X))
    np.testing.assert_allclose(sum(parts), whole, atol=1e-12)
    assert found.total[0] == pytest.approx(
        found.contributions[0] / np.sqrt(3 * found.lee[0]) * np.sqrt(np.mean(np.sum(whole**2, axis=1), axis=0))
    )


def test_float32_rounding_is_not_a_break():
    net = ld.nn.MLP(2 * V, V, width=20, depth=1, key=KEY, dtype=jnp.float32)
    found = ld.nn.check(net, 2 * V, V, X.astype(np.float32))
    assert found.first is None
    assert 1e-9 < found.worst.max() < 1e-5
    assert found.tolerance == pytest.approx(np.finfo(np.float32).eps ** 0.5)


def test_one_example_and_scalar_outputs():
    found = ld.nn.check(lambda x: jnp.sum(x[:3] * x[3:]), 2 * V, S, X[0])
    assert found.first is None


REFUSED = {
    "width": (lambda: ld.nn.check(jnp.tanh, V, V, X), ValueError, r"x must be examples of shape \(N, 3\)"),
    "integers": (lambda: ld.nn.check(jnp.tanh, V, V, np.ones((2, 3), int)), TypeError, "real floating-point inputs"),
    "no model": (lambda: ld.nn.check(3, V, V, X), TypeError, "model must be callable"),
    "empty": (lambda: ld.nn.check([], V, V, X[:, :3]), TypeError, "model must be callable"),
    "no layer": (lambda: ld.nn.check([jnp.tanh, 3], V, V, X[:, :3]), TypeError, "layer 1 is int"),
    "no action": (
        lambda: ld.nn.check([lambda x: jnp.tile(x, 2), jnp.sum], V, S, X[:, :3]),
        ValueError,
        r"layer 0, <lambda>, returns 6 numbers, and nothing says.*actions=",
    ),
    "action count": (lambda: ld.nn.check([jnp.tanh], V, V, X[:, :3], actions=[V]), ValueError, "0 for 1 layers, got 1"),
    "action width": (
        lambda: ld.nn.check([jnp.tanh, jnp.tanh], V, V, X[:, :3], actions=[S]),
        ValueError,
        "returns 3 numbers, but its action, .* has width 1",
    ),
    "other algebra": (
        lambda: ld.nn.check(jnp.tanh, V, ld.vectors(ld.algebra.so(3)), X[:, :3]),
        ValueError,
        "different algebras",
    ),
    "output": (lambda: ld.nn.check(jnp.tanh, V, S, X[:, :3]), ValueError, "target has width 1"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_bad_input(case):
    call, error, message = REFUSED[case]
    with pytest.raises(error, match=message):
        call()
