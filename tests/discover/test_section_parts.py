"""Sections in pieces: any split, merged in any order, saved or not, is the whole."""

import jax.numpy as jnp
import numpy as np
import pytest

import lieder as ld

PLACES = np.random.default_rng(5).uniform(1, 2, size=(300, 3)) * [1, 1, 1e3]
AFF, GL = ld.algebra.aff(2), ld.algebra.gl(2)
CUTS = [(1, 2, 150), (40, 41, 200, 299), (100, 250)]


def half_plane(z):
    return jnp.eye(2) / z[1] ** 2


def cylinder(z):
    """Round about its axis, along which lengths are measured in thousands: two units."""
    return jnp.diag(jnp.stack([1.0, 1.0, 1e-6 * jnp.exp(z[2] / 1e3)]))


CASES = {
    "metric": (half_plane, 2, {"source": ld.points(AFF), "kind": "metric"}, 2),
    "two units": (cylinder, 3, {"source": ld.vectors(GL) + ld.scalars(GL, 1), "kind": "metric"}, 1),
    "up to a factor": (
        lambda z: jnp.stack([-z[1], z[0]]),
        2,
        {"source": ld.vectors(GL), "kind": "vector", "up_to_factor": True},
        2,
    ),
    "weighted density": (lambda z: z[1] ** -3.0, 2, {"source": ld.vectors(GL), "kind": "density", "weight": 0.5}, 2),
}


def whole(case):
    S, width, how, _ = CASES[case]
    how = dict(how)
    return ld.discover.section(S, PLACES[:, :width], action=how.pop("source"), **how)


@pytest.mark.parametrize(("case", "cuts"), list(zip(CASES, [*CUTS, CUTS[0]], strict=True)))
def test_any_split_in_any_order_saved_or_not_is_the_whole(case, cuts, tmp_path):
    S, width, how, dim = CASES[case]
    x = PLACES[:, :width]
    expected = whole(case)
    shared = ld.discover.units(S, x, **how)
    starts = [0, *cuts]
    parts = [
        ld.discover.reduce(S, x[a:b], **how, first_row=a, units=shared)
        for a, b in zip(starts, [*cuts, len(x)], strict=True)
    ]
    parts[0] = ld.discover.Part.load(parts[0].save(tmp_path / "first.npz"))
    found = ld.discover.merge([parts[k] for k in np.random.default_rng(0).permutation(len(parts))], S)
    assert found.dim == expected.dim == dim
    np.testing.assert_allclose(found.defects, expected.defects, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(_span(found.generators), _span(expected.generators), atol=1e-8)
    np.testing.assert_array_equal(found.points, expected.points)
    assert (found.names, found.method, found.lifted) == (expected.names, expected.method, expected.lifted)
    assert found.fields() == expected.fields() and found.evidence.notes == expected.evidence.notes
    np.testing.assert_allclose(found.evidence.finite, expected.evidence.finite, rtol=1e-6, atol=1e-12)


def _span(generators):
    """The projection onto what they span: in it any basis is as good."""
    q, _ = np.linalg.qr(np.asarray(generators).reshape(len(generators), -1).T)
    return q @ q.T


def test_parts_of_other_sections_are_told_apart():
    x, how = PLACES[:, :2], {"source": ld.points(AFF)}
    units = ld.discover.units(half_plane, x, kind="metric", **how)
    metric = ld.discover.reduce(half_plane, x[:150], kind="metric", units=units, **how)
    conformal = ld.discover.reduce(
        half_plane, x[150:], kind="metric", up_to_factor=True, first_row=150, units=units, **how
    )
    with pytest.raises(ValueError, match="differ in kind: 0 slots up, 2 down and 0 slots up, 2 down, up to a factor"):
        ld.discover.merge([metric, conformal], half_plane)
    rest = ld.discover.reduce(half_plane, x[150:], kind="metric", first_row=150, units=units, **how)
    with pytest.raises(ValueError, match="S: its values are not those with which the parts were made"):
        ld.discover.merge([metric, rest], lambda z: 2 * half_plane(z))


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({"kind": "metric", "target": ld.scalars(AFF, 4)}, "target: how the values of a section move follows"),
        ({"weight": 1.0}, 'name their kind, kind="metric" say'),
        ({"up_to_factor": True}, 'name their kind, kind="metric" say'),
        ({"kind": "tensor"}, "kind must be 'function', 'vector'"),
        ({"kind": "density", "up_to_factor": True}, "up_to_factor=True: a density has one component"),
    ],
    ids=str,
)
def test_what_fits_no_section_is_refused(how, words):
    for verb in (ld.discover.reduce, ld.discover.units):
        with pytest.raises(ValueError, match=words):
            verb(half_plane, PLACES[:, :2], source=ld.points(AFF), **how)
