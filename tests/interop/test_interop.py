"""Foreign models: values and Jacobians against known ones, the notes, and each error message."""

import pickle
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pandas
import pytest
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestRegressor
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, PolynomialFeatures, StandardScaler
from sklearn.svm import SVR

import lieder as ld
from lieder import action, algebra, discover, interop

X = np.random.default_rng(0).normal(size=(300, 3)) * [1.0, 100.0, 0.01]
Z = X / [1.0, 100.0, 0.01]
Y = np.stack([Z[:, 0] ** 2 + Z[:, 1], Z[:, 0] * Z[:, 2]], axis=1)
DY = np.stack(
    [
        np.stack([2 * Z[:, 0], np.ones(300), np.zeros(300)], axis=1),
        np.stack([Z[:, 2], np.zeros(300), Z[:, 0]], axis=1),
    ],
    axis=1,
) / [1.0, 100.0, 0.01]


def _quadratic():
    return make_pipeline(StandardScaler(), PolynomialFeatures(2), LinearRegression()).fit(X, Y)


def test_sklearn_pipeline_is_differentiated():
    model = interop.from_sklearn(_quadratic(), X)
    np.testing.assert_allclose(model.values(X), Y, atol=1e-10)
    np.testing.assert_allclose(model.jacobians(X[:7]) * [1.0, 100.0, 0.01], DY[:7] * [1.0, 100.0, 0.01], atol=1e-8)
    np.testing.assert_array_equal(model(X[3]), model.values(X[3:4])[0])
    assert model.note == "central differences, step 6.1e-06 of each column's standard deviation"
    assert model.steps is not None
    np.testing.assert_allclose(model.steps, np.std(X, axis=0) * np.finfo(float).eps ** (1 / 3))


def test_one_output_is_a_column():
    model = interop.from_sklearn(LinearRegression().fit(X, Y[:, 0]), X)
    assert model.values(X[:5]).shape == (5, 1)
    assert model.jacobians(X[:5]).shape == (5, 1, 3)


def test_gaussian_process_is_smooth():
    process = GaussianProcessRegressor(RBF(2.0), alpha=1e-8, optimizer=None).fit(Z[:100], Y[:100])
    model = interop.from_sklearn(process, Z)
    assert "not smooth" not in model.note
    near = np.argsort(np.linalg.norm(Z[:100], axis=1))[:20]
    np.testing.assert_allclose(model.jacobians(Z[near]), (DY * [1.0, 100.0, 0.01])[near], atol=0.1)


@pytest.mark.parametrize(
    "estimator", [RandomForestRegressor(20, random_state=0), KNeighborsRegressor(10)], ids=["forest", "neighbours"]
)
def test_piecewise_constant_predictors_get_longer_steps(estimator):
    z = np.random.default_rng(1).uniform(-1, 1, size=(1500, 2))
    slope = np.array([[1.0, 2.0]])
    copy: Any = clone(estimator)
    model = interop.from_sklearn(copy.fit(z, (z @ slope.T)[:, 0]), z)
    assert "piecewise constant" in model.note and "columns 0 (step" in model.note
    assert model.steps is not None
    assert np.all(model.steps > 0.01 * np.std(z, axis=0)) and np.all(model.steps <= 0.3001 * np.std(z, axis=0))
    middle = z[np.abs(z).max(axis=1) < 0.5]
    np.testing.assert_allclose(model.jacobians(middle).mean(axis=0), slope, rtol=0.2)


def test_only_the_rough_column_gets_a_longer_step():
    model = interop.central_differences(lambda x: np.floor(20 * x[:, 0]) / 20 + x[:, 1] ** 2, Z[:, :2])
    assert model.steps is not None
    assert model.steps[0] > 0.01 and model.steps[1] < 1e-4
    assert "columns 0 (step" in model.note and "other columns: step 6.1e-06" in model.note


def test_irrelevant_and_constant_columns_are_smooth():
    x = np.concatenate([Z, np.full((300, 1), 7.0), np.zeros((300, 1))], axis=1)
    model = interop.central_differences(lambda x: x[:, 0] * x[:, 3] + x[:, 4], x)
    assert "not smooth" not in model.note
    expected = np.array([7.0, 0, 0, x[0, 0], 1.0])
    np.testing.assert_allclose(model.jacobians(x[:1])[0, 0], expected, atol=1e-8)


def test_single_precision_predictors_get_steps_for_their_rounding():
    model = interop.central_differences(lambda x: np.sin(x).astype(np.float32), Z)
    assert "step 4.9e-03" in model.note and model.values(Z).dtype == np.float32
    np.testing.assert_allclose(model.jacobians(Z)[:, 0, 0], np.cos(Z[:, 0]), atol=1e-3)


def test_classifiers_answer_with_probabilities():
    model = interop.from_sklearn(LogisticRegression().fit(Z, Z[:, 0] > 0), Z)
    np.testing.assert_allclose(model.values(Z).sum(axis=1), 1)
    assert np.abs(model.jacobians(Z[:5])[:, 1, 0]).min() > 0


def test_data_frames_names_are_not_missed():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X, columns=["a", "b", "c"])
    model = interop.from_sklearn(LinearRegression().fit(frame, Y), X)
    assert model.values(X).shape == Y.shape


def test_columns_in_another_order_are_refused():
    """They were read by place, and the symmetries were those of another function."""
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X, columns=["a", "b", "c"])
    for fitted in (LinearRegression(), make_pipeline(StandardScaler(), LinearRegression())):
        fitted.fit(frame, Y)
        turns = action.vectors(algebra.so(3))
        target = action.scalars(turns.algebra, Y.shape[1])
        with pytest.raises(ValueError, match=r"F: the .* fitted to the columns a, b, c, but x has c, b, a. Fea"):
            discover.function(fitted, frame[["c", "b", "a"]], source=turns, target=target)
        # Labels of the user's own say nothing about the order.
        found = discover.function(fitted, X, source=turns, target=target, names=["u", "v", "w"])
        assert found.dim == discover.function(fitted, frame, source=turns, target=target).dim


def test_kinds_are_told_apart_without_importing():
    assert interop.is_sklearn(_quadratic()) and interop.is_sklearn(PCA())
    for probe in (interop.is_torch, interop.is_dask):
        assert not probe(_quadratic()) and not probe(X) and not probe(lambda x: x)
    assert not interop.is_sklearn(X)


def test_error_messages():
    with pytest.raises(TypeError, match="estimator: PCA has no method predict"):
        interop.from_sklearn(PCA().fit(X), X)
    with pytest.raises(ValueError, match="estimator: this LinearRegression is not fitted"):
        interop.from_sklearn(LinearRegression(), X)
    with pytest.raises(ValueError, match="x: expected a batch"):
        interop.from_sklearn(_quadratic(), X).values(X[0])
    with pytest.raises(ValueError, match="x: expected at least two rows"):
        interop.from_sklearn(_quadratic(), X[:1])
    with pytest.raises(ValueError, match="NaN or infinite"):
        interop.from_sklearn(_quadratic(), X * np.nan)
    with pytest.raises(TypeError, match=r"module: expected a torch\.nn\.Module, got PCA"):
        interop.from_torch(PCA())


def test_the_estimators_of_this_library_are_the_functions_that_they_have_fitted():
    frame = pandas.DataFrame(np.random.default_rng(5).normal(size=(60, 2)), columns=["a", "b"])
    x, turns = frame.to_numpy(), ld.vectors(ld.algebra.gl(2))
    bowl = ld.promote.Regression("polynomials(2)", source="so on vectors", alpha=0.01).fit(frame, (x**2).sum(axis=1))
    # On rows that come in pieces, whose spread nobody knows, and with exact derivatives.
    found = ld.discover.function(bowl, [x[:30], x[30:]], source=turns, names=["a", "b"])
    assert found.dim == 1 and found.defects[0] < 1e-13
    with pytest.raises(ValueError, match=r"F: the Regression was fitted to the columns a, b, but x has b, a"):
        ld.discover.function(bowl, frame[["b", "a"]], source=turns)
    motion = ld.enforce.SparseDynamics("polynomials(1)").fit(x, x[:, ::-1] * [1, -1])
    turning = ld.discover.vector_field(motion, [x[:30], x[30:]], action=turns)
    assert turning.dim == 2 and turning.defects[1] < 1e-13


def test_estimators_are_known_by_all_that_they_hold():
    fitted = [SVR(C=strength).fit(Z, Y[:, 0]) for strength in (1.0, 2.0)]
    turns = ld.vectors(ld.algebra.gl(X.shape[1]))
    models = [interop.from_sklearn(one, X) for one in (*fitted, pickle.loads(pickle.dumps(fitted[0])))]
    one, other, copy = (
        ld.discover.reduce(model, X, source=turns, target=ld.scalars(turns.algebra, 1), first_row=k * len(X))
        for k, model in enumerate(models)
    )
    assert one.model and one.merge(copy).rows == 2 * len(X)
    with pytest.raises(ValueError, match=r"differ in F: one marked \w+ and one marked \w+\. Reduce all"):
        one.merge(other)
    nameless = make_pipeline(FunctionTransformer(lambda x: x), LinearRegression()).fit(X, Y)
    assert interop.program_mark("F", interop.from_sklearn(nameless, X), X.shape[1]) == {}


def test_models_are_known_by_their_programs_and_by_numbers_in_functions_that_these_call():
    def mark(number: float, compiled: bool):
        weights = jnp.full((2, 2), number)
        model = lambda x: jax.nn.relu(weights @ x)  # noqa: E731
        return interop.program_mark("F", jax.jit(model) if compiled else model, 2)["F"]

    assert mark(1.0, False) == mark(1.0, False) != mark(2.0, False)
    assert mark(1.0, True) == mark(1.0, True) != mark(2.0, True)
