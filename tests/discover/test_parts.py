"""Array = stream = any batching = any split into pieces, merged in any order, saved or not."""

import dataclasses
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lieder as ld

RANDOM = np.random.default_rng(7)
G = ld.algebra.so(2)
CUTS = [(1, 2, 150), (40, 41, 200, 299), tuple(range(30, 300, 30))]


def invariant(x):
    return jnp.stack([jnp.exp(-0.5 * (x @ x) / 100), jnp.sin(x @ x / 100)])


def moved(x):
    return jnp.stack([x[1] * x[2], -x[0] * x[2], 1e3 * (x[0] ** 2 + x[1] ** 2) + x[2] * x[0]])


class Squeeze(ld.action.AbstractAction):
    """An action of the user's own."""

    rate: jax.Array
    algebra: ld.algebra.LieAlgebra = eqx.field(static=True, default=ld.algebra.t(1))
    width: int = eqx.field(static=True, default=2)

    def field(self, xi, z):
        return xi[0] * self.rate * jnp.stack([z[0], -z[1]])


# What is asked of which model; the second has two units on each side, the third is drawn with random probes.
V, S = ld.vectors(G), ld.action.scalars
CASES = {
    "invariance": (invariant, 2, {"source": ld.vectors(ld.algebra.gl(2)), "target": S(ld.algebra.gl(2), 2)}),
    "units": (moved, 3, {"source": V + S(G, 1), "target": V + S(G, 1)}),
    "probes": (lambda x: jnp.tanh(x[:12] * x[12:]), 24, {"source": 12 * V, "target": S(G, 12)}),
}


def table(case, rows=300):
    width = CASES[case][1]
    return np.random.default_rng(3).normal(size=(rows, width)) * np.linspace(1.0, 30.0, width)


def assert_same(found, expected):
    np.testing.assert_allclose(found.defects, expected.defects, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(np.abs(found.directions), np.abs(expected.directions), atol=1e-8)
    np.testing.assert_array_equal(found.points, expected.points)
    assert found.rows == expected.rows and found.names == expected.names
    for field in ("verdict", "confidence", "notes", "resolution_source"):
        assert getattr(found.evidence, field) == getattr(expected.evidence, field)
    np.testing.assert_allclose(found.evidence.gap, expected.evidence.gap, rtol=1e-8)


def pieces(case, cuts, seed=0):
    f, _, how = CASES[case]
    x = table(case)
    shared = ld.discover.units(f, x, **how)
    starts = [0, *cuts]
    return [
        ld.discover.reduce(f, x[a:b], **how, first_row=a, units=shared, seed=seed)
        for a, b in zip(starts, [*cuts, len(x)], strict=True)
    ]


@pytest.fixture(scope="module")
def whole():
    return {case: ld.discover.function(f, table(case), **how) for case, (f, _, how) in CASES.items()}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("cuts", CUTS, ids=str)
def test_any_split_in_any_order_is_the_whole(case, cuts, whole):
    parts = pieces(case, cuts)
    order = np.random.default_rng(len(cuts)).permutation(len(parts))
    assert_same(ld.discover.merge([parts[i] for i in order], CASES[case][0]), whole[case])


@pytest.mark.parametrize("case", CASES)
def test_any_batching_is_the_array(case, whole):
    f, _, how = CASES[case]
    x = table(case)
    assert_same(ld.discover.function(f, [x[:7], x[7:11], x[11:]], **how), whole[case])
    assert_same(ld.discover.function(f, (x[a : a + 64] for a in range(0, 300, 64)), **how), whole[case])


@settings(deadline=None, max_examples=6)
@given(st.lists(st.integers(1, 299), unique=True, max_size=6), st.randoms(use_true_random=False))
def test_parts_are_a_monoid(cuts, order):
    parts = pieces("invariance", sorted(cuts))
    order.shuffle(parts)
    left = parts[0]
    for part in parts[1:]:
        left = left.merge(part)
    right = parts[-1]
    for part in parts[-2::-1]:
        right = part.merge(right)
    assert left.ranges == right.ranges == ((0, 300),) and left.rows == 300
    for a, b in zip(left.accumulated.numerator.factors, right.accumulated.numerator.factors, strict=True):
        assert a.rows == b.rows
        np.testing.assert_allclose(a.factor.T @ a.factor, b.factor.T @ b.factor, rtol=1e-10, atol=1e-10)
    np.testing.assert_array_equal(left.accumulated.sample.numbers, right.accumulated.sample.numbers)


def test_large_tables_split_where_blocks_of_rows_begin():
    """Parts follow single rows first, and blocks of 4,096 later."""
    x = np.random.default_rng(0).normal(size=(45_000, 2))
    how = {"source": ld.vectors(ld.algebra.gl(2))}
    f = lambda z: jnp.sin(z @ z) + 0.1 * z[0]  # noqa: E731
    parts = [
        ld.discover.reduce(f, x[a:b], **how, first_row=a) for a, b in ((40_000, 45_000), (0, 33_000), (33_000, 40_000))
    ]
    assert_same(ld.discover.merge(parts, f), ld.discover.function(f, x, **how))


def test_weights_go_with_their_rows():
    f, _, how = CASES["invariance"]
    x, w = table("invariance"), np.random.default_rng(1).uniform(0, 2, 300)
    how = how | {"units": ld.discover.units(f, x, **how)}
    parts = [ld.discover.reduce(f, x[a:b], **how, first_row=a, weights=w[a:b]) for a, b in ((0, 100), (100, 300))]
    how.pop("units")
    assert_same(ld.discover.merge(parts, f), ld.discover.function(f, x, **how, weights=w))


@pytest.mark.parametrize("case", CASES)
def test_saved_parts_are_the_same(case, tmp_path, whole):
    parts = pieces(case, (100, 220))
    read = [ld.discover.Part.load(part.save(tmp_path / f"{i}.npz")) for i, part in enumerate(parts)]
    assert all(a.ranges == b.ranges and a.trained == b.trained for a, b in zip(parts, read, strict=True))
    assert_same(ld.discover.merge(read, CASES[case][0]), whole[case])
    mixed = ld.discover.merge([read[0], *parts[1:]])  # without F
    np.testing.assert_allclose(mixed.defects, whole[case].defects, rtol=1e-10, atol=1e-12)
    assert mixed.dim == whole[case].dim


def test_parts_for_actions_of_ones_own(tmp_path):
    x = RANDOM.normal(size=(50, 2))
    f = lambda z: z[0] * z[1]  # noqa: E731
    path = ld.discover.reduce(f, x, source=Squeeze(jnp.asarray(2.0))).save(tmp_path / "part.npz")
    with pytest.raises(ValueError, match=r"class Squeeze .* Part\.load\(path, source=\.\.\.\)"):
        ld.discover.Part.load(path)
    found = ld.discover.merge([ld.discover.Part.load(path, source=Squeeze(jnp.asarray(2.0)))], f)
    assert found.dim == 1 and found.evidence.verdict == "symmetries"


# In words


def test_what_differs_is_named():
    f, _, how = CASES["invariance"]
    x = table("invariance")
    first = ld.discover.reduce(f, x[:150], **how)
    gl = ld.algebra.gl(2)
    others = {
        r"differ in seed: 0 and 1": {"seed": 1},
        r"differ in source: .* and in target: |differ in source: .*; in target: ": {"source": V, "target": S(G, 2)},
        r"differ in target: ": {"target": ld.vectors(gl)},
        r"differ in names: \('x0'": {"names": ["a", "b"]},
    }
    for words, changed in others.items():
        other = ld.discover.reduce(f, x[150:], **(how | changed), first_row=150)
        with pytest.raises(ValueError, match=words):
            ld.discover.merge([first, other])
    louder = ld.discover.reduce(lambda z: 2 * f(z), x[150:], **how, first_row=150)
    with pytest.raises(ValueError, match=r"differ in F: one marked \w+ and one marked \w+"):
        ld.discover.merge([first, louder])
    with pytest.raises(ValueError, match=f"differ in the version of jax: {jax.__version__} and 0.1. Reduce"):
        ld.discover.merge([first, dataclasses.replace(first, ranges=((150, 300),), jax_version="0.1")])
    f, _, how = CASES["units"]
    x = table("units")
    with pytest.raises(ValueError, match=r"differ in units \(take those of lieder\.discover\.units"):
        ld.discover.merge([ld.discover.reduce(f, x[a : a + 150], **how, first_row=a) for a in (0, 150)])
    single = ld.discover.reduce(
        *[CASES["invariance"][0], table("invariance")[150:].astype(np.float32)], **CASES["invariance"][2], first_row=150
    )
    with pytest.raises(ValueError, match="dtype of the model's values: float64 and float32"):
        ld.discover.merge([first, single])


def test_rows_that_come_twice_or_are_missing_are_named():
    parts = pieces("invariance", (100, 200))
    with pytest.raises(
        ValueError, match=r"rows 100 to 199 come twice, in Part\(rows 0 to 199\) and in Part\(rows 100 to 199\)"
    ):
        ld.discover.merge([*parts[:2], parts[1]])
    with pytest.raises(ValueError, match="rows 100 to 199 are missing"):
        ld.discover.merge([parts[0], parts[2]])
    with pytest.raises(ValueError, match="rows 0 to 199 are missing"):
        ld.discover.merge(parts[2:])
    found = ld.discover.merge([parts[2], parts[0]], CASES["invariance"][0], incomplete=True)
    assert "rows 100 to 199 are missing" in found.evidence.notes and found.dim == 1


def test_no_parts_and_no_part():
    with pytest.raises(ValueError, match="parts: there is none"):
        ld.discover.merge([])
    with pytest.raises(TypeError, match=r"got str\. A file is read by lieder\.discover\.Part\.load"):
        ld.discover.merge(["part.npz"])  # pyright: ignore[reportArgumentType]
    with pytest.raises(ValueError, match="first_row must be a whole number of at least 0"):
        ld.discover.reduce(invariant, table("invariance"), source=V, first_row=-1)
    with pytest.raises(ValueError, match=r"units must be those of lieder\.discover\.units"):
        ld.discover.reduce(invariant, table("invariance"), source=V, units=(1.0, 1.0))  # pyright: ignore[reportArgumentType]


def test_the_whole_is_checked_and_a_piece_need_not_be_enough():
    how = {"source": ld.vectors(ld.algebra.gl(2))}
    f = lambda z: z @ z  # noqa: E731
    x = np.random.default_rng(0).normal(size=(4, 2))
    parts = [ld.discover.reduce(f, x[i : i + 1], **how, first_row=i) for i in range(4)]
    assert ld.discover.merge(parts, f).dim == 1
    with pytest.raises(ValueError, match="x gives 2 equations for 4 candidate generators"):
        ld.discover.merge(parts[:2])
    still = [ld.discover.reduce(f, x * [1, 0] + [0, 3], **how, first_row=4 * i) for i in range(2)]
    with pytest.raises(ValueError, match="constant columns: 'x1'"):
        ld.discover.merge(still)


def test_another_model_is_refused():
    with pytest.raises(ValueError, match="its values are not those with which the parts were made"):
        ld.discover.merge(pieces("invariance", ()), lambda x: 2.0 * invariant(x))


def assert_same_but_for_advice(merged, whole):
    """`merge` takes no labels, and does not advise to give them."""
    (said,), (advised,) = merged.evidence.notes, whole.evidence.notes
    assert said.endswith("give error=") and "labels=" in advised and advised.startswith(said.split("give")[0])
    assert_same(merged, dataclasses.replace(whole, evidence=dataclasses.replace(whole.evidence, notes=(said,))))


def test_a_trained_model_is_asked_how_well_it_is_known():
    net = eqx.nn.MLP(2, 1, 8, 1, activation=jax.nn.tanh, key=jax.random.key(0))
    x = RANDOM.normal(size=(200, 2))
    how = {"source": ld.vectors(ld.algebra.gl(2))}
    part = ld.discover.reduce(net, x, **how)
    with pytest.raises(ValueError, match="the model was trained"):
        ld.discover.merge([part])
    assert_same_but_for_advice(ld.discover.merge([part], net), ld.discover.function(net, x, **how))
    assert ld.discover.merge([part], error=0.01).evidence.resolution >= 0.01


def test_an_estimator_is_adapted_once():
    pytest.importorskip("sklearn")
    from sklearn.kernel_ridge import KernelRidge

    x = RANDOM.normal(size=(120, 2))
    estimator = KernelRidge(kernel="rbf", alpha=1e-3).fit(x, (x**2).sum(axis=1))
    how = {"source": ld.vectors(ld.algebra.so(2)), "target": S(G, 1)}
    with pytest.raises(TypeError, match=r"give F = lieder\.interop\.from_sklearn"):
        ld.discover.reduce(estimator, x, **how)
    F = ld.interop.from_sklearn(estimator, x)
    parts = [ld.discover.reduce(F, x[a : a + 60], **how, first_row=a) for a in (0, 60)]
    assert_same_but_for_advice(ld.discover.merge(parts, F), ld.discover.function(F, x, **how))


# Other processes


def reduced(start, path):
    x = np.load(path, mmap_mode="r")[start : start + 100]
    part = ld.discover.reduce(invariant, x, **CASES["invariance"][2], first_row=start)
    return part.save(f"{path}.{start}.npz")


@pytest.mark.slow
def test_processes_share_the_work(tmp_path, whole):
    path = str(tmp_path / "x.npy")
    np.save(path, table("invariance"))
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as workers:
        files = list(workers.map(reduced, (200, 0, 100), [path] * 3))
    parts = [ld.discover.Part.load(file) for file in files]
    assert_same(ld.discover.merge(parts, invariant), whole["invariance"])


@pytest.mark.parametrize("parts", [3, [1, 2]])
def test_what_is_no_part_is_refused_in_words(parts):
    with pytest.raises(TypeError, match=r"parts: expected those that lieder.discover.reduce made, got int"):
        ld.discover.merge(parts)
