"""Discrete elements act on every action: on fields over grids, on pairs and on lifts, not on linear ones alone."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from laws import ACTIONS

import lieder as ld
from lieder import action, algebra, dictionary
from lieder.linalg import MatrixStack

E2 = algebra.e(2)
MIRRORED = algebra.extended(algebra.t(2), [np.diag([-1.0, 1.0])])  # shifts, and the first coordinate turned over
PERIODIC = action.grid(MIRRORED, (7, 8), boundary="periodic")


def bent():
    """A nonlinear action with a discrete element: x d/dx + y^2 d/dx and the reflection of x."""
    family = dictionary.polynomials(2, 2)
    scale = algebra.extended(algebra.scalings(2), [np.diag([-1.0, 1.0])])
    names = family.symbols(["x", "y"])
    generators, elements = np.zeros((2, 2, 6)), np.zeros((1, 2, 6))
    generators[0, 0, 1] = generators[1, 1, 2] = 1.0
    assert [str(names[1]), str(names[2])] == ["x", "y"]
    elements[0, 0, 1], elements[0, 1, 2] = -1.0, 1.0
    elements[0, 1, 3] = 0.5  # y -> y + x^2 / 2
    return action.FieldAction(
        scale, MatrixStack.from_dense(generators), family, (("points", 2),), MatrixStack.from_dense(elements)
    )


DISCRETE = {
    "vectors": action.vectors(E2),
    "points": action.points(E2),
    "grid": action.grid(E2, (7, 8)),
    "grid of vectors": action.grid(MIRRORED, (7, 8), action.vectors(MIRRORED), boundary="periodic"),
    "spectral": action.grid(MIRRORED, (6, 5), boundary="periodic", derivative="spectral"),
    "field and number": action.total(PERIODIC, action.scalars(MIRRORED)),
    "pair with a lift": action.total(bent(), action.tangent(bent())),
    "pair with a density": action.total(bent(), action.density(bent())),
}
SMOOTH_INVERSE = [name for name in DISCRETE if not name.startswith("pair")]
every = pytest.mark.parametrize("name", list(DISCRETE))


@every
def test_an_element_keeps_shape_and_dtype(name):
    a = DISCRETE[name]
    z = jnp.asarray(np.random.default_rng(0).normal(size=a.width), jnp.float32)
    image = a.element(0, z)
    assert image.shape == (a.width,)
    assert image.dtype == jnp.float32
    with pytest.raises(IndexError, match=r"has 1 discrete element"):
        a.element(1, z)


@pytest.mark.parametrize("name", SMOOTH_INVERSE)
def test_reflections_are_their_own_inverses(name):
    a = DISCRETE[name]
    z = jnp.asarray(np.random.default_rng(0).normal(size=a.width))
    once = a.element(0, z)
    assert float(jnp.abs(once - z).max()) > 0.1
    np.testing.assert_allclose(a.element(0, once), z, atol=1e-10)
    np.testing.assert_allclose(a.element(0, once, inverse=True), z, atol=1e-10)


def test_a_picture_is_turned_over():
    u = np.random.default_rng(0).normal(size=(7, 8))
    np.testing.assert_allclose(PERIODIC.element(0, jnp.asarray(u.ravel())), u[::-1].ravel(), atol=1e-12)
    arrows = DISCRETE["grid of vectors"]
    v = np.random.default_rng(0).normal(size=(2, 7, 8))
    turned = v[:, ::-1] * np.array([-1.0, 1.0])[:, None, None]
    np.testing.assert_allclose(arrows.element(0, jnp.asarray(v.ravel())), turned.ravel(), atol=1e-12)


def test_a_lift_moves_directions_by_the_slope_and_densities_by_the_volume():
    z, u = jnp.array([0.3, 0.7]), jnp.array([1.0, -2.0])
    image = DISCRETE["pair with a lift"].element(0, jnp.concatenate([z, u]))
    np.testing.assert_allclose(image, [-0.3, 0.7 + 0.3**2 / 2, -1.0, 0.3 * 1.0 - 2.0], atol=1e-12)
    image = DISCRETE["pair with a density"].element(0, jnp.array([0.3, 0.7, 5.0]))
    np.testing.assert_allclose(image[2], 5.0, atol=1e-12)


def test_connected_groups_have_no_images():
    for _, case, a in ACTIONS:
        if not getattr(a.algebra, "components", ()):
            with pytest.raises(IndexError, match="has 0 discrete elements"):
                a.element(0, jnp.ones(a.width))
            assert case


@pytest.mark.parametrize("name", ["grid", "grid of vectors"])
def test_sparse_grids_keep_their_elements(name):
    a = DISCRETE[name]
    z = jnp.asarray(np.random.default_rng(0).normal(size=a.width))
    flat = a.sparse()
    np.testing.assert_allclose(flat.element(0, z), a.element(0, z), atol=1e-12)
    np.testing.assert_allclose(flat.fields(z), a.fields(z), atol=1e-12)
    assert len(flat.elements.value) == a.width  # samples change places, nothing more
    turn = algebra.extended(algebra.t(2), [np.array([[0.6, -0.8], [0.8, 0.6]])])
    turned = action.grid(turn, (7, 8))
    smooth = jnp.asarray(np.exp(-np.sum(turned.positions**2, axis=1) / 4))
    np.testing.assert_allclose(turned.sparse().element(0, smooth), turned.element(0, smooth), atol=1e-12)


def test_images_under_a_finite_group():
    a = action.grid(algebra.extended(algebra.cyclic(2), [np.diag([1.0, -1.0])]), (7, 7))
    assert a.sparse().elements.shape == (2, 49, 49)
    found = ld.nn.check(lambda u: u**2, a, a, np.random.default_rng(0).normal(size=(5, 49)))
    assert found.is_equivariant
    assert found.discrete.shape == (1, 2)


# Verbs that meet such an action


def convolution(kernel):
    return lambda u: sum(w * jnp.roll(u.reshape(7, 8), k - 1, axis=0) for k, w in enumerate(kernel)).reshape(-1)


def test_a_check_reflects_fields_on_a_grid():
    x = np.random.default_rng(0).normal(size=(10, 56))
    even = ld.nn.check(convolution([0.3, 1.0, 0.3]), PERIODIC, PERIODIC, x)
    assert even.elements == ("element 0",)
    assert even.is_equivariant
    uneven = ld.nn.check(convolution([0.1, 1.0, 0.8]), PERIODIC, PERIODIC, x)
    assert uneven.errors.max() < 1e-10
    assert uneven.discrete.max() > 0.1
    assert not uneven.is_equivariant
    assert "element 0" in uneven.summary


def test_features_move_under_nonlinear_elements():
    """f(H x) = S g(x) with H: (x, y) -> (-x, y + x^2 / 2), which is quadratic and is therefore sampled."""
    family = dictionary.polynomials(2, 1)
    moves = ld.derivative.lie_matrices(family, bent())
    assert moves.how.startswith("sampled")
    # The functions 1, x, y + x^2 / 4 span an invariant space; of degree 1 only the constant is invariant.
    found = ld.enforce.functions(family, source=bent(), target=action.scalars(bent().algebra))
    assert found.dim == 1


@pytest.mark.parametrize("mirror", [True, False])
def test_the_penalty_of_elements_takes_fields_on_a_grid(mirror):
    x = jnp.asarray(np.random.default_rng(0).normal(size=(6, 56)))
    F = convolution([0.3, 1.0, 0.3] if mirror else [0.1, 1.0, 0.8])
    size = ld.promote.element_penalty(F, x, source=PERIODIC, target=PERIODIC, smoothing=0.0)
    turned = jax.vmap(lambda u: F(u.reshape(7, 8)[::-1].ravel()).reshape(7, 8)[::-1].ravel())(x)
    wanted = np.sqrt(np.mean(np.sum((turned - jax.vmap(F)(x)) ** 2, axis=1)))
    np.testing.assert_allclose(size, wanted, atol=1e-10)
