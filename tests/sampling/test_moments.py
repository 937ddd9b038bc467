"""Mean, spread and range of columns, batch by batch."""

import numpy as np
import pytest

from lieder.sampling import Moments, moments

RNG = np.random.default_rng(0)
X = RNG.normal(size=(300, 3)) * [1.0, 1e150, 1e-160] + [1e6, 0.0, 0.0]
WEIGHTS = RNG.integers(1, 4, 300).astype(float)


def agree(one: Moments, other: Moments):
    np.testing.assert_allclose(one.weight, other.weight)
    assert np.all(np.abs(one.mean - other.mean) <= 1e-13 * other.deviation + 1e-14 * np.abs(other.mean))
    np.testing.assert_allclose(one.deviation, other.deviation, rtol=1e-9)
    np.testing.assert_array_equal([one.low, one.high], [other.low, other.high])


@pytest.mark.parametrize("weights", [None, WEIGHTS])
def test_any_batches_merged_in_any_order(weights):
    whole = Moments.empty(3).absorb(X, weights)
    cuts = np.split(np.arange(300), [0, 1, 2, 100, 250])
    parts = [Moments.empty(3).absorb(X[rows], None if weights is None else weights[rows]) for rows in cuts]
    found = Moments.empty(3)
    for i in RNG.permutation(len(parts)):
        found = found.merge(parts[i])
    agree(found, whole)
    assert found.merge(Moments.empty(3)) is found


def test_they_are_those_of_the_repeated_rows():
    found, repeated = Moments.empty(3).absorb(X, WEIGHTS), np.repeat(X, WEIGHTS.astype(int), axis=0)
    agree(found, moments(repeated, 64))
    unit = [1.0, 1e150, 1e-160]  # in which squares neither overflow nor vanish
    np.testing.assert_allclose(found.deviation / unit, (repeated / unit).std(axis=0), rtol=1e-9)
    np.testing.assert_array_equal(found.level, np.abs(X).max(axis=0))
    np.testing.assert_allclose(found.reach, np.abs(X - found.mean).max(axis=0))
