"""Momenta of symmetries of Hamiltonians, and monomials without a unit."""

from fractions import Fraction

import jax.numpy as jnp
import numpy as np
import pytest

import lieder as ld
from lieder import algebra
from lieder.discover import dimensionless, noether

NAMES = ["x", "y", "u", "v"]
X = np.random.default_rng(0).normal(size=(80, 4)) + 0.2


def energy(z):
    return jnp.sum(z**2) / 2


def test_rotations_have_angular_momentum():
    x = np.random.default_rng(1).normal(size=(60, 6)) + 0.2
    found = noether(
        lambda z: jnp.sum(z[3:] ** 2) / 2 - 1 / jnp.sqrt(jnp.sum(z[:3] ** 2)),
        x,
        symmetries=2 * ld.vectors(algebra.so(3)),
        names=["x", "y", "z", "a", "b", "c"],
    )
    assert found.expressions() == ["b x - a y", "c x - a z", "c y - b z"]
    assert (found.dim, found.independent, found.generators) == (3, 3, ("J12", "J13", "J23"))
    assert found.defects.max() < 1e-12 and "1. b x - a y   of J12" in str(found)
    np.testing.assert_allclose(found.transform(x), np.cross(x[:, :3], x[:, 3:])[:, [2, 1, 0]] * [1, -1, 1], atol=1e-12)


@pytest.mark.parametrize("pairs", [None, [("x", "u"), ("y", "v")], [(0, 2), (1, 3)]])
def test_only_the_symplectic_part_of_what_was_found(pairs):
    """so(4) keeps the energy of the oscillator; u(2) in it keeps the area, too."""
    found = ld.discover.function(energy, X, source=ld.vectors(algebra.gl(4)), names=NAMES)
    momenta = noether(energy, X, symmetries=found, names=NAMES, pairs=pairs)
    assert (found.dim, momenta.dim, momenta.independent) == (6, 4, 3)
    texts = {text.lstrip("-") for text in momenta.expressions()}
    assert {"1/2 x^2 + 1/2 u^2", "1/2 y^2 + 1/2 v^2", "x y + u v"} <= texts
    assert len(momenta.generators) == 4 and momenta.defects.max() < 1e-12


def test_momentum_generates_its_symmetry():
    """dJ = omega(theta, .): the Hamiltonian field of J is theta."""
    shear = ld.vectors(algebra.matrices([np.array([[0.0, 1.0], [0.0, 0.0]])]))
    found = noether(lambda z: z[1] ** 2 / 2, X[:, :2], symmetries=shear, names=["q", "p"])
    assert found.expressions() == ["1/2 p^2"]
    swapped = noether(lambda z: z[1] ** 2 / 2, X[:, :2], symmetries=shear, names=["p", "q"], pairs=[("q", "p")])
    assert swapped.expressions() == ["-1/2 q^2"]


def test_translations_have_momenta():
    along = ld.action.fields([lambda z: jnp.eye(4)[1]], 4, ["d/dy"])
    found = noether(lambda z: z[2] ** 2 + z[0] ** 2, X, symmetries=along, names=NAMES)
    assert found.expressions() == ["v"]


@pytest.mark.parametrize(
    ("hamiltonian", "options", "message"),
    [
        (energy, {"symmetries": ld.vectors(algebra.gl(4))}, "generator E.. is not symplectic: it changes the area"),
        (energy, {"symmetries": ld.vectors(algebra.sp(4))}, "does not keep H: along it H changes by"),
        (energy, {"symmetries": ld.vectors(algebra.so(3))}, "x has 4 columns"),
        (energy, {"symmetries": "so(4)"}, "symmetries must be what discover.function found"),
        (energy, {"symmetries": ld.vectors(algebra.so(4)), "pairs": [("x", "u")]}, "pairs must name each column once"),
        (lambda z: z[:2], {"symmetries": ld.vectors(algebra.sp(4))}, "one number for one state"),
        (
            lambda z: z[2] ** 2,
            {"symmetries": ld.action.fields([lambda z: jnp.eye(4)[1]], 4, ["d/dy"]), "dictionary": "fourier(1)"},
            "momentum of d/dy is no combination",
        ),
    ],
)
def test_bad_input_in_words(hamiltonian, options, message):
    with pytest.raises((ValueError, TypeError), match=message):
        noether(hamiltonian, X, **options)


def test_what_has_no_momentum():
    with pytest.raises(ValueError, match="3 columns: coordinates and momenta come in pairs"):
        noether(energy, X[:, :3], symmetries=ld.vectors(algebra.so(3)))
    squeeze = ld.vectors(algebra.matrices([[[0, 0], [0, 1.0]]]))
    alone = ld.discover.function(lambda z: z[0] ** 2, X[:, :2], source=squeeze)
    with pytest.raises(ValueError, match="none of the combinations found is symplectic"):
        noether(lambda z: z[0] ** 2, X[:, :2], symmetries=alone)


UNITS = [
    ({"F": "N", "mu": "Pa s", "v": "m/s", "D": "m", "rho": "kg m^-3"}, ["F v^-2 D^-2 rho^-1", "mu v^-1 D^-1 rho^-1"]),
    ({"T": "s", "m": "kg", "l": "cm", "g": "m/s^2", "angle": "rad"}, ["T^2 l^-1 g", "angle"]),
    ({"T": "day", "a": "AU", "GM": "AU^3/day^2"}, ["T^2 a^-3 GM"]),
    ({"a": "K^(1/2)", "b": "K", "c": {"K": Fraction(1, 3)}}, ["a^2 c^-3", "b c^-3"]),
    ({"n": "apples", "m": "apples / pear", "k": "pear**2"}, ["n^2 m^-2 k^-1"]),
    ({"T": "s", "l": "m"}, []),
]


@pytest.mark.parametrize(("units", "expected"), UNITS)
def test_monomials_without_a_unit(units, expected):
    found = dimensionless(units)
    assert found.expressions() == expected and found.dim == len(expected)
    x = np.random.default_rng(0).uniform(0.5, 2, (5, len(units)))
    values = found.transform(x)
    for k, row in enumerate(found.exponents):
        np.testing.assert_allclose(values[:, k], np.prod(x ** np.array(row, float), axis=1))
    assert str(found).startswith(f"{len(expected)} monomial" if expected else "No monomial of T, l")


def test_changes_of_units_change_no_monomial():
    found = dimensionless(UNITS[0][0])
    length, mass, time = 3.0, 0.2, 7.0
    change = [mass * length / time**2, mass / length / time, length / time, length, mass / length**3]
    x = np.random.default_rng(0).uniform(0.5, 2, (4, 5))
    np.testing.assert_allclose(found.transform(x * change), found.transform(x))


def planets():
    """Period by the law of areas, and half the long axis, of each planet, from positions and velocities."""
    data = np.genfromtxt("examples/planets.csv", delimiter=",", names=True, dtype=None, encoding="utf8")
    rows = []
    for name in dict.fromkeys(data["planet"]):
        own = data[data["planet"] == name]
        x, v = (np.stack([own[f"{kind}{axis}"] for axis in "xyz"], axis=1) for kind in ("", "v"))
        far, near = np.linalg.norm(x, axis=1).max(), np.linalg.norm(x, axis=1).min()
        long, short = (far + near) / 2, np.sqrt(far * near)
        rows.append([2 * np.pi * long * short / np.linalg.norm(np.cross(x, v), axis=1).mean(), long])
    return np.array(rows)


def test_kepler_s_third_law_from_the_planets(monkeypatch):
    monkeypatch.chdir(__file__.rpartition("/tests/")[0])
    x = planets()
    found = ld.discover.level_set(
        np.log(x), action=ld.points(algebra.t(2)), dictionary=ld.dictionary.affine(2), names=["T", "a"]
    )
    law = dimensionless(found)
    assert found.dim == 1 and law.expressions() == ["T^2 a^-3"]
    values = law.transform(x)
    assert values.std() / values.mean() < 1e-3


def test_scalings_that_were_found():
    """y = x^(3/2) z, from the scalings that keep it."""
    x = np.random.default_rng(0).uniform(0.5, 2, (60, 2))
    g = algebra.product(algebra.scalings(2), algebra.scalings(1))
    source, target = ld.action.independent(ld.vectors(algebra.scalings(2)), ld.vectors(algebra.scalings(1)))
    found = ld.discover.function(lambda z: z[:1] ** 1.5 * z[1:], x, source=source, target=target, names=["x", "z"])
    assert found.dim == 2 and g.dim == 3
    assert dimensionless(found, columns=["y0", "x", "z"]).expressions() == ["y0^2 x^-3 z^-2"]


@pytest.mark.parametrize(
    ("units", "options", "message"),
    [
        ({"a": "kg m^^2"}, {}, "'kg m\\^\\^2' of column 'a' cannot be read at"),
        ({"a": 3}, {}, "column 'a' has 3; write a text"),
        ({"a": "m"}, {"columns": ["a", "b"]}, "no unit is given for b"),
        (["m"], {}, "units must give each column its unit"),
        (ld.vectors(algebra.so(2)), {}, "symmetry 1 does not multiply each column by itself"),
    ],
)
def test_units_in_words(units, options, message):
    with pytest.raises((ValueError, TypeError), match=message):
        dimensionless(units, **options)


def test_values_without_a_power():
    found = dimensionless({"a": "m", "b": "m"})
    with pytest.raises(ValueError, match=r"0 in column 'b' \(row 1\) has no power -1"):
        found.transform([[1.0, 2.0], [1.0, 0.0]])
    with pytest.raises(ValueError, match="x has 3 columns, but the monomials are of 2: a, b"):
        found.transform(np.ones((2, 3)))
    with pytest.raises(ValueError, match="names must hold 2 names"):
        found.expressions(["a"])
