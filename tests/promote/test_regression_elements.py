"""Finite elements in a regression: reflections, permutations and time reversal are kept exactly, or broken."""

import itertools

import numpy as np
import pytest

import lieder as ld
from lieder import algebra, dictionary, promote
from lieder.derivative import values
from lieder.promote import Regression

P = dictionary.polynomials
SQUARE = ld.vectors(algebra.polygon(4))
LIKE = ld.vectors(algebra.symmetric(3))
NOTHING = algebra.permutations(np.zeros((0, 2), int))
BOTH = algebra.extended(NOTHING, [np.diag([1.0, -1.0]), -np.eye(2)], "time reversal and parity")
STATE = ld.vectors(BOTH)
ODD = STATE * ld.action.pseudoscalars(BOTH, [-1, 1])
PAIR = 2 * ld.vectors(algebra.o(2))


def wave(x):
    return np.cos(x[:, 0]) * np.cos(x[:, 1]) + 0.5 * (np.cos(2 * x[:, 0]) + np.cos(2 * x[:, 1]))


def chiral(x):
    return np.sin(2 * x[:, 0]) * np.sin(x[:, 1]) - np.sin(x[:, 0]) * np.sin(2 * x[:, 1])


def twisted(x):
    a, b, c = x.T
    return a * b * c + (a - b) * (b - c) * (c - a)


def falling(z):
    return np.stack([z[:, 1], -z[:, 0] + z[:, 0] ** 2], axis=1)


def damped(z):
    return np.stack([z[:, 1], -z[:, 0] + z[:, 0] ** 3 - 0.5 * z[:, 1]], axis=1)


def lengths(x):
    return (x**2).sum(axis=1) + x[:, 0] * x[:, 2] + x[:, 1] * x[:, 3]


def area(x):
    return (x**2).sum(axis=1) + x[:, 0] * x[:, 3] - x[:, 1] * x[:, 2]


# candidates, outputs, functions, half of the range, truth: how many generators are kept, the group that is
KNOWN = {
    "square lattice": (SQUARE, None, dictionary.fourier(2, 2), np.pi, wave, 0, "D4"),
    "chiral lattice": (SQUARE, None, dictionary.fourier(2, 3), np.pi, lambda x: wave(x) + chiral(x), 0, "C4"),
    "a diagonal": (SQUARE, None, P(2, 4), 1.0, lambda x: x.sum(axis=1) + x[:, 0] * x[:, 1], 0, "Z2"),
    "like particles": (LIKE, None, P(3, 3), 1.0, lambda x: (x**2).sum(axis=1) + x.prod(axis=1), 0, "S3"),
    "only in turn": (LIKE, None, P(3, 3), 1.0, twisted, 0, "C3"),
    "two of three": (LIKE, None, P(3, 2), 1.0, lambda x: x[:, 0] * x[:, 1] + x[:, 2], 0, "Z2"),
    "equivariant": (LIKE, "vectors", P(3, 2), 1.0, lambda x: x**2 - x + x.mean(axis=1)[:, None], 0, "S3"),
    "reversible": (STATE, ODD, P(2, 3), 1.0, falling, 0, "Z2"),
    "damped": (STATE, ODD, P(2, 3), 1.0, damped, 0, "Z2"),
    "conservative": (STATE, ODD, P(2, 3), 1.0, lambda z: damped(z) + 0.5 * z[:, 1:] * [0, 1], 0, "Z2 x Z2"),
    "none": (SQUARE, None, P(2, 3), 1.0, lambda x: x[:, 0] + 0.5 * x[:, 1] ** 2 + x[:, 0] * x[:, 1], 0, "trivial"),
    # generators and a mirror
    "lengths": (PAIR, None, P(4, 2), 1.0, lengths, 1, "Z2"),
    "an area": (PAIR, None, P(4, 2), 1.0, area, 1, "trivial"),
    "a direction": (PAIR, None, P(4, 2), 1.0, lambda x: x[:, 1] + x[:, 1] * x[:, 3], 0, "Z2"),
}  # fmt: skip


def drawn(name, noise, seed=0):
    source, _, family, half, truth, *_ = KNOWN[name]
    rng = np.random.default_rng(seed)
    x, fresh = (rng.uniform(-half, half, (rows, source.width)) for rows in (2 * family.size, 300))
    y = truth(x)
    return x, y + noise * y.std() * rng.normal(size=y.shape), fresh, truth(fresh)


@pytest.mark.parametrize("noise", [0.0, 0.05])
@pytest.mark.parametrize("name", KNOWN)
def test_what_holds_is_kept_exactly_and_what_does_not_is_broken(name, noise):
    source, target, family, _, _, generators, group = KNOWN[name]
    x, y, fresh, truth = drawn(name, noise)
    model = Regression(family, source=source, target=target).fit(x, y)
    assert (model.kept_, model.group_.identify(model.kept_elements_)) == (generators, group)
    kept = np.isin(np.arange(model.group_.order), model.kept_elements_)
    assert model.violations_[kept].max() < 1e-9 * np.abs(y).max()
    assert (model.violations_[~kept] > 0.05).all()
    there, turned = ld.action.carried(
        source, model.target_, model.group_, fresh, model.predict(fresh).reshape(300, 1, -1)
    )
    for k in model.kept_elements_:
        np.testing.assert_allclose(model.predict(there[k]).reshape(300, -1), turned[k, :, 0], atol=1e-9)
    if noise == 0.0:
        np.testing.assert_allclose(model.predict(fresh), truth, atol=1e-6)


@pytest.mark.parametrize("name", ["square lattice", "only in turn", "reversible"])
def test_it_is_as_good_as_knowing_the_group(name):
    """Least squares among the functions that the group keeps, and least squares among all."""
    source, target, family, *_ = KNOWN[name]
    ratios, plain = [], []
    for seed in range(3):
        x, y, fresh, truth = drawn(name, 0.05, seed)
        model = Regression(family, source=source, target=target).fit(x, y)
        kept = model.finite_symmetries_
        onto = ld.scalars(kept.action.algebra, 1) if target is None else kept.target_action
        allowed = ld.enforce.functions(family, source=kept.action, target=onto)
        columns = [_values(allowed, z) for z in (x, fresh)]
        best = columns[1] @ np.linalg.lstsq(columns[0], y.reshape(-1))[0]
        features = [ld.derivative.values(family, z) for z in (x, fresh)]
        free = features[1] @ np.linalg.lstsq(features[0], y.reshape(len(x), -1))[0]
        size = np.linalg.norm(truth)
        ours, known, without = (
            np.linalg.norm(found.reshape(truth.shape) - truth) / size for found in (model.predict(fresh), best, free)
        )
        ratios.append(ours / known)
        plain.append(without / ours)
    assert np.median(ratios) < 1.02 and np.median(plain) > 1.2


def _values(allowed, z):
    """(N m, dim), each function of a basis at all points."""
    found = np.einsum("kmd,nd->nmk", allowed.basis, ld.derivative.values(allowed.dictionary, z))
    return found.reshape(-1, allowed.dim)


def test_an_infinite_weight_is_the_fit_of_the_invariant_functions():
    x, y, fresh, _ = drawn("a diagonal", 0.05)
    model = Regression(P(2, 4), source=SQUARE, alpha=1e6, refit=False).fit(x, y)
    allowed = ld.enforce.functions(P(2, 4), source=SQUARE, target=ld.scalars(SQUARE.algebra))
    inside, outside = _values(allowed, x), _values(allowed, fresh)
    best = outside @ np.linalg.lstsq(inside, y)[0]
    np.testing.assert_allclose(model.predict(fresh), best, atol=1e-8)
    assert len(model.kept_elements_) == 8


def test_what_is_broken_slightly_is_broken():
    """A square lattice with a weak dimer: the turn goes, a diagonal mirror and half a turn stay."""
    rng = np.random.default_rng(0)
    x = rng.uniform(-np.pi, np.pi, (200, 2))
    weak = 0.03 * np.sin(x[:, 0]) * np.sin(x[:, 1])
    y = wave(x) + weak + 0.003 * rng.normal(size=200)
    model = Regression(dictionary.fourier(2, 2), source=SQUARE).fit(x, y)
    assert model.group_.identify(model.kept_elements_) == "Z2 x Z2"
    # Broken by as much as it is: the rms of the change, 2 x .03 / 2.
    broken = np.setdiff1d(np.arange(8), model.kept_elements_)
    np.testing.assert_allclose(model.violations_[broken], 0.03, rtol=0.1)
    # Noise above it hides it, and nothing is broken that the data do not insist on.
    hidden = Regression(dictionary.fourier(2, 2), source=SQUARE).fit(x, wave(x) + weak + rng.normal(size=200))
    assert len(hidden.kept_elements_) == 8


def test_convex_fits_alone_by_cross_validation_at_a_strength_and_exact():
    x, y, _, _ = drawn("two of three", 0.01)
    for more in ({"refit": False}, {"alpha": 0.3}, {"alpha": 0.3, "refit": False}):
        model = Regression(P(3, 2), source=LIKE, **more).fit(x, y)
        assert model.group_.identify(model.kept_elements_) == "Z2" and model.gap_ < 1e-3
        assert model.refitted_ == more.get("refit", True)
    x, y, fresh, truth = drawn("like particles", 0.0)
    few = Regression(P(3, 3), source=LIKE, exact=True).fit(x[:12], y[:12])  # of 20 coefficients
    np.testing.assert_allclose(few.predict(fresh), truth, atol=1e-4)
    assert len(few.kept_elements_) == 6


def test_pure_noise_breaks_nothing():
    for seed in range(5):
        rng = np.random.default_rng(seed)
        x, y = rng.uniform(-1, 1, (60, 2)), rng.normal(size=60)
        model = Regression(P(2, 3), source=SQUARE).fit(x, y)
        assert len(model.kept_elements_) == 8
        assert model.finite_symmetries_.evidence.verdict == "cannot tell"  # and the record claims nothing


def test_units_offsets_and_the_order_of_columns_change_nothing():
    x, y, _, _ = drawn("damped", 0.05)
    plain = Regression(P(2, 3), source=STATE, target=ODD).fit(x, y)
    unit = np.array([1e3, 1e-2])
    scaled = Regression(P(2, 3), source=STATE, target=ODD).fit(x * unit, y * unit)
    assert np.array_equal(plain.kept_elements_, scaled.kept_elements_) and len(plain.kept_elements_) == 2
    np.testing.assert_allclose(scaled.predict(x * unit), plain.predict(x) * unit, rtol=1e-6, atol=1e-9)
    x, y, _, _ = drawn("two of three", 0.05)
    near = Regression(P(3, 2), source=LIKE).fit(x, y)
    far = Regression(P(3, 2), source=LIKE).fit(1e3 * x + 7e3, 1e3 * y)
    # About another origin the ridge term is another; the action is linear, so that the origin is not free.
    np.testing.assert_allclose(far.predict(1e3 * x + 7e3), 1e3 * near.predict(x), atol=50)
    order = [2, 0, 1]
    turned = Regression(P(3, 2), source=LIKE).fit(x[:, order], y)
    np.testing.assert_allclose(turned.predict(x[:, order]), near.predict(x), atol=1e-9)
    assert len(near.kept_elements_) == len(far.kept_elements_) == len(turned.kept_elements_) == 2


def test_the_path_holds_elements_and_goes_on_from_its_file(tmp_path):
    x, y, _, _ = drawn("two of three", 0.05)
    model = Regression(P(3, 2), source=LIKE)
    path = model.path(x, y, checkpoint=tmp_path / "path.npz")
    again = promote.RegressionPath.load(tmp_path / "path.npz")
    assert path.holding.shape == path.violations.shape == (13, 4)  # three exchanges, and the turn of three
    assert path.holding[path.position].sum() == 1 and path.holding[0].all() and not path.holding[-1].any()
    np.testing.assert_array_equal(again.holding, path.holding)
    assert len(path.plot().axes) == 2


def test_records_of_generators_and_of_elements():
    x, y, _, _ = drawn("lengths", 0.01)
    model = Regression(P(4, 2), source=PAIR).fit(x, y)
    assert model.symmetries_.dim == 1 and model.finite_symmetries_.order == 2
    assert model.finite_symmetries_.evidence.model.endswith("2 are kept, exactly")
    with pytest.raises(AttributeError, match="symmetries_: the candidates have no generators; see finite_symm"):
        _ = Regression(P(2, 2), source=SQUARE).fit(x[:, :2], y).symmetries_
    with pytest.raises(AttributeError, match="finite_symmetries_: the candidates have no discrete elements"):
        _ = Regression(P(2, 2), source="so on vectors").fit(x[:, :2], y).finite_symmetries_


def own(*members):
    return dictionary.functions(list(members), 2)


X2 = np.random.default_rng(0).uniform(-1, 1, (30, 2))
SHIFT = ld.points(algebra.extended(NOTHING, [[[1, 0, 0.5], [0, 1, 0]]]))
EVEN = own(lambda x: x[0] ** 2, lambda x: x[1] ** 2)
SIDED = own(lambda x: x[0] ** 2, lambda x: x[1] ** 2, lambda x: x[0])

REFUSED = {
    "not closed": (SIDED, SQUARE, r"dictionary: element 0 of D4 takes x0 to a function that is not among the 3 "),
    "infinite": (P(2, 2), SHIFT, "source: element 0 of .* has infinite order"),
    "nothing changes": (
        EVEN,
        ld.vectors(algebra.signs(2)),
        "source, dictionary: no element of .* changes any function",
    ),
    "large": (P(2, 40), ld.vectors(algebra.polygon(400)), "source, dictionary: 800 elements, and 861 functions .* GiB"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused(case):
    family, source, message = REFUSED[case]
    with pytest.raises(ValueError, match=message):
        Regression(family, source=source).fit(X2, X2[:, 0])


def test_a_large_group():
    """120 permutations of five, 66 cyclic groups: the energy of like particles."""
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, (40, 5))
    y = (x**2).sum(axis=1) + x.sum(axis=1) ** 2 + 0.02 * rng.normal(size=40)
    model = Regression(P(5, 2), source=ld.vectors(algebra.symmetric(5))).fit(x, y)
    assert len(model.kept_elements_) == 120


@pytest.mark.parametrize("planted", [False, True], ids=["none", "S3"])
def test_few_examples_keep_what_is_planted_and_seldom_what_is_not(planted):
    """12 examples of 20 functions: evidence alone kept something in each of eight draws without a symmetry."""
    kept, errors = [], []
    for seed in range(8):
        rng = np.random.default_rng(seed)
        x, fresh = rng.uniform(-1, 1, (12, 3)), rng.uniform(-1, 1, (300, 3))
        w = rng.normal(size=20)
        orders = list(itertools.permutations(range(3))) if planted else [(0, 1, 2)]
        F = lambda z, w=w, orders=orders: sum(values(P(3, 3), z[:, order]) @ w for order in orders)  # noqa: E731
        model = Regression(P(3, 3), source=LIKE).fit(x, F(x))
        kept.append(len(model.kept_elements_))
        errors.append(np.std(model.predict(fresh) - F(fresh)) / np.std(F(fresh)))
    if planted:
        assert kept == [6] * 8 and max(errors) < 0.3
    else:
        assert kept.count(1) >= 6 and np.median(errors) < 0.9
