"""Finite groups: permutations of coordinates, and elements added to an algebra."""

import numpy as np
import pytest

from lieder import algebra


def generated(g, most=2000):
    """All elements of a finite group of linear maps."""
    maps = [component[:, :-1] for component in g.components]
    found = {np.eye(g.degree).tobytes(): np.eye(g.degree)}
    new = list(found.values())
    while new:
        assert len(found) <= most
        word = new.pop()
        for longer in (h @ word + 0.0 for h in maps):
            if longer.tobytes() not in found:
                found[longer.tobytes()] = longer
                new.append(longer)
    return list(found.values())


@pytest.mark.parametrize(
    ("g", "order"),
    [
        (algebra.symmetric(1), 1),
        (algebra.symmetric(2), 2),
        (algebra.symmetric(3), 6),
        (algebra.symmetric(5), 120),
        (algebra.cyclic(1), 1),
        (algebra.cyclic(2), 2),
        (algebra.cyclic(6), 6),
        (algebra.dihedral(1), 1),
        (algebra.dihedral(2), 2),
        (algebra.dihedral(3), 6),
        (algebra.dihedral(6), 12),
        (algebra.permutations([[1, 0, 2, 3], [0, 1, 3, 2]]), 4),
        (algebra.permutations([[1, 2, 0]], 5), 3),
        (algebra.permutations(np.zeros((0, 3))), 1),
    ],
    ids=lambda value: getattr(value, "name", value),
)
def test_orders(g, order):
    assert len(generated(g)) == order
    assert g.dim == 0 and g.names == () and g.generators.shape == (0, g.degree, g.degree + 1)
    assert g.structure.shape == (0, 0, 0) and g.identify() == "trivial"
    assert g.bracket(np.zeros((2, 0)), np.zeros(0)).shape == (2, 0)


def test_what_the_elements_do():
    x = np.array([1.0, 2.0, 3.0, 4.0, 1.0])
    swap, shift = (h @ x for h in algebra.symmetric(4).components)
    np.testing.assert_array_equal(swap, [2, 1, 3, 4])
    np.testing.assert_array_equal(shift, [4, 1, 2, 3])
    np.testing.assert_array_equal(algebra.cyclic(4).components[0] @ x, [4, 1, 2, 3])
    np.testing.assert_array_equal(algebra.dihedral(4).components[1] @ x, [4, 3, 2, 1])
    np.testing.assert_array_equal(algebra.permutations([[2, 0, 1]], 4).components[0] @ x, [3, 1, 2, 4])


def test_in_words():
    assert repr(algebra.symmetric(5)) == (
        "LieAlgebra S_5: dim 0, acting on R^5, generators none, and 2 discrete elements"
    )
    assert repr(algebra.e(2)).endswith("generators J12, P1, P2, and 1 discrete element")
    assert algebra.permutations([[1, 0]]).name == "permutations of 2"
    assert algebra.permutations([[1, 0]], name="swap").name == "swap"


def test_rows_that_say_nothing_new_are_left_out():
    g = algebra.permutations([[0, 1, 2], [1, 0, 2], [1, 0, 2]])
    assert len(g.components) == 1


def test_extended():
    shift = np.array([[1.0, 0.0, 1.0], [0.0, 1.0, 0.0]])
    g = algebra.extended(algebra.e(2), [shift], name="e(2) and a shift")
    assert g.name == "e(2) and a shift" and g.names == algebra.e(2).names and len(g.components) == 2
    np.testing.assert_array_equal(g.components[0], algebra.e(2).components[0])
    np.testing.assert_array_equal(g.components[1], shift)
    assert algebra.extended(algebra.so(2), [np.diag([1.0, -1.0])]).name == "so(2) with 1 element"
    assert algebra.extended(algebra.so(2), np.stack([np.eye(2)] * 2)).name == "so(2) with 2 elements"
    crystal = algebra.extended(algebra.permutations(np.zeros((0, 2), int)), [shift])
    assert crystal.dim == 0 and len(crystal.components) == 1


def test_extended_abstract():
    abstract = algebra.LieAlgebra("abstract", ("a",), constants=np.zeros((1, 1, 1)))
    with pytest.raises(ValueError, match="abstract is given by its structure constants only and has no degree"):
        algebra.extended(abstract, [np.eye(2)])


def test_elements_that_do_not_belong():
    with pytest.raises(ValueError, match=r"elements\[1\] does not map so\(2\) to itself: .* lies outside it by"):
        algebra.extended(algebra.so(2), [np.diag([1.0, -1.0]), np.diag([1.0, 2.0])])
    with pytest.raises(ValueError, match=r"discrete element 0 has no inverse"):
        algebra.extended(algebra.so(2), [np.ones((2, 2))])
    with pytest.raises(ValueError, match=r"discrete element 0 holds NaN or infinite values"):
        algebra.extended(algebra.so(2), [np.full((2, 2), np.nan)])
    with pytest.raises(ValueError, match=r"elements has shape \(2, 2\); so\(2\) needs \(c, 2, 2\) or \(c, 2, 3\)"):
        algebra.extended(algebra.so(2), np.eye(2))
    with pytest.raises(ValueError, match=r"element has shape \(3, 3\); so\(2\) needs \(2, 2\) or \(2, 3\)"):
        algebra.so(2).conjugate(np.eye(3))


def test_rows_that_are_no_permutations():
    with pytest.raises(ValueError, match=r"array\[1\] = \[0, 0\] is no permutation: it must hold each of 0\.\.1 once"):
        algebra.permutations([[1, 0], [0, 0]])
    with pytest.raises(ValueError, match=r"array has shape \(2,\); pass one permutation of 0\.\.k-1 a row"):
        algebra.permutations([1, 0])
    with pytest.raises(TypeError, match="array holds float64 numbers; a permutation is a row of whole numbers"):
        algebra.permutations([[1.0, 0.0]])
    with pytest.raises(ValueError, match="n = 1, but the permutations move 2 coordinates"):
        algebra.permutations([[1, 0]], 1)
    for build in (algebra.symmetric, algebra.cyclic, algebra.dihedral):
        with pytest.raises(ValueError, match="needs a size of at least 1, got 0"):
            build(0)
