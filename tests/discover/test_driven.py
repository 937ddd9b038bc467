"""Symmetries of dynamical systems with inputs and time against answers by hand."""

import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose

import lieder as ld

random = np.random.default_rng(3)
X1, X2, U, T = (
    random.normal(size=(80, 1)),
    random.normal(size=(80, 2)),
    random.normal(size=80),
    random.uniform(0, 2, 80),
)
aff = ld.algebra.aff


def found(system, x, candidates, **more):
    return ld.discover.vector_field(system, x, action=ld.points(candidates), **more)


def spans(record, *texts):
    assert record.evidence.verdict == "symmetries" and sorted(record.fields()) == sorted(texts)


def known(record, *fields) -> np.ndarray:
    """Coefficients of fields written as {text of an affine candidate: coefficient}."""
    rows = np.eye(record.source.algebra.dim)
    place = {record.written(row): k for k, row in enumerate(rows)}
    return np.array([sum(c * rows[place[text]] for text, c in field.items()) for field in fields])


def test_an_integrator_of_its_input():
    """x' = u: shifts of x; scalings of x and u together; a slope added to u; time runs on and stretches."""
    record = found(lambda x, u, t: u, X1, aff(3), controls=U, time=T, names=["x"])
    answer = known(
        record,
        {"d/dx": 1},
        {"d/dt": 1},
        {"x d/dx": 1, "u0 d/du0": 1},
        {"t d/dt": 1, "u0 d/du0": -1},
        {"t d/dx": 1, "d/du0": 1},
    )
    assert record.dim == 5 and record.similarity(answer) > 1 - 1e-12


def test_fields_that_depend_on_the_input_are_none():
    """x' = 1: without its rate u x-shifts would seem symmetries, and are none where u changes."""
    record = found(lambda x, u: jnp.ones(1), X1, aff(2), controls=U, names=["x"])
    spans(record, "d/dx", "d/du0", "u0 d/du0", "x d/du0")
    assert record.defect(known(record, {"u0 d/dx": 1})) > 0.3


def test_candidates_may_leave_inputs_and_time_alone():
    """A driven rotation: alone nothing but what commutes with it for every u; with u it turns."""
    turn = np.array([[0.0, -1.0], [1.0, 0.0]])
    inputs = random.normal(size=(80, 2))
    driven = lambda x, u: turn @ x + u  # noqa: E731
    assert found(driven, X2, aff(2), controls=inputs).dim == 0
    both = ld.vectors(ld.algebra.gl(2)) + ld.vectors(ld.algebra.gl(2))
    record = ld.discover.vector_field(driven, X2, action=both, controls=inputs, names=["x", "y"])
    spans(record, "x d/dx + y d/dy + u0 d/du0 + u1 d/du1", "x d/dy - y d/dx + u0 d/du1 - u1 d/du0")
    assert record.identify() == "R^2"


def test_a_free_particle():
    """x' = v, v' = 0: shift, boost, later, two scalings, and the constant v times the shift and times later."""
    record = found(lambda x, t: jnp.stack([x[1], 0 * x[0]]), X2, aff(3), time=T, names=["x", "v"])
    answer = known(
        record,
        {"d/dx": 1},
        {"t d/dx": 1, "d/dv": 1},
        {"d/dt": 1},
        {"x d/dx": 1, "v d/dv": 1},
        {"t d/dt": 1, "v d/dv": -1},
        {"v d/dx": 1},
        {"v d/dt": 1},
    )
    assert record.dim == 7 and record.similarity(answer) > 1 - 1e-12
    assert np.nanmax(record.evidence.finite) < 1e-9


def test_the_galilean_group_of_two_bodies():
    """Two bodies on a spring that stiffens: shift, boost and later; momentum times the shift and times later; and a
    scaling of the motion of their centre, which is free."""

    def bodies(z, t):
        pull = (z[0] - z[1]) * (1 + (z[0] - z[1]) ** 2)
        return jnp.stack([z[2], z[3], -pull, pull])

    states = random.normal(size=(60, 4))
    record = found(bodies, states, aff(5), time=T[:60], names=["x", "y", "v", "w"])
    shift, boost, later = {"d/dx": 1, "d/dy": 1}, {"t d/dx": 1, "t d/dy": 1, "d/dv": 1, "d/dw": 1}, {"d/dt": 1}
    momentum = [{f"{p} d/dx": 1, f"{p} d/dy": 1} for p in "vw"]
    centre = {f"{p} d/d{q}": 1 for pair in ("xy", "vw") for p in pair for q in pair}
    answer = known(record, shift, boost, later, momentum[0] | momentum[1], {"v d/dt": 1, "w d/dt": 1}, centre)
    assert record.dim == 6 and record.similarity(answer) > 1 - 1e-12
    assert record.evidence.closure is not None and record.evidence.closure < 1e-12
    galilean = record.source.restrict(answer[:3], ld.algebra.heisenberg(1))
    constants, left = ld.action.bracket_constants(galilean, np.column_stack([states, T[:60]]))
    assert left < 1e-12 and np.count_nonzero(np.abs(constants) > 1e-9) == 2  # [later, boost] = shift alone


def test_rates_without_time_and_inputs_are_the_tangent_lift():
    curved = ld.points(ld.algebra.conformal(2))
    z, v, xi = jnp.asarray(X2[0]), jnp.asarray(X2[1]), random.normal(size=curved.algebra.dim)
    plain = ld.action.rates(curved, 2)
    assert_allclose(plain.over(z, v), ld.action.tangent(curved).over(z, v), atol=1e-12)
    assert_allclose(plain.over_one(jnp.asarray(xi), z, v), xi @ plain.over(z, v), atol=1e-12)


def test_a_record_with_time_is_saved(tmp_path):
    record = found(lambda x, t: jnp.stack([x[1], -jnp.sin(t)]), X2, aff(3), time=T, names=["h", "v"])
    again = ld.Symmetries.load(record.save(tmp_path / "found.npz"))
    assert again.target == record.target and again.fields() == record.fields() and "d/dh" in again.fields()
    assert record.names == ("h", "v", "t", "h'", "v'")


BAD = [
    ({"time": T[:5]}, "time has 5 rows and x has 80"),
    ({"time": X2}, r"time must hold one number a row, \(80,\), got 2 columns"),
    ({"controls": U, "names": ["u0", "y"]}, "share names of columns: u0, y, u0"),
    ({"controls": np.where(U > 2, np.nan, U)}, "NaN|nan"),
    ({"controls": X2, "time": T}, "x with controls and time has 5 columns"),
]


@pytest.mark.parametrize(("arguments", "words"), BAD, ids=[words for _, words in BAD])
def test_bad_input_in_words(arguments, words):
    with pytest.raises(ValueError, match=words):
        found(lambda x, *_: x, X2, aff(3), **arguments)


def test_a_stream_has_no_rows_beside_it():
    with pytest.raises(ValueError, match="x must be one array beside controls or time"):
        found(lambda x, t: x, iter([X2, X2]), aff(3), time=np.concatenate([T, T]))


def test_two_bodies_in_space_have_the_galilean_algebra():
    """Ten motions of (x1, x2, v1, v2, t) among linear maps of space, shifts, boosts, a step and a scaling of time."""
    linear = [np.kron(np.eye(4), np.eye(9)[k].reshape(3, 3)) for k in range(9)]
    matrices, shifts = np.zeros((17, 13, 13)), np.zeros((17, 13))
    matrices[:9, :12, :12] = linear
    for i in range(3):
        shifts[9 + i, [i, 3 + i]] = 1
        matrices[12 + i, [i, 3 + i], 12], shifts[12 + i, [6 + i, 9 + i]] = 1, 1
    shifts[15, 12] = 1
    matrices[16] = np.diag([0.0] * 6 + [-1.0] * 6 + [1.0])

    def bodies(z, t):
        apart = z[:3] - z[3:6]
        pull = -apart / (1 + apart @ apart) ** 2 - apart / 2
        return jnp.concatenate([z[6:], pull, -pull])

    rng = np.random.default_rng(0)
    found = ld.discover.vector_field(
        bodies,
        rng.normal(size=(80, 12)),
        action=ld.points(ld.algebra.affine(matrices, shifts)),
        time=rng.uniform(0, 2, 80),
    )
    assert found.dim == 10 and found.identify() == "galilean(3)"
    assert found.defects[9] < 1e-14 and found.defects[10] > 1e-3 and np.nanmax(found.evidence.finite) < 1e-12
