"""Clouds and graphs with a few rows far from all others: these turn no answer, and noise stays noise beside them."""

import numpy as np
import pytest

import lieder as ld

PLANE, SPACE = ld.algebra.gl(2), ld.algebra.aff(3)


def with_row(values, factor):
    """Row 5 is moved away from zero."""
    values = values.copy()
    values[5] *= factor
    return values


LABELS = {
    "one label of a thousand": lambda rng, rows: np.where(np.arange(rows) == 7, 1e3, rng.normal(size=rows)),
    "one label of a million": lambda rng, rows: np.where(np.arange(rows) == 7, 1e6, rng.normal(size=rows)),
    "Cauchy": lambda rng, rows: rng.standard_cauchy(rows),
    "powers of Cauchy": lambda rng, rows: rng.standard_cauchy(rows) ** 3,
    "a few ones": lambda rng, rows: (rng.random(rows) < 0.03) * 1.0,
    "mostly zero": lambda rng, rows: (rng.random(rows) < 0.05) * rng.normal(size=rows),
}


@pytest.mark.parametrize("labels", LABELS)
@pytest.mark.parametrize("rows", [100, 1000])
def test_noise_of_any_kind_is_no_plane(labels, rows):
    source, target = ld.points(SPACE), ld.scalars(SPACE)
    for seed in range(2):
        rng = np.random.default_rng([seed, rows])
        x, y = rng.normal(size=(rows, 3)), LABELS[labels](rng, rows)
        found = ld.discover.graph(x, y, source=source, target=target)
        assert found.evidence.verdict == "cannot tell" and found.dim == 0
        assert "the inputs explain nothing" in " ".join(found.evidence.notes)


def test_nor_is_it_as_a_cloud():
    rng = np.random.default_rng(0)
    z = np.column_stack([rng.normal(size=(1000, 3)), LABELS["one label of a thousand"](rng, 1000)])
    both = ld.action.total(ld.points(SPACE), ld.scalars(SPACE))
    assert ld.discover.cloud(z, action=both, dimension=3).evidence.verdict == "cannot tell"


def test_an_output_of_noise_beside_one_with_a_law():
    rng = np.random.default_rng(1)
    x = rng.uniform(-1, 1, size=(500, 2))
    y = np.stack([np.sum(x**2, axis=1), rng.normal(size=500)], axis=1)
    found = ld.discover.graph(x, y, source=ld.vectors(PLANE), target=ld.scalars(PLANE, 2))
    assert found.evidence.verdict == "cannot tell"
    assert "the inputs explain nothing of y1: nearby rows" in " ".join(found.evidence.notes)


@pytest.mark.parametrize("lawful", [True, False])
@pytest.mark.parametrize("factor", [1e3, 1e6])
def test_one_row_does_not_turn_the_answer_of_a_graph(lawful, factor):
    def swollen(x):
        return x * (1 + np.sum(x**2, axis=1, keepdims=True))

    x = np.random.default_rng(2).uniform(-1, 1, size=(1000, 2))
    moved = with_row(x, factor) if lawful else x
    y = swollen(moved) if lawful else with_row(swollen(x), factor)
    found = ld.discover.graph(moved, y, source=ld.vectors(PLANE), target=ld.vectors(PLANE))
    assert found.dim == 1 and found.similarity([0.0, -1.0, 1.0, 0.0]) > 0.999


@pytest.mark.parametrize("factor", [10.0, 1e3, 1e6])
def test_one_point_does_not_turn_the_answer_of_a_cloud(factor):
    angle = np.random.default_rng(0).uniform(0, 2 * np.pi, 2000)
    circle = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    alone = ld.discover.cloud(circle, action=ld.points(ld.algebra.aff(2)))
    found = ld.discover.cloud(with_row(circle, factor), action=ld.points(ld.algebra.aff(2)))
    assert found.dim == alone.dim == 1
    np.testing.assert_allclose(found.defects[1:], alone.defects[1:], rtol=0.01)


@pytest.mark.parametrize("rows", [300, 2000])
def test_labels_that_grow_fast_are_no_plane_where_they_are_small(rows):
    """exp 3|x|^2 over normal x: in units of its rms nearly every label is zero."""
    rng = np.random.default_rng(3)
    x = rng.normal(size=(rows, 2))
    affine = ld.algebra.aff(2)
    found = ld.discover.graph(x, np.exp(3 * np.sum(x**2, axis=1)), source=ld.points(affine), target=ld.scalars(affine))
    assert (found.evidence.verdict, found.dim) in (("symmetries", 1), ("cannot tell", 0))


@pytest.mark.parametrize("rows", [300, 1000])
def test_heavy_tails_with_a_law(rows):
    rng = np.random.default_rng(4)
    x = rng.standard_t(2, size=(rows, 2))
    affine = ld.algebra.aff(2)
    found = ld.discover.graph(x, np.sum(x**2, axis=1), source=ld.points(affine), target=ld.scalars(affine))
    assert (found.evidence.verdict, found.dim) in (("symmetries", 1), ("cannot tell", 0))
