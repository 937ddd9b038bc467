"""All subgroups of finite groups: numbers that are known, and what makes each a subgroup."""

import numpy as np
import pytest

import lieder as ld

algebra = ld.algebra

# Subgroups, and conjugacy classes of these.
KNOWN = {
    "C6": (algebra.cyclic(6), 4, 4),
    "D4": (algebra.polygon(4), 10, 8),
    "D8": (algebra.polygon(8), 19, 11),
    "A4": (algebra.point_group("T"), 10, 5),
    "S4": (algebra.symmetric(4), 30, 11),
    "Oh": (algebra.point_group("Oh"), 98, 33),
    "Z2^3": (algebra.signs(3), 16, 16),
}


@pytest.mark.parametrize("name", KNOWN)
def test_known_numbers(name):
    given, count, kinds = KNOWN[name]
    group = algebra.generated(given)
    found = algebra.subgroups(group)
    assert found is not None and found.members.shape == (count, group.order)
    assert len(set(found.kind.tolist())) == kinds
    sizes = found.members.sum(axis=1)
    assert (np.diff(sizes) >= 0).all() and sizes[0] == 1 and sizes[-1] == group.order
    assert not (group.order % sizes).any()  # Lagrange
    for row in found.members[:: max(1, count // 8)]:
        elements = np.flatnonzero(row)
        np.testing.assert_array_equal(group.subgroup(elements.tolist()), elements)


def test_conjugate_ones_share_a_class():
    """In D4 the four mirrors fall into two classes, and the turn by half stands by itself."""
    group = algebra.generated(algebra.polygon(4))
    found = algebra.subgroups(group)
    assert found is not None
    pairs = found.kind[found.members.sum(axis=1) == 2]
    assert sorted(np.unique(pairs, return_counts=True)[1].tolist()) == [1, 2, 2]


def test_large_groups_have_too_many():
    assert algebra.subgroups(algebra.generated(algebra.symmetric(6))) is None
