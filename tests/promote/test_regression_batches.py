"""A regression on arrays, files and batches of any size: one answer."""

import tracemalloc

import numpy as np
import pandas as pd
import pytest

import lieder as ld
from lieder.promote import Regression
from lieder.promote._examples import FEW

QUADRATIC = ld.dictionary.polynomials(2, 2)
MODEL = Regression(QUADRATIC, source=ld.points(ld.algebra.se(2)))
STRENGTHS = Regression(QUADRATIC, source=ld.points(ld.algebra.se(2)), refit=False, alpha=1.0)


def data(count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    x = rng.uniform([2.0, -1.0], [4.0, 1.0], (count, 2))
    return x, 1 + x[:, 0] - x[:, 0] ** 2 + 0.1 * rng.normal(size=count), rng.integers(0, 3, count).astype(float)


def ways(x, y, folder):
    """The same data as a user may have them."""
    np.save(folder / "x.npy", x)
    np.save(folder / "y.npy", y)
    cuts = [1, 2, 700, len(x) - 3]
    yield "memory maps", np.load(folder / "x.npy", mmap_mode="r"), np.load(folder / "y.npy", mmap_mode="r")
    yield "lists of batches", np.split(x, cuts), np.split(y, [5])
    yield "iterators", iter(np.split(x, cuts)), iter(np.array_split(y[:, None], 9))
    yield "batches and a whole", np.split(x, cuts), y


def agree(one: Regression, other: Regression):
    np.testing.assert_allclose(one.coef_.reshape(-1), other.coef_.reshape(-1), rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(one.path_.errors, other.path_.errors, rtol=1e-6)
    assert one.kept_ == other.kept_ == 1 and one.ridge_ == other.ridge_


@pytest.mark.parametrize("count", [900, FEW + 7002])
@pytest.mark.parametrize("weighted", [False, True])
def test_array_is_file_is_batches(count, weighted, tmp_path):
    x, y, weights = data(count)
    weights = weights if weighted else None
    whole = Regression(**MODEL.get_params()).fit(x, y, weights)
    assert whole.coef_.shape == (6,)
    for name, inputs, outputs in ways(x, y, tmp_path):
        found = Regression(**MODEL.get_params()).fit(inputs, outputs, weights)
        agree(found, whole)
        assert found.coef_.shape == ((1, 6) if name == "iterators" else (6,))
    if weighted:
        np.testing.assert_allclose(found.symmetries_.dim, whole.symmetries_.dim)


def test_many_examples_are_least_squares_of_all_of_them():
    x, y, weights = data(FEW + 5000)
    model = Regression(**STRENGTHS.get_params()).set_params(alpha=1e-6).fit(x, y, weights)
    root = np.sqrt(weights)
    features = ld.derivative.values(QUADRATIC, x)
    W = np.linalg.lstsq(root[:, None] * features, root * y)[0]
    np.testing.assert_allclose(model.predict(x[:500]), features[:500] @ W, atol=1e-6)
    # Weights are repetitions, also of examples that are too many to be compared.
    again = np.repeat(np.arange(len(x)), weights.astype(int))
    repeated = Regression(**STRENGTHS.get_params()).fit(x[again], y[again])
    weighted = Regression(**STRENGTHS.get_params()).fit(x, y, weights)
    np.testing.assert_allclose(weighted.predict(x[:500]), repeated.predict(x[:500]), atol=1e-5)


def test_the_errors_are_those_of_rows_left_out():
    x, y, _ = data(FEW + 20_000)
    path = STRENGTHS.path(x, y, alphas=[1e-3])
    fit = STRENGTHS.set_params(alpha=1e-3).fit(x, y)
    np.testing.assert_allclose(path.error, np.mean((fit.predict(x) - y) ** 2), rtol=5e-3)
    assert np.ptp(path.errors) < 0.1 * path.error and np.ptp(path.errors) > 0


def test_names_of_frames_in_batches():
    x, y, _ = data(100)
    frame, outputs = pd.DataFrame(x, columns=["a", "b"]), pd.DataFrame({"c": y})
    whole = Regression(**MODEL.get_params()).fit(frame, outputs)
    model = Regression(**MODEL.get_params()).fit([frame[:60], frame[60:]], iter([outputs[:3], outputs[3:]]))
    assert list(model.feature_names_in_) == ["a", "b"] and model.equations() == whole.equations()
    assert model.equations()[0].startswith("c = ")
    with pytest.raises(ValueError, match=r"feature names should match"):
        model.predict(frame[["b", "a"]])


@pytest.mark.parametrize("count", [100, FEW + 100])
def test_faults_of_batches(count):
    x, y, weights = data(count)
    with pytest.raises(ValueError, match=rf"X has {count} rows and y has {count - 1}: rows must belong together"):
        MODEL.fit([x], [y[:-1]])
    with pytest.raises(ValueError, match=r"X has \d+ rows and y has \d+: rows must belong together"):
        MODEL.fit([x[:-1]], [y])
    with pytest.raises(ValueError, match=rf"sample_weight: expected one number for each .* {count}"):
        MODEL.fit([x], [y], weights[:-1])
    with pytest.raises(ValueError, match="Regression requires y to be passed"):
        MODEL.fit([x], None)
    with pytest.raises(ValueError, match="X holds nan in column 'X0', row "):
        MODEL.fit([x, np.where(x > 3.9, np.nan, x)], [y, y])
    with pytest.raises(ValueError, match=r"X holds numbers of size 4e\+160 .column 'X0'."):
        MODEL.fit([x, 1e160 * x], [y, y])
    with pytest.raises(ValueError, match=r"X ended before giving a row"):
        spent = iter([x])
        MODEL.fit(spent, [y])
        MODEL.fit(spent, [y])


def test_memory_does_not_grow_with_rows():
    family = ld.dictionary.polynomials(2, 12)  # 91 functions
    model = Regression(family, source=ld.vectors(ld.algebra.so(2)), alpha=1e-3, refit=False)
    peaks = []
    for count in (2 * FEW, 4 * FEW):
        x, y, _ = data(count)
        model.fit(x, y)
        tracemalloc.start()
        model.fit(x, y)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] - peaks[0] < 0.05 * 8 * family.size * 2 * FEW
