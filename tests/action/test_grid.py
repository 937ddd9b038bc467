"""Fields on grids: the action is a representation up to sampling, and its finite moves are what they say."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import sympy

from lieder import action, algebra, derivative, discover
from lieder.action import flow, grid, moved, orbits

AFF, SE = algebra.aff(2), algebra.se(2)
SETTINGS = [(b, d) for b in ("zero", "periodic") for d in ("interpolated", "spectral")]
every_setting = pytest.mark.parametrize(
    ("boundary", "derivative"),
    [pytest.param(*s, marks=() if s in SETTINGS[::3] else pytest.mark.slow) for s in SETTINGS],
)


def go(a, xi, z):
    """One field under one move, nothing large compiled."""
    return moved(a, np.asarray(xi, float)[None], np.asarray(z)[None], np.ones(1))[0, 0]


def bump(a, width, centre=0.0):
    """One channel: a Gaussian of the given width in the middle of the grid."""
    return np.exp(-np.sum((a.positions - centre) ** 2, axis=1) / (2 * width**2))


def field(a, width=2.0):
    """Every channel another smooth field that is small at the edge."""
    x = a.positions
    shapes = [bump(a, width, 0.5), x[:, 0] * bump(a, width), x[:, 1] * bump(a, width, -0.7)]
    return jnp.asarray(np.concatenate(shapes[: a.fibre.width]))


# One action, evaluated in all ways


@every_setting
def test_fields_field_contract_and_matrices_agree(boundary, derivative):
    a = grid(AFF, (9, 8), action.vectors(AFF), boundary=boundary, derivative=derivative)
    rng = np.random.default_rng(0)
    z, xi, left = rng.normal(size=a.width), rng.normal(size=6), rng.normal(size=(3, a.width))
    theta = a.fields(jnp.asarray(z))
    assert theta.shape == (6, 2 * 72)
    np.testing.assert_allclose(a.field(jnp.asarray(xi), jnp.asarray(z)), xi @ theta, atol=1e-12)
    np.testing.assert_allclose(a.contract(jnp.asarray(left), jnp.asarray(z)), left @ theta.T, atol=1e-11)
    if derivative == "interpolated":
        np.testing.assert_allclose(a.sparse().fields(jnp.asarray(z)), theta, atol=1e-12)
        assert len(a.matrices().value) <= 6 * a.width * (2 * 6 + 2)


def test_three_dimensions_and_uneven_spacing():
    g = algebra.aff(3)
    a = grid(g, (7, 8, 9), action.vectors(g), spacing=(1.0, 0.5, 2.0), indexing="xy")
    rng = np.random.default_rng(1)
    z, xi = jnp.asarray(rng.normal(size=a.width)), jnp.asarray(rng.normal(size=12))
    np.testing.assert_allclose(a.sparse().fields(z), a.fields(z), atol=1e-12)
    np.testing.assert_allclose(a.field(xi, z), xi @ a.fields(z), atol=1e-12)
    shape = a.positions.reshape(7, 8, 9, 3)
    np.testing.assert_allclose(shape[3, 5, 4] - shape[3, 4, 4], [1.0, 0.0, 0.0], atol=1e-14)  # x along the second axis
    np.testing.assert_allclose(shape[4, 4, 4] - shape[3, 4, 4], [0.0, 0.5, 0.0], atol=1e-14)
    np.testing.assert_allclose(shape[3, 4, 5] - shape[3, 4, 4], [0.0, 0.0, 2.0], atol=1e-14)


def test_coordinates_are_centred_and_may_span_one():
    a = grid(SE, (5, 7), spacing=(0.5, 1 / 3), order=4)
    assert np.abs(a.positions).max() == pytest.approx(1.0)
    np.testing.assert_allclose(a.positions.mean(axis=0), 0.0, atol=1e-15)
    assert repr(a) == "se(2) on 5 x 7 fields of scalars(1)"
    assert a.blocks == (("fields of scalars", 35),)


def test_compiled_batched_and_single_precision():
    a = grid(SE, (8, 8), action.vectors(SE), derivative="spectral")
    z = jnp.stack([field(a), 2 * field(a)])
    one = jax.jit(a.fields)
    np.testing.assert_allclose(jax.jit(jax.vmap(a.fields))(z), np.stack([one(row) for row in z]), atol=1e-12)
    np.testing.assert_allclose(one(z[0]), a.fields(z[0]), atol=1e-12)
    for b in (a, grid(SE, (8, 8), action.vectors(SE))):
        single, xi = z[0].astype(jnp.float32), jnp.ones(3, jnp.float32)
        theta, along, there = jax.jit(lambda z, b=b, xi=xi: (b.fields(z), b.field(xi, z), flow(b, xi, z)))(single)
        assert theta.dtype == along.dtype == there.dtype == jnp.float32
        np.testing.assert_allclose(there, go(b, xi, z[0]), atol=1e-4)


def test_restriction_combines_the_generators():
    a = grid(AFF, (8, 8), action.vectors(AFF))
    rows = np.random.default_rng(2).normal(size=(2, 6))
    small = a.restrict(rows, algebra.Span("two", ("u", "v")))
    np.testing.assert_allclose(small.fields(field(a)), rows @ a.fields(field(a)), atol=1e-12)
    assert small.algebra.dim == 2 and small.width == a.width


def test_symbols_name_the_generators_once():
    a = grid(SE, (8, 8))
    written = a.symbolic(np.array([1.0, 0.0, 2.0]), [], list(sympy.symbols("u0:64")))
    assert str(written[0]) == "1.0*J12(u0) + 2.0*P2(u0)" and written[1:] == [0] * 63


# It is a representation, up to what the grid resolves


@pytest.mark.parametrize(("derivative", "bound"), [("interpolated", 2e-3), ("spectral", 1e-9)])
@pytest.mark.parametrize("fibre", [action.scalars(AFF), action.vectors(AFF), action.covectors(AFF)], ids=str)
def test_brackets_are_commutators(fibre, derivative, bound):
    a = grid(AFF, (40, 40), fibre, derivative=derivative, order=8)
    z, apply = field(a, 2.5), jax.jit(a.fields)
    theta = apply(z)
    twice = np.stack([apply(row) for row in theta])  # twice[l, k] = T_k T_l u
    commutators = np.swapaxes(twice, 0, 1) - twice
    want = np.einsum("klj,jn->kln", AFF.structure, theta)
    assert np.linalg.norm(commutators - want) <= bound * np.linalg.norm(want)


def test_spectral_slopes_of_waves_are_exact():
    g = algebra.t(2)
    a = grid(g, (12, 15), boundary="periodic", derivative="spectral", spacing=(2 * np.pi / 12, 2 * np.pi / 15))
    x, y = a.positions.T
    theta = a.fields(jnp.asarray(np.cos(4 * x + 0.3) * np.sin(6 * y)))
    np.testing.assert_allclose(theta[0], 4 * np.sin(4 * x + 0.3) * np.sin(6 * y), atol=1e-12)
    np.testing.assert_allclose(theta[1], -6 * np.cos(4 * x + 0.3) * np.cos(6 * y), atol=1e-12)


@pytest.mark.parametrize("order", [2, 4, 6, 8])
def test_interpolated_slopes_of_polynomials_are_exact(order):
    a = grid(algebra.t(2), (24, 24), order=order, spacing=0.1)
    x = a.positions[:, 0].reshape(24, 24)
    inside = slice(order, 24 - order)
    theta = a.fields(jnp.asarray(x**order).reshape(-1))[0].reshape(24, 24)
    np.testing.assert_allclose(theta[inside, inside], -order * x[inside, inside] ** (order - 1), atol=1e-9)


# Finite moves


@every_setting
def test_velocity_at_the_start_is_the_field(boundary, derivative):
    a = grid(AFF, (10, 9), action.vectors(AFF), boundary=boundary, derivative=derivative)
    rng = np.random.default_rng(3)
    z, xi = jnp.asarray(rng.normal(size=a.width)), jnp.asarray(0.1 * rng.normal(size=6))
    start, velocity = jax.jvp(jax.jit(lambda t: flow(a, xi, z, t)), (0.0,), (1.0,))
    np.testing.assert_allclose(start, z, atol=1e-13)
    np.testing.assert_allclose(velocity, a.field(xi, z), atol=1e-11)


@pytest.mark.parametrize("derivative", ["interpolated", "spectral"])
def test_whole_pixels_are_exact(derivative):
    a = grid(algebra.t(2), (7, 8), boundary="periodic", derivative=derivative)
    z = np.random.default_rng(4).normal(size=(7, 8))
    got = go(a, [2.0, -11.0], z.reshape(-1)).reshape(7, 8)
    np.testing.assert_allclose(got, np.roll(z, (2, -11), (0, 1)), atol=1e-12)
    b = grid(algebra.t(2), (7, 8), derivative=derivative)
    shifted = np.zeros((7, 8))
    shifted[2:, :5] = z[:-2, 3:]
    got = go(b, [2.0, -3.0], z.reshape(-1)).reshape(7, 8)
    np.testing.assert_allclose(got, shifted, atol=1e-12)
    assert not go(b, [1e9, 3.0], z.reshape(-1)).any()  # far outside there is nothing


@pytest.mark.parametrize(("derivative", "bound"), [("interpolated", 2e-4), ("spectral", 1e-8)])
def test_values_turn_with_the_picture(derivative, bound):
    """A vector field v(x) = e(x - c) w turned by R about the origin is e(x - R c) R w."""
    a = grid(SE, (36, 36), action.vectors(SE), derivative=derivative, order=8)
    angle, centre, arrow = 0.3, np.array([3.0, -2.0]), np.array([1.0, 0.5])
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    before = np.concatenate([arrow[i] * bump(a, 2.5, centre) for i in range(2)])
    after = np.concatenate([(turn @ arrow)[i] * bump(a, 2.5, turn @ centre) for i in range(2)])
    got = go(a, [angle, 0.0, 0.0], before)
    np.testing.assert_allclose(got, after, atol=bound)


@pytest.mark.parametrize(
    ("name", "matrix"), [("E11", [[1.3, 0], [0, 1]]), ("E12", [[1, np.log(1.3)], [0, 1]])], ids=["scaling", "shear"]
)
def test_scaling_and_shear(name, matrix):
    a = grid(AFF, (36, 36), derivative="spectral")
    xi = np.zeros(6)
    xi[AFF.names.index(name)] = np.log(1.3)
    there = a.positions @ np.linalg.inv(matrix).T
    got = go(a, xi, bump(a, 2.5))
    np.testing.assert_allclose(got, np.exp(-np.sum(there**2, axis=1) / (2 * 2.5**2)), atol=1e-9)


def test_a_volume_turns():
    g = algebra.se(3)
    a = grid(g, (14, 14, 14), action.vectors(g), derivative="spectral")
    xi = np.array([0.4, -0.2, 0.3, 0.1, 0.2, 0.0])
    centre = np.array([1.0, 0.5, -0.5])
    arrow = np.array([1.0, 0.0, 2.0])
    to, turned = go(action.points(g), xi, centre), go(action.vectors(g), xi, arrow)
    before = np.outer(arrow, bump(a, 1.5, centre)).reshape(-1)
    after = np.outer(turned, bump(a, 1.5, to)).reshape(-1)
    np.testing.assert_allclose(go(a, xi, before), after, atol=3e-3)


def test_moves_are_a_group_and_orbits_follow():
    a = grid(SE, (32, 32), derivative="spectral")
    z, xi = field(a, 2.5), np.array([0.7, 1.0, -0.5])
    np.testing.assert_allclose(go(a, 0.5 * xi, go(a, 0.4 * xi, z)), go(a, 0.9 * xi, z), atol=1e-8)
    curves = orbits(a, xi, np.asarray(z)[None], np.array([0.0, 0.4]))
    assert curves.shape == (1, 2, a.width)
    np.testing.assert_allclose(curves[0, 1], go(a, 0.4 * xi, z), atol=1e-12)


def test_a_pair_of_fields_moves_each_by_itself():
    a, b = grid(SE, (16, 16)), action.vectors(SE)
    both = action.total(a, b)
    z, y, xi = field(a), jnp.array([1.0, 2.0]), jnp.array([0.3, 0.5, 0.0])
    want = np.concatenate([go(a, xi, z), go(b, xi, y)])
    np.testing.assert_allclose(go(both, xi, jnp.concatenate([z, y])), want, atol=1e-14)
    np.testing.assert_allclose(jax.jit(lambda p: flow(both, xi, p))(jnp.concatenate([z, y])), want, atol=1e-13)


def test_moves_are_differentiable():
    a = grid(SE, (8, 8), order=4)
    z = field(a, 1.5)
    energy = jax.jit(lambda xi: jnp.sum(flow(a, xi, z)[:20] ** 2))
    at = jnp.array([0.2, 0.31, -0.17])
    slope = [(energy(at + h) - energy(at - h)) / 2e-6 for h in 1e-6 * np.eye(3)]
    np.testing.assert_allclose(jax.jit(jax.grad(energy))(at), slope, atol=1e-7)


# With the verbs


def _smooth(image):
    steps = np.arange(-3, 4)
    kernel = np.exp(-(steps[:, None] ** 2 + steps**2) / (2 * 1.2**2))
    return jax.scipy.signal.convolve2d(image, jnp.asarray(kernel / kernel.sum()), mode="same")


def test_a_round_filter_commutes_with_turning_pictures():
    a = grid(SE, (12, 12))
    rows = derivative.lie_derivative(
        lambda z: _smooth(z.reshape(12, 12)).reshape(-1), field(a, 1.4)[:144], source=a, target=a
    )
    assert rows.shape == (144, 3)
    assert np.linalg.norm(rows) <= 2e-2 * np.linalg.norm(a.fields(field(a, 1.4)))


def test_discover_the_symmetries_of_an_image_model():
    """The energy of a smoothed picture: rigid motions among the affine maps, and nothing else."""
    a = grid(AFF, (16, 16))
    rng = np.random.default_rng(5)
    x = []
    for angle, where in zip(rng.uniform(0, np.pi, 12), rng.uniform(-1, 1, (12, 2)), strict=True):
        along = a.positions @ [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]] - where
        x.append(np.exp(-np.sum(along**2 / [2 * 1.3**2, 2 * 2.2**2], axis=1)))
    found = discover.function(
        lambda z: jnp.stack([jnp.sum(_smooth(z.reshape(16, 16)) ** p) for p in (2, 3)]),
        np.stack(x),
        source=a,
        error=1e-3,
    )
    assert found.dim == 3 and found.identify() == "se(2)"
    rigid = np.array([[0, -1, 1, 0, 0, 0], [0, 0, 0, 0, 1, 0], [0, 0, 0, 0, 0, 1.0]])
    assert found.similarity(rigid) > 0.999
    assert found.evidence.finite is not None and found.evidence.finite.max() < 0.01


# Bad input

CONFORMAL = algebra.conformal(2)
FAULTS = [
    (dict(algebra=CONFORMAL), TypeError, r"conformal\(2\) does not act by affine maps"),
    (dict(shape=(8, 8, 8)), ValueError, r"shape \(8, 8, 8\) has 3 axes, but se\(2\) moves points of R\^2"),
    (dict(shape=(8,)), ValueError, r"shape \(8,\) has 1 axes"),
    (dict(shape=(8, 0)), ValueError, "positive whole numbers, got 0"),
    (dict(shape=(8, 8.5)), ValueError, r"positive whole numbers, got 8\.5"),
    (dict(shape=(8, 6)), ValueError, r"shape \(8, 6\) is too small: differences of order 6 reach over 7 samples"),
    (dict(shape=(8, 1), derivative="spectral"), ValueError, "at least 2 samples"),
    (dict(boundary="reflect"), ValueError, "boundary must be 'zero' or 'periodic', got 'reflect'"),
    (dict(derivative="exact"), ValueError, "derivative must be 'interpolated' or 'spectral', got 'exact'"),
    (dict(indexing="yx"), ValueError, "indexing must be 'ij' or 'xy', got 'yx'"),
    (dict(order=3), ValueError, "order must be one of 2, 4, 6, 8, 10, 12, got 3"),
    (dict(spacing=(1.0, 1.0, 1.0)), ValueError, "spacing must be one number or one for each of 2 coordinates"),
    (dict(spacing=-1.0), ValueError, r"spacing must be positive and finite, got -1\.0"),
    (dict(spacing=np.nan), ValueError, "spacing must be positive and finite, got nan"),
    (dict(fibre=action.vectors(algebra.so(2))), ValueError, r"fibre is over so\(2\), the grid over se\(2\)"),
    (dict(fibre=action.points(SE)), TypeError, "fibre must be a linear action"),
]


@pytest.mark.parametrize(("change", "kind", "message"), FAULTS)
def test_bad_input(change, kind, message):
    with pytest.raises(kind, match=message):
        grid(**{"algebra": SE, "shape": (8, 8), **change})


def test_full_matrices_are_refused():
    with pytest.raises(TypeError, match="the spectral derivative has full matrices"):
        grid(SE, (8, 8), derivative="spectral").matrices()


def test_a_field_of_another_width():
    with pytest.raises(ValueError, match=r"z must be one point of shape \(64,\), got \(49,\)"):
        flow(grid(SE, (8, 8)), jnp.ones(3), jnp.ones(49))
