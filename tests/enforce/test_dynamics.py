"""Laws of sparse_dynamics: planted systems come back, the symmetry holds to rounding, bad input says what is wrong."""

import warnings

import jax
import jax.numpy as jnp
import numpy as np
import pandas
import pytest
import scipy.sparse
from motions import step
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from lieder import action, algebra, derivative, dictionary, discover, enforce

CUBIC = dictionary.polynomials(2, 3)
SO2 = action.vectors(algebra.so(2))
SCALING = action.vectors(algebra.matrices([[[2.0, 0.0], [0.0, 1.0]]]))
# theta = x^2 d/dy: nonlinear; x d/dx + 2 y d/dy + c x^2 d/dy commutes with it.
SHEAR = action.fields([lambda z: jnp.stack([0 * z[0], z[0] ** 2])], 2, ["shear"])
MIRRORS = action.vectors(algebra.o(2))  # so(2) and a reflection: no rotation of the plane commutes with that


def planted(**terms) -> np.ndarray:
    """Coefficients (2, 10) in the cubic polynomials: monomial=(in x', in y')."""
    names = ["one", "x", "y", "xx", "xy", "yy", "xxx", "xxy", "xyy", "yyy"]
    w = np.zeros((2, 10))
    for name, pair in terms.items():
        w[:, names.index(name)] = pair
    return w


SYSTEMS = {
    "damped oscillator": (SO2, planted(x=(-0.1, 1.0), y=(-1.0, -0.1))),
    "limit cycle": (
        SO2,
        planted(x=(1, 2), y=(-2, 1), xxx=(-1, 0), xxy=(0, -1), xyy=(-1, 0), yyy=(0, -1)),
    ),
    "growth": (SCALING, planted(x=(-0.3, 0), y=(0, 1), yy=(0.1, 0))),
    "sheared node": (SHEAR, planted(x=(1, 0), y=(0, 2), xx=(0, -0.7))),
    "mirrored": (MIRRORS, planted(x=(1, 0), y=(0, 1), xxx=(-1, 0), xxy=(0, -1), xyy=(-1, 0), yyy=(0, -1))),
    "none": (None, planted(one=(0.5, 0), x=(-1, 0), xxy=(1, -1), yyy=(0, 0.2))),
}


def states(seed=0, count=400):
    return np.random.default_rng(seed).uniform(-1.5, 1.5, (count, 2))


def velocities(w, x):
    return np.asarray(jax.vmap(CUBIC)(jnp.asarray(x))) @ w.T


def trajectory(w, x0, t, substeps=4):
    """Runge-Kutta steps, in NumPy: starts (C, 2) and even times (T,) to (C, T, 2)."""
    powers = CUBIC.exponents
    f = lambda x: np.prod(x[:, None, :] ** powers, axis=2) @ w.T  # noqa: E731
    x, h, out = np.asarray(x0, float), (t[1] - t[0]) / substeps, []
    for _ in t:
        out.append(x)
        for _ in range(substeps):
            x = step(f, x, h)
    return np.stack(out, axis=1)


def violation(model, symmetry, x):
    """|L F| / |DF theta| over states, from the library's own Lie derivative."""
    target = action.tangent(symmetry)
    lie = jax.vmap(lambda z: derivative.lie_derivative(model.function, z, source=symmetry, target=target))
    slope = jax.vmap(jax.jacfwd(model.function))(jnp.asarray(x))
    moved = jnp.einsum("pai,pki->pka", slope, jax.vmap(symmetry.fields)(jnp.asarray(x)))
    return float(jnp.linalg.norm(lie(jnp.asarray(x))) / jnp.linalg.norm(moved))


@pytest.mark.parametrize("name", SYSTEMS)
@pytest.mark.parametrize("threshold", ["auto", 0.05])
def test_planted_systems_come_back(name, threshold):
    symmetry, w = SYSTEMS[name]
    x = states()
    model = enforce.sparse_dynamics(x, velocities(w, x), CUBIC, symmetry=symmetry, threshold=threshold)
    np.testing.assert_allclose(model.coefficients_, w, atol=1e-10)
    assert ((model.coefficients_ != 0) == (w != 0)).all()


@pytest.mark.parametrize("name", ["damped oscillator", "limit cycle", "growth", "sheared node"])
def test_the_symmetry_holds_whatever_the_data(name):
    """Noise, and a system that breaks it: the fitted field does not."""
    symmetry, w = SYSTEMS[name]
    x = states()
    dx = velocities(w, x) + 0.3 * np.random.default_rng(1).standard_normal(x.shape) + x[:, ::-1] ** 2
    model = enforce.sparse_dynamics(x, dx, CUBIC, symmetry=symmetry, threshold=0.0)
    assert np.abs(model.coefficients_).max() > 0.1
    assert violation(model, symmetry, states(5, 50)) <= 1e-10
    free = enforce.sparse_dynamics(x, dx, CUBIC, threshold=0.0)
    assert violation(free, symmetry, states(5, 50)) > 1e-2


def test_discrete_elements_hold_whatever_the_data():
    x = states()
    dx = np.random.default_rng(1).standard_normal(x.shape) + x
    model = enforce.sparse_dynamics(x, dx, CUBIC, symmetry=MIRRORS, threshold=0.0)
    flip = np.array([-1.0, 1.0])
    np.testing.assert_allclose(model.predict(x * flip), model.predict(x) * flip, atol=1e-12)
    assert model.dimension_ == 2
    assert enforce.sparse_dynamics(x, dx, CUBIC, symmetry=SO2, threshold=0.0).dimension_ == 4


@pytest.mark.parametrize("penalty", [None, 1e8])
def test_discrete_elements_hold_where_no_matrices_are_at_hand(penalty):
    """A grid moves its fields by resampling: its reflection counts as it does among the grid's sparse matrices."""
    image = action.grid(algebra.o(2), (3, 3), order=2)
    turn, mirror = (stack.dense()[0] for stack in (image.sparse().generators, image.sparse().elements))
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 9))
    dx = x @ rng.normal(size=(9, 9)) + rng.normal(size=(200, 9))
    model = enforce.sparse_dynamics(x, dx, "linear", symmetry=image, penalty=penalty, threshold=0.0)
    w, small = model.coefficients_, 1e-12 if penalty is None else 1e-6
    assert np.abs(w).max() > 0.1
    np.testing.assert_allclose(w @ turn, turn @ w, atol=small)
    np.testing.assert_allclose(w @ mirror, mirror @ w, atol=small)
    matrices = np.concatenate([np.kron(np.eye(9), g.T) - np.kron(g, np.eye(9)) for g in (turn, mirror)])
    free = 81 - np.linalg.matrix_rank(matrices)
    assert len(enforce.constraints(dictionary.linear(9), symmetry=image).lhs) == 81 - free
    assert penalty is not None or model.dimension_ == free


def test_what_is_below_the_threshold_is_zero_and_stays_so():
    x = states()
    w = planted(x=(-1.0, 0.04), y=(0.5, -1.0), xx=(0.03, 0), yyy=(0, 0.2))
    model = enforce.sparse_dynamics(x, velocities(w, x), CUBIC, threshold=0.1)
    kept = np.abs(w) >= 0.1
    assert ((model.coefficients_ != 0) == kept).all()
    assert (np.abs(model.coefficients_[kept]) >= 0.1).all()


def test_a_coefficient_that_goes_takes_those_tied_to_it():
    """so(2) ties the damping of x to that of y."""
    w = planted(x=(-0.01, 1.0), y=(-1.0, -0.01))
    x = states()
    model = enforce.sparse_dynamics(x, velocities(w, x), CUBIC, symmetry=SO2, threshold=0.1)
    assert model.equations(["x", "y"]) == ["x' = -1 y", "y' = 1 x"]


def test_columns_of_any_size():
    """Units of the states change the coefficients by the units alone."""
    w = planted(x=(-0.3, 0), y=(0, 1), yy=(0.1, 0))
    x, unit = states(), np.array([1e6, 1e-4])
    dx = velocities(w, x) + 0.01 * np.random.default_rng(1).standard_normal(x.shape)
    plain = enforce.sparse_dynamics(x, dx, CUBIC, symmetry=SCALING)
    other = enforce.sparse_dynamics(x * unit, dx * unit, CUBIC, symmetry=SCALING)
    np.testing.assert_allclose(other.predict(x * unit), plain.predict(x) * unit, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("method", ["weak", "spline", "total_variation"])
def test_velocities_from_trajectories(method):
    w = SYSTEMS["damped oscillator"][1]
    t = np.linspace(0, 10, 200)
    angle = np.linspace(0, 6, 8)
    x = trajectory(w, 1.5 * np.stack([np.cos(angle), np.sin(angle)], 1), t)
    noisy = x + 0.1 * x.std() * np.random.default_rng(0).standard_normal(x.shape)
    model = enforce.sparse_dynamics(noisy, None, dictionary.polynomials(2, 2), t=t, symmetry=SO2, derivative=method)
    assert ((model.coefficients_ != 0)[:, 1:3]).all() and not model.coefficients_[:, [0, 3, 4, 5]].any()
    # Total variation gives steps: good for systems that switch, poor for a damping of a tenth.
    error = {"weak": 0.01, "spline": 0.03, "total_variation": 0.08}[method]
    np.testing.assert_allclose(model.coefficients_, w[:, :6], atol=error)
    np.testing.assert_allclose(model.noise_, 0.1 * x.std(), rtol=0.2)


def test_total_variation_finds_a_switch_of_slope():
    t = np.linspace(0, 4, 201)
    x = np.abs(t - 1.7) + 0.01 * np.random.default_rng(0).standard_normal(201)
    smoothed = enforce.TotalVariation().smooth(t, x[None, :, None])
    away = np.abs(t - 1.7) > 0.1
    np.testing.assert_allclose(smoothed.slopes[0, away, 0], np.sign(t - 1.7)[away], atol=0.1)
    assert enforce.TotalVariation(weight=100.0).smooth(t, x[None, :, None]).slopes.std() < 0.05


def test_the_spline_gives_exact_slopes_without_noise():
    t = np.sort(np.random.default_rng(0).uniform(0, 6, 120))
    x = np.stack([np.sin(t), np.exp(-t / 2)], axis=1)[None]
    smoothed = enforce.SmoothingSpline().smooth(t, x)
    inner = slice(5, -5)
    np.testing.assert_allclose(smoothed.slopes[0, inner, 0], np.cos(t)[inner], atol=1e-3)
    np.testing.assert_allclose(smoothed.states, x, atol=1e-3)


def test_trajectories_in_any_form():
    """One array for all, a list, times as a step: the same model; and lengths may differ."""
    w = SYSTEMS["growth"][1]
    t = np.linspace(0, 2, 101)
    x = trajectory(w, states(3, 4), t)
    once = enforce.sparse_dynamics(x, None, CUBIC, t=t, symmetry=SCALING)
    for other in (
        enforce.sparse_dynamics(list(x), None, CUBIC, t=0.02, symmetry=SCALING),
        enforce.sparse_dynamics(tuple(x), None, CUBIC, t=[t] * 4, symmetry=SCALING),
    ):
        np.testing.assert_allclose(other.coefficients_, once.coefficients_, rtol=1e-6, atol=1e-9)
    cut = [x[0], x[1][:60], x[2][:60], x[3]]
    shorter = enforce.sparse_dynamics(cut, None, CUBIC, t=[t, t[:60], t[:60], t], symmetry=SCALING)
    np.testing.assert_allclose(shorter.coefficients_, w, atol=1e-3)


def test_batches_and_files_are_the_list_and_the_array(tmp_path, monkeypatch):
    w = SYSTEMS["limit cycle"][1]
    x = np.random.default_rng(5).uniform(-2, 2, (600, 2))
    dx = derivative.values(CUBIC, x) @ w.T + 0.01 * np.random.default_rng(6).normal(size=x.shape)
    np.save(tmp_path / "x.npy", x)
    whole = enforce.sparse_dynamics(x, dx, CUBIC, symmetry=SO2)
    mapped = enforce.sparse_dynamics(np.load(tmp_path / "x.npy", mmap_mode="r"), dx, CUBIC, symmetry=SO2)
    np.testing.assert_array_equal(mapped.coefficients_, whole.coefficients_)
    cuts = range(0, 600, 40)
    pieces = [x[a : a + 40] for a in cuts], [dx[a : a + 40] for a in cuts]
    listed, streamed = (enforce.sparse_dynamics(*map(form, pieces), CUBIC, symmetry=SO2) for form in (list, iter))
    np.testing.assert_array_equal(streamed.coefficients_, listed.coefficients_)
    np.testing.assert_allclose(listed.coefficients_, whole.coefficients_, atol=1e-9)
    # Blocks of rows, in which features are made, change nothing but rounding.
    monkeypatch.setattr("lieder.enforce._dynamics_rows.BLOCK", 70)
    blocked = enforce.sparse_dynamics(x, dx, CUBIC, symmetry=SO2)
    np.testing.assert_allclose(blocked.coefficients_, whole.coefficients_, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(blocked.residuals_, whole.residuals_, rtol=1e-8)
    direct = np.linalg.norm(dx - derivative.values(CUBIC, x) @ whole.coefficients_.T, axis=0) / np.linalg.norm(
        dx, axis=0
    )
    np.testing.assert_allclose(whole.residuals_, direct, rtol=1e-8)


def test_an_approximate_symmetry_is_weighed():
    """From the free fit to the exact one as the penalty grows."""
    w = planted(x=(-0.1, 1.0), y=(-1.0, -0.1), xx=(0.05, 0.0))
    x = states()
    dx = velocities(w, x) + 0.1 * np.random.default_rng(1).standard_normal(x.shape)
    fits = [enforce.sparse_dynamics(x, dx, CUBIC, symmetry=SO2, penalty=p, threshold=0.0) for p in (0.0, 1.0, 1e2, 1e8)]
    broken = [violation(fit, SO2, states(5, 50)) for fit in fits]
    assert broken[0] > broken[1] > broken[2] > broken[3] and broken[3] < 1e-5
    free = enforce.sparse_dynamics(x, dx, CUBIC, threshold=0.0)
    exact = enforce.sparse_dynamics(x, dx, CUBIC, symmetry=SO2, threshold=0.0)
    np.testing.assert_allclose(fits[0].coefficients_, free.coefficients_, atol=1e-9)
    np.testing.assert_allclose(fits[3].coefficients_, exact.coefficients_, atol=1e-5)


def test_a_discovered_symmetry_goes_straight_in():
    w = SYSTEMS["damped oscillator"][1]
    x = states()
    plane = action.vectors(algebra.gl(2))
    found = discover.vector_field(lambda z: jnp.asarray(w) @ CUBIC(z), x, action=plane)
    assert found.dim == 2  # rotation and scaling commute with a linear spiral
    model = enforce.sparse_dynamics(x, velocities(w, x), CUBIC, symmetry=found.action, tolerance=1e-6)
    np.testing.assert_allclose(model.coefficients_, w, atol=1e-8)
    assert model.dimension_ == 2


def test_no_symmetry_is_invented():
    """Glycolysis has none: without one given, none is found in the fitted field."""
    f = lambda x: np.stack(  # noqa: E731
        [0.75 - 0.1 * x[:, 0] - x[:, 0] * x[:, 1] ** 2, -x[:, 1] + 0.1 * x[:, 0] + x[:, 0] * x[:, 1] ** 2], axis=1
    )
    x = np.random.default_rng(0).uniform(0.2, 1.5, (300, 2))
    model = enforce.sparse_dynamics(x, f(x) + 1e-3 * np.random.default_rng(1).standard_normal(x.shape), CUBIC)
    assert (model.coefficients_ != 0).sum() == 6
    found = discover.vector_field(model.function, x, action=action.points(algebra.aff(2)))
    assert found.dim == 0


def test_what_is_left_of_each_rate():
    """The noise of measured velocities; little of clean trajectories; all of it where F = 0."""
    x, w = states(), SYSTEMS["damped oscillator"][1]
    clean = velocities(w, x)
    noise = 0.2 * np.random.default_rng(1).standard_normal(x.shape) * [1.0, 3.0]
    model = enforce.sparse_dynamics(x, clean + noise, CUBIC)
    expected = np.linalg.norm(noise, axis=0) / np.linalg.norm(clean + noise, axis=0)
    np.testing.assert_allclose(model.residuals_, expected, rtol=0.03)
    t = 0.05 * np.arange(200)
    assert enforce.sparse_dynamics(trajectory(w, states(2, 3), t), None, CUBIC, t=t).residuals_.max() < 1e-3
    assert enforce.sparse_dynamics(x, clean, CUBIC, threshold=10.0).residuals_.tolist() == [1.0, 1.0]


def test_an_empty_space_is_zero_and_says_so():
    x = states()
    with pytest.warns(UserWarning, match=r"but F = 0 has the symmetry so\(2\)"):
        model = enforce.sparse_dynamics(x, x, dictionary.polynomials(2, 0), symmetry=SO2)
    assert not model.coefficients_.any() and model.dimension_ == 0
    assert model.equations() == ["x0' = 0", "x1' = 0"]
    np.testing.assert_array_equal(model.predict(x), 0 * x)


def test_simulation_against_the_closed_form():
    x, t = states(), np.linspace(1.0, 6.0, 11)
    model = enforce.sparse_dynamics(x, velocities(SYSTEMS["damped oscillator"][1], x), CUBIC, symmetry=SO2)
    out = model.simulate([[1.0, 0.0], [0.0, 2.0]], t)
    turn = np.exp(-0.1 * (t - 1)) * np.array([np.cos(t - 1), np.sin(t - 1)])
    np.testing.assert_allclose(out[0], turn.T, atol=1e-6)
    np.testing.assert_allclose(out[1], 2 * np.stack([-turn[1], turn[0]], axis=1), atol=1e-6)
    # x' = x^2 leaves the line at t = 2.
    model.coefficients_ = planted(xx=(1.0, 0))
    out = model.simulate([[1.0, 0.0], [0.1, 0.0]], t)
    assert np.isfinite(out[0, 0]).all() and np.isinf(out[0, -1]).any() and np.isfinite(out[1]).all()


def test_it_is_an_estimator():
    x = states()
    w = SYSTEMS["growth"][1]
    dx = velocities(w, x)
    model = enforce.SparseDynamics(CUBIC, symmetry=SCALING, threshold=0.01)
    twin = clone(model.fit(x, dx))
    assert twin.get_params()["threshold"] == 0.01 and twin.symmetry.width == 2
    assert twin.fit(x, dx).score(x, dx) == pytest.approx(1.0)
    assert cross_val_score(model, x, dx, cv=3).min() > 0.999
    pipe = make_pipeline(FunctionTransformer(), enforce.SparseDynamics(CUBIC, symmetry=SCALING)).fit(x, dx)
    np.testing.assert_allclose(pipe.predict(x), dx, atol=1e-9)
    search = GridSearchCV(enforce.SparseDynamics(CUBIC), {"threshold": [0.01, 0.2]}, cv=3).fit(x, dx)
    assert search.best_params_ == {"threshold": 0.01}


def test_a_text_takes_its_width_from_the_data():
    x = states()
    dx = velocities(SYSTEMS["damped oscillator"][1], x)
    wanted = enforce.SparseDynamics(CUBIC, symmetry=SO2).fit(x, dx)
    for model in (
        enforce.SparseDynamics("polynomials(3)", symmetry="so on vectors"),
        enforce.SparseDynamics(
            lambda n: dictionary.polynomials(n, 3), symmetry=lambda n: action.vectors(algebra.so(n))
        ),
    ):
        assert model.fit(x, dx).dictionary_ == CUBIC and model.symmetry_.width == 2
        np.testing.assert_array_equal(model.coefficients_, wanted.coefficients_)
    search = GridSearchCV(enforce.SparseDynamics("linear"), {"dictionary": ["linear", "polynomials(3)"]}, cv=3)
    assert search.fit(x, velocities(planted(xxy=(1, 0), yyy=(0, -1)), x)).best_params_["dictionary"] == "polynomials(3)"


def test_columns_have_names():
    """Another order at `predict` was no error, and wrong."""
    frame = pandas.DataFrame(states(), columns=["u", "v"])
    dx = velocities(SYSTEMS["damped oscillator"][1], frame.to_numpy())
    model = enforce.SparseDynamics("polynomials(3)", symmetry="so(2) on vectors(u,v)").fit(frame, pandas.DataFrame(dx))
    assert model.feature_names_in_.tolist() == ["u", "v"]
    assert model.equations(digits=2) == ["u' = -0.1 u - 1 v", "v' = 1 u - 0.1 v"]
    np.testing.assert_allclose(model.predict(frame), dx, atol=1e-9)
    with pytest.raises(ValueError, match="Feature names must be in the same order as they were in fit"):
        model.predict(frame[["v", "u"]])
    with pytest.raises(ValueError, match="Feature names unseen at fit time"):
        model.predict(frame.rename(columns={"u": "w"}))
    with pytest.raises(ValueError, match=r"x\[1\]: The feature names should match"):
        enforce.sparse_dynamics([frame, frame[["v", "u"]]], [dx, dx], CUBIC)
    halves = enforce.sparse_dynamics([frame[:200], frame[200:]], [dx[:200], dx[200:]], CUBIC, symmetry=SO2)
    np.testing.assert_allclose(halves.coefficients_, model.coefficients_, atol=1e-9)


def test_rates_of_some_columns():
    """A state and an input: x' = -x + 2 u is known, u' is nobody's business."""
    x = states()
    rate = -x[:, 0] + 2 * x[:, 1]
    model = enforce.SparseDynamics("polynomials(3)").fit(x, rate)
    assert model.predict(x).shape == (400,) and model.coefficients_.shape == (1, 10)
    np.testing.assert_allclose(model.predict(x), rate, atol=1e-9)
    assert model.equations(["x", "u"]) == ["y1 = -1 x + 2 u"]
    three = enforce.SparseDynamics("linear").fit(x, np.stack([rate, x[:, 0], -rate], axis=1))
    assert three.equations() == ["y1 = -1 x0 + 2 x1", "y2 = 1 x0", "y3 = 1 x0 - 2 x1"]
    with pytest.raises(ValueError, match="1 rates of 2 columns were fitted; only a velocity for each"):
        model.simulate([1.0, 0.0], [0.0, 1.0])
    with pytest.raises(ValueError, match="a symmetry moves velocities as it moves states, 2 of them, but y has 1"):
        enforce.SparseDynamics("linear", symmetry="so on vectors").fit(x, rate)


@pytest.mark.parametrize(("count", "symmetry", "free"), [(2, SO2, 4), (2, None, 20), (10, None, 20), (1, SO2, 4)])
def test_no_more_numbers_than_unknowns(count, symmetry, free):
    """Two samples gave a model, wrong by more than it said."""
    x = states()[:count]
    penalty = {"penalty": 1.0} if symmetry is not None else {}
    message = rf"X: {count} samples? of 2 numbers cannot tell {free} free coefficients .* at least {free // 2 + 1} are"
    for given in ({}, penalty):
        with pytest.raises(ValueError, match=message):
            enforce.sparse_dynamics(x, x, CUBIC, symmetry=symmetry, **given)


def test_terms_that_do_anothers_work_are_exchanged():
    """On a ring x^2 + y^2 is nearly constant: constant, squares and their products stand in for one another."""
    random = np.random.default_rng(2)
    angle, radius = random.uniform(0, 2 * np.pi, 300), random.uniform(0.9, 1.1, 300)
    x = radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    w = planted(x=(0.5, 1), y=(-1, 0.5), xxx=(-0.5, 0), xxy=(0, -0.5), xyy=(-0.5, 0), yyy=(0, -0.5))
    model = enforce.sparse_dynamics(x, velocities(w, x) + 0.002 * random.standard_normal(x.shape), CUBIC)
    assert ((model.coefficients_ != 0) == (w != 0)).all()


def test_equations_are_words():
    x = states()
    model = enforce.sparse_dynamics(x, velocities(planted(one=(0.5, 0), xxy=(-1.25, 1)), x), CUBIC)
    assert model.equations(["u", "v"]) == ["u' = 0.5 - 1.25 u^2 v", "v' = 1 u^2 v"]


X, T = states(0, 40), np.linspace(0, 1, 40)
BAD = {
    "no times": (lambda: enforce.sparse_dynamics(X, None, CUBIC), "give the velocities dx, or the times t"),
    "too short": (lambda: enforce.sparse_dynamics(X[:8], None, CUBIC, t=0.1), "8 samples, too short to differentiate"),
    "NaN": (lambda: enforce.sparse_dynamics(np.where(X > 1, np.nan, X), X, CUBIC), "Input X contains NaN"),
    "width": (lambda: enforce.sparse_dynamics(X[:, :1], X[:, :1], CUBIC), r"takes 2 variables, but the data have 1 fe"),
    "dx of another shape": (lambda: enforce.sparse_dynamics(X, X[:-1], CUBIC), "shapes differ in trajectory 0"),
    "dx of other trajectories": (lambda: enforce.sparse_dynamics([X, X], [X], CUBIC), "as many trajectories"),
    "no trajectory": (lambda: enforce.sparse_dynamics([], None, CUBIC, t=0.1), "at least one trajectory"),
    "times unequal": (lambda: enforce.sparse_dynamics([X, X[:20]], None, CUBIC, t=T), "trajectory 1 has 20 samples"),
    "times missing": (lambda: enforce.sparse_dynamics([X, X], None, CUBIC, t=[T]), "times of 2 trajectories, got 1"),
    "times back": (lambda: enforce.sparse_dynamics(X, None, CUBIC, t=T[::-1]), "do not increase"),
    "step": (lambda: enforce.sparse_dynamics(X, None, CUBIC, t=-0.1), "positive step"),
    "symmetry's width": (
        lambda: enforce.sparse_dynamics(X, X, CUBIC, symmetry=action.vectors(algebra.so(3))),
        "symmetry acts on 3 numbers",
    ),
    "threshold": (lambda: enforce.sparse_dynamics(X, X, CUBIC, threshold=-1.0), "threshold: expected"),
    "threshold's name": (lambda: enforce.sparse_dynamics(X, X, CUBIC, threshold="automatic"), "threshold: expected"),
    "penalty": (lambda: enforce.sparse_dynamics(X, X, CUBIC, symmetry=SO2, penalty=-1.0), "penalty: expected"),
    "penalty alone": (lambda: enforce.sparse_dynamics(X, X, CUBIC, penalty=1.0), "no symmetry to be weighed"),
    "derivative": (lambda: enforce.sparse_dynamics(X, None, CUBIC, t=T, derivative="spiline"), "'spline'"),
    "predict": (lambda: enforce.sparse_dynamics(X, X, CUBIC).predict(X[:, :1]), "X has 1 features, but SparseDynamics"),
    "start": (lambda: enforce.sparse_dynamics(X, X, CUBIC).simulate([1.0], T), "x0: expected"),
    "simulated times": (lambda: enforce.sparse_dynamics(X, X, CUBIC).simulate([1.0, 0], T[:1]), "increasing times"),
    "names": (lambda: enforce.sparse_dynamics(X, X, CUBIC).equations(["x"]), "expected 2 names"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_says_what_is_wrong(case):
    call, message = BAD[case]
    with pytest.raises(ValueError, match=message):
        call()


def test_bad_kinds():
    with pytest.raises(TypeError, match="dictionary: expected a family that is linear in its coefficients"):
        enforce.sparse_dynamics(X, X, 3)
    with pytest.raises(
        ValueError, match=r"'polynomials\(2, 3\)' has arguments that do not fit; write polynomials\(deg"
    ):
        enforce.sparse_dynamics(X, X, "polynomials(2, 3)")
    with pytest.raises(TypeError, match="symmetry: expected an action"):
        enforce.sparse_dynamics(X, X, CUBIC, symmetry=algebra.so(2))
    with pytest.raises(ValueError, match="Complex data not supported"):
        enforce.sparse_dynamics(X * 1j, X, CUBIC)
    with pytest.raises(ValueError, match="Complex data not supported"):
        enforce.sparse_dynamics(X, X * 1j, CUBIC)
    with pytest.raises(ValueError, match=r"x\[1\]: Input X contains infinity"):
        enforce.sparse_dynamics([X, np.where(X > 0, np.inf, X)], [X, X], CUBIC)
    with pytest.raises(TypeError, match="X is a sparse matrix; give it dense"):
        enforce.sparse_dynamics(scipy.sparse.csr_array(X), X, CUBIC)
    with pytest.raises(TypeError, match="X has dtype <U32: every entry must be a real number"):
        enforce.sparse_dynamics(X.astype(str), X, CUBIC)
    with pytest.raises(ValueError, match=r"X has \d+ masked values"):
        enforce.sparse_dynamics(np.ma.masked_greater(X, 1.0), X, CUBIC)
    with pytest.raises(ValueError, match="Reshape your data"):
        enforce.sparse_dynamics(X[:, 0], X[:, 0], "linear")


def test_features_must_be_finite():
    logs = dictionary.functions([lambda x: jnp.log(x[0])], 2)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(ValueError, match="not finite at the"):
            enforce.sparse_dynamics(X, X, logs)
