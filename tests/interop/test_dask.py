"""Dask collections block by block, on whatever scheduler is current; skipped where Dask is not installed."""

import jax.numpy as jnp
import numpy as np
import pandas
import pytest

import lieder as ld
from lieder import interop

array = pytest.importorskip("dask.array")
bag = pytest.importorskip("dask.bag")
frames = pytest.importorskip("dask.dataframe")

TURNS = ld.vectors(ld.algebra.gl(2))


def bowl(x):
    return x[0] ** 2 + x[1] ** 2


def duffing(x):
    return jnp.stack([x[1], -(x[0] ** 3)])


def rows(collection, **options):
    return np.concatenate(list(interop.rows_of(collection, **options).start()))


def test_chunks_are_the_rows_in_order():
    x = np.arange(42.0).reshape(14, 3)
    lazy = array.from_array(x, chunks=(4, 2))
    assert interop.is_dask(lazy) and not interop.is_dask(x)
    np.testing.assert_array_equal(rows(lazy), x)
    np.testing.assert_array_equal(interop.rows_of(lazy).sample(5), interop.rows_of(x).sample(5))


def test_empty_chunks_are_left_out_and_lengths_counted_where_they_are_not_known():
    x = array.from_array(np.arange(10.0), chunks=5)
    few = interop.rows_of(x[x > 6])
    assert few.rows == 3
    np.testing.assert_array_equal(np.concatenate(list(few.start())), [[7], [8], [9]])
    with pytest.raises(ValueError, match="x is empty: no block"):
        interop.rows_of(x[x > 20])


def test_data_frames_are_read_by_partition_and_keep_their_names():
    lazy = frames.from_pandas(pandas.DataFrame({"a": np.arange(6), "b": np.ones(6)}), npartitions=2)
    np.testing.assert_array_equal(rows(lazy)[:, 0], np.arange(6.0))
    assert interop.rows_of(lazy).names == ("a", "b")
    assert interop.rows_of(lazy, names=["u", "v"]).names == ("u", "v")
    np.testing.assert_array_equal(rows(lazy, names=["u", "v"])[:, 0], np.arange(6.0))


@pytest.mark.parametrize("chunks", [(50, 2), (300, 1), (1000, 2), (7, 2)])
def test_a_function_on_blocks_has_the_symmetries_that_it_has_on_the_array(chunks):
    x, weights = np.random.default_rng(0).normal(size=(300, 2)), np.random.default_rng(1).uniform(size=300)
    whole = ld.discover.function(bowl, x, source=TURNS, weights=weights)
    found = ld.discover.function(bowl, array.from_array(x, chunks=chunks), source=TURNS, weights=weights)
    assert found.dim == whole.dim == 1
    np.testing.assert_allclose(found.defects, whole.defects, rtol=1e-10, atol=1e-14)
    np.testing.assert_array_equal(found.evidence.notes, whole.evidence.notes)


def test_labels_in_blocks_and_batches_say_what_they_say_in_an_array():
    x = np.random.default_rng(0).normal(size=(200, 2))
    y = bowl(x.T) + 0.05 * np.random.default_rng(1).normal(size=200)
    lazy, parted = array.from_array(x, chunks=70), array.from_array(y, chunks=70)

    def found(x, labels):
        return ld.discover.function(lambda z: 1.02 * bowl(z), x, source=TURNS, labels=labels)

    whole = found(x, y)
    assert whole.dim == 1 and "at 200 rows with labels" in whole.evidence.model
    for one in (found(lazy, parted), found(iter([x[:9], x[9:]]), [y[:150, None], y[150:, None]])):
        assert one.evidence.model == whole.evidence.model and one.dim == 1
        for field in ("defects", "basis"):
            np.testing.assert_allclose(getattr(one, field), getattr(whole, field), rtol=1e-10, atol=1e-12)
        np.testing.assert_allclose(one.evidence.resolution, whole.evidence.resolution, rtol=1e-10)
    with pytest.raises(ValueError, match="labels is cut into 2 blocks and x into 3"):
        found(lazy, parted.rechunk(120))


def test_rows_that_are_no_numbers_are_named_with_their_place_in_the_whole():
    x = np.random.default_rng(0).normal(size=(300, 2))
    x[211, 1] = np.nan
    with pytest.raises(ValueError, match="column 'x1', row 211"):
        ld.discover.function(bowl, array.from_array(x, chunks=50), source=TURNS)
    pole = np.where(np.arange(200)[:, None] == 120, 3.0, x[:200])
    with pytest.raises(ValueError, match="at row 120 of x"):
        ld.discover.function(lambda z: 1 / (z[0] - 3), array.from_array(pole, chunks=50), source=TURNS)


def test_a_collection_of_another_shape_or_kind_is_refused():
    with pytest.raises(TypeError, match="x: expected a Dask array or data frame, got Bag"):
        interop.rows_of(bag.from_sequence([1, 2]))
    with pytest.raises(ValueError, match=r"got a Dask array of shape \(2, 2, 2\)"):
        interop.rows_of(array.ones((2, 2, 2)))


def test_equations_of_motion_from_blocks_are_those_from_the_array():
    x = np.random.default_rng(0).normal(size=(300, 2))
    rates = np.stack([x[:, 1], -x[:, 0] * x[:, 1]], axis=1) + 0.1 * np.random.default_rng(2).normal(size=x.shape)
    whole, found, named = (ld.enforce.SparseDynamics("polynomials(2)") for _ in range(3))
    whole.fit(x, rates)
    lazy, frame = array.from_array(x, chunks=70), frames.from_pandas(pandas.DataFrame(x, columns=["u", "v"]), 3)
    found.fit(lazy, array.from_array(rates, chunks=70))
    named.fit(frame, rates)
    assert list(named.feature_names_in_) == ["u", "v"]
    for each in (found, named):
        np.testing.assert_allclose(each.coefficients_, whole.coefficients_, rtol=1e-10, atol=1e-13)
        np.testing.assert_allclose(each.path_, whole.path_, rtol=1e-10, atol=1e-13)
        np.testing.assert_allclose(each.residuals_, whole.residuals_, rtol=1e-10)
    single = ld.enforce.SparseDynamics("polynomials(2)", threshold=0.0).fit(lazy, array.from_array(rates[:, 0], 70))
    assert single.predict(x).shape == (300,)
    with pytest.raises(ValueError, match="dx is cut into 2 blocks and x into 5"):
        ld.enforce.sparse_dynamics(lazy, array.from_array(rates, chunks=150), "polynomials(2)")
    with pytest.raises(ValueError, match="dx, t: give the velocities"):
        ld.enforce.sparse_dynamics(lazy, None, "polynomials(2)")


def test_what_a_field_conserves_on_blocks_and_in_batches_is_what_it_conserves_on_the_array():
    x = np.random.default_rng(0).normal(size=(300, 2)) + 5
    whole = ld.discover.conserved(duffing, "polynomials(4)", x=x)
    assert whole.dim == 1
    for rows_ in (array.from_array(x, chunks=(70, 1)), iter([x[:33], x[33:]])):
        found = ld.discover.conserved(duffing, "polynomials(4)", x=rows_)
        assert found.evidence.verdict == whole.evidence.verdict and found.rows == 300
        np.testing.assert_allclose(found.defects, whole.defects, rtol=1e-10, atol=1e-14)
        np.testing.assert_allclose(found.basis, whole.basis, rtol=1e-10, atol=1e-10)
        np.testing.assert_array_equal(found.states[0], whole.states[0])
    pole = np.where(np.arange(300)[:, None] == 211, 0.0, x)
    with pytest.raises(ValueError, match="system is not finite at row 211 of x"):
        ld.discover.conserved(lambda z: z / z[0], "linear", x=array.from_array(pole, chunks=70))


@pytest.mark.parametrize("most", [400, 150])
def test_a_cloud_in_blocks_is_drawn_as_the_array_is(most):
    angle = np.random.default_rng(0).uniform(0, 7, 300)
    z = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    whole, found = (
        ld.discover.cloud(data, action=TURNS, max_points=most) for data in (z, array.from_array(z, chunks=(70, 1)))
    )
    assert whole.dim == found.dim == 1
    np.testing.assert_array_equal(found.defects, whole.defects)
