"""scikit-learn's own checks, on every estimator of the house.

All take their width from the data, by text: with a dictionary of fixed width no check could pass that brings its own
table.
"""

import pickle

import jax.numpy as jnp
import jaxtyping
import numpy as np
import pandas
import pytest
from sklearn.base import clone
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import estimator_checks
from sklearn.utils.estimator_checks import parametrize_with_checks

from lieder import action, algebra, dictionary, enforce, promote

# Smallest families: what is checked is the manners of an estimator, not what it finds.
ESTIMATORS = [
    promote.Regression("linear", source="gl on vectors", alpha=0.1),
    promote.Regression("linear", source="t on points", folds=2),
    enforce.SparseDynamics("linear"),
    enforce.FunctionFeatures("polynomials(2)", source="symmetric on vectors"),
]


@pytest.fixture(autouse=True)
def unchecked_annotations():
    """The checks pass whatever they like, and must meet what a user would meet."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


each = pytest.mark.parametrize("estimator", ESTIMATORS, ids=repr)


@parametrize_with_checks(ESTIMATORS)
def test_a_check_of_scikit_learn(estimator, check):
    check(estimator)


@pytest.mark.parametrize("seed", [1, 2])
def test_a_weight_is_a_repetition_whatever_the_folds(seed):
    """An example that is given twice lies in one fold, as one of weight two does."""
    estimator = promote.Regression("linear", source="t on points", folds=2, seed=seed)
    estimator_checks.check_sample_weight_equivalence_on_dense_data("Regression", estimator)


@each
def test_frames_in_another_order_are_refused(estimator):
    """Not among the checks above; scikit-learn runs it on its own estimators."""
    estimator_checks.check_dataframe_column_names_consistency(type(estimator).__name__, clone(estimator))


@pytest.mark.filterwarnings("ignore:X (does not have valid|has) feature names")
@pytest.mark.parametrize(
    "check",
    [
        estimator_checks.check_get_feature_names_out_error,
        estimator_checks.check_transformer_get_feature_names_out,
        estimator_checks.check_transformer_get_feature_names_out_pandas,
        estimator_checks.check_set_output_transform,
        estimator_checks.check_set_output_transform_pandas,
        estimator_checks.check_global_output_transform_pandas,
    ],
)
def test_names_of_features(check):
    check("FunctionFeatures", enforce.FunctionFeatures("polynomials(2)", source="symmetric on vectors"))


# In pipelines and searches, copied and stored

RNG = np.random.default_rng(0)
FRAME = pandas.DataFrame(RNG.normal(size=(60, 4)), columns=["a", "b", "c", "d"])
PLANE = (FRAME**2).sum(axis=1) + 3.0
TURNING = FRAME[["b", "a"]].to_numpy() * [-1.0, 1.0]

WAYS = {
    "SparseDynamics": (enforce.SparseDynamics("polynomials(2)", symmetry="so on vectors"), FRAME[["a", "b"]], TURNING),
    "SparseDynamics, fixed": (
        enforce.SparseDynamics(dictionary.polynomials(2, 2), symmetry=action.vectors(algebra.so(2))),
        FRAME[["a", "b"]],
        TURNING,
    ),
    "Regression": (
        promote.Regression("polynomials(2)", source="so on vectors", target="tangent", exact=True),
        FRAME[["a", "b"]],
        TURNING,
    ),
    "Regression, fixed": (
        promote.Regression(dictionary.polynomials(2, 2), source=action.vectors(algebra.so(2)), alpha=1e-9),
        FRAME[["a", "b"]],
        FRAME["a"] ** 2 + FRAME["b"] ** 2,
    ),
    "features": (
        make_pipeline(enforce.FunctionFeatures("polynomials(2)", source="so on vectors"), Ridge(1e-9)),
        FRAME,
        PLANE,
    ),
    "features over names": (
        make_pipeline(
            enforce.FunctionFeatures("polynomials(2)", source="so(2) on vectors(a,b), vectors(c,d)"), Ridge(1e-9)
        ),
        FRAME,
        PLANE,
    ),
    "features of functions": (
        make_pipeline(
            enforce.FunctionFeatures(
                enforce.functions(
                    dictionary.polynomials(4, 2),
                    source=action.vectors(algebra.so(4)),
                    target=action.scalars(algebra.so(4)),
                )
            ),
            Ridge(1e-9),
        ),
        FRAME,
        PLANE,
    ),
}
each_way = pytest.mark.parametrize(("model", "x", "y"), list(WAYS.values()), ids=list(WAYS))


@each_way
def test_copied_fitted_and_stored(model, x, y):
    twin = clone(model).fit(x, y)
    assert repr(twin) == repr(model)
    np.testing.assert_allclose(twin.predict(x), y, rtol=1e-6, atol=1e-6)
    assert twin.score(x, y) > 1 - 1e-9
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(twin)).predict(x), twin.predict(x))
    assert clone(twin).set_params(**twin.get_params(deep=False)).fit(x, y).score(x, y) > 1 - 1e-9
    with pytest.raises(ValueError, match="same order as they were in fit"):
        twin.predict(x[x.columns[::-1]])


def test_regression_in_a_pipeline():
    """Two outputs at once, candidates over the columns of a frame, a dictionary that is searched for."""
    y = pandas.DataFrame({"u": PLANE, "v": FRAME["c"]})
    pipe = make_pipeline(
        StandardScaler(with_mean=False).set_output(transform="pandas"),
        promote.Regression("linear", source="so(2) on vectors(a,b)", alpha=1e-6),
    )
    search = GridSearchCV(pipe, {"regression__dictionary": ["linear", "polynomials(2)"]}, cv=3).fit(FRAME, y)
    model = search.best_estimator_[-1]
    assert search.best_params_["regression__dictionary"] == "polynomials(2)" and search.best_score_ > 1 - 1e-6
    assert (model.source_.width, model.target_.width, model.dictionary_.size) == (4, 2, 15)
    assert [line.split(" = ")[0] for line in model.equations()] == ["u", "v"]


def test_searched():
    """The dictionary and the symmetry are choices like any other, since both are text."""
    pipe = make_pipeline(enforce.FunctionFeatures("polynomials(2)", source="so on vectors"), Ridge(1e-9))
    grid = {
        "functionfeatures__functions": ["polynomials(1)", "polynomials(2)", "polynomials(3)"],
        "functionfeatures__source": ["so on vectors", "sl on vectors", "so(2) on vectors(a,b)"],
        "functionfeatures__constant": [True],
    }
    search = GridSearchCV(pipe, grid, cv=3, error_score="raise").fit(FRAME, PLANE)
    best = search.best_params_
    assert (
        best["functionfeatures__source"] == "so on vectors" and best["functionfeatures__functions"] != "polynomials(1)"
    )
    scaled = make_pipeline(StandardScaler(with_mean=False), enforce.SparseDynamics("polynomials(2)"))
    search = GridSearchCV(scaled, {"sparsedynamics__dictionary": ["linear", "polynomials(2)"]}, cv=3)
    assert search.fit(FRAME, np.stack([FRAME["a"] ** 2, FRAME["b"]], axis=1)).best_score_ > 1 - 1e-9


FIXED = {
    "Regression": promote.Regression(dictionary.polynomials(3, 2), source="so on vectors"),
    "Regression, source": promote.Regression("polynomials(2)", source=action.vectors(algebra.so(3))),
    "SparseDynamics": enforce.SparseDynamics(dictionary.polynomials(3, 2)),
    "SparseDynamics, symmetry": enforce.SparseDynamics("polynomials(2)", symmetry=action.vectors(algebra.so(3))),
    "features": enforce.FunctionFeatures(dictionary.polynomials(3, 2), source="so on vectors"),
    "features, source": enforce.FunctionFeatures("polynomials(2)", source=action.vectors(algebra.so(3))),
}


@pytest.mark.parametrize("name", FIXED)
def test_a_fixed_width_is_refused_in_words(name):
    with pytest.raises(ValueError, match=r"(takes 3 variables|acts on 3 numbers).* but the data have 4 feature"):
        FIXED[name].fit(FRAME, FRAME)


NO_FAMILY = {
    "number": (3, TypeError, "linear in its coefficients, .* got a int"),
    "model": (jnp.tanh, TypeError, "got a function that returns a"),
    "model that cannot": (lambda x: x @ x, TypeError, "got a function"),
    "text": ("polynomial", ValueError, "lacks degree"),
}


@pytest.mark.parametrize("name", NO_FAMILY)
def test_no_family_of_functions(name):
    given, fault, message = NO_FAMILY[name]
    for model in (
        enforce.SparseDynamics(given),
        enforce.FunctionFeatures(given, source="so on vectors"),
        promote.Regression(given, source="so on vectors"),
    ):
        with pytest.raises(fault, match=message):
            model.fit(FRAME, FRAME)


def test_features_need_a_source_once():
    with pytest.raises(ValueError, match='source: say how the inputs are acted on, such as "so on vectors"'):
        enforce.FunctionFeatures("polynomials(2)").fit(FRAME)
    found = WAYS["features of functions"][0][0].functions
    with pytest.raises(ValueError, match="source: the functions that were given have theirs"):
        enforce.FunctionFeatures(found, source="so on vectors").fit(FRAME)
    with pytest.raises(ValueError, match=r"target: expected .*got 'vector'"):
        enforce.FunctionFeatures("polynomials(2)", source="so on vectors", target="vector").fit(FRAME)
    with pytest.raises(TypeError, match="source: expected an action"):
        enforce.FunctionFeatures("polynomials(2)", source=algebra.so(4)).fit(FRAME)
    turned = enforce.FunctionFeatures("polynomials(1)", source="so on vectors", target="tangent").fit(FRAME)
    assert turned.get_feature_names_out().tolist() == ["a", "b", "c", "d"]
