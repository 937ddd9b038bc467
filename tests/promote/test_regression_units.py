"""Units and offsets change no answer; what moves nothing is counted apart; the record judges by itself."""

import numpy as np
import pytest

import lieder as ld
from lieder.promote import Regression

RNG = np.random.default_rng(1)
X = RNG.uniform(-1, 1, (60, 3))
AXIS = np.array([2.0, 1.0, -2.0]) / 3
NOISE = RNG.normal(size=60)
QUADRATIC = ld.dictionary.polynomials(3, 2)
RIGID = ld.points(ld.algebra.se(3))


@pytest.mark.parametrize(
    "algebra, scale, shift",
    [
        ("t", [1e3, 1.0, 1.0], 0.0),
        ("t", [1.0, 1e-3, 1.0], [0.0, 0.0, 1e4]),
        ("se", 1e3, 0.0),
        ("se", 1e8, 0.0),
        ("se", 1.0, 1e4),
        ("se", 1e-3, [-3.0, 5.0, 1.0]),
    ],
)
def test_units_and_offsets_change_no_answer(algebra, scale, shift):
    source = ld.points(ld.algebra.t(3) if algebra == "t" else ld.algebra.se(3))
    y = 1 + 2 * X @ AXIS + 3 * (X @ AXIS) ** 2 if algebra == "se" else np.sin(X[:, 0]) + X[:, 0] ** 2
    y = y + 0.02 * NOISE
    plain = Regression(QUADRATIC, source=source, alpha=0.1).fit(X, y)
    x = X * np.asarray(scale) + np.asarray(shift)
    moved = Regression(QUADRATIC, source=source, alpha=0.1).fit(x, y)
    assert moved.kept_ == plain.kept_ == (3 if algebra == "se" else 2)
    np.testing.assert_allclose(moved.predict(x), plain.predict(X), atol=1e-6)
    np.testing.assert_allclose(moved.singular_values_, plain.singular_values_, atol=1e-5)
    assert moved.symmetries_.dim == plain.symmetries_.dim == plain.kept_
    tall = Regression(QUADRATIC, source=source, alpha=0.1 * 1e5).fit(x, 1e5 * y)
    np.testing.assert_allclose(tall.predict(x), 1e5 * plain.predict(X), rtol=1e-6, atol=0.1)


def test_coefficients_are_in_the_user_s_units():
    x = X * np.array([1e3, 1.0, 1e-2]) + np.array([50.0, 0.0, 2.0])
    y = 3.0 + 2e-3 * x[:, 0] - x[:, 1] * x[:, 2]
    model = Regression(QUADRATIC, source=ld.points(ld.algebra.t(3)), exact=True).fit(x, y)
    expected = np.zeros(10)
    expected[[0, 1, 8]] = 3.0, 2e-3, -1.0
    np.testing.assert_allclose(model.coef_, expected, atol=1e-7)
    assert model.equations(["p", "q", "r"], digits=3) == ["y0 = 3 + 0.002 p - 1 q r"]


@pytest.mark.parametrize("family", [QUADRATIC, ld.dictionary.affine(3), ld.dictionary.polynomials(3, 4)])
def test_substitution(family):
    """f(shift + scale x) = T f(x)."""
    shift, scale = np.array([0.5, -2.0, 0.0]), np.array([3.0, 0.1, 1.0])
    change = family.substitution(shift, scale)
    expected = ld.derivative.values(family, shift + scale * X)
    np.testing.assert_allclose(ld.derivative.values(family, X) @ change.T.toarray(), expected, rtol=1e-12, atol=1e-12)


def test_outputs_of_several_units():
    RNG = np.random.default_rng(1)
    source, target = ld.points(ld.algebra.se(3)), ld.scalars(ld.algebra.se(3), 2)
    y = np.stack([X @ AXIS, (X @ AXIS) ** 2], axis=1) + 0.01 * RNG.normal(size=(60, 2))
    plain = Regression(QUADRATIC, source=source, target=target).fit(X, y)
    scaled = Regression(QUADRATIC, source=source, target=target).fit(X, y * [1e6, 1e-3])
    assert plain.kept_ == scaled.kept_ == 3
    np.testing.assert_allclose(scaled.predict(X) / [1e6, 1e-3], plain.predict(X), atol=1e-4)


# Candidates that move nothing


def test_candidates_that_move_nothing_are_counted_apart():
    source = ld.vectors(ld.algebra.se(3))  # directions: shifts do nothing
    broken = X @ [0.3, -0.5, 0.7] + (X @ np.diag([1.0, -0.6, 0.2]) * X).sum(axis=1) + X[:, 0] * X[:, 1]
    model = Regression(QUADRATIC, source=source).fit(X, broken + 0.01 * NOISE)
    assert model.kept_ == 0 and model.ineffective_.shape == (3, 6) and len(model.singular_values_) == 3
    assert model.symmetries_.dim == 0 and model.symmetries_.evidence.tolerance is None
    radial = Regression(QUADRATIC, source=source).fit(X, (X**2).sum(axis=1) + 0.01 * NOISE)
    assert radial.kept_ == 3 and radial.symmetries_.dim == 3 and len(radial.symmetries_.ineffective) == 3


# The record


def test_a_constant_has_a_record():
    model = Regression(QUADRATIC, source=RIGID).fit(X, np.full(60, 5.0))
    record = model.symmetries_
    assert model.kept_ == 6 and record.dim == 6 and record.evidence.verdict == "symmetries"
    assert "6 symmetries" in str(record) and len(record.fields()) == 6 and record.defect(np.ones(6)) == 0
    noise = Regression(QUADRATIC, source=RIGID, alpha=1e6).fit(X, NOISE)
    assert noise.kept_ == 6 and noise.symmetries_.evidence.verdict == "cannot tell" and noise.symmetries_.dim == 0
    assert "the two disagree" in noise.symmetries_.evidence.model


def test_the_record_has_the_error_of_the_fit():
    y = X @ [0.3, -0.5, 0.7] + (X @ np.diag([1.0, -0.6, 0.2]) * X).sum(axis=1) + 0.3 * NOISE
    model = Regression(QUADRATIC, source=RIGID).fit(X[:12], y[:12])
    evidence = model.symmetries_.evidence
    assert evidence.resolution > 0.1 and evidence.verdict == "cannot tell"
    assert ("disagree" in evidence.model) == (model.kept_ != 0)
