"""Stream = batch, and what the relative defect must not depend on."""

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest

import lieder as ld

RANDOM = np.random.default_rng(1)
G = ld.algebra.gl(2)
V = ld.vectors(G)
X = RANDOM.normal(size=(400, 2)) * [1.0, 0.7]


def F(x):
    """Nearly invariant under rotations, with a defect to compare."""
    r = x @ x
    return jnp.exp(-0.5 * r) + 0.05 * x[0] + jnp.sin(r)


def search(x, f=F, source=V, **more):
    return ld.discover.function(f, x, source=source, **more)


@pytest.fixture(scope="module")
def whole():
    return search(X)


# Streams

FORMS = {
    "array": lambda folder: X,
    "list of batches": lambda folder: [X[:60], X[60:310], X[310:]],
    "generator": lambda folder: (X[start : start + 90] for start in range(0, 400, 90)),
    "memory map": lambda folder: _mapped(folder),
    "frame": lambda folder: pd.DataFrame(X, columns=["x0", "x1"]),
    "frames": lambda folder: [pd.DataFrame(X[:77], columns=["x0", "x1"]), pd.DataFrame(X[77:], columns=["x0", "x1"])],
}


def _mapped(folder: Path):
    np.save(folder / "x.npy", X)
    return np.load(folder / "x.npy", mmap_mode="r")


@pytest.mark.parametrize("form", FORMS)
def test_stream_is_batch(form, tmp_path, whole):
    assert_same(search(FORMS[form](tmp_path)), whole)


def assert_same(found, expected):
    np.testing.assert_allclose(found.defects, expected.defects, rtol=1e-10, atol=1e-12)
    np.testing.assert_array_equal(found.points, expected.points)
    assert found.rows == expected.rows and found.evidence.verdict == expected.evidence.verdict
    assert found.evidence.confidence == expected.evidence.confidence


def test_an_iterator_that_ends_early():
    def batches():
        yield X[:3]
        return

    with pytest.raises(ValueError, match=r"x gives \d equations for 4 candidate generators"):
        search(batches())


# Invariance of the relative defect


def test_units_of_x_and_of_F_do_not_matter(whole):
    scaled = search(1e3 * X, lambda x: -7.0 * F(x / 1e3))
    np.testing.assert_allclose(scaled.defects, whole.defects, rtol=0, atol=1e-12)


def test_the_basis_of_the_algebra_does_not_matter(whole):
    change = RANDOM.normal(size=(4, 4))
    units = G.generators.dense()[:, :, :2]
    mixed = ld.vectors(ld.algebra.matrices(np.einsum("kj,jab->kab", change, units)))
    found = search(X, source=mixed)
    np.testing.assert_allclose(found.defects, whole.defects, rtol=0, atol=1e-12)
    # One generator, written in both bases.
    first = found.directions[0] @ change
    cosine = abs(first @ whole.directions[0]) / np.linalg.norm(first)
    assert cosine > 1 - 1e-9


def test_the_coordinates_of_a_rotated_space_do_not_matter(whole):
    turn = np.array([[0.6, -0.8], [0.8, 0.6]])
    found = search(X @ turn.T, lambda x: F(jnp.asarray(turn.T) @ x))
    np.testing.assert_allclose(found.defects, whole.defects, rtol=0, atol=1e-12)


# With so few rows none is held out.
FEW = X[:13]


def test_the_order_of_rows_does_not_matter():
    found, other = search(FEW), search(FEW[RANDOM.permutation(13)])
    np.testing.assert_allclose(other.defects, found.defects, rtol=0, atol=1e-12)


def test_weights_are_repeated_rows():
    counts = np.array([1, 2, 3, 1, 1, 4, 2, 1, 1, 1, 3, 1, 2])
    weighted, repeated = search(FEW, weights=counts.astype(float)), search(np.repeat(FEW, counts, axis=0))
    assert (weighted.rows, repeated.rows) == (13, 23)
    np.testing.assert_allclose(weighted.defects, repeated.defects, rtol=0, atol=1e-12)


def test_a_common_weight_does_not_matter(whole):
    found = search(X, weights=np.full(len(X), 5.0))
    np.testing.assert_allclose(found.defects, whole.defects, rtol=0, atol=1e-12)


def test_runs_repeat(whole):
    again = search(X)
    np.testing.assert_array_equal(again.directions, whole.directions)
    np.testing.assert_array_equal(again.points, whole.points)


# Precision

ROTATION = [0.0, -1.0, 1.0, 0.0]


def radial(x):
    return jnp.log(1.0 + x @ x)


@pytest.mark.parametrize("wide", [True, False])
def test_single_precision_has_its_own_floor(wide):
    with jax.enable_x64(wide):
        found = search(X.astype(np.float32), radial)
    assert found.dim == 1 and found.similarity(ROTATION) > 1 - 1e-6
    assert found.evidence.resolution == pytest.approx(64 * np.finfo(np.float32).eps)
    assert "float32" in found.evidence.resolution_source


def test_double_precision_whatever_the_switch_of_jax():
    with jax.enable_x64(False):
        found = search(X, radial)
        assert not jax.config.jax_enable_x64
    assert found.dim == 1 and found.similarity(ROTATION) > 1 - 1e-14
    assert found.evidence.resolution == pytest.approx(64 * np.finfo(np.float64).eps)


def test_verbs_that_need_all_rows_take_batches_too():
    random = np.random.default_rng(11)
    x = random.uniform(-1, 1, (120, 2))
    y = (x**2).sum(axis=1, keepdims=True)
    plane = ld.algebra.gl(2)
    sides = {"source": ld.vectors(plane), "target": ld.scalars(plane), "fit": "polynomial(2)"}
    whole = ld.discover.dataset(x, y, **sides)
    parts = ld.discover.dataset(iter([x[:50], x[50:]]), [y[:70], y[70:]], **sides)
    np.testing.assert_allclose(parts.defects, whole.defects, atol=1e-12)
