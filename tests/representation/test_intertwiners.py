"""Intertwiners of bare matrices: dimensions that are known, generators known nearly, and rounding."""

import numpy as np
import pytest
import scipy.linalg
import threadpoolctl

from lieder import action, algebra
from lieder.linalg import MatrixStack
from lieder.representation import intertwiners

SCHUR, NULL = "SchurMaps", "NullMaps"


def _found(source, target, tolerance=1e-9, generators=None):
    """Intertwiners of two dense stacks, without a form."""
    k = len(source)
    q = k if generators is None else generators
    return intertwiners(
        MatrixStack.from_dense(source),
        MatrixStack.from_dense(target),
        generators=q,
        form=np.zeros((q, q)),
        sizes=np.ones(k),
        tolerance=tolerance,
    )


def _powers(matrices, count):
    total = matrices
    for _ in range(count - 1):
        n, m = total.shape[1], matrices.shape[1]
        total = np.stack([np.kron(a, np.eye(m)) + np.kron(np.eye(n), b) for a, b in zip(total, matrices, strict=True)])
    return total


def _matrices(g):
    return action.vectors(g).matrices().dense()


def _flat(found):
    dense = found.dense()
    return dense.reshape(len(dense), dense.shape[1] * dense.shape[2])


def _cosine(one, other):
    """The least cosine of the principal angles between two spaces of matrices."""
    a, b = (_flat(found) for found in (one, other))
    return np.linalg.svd(a @ b.T, compute_uv=False).min(initial=1.0)


ALGEBRAS = {
    "so(3)": algebra.so(3),
    "so(4)": algebra.so(4),
    "so(1,2)": algebra.so(1, 2),
    "so(2)": algebra.so(2),
    "sl(2)": algebra.sl(2),
    "sl(3)": algebra.sl(3),
    "sp(4)": algebra.sp(4),
    "heisenberg(1)": algebra.heisenberg(1),
}
every_algebra = pytest.mark.parametrize("g", list(ALGEBRAS.values()), ids=list(ALGEBRAS))


@pytest.mark.parametrize("which", ["one", "all"])
@every_algebra
def test_generators_known_nearly(g, which):
    """One or all generators wrong by 1e-3: as many maps as the exact ones have, and nearly the same."""
    rng = np.random.default_rng(3)
    exact = _matrices(g)
    n = g.degree
    noise = 1e-3 * rng.normal(size=exact.shape) * np.linalg.norm(exact, axis=(1, 2), keepdims=True) / n
    if which == "one":
        noise[1:] = 0
    near = exact + noise
    for i, j in ((1, 1), (2, 1), (2, 2)):
        if n ** (i + j) > 300:
            continue
        found = _found(_powers(near, i), _powers(near, j), 2e-2)
        known = _found(_powers(exact, i), _powers(exact, j))
        assert found.dim == known.dim
        assert _cosine(found, known) >= 0.9999


def test_skew_generators_known_nearly():
    """Any skew matrices are closed under transposition; so(3) on (vector, scalar) wrong by 1e-3 generates so(4)."""
    exact = np.pad(_matrices(algebra.so(3)), ((0, 0), (0, 1), (0, 1)))
    noise = 1e-3 * np.random.default_rng(0).normal(size=exact.shape)
    near = exact + noise - noise.transpose(0, 2, 1)
    found, known = _found(near, near, 2e-2), _found(exact, exact)
    assert (found.dim, known.dim) == (2, 2)
    assert _cosine(found, known) >= 0.9999
    assert type(known).__name__ == SCHUR and type(found).__name__ == NULL


@every_algebra
def test_skewed_bases(g):
    """Exact matrices conjugated by one that is not orthogonal: as many maps, carried along by the same matrix."""
    exact = _matrices(g)
    n = g.degree
    P = np.eye(n) + 0.3 * np.random.default_rng(1).normal(size=(n, n))
    skewed = P @ exact @ np.linalg.inv(P)
    for i, j in ((1, 1), (2, 1), (2, 2)):
        if n ** (i + j) > 300:
            continue
        source, target = _powers(skewed, i), _powers(skewed, j)
        found = _found(source, target)
        known = _found(_powers(exact, i), _powers(exact, j))
        assert found.dim == known.dim
        for W in found.dense():
            assert np.abs(target @ W - W @ source).max() <= 1e-12
        by, to = _kron_power(np.linalg.inv(P), i), _kron_power(P, j)
        if found.dim:
            carried = scipy.linalg.orth((to @ known.dense() @ by).reshape(known.dim, -1).T)
            np.testing.assert_allclose(_flat(found) @ carried @ carried.T, _flat(found), atol=1e-10)


def _kron_power(matrix, count):
    total = matrix
    for _ in range(count - 1):
        total = np.kron(total, matrix)
    return total


def test_a_finite_element_that_is_not_orthogonal():
    """The swap of two coordinates in skewed units, H = [[0, 2], [1/2, 0]]."""
    H = np.array([[[0.0, 2.0], [0.5, 0.0]]])
    found = _found(H, H, generators=0)
    assert found.dim == 2 and type(found).__name__ == NULL
    own = _flat(found)
    for W in (np.eye(2), H[0]):
        np.testing.assert_allclose(own.T @ (own @ W.reshape(-1)), W.reshape(-1), atol=1e-12)


def test_a_tolerance_that_splits_a_cluster():
    rng = np.random.default_rng(0)
    near = _matrices(algebra.so(3)) + 1e-3 * rng.normal(size=(3, 3, 3))
    square = _powers(near, 2)
    with pytest.raises(ValueError, match=r"(?s)does not part the singular values.*below it .*above it 0\.00"):
        _found(square, square, 2e-3)
    assert _found(square, square, 2e-2).dim == 3
    assert _found(square, square, 1e-6).dim == 2  # the noise is above: the identity and the swap are exact


def test_exact_maps_among_many_connected_unknowns():
    """Eigenvalues of squares alone would tell 1e-8 from zero, and exact generators ask for 1e-9."""
    n = 36
    turn = np.linalg.qr(np.random.default_rng(0).normal(size=(n, n)))[0]
    nilpotent = turn @ np.kron(np.eye(n // 2), [[0.0, 1.0], [0.0, 0.0]]) @ turn.T
    found = _found(nilpotent[None], nilpotent[None], 1e-9)
    assert found.dim == n * n // 2
    W = np.tensordot(np.random.default_rng(1).normal(size=found.dim), found.dense(), axes=1)
    assert np.linalg.norm(nilpotent @ W - W @ nilpotent) <= 1e-12 * np.linalg.norm(W)


def test_too_many_unknowns():
    rng = np.random.default_rng(0)
    wide = rng.normal(size=(1, 80, 80))
    with pytest.raises(ValueError, match="6400 connected unknowns of an algebra that is not closed"):
        _found(wide, wide)


CASES = {
    "so(3)": (algebra.so(3), 2, 2),
    "so(3), to vectors": (algebra.so(3), 3, 1),
    "so(2)": (algebra.so(2), 2, 2),
    "su(2)": (algebra.su(2), 1, 1),
    "so(4)": (algebra.so(4), 2, 2),
    "so(1,3)": (algebra.so(1, 3), 2, 2),
    "gl(2)": (algebra.gl(2), 2, 2),
    "heisenberg(1)": (algebra.heisenberg(1), 2, 1),
    "sp(4)": (algebra.sp(4), 2, 2),
}


@pytest.mark.parametrize("case", list(CASES.values()), ids=list(CASES))
def test_rounding_of_the_matrices_does_not_turn_the_basis(case):
    g, i, j = case
    source, target = _powers(_matrices(g), i), _powers(_matrices(g), j)
    known = _found(source, target).dense()
    for seed in range(3):
        rng = np.random.default_rng(seed)
        noisy = [m * (1 + 1e-15 * rng.normal(size=m.shape)) for m in (source, target)]
        np.testing.assert_allclose(_found(*noisy).dense(), known, atol=1e-8)


def test_threads_do_not_turn_the_basis():
    """Sums in another order, in matrices wide enough to be shared among threads."""
    v = action.vectors(algebra.so(3))
    bases = []
    for threads, copies in ((1, 1), (2, 2)):
        # Twice as large operators are another question, with the same answer: nothing is remembered.
        source, target = copies * _powers(v.matrices().dense(), 4), copies * _powers(v.matrices().dense(), 2)
        with threadpoolctl.threadpool_limits(threads):
            found = intertwiners(
                MatrixStack.from_dense(source),
                MatrixStack.from_dense(target),
                generators=3,
                form=-2.0 * copies**2 * np.eye(3),
                sizes=np.full(3, copies * 2**0.5),
                tolerance=1e-9,
            )
        bases.append(found.dense())
    assert bases[0].shape == (15, 9, 81)
    np.testing.assert_allclose(bases[0], bases[1], atol=1e-8)
