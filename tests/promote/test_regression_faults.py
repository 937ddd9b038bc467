"""What is wrong with the arguments of a regression, in the user's words."""

import re

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.sparse
from sklearn.exceptions import NotFittedError

import lieder as ld
from lieder.promote import Regression

QUADRATIC = ld.dictionary.polynomials(3, 2)
RIGID = ld.points(ld.algebra.se(3))
TURNS = ld.vectors(ld.algebra.so(3))
X = np.random.default_rng(0).uniform(-1, 1, (30, 3))
Y = 1 + X[:, 0] + X[:, 0] ** 2


@pytest.mark.parametrize("alpha", [-1, 0, np.nan, np.inf, "x", 1j, True, np.ones(1)])
def test_alpha(alpha):
    with pytest.raises(ValueError, match=r"alpha: expected a finite number above 0, or None to choose it by cross-val"):
        Regression(QUADRATIC, source=RIGID, alpha=alpha).fit(X, Y)


def test_alpha_below_rounding_and_beside_exact():
    with pytest.raises(ValueError, match=r"alpha: 1e-300 is so far below .*Give a larger one, or take exact=True"):
        Regression(QUADRATIC, source=RIGID, alpha=1e-300).fit(X, Y + 0.1 * X[:, 1] ** 2)
    with pytest.raises(ValueError, match=r"alpha: exact=True has none, the data are interpolated; got 1.0"):
        Regression(QUADRATIC, source=RIGID, alpha=1.0, exact=True).fit(X, Y)


@pytest.mark.parametrize(
    "given, message",
    [
        ({"tolerance": 0}, "tolerance: expected a number between 0 and 1, got 0"),
        ({"tolerance": "x"}, "tolerance: expected a number between 0 and 1, got 'x'"),
        ({"kept_tolerance": 2.0}, "kept_tolerance: expected a number between 0 and 1, got 2.0"),
        ({"max_iterations": 0}, "max_iterations: expected a whole number from 1 on, got 0"),
        ({"max_iterations": 3.5}, "max_iterations: expected a whole number from 1 on, got 3.5"),
        ({"folds": 1}, "folds: expected a whole number from 2 on, got 1"),
        ({"seed": -1}, "seed: expected a whole number from 0 on, got -1"),
        ({"collocation": "bx"}, 'collocation: expected "box", "gaussian", "data" or points .C, 3., got \'bx\''),
        ({"collocation": np.ones((3, 2))}, r"collocation: points must be rows \(C, 3\), got shape \(3, 2\)"),
        ({"collocation": np.full((3, 3), np.nan)}, "collocation: points hold NaN or infinite values"),
        ({"inner": np.eye(3)}, r"inner must be a Gram matrix of shape \(6, 6\), one row a candidate; got \(3, 3\)"),
        ({"inner": -np.eye(6)}, "inner must be positive definite"),
        ({"inner": [[1.0], [1.0, 2.0]]}, "inner: its rows have different lengths"),
        ({"max_iterations": True}, "max_iterations: expected a whole number from 1 on, got True"),
    ],
)
def test_settings(given, message):
    with pytest.raises(ValueError, match=message):
        Regression(QUADRATIC, source=RIGID, **({"alpha": 1.0} | given)).fit(X, Y)


@pytest.mark.parametrize(
    "x, y, weights, fault, message",
    [
        (
            X[:, :2],
            Y,
            None,
            ValueError,
            r"dictionary: it takes 3 variables, but the data have 2 feature\(s\)",
        ),
        (X[:, 0], Y, None, ValueError, "Expected 2D array, got 1D array instead"),
        (X[:0], Y[:0], None, ValueError, r"Found array with 0 sample\(s\)"),
        (X, Y[:5], None, ValueError, r"y: expected one row for each of the 30 examples in X"),
        (X, None, None, ValueError, "Regression requires y to be passed, but the target y is None"),
        (np.where(X > 0.9, np.nan, X), Y, None, ValueError, "Input X contains NaN"),
        (X, np.where(Y > 2, np.inf, Y), None, ValueError, "Input y contains infinity"),
        (X.astype(str), Y, None, TypeError, "X has dtype <U32: every entry must be a real number"),
        (X, Y + 1j, None, ValueError, "Complex data not supported"),
        (X + 1j, Y, None, ValueError, "Complex data not supported"),
        (scipy.sparse.csr_array(X), Y, None, TypeError, "X is a sparse matrix; give it dense"),
        (X, scipy.sparse.csr_array(Y[:, None]), None, TypeError, "y is a sparse matrix; give it dense"),
        (np.ma.masked_greater(X, 0.9), Y, None, ValueError, r"X has \d masked values.*Drop these rows"),
        (X, Y.astype("datetime64[s]"), None, TypeError, r"y has dtype datetime64\[s\]: convert times to numbers"),
        (
            [[1, 2, 3], [1, 2]],
            Y[:2],
            None,
            ValueError,
            "X is ragged: its rows have different lengths",
        ),
        (X, Y, -np.ones(30), ValueError, "sample_weight must not be negative, nor all zero; the least is -1"),
        (X, Y, np.zeros(30), ValueError, "sample_weight must not be negative, nor all zero"),
        (X, Y, np.ones(3), ValueError, r"sample_weight: expected one number for each of the 30 examples"),
        (X, Y, np.full(30, np.nan), ValueError, "sample_weight holds 30 NaN or infinite values"),
        (
            X * 1e160,
            Y,
            None,
            ValueError,
            r"X holds values up to [\d.]+e\+1\d\d, whose squares overflow; give",
        ),
        (X, Y * 1e300, None, ValueError, r"y holds values up to [\d.]+e\+300, whose squares overflow"),
    ],
)
def test_data(x, y, weights, fault, message):
    with pytest.raises(fault, match=message):
        Regression(QUADRATIC, source=RIGID, alpha=1.0).fit(x, y, weights)


@pytest.mark.parametrize(
    "given, message",
    [
        ({"exact": "no"}, "exact: expected True or False, got 'no'"),
        ({"intercept": 1}, "intercept: expected True or False, got 1"),
        ({"inner": np.eye(6).astype(str)}, "inner must hold real numbers, got dtype <U"),
        ({"inner": 1j * np.eye(6)}, "inner must hold real numbers, got dtype complex128"),
        ({"collocation": X.astype(str)}, "collocation: points must be real numbers, got dtype <U"),
    ],
)
def test_settings_of_another_kind(given, message):
    with pytest.raises(TypeError, match=message):
        Regression(QUADRATIC, source=RIGID, **({"alpha": None if "exact" in given else 1.0} | given)).fit(X, Y)


def test_numbers_from_elsewhere():
    """A strength from JAX, columns of pandas that may hold gaps, inputs of an astronomical size."""
    pandas = pytest.importorskip("pandas")
    plain = Regression(QUADRATIC, source=RIGID, alpha=0.125).fit(X, Y)
    assert Regression(QUADRATIC, source=RIGID, alpha=jnp.float32(0.125)).fit(X, Y).alpha_ == 0.125
    frame, series = pandas.DataFrame(X, columns=["a", "b", "c"], dtype="Float64"), pandas.Series(Y, dtype="Float64")
    model = Regression(QUADRATIC, source=RIGID, alpha=0.125).fit(frame, series.rename("height"))
    np.testing.assert_allclose(model.coef_, plain.coef_, atol=1e-12)
    assert model.equations(digits=2)[0].startswith("height = 1") and " a^2" in model.equations()[0]
    assert plain.equations(digits=2)[0].startswith("y0 = 1") and " x0^2" in plain.equations()[0]
    assert set(model.symmetries_.names) == {"a", "b", "c", "height"}
    with pytest.raises(ValueError, match=r"feature names"):
        model.predict(frame[["b", "a", "c"]])
    frame.loc[3, "b"] = pandas.NA
    with pytest.raises(ValueError, match="Input X contains NaN"):
        Regression(QUADRATIC, source=RIGID, alpha=0.125).fit(frame, series)
    far = Regression(QUADRATIC, source=RIGID, alpha=0.125).fit(X * 1e60, Y)
    np.testing.assert_allclose(far.predict(X * 1e60), plain.predict(X), atol=1e-9)


def test_the_least_residual_is_that_of_least_squares():
    noise = np.random.default_rng(5).normal(size=30)
    design = np.stack([x0 for x0 in np.asarray(jax.vmap(QUADRATIC)(X))])
    least = np.linalg.norm(design @ np.linalg.lstsq(design, noise)[0] - noise) / np.linalg.norm(noise)
    with pytest.raises(ValueError, match=rf"the least relative residual is {least:.2g}; "):
        Regression(QUADRATIC, source=RIGID, exact=True).fit(X, noise)


def test_exact_data_that_no_function_meets():
    exact = Regression(QUADRATIC, source=RIGID, exact=True)
    with pytest.raises(
        ValueError, match=r"least relative residual is 0\.21; .*the dictionary cannot express them. For noisy"
    ):
        exact.fit(X, X[:, 0] ** 3)
    with pytest.raises(
        ValueError, match=r"y: no function of the dictionary takes these values exactly.*contradict each"
    ):
        exact.fit(X[[0, 0, 1]], np.array([1.0, 2.0, 3.0]))


@pytest.mark.parametrize(
    "source, target, fault, message",
    [
        (
            ld.points(ld.algebra.t(3).subalgebra(np.zeros((0, 3)))),
            None,
            ValueError,
            "has neither generators nor discrete elements, so that there is",
        ),
        (
            ld.points(ld.algebra.se(2)),
            None,
            ValueError,
            r"source acts on 2 numbers .* but the data have 3 feature\(s\)",
        ),
        (RIGID, TURNS, ValueError, "source and target are over different algebras"),
        (
            RIGID,
            RIGID,
            ValueError,
            "target: .* is not linear in the outputs.*Take a linear action on outputs, or ld.prom",
        ),
        ("se(3)", None, ValueError, r"candidates: cannot read 'se\(3\)'. Write \"algebra on kind"),
        ("se on points(x,y,z)", None, ValueError, r"no column 'x'.* Columns in use: x0, x1, x2"),
        (ld.algebra.se(3), None, TypeError, r"source: expected an action such as ld.points\(ld.algebra.se\(3\)\)"),
        (RIGID, "x", ValueError, "target: expected .scalars., .vectors., .covectors. or .tangent., got 'x'"),
        (RIGID, ld.algebra.se(3), TypeError, "target: expected an action on outputs"),
        (RIGID, ld.scalars(ld.algebra.se(3), 2), ValueError, "y has 3 columns, but target acts on 2 outputs"),
    ],
)
def test_actions(source, target, fault, message):
    with pytest.raises(fault, match=message):
        Regression(QUADRATIC, source=source, target=target, alpha=1.0).fit(X, Y if target is None else X)


@pytest.mark.parametrize("family", [jnp.tanh, eqx.nn.MLP(3, 1, 4, 1, key=jax.random.key(0))])
def test_a_family_that_is_not_linear(family):
    with pytest.raises(
        TypeError, match=r"dictionary: expected a family that is linear in its coefficients.*ld.promote.penalty"
    ):
        Regression(family, source=RIGID, alpha=1.0).fit(X, Y)


def test_functions_that_are_not_finite():
    logarithm = ld.dictionary.functions([lambda x: jnp.log(x[0])], 3, ["log"])
    with pytest.raises(ValueError, match=r"X: a function of the dictionary is not finite at 16 of 30 examples"):
        Regression(logarithm, source=RIGID, alpha=1.0).fit(X, Y)


def test_inputs_that_nothing_moves():
    still = ld.scalars(ld.algebra.so(3), 3)
    with pytest.raises(ValueError, match=r"none of the 3 candidates of so\(3\) moves inputs or outputs"):
        Regression(QUADRATIC, source=still, alpha=1.0).fit(X, Y)


def test_predictions_and_equations():
    model = Regression(QUADRATIC, source=RIGID, alpha=1.0)
    for use in (lambda: model.predict(X), lambda: model.equations(), lambda: model.function, lambda: model.symmetries_):
        with pytest.raises(NotFittedError):
            use()
    model.fit(X, Y)
    with pytest.raises(ValueError, match=r"X has 2 features, but Regression is expecting 3 features"):
        model.predict(X[:, :2])
    with pytest.raises(ValueError, match="Input X contains NaN"):
        model.predict(X * np.nan)
    for bad in (X[:0], X + 1j, X[0]):
        with pytest.raises(ValueError, match=r"0 sample|Complex data not supported|Expected 2D"):
            model.predict(bad)
    with pytest.raises(TypeError, match="X has dtype <U32: every entry must be a real number"):
        model.predict(X.astype(str))
    for digits in (-1, 0, 2.5, "3", True):
        with pytest.raises(ValueError, match=r"digits: expected a whole number from 1 on, got"):
            model.equations(digits=digits)
    with pytest.raises(ValueError, match=r"names: expected 3 names, one for each input variable, got \['a'\]"):
        model.equations(["a"])


def test_an_error_of_all_that_varies_is_a_hundred_per_cent():
    rng = np.random.default_rng(0)
    model = Regression("linear", source="t on points").fit(rng.normal(size=(40, 3)), rng.normal(size=40))
    assert re.search(r"with an error of (9\d|1\d\d) % of what varies", model.symmetries_.evidence.model)
