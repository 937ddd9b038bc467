"""Labels without a law, or with a law under noise: nothing is claimed of the first, and the second is found."""

import jax.numpy as jnp
import numpy as np
import pytest
from sklearn.datasets import load_diabetes

import lieder as ld

AFFINE = ld.algebra.aff(3)


def normal(rows, seed):
    random = np.random.default_rng(seed)
    return random.normal(size=(rows, 3)), random.normal(size=rows)


def found(x, y, algebra=AFFINE, **named):
    return ld.discover.dataset(x, y, source=ld.points(algebra), target=ld.scalars(algebra), **named)


@pytest.mark.parametrize("rows", [2000, 10_000])
@pytest.mark.parametrize("seed", range(4))
def test_noise_has_no_symmetry_to_find(rows, seed):
    """A plane fitted to noise has eight affine symmetries of its own, whatever the noise."""
    x, noise = normal(rows, seed)
    s = found(x, noise, fit="polynomial")
    assert s.evidence.verdict == "cannot tell" and s.dim == 0
    assert "explains nothing" in " ".join(s.evidence.notes) and "explains nothing" in str(s)


def test_noise_has_none_whatever_the_family():
    x, noise = normal(600, 0)
    assert found(x, noise).evidence.verdict == "cannot tell"


@pytest.mark.parametrize("algebra", [AFFINE, ld.algebra.so(3), ld.algebra.t(3)], ids=["aff", "so", "t"])
@pytest.mark.parametrize("seed", range(4))
def test_a_constant_part_is_no_law(algebra, seed):
    x, noise = normal(2000, seed)
    assert found(x, 5 + noise, algebra, fit="polynomial").evidence.verdict == "cannot tell"


@pytest.mark.parametrize("columns", [[0, 1, 4], [2, 3, 8], [0, 4, 5]])
def test_three_columns_of_diabetes(columns):
    data = load_diabetes()
    s = found(data.data[:, columns], data.target, fit="polynomial")
    assert s.evidence.verdict != "symmetries"


def test_a_linear_law_under_noise_is_found():
    x, noise = normal(2000, 0)
    s = found(x, x[:, 0] - 2 * x[:, 1] + noise, fit="polynomial")
    assert s.evidence.verdict == "symmetries" and s.dim == 8
    assert s.defect([0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 1, 0]) < 0.1
    assert "The family brings as many itself" in str(s).replace("\n", " ").replace("┃ ┃", "")


def test_a_law_that_the_family_does_not_bring_is_not_blamed_on_it():
    x, noise = normal(2000, 1)
    rotations = ld.algebra.so(3)
    s = found(x, np.sum(x**2, axis=1) + 0.1 * noise, rotations, fit="polynomial(2)")
    assert s.dim == 3 and s.evidence.notes == ()


def test_an_output_of_noise_beside_one_with_a_law():
    x, noise = normal(2000, 2)
    translations = ld.algebra.t(3)
    y = np.stack([x[:, 0], noise], axis=1)
    s = ld.discover.dataset(x, y, source=ld.points(translations), target=ld.scalars(translations, 2), fit="polynomial")
    assert s.evidence.verdict == "cannot tell" and "explains nothing of y1" in str(s)


def test_resolution_is_that_of_the_defect():
    """Defects of exact symmetries under noise lie about as high as the resolution says, and those of the rest above."""
    below, above = [], []
    for seed in range(6):
        x, noise = normal(500, seed)
        s = found(x, np.sum(x**2, axis=1) + 0.3 * noise, ld.algebra.gl(3), fit="polynomial(2)")
        assert s.evidence.resolutions is not None
        ratios = s.defects / s.evidence.resolutions
        below, above = [*below, *ratios[:3]], [*above, *ratios[3:]]
    assert 0.05 < np.median(below) < 3 and np.max(below) < 5 and np.min(above) > 5


def test_one_direction_is_known_and_another_is_not():
    """The column that says nothing moves so little that its own slope is noise."""
    random = np.random.default_rng(4)
    x = random.normal(size=(400, 2))
    translations = ld.algebra.t(2)
    s = ld.discover.dataset(
        x,
        x[:, 0] + random.normal(size=400),
        source=ld.points(translations),
        target=ld.scalars(translations),
        fit="polynomial(1)",
    )
    assert s.evidence.resolutions is not None
    assert s.dim == 1 and s.evidence.resolutions[0] < 0.15


# The decision


def decided(defects, **named):
    named = {"resolution": 1e-2, "resolution_source": "", **named}
    return ld.discover._evidence.decide(np.array(defects), **named)


def test_what_is_resolved_is_no_symmetry_however_large_the_next_defect_is():
    dim, evidence = decided([0.0004, 0.0005, 0.0033, 0.072, 0.074, 0.082])
    assert dim == 3 and evidence.gap == pytest.approx(7.2)
    assert decided([0.0004, 0.09])[0] == 1
    dim, evidence = decided([0.06, 0.061])
    assert dim == 0 and evidence.verdict == "no symmetry"


def test_small_steps_above_the_resolution_are_no_gap():
    dim, evidence = decided([0.0004, 0.0005, 0.0033, 0.012, 0.03, 1.0])
    assert evidence.verdict == "symmetries" and dim == 5 and evidence.gap > 30


def test_each_direction_has_its_own_resolution():
    assert decided([0.001, 0.002, 0.9], resolution=np.array([1e-3, 0.5, 1e-3]))[1].verdict == "cannot tell"
    assert decided([0.001, 0.002, 0.9], resolution=np.array([1e-3, 1e-3, 0.5]))[0] == 2
    assert decided([0.2, 0.9], resolution=np.array([0.1, 1e-3]))[1].verdict == "cannot tell"


# The finite check


def test_the_finite_check_can_veto():
    evidence = decided([0.001, 0.002, 0.9])[1]
    contradicted = ld.discover._conclude.contradicted
    assert contradicted(np.array([0.17, 0.01]), np.array([0.001, 0.002]), evidence)
    assert not contradicted(np.array([0.04, np.nan]), np.array([0.001, 0.002]), evidence)


def test_what_a_finite_move_contradicts_is_not_claimed():
    """The rows sit on the crests of a wave: to first order nothing changes along it, after a move it does."""
    random = np.random.default_rng(0)
    crests = (random.integers(-20, 20, 400) + 0.5) * np.pi / 3
    x = np.stack([crests, random.normal(size=400)], axis=1)
    translations = ld.points(ld.algebra.t(2))
    s = ld.discover.function(lambda z: 5 * jnp.sin(3 * z[0]) + z[1], x, source=translations)
    assert s.evidence.gap > 1e6 and s.defects[0] < 1e-11
    assert s.evidence.verdict == "cannot tell" and s.dim == 0
    assert s.evidence.finite is not None and s.evidence.finite.max() > 0.1
    assert "the finite check contradicts 1 symmetry" in " ".join(str(s).replace("┃", " ").split())


# Repetition


def test_repetitions_with_other_effective_directions_count_as_other_answers():
    """The third coordinate moves in one part of the rows only: without it two of three shifts have no effect."""
    random = np.random.default_rng(0)
    x = random.normal(size=(800, 2))
    x[100:, 1] = 0.0
    s = ld.discover.function(lambda z: z[0] ** 2 + z[1], x, source=ld.vectors(ld.algebra.gl(2)))
    assert s.evidence.confidence is not None and s.evidence.confidence <= 7 / 8
