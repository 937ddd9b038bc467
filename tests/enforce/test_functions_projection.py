"""Projection of given parameters: idempotent, orthogonal, equivariant after; and functions in pipelines."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pandas
import pytest
from sklearn.base import clone
from sklearn.linear_model import Ridge
from sklearn.pipeline import Pipeline

from lieder import action, algebra, dictionary, enforce
from lieder.derivative import lie_derivative

SO3 = algebra.so(3)
V, ONE = action.vectors(SO3), action.scalars(SO3)
S4 = algebra.symmetric(4)
P4, ONE4 = action.vectors(S4), action.scalars(S4)
RNG = np.random.default_rng(0)
G = np.cov(RNG.normal(size=(6, 30)) * np.arange(1, 7)[:, None])
X = RNG.normal(size=(40, 6)) + 1.0
QUADRATIC = dictionary.polynomials(6, 2)

# Options, width of the parameters, and the square root of the Gram matrix that they stand for.
WAYS = {
    "matrix": ({}, 6, np.eye(6)),
    "matrix, covariance": ({"gram": G}, 6, np.linalg.cholesky(G).T),
    "matrix, inputs": ({"x": X}, 6, X / np.sqrt(len(X))),
    "matrix, inputs in a plane": ({"x": X * [1, 1, 0, 0, 0, 0]}, 6, X * [1, 1, 0, 0, 0, 0] / np.sqrt(len(X))),
    "coefficients": ({"dictionary": QUADRATIC}, 28, np.eye(28)),
    "coefficients, inputs": (
        {"dictionary": QUADRATIC, "x": X},
        28,
        np.asarray(jax.vmap(QUADRATIC)(jnp.asarray(X))) / np.sqrt(len(X)),
    ),
}


@pytest.mark.parametrize(("options", "width", "root"), WAYS.values(), ids=WAYS.keys())
def test_projection_is_idempotent_orthogonal_and_equivariant(options, width, root):
    RNG = np.random.default_rng(1)
    W, other = RNG.normal(size=(2, 3, width))
    found = enforce.project(W, source=2 * V, target=V, **options)
    again = enforce.project(found.value, source=2 * V, target=V, **options)
    np.testing.assert_allclose(again.value, found.value, atol=1e-9)
    assert again.relative < 1e-9
    near = enforce.project(other, source=2 * V, target=V, **options).value
    left, right = (W - found.value) @ root.T, near @ root.T
    assert abs(np.sum(left * right)) < 1e-9 * np.linalg.norm(W @ root.T) * np.linalg.norm(right)
    assert found.distance == pytest.approx(np.linalg.norm(left))
    assert found.relative == pytest.approx(found.distance / np.linalg.norm(W @ root.T))
    assert 0.1 < found.relative <= 1
    f = options.get("dictionary", lambda z: z)
    x = jnp.asarray(RNG.normal(size=6))
    L = lie_derivative(lambda z: jnp.asarray(found.value) @ f(z), x, source=2 * V, target=V)
    assert np.abs(L).max() < 1e-9


def test_the_inner_product_matters():
    RNG = np.random.default_rng(1)
    W = RNG.normal(size=(3, 6))
    plain, weighted = enforce.project(W, source=2 * V, target=V), enforce.project(W, source=2 * V, target=V, gram=G)
    assert np.abs(plain.value - weighted.value).max() > 1e-3
    assert weighted.distance <= np.sqrt(np.trace((W - plain.value) @ G @ (W - plain.value).T))


@pytest.mark.parametrize("inputs", [None, RNG.normal(size=(50, 4))], ids=["parameters", "inputs"])
def test_network_of_permutations(inputs):
    """Pointwise activations commute with permutations, so the whole network becomes invariant."""
    RNG = np.random.default_rng(1)
    net = eqx.nn.MLP(4, 1, 8, 2, key=jax.random.key(0))
    found = enforce.project(net, source=P4, target=ONE4, hidden=[2 * P4, 2 * P4], x=inputs)
    x = jnp.asarray(RNG.normal(size=4))
    swapped = x[jnp.array([2, 0, 1, 3])]
    assert abs(net(x) - net(swapped))[0] > 1e-3
    assert abs(found.value(x) - found.value(swapped))[0] < 1e-12
    assert len(found.layers) == 3
    assert "by layer" in repr(found)
    again = enforce.project(found.value, source=P4, target=ONE4, hidden=[2 * P4, 2 * P4], x=inputs)
    assert again.relative < 1e-9
    assert found.value.layers[0].weight.dtype == net.layers[0].weight.dtype


def test_linear_layers():
    layer = eqx.nn.Linear(6, 3, key=jax.random.key(1))
    found = enforce.project(layer, source=2 * V, target=V)
    assert np.abs(found.value.bias).max() < 1e-12  # no vector is invariant
    bare = enforce.project(eqx.nn.Linear(6, 3, use_bias=False, key=jax.random.key(1)), source=2 * V, target=V)
    np.testing.assert_allclose(found.value.weight, bare.value.weight, atol=1e-12)


def test_kernel_under_quarter_turns():
    """One scalar channel to one vector: the kernel of a gradient keeps its direction when turned."""
    RNG = np.random.default_rng(1)
    turns = algebra.extended(algebra.permutations(np.zeros((0, 2), int)), [[[0.0, -1.0], [1.0, 0.0]]])
    plane, one = action.vectors(turns), action.scalars(turns)
    kernel = RNG.normal(size=(2, 1, 3, 3))
    found = enforce.project(kernel, source=one, target=plane, space=plane).value
    h = np.array([[0, -1], [1, 0]])
    for i in range(3):
        for j in range(3):
            a, b = h @ [i - 1, j - 1] + 1
            np.testing.assert_allclose(found[:, 0, a, b], h @ found[:, 0, i, j], atol=1e-12)
    averaged = enforce.project(kernel[:1], source=one, target=one, space=plane).value
    by_hand = np.mean([np.rot90(kernel[0, 0], k) for k in range(4)], axis=0)
    np.testing.assert_allclose(averaged[0, 0], by_hand, atol=1e-12)
    with pytest.raises(ValueError, match="no kernel on a grid keeps"):
        enforce.project(kernel, source=ONE, target=ONE, space=V)
    with pytest.raises(ValueError, match=r"shape \(m, n, k, .., k\)"):
        enforce.project(kernel[0], source=one, target=plane, space=plane)


def test_bad_parameters_say_what_to_do():
    W = np.zeros((3, 6))
    with pytest.raises(ValueError, match="not both"):
        enforce.project(W, source=2 * V, target=V, gram=G, x=X)
    with pytest.raises(TypeError, match="project each layer"):
        enforce.project(lambda x: x, source=2 * V, target=V)
    with pytest.raises(ValueError, match="NaN"):
        enforce.project(W * np.nan, source=2 * V, target=V)
    with pytest.raises(ValueError, match=r"gram must be a symmetric matrix \(6, 6\)"):
        enforce.project(W, source=2 * V, target=V, gram=np.eye(5))
    with pytest.raises(ValueError, match="must be positive"):
        enforce.project(W, source=2 * V, target=V, gram=-np.eye(6))
    with pytest.raises(ValueError, match="space="):
        enforce.project(np.zeros((3, 6, 3, 3)), source=2 * V, target=V)
    with pytest.raises(ValueError, match="one representation for each of its 1 hidden layers"):
        enforce.project(eqx.nn.MLP(4, 1, 8, 1, key=jax.random.key(0)), source=P4, target=ONE4)


def test_invariants_as_features_of_a_pipeline():
    RNG = np.random.default_rng(1)
    invariants = enforce.functions(dictionary.polynomials(6, 2), source=2 * V, target=ONE)
    x = RNG.normal(size=(200, 6))
    y = 3 * np.sum(x[:, :3] * x[:, 3:], axis=1) - np.sum(x[:, :3] ** 2, axis=1)
    model = Pipeline([("invariants", enforce.FunctionFeatures(invariants)), ("ridge", Ridge(1e-8))])
    model = clone(model).fit(x[:20], y[:20])
    assert model.score(x[20:], y[20:]) > 1 - 1e-9
    names = model[:-1].get_feature_names_out()
    assert list(names) == ["u1^2 + u2^2 + u3^2", "u1 v1 + u2 v2 + u3 v3", "v1^2 + v2^2 + v3^2"]
    assert model.get_params()["invariants__constant"] is False
    model.set_params(invariants__constant=True).fit(x, y)
    assert model[:-1].transform(x).shape == (200, 4)
    frame = pandas.DataFrame(x, columns=list("abcdef"))
    assert "a d + b e + c f" in enforce.FunctionFeatures(invariants).fit(frame).get_feature_names_out()


def test_only_generators_and_several_outputs():
    RNG = np.random.default_rng(1)
    powers = enforce.functions(dictionary.polynomials(3, 4), source=V, target=ONE)
    x = RNG.normal(size=(7, 3))
    np.testing.assert_allclose(
        enforce.FunctionFeatures(powers, only_generators=True).fit_transform(x), np.sum(x**2, 1)[:, None]
    )
    forces = enforce.functions(dictionary.polynomials(3, 3), source=V, target=V)
    columns = enforce.FunctionFeatures(forces).fit(x)
    assert columns.transform(x).shape == (7, 6)
    assert columns.get_feature_names_out(list("xyz"))[:3].tolist() == ["x", "y", "z"]
    with pytest.raises(ValueError, match="none is left as a feature"):
        enforce.FunctionFeatures(enforce.functions(dictionary.linear(3), source=V, target=ONE)).fit(x)
    with pytest.raises(ValueError, match="X has 2 columns, but the functions take 3"):
        enforce.FunctionFeatures(powers).fit(x[:, :2])


def test_families_that_are_not_linear_are_refused():
    RNG = np.random.default_rng(1)
    net = eqx.nn.MLP(3, 1, 8, 1, key=jax.random.key(0))
    with pytest.raises(TypeError, match=r"not linear in its parameters \(deviation 0\.\d+|deviation [1-9]"):
        enforce.functions(net, source=V, target=ONE)
    with pytest.raises(TypeError, match="is linear in its parameters, but is no dictionary"):
        enforce.functions(eqx.nn.Linear(3, 1, key=jax.random.key(0)), source=V, target=ONE)
    with pytest.raises(TypeError, match=r"a callable.*linear_in_parameters"):
        enforce.functions(lambda x: x, source=V, target=ONE)
    x = RNG.normal(size=(10, 3))
    assert enforce.linear_in_parameters(lambda W, z: W @ jnp.sin(z), np.zeros((2, 3)), x) < 1e-14
    assert enforce.linear_in_parameters(lambda W, z: jnp.sin(W @ z), np.zeros((2, 3)), x) > 0.1
    with pytest.raises(ValueError, match="examples as rows"):
        enforce.linear_in_parameters(lambda W, z: W @ z, np.zeros((2, 3)), x[0])
    with pytest.raises(ValueError, match="no floating-point array"):
        enforce.linear_in_parameters(lambda W, z: z, 3, x)
