"""Two subspaces that annihilate each other, near two that nearly do."""

import numpy as np
import pytest
import scipy.sparse

from lieder.linalg import joint_null


def planted(q, u, p, r, k, seed, noise):
    """A bilinear map with a known pair of subspaces, and that pair disturbed."""
    rng = np.random.default_rng(seed)
    s, v = np.linalg.qr(rng.normal(size=(q, q)))[0], np.linalg.qr(rng.normal(size=(u, u)))[0]
    core = rng.normal(size=(q, p, u))
    core[:r, :, :k] = 0.0
    stack = np.einsum("ab,apv,vu->bpu", s, core, v, optimize=True)
    near_s = s[:r] + noise * rng.normal(size=(r, q)) / np.sqrt(q)
    near_v = v[:k] + noise * rng.normal(size=(k, u)) / np.sqrt(u)
    return scipy.sparse.csr_array(stack.reshape(q * p, u)), s[:r], v[:k], near_s, near_v


def angle(a, b):
    """Sine of the largest angle between two subspaces."""
    a, b = (np.linalg.qr(rows.T)[0] for rows in (a, b))
    return np.linalg.norm(a - b @ (b.T @ a), 2)


@pytest.mark.parametrize("noise", [1e-6, 1e-3, 0.1])
def test_a_planted_pair_is_found(noise):
    stack, s, v, near_s, near_v = planted(9, 14, 11, 3, 2, 0, noise)
    found = joint_null(stack, near_s, near_v)
    assert found.residual < 1e-12
    assert angle(found.rows, s) < 1e-9 and angle(found.null, v) < 1e-9
    assert angle(near_s, s) == pytest.approx(found.turned, rel=1e-6)


def test_the_large_problem_takes_the_same_step_without_a_matrix(monkeypatch):
    stack, s, v, near_s, near_v = planted(9, 14, 11, 3, 2, 1, 0.01)
    monkeypatch.setattr("lieder.linalg._joint_null._DENSE", 0)
    found = joint_null(stack, near_s, near_v)
    assert found.residual < 1e-10 and angle(found.rows, s) < 1e-9 and angle(found.null, v) < 1e-9


def test_no_pair_is_said_to_be_there_when_there_is_none():
    stack, _, _, near_s, near_v = planted(6, 8, 30, 2, 2, 2, 0.0)
    rng = np.random.default_rng(3)
    other = scipy.sparse.csr_array(stack + 0.3 * rng.normal(size=stack.shape))
    assert joint_null(other, near_s, near_v).residual > 1e-3


def test_rows_that_are_exact_stay():
    stack, s, v, *_ = planted(6, 8, 5, 2, 2, 4, 0.0)
    found = joint_null(stack, s, v)
    assert found.turned < 1e-7 and angle(found.null, v) < 1e-12
