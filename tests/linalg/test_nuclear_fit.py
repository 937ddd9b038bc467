"""Nuclear norms of linear maps: the sparse map, minima that are known, the bound, and other solvers' answers."""

import numpy as np
import pytest
import scipy.sparse

from lieder import linalg
from lieder.linalg import Columns, MatrixStack, NuclearProblem, _nuclear_fit, minimise_nuclear_norm

SHAPES = [(4, 3, 5, 2), (2, 5, 6, 4), (7, 2, 3, 6), (3, 4, 4, 4)]  # p, q, D, k


@pytest.fixture(params=["formed", "sparse"])
def route(request, monkeypatch):
    """Small problems form B; here also by the sparse map that large ones take."""
    if request.param == "sparse":
        monkeypatch.setattr(_nuclear_fit, "_DENSE", 0)
    return request.param


def columns_and_dense(p, q, D, seed=0, factor=None):
    """A, and the same as an array (p, q, D)."""
    rng = np.random.default_rng([seed, p, q, D])
    E = D + 1
    stack = rng.normal(size=(q, E, D)) * (rng.random((q, E, D)) < 0.5)
    factor = rng.normal(size=(p, E)) if factor is None else factor
    return Columns(MatrixStack.from_dense(stack), factor), np.einsum("pe,qed->pqd", factor, stack)


def identity(p, q):
    """The map from the entries of a (p, q) matrix, row by row, to the matrix."""
    stack = np.zeros((q, p, p * q))
    for j in range(q):
        stack[j, np.arange(p), np.arange(p) * q + j] = 1.0
    return Columns(MatrixStack.from_dense(stack), np.eye(p))


def shrunk(M, by):
    U, s, Vt = np.linalg.svd(M, full_matrices=False)
    return (U * np.maximum(s - by, 0.0)) @ Vt


def nuclear(M):
    return np.linalg.svd(M, compute_uv=False).sum()


def admm(dense, solve, steps=2500, rho=1.0):
    """min g(w) + |A w|_* by plain splitting; `solve(Z, rho)` minimises g(w) + rho / 2 |A w - Z|^2."""
    Z = U = np.zeros(dense.shape[:2])
    for _ in range(steps):
        w = solve(Z - U, rho)
        M = dense @ w
        Z = shrunk(M + U, 1.0 / rho)
        U = U + M - Z
    return w


# The map


@pytest.mark.parametrize("p, q, D, k", SHAPES)
def test_columns_are_their_dense_array(p, q, D, k):
    columns, dense = columns_and_dense(p, q, D)
    rng = np.random.default_rng(1)
    w, X, basis = rng.normal(size=D), rng.normal(size=(p, q)), rng.normal(size=(D, k))
    U, V, rows = rng.normal(size=(p, 2)), rng.normal(size=(q, 3)), rng.normal(size=(5, p))
    assert (columns.shape, columns.size) == ((p, q), D)
    np.testing.assert_allclose(columns.apply(w), dense @ w, atol=1e-12)
    np.testing.assert_allclose(columns.adjoint(X), np.einsum("pqd,pq->d", dense, X), atol=1e-12)
    np.testing.assert_allclose(columns.gram, np.einsum("pqd,pqe->de", dense, dense), atol=1e-12)
    np.testing.assert_allclose(columns.left(U, basis), np.einsum("pi,pqd,dk->iqk", U, dense, basis), atol=1e-12)
    expected = np.einsum("sp,pqd,qj,dk->jsk", rows, dense, V, basis)
    np.testing.assert_allclose(columns.right(V, rows, basis), expected, atol=1e-12)


def test_columns_of_candidates_that_move_nothing():
    columns = Columns(MatrixStack.from_dense(np.zeros((3, 4, 2))), np.eye(4))
    assert not columns.apply(np.ones(2)).any() and not columns.gram.any()


# Known minima


@pytest.mark.parametrize("p, q", [(4, 3), (3, 5), (1, 4), (4, 1), (3, 3)])
@pytest.mark.parametrize("alpha", [0.05, 0.7, 2.0])
def test_proximal_problem_is_singular_value_thresholding(p, q, alpha, route):
    Y = np.random.default_rng([p, q]).normal(size=(p, q))
    problem = linalg.nuclear_regression(identity(p, q), np.eye(p * q), Y.reshape(-1))
    fit = problem.fit(alpha, 1e-11, 200)
    assert fit.solution.stop == "gap" and fit.solution.gap <= 1e-11
    X = shrunk(Y, alpha)
    np.testing.assert_allclose(fit.w.reshape(p, q), X, atol=2e-5)
    value = 0.5 * np.sum((X - Y) ** 2) / alpha + nuclear(X)
    np.testing.assert_allclose(fit.solution.objective, value, rtol=1e-10)


def test_strength_from_which_nothing_is_broken():
    Y = np.random.default_rng(0).normal(size=(4, 3))
    problem = linalg.nuclear_regression(identity(4, 3), np.eye(12), Y.reshape(-1))
    np.testing.assert_allclose(problem.largest, np.linalg.norm(Y, 2))
    assert np.abs(problem.fit(1.0001 * problem.largest, 1e-9, 100).w).max() < 1e-6
    assert np.abs(problem.fit(0.9 * problem.largest, 1e-9, 100).w).max() > 1e-2


@pytest.mark.parametrize("grow", [0.5, 3.0])
def test_completion_of_a_matrix_of_rank_one(grow, route):
    """In bases of a and b the matrix is [[s, t], [u, x]] with x unknown: least at t u / s, but never above s."""
    a, b = np.array([1.0, 1.1, 0.5, 0.3]) * [1, 1, grow, grow], np.array([1.0, -0.4, 0.3]) * [1, grow, grow]
    known = np.ones((4, 3), bool)
    known[2:, 1:] = False
    design = np.eye(12)[known.reshape(-1)]
    fit, unseen = linalg.nuclear_interpolation(identity(4, 3), design, np.outer(a, b)[known], 1e-12, 200)
    assert unseen == 0 and fit.solution.gap <= 1e-12
    expected = np.outer(a, b)
    s, x = np.linalg.norm(a[:2]) * abs(b[0]), np.linalg.norm(a[2:]) * np.linalg.norm(b[1:])
    expected[2:, 1:] *= min(1.0, s / x)
    np.testing.assert_allclose(fit.w.reshape(4, 3), expected, atol=1e-4)


@pytest.mark.parametrize("p, q, D, N", [(6, 4, 8, 5), (3, 6, 9, 4), (5, 5, 6, 12)])
@pytest.mark.parametrize("alpha", [0.1, 1.0])
def test_regression_against_a_long_splitting(p, q, D, N, alpha, route):
    columns, dense = columns_and_dense(p, q, D)
    rng = np.random.default_rng([p, q, N])
    design, y = rng.normal(size=(N, D)), rng.normal(size=N)
    flat = dense.reshape(p * q, D)
    solve = lambda Z, rho: np.linalg.solve(  # noqa: E731
        design.T @ design / alpha + rho * flat.T @ flat, design.T @ y / alpha + rho * flat.T @ Z.reshape(-1)
    )
    value = lambda w: 0.5 * np.sum((design @ w - y) ** 2) / alpha + nuclear(dense @ w)  # noqa: E731
    other = value(admm(dense, solve))
    fit = linalg.nuclear_regression(columns, design, y).fit(alpha, 1e-9, 300)
    assert fit.solution.gap <= 1e-9
    np.testing.assert_allclose(fit.solution.objective, value(fit.w), rtol=1e-9)
    assert fit.solution.objective * (1 - fit.solution.gap) <= other * (1 + 1e-12)
    assert fit.solution.objective <= other * (1 + 1e-8)


@pytest.mark.parametrize("p, q, D, N", [(6, 4, 8, 3), (3, 6, 9, 4)])
def test_interpolation_against_a_long_splitting(p, q, D, N, route):
    columns, dense = columns_and_dense(p, q, D, seed=3)
    rng = np.random.default_rng([p, q, N])
    design, y = rng.normal(size=(N, D)), rng.normal(size=N)
    flat = dense.reshape(p * q, D)
    saddle = np.block([[flat.T @ flat, design.T], [design, np.zeros((N, N))]])
    solve = lambda Z, rho: np.linalg.solve(saddle, np.r_[flat.T @ Z.reshape(-1), y])[:D]  # noqa: E731
    other = admm(dense, solve)
    fit, _ = linalg.nuclear_interpolation(columns, design, y, 1e-9, 300)
    np.testing.assert_allclose(design @ fit.w, y, atol=1e-9)
    np.testing.assert_allclose(fit.solution.objective, nuclear(dense @ fit.w), rtol=1e-9)
    assert fit.solution.objective * (1 - fit.solution.gap) <= nuclear(dense @ other) * (1 + 1e-10)
    assert fit.solution.objective <= nuclear(dense @ other) * (1 + 1e-7)


# The bound, the stops, the starts


def some_problem(N=6):
    columns, _ = columns_and_dense(6, 5, 12, seed=5)
    rng = np.random.default_rng(5)
    return linalg.nuclear_regression(columns, rng.normal(size=(N, 12)), rng.normal(size=N))


@pytest.mark.parametrize("iterations", [1, 2, 3, 5, 8])
def test_the_gap_bounds_the_minimum_at_every_stop(iterations):
    problem = some_problem()
    least = problem.fit(0.3, 1e-12, 300).solution
    stopped = problem.fit(0.3, 1e-12, iterations).solution
    assert stopped.iterations <= iterations and stopped.stop == "max_iterations"
    assert stopped.objective * (1 - stopped.gap) <= least.objective * (1 + 1e-11)
    assert stopped.objective >= least.objective * (1 - 1e-11)
    assert np.linalg.norm(stopped.dual, 2) <= 1 + 1e-12


def test_a_tolerance_out_of_reach_ends_in_rounding():
    solution = some_problem().fit(0.3, 1e-300, 2000).solution
    assert solution.stop in ("rounding", "gap") and solution.gap < 1e-12


def test_a_warm_start_is_the_same_minimum_in_fewer_steps():
    problem = some_problem()
    near = problem.fit(0.33, 1e-10, 300).solution
    cold, warm = problem.fit(0.3, 1e-10, 300), problem.fit(0.3, 1e-10, 300, near)
    np.testing.assert_allclose(warm.w, cold.w, atol=1e-4 * np.abs(cold.w).max())
    np.testing.assert_allclose(warm.solution.objective, cold.solution.objective, rtol=2e-10)
    assert warm.solution.iterations <= cold.solution.iterations
    again = problem.fit(0.3, 1e-10, 300, warm.solution).solution
    assert again.iterations == 0 and again.stop == "gap"


def test_both_routes_give_the_same(monkeypatch):
    formed = some_problem().fit(0.3, 1e-11, 300)
    monkeypatch.setattr(_nuclear_fit, "_DENSE", 0)
    sparse = some_problem().fit(0.3, 1e-11, 300)
    np.testing.assert_allclose(formed.w, sparse.w, atol=1e-5 * np.abs(formed.w).max())


def test_units_of_the_matrix_do_not_matter():
    """A times c and alpha over c is the same problem."""
    rng = np.random.default_rng(5)
    design, y = rng.normal(size=(6, 12)), rng.normal(size=6)
    found = []
    for c in (1.0, 1e-6, 1e6):
        columns, _ = columns_and_dense(6, 5, 12, seed=5)
        scaled = Columns(columns.stack, c * columns.factor)
        found.append(linalg.nuclear_regression(scaled, design, y).fit(0.3 / c, 1e-10, 300).w)
    np.testing.assert_allclose(found[1], found[0], atol=1e-4)
    np.testing.assert_allclose(found[2], found[0], atol=1e-4)


def test_watch_sees_falling_gaps():
    seen = []
    columns, _ = columns_and_dense(6, 5, 12, seed=5)
    rng = np.random.default_rng(5)
    linalg.nuclear_interpolation(
        columns, rng.normal(size=(4, 12)), rng.normal(size=4), 1e-9, 300, lambda k, gap: seen.append((k, gap))
    )
    steps, gaps = np.array(seen).T
    assert (np.diff(steps) >= 0).all() and (np.diff(gaps) <= 0).all() and gaps[-1] <= 1e-9


# Flat directions, kernels, contradictions


def test_directions_that_neither_side_sees_are_zero_and_counted():
    stack = np.zeros((2, 3, 5))
    stack[0, 0, 0] = stack[1, 1, 1] = 1.0
    columns = Columns(MatrixStack.from_dense(stack), np.eye(3))
    design = np.array([[1.0, 0, 1, 0, 0], [0, 1, -1, 0, 0]])
    problem = linalg.nuclear_regression(columns, design, np.array([1.0, 2.0]))
    assert problem.undetermined == 2  # the last two
    fit = problem.fit(0.1, 1e-9, 100)
    assert np.abs(fit.w[3:]).max() < 1e-12
    exact, unseen = linalg.nuclear_interpolation(columns, design, np.array([1.0, 2.0]), 1e-9, 100)
    assert unseen == 2 and np.abs(exact.w[3:]).max() < 1e-12
    np.testing.assert_allclose(design @ exact.w, [1, 2], atol=1e-12)


def test_what_the_norm_does_not_see_is_least_squares():
    columns = Columns(MatrixStack.from_dense(np.zeros((2, 3, 4))), np.eye(3))
    rng = np.random.default_rng(0)
    design, y = rng.normal(size=(9, 4)), rng.normal(size=9)
    problem = linalg.nuclear_regression(columns, design, y)
    assert problem.largest == 0.0
    np.testing.assert_allclose(problem.fit(1.0, 1e-9, 50).w, np.linalg.lstsq(design, y)[0], atol=1e-10)


def test_equations_that_repeat_each_other_and_that_contradict():
    columns, _ = columns_and_dense(4, 3, 6)
    rng = np.random.default_rng(0)
    row = rng.normal(size=(2, 6))
    design = np.concatenate([row, row[:1] * 2])
    fit, _ = linalg.nuclear_interpolation(columns, design, np.array([1.0, 2.0, 2.0]), 1e-9, 200)
    np.testing.assert_allclose(design @ fit.w, [1, 2, 2], atol=1e-9)
    with pytest.raises(linalg.Inconsistent) as fault:
        linalg.nuclear_interpolation(columns, design, np.array([1.0, 2.0, 3.0]), 1e-9, 200)
    least = np.linalg.norm(design @ np.linalg.lstsq(design, np.array([1.0, 2, 3]))[0] - [1, 2, 3]) / np.sqrt(14)
    assert least <= fault.value.args[0] < 3 * least


def test_more_rows_than_coefficients_are_reduced_first():
    columns, _ = columns_and_dense(6, 4, 8)
    rng = np.random.default_rng(0)
    design, y = rng.normal(size=(500, 8)), rng.normal(size=500)
    fit = linalg.nuclear_regression(columns, design, y).fit(3.0, 1e-9, 200)
    value = 0.5 * np.sum((design @ fit.w - y) ** 2) / 3.0 + nuclear(columns.apply(fit.w))
    np.testing.assert_allclose(fit.solution.objective, value, rtol=1e-9)


def test_a_problem_written_by_hand():
    """min |A0 + B v|_* with B along one entry: rank one, unless the entry were larger than that of A0."""

    class Entry(_nuclear_fit.AbstractOperator):
        @property
        def shape(self):
            return 2, 2

        def apply(self, v):
            return np.array([[0.0, 0.0], [0.0, v[0]]])

        def adjoint(self, X):
            return X[1, 1:]

        def left(self, U):
            return np.stack([np.zeros(U.shape[1]), U[1]], axis=1)[..., None]

        def right(self, V, rows):
            return (V[1][:, None] * rows[:, 1])[..., None]

    for a, b in ((2.0, 1.0), (1.0, 1.0), (1.0, 2.0)):
        offset, nothing = np.array([[a, b], [b, 0.0]]), np.zeros(1)
        solution = minimise_nuclear_norm(NuclearProblem(offset, Entry(), nothing, nothing), 1e-12)
        x = min(b * b / a, a)
        np.testing.assert_allclose(solution.objective, nuclear(offset + np.diag([0, x])), rtol=1e-11)
        np.testing.assert_allclose(solution.v, x, atol=1e-5)


def test_stack_of_other_shapes_is_sparse_all_the_way():
    columns, _ = columns_and_dense(4, 3, 6)
    assert scipy.sparse.issparse(columns.tall) and scipy.sparse.issparse(columns._by_entry)
