"""Clouds by level sets, by their distribution and within classes, beside tangent spaces."""

import jax.numpy as jnp
import numpy as np
import pytest

import lieder as ld
from lieder import models

PLANE, SPACE = ld.points(ld.algebra.aff(2)), ld.vectors(ld.algebra.gl(3))
ROUTES = ("tangents", "level set", "density", "auto")


def noisy(points, noise, random):
    return points + noise * np.sqrt(np.mean((points - points.mean(axis=0)) ** 2)) * random.normal(size=points.shape)


def circle(random, rows, noise=0.0):
    angle = random.uniform(0, 2 * np.pi, rows)
    return noisy(np.stack([np.cos(angle), np.sin(angle)], axis=1), noise, random)


def hyperboloid(random, rows, noise):
    angle, height = random.uniform(0, 2 * np.pi, rows), random.uniform(-1, 1, rows)
    width = np.cosh(height)
    return noisy(np.stack([width * np.cos(angle), width * np.sin(angle), np.sinh(height)], axis=1), noise, random)


def helix(random, rows, noise):
    t = random.uniform(-2 * np.pi, 2 * np.pi, rows)
    return noisy(np.stack([np.cos(t), np.sin(t), t / 4], axis=1), noise, random)


@pytest.mark.parametrize("noise", [0.02, 0.1, 0.2])
def test_the_noise_of_points_and_their_circle_are_found_without_bias(noise):
    radii = []
    for seed in range(3):
        z = circle(np.random.default_rng(seed), 1000, noise)
        levels = models.level_functions(z, ld.dictionary.polynomials(2, 2))
        assert levels.count == 1 and levels.noise == pytest.approx(noise, rel=0.1) and levels.blank > 0.3
        surface = models.surface(levels, z)
        assert surface.codimension == 1 and not surface.unlike
        radii.append(np.linalg.norm(surface.points[surface.usable], axis=1).mean())
    # The points themselves lie sqrt(1 + noise^2) from the centre, root mean square: 2 % at the most noise.
    assert np.mean(radii) == pytest.approx(1.0, abs=0.006)


def test_noise_that_hides_tangent_spaces_does_not_hide_a_level_set():
    z = hyperboloid(np.random.default_rng(0), 500, 0.1)
    assert ld.discover.cloud(z, action=SPACE).evidence.verdict == "cannot tell"
    found = ld.discover.cloud(z, action=SPACE, route="level set")
    assert found.dim == 3 and found.identify() == "sl(2)"  # that is so(2,1)
    metric = np.diag([1.0, 1.0, -1.0])
    truth = [a @ metric for a in ([[0, 1, 0], [-1, 0, 0], [0, 0, 0]], [[0, 0, 1], [0, 0, 0], [-1, 0, 0]])]
    assert found.similarity(np.reshape(truth, (2, 9))) > 0.995
    assert "1 of 10 functions vanish on the points" in found.evidence.model
    assert found.evidence.finite is not None and found.evidence.finite.max() < 0.1


def test_the_degree_is_chosen_and_a_cubic_is_found():
    x = np.random.default_rng(1).uniform(-1, 1, 600)
    found = ld.discover.cloud(noisy(np.stack([x, x**3], 1), 0.03, np.random.default_rng(2)), action=PLANE, route="auto")
    assert found.dim == 1 and found.similarity([1.0, 0, 0, 3.0, 0, 0]) > 0.99


@pytest.mark.parametrize("noise", [0.0, 0.05])
def test_a_curve_on_a_surface_is_not_taken_for_the_surface(noise):
    """A helix lies on a cylinder, which has five symmetries; it has one."""
    z, action = helix(np.random.default_rng(3), 500, noise), ld.points(ld.algebra.aff(3))
    levels = ld.discover.level_set(z, action=action, dictionary=ld.dictionary.polynomials(3, 2))
    assert levels.evidence.verdict == "cannot tell" and "look 1-dimensional" in levels.evidence.notes[0]
    found = ld.discover.cloud(z, action=action, route="auto")
    assert found.dim == 1 and found.similarity([0, -1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0.25]) > 0.99


@pytest.mark.parametrize("route", ROUTES)
def test_points_on_no_surface_show_nothing(route):
    random = np.random.default_rng(4)
    for z in (random.uniform(-1, 1, (500, 2)), random.exponential(size=(500, 2))):
        try:
            found = ld.discover.cloud(z, action=PLANE, route=route)
        except ValueError as refused:
            assert "fill their" in str(refused) or "no level set" in str(refused)
        else:
            assert found.dim == 0


def test_units_origin_and_order_of_columns_do_not_matter():
    random = np.random.default_rng(5)
    u = random.uniform(-1, 1, (500, 2))
    z = noisy(np.stack([*u.T, np.sum(u**2, axis=1)], axis=1), 0.03, random)
    action, order = ld.points(ld.algebra.aff(3)), [2, 0, 1]
    for points in (z, 1e3 * z + [1e4, -2e4, 5e3], 1e-3 * z[:, order]):
        found = ld.discover.cloud(points, action=action, route="auto")
        assert found.dim == 4 and "level set" in found.evidence.resolution_source


def test_functions_and_fields_of_your_own():
    """y = sin x is kept by d/dx + cos x d/dy."""
    x = np.random.default_rng(6).uniform(-3, 3, 400)
    z = noisy(np.stack([x, np.sin(x)], axis=1), 0.01, np.random.default_rng(7))
    waves = ld.dictionary.functions(
        [lambda z: 1.0 + 0 * z[0], lambda z: z[1], lambda z: jnp.sin(z[0]), lambda z: jnp.cos(z[0])], 2
    )
    fields = ld.action.fields([lambda z: jnp.array([1.0, jnp.cos(z[0])]), lambda z: jnp.array([1.0, 0.0])], 2)
    found = ld.discover.level_set(z, action=fields, dictionary=waves)
    assert found.dim == 1 and found.similarity([1.0, 0.0]) > 0.99
    assert ld.discover.cloud(z, action=fields, route="level set", dictionary=waves).dim == 1


def test_polynomial_fields_of_a_circle():
    """The rotation times 1, x and y; and two fields that vanish on the circle."""
    found = ld.discover.cloud(
        circle(np.random.default_rng(8), 500), action=ld.action.polynomial_fields(2, 2), route="level set"
    )
    assert (found.dim, len(found.ineffective)) == (3, 2)


def test_within_classes():
    """Noisy circles of two radii, told apart by a column: taken together they would be thick planes."""
    random = np.random.default_rng(9)
    label = random.integers(0, 2, 600)
    z = np.column_stack([circle(random, 600) * (1 + label)[:, None], label])
    z[:, :2] = noisy(z[:, :2], 0.03, random)
    action = PLANE + ld.scalars(PLANE.algebra, 1)
    for route in ("tangents", "level set"):
        found = ld.discover.cloud(z, action=action, route=route)
        assert found.dim == 1 and "within each of 2 classes" in found.evidence.resolution_source


def test_a_graph_with_a_class_among_its_inputs():
    random = np.random.default_rng(10)
    x, label = random.uniform(-1, 1, (900, 2)), random.integers(0, 3, 900)
    y, plane = np.sum(x**2, axis=1) * (1 + label), ld.algebra.gl(2)
    found = ld.discover.graph(
        np.column_stack([x, label]), y, source=ld.vectors(plane) + ld.scalars(plane, 1), target=ld.scalars(plane, 1)
    )
    assert found.dim == 1 and found.similarity([0, -1.0, 1.0, 0]) > 0.99


def test_the_distribution_of_points_that_fill_their_space():
    random = np.random.default_rng(11)
    normal = random.normal(size=(3000, 2)) @ np.array([[1, 0.5], [0, 0.3]]) + 5.0
    found = ld.discover.cloud(normal, action=PLANE, route="density")
    assert found.dim == 1 and "not told from points moved back" in found.evidence.notes[0]
    covariance = np.cov(normal.T)
    field = np.array([[0, 1], [-1, 0]]) @ np.linalg.inv(covariance)
    truth = np.concatenate([field.reshape(-1), -field @ normal.mean(axis=0)])
    assert found.similarity(truth) > 0.98
    bent = np.stack([normal[:, 0], normal[:, 0] ** 2 / 4 + random.normal(size=3000)], axis=1)
    assert ld.discover.cloud(bent, action=PLANE, route="density").dim == 0


def test_routes_are_checked():
    z = circle(np.random.default_rng(12), 200)
    with pytest.raises(
        ValueError, match=r"^route must be one of 'tangents', 'level set', 'density', 'auto', got 'fast'"
    ):
        ld.discover.cloud(z, action=PLANE, route="fast")  # pyright: ignore[reportArgumentType]
    with pytest.raises(ValueError, match=r"^dictionary is for route='level set' or 'auto'"):
        ld.discover.cloud(z, action=PLANE, dictionary=ld.dictionary.polynomials(2, 2))
    with pytest.raises(ValueError, match=r"^evidence: a certificate of a cloud is one of its tangent spaces"):
        ld.discover.cloud(z, action=PLANE, route="auto", evidence="certificate")
    with pytest.raises(ValueError, match="points are too few for the distribution in 2 columns"):
        ld.discover.cloud(z[:50], action=PLANE, route="density")


@pytest.mark.parametrize("route", ["level set", "auto"])
@pytest.mark.parametrize("spreads", [(1.0, 0.3), (1.0, 1.0, 0.2), (2.0, 0.5, 0.28, 0.15)])
def test_correlated_columns_lie_in_no_plane(spreads, route):
    """As those of Fisher's iris do not: normal points, with less spread in one direction than in the others."""
    for seed in range(3):
        random, n = np.random.default_rng(seed), len(spreads)
        z = random.normal(size=(300, n)) * spreads @ np.linalg.qr(random.normal(size=(n, n)))[0]
        with pytest.raises(ValueError, match=r"lie on no level set|fill their"):
            ld.discover.cloud(z, action=ld.points(ld.algebra.aff(n)), route=route)


def test_a_plane_with_a_little_noise_is_one():
    random = np.random.default_rng(0)
    z = random.normal(size=(400, 2)) @ np.array([[1.0, 0.0, 0.4], [0.0, 1.0, -0.3]]) + 0.03 * random.normal(
        size=(400, 3)
    )
    found = ld.discover.cloud(z, action=ld.points(ld.algebra.aff(3)), route="level set")
    assert found.dim == 6  # aff(2); what moves points across the plane by their distance from it moves none on it
