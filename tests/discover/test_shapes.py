"""Clouds and graphs of known shapes: right, or "cannot tell", at every number of rows and noise."""

import numpy as np
import pytest

import lieder as ld

PLANE, SPACE = ld.algebra.gl(2), ld.algebra.aff(3)


def noisy(points, noise, rng):
    return points + noise * np.sqrt(np.mean((points - points.mean(axis=0)) ** 2)) * rng.normal(size=points.shape)


def swelling(count, noise=0.0, seed=0):
    """x (1 + |x|^2) under gl(2): the rotation alone."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(-1, 1, size=(count, 2))
    pairs = noisy(np.concatenate([x, x * (1 + np.sum(x**2, axis=1, keepdims=True))], axis=1), noise, rng)
    return ld.discover.graph(pairs[:, :2], pairs[:, 2:], source=ld.vectors(PLANE), target=ld.vectors(PLANE))


def cubic(count, noise=0.0, seed=0):
    """x + y^3 under gl(2): nothing."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(-1, 1, size=(count, 2))
    pairs = noisy(np.stack([*x.T, x[:, 0] + x[:, 1] ** 3], axis=1), noise, rng)
    return ld.discover.graph(pairs[:, :2], pairs[:, 2:], source=ld.vectors(PLANE), target=ld.scalars(PLANE))


def cylinder(rng, count):
    angle, height = rng.uniform(0, 2 * np.pi, count), rng.uniform(-1, 1, count)
    return np.stack([np.cos(angle), np.sin(angle), height], axis=1)


@pytest.mark.parametrize("count", [300, 1000, 2000])
def test_a_swelling_map_has_the_rotation_at_any_number_of_rows(count):
    found = swelling(count)
    assert (found.evidence.verdict, found.dim) == ("symmetries", 1)
    assert found.similarity([0.0, -1.0, 1.0, 0.0]) > 0.999


@pytest.mark.parametrize("count", [300, 1000])
def test_a_cubic_without_symmetry_has_none(count):
    found = cubic(count)
    assert found.evidence.verdict == "no symmetry"
    assert found.evidence.resolution < 0.05 and 0.15 < found.defects[0] < 0.25


@pytest.mark.parametrize("make", [swelling, cubic])
@pytest.mark.parametrize("noise", [0.01, 0.05])
def test_noise_makes_no_wrong_answer(make, noise):
    right = {swelling: ("symmetries", 1), cubic: ("no symmetry", 0)}[make]
    answers = [
        (s.evidence.verdict, s.dim) for s in (make(count, noise, seed) for count in (300, 1000) for seed in (0, 1))
    ]
    assert set(answers) <= {right, ("cannot tell", 0)}
    assert noise > 0.01 or answers.count(right) >= 3


def test_the_defect_of_a_symmetry_is_of_the_size_of_its_resolution_and_falls_with_more_rows():
    defects = []
    for count in (300, 1000, 4000):
        found = swelling(count, 0.01)
        defects.append(found.defects[0])
        assert found.evidence.resolutions is not None
        assert 0.2 < found.defects[0] / found.evidence.resolutions[0] < 3
    assert defects == sorted(defects, reverse=True)


def test_fields_that_vanish_on_the_surface_are_ineffective_with_noise_too():
    rng = np.random.default_rng(3)
    frame = np.linalg.qr(rng.normal(size=(4, 2)))[0]
    flat = rng.uniform(-1, 1, size=(1000, 2)) @ frame.T + [0.3, -0.2, 0.1, 0.5]
    for noise in (0.0, 0.02):
        found = ld.discover.cloud(noisy(flat, noise, rng), action=ld.points(ld.algebra.aff(4)))
        # Of 20 fields 8 vanish on the plane, 6 move it in itself.
        assert (found.dim, len(found.ineffective), len(found.defects)) == (6, 8, 12)


def test_points_moved_beyond_the_edge_do_not_speak_against_a_symmetry():
    rng = np.random.default_rng(4)
    found = ld.discover.cloud(noisy(cylinder(rng, 2000), 0.02, rng), action=ld.points(SPACE))
    assert found.dim == 5
    assert found.evidence.finite is not None and np.nanmax(found.evidence.finite) < 0.1


@pytest.mark.parametrize("dimension", [1, 2])
@pytest.mark.parametrize("noise", [0.0, 0.03])
def test_a_wrong_dimension_ends_in_cannot_tell(dimension, noise):
    rng = np.random.default_rng(5)
    if dimension == 1:
        z = cylinder(rng, 1500)
    else:
        t = rng.uniform(0, 2 * np.pi, 1500)
        z = np.stack([np.cos(t) + 2 * np.cos(2 * t), np.sin(t) - 2 * np.sin(2 * t), np.sin(3 * t)], axis=1)
    found = ld.discover.cloud(noisy(z, noise, rng), action=ld.points(SPACE), dimension=dimension)
    assert found.evidence.verdict == "cannot tell"
    assert f"no neighbourhood of the data looks like a surface of dimension {dimension}" in str(found)


def test_a_noisy_helix_taken_for_a_surface_ends_in_cannot_tell():
    for count in (300, 1000):
        for seed in range(4):
            rng = np.random.default_rng(seed)
            t = rng.uniform(-2 * np.pi, 2 * np.pi, count)
            z = noisy(np.stack([np.cos(t), np.sin(t), t / 4], axis=1), 0.05, rng)
            assert ld.discover.cloud(z, action=ld.points(SPACE), dimension=2).evidence.verdict == "cannot tell"


def test_the_number_of_neighbours_can_be_given():
    rng = np.random.default_rng(6)
    z = rng.normal(size=(800, 3))
    z /= np.linalg.norm(z, axis=1, keepdims=True)
    found = ld.discover.cloud(z, action=ld.points(SPACE), neighbours=40)
    assert found.dim == 3 and found.identify() == "so(3)"
    assert "40 neighbours" in found.evidence.resolution_source
