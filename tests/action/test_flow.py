"""Finite transformations: a one-parameter group whose velocity is the field."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.linalg

from lieder import action, algebra
from lieder.action import flow, orbits, velocities

KINDS = {
    "linear": action.vectors(algebra.so(3)),
    "affine": action.points(algebra.aff(2)),
    "sum": action.points(algebra.se(2)) + action.scalars(algebra.se(2)),
    "conformal": action.points(algebra.conformal(2)),
    "polynomial": action.polynomial_fields(2, 2),
    "total over a lift": action.total(
        action.points(algebra.conformal(1)), action.tangent(action.points(algebra.conformal(1)))
    ),
}
QUICK = ("affine", "conformal", "total over a lift")
every_action = pytest.mark.parametrize(
    "a", [pytest.param(a, id=k, marks=() if k in QUICK else pytest.mark.slow) for k, a in KINDS.items()]
)


def point_and_direction(a, seed):
    rng = np.random.default_rng(seed)
    return jnp.asarray(0.3 * rng.normal(size=a.width)), jnp.asarray(0.3 * rng.normal(size=a.algebra.dim))


@every_action
def test_flow_is_a_group(a):
    z, xi = point_and_direction(a, 0)
    go = jax.jit(lambda z, t: flow(a, xi, z, t))
    np.testing.assert_allclose(jax.jit(lambda z: flow(a, 0.5 * xi, z))(z), go(z, 0.5), atol=1e-9)
    np.testing.assert_allclose(go(go(z, 0.3), 0.4), go(z, 0.7), atol=1e-9)
    np.testing.assert_allclose(go(go(z, 0.6), -0.6), z, atol=1e-9)
    np.testing.assert_allclose(go(z, 0.0), z, atol=1e-14)


@every_action
def test_velocity_at_the_start_is_the_field(a):
    z, xi = point_and_direction(a, 1)
    h = 1e-3
    go = jax.jit(lambda t: flow(a, xi, z, t))
    slope = (8 * (go(h) - go(-h)) - (go(2 * h) - go(-2 * h))) / (12 * h)
    np.testing.assert_allclose(slope, a.field(xi, z), atol=1e-7)


def test_the_exponential_of_matrices():
    rng = np.random.default_rng(2)
    g = algebra.gl(3)
    xi, z = rng.normal(size=9), rng.normal(size=3)
    got = flow(action.vectors(g), jnp.asarray(xi), jnp.asarray(z), 0.8)
    np.testing.assert_allclose(got, scipy.linalg.expm(0.8 * xi.reshape(3, 3)) @ z, atol=1e-12)


def test_both_routes_agree():
    rng = np.random.default_rng(3)
    by_integration, by_exponential = action.polynomial_fields(2, 1), action.points(algebra.aff(2))
    z, xi = jnp.asarray(rng.normal(size=2)), jnp.asarray(rng.normal(size=6))
    assert not by_integration.is_affine and by_exponential.is_affine
    names = by_exponential.algebra.names
    shift, linear = by_exponential.affine().dense()[:, :, 2], by_exponential.affine().dense()[:, :, :2]
    rows = np.concatenate([shift[:, :, None], linear], axis=2).reshape(
        len(names), 6
    )  # onto 1, z0, z1 in each component
    np.testing.assert_allclose(
        flow(by_integration, jnp.asarray(xi @ rows), z, 0.9), flow(by_exponential, xi, z, 0.9), rtol=1e-8
    )


def test_a_special_conformal_map_is_inversion_shift_inversion():
    a = action.points(algebra.conformal(2))
    names = list(a.algebra.names)
    x, b = np.array([0.3, -0.2]), np.array([0.4, 0.1])
    xi = np.zeros(len(names))
    xi[names.index("K1")], xi[names.index("K2")] = -b
    inverted = x / (x @ x) - b * -1.0
    np.testing.assert_allclose(flow(a, jnp.asarray(xi), jnp.asarray(x)), inverted / (inverted @ inverted), atol=1e-8)


def test_a_flow_that_leaves_the_space_is_infinite():
    a = action.fields([lambda z: z**2], 1, ["square"])
    one = jnp.ones(1)
    np.testing.assert_allclose(flow(a, one, one, 0.5), [2.0], rtol=1e-8)  # z/(1 - z t)
    assert np.all(np.isinf(flow(a, one, one, 2.0)))


@every_action
def test_single_precision_flows_through(a):
    z, xi = point_and_direction(a, 4)
    go = jax.jit(lambda z: flow(a, xi, z, np.float64(0.5)))
    got = go(z.astype(jnp.float32))
    assert got.dtype == jnp.float32
    np.testing.assert_allclose(got, go(z), atol=1e-4)


@pytest.mark.parametrize("kind", ["affine", "conformal"])
def test_compiled_flow_is_the_eager_one_and_batches_are_loops(kind):
    a = KINDS[kind]
    z, xi = point_and_direction(a, 5)
    batch = jnp.stack([z, 0.5 * z])
    loop = np.stack([flow(a, xi, row, 0.4) for row in batch])
    np.testing.assert_allclose(jax.jit(jax.vmap(lambda row: flow(a, xi, row, 0.4)))(batch), loop, atol=1e-9)


def test_orbits_and_velocities():
    g = algebra.so(2)
    a = action.vectors(g)
    points, times = np.array([[1.0, 0.0], [0.0, 2.0]]), np.array([0.0, 0.5, 1.0])
    curves = orbits(a, np.ones(1), points, times)
    assert curves.shape == (2, 3, 2) and curves.dtype == np.float64
    np.testing.assert_allclose(curves[0], np.stack([np.cos(times), np.sin(times)], axis=1), atol=1e-12)
    np.testing.assert_allclose(velocities(a, np.ones(1), points), [[0.0, 1.0], [-2.0, 0.0]], atol=1e-14)


@pytest.mark.parametrize(
    ("xi", "z", "kind", "message"),
    [
        (np.ones(3), np.ones(2), ValueError, r"z must be one point of shape \(3,\), got \(2,\); use jax.vmap for many"),
        (np.ones(3), np.ones((4, 3)), ValueError, r"z must be one point of shape \(3,\), got \(4, 3\)"),
        (np.ones(2), np.ones(3), ValueError, r"xi must hold 3 coefficients, got shape \(2,\)"),
        (np.ones(3), np.arange(3), TypeError, r"z must be real floating point, got dtype int"),
    ],
)
def test_points_and_directions_that_do_not_fit(xi, z, kind, message):
    with pytest.raises(kind, match=message):
        flow(action.vectors(algebra.so(3)), xi, z)


@pytest.mark.parametrize(
    ("field", "time"),
    [
        pytest.param(lambda z: -1e5 * jnp.array([1.0, 1e3]) * (z - 0.1 * z**2), 1.0, id="stiff"),
        pytest.param(lambda z: 1e6 * jnp.array([z[1], -z[0]]) * (1 + 0.1 * z[0] ** 2), 1.0, id="too long"),
        pytest.param(lambda z: -1 / jnp.sqrt(z - 0.5), 2.0, id="not defined on the way"),
    ],
)
def test_a_flow_that_cannot_be_followed_is_said_not_to_be(field, time):
    """These solutions stay near the origin: a solver that gives up has not shown that they leave."""
    a = action.fields([field], 2, ["user"])
    with pytest.raises(RuntimeError, match=r"could not be followed: after 4096 steps"):
        flow(a, jnp.ones(1), jnp.ones(2), time)
    assert np.isnan(orbits(a, np.ones(1), np.ones((1, 2)), np.array([0.0, time]))[0, 1]).all()
