"""Finite symmetries: known answers, noise, units, what cannot be told, the record, and what is refused."""

import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import lieder as ld
from lieder import action, algebra, discover

RNG = np.random.default_rng(0)
PLANE = RNG.normal(size=(300, 2))
NOTHING = algebra.permutations(np.zeros((0, 2), int))
REVERSAL = algebra.extended(NOTHING, [np.diag([1.0, -1.0])], "reversal")  # momenta turn round


def seven(z):
    """r^2 + a Re(z^7) + b Im(z^7) + c: seven-fold, its mirrors turned, plus a term that breaks these."""
    re, im = z[0], z[1]
    for _ in range(6):
        re, im = re * z[0] - im * z[1], re * z[1] + im * z[0]
    r2 = z[0] ** 2 + z[1] ** 2
    return r2 + 0.02 * re + 0.01 * im * r2


def square(z):
    """The energy of an atom on a square lattice of period 1."""
    return jnp.cos(2 * jnp.pi * z[0]) + jnp.cos(2 * jnp.pi * z[1]) + 0.3 * jnp.cos(2 * jnp.pi * (z[0] + z[1]))


def quartic(x):
    return x[..., 0] ** 4 + x[..., 1] ** 4 - 3 * x[..., 0] ** 2 * x[..., 1] ** 2


def pendulum(z):
    return jnp.stack([z[1] + z[1] ** 3, -jnp.sin(z[0])])


def damped(z):
    return pendulum(z) - jnp.stack([jnp.zeros(()), 0.1 * z[1]])


def two_particles(z):
    """Two like masses in a trap, and a third."""
    a, b, c = z[:2], z[2:4], z[4:]
    pair = jnp.exp(-jnp.sum((a - b) ** 2))
    return pair + jnp.sum(a**2 + b**2) + 2 * jnp.sum(c**2) + jnp.sum((a + b) * c) ** 2


# Candidates, model, points, actions; name and order of what holds.
V = ld.vectors
SWAPS = algebra.symmetric(3)
PAIRS = action.linear(
    SWAPS, np.zeros((0, 6, 6)), [np.kron(h[:, :-1], np.eye(2)) for h in SWAPS.components]
)  # three particles in the plane
LATTICE = algebra.extended(algebra.polygon(4), [[[1.0, 0.0, 0.5], [0.0, 1.0, 0.0]]], "square lattice")
KNOWN = {
    "seven-fold": (seven, PLANE, V(algebra.polygon(14)), None, "C7", 7),
    "square": (quartic, PLANE, V(algebra.polygon(8)), None, "D4", 8),
    "parity": (lambda z: z[0] ** 3 - z[0] * z[1] ** 2, PLANE, V(algebra.inversion(2)), None, "trivial", 1),
    "odd under parity": (
        lambda z: z[0] ** 3 - z[0] * z[1] ** 2,
        PLANE,
        V(algebra.inversion(2)),
        action.pseudoscalars(algebra.inversion(2), -1),
        "Z2",
        2,
    ),
    "time reversal": (pendulum, PLANE, V(REVERSAL), V(REVERSAL) * action.pseudoscalars(REVERSAL, -1), "Z2", 2),
    "no time reversal with friction": (
        damped,
        PLANE,
        V(REVERSAL),
        V(REVERSAL) * action.pseudoscalars(REVERSAL, -1),
        "trivial",
        1,
    ),
    "exchange of two of three": (two_particles, RNG.normal(size=(80, 6)), PAIRS, None, "Z2", 2),
    "equivariant field": (
        lambda z: jnp.stack([z[0] ** 3, z[1] ** 3]),
        PLANE,
        V(algebra.polygon(8)),
        V(algebra.polygon(8)),
        "D4",
        8,
    ),
    "signs": (
        lambda z: z[0] ** 2 * z[1] * z[2] + z[1] ** 2,
        RNG.normal(size=(80, 3)),
        V(algebra.signs(3)),
        None,
        "Z2 x Z2",
        4,
    ),
}


@pytest.mark.parametrize("case", KNOWN)
def test_known_answers(case):
    F, x, source, target, name, order = KNOWN[case]
    found = discover.finite(F, x, source=source, target=target)
    assert (found.name, found.order) == (name, order)
    assert found.evidence.verdict == ("symmetries" if order > 1 else "no symmetry")
    assert found.defects[found.found].max() < 1e-12 and found.evidence.closes
    others = np.setdiff1d(np.arange(found.group.order), found.found)
    assert np.all(found.defects[others] > 0.02)


def test_a_lattice_is_taken_modulo_its_period():
    """The energy has the translations by one, so half a period breaks it; D4 would need equal diagonals."""
    group = algebra.extended(algebra.polygon(4), [[[1.0, 0.0, 0.5], [0.0, 1.0, 0.0]]], "lattice")
    x = np.random.default_rng(1).uniform(size=(200, 2))
    found = discover.finite(square, x, source=ld.points(group), period=np.eye(2))
    assert found.group.order == 32 and found.name == "Z2 x Z2"  # half a turn and the mirrors along the diagonals

    def finer(z):
        return square(z) + square(jnp.stack([-z[0], z[1]]))

    assert discover.finite(finer, x, source=ld.points(group), period=np.eye(2)).name == "D4"

    def halved(z):
        return finer(2 * z)

    whole = discover.finite(halved, x, source=ld.points(group), period=np.eye(2))
    assert whole.order == 32 and whole.evidence.verdict == "symmetries"


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("noise", [0.0, 0.3])
def test_from_data(noise, seed):
    rng = np.random.default_rng(seed)
    x = rng.uniform(-1, 1, size=(800, 2))
    y = quartic(x)
    y = y + noise * y.std() * rng.normal(size=len(y))
    found = discover.finite((x, y), source=V(algebra.polygon(8)), fit="polynomial", seed=seed)
    assert (found.name, found.order) == ("D4", 8)
    assert not any(one == "holds" for k, one in enumerate(found.evidence.readings) if k not in found.found)
    assert "held-out relative error" in found.evidence.model


def test_units_and_order_of_columns_change_nothing():
    rng = np.random.default_rng(3)
    x = rng.uniform(-1, 1, size=(400, 2))
    y = quartic(x) + 0.02 * rng.normal(size=len(x))
    kinds = V(algebra.polygon(8)) + ld.scalars(algebra.polygon(8), 1)
    free = rng.normal(size=(400, 1))
    plain = discover.finite((np.hstack([x, free]), y + 0.1 * free[:, 0]), source=kinds, fit="polynomial(4)")
    scaled = discover.finite((np.hstack([1e4 * x, 1e-3 * free + 7]), 1e6 * (y + 0.1 * free[:, 0]) - 5), source=kinds,
                             fit="polynomial(4)")  # fmt: skip
    assert plain.name == scaled.name == "D4"
    np.testing.assert_allclose(plain.defects, scaled.defects, rtol=1e-3, atol=1e-4)
    order = rng.permutation(len(x))
    again = discover.finite((x[order], y[order]), source=V(algebra.polygon(8)), fit="polynomial(4)")
    assert again.name == "D4"


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("fit", ["polynomial", "kernel"])
def test_pure_noise_is_never_certified(seed, fit):
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(200, 2)), rng.normal(size=(200, 1))
    found = discover.finite((x, y), source=V(algebra.polygon(6)), fit=fit)
    assert found.evidence.verdict == "cannot tell" and found.order == 1
    assert "explains nothing" in str(found)


def test_where_there_are_no_data_nothing_is_told():
    """x > 0 only: the mirror x -> -x takes all rows away, the mirror y -> -y does not."""
    rng = np.random.default_rng(4)
    x = np.stack([rng.uniform(1, 2, size=400), rng.uniform(-1, 1, size=400)], axis=1)
    y = x[:, 0] ** 2 + x[:, 1] ** 2
    found = discover.finite((x, y), source=V(algebra.signs(2)), fit="polynomial")
    assert found.name == "Z2" and found.described(int(found.found[1])) == "sign of x2"
    assert sorted(found.evidence.readings) == ["holds", "holds", "undecided", "undecided"]
    assert "0 % among the data" in str(found)


def test_labels_and_error_say_how_well_a_model_is_known():
    x = np.random.default_rng(5).uniform(-1, 1, size=(400, 2))
    model = lambda z: quartic(z) + 0.01 * z[0]  # noqa: E731
    source = V(algebra.polygon(4))
    assert discover.finite(model, x, source=source).order == 2  # the mirror y -> -y: it is taken at its word
    assert discover.finite(model, x, source=source, error=0.05).name == "D4"
    assert discover.finite(model, x, source=source, labels=quartic(x)).name == "D4"
    assert discover.finite(model, x, source=source, tolerance=0.1).name == "D4"
    assert discover.finite(model, x, source=source, error=0.9).evidence.verdict == "cannot tell"


def test_trained_networks_are_not_denied_a_symmetry():
    w = jnp.asarray(np.random.default_rng(0).normal(size=(8, 2)))
    network = jax.tree_util.Partial(lambda w, z: jnp.sum(jnp.tanh(w @ z) ** 2), w)
    found = discover.finite(network, PLANE, source=V(algebra.polygon(4)))
    assert found.name == "Z2" and found.evidence.readings.count("broken") == 0  # even, and nothing else is told


def test_elements_that_move_nothing_are_left_aside():
    x = np.repeat(np.random.default_rng(0).normal(size=(60, 1)), 2, axis=1)
    found = discover.finite(lambda z: z[0] ** 2 * z[1], x, source=V(algebra.symmetric(2)))
    assert found.evidence.verdict == "cannot tell"
    assert found.evidence.notes == ("1 element besides the identity move no point and are left aside",)


def test_readings_that_do_not_close():
    """A tolerance can accept two mirrors whose product it denies."""

    def F(z):
        r, angle = jnp.hypot(z[0], z[1]), jnp.arctan2(z[1], z[0])
        return r**2 * (1 + 0.15 * jnp.cos(angle) + 0.15 * jnp.sin(angle))

    found = discover.finite(F, PLANE, source=V(algebra.signs(2)), tolerance=0.3)
    holds = [one == "holds" for one in found.evidence.readings]
    if sum(holds) == 3:
        assert not found.evidence.closes and "do not close" in str(found) and found.order == 2
    else:
        pytest.fail(f"defects {found.defects}: the example no longer shows what it is for")


def test_matrices_are_taken_too():
    turns = algebra.generated(algebra.polygon(4)).maps[:, :, :2]
    found = discover.finite(quartic, PLANE, source=turns)
    assert found.name == "D4"
    fields = discover.finite(lambda z: z**3, PLANE, source=turns, target=turns)
    assert fields.name == "D4"


def test_actions_that_are_not_affine():
    """Fields on a grid, and an action of one's own."""
    picture = action.grid(algebra.extended(NOTHING, [np.diag([-1.0, 1.0])]), (4, 4), order=2)
    images = np.random.default_rng(0).normal(size=(40, 16))
    found = discover.finite(lambda u: jnp.sum(u**2) + jnp.sum(u[:4] * u[12:]), images, source=picture)
    assert found.name == "Z2"
    assert discover.finite(lambda u: u[0] ** 2, images, source=picture).evidence.verdict == "no symmetry"


def test_the_record(tmp_path):
    found = discover.finite(lambda z: z**3, PLANE, source=V(algebra.polygon(8)), target=V(algebra.polygon(8)))
    assert repr(found) == "FiniteSymmetries(name='D4', order=8, verdict='symmetries', candidates=16)"
    text = str(found)
    assert "D4, 8 of 16 elements, generated by rotation by" in text and "SYMMETRIES FOUND" in text
    assert found.elements.shape == (8, 2, 3) and len(found.generating) == 2
    again = discover.FiniteSymmetries.load(found.save(tmp_path / "found.npz"))
    assert str(again) == text and again.source == found.source and again.target == found.target
    np.testing.assert_array_equal(again.elements, found.elements)
    np.testing.assert_array_equal(found.symmetric, found.found)
    assert len(found.broken) == 8 and len(found.undecided) == 0
    told = json.loads(json.dumps(found.plain()))
    assert (told["verdict"], told["group"], told["elements"]) == ("symmetries", "D4", found.found.tolist())
    assert [one["number"] for one in told["candidates"] if one["reading"] == "broken"] == found.broken.tolist()
    with pytest.raises(IndexError, match="there are 16 candidates"):
        found.described(16)


def test_what_was_found_goes_into_the_other_verbs():
    found = discover.finite(quartic, PLANE, source=V(algebra.polygon(8)))
    kept = ld.enforce.functions(ld.dictionary.polynomials(2, 4), source=found.action, target=ld.scalars(found.algebra))
    # Molien: invariants of D4 up to degree 4 are 1, r^2, r^4 and x^2 y^2.
    assert kept.dim == 4
    maps = ld.enforce.maps(found.action * found.action, ld.scalars(found.algebra))
    assert maps.dim == 1
    checked = ld.nn.check(quartic, found.action, ld.scalars(found.algebra), PLANE)
    assert checked.is_equivariant
    assert float(ld.promote.element_penalty(quartic, PLANE, source=found.action)) < 1e-12
    grid = action.grid(algebra.extended(NOTHING, [np.diag([-1.0, 1.0])]), (4, 4), order=2)
    images = np.random.default_rng(0).normal(size=(40, 16))
    fields = discover.finite(lambda u: jnp.sum(u**2), images, source=grid)
    z = fields.action.element(0, jnp.asarray(images[0]))
    np.testing.assert_allclose(z, grid.element(0, jnp.asarray(images[0])))


X, Y = PLANE, quartic(PLANE)
D4 = V(algebra.polygon(4))
REFUSED = {
    "no elements": (lambda: discover.finite(quartic, X, source=V(algebra.so(2))), ValueError, "no discrete elements"),
    "an algebra": (
        lambda: discover.finite(quartic, X, source=algebra.polygon(4)),
        TypeError,
        "source must be an action",
    ),
    "no group": (
        lambda: discover.finite(quartic, X, source=[np.eye(2), [[0, -1], [1, 0]]]),
        ValueError,
        "source are no group: .* generate C4, of 4 elements",
    ),
    "a singular matrix": (
        lambda: discover.finite(quartic, X, source=[np.eye(2), np.diag([1.0, 0.0])]),
        ValueError,
        "element 1 of source has no inverse, so it belongs to no group",
    ),
    "NaN in a matrix": (
        lambda: discover.finite(quartic, X, source=np.full((1, 2, 2), np.nan)),
        ValueError,
        "source hold NaN or infinite entries",
    ),
    "a shear": (
        lambda: discover.finite(quartic, X, source=[np.eye(2), [[1, 1], [0, 1]]]),
        ValueError,
        "element 1 of source has infinite order",
    ),
    "a stretch": (
        lambda: discover.finite(quartic, X, source=[np.eye(2), 2 * np.eye(2)]),
        ValueError,
        "element 1 of source has infinite order",
    ),
    "too many": (
        lambda: discover.finite(quartic, X, source=V(algebra.polygon(1_000_003))),
        ValueError,
        "more than 1,000,000 elements",
    ),
    "no points": (lambda: discover.finite(quartic, source=D4), ValueError, "x: give the sample points"),
    "points and data": (lambda: discover.finite((X, Y), X, source=D4), ValueError, "without another x"),
    "error for data": (lambda: discover.finite((X, Y), source=D4, error=0.1), ValueError, "error and labels say"),
    "a wrong width": (lambda: discover.finite(quartic, X[:, :1], source=D4), ValueError, "source acts on 2"),
    "NaN": (lambda: discover.finite(quartic, X * np.nan, source=D4), ValueError, "row 0"),
    "F is NaN": (lambda: discover.finite(lambda z: jnp.log(z[0]), X, source=D4), ValueError, "F returns NaN or inf at"),
    "delta": (lambda: discover.finite(quartic, X, source=D4, delta=0.0), ValueError, "delta must lie between 0 and 1"),
    "min_gap": (lambda: discover.finite(quartic, X, source=D4, min_gap=1), ValueError, "min_gap must be a finite"),
    "tolerance": (lambda: discover.finite(quartic, X, source=D4, tolerance=-1.0), ValueError, "tolerance must lie"),
    "other algebras": (
        lambda: discover.finite(lambda z: z, X, source=D4, target=V(algebra.polygon(3))),
        ValueError,
        "different algebras",
    ),
    "matrices of another group": (
        lambda: discover.finite(lambda z: z, X, source=[np.eye(2), -np.eye(2)], target=[np.eye(2), [[0, -1], [1, 0]]]),
        ValueError,
        "target: elements do not multiply",
    ),
    "signs": (lambda: action.pseudoscalars(algebra.polygon(3), [1, 2]), ValueError, r"signs must be \+1 or -1"),
    "signs of no group": (lambda: action.pseudoscalars(algebra.cyclic(3), -1), ValueError, "do not multiply"),
    "nothing to search": (lambda: discover.finite_search(quartic, X, source=D4), ValueError, "no generators"),
    "no starts": (
        lambda: discover.finite_search(quartic, X, source=V(algebra.o(2)), starts=0),
        ValueError,
        "starts must be a whole number",
    ),
    "a curved action": (
        lambda: discover.finite_search(quartic, X, source=ld.points(algebra.conformal(2))),
        TypeError,
        "source must be affine",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused(case):
    call, kind, message = REFUSED[case]
    with pytest.raises(kind, match=message):
        call()


@pytest.mark.slow
def test_rotations_by_a_seventh_are_found_by_search():
    """Given O(2) alone; the seven mirrors, not along an axis, are found as well."""

    def F(z):
        return seven(z) - 0.01 * (z[0] ** 2 + z[1] ** 2) * _imaginary(z) + 0.01 * _imaginary(z)

    found = discover.finite_search(F, PLANE, source=V(algebra.o(2)), starts=32)
    assert (found.name, found.order) == ("D7", 14)
    assert found.defects.max() < 1e-9 and len(found.generating) == 2
    alone = discover.finite_search(seven, PLANE, source=V(algebra.o(2)), starts=32)
    assert (alone.name, alone.order) == ("C7", 7)


@pytest.mark.slow
@pytest.mark.parametrize("noise", [0.0, 0.05])
def test_an_equivariant_map_is_found_by_search(noise):
    """F(z) = conj(z)^2 + z |z|^2 / 2 commutes with turns by a third and with mirrors, in whatever unit."""

    def F(z):
        return jnp.stack([z[0] ** 2 - z[1] ** 2, -2 * z[0] * z[1]]) + 0.5 * z * (z @ z)

    rng = np.random.default_rng(0)
    x, o = rng.uniform(-1, 1, (300, 2)), V(algebra.o(2))
    if noise == 0.0:
        found = discover.finite_search(F, x, source=o, target=o, starts=24)
    else:
        y = np.asarray(jax.vmap(F)(x))
        y = y + noise * y.std(axis=0) * rng.normal(size=y.shape)
        found = discover.finite_search((1e3 * x, y), source=o, target=o, starts=24, fit="polynomial(3)")
    assert (found.name, found.order) == ("S3", 6)


@pytest.mark.slow
def test_elements_that_are_not_orthogonal_are_found_by_search():
    """x^4 + 16 y^4 is a square lattice's quartic in other units of each axis: D4, conjugated in GL(2)."""
    swap = algebra.extended(algebra.sl(2), [np.array([[0.0, 1.0], [1.0, 0.0]])])
    points = np.random.default_rng(0).uniform(-1, 1, (300, 2))
    found = discover.finite_search(lambda z: z[0] ** 4 + 16 * z[1] ** 4, points, source=V(swap), starts=24)
    assert (found.name, found.order) == ("D4", 8)
    turn = found.elements[[found.group.period(int(k)) == 4 for k in found.found]][0][:, :2]
    np.testing.assert_allclose(abs(turn), [[0, 2], [0.5, 0]], atol=1e-6)


def _imaginary(z):
    re, im = z[0], z[1]
    for _ in range(6):
        re, im = re * z[0] - im * z[1], re * z[1] + im * z[0]
    return im


@pytest.mark.slow
def test_mirrors_are_one_coset_of_the_rotations():
    found = discover.finite_search(lambda z: jnp.sum(z**2) ** 2, PLANE, source=V(algebra.o(2)), starts=16)
    assert (found.name, found.order) == ("Z2", 2) and np.linalg.det(found.elements[1][:, :2]) == pytest.approx(-1)
    assert found.algebra.dim == 1 and len(found.algebra.components) == 1
    # Its action has the rotations and the mirror, and enforces both.
    kept = ld.enforce.functions(ld.dictionary.polynomials(2, 4), source=found.action, target=ld.scalars(found.algebra))
    assert kept.dim == 3
