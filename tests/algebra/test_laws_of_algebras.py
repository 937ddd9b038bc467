"""Laws that hold for every algebra of the table."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from laws import ALGEBRAS

from lieder import algebra

every_algebra = pytest.mark.parametrize("g", [g for _, g in ALGEBRAS], ids=[text for text, _ in ALGEBRAS])

# text: dimension, size of the defining space, signature (positive, negative, zero) of the Killing form
SIZES = {
    "t(3)": (3, 3, (0, 0, 3)),
    "so(3)": (3, 3, (0, 3, 0)),
    "so(4)": (6, 4, (0, 6, 0)),
    "so(5)": (10, 5, (0, 10, 0)),
    "so(1,2)": (3, 3, (2, 1, 0)),
    "so(1,3)": (6, 4, (3, 3, 0)),
    "so(2,2)": (6, 4, (4, 2, 0)),
    "o(1)": (0, 1, (0, 0, 0)),
    "o(3)": (3, 3, (0, 3, 0)),
    "se(2)": (3, 2, (0, 1, 2)),
    "se(3)": (6, 3, (0, 3, 3)),
    "gl(3)": (9, 3, (5, 3, 1)),
    "sl(3)": (8, 3, (5, 3, 0)),
    "aff(2)": (6, 2, (3, 1, 2)),
    "sp(4)": (10, 4, (6, 4, 0)),
    "sp(6)": (21, 6, (12, 9, 0)),
    "poincare": (10, 4, (3, 3, 4)),
    "galilean": (10, 4, (0, 3, 7)),
    "conformal(2)": (6, 4, (3, 3, 0)),
    "conformal(3)": (10, 5, (4, 6, 0)),
    "su(2)": (3, 4, (0, 3, 0)),
    "su(3)": (8, 6, (0, 8, 0)),
    "u(3)": (9, 6, (0, 8, 1)),
    "scalings(3)": (3, 3, (0, 0, 3)),
    "heisenberg(2)": (5, 4, (0, 0, 5)),
    "product(se(2), so(3))": (6, 5, (0, 4, 2)),
    "symmetric(4)": (0, 4, (0, 0, 0)),
    "extended(..)": (4, 2, (2, 1, 1)),
    "product(dihedral(3), e(2))": (3, 5, (0, 1, 2)),
}


def dense(g):
    """The generators as an array (q, n, n + 1)."""
    assert g.generators is not None
    return g.generators.dense()


def homogeneous(g):
    """Generators as (n + 1, n + 1) matrices acting on (x, 1)."""
    return np.pad(dense(g), ((0, 0), (0, 1), (0, 0)))


def test_every_public_constructor_is_in_the_table():
    constructors = {name for name, value in vars(algebra).items() if callable(value) and not name.startswith("_")}
    constructors -= {"LieAlgebra", "Span", "by_name", "real_matrices"}
    constructors -= {"FiniteGroup", "check_closed", "element_in_words", "generated", "subgroups", "Subgroups"}
    assert constructors == {text.split("(")[0] for text, _ in ALGEBRAS}


@every_algebra
def test_bracket_is_antisymmetric(g):
    assert np.array_equal(g.structure, -g.structure.transpose(1, 0, 2))


@every_algebra
def test_jacobi(g):
    c = g.structure
    twice = np.einsum("jkl,ilm->ijkm", c, c, optimize=True)  # [e_i, [e_j, e_k]]
    cyclic = twice + twice.transpose(1, 2, 0, 3) + twice.transpose(2, 0, 1, 3)
    np.testing.assert_allclose(cyclic, 0, atol=1e-12)


@every_algebra
def test_commutators_are_the_structure_constants(g):
    m = homogeneous(g)
    product = np.einsum("iab,jbc->ijac", m, m)
    commutator = product - product.transpose(1, 0, 2, 3)
    np.testing.assert_allclose(commutator, np.einsum("ijk,kab->ijab", g.structure, m), atol=1e-12)


@every_algebra
def test_bracket_of_elements_is_the_commutator(g):
    a, b = np.random.default_rng(0).normal(size=(2, 3, g.dim))
    m = homogeneous(g)
    left, right = np.tensordot(a, m, 1), np.tensordot(b, m, 1)
    np.testing.assert_allclose(np.tensordot(g.bracket(a, b), m, 1), left @ right - right @ left, atol=1e-12)
    assert g.bracket(a[0], b).shape == b.shape


@every_algebra
def test_coordinates_undo_combinations(g):
    rows = np.random.default_rng(1).normal(size=(2, g.dim))
    found, outside = g.coordinates(g.generators.combine(rows).dense())
    np.testing.assert_allclose(found, rows, atol=1e-12)
    np.testing.assert_allclose(outside, 0, atol=1e-12)


@every_algebra
def test_killing_form_is_symmetric_and_invariant(g):
    k = g.killing()
    np.testing.assert_allclose(k, k.T, atol=1e-12)
    moved = np.einsum("ijm,mk->ijk", g.structure, k)  # K([x, y], z) + K(y, [x, z]) = 0
    np.testing.assert_allclose(moved + moved.transpose(0, 2, 1), 0, atol=1e-11)


@every_algebra
def test_whole_algebra_is_its_own_closure(g):
    rows, defect = g.closure(np.eye(g.dim))
    assert np.array_equal(rows, np.eye(g.dim)) and defect == 0
    whole = g.subalgebra(np.eye(g.dim))
    assert whole.names == g.names
    np.testing.assert_allclose(whole.structure, g.structure, atol=1e-12)


@every_algebra
def test_components_normalise_the_algebra(g):
    """A discrete element h maps the algebra to itself: h e_k h^-1 is an element, and brackets go along."""
    for component in g.components:
        h = np.vstack([component, np.eye(g.degree + 1)[-1:]])
        image = h @ homogeneous(g) @ np.linalg.inv(h)
        np.testing.assert_allclose(g.coordinates(image[:, :-1])[1], 0, atol=1e-12)
        moved, defect = g.conjugate(component)
        assert moved.shape == (g.dim, g.dim) and defect < 1e-12
        np.testing.assert_allclose(image, np.tensordot(moved, homogeneous(g), 1), atol=1e-12)
        brackets = np.einsum("ai,bj,ijk->abk", moved, moved, g.structure)
        np.testing.assert_allclose(brackets, np.einsum("abj,jk->abk", g.structure, moved), atol=1e-12)


@pytest.mark.parametrize("text", SIZES)
def test_dimension_degree_and_killing_signature(text):
    g = dict(ALGEBRAS)[text]
    dim, degree, signature = SIZES[text]
    values = np.linalg.eigvalsh(g.killing())
    found = (int(np.sum(values > 1e-9)), int(np.sum(values < -1e-9)), int(np.sum(np.abs(values) <= 1e-9)))
    assert (g.dim, g.degree, found) == (dim, degree, signature)


@pytest.mark.parametrize(
    ("g", "form"),
    [
        (algebra.so(4), np.eye(4)),
        (algebra.so(1, 3), np.diag([1.0, -1, -1, -1])),
        (algebra.so(3, 2), np.diag([1.0, 1, 1, -1, -1])),
        (algebra.conformal(2), np.diag([1.0, 1, 1, -1])),
        (algebra.sp(6), np.kron([[0.0, 1], [-1, 0]], np.eye(3))),
        (algebra.su(3), np.eye(6)),
        (algebra.su(3), np.kron([[0.0, -1], [1, 0]], np.eye(3))),
        (algebra.u(3), np.kron([[0.0, -1], [1, 0]], np.eye(3))),
    ],
    ids=["so(4)", "so(1,3)", "so(3,2)", "conformal(2)", "sp(6)", "su(3) real", "su(3) imaginary", "u(3)"],
)
def test_preserved_form(g, form):
    for m in dense(g)[:, :, :-1]:
        np.testing.assert_allclose(m.T @ form + form @ m, 0, atol=1e-12)


@pytest.mark.parametrize("g", [algebra.sl(4), algebra.su(3)], ids=["sl(4)", "su(3)"])
def test_volume_is_preserved(g):
    m = dense(g)[:, :, :-1]
    half = g.degree // 2
    np.testing.assert_allclose(np.trace(m, axis1=1, axis2=2), 0, atol=1e-12)
    if g.name == "su(3)":  # the imaginary part of the complex trace
        np.testing.assert_allclose(np.trace(m[:, half:, :half], axis1=1, axis2=2), 0, atol=1e-12)


def test_rotation_is_counter_clockwise():
    x = np.array([2.0, 5.0])
    np.testing.assert_array_equal(dense(algebra.so(2))[0, :, :2] @ x, [-5, 2])


def test_order_of_gl():
    generator = dense(algebra.gl(3))[1 * 3 + 2]
    assert generator[1, 2] == 1 and generator.sum() == 1


@pytest.mark.parametrize("n", [1, 2, 3])
def test_conformal_constants_are_those_of_the_vector_fields(n):
    """The field of [a, b] is -(Dtheta_b theta_a - Dtheta_a theta_b), which is A B - B A for linear fields."""
    g = algebra.conformal(n)

    def fields(x):
        unit = jnp.eye(n)
        rotation = [x[i] * unit[j] - x[j] * unit[i] for i in range(n) for j in range(i + 1, n)]
        special = [2 * x[i] * x - (x @ x) * unit[i] for i in range(n)]
        return jnp.stack([*unit, *rotation, x, *special])

    for key in jax.random.split(jax.random.key(0), 3):
        x = jax.random.normal(key, (n,))
        value = fields(x)
        moved = jax.vmap(lambda v, x=x: jax.jvp(fields, (x,), (v,))[1])(value)  # a, b: Dtheta_b theta_a
        expected = -(moved - moved.transpose(1, 0, 2))
        np.testing.assert_allclose(np.einsum("abk,ki->abi", g.structure, value), expected, atol=1e-12)


def test_conformal_names():
    assert algebra.conformal(2).names == ("P1", "P2", "J12", "D", "K1", "K2")


def test_poincare_preserves_its_metric_and_galilean_its_time():
    metric = np.diag([1.0, -1, -1, -1])
    for m in dense(algebra.poincare())[:, :, :4]:
        np.testing.assert_array_equal(m.T @ metric + metric @ m, 0)
    assert not dense(algebra.galilean())[:, 0, :4].any()


@pytest.mark.parametrize(
    ("g", "names"),
    [
        (algebra.gl(2), ("E11", "E12", "E21", "E22")),
        (algebra.so(3), ("J12", "J13", "J23")),
        (algebra.so(2, 1), ("J12", "B13", "B23")),
        (algebra.se(2), ("J12", "P1", "P2")),
        (algebra.sl(2), ("E12", "E21", "H1")),
        (algebra.sp(2), ("A11", "B11", "C11")),
        (algebra.poincare(2), ("B1", "B2", "J12", "P0", "P1", "P2")),
        (algebra.galilean(2), ("J12", "B1", "B2", "P1", "P2", "P0")),
        (algebra.heisenberg(1), ("X1", "Y1", "Z")),
        (algebra.su(2), ("J12", "S12", "H1")),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_names(g, names):
    assert g.names == names


def test_names_stay_distinct_in_ten_coordinates():
    g = algebra.gl(11)
    assert len(set(g.names)) == g.dim and "E1,11" in g.names and "E11,1" in g.names
