"""Constraints in the column order of pysindy, held against its own fit."""

import warnings

import numpy as np
import pytest

from lieder import action, algebra, dictionary, enforce
from lieder.interop import from_pysindy, is_pysindy

ps = pytest.importorskip("pysindy")
if not hasattr(ps.optimizers, "ConstrainedSR3"):
    pytest.skip("ConstrainedSR3 needs cvxpy", allow_module_level=True)

SO2 = action.vectors(algebra.so(2))
SO3 = action.vectors(algebra.so(3))


def fitted(library, symmetry, order, x, dx):
    """pysindy's own fit under our constraints."""
    lhs, rhs = enforce.constraints(library, symmetry=symmetry, order=order)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # "target" is deprecated there
        optimizer = ps.optimizers.ConstrainedSR3(
            constraint_lhs=lhs,
            constraint_rhs=rhs,
            constraint_order=order,
            equality_constraints=True,
            reg_weight_lam=1e-3,
            relax_coeff_nu=1e-2,
            tol=1e-12,
            max_iter=2000,
        )
        model = ps.SINDy(feature_library=library, optimizer=optimizer)
        model.fit(x, t=1.0, x_dot=dx)
    return model


@pytest.mark.parametrize("order", ["feature", "target"])
def test_the_known_system_is_recovered(order):
    x = np.random.default_rng(0).standard_normal((300, 2))
    radius = np.sum(x**2, axis=1, keepdims=True)
    dx = x @ np.array([[-0.1, 1.0], [-1.0, -0.1]]) - 0.5 * radius * x
    model = fitted(ps.PolynomialLibrary(degree=3), SO2, order, x, dx)
    w = np.zeros((2, 10))
    w[:, 1:3] = [[-0.1, -1.0], [1.0, -0.1]]
    w[0, [6, 8]] = w[1, [7, 9]] = -0.5
    np.testing.assert_allclose(model.coefficients(), w, atol=1e-6)


@pytest.mark.parametrize("order", ["feature", "target"])
def test_the_fitted_model_has_the_symmetry(order):
    """Whatever the data: three states, so that a wrong column order would not do."""
    rng = np.random.default_rng(0)
    x, dx = rng.standard_normal((2, 200, 3))
    dx = dx + x
    model = fitted(ps.PolynomialLibrary(degree=2, include_bias=False), SO3, order, x, dx)
    turn, _ = np.linalg.qr(rng.standard_normal((3, 3)))
    turn *= np.sign(np.linalg.det(turn))
    w = model.optimizer.coef_full_ if order == "feature" else model.coefficients()
    features = lambda z: np.asarray(model.feature_library.transform(z))  # noqa: E731
    np.testing.assert_allclose(features(x @ turn.T) @ w.T, features(x) @ w.T @ turn.T, atol=1e-9)
    assert np.abs(w).max() > 0.1


def test_our_dictionary_and_its_library_agree():
    ours = enforce.constraints(dictionary.polynomials(2, 3), symmetry=SO2).lhs
    theirs = enforce.constraints(ps.PolynomialLibrary(degree=3), symmetry=SO2).lhs
    assert ours.shape == theirs.shape == (16, 20)
    np.testing.assert_allclose(ours.T @ ours, theirs.T @ theirs, atol=1e-12)
    np.testing.assert_allclose(ours @ ours.T, np.eye(16), atol=1e-12)


def test_orders_are_the_same_equations():
    feature = enforce.constraints(dictionary.polynomials(2, 2), symmetry=SO2)
    target = enforce.constraints(dictionary.polynomials(2, 2), symmetry=SO2, order="target")
    w = np.random.default_rng(0).standard_normal((2, 6))
    np.testing.assert_allclose(feature.lhs @ w.T.reshape(-1), target.lhs @ w.reshape(-1))
    assert not feature.rhs.any() and feature.rhs.shape == (len(feature.lhs),)


@pytest.mark.parametrize(
    "library",
    [
        ps.PolynomialLibrary(degree=2, include_interaction=False),
        ps.FourierLibrary(n_frequencies=1) + ps.PolynomialLibrary(degree=2),
        ps.CustomLibrary([lambda x: x, lambda x, y: x * y**2], [lambda x: x, lambda x, y: x + y]),
    ],
    ids=["polynomials", "sum", "custom"],
)
def test_any_library_has_its_own_columns(library):
    """Values as the library gives them, Jacobians against differences of these."""
    model = from_pysindy(library, 2)
    x = np.random.default_rng(0).standard_normal((20, 2))
    values = np.asarray(library.fit(x).transform(x))
    np.testing.assert_allclose(model.values(x), values, atol=1e-12)
    step = 1e-5 * np.array([1.0, 0.0])
    slope = (np.asarray(library.transform(x + step)) - np.asarray(library.transform(x - step))) / 2e-5
    np.testing.assert_allclose(model.jacobians(x)[:, :, 0], slope, atol=1e-6)


def test_a_sum_of_libraries_by_differences():
    """Scaling of both states: only the linear functions remain, also where Jacobians are differences."""
    scaling = action.vectors(algebra.matrices(np.eye(2)[None]))
    lhs, _ = enforce.constraints(ps.PolynomialLibrary(degree=2) + ps.FourierLibrary(n_frequencies=1), symmetry=scaling)
    assert lhs.shape == (20 - 4, 20)
    _, _, right = np.linalg.svd(lhs)
    free = np.linalg.norm(right[16:].reshape(4, 10, 2), axis=(0, 2))
    np.testing.assert_allclose(free[1:3], np.sqrt(2), atol=1e-6)


def test_nothing_left_says_so():
    with pytest.warns(UserWarning, match="but F = 0"):
        lhs, _ = enforce.constraints(ps.PolynomialLibrary(degree=0), symmetry=SO2)
    assert np.linalg.matrix_rank(lhs) == 2


def test_what_is_a_library():
    assert is_pysindy(ps.PolynomialLibrary()) and not is_pysindy(ps.optimizers.STLSQ())
    with pytest.raises(TypeError, match="expected a feature library of pysindy"):
        from_pysindy(dictionary.polynomials(2, 2), 2)
    with pytest.raises(TypeError, match="library: expected one of pysindy's"):
        enforce.constraints([1, 2], symmetry=SO2)
    with pytest.raises(ValueError, match="order: expected"):
        enforce.constraints(ps.PolynomialLibrary(), symmetry=SO2, order="rows")
    with pytest.raises(ValueError, match="but the library takes 3 states"):
        enforce.constraints(dictionary.polynomials(3, 2), symmetry=SO2)
    with pytest.raises(ValueError, match="points: expected finite states"):
        enforce.constraints(ps.PolynomialLibrary(), symmetry=SO2, points=np.zeros((5, 3)))
    with pytest.raises(TypeError, match="symmetry: expected an action"):
        enforce.constraints(ps.PolynomialLibrary(), symmetry=algebra.so(2))
    with pytest.raises(ValueError, match="cannot be fitted to 2 states"):
        from_pysindy(ps.ParameterizedLibrary(ps.PolynomialLibrary(), ps.PolynomialLibrary(), num_parameters=5), 2)
