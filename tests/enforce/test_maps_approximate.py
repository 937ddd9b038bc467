"""Equivariant linear maps: measured generators, symmetries straight from discover, and bad input."""

import jax.numpy as jnp
import numpy as np
import pytest

from lieder import action, algebra, discover, enforce
from lieder.linalg import MatrixStack

SO3 = algebra.so(3)
V = action.vectors(SO3)


def _measured(g, noise, tolerance=1e-9, seed=0):
    """The algebra with every generator wrong by `noise`, acting on vectors."""
    exact = action.vectors(g).matrices().dense()
    near = np.pad(exact + noise * np.random.default_rng(seed).normal(size=exact.shape), ((0, 0), (0, 0), (0, 1)))
    # The record itself, since `algebra.matrices` refuses what is not closed within the tolerance.
    return action.vectors(algebra.LieAlgebra("user", g.names, MatrixStack.from_dense(near), tolerance=tolerance))


def _cosine(one, other):
    a, b = (found.dense().reshape(found.dim, -1) for found in (one, other))
    return np.linalg.svd(a @ b.T, compute_uv=False).min()


@pytest.mark.parametrize("g", [SO3, algebra.so(1, 3), algebra.sp(4)], ids=["so(3)", "so(1,3)", "sp(4)"])
def test_measured_generators(g):
    near, exact = _measured(g, 1e-3), action.vectors(g)
    for i, j in ((1, 1), (2, 2), (2, 0)):
        found = enforce.maps(near**i, near**j, tolerance=3e-2)
        known = enforce.maps(exact**i, exact**j)
        assert found.dim == known.dim
        assert _cosine(found, known) >= 0.9999
        assert max(found.residual(W) for W in found.dense()) <= 1e-2
        assert found.tolerance == 3e-2


def test_the_algebra_s_own_tolerance_is_the_default():
    near = _measured(SO3, 1e-3, tolerance=2e-2)
    assert enforce.maps(near * near, near).dim == 1
    assert enforce.maps(near * near, near).tolerance == 2e-2


def test_measured_generators_without_a_tolerance():
    near = _measured(SO3, 1e-3)
    with pytest.raises(ValueError, match=r"not closed.*closure defect 0\.00.*tolerance 1e-09.*measured"):
        enforce.maps(near, near)


def test_a_tolerance_that_splits_a_cluster():
    near = _measured(SO3, 1e-3)
    with pytest.raises(ValueError, match=r"tolerance=0\.003 does not part the singular values.*above it 0\.00"):
        enforce.maps(near * near, near * near, tolerance=3e-3)


@pytest.mark.parametrize("noise", [1e-3, 1e-2])
def test_a_discovered_symmetry_goes_straight_in(noise):
    """Rotations found in noisy values of a function of |x|; as many maps as so(3) has, with a tolerance."""
    rng = np.random.default_rng(1)
    x = rng.normal(size=(400, 3))
    square = np.sum(x**2, axis=1, keepdims=True)
    y = (1 + square) * (1 + noise * rng.normal(size=square.shape))
    gl = action.vectors(algebra.gl(3))
    found = discover.dataset(x, y, source=gl, target=action.scalars(gl.algebra), fit="polynomials(2)")
    assert found.dim == 3
    v = found.action
    for i, j in ((1, 1), (2, 1), (2, 2), (2, 0)):
        near, known = enforce.maps(v**i, v**j, tolerance=5e-2), enforce.maps(V**i, V**j)
        assert near.dim == known.dim
        assert _cosine(near, known) >= 0.999


def test_a_discovered_symmetry_of_a_model():
    """Found to rounding: the default tolerance does."""
    x = np.random.default_rng(0).normal(size=(50, 3))
    gl = action.vectors(algebra.gl(3))
    found = discover.function(lambda x: jnp.exp(-x @ x)[None], x, source=gl, target=action.scalars(gl.algebra))
    v = found.action
    near, known = enforce.maps(v * v, v), enforce.maps(V * V, V)
    assert near.dim == 1 and _cosine(near, known) >= 1 - 1e-10


def test_different_algebras():
    with pytest.raises(ValueError, match=r"different algebras.*so\(3\).*gl\(3\)"):
        enforce.maps(V, action.vectors(algebra.gl(3)))


def test_not_a_representation():
    with pytest.raises(TypeError, match=r"source must be a representation.*got ndarray"):
        enforce.maps(np.eye(3), V)
    with pytest.raises(TypeError, match=r"target must be a representation.*got LieAlgebra"):
        enforce.maps(V, SO3)


def test_points():
    points = action.points(algebra.se(3))
    v = action.vectors(points.algebra)
    with pytest.raises(TypeError, match=r"target.*is not linear.*Map to vectors"):
        enforce.maps(v, points)
    with pytest.raises(TypeError, match=r"source.*is not linear.*enforce\.homogeneous"):
        enforce.maps(points, v)
    with pytest.raises(TypeError, match=r"a point has no dual; use vectors"):
        enforce.maps(points.dual, v)
    with pytest.raises(TypeError, match=r"moves points, and a product needs linear actions"):
        enforce.maps(points * v, v)
    with pytest.raises(TypeError, match=r"is not affine: its fields are"):
        enforce.homogeneous(action.points(algebra.conformal(2)))


def test_no_coordinates():
    with pytest.raises(ValueError, match=r"count must be 1, 2, 3"):
        enforce.maps(action.scalars(SO3, 0), V)
    with pytest.raises(ValueError, match=r"width: expected at least 1, got 0"):
        enforce.maps(action.linear(SO3, np.zeros((3, 0, 0))), V)


def test_missing_generators():
    two = action.vectors(algebra.LieAlgebra("two", ("a", "b"), MatrixStack.from_dense(SO3.generators.dense()[:2])))
    with pytest.raises(ValueError, match=r"closure defect 0\.707.*generators are missing, close them"):
        enforce.maps(two, two)


def test_the_advice_on_missing_generators():
    two = SO3.generators.dense()[:2, :, :3]
    g = algebra.gl(3)
    rows, _ = g.closure(g.coordinates(two)[0])
    v = action.vectors(g.subalgebra(rows))
    assert enforce.maps(v * v, v).dim == 1


def test_matrices_that_are_none():
    with pytest.raises(ValueError, match=r"one square matrix a generator; got \(3, 3, 2\)"):
        action.linear(SO3, np.zeros((3, 3, 2)))
    with pytest.raises(ValueError, match=r"matrices hold NaN"):
        action.linear(SO3, np.full((3, 3, 3), np.nan))
    with pytest.raises(ValueError, match=r"pass a stack of square matrices"):
        algebra.matrices(np.zeros((3, 3, 2)))


@pytest.mark.parametrize("tolerance", [0.0, -1e-3, 1.0, 2.0, float("nan"), float("inf")])
def test_tolerances_out_of_range(tolerance):
    with pytest.raises(ValueError, match=r"tolerance must lie between 0 and 1, got"):
        enforce.maps(V, V, tolerance=tolerance)


def test_wrong_shapes():
    found = enforce.maps(V * V, V)
    with pytest.raises(ValueError, match=r"coefficients \(1,\) and one example x \(9,\), got .*\(5, 9\).*vmap"):
        found.apply(jnp.ones(1), jnp.ones((5, 9)))
    with pytest.raises(ValueError, match=r"coefficients \(1,\).*got \(2,\) and \(9,\)"):
        found.apply(jnp.ones(2), jnp.ones(9))
    with pytest.raises(ValueError, match=r"coefficients.*\(1,\).*\(2,\)"):
        found.matrix(jnp.ones(2))
    for method in (found.project, found.coefficients, found.residual):
        with pytest.raises(ValueError, match=r"W has shape \(9, 3\); maps from .* are matrices \(3, 9\)"):
            method(np.ones((9, 3)))
        with pytest.raises(ValueError, match=r"W holds NaN or infinite entries"):
            method(np.full((3, 9), np.nan))


def test_a_basis_that_does_not_fit():
    many = action.scalars(SO3, 1500)
    found = enforce.maps(many, many)
    assert found.dim == 1500**2
    with pytest.raises(ValueError, match=r"dense: a basis of 2250000 matrices \(1500, 1500\) takes 37718\.\d GiB"):
        found.dense()
    W = np.random.default_rng(0).normal(size=(1500, 1500))
    assert found.residual(W) == 0.0
    np.testing.assert_allclose(np.linalg.norm(found.coefficients(W)), np.linalg.norm(W), rtol=1e-12)
