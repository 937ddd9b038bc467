"""Equivariant functions: known rings of invariants, and the laws that every answer keeps."""

from math import comb

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lieder import action, algebra, dictionary, enforce
from lieder.derivative import lie_matrices

POLYNOMIALS = dictionary.polynomials
SO3, T1 = algebra.so(3), algebra.t(1)
V, ONE = action.vectors(SO3), action.scalars(SO3)
P1 = action.points(T1)
CONFORMAL = action.points(algebra.conformal(2))


def weighted(*rows):
    """Scalings with whole weights: generator k multiplies x_i by weight[k][i]."""
    g = algebra.matrices(
        np.array([np.diag(np.array(row, float)) for row in rows]), names=[f"D{k}" for k in range(len(rows))]
    )
    return action.vectors(g), action.scalars(g)


def pair(name, space=action.vectors):
    g = algebra.by_name(name)
    return space(g), action.scalars(g)


BOOSTS, SYMPLECTIC, S3, SE2 = pair("so(1,3)"), pair("sp(2)"), pair("symmetric(3)"), pair("se(2)", action.points)
WEIGHTS = weighted([2, -3, 0], [1, 0, -1])
O3 = algebra.o(3)

# Dictionary, source, target and what is printed.
PRINTED = {
    "distance": (POLYNOMIALS(3, 3), V, ONE, ["1", "x^2 + y^2 + z^2"]),
    "two vectors": (
        POLYNOMIALS(6, 2),
        2 * V,
        ONE,
        ["1", "u1^2 + u2^2 + u3^2", "u1 v1 + u2 v2 + u3 v3", "v1^2 + v2^2 + v3^2"],
    ),
    "cross product": (
        POLYNOMIALS(6, 2),
        2 * V,
        V,
        ["(u1, u2, u3)", "(v1, v2, v3)", "(u2 v3 - u3 v2, -u1 v3 + u3 v1, u1 v2 - u2 v1)"],
    ),
    "no cross product under reflections": (
        POLYNOMIALS(6, 2),
        2 * action.vectors(O3),
        action.vectors(O3),
        ["(u1, u2, u3)", "(v1, v2, v3)"],
    ),
    "interval": (POLYNOMIALS(4, 2), *BOOSTS, ["1", "x1^2 - x2^2 - x3^2 - x4^2"]),
    "area": (POLYNOMIALS(4, 2), 2 * SYMPLECTIC[0], SYMPLECTIC[1], ["1", "u1 v2 - u2 v1"]),
    "differences": (POLYNOMIALS(3, 1), 3 * P1, action.scalars(T1), ["1", "x - z", "y - z"]),
    "distance of points": (
        POLYNOMIALS(4, 2),
        2 * SE2[0],
        SE2[1],
        ["1", "u1^2 - 2 u1 v1 + u2^2 - 2 u2 v2 + v1^2 + v2^2"],
    ),
    "weights": (POLYNOMIALS(3, 8), *WEIGHTS, ["1", "x^3 y^2 z^3"]),
    "sums of powers": (POLYNOMIALS(3, 2), *S3, ["1", "x + y + z", "x^2 + y^2 + z^2", "x y + x z + y z"]),
    "waves of the difference": (
        dictionary.fourier(2, 2),
        2 * P1,
        action.scalars(T1),
        ["1", "cos(x - y)", "sin(x - y)"],
    ),
    "central forces": (dictionary.radial(-3, -3, 3), V, V, ["(r^-3 x, r^-3 y, r^-3 z)"]),
    "two kinds of functions": (
        dictionary.blocks([POLYNOMIALS(3, 2), dictionary.radial(-2, -2, 3)]),
        2 * V,
        V,
        ["(u1, u2, u3)", "(v1/(v1^2 + v2^2 + v3^2), v2/(v1^2 + v2^2 + v3^2), v3/(v1^2 + v2^2 + v3^2))"],
    ),
    "constants count once": (
        dictionary.blocks([POLYNOMIALS(3, 2), POLYNOMIALS(3, 2)]),
        2 * V,
        ONE,
        ["1 + 1", "u1^2 + u2^2 + u3^2", "v1^2 + v2^2 + v3^2"],
    ),
    "user's functions": (
        dictionary.functions([lambda x: x[0] ** 2 + 1, lambda x: jnp.sin(x[0]), lambda x: x[1] ** 2], 2),
        *pair("so(2)"),
        ["(x^2 + 1) + y^2"],
    ),
    "along quadratic fields": (POLYNOMIALS(2, 3), CONFORMAL, action.tangent(CONFORMAL), []),
    "only zero": (dictionary.linear(3), V, ONE, []),
}
QUICK = ("cross product", "differences", "sums of powers", "constants count once", "user's functions", "only zero")
every_case = pytest.mark.parametrize(("family", "source", "target", "lines"), PRINTED.values(), ids=PRINTED.keys())


@every_case
def test_known_functions_are_printed(family, source, target, lines):
    found = enforce.functions(family, source=source, target=target)
    assert found.dim == len(lines)
    assert found.equations() == lines
    if not lines:
        assert "only F = 0" in str(found)


@pytest.mark.parametrize(
    ("family", "source", "target"),
    [pytest.param(*c[:3], id=k, marks=() if k in QUICK else pytest.mark.slow) for k, c in PRINTED.items()],
)
def test_laws_of_the_record(family, source, target):
    found = enforce.functions(family, source=source, target=target)
    flat = found.basis.reshape(found.dim, target.width * family.size)
    np.testing.assert_allclose(flat @ flat.T, np.eye(found.dim), atol=1e-12)
    rng = np.random.default_rng(0)
    W = rng.normal(size=(target.width, family.size))
    near = found.project(W)
    np.testing.assert_allclose(found.project(near), near, atol=1e-12)
    assert found.residual(near) < 1e-7
    assert all(found.residual(simple) < 1e-7 for simple in found.simple())
    c, x = rng.normal(size=found.dim), jnp.asarray(rng.uniform(0.5, 1, family.width))
    F = found.apply(c, x)
    assert F.shape == (target.width,)
    np.testing.assert_allclose(F, c @ np.asarray(found.values(x)), atol=1e-12)
    np.testing.assert_allclose(F, jax.jit(found.apply)(c, x), atol=1e-12)
    # The definition, by automatic differentiation and nothing that the answer was made with.
    along = jax.jacfwd(lambda z: found.apply(c, z))(x) @ source.fields(x).T
    np.testing.assert_allclose(along, target.over(x, F).T, atol=1e-7)
    if isinstance(target, action.FieldAction):
        for j in range(source.elements.shape[0]):
            moved = source.elements.apply(source.dictionary(x))[j]
            np.testing.assert_allclose(found.apply(c, moved), target.discrete().apply(F)[j], atol=1e-9)


def test_counts_of_invariants_and_covariants_of_vectors():
    """Hilbert series: 1/(1-t^2), 1/(1-t^2)^3, (1+t^3)/(1-t^2)^6; for two vectors u and v, u, v and u x v are free."""
    for degree in range(7):
        half = degree // 2
        assert enforce.functions(POLYNOMIALS(3, degree), source=V, target=ONE).dim == half + 1
        two = sum(comb(k + 2, 2) for k in range(half + 1))
        assert enforce.functions(POLYNOMIALS(6, degree), source=2 * V, target=ONE).dim == two
    products = [sum(comb(k + 2, 2) for k in range((d // 2) + 1)) if d >= 0 else 0 for d in range(-2, 5)]
    assert enforce.functions(POLYNOMIALS(6, 4), source=2 * V, target=V).dim == 2 * products[3 + 2] + products[2 + 2]
    three = enforce.functions(POLYNOMIALS(9, 4), source=3 * V, target=ONE)
    assert three.dim == 1 + 6 + 1 + 21
    assert three.texts(three.generators())[-1].count("u1") == 2


@pytest.mark.slow
def test_three_vectors_to_degree_six():
    found = enforce.functions(POLYNOMIALS(9, 6), source=3 * V, target=ONE)
    assert found.dim == 1 + 6 + 21 + 56 + 1 + 6
    assert len(found.generators()) == 7


@pytest.mark.parametrize(("n", "degree", "count"), [(3, 6, 23), (4, 4, 12), (5, 3, 7)])
def test_symmetric_polynomials_are_counted_by_partitions(n, degree, count):
    moves, one = pair(f"symmetric({n})")
    assert enforce.functions(POLYNOMIALS(n, degree), source=moves, target=one).dim == count


def test_groups_with_generators_and_elements_beside_each_other():
    """Invariants of the quarter turn: x^2 + y^2, and in degree 4 two more than for all rotations."""
    quarter = algebra.extended(algebra.permutations(np.zeros((0, 2), int)), [[[0.0, -1.0], [1.0, 0.0]]])
    found = enforce.functions(POLYNOMIALS(2, 4), source=action.vectors(quarter), target=action.scalars(quarter))
    assert found.dim == 1 + 1 + 3
    assert len(found.generators()) == 3


def test_closed_dictionaries_are_representations():
    """The same count by the other road: linear maps from R^D, on which the features move."""
    for family, source, target in [(POLYNOMIALS(3, 4), V, V), (POLYNOMIALS(2, 3), *SE2)]:
        matrices = enforce.functions(family, source=source, target=target)
        assert matrices.how == "exact"
        features = action.linear(source.algebra, _motion(family, source))
        assert enforce.maps(features, target).dim == matrices.dim


def _motion(family, source):
    found = lie_matrices(family, source)
    return found.generators.dense() * found.scale[:, None] / found.scale


def test_samples_find_what_exact_matrices_find():
    polynomials = POLYNOMIALS(3, 3)
    own = dictionary.functions([lambda x, i=i: polynomials(x)[i] for i in range(polynomials.size)], 3)
    exact, found = enforce.functions(polynomials, source=V, target=V), enforce.functions(own, source=V, target=V)
    assert "sampled" in found.how
    np.testing.assert_allclose(found.simple(), exact.simple(), atol=1e-9)
    data = np.random.default_rng(3).normal(size=(90, 3))
    assert "90 points" in enforce.functions(own, source=V, target=V, x=data).how


def test_measured_generators_need_a_tolerance():
    turn = np.array([[[0.0, -1.0], [1.003, 0.0]]])
    g = algebra.matrices(turn, names=["measured"])
    moves, one = action.vectors(g), action.scalars(g)
    assert enforce.functions(POLYNOMIALS(2, 2), source=moves, target=one).dim == 2  # its own ellipse
    damped = algebra.matrices(turn + 1e-3 * np.eye(2), names=["measured"])
    moves, one = action.vectors(damped), action.scalars(damped)
    assert enforce.functions(POLYNOMIALS(2, 2), source=moves, target=one).dim == 1
    loose = enforce.functions(POLYNOMIALS(2, 2), source=moves, target=one, tolerance=0.01)
    assert loose.dim == 2
    assert 1e-5 < max(loose.residual(W) for W in loose.basis) < 0.01
    near = algebra.matrices(np.array([np.diag([1e-3, 4e-3, 1.0])]), names=["slow"])
    with pytest.raises(ValueError, match=r"0.00\d+ would count as zero, 0.00\d+.* would not"):
        enforce.functions(
            dictionary.linear(3), source=action.vectors(near), target=action.scalars(near), tolerance=5e-3
        )


def test_irrational_coefficients_stay_decimal():
    g = algebra.matrices(np.array([[[0.0, -np.sqrt(2)], [1.0, 0.0]]]), names=["J"])
    found = enforce.functions(POLYNOMIALS(2, 2), source=action.vectors(g), target=action.scalars(g))
    assert found.equations(["p", "q"])[1] == "0.70711 p^2 + q^2"


def test_names_and_outputs():
    found = enforce.functions(dictionary.linear(3), source=V, target=V)
    assert found.equations(["a", "b", "c"], outputs=["fa", "fb", "fc"]) == ["fa = a, fb = b, fc = c"]
    with pytest.raises(ValueError, match="expected 3 names"):
        found.equations(["a"])
    with pytest.raises(ValueError, match="outputs: expected 3 names"):
        found.equations(outputs=["f"])


def test_fit_recovers_a_force():
    found = enforce.functions(dictionary.radial(-3, 1, 3), source=V, target=V)
    rng = np.random.default_rng(0)
    X = rng.normal(size=(50, 3))
    Y = -2.0 * X / np.linalg.norm(X, axis=1)[:, None] ** 3
    c = found.fit(X, Y)
    np.testing.assert_allclose(found.matrix(c)[:, :3], -2.0 * np.eye(3), atol=1e-9)
    assert np.linalg.norm(found.fit(X, Y, ridge=10.0)) < np.linalg.norm(c)
    with pytest.raises(ValueError, match="must have shapes"):
        found.fit(X, Y[:, 0])


def test_bad_input_says_what_to_do():
    with pytest.raises(TypeError, match=r"expected one such as ld\.dictionary\.polynomials"):
        enforce.functions(3, source=V, target=ONE)
    with pytest.raises(ValueError, match="over different algebras"):
        enforce.functions(POLYNOMIALS(3, 2), source=V, target=action.scalars(T1))
    with pytest.raises(TypeError, match="moves points, and functions to points form no vector space"):
        enforce.functions(POLYNOMIALS(1, 2), source=P1, target=P1)
    with pytest.raises(ValueError, match="tolerance must lie between 0 and 1"):
        enforce.functions(POLYNOMIALS(3, 2), source=V, target=ONE, tolerance=2.0)
    with pytest.raises(TypeError, match="does not act linearly on outputs"):
        enforce.functions(POLYNOMIALS(2, 2), source=CONFORMAL, target=CONFORMAL)
    found = enforce.functions(POLYNOMIALS(3, 2), source=V, target=ONE)
    with pytest.raises(ValueError, match=r"W has shape \(1, 3\)"):
        found.project(np.zeros((1, 3)))
    with pytest.raises(ValueError, match=r"coefficients must have shape \(2,\)"):
        found.apply(np.zeros(3), np.zeros(3))
    with pytest.raises(TypeError, match="one invariant output of polynomials"):
        enforce.functions(POLYNOMIALS(3, 2), source=V, target=V).generators()
