"""Least squares once more: influences are what leaving out does, and the family is tested against a richer one."""

import numpy as np
import pytest

from lieder import dictionary, models
from lieder.sampling import groups_of

QUADRATIC = dictionary.polynomials(2, 2)


def data(rows, seed, noise=0.3):
    random = np.random.default_rng(seed)
    x = random.normal(size=(rows, 2))
    y = np.stack([x[:, 0] ** 2 - x[:, 1], 1 + x[:, 0] * x[:, 1]], axis=1)
    return x, y + noise * random.normal(size=y.shape)


def fitted(x, y, weights=None, **named):
    weights = np.ones(len(x)) if weights is None else weights
    return models.least_squares(x, y, weights, QUADRATIC, **named)


def weighted(x, y, weights):
    root = np.sqrt(weights)[:, None]
    return np.linalg.lstsq(models.values(QUADRATIC, x) * root, y * root, rcond=None)[0]


@pytest.mark.parametrize("grouped", [False, True], ids=["rows", "groups"])
def test_influence_is_what_leaving_out_does(grouped):
    x, y = data(40, 0)
    weights = np.random.default_rng(1).uniform(0.5, 2.0, 40)
    groups = np.arange(40) // 5 if grouped else np.arange(40)
    found = fitted(x, y, weights, groups=groups if grouped else None)
    whole = weighted(x, y, weights)
    np.testing.assert_allclose(found.basis @ found.coefficients, whole, atol=1e-10)
    for k in np.unique(groups):
        kept = groups != k
        without = weighted(x[kept], y[kept], weights[kept])
        np.testing.assert_allclose(found.basis @ found.influence[k], whole - without, atol=1e-10)


def test_many_rows_are_put_together_to_blocks():
    x, y = data(3000, 2)
    found, each = fitted(x, y), fitted(x[:1000], y[:1000])
    assert len(found.influence) == 1024 and len(each.influence) == 1000
    variance = [np.sum((one.basis @ one.influence) ** 2) for one in (found, each)]
    assert 0.2 < variance[0] / variance[1] < 0.5  # a third of the rows, three times the variance


def test_errors_have_the_variance_of_the_estimate():
    estimates, drawn = [], []
    x, _ = data(60, 3)
    for seed in range(60):
        y = data(60, 3, 0.0)[1] + np.random.default_rng(seed).normal(size=(60, 2))
        found = fitted(x, y)
        estimates.append(found.basis @ found.coefficients)
        drawn.append(np.mean((found.basis @ found.errors(40, seed)) ** 2, axis=0))
    assert 0.7 < np.var(estimates, axis=0).sum() / np.mean(drawn, axis=0).sum() < 1.3


def test_noise_that_hangs_on_an_input_is_told_from_even_noise():
    """Even noise is pooled; where it grows with an input its variance is known from few rows, and less well."""
    x, y = data(120, 3, 0.0)
    even, uneven = [], []
    for seed in range(40):
        noise = np.random.default_rng(seed).normal(size=(120, 2))
        even.append(fitted(x, y + noise))
        uneven.append(fitted(x, y + noise * x[:, :1]))
    assert np.mean([found.scatter is not None for found in even]) > 0.75
    assert np.mean([found.scatter is None for found in uneven]) > 0.95
    assert all(found.freedom == 114 for found in even if found.scatter is not None)
    assert all(found.freedom < 60 for found in uneven if found.scatter is None)
    exact = fitted(x, y)
    assert np.abs(exact.errors(9, 0)).max() < 1e-12


@pytest.mark.parametrize("bent", [0.0, 0.4])
def test_lack_of_fit(bent):
    features = models.linear_features(models.fit(*data(300, 4), "polynomial(2)"))
    x, y = data(300, 4)
    p = models.least_squares(x, y + bent * x[:, :1] ** 3, np.ones(300), features).misfit
    assert p < 0.01 if bent else p > 0.01


def test_what_is_not_determined_is_said():
    x, y = data(6, 5)
    with pytest.raises(models.Undetermined, match=r"6 rows do not tell how well 6 parameters are known"):
        fitted(x, y)
    x, y = data(30, 6)
    with pytest.raises(models.Undetermined, match=r"one group alone determines"):
        fitted(x, y, groups=(np.arange(30) < 26).astype(int))


def test_groups_are_named_by_their_labels():
    few, more = groups_of(["b", "a", "b"], 3), groups_of(["c", "b", "a", "b", "a"], 5)
    assert few.count == 2 and list(few.codes) == [1, 0, 1]
    assert set(few.keys) < set(more.keys)
    assert list(groups_of([1.0, 2.0], 2).keys) == list(groups_of([1, 2], 2).keys)


@pytest.mark.parametrize(
    ("labels", "error", "said"),
    [
        ([1, 1, 1], ValueError, "groups: all rows are of one group, '1'"),
        ([1, 2], ValueError, "groups must hold one label for each of 3 rows, got 2"),
        ([1.0, np.nan, 2.0], ValueError, "groups: the label of a row is missing"),
        ([[1], [2], [3]], TypeError, "groups must hold one label a row"),
    ],
)
def test_what_is_no_list_of_groups_is_refused(labels, error, said):
    with pytest.raises(error, match=said):
        groups_of(labels, 3)
