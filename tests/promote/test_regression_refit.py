"""Refits: symmetries are kept exactly, nothing is shrunk, and nothing is lost where there is no symmetry."""

import numpy as np
from sklearn.linear_model import LinearRegression, RidgeCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler

import lieder as ld
from lieder.derivative import values
from lieder.linalg import annihilating, low_rank_least_squares
from lieder.promote import Regression
from lieder.promote._refit import refit_of

QUADRATIC = ld.dictionary.polynomials(5, 2)
RIGID = ld.points(ld.algebra.se(5))


def planted(seed, rows, noise):
    """One direction of five: 10 of 15 candidates are kept, 3 coefficients, 4 angles."""
    rng = np.random.default_rng(seed)
    axis = rng.normal(size=5)
    axis /= np.linalg.norm(axis)

    def truth(x):
        return 1 + 2 * x @ axis + 3 * (x @ axis) ** 2

    x, fresh = rng.uniform(-1, 1, (rows, 5)), rng.uniform(-1, 1, (500, 5))
    y = truth(x) + noise * truth(fresh).std() * rng.normal(size=rows)
    return x, y, fresh, truth(fresh), axis


def error(model, fresh, truth):
    return np.sqrt(np.mean((model.predict(fresh) - truth) ** 2)) / truth.std()


def test_a_refit_is_as_good_as_knowing_the_number_of_symmetries():
    errors = []
    for seed in range(3):
        x, y, fresh, truth, axis = planted(seed, 32, 0.05)
        model = Regression(QUADRATIC, source=RIGID).fit(x, y)
        plain = Regression(QUADRATIC, source=RIGID, refit=False).fit(x, y)
        assert model.kept_ == 10 and model.refitted_ and not plain.refitted_
        assert model.singular_values_[5:].max() < 1e-9 * model.singular_values_[0] < plain.singular_values_[5]
        # Least squares over the coefficients and the direction themselves.
        best = np.sqrt(np.mean((_known_form(x, y, axis)(fresh) - truth) ** 2)) / truth.std()
        errors.append([error(model, fresh, truth) / best, error(plain, fresh, truth) / best])
    refitted, shrunk = np.median(errors, axis=0)
    assert refitted < 1.02 and shrunk > 1.2


def _known_form(x, y, axis):
    """Least squares of a quadratic of one direction, from the true direction, by its own Gauss-Newton steps."""
    for _ in range(20):
        a = x @ axis
        c = np.linalg.lstsq(np.stack([np.ones_like(a), a, a**2], axis=1), y)[0]
        slope = (c[1] + 2 * c[2] * a)[:, None] * x
        system = np.concatenate([np.stack([np.ones_like(a), a, a**2], axis=1), slope], axis=1)
        change = np.linalg.lstsq(system, y - system[:, :3] @ c)[0][3:]
        axis = (axis + change) / np.linalg.norm(axis + change)
    return lambda z: np.stack([np.ones(len(z)), z @ axis, (z @ axis) ** 2], axis=1) @ c


def test_kept_directions_annihilate_the_function_exactly():
    x, y, fresh, *_ = planted(6, 32, 0.1)
    model = Regression(QUADRATIC, source=RIGID).fit(x, y)
    step = 1e-4
    for xi in model.kept_directions_:
        moved = step * ld.action.velocities(RIGID, xi, fresh)
        slope = (model.predict(fresh + moved) - model.predict(fresh - moved)) / (2 * step)
        assert np.abs(slope).max() < 1e-6 * np.abs(y).max()
    record = model.symmetries_
    assert record.dim == 10 and record.evidence.model.endswith("10 are kept, exactly")
    found = ld.enforce.functions(QUADRATIC, source=record.action, target=record.target_action)
    assert found.dim == 3


def test_without_symmetry_it_is_no_worse_than_ridge():
    rng = np.random.default_rng(0)
    ratios = []
    for _ in range(5):
        g, G = rng.normal(size=5), rng.normal(size=(5, 5))
        x, fresh = rng.uniform(-1, 1, (63, 5)), rng.uniform(-1, 1, (500, 5))
        y, truth = (z @ g + np.einsum("ni,ij,nj->n", z, G, z) for z in (x, fresh))
        y = y + 0.05 * truth.std() * rng.normal(size=63)
        rival = make_pipeline(PolynomialFeatures(2, include_bias=False), StandardScaler(), RidgeCV(np.logspace(-6, 3)))
        model = Regression(QUADRATIC, source=RIGID).fit(x, y)
        ratios.append(error(model, fresh, truth) / error(rival.fit(x, y), fresh, truth))
    assert np.median(ratios) < 1.05


def test_without_symmetry_none_is_claimed():
    """Barely more rows than coefficients: the best of many structures must pay for having been chosen."""
    rng = np.random.default_rng(1)
    kept, ratios = [], []
    for noise in (0.01, 0.05) * 4:
        g, G = rng.normal(size=5), rng.normal(size=(5, 5))
        x, fresh = rng.uniform(-1, 1, (26, 5)), rng.uniform(-1, 1, (500, 5))
        y, truth = (z @ g + np.einsum("ni,ij,nj->n", z, G, z) for z in (x, fresh))
        y = y + noise * truth.std() * rng.normal(size=26)
        rival = make_pipeline(PolynomialFeatures(2, include_bias=False), StandardScaler(), RidgeCV(np.logspace(-6, 3)))
        model = Regression(QUADRATIC, source=RIGID).fit(x, y)
        kept.append(model.kept_)
        ratios.append(error(model, fresh, truth) / error(rival.fit(x, y), fresh, truth))
    assert kept.count(0) >= 7 and np.median(ratios) < 1.05


def test_pure_noise_breaks_nothing():
    rng = np.random.default_rng(2)
    for _ in range(3):
        model = Regression(QUADRATIC, source=RIGID).fit(rng.uniform(-1, 1, (40, 5)), rng.normal(size=40))
        assert model.kept_ == 15


def test_a_function_with_more_symmetries_than_were_proposed_is_counted_right():
    """Of |x - c|^2 every small number of rotations can be proposed; the function near it has all ten."""
    rng = np.random.default_rng(3)
    x = rng.uniform(-1, 1, (32, 5))
    y = ((x - 0.2) ** 2).sum(axis=1) + 0.02 * rng.normal(size=32)
    model = Regression(QUADRATIC, source=RIGID)
    _, task, _ = model._task(x, y, None)
    problem = task.problem(None)
    refit = refit_of(task, problem, None, choose=True)
    start = problem.fit(1e-3 * problem.largest, 1e-3, 500).solution.v
    for proposed in (8, 9, 10):
        found = refit.structure(start, proposed)
        assert found is not None and found.kept == 10


def test_given_candidates_are_preferred_where_the_data_cannot_tell():
    """A function of the first two columns: what is kept is given, and the fit is that which knows it."""
    rng = np.random.default_rng(4)
    for c, exact in ((0.0, True), (0.5, False)):  # the second depends on a direction between the columns, too
        x, fresh = rng.uniform(-1, 1, (32, 5)), rng.uniform(-1, 1, (500, 5))

        def truth(z, c=c):
            return z[:, 0] + 2 * z[:, 0] ** 2 - z[:, 1] + (z[:, 1] + c * z[:, 2] - c * z[:, 4]) ** 2

        y = truth(x) + 0.05 * truth(fresh).std() * rng.normal(size=32)
        model = Regression(QUADRATIC, source=RIGID).fit(x, y)
        known = make_pipeline(PolynomialFeatures(2), LinearRegression(fit_intercept=False)).fit(x[:, :2], y)
        given = np.sum(np.abs(model.kept_directions_).max(axis=0) > 1e-6)
        assert (given == model.kept_ == 6) == exact
        if exact:
            np.testing.assert_allclose(model.predict(fresh), known.predict(fresh[:, :2]), atol=0.05)
        else:
            assert error(model, fresh, truth(fresh)) < 0.15


def test_a_given_ridge_is_in_the_problem():
    x, y, *_ = planted(5, 40, 0.1)
    model = Regression(QUADRATIC, source=RIGID, alpha=1e-10, ridge=7.0, refit=False).fit(x, y)
    features = values(QUADRATIC, x)
    # z = (x - centre) / scale: the same space of functions, but another ridge term.
    _, task, _ = model._task(x, y, None)
    inside = task.units.features(QUADRATIC, x)
    weights = np.diag(np.sqrt(7.0) * inside.std(axis=0))
    V = np.linalg.lstsq(np.concatenate([inside, weights]), np.concatenate([y, np.zeros(21)]))[0]
    np.testing.assert_allclose(features @ model.coef_, inside @ V, atol=1e-5)
    assert model.ridge_ == 7.0
    strong = Regression(QUADRATIC, source=RIGID, ridge=1e12).fit(x, y)
    assert np.abs(strong.predict(x) - y.mean()).max() < 1e-6


def test_what_cannot_be_refitted_says_so():
    """A strength at which the singular values suggest a number of symmetries that no function has."""
    rng = np.random.default_rng(3)
    x = rng.uniform(-1, 1, (40, 5))
    y = x @ rng.normal(size=5) + np.einsum("ni,ij,nj->n", x, rng.normal(size=(5, 5)), x)
    outcomes = set()
    for alpha in np.geomspace(10, 0.01, 8):
        model = Regression(QUADRATIC, source=RIGID, alpha=alpha).fit(x, y)
        outcomes.add(model.refitted_)
        if not model.refitted_ and model.kept_:
            assert "not refitted" in model.symmetries_.evidence.model
    assert False in outcomes


def test_a_path_of_refits():
    x, y, *_ = planted(6, 40, 0.05)
    path = Regression(QUADRATIC, source=RIGID).path(x, y)
    assert path.refitted and path.alphas[-1] == 0 and path.kept[0] == 15 and path.kept[-1] == 0
    assert path.kept[path.position] == 10 and path.errors.shape == (5, 13)
    path.plot()
    few = Regression(QUADRATIC, source=RIGID).path(x, y, alphas=[3.0, 1.0])
    np.testing.assert_array_equal(few.alphas, [3.0, 1.0])


# The matrices alone


def test_low_rank_least_squares():
    """Among symmetric 6 x 6 matrices: the best of rank 2 where the misfit is that of all entries is the truncation."""
    rng = np.random.default_rng(0)
    i, j = np.triu_indices(6)
    operator = np.zeros((6, 6, len(i)))
    operator[i, j, np.arange(len(i))] = np.where(i == j, 1.0, np.sqrt(0.5))
    operator[j, i, np.arange(len(i))] = np.where(i == j, 1.0, np.sqrt(0.5))
    low = rng.normal(size=(6, 2))
    matrix = low @ low.T + 0.05 * rng.normal(size=(6, 6))
    matrix = (matrix + matrix.T) / 2
    wanted = np.einsum("pqk,pq->k", operator, matrix)
    found = low_rank_least_squares(operator, np.eye(len(i)), wanted, wanted, 2)
    e, E = np.linalg.eigh(matrix)
    large = np.argsort(-np.abs(e))[:2]
    np.testing.assert_allclose(operator @ found.vector, (E[:, large] * e[large]) @ E[:, large].T, atol=1e-6)
    assert found.settled and found.tangent.shape[1] == 11  # 6 * 2 - 1 dimensions
    assert np.abs(operator @ found.vector @ found.annihilated).max() < 1e-7
    kept = annihilating(operator, found.annihilated)
    assert kept.shape[1] == 3 and np.abs(np.matmul(found.annihilated.T, operator @ kept)).max() < 1e-12


def test_a_start_of_the_right_rank_may_leave_it():
    """The noise moves the best matrix of rank 2 away from the true one, where the first step starts."""
    rng = np.random.default_rng(1)
    operator = np.eye(16).reshape(4, 4, 16)
    low = rng.normal(size=(4, 2)) @ rng.normal(size=(2, 4))
    wanted = (low + 0.3 * rng.normal(size=(4, 4))).reshape(-1)
    curvature = np.diag(rng.uniform(0.1, 2, 16))
    found = low_rank_least_squares(operator, curvature, curvature @ wanted, low.reshape(-1), 2)
    assert found.settled and found.steps > 5


def test_all_changes_may_keep_the_rank():
    """Of linear functions each has rank one: every change keeps it, and least squares is that of all."""
    operator = np.eye(5)[None]
    found = low_rank_least_squares(operator, np.eye(5), np.arange(5.0), np.ones(5), 1)
    assert found.settled and found.tangent.shape == (5, 5)
    np.testing.assert_allclose(found.vector, np.arange(5.0), atol=1e-8)


def test_a_rank_that_is_not_near():
    """Multiples of one regular matrix have no rank between."""
    operator = np.eye(4)[:, :, None] / 2.0
    found = low_rank_least_squares(operator, np.eye(1), np.ones(1), np.ones(1), 2)
    assert not found.settled
