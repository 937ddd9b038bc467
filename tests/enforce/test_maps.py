"""Equivariant linear maps: laws over every algebra, against a null space by brute force."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.linalg
from laws import ALGEBRAS

from lieder import action, algebra, enforce

_MOST = 64  # unknowns of the dense null space
LINEAR = [(text, g) for text, g in ALGEBRAS if action.points(g).is_affine]
every_algebra = pytest.mark.parametrize("g", [g for _, g in LINEAR], ids=[text for text, _ in LINEAR])


@functools.cache
def _cases(g):
    """Source, target, maps and their basis of each case that is small enough for the dense null space."""
    v, points = action.vectors(g), enforce.homogeneous(action.points(g))
    numbers = action.scalars(g, 2)
    pairs = [
        (v, v),
        (v, v.dual),
        (v * v, v),
        (v * v, v * v),
        (points, v),
        (2 * v + numbers, v + numbers),
        (numbers, v * v),
        (v + v.dual, v >> v),
        (enforce.homogeneous(2 * action.points(g)), v),
    ]
    solved = [(*pair, enforce.maps(*pair)) for pair in pairs if pair[0].width * pair[1].width <= _MOST]
    return [(source, target, found, found.dense()) for source, target, found in solved]


def _operators(representation):
    return np.concatenate([representation.matrices().dense(), representation.discrete().dense()])


def _dimension(source, target):
    """Unknowns less rank of the stacked constraints B_k (x) 1 - 1 (x) A_k^T, by one dense SVD."""
    n, m = source.width, target.width
    rows = [np.zeros((1, m * n))]
    for a, b in zip(_operators(source), _operators(target), strict=True):
        size = np.linalg.norm(a) + np.linalg.norm(b)
        rows.append((np.kron(b, np.eye(n)) - np.kron(np.eye(m), a.T)) / (size if size > 0 else 1.0))
    return m * n - int(np.sum(np.linalg.svd(np.concatenate(rows), compute_uv=False) > 1e-9))


@every_algebra
def test_basis(g):
    """As many maps as the null space has dimensions; orthonormal; each equivariant."""
    for source, target, found, basis in _cases(g):
        assert found.dim == len(basis) == _dimension(source, target)
        assert basis.shape[1:] == (target.width, source.width)
        gram = np.einsum("amn,bmn->ab", basis, basis)
        np.testing.assert_allclose(gram, np.eye(found.dim), atol=1e-10)
        for W in basis:
            assert found.residual(W) <= 1e-12


@every_algebra
def test_maps_follow_finite_moves(g):
    """W exp(A) = exp(B) W for a random element of the algebra, and W H = H' W for the discrete ones."""
    rng = np.random.default_rng(0)
    for source, target, found, basis in _cases(g):
        W = np.tensordot(rng.normal(size=found.dim), basis, axes=1)
        xi = rng.normal(size=g.dim)
        a, b = (np.tensordot(xi, side.matrices().dense(), axes=1) for side in (source, target))
        size = max(np.linalg.norm(a, 2), np.linalg.norm(b, 2), 1.0)
        moves = [(scipy.linalg.expm(a / size), scipy.linalg.expm(b / size))]
        moves += list(zip(source.discrete().dense(), target.discrete().dense(), strict=True))
        for by, to in moves:
            np.testing.assert_allclose(W @ by, to @ W, atol=1e-10)


@every_algebra
def test_coefficients_and_projection(g):
    rng = np.random.default_rng(1)
    for _, _, found, basis in _cases(g):
        W, c = rng.normal(size=basis.shape[1:]), rng.normal(size=found.dim)
        made = np.tensordot(c, basis, axes=1)
        np.testing.assert_allclose(found.coefficients(W), np.einsum("rmn,mn->r", basis, W), atol=1e-12)
        np.testing.assert_allclose(found.coefficients(made), c, atol=1e-11)
        P = np.tensordot(found.coefficients(W), basis, axes=1)
        np.testing.assert_allclose(np.einsum("rmn,mn->r", basis, W - P), 0, atol=1e-12)


SO3, SE3 = algebra.so(3), algebra.se(3)
V = action.vectors(SO3)
SPINORS, PLANE = action.vectors(algebra.su(2)), action.vectors(algebra.so(2))
MIXED = 2 * V + V * V + action.scalars(SO3, 2)
LETTERS = action.vectors(algebra.symmetric(4))
HEISENBERG = action.vectors(algebra.heisenberg(1))
A, B = action.independent(V, action.vectors(algebra.se(2)))
P, Q = action.independent(action.vectors(algebra.symmetric(3)), action.vectors(algebra.o(3)))
# Factored and null routes, real, complex and quaternionic type, finite groups, products, layers with a bias.
KINDS = {
    "mixed multiplicities": (MIXED, V + V * V),
    "complex type": (PLANE * PLANE + 3 * PLANE, 2 * PLANE + action.scalars(PLANE.algebra)),
    "quaternionic type": (2 * SPINORS, SPINORS * SPINORS + SPINORS),
    "permutations": (LETTERS * LETTERS, 2 * LETTERS),
    "null space": (HEISENBERG * HEISENBERG + HEISENBERG, 2 * HEISENBERG.dual),
    "points": (enforce.homogeneous(3 * action.points(SE3)), 2 * action.vectors(SE3)),
    "bias": (action.scalars(LETTERS.algebra), 2 * LETTERS),
    "product": (A * B + B, 2 * (B * A)),
    "finite product": (P * Q + P, Q * P),
    "nothing moves": (action.scalars(SO3, 3), action.scalars(SO3, 2)),
    "zero": (action.scalars(SO3, 3), V),
}
every_kind = pytest.mark.parametrize("kind", list(KINDS.values()), ids=list(KINDS))


FEW = ["quaternionic type", "permutations", "null space", "zero"]
few_kinds = pytest.mark.parametrize("kind", [KINDS[name] for name in FEW], ids=FEW)


def _example(kind, dtype=jnp.float64):
    found = enforce.maps(*kind)
    rng = np.random.default_rng(5)
    return found, *(jnp.asarray(rng.normal(size=size), dtype) for size in (found.dim, found.source.width))


@every_kind
def test_apply_matrix_and_dense_agree(kind):
    found, c, x = _example(kind)
    W = np.tensordot(np.asarray(c), found.dense(), axes=1)
    applied, matrix = jax.jit(lambda c, x: (found.apply(c, x), found.matrix(c)))(c, x)
    np.testing.assert_allclose(applied, W @ x, atol=1e-11)
    np.testing.assert_allclose(matrix, W, atol=1e-12)
    assert found.residual(W) <= 1e-12


@few_kinds
def test_projection_is_orthogonal_and_done_once(kind):
    found, _, _ = _example(kind)
    W = np.random.default_rng(6).normal(size=(found.target.width, found.source.width))
    once = found.project(W)
    assert once.dtype == np.float64 and found.residual(once) <= 1e-12
    np.testing.assert_allclose(found.project(once), once, atol=1e-12)
    np.testing.assert_allclose(np.einsum("rmn,mn->r", found.dense(), W - once), 0, atol=1e-11)
    # Uneven maps are seen as such.
    if found.dim < W.size:
        assert found.residual(W - once) > 1e-3


@few_kinds
def test_jit_vmap_and_dtype(kind):
    found, c, x = _example(kind)
    compiled, batched = jax.jit(found.apply), jax.jit(jax.vmap(found.apply, (None, 0)))
    eager = found.apply(c, x)
    np.testing.assert_allclose(compiled(c, x), eager, rtol=1e-13, atol=1e-13)
    many = np.stack([x, 2 * x, x[::-1]])
    looped = np.stack([compiled(c, jnp.asarray(one)) for one in many])
    np.testing.assert_allclose(batched(c, jnp.asarray(many)), looped, rtol=1e-13, atol=1e-13)
    single = compiled(c.astype(jnp.float32), x.astype(jnp.float32))
    assert single.dtype == jnp.float32
    np.testing.assert_allclose(single, eager, atol=1e-5 * max(1.0, np.abs(eager).max(initial=0.0)))


@few_kinds
def test_gradient_is_the_finite_difference(kind):
    found, c, x = _example(kind)
    rng = np.random.default_rng(7)
    dc, dx = rng.normal(size=c.shape), rng.normal(size=x.shape)

    @jax.jit
    def loss(c, x):
        return jnp.sum(jnp.sin(found.apply(c, x)))

    slopes = jax.jit(jax.grad(loss, (0, 1)))(c, x)
    step = 1e-6
    finite = (loss(c + step * dc, x + step * dx) - loss(c - step * dc, x - step * dx)) / (2 * step)
    np.testing.assert_allclose(slopes[0] @ dc + slopes[1] @ dx, finite, rtol=1e-6, atol=1e-8)


@every_kind
def test_scales_keep_unit_variance(kind):
    """Var (W x)_i averages to one over the coordinates that any map reaches, for random coefficients and inputs."""
    found, _, _ = _example(kind)
    if found.dim == 0:
        assert found.scales.shape == (0,)
        return
    variance = np.einsum("r,rmn->m", found.scales**2, found.dense() ** 2)
    reached = np.abs(found.dense()).max(axis=(0, 2)) > 1e-12
    assert 0.2 <= variance[reached].mean() <= 1.5


def test_static_pytree():
    found = enforce.maps(V, V)
    assert jax.tree_util.tree_leaves(found) == []
    np.testing.assert_allclose(jax.jit(lambda maps, c, x: maps.apply(c, x))(found, jnp.ones(1), jnp.ones(3)), 3**-0.5)


def test_same_question_same_object():
    one = enforce.maps(V * V, V)
    other = action.vectors(algebra.so(3))
    assert enforce.maps(other * other, other) is one
    assert enforce.maps(V * V, V, tolerance=1e-6) is not one
    # Covectors of a rotation are vectors, but not by name.
    assert str(enforce.maps(V.dual, V).source) == "so(3) on covectors(3)"


def test_coordinates_in_any_order():
    """Summands whose coordinates are scattered, given as the user's own matrices."""
    rep = MIXED
    order = np.random.default_rng(0).permutation(rep.width)
    mixed = action.linear(SO3, rep.matrices().dense()[:, order][:, :, order])
    found, known = enforce.maps(mixed, V + action.scalars(SO3)), enforce.maps(rep, V + action.scalars(SO3))
    assert found.dim == known.dim
    moved = known.dense()[:, :, order].reshape(known.dim, -1)
    own = found.dense().reshape(found.dim, -1)
    np.testing.assert_allclose(own @ moved.T @ moved, own, atol=1e-12)
    c, x = jnp.arange(1.0, 1 + found.dim), jnp.arange(1.0, 1 + rep.width)
    np.testing.assert_allclose(
        jax.jit(found.apply)(c, x), np.tensordot(np.asarray(c), found.dense(), axes=1) @ x, atol=1e-11
    )


def test_independent_factors():
    """End of a product is the product of the Ends: V of so(3) has 1, the plane of se(2) has 2, S_3 has 2."""
    assert enforce.maps(A * B, A * B).dim == 1 * 2
    assert enforce.maps(A, B).dim == 0
    assert enforce.maps(P * Q, P * Q).dim == 2 * 1
    assert enforce.maps(P, P).dim == 2


def test_bias():
    """What a layer may add: the fixed vectors of the target."""
    for target, count in ((V, 0), (V * V, 1), (LETTERS, 1), (LETTERS * LETTERS, 2), (V + action.scalars(SO3, 2), 2)):
        found = enforce.maps(action.scalars(target.algebra), target)
        assert found.dim == count
        for column in found.dense()[:, :, 0]:
            np.testing.assert_allclose(target.matrices().dense() @ column, 0, atol=1e-13)


def test_known_maps():
    cross = enforce.maps(V * V, V).dense()[0].reshape(3, 3, 3)
    levi = np.zeros((3, 3, 3))
    levi[[0, 1, 2], [1, 2, 0], [2, 0, 1]], levi[[0, 1, 2], [2, 0, 1], [1, 2, 0]] = 1, -1
    np.testing.assert_allclose(cross * np.sign(cross[0, 1, 2]), levi / 6**0.5, atol=1e-14)
    layer = enforce.maps(LETTERS, LETTERS)  # Deep Sets: the identity and the mean
    for W in (np.eye(4), np.ones((4, 4))):
        np.testing.assert_allclose(layer.project(W), W, atol=1e-13)
    turn = enforce.maps(PLANE, PLANE).project(np.array([[0.0, -1.0], [1.0, 0.0]]))
    np.testing.assert_allclose(turn, [[0, -1], [1, 0]], atol=1e-14)


def test_printed():
    assert str(enforce.maps(V, V)).startswith("1 independent map is equivariant from so(3) on vectors(3)")
    assert str(enforce.maps(action.scalars(SO3), V)).startswith("only the zero map is equivariant")
