"""Spreads and neighbourhoods that a few rows far away do not decide."""

import numpy as np
import pytest

from lieder.sampling import apart, common_spread


@pytest.mark.parametrize("draw", ["normal", "uniform", "exponential"])
def test_without_outliers_the_spread_is_the_rms_distance_from_the_mean(draw):
    values = getattr(np.random.default_rng(0), draw)(size=(200, 3)) * 7
    values = values[np.all(np.abs(values - np.median(values, axis=0)) < 25, axis=1)]
    assert common_spread(values) == pytest.approx(np.sqrt(np.mean((values - values.mean(axis=0)) ** 2)), rel=1e-12)


@pytest.mark.parametrize("far", [1e2, 1e8])
def test_one_row_does_not_decide_it(far):
    values = np.random.default_rng(1).normal(size=(200, 1))
    plain = common_spread(values)
    values[3] = far
    assert 0.9 * plain < common_spread(values) < 1.3 * plain


def test_a_column_that_is_constant_in_most_rows_still_has_a_spread():
    values = np.zeros((100, 1))
    assert common_spread(values) == 0.0
    values[:10, 0] = [1, -1, 2, 1, -2, 1, 1e6, 3, -1, 2]
    assert 0.1 < common_spread(values) < 5


@pytest.mark.parametrize("width", [1, 2, 5])
@pytest.mark.parametrize("draw", ["normal", "uniform"])
def test_what_lies_apart(width, draw):
    cloud = getattr(np.random.default_rng(2), draw)(size=(500, width))
    assert apart(cloud, cloud).mean() < 0.01
    cloud[0] = 50.0
    cloud[1] = -50.0
    out = apart(cloud, cloud)
    assert out[:2].all() and out[2:].mean() < 0.01


def test_never_more_than_half_lie_apart():
    few = np.array([[0.0], [1.0], [1e3], [1e6]])
    assert apart(few, few).tolist() == [False, False, False, True]
    assert not apart(few, few[[0, 3, 3]]).any() and not apart(few[:2], few[:2]).any()
