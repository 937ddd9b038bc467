"""What the discrete elements of an algebra do: they follow every construction, and stay a group."""

import jax.numpy as jnp
import numpy as np
import pytest
from laws import ALGEBRAS, BUILT

from lieder import action, algebra

RANDOM = np.random.default_rng(0)
NONE = algebra.permutations(np.zeros((0, 2), int))
G, H = RANDOM.normal(size=(2, 2, 2))
WORDS = algebra.extended(NONE, [G, H, G @ H])  # the third element is the product of the others
every_build = pytest.mark.parametrize("build", list(BUILT.values()), ids=list(BUILT))
DISCRETE = [(text, g) for text, g in ALGEBRAS if g.components]
every_discrete = pytest.mark.parametrize("g", [g for _, g in DISCRETE], ids=[text for text, _ in DISCRETE])


@every_build
def test_products_of_elements_are_kept(build):
    g, h, gh = build(action.vectors(WORDS)).discrete().dense()
    np.testing.assert_allclose(g @ h, gh, atol=1e-12 * np.abs(gh).max())


@every_discrete
@every_build
def test_conjugation_is_that_of_the_algebra(g, build):
    built = build(action.vectors(g))
    assert built.elements.shape == (len(g.components), built.width, built.width)
    if built.width > 40:
        return
    generators = built.matrices().dense()
    for own, h in zip(g.components, built.discrete().dense(), strict=True):
        image = np.tensordot(g.conjugate(own)[0], generators, axes=1)
        np.testing.assert_allclose(h @ generators @ np.linalg.inv(h), image, atol=1e-11)


@every_discrete
def test_pairing_of_covectors_and_vectors_does_not_change(g):
    rng = np.random.default_rng(1)
    v = action.vectors(g)
    u, p = rng.normal(size=(2, v.width))
    for h, k in zip(v.discrete().dense(), action.covectors(g).discrete().dense(), strict=True):
        np.testing.assert_allclose((k @ p) @ (h @ u), p @ u, atol=1e-12)


@every_discrete
def test_points_move_by_the_components(g):
    p = action.points(g)
    moved = (
        p.elements if p.is_affine and not p.is_linear else p.elements.placed((len(g.components), p.width, p.width + 1))
    )
    np.testing.assert_array_equal(moved.dense(), np.stack(g.components))


def test_orthogonal_elements_are_their_own_duals():
    for g in (algebra.symmetric(5), algebra.o(3)):
        v = action.vectors(g)
        assert np.array_equal(v.dual.discrete().dense(), v.discrete().dense())
    turn = np.array([[0.6, -0.8], [0.8, 0.6]])
    v = action.vectors(algebra.extended(NONE, [turn]))
    np.testing.assert_array_equal(v.dual.discrete().dense()[0], turn)


def test_duals_are_taken_block_by_block():
    v = action.vectors(WORDS)
    wanted = np.linalg.inv((3 * v + action.scalars(WORDS)).discrete().dense()).swapaxes(1, 2)
    np.testing.assert_allclose((3 * v + action.scalars(WORDS)).dual.discrete().dense(), wanted, atol=1e-12)


def test_maps_are_flattened_row_by_row():
    v = action.vectors(WORDS)
    w = v * v + action.scalars(WORDS)
    m = RANDOM.normal(size=(5, 2))
    for h, k, both in zip(*(a.discrete().dense() for a in (v, w, v >> w)), strict=True):
        np.testing.assert_allclose(both @ m.reshape(-1), (k @ m @ np.linalg.inv(h)).reshape(-1), atol=1e-10)


def test_sums_move_each_part_points_included():
    shift = np.array([[0.0, 1.0, 3.0], [1.0, 0.0, -2.0]])
    g = algebra.extended(algebra.aff(2), [shift])
    parts = [action.points(g), action.vectors(g), action.covectors(g), action.scalars(g), 2 * action.points(g)]
    total = parts[0] + parts[1] + parts[2] + parts[3] + parts[4]
    z = RANDOM.normal(size=total.width)
    a, h = shift[:, :2], shift[:, 2]
    wanted = [a @ z[:2] + h, a @ z[2:4], a @ z[4:6], z[6:7], a @ z[7:9] + h, a @ z[9:] + h]
    np.testing.assert_allclose(total.elements.dense()[0] @ np.append(z, 1.0), np.concatenate(wanted), atol=1e-13)


def test_a_translation_among_the_elements_makes_points_affine():
    shift = np.array([[1.0, 0.0, 1.0], [0.0, 1.0, 0.0]])
    p = action.points(algebra.extended(algebra.permutations(np.zeros((0, 2), int)), [shift]))
    assert p.is_affine and not p.is_linear
    np.testing.assert_array_equal(p.elements.dense()[0], shift)


@pytest.mark.parametrize(
    "a",
    [action.vectors(algebra.o(3)), action.points(algebra.e(2)), action.points(algebra.conformal(2))],
    ids=["linear", "affine", "polynomial"],
)
def test_repeating_is_adding(a):
    many, sum_ = 3 * a, a + a + a
    assert many.blocks == sum_.blocks and many.width == sum_.width
    assert many.generators.same_as(sum_.generators) and many.elements.same_as(sum_.elements)
    z = jnp.asarray(RANDOM.normal(size=many.width))
    np.testing.assert_allclose(many.fields(z), sum_.fields(z), atol=1e-13)


def test_large_sums_and_powers():
    v = action.vectors(algebra.o(3))
    sixth = v**6
    assert sixth.width == 729 and len(sixth.generators.value) == 3 * 6 * 2 * 243
    np.testing.assert_array_equal(sixth.discrete().dense()[0], np.diag(np.diag(sixth.discrete().dense()[0])))
    wide = 100 * v + 50 * v**2
    assert wide.width == 750 and len(wide.blocks) == 150
    np.testing.assert_array_equal(wide.generators.dense()[:, 300:309, 300:309], (v**2).matrices().dense())


def test_tangents_cotangents_and_densities():
    stretch = np.array([[2.0, 1.0, 5.0], [0.0, -3.0, 1.0]])
    g = algebra.extended(algebra.aff(2), [stretch])
    p, h = action.points(g), stretch[:, :2]
    np.testing.assert_allclose(action.tangent(p).discrete().dense()[0], h)
    np.testing.assert_allclose(action.cotangent(p).discrete().dense()[0], np.linalg.inv(h).T)
    np.testing.assert_allclose(action.density(p, 0.5).discrete().dense()[0], [[6.0**-0.5]])
    wanted = 6.0**-2 * np.kron(h, np.linalg.inv(h).T)
    np.testing.assert_allclose(action.tensor(p, 1, 1, 2.0).discrete().dense()[0], wanted, atol=1e-14)
    np.testing.assert_allclose(
        action.tensors(g, 2, 1).discrete().dense()[0], np.kron(np.kron(h, h), np.linalg.inv(h).T)
    )


def test_independent_elements_move_their_own_space():
    factors = algebra.o(2), algebra.e(2), algebra.symmetric(3)
    actions = action.vectors(factors[0]), action.points(factors[1]), action.vectors(factors[2])
    whole = algebra.product(*factors)
    x, y, z = action.independent(*actions)
    assert len(whole.components) == 4 and (x + y + z).elements.same_as(action.points(whole).elements)
    np.testing.assert_array_equal(x.discrete().dense()[1:], np.stack([np.eye(2)] * 3))
    curved, turned = action.independent(action.points(algebra.conformal(2)), actions[0])
    still = curved.elements.dense()[0] @ np.asarray(curved.dictionary(jnp.array([3.0, 5.0])))
    np.testing.assert_array_equal(still, [3.0, 5.0])
    assert turned.discrete().shape == (1, 2, 2)
    mixed = action.independent(actions[0], action.polynomial_fields(2, 1))
    assert mixed[0].elements.shape == (0, 2, 2) and mixed[1].elements.shape[0] == 0


def test_restriction_keeps_elements_of_the_same_group_only():
    g = algebra.o(3)
    v = action.vectors(g)
    assert v.restrict(np.eye(3)[:1], g.subalgebra(np.eye(3)[:1])).elements.shape == (0, 3, 3)
    assert v.restrict(np.eye(3)[:2], algebra.Span("two", ("a", "b"))).elements.shape == (0, 3, 3)
    assert v.restrict(np.eye(3), g).elements.same_as(v.elements)
    with pytest.raises(ValueError, match=r"elements was not given, but o\(3\) has 1 discrete elements"):
        action.vectors(algebra.so(3)).restrict(np.eye(3), g)


def test_columns_in_another_order():
    source, _ = action.parse("S_3 on vectors(c,a,b)", ["a", "m", "b", "c"])
    x = np.array([1.0, 9.0, 2.0, 3.0])  # a, m, b, c: the vector (c, a, b) is (3, 1, 2)
    swap, shift = source.discrete().dense() @ x
    np.testing.assert_array_equal(swap, [3.0, 9.0, 2.0, 1.0])
    np.testing.assert_array_equal(shift, [3.0, 9.0, 1.0, 2.0])


def test_the_users_own_elements():
    g = algebra.o(3)
    rotations = algebra.so(3).generators.dense()[:, :, :3]
    for sign in (1.0, -1.0):  # vectors and pseudovectors
        made = action.linear(g, rotations, [np.diag([-sign, sign, sign])])
        assert made.discrete().shape == (1, 3, 3)
    with pytest.raises(ValueError, match=r"o\(3\) has 1 discrete elements: .* shape \(1, 3, 3\), .* none was given"):
        action.linear(g, rotations)
    with pytest.raises(ValueError, match=r"shape \(1, 3, 3\), got \(2, 3, 3\)"):
        action.linear(g, rotations, np.stack([np.eye(3)] * 2))
    with pytest.raises(ValueError, match=r"so\(3\) has 0 discrete elements"):
        action.linear(algebra.so(3), rotations, [np.eye(3)])
    with pytest.raises(ValueError, match="elements hold NaN or inf"):
        action.linear(g, rotations, [np.full((3, 3), np.inf)])
    with pytest.raises(ValueError, match=r"elements\[0\] has no inverse"):
        action.linear(g, rotations, [np.diag([1.0, 1.0, 0.0])])
    with pytest.raises(ValueError, match=r"elements\[0\] does not belong to these matrices: .* differ by"):
        action.linear(g, rotations, [np.eye(3)])


def test_the_users_own_representation_of_a_finite_group():
    s = algebra.symmetric(3)
    root = np.sqrt(3.0) / 2
    plane = [[[1.0, 0.0], [0.0, -1.0]], [[-0.5, -root], [root, -0.5]]]
    assert action.linear(s, np.zeros((0, 2, 2)), plane).width == 2
    sign = action.linear(s, np.zeros((0, 1, 1)), [[[-1.0]], [[1.0]]])
    assert (sign * sign).discrete().same_as(action.scalars(s).discrete())
    with pytest.raises(ValueError, match=r"elements do not multiply as S_3 does: .* differ here by"):
        action.linear(s, np.zeros((0, 1, 1)), [[[-1.0]], [[-1.0]]])


def test_elements_of_another_shape():
    v = action.vectors(algebra.o(2))
    with pytest.raises(ValueError, match=r"elements has shape \(2, 4, 4\), .* it must have shape \(1, 2, 2\)"):
        action.FieldAction(
            v.algebra, v.generators, v.dictionary, v.blocks, action.scalars(algebra.dihedral(4), 4).elements
        )
    with pytest.raises(ValueError, match=r"does not hold the coordinates themselves"):
        wave = action.polynomial_fields(1, 0)
        none = algebra.matrices([[[1.0]]], name="one")
        action.independent(action.FieldAction(none, wave.generators, wave.dictionary, wave.blocks), v)
