"""Actions that take their width from the data."""

import jax.numpy as jnp
import pytest

from lieder import action, algebra
from lieder.action import sized, sized_target

NAMES = ["a", "b", "c"]
SO, SE = action.vectors(algebra.so(3)), action.points(algebra.se(3))
SPAN = action.polynomial_fields(3, 1)


def test_three_ways_to_say_it():
    assert sized(SE, NAMES) is SE
    for given in ("se on points", lambda n: action.points(algebra.se(n)), "se(3) on points(a,b,c)"):
        made = sized(given, NAMES)
        assert made.width == 3 and made.generators.same_as(SE.generators)


def test_targets():
    for given in (None, "scalars"):
        assert sized_target(given, SO).width == 1 and sized_target(given, SO, 5).width == 5
    assert sized_target("vectors", SO).generators.same_as(SO.generators)
    assert sized_target("vectors", SE, 6).generators.same_as((2 * action.vectors(algebra.se(3))).generators)
    assert sized_target("covectors", SE, 3).generators.same_as(action.covectors(algebra.se(3)).generators)
    assert sized_target("tangent", SE, 3).generators.same_as(action.tangent(SE).generators)
    assert sized_target("tangent", SPAN).width == 3
    assert sized_target(SO, SO, 3) is SO


BAD = {
    "width": (lambda: sized(SO, NAMES[:2]), ValueError, r"source acts on 3 numbers .* the data have 2 feature\(s\)"),
    "own name": (lambda: sized(SO, NAMES[:2], "symmetry"), ValueError, "symmetry acts on 3 numbers"),
    "algebra": (
        lambda: sized(algebra.so(3), NAMES),
        TypeError,
        r"source: expected an action .*; got so\(3\)|LieAlgebra",
    ),
    "a function to anything": (lambda: sized(lambda n: n, NAMES), TypeError, "source: expected an action .* got 3"),
    "not a word": (lambda: sized_target("vektors", SO), ValueError, "target: expected .scalars., .*got 'vektors'"),
    "not an action": (lambda: sized_target(jnp.ones(3), SO), TypeError, "target: expected an action on outputs"),
    "vectors of free fields": (
        lambda: sized_target("vectors", SPAN),
        ValueError,
        "need an algebra of matrices",
    ),
    "vectors that do not fit": (
        lambda: sized_target("vectors", SO, 4),
        ValueError,
        "y has 4 columns, but .* 3",
    ),
    "one column": (lambda: sized_target("tangent", SO, 1), ValueError, "y has 1 column, but target acts on 3 outputs"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_does_not_fit(case):
    call, fault, message = BAD[case]
    with pytest.raises(fault, match=message):
        call()
