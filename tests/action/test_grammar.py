"""Candidates written as text over column names."""

import jax.numpy as jnp
import numpy as np
import pytest

from lieder import action, algebra
from lieder.action import parse

IN, OUT = ["x", "y", "z"], ["ax", "ay", "az"]


def fields(a, seed=0):
    z = jnp.asarray(np.random.default_rng(seed).normal(size=a.width))
    return np.asarray(a.fields(z)), z


def test_independent_algebras():
    source, target = parse("gl(3) on vectors(x,y,z); gl(3) on vectors(ax,ay,az)", IN, OUT)
    a, b = action.independent(action.vectors(algebra.gl(3)), action.vectors(algebra.gl(3)))
    assert source.algebra == target.algebra == a.algebra and source.algebra.dim == 18
    assert source.generators.same_as(a.generators) and target.generators.same_as(b.generators)
    assert source.blocks == (("vectors", 3),)


def test_one_algebra_on_several_blocks():
    text = "se(2) on points(q1, q2), vectors(p1, p2), covectors(k1, k2), scalars(m)"
    source, target = parse(text, ["q1", "q2", "p1", "p2"], ["k1", "k2", "m"])
    g = algebra.se(2)
    assert source.generators.same_as((action.points(g) + action.vectors(g)).generators)
    assert target.generators.same_as((action.covectors(g) + action.scalars(g)).generators)
    assert source.algebra == target.algebra == g


def test_no_outputs():
    source, target = parse("so(3) on vectors(x,y,z)", IN)
    assert target is None and source.generators.same_as(action.vectors(algebra.so(3)).generators)


def test_columns_in_no_block_are_scalars():
    source, target = parse("so(2) on vectors(x,z)", ["t", "x", "m", "z"], ["f"])
    assert source.width == 4 and target.is_trivial and target.width == 1
    got, z = fields(source)
    np.testing.assert_allclose(got, [[0.0, -z[3], 0.0, z[1]]])


@pytest.mark.parametrize("order", ["x,y,z", "z,x,y", "y,x,z"])
def test_columns_may_come_in_any_order(order):
    named = order.split(",")
    source, _ = parse(f"aff(3) on points({order})", IN)
    got, z = fields(source)
    place = [IN.index(c) for c in named]
    wanted = np.asarray(action.points(algebra.aff(3)).fields(z[jnp.array(place)]))
    np.testing.assert_allclose(got[:, place], wanted, atol=1e-13)


def test_blocks_that_stay_together_keep_their_name():
    source, _ = parse("so(2) on vectors(p1,p2), points(q1,q2)", ["q1", "q2", "m", "p1", "p2"])
    assert source.blocks == (("points", 2), ("scalars", 1), ("vectors", 2))
    source, _ = parse("so(2) on vectors(a,c)", ["a", "b", "c"])
    assert sum(width for _, width in source.blocks) == 3


@pytest.mark.parametrize(
    "text",
    [
        "so(3) on vectors(x,y,z),vectors(ax,ay,az)",
        " so(3)  on  vectors ( x , y , z ) , vectors ( ax , ay , az ) ; ",
        "so(3) on vectors(x,y,z),\n  vectors(ax,ay,az)\n",
        "SO(3) on vectors(x,y,z), vectors(ax,ay,az)",
    ],
)
def test_spaces_and_lines_do_not_matter(text):
    source, target = parse(text, IN, OUT)
    assert source.algebra == target.algebra == algebra.so(3)
    assert not source.is_trivial and not target.is_trivial


def test_sums_and_special_algebras():
    source, _ = parse("so(2) + scalings(1) on vectors(x,y,z)", IN)
    assert source.algebra.dim == 2
    curved, _ = parse("conformal(2) on points(x,y)", ["x", "y", "m"])
    got, z = fields(curved)
    np.testing.assert_allclose(got[:, :2], action.points(algebra.conformal(2)).fields(z[:2]), atol=1e-13)
    assert not got[:, 2].any()


def test_polynomial_fields():
    for text in ("polynomial(2) on points(x,y)", "polynomials(2) on points(x,y)"):
        source, _ = parse(text, ["x", "y"])
        assert source.algebra.dim == 12 and source.generators.same_as(action.polynomial_fields(2, 2).generators)
    source, target = parse("polynomial(1) on points(x,y); so(2) on vectors(u,v)", ["x", "y"], ["u", "v"])
    assert source.algebra.dim == target.algebra.dim == 7 and isinstance(source.algebra, algebra.Span)
    got, _ = fields(target)
    assert not got[:6].any() and got[6].any()


SIZED = {
    "se on points": "se(3) on points(x,y,z)",
    " SE  on points ": "se(3) on points(x,y,z)",
    "gl(3) on vectors": "gl(3) on vectors(x,y,z)",
    "so on vectors(x,z)": "so(2) on vectors(x,z)",
    "so on vectors(x,y,z), vectors(ax,ay,az)": "so(3) on vectors(x,y,z), vectors(ax,ay,az)",
    "gl on vectors; so on vectors(ax,ay)": "gl(3) on vectors(x,y,z); so(2) on vectors(ax,ay)",
    "symmetric on vectors": "S_3 on vectors(x,y,z)",
    "conformal on points": "conformal(3) on points(x,y,z)",
    "su on vectors(x,y,ax,ay)": None,
    "polynomial(2) on points": "polynomial(2) on points(x,y,z)",
    "so(3) on scalars": "so(3) on scalars(x,y,z)",
}


@pytest.mark.parametrize("text", SIZED)
def test_a_missing_size_is_that_of_the_columns(text):
    if SIZED[text] is None:
        source, _ = parse(text, ["x", "y", "ax", "ay"])
        assert source.algebra == algebra.su(2)
        return
    for got, wanted in zip(parse(text, IN, OUT), parse(SIZED[text], IN, OUT), strict=True):
        assert got.generators.same_as(wanted.generators) and got.elements.same_as(wanted.elements)


ERRORS = {
    "size of scalars": ("so on scalars(x), vectors(y,z)", r"give so its size, or begin with a block that it moves"),
    "odd number of columns": ("su on vectors", r"su\(n\) acts on pairs of real and imaginary parts, .* got 3"),
    "two sizes missing": ("so + gl on vectors", r"'so' has 0 sizes; write so\(p, q\)"),
    "no width fits": ("sp(4) on vectors", r"vectors\(x,y,z\) has 3 columns, but sp\(4\)"),
    "all columns twice": ("so on vectors; gl on vectors", r"vectors\(x,y,z\) uses a column twice"),
    "kind alone": ("so on vector", r"no kind 'vector'; did you mean 'vectors'"),
    "nothing": ("", r"candidates: nothing given\. Write \"algebra on kind\(columns\)"),
    "only separators": (" ; ", r"candidates: nothing given"),
    "no on": ("so(3) vectors(x,y,z)", r"candidates: cannot read 'so\(3\) vectors\(x,y,z\)'"),
    "no blocks": ("so(3) on x,y,z", r"candidates: cannot read the blocks 'x,y,z'"),
    "no comma between blocks": (
        "so(3) on vectors(x,y,z) vectors(ax,ay,az)",
        r"cannot read the blocks 'vectors\(x,y,z\) vectors\(ax,ay,az\)'",
    ),
    "open bracket": ("so(3) on vectors(x,y,z", r"candidates: cannot read the blocks"),
    "rubbish after a block": ("so(3) on vectors(x,y,z) and more", r"candidates: cannot read the blocks"),
    "unknown algebra": ("sp(3 on vectors(x,y,z)", r"sp"),
    "near algebra": ("sso(3) on vectors(x,y,z)", r"unknown algebra 'sso\(3\)': did you mean .*so"),
    "unknown kind": (
        "so(3) on vector(x,y,z)",
        r"candidates: no kind 'vector'; did you mean 'vectors'\? Kinds: points, vectors",
    ),
    "unknown column": ("so(3) on vectors(x,y,w)", r"candidates: no column 'w'\. Columns in use: x, y, z, ax, ay, az"),
    "near column": ("so(3) on vectors(ax,ay,azz)", r"candidates: no column 'azz'; did you mean 'az'\?"),
    "empty block": ("so(3) on vectors()", r"candidates: vectors\(\) holds an empty column name"),
    "wrong width": ("so(3) on vectors(x,y)", r"vectors\(x,y\) has 2 columns, but so\(3\) acts on vectors of width 3"),
    "one column": ("so(3) on vectors(x)", r"vectors\(x\) has 1 column, but so\(3\)"),
    "used twice": ("so(3) on vectors(x,y,z), vectors(x,ay,az)", r"vectors\(x,ay,az\) uses a column twice"),
    "used twice by two algebras": (
        "so(3) on vectors(x,y,z); so(2) on vectors(x,y)",
        r"vectors\(x,y\) uses a column twice",
    ),
    "used twice in a block": ("so(3) on vectors(x,x,y)", r"vectors\(x,x,y\) uses a column twice"),
    "both sides": ("so(3) on vectors(x,y,az)", r"vectors\(x,y,az\) mixes inputs and outputs; give each its own block"),
    "polynomial vectors": (
        "polynomial(2) on vectors(x,y)",
        r"polynomial fields act on points\(\.\.\.\), got vectors\(x,y\)",
    ),
    "two polynomial blocks": (
        "polynomial(1) on points(x), points(y)",
        r"polynomial fields act on one block .* separate several",
    ),
    "polynomials out of order": (
        "polynomial(2) on points(y,x,z)",
        r"with polynomial fields give the columns of --inputs in the order",
    ),
}


@pytest.mark.parametrize(("text", "message"), list(ERRORS.values()), ids=list(ERRORS))
def test_texts_that_mean_nothing(text, message):
    with pytest.raises(ValueError, match=message):
        parse(text, IN, OUT)
