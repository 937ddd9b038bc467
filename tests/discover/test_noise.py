"""Labels without a law, or with a law under noise: nothing is claimed of the first, and the second is found."""

import re

import equinox as eqx
import jax.numpy as jnp
import numpy as np
import pytest
from sklearn.datasets import load_diabetes
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import LinearRegression

import lieder as ld
from lieder.sampling import RowDraws

AFFINE = ld.algebra.aff(3)


def normal(rows, seed):
    random = np.random.default_rng(seed)
    return random.normal(size=(rows, 3)), random.normal(size=rows)


def found(x, y, algebra=AFFINE, **named):
    return ld.discover.dataset(x, y, source=ld.points(algebra), target=ld.scalars(algebra), **named)


def shown(s) -> str:
    return " ".join(re.sub("[┃│]", " ", str(s)).split())


@pytest.mark.parametrize("rows", [2000, 10_000])
@pytest.mark.parametrize("seed", range(4))
def test_noise_has_no_symmetry_to_find(rows, seed):
    """A plane fitted to noise has eight affine symmetries of its own, whatever the noise."""
    x, noise = normal(rows, seed)
    s = found(x, noise, fit="polynomial")
    assert s.evidence.verdict == "cannot tell" and s.dim == 0
    assert "explains nothing" in " ".join(s.evidence.notes) and "explains nothing" in shown(s)


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
    assert "The family brings as many itself" in shown(s)


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
    assert s.evidence.verdict == "cannot tell" and "explains nothing of y1" in shown(s)


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


@pytest.mark.parametrize("outlier", [(10.0, 3.0), (1000.0, 300.0)])
def test_one_row_far_away_that_obeys_the_law_does_not_turn_the_answer(outlier):
    x = np.concatenate([np.random.default_rng(0).uniform(-1, 1, (400, 2)), [outlier]])
    plane = ld.algebra.gl(2)
    s = ld.discover.dataset(
        x, np.sum(x**2, axis=1), source=ld.vectors(plane), target=ld.scalars(plane), fit="polynomial"
    )
    assert s.dim == 1 and s.similarity([0.0, -1.0, 1.0, 0.0]) > 1 - 1e-6


# The routes


def jets(rows=1200):
    """u, u_x, u_xx and u_t = .1 u_xx - u u_x on waves of two parameters: rows near a surface in three dimensions."""
    random = np.random.default_rng(0)
    place, time = random.uniform(-2, 2, rows), random.uniform(0.5, 2, rows)
    u = np.exp(-(place**2) / time)
    slope = -2 * place / time * u
    curve = (4 * place**2 / time**2 - 2 / time) * u
    return np.stack([u, slope, curve], axis=1), 0.1 * curve - u * slope


def test_a_polynomial_that_is_determined_is_taken_before_a_graph():
    x, y = jets()
    s = found(x, y * (1 + 1e-6 * np.random.default_rng(1).normal(size=len(y))))
    assert "polynomial ridge, degree 2" in s.evidence.model
    exact = ld.discover.function(lambda z: 0.1 * z[2] - z[0] * z[1], x, source=ld.points(AFFINE))
    assert s.dim == exact.dim == 3 and s.similarity(exact.generators) > 0.999


# Models from elsewhere


def relu_network(x, y):
    """One hidden layer of kinks: their places at random, their heights by least squares."""
    random = np.random.default_rng(0)
    weights, shifts = random.normal(size=(200, 2)), random.uniform(-1.5, 1.5, 200)
    heights = np.linalg.lstsq(np.maximum(x @ weights.T + shifts, 0), y, rcond=1e-6)[0]
    return lambda z: jnp.maximum(weights @ z + shifts, 0) @ heights


PLANE = ld.vectors(ld.algebra.gl(2))


def rings(rows, seed):
    x = np.random.default_rng(seed).uniform(-1, 1, (rows, 2))
    return x, np.sum(x**2, axis=1)


def test_a_network_of_kinks_is_known_as_well_as_its_derivative_is_smooth():
    network = relu_network(*rings(1000, 0))
    x, y = rings(600, 1)
    s = ld.discover.function(network, x, source=PLANE)
    assert s.evidence.verdict == "symmetries" and s.dim == 1
    assert s.similarity([0.0, -1.0, 1.0, 0.0]) > 0.99 and "linear in many pieces" in s.evidence.resolution_source
    assert 0.2 < s.defects[0] / s.evidence.resolution < 5
    assert ld.discover.function(network, x, source=PLANE, labels=y).dim == 1


def test_a_formula_with_a_case_is_taken_at_its_word():
    x, _ = rings(400, 2)
    s = ld.discover.function(lambda z: jnp.abs(z[0]) + z[1] ** 3, x, source=PLANE)
    assert s.evidence.verdict == "no symmetry" and s.evidence.resolution < 1e-13


class Trained(eqx.Module):
    weights: jnp.ndarray

    def __call__(self, z):
        return jnp.sum((self.weights @ z) ** 2)


def test_a_trained_model_is_denied_nothing_at_rounding():
    x, _ = rings(400, 3)
    turns = ld.vectors(ld.algebra.so(2))
    nearly = Trained(jnp.asarray([[1.0, 0.0], [0.0, 1.001]]))
    s = ld.discover.function(nearly, x, source=turns)
    assert s.evidence.verdict == "cannot tell" and "give labels=" in shown(s)
    labelled = ld.discover.function(nearly, x, source=turns, labels=np.sum(x**2, axis=1))
    assert labelled.evidence.verdict == "symmetries" and labelled.dim == 1
    named = ld.discover.function(nearly, x, source=turns, error=1e-14)
    assert named.evidence.verdict == "no symmetry"


def test_a_trained_vector_field_is_called_as_the_caller_calls_it():
    """And only what `vector_field` takes is asked for: it has no labels."""

    class Field(Trained):
        def __call__(self, z):
            return self.weights @ z

    x = np.random.default_rng(3).normal(size=(400, 2))
    nearly = Field(jnp.asarray([[0.0, -1.0], [1.001, 0.0]]))
    s = ld.discover.vector_field(nearly, x, action=ld.vectors(ld.algebra.so(2)))
    (note,) = s.evidence.notes
    assert s.evidence.verdict == "cannot tell" and note.startswith("U was trained") and note.endswith("give error=")


def test_a_plane_fitted_to_noise_elsewhere_is_judged_by_labels():
    x, noise = normal(1000, 0)
    plane = LinearRegression().fit(x, noise)
    assert ld.discover.function(plane, x, source=ld.points(AFFINE)).dim == 8  # the plane's own
    new, fresh = normal(1000, 1)
    s = ld.discover.function(plane, new, source=ld.points(AFFINE), labels=fresh)
    assert s.evidence.verdict == "cannot tell" and "explains nothing" in shown(s)


def test_labels_that_do_not_fit_are_refused():
    x, y = rings(100, 4)
    with pytest.raises(ValueError, match=r"labels must have shape \(100, 1\).*got \(99,\)"):
        ld.discover.function(lambda z: z @ z, x, source=PLANE, labels=y[:-1])
    with pytest.raises(ValueError, match="labels must have one column for each of the 1 outputs of F, got 2"):
        ld.discover.function(lambda z: z @ z, x, source=PLANE, labels=[x[:50], x[50:]])


def test_differences_are_known_as_well_as_two_steps_agree():
    x, y = rings(800, 5)
    forest = RandomForestRegressor(30, random_state=0).fit(x, y)
    s = ld.discover.function(forest, x, source=PLANE)
    assert s.evidence.resolution > 0.01 and s.evidence.verdict != "no symmetry"
    assert "twice as long" in s.evidence.resolution_source


# The decision


def decided(defects, **named):
    named = {"resolution": 1e-2, "resolution_source": "", **named}
    return ld.discover._evidence.weigh(np.array(defects), **named)


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
    contradicted = ld.discover._decision.contradicted
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
    assert "the finite check contradicts 1 symmetry" in shown(s)


# Repetition


def test_repetitions_with_other_effective_directions_count_as_other_answers():
    """The second coordinate moves in one part of the rows only: without it two of four candidates have no effect."""
    random = np.random.default_rng(0)
    x = random.normal(size=(800, 2))
    x[RowDraws(0, 8, 0).rows(0, 800).part > 0, 1] = 0.0
    s = ld.discover.function(lambda z: z[0] ** 2 + z[1], x, source=ld.vectors(ld.algebra.gl(2)))
    assert s.evidence.confidence is not None and s.evidence.confidence <= 7 / 8
