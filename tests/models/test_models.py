"""Fitted functions: known ones are recovered, errors are honest, choices are explained, and faults are named."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestRegressor
from sklearn.linear_model import LinearRegression
from sklearn.neighbors import KNeighborsRegressor

from lieder import dictionary, interop, models


def _inputs(rows=200, width=3, seed=0):
    return np.random.default_rng(seed).normal(size=(rows, width))


def _cubic(x):
    return np.stack([x[:, 0] * x[:, 1] ** 2 + 3, x[:, 2] - x[:, 0]], axis=1)


def _noise(y, size, seed=1):
    return y + size * np.random.default_rng(seed).normal(size=y.shape)


@pytest.mark.parametrize("family", ["auto", "polynomial", "polynomial(3)", "polynomials( degree = 3 )"])
@pytest.mark.parametrize("offset", [0.0, 50.0])
def test_polynomials_are_recovered_to_rounding(family, offset):
    x = _inputs()
    fitted = models.fit(x + offset, _cubic(x), family)
    assert fitted.family == "polynomial ridge, degree 3"
    assert fitted.error < 1e-12 and fitted.resolution <= fitted.error
    assert fitted.derivative == "exact (jax)"
    slope = jax.jacfwd(fitted.model)(jnp.asarray(x[0] + offset))
    a, b, _ = x[0]
    np.testing.assert_allclose(slope, [[b**2, 2 * a * b, 0], [-1, 0, 1]], atol=1e-10)


def test_the_simplest_family_within_one_standard_error_is_taken():
    x = _inputs(400, 2)
    fitted = models.fit(x, _noise(x @ [1.0, 2.0], 0.5), "polynomial")
    assert fitted.family == "polynomial ridge, degree 1"
    assert set(fitted.scores) == {f"polynomial ridge, degree {d}" for d in (1, 2, 3, 4)}
    assert 0.15 < fitted.error < 0.3


def test_degrees_are_limited_by_the_rows():
    fitted = models.fit(_inputs(60, 5), _inputs(60, 1), "polynomial")
    assert set(fitted.scores) == {"polynomial ridge, degree 1", "polynomial ridge, degree 2"}


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr("lieder.models._mlp.STEPS", 400)


def test_auto_looks_beyond_polynomials():
    x = _inputs(300, 1) * 3
    fitted = models.fit(x, np.sin(2 * x), folds=3)
    assert fitted.family == "Gaussian process"
    assert fitted.error < 1e-3
    assert set(fitted.scores) == {f"polynomial ridge, degree {d}" for d in (1, 2, 3, 4)} | {"Gaussian process"}


def test_a_network_is_tried_where_the_gaussian_process_is_not_exact(quick, monkeypatch):
    monkeypatch.setattr("lieder.models._fit.EXACT_ROWS", 100)
    x = _inputs(150, 1) * 3
    assert "mlp" in models.fit(x, np.sin(2 * x), folds=2).scores


def test_a_polynomial_stays_one_under_noise():
    x = _inputs(500, 3)
    fitted = models.fit(x, _noise(_cubic(x)[:, :1], 0.1))
    assert fitted.family == "polynomial ridge, degree 3" and "Gaussian process" in fitted.scores


def test_the_choice_is_made_by_the_derivative():
    """Quartics and a Gaussian process predict a noisy bell nearly alike, but the derivative of one is far better."""
    x = np.random.default_rng(0).uniform(-1.5, 1.5, (300, 3))
    fitted = models.fit(x, _noise(np.exp(-np.sum(x**2, axis=1) / 2), 0.05))
    assert fitted.family == "Gaussian process"
    assert fitted.scores["polynomial ridge, degree 4"] < 1.3 * fitted.scores["Gaussian process"]


FAMILIES = ["polynomial(2)", "kernel", "mlp", "fourier(1)", dictionary.polynomials(2, 2)]


@pytest.mark.parametrize("family", FAMILIES, ids=str)
def test_models_are_functions_of_one_example(family, quick):
    x = _inputs(120, 2)
    fitted = models.fit(x, np.cos(x), family, folds=2)
    one = jax.jit(fitted.model)(x[0])
    assert one.shape == (2,) and one.dtype == np.float64
    # Labels without noise are interpolated with coefficients of 1e4 that cancel, so that rounding is as much larger.
    np.testing.assert_allclose(one, fitted.model(x[0]), rtol=1e-9 if family == "kernel" else 1e-12)
    np.testing.assert_allclose(jax.vmap(fitted.model)(x[:3]), fitted.values(x[:3]), rtol=1e-10)
    assert fitted.model(x[0].astype(np.float32)).dtype == np.float32
    step = 1e-4 * np.eye(2)
    differences = np.stack([(fitted.model(x[0] + h) - fitted.model(x[0] - h)) / 2e-4 for h in step], axis=1)
    np.testing.assert_allclose(jax.jacfwd(fitted.model)(x[0]), differences, rtol=1e-5, atol=1e-6)
    # Its numbers are arguments of compiled programs, which then serve fits to other labels.
    assert all(np.asarray(leaf).dtype == np.float64 for leaf in jax.tree.leaves(fitted.model))
    other = models.fit(x, np.sin(x) + x, family, folds=2)
    assert jax.tree.structure(other.model) == jax.tree.structure(fitted.model)


def test_nothing_depends_on_the_global_precision():
    x = _inputs(120, 2)
    before = models.fit(x, _noise(x, 0.1), "polynomial(2)").values(x)
    with jax.enable_x64(False):
        fitted = models.fit(x, _noise(x, 0.1), "polynomial(2)")
        assert fitted.model(x[0]).dtype == np.float32
        np.testing.assert_array_equal(fitted.values(x), before)
        assert models.fit(x, x**2, "polynomial").error < 1e-12
        assert models.fit(x, x**2, "mlp", folds=2).error < 0.5


def test_the_network_learns():
    x = _inputs(400, 2)
    fitted = models.fit(x, np.tanh(x[:, :1] * x[:, 1:]) + 5, "mlp", folds=2)
    assert fitted.family == "mlp" and fitted.derivative == "exact (jax)"
    assert isinstance(fitted.model, models.Network)
    assert fitted.error < 0.02


def test_a_dictionary_is_fitted_in_its_own_functions():
    x = np.random.default_rng(0).normal(size=(200, 3)) * np.geomspace(0.3, 30, 200)[:, None]
    r = np.linalg.norm(x, axis=1, keepdims=True)
    y = -x / r**3
    for family in ("radial(-5,0)", dictionary.radial(-5, 0, 3)):
        fitted = models.fit(x, y, family, weights="relative")
        assert fitted.family.startswith("least squares, radial")
        assert fitted.error < 1e-8
        expected = np.zeros((3, 18))
        expected[:, 6:9] = -np.eye(3)
        np.testing.assert_allclose(fitted.model.coefficients, expected, atol=1e-5)


def test_relative_weights_make_every_decade_count():
    x = np.random.default_rng(0).uniform(0.05, 1, size=(400, 1)) ** 3
    y = 1 / x
    fitted = models.fit(x, y, dictionary.functions([lambda x: 1 / x[0], lambda x: x[0]], 1), weights="relative")
    floor = np.quantile(np.abs(y), 0.01)
    expected = 1 / np.maximum(np.abs(y[:, 0]), floor) ** 2
    np.testing.assert_allclose(fitted.weights, expected / expected.mean())
    plain = models.fit(x, y, "polynomial(4)")
    even = models.fit(x, y, "polynomial(4)", weights="relative")
    assert np.mean(np.abs(even.values(x) / y - 1)) < np.mean(np.abs(plain.values(x) / y - 1))


def test_rows_of_weight_zero_do_not_count():
    x = _inputs(100, 2)
    y = x.copy()
    y[::4] = 1e3
    weights = np.ones(100)
    weights[::4] = 0
    for family in ("polynomial(1)", "kernel", LinearRegression()):
        assert models.fit(x, y, family, weights=weights).error < 1e-2


def test_split_and_seed():
    x = _inputs()
    first, again, other = (models.fit(x, _cubic(x), "polynomial(2)", seed=s, held_out=0.3) for s in (0, 0, 1))
    assert len(first.test) == 60 and len(first.train) == 140
    np.testing.assert_array_equal(np.sort(np.concatenate([first.train, first.test])), np.arange(200))
    np.testing.assert_array_equal(first.test, again.test)
    assert first.error == again.error and not np.array_equal(first.test, other.test)
    residual = first.values(x[first.test]) - _cubic(x)[first.test]
    y = _cubic(x)[first.test]
    expected = np.sqrt(np.sum(residual**2) / np.sum((y - y.mean(axis=0)) ** 2))
    assert first.error == pytest.approx(expected, rel=1e-12)
    with pytest.raises(dataclasses.FrozenInstanceError):
        first.error = 0.0  # pyright: ignore


def test_no_model_is_tested_on_copies_of_what_it_has_seen():
    """Noise that is given twice stays unexplained."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(150, 2)), rng.normal(size=150)
    fitted = models.fit(np.concatenate([x, x]), np.concatenate([y, y]), "kernel")
    held, kept = ({tuple(row) for row in np.concatenate([x, x])[rows]} for rows in (fitted.test, fitted.train))
    assert len(held & kept) <= 1
    assert fitted.error > 0.9


def test_resolution_is_the_model_s_part_of_the_error():
    x = np.random.default_rng(0).uniform(-1, 1, size=(3000, 2))
    smooth = np.sin(2 * x[:, :1]) + x[:, 1:] ** 2
    wrong = models.fit(x, smooth, "polynomial(1)")
    noisy = models.fit(x, _noise(smooth, 0.3), "polynomial(4)")
    both = models.fit(x, _noise(smooth, 0.3), "polynomial(1)")
    assert wrong.resolution > 0.9 * wrong.error
    assert noisy.resolution < 0.3 * noisy.error
    size = np.sqrt(1 + 0.09 / np.var(smooth))
    assert both.resolution == pytest.approx(wrong.error / size, rel=0.25)
    assert both.resolution < 0.8 * both.error


def test_a_constant_part_of_the_labels_changes_no_error():
    x = _inputs(300, 2)
    y = _noise(x @ [1.0, 2.0], 0.5)
    near, far = models.fit(x, y, "polynomial(1)"), models.fit(x, y + 1e3, "polynomial(1)")
    assert far.error == pytest.approx(near.error, rel=1e-6)
    assert models.fit(x, _noise(np.full(300, 5.0), 1.0), "polynomial(1)").error > 0.9


def test_what_a_model_explains_is_said_of_each_output():
    x = _inputs(600, 2)
    y = np.stack([x[:, 0] + 7, np.random.default_rng(3).normal(size=600) + 7], axis=1)
    gain = models.fit(x, y, "polynomial(1)").gain
    assert gain[0] > 10 and abs(gain[1]) < 3


def test_alternatives_differ_as_much_as_fits_to_other_data_do():
    """The spread of a slope over ten fits without a tenth of the rows, against its spread over new data."""
    slopes, told = [], []
    for seed in range(40):
        x = _inputs(300, 2, seed)
        fitted = models.fit(x, _noise(x @ [1.0, 2.0], 0.5, seed + 100), "polynomial(1)")
        others = fitted.alternatives
        assert isinstance(others.model, models.FeatureModel)
        slopes.append(jax.jacfwd(fitted.model)(x[0])[0])
        told.append(others.shares @ (jax.jacfwd(others.model)(x[0]) - slopes[-1]) ** 2)
    np.testing.assert_allclose(np.mean(told, axis=0), np.var(slopes, axis=0), rtol=0.6)


def test_a_misfit_is_among_the_alternatives():
    x = np.random.default_rng(0).uniform(-1, 1, size=(1000, 2))
    fitted = models.fit(x, _noise(x[:, 0] + 0.3 * x[:, 1] ** 2, 0.1), "polynomial(1)")
    corrected = np.asarray(jax.vmap(fitted.alternatives.model)(x))[:, -1]
    truth = x[:, 0] + 0.3 * x[:, 1] ** 2
    assert np.std(corrected - truth) < 0.3 * np.std(fitted.values(x)[:, 0] - truth)
    straight = models.fit(x, _noise(x[:, 0], 0.1), "polynomial(1)")
    assert len(straight.alternatives.shares) == len(fitted.alternatives.shares) - 1


def test_regressors_of_scikit_learn():
    x = np.random.default_rng(0).uniform(-1, 1, size=(400, 2))
    y = x @ [1.0, 2.0]
    line = models.fit(x, y, LinearRegression())
    assert isinstance(line.model, interop.ForeignModel)
    assert line.family == "LinearRegression" and line.error < 1e-12
    assert line.derivative.startswith("central differences, step")
    np.testing.assert_allclose(line.model.jacobians(x[:2])[:, 0], [[1, 2], [1, 2]], rtol=1e-8)
    forest = models.fit(x, y, RandomForestRegressor(10, random_state=0), weights="relative")
    assert "piecewise constant" in forest.derivative
    assert forest.scores["RandomForestRegressor"] > 0.01


def test_a_regressor_of_one_output_is_fitted_to_each():
    x = _inputs(80, 2)
    fitted = models.fit(x, x[:, ::-1], HistGradientBoostingRegressor(max_iter=5, min_samples_leaf=5), folds=2)
    assert fitted.values(x).shape == (80, 2)


def test_constant_columns_and_small_tables():
    x = np.concatenate([_inputs(60, 2), np.full((60, 1), 0.1)], axis=1)
    fitted = models.fit(x, x[:, 0] * x[:, 1])
    assert fitted.error < 1e-10
    np.testing.assert_array_equal(jax.jacfwd(fitted.model)(x[0])[:, 2], 0)
    tiny = models.fit(_inputs(10, 1), _inputs(10, 1, seed=5), "polynomial(1)")
    assert np.isfinite(tiny.error) and 0 <= tiny.resolution <= tiny.error


def test_integers_and_vectors_are_read():
    x = np.random.default_rng(0).integers(0, 7, (30, 2))
    fitted = models.fit(x, x[:, 0] + 2 * x[:, 1], "polynomial(1)")
    assert fitted.error < 1e-12 and fitted.values(x.astype(float)).shape == (30, 1)


X, Y = _inputs(50), _cubic(_inputs(50))

BAD = {
    "rows": ((X, Y[:-1]), {}, ValueError, "same number of rows, got 50 in x and 49 in y"),
    "few rows": ((X[:9], Y[:9]), {}, ValueError, "at least 10 rows .* got 9"),
    "more folds than rows": ((X[:12], Y[:12]), {"folds": 11}, ValueError, "11 folds need .* only 10 of 12"),
    "folds": ((X, Y), {"folds": 1}, ValueError, "folds: expected a whole number of at least 2, got 1"),
    "held out": ((X, Y), {"held_out": 1.0}, ValueError, r"held_out: expected a fraction .* got 1\.0"),
    "nan in x": ((np.where(X > 2, np.nan, X), Y), {}, ValueError, r"x: \d of 50 rows have NaN"),
    "inf in y": ((X, Y * np.inf), {}, ValueError, "y: 50 of 50 rows have NaN or infinite"),
    "complex": ((X * 1j, Y), {}, ValueError, "x has dtype complex128: split complex numbers"),
    "text": ((X.astype(str).astype(object) + "a", Y), {}, TypeError, "x has dtype object: every entry must be a real"),
    "shape": ((X[None], Y), {}, ValueError, r"x: expected a table of shape \(rows, columns\), got shape \(1, 50, 3\)"),
    "zeros": ((X, 0 * Y), {}, ValueError, "y: every entry is zero"),
    "family": (
        (X, Y, "polynomail"),
        {},
        ValueError,
        "family: 'polynomail' is none of auto.* Did you mean 'polynomial'",
    ),
    "dictionary text": ((X, Y, "radal(-5,0)"), {}, ValueError, r"Did you mean radial\(low, high\)"),
    "dictionary width": ((X, Y, dictionary.linear(2)), {}, ValueError, "takes 2 variables, but x has 3"),
    "pole": ((X - X[:1], Y, "radial(-3,0)"), {}, ValueError, "not finite on 1 of .* rows of x"),
    "no predict": ((X, Y, PCA()), {}, TypeError, "family: PCA has no method predict"),
    "no family": ((X, Y, 3), {}, TypeError, "family: int has no method predict"),
    "weights text": (
        (X, Y),
        {"weights": "even"},
        ValueError,
        "weights: expected None, 'relative' or an array, got 'even'",
    ),
    "weights shape": ((X, Y), {"weights": np.ones(3)}, ValueError, r"one weight for each of 50 rows, got shape \(3,\)"),
    "weights sign": (
        (X, Y),
        {"weights": -np.ones(50)},
        ValueError,
        "weights: expected finite weights of at least zero",
    ),
    "weights unused": (
        (X, Y, KNeighborsRegressor()),
        {"weights": "relative"},
        ValueError,
        "the fit of KNeighborsRegressor takes no sample_weight",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_error_messages(case):
    arguments, named, kind, message = BAD[case]
    named = {"seed": 0, **named}
    with pytest.raises(kind, match=message):
        models.fit(*arguments, **named)
