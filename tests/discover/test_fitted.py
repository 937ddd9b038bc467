"""Data without a model: every family that can be fitted, and what the result says of it."""

import numpy as np
import pytest
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF
from sklearn.linear_model import LinearRegression

import lieder as ld

TURN = np.array([0.0, -1.0, 1.0, 0.0])
PLANE = ld.algebra.gl(2)


def rings(rows=400, noise=0.0):
    random = np.random.default_rng(0)
    points = random.uniform(-1, 1, (rows, 2))
    values = np.exp(-(points**2).sum(axis=1))
    return points, values + noise * random.standard_normal(rows)


@pytest.mark.parametrize(
    ("fit", "least"),
    [("polynomial", 0.999), ("kernel", 0.999), ("mlp", 0.99), (ld.dictionary.polynomials(2, 4), 0.999)],
    ids=["polynomial", "kernel", "mlp", "dictionary"],
)
def test_every_family_finds_the_rotation(fit, least):
    points, values = rings()
    s = ld.discover.dataset(points, values, source=ld.vectors(PLANE), target=ld.scalars(PLANE), fit=fit)
    assert s.dim == 1 and s.similarity(TURN) >= least
    assert "held-out relative error" in s.evidence.model and "exact (jax)" in s.evidence.model
    assert s.evidence.resolution > 0 and "smooth part" in s.evidence.resolution_source


def test_a_foreign_regressor_says_that_differences_were_used():
    points, values = rings()
    s = ld.discover.dataset(
        points,
        values,
        source=ld.vectors(PLANE),
        target=ld.scalars(PLANE),
        fit=GaussianProcessRegressor(RBF(1.0), optimizer=None, alpha=1e-6),
    )
    assert s.similarity(TURN, dim=1) >= 0.999
    assert "central differences" in s.evidence.model and "central differences" in str(s).replace("\n", " ").replace(
        "┃ ┃", " "
    )


def test_a_fitted_estimator_is_a_model():
    points, _ = rings()
    line = LinearRegression().fit(points, points @ [2.0, 1.0])
    s = ld.discover.function(line, points, source=ld.points(ld.algebra.t(2)))
    assert s.similarity(np.array([1.0, -2.0]), dim=1) > 1 - 1e-6


def test_a_table_on_a_surface_is_taken_as_a_graph():
    """Inputs on a circle have no open set to fit a model on."""
    angle = np.random.default_rng(1).uniform(0, 2 * np.pi, 400)
    points = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    both = ld.vectors(PLANE)
    s = ld.discover.dataset(points, 2 * points, source=both, target=both)
    assert s.dim == 1 and s.similarity(TURN) > 0.999
    assert s.evidence.model.startswith("none; the graph of the data was used")
