"""Rows that are repeated stay together, so that no model is tested on what it has seen."""

import numpy as np
import pytest

from lieder.sampling import distinct_rows, folds, intrinsic_dimension, shuffled

RNG = np.random.default_rng(0)
X = RNG.normal(size=(90, 3))
TWICE = np.concatenate([X, X[:60]])
MIXED = TWICE[RNG.permutation(len(TWICE))]


def test_rows_are_numbered_by_value():
    group = distinct_rows(MIXED)
    assert sorted(set(group)) == list(range(90))
    same = (MIXED[:, None] == MIXED[None]).all(axis=2)
    np.testing.assert_array_equal(same, group[:, None] == group[None])


@pytest.mark.parametrize("seed", [0, 1])
def test_equal_rows_lie_in_one_fold(seed):
    group = distinct_rows(MIXED)
    part = folds(group, 5, seed)
    assert all(len(set(part[group == g])) == 1 for g in range(90))
    assert np.bincount([part[group == g][0] for g in range(90)]).tolist() == [18] * 5


def test_folds_do_not_hang_on_order_and_units():
    RNG = np.random.default_rng(1)
    order = RNG.permutation(len(X))
    part = folds(distinct_rows(X), 5, 3)
    np.testing.assert_array_equal(folds(distinct_rows(X[order]), 5, 3), part[order])
    np.testing.assert_array_equal(folds(distinct_rows(X[:, [2, 0, 1]]), 5, 3), part)
    np.testing.assert_array_equal(folds(distinct_rows(1e3 * X + [1.0, 2.0, 3.0]), 5, 3), part)


def test_fewer_distinct_rows_than_folds():
    part = folds(distinct_rows(np.repeat(X[:3], 20, axis=0)), 5, 0)
    assert np.bincount(part).tolist() == [12] * 5


def test_a_shuffle_keeps_equal_rows_together():
    order = shuffled(MIXED, 0)
    assert sorted(order) == list(range(len(MIXED)))
    group = distinct_rows(MIXED)[order]
    assert np.count_nonzero(np.diff(group)) == 89
    np.testing.assert_array_equal(shuffled(X, 4), np.random.default_rng(4).permutation(len(X)))


@pytest.mark.parametrize("copies", [2, 5])
def test_copies_do_not_change_the_dimension(copies):
    RNG = np.random.default_rng(1)
    cloud = RNG.normal(size=(300, 3))
    assert intrinsic_dimension(np.repeat(cloud, copies, axis=0)) == intrinsic_dimension(cloud) == 3
