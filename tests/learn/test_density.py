"""The density of transformations: monotone curves, their inverses, and a flow whose density is one."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lieder.learn import _spline as spline
from lieder.learn._flow import Flow, units_of
from lieder.learn._transformations import named_transformations

RNG = np.random.default_rng(1)


@pytest.mark.parametrize("round_", [False, True])
def test_curves_go_up_and_are_undone(round_):
    c = spline.curve(jnp.asarray(2 * RNG.normal(size=18)), jnp.array(round_))
    x = jnp.linspace(-3.5, 3.5, 401)
    y, steep = jax.vmap(lambda one: spline.forward(c, one))(x)
    assert (np.diff(y) > 0).all()
    back, again = jax.vmap(lambda one: spline.backward(c, one))(y)
    np.testing.assert_allclose(back, x, atol=1e-8)
    np.testing.assert_allclose(again, steep, atol=1e-6)
    slopes = jax.vmap(jax.grad(lambda one: spline.forward(c, one)[0]))(x)
    np.testing.assert_allclose(jnp.log(slopes), steep, atol=1e-8)
    assert float(c.slope[0]) == float(c.slope[-1]) and (round_ or float(c.slope[0]) == 1)
    assert np.abs(y - x).max() > 0.3


def test_a_curve_of_zeros_is_the_identity():
    c = spline.curve(jnp.zeros(18), jnp.array(False))
    x = jnp.linspace(-4, 4, 41)
    np.testing.assert_allclose(jax.vmap(lambda one: spline.forward(c, one)[0])(x), x, atol=1e-12)


@pytest.fixture(scope="module")
def flow():
    """Of one number on a line and one round a circle, which depend on one another, far from where it begins."""
    transforms = named_transformations(["shift x", "rotation"], (1, 4, 4))
    units = units_of(transforms, np.stack([RNG.normal(0.02, 0.05, 50), np.zeros(50)], axis=1))
    start = Flow(transforms, units, (8,), (2, 6), jax.random.key(0))
    moved, rest = eqx.partition(start, eqx.is_inexact_array)
    leaves, form = jax.tree.flatten(moved)
    keys = jax.random.split(jax.random.key(1), len(leaves))
    noisy = [leaf + 0.15 * jax.random.normal(k, leaf.shape, leaf.dtype) for leaf, k in zip(leaves, keys, strict=True)]
    return eqx.combine(jax.tree.unflatten(form, noisy), rest)


@pytest.fixture(scope="module")
def features(flow):
    return flow.features(jnp.asarray(RNG.uniform(size=(1, 4, 4)), jnp.float32))


@pytest.fixture(scope="module")
def density(flow, features):
    """On a grid of the line and the circle: coordinates, density, area of a cell."""
    line = np.linspace(-1.5, 1.5, 601)
    circle = np.linspace(-np.pi, np.pi, 181)[:-1]
    eta = jnp.asarray(np.stack(np.meshgrid(line, circle, indexing="ij"), -1).reshape(-1, 2), jnp.float32)
    values = jnp.exp(jax.jit(jax.vmap(lambda one: flow.log_density_of(one, features)))(eta))
    return line, circle, np.asarray(values, float).reshape(601, 180), (line[1] - line[0]) * (circle[1] - circle[0])


def test_the_density_is_one_in_all(density):
    *_, values, area = density
    assert values.sum() * area == pytest.approx(1, abs=0.01)


def test_draws_have_that_density(flow, features, density):
    line, circle, values, area = density
    keys = jax.random.split(jax.random.key(2), 4000)
    draws = np.asarray(jax.jit(jax.vmap(lambda key: flow.sample_of(features, key)))(keys), float)
    assert (np.abs(draws[:, 1]) <= np.pi + 1e-5).all()
    for test in (lambda s, r: s, lambda s, r: s**2, lambda s, r: np.cos(r), lambda s, r: np.sin(r) * s):
        given = test(line[:, None], circle)
        wanted = (values * given).sum() * area
        spread = np.sqrt(max((values * given**2).sum() * area - wanted**2, 0) / len(draws))
        assert np.mean(test(draws[:, 0], draws[:, 1])) == pytest.approx(wanted, abs=4 * spread + 1e-3)
