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
    assert found.layers == ("Quadratic", "Gated", "Linear")
    assert found.worst.max() < 1e-12
    assert found.errors.shape == (3, 3)
    assert found.discrete.shape == (3, 1)
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


def test_zeros_cannot_tell():
    """At x = 0 any map without offset looks equivariant."""
    bad = lambda x: jnp.tanh(x[:3]) * jnp.arange(3.0)  # noqa: E731
    found = ld.nn.check(bad, 2 * V, V, np.zeros((5, 6)))
    assert not found.is_equivariant
    assert found.unseen == ("J12", "J13", "J23", "element 0")
    assert found.summary.startswith("cannot tell: J12, J13, J23, element 0 move none of the examples")
    # On an axis one rotation moves nothing; the model is blamed by another.
    axis = np.tile([0.0, 0.0, 1.0, 0.0, 0.0, 2.0], (4, 1))
    assert ld.nn.check(bad, 2 * V, V, axis).summary.startswith("layer 0")
    found = ld.nn.check(lambda x: x[:3], 2 * V, V, axis)
    assert found.unseen == ("J12", "element 0")
    assert not found.is_equivariant
    assert "J12, element 0 move none" in found.summary
    # An offset is seen at zero; scalars are moved by nothing anywhere.
    assert ld.nn.check(lambda x: x[:3] + 1, 2 * V, V, np.zeros((5, 6))).first == 0
    assert ld.nn.check(lambda x: x[:1], 3 * S, S, np.zeros((5, 3))).is_equivariant


def test_models_of_numpy_and_scikit_learn():
    square = lambda x: np.sum(np.asarray(x) ** 2)  # noqa: E731
    found = ld.nn.check(square, 2 * V, S, X)
    assert found.is_equivariant
    assert ld.nn.check(lambda x: np.asarray(x)[0] ** 2, 2 * V, S, X).first == 0
    from sklearn.linear_model import LinearRegression

    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 6))
    model = LinearRegression(fit_intercept=False).fit(x, x[:, :3] - 2 * x[:, 3:])
    assert ld.nn.check(model, 2 * V, V, X).is_equivariant
    model = LinearRegression().fit(x, x[:, :3] + 1)
    assert "layer 0" in ld.nn.check(model, 2 * V, V, X).summary


def test_torch_modules():
    torch = pytest.importorskip("torch")
    layer = torch.nn.Linear(6, 3, bias=False)
    with torch.no_grad():
        layer.weight.copy_(torch.cat([torch.eye(3), 2 * torch.eye(3)], dim=1))
    found = ld.nn.check(layer, 2 * V, V, X.astype(np.float32))
    assert found.is_equivariant
    assert found.tolerance == pytest.approx(np.finfo(np.float32).eps ** 0.5)
    assert ld.nn.check(torch.nn.Sequential(layer, torch.nn.ReLU()), 2 * V, V, X).first == 0
    with pytest.raises(TypeError, match=r"layer 0 is Linear, of another framework\. Check such a model as a whole"):
        ld.nn.check([layer, jnp.tanh], 2 * V, V, X, actions=[V])


REFUSED = {
    "NaN": (
        lambda: ld.nn.check(jnp.tanh, V, V, np.array([[1.0, 2.0, 3.0], [1.0, np.nan, 3.0]])),
        ValueError,
        "x holds nan in row 1, column 1",
    ),
    "one action": (
        lambda: ld.nn.check([jnp.tanh, jnp.tanh], V, V, X[:, :3], actions=V),
        TypeError,
        r"actions=\[action\]; got FieldAction",
    ),
    "width": (lambda: ld.nn.check(jnp.tanh, V, V, X), ValueError, r"x must be examples of shape \(N, 3\)"),
    "booleans": (lambda: ld.nn.check(jnp.tanh, V, V, np.ones((2, 3), bool)), TypeError, "x has dtype bool: a switch"),
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
