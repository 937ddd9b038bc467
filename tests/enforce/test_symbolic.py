"""Equations as formulas: what a symmetry leaves to be searched, what its loss measures, and the search itself."""

import builtins

import numpy as np
import pandas
import pytest
import sympy

import lieder as ld
from lieder.enforce._symbolic_formulas import chosen, fitted, scaled, written
from lieder.enforce._symbolic_frame import frame
from lieder.enforce._symbolic_laws import laws
from lieder.interop import Program

ROTATIONS = ld.vectors(ld.algebra.so(2))
STATES = np.random.default_rng(0).uniform(-1.5, 1.5, (120, 2))


def spiral(z):
    square = np.sum(z**2, axis=1, keepdims=True)
    return z * (1 - square) + np.stack([-z[:, 1], z[:, 0]], axis=1) * (1 + square / 2)


def test_rotations_leave_two_functions_of_the_radius():
    found = frame(ROTATIONS, ld.dictionary.polynomials(2, 2), STATES, spiral(STATES), ("u", "v"))
    u, v = sympy.symbols("u v")
    assert found.invariant_texts == [u**2 + v**2]
    assert sorted(map(str, found.field_texts)) == ["[u, v]", "[v, -u]"]
    square = np.sum(STATES**2, axis=1)
    radial = 0 if found.field_texts[0] == [u, v] else 1
    assert np.allclose(found.components[:, radial], 1 - square)
    assert np.allclose(found.components[:, 1 - radial], -1 - square / 2)
    assert found.missed < 1e-25
    # An error of the velocities is that of a component times the length of its field.
    assert np.allclose(found.weights[:, 0], square / square.mean())


def test_what_a_symmetry_forbids_is_missed():
    random = np.random.default_rng(1)
    points = random.standard_normal((50, 3))
    rotations = ld.vectors(ld.algebra.so(3))
    across = np.cross(points, np.array([0.0, 0.0, 1.0]))
    found = frame(rotations, ld.dictionary.polynomials(3, 2), points, across + points, ("x", "y", "z"))
    assert len(found.field_texts) == 1  # central fields alone
    assert found.missed == pytest.approx(np.sum(across**2) / np.sum((across + points) ** 2))


def test_a_dictionary_without_equivariant_fields_is_refused():
    with pytest.raises(ValueError, match="dictionary: none of its fields but zero has the symmetry"):
        ld.enforce.symbolic_dynamics(
            STATES, spiral(STATES), symmetry=ROTATIONS, dictionary=ld.dictionary.polynomials(2, 0)
        )


@pytest.mark.parametrize("by", ["infinitesimal", "flow"])
def test_a_loss_is_zero_for_symmetric_fields_alone(by):
    def loss(field):
        total = 0.0
        for law in laws(ROTATIONS, STATES, by, 0):
            moved = [field(rows) for rows in law.moved]
            for i in range(2):
                rest = law.residual(i, field(STATES)[:, i], [each[:, i] for each in moved], field(STATES))
                total += np.mean(rest**2)
        return total

    assert loss(spiral) < 1e-9
    assert loss(lambda z: spiral(z) + 0.1 * np.array([1.0, 0.0])) > 1e-3


def test_flows_of_a_law_move_by_about_the_spread():
    for law in laws(ROTATIONS, 1e3 * STATES, "flow", 0):
        moved = np.linalg.norm(law.moved[0] - 1e3 * STATES, axis=1) / (1e3 * STATES.std())
        assert 0.1 < np.median(moved) < 2 and np.allclose(np.linalg.det(law.turns), 1)


def test_scaling_is_least_squares():
    random = np.random.default_rng(1)
    x, y, w = random.standard_normal(30), random.standard_normal(30), random.uniform(0.1, 1, 30)
    root = np.sqrt(w)
    exact = np.linalg.lstsq(root[:, None] * np.stack([np.ones(30), x], axis=1), root * y, rcond=None)[0]
    assert np.allclose(scaled(x, y, w), exact)
    assert scaled(np.ones(30), y, w) == (pytest.approx(np.average(y, weights=w)), 0.0)
    assert scaled(np.full(30, np.inf), y, w)[1] == 0.0


def test_the_shortest_formula_that_predicts_as_well_is_taken():
    random = np.random.default_rng(1)
    x = sympy.symbols("x:1")
    rows = random.uniform(-1, 1, (90, 1))
    y = 2 * rows[:, 0] ** 2 + 0.7 + 0.01 * random.standard_normal(90)
    right = Program(("mul", 0, 0), 0.010)
    longer = Program(("add", "mul", 0, 0, "mul", 0.001, 0), 0.009)
    wrong = Program((0,), 0.5)
    pole = Program(("div", "mul", 0, 0, "sub", 0, 0), 0.001)  # infinite: the search takes it for a number
    ones = np.ones(90)
    parts = [(rows[some], y[some], ones[some]) for some in (slice(60), slice(60, None))]
    formula, error = chosen([pole, longer, right, wrong], x, ("add", "mul", "div"), *parts)
    found = sympy.Poly(formula.written, x[0]).coeffs()
    assert np.allclose(np.array(found, float), [2, 0.7], atol=0.02) and error < 3e-4
    alone, _ = chosen([Program(("inv", "sub", 0.5, 0.5), 0.001)], x, ("inv", "sub"), *parts)
    assert float(alone.written) == pytest.approx(y.mean(), rel=1e-4)  # by iterated least squares


def test_terms_of_a_sum_are_found_in_different_formulas():
    x = sympy.symbols("x:2")
    random = np.random.default_rng(1)
    rows = random.uniform(-1, 1, (90, 2))
    y = 2 * rows[:, 0] * rows[:, 1] - 0.5 * rows[:, 1] + 0.01 * random.standard_normal(90)
    parts = [(rows[some], y[some], np.ones(len(y[some]))) for some in (slice(60), slice(60, None))]
    some = [Program(("sub", "mul", 0, 1, 0), 0.5), Program(("mul", 1, "mul", 1, 1), 0.6)]
    formula, error = chosen(some, x, ("add", "mul", "div"), *parts)
    found = sympy.Poly(formula.written, *x)
    assert error < 3e-4
    assert np.allclose([float(found.coeff_monomial(m)) for m in (x[0] * x[1], x[1])], [2, -0.5], atol=0.02)


def test_constants_are_fitted_and_poles_do_not_spoil_it():
    x = sympy.symbols("x:1")
    rows = np.linspace(0.1, 2, 40)[:, None]
    y = 3 / (rows[:, 0] + 0.5)
    formula = fitted(written(Program(("inv", "add", 0, 0.2), 0.0), x, False), x, rows, y, np.ones(40), None)
    # c_0 / (x + c_1)
    assert np.allclose(np.sort(formula.values), [0.5, 3.0], atol=1e-6)


def small(x, dx, **more):
    return ld.enforce.symbolic_dynamics(x, dx, population=60, generations=3, **more)


def test_the_invariants_find_what_plain_search_does_not():
    random = np.random.default_rng(1)
    noisy = spiral(STATES) + 0.05 * random.standard_normal(STATES.shape)
    fresh = random.uniform(-2, 2, (200, 2))

    def error(model, z, scale=1.0):
        exact = spiral(z)
        return np.linalg.norm(model.predict(scale * z) / scale - exact) / np.linalg.norm(exact)

    found = small(STATES, noisy, symmetry=ROTATIONS)
    assert error(found, fresh) < 0.02 < 0.2 < error(small(STATES, noisy), fresh)
    assert found.by == "invariants" and len(found.errors) == 2 and found.missed < 1e-20
    # Units, names and order of the rows change nothing but the words.
    order = random.permutation(len(STATES))
    frame = pandas.DataFrame(1e3 * STATES[order], columns=["u", "v"])
    other = small(frame, 1e3 * noisy[order], symmetry=ROTATIONS)
    assert error(other, fresh, 1e3) < 0.02 and other.equations()[0].startswith("u' = ")
    # What was found is a model like any other.
    again = ld.discover.vector_field(found.function, fresh, action=ROTATIONS)
    assert again.dim == 1 and again.defects[0] < 1e-8
    path = found.simulate([0.5, 0.0], np.linspace(0, 1, 11))
    assert path.shape == (11, 2) and np.linalg.norm(path[-1]) > 0.5


def test_formulas_of_noise_are_told_to_explain_nothing():
    noise = np.random.default_rng(1).standard_normal(STATES.shape)
    assert "explains nothing" in str(small(STATES, noise, symmetry=ROTATIONS))
    assert "explains nothing" not in str(small(STATES, spiral(STATES) + 0.3 * noise, symmetry=ROTATIONS))


def test_the_same_seed_gives_the_same_formulas():
    one, two = (small(STATES, spiral(STATES), symmetry=ROTATIONS, by="flow", seed=4) for _ in range(2))
    assert one.equations() == two.equations() and one.by == "flow"


def test_without_invariants_numbers_are_left():
    random = np.random.default_rng(1)
    shifts = ld.points(ld.algebra.t(2))  # every field that all shifts leave is constant
    steady = np.tile([1.0, -2.0], (120, 1)) + 0.01 * random.standard_normal((120, 2))
    found = small(STATES, steady, symmetry=shifts)
    assert np.allclose(np.array([float(one) for one in found.expressions]), [1, -2], atol=0.01)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"dx": STATES[:50]}, "one velocity belongs to each state"),
        ({"dx": np.where(np.arange(240).reshape(120, 2) == 7, np.nan, STATES)}, "dx"),
        ({"x": STATES[:10], "dx": STATES[:10]}, "10 rows are too few"),
        ({"symmetry": ld.vectors(ld.algebra.so(3))}, "acts on 3 numbers, but x has 2 columns"),
        ({"by": "magic"}, 'by: expected "invariants", "infinitesimal" or "flow"'),
        ({"penalty": -1.0, "by": "flow"}, "penalty: expected a number of at least 0"),
        ({"functions": ("add", "gamma")}, "functions: gamma"),
        ({"functions": ()}, "functions: name at least one"),
        ({"population": 3}, "population"),
        ({"generations": 0}, "generations"),
    ],
)
def test_bad_input(change, match):
    given = {"x": STATES, "dx": spiral(STATES), "symmetry": ROTATIONS} | change
    with pytest.raises(ValueError, match=match):
        ld.enforce.symbolic_dynamics(given.pop("x"), given.pop("dx"), **given)


def test_without_gplearn_it_says_what_to_install(monkeypatch):
    real = builtins.__import__

    def refuse(name, *more):
        if name.startswith("gplearn"):
            raise ModuleNotFoundError(name)
        return real(name, *more)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(ModuleNotFoundError, match=r'pip install "lieder\[gplearn\]"'):
        small(STATES, spiral(STATES))
