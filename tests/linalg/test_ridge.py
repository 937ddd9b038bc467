"""Ridge regressions at every strength: errors left out and evidence, against the slow ways to the same numbers."""

import numpy as np
import pytest

from lieder.linalg import ridge_regression

STRENGTHS = np.array([1e-3, 0.1, 2.0, 50.0])


@pytest.fixture
def problem():
    rng = np.random.default_rng(0)
    return rng.normal(size=(9, 5)), rng.normal(size=(7, 5)) @ np.diag([0.0, 1, 2, 0.5, 3]), rng.normal(size=9)


def test_left_out_is_one_fit_for_each_row(problem):
    Z, R, y = problem
    slow = np.zeros(len(STRENGTHS))
    for at, s in enumerate(STRENGTHS):
        for i in range(9):
            others = np.arange(9) != i
            a = np.linalg.lstsq(np.concatenate([Z[others], np.sqrt(s) * R]), np.concatenate([y[others], np.zeros(7)]))[
                0
            ]
            slow[at] += (Z[i] @ a - y[i]) ** 2
    np.testing.assert_allclose(ridge_regression(Z, R, y).left_out(STRENGTHS, Z, y), slow, rtol=1e-10)
    # The triangular factor of all rows will do, and some of them can be asked for.
    factor = np.linalg.qr(np.concatenate([Z, y[:, None]], axis=1), mode="r")
    reduced = ridge_regression(factor[:, :5], R, factor[:, 5])
    np.testing.assert_allclose(reduced.left_out(STRENGTHS, Z, y), slow, rtol=1e-10)
    some = sum(reduced.left_out(STRENGTHS, Z[rows], y[rows]) for rows in (slice(4), slice(4, 9)))
    np.testing.assert_allclose(some, slow, rtol=1e-10)


def test_evidence_is_the_marginal_likelihood(problem):
    """Two families without free directions: the difference is that of log densities of y, scale integrated out."""
    Z, _, y = problem

    def slow(Z, R, s):
        covariance = np.eye(9) + Z @ np.linalg.inv(R.T @ R) @ Z.T / s
        return -0.5 * np.linalg.slogdet(covariance)[1] - 4.5 * np.log(y @ np.linalg.solve(covariance, y))

    R = np.diag([1.0, 2, 0.5, 3, 1])
    few = np.random.default_rng(1).normal(size=(5, 2))
    large, small = ridge_regression(Z, R, y), ridge_regression(Z @ few, R @ few, y)
    wanted = max(slow(Z, R, s) for s in STRENGTHS) - max(slow(Z @ few, R @ few, s) for s in STRENGTHS)
    found = large.log_evidence(STRENGTHS, 9) - small.log_evidence(STRENGTHS, 9)
    np.testing.assert_allclose(found, wanted, rtol=1e-10)
    # Rows may be reduced to a triangular factor: only their number has to be kept.
    factor = np.linalg.qr(np.concatenate([Z, y[:, None]], axis=1), mode="r")
    reduced = ridge_regression(factor[:, :5], R, factor[:, 5])
    np.testing.assert_allclose(reduced.log_evidence(STRENGTHS, 9), large.log_evidence(STRENGTHS, 9), rtol=1e-10)


def test_evidence_prefers_the_family_that_is_needed(problem):
    Z, _, _ = problem
    rng = np.random.default_rng(2)
    strengths = np.logspace(-6, 3, 30)
    for a, right in ((np.array([1.0, -2, 0, 0, 0]), "few"), (np.array([1.0, -2, 1, 2, -1]), "all")):
        y = Z @ a + 0.01 * rng.normal(size=9)
        few = ridge_regression(Z[:, :2], np.eye(2), y).log_evidence(strengths, 9)
        every = ridge_regression(Z, np.eye(5), y).log_evidence(strengths, 9)
        assert (few > every + 2) if right == "few" else (every > few + 2)


def test_nothing_to_fit_and_nothing_to_explain():
    y = np.arange(4.0)
    empty = ridge_regression(np.zeros((4, 0)), np.zeros((3, 0)), y)
    np.testing.assert_allclose(empty.left_out(STRENGTHS, np.zeros((4, 0)), y), y @ y)
    assert empty.log_evidence(STRENGTHS, 4) == 0.0
    constant = ridge_regression(np.ones((4, 1)), np.zeros((3, 1)), np.full(4, 3.0))
    assert constant.log_evidence(STRENGTHS, 3) == 0.0
    np.testing.assert_allclose(constant.left_out(STRENGTHS, np.ones((4, 1)), np.full(4, 3.0)), 0.0, atol=1e-20)
