"""Algebras read from text."""

import pytest
from laws import ALGEBRAS

from lieder import algebra


@pytest.mark.parametrize("text", [text for text, _ in ALGEBRAS if "product" not in text and ".." not in text])
def test_the_table_can_be_read(text):
    assert algebra.by_name(text) == dict(ALGEBRAS)[text]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (" SO( 1 , 3 ) ", algebra.so(1, 3)),
        ("sl(2, R)", algebra.sl(2)),
        ("Poincare", algebra.poincare(3)),
        ("R^2", algebra.t(2)),
        ("S_5", algebra.symmetric(5)),
        ("c_4", algebra.cyclic(4)),
        (" D_6 ", algebra.dihedral(6)),
        ("Symmetric( 3 )", algebra.symmetric(3)),
        ("S_3 + so(3)", algebra.product(algebra.symmetric(3), algebra.so(3))),
        ("so(3) + R^2", algebra.product(algebra.so(3), algebra.t(2))),
    ],
)
def test_ways_to_write(text, expected):
    assert algebra.by_name(text) == expected


@pytest.mark.parametrize(
    ("text", "degree", "expected"),
    [
        ("gl", 3, algebra.gl(3)),
        ("so()", 4, algebra.so(4)),
        ("su", 4, algebra.su(2)),
        ("conformal", 2, algebra.conformal(2)),
        ("dihedral", 5, algebra.dihedral(5)),
        ("gl(2)", 5, algebra.gl(2)),
        ("poincare", 2, algebra.poincare(3)),
    ],
)
def test_a_size_that_is_left_open(text, degree, expected):
    assert algebra.by_name(text, degree) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sO3(3)", r"unknown algebra 'sO3\(3\)': did you mean .*so"),
        ("poincaree(3)", "did you mean poincare"),
        ("xyzzy", r"unknown algebra 'xyzzy': Known names: aff, conformal, cyclic, .*u"),
        ("", "unknown algebra ''"),
        ("gl", r"'gl' has 0 sizes; write gl\(n\)"),
        ("se(1,2)", r"'se\(1,2\)' has 2 sizes; write se\(n\)"),
        ("so(1,2,3)", r"has 3 sizes; write so\(p, q\)"),
        ("gl(two)", r"cannot read the sizes in 'gl\(two\)': write whole numbers, gl\(n\)"),
        ("Q_8", r"unknown group 'Q_8': finite groups are S_n, C_n, D_n"),
        ("S_0", r"symmetric\(n\) needs a size of at least 1, got 0"),
        ("symetric(3)", "did you mean symmetric"),
        ("gl(3", r"cannot read the sizes in 'gl\(3'"),
        ("gl(0)", "at least 1, got 0"),
        ("gl(-2)", "at least 1, got -2"),
    ],
)
def test_messages(text, message):
    with pytest.raises(ValueError, match=message):
        algebra.by_name(text)


def test_not_text():
    with pytest.raises(TypeError, match="text such as 'gl\\(3\\)', got int"):
        algebra.by_name(3)
