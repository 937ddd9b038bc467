"""All elements of finite groups: orders, products, classes, names, and what is refused."""

import numpy as np
import pytest

from lieder import algebra

POINT_GROUPS = {
    **{"C1": (1, "trivial"), "Ci": (2, "Z2"), "Cs": (2, "Z2"), "C5": (5, "C5"), "C3v": (6, "S3")},
    **{"C4h": (8, "Z2 x Z4"), "S4": (4, "C4"), "D2": (4, "Z2 x Z2"), "D3": (6, "S3"), "D6": (12, "D6")},
    **{"D3h": (12, "D6"), "D2d": (8, "D4"), "D3d": (12, "D6"), "T": (12, "A4"), "Td": (24, "S4")},
    **{"Th": (24, "Z2 x A4"), "O": (24, "S4"), "Oh": (48, "Z2 x S4"), "I": (60, "A5"), "Ih": (120, "Z2 x A5")},
}
QUATERNIONS = [
    [[0, -1, 0, 0], [1, 0, 0, 0], [0, 0, 0, -1], [0, 0, 1, 0]],
    [[0, 0, -1, 0], [0, 0, 0, 1], [1, 0, 0, 0], [0, -1, 0, 0]],
]
NAMED = [
    (algebra.generated(algebra.symmetric(3)), 6, "S3", 3),
    (algebra.generated(algebra.symmetric(5)), 120, "S5", 7),
    (algebra.generated(algebra.cyclic(7)), 7, "C7", 7),
    (algebra.generated(algebra.dihedral(4)), 8, "D4", 5),
    (algebra.generated(algebra.signs(3)), 8, "Z2 x Z2 x Z2", 8),
    (algebra.generated(algebra.inversion(3)), 2, "Z2", 2),
    (algebra.generated(algebra.polygon(7)), 14, "D7", 5),
    (algebra.generated(algebra.polygon(12, mirrors=False)), 12, "C12", 12),
    (algebra.generated(algebra.product(algebra.symmetric(3), algebra.cyclic(4))), 24, "C4 x S3", 12),
    (algebra.generated(QUATERNIONS), 8, "Q8", 5),
    (algebra.generated(algebra.lattice([[0.5, 0], [0, 0.25]]), period=np.eye(2)), 8, "Z2 x Z4", 8),
]


@pytest.mark.parametrize("symbol", POINT_GROUPS)
def test_point_groups(symbol):
    order, name = POINT_GROUPS[symbol]
    group = algebra.generated(algebra.point_group(symbol))
    assert (group.order, group.identify()) == (order, name)
    np.testing.assert_allclose(np.abs(np.linalg.det(group.maps[:, :, :3])), 1.0)


@pytest.mark.parametrize(("group", "order", "name", "classes"), NAMED, ids=lambda v: v if isinstance(v, str) else "")
def test_names_and_classes(group, order, name, classes):
    assert (group.order, group.identify(), group.classes.max() + 1) == (order, name, classes)
    assert repr(group) == f"FiniteGroup {name}: {order} elements on R^{group.maps.shape[1]}"


@pytest.mark.parametrize("group", [NAMED[0][0], NAMED[6][0], NAMED[9][0]], ids=["S3", "D7", "Q8"])
def test_laws_of_groups(group):
    """The table multiplies as the maps do; every element has an inverse, a word, and its class mates."""
    table = group.table()
    one = np.eye(group.maps.shape[1], group.maps.shape[1] + 1)
    np.testing.assert_array_equal(group.maps[0], one)
    for a in range(group.order):
        for b in range(group.order):
            product = group.maps[a][:, :-1] @ group.maps[b]
            np.testing.assert_allclose(product, group.maps[table[a, b]], atol=1e-9)
            mate = table[table[b, a], group.inverse(b)]
            assert group.classes[mate] == group.classes[a]
        assert table[a, group.inverse(a)] == 0
        word = one
        for j in group.word(a):
            word = word[:, :-1] @ group.generators[j]
        np.testing.assert_allclose(word, group.maps[a], atol=1e-9)
        assert table[a, 0] == a and len(group.subgroup([a])) == group.period(a)


def test_subgroups():
    group = algebra.generated(algebra.symmetric(4))
    threes = [k for k in range(24) if group.period(k) == 3]
    even = group.subgroup(threes)
    assert len(even) == 12 and group.identify(even) == "A4"
    assert len(group.subgroup(group.generating(even))) == 12
    assert group.identify(group.subgroup([])) == "trivial"


def test_many_elements_in_a_second():
    group = algebra.generated(algebra.symmetric(7))
    assert (group.order, group.identify()) == (5040, "S7")
    assert group.identify(group.subgroup([1])) == "Z2"
    alternating = group.subgroup([k for k in range(200) if np.linalg.det(group.maps[k][:, :7]) > 0])
    assert group.identify(alternating) == "a group of order 2520"


TURN = np.array([[0.0, -1.0], [1.0, 0.0]])
REFUSED = {
    "a shear": (lambda: algebra.generated([[[1.0, 1.0], [0.0, 1.0]]]), r"element 0 of 1 maps has infinite order"),
    "a scaling": (lambda: algebra.generated([[[2.0]]]), r"has infinite order, so the group is not finite"),
    "an odd angle": (lambda: algebra.generated([[[0.6, -0.8], [0.8, 0.6]]]), r"has infinite order"),
    "mirrors at an odd angle": (
        lambda: algebra.generated([np.diag([1.0, -1.0]), [[0.6, 0.8], [0.8, -0.6]]]),
        r"the product of elements 1 and 0 of 2 maps has infinite order",
    ),
    "a lattice without period": (lambda: algebra.generated(algebra.lattice([[1.0, 0.0]])), r"give period="),
    "too many": (lambda: algebra.generated(algebra.signs(12), most=1000), r"signs\(12\): it has more than 1,000 elem"),
    "a high order": (
        lambda: algebra.generated(algebra.polygon(1001, mirrors=False), most=1000),
        r"has order 1,001; groups of more than 1,000 elements are refused",
    ),
    "no inverse": (lambda: algebra.generated([[[1.0, 0.0], [0.0, 0.0]]]), r"has no inverse"),
    "not square": (lambda: algebra.generated(np.ones((2, 3))), r"maps of shape \(c, n, n\).*got \(2, 3\)"),
    "NaN": (lambda: algebra.generated([[[np.nan]]]), r"candidates hold NaN"),
    "not closed": (
        lambda: algebra.check_closed([np.eye(2), TURN], "source"),
        r"source are no group: the product of elements 1 and 1 is not among them. The 2 given generate C4, of 4 elem",
    ),
    "no identity": (lambda: algebra.check_closed([-np.eye(2)], "source"), r"the identity is not among them.*\(Z2\)"),
    "period of another width": (
        lambda: algebra.generated(algebra.signs(2), period=[1.0]),
        r"period must hold independent shifts of R\^2",
    ),
    "no symbol": (lambda: algebra.point_group("D4x"), r"'D4x' is no Schoenflies symbol"),
    "S3 of Schoenflies": (lambda: algebra.point_group("S3"), r"'S3' is no Schoenflies symbol"),
    "a flat cell": (lambda: algebra.lattice([[1.0, 0.0], [2.0, 0.0]]), r"cell must hold independent lattice vectors"),
    "no sides": (lambda: algebra.polygon(0), r"polygon\(n\) needs a size of at least 1"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_finite_group_is_refused(case):
    call, message = REFUSED[case]
    with pytest.raises(ValueError, match=message):
        call()


def test_refused_types():
    with pytest.raises(TypeError, match="candidates must be an algebra with discrete elements, or maps"):
        algebra.generated("C4")


def test_a_million_elements_are_refused():
    """Told from the orders of the maps alone, without making them."""
    with pytest.raises(ValueError, match="has order 1,000,003; groups of more than 1,000,000 elements are refused"):
        algebra.generated(algebra.polygon(1_000_003, mirrors=False))


@pytest.mark.parametrize(
    ("map_", "words"),
    [
        (np.eye(3, 4), "identity"),
        (-np.eye(3, 4), "inversion"),
        (-np.eye(2, 3), "rotation by 180 deg"),
        (np.eye(4, 5)[[1, 2, 0, 3]], "(1 3 2)"),
        (np.diag([1.0, -1.0, 1.0]) @ np.eye(3, 4), "sign of x2"),
        (algebra.polygon(7).components[0], "rotation by 51.43 deg"),
        (algebra.polygon(1, angle=np.pi / 6).components[0], "mirror along 30 deg"),
        (algebra.point_group("C3").components[0], "rotation by 120 deg about (0, 0, 1)"),
        (algebra.point_group("S6").components[0], "rotation by 120 deg about (0, 0, 1), inverted"),
        (algebra.lattice([[0.5, 0.0]]).components[0], "shift (0.5, 0)"),
        (np.array([[2.0, 0.0]]), "linear map"),
    ],
)
def test_elements_in_words(map_, words):
    assert algebra.element_in_words(map_) == words
