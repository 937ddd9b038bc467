"""Dask collections chunk by chunk; skipped where Dask is not installed."""

import numpy as np
import pytest

from lieder import interop

array = pytest.importorskip("dask.array")


def test_chunks_are_the_rows_in_order():
    x = np.arange(42.0).reshape(14, 3)
    lazy = array.from_array(x, chunks=(4, 2))
    assert interop.is_dask(lazy) and not interop.is_dask(x)
    chunks = list(interop.batches(lazy))
    assert [len(c) for c in chunks] == [4, 4, 4, 2]
    np.testing.assert_array_equal(np.concatenate(chunks), x)


def test_empty_chunks_are_left_out():
    x = array.from_array(np.arange(10.0), chunks=5)
    chunks = list(interop.batches(x[x > 6]))
    assert len(chunks) == 1
    np.testing.assert_array_equal(chunks[0], [7, 8, 9])


def test_data_frames_are_read_by_partition():
    pandas = pytest.importorskip("pandas")
    frame = pytest.importorskip("dask.dataframe")
    lazy = frame.from_pandas(pandas.DataFrame({"a": np.arange(6.0), "b": np.ones(6)}), npartitions=2)
    chunks = list(interop.batches(lazy))
    np.testing.assert_array_equal(np.concatenate(chunks)[:, 0], np.arange(6))
