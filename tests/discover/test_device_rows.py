"""Rows that stay on an accelerator give the answer of rows in the memory of the host."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import lieder as ld
from lieder.discover import _reduce as reduce_
from lieder.linalg import DeviceFolds, FoldFactors, absorb_on_device

RNG = np.random.default_rng(0)
GL = ld.algebra.gl(3)


def grams(folds):
    return [one.factor.T @ one.factor for one in folds.factors]


def test_factors_of_a_device_are_those_of_the_host():
    """Badly scaled columns, one that is zero, one that depends on others: the small singular values, too."""
    rows = RNG.normal(size=(3000, 6)) @ np.diag([1e6, 1.0, 1e-6, 1.0, 0.0, 1.0])
    rows[:, 3] = rows[:, 1] + rows[:, 5] + 1e-9 * rows[:, 3]
    part, scale = RNG.integers(0, 4, 3000), (RNG.uniform(size=3000) < 0.9) * 1.0
    host = FoldFactors.empty(4, 6).absorb(rows[scale > 0], part[scale > 0])
    begun = DeviceFolds.like(rows[:100], 4, jax.devices()[0])
    (device,), taken = absorb_on_device((begun,), (jnp.asarray(rows),), part, scale)
    assert taken and device.folds().rows == host.rows
    small = [
        np.linalg.svd(one.whole().factor[:, [0, 1, 2, 3, 5]] / [1e6, 1, 1e-6, 1, 1])[1]
        for one in (host, device.folds())
    ]
    np.testing.assert_allclose(*small, rtol=1e-6)  # the least is 1e-9 of the largest: rounding is 1e-7 of it
    assert small[0][-1] < 1e-8 * small[0][0]


def test_rows_unlike_those_before_are_refused():
    rows, part = RNG.normal(size=(100, 3)) * [1, 1, 1e-8], np.arange(100) % 2
    begun = DeviceFolds.like(rows, 2, jax.devices()[0])
    folds, taken = absorb_on_device((begun,), (jnp.asarray(rows),), part, np.ones(100))
    assert taken
    before = grams(folds[0].folds())
    for bad in (np.ones((50, 3)), np.full((50, 3), np.nan)):
        folds, taken = absorb_on_device(folds, (jnp.asarray(bad),), np.zeros(50, int), np.ones(50))
        assert not taken and folds[0].rows == (50, 50)
    np.testing.assert_allclose(grams(folds[0].folds()), before, rtol=1e-12)
    np.testing.assert_allclose(before, grams(FoldFactors.empty(2, 3).absorb(rows, part)), rtol=1e-9, atol=1e-20)
    assert DeviceFolds.like(rows[:2], 2, jax.devices()[0]) is None


@pytest.mark.parametrize("weighted", [False, True])
def test_answers_are_the_same(monkeypatch, weighted):
    x = RNG.normal(size=(4000, 3)) * [1.0, 1.0, 1e3]
    weights = RNG.uniform(0.5, 2, 4000) if weighted else None
    model = lambda x: jnp.stack([x[0] ** 2 + x[1] ** 2, jnp.tanh(x[2] / 1e3)])  # noqa: E731
    of = lambda: ld.discover.function(  # noqa: E731
        model, x, source=ld.vectors(GL), target=2 * ld.scalars(GL), weights=weights
    )
    monkeypatch.setattr(reduce_, "BUDGET", 2**19)  # several batches
    monkeypatch.setattr(reduce_, "MORE", 1)
    host = of()
    seen = []
    monkeypatch.setattr(reduce_, "on_accelerator", lambda rows: seen.append(rows.shape) or True)
    device = of()
    assert len(seen) > 3
    np.testing.assert_allclose(device.defects, host.defects, atol=1e-12, rtol=1e-10)
    assert device.dim == host.dim == 1 and device.similarity(host.directions[:1]) > 1 - 1e-12
    x[3500, 0] = np.nan
    with pytest.raises(ValueError, match="row 3500"):
        of()
