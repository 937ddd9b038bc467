"""Generators in words and typeset: known formulas, rounding, order, and names that are no words."""

import xml.etree.ElementTree as tree

import numpy as np
import pytest
import sympy
import sympy.parsing.sympy_parser as parser
from hypothesis import given, settings
from hypothesis import strategies as st

from lieder.report import equations_html, generator_text

x, y, z, ax, ay = sympy.symbols("x y z ax ay")
HALF = sympy.Rational(1, 2)

KNOWN = [
    ([-y, x], "xy", "x d/dy - y d/dx"),
    ([-1.00031 * y, 0.99987 * x], "xy", "x d/dy - y d/dx"),
    ([0, 0], "xy", "0"),
    ([1, 0], "xy", "d/dx"),
    ([-1, 2], "xy", "2 d/dy - d/dx"),
    ([-x, -y], "xy", "-x d/dx - y d/dy"),
    ([HALF * x, 0], "xy", "1/2 x d/dx"),
    ([0.49998 * x, -y], "xy", "1/2 x d/dx - y d/dy"),
    ([x + y, 0], "xy", "(x + y) d/dx"),
    ([y - x, 0], "xy", "(y - x) d/dx"),
    ([-x - y, 0], "xy", "-(x + y) d/dx"),
    ([0.5 * x + 0.5 * y, 0], "xy", "1/2 (x + y) d/dx"),
    ([1 + x + x**2 + x * y, 0], "xy", "(x^2 + x y + x + 1) d/dx"),
    ([0.1234567 * x, 1], "xy", "0.123 x d/dx + d/dy"),
    ([12345.678 * x, 1e4 * y], "xy", "12300 x d/dx + 10000 y d/dy"),
    ([2 * x, 1e-6 * y], "xy", "2 x d/dx"),
    ([x**2 * y**3, sympy.exp(-(x**2))], "xy", "x^2 y^3 d/dx + exp(-x^2) d/dy"),
    ([x / y, 1 / (1 + x)], "xy", "(x/y) d/dx + (1/(x + 1)) d/dy"),
    ([sympy.sqrt(x**2 + y**2), 0], "xy", "sqrt(x^2 + y^2) d/dx"),
    ([sympy.cos(2.0 * x), (x + y) ** 2], "xy", "cos(2 x) d/dx + (x + y)^2 d/dy"),
    ([-y, x, -ay, ax], ["x", "y", "ax", "ay"], "x d/dy - y d/dx + ax d/day - ay d/dax"),
]


@pytest.mark.parametrize("exprs, names, text", KNOWN, ids=[known[2] for known in KNOWN])
def test_known_generators(exprs, names, text):
    assert generator_text(exprs, list(names)) == text


def test_terms_follow_the_order_of_the_names():
    many = sympy.symbols("x1:12")
    names = [str(symbol) for symbol in many]
    text = generator_text([sum((k + 2) * s for k, s in enumerate(many)), *[0] * 10], names)
    assert text.startswith("(2 x1 + 3 x2 + 4 x3") and text.endswith("12 x11) d/dx1")


def test_negligible_and_scales():
    field = [1.0 + 1e-5 * x**2, 0]
    assert generator_text(field, ["x", "y"]) == "d/dx"
    assert generator_text(field, ["x", "y"], negligible=0.0) == "(1e-05 x^2 + 1) d/dx"
    assert generator_text(field, ["x", "y"], scales=[1000.0, 1.0]) == "(1e-05 x^2 + 1) d/dx"


def test_digits():
    assert generator_text([sympy.pi.evalf() * x], ["x"], digits=5) == "3.1416 x d/dx"
    assert generator_text([sympy.Rational(22, 7) * x], ["x"]) == "22/7 x d/dx"


def test_names_that_are_no_words_are_bracketed():
    level, other = sympy.Symbol("water level"), sympy.Symbol("a-b")
    assert generator_text([-other, level], ["water level", "a-b"]) == "[water level] d/d[a-b] - [a-b] d/d[water level]"
    assert generator_text([1], ["\x1b[31mx\ny"]) == "d/d[[31mx y]"
    assert generator_text([sympy.Symbol("θ")], ["θ"]) == "θ d/dθ"


@settings(deadline=None, max_examples=25)
@given(st.lists(st.integers(-6, 6), min_size=9, max_size=9))
def test_linear_text_says_the_matrix(entries):
    """The text of an integer linear field, read back as a polynomial in x and d/dx, is that field."""
    symbols = sympy.symbols("x y z")
    matrix = np.array(entries).reshape(3, 3)
    exprs = [sum(int(matrix[i, j]) * symbols[j] for j in range(3)) for i in range(3)]
    text = generator_text(exprs, ["x", "y", "z"], negligible=0.0)
    for name in "xyz":
        text = text.replace(f"d/d{name}", f"d{name}")
    derivatives = sympy.symbols("dx dy dz")
    spaced = (*parser.standard_transformations, parser.implicit_multiplication, parser.convert_xor)
    read = parser.parse_expr(text, transformations=spaced)
    assert sympy.expand(read - sum(e * d for e, d in zip(exprs, derivatives, strict=True))) == 0


def test_errors():
    with pytest.raises(ValueError, match="`exprs` must have one coefficient per name: got 1 for 2 names"):
        generator_text([x], ["x", "y"])
    with pytest.raises(ValueError, match=r"the coefficient of d/dy is not finite: nan"):
        generator_text([x, float("nan")], ["x", "y"])
    with pytest.raises(TypeError, match=r"the coefficient of d/dx is the string 'y'"):
        generator_text(["y"], ["x"])
    with pytest.raises(ValueError, match="`digits` must be a whole number >= 1, got 0"):
        generator_text([x], ["x"], digits=0)
    with pytest.raises(ValueError, match="`scales` must have one entry per name: got 2 for 1"):
        generator_text([x], ["x"], scales=[1.0, 1.0])
    with pytest.raises(ValueError, match="`scales` must be finite and > 0"):
        generator_text([x], ["x"], scales=[0.0])


def test_mathml_is_well_formed_and_says_the_same():
    for exprs, names, text in KNOWN:
        markup = equations_html([("a", list(zip(list(names), exprs, strict=True)))])
        root = tree.fromstring(markup)
        assert root.tag == "dl" and len(list(root.iter("math"))) >= 1
        assert root.findtext(".//code") == text


def test_rotation_is_typeset():
    markup = equations_html([("rotation", [("x", -y), ("y", x)])])
    first, second = tree.fromstring(markup).iter("math")
    strip = {0x2062: None}
    assert "".join(first.itertext()).translate(strip) == "x∂∂y"
    assert "".join(second.itertext()).translate(strip) == "\N{MINUS SIGN}y∂∂x"
    assert "<mfrac><mo>∂</mo><mrow><mo>∂</mo><mi>y</mi></mrow></mfrac>" in markup


NASTY = ["<script>alert(1)</script>", 'a "quoted" <b>', "it's & more", "]]>", "</math><img src=x onerror=y>", "$x_1$"]


@pytest.mark.parametrize("name", NASTY)
def test_nothing_of_a_name_becomes_markup(name):
    symbol = sympy.Symbol(name)
    function = sympy.Function(name)(symbol)
    fields = [(name, symbol**2 + sympy.exp(symbol) + function + sympy.sqrt(symbol) / (1 + symbol))]
    root = tree.fromstring(equations_html([(name, fields)]))
    allowed = {"dl", "dt", "dd", "div", "code", "math", "mrow", "mi", "mn", "mo", "mtext", "mspace", "msup", "msub"}
    assert {node.tag for node in root.iter()} <= allowed | {"mfrac", "msqrt"}
    assert root.findtext(".//dt") == name
    assert name in [node.text for node in root.iter("mtext")]


def test_indices_and_greek_letters():
    markup = equations_html([("a", [("theta_1", sympy.Symbol("omega")), ("x12", sympy.Integer(2))])])
    assert "<msub><mi>θ</mi><mn>1</mn></msub>" in markup
    assert "<mi>ω</mi>" in markup
    assert "<msub><mi>x</mi><mn>12</mn></msub>" in markup
