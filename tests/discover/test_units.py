"""Columns that no generator mixes may have any units."""

import jax.numpy as jnp
import numpy as np
import pytest
from sklearn.datasets import load_diabetes
from sklearn.linear_model import LinearRegression

import lieder as ld

UNITS = np.array([1e-6, 1e5])


def model(x):
    return x[0] * 3 + x[1] ** 2


@pytest.mark.parametrize("candidates", [ld.points(ld.algebra.scalings(2)), ld.points(ld.algebra.t(2))])
def test_inputs(candidates):
    x = np.random.default_rng(0).normal(size=(300, 2))
    plain = ld.discover.function(model, x, source=candidates)
    scaled = ld.discover.function(lambda z: model(z / UNITS), x * UNITS, source=candidates)
    np.testing.assert_allclose(scaled.defects, plain.defects, rtol=1e-9)
    assert plain.evidence.verdict == scaled.evidence.verdict == "no symmetry"


def test_positions_and_momenta():
    state = ld.vectors(ld.algebra.gl(2)) + ld.vectors(ld.algebra.gl(2))
    x = np.random.default_rng(1).normal(size=(300, 4))
    units = np.array([1e-4, 1e-4, 1e3, 1e3])

    def energy(z):
        return jnp.sum(z[2:] ** 2) - 1 / jnp.sqrt(1 + jnp.sum(z[:2] ** 2))

    plain = ld.discover.function(energy, x, source=state)
    scaled = ld.discover.function(lambda z: energy(z / units), x * units, source=state)
    np.testing.assert_allclose(scaled.defects[1:], plain.defects[1:], rtol=1e-9)
    assert plain.dim == scaled.dim == 1


def test_outputs():
    """A violation in an output of small unit is not drowned by one of large unit."""
    source = ld.vectors(ld.algebra.gl(2))
    target = ld.scalars(source.algebra, 2)
    x = np.random.default_rng(2).normal(size=(300, 2))

    def both(z):
        return jnp.stack([1e9 * jnp.sum(z**2), jnp.sin(z[0]) + 2 * z[1]])

    s = ld.discover.function(both, x, source=source, target=target)
    assert s.dim == 0 and s.evidence.verdict == "no symmetry"
    same = ld.discover.function(lambda z: both(z) / jnp.array([1e9, 1.0]), x, source=source, target=target)
    np.testing.assert_allclose(s.defects, same.defects, rtol=1e-9)


def test_a_nuisance_input_of_its_own_unit_is_still_a_symmetry():
    x = np.random.default_rng(3).normal(size=(300, 3)) * np.array([1.0, 1.0, 1e7])
    s = ld.discover.function(lambda z: z[0] ** 2 - z[1], x, source=ld.points(ld.algebra.t(3)), names=["a", "b", "c"])
    assert s.fields() == ["d/dc"]


def test_columns_that_can_hardly_share_a_unit_are_named():
    """Mixed all the same: the claim stands on lengths of one unit, and says so."""
    x = np.random.default_rng(4).normal(size=(300, 2)) * np.array([1e3, 1.0])
    mixed = ld.points(ld.algebra.aff(2))
    s = ld.discover.function(lambda z: z[1] ** 2, x, source=mixed, names=["wide", "narrow"])
    (note,) = s.evidence.notes
    assert (
        s.dim == 3 and note.startswith("the candidates mix columns") and "narrow (spread 0.1 % of the widest)" in note
    )
    assert "Note: the candidates mix columns" in str(s)
    even = ld.discover.function(lambda z: z[1] ** 2, x / [1e3, 1.0], source=mixed)
    assert even.dim == 3 and not even.evidence.notes


# One unit, very different sizes


@pytest.mark.parametrize("size", [1e2, 1e6, 1e9, 1e-9])
@pytest.mark.parametrize("candidates", [ld.vectors(ld.algebra.gl(2)), ld.points(ld.algebra.aff(2))], ids=["gl", "aff"])
def test_what_changes_the_outputs_is_no_symmetry_however_small_its_defect(candidates, size):
    """x1 d/dx1 changes the model by its own size, but beside |DF| |theta| this is the ratio of the columns."""
    x = np.random.default_rng(4).normal(size=(400, 2)) * [1.0, size]

    def rings(z):
        return z[0] ** 2 + (z[1] / size) ** 2

    y = np.array([rings(z) for z in x])
    for s in (
        ld.discover.function(rings, x, source=candidates),
        ld.discover.dataset(x, y, source=candidates, target=ld.scalars(candidates.algebra), fit="polynomial(2)"),
    ):
        assert s.evidence.verdict == "symmetries" and s.dim == 1
        turn = s.generators[0][:4] / np.array([1, 1 / size, size, 1])  # a rotation in units of the columns
        assert turn @ np.array([0, 1, -1, 0]) / np.linalg.norm(turn) / np.sqrt(2) == pytest.approx(
            np.sign(turn[1]), abs=1e-6
        )


@pytest.mark.parametrize("size", [1e6, 1e9, 1e-9])
def test_directions_along_a_column_too_small_to_count_are_marked(size):
    x = np.random.default_rng(5).normal(size=(400, 2)) * [1.0, size]
    s = ld.discover.function(lambda z: z @ z, x, source=ld.vectors(ld.algebra.gl(2)))
    assert s.dim >= 1 and set(range(s.dim)) <= set(s.evidence.weak)
    assert f"x{int(size < 1)} (spread" in s.evidence.weak_reasons[0]
    # Columns that depend on each other but for their last digit are no thin spread: they have no spread of their own.
    line = np.repeat(x[:, :1], 2, axis=1) + 1e-9 * np.random.default_rng(6).normal(size=(400, 2))
    assert ld.discover.function(lambda z: z @ z, line, source=ld.vectors(ld.algebra.gl(2))).evidence.weak == ()


@pytest.mark.parametrize("fit", ["graph", "polynomial(2)"])
def test_columns_further_apart_than_double_precision_holds_digits_tell_nothing(fit):
    size = np.array([1.0, 1e9, 1e-9])
    x = np.random.default_rng(0).uniform(0.5, 1.5, (300, 3))
    source, y = ld.vectors(ld.algebra.gl(3)), x[:, 0] * x[:, 1]
    s = ld.discover.dataset(x * size, y, source=source, target=ld.scalars(source.algebra), fit=fit)
    assert s.evidence.verdict == "cannot tell" and s.dim == 0
    assert "divide each by its spread" in " ".join(s.evidence.notes)


def test_a_graph_that_stands_upright_over_its_inputs_tells_nothing():
    x = np.random.default_rng(0).normal(size=(400, 2)) * [1.0, 10.0]
    plane = ld.algebra.aff(2)
    y = x[:, 0] ** 2 + (x[:, 1] / 10) ** 2
    s = ld.discover.graph(x, y, source=ld.points(plane), target=ld.scalars(plane))
    assert s.evidence.verdict == "cannot tell" and s.dim == 0
    assert "in which the inputs hardly spread" in " ".join(s.evidence.notes)


# Columns of different kinds taken for lengths of one unit, under noise


def diabetes(columns, order=None):
    data = load_diabetes(scaled=False)
    order = slice(None) if order is None else order
    return data.data[order][:, columns], data.target[order]


@pytest.mark.parametrize(
    ("columns", "fit", "shuffled"),
    [
        ([2, 3, 8], "polynomial", False),
        ([2, 3, 8], "kernel", True),
        ([2, 3, 4, 8], "polynomial", True),
        ([2, 3, 4, 8], "graph", False),
        ([2, 3, 4, 8], "graph", True),
        pytest.param([2, 3, 8], "auto", False, marks=pytest.mark.slow),
        pytest.param([2, 3, 4, 8], "kernel", False, marks=pytest.mark.slow),
    ],
)
def test_what_moves_the_data_must_be_told_from_a_symmetry(columns, fit, shuffled):
    """y changes by half a slope over the narrow column, and the wide one moves it as much with a hundredth of that."""
    x, y = diabetes(columns, np.random.default_rng(1).permutation(442) if shuffled else None)
    affine = ld.algebra.aff(len(columns))
    s = ld.discover.dataset(
        x,
        y,
        source=ld.points(affine),
        target=ld.scalars(affine),
        fit=fit,
        seed=int(shuffled),
        names=list("abcd"[: len(columns)]),
    )
    assert s.evidence.verdict == "cannot tell" and s.dim == 0
    if "looks like" not in str(s.evidence.notes):
        assert "spread very differently: " in " ".join(s.evidence.notes) and s.evidence.gap < 5


def test_nor_is_it_told_of_a_fitted_model_or_a_cloud():
    x, y = diabetes([2, 3, 4, 8])
    affine = ld.algebra.aff(4)
    plane = LinearRegression().fit(x[:221], y[:221])
    s = ld.discover.function(plane, x[221:], source=ld.points(affine), labels=y[221:])
    assert s.evidence.verdict == "cannot tell"
    both = ld.points(affine) + ld.scalars(affine, 1)
    s = ld.discover.cloud(np.column_stack([x, y]), action=both, dimension=4)
    assert s.evidence.verdict == "cannot tell"


@pytest.mark.parametrize("route", ["cloud", "graph"])
def test_columns_a_million_times_apart_give_no_warning_and_no_false_claim(route):
    x = np.random.default_rng(0).normal(size=(300, 3)) * [1.0, 1.0, 1e6]
    y = x[:, 0] * x[:, 2] / 1e6
    affine = ld.algebra.aff(3)
    if route == "graph":
        s = ld.discover.graph(x, y, source=ld.points(affine), target=ld.scalars(affine))
    else:
        both = ld.points(affine) + ld.scalars(affine, 1)
        s = ld.discover.cloud(np.column_stack([x, y]), action=both, dimension=3)
    assert s.evidence.verdict != "symmetries"


def test_a_law_known_well_beside_the_narrow_column_is_still_claimed():
    """A hundredth of the spread, and labels to a part in ten thousand."""
    random = np.random.default_rng(7)
    x = random.normal(size=(400, 2)) * [100.0, 1.0]
    turned = ld.vectors(ld.algebra.gl(2))
    y = (x[:, 0] / 100) ** 2 + x[:, 1] ** 2

    def found(noise):
        labels = y + noise * random.normal(size=400)
        return ld.discover.dataset(x, labels, source=turned, target=ld.scalars(turned.algebra), fit="polynomial(2)")

    known, unknown = found(1e-4), found(10.0)
    assert known.dim == 1 and known.evidence.verdict == "symmetries"
    assert unknown.dim == 0 and unknown.evidence.verdict == "cannot tell"
