"""Nonlinear candidates from end to end: found, written, closed under brackets or not, and flown."""

import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose

import lieder as ld

random = np.random.default_rng(0)
cubic = ld.action.polynomial_fields(1, 3)


def cross_ratio(p):
    return (p[0] - p[2]) * (p[1] - p[3]) / ((p[0] - p[3]) * (p[1] - p[2]))


def test_fractional_linear_maps_of_the_line():
    """The cross-ratio of four points keeps sl(2) among cubic fields that move all four alike."""
    x = np.sort(random.uniform(-1, 1, (60, 4)), axis=1) + 0.7 * np.arange(4)
    found = ld.discover.function(cross_ratio, x, source=4 * cubic, names=["a", "b", "c", "d"])
    assert found.identify() == "sl(2)" and np.nanmax(found.evidence.finite) < 1e-10
    assert found.fields() == [
        "d/da + d/db + d/dc + d/dd",
        "a d/da + b d/db + c d/dc + d d/dd",
        "a^2 d/da + b^2 d/db + c^2 d/dc + d^2 d/dd",
    ]
    moved = ld.action.flow(4 * cubic, jnp.asarray([0.0, 0.0, 0.2, 0.0]), jnp.asarray(x[0]))
    assert_allclose(moved, x[0] / (1 - 0.2 * x[0]), rtol=1e-9)
    assert_allclose(cross_ratio(moved), cross_ratio(x[0]), rtol=1e-8)


def test_a_flow_that_leaves_the_line_ends_at_infinity():
    assert jnp.isinf(ld.action.flow(cubic, jnp.asarray([0.0, 0.0, 1.0, 0.0]), jnp.asarray([0.5]), 3.0)).all()


@pytest.mark.slow
def test_turns_of_the_sphere_in_stereographic_coordinates():
    """Flows of the found fields are the turns of space, seen from the pole."""

    def onto_plane(p):
        return p[..., :2] / (1 - p[..., 2:])

    def onto_sphere(w):
        size = np.sum(w**2, axis=-1, keepdims=True)
        return np.concatenate([2 * w, size - 1], axis=-1) / (size + 1)

    plane = random.normal(size=(60, 2))
    metric = lambda w: 4 * jnp.eye(2) / (1 + w @ w) ** 2  # noqa: E731
    found = ld.discover.section(metric, plane, action=ld.action.polynomial_fields(2, 2), kind="metric")
    assert found.identify() == "so(3)"
    moved = ld.action.moved(found.action, np.eye(3), plane[:10], np.full(3, 0.3))
    before = onto_sphere(plane[:10])
    for after in onto_sphere(moved):
        turn = np.linalg.lstsq(before, after, rcond=None)[0]
        assert_allclose(turn.T @ turn, np.eye(3), atol=1e-8)
        assert_allclose(before @ turn, after, atol=1e-8)
    assert_allclose(onto_plane(before), plane[:10], rtol=1e-9)


def test_symmetries_whose_brackets_leave_the_family_are_no_algebra(tmp_path):
    """What commutes with a rotation: any function of r^2 times rotation and scaling. Cubic ones do not close."""
    found = ld.discover.vector_field(
        lambda z: jnp.stack([-z[1], z[0]]),
        random.normal(size=(60, 2)),
        action=ld.action.polynomial_fields(2, 3),
        names=["x", "y"],
    )
    assert found.dim == 4 and isinstance(found.algebra, ld.algebra.Span)
    words = "a space of dimension 4 that is not closed: the bracket of 3 and 4 is a symmetry beyond the candidates"
    assert found.identify() == words and words.partition(":")[2] in " ".join(str(found).replace("┃", "").split())
    assert [text.count("^3") for text in found.fields()] == [0, 0, 2, 2]  # 3 and 4 are the cubic ones
    assert ld.Symmetries.load(found.save(tmp_path / "found.npz")).algebra == found.algebra


def test_closed_symmetries_of_the_same_family_are_an_algebra():
    """The same flow, damped by a cubic: rotation and the flow itself."""

    def hopf(z):
        r2 = z @ z
        return jnp.stack([z[0] - z[1] - z[0] * r2, z[0] + z[1] - z[1] * r2])

    states = random.normal(size=(60, 2))
    found = ld.discover.vector_field(hopf, states, action=ld.action.polynomial_fields(2, 3))
    assert found.dim == 2 and found.identify() == "R^2"


def test_the_users_own_dictionary_of_fields():
    """Hyperbolic turns of the strip, written with the user's functions: a metric that only they keep."""
    named = {
        "1": lambda z: jnp.ones(()),
        "e^x": lambda z: jnp.exp(z[0]),
        "e^-x": lambda z: jnp.exp(-z[0]),
        "y": lambda z: z[1],
    }
    metric = lambda z: jnp.diag(jnp.stack([jnp.ones(()), jnp.exp(2 * z[0])]))  # noqa: E731
    points = random.normal(size=(60, 2)) / 2
    for count, dim in ((3, 1), (4, 2)):  # d/dy alone; d/dx - y d/dy needs the function y
        own = ld.dictionary.functions(list(named.values())[:count], 2, names=list(named)[:count])
        found = ld.discover.section(metric, points, action=ld.action.dictionary_fields(own), kind="metric")
        assert found.dim == dim
