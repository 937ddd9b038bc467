"""Irreducible pieces: the matrices act alike on each copy, and pieces of equivalent representations match."""

import numpy as np
import pytest

from lieder import action, algebra
from lieder.linalg import MatrixStack, axis_aligned, stacked
from lieder.representation import irreducible, probe, summands


def _operators(representation):
    return stacked([representation.matrices(), representation.discrete()], axis=0)


def _pieces(representation, draw=0):
    operators = _operators(representation)
    return irreducible(operators, probe(operators.shape[0], None, draw)).pieces


def _kinds(representation):
    """(dimension over the reals, multiplicity, division) of each piece, sorted."""
    bases = [piece.basis.shape for piece in _pieces(representation)]
    return sorted((d * division, copies, division) for _, d, copies, division in bases)


SO3, SO2, SU2, S3 = (action.vectors(g) for g in (algebra.so(3), algebra.so(2), algebra.su(2), algebra.symmetric(3)))
KNOWN = {
    "spin 1": (SO3, [(3, 1, 1)]),
    "spins 0, 1, 2": (SO3 * SO3, [(1, 1, 1), (3, 1, 1), (5, 1, 1)]),
    "spins 0 to 3": (SO3**3, [(1, 1, 1), (3, 3, 1), (5, 2, 1), (7, 1, 1)]),
    "plane": (SO2, [(2, 1, 2)]),
    "plane squared": (SO2 * SO2, [(1, 2, 1), (2, 1, 2)]),
    "spinor": (SU2, [(4, 1, 4)]),
    "three spinors": (3 * SU2, [(4, 3, 4)]),
    "spinors squared": (SU2 * SU2, [(1, 4, 1), (3, 4, 1)]),
    "three letters": (S3, [(1, 1, 1), (2, 1, 1)]),
    "pairs of three letters": (S3 * S3, [(1, 1, 1), (1, 2, 1), (2, 3, 1)]),
    "two self-dual parts": (
        action.vectors(algebra.so(4)) ** 2,
        [(1, 1, 1), (3, 1, 1), (3, 1, 1), (9, 1, 1)],
    ),
    "su(3), complex": (action.vectors(algebra.su(3)), [(6, 1, 2)]),
    "nothing moves": (action.scalars(algebra.so(3), 4), [(1, 4, 1)]),
    "no operators": (action.vectors(algebra.symmetric(1)), [(1, 1, 1)]),
}
every_known = pytest.mark.parametrize("case", list(KNOWN.values()), ids=list(KNOWN))


@every_known
def test_known_pieces(case):
    representation, kinds = case
    assert _kinds(representation) == kinds


@every_known
def test_matrices_act_alike_on_each_copy(case):
    operators = _operators(case[0]).dense()
    pieces = _pieces(case[0])
    whole = np.concatenate([piece.basis.reshape(case[0].width, -1) for piece in pieces], axis=1)
    np.testing.assert_allclose(whole.T @ whole, np.eye(case[0].width), atol=1e-12)
    for piece in pieces:
        _, d, copies, division = piece.basis.shape
        for copy in range(copies):
            basis = piece.basis[:, :, copy].reshape(-1, d * division)
            np.testing.assert_allclose(operators @ basis, basis @ piece.matrices, atol=1e-11)


@every_known
def test_pieces_have_no_smaller_ones(case):
    """What commutes with an irreducible representation is a division algebra: of dimension 1, 2 or 4."""
    for piece in _pieces(case[0]):
        size = piece.matrices.shape[1]
        one = np.eye(size)
        rows = [np.zeros((1, size * size)), *(np.kron(a, one) - np.kron(one, a.T) for a in piece.matrices)]
        singular = np.linalg.svd(np.concatenate(rows), compute_uv=False)
        assert size**2 - np.sum(singular > 1e-9) == piece.basis.shape[3]


@pytest.mark.parametrize("draw", [0, 1, 2])
def test_equivalent_representations_have_equal_pieces(draw):
    turn = np.linalg.qr(np.random.default_rng(draw).normal(size=(9, 9)))[0]
    square = SO3 * SO3
    turned = MatrixStack.from_dense(turn @ square.matrices().dense() @ turn.T)
    other = irreducible(turned, probe(3, None, draw)).pieces
    for ours, theirs in zip(_pieces(square, draw), other, strict=True):
        np.testing.assert_allclose(ours.signature, theirs.signature, atol=1e-11)
        np.testing.assert_allclose(np.abs(ours.matrices), np.abs(theirs.matrices), atol=1e-10)


def test_summands_are_found_where_they_stand():
    v = SO3 + action.scalars(SO3.algebra, 2) + SO3
    order = np.random.default_rng(0).permutation(v.width)
    mixed = MatrixStack.from_dense(v.matrices().dense()[:, order][:, :, order])
    found = summands(mixed)
    assert sorted((s.size, s.copies) for s in summands(v.matrices())) == [(1, 2), (3, 2)]
    np.testing.assert_array_equal(np.sort(np.concatenate([s.places.reshape(-1) for s in found])), np.arange(8))
    for summand in found:
        for places in summand.places:
            np.testing.assert_array_equal(mixed.dense()[:, places][:, :, places], summand.operators.dense())


@pytest.mark.parametrize("w", [1, 3, 6])
def test_aligned_axes_depend_on_the_space_alone(w):
    rng = np.random.default_rng(w)
    space = np.linalg.qr(rng.normal(size=(10, w)))[0]
    turned = space @ np.linalg.qr(rng.normal(size=(w, w)))[0]
    basis = space @ axis_aligned(space)
    np.testing.assert_allclose(basis, turned @ axis_aligned(turned), atol=1e-12)
    np.testing.assert_allclose(basis.T @ basis, np.eye(w), atol=1e-14)


def test_aligned_axes_take_the_first_of_equal_ones():
    """All coordinates are equally near to this plane: rounding must not choose among them."""
    space = np.linalg.qr(np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0], [0.0, 1.0]]))[0]
    basis = space @ axis_aligned(space)
    for seed in range(5):
        turn = np.linalg.qr(np.random.default_rng(seed).normal(size=(2, 2)))[0]
        noisy = space @ turn * (1 + 1e-15 * np.random.default_rng(seed).normal(size=(4, 2)))
        np.testing.assert_allclose(noisy @ axis_aligned(noisy), basis, atol=1e-12)
    np.testing.assert_allclose(basis[:, 0], [2**-0.5, 0, 2**-0.5, 0], atol=1e-15)


def test_aligned_axes_follow_an_imaginary_unit():
    unit = np.kron(np.eye(2), [[0.0, -1.0], [1.0, 0.0]])
    space = np.linalg.qr(np.random.default_rng(0).normal(size=(7, 4)))[0]
    rotation = axis_aligned(space, [unit])
    np.testing.assert_allclose(rotation[:, 1::2], unit @ rotation[:, ::2], atol=1e-14)
    np.testing.assert_allclose(rotation.T @ rotation, np.eye(4), atol=1e-14)
