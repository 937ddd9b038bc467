"""Symmetries of sections of bundles against known answers of geometry."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.linear_model import LinearRegression

import lieder as ld

random = np.random.default_rng(0)
fields, gl, aff = ld.action.polynomial_fields, ld.algebra.gl, ld.algebra.aff


class Known(NamedTuple):
    """A section, points, candidates, its kind, how many symmetries it has, and the name of their algebra."""

    S: Callable
    x: np.ndarray
    action: ld.action.AbstractAction
    kind: Any
    dim: int
    name: str
    up_to_factor: bool = False


def constant(value) -> Callable:
    return lambda z: jnp.asarray(value, float) + 0 * z[0]


def sphere(z):
    """In stereographic coordinates."""
    return 4 * jnp.eye(2) / (1 + z @ z) ** 2


def half_plane(z):
    return jnp.eye(2) / z[1] ** 2


def schwarzschild(z):
    """A black hole of Schwarzschild radius 1, (t, x, y, z)."""
    place = z[1:]
    r = jnp.sqrt(place @ place)
    f = 1 - 1 / r
    metric = jnp.zeros((4, 4)).at[0, 0].set(-f)
    return metric.at[1:, 1:].set(jnp.eye(3) + (1 / f - 1) * jnp.outer(place, place) / r**2)


def outside(count: int) -> np.ndarray:
    directions = random.normal(size=(count, 3))
    directions *= (random.uniform(2, 4, count) / np.linalg.norm(directions, axis=1))[:, None]
    return np.concatenate([random.normal(size=(count, 1)), directions], axis=1)


# Rotations of the sphere in angles (theta, phi), and fields that are none.
IN_ANGLES = [
    lambda z: jnp.stack([0 * z[0], jnp.ones(())]),
    lambda z: jnp.stack([jnp.sin(z[1]), jnp.cos(z[1]) / jnp.tan(z[0])]),
    lambda z: jnp.stack([jnp.cos(z[1]), -jnp.sin(z[1]) / jnp.tan(z[0])]),
    lambda z: jnp.stack([jnp.ones(()), 0 * z[0]]),
    lambda z: jnp.stack([0 * z[0], z[1]]),
    lambda z: jnp.stack([jnp.sin(z[0]), 0 * z[0]]),
]
ANGLES = np.stack([random.uniform(0.5, 2.6, 80), random.uniform(-3, 3, 80)], axis=1)
PLANE, SPACE, FOUR = (random.normal(size=(60, n)) for n in (2, 3, 4))
SYMPLECTIC = np.kron([[0.0, 1.0], [-1.0, 0.0]], np.eye(2))
MINKOWSKI = np.diag([-1.0, 1.0, 1.0, 1.0])
SWIRL = np.array([[0.0, 1.0, 0.0], [-1.0, 0.0, 0.0], [0.0, 0.0, 2.0]])
COMPLEX = np.kron(np.eye(2), [[0.0, -1.0], [1.0, 0.0]])


CLOCK_AND_RULERS = np.concatenate([np.eye(4)[0], np.diag([0.0, 1.0, 1.0, 1.0]).reshape(-1)])


def growing(z):
    """A universe that grows as t^2/3, at (t, x, y, z): to scale time by c and places by c^1/3 scales lengths by c."""
    return jnp.diag(jnp.stack([-jnp.ones(()), *(z[0] ** (4 / 3),) * 3]))


def momentum(z):
    """The form p dq of (q, p)."""
    return jnp.concatenate([z[2:], 0 * z[:2]])


def in_angles(z):
    return jnp.diag(jnp.stack([jnp.ones(()), jnp.sin(z[0]) ** 2]))


KNOWN = {
    "Killing, sphere, stereographic": Known(sphere, PLANE, fields(2, 2), "metric", 3, "so(3)"),
    "Killing, sphere, angles": Known(in_angles, ANGLES, ld.action.fields(IN_ANGLES, 2), "metric", 3, "so(3)"),
    "Killing, half plane": Known(half_plane, PLANE / 4 + [0, 2], fields(2, 2), "metric", 3, "sl(2)"),
    "Killing, Minkowski": Known(constant(MINKOWSKI), FOUR, ld.points(aff(4)), "metric", 10, "poincare(3)"),
    "Killing, Schwarzschild": Known(schwarzschild, outside(60), ld.points(aff(4)), "metric", 4, "so(3) + R^1"),
    "conformal, Minkowski": Known(constant(MINKOWSKI), FOUR, fields(4, 2), "metric", 15, "so(2,4)", True),
    "homothety, growing universe": Known(growing, np.abs(FOUR) + 0.3, ld.points(aff(4)), "metric", 7, "", True),
    "clock and rulers": Known(
        constant(CLOCK_AND_RULERS),
        FOUR,
        ld.points(aff(4)),
        ld.covectors(aff(4)) + ld.action.tensors(aff(4), 2, 0),
        10,
        "galilean(3)",
    ),
    "covector, p dq": Known(momentum, FOUR, ld.points(aff(4)), "covector", 6, "aff(2)"),
    "density, 1/r^3": Known(lambda z: (z @ z) ** -1.5, SPACE, ld.points(aff(3)), "density", 4, "so(3) + R^1"),
    "conformal, space": Known(constant(np.eye(3)), SPACE, fields(3, 2), "metric", 10, "so(1,4)", True),
    "conformal, sphere": Known(sphere, PLANE, fields(2, 2), "metric", 6, "so(1,3)", True),
    "inverse metric": Known(lambda z: jnp.linalg.inv(sphere(z)), PLANE, fields(2, 2), "cometric", 3, "so(3)"),
    "symplectic, sp(4)": Known(constant(SYMPLECTIC), FOUR, ld.vectors(gl(4)), "two-form", 10, "so(2,3)"),
    "Poisson, sp(4)": Known(constant(SYMPLECTIC), FOUR, ld.vectors(gl(4)), "bivector", 10, "so(2,3)"),
    "contact form": Known(
        lambda z: jnp.stack([-z[1], 0 * z[0], jnp.ones(())]), SPACE, ld.points(aff(3)), "covector", 4, "", False
    ),
    "volume, sl(3)": Known(constant(1.0), SPACE, ld.vectors(gl(3)), "density", 8, "sl(3)"),
    "Gaussian density": Known(lambda z: jnp.exp(-z @ z / 2), SPACE, ld.points(aff(3)), "density", 3, "so(3)"),
    "commutant": Known(lambda z: jnp.asarray(SWIRL) @ z, SPACE, ld.vectors(gl(3)), "vector", 3, "R^3"),
    "orbits of a node": Known(lambda z: -z, PLANE, ld.points(aff(2)), "vector", 4, "gl(2)", True),
    "parallel flow": Known(constant([1.0, 0.0]), PLANE, ld.points(aff(2)), "vector", 4, "", False),
    "complex structure, gl(2, C)": Known(constant(COMPLEX), FOUR, ld.vectors(gl(4)), "endomorphism", 8, "", False),
    "height": Known(lambda z: z[2] ** 2, SPACE, ld.points(ld.algebra.se(3)), "function", 3, "se(2)"),
}
SLOW = {
    "conformal, Minkowski",
    "conformal, space",
    "Killing, sphere, angles",
    "inverse metric",
    "Poisson, sp(4)",
    "Killing, Schwarzschild",
}


def asked(case: Known, **more) -> ld.Symmetries:
    return ld.discover.section(
        case.S, case.x, action=case.action, kind=case.kind, up_to_factor=case.up_to_factor, **more
    )


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] if name in SLOW else []) for name in KNOWN]
)
def test_known_answers(name):
    case = KNOWN[name]
    found = asked(case)
    assert (found.dim, found.evidence.verdict) == (case.dim, "symmetries")
    assert found.defects[: found.dim].max() < 1e-13 and found.defects[found.dim :].min(initial=1.0) > 1e-2
    assert found.evidence.finite is not None and np.nanmax(found.evidence.finite) < 1e-8
    assert not case.name or found.identify() == case.name


def test_defect_is_the_lie_derivative_over_the_sizes():
    """For the metric of the half plane and the field d/dy, by hand at one point many times, and by units."""
    x = np.array([[0.0, 2.0], [1.0, 2.0], [0.0, 3.0], [1.0, 3.0]])
    one = ld.action.fields([lambda z: jnp.stack([0 * z[0], jnp.ones(())])], 2, ["lift"])
    found = ld.discover.section(half_plane, np.repeat(x, 2, axis=0), action=one, kind="metric")
    length = 0.5  # rms spread of the coordinates
    slope, size = np.sqrt(2) * 2 / x[:, 1] ** 3, np.sqrt(2) / x[:, 1] ** 2
    expected = np.sum(slope**2) / np.sum(slope**2 + (size / length) ** 2)
    assert_allclose(found.defects, [np.sqrt(expected)], rtol=1e-12)


def test_units_do_not_matter():
    x, scale = PLANE / 4 + [0, 2], 1e4
    other = ld.discover.section(lambda z: 7 * half_plane(z / scale), scale * x, action=ld.points(aff(2)), kind="metric")
    same = ld.discover.section(half_plane, x, action=ld.points(aff(2)), kind="metric")
    assert_allclose(other.defects, same.defects, rtol=1e-9, atol=1e-14)
    assert other.dim == same.dim == 2  # d/dx and the scaling


def test_vector_kind_agrees_with_vector_field():
    def hopf(z):
        r2 = z @ z
        return jnp.stack([z[0] - z[1] - z[0] * r2, z[0] + z[1] - z[1] * r2])

    ours = ld.discover.section(hopf, PLANE, action=ld.points(aff(2)), kind="vector")
    theirs = ld.discover.vector_field(hopf, PLANE, action=ld.points(aff(2)))
    assert ours.dim == theirs.dim == 1 and ours.similarity(theirs.generators) > 1 - 1e-12
    assert ours.target == theirs.target


def test_a_broken_symmetry_is_none():
    def bumpy(z):
        return sphere(z) * (1 + 0.01 * z[0] ** 3 / (1 + z @ z) ** 2)

    found = ld.discover.section(bumpy, PLANE, action=fields(2, 2), kind="metric")
    assert found.dim == 0 and found.evidence.verdict == "no symmetry"


def test_weights_of_a_density():
    """1 / |z| is a half-density that scalings of the plane leave."""
    scaling = ld.points(ld.algebra.matrices(np.eye(2)[None]))
    for weight, dim in ((0.5, 1), (0.6, 0)):
        found = ld.discover.section(lambda z: 1 / jnp.sqrt(z @ z), PLANE, action=scaling, kind="density", weight=weight)
        assert found.dim == dim


def test_values_may_move_in_a_way_of_their_own():
    """A field of two spinors' phases: charge 2 turns twice as fast as the plane."""
    g = ld.algebra.so(2)
    twice = ld.action.linear(g, 2 * g.generators.dense()[:, :, :2])
    S = lambda z: jnp.stack([z[0] ** 2 - z[1] ** 2, 2 * z[0] * z[1]])  # noqa: E731
    assert ld.discover.section(S, PLANE, action=ld.points(g), kind=twice).dim == 1
    assert ld.discover.section(S, PLANE, action=ld.points(g), kind="vector").dim == 0


def test_a_record_is_saved_and_goes_into_enforce(tmp_path):
    found = asked(KNOWN["Killing, half plane"], names=["x", "y"], component_names=["E", "F", "F'", "G"])
    again = ld.Symmetries.load(found.save(tmp_path / "found.npz"))
    assert again.fields() == found.fields() == ["d/dx", "x d/dx + y d/dy", "1/2 (x^2 - y^2) d/dx + x y d/dy"]
    assert found.names == ("x", "y", "E", "F", "F'", "G")
    assert "symmetries of a section" in str(found).lower()
    unchanged = ld.enforce.functions(
        ld.dictionary.polynomials(2, 2), source=found.action, target=ld.scalars(found.algebra)
    )
    assert unchanged.dim == 1  # the group is transitive: constants alone


def test_a_fitted_model_is_a_section():
    line = LinearRegression().fit(PLANE, PLANE @ np.array([[0.0, -1.0], [1.0, 0.0]]))
    found = ld.discover.section(line, PLANE, action=ld.points(aff(2)), kind="vector")
    assert found.dim == 2 and found.identify() == "R^2"


BAD = [
    (sphere, {"kind": "metrik"}, "kind must be 'function', 'vector'"),
    (sphere, {"kind": (1, -1)}, "a pair"),
    (lambda z: jnp.stack([z, z * z]), {"kind": "metric"}, "S is not symmetric, as a metric is: at row"),
    (sphere, {"kind": "two-form"}, "S is not antisymmetric"),
    (lambda z: 0 * z, {"kind": "vector"}, "S is zero at the first"),
    (lambda z: z[:1], {"kind": "vector"}, r"S returns shape \(1,\)"),
    (lambda z: jnp.ones((2, 3)), {"kind": "metric"}, r"must return \(4,\)"),
    (lambda z: z @ z, {"kind": "density", "up_to_factor": True}, "one component"),
    (lambda z: z @ z, {"kind": "density", "weight": np.nan}, "weight must be a finite number"),
    (lambda z: z, {"kind": ld.vectors(gl(2))}, "different algebras"),
    (lambda z: z, {"kind": ld.action.tangent(ld.points(aff(2))), "weight": 1.0}, "kind is an action of its own"),
    (lambda z: z / 0, {"kind": "vector"}, "S returns NaN or inf at row"),
    (lambda z: z, {"kind": "vector", "component_names": ["a"]}, "component_names must hold 2 names"),
]


@pytest.mark.parametrize(("S", "arguments", "words"), BAD, ids=[words for *_, words in BAD])
def test_bad_input_in_words(S, arguments, words):
    with pytest.raises(ValueError, match=words):
        ld.discover.section(S, PLANE, action=ld.points(aff(2)), **arguments)


def test_fewer_equations_than_candidates():
    with pytest.raises(ValueError, match="5 equations for 12 candidate"):
        ld.discover.section(lambda z: z @ z, PLANE[:5], action=fields(2, 2), kind="density")
