"""The singular values of a sparse matrix by connected parts: those of the whole, and good to rounding."""

import numpy as np
import pytest
import scipy.sparse

from lieder.linalg import TooLarge, connected_columns, singular_parts, singular_vectors


def known(values, rows, seed):
    """A dense matrix with the given singular values, (rows, len(values))."""
    rng = np.random.default_rng(seed)
    left = np.linalg.qr(rng.normal(size=(rows, len(values))))[0]
    right = np.linalg.qr(rng.normal(size=(len(values), len(values))))[0]
    return scipy.sparse.csr_array(left * values @ right.T)


@pytest.mark.parametrize("width", [1, 40, 300])
@pytest.mark.parametrize("tall", [1, 3])
def test_small_singular_values_are_as_good_as_large_ones(width, tall):
    truth = np.sort(np.concatenate([np.zeros(width // 3), np.geomspace(1e-11, 1.0, width - width // 3)]))
    matrix = known(truth, tall * width, width)
    values, vectors = singular_vectors(matrix)
    np.testing.assert_allclose(values, truth, atol=1e-13)
    np.testing.assert_allclose(vectors @ vectors.T, np.eye(width), atol=1e-13)
    np.testing.assert_allclose(np.linalg.norm(matrix @ vectors.T, axis=0), values, atol=1e-13)


def test_parts_are_those_of_the_whole():
    rng = np.random.default_rng(0)
    blocks = [known(rng.uniform(0, 1, size), size + 2, size) for size in (3, 130, 1)]
    whole = scipy.sparse.csr_array(scipy.sparse.block_diag([*blocks, np.zeros((4, 2))]))
    whole.eliminate_zeros()
    order = rng.permutation(136)
    mixed = scipy.sparse.csr_array(whole[:, order])
    parts = list(singular_parts(mixed))
    assert sorted(len(part.columns) for part in parts) == [1, 1, 1, 3, 130]
    assert sorted(np.concatenate([part.columns for part in parts])) == list(range(136))
    assert sorted(map(len, connected_columns(mixed))) == [1, 1, 1, 3, 130]
    values = np.sort(np.concatenate([part.values for part in parts]))
    np.testing.assert_allclose(values, np.sort(np.linalg.svd(whole.toarray())[1]), atol=1e-13)


def test_no_rows_and_no_columns():
    assert [len(part.columns) for part in singular_parts(scipy.sparse.csr_array((0, 3)))] == [1, 1, 1]
    assert list(singular_parts(scipy.sparse.csr_array((3, 0)))) == []
    np.testing.assert_array_equal(singular_vectors(scipy.sparse.csr_array((2, 3)))[0], np.zeros(3))


def test_too_many_connected_columns():
    wide = scipy.sparse.csr_array(np.ones((1, 6001)))
    with pytest.raises(TooLarge, match="6,001 connected columns are more than the 6,000 that fit"):
        next(singular_parts(wide))
    assert len(connected_columns(scipy.sparse.csr_array((1, 6001)))) == 6001
