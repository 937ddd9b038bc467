"""What was found as an algebra: commuting generators, many of them, noisy ones; and how it is written."""

import jax.numpy as jnp
import numpy as np
import pytest

import lieder as ld

RNG = np.random.default_rng(0)
X = RNG.normal(size=(200, 4))
GENERIC = RNG.normal(size=(4, 4))
TWO = np.kron(np.diag([1.0, np.sqrt(2.0)]), [[0.0, 1.0], [-1.0, 0.0]])


# Commuting symmetries: their brackets are nothing but rounding.


@pytest.mark.parametrize(
    "matrix, dim",
    [(np.diag([-1.0, -2.0, -3.0]), 3), (GENERIC[:3, :3], 3), (GENERIC, 4), (TWO, 4)],
    ids=["diagonal", "generic 3", "generic 4", "two oscillators"],
)
@pytest.mark.parametrize("unit", [1.0, 1e3, 1e-3])
def test_linear_systems_commute_with_themselves(matrix, dim, unit):
    n = len(matrix)
    g = ld.algebra.gl(n)
    s = ld.discover.vector_field(lambda z: jnp.asarray(matrix) @ z, unit * X[:, :n], action=ld.vectors(g))
    assert s.dim == dim and s.identify() == f"R^{dim}"
    np.testing.assert_array_equal(s.algebra.constants, np.zeros((dim,) * 3))


def test_scaling_laws_commute():
    g, h = ld.algebra.scalings(3), ld.algebra.scalings(1)
    source, target = ld.action.independent(ld.vectors(g), ld.vectors(h))
    s = ld.discover.function(lambda x: x[0] * x[1] * x[2], np.abs(X[:, :3]) + 0.5, source=source, target=target)
    assert s.dim == 3 and s.identify() == "R^3"


@pytest.mark.parametrize("noise", [0.01, 0.1])
def test_noisy_commuting_symmetries_are_an_algebra_again(noise):
    y = X[:, :3] @ np.diag([-1.0, -2.0, -3.0])
    y = y + noise * y.std() * np.random.default_rng(1).normal(size=y.shape)
    g = ld.algebra.gl(3)
    s = ld.discover.dataset(X[:, :3], y, source=ld.vectors(g), target=ld.vectors(g), fit="polynomial(1)")
    assert s.dim == 3 and s.identify() == "R^3"
    assert s.action.algebra == s.algebra


# Many


def test_more_than_forty_found_symmetries_have_their_brackets():
    x = np.random.default_rng(1).normal(size=(300, 11))
    s = ld.discover.function(lambda z: z @ z, x, source=ld.points(ld.algebra.aff(11)))
    assert s.dim == 55 and s.evidence.closure is not None and s.evidence.closure < 1e-12
    assert np.linalg.matrix_rank(s.algebra.killing(), tol=1e-6) == 55  # so(11) is semisimple; R^55 has no Killing form
    assert "semisimple" in s.identify() and "R^" not in str(s)


# How it is written


@pytest.mark.parametrize("ratio", [10.0, 100.0, 1000.0])
def test_a_printed_field_is_the_one_that_was_accepted(ratio):
    """x^2 + (ratio y)^2 with y as thin: both terms of its turn count alike, whatever their coefficients."""
    z = np.column_stack([X[:, 0], X[:, 1] / ratio])
    s = ld.discover.function(lambda p: p[0] ** 2 + (ratio * p[1]) ** 2, z, source=ld.vectors(ld.algebra.gl(2)))
    assert s.dim == 1
    (text,) = s.fields(["x", "y", "f"])
    assert "d/dx" in text and "d/dy" in text
    assert f"{1 / ratio**2:g} x d/dy - y d/dx" == text or f"x d/dy - {ratio**2:g} y d/dx" == text


def test_nearly_a_whole_number_is_not_written_as_one():
    s = ld.discover.function(lambda p: p[0] ** 2 + 1.0004 * p[1] ** 2, X[:, :2], source=ld.vectors(ld.algebra.gl(2)))
    assert "0.9996" in s.fields()[0] or "1.0004" in s.fields()[0]


def test_small_terms_without_meaning_are_left_out():
    y = (X[:, :2] ** 2).sum(axis=1) + 0.01 * np.random.default_rng(1).normal(size=200)
    g = ld.algebra.gl(2)
    s = ld.discover.dataset(
        X[:, :2], y, source=ld.vectors(g), target=ld.scalars(g), fit="polynomial(2)", names=["x", "y"]
    )
    assert s.fields() == ["x d/dy - y d/dx"]


# Comparison


def test_similarity_needs_as_many_directions_as_the_reference():
    s = ld.discover.function(lambda z: z @ z, X[:, :3], source=ld.points(ld.algebra.se(3)))
    turns = np.eye(6)[:3]
    assert s.dim == 3 and s.similarity(turns) > 1 - 1e-12
    assert s.similarity(turns, dim=2) == 0.0
    assert s.similarity(np.concatenate([turns, turns[:1] + turns[1:2]])) > 1 - 1e-12
    with pytest.raises(ValueError, match=r"dim must lie in 0\.\.6"):
        s.similarity(turns, dim=7)
