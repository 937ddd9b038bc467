"""Convex promotion: published recoveries, known symmetries, laws of the estimator, measures of the norm."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

import lieder as ld
from lieder.action._lifts import Lift
from lieder.derivative import values
from lieder.promote import Regression
from lieder.promote._family import lie_columns, measure
from lieder.promote._measure import measure_of
from lieder.promote._units import Units
from lieder.sampling import moments

QUADRATIC = ld.dictionary.polynomials(3, 2)
RIGID = ld.points(ld.algebra.se(3))
RNG = np.random.default_rng(0)
X = RNG.uniform(-1, 1, (40, 3))
AXIS = np.array([2.0, 1.0, -2.0]) / 3
Y = 1 + 2 * X @ AXIS + 3 * (X @ AXIS) ** 2
NOISY = Y + 0.02 * Y.std() * RNG.normal(size=40)
KEPT = 3  # turns about AXIS, and the two shifts across it


def recovery():
    path = Path(__file__).parents[2] / "benchmarks" / "recovery_instances.py"
    spec = importlib.util.spec_from_file_location("recovery_instances", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules["recovery_instances"] = module
    spec.loader.exec_module(module)
    return module


# The published experiment


def recovered(key, problem, n):
    m = key[2]
    algebra = ld.algebra.t(m) if key[1] == "t" else ld.algebra.se(m)
    frobenius = ld.promote.orthonormal(ld.points(algebra))  # as published: in the units of the inputs
    model = Regression(
        ld.dictionary.polynomials(m, problem.degree),
        source=ld.points(algebra),
        exact=True,
        collocation=problem.collocation,
        inner=np.linalg.inv(frobenius.T @ frobenius),
    ).fit(problem.x[:n], problem.y[:n])
    return np.abs(model.coef_ - problem.coefficients).max() < 5e-3 * np.abs(problem.coefficients).max()


PUBLISHED = recovery().PUBLISHED
QUICK = [
    ("ortho", "t", 5, 1, 2, 0),
    ("ortho", "t", 5, 2, 2, 0),
    ("ortho", "se", 5, 1, 2, 1),
    ("quad", "se", 5, 1, 1, 0),
]


@pytest.mark.parametrize(
    "key",
    [
        pytest.param(key, marks=[] if key in QUICK else pytest.mark.slow, id="-".join(map(str, key)))
        for key in PUBLISHED
    ],
)
def test_published_recovery_from_exactly_that_many_samples(key):
    problem = recovery().instance(*key)
    assert recovered(key, problem, PUBLISHED[key])
    assert not recovered(key, problem, PUBLISHED[key] - 1)


# Known symmetries


def moved(directions, x):
    """d/dt f of the true function along kept directions (kept, N)."""
    velocity = np.stack([ld.action.velocities(RIGID, xi, x) for xi in directions])
    return velocity @ AXIS * (2 + 6 * x @ AXIS)


@pytest.mark.parametrize("way", ["exact", "noise-free path", "alpha", "noise"])
def test_kept_directions_are_the_stabiliser(way):
    given = {"exact": {"exact": True}, "alpha": {"alpha": 1e-3}}.get(way, {})
    model = Regression(QUADRATIC, source=RIGID, **given).fit(X, NOISY if way == "noise" else Y)
    assert model.kept_ == KEPT and model.kept_directions_.shape == (KEPT, 6)
    tolerance = 2e-2 if way == "noise" else 1e-3
    assert np.abs(moved(model.kept_directions_, X)).max() < tolerance * np.abs(Y).max()
    assert model.symmetries_.dim == KEPT
    assert max(model.symmetries_.defect(xi) for xi in model.kept_directions_) < 2e-2
    assert model.gap_ <= 1e-6 and model.stop_ == "gap" and model.undetermined_ == 0
    np.testing.assert_allclose(model.predict(X), Y, atol=0.1 if way == "noise" else 2e-2)


def test_eight_samples_of_ten_unknowns_are_enough():
    model = Regression(QUADRATIC, source=RIGID, exact=True).fit(X[:8], Y[:8])
    np.testing.assert_allclose(model.predict(X), Y, atol=1e-3)
    assert model.alpha_ is None and model.path_ is None
    assert model.symmetries_ is model.symmetries_


def test_vector_field_about_an_unknown_axis():
    """x' = u x x - x + (u.x) u commutes with rotations about u alone."""
    source = ld.vectors(ld.algebra.so(3))
    velocity = np.cross(AXIS, X) - X + np.outer(X @ AXIS, AXIS) * (1 + X @ AXIS)[:, None]
    model = Regression(QUADRATIC, source=source, target=ld.action.tangent(source), exact=True).fit(
        X[:12], velocity[:12]
    )
    np.testing.assert_allclose(model.predict(X), velocity, atol=1e-3)
    assert model.kept_ == 1
    xi = model.kept_directions_[0]
    turned = ld.action.velocities(source, xi, X)
    np.testing.assert_allclose(
        np.abs(np.cross(AXIS, X)),
        np.abs(turned / np.linalg.norm(turned)) * np.linalg.norm(np.cross(AXIS, X)),
        atol=1e-3,
    )
    assert model.coef_.shape == (3, 10) and model.intercept_.shape == (3,)
    assert len(model.equations(["x", "y", "z"])) == 3
    np.testing.assert_allclose(np.asarray(model.function(X[0])), model.predict(X[:1])[0], atol=1e-12)


def test_symmetric_data_and_strong_promotion_keep_everything():
    turns = ld.vectors(ld.algebra.so(3))
    radial = (X**2).sum(axis=1)
    assert Regression(QUADRATIC, source=turns).fit(X, radial).kept_ == 3
    strong = Regression(QUADRATIC, source=RIGID, alpha=1e6).fit(X, NOISY)
    assert strong.kept_ == 6
    np.testing.assert_allclose(strong.predict(X), NOISY.mean(), atol=1e-6)
    assert Regression(QUADRATIC, source=RIGID, alpha=1e300).fit(X, NOISY).kept_ == 6


def test_weak_promotion_is_least_squares():
    model = Regression(QUADRATIC, source=RIGID, alpha=1e-10, refit=False).fit(X, NOISY)
    np.testing.assert_allclose(model.coef_, np.linalg.lstsq(values(QUADRATIC, X), NOISY)[0], atol=1e-6)


def test_a_function_without_symmetry_keeps_none():
    y = NOISY + X @ [0.3, -0.5, 0.7] + (X @ np.diag([1.0, -0.6, 0.2]) * X).sum(axis=1)
    assert Regression(QUADRATIC, source=RIGID).fit(X, y).kept_ == 0


# The objective


def nuclear(w, model):
    """|L_F|_* by Gauss quadrature over the box of X, with candidates as long as the model takes them."""
    nodes, weights = np.polynomial.legendre.leggauss(4)
    grid = np.stack(np.meshgrid(*3 * [nodes], indexing="ij"), axis=-1).reshape(-1, 3)
    mass = np.prod(np.stack(np.meshgrid(*3 * [weights], indexing="ij"), axis=-1).reshape(-1, 3), axis=1) / 8
    low, high = X.min(axis=0), X.max(axis=0)
    points = low + (high - low) * (grid + 1) / 2
    slopes = np.zeros((len(points), 3))
    for k, step in enumerate(1e-5 * np.eye(3)):
        slopes[:, k] = (values(QUADRATIC, points + step) - values(QUADRATIC, points - step)) @ w / 2e-5
    basis = model._task(X, NOISY, None)[1].candidates
    moved = np.stack([(ld.action.velocities(RIGID, xi, points) * slopes).sum(axis=1) for xi in basis], axis=1)
    return np.linalg.svd(np.sqrt(mass)[:, None] * moved, compute_uv=False).sum()


def objective(model, y=NOISY, weights=1.0):
    residual = model.predict(X) - y
    return 0.5 * np.sum(weights * residual**2) + model.alpha_ * model.singular_values_.sum()


def test_the_objective_is_the_one_that_is_written():
    model = Regression(QUADRATIC, source=RIGID, alpha=0.3, refit=False).fit(X, NOISY)
    np.testing.assert_allclose(model.objective_, objective(model), rtol=1e-9)
    for seed in range(5):
        other = clone(model).set_params(alpha=0.3).fit(X, NOISY)
        other.coef_ = model.coef_ + 1e-3 * np.random.default_rng(seed).normal(size=10)
        value = 0.5 * np.sum((values(QUADRATIC, X) @ other.coef_ - NOISY) ** 2)
        value += 0.3 * nuclear(other.coef_, model)
        assert value >= model.objective_ * (1 - model.gap_)


def test_a_tighter_tolerance_moves_within_the_gap():
    loose = Regression(QUADRATIC, source=RIGID, alpha=0.3, refit=False, tolerance=1e-2).fit(X, NOISY)
    tight = Regression(QUADRATIC, source=RIGID, alpha=0.3, refit=False, tolerance=1e-10).fit(X, NOISY)
    assert tight.gap_ <= 1e-10 and loose.gap_ <= 1e-2
    assert loose.objective_ * (1 - loose.gap_) <= tight.objective_ <= loose.objective_ * (1 + 1e-10)


def test_weights_are_repetitions():
    weights = np.arange(40) % 3
    weighted = Regression(QUADRATIC, source=RIGID, alpha=0.3, refit=False, collocation=X).fit(X, NOISY, weights)
    again = np.repeat(np.arange(40), weights)
    repeated = Regression(QUADRATIC, source=RIGID, alpha=0.3, refit=False, collocation=X).fit(X[again], NOISY[again])
    np.testing.assert_allclose(weighted.coef_, repeated.coef_, atol=1e-4)
    np.testing.assert_allclose(weighted.objective_, repeated.objective_, rtol=3e-6)


def test_intercepts_take_constants_out_of_the_norm():
    without = ld.dictionary.linear(3)
    plain = Regression(without, source=RIGID, alpha=0.01, refit=False).fit(X, 5 + X @ AXIS)
    free = Regression(without, source=RIGID, alpha=0.01, refit=False, intercept=True).fit(X, 5 + X @ AXIS)
    assert abs(free.intercept_ - 5) < 0.01 and plain.intercept_ == 0.0
    assert np.abs(free.predict(X) - 5 - X @ AXIS).max() < 0.05 < np.abs(plain.predict(X) - 5 - X @ AXIS).max()
    exact = Regression(without, source=RIGID, exact=True, intercept=True).fit(X[:5], 5 + X[:5] @ AXIS)
    np.testing.assert_allclose(exact.predict(X), 5 + X @ AXIS, atol=1e-6)


def test_inner_product_changes_the_answer_as_a_change_of_basis_does():
    default = Regression(QUADRATIC, source=RIGID, alpha=0.3, refit=False).fit(X, NOISY)
    frobenius = default._task(X, NOISY, None)[1].candidates
    gram = np.linalg.inv(frobenius.T @ frobenius)
    gram = (gram + gram.T) / 2
    same = Regression(QUADRATIC, source=RIGID, alpha=0.3, refit=False, inner=gram).fit(X, NOISY)
    np.testing.assert_allclose(same.coef_, default.coef_, atol=1e-4)
    longer = Regression(QUADRATIC, source=RIGID, alpha=0.6, refit=False, inner=4 * gram).fit(
        X, NOISY
    )  # units twice as long, alpha twice
    np.testing.assert_allclose(longer.coef_, default.coef_, atol=1e-4)
    rotations = np.abs(ld.algebra.se(3).generators.dense()[:, :3, :3]).sum(axis=(1, 2)) > 0
    longer = np.where(rotations, 10.0, 1.0)
    scaled = Regression(QUADRATIC, source=RIGID, alpha=0.3, refit=False, inner=gram * np.outer(longer, longer)).fit(
        X, NOISY
    )
    assert np.abs(scaled.coef_ - default.coef_).max() > 1e-3


# Where the norm is measured


def norms(where, target=None, source=RIGID, seed=0):
    """Singular values of A(W) for a fixed W."""
    target = ld.scalars(source.algebra) if target is None else target
    one = np.ones(3)
    as_they_are = Units(source, 0 * one, one, one, one[:1], np.ones(10), scipy.sparse.csr_array(np.eye(10)))
    where = measure(where, as_they_are, moments(X), X) if isinstance(where, str | np.ndarray) else where
    columns = lie_columns(QUADRATIC, source, target, where, ld.promote.orthonormal(source), np.ones(10), seed)
    w = np.random.default_rng(1).normal(size=columns.size)
    return np.linalg.svd(columns.apply(w), compute_uv=False)


def test_box_moments_are_a_gauss_quadrature():
    low, high = X.min(axis=0), X.max(axis=0)
    nodes, weights = np.polynomial.legendre.leggauss(4)
    grid = np.stack(np.meshgrid(*3 * [nodes], indexing="ij"), axis=-1).reshape(-1, 3)
    mass = np.prod(np.stack(np.meshgrid(*3 * [weights], indexing="ij"), axis=-1).reshape(-1, 3), axis=1) / 8
    points = low + (high - low) * (grid + 1) / 2
    w = np.random.default_rng(1).normal(size=10)
    slopes = np.zeros((len(points), 3))
    for k, step in enumerate(1e-5 * np.eye(3)):
        slopes[:, k] = (values(QUADRATIC, points + step) - values(QUADRATIC, points - step)) @ w / 2e-5
    basis = ld.promote.orthonormal(RIGID)
    moved = np.stack([(ld.action.velocities(RIGID, xi, points) * slopes).sum(axis=1) for xi in basis], axis=1)
    expected = np.linalg.svd(np.sqrt(mass)[:, None] * moved, compute_uv=False)
    np.testing.assert_allclose(norms("box"), expected, rtol=1e-6)


@pytest.mark.parametrize("kind", ["box", "gaussian"])
def test_exact_moments_are_many_points(kind):
    points = measure_of(kind, moments(X)).sample(100_000, 3)
    np.testing.assert_allclose(norms(kind), norms(points), rtol=0.02)


def test_data_are_points():
    np.testing.assert_allclose(norms("data"), norms(X), rtol=1e-12)
    assert np.abs(norms("data") / norms("box") - 1).max() > 1e-3
    model = Regression(QUADRATIC, source=RIGID, exact=True, collocation="data").fit(X, Y)
    assert model.kept_ == KEPT and model.symmetries_.dim == KEPT


def test_a_dictionary_that_is_not_polynomial_is_sampled():
    waves = ld.dictionary.fourier(2, 2)
    x = np.random.default_rng(0).uniform(-3, 3, (40, 2))
    shifts = ld.points(ld.algebra.t(2))
    model = Regression(waves, source=shifts, exact=True).fit(x[:12], np.sin(x[:12, 0]))
    assert model.kept_ == 1
    np.testing.assert_allclose(model.predict(x), np.sin(x[:, 0]), atol=1e-2)


def test_fields_without_matrices_agree_with_those_that_have_them():
    """Affine fields written as functions take the sampled route; the norms must be the same."""
    flat = ld.vectors(ld.algebra.so(3))
    target, lifted = ld.action.tangent(flat), Lift(flat, 1, 0, 0.0)
    points = np.random.default_rng(2).uniform(-1, 1, (500, 3))
    np.testing.assert_allclose(norms(points, lifted, flat), norms(points, target, flat), rtol=1e-8)


def test_nonlinear_candidates():
    """|x|^2 x is kept by the rotations of conformal(2), x' = x by its scaling as well."""
    source = ld.points(ld.algebra.conformal(2))
    x = np.random.default_rng(0).uniform(-1, 1, (30, 2))
    model = Regression(
        ld.dictionary.polynomials(2, 1), source=source, target=ld.action.tangent(source), exact=True, collocation=x
    ).fit(x[:4], x[:4])
    assert model.kept_ == 2
    np.testing.assert_allclose(model.predict(x), x, atol=1e-4)


# The estimator


def test_sklearn_conventions():
    model = Regression(QUADRATIC, source=RIGID, alpha=0.1)
    copy = clone(model)
    assert copy.get_params()["alpha"] == 0.1 and copy.get_params()["dictionary"] is not None
    assert copy.set_params(alpha=0.2).alpha == 0.2 and model.alpha == 0.1
    fitted = model.fit(X, NOISY)
    assert fitted is model and model.n_features_in_ == 3
    assert model.coef_.shape == (10,) and isinstance(model.intercept_, float) and model.predict(X).shape == (40,)
    assert model.score(X, Y) > 0.99
    assert (cross_val_score(model, X, NOISY, cv=3) > 0.9).all()
    chain = make_pipeline(FunctionTransformer(), clone(model)).fit(X, NOISY)
    np.testing.assert_allclose(chain.predict(X), model.predict(X))
    column = clone(model).fit(X, NOISY[:, None])
    assert column.coef_.shape == (1, 10) and column.predict(X).shape == (40, 1)
    np.testing.assert_allclose(column.coef_[0], model.coef_)
    assert "alpha=0.1" in repr(model)


def test_equations_in_words():
    model = Regression(QUADRATIC, source=ld.vectors(ld.algebra.so(3)), exact=True).fit(X, 1 + 2 * (X**2).sum(axis=1))
    assert model.equations(["x", "y", "z"], digits=3) == ["y0 = 1 + 2 x^2 + 2 y^2 + 2 z^2"]


def test_not_reaching_the_tolerance_is_a_warning_with_the_gap():
    for given in ({"alpha": 0.3}, {"exact": True}):
        rows = slice(8) if "exact" in given else slice(None)
        with pytest.warns(
            ConvergenceWarning, match=r"gap is 0\.\d+ after 1 iterations \(max_iterations\), above the tol"
        ):
            model = Regression(QUADRATIC, source=RIGID, max_iterations=1, **given).fit(X[rows], NOISY[rows])
        assert model.gap_ > model.tolerance and model.n_iter_ == 1 and model.stop_ == "max_iterations"


def test_what_nobody_sees_is_a_warning():
    shift = ld.points(ld.algebra.t(3).subalgebra(np.eye(3)[:1]))
    y = X[:4, 0]
    with pytest.warns(UserWarning, match="directions of the coefficients are seen neither by the data nor by the cand"):
        model = Regression(QUADRATIC, source=shift, alpha=0.1).fit(X[:4], y)
    assert model.undetermined_ > 0
    with pytest.warns(UserWarning, match="Give more examples, or fewer functions"):
        Regression(QUADRATIC, source=shift, exact=True).fit(X[:4], y)


def test_fewer_rows_than_outputs():
    source = ld.vectors(ld.algebra.so(3))
    model = Regression(QUADRATIC, source=source, target=ld.action.tangent(source), exact=True).fit(X[:2], X[:2])
    np.testing.assert_allclose(model.predict(X), X, atol=1e-4)  # x itself is equivariant and fits
    assert model.kept_ == 3
