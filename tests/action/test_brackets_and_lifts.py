"""Brackets measured on points, and how directions, gradients and densities at a point are moved."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import sympy
from laws import ALGEBRAS

from lieder import action, algebra

ACTING = [(text, g) for text, g in ALGEBRAS if g.generators is not None and 0 < g.dim <= 6]
CURVED = {
    "conformal(2)": action.points(algebra.conformal(2)),
    "polynomial": action.polynomial_fields(2, 3).restrict(
        np.random.default_rng(0).normal(size=(3, 20)), algebra.Span("three", ("a", "b", "c"))
    ),
    "user": action.fields([lambda z: jnp.stack([jnp.sin(z[1]), z[0] * z[1]]), lambda z: jnp.exp(z)], 2, ["f", "g"]),
}
curved = pytest.mark.parametrize(
    "a", [pytest.param(a, id=k, marks=() if k == "conformal(2)" else pytest.mark.slow) for k, a in CURVED.items()]
)
SLOTS = [(0, 0, 1.0), (1, 0, 0.0), (0, 1, 0.0), (1, 1, 0.0), (2, 1, 0.5)]


@pytest.mark.parametrize(
    "g", [pytest.param(g, id=text, marks=() if g.dim < 4 else pytest.mark.slow) for text, g in ACTING]
)
def test_fields_close_as_their_algebra_does(g):
    rng = np.random.default_rng(1)
    p = action.points(g)
    constants, defect = action.bracket_constants(p, rng.normal(size=(40, p.width)))
    np.testing.assert_allclose(constants, g.structure, atol=1e-8)
    assert defect < 1e-9


@pytest.mark.parametrize("n", [1, 2, 3, 10])
def test_conformal_maps_of_points(n):
    g = algebra.conformal(n)
    p = action.points(g)
    assert p.width == n and p.algebra == g
    if n > 3:
        # Past nine coordinates names hold commas: the last special conformal field at a point.
        x = np.random.default_rng(2).normal(size=n)
        wanted = 2 * x[-1] * x - (x @ x) * np.eye(n)[-1]
        np.testing.assert_allclose(p.fields(jnp.asarray(x))[-1], wanted, atol=1e-12)
        np.testing.assert_allclose(p.fields(jnp.asarray(x))[:n], np.eye(n), atol=1e-12)
        return
    constants, defect = action.bracket_constants(p, np.random.default_rng(3).normal(size=(60, n)))
    np.testing.assert_allclose(constants, g.structure, atol=1e-8)
    assert defect < 1e-10


def test_an_algebra_called_like_a_conformal_one_is_taken_as_it_is():
    part = algebra.matrices([[[0.0, -1.0], [1.0, 0.0]]], name="conformal rotations")
    assert action.points(part).is_linear and action.vectors(part).width == 2
    both = algebra.product(algebra.conformal(1), algebra.so(2))
    assert action.points(both).width == both.degree


def test_brackets_of_lifted_and_total_fields():
    rng = np.random.default_rng(4)
    base = action.points(algebra.conformal(2))
    for lift in (action.tangent(base), action.cotangent(base), action.density(base), action.tensor(base, 1, 1)):
        both = action.total(base, lift)
        constants, defect = action.bracket_constants(both, rng.normal(size=(40, both.width)))
        np.testing.assert_allclose(constants, base.algebra.structure, atol=1e-8)
        assert defect < 1e-10


def test_fields_that_do_not_close_say_so():
    g = algebra.so(3)
    two = action.vectors(g).restrict(np.eye(3)[:2], algebra.Span("two", ("a", "b")))
    assert action.bracket_constants(two, np.random.default_rng(5).normal(size=(30, 3)))[1] > 0.1


def test_what_no_point_sees_is_not_counted():
    g = algebra.so(3)
    plane = np.random.default_rng(6).normal(size=(30, 3)) * [1.0, 1.0, 0.0]
    constants, defect = action.bracket_constants(action.vectors(g) + action.scalars(g), np.pad(plane, ((0, 0), (0, 1))))
    assert np.isfinite(constants).all() and np.isfinite(defect)
    still, none = action.bracket_constants(action.scalars(g, 2), np.ones((4, 2)))
    assert np.array_equal(still, np.zeros((3, 3, 3))) and none == 0.0


def test_no_generator_has_no_bracket():
    empty = action.vectors(algebra.so(2)).restrict(np.zeros((0, 1)), algebra.Span("nothing", ()))
    assert action.bracket_constants(empty, np.ones((3, 2)))[0].shape == (0, 0, 0)


# Lifts


def leibniz(slope, y, up, down, weight):
    n = len(slope)
    tensor = np.asarray(y).reshape((n,) * (up + down))
    total = -weight * np.trace(slope) * tensor
    for slot in range(up + down):
        total = total + np.moveaxis(np.tensordot(slope if slot < up else -slope.T, tensor, axes=(1, slot)), 0, slot)
    return total.reshape(-1)


@curved
@pytest.mark.parametrize(("up", "down", "weight"), SLOTS)
def test_lifts_follow_leibniz(a, up, down, weight):
    rng = np.random.default_rng(7)
    lift = action.tensor(a, up, down, weight)
    assert isinstance(lift, action.Lift) and lift.width == 2 ** (up + down) and lift.algebra == a.algebra
    x, y = jnp.asarray(rng.normal(size=2)), jnp.asarray(rng.normal(size=lift.width))
    got = jax.jit(lift.over)(x, y)
    columns = jax.vmap(lambda e: jax.jvp(a.fields, (x,), (e,))[1])(jnp.eye(2))
    for k, slope in enumerate(np.moveaxis(np.asarray(columns), 0, 2)):
        np.testing.assert_allclose(got[k], leibniz(slope, y, up, down, weight), atol=1e-11)
    xi = jnp.asarray(rng.normal(size=a.algebra.dim))
    np.testing.assert_allclose(jax.jit(lift.over_one)(xi, x, y), xi @ got, atol=1e-11)
    rows = rng.normal(size=(2, a.algebra.dim))
    small = lift.restrict(rows, algebra.Span("two", ("u", "v")))
    np.testing.assert_allclose(jax.jit(small.over)(x, y), rows @ got, atol=1e-11)
    single = jax.eval_shape(lift.over, x.astype(jnp.float32), y.astype(jnp.float32))
    assert single.dtype == jnp.float32


@pytest.mark.parametrize(("up", "down", "weight"), SLOTS)
@pytest.mark.parametrize("g", [algebra.aff(2)], ids=["aff(2)"])
def test_affine_actions_lift_to_constant_matrices(g, up, down, weight):
    rng = np.random.default_rng(8)
    p = action.points(g)
    constant, generic = action.tensor(p, up, down, weight), action.Lift(p, up, down, weight)
    assert isinstance(constant, action.FieldAction) and constant.is_linear and constant.width == generic.width
    x, y = jnp.asarray(rng.normal(size=2)), jnp.asarray(rng.normal(size=generic.width))
    np.testing.assert_allclose(constant.over(x, y), generic.over(x, y), atol=1e-12)
    xi = jnp.asarray(rng.normal(size=g.dim))
    np.testing.assert_allclose(constant.over_one(xi, x, y), generic.over_one(xi, x, y), atol=1e-12)


def test_the_tangent_of_points_is_vectors():
    for g in (algebra.se(3), algebra.aff(2), algebra.so(3)):
        p = action.points(g)
        assert action.tangent(p).generators.same_as(action.vectors(g).generators)
        assert action.cotangent(p).generators.same_as(action.covectors(g).generators)


def test_densities_of_volume_preserving_fields_do_not_move():
    assert action.density(action.points(algebra.se(3))).is_trivial
    assert action.density(action.points(algebra.sl(3))).is_trivial
    assert not action.density(action.points(algebra.gl(2))).is_trivial


@curved
@pytest.mark.parametrize(("up", "down", "weight"), SLOTS[:5])
def test_symbols_of_lifts_agree_with_numbers(a, up, down, weight):
    if "user" in str(a.algebra.name):
        return  # printed by name, which sympy cannot evaluate
    rng = np.random.default_rng(9)
    lift = action.tensor(a, up, down, weight)
    x, y = sympy.symbols("x0:2"), sympy.symbols(f"y0:{lift.width}")
    xi, at, values = rng.normal(size=a.algebra.dim), rng.normal(size=2), rng.normal(size=lift.width)
    got = sympy.lambdify([x, y], lift.symbolic(xi, list(x), list(y)), "numpy")(at, values)
    wanted = lift.over_one(jnp.asarray(xi), jnp.asarray(at), jnp.asarray(values))
    np.testing.assert_allclose(np.array(got, float), wanted, atol=1e-9)
    assert repr(lift).startswith(f"tensors({up}, {down}) of weight")
