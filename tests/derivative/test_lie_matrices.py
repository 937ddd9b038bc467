"""How dictionaries move: exact matrices against derivatives taken by JAX, and samples against exact ones."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lieder import action, algebra, dictionary
from lieder.derivative import lie_matrices

SO3 = algebra.so(3)
V = action.vectors(SO3)
SIMILARITIES = algebra.matrices(np.concatenate([V.matrices().dense(), np.eye(3)[None]]), names=["x", "y", "z", "D"])
POLYNOMIALS = dictionary.polynomials
SQUARE = algebra.extended(algebra.t(2), [[[0.0, -1.0, 0.25], [1.0, 0.0, 0.5]]])  # a quarter turn beside its origin

# A dictionary, an action, and whether the dictionary is closed under it. All are exact.
EXACT = {
    "polynomials, rotations": (POLYNOMIALS(3, 4), V, True),
    "polynomials, affine maps": (POLYNOMIALS(2, 3), action.points(algebra.aff(2)), True),
    "polynomials, quadratic fields": (POLYNOMIALS(2, 2), action.points(algebra.conformal(2)), False),
    "polynomials, all cubic fields": (POLYNOMIALS(2, 2), action.polynomial_fields(2, 3), False),
    "polynomials, permutations": (POLYNOMIALS(3, 4), action.vectors(algebra.symmetric(3)), True),
    "polynomials, affine element": (POLYNOMIALS(2, 3), action.points(SQUARE), True),
    "linear, rotations": (dictionary.linear(3), V, True),
    "linear, shifts": (dictionary.linear(2), action.points(algebra.se(2)), False),
    "affine, shifts": (dictionary.affine(2), action.points(algebra.se(2)), True),
    "fourier, shifts": (dictionary.fourier(2, 3, period=[1.0, 2.0]), action.points(algebra.t(2)), True),
    "fourier, shifts and a quarter turn": (dictionary.fourier(2, 2), action.points(SQUARE), True),
    "fourier, permutations": (dictionary.fourier(3, 2), action.vectors(algebra.cyclic(3)), True),
    "radial, rotations and dilation": (dictionary.radial(-3, 1, 3), action.vectors(SIMILARITIES), True),
    "radial, permutations": (dictionary.radial(-2, 1, 3), action.vectors(algebra.symmetric(3)), True),
    "blocks": (dictionary.blocks([POLYNOMIALS(3, 2), dictionary.radial(-1, 0, 3)]), 2 * V, True),
    "blocks of monomials": (dictionary.blocks([POLYNOMIALS(3, 2), dictionary.linear(3)]), 2 * V, True),
}


def _is_identity(features, joint):
    """Whether g = f: the features are then a representation of the algebra on R^D."""
    return features.shape[0] == joint and np.array_equal(features.toarray(), np.eye(joint))


@pytest.mark.parametrize(("family", "moves", "closed"), [pytest.param(*case, id=key) for key, case in EXACT.items()])
def test_exact_matrices_are_the_derivatives(family, moves, closed):
    found = lie_matrices(family, moves)
    assert found.how == "exact"
    assert _is_identity(found.features, len(found.joint_scale)) == closed
    x = jnp.asarray(np.random.default_rng(0).uniform(0.2, 1.0, (60, family.width)))
    f = np.asarray(jax.vmap(family)(x))
    moved = np.einsum("xdn,xkn->kxd", jax.vmap(jax.jacfwd(family))(x), jax.vmap(moves.fields)(x))
    if not closed:
        # The joint family holds everything: the rank of all samples together is at most its size.
        stacked = np.concatenate([f, *moved], axis=1)
        assert np.linalg.matrix_rank(stacked, tol=1e-8) <= len(found.joint_scale)
        # f = P g and J_f theta = T g for one and the same g.
        both = np.concatenate([found.features.toarray(), *found.generators.dense()])
        _, _, right = np.linalg.svd(both.T)
        relations = right[np.linalg.matrix_rank(both) :]
        assert np.abs(stacked @ relations.T).max() < 1e-10
        return
    for k, matrix in enumerate(found.generators.dense()):
        np.testing.assert_allclose(f @ matrix.T, moved[k], atol=1e-11)
    for j, matrix in enumerate(found.elements.dense()):
        there = jax.vmap(lambda z, j=j: moves.elements.apply(moves.dictionary(z))[j])(x)
        np.testing.assert_allclose(f @ matrix.T, np.asarray(jax.vmap(family)(there)), atol=1e-11)


def test_rotations_are_orthogonal_in_the_scaled_monomials():
    found = lie_matrices(POLYNOMIALS(3, 5), V)
    matrices = found.generators.dense() * found.scale[:, None] / found.joint_scale
    np.testing.assert_allclose(matrices, -matrices.transpose(0, 2, 1), atol=1e-12)


def test_matrices_of_a_closed_family_are_a_representation():
    found = lie_matrices(POLYNOMIALS(2, 3), action.points(algebra.aff(2)))
    T = found.generators.dense()
    commutators = np.einsum("iab,jbc->ijac", T, T) - np.einsum("jab,ibc->ijac", T, T)
    np.testing.assert_allclose(commutators, np.einsum("ijk,kab->ijab", algebra.aff(2).structure, T), atol=1e-11)


@pytest.mark.parametrize("moves", [V, action.vectors(algebra.o(3))], ids=str)
def test_samples_say_the_same_as_exact_matrices(moves):
    polynomials = POLYNOMIALS(3, 2)
    own = dictionary.functions([lambda x, i=i: polynomials(x)[i] for i in range(polynomials.size)], 3)
    exact, found = lie_matrices(polynomials, moves), lie_matrices(own, moves)
    assert "sampled at" in found.how
    P, T = found.features.toarray(), found.generators.dense()
    for k, matrix in enumerate(exact.generators.dense()):
        np.testing.assert_allclose(matrix @ P, T[k], atol=1e-12)
    for mine, theirs in zip(exact.elements.dense(), found.elements.dense(), strict=True):
        np.testing.assert_allclose(mine @ P, theirs, atol=1e-12)


def test_many_monomials_are_quick_and_sparse():
    found = lie_matrices(POLYNOMIALS(9, 6), 3 * V)
    assert found.generators.shape == (3, 5005, 5005)
    assert len(found.generators.value) < 3 * 5005 * 6


def test_bad_input_says_what_to_do():
    with pytest.raises(TypeError, match=r"expected one such as ld\.dictionary\.polynomials"):
        lie_matrices("polynomials", V)
    with pytest.raises(ValueError, match="takes 2 variables, but source acts on 3"):
        lie_matrices(POLYNOMIALS(2, 2), V)
    log = dictionary.functions([lambda x: jnp.log(x[0])], 1)
    with pytest.raises(ValueError, match=r"not finite at .* points where all are defined"):
        lie_matrices(log, action.points(algebra.t(1)))
    waves = dictionary.functions([lambda x, i=i: jnp.sin((i + 1) * x[0]) for i in range(6)], 1)
    shift = action.points(algebra.t(1))
    with pytest.raises(ValueError, match="5 points are too few"):
        lie_matrices(waves, shift, np.linspace(0.0, 1.0, 5)[:, None])
    with pytest.raises(ValueError, match=r"rows, \(N, 1\)"):
        lie_matrices(waves, shift, np.zeros(5))
    with pytest.raises(ValueError, match=r"among 9,366,819 monomials"):
        lie_matrices(POLYNOMIALS(40, 5), action.polynomial_fields(40, 2))
    with pytest.raises(ValueError, match=r"12,240 .*fewer generators"):
        lie_matrices(POLYNOMIALS(15, 6), action.polynomial_fields(15, 3))
