"""Laws of triangular factors, relative spectra, the rank rule and simple bases."""

from fractions import Fraction

import numpy as np
import pytest
import scipy.linalg
from hypothesis import given, settings
from hypothesis import strategies as st

from lieder.linalg import (
    FoldFactors,
    TriangularFactor,
    decide,
    relative_spectrum,
    right_singular,
    row_echelon,
    simplest_fraction,
    simplest_numbers,
    varimax,
)


def reduced(a, sizes):
    total, start = TriangularFactor.empty(a.shape[1]), 0
    for size in sizes:
        total, start = total.absorb(a[start : start + size]), start + size
    return total.absorb(a[start:])


def orthonormal(rng, rows, columns):
    return np.linalg.qr(rng.normal(size=(columns, rows)))[0].T


# Triangular factors


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 7), st.lists(st.integers(0, 9), max_size=6), st.integers(0, 2**31))
def test_a_stream_of_blocks_is_one_batch(columns, sizes, seed):
    rng = np.random.default_rng(seed)
    a = rng.normal(size=(sum(sizes) + 3, columns))
    streamed, whole = reduced(a, sizes), TriangularFactor.empty(columns).absorb(a)
    assert streamed.rows == whole.rows == len(a)
    assert len(streamed.factor) <= max(columns, 1)
    np.testing.assert_allclose(streamed.factor.T @ streamed.factor, a.T @ a, atol=1e-11)
    np.testing.assert_allclose(np.abs(streamed.factor), np.abs(whole.factor), atol=1e-6)


def test_merge_is_absorbing_both_and_order_does_not_matter():
    rng = np.random.default_rng(1)
    a, b, c = (rng.normal(size=(n, 4)) for n in (2, 9, 30))
    empty = TriangularFactor.empty(4)
    fa, fb, fc = (empty.absorb(x) for x in (a, b, c))
    wanted = np.concatenate([a, b, c]).T @ np.concatenate([a, b, c])
    for total in (
        fa.merge(fb).merge(fc),
        fc.merge(fa.merge(fb)),
        empty.absorb(c).absorb(a).absorb(b),
        empty.merge(fb).merge(fc).merge(fa),
    ):
        assert total.rows == 41
        np.testing.assert_allclose(total.factor.T @ total.factor, wanted, atol=1e-11)


def test_small_singular_values_keep_their_digits():
    rng = np.random.default_rng(2)
    values = 10.0 ** -np.arange(0.0, 13.0, 2.0)  # condition 1e12: its square is past double precision
    a = orthonormal(rng, 7, 400).T * values @ orthonormal(rng, 7, 7)
    found = np.linalg.svd(reduced(a, [50] * 7).factor, compute_uv=False)
    np.testing.assert_allclose(found, values, rtol=2e-4)
    gram = np.sqrt(np.abs(np.linalg.eigvalsh(a.T @ a)))[::-1]
    assert abs(gram[-1] / values[-1] - 1) > 10, "the Gram matrix has lost what the factor keeps"


def test_no_rows_and_no_columns():
    assert TriangularFactor.empty(3).factor.shape == (0, 3)
    assert TriangularFactor.empty(3).absorb(np.zeros((0, 3))).rows == 0
    assert TriangularFactor.empty(0).absorb(np.zeros((5, 0))).factor.shape[1] == 0


def test_absorbing_leaves_both_factors_and_blocks_as_they_were():
    block = np.random.default_rng(3).normal(size=(6, 3))
    kept = block.copy()
    first = TriangularFactor.empty(3).absorb(block)
    before = first.factor.copy()
    first.absorb(block)
    assert np.array_equal(block, kept) and np.array_equal(first.factor, before)


def test_float32_blocks_are_reduced_in_float64():
    block = np.random.default_rng(4).normal(size=(6, 3)).astype(np.float32)
    assert TriangularFactor.empty(3).absorb(block).factor.dtype == np.float64


@pytest.mark.parametrize("shape", [(4, 2), (3,)])
def test_a_block_of_another_width_is_refused(shape):
    with pytest.raises(ValueError, match=r"block must have 3 columns, got shape"):
        TriangularFactor.empty(3).absorb(np.zeros(shape))


# Relative spectra


@pytest.mark.parametrize("shape", [(20, 30, 5), (3, 30, 5), (5, 5, 5), (8, 9, 1)])
def test_values_are_the_generalised_singular_values(shape):
    p, r, q = shape
    rng = np.random.default_rng(5)
    a, b = rng.normal(size=(p, q)), rng.normal(size=(r, q))
    found = relative_spectrum(a, b, 1e-10)
    wanted = np.sqrt(np.maximum(scipy.linalg.eigh(a.T @ a, b.T @ b, eigvals_only=True), 0.0))
    np.testing.assert_allclose(found.values, wanted, atol=1e-7)
    assert found.null.shape == (0, q)
    ratios = np.linalg.norm(a @ found.directions.T, axis=0) / np.linalg.norm(b @ found.directions.T, axis=0)
    np.testing.assert_allclose(ratios, found.values, atol=1e-10)
    np.testing.assert_allclose(np.linalg.norm(found.directions, axis=1), 1.0)
    gram = found.directions @ b.T @ b @ found.directions.T
    np.testing.assert_allclose(gram, np.diag(np.diag(gram)), atol=1e-10 * np.abs(gram).max())
    largest = np.take_along_axis(found.directions, np.abs(found.directions).argmax(axis=1)[:, None], axis=1)
    assert np.all(largest > 0)


def test_exact_null_space_of_the_denominator_is_kept_apart():
    rng = np.random.default_rng(6)
    gone = orthonormal(rng, 2, 6)
    b = rng.normal(size=(30, 6)) @ (np.eye(6) - gone.T @ gone)
    a = rng.normal(size=(30, 6)) @ (np.eye(6) - gone.T @ gone)
    found = relative_spectrum(a, b, 1e-10)
    assert found.values.shape == (4,) and found.null.shape == (2, 6)
    np.testing.assert_allclose(found.null @ found.null.T, np.eye(2), atol=1e-12)
    np.testing.assert_allclose(b @ found.null.T, 0.0, atol=1e-12)
    np.testing.assert_allclose(found.null.T @ found.null, gone.T @ gone, atol=1e-12)


def test_an_exactly_zero_column_is_null():
    rng = np.random.default_rng(7)
    b = rng.normal(size=(20, 3)) * [1.0, 0.0, 1.0]
    found = relative_spectrum(rng.normal(size=(20, 3)) * [1.0, 0.0, 1.0], b, 1e-10)
    np.testing.assert_allclose(np.abs(found.null), [[0.0, 1.0, 0.0]], atol=1e-14)
    np.testing.assert_allclose(found.directions[:, 1], 0.0, atol=1e-14)


def test_nothing_moves():
    found = relative_spectrum(np.ones((4, 3)), np.zeros((5, 3)), 1e-10)
    assert found.values.shape == (0,) and np.array_equal(found.null, np.eye(3))


def test_small_values_keep_their_digits():
    rng = np.random.default_rng(8)
    wanted = np.array([1e-12, 1e-6, 1.0])
    mix = rng.normal(size=(3, 3))
    a = orthonormal(rng, 3, 40).T * wanted @ mix
    b = orthonormal(rng, 3, 50).T @ mix
    np.testing.assert_allclose(relative_spectrum(a, b, 1e-10).values, wanted, rtol=1e-3)


@settings(deadline=None, max_examples=25)
@given(st.integers(1, 5), st.integers(0, 2**31), st.lists(st.floats(-6, 6), min_size=5, max_size=5))
def test_values_do_not_depend_on_basis_or_units_of_columns(q, seed, exponents):
    rng = np.random.default_rng(seed)
    a, b = rng.normal(size=(12, q)), rng.normal(size=(15, q))
    scales = 10.0 ** np.array(exponents[:q])
    turn = orthonormal(rng, q, q)
    wanted = relative_spectrum(a, b, 1e-9)
    scaled = relative_spectrum(a * scales, b * scales, 1e-9)
    turned = relative_spectrum(a @ turn, b @ turn, 1e-9)
    np.testing.assert_allclose(turned.values, wanted.values, rtol=1e-8, atol=1e-10)
    if scaled.null.shape[0] == 0:  # columns more than 1e12 smaller than the largest count as zero
        np.testing.assert_allclose(scaled.values, wanted.values, rtol=1e-6, atol=1e-9)


# The rank rule


@pytest.mark.parametrize(
    ("values", "count"),
    [
        ([1e-9, 2e-9, 0.5, 0.7], 2),
        ([0.3, 0.5, 0.7], 0),
        ([1e-9, 1e-9], 2),
        ([0.0, 1e-16, 0.4], 2),
        ([], 0),
        ([5.0, 7.0], 0),
        ([0.5, 1e-9, 2e-9, 0.7], 2),
    ],
)
def test_the_largest_gap(values, count):
    rank = decide(np.array(values), resolution=1e-10, top=1.0)
    assert rank.count == count and rank.rule == "largest gap" and rank.clear
    below = np.sort(np.clip(values, 1e-10, 1.0))
    assert np.sum(below < rank.cut) == count
    assert rank.above == (rank.values[count] if count < len(values) else np.inf)


def test_the_size_of_the_gap():
    rank = decide(np.array([1e-6, 1e-1]), resolution=1e-8, top=1.0, min_gap=1e6)
    assert rank.gap == pytest.approx(1e5) and rank.cut == pytest.approx(10**-3.5) and not rank.clear


@pytest.mark.parametrize("resolution", [-1.0, np.nan])
def test_a_resolution_that_is_none_is_refused(resolution):
    with pytest.raises(ValueError, match=r"resolution must be at least 0, got"):
        decide(np.array([0.5]), resolution=resolution, top=1.0)


@pytest.mark.parametrize("given", [0.0, 2.0])
def test_a_resolution_outside_the_ladder_is_moved_to_its_end(given):
    """Nothing is resolved beyond what numbers can hold, nor above the value that means "not small at all"."""
    rank = decide(np.array([0.5]), resolution=given, top=1.0)
    assert rank.resolution == (1.0 if given else np.finfo(float).tiny) and rank.count == 0


def test_a_tolerance_decides_whatever_the_gap():
    rank = decide(np.array([3e-6, 1e-6, 4e-6, 1.0]), resolution=1e-9, tolerance=3.5e-6, min_gap=10.0)
    assert (rank.count, rank.rule, rank.cut) == (2, "tolerance", 3.5e-6)
    assert rank.gap == pytest.approx(4 / 3) and not rank.clear and rank.above == 4e-6
    assert rank.sides() == ("1e-06, 3e-06", "4e-06, 1")
    everything = decide(np.array([1e-9]), tolerance=1.0, min_gap=10.0)
    assert everything.count == 1 and everything.clear and everything.above == np.inf
    assert everything.sides() == ("1e-09", "none")


def test_no_more_is_known_of_a_space_than_of_its_least_known_direction():
    rank = decide(np.array([0.001, 0.002, 0.9]), resolution=np.array([1e-3, 0.5, 1e-3]), tolerance=0.1, top=1.0)
    assert rank.count == 2 and rank.resolution == 0.5 and rank.gap == pytest.approx(1.8)


def test_what_is_resolved_is_no_zero_however_large_the_next_value_is():
    values = np.array([1e-6, 1e-3, 1.0])
    assert decide(values, resolution=1e-5, top=1.0).count == 2
    assert decide(values, resolution=1e-5, top=1.0, resolved=1e-4).count == 1


# Simple numbers and bases


@settings(deadline=None, max_examples=60)
@given(st.integers(-40, 40), st.integers(1, 12), st.floats(-1e-4, 1e-4))
def test_simple_fractions_are_found_again(numerator, denominator, error):
    found = simplest_fraction(numerator / denominator + error, 2e-4)
    assert found == Fraction(numerator, denominator)


@settings(deadline=None, max_examples=60)
@given(st.floats(-50, 50), st.floats(1e-3, 2.0))
def test_no_fraction_within_reach_is_simpler(value, within):
    found = simplest_fraction(value, within)
    assert abs(found - Fraction(value)) <= Fraction(within)
    low, high = Fraction(value) - Fraction(within), Fraction(value) + Fraction(within)
    for denominator in range(1, found.denominator):
        least = -(-low.numerator * denominator // low.denominator)
        assert Fraction(least, denominator) > high, f"{least}/{denominator} is simpler"
    nearer = found - Fraction(1 if found > 0 else -1, found.denominator)
    assert found == 0 or not low <= nearer <= high, "a smaller numerator fits"


def test_simple_numbers_are_simple_fractions():
    random = np.random.default_rng(0)
    values = np.concatenate([random.normal(size=60), random.integers(-30, 30, 60) / random.integers(1, 13, 60), [0.0]])
    for within in (0.3, 0.02, 1e-4):
        values, reach = values + within * random.uniform(-0.5, 0.5, len(values)), within * random.uniform(0.6, 2, 121)
        one_by_one = [simplest_fraction(value, near) for value, near in zip(values, reach, strict=True)]
        wanted = [float(f) if f.denominator <= 12 else v for f, v in zip(one_by_one, values, strict=True)]
        np.testing.assert_array_equal(simplest_numbers(values, reach, 12), wanted)
    np.testing.assert_array_equal(simplest_numbers(np.array([0.4, 0.4]), np.array([np.inf, 0.0]), 2), [0.0, 0.4])


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 4), st.integers(4, 7), st.integers(0, 2**31))
def test_row_echelon_keeps_the_span_and_clears_its_pivots(r, q, seed):
    rng = np.random.default_rng(seed)
    rows, weights = rng.normal(size=(r, q)), rng.uniform(0.5, 2.0, q)
    found = row_echelon(rows, weights)
    onto = np.linalg.pinv(rows) @ rows
    np.testing.assert_allclose(found @ onto, found, atol=1e-7 * max(1.0, np.abs(found).max()))
    pivots = [
        j
        for j in range(q)
        if np.isclose(np.abs(found[:, j]).sum(), 1.0, atol=1e-12) and np.abs(found[:, j]).max() == 1.0
    ]
    assert np.linalg.matrix_rank(found[:, pivots]) == r


def test_row_echelon_finds_the_simple_basis():
    simple = np.array([[1.0, 0.0, 0.0, -1.0], [0.0, 1.0, 2.0, 0.0]])
    mixed = np.random.default_rng(9).normal(size=(2, 2)) @ simple
    found = row_echelon(mixed, np.ones(4))
    entries = {tuple(np.round(row / np.abs(row).max(), 9)) for row in found}
    assert entries <= {(1, 0, 0, -1), (-1, 0, 0, 1), (0, 0.5, 1, 0)}


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 4), st.integers(4, 9), st.integers(0, 2**31))
def test_varimax_turns_the_basis_and_never_makes_it_less_sparse(r, q, seed):
    rows = orthonormal(np.random.default_rng(seed), r, q)
    found = varimax(rows)
    np.testing.assert_allclose(found @ found.T, np.eye(r), atol=1e-10)
    np.testing.assert_allclose(found.T @ found, rows.T @ rows, atol=1e-10)
    assert (found**4).sum() >= (rows**4).sum() - 1e-12


def test_varimax_undoes_a_rotation_of_sparse_rows():
    rng = np.random.default_rng(10)
    simple = np.zeros((3, 9))
    simple[0, [0, 4]], simple[1, [1, 5]], simple[2, [2, 6]] = np.sqrt(0.5), np.sqrt(0.5), np.sqrt(0.5)
    found = varimax(orthonormal(rng, 3, 3) @ simple)
    assert sorted(np.sum(np.abs(found) > 1e-6, axis=1)) == [2, 2, 2]


@pytest.mark.parametrize("rows", [0, 2, 5, 8, 60])
def test_right_singular_vectors_are_all_there(rows):
    """Whatever the number of rows; of many, 200,000 here, no matrix with as many columns is formed."""
    a = np.random.default_rng(rows).normal(size=(rows, 5))
    s, right = right_singular(a)
    np.testing.assert_allclose(right @ right.T, np.eye(5), atol=1e-14)
    np.testing.assert_allclose(np.linalg.norm(a @ right.T, axis=0), s, atol=1e-13)
    assert np.all(np.diff(s) <= 0) and s.shape == (5,)
    many = np.tile(np.eye(5), (40_000, 1))
    np.testing.assert_allclose(right_singular(many)[0], 200.0, rtol=1e-12)


@pytest.mark.parametrize("mixed", [False, True])
def test_factors_merge_also_after_their_columns_were_mixed(mixed):
    """Two triangles are merged as such; mixed columns leave no triangle, and what lies below must not be lost."""
    rng = np.random.default_rng(0)
    matrix = rng.normal(size=(6, 6)) if mixed else np.eye(6)
    tables = rng.normal(size=(2, 40, 6))
    folds = [FoldFactors.empty(1, 6).absorb(table, np.zeros(40, int)).times(matrix) for table in tables]
    merged = folds[0].merge(folds[1]).factors[0]
    both = np.concatenate(tables) @ matrix
    assert merged.rows == 80
    np.testing.assert_allclose(merged.factor.T @ merged.factor, both.T @ both, atol=1e-11)
