"""Equivariant linear maps: numbers of maps that are known, from characters, invariant theory and orbits."""

from itertools import product
from math import comb, factorial, prod

import numpy as np
import pytest

from lieder import action, algebra, enforce


def _count(v, k):
    """Invariants of V^k for a V that is its own dual, as maps between two powers of about half."""
    i = k // 2
    return enforce.maps(v**i, v ** (k - i)).dim


def _nearest(maps, W):
    """`maps.project(W)` without compiling."""
    return np.tensordot(maps.coefficients(W), maps.dense(), axes=1)


def _matchings(k):
    """(2k - 1)!!: pairings of 2k tensor indices, the invariants of O(n) and Sp(n) in high enough dimension."""
    return prod(range(1, 2 * k, 2))


def _stirling(k, j):
    return sum((-1) ** i * comb(j, i) * (j - i) ** k for i in range(j + 1)) // factorial(j)


# Invariants of V^k under so(3): Riordan numbers (OEIS A005043).
@pytest.mark.parametrize("k, count", list(enumerate([1, 0, 1, 1, 3, 6, 15, 36, 91, 232, 603])))
def test_rotations_of_space(k, count):
    assert _count(action.vectors(algebra.so(3)), k) == count


@pytest.mark.parametrize("k", range(7))
def test_rotations_of_the_plane(k):
    """Weights +-1 sum to zero: comb(k, k / 2). With the reflection, half of them from k = 2 on."""
    whole = comb(k, k // 2) if k % 2 == 0 else 0
    turns = algebra.so(2)
    assert _count(action.vectors(turns), k) == whole
    reflected = algebra.extended(turns, [np.diag([1.0, -1.0])])
    assert _count(action.vectors(reflected), k) == (whole + (k == 0)) // 2


@pytest.mark.parametrize("n, k", [(2, 1), (3, 2), (3, 3), (4, 3), (5, 2)])
def test_orthogonal_groups(n, k):
    """Brauer diagrams: all contractions are independent for n >= k, and odd powers have no invariants."""
    v = action.vectors(algebra.extended(algebra.so(n), [np.diag([-1.0] + (n - 1) * [1.0])]))
    assert _count(v, 2 * k) == _matchings(k)
    assert _count(v, 2 * k - 1) == 0


def test_lorentz():
    """Both components O(1, 3): contractions only; the connected group also has the Levi-Civita tensor."""
    connected = algebra.so(1, 3)
    v = action.vectors(connected)
    assert [_count(v, k) for k in (2, 4, 6)] == [1, 3 + 1, 15 + 10]
    whole = algebra.extended(connected, [np.diag([-1.0, 1, 1, 1]), np.diag([1.0, -1, 1, 1])])
    v = action.vectors(whole)
    assert [_count(v, k) for k in (2, 4, 6)] == [1, 3, 15]
    assert enforce.maps(v * v, v).dim == 0


@pytest.mark.parametrize("n, k, count", [(2, 2, 2), (2, 3, 5), (4, 1, 1), (4, 2, 3), (4, 3, 14), (6, 2, 3)])
def test_symplectic(n, k, count):
    """(2k - 1)!! pairings in dimension n >= 2k; below, the Pfaffian relations: Catalan numbers in the plane."""
    assert _count(action.vectors(algebra.sp(n)), 2 * k) == count
    if n >= 2 * k:
        assert count == _matchings(k)


@pytest.mark.parametrize("n, k, count", [(1, 3, 1), (2, 2, 2), (2, 3, 5), (2, 4, 14), (3, 2, 2), (3, 3, 6), (4, 2, 2)])
def test_general_linear(n, k, count):
    """Permutations of k factors with no decreasing subsequence longer than n (Schur-Weyl); all k! for n >= k."""
    v = action.vectors(algebra.gl(n))
    assert enforce.maps(v**k, v**k).dim == count
    assert enforce.maps(v**k, v ** (k - 1)).dim == 0
    assert enforce.maps(v**k, v.dual**k).dim == 0


def test_special_linear():
    """The determinant: V^2 -> V* in three dimensions, V -> V* in two."""
    v = action.vectors(algebra.sl(3))
    assert [enforce.maps(v**k, v.dual).dim for k in (1, 2)] == [0, 1]
    assert enforce.maps(v**3, action.scalars(v.algebra)).dim == 1
    assert enforce.maps(v**3, v**3).dim == 6
    assert enforce.maps(action.vectors(algebra.sl(2)), action.vectors(algebra.sl(2)).dual).dim == 1


def test_unitary():
    """Real vectors are C^n with its conjugate: real dimensions are counted over C."""
    spinors = action.vectors(algebra.su(2))
    assert enforce.maps(spinors, spinors).dim == 4  # the quaternions
    assert [_count(spinors, k) for k in (2, 4)] == [4 * 1, 16 * 2]  # (2 [1/2])^k: 2^k Catalan
    colours = action.vectors(algebra.su(3))
    assert enforce.maps(colours, colours).dim == 2  # the complex numbers
    # (3 + 3bar)^k: for k = 3 epsilon and its conjugate, for k = 4 comb(4, 2) 2!.
    assert [_count(colours, k) for k in (2, 3, 4)] == [2, 2, 12]
    assert [_count(action.vectors(algebra.u(2)), k) for k in (2, 3, 4)] == [2, 0, 12]


@pytest.mark.parametrize("n, most", [(1, 5), (2, 6), (3, 6), (4, 6), (5, 4)])
def test_permutations(n, most):
    """Orbits of k-tuples: partitions of k into at most n parts; Bell numbers for n >= k."""
    v = action.vectors(algebra.symmetric(n))
    for k in range(most + 1):
        assert _count(v, k) == sum(_stirling(k, j) for j in range(n + 1))


def _orbits(generators, k):
    """Orbits of k-tuples by counting fixed ones (Burnside) over the group that permutations generate."""
    group = {tuple(range(len(generators[0])))}
    while True:
        larger = group | {tuple(g[i] for i in h) for g, h in product(generators, group)}
        if larger == group:
            return sum(sum(i == j for i, j in enumerate(h)) ** k for h in group) // len(group)
        group = larger


@pytest.mark.parametrize("n", [3, 4, 5, 6])
def test_cyclic_and_dihedral(n):
    shift, turn = np.roll(np.arange(n), 1).tolist(), np.arange(n)[::-1].tolist()
    for k in range(1, 5 if n < 5 else 4):
        assert _count(action.vectors(algebra.cyclic(n)), k) == _orbits([shift], k) == n ** (k - 1)
        assert _count(action.vectors(algebra.dihedral(n)), k) == _orbits([shift, turn], k)


def test_a_group_of_permutations_given_by_hand():
    """The rotations of a square's corners, and pairs of letters that are swapped together."""
    pairs = algebra.permutations([[1, 0, 3, 2]])
    for k in (1, 2, 3):
        assert _count(action.vectors(pairs), k) == 4**k / 2 == _orbits([[1, 0, 3, 2]], k)


def test_heisenberg():
    """Strictly upper triangular matrices commute with 1 and with the corner E_13."""
    v = action.vectors(algebra.heisenberg(1))
    found = enforce.maps(v, v)
    corner = np.zeros((3, 3))
    corner[0, 2] = 1
    assert found.dim == 2
    for W in (np.eye(3), corner):
        np.testing.assert_allclose(found.project(W), W, atol=1e-14)
    assert enforce.maps(action.scalars(v.algebra), v).dim == 1  # the fixed vector e_1
    assert enforce.maps(v, action.scalars(v.algebra)).dim == 1  # the invariant covector e_3


@pytest.mark.parametrize(
    "g, commuting, fixed",
    [
        (algebra.se(2), 2, 0),
        (algebra.se(3), 1, 0),
        (algebra.aff(2), 1, 0),
        (algebra.galilean(1), 2, 1),  # a multiple of 1 and of the boost; the only direction of space
        (algebra.galilean(), 1, 0),
        (algebra.poincare(), 1, 0),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_affine_points(g, commuting, fixed):
    """Equivariant affine maps: of one point nothing but itself; of two points their difference, and what commutes."""
    points, v = action.points(g), action.vectors(g)
    one, two = enforce.homogeneous(points), enforce.homogeneous(2 * points)
    n = points.width
    assert enforce.maps(v, v).dim == commuting
    assert enforce.maps(one, v).dim == fixed
    assert enforce.maps(one, action.scalars(g)).dim == 1  # the constant
    difference = enforce.maps(two, v)
    assert difference.dim == commuting + fixed
    W = np.concatenate([np.eye(n), -np.eye(n), np.zeros((n, 1))], axis=1)
    np.testing.assert_allclose(_nearest(difference, W), W, atol=1e-12)
    # Mean of two points, as a point: weights sum to one by the row of ones.
    mean = enforce.maps(two, one)
    W = np.concatenate([np.eye(n + 1)[:, :n] / 2, np.eye(n + 1)[:, :n] / 2, np.eye(n + 1)[:, n:]], axis=1)
    np.testing.assert_allclose(_nearest(mean, W), W, atol=1e-12)


def test_translations():
    """Directions do not move: any affine map of a point's coordinates is one of the constant."""
    g = algebra.t(3)
    assert enforce.maps(enforce.homogeneous(action.points(g)), action.vectors(g)).dim == 3
    assert enforce.maps(action.vectors(g), action.vectors(g)).dim == 9


def test_elasticity():
    """Hooke's law: from symmetric strains to symmetric stresses 2 constants, 3 for cubic crystals, 21 for none."""
    symmetric = np.zeros((6, 3, 3))
    for number, (i, j) in enumerate(((0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1))):
        symmetric[number, i, j] = symmetric[number, j, i] = 1.0 if i == j else 0.5**0.5
    rows = symmetric.reshape(6, 9)

    def strains(g):
        square = action.vectors(g) ** 2
        return action.linear(g, *(rows @ m.dense() @ rows.T for m in (square.matrices(), square.discrete())))

    nothing = algebra.permutations(np.zeros((0, 3), int))
    quarter, third = [[0.0, -1, 0], [1, 0, 0], [0, 0, 1]], [[0.0, 0, 1], [1, 0, 0], [0, 1, 0]]
    for g, count, major in (
        (algebra.so(3), 2, 2),
        (algebra.extended(nothing, [quarter, third]), 3, 3),
        (algebra.extended(nothing, [quarter]), 10, 7),
        (nothing, 36, 21),
    ):
        found = enforce.maps(strains(g), strains(g))
        dense = found.dense()
        own = np.linalg.matrix_rank((dense + dense.transpose(0, 2, 1)).reshape(found.dim, -1))
        assert own == major, g  # those with an energy, W = W^T
        assert found.dim == count
