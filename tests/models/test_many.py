"""Families that are linear in their parameters on more rows than are held: one factor of all, and a sample."""

import tracemalloc

import numpy as np
import pytest

import lieder as ld
from lieder import models
from lieder.sampling import stream

COUNT = models.MANY + 9000
RNG = np.random.default_rng(0)
X = RNG.uniform(-1, 1, (COUNT, 3))
Y = np.stack([X[:, 0] ** 2 + X[:, 1] ** 2, X[:, 2]], axis=1) + 0.05 * RNG.normal(size=(COUNT, 2))
CUBIC = ld.dictionary.polynomials(3, 3)
TURNS = ld.vectors(ld.algebra.so(3))
FIXED = ld.scalars(TURNS.algebra, 2)


def fitted(family, weights=None):
    return models.fit_stream(stream(X, "x"), stream(Y, "y"), family, weights)[0]


@pytest.mark.parametrize("weights", [None, "relative", RNG.integers(0, 3, COUNT).astype(float)])
def test_it_is_least_squares_of_all_rows_but_those_held_out(weights):
    model = fitted(CUBIC, weights)
    assert len(model.train) == 20_000 and len(np.intersect1d(model.train, model.test)) == 0
    features = ld.derivative.values(CUBIC, X)
    size = np.linalg.norm(Y, axis=1)
    w = {True: np.ones(COUNT)}.get(weights is None, weights)
    w = 1 / np.maximum(size, np.quantile(size, 0.01)) ** 2 if isinstance(weights, str) else w
    W = np.linalg.lstsq(np.sqrt(w)[:, None] * features, np.sqrt(w)[:, None] * Y)[0]
    # A fifth of the rows are held out: as close as their noise lets it be, and closer than the sample alone.
    all_rows = np.sqrt(np.mean((model.values(X) - features @ W) ** 2))
    assert all_rows < 0.05 * np.sqrt(CUBIC.size / COUNT)
    if weights is None:
        assert abs(model.error * np.sqrt(Y.var(axis=0).sum()) - 0.05 * np.sqrt(2)) < 2e-3


@pytest.mark.parametrize("fit", [CUBIC, "polynomial"])
def test_dataset_is_the_same_for_arrays_files_and_batches(fit, tmp_path):
    whole = ld.discover.dataset(X, Y, source=TURNS, target=FIXED, fit=fit)
    assert whole.dim == 1 and "held-out rows" in whole.evidence.model
    np.save(tmp_path / "x.npy", X)
    cuts = [3, 5000, COUNT - 1]
    for x, y in (
        (np.load(tmp_path / "x.npy", mmap_mode="r"), Y),
        (iter(np.split(X, cuts)), np.array_split(Y, 7)),
    ):
        found = ld.discover.dataset(x, y, source=TURNS, target=FIXED, fit=fit)
        np.testing.assert_allclose(found.defects, whole.defects, rtol=1e-6, atol=1e-12)
        assert found.evidence.model == whole.evidence.model


def test_few_rows_in_batches_are_the_array():
    x, y = X[:300], Y[:300]
    whole = ld.discover.dataset(x, y, source=TURNS, target=FIXED, fit="polynomial(2)")
    found = ld.discover.dataset(np.split(x, 3), iter(np.split(y, 2)), source=TURNS, target=FIXED, fit="polynomial(2)")
    np.testing.assert_array_equal(found.defects, whole.defects)


def test_faults():
    for x, y in ((X[:-1], Y), (X, Y[:-1]), ([X], [Y[:40_000]])):
        with pytest.raises(ValueError, match=r"x has \d+ rows and y has \d+: rows must belong together"):
            ld.discover.dataset(x, y, source=TURNS, target=FIXED, fit=CUBIC)
    with pytest.raises(ValueError, match=r"x has 2 columns .*, but source acts on 3"):
        ld.discover.dataset([X[:, :2]], [Y], source=TURNS, target=FIXED, fit=CUBIC)
    with pytest.raises(ValueError, match=r"weights need data of known length"):
        ld.discover.dataset([X], [Y], source=TURNS, target=FIXED, fit=CUBIC, weights=np.ones(COUNT))
    with pytest.raises(ValueError, match=r"y: every entry is zero"):
        ld.discover.dataset([X], [0 * Y], source=TURNS, target=FIXED, fit=CUBIC)
    with pytest.raises(ValueError, match=r"x holds nan in column 'x1', row 41000"):
        bad = X.copy()
        bad[41_000, 1] = np.nan
        ld.discover.dataset([bad], [Y], source=TURNS, target=FIXED, fit=CUBIC)


def test_memory_does_not_grow_with_rows():
    family = ld.dictionary.polynomials(3, 4)  # 35 functions
    peaks = []
    for times in (2, 4):
        x, y = np.tile(X, (times, 1)), np.tile(Y, (times, 1))
        tracemalloc.start()
        models.fit_stream(stream(x, "x"), stream(y, "y"), family)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    # Numbers and marks of rows, a few bytes each, where a table of the functions would take 280.
    assert peaks[1] - peaks[0] < 0.1 * 8 * family.size * 2 * COUNT
