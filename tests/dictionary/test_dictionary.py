"""Laws on a table of dictionaries: shapes, jit, derivatives, dtypes, symbols, equality; and each error message."""

from itertools import combinations_with_replacement

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from lieder import dictionary as dictionaries


def _cubic(x):
    return x[0] * x[1] ** 2 - x[0]


def _wave(x):
    return jnp.sin(x[0])


DICTIONARIES = {
    "constant": dictionaries.polynomials(3, 0),
    "polynomials in one": dictionaries.polynomials(1, 5),
    "polynomials": dictionaries.polynomials(3, 4),
    "linear": dictionaries.linear(4),
    "affine": dictionaries.affine(3),
    "fourier in one": dictionaries.fourier(1, 3),
    "fourier": dictionaries.fourier(3, 2),
    "fourier, periods": dictionaries.fourier(2, 2, period=(1.0, 2.5)),
    "radial": dictionaries.radial(-5, 2, 3),
    "radial in one": dictionaries.radial(-2, 2, 1),
    "functions": dictionaries.functions([_cubic, lambda x: 2 * x[0]], 2),
    "blocks": dictionaries.blocks([dictionaries.polynomials(2, 2), dictionaries.fourier(1, 1), dictionaries.linear(2)]),
    "formulas": dictionaries.formulas(["1/sqrt(x^2 + y^2)", "x - 2*y", "cos(x) * y", "3"], ["x", "y"]),
    "union": dictionaries.union([dictionaries.polynomials(3, 2), dictionaries.radial(-2, -1, 3)]),
    "union of polynomials": dictionaries.union([dictionaries.affine(2), dictionaries.polynomials(2, 2)]),
}
NAMES = ["x", "y", "z", "u", "v"]

table = pytest.mark.parametrize("d", DICTIONARIES.values(), ids=DICTIONARIES.keys())


def _example(d, seed=0):
    return np.random.default_rng(seed).normal(size=d.width) + 0.5


@table
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_size_and_dtype(d, dtype):
    out = d(_example(d).astype(dtype))
    assert out.shape == (d.size,)
    assert out.dtype == dtype


@table
def test_jit_is_eager_and_vmap_is_loop(d):
    x = np.stack([_example(d, seed) for seed in range(3)])
    loop = np.stack([d(row) for row in x[:2]])
    np.testing.assert_allclose(jax.jit(d)(x[0]), loop[0], rtol=1e-13)
    np.testing.assert_allclose(jax.vmap(d)(x)[:2], loop, rtol=1e-13)


@table
def test_gradient_is_finite_difference(d):
    x, h = _example(d), 1e-6
    step, values = h * np.eye(d.width), jax.jit(jax.vmap(d))
    differences = (values(x + step) - values(x - step)).T / (2 * h)
    np.testing.assert_allclose(jax.jit(jax.jacfwd(d))(x), differences, rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(jax.jit(jax.jacrev(d))(x), differences, rtol=1e-6, atol=1e-7)


@table
def test_symbols_evaluate_to_the_features(d):
    names = NAMES[: d.width]
    expressions = d.symbols(names)
    assert len(expressions) == d.size
    x = _example(d)
    values = sympy.lambdify(sympy.symbols(names), expressions, "numpy")(*x)
    np.testing.assert_allclose(np.array(values, dtype=float), d(x), rtol=1e-10, atol=1e-13)


@table
def test_static_pytree_with_equality_by_content(d):
    assert jax.tree_util.tree_leaves(d) == []
    assert jax.jit(lambda d, x: d(x).sum())(d, _example(d)).shape == ()
    assert hash(d) == hash(d) and d == d
    assert sum(d == other for other in DICTIONARIES.values()) == 1


def test_equal_content_is_equal():
    assert dictionaries.polynomials(3, 2) == dictionaries.polynomials(3, 2)
    assert dictionaries.fourier(2, 1, 1.0) == dictionaries.fourier(2, 1, [1.0, 1.0])
    assert hash(dictionaries.radial(-3, 0, 3)) == hash(dictionaries.radial(-3, 0, 3))


@table
def test_integers_are_promoted(d):
    out = d(np.arange(1, d.width + 1))
    np.testing.assert_allclose(out, d(np.arange(1.0, d.width + 1)), rtol=1e-14)


@table
def test_wrong_width_says_so(d):
    with pytest.raises(ValueError, match=rf"x: this dictionary takes one example of shape \({d.width},\)"):
        d(np.ones((2, d.width)))
    with pytest.raises(ValueError, match=f"names: expected {d.width} names"):
        d.symbols(["x"] * (d.width + 1))


@given(width=st.integers(1, 5), degree=st.integers(0, 4))
@settings(deadline=None, max_examples=15)
def test_monomials_are_ordered_as_promised(width, degree):
    d = dictionaries.polynomials(width, degree)
    terms = [t for k in range(degree + 1) for t in combinations_with_replacement(range(width), k)]
    expected = np.array([[t.count(i) for i in range(width)] for t in terms])
    np.testing.assert_array_equal(d.exponents, expected)
    x = np.linspace(-1.5, 2, width)
    np.testing.assert_allclose(d(x), np.prod(x**expected, axis=1), rtol=1e-13)


def test_polynomials_are_exact_at_zero_to_second_order():
    d = dictionaries.polynomials(2, 3)
    zero = np.zeros(2)
    np.testing.assert_array_equal(d(zero), np.eye(d.size)[0])
    np.testing.assert_array_equal(jax.jacrev(d)(zero), np.eye(d.size)[:, 1:3])
    second = jax.hessian(d)(zero)
    assert np.isfinite(second).all()
    assert second[3, 0, 0] == 2 and second[4, 0, 1] == 1 and second[5, 1, 1] == 2


def test_polynomials_with_thousands_of_terms():
    d = dictionaries.polynomials(10, 5)
    assert d.size == 3003
    x = _example(d)
    np.testing.assert_allclose(jax.jit(d)(x), np.prod(x**d.exponents, axis=1), rtol=1e-12)


@table
def test_scoped_precision_leaves_no_trace(d):
    x = _example(d)
    for on in (True, False, True):
        with jax.enable_x64(on):
            jax.eval_shape(d, jax.ShapeDtypeStruct(x.shape, np.float64 if on else np.float32))
            assert d(x).dtype == (np.float64 if on else np.float32)


def test_affine_has_the_constant_last():
    np.testing.assert_array_equal(dictionaries.affine(2)(np.array([3.0, 4.0])), [3, 4, 1])


def test_fourier_is_closed_under_translations():
    d, shift = dictionaries.fourier(2, 2, period=3.0), np.array([0.3, -0.7])
    x = np.random.default_rng(1).uniform(0, 3, size=(60, 2))
    here, there = jax.vmap(d)(x), jax.vmap(d)(x + shift)
    matrix, _, rank, _ = np.linalg.lstsq(np.asarray(here), np.asarray(there))
    assert rank == d.size == 13
    np.testing.assert_allclose(here @ matrix, there, atol=1e-12)
    assert d.frequencies.shape == (6, 2)


def test_radial_order_and_centre():
    d = dictionaries.radial(-3, 0, 2)
    x = np.array([3.0, 4.0])
    np.testing.assert_allclose(d(x), np.concatenate([5.0**p * x for p in (-3, -2, -1, 0)]), rtol=1e-14)
    even = dictionaries.radial(0, 0, 2)
    np.testing.assert_array_equal(jax.jacrev(even)(np.zeros(2)), np.eye(2))


def test_functions_are_traced_or_named():
    d = dictionaries.functions([_cubic, _wave, lambda x: jnp.cos(x[1])], 2)
    assert d.names == ("_cubic", "_wave", "f3")
    x, y = sympy.symbols("x y")
    assert d.symbols(["x", "y"]) == [x * y**2 - x, sympy.sin(x), sympy.cos(y)]
    assert dictionaries.functions([_wave], 2, names=["s"]).symbols(["x", "y"]) == [sympy.Function("s")(x, y)]


TURN = np.array([[0.0, -1.0], [1.0, 0.0]])
FORMULAS = {
    "1/sqrt(x^2 + y^2)": lambda z: 1 / jnp.linalg.norm(z),
    "2.5*x": lambda z: jnp.dot(jnp.array([2.5, 0.0]), z),
    "-y": lambda z: (jnp.asarray(TURN) @ z)[0],
    "cos(y)/tan(x)": lambda z: jnp.stack([jnp.sin(z[1]), jnp.cos(z[1]) / jnp.tan(z[0])])[1],
    "x*exp(-2*y)": lambda z: jax.jit(lambda p: p[0] * jnp.exp(-2 * p[1]))(z),
    "1/(exp(-x) + 1)": lambda z: jax.nn.sigmoid(z[0]),
    "log(x + 1)": lambda z: jnp.log1p(z[:1]).sum(),
    "y - x": lambda z: jnp.concatenate([z[1:], -z[:1]]).sum(),
}


@pytest.mark.parametrize("text", FORMULAS)
def test_what_jax_traces_is_a_formula(text):
    (found,) = dictionaries.functions([FORMULAS[text]], 2).symbols(["x", "y"])
    x, y = sympy.symbols("x y")
    assert sympy.simplify(found - sympy.sympify(text.replace("^", "**"))) == 0
    at = {x: 0.7, y: 0.4}
    np.testing.assert_allclose(float(found.subs(at)), FORMULAS[text](jnp.array([0.7, 0.4])), rtol=1e-6)


@pytest.mark.parametrize(
    "function",
    [
        lambda z: jax.lax.fori_loop(0, 3, lambda _, c: c * z[0], 1.0),
        lambda z: jnp.where(z[0] > 0, jnp.sin(z[0]), z[1]),
        lambda z: jnp.sum(jnp.sin(jnp.outer(jnp.arange(1.0, 40), z))),
    ],
)
def test_loops_branches_and_long_sums_are_named(function):
    (found,) = dictionaries.functions([function], 2).symbols(["x", "y"])
    assert str(found) == "f1(x, y)"


def test_blocks_act_on_their_own_slices():
    d = dictionaries.blocks([dictionaries.linear(1), dictionaries.polynomials(2, 1)])
    np.testing.assert_array_equal(d(np.array([2.0, 3.0, 5.0])), [2, 1, 3, 5])
    assert d.width == 3 and [str(s) for s in d.symbols(["a", "b", "c"])] == ["a", "1", "b", "c"]


BY_NAME = {
    "radial(-5,0)": dictionaries.radial(-5, 0, 3),
    "radial(low=-5, high=0)": dictionaries.radial(-5, 0, 3),
    "polynomials(3)": dictionaries.polynomials(3, 3),
    " polynomial( degree = 3 ) ": dictionaries.polynomials(3, 3),
    "fourier(2)": dictionaries.fourier(3, 2),
    "fourier(2, 1.5)": dictionaries.fourier(3, 2, 1.5),
    "fourier(2, period=[1.0, 2.0, 3.0])": dictionaries.fourier(3, 2, [1.0, 2.0, 3.0]),
    "linear": dictionaries.linear(3),
    "affine()": dictionaries.affine(3),
}


@pytest.mark.parametrize("text", BY_NAME)
def test_by_name(text):
    assert dictionaries.by_name(text, 3) == BY_NAME[text]


BAD_NAMES = {
    "radal(-5,0)": r"'radal\(-5,0\)' is not known. Did you mean radial\(low, high\)\?",
    "polinomial(2)": r"Did you mean polynomials\(degree\)\?",
    "q": "'q' is not known. Known: polynomials",
    "radial(-5)": r"lacks high; write radial\(low, high\)",
    "linear(3)": "has arguments that do not fit; write linear",
    "radial(1, low=2)": "do not fit",
    "polynomials(2, width=3)": "do not fit",
    "polynomials(x)": "cannot read",
    "polynomials(2": "cannot read",
    "2 + 3": "cannot read",
    "polynomials(-1)": "degree: expected at least 0, got -1",
}


@pytest.mark.parametrize("text", BAD_NAMES)
def test_bad_names(text):
    with pytest.raises(ValueError, match=BAD_NAMES[text]):
        dictionaries.by_name(text, 3)


def test_error_messages():
    with pytest.raises(TypeError, match="dictionary: expected a text"):
        dictionaries.by_name(3, 3)
    with pytest.raises(ValueError, match="width: expected at least 1, got 0"):
        dictionaries.polynomials(0, 2)
    with pytest.raises(TypeError, match=r"degree: expected a whole number, got 2\.5"):
        dictionaries.polynomials(2, 2.5)
    with pytest.raises(TypeError, match="degree: expected a whole number, got True"):
        dictionaries.fourier(2, True)
    with pytest.raises(ValueError, match="period: expected one positive number, or 2 of them"):
        dictionaries.fourier(2, 1, [1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match="period"):
        dictionaries.fourier(2, 1, 0.0)
    with pytest.raises(ValueError, match="low <= high, got low = 1 and high = 0"):
        dictionaries.radial(1, 0, 3)
    with pytest.raises(TypeError, match="low: expected a whole number"):
        dictionaries.radial(0.5, 1, 3)
    with pytest.raises(ValueError, match="members: expected at least one"):
        dictionaries.functions([], 2)
    with pytest.raises(TypeError, match=r"members\[0\]: expected a function"):
        dictionaries.functions([3], 2)
    with pytest.raises(ValueError, match=r"members\[1\]: expected a scalar, got an output of shape \(2,\)"):
        dictionaries.functions([_wave, lambda x: x], 2)
    with pytest.raises(ValueError, match="names: expected 1 names"):
        dictionaries.functions([_wave], 2, names=["a", "b"])
    with pytest.raises(TypeError, match=r"parts\[0\]: expected a dictionary"):
        dictionaries.blocks([3])
    with pytest.raises(ValueError, match="parts: expected at least one"):
        dictionaries.blocks([])


def test_a_width_from_the_data():
    fixed = dictionaries.polynomials(3, 2)
    assert dictionaries.sized(fixed, 3) is fixed
    assert dictionaries.sized("polynomials(2)", 3) == fixed
    assert dictionaries.sized(lambda n: dictionaries.blocks([dictionaries.linear(1)] * n), 4).size == 4
    with pytest.raises(ValueError, match=r"it takes 3 variables, but the data have 2 feature\(s\). Give it as text"):
        dictionaries.sized(fixed, 2)
    with pytest.raises(ValueError, match="it takes 3 variables, but the data have 2"):
        dictionaries.sized(lambda n: fixed, 2)
    for family, came in (
        (3, "got a int"),
        (jnp.tanh, "got a function that returns a"),
        (lambda x: x @ x, "a function"),
    ):
        with pytest.raises(TypeError, match=f"a family that is linear in its coefficients, .* {came}"):
            dictionaries.sized(family, 2)


def test_a_union_is_of_the_same_columns():
    d = dictionaries.union([dictionaries.affine(2), dictionaries.formulas(["log(x)"], ["x", "y"])])
    np.testing.assert_allclose(d(np.array([2.0, 3.0])), [2.0, 3.0, 1.0, np.log(2.0)])
    assert d.texts(["x", "y"])[-1] == "log(x)" and d.texts(["a", "b"])[-1] == "log(a)"
    with pytest.raises(ValueError, match="same variables, got widths 1, 2"):
        dictionaries.union([dictionaries.affine(2), dictionaries.affine(1)])
    with pytest.raises(ValueError, match="at least one dictionary, got none"):
        dictionaries.union([])
    with pytest.raises(TypeError, match=r"parts\[0\]: expected a dictionary"):
        dictionaries.union([3])


def test_names_that_are_formulas_are_printed_as_they_are():
    d = dictionaries.functions([lambda x: jnp.log(x[0]), lambda x: jnp.cos(x[0])], 1, ["log(x)", "wave"])
    assert d.texts(["t"]) == ["log(x)", "wave(t)"]


@pytest.mark.parametrize(
    ("texts", "fault", "message"),
    [
        (["x +"], ValueError, "formula 'x \\+' cannot be read"),
        (["x + z"], ValueError, r"'z' is neither a column \(x, y\)"),
        (["__import__('os').system('true')"], ValueError, "is neither a column"),
        (["sin(x, y)"], ValueError, r"'sin\(x, y\)' is neither"),
        (["x if y else 1"], ValueError, "is neither a column"),
        ([3], TypeError, "expected formulas as texts, got 3"),
        ([], ValueError, "expected a list of formulas"),
        ("x", ValueError, "expected a list of formulas"),
    ],
)
def test_formulas_in_words(texts, fault, message):
    with pytest.raises(fault, match=message):
        dictionaries.formulas(texts, ["x", "y"])


def test_formulas_are_their_functions():
    d = dictionaries.formulas(["x^2*y - 1", "-abs(x)/sqrt(y)", "arctan(y)*exp(-x)"], ["x", "y"])
    x = np.array([0.3, 2.0])
    np.testing.assert_allclose(d(x), [0.09 * 2 - 1, -0.3 / np.sqrt(2), np.arctan(2.0) * np.exp(-0.3)])
    assert d.texts(["x", "y"])[0] == "(x^2*y - 1)"
