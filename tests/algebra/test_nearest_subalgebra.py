"""Measured elements of an algebra, moved to the nearest subalgebra."""

import numpy as np
import pytest

import lieder as ld


def closed(g, rows):
    """The largest part of a bracket of two orthonormal combinations outside their span."""
    frame = np.linalg.qr(rows.T)[0].T
    i, j = np.triu_indices(len(frame), 1)
    images = g.bracket(frame[i], frame[j])
    return np.abs(images - images @ frame.T @ frame).max(initial=0.0)


def about(centre):
    """so(n) about a point, in se(n)."""
    n = len(centre)
    g = ld.algebra.se(n)
    rows = np.eye(g.dim)[: n * (n - 1) // 2]
    moved = g.generators.dense()[: len(rows)]
    shifted = moved.copy()
    shifted[:, :, n] = -moved[:, :, :n] @ centre
    return g, g.coordinates(shifted)[0]


@pytest.mark.parametrize("noise", [1e-4, 1e-2, 0.1])
def test_rotations_about_a_point_are_closed_again(noise):
    g, exact = about(np.array([0.3, -0.7, 0.2, 0.5]))
    rng = np.random.default_rng(0)
    measured = exact + noise * rng.normal(size=exact.shape) / np.sqrt(g.dim)
    rows, left, turned = g.nearest_subalgebra(measured)
    assert closed(g, measured) > 0.05 * noise
    assert left < 1e-10 and closed(g, rows) < 1e-9
    assert turned < 3 * noise
    # The rotations are about some point again, which a generic space of this dimension is not.
    assert ld.algebra.se(4).subalgebra(rows, tolerance=1e-8).identify() == "so(4)"


def test_closed_rows_stay_and_what_the_metric_does_not_see_too():
    g, exact = about(np.array([0.3, -0.7, 0.2]))
    rows, left, turned = g.nearest_subalgebra(exact)
    np.testing.assert_allclose(rows, exact, atol=1e-12)
    assert left < 1e-12 and turned < 1e-9
    metric = np.eye(6)[:5]  # translations along z are not seen
    rows, left, _ = g.nearest_subalgebra(np.eye(6)[:3] + 0.01 * np.eye(6)[3:], metric)
    assert left < 1e-10


def test_units_of_the_candidates_do_not_matter():
    g, exact = about(np.array([0.3, -0.7, 0.2]))
    measured = exact + 0.01 * np.random.default_rng(1).normal(size=exact.shape)
    unit = np.array([1.0, 1.0, 1.0, 1e3, 1e3, 1e3])
    h = ld.algebra.LieAlgebra("in millimetres", g.names, g.generators.combine(np.diag(unit)))
    one = g.nearest_subalgebra(measured, np.eye(6))[0]
    two = h.nearest_subalgebra(measured / unit, np.diag(unit))[0]
    np.testing.assert_allclose(two * unit, one, atol=1e-9)


def test_bad_rows_and_metric():
    g = ld.algebra.so(3)
    with pytest.raises(ValueError, match="rows: 2 elements that are linearly dependent"):
        g.nearest_subalgebra([[1, 0, 0], [2, 0, 0]])
    with pytest.raises(ValueError, match=r"metric must be finite of shape \(s, 3\), got shape \(2, 2\)"):
        g.nearest_subalgebra([[1, 0, 0]], np.eye(2))
