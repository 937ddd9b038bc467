"""Laws of the Lie derivative, and what it says of models it cannot take."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from drawn import normal

from lieder import action, algebra, interop
from lieder.derivative import PROBES, blocks, check_model, expand, feature_width, lie_derivative
from lieder.linalg import TriangularFactor

GL3, SE2, SO3 = algebra.gl(3), algebra.se(2), algebra.so(3)
V3 = action.vectors(SO3)
CONFORMAL = action.points(algebra.conformal(2))


def network(key, n, m):
    """A smooth map with nothing symmetric about it."""
    first, second = normal(key, (8, n)) / n**0.5, normal(100 + key, (m, 8)) / 8**0.5
    return lambda x: second.astype(x.dtype) @ jnp.tanh(first.astype(x.dtype) @ x + 0.1)


def route(source, target):
    """Which of the three ways of assembling L is cheapest, as the cost rule of the theory has it."""
    n, m, q = source.width, target.width, source.algebra.dim
    costs = {"rows": 1 + 2 * m, "columns": 1 + n, "fields": 1 + q + min(PROBES, n)}
    return min(costs, key=lambda way: costs[way])


# How each case is assembled, source, target.
CASES = {
    "one gradient": ("rows", action.vectors(GL3), action.scalars(GL3)),
    "few outputs of many inputs": ("rows", action.points(algebra.t(12)), action.scalars(algebra.t(12), 2)),
    "Jacobian by columns": ("columns", action.vectors(GL3), action.vectors(GL3) + action.covectors(GL3)),
    "Jacobian by columns, affine": ("columns", action.points(SE2), action.points(SE2) + 2 * action.vectors(SE2)),
    "few fields on many inputs": ("fields", 10 * V3, 5 * V3 + action.scalars(SO3)),
    "few fields, one generator": ("fields", 15 * action.vectors(algebra.so(2)), 8 * action.vectors(algebra.so(2))),
    "nonlinear fields": ("columns", CONFORMAL, action.tangent(CONFORMAL)),
    "nonlinear fields, one output": ("rows", CONFORMAL, action.density(CONFORMAL)),
    "polynomial fields": (
        "rows",
        action.polynomial_fields(3, 2),
        action.scalars(action.polynomial_fields(3, 2).algebra),
    ),
    "total action": ("columns", action.total(action.points(SE2), action.vectors(SE2)), action.tensors(SE2, 2)),
}
QUICK = ("one gradient", "Jacobian by columns, affine", "few fields on many inputs", "nonlinear fields", "total action")
every_case = pytest.mark.parametrize(
    ("source", "target"),
    [pytest.param(*c[1:], id=k, marks=() if k in QUICK else pytest.mark.slow) for k, c in CASES.items()],
)


def naive(F, x, source, target):
    jacobian, y = jax.jacfwd(F)(x), F(x)
    return (source.fields(x) @ jacobian.T - target.over(x, y)).T


def test_cases_take_all_three_routes():
    assert [route(source, target) for _, source, target in CASES.values()] == [way for way, _, _ in CASES.values()]


@every_case
def test_every_route_gives_the_definition(source, target):
    F = network(0, source.width, target.width)
    x = normal(1, (source.width,))
    got = jax.jit(lambda x: lie_derivative(F, x, source=source, target=target))(x)
    assert got.shape == (target.width, source.algebra.dim)
    np.testing.assert_allclose(got, jax.jit(lambda x: naive(F, x, source, target))(x), atol=1e-12)


@every_case
def test_compiled_is_eager_and_batches_are_loops(source, target):
    F = network(2, source.width, target.width)
    x = normal(3, (3, source.width))
    one = lambda row: lie_derivative(F, row, source=source, target=target)  # noqa: E731
    loop = np.stack([jax.jit(one)(row) for row in x])
    np.testing.assert_allclose(one(x[0]), loop[0], atol=1e-12)
    np.testing.assert_allclose(jax.jit(jax.vmap(one))(x), loop, atol=1e-12)
    batch = blocks(F, source, target)(np.asarray(x), np.arange(3))
    np.testing.assert_allclose(batch.rows, loop, atol=1e-12)
    np.testing.assert_allclose(batch.values, jax.vmap(F)(x), atol=1e-12)


@every_case
def test_single_precision_flows_through(source, target):
    F = network(4, source.width, target.width)
    x = normal(5, (source.width,))
    go = jax.jit(lambda x: lie_derivative(F, x, source=source, target=target))
    got = go(x.astype(jnp.float32))
    assert got.dtype == jnp.float32
    np.testing.assert_allclose(got, go(x), atol=2e-3, rtol=1e-3)
    parts = blocks(F, source, target)(np.asarray(x, np.float32)[None], np.arange(1))
    assert all(part.dtype == jnp.float32 for part in parts)


@every_case
def test_linear_in_the_model_and_in_the_generator(source, target):
    F, G = network(6, source.width, target.width), network(7, source.width, target.width)
    x = normal(8, (source.width,))
    rows = np.random.default_rng(9).normal(size=(2, source.algebra.dim))
    two = algebra.Span("two", ("a", "b"))
    small_source, small_target = source.restrict(rows, two), target.restrict(rows, two)
    both = jax.jit(lambda x: lie_derivative(F, x, source=source, target=target))(x)
    some = jax.jit(lambda x: lie_derivative(F, x, source=small_source, target=small_target))(x)
    np.testing.assert_allclose(some, both @ rows.T, atol=1e-11)
    if not target.over(x, jnp.zeros(target.width)).any():  # an affine output is not linear in F
        both_models = jax.jit(
            lambda x: [
                lie_derivative(H, x, source=source, target=target) for H in (lambda z: 2.0 * F(z) - 3.0 * G(z), G)
            ]
        )
        mixed, other = both_models(x)
        wanted = 2.0 * both - 3.0 * other
        np.testing.assert_allclose(mixed, wanted, atol=1e-11)


EQUIVARIANT = {
    "cross product": (lambda x: jnp.cross(x[:3], x[3:]), 2 * V3, V3),
    "norm": (lambda x: x @ x, V3, action.scalars(SO3)),
    "outer product": (lambda x: jnp.outer(x, x).reshape(-1), action.vectors(GL3), action.tensors(GL3, 2)),
    "middle of two points": (lambda x: (x[:2] + x[2:]) / 2, 2 * action.points(SE2), action.points(SE2)),
    "difference of points": (
        lambda x: x[:2] - x[2:],
        2 * action.points(algebra.aff(2)),
        action.vectors(algebra.aff(2)),
    ),
    "inner product with a covector": (
        lambda x: x[:3] @ x[3:],
        action.vectors(GL3) + action.covectors(GL3),
        action.scalars(GL3),
    ),
    "identity": (
        lambda x: x,
        action.total(CONFORMAL, action.tangent(CONFORMAL)),
        action.total(CONFORMAL, action.tangent(CONFORMAL)),
    ),
}


@pytest.mark.parametrize(("F", "source", "target"), list(EQUIVARIANT.values()), ids=list(EQUIVARIANT))
def test_equivariant_maps_are_annihilated(F, source, target):
    x = normal(10, (source.width,))
    np.testing.assert_allclose(lie_derivative(F, x, source=source, target=target), 0.0, atol=1e-12)


def test_brackets_become_commutators_of_derivatives():
    """L_i L_j F - L_j L_i F = -L_[i,j] F: fields A x have minus the bracket of their matrices."""
    v, F = action.vectors(SO3), network(11, 3, 3)
    x = normal(12, (3,))

    def once(model, k):
        return lambda z: lie_derivative(model, z, source=v, target=v)[:, k]

    first = lie_derivative(F, x, source=v, target=v)
    got = jax.jit(lambda x: once(once(F, 1), 0)(x) - once(once(F, 0), 1)(x))(x)
    np.testing.assert_allclose(got, -first @ SO3.structure[0, 1], atol=1e-10)


def test_a_scalar_model_may_return_a_number():
    as_number, as_vector = (lambda x: x @ x), (lambda x: (x @ x)[None])
    x = jnp.array([1.0, 2.0, 3.0])
    source, target = action.vectors(GL3), action.scalars(GL3)
    got = lie_derivative(as_number, x, source=source, target=target)
    np.testing.assert_array_equal(got, lie_derivative(as_vector, x, source=source, target=target))
    np.testing.assert_allclose(got[0], 2 * np.outer(x, x).reshape(-1), atol=1e-13)


# What the denominator is made of


@every_case
def test_features_reduce_to_the_same_factor_as_rows(source, target):
    F = network(13, source.width, target.width)
    x = np.random.default_rng(14).normal(size=(12, source.width))
    parts = blocks(F, source, target)(x, np.arange(12))
    q = source.algebra.dim
    norms = np.linalg.norm(jax.jit(jax.vmap(jax.jacfwd(F)))(jnp.asarray(x)), axis=(1, 2))
    if route(source, target) == "fields":
        along = np.asarray(parts.moved).reshape(12, -1)  # norms estimated: read them off the features
        features = np.asarray(jax.vmap(source.dictionary)(jnp.asarray(x)))
        norms = np.linalg.norm(along, axis=1) / np.linalg.norm(features, axis=1)
    theta = norms[:, None, None] * np.asarray(jax.jit(jax.vmap(source.fields))(jnp.asarray(x)))
    phi = np.asarray(jax.jit(jax.vmap(target.over))(jnp.asarray(x), parts.values))
    for side, part, wanted in ((source, parts.moved, theta), (target, parts.turned, phi)):
        width = feature_width(side)
        rows = np.asarray(part, np.float64).reshape(-1, width)
        factor = TriangularFactor.empty(width).absorb(rows).factor
        got = expand(side, factor)
        assert got.shape[1] == q
        direct = np.swapaxes(wanted, 1, 2).reshape(-1, q)
        np.testing.assert_allclose(got.T @ got, direct.T @ direct, atol=1e-9 * max(1.0, np.abs(direct).max() ** 2))


def test_the_norm_by_probes_is_right_within_its_statistical_error():
    source, target = CASES["few fields on many inputs"][1:]
    F = network(15, source.width, target.width)
    x = np.random.default_rng(16).normal(size=(400, source.width))
    parts = blocks(F, source, target)(x, np.arange(400))
    estimated = np.linalg.norm(parts.moved, axis=1) / np.linalg.norm(x, axis=1)
    exact = np.linalg.norm(jax.jit(jax.vmap(jax.jacfwd(F)))(jnp.asarray(x)), axis=(1, 2))
    # |DF g|^2 has relative variance 2 sum s^4 / (sum s^2)^2 <= 2; the mean over 400 x 8 probes is within four
    # deviations.
    assert abs(np.mean(estimated**2 / exact**2) - 1) < 4 * np.sqrt(2 / (PROBES * 400))
    assert np.std(estimated / exact) < 1 / np.sqrt(PROBES) and len(set(np.round(estimated / exact, 12))) > 390


def test_probes_depend_on_the_row_number_alone():
    source, target = CASES["few fields on many inputs"][1:]
    run = blocks(network(17, source.width, target.width), source, target)
    x = np.random.default_rng(18).normal(size=(6, source.width))
    whole = run(x, np.arange(6)).moved
    np.testing.assert_allclose(run(x[3:], np.arange(3, 6)).moved, whole[3:], rtol=1e-12)


def test_scalars_have_nothing_turned():
    source, target = CASES["one gradient"][1:]
    parts = blocks(network(19, 3, 1), source, target)(np.ones((2, 3)), np.arange(2))
    assert not expand(target, np.asarray(parts.turned)).any()


def test_models_of_other_frameworks_go_the_same_way():
    source, target = CASES["Jacobian by columns"][1:]
    F = network(20, 3, 6)
    foreign = interop.ForeignModel(
        lambda x: np.asarray(jax.vmap(F)(jnp.asarray(x))),
        lambda x: np.asarray(jax.vmap(jax.jacfwd(F))(jnp.asarray(x))),
        "exact",
    )
    x = np.random.default_rng(21).normal(size=(4, 3))
    own, other = (blocks(model, source, target)(x, np.arange(4)) for model in (F, foreign))
    for a, b in zip(own, other, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-12)


# Errors

MODEL_ERRORS = {
    "another shape": (lambda x: x[:2], ValueError, r"F returns shape \(2,\) for one example, but target has width 3"),
    "a number": (lambda x: x @ x, ValueError, r"F returns shape \(\) for one example, but target has width 3"),
    "a batch": (lambda x: x[None], ValueError, r"F returns shape \(1, 3\)"),
    "integers": (lambda x: jnp.round(x).astype(int), TypeError, r"F returns dtype int64; derivatives need real"),
    "complex": (lambda x: x + 1j, TypeError, r"F returns dtype complex128; derivatives need real"),
    "a tuple": (lambda x: (x[0], x[1], x[2]), TypeError, r"F must return one array, got tuple\. Return jnp\.stack"),
    "a dictionary": (lambda x: {"y": x}, TypeError, r"F must return one array, got dict"),
    "nothing": (lambda x: None, TypeError, r"F must return one array, got NoneType"),
    "NumPy only": (
        lambda x: np.asarray(x) * 2,
        TypeError,
        r"F cannot be differentiated by JAX: it turns its input into a NumPy",
    ),
    "NumPy function": (lambda x: np.linalg.inv(np.diag(x))[0], TypeError, r"F cannot be differentiated by JAX"),
    "for batches": (
        lambda x: x[:, 0],
        ValueError,
        r"F fails on one example of shape \(3,\): .*F takes one example, not a",
    ),
    "another width": (lambda x: jnp.ones((3, 5)) @ x, ValueError, r"F fails on one example of shape \(3,\): "),
    "two arguments": (lambda x, t: x, ValueError, r"F fails on one example of shape \(3,\): .*missing"),
    "branches on values": (
        lambda x: x if x[0] > 0 else -x,
        TypeError,
        r"F cannot be differentiated by JAX: it asks for",
    ),
}


@pytest.mark.parametrize(("F", "kind", "message"), list(MODEL_ERRORS.values()), ids=list(MODEL_ERRORS))
def test_models_that_cannot_be_taken(F, kind, message):
    with pytest.raises(kind, match=message):
        lie_derivative(F, jnp.ones(3), source=V3, target=V3)
    with pytest.raises(kind, match=message):
        check_model(F, V3, V3, np.float64)


def test_examples_that_do_not_fit():
    F = lambda x: x  # noqa: E731
    with pytest.raises(
        ValueError, match=r"x must be one example of shape \(3,\), .* got \(4,\)\. Use jax.vmap for many"
    ):
        lie_derivative(F, jnp.ones(4), source=V3, target=V3)
    with pytest.raises(ValueError, match=r"x must be one example of shape \(3,\), .* got \(5, 3\)"):
        lie_derivative(F, jnp.ones((5, 3)), source=V3, target=V3)
    with pytest.raises(TypeError, match=r"x has dtype int64; derivatives need real floating-point inputs"):
        lie_derivative(F, jnp.arange(3), source=V3, target=V3)


def test_different_algebras():
    with pytest.raises(ValueError, match=r"source and target are over different algebras: source over so\(3\)"):
        lie_derivative(lambda x: x, jnp.ones(3), source=V3, target=action.vectors(GL3))
