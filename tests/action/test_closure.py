"""Fields closed under their brackets: known algebras, and what has no end."""

import jax.numpy as jnp
import numpy as np
import pytest

import lieder as ld
from lieder import action, algebra

random = np.random.default_rng(0)
LINE, PLANE = random.normal(size=(60, 1)), random.normal(size=(60, 2))
ANGLES = np.stack([random.uniform(0.5, 2.6, 60), random.uniform(-3, 3, 60)], axis=1)


def two_of(a, rows):
    return a.restrict(np.array(rows, float), algebra.Span("some", tuple(f"s{k}" for k in range(len(rows)))))


@pytest.mark.parametrize(
    ("fields", "points", "names", "expected", "name"),
    [
        (
            two_of(action.polynomial_fields(1, 2), [[1, 0, 0], [0, 0, 1]]),
            LINE,
            ["x"],
            ["d/dx", "x^2 d/dx", "x d/dx"],
            "sl(2)",
        ),
        (action.points(algebra.se(2)), PLANE, ["x", "y"], None, "se(2)"),
        (
            action.fields([lambda z: jnp.ones(1), lambda z: jnp.sin(z)], 1),
            LINE,
            ["x"],
            ["d/dx", "sin(x) d/dx", "cos(x) d/dx"],
            "sl(2)",
        ),
        (
            action.fields(
                [
                    lambda z: jnp.stack([0 * z[0], jnp.ones(())]),
                    lambda z: jnp.stack([jnp.sin(z[1]), jnp.cos(z[1]) / jnp.tan(z[0])]),
                ],
                2,
            ),
            ANGLES,
            ["a", "b"],
            ["d/db", "sin(b) d/da + (cos(b)/tan(a)) d/db", "cos(b) d/da - (sin(b)/tan(a)) d/db"],
            "so(3)",
        ),
    ],
)
def test_brackets_complete_an_algebra(fields, points, names, expected, name):
    whole = action.closure(fields, points)
    assert whole.closed and whole.given == fields.algebra.dim and whole.identify() == name
    assert "closed, every bracket is a combination" in str(whole)
    if expected:
        assert whole.fields(names) == expected
    assert action.bracket_constants(whole.action, points)[1] < 1e-10


def test_what_commutes_with_a_rotation_has_no_end():
    """Any function of r^2 times rotation and scaling: each bracket has a higher degree than all before."""
    found = ld.discover.vector_field(
        lambda z: jnp.stack([-z[1], z[0]]), PLANE, action=action.polynomial_fields(2, 3), names=["x", "y"]
    )
    whole = action.closure(found.action, found.points, most=8)
    assert not whole.closed and (whole.given, whole.dim) == (4, 8)
    assert "is one more field, beyond the 8 that were asked for" in whole.reason
    assert whole.identify().startswith("a space of dimension 8 that is not closed: the bracket of")
    # What comes besides are symmetries too: they commute with the rotation.
    turn = action.points(algebra.so(2))
    both = action.fields([lambda z: turn.fields(z)[0], lambda z: whole.action.fields(z)[7]], 2)
    constants, _ = action.bracket_constants(both, PLANE)
    assert np.abs(constants).max() < 1e-8


def test_a_bracket_that_is_infinite_somewhere():
    root = action.fields([lambda z: jnp.ones(1), lambda z: jnp.abs(z) ** 0.5], 1)
    points = np.append(LINE, [[0.0]], axis=0)
    assert "not finite at every point" in action.closure(root, points).reason


@pytest.mark.parametrize(
    ("points", "most", "message"),
    [
        (PLANE[:, :1], 24, r"points must have shape \(N, 2\)"),
        (PLANE[:4], 24, "4 points cannot tell 24 fields apart; give at least 24"),
        (PLANE, 2, "most must be at least the number of generators, of which there are 3, got 2"),
    ],
)
def test_bad_input_in_words(points, most, message):
    with pytest.raises(ValueError, match=message):
        action.closure(action.points(algebra.se(2)), points, most)
