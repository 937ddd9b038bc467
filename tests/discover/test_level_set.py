"""Clouds described by functions that vanish on them, beside tangent spaces."""

import numpy as np
import pytest

import lieder as ld

AFFINE = ld.points(ld.algebra.aff(2))


def ellipse(rows: int, noise: float, seed: int = 0) -> np.ndarray:
    """Points of (x - 1)^2 + 4 (y + 1)^2 = 1."""
    random = np.random.default_rng(seed)
    angle = random.uniform(0, 2 * np.pi, rows)
    points = np.stack([1 + np.cos(angle), -1 + np.sin(angle) / 2], axis=1)
    return points + noise * random.standard_normal(points.shape)


TURN = np.array([0.0, 2.0, -0.5, 0.0, 2.0, 0.5])  # 2 (y + 1) d/dx - (x - 1)/2 d/dy


@pytest.mark.parametrize(("noise", "least"), [(0.0, 1 - 1e-12), (0.01, 0.999)])
def test_ellipse(noise, least):
    s = ld.discover.level_set(ellipse(400, noise), action=AFFINE, dictionary=ld.dictionary.polynomials(2, 2))
    assert s.dim == 1 and s.similarity(TURN) >= least
    assert "1 of 6 functions vanish" in s.evidence.model


def test_tangent_spaces_agree():
    points = ellipse(400, 0.0)
    s = ld.discover.cloud(points, action=AFFINE)
    assert s.dim == 1 and s.similarity(TURN) > 0.999


def test_a_curve_kept_by_a_quadratic_field():
    """y = x^2 is kept by d/dx + 2 x d/dy and by x d/dx + 2 y d/dy, and times functions that vanish on it by
    anything."""
    x = np.random.default_rng(1).uniform(-1, 1, 300)
    s = ld.discover.level_set(
        np.stack([x, x**2], 1), action=AFFINE, dictionary=ld.dictionary.polynomials(2, 2), names=["x", "y"]
    )
    assert s.dim == 2 and s.identify() == "aff(1)"
    assert set(s.fields()) == {"1/2 d/dx + x d/dy", "1/2 x d/dx + y d/dy"}


def test_a_cloud_that_is_no_level_set_is_refused():
    points = np.random.default_rng(2).normal(size=(300, 2))
    with pytest.raises(ValueError, match="stands apart as vanishing"):
        ld.discover.level_set(points, action=AFFINE, dictionary=ld.dictionary.polynomials(2, 2))
    with pytest.raises(ValueError, match="some function always vanishes"):
        turn = ld.vectors(ld.algebra.so(2))  # one candidate: five rows are enough for it, not for six functions
        ld.discover.level_set(points[:5], action=turn, dictionary=ld.dictionary.polynomials(2, 2))
    with pytest.raises(ValueError, match="functions of 3 variables"):
        ld.discover.level_set(points, action=AFFINE, dictionary=ld.dictionary.polynomials(3, 2))
