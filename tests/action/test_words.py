"""What users write and read of representations: products with numbers, other libraries' matrices, long sums."""

import numpy as np
import pytest

from lieder import action, algebra, enforce

SO3 = algebra.so(3)
V, S = action.vectors(SO3), action.scalars(SO3)


def spin_two() -> np.ndarray:
    """Traceless symmetric matrices, in an orthonormal basis turned at random."""
    basis = np.linalg.svd((V * V).matrices().dense().transpose(0, 2, 1).reshape(-1, 9))[2]
    assert basis.shape == (9, 9)
    rows = []
    for i, j in ((0, 1), (0, 2), (1, 2)):
        m = np.zeros((3, 3))
        m[i, j] = m[j, i] = 1.0
        rows.append(m.ravel() / np.sqrt(2))
    rows += [np.diag([1.0, -1.0, 0.0]).ravel() / np.sqrt(2), np.diag([1.0, 1.0, -2.0]).ravel() / np.sqrt(6)]
    piece = np.array(rows)
    turn = np.linalg.qr(np.random.default_rng(0).normal(size=(5, 5)))[0]
    return turn @ (piece @ (V * V).matrices().dense() @ piece.T) @ turn.T


def test_multiples_from_either_side():
    assert str(V * 2) == str(2 * V)
    assert (V * 2).matrices().same_as((2 * V).matrices())
    with pytest.raises(TypeError):
        V * 2.5


def test_equal_pieces_are_counted():
    assert str(20 * V + S + 2 * S) == "so(3) on 20 vectors(3) + 3 scalars(1)"
    assert str(action.grid(algebra.se(2), (9, 9), 3 * action.scalars(algebra.se(2)))).endswith("of 3 scalars(1)")


def test_complex_matrices_are_refused():
    with pytest.raises(TypeError, match=r"matrices is complex; write X \+ iY as"):
        action.linear(SO3, V.matrices().dense() + 1j)
    with pytest.raises(TypeError, match=r"elements is complex"):
        action.linear(algebra.o(3), V.matrices().dense(), -1j * np.eye(3)[None])


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_generators_in_single_precision_are_made_exact(dtype):
    given = spin_two().astype(dtype)
    spin = action.linear(SO3, given)
    made = spin.matrices().dense()
    np.testing.assert_allclose(made, given, atol=20 * np.finfo(dtype).eps)
    wanted = np.tensordot(SO3.structure[0, 1], made, 1)
    np.testing.assert_allclose(made[0] @ made[1] - made[1] @ made[0], wanted, atol=1e-13)
    assert enforce.maps(V * V, spin).dim == 1
    with pytest.raises(ValueError, match="do not represent"):
        action.linear(SO3, given.astype(np.float64))


def test_a_tensor_of_rank_nine_is_refused_with_its_cost():
    with pytest.raises(ValueError, match=r"source, so\(3\) on tensors\(19683\), has a summand of .* GiB each and"):
        enforce.maps(V**9, V)
