"""The Gaussian process: its likelihood, what it finds by itself, and that its derivatives can be trusted."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.optimize import approx_fprime

from lieder import models
from lieder.models import _gaussian
from lieder.models._batches import evaluate
from lieder.models._data import checked
from lieder.models._gaussian import GaussianProcess, lower_factor
from lieder.models._likelihood import Likelihood

OBLIQUE = np.array([0.8, -0.6, 1.1])


def _inputs(rows, width, seed=0):
    return np.random.default_rng(seed).uniform(-1.5, 1.5, (rows, width))


def _noisy(y, share, seed=1):
    return y + share * y.std() * np.random.default_rng(seed).normal(size=y.shape)


def _slopes(model, x):
    return evaluate(lambda z: jnp.ravel(jax.jacfwd(model)(z)), x)


@pytest.mark.parametrize("width", [2, 13], ids=["full", "diagonal"])
def test_the_gradient_of_the_likelihood(width):
    x = _inputs(40, width)
    y = np.stack([np.sin(x[:, 0]), x[:, 1] ** 2], axis=1)
    likelihood = Likelihood(x, y, np.linspace(0.5, 1.5, 40))
    start = likelihood.start(1.0, 0.1)
    p = start + 0.1 * np.random.default_rng(0).normal(size=len(start))
    expected = approx_fprime(p, lambda p: likelihood(p)[0], 1e-6)
    np.testing.assert_allclose(likelihood(p)[1], expected, rtol=1e-4, atol=1e-4 * np.abs(expected).max())


def test_the_likelihood_does_not_depend_on_how_outputs_are_mixed():
    x = _inputs(40, 2)
    y = np.stack([np.sin(x[:, 0]), x[:, 1] ** 2], axis=1)
    p = Likelihood(x, y, np.ones(40)).start(1.0, 0.1)
    mixed = y @ [[1000.0, 3.0], [0.0, 2.0]]
    slopes = [Likelihood(x, labels, np.ones(40))(p)[1] for labels in (y, mixed, np.concatenate([y, mixed], axis=1))]
    np.testing.assert_allclose(slopes[1], slopes[0], rtol=1e-6)
    np.testing.assert_allclose(slopes[2], slopes[0], rtol=1e-6)


def test_one_combination_of_the_inputs_is_found_as_one():
    """Across a plane wave the derivative is nearly zero in every direction, though no input is without effect."""
    x = _inputs(240, 3)
    fitted = models.fit(x, _noisy(np.sin(x @ (2 * OBLIQUE)), 0.05), "kernel")
    slopes = _slopes(fitted.model, _inputs(100, 3, 5))
    across = np.linalg.svd(OBLIQUE[None])[2][1:]
    assert np.linalg.norm(slopes @ across.T) < 0.05 * np.linalg.norm(slopes)


@pytest.mark.parametrize(("noise", "most"), [(0.0, 1e-3), (0.05, 0.12)])
def test_derivatives_of_a_smooth_function(noise, most):
    x, points = _inputs(300, 3), _inputs(100, 3, 5)
    fitted = models.fit(x, _noisy(np.exp(-np.sum(x**2, axis=1) / 2), noise), "kernel")
    true = -points * np.exp(-np.sum(points**2, axis=1, keepdims=True) / 2)
    assert np.linalg.norm(_slopes(fitted.model, points) - true) < most * np.linalg.norm(true)
    assert fitted.family == "Gaussian process" and fitted.derivative == "exact (jax)"


def test_fits_without_a_part_are_fits_of_the_rest():
    x = _inputs(90, 2)
    data = checked(x, _noisy(np.cos(x), 0.1), None, 3, 0.2)
    parts = np.array_split(np.arange(90), 3)
    family = GaussianProcess()
    validated = family.validate(data, parts, 0)
    for part, refit in zip(parts, family.refits(data, validated.setting, parts, 0), strict=True):
        rest, _ = family.train(data[np.setdiff1d(np.arange(90), part)], validated.setting, 0)
        np.testing.assert_allclose(evaluate(refit, x), evaluate(rest, x), atol=1e-8)
        np.testing.assert_allclose(evaluate(refit, x[part]) - data.y[part], validated.residual[part], atol=1e-8)


def test_many_rows_are_fitted_in_the_covariances_with_some(monkeypatch):
    """With every row a centre it is the exact fit; with some of them nearly so, weights included."""
    x = _inputs(400, 2)
    weights = np.where(np.arange(400) % 4 == 0, 0.0, np.linspace(0.5, 1.5, 400))
    y = _noisy(np.exp(x), 0.1)
    y[::4] = 1e3
    data = checked(x, y, weights, 3, 0.2)
    parts = np.array_split(np.arange(400), 3)
    family = GaussianProcess()
    setting = family.validate(data, parts, 0).setting
    exact = [evaluate(model, x) for model in family.refits(data, setting, parts, 0)]
    monkeypatch.setattr(_gaussian, "EXACT_ROWS", 100)
    for centres, near in ((400, 1e-6), (100, 1e-2)):
        monkeypatch.setattr(_gaussian, "CENTRES", centres)
        for model, expected in zip(family.refits(data, setting, parts, 0), exact, strict=True):
            np.testing.assert_allclose(evaluate(model, x), expected, atol=near)


def test_a_factor_exists_whatever_rounding_does():
    rows = np.random.default_rng(0).normal(size=(60, 2))
    matrix = 1e6 * rows @ rows.T
    lower = lower_factor(matrix)
    np.testing.assert_allclose(lower @ lower.T, matrix, atol=1e-6)


@pytest.mark.parametrize("y", [np.full(60, 5.0), np.repeat([1.0, 2.0], 30)], ids=["constant", "repeated rows"])
def test_degenerate_labels(y):
    x = np.tile(_inputs(30, 2), (2, 1))
    fitted = models.fit(x, y, "kernel")
    assert np.isfinite(fitted.values(x)).all()
