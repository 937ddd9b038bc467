"""Integral operators commute with moves of their fields: exactly on points, up to sampling on grids."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.linalg
from drawn import normal

from lieder import action, algebra, derivative, dictionary
from lieder.action import grid, moved
from lieder.enforce import kernels
from lieder.nn import IntegralOperator, neighbours

SE2, SE3 = algebra.se(2), algebra.se(3)
SOURCE, TARGET = 2 * action.scalars(SE2) + action.vectors(SE2), action.scalars(SE2) + 2 * action.vectors(SE2)


def field(a, seed, reach, width=2.0):
    """Sums of Gaussians of this width in every channel: 99.3 % of their amplitude below half the Nyquist frequency."""
    rng = np.random.default_rng(seed)
    x = a.positions
    out = np.zeros((a.fibre.width, len(x)))
    for channel in out:
        for centre in rng.uniform(-reach, reach, (4, x.shape[1])):
            channel += rng.normal() * np.exp(-np.sum((x - centre) ** 2, axis=1) / (2 * width**2))
    return jnp.asarray(out.reshape(-1))


def turned_error(apply, source, target, shape, xi, u, settings):
    """|K(g u) - g (K u)| / |g (K u)|."""
    a, b = (grid(s.algebra, shape, s, derivative="spectral", **settings) for s in (source, target))
    run = jax.jit(lambda z: apply(z.reshape(source.width, *shape)).reshape(-1))
    want = moved(b, xi[None], np.asarray(run(u))[None], np.ones(1))[0, 0]
    got = run(jnp.asarray(moved(a, xi[None], np.asarray(u)[None], np.ones(1))[0, 0]))
    return float(np.linalg.norm(got - want) / np.linalg.norm(want))


def plain(op, seed=1):
    """An unconstrained convolution: as wide, as many channels, independent weights of the same size."""
    stencil = op.stencil()
    weights = normal(seed, stencil.shape) * jnp.std(stencil)
    half = op.size // 2

    def apply(u):
        wide = jnp.pad(u, [(0, 0)] + [(half, half)] * (u.ndim - 1))
        return jax.lax.conv_general_dilated(wide[None], weights, (1,) * (u.ndim - 1), "VALID")[0]

    return apply


# The line: turned by 17 degrees


@pytest.mark.parametrize(("size", "line"), [(7, 1e-3), (9, 1e-4), pytest.param(13, 1e-5, marks=pytest.mark.slow)])
def test_turned_fields_give_turned_outputs(size, line):
    op = IntegralOperator(SOURCE, TARGET, size=size, key=jax.random.key(0))
    shape, xi = (36, 36), np.array([np.deg2rad(17.0), 0.0, 0.0])
    u = field(grid(SE2, shape, SOURCE), 0, reach=3)
    steerable = turned_error(op, SOURCE, TARGET, shape, xi, u, {})
    other = turned_error(plain(op), SOURCE, TARGET, shape, xi, u, {})
    print(f"size {size}: steerable {steerable:.1e}, plain {other:.2f}")
    assert steerable <= line
    assert other >= 300 * steerable and other > 0.1


@pytest.mark.parametrize("angle", [45.0, 123.0])
def test_any_angle_with_a_shift_and_other_units(angle):
    settings = dict(indexing="xy", spacing=0.25)
    op = IntegralOperator(SOURCE, TARGET, key=jax.random.key(2), degree=3, **settings)
    shape, xi = (40, 44), np.array([np.deg2rad(angle), 0.2, -0.3])
    u = field(grid(SE2, shape, SOURCE, **settings), 1, reach=1.0, width=0.5)
    assert turned_error(op, SOURCE, TARGET, shape, xi, u, settings) <= 1e-3


@pytest.mark.parametrize(
    ("source", "target"),
    [
        pytest.param(action.scalars(SE3), action.vectors(SE3), id="scalar to vector"),
        pytest.param(
            action.vectors(SE3),
            action.vectors(SE3) + action.scalars(SE3),
            id="vector to vector and scalar",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_turned_volumes(source, target):
    op = IntegralOperator(source, target, size=7, key=jax.random.key(0))
    shape, xi = (18, 18, 18), np.array([0.3, -0.2, 0.25, 0.0, 0.0, 0.0])
    u = field(grid(SE3, shape, source), 2, reach=0.5, width=1.6)
    steerable = turned_error(op, source, target, shape, xi, u, {})
    other = turned_error(plain(op), source, target, shape, xi, u, {})
    print(f"3-d: steerable {steerable:.1e}, plain {other:.2f}")
    assert steerable <= 1e-3 and other >= 100 * steerable


def test_the_lie_derivative_vanishes():
    """The same to first order, by the one map that carries everything."""
    shape = (12, 12)
    op = IntegralOperator(action.scalars(SE2), action.vectors(SE2), size=5, degree=1, key=jax.random.key(3))
    a, b = (grid(SE2, shape, s, derivative="spectral") for s in (op.source, op.target))
    u = jnp.asarray(np.exp(-np.sum((a.positions - 0.4) ** 2, axis=1) / (2 * 1.4**2)))
    apply = lambda z: op(z.reshape(1, *shape)).reshape(-1)  # noqa: E731
    rows = jax.jit(lambda z: derivative.lie_derivative(apply, z, source=a, target=b))(u)
    moves = jax.jit(lambda z: b.fields(apply(z)))(u)
    assert np.linalg.norm(rows) <= 2e-2 * np.linalg.norm(moves)


# On points


@pytest.mark.parametrize("g", [SE2, SE3], ids=["se(2)", "se(3)"])
def test_points_are_exact(g):
    source, target = 2 * action.scalars(g) + action.vectors(g), action.vectors(g) + action.tensors(g, 2)
    op = IntegralOperator(source, target, degree=3, spacing=0.3, key=jax.random.key(4))
    rng = np.random.default_rng(3)
    d = op.dimension
    x, u = rng.normal(size=(40, d)), rng.normal(size=(40, source.width))
    weights, xi = jnp.asarray(rng.uniform(0.5, 1.5, 40)), rng.normal(size=g.dim)
    run = eqx.filter_jit(lambda u, x: op.on_points(u, x, weights))
    here = np.asarray(run(jnp.asarray(u), jnp.asarray(x)))
    turn = lambda a, rows: rows @ scipy.linalg.expm(np.tensordot(xi, a.matrices().dense(), axes=1)).T  # noqa: E731
    there = run(jnp.asarray(turn(source, u)), jnp.asarray(moved(action.points(g), xi[None], x, np.ones(1))[0]))
    assert np.abs(here).max() > 0.1
    np.testing.assert_allclose(there, turn(target, here), atol=1e-10)


def test_points_of_a_grid_are_the_grid():
    op = IntegralOperator(SOURCE, TARGET, size=21, scales=(1.2,), key=jax.random.key(5))
    shape = (21, 22)
    a = grid(SE2, shape, SOURCE)
    u = np.random.default_rng(4).normal(size=(SOURCE.width, *shape))
    flat = jnp.asarray(u.reshape(SOURCE.width, -1).T)
    got = op.on_points(flat, jnp.asarray(a.positions))
    np.testing.assert_allclose(got.T.reshape(-1, *shape), op(jnp.asarray(u)), atol=1e-9)


def test_neighbours_leave_out_only_tails():
    op = IntegralOperator(SOURCE, TARGET, scales=(0.1,), key=jax.random.key(6))
    rng = np.random.default_rng(5)
    x, u, at = rng.uniform(size=(300, 2)), jnp.asarray(rng.normal(size=(300, SOURCE.width))), rng.uniform(size=(7, 2))
    near = neighbours(x, 0.75, at)
    assert near.dtype == np.int32 and near.shape[0] == 7 and near.max() == 300
    few = op.on_points(u, jnp.asarray(x), at=jnp.asarray(at), neighbours=near)
    every = op.on_points(u, jnp.asarray(x), at=jnp.asarray(at))
    np.testing.assert_allclose(few, every, atol=1e-7 * np.abs(every).max())
    alone = op.on_points(
        u, jnp.asarray(x), at=jnp.ones((1, 2)) * 50, neighbours=neighbours(x, 0.1, np.full((1, 2), 50.0))
    )
    np.testing.assert_array_equal(alone, 0.0)


def test_kernels_of_pairs():
    family = kernels(action.scalars(SE2), action.vectors(SE2), dictionary=dictionary.polynomials(4, 3))
    op = IntegralOperator(action.scalars(SE2), action.vectors(SE2), family=family, key=jax.random.key(7))
    rng = np.random.default_rng(6)
    x, u, xi = rng.normal(size=(9, 2)), jnp.asarray(rng.normal(size=(9, 1))), np.array([0.4, 1.0, 2.0])
    here = op.on_points(u, jnp.asarray(x))
    there = op.on_points(u, jnp.asarray(moved(action.points(SE2), xi[None], x, np.ones(1))[0]))
    turn = np.array([[np.cos(0.4), -np.sin(0.4)], [np.sin(0.4), np.cos(0.4)]])
    np.testing.assert_allclose(there, here @ turn.T, atol=1e-9)
    with pytest.raises(ValueError, match="a kernel of pairs"):
        op.stencil()


# As a module


def test_periodic_fields_wrap():
    op = IntegralOperator(SOURCE, TARGET, boundary="periodic", key=jax.random.key(8))
    u = jnp.asarray(np.random.default_rng(7).normal(size=(SOURCE.width, 12, 13)))
    roll = lambda z: jnp.roll(z, (5, -4), (1, 2))  # noqa: E731
    np.testing.assert_allclose(op(roll(u)), roll(op(u)), atol=1e-12)


@pytest.mark.parametrize("spacing", [1.0, 0.2])
def test_unit_variance(spacing):
    source, target = (
        8 * action.scalars(SE2) + 4 * action.vectors(SE2),
        6 * action.scalars(SE2) + 6 * action.vectors(SE2),
    )
    op = IntegralOperator(source, target, spacing=spacing, key=jax.random.key(9))
    out = op(normal(10, (source.width, 40, 40)))
    assert 0.6 < float(jnp.var(out[:6])) < 1.5 and 0.6 < float(jnp.var(out[6:])) < 1.5


def test_bias_is_invariant():
    op = IntegralOperator(SOURCE, TARGET, key=jax.random.key(11))
    assert op.bias.shape == (1,)  # the scalar; vectors have no invariant value
    lifted = eqx.tree_at(lambda m: m.bias, op, jnp.full(1, 3.0))
    out = lifted(jnp.zeros((SOURCE.width, 9, 9)))
    np.testing.assert_allclose(np.abs(out[0]), 3.0)
    np.testing.assert_array_equal(out[1:], 0.0)
    assert IntegralOperator(SOURCE, 2 * action.vectors(SE2), key=jax.random.key(11)).bias is None
    assert IntegralOperator(SOURCE, TARGET, key=jax.random.key(11), use_bias=False).bias is None


def test_jit_vmap_gradient_and_file(tmp_path):
    op = IntegralOperator(SOURCE, TARGET, size=5, key=jax.random.key(12))
    u = jnp.asarray(np.random.default_rng(8).normal(size=(2, SOURCE.width, 8, 8)))
    loop = np.stack([op(one) for one in u])
    np.testing.assert_allclose(eqx.filter_jit(lambda m, z: jax.vmap(m)(z))(op, u), loop, atol=1e-12)
    loss = eqx.filter_jit(lambda m: jnp.sum(m(u[0])[:, :3] ** 3))
    slope = eqx.filter_grad(loss)(op).coefficients
    step = normal(13, slope.shape)
    shifted = [eqx.tree_at(lambda m: m.coefficients, op, op.coefficients + h * step) for h in (1e-5, -1e-5)]
    np.testing.assert_allclose((loss(shifted[0]) - loss(shifted[1])) / 2e-5, slope @ step, rtol=1e-6)
    eqx.tree_serialise_leaves(tmp_path / "op.eqx", op)
    blank = IntegralOperator(SOURCE, TARGET, size=5, key=jax.random.key(14))
    again = eqx.tree_deserialise_leaves(tmp_path / "op.eqx", blank)
    np.testing.assert_array_equal(again(u[0]), op(u[0]))


def test_single_precision():
    op = IntegralOperator(SOURCE, TARGET, size=5, key=jax.random.key(15))
    u = jnp.ones((SOURCE.width, 6, 6))
    small = jax.tree.map(lambda leaf: leaf.astype(jnp.float32), op)
    out = eqx.filter_jit(small)(u.astype(jnp.float32))
    assert out.dtype == jnp.float32
    np.testing.assert_allclose(out, op(u), atol=1e-5)
    x = jnp.ones((3, 2), jnp.float32)
    assert small.on_points(jnp.ones((3, SOURCE.width), jnp.float32), x).dtype == jnp.float32


# Bad input

MADE = [
    (dict(size=4), ValueError, "size must be odd"),
    (dict(size=0), ValueError, "size must be odd"),
    (dict(spacing=0.0), ValueError, r"spacing must be positive and finite, got 0\.0"),
    (dict(spacing=np.nan), ValueError, "spacing must be positive and finite, got nan"),
    (dict(boundary="reflect"), ValueError, "boundary must be 'zero' or 'periodic', got 'reflect'"),
    (dict(indexing="yx"), ValueError, "indexing must be 'ij' or 'xy', got 'yx'"),
    (dict(target=action.scalars(SE3)), ValueError, "different algebras"),
    (dict(target=action.points(SE2)), TypeError, "target must be a linear action"),
    (
        dict(target=action.vectors(SE2), source=action.scalars(SE2), degree=0),
        ValueError,
        "only the zero kernel.*Raise degree",
    ),
    (dict(family=kernels(action.scalars(SE2), action.scalars(SE2))), ValueError, "family is for other fields"),
]


@pytest.mark.parametrize(("change", "kind", "message"), MADE)
def test_bad_operators(change, kind, message):
    with pytest.raises(kind, match=message):
        IntegralOperator(**{"source": SOURCE, "target": TARGET, "key": jax.random.key(0), **change})


def test_bad_fields():
    op = IntegralOperator(SOURCE, TARGET, key=jax.random.key(0))
    u, x = jnp.ones((5, SOURCE.width)), jnp.ones((5, 2))
    cases = [
        (lambda: op(jnp.ones((3, 12, 12))), ValueError, r"u must be one field of shape \(4, size, size\), got \(3, 12"),
        (lambda: op(jnp.ones((2, 4, 12, 12))), ValueError, "use jax.vmap for many"),
        (lambda: op(jnp.ones((4, 8, 12))), ValueError, r"the grid \(8, 12\) is smaller than the kernel, 9 samples"),
        (lambda: op(jnp.ones((4, 12, 12), int)), TypeError, "u has dtype int"),
        (lambda: op.on_points(u, jnp.ones((5, 3))), ValueError, r"x must be points of shape \(N, 2\), got \(5, 3\)"),
        (lambda: op.on_points(u[:4], x), ValueError, r"u must hold 4 values at each of 5 points"),
        (
            lambda: op.on_points(u, x, jnp.ones(4)),
            ValueError,
            r"weights must have shape \(5,\), one a point, got \(4,\)",
        ),
        (lambda: op.on_points(u, x, at=jnp.ones(2)), ValueError, r"at must be places of shape \(M, 2\), got \(2,\)"),
        (
            lambda: op.on_points(u, x, neighbours=np.zeros((4, 2), int)),
            ValueError,
            r"neighbours must hold whole numbers",
        ),
        (lambda: neighbours(np.ones((5, 2)), -1.0), ValueError, r"radius must be positive and finite, got -1\.0"),
        (lambda: neighbours(np.full((5, 2), np.nan), 1.0), ValueError, "NaN or infinite coordinates"),
        (lambda: neighbours(np.ones((5, 2)), 1.0, np.ones((5, 3))), ValueError, "points of one dimension"),
    ]
    for call, kind, message in cases:
        with pytest.raises(kind, match=message):
            call()
