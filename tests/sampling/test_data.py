"""Data as users hand them over: what is taken, in which batches, and what is refused with which words."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lieder.sampling import RowDraws, Sample, Table, check_rows, stream, table
from lieder.sampling._numbers import mixed

RNG = np.random.default_rng(0)
X = RNG.normal(size=(7, 2))
LARGEST = 2**31 - 1


def frame(**columns):
    return pd.DataFrame(columns)


# What is taken

TAKEN = {
    "array": X,
    "nested lists": X.tolist(),
    "data frame": pd.DataFrame(X, columns=["a", "b"]),
    "data frame with numbered columns": pd.DataFrame(X),
    "columns in Fortran order": np.asfortranarray(X),
    "every other row": np.repeat(X, 2, axis=0)[::2],
    "big-endian": X.astype(">f8"),
    "Table": Table(X, ("a", "b")),
    "list of batches": [X[:3], X[3:]],
    "list of batches of data frames": [pd.DataFrame(X[:3]), pd.DataFrame(X[3:])],
    "tuple of batches": (X[:1], X[1:]),
    "generator": lambda: (piece for piece in (X[:5], X[5:])),
}


@pytest.mark.parametrize("data", list(TAKEN.values()), ids=list(TAKEN))
@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
def test_every_kind_of_data_gives_the_same_rows(data, size):
    batches = list(stream(data() if callable(data) else data).batches(size))
    assert [len(b) for b in batches] == [size] * (7 // size) + [7 % size] * (7 % size > 0)
    np.testing.assert_array_equal(np.concatenate(batches), X)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(1, 6), min_size=1, max_size=8), st.integers(1, 9))
def test_batches_of_any_size_are_cut_to_one(sizes, size):
    rows = np.random.default_rng(1).normal(size=(sum(sizes) + 1, 2))
    pieces = np.split(rows, np.cumsum(sizes))
    for data in (pieces, iter(pieces)):
        batches = list(stream(data).batches(size))
        assert all(len(b) == size for b in batches[:-1]) and 1 <= len(batches[-1]) <= size
        np.testing.assert_array_equal(np.concatenate(batches), rows)


def test_a_list_can_be_streamed_again():
    data = stream([X[:3], X[3:]])
    np.testing.assert_array_equal(np.concatenate(list(data.batches(2))), np.concatenate(list(data.batches(4))))


def test_names_of_columns():
    assert table(X).names == ("x0", "x1")
    assert table(X, "y").names == ("y0", "y1")
    assert table(X, names=["u", "v"]).names == ("u", "v")
    assert table(frame(a=X[:, 0], b=X[:, 1])).names == ("a", "b")
    assert table(frame(a=X[:, 0], b=X[:, 1]), names=["u", "v"]).names == ("u", "v")
    assert table(pd.DataFrame(X)).names == ("0", "1")
    assert stream(Table(X, ("u", "v"))).names == ("u", "v")
    assert stream([X[:3], X[3:]], "y").names == ("y0", "y1")


def test_one_dimension_is_one_column():
    assert table(X[:, 0]).values.shape == (7, 1)
    assert stream([X[:, :1], X[:, :1]]).width == 1


@pytest.mark.parametrize(
    ("given_", "kept"),
    [(np.float32, np.float32), (np.float64, np.float64), (np.float16, np.float32), (np.longdouble, np.float64)],
)
def test_precision_is_kept(given_, kept):
    assert table(X.astype(given_)).values.dtype == kept
    assert next(stream([X.astype(given_)] * 2).batches(3)).dtype == kept


def test_an_array_is_not_copied():
    assert table(X).values is X


def test_memory_map_is_read_in_pieces(tmp_path):
    path = tmp_path / "x.npy"
    np.save(path, X)
    mapped = np.load(path, mmap_mode="r")
    data = stream(mapped)
    assert isinstance(data.whole, np.memmap) and data.rows == 7
    batches = list(data.batches(3))
    assert np.shares_memory(batches[0], mapped), "a piece is a view of the file"
    np.testing.assert_array_equal(np.concatenate(batches), X)


def test_what_a_stream_knows():
    whole, parts = stream(X), stream(iter([X]))
    assert (whole.width, whole.rows, whole.whole is X) == (2, 7, True)
    assert (parts.width, parts.rows, parts.whole) == (2, None, None)
    assert stream(whole) is whole


# What is refused

TABLE_ERRORS = {
    "booleans": (X > 0, TypeError, r"x has dtype bool: a switch has no continuous symmetry"),
    "complex": (X + 1j, ValueError, r"x has dtype complex128: split complex numbers into columns"),
    "None among numbers": ([[1.0, None]], TypeError, r"x has dtype object: every entry must be a real number"),
    "text": ([["a", "b"]], TypeError, r"x has dtype <U1: every entry"),
    "None": (None, TypeError, r"x must be an array of N rows or a data frame, got None"),
    "ragged": ([[1.0, 2.0], [3.0]], ValueError, r"x is ragged: its rows have different lengths"),
    "no rows": (np.zeros((0, 2)), ValueError, r"x is empty: shape \(0, 2\)"),
    "no columns": (np.zeros((2, 0)), ValueError, r"x is empty: shape \(2, 0\)"),
    "empty list": ([], ValueError, r"x is empty: shape \(0, 1\)"),
    "three dimensions": (np.zeros((2, 2, 2)), ValueError, r"x must be N rows of n columns, got shape \(2, 2, 2\)"),
    "a number": (3.0, ValueError, r"x must be N rows of n columns, got shape \(\)"),
    "frame of text": (frame(a=[0.5, 1.5], b=["u", "v"]), TypeError, r"x, column 'b' has dtype .*: every entry"),
    "frame of booleans": (frame(a=[True, False]), TypeError, r"x, column 'a' has dtype bool: a switch"),
    "frame of complex": (frame(a=[1j, 2.0]), ValueError, r"x, column 'a' has dtype complex128: split complex"),
    "equal names": (pd.DataFrame(X, columns=["a", "a"]), ValueError, r"x has columns of equal names"),
}


@pytest.mark.parametrize(
    "data",
    [
        np.arange(6).reshape(3, 2),
        np.arange(6, dtype=np.uint8).reshape(3, 2),
        [[0, 1], [2, 3], [4, 5]],
        np.arange(6).reshape(3, 2).astype(object),
        frame(a=[0, 2, 4], b=[1, 3, 5]),
        frame(a=[0.0, 2.0, 4.0], b=[1, 3, 5]),
        frame(a=pd.array([0, 2, 4], "Int64"), b=pd.array([1.0, 3.0, 5.0], "Float64")),
    ],
)
def test_integers_are_measurements_like_others(data):
    values = table(data).values
    assert values.dtype == np.float64
    np.testing.assert_array_equal(values, [[0, 1], [2, 3], [4, 5]])


def test_missing_integers_are_missing():
    with pytest.raises(ValueError, match="x holds nan in column 'a', row 1"):
        whole = table(frame(a=pd.array([0, None, 4], "Int64")))
        check_rows(whole.values, whole.names, "x")


@pytest.mark.parametrize(("data", "kind", "message"), list(TABLE_ERRORS.values()), ids=list(TABLE_ERRORS))
def test_data_that_are_no_table(data, kind, message):
    with pytest.raises(kind, match=message):
        table(data)
    with pytest.raises(kind, match=message):
        stream(data)


def test_names_that_do_not_fit():
    with pytest.raises(ValueError, match=r"y has 2 columns but 3 names came: a, b, c\."):
        table(X, "y", ["a", "b", "c"])


def spoiled(value, row, column):
    x = X.copy()
    x[row, column] = value
    return x


STREAM_ERRORS = {
    "NaN": (spoiled(np.nan, 5, 1), r"x holds nan in column 'x1', row 5 \(1 such value in all so far\)"),
    "inf": (spoiled(-np.inf, 0, 0), r"x holds -inf in column 'x0', row 0"),
    "NaN in a later batch": ([X, spoiled(np.nan, 3, 0)], r"x holds nan in column 'x0', row 10"),
    "missing in a frame": (frame(u=[0.5, np.nan], v=[0.5, 0.7]), r"x holds nan in column 'u', row 1"),
    "one row": (X[:1], r"x holds one row\. One point cannot show a symmetry"),
    "one row in batches": ([X[:1]], r"x holds one row"),
    "constant column": (X * [1.0, 0.0], r"x has constant columns: 'x1' \(always -?0\)"),
    "constant over all batches": ([X * 0 + [1, 2], X * 0 + [3, 2]], r"x has constant columns: 'x1' \(always 2\)"),
    "several constant columns": (np.ones((3, 2)), r"'x0' \(always 1\), 'x1' \(always 1\)\. Data that never vary"),
    "another width": ([X, X[:, :1]], r"x: batch 1 has 1 columns, the first had 2\."),
    "another width, from an iterator": (lambda: iter([X, X, X[:, :1]]), r"x: batch 2 has 1 columns, the first had 2\."),
    "columns in another order": (
        [pd.DataFrame(X, columns=["a", "b"]), pd.DataFrame(X, columns=["b", "a"])],
        r"x: batch 1 has columns b, a, the first had a, b\.",
    ),
    "an empty iterator": (lambda: iter([]), r"x ended before giving a row\. An iterator can be read only once"),
}


@pytest.mark.parametrize(("data", "message"), list(STREAM_ERRORS.values()), ids=list(STREAM_ERRORS))
@pytest.mark.parametrize("size", [2, 50])
def test_streams_that_show_no_symmetry(data, message, size):
    with pytest.raises(ValueError, match=message):
        list(stream(data() if callable(data) else data).batches(size))


def test_a_column_that_varies_late_is_not_constant():
    late = np.concatenate([np.zeros((5, 1)), np.ones((1, 1))])
    assert len(list(stream([late[:3], late[3:]]).batches(2))) == 3


def test_an_iterator_is_not_read_twice():
    data = stream(iter([X[:3], X[3:]]))
    list(data.batches(2))
    with pytest.raises(
        ValueError, match=r"x is an iterator and has been read to its end\. Give a fresh one, or a list"
    ):
        list(data.batches(2))


def test_an_exhausted_iterator_is_refused():
    spent = iter([X])
    next(spent)
    with pytest.raises(ValueError, match=r"y ended before giving a row"):
        stream(spent, "y")


def test_the_count_of_values_that_are_not_finite():
    with pytest.raises(ValueError, match=r"x holds nan in column 'b', row 14 \(2 such values in all so far\)"):
        check_rows(np.array([[1.0, np.nan], [np.inf, 1.0]]), ("a", "b"), "x", start=14)


# What is drawn for rows, by their numbers


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 50_000), st.integers(0, 300), st.integers(0, 300), st.integers(0, 2**40))
def test_draws_do_not_depend_on_who_reads_the_rows(start, first, second, seed):
    draws = RowDraws(seed, 8, 20)
    whole = draws.rows(start, start + first + second)
    pieces = draws.rows(start, start + first), draws.rows(start + first, start + first + second)
    for each, parts in zip(whole, zip(*pieces, strict=True), strict=True):
        np.testing.assert_array_equal(each, np.concatenate(parts))


def test_parts_are_equal_and_a_share_is_held_out():
    drawn = RowDraws(3, 8, 0).rows(0, 200_000)
    counts = np.bincount(drawn.part)
    assert len(counts) == 8 and np.ptp(counts[:8]) <= 4096
    assert np.ptp(np.bincount(drawn.part[: 2**15])) == 0
    assert drawn.held[:2048].sum() == 512 and drawn.held[2048:18432].sum() == 1024
    # The rows of smallest key are spread evenly and independently of the parts.
    chosen = np.argsort(drawn.key)[:2000]
    assert abs(chosen.mean() / 100_000 - 1) < 0.06
    assert np.bincount(drawn.part[chosen], minlength=8).min() > 180
    assert RowDraws(3, 8, 500).rows(0, 500).held.sum() == 0
    assert len(np.unique(drawn.probe)) > 199_990
    assert np.mean(RowDraws(4, 8, 0).rows(0, 4096).part == drawn.part[:4096]) < 0.2


def test_scrambled_numbers_are_those_of_splitmix():
    # Values of the published generator for the state 0.
    z = np.array([1, 2], np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    np.testing.assert_array_equal(mixed(z), np.array([0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4], np.uint64))


# A uniform sample of a stream


def test_a_sample_is_uniform_over_the_stream():
    seen, runs, kept, total = np.zeros(60), 400, 12, 60
    rows = np.arange(total, dtype=np.float64)
    for seed in range(runs):
        keys = np.random.default_rng(seed).random(total)
        sample = Sample.empty(kept)
        for begin, end in ((0, 5), (5, 6), (6, 6), (6, 40), (40, 60)):
            sample = sample.absorb(np.arange(begin, end), keys[begin:end], rows[begin:end], -rows[begin:end])
        first, second = sample.columns
        assert len(set(first)) == kept and np.array_equal(first, -second)
        seen[first.astype(int)] += 1
    expected = runs * kept / total
    chi2 = ((seen - expected) ** 2 / (expected * (1 - kept / total))).sum()
    assert chi2 < 59 + 5 * np.sqrt(2 * 59)


def test_samples_merge_in_any_order():
    keys, rows = np.random.default_rng(0).random(40), np.arange(40.0)
    pieces = [
        Sample.empty(7).absorb(np.arange(a, b), keys[a:b], rows[a:b]) for a, b in ((0, 9), (9, 10), (10, 33), (33, 40))
    ]
    one, two, three, four = pieces
    whole = Sample.empty(7).absorb(np.arange(40), keys, rows)
    for merged in (
        one.merge(two).merge(three).merge(four),
        four.merge(two.merge(three.merge(Sample.empty(7)))).merge(one),
    ):
        np.testing.assert_array_equal(merged.columns[0], whole.columns[0])
        np.testing.assert_array_equal(merged.numbers, np.sort(np.argsort(keys)[:7]))


def test_a_short_stream_is_kept_whole():
    sample = Sample.empty(50).absorb(np.arange(3), np.array([0.3, 0.1, 0.2]), X[:3])
    sample = sample.absorb(np.arange(3, len(X)), np.linspace(0, 1, len(X) - 3), X[3:])
    np.testing.assert_array_equal(sample.columns[0], X)
    assert Sample.empty(5).columns == ()


def test_a_sample_keeps_no_view_of_a_batch():
    batch = X.copy()
    sample = Sample.empty(50).absorb(np.arange(len(X)), np.zeros(len(X)), batch)
    batch[:] = 0.0
    np.testing.assert_array_equal(sample.columns[0], X)


@pytest.mark.parametrize("form", ["array", "list of batches", "iterator"])
def test_a_sample_of_a_stream_is_that_of_the_array(form):
    rows = np.random.default_rng(0).normal(size=(3000, 2))
    forms = {"array": rows, "list of batches": [rows[:700], rows[700:]], "iterator": iter([rows[:900], rows[900:]])}
    read = stream(forms[form]).repeatable()
    sampled = read.sample(100)
    np.testing.assert_array_equal(sampled, stream(rows).sample(100))
    for _ in range(2):
        np.testing.assert_array_equal(np.concatenate(list(read.start())), rows)
