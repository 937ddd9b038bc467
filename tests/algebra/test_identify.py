"""Names from structure constants: the same in every basis, and under small perturbations."""

import numpy as np
import pytest
from laws import ALGEBRAS

from lieder import algebra
from lieder.algebra import LieAlgebra

# Where the name differs from the text: isomorphic algebras have one name, sums are written out.
OTHER_NAMES = {
    "t(1)": "R^1",
    "t(3)": "R^3",
    "so(2)": "R^1",
    "so(1,1)": "R^1",
    "so(1,2)": "sl(2)",
    "so(2,2)": "sl(2) + sl(2)",
    "o(1)": "trivial",
    "o(3)": "so(3)",
    "e(2)": "se(2)",
    "gl(1)": "R^1",
    "sp(2)": "sl(2)",
    "sp(4)": "so(2,3)",
    "poincare": "poincare(3)",
    "galilean(1)": "heisenberg(1)",
    "galilean": "galilean(3)",
    "conformal(1)": "sl(2)",
    "conformal(2)": "so(1,3)",
    "conformal(3)": "so(1,4)",
    "su(2)": "so(3)",
    "su(4)": "so(6)",
    "u(2)": "so(3) + R^1",
    "scalings(3)": "R^3",
    "product(se(2), so(3))": "se(2) + so(3)",
    "product(so(3), so(3), t(2))": "so(4) + R^2",
    "matrices(..)": "R^2",
    "affine(..)": "aff(1)",
    "symmetric(1)": "trivial",
    "symmetric(2)": "trivial",
    "symmetric(4)": "trivial",
    "cyclic(3)": "trivial",
    "dihedral(5)": "trivial",
    "permutations(..)": "trivial",
    "signs(3)": "trivial",
    "inversion(2)": "trivial",
    "polygon(5)": "trivial",
    "point_group(..)": "trivial",
    "lattice(..)": "trivial",
    "extended(..)": "gl(2)",
    "product(dihedral(3), e(2))": "se(2)",
}
CASES = [(g, OTHER_NAMES.get(text, text)) for text, g in ALGEBRAS]
every_name = pytest.mark.parametrize(("g", "name"), CASES, ids=[text for text, _ in ALGEBRAS])


def in_basis(constants, basis):
    """Structure constants of the same algebra in the basis whose rows are given."""
    return np.einsum("ai,bj,ijk,kc->abc", basis, basis, constants, np.linalg.inv(basis), optimize=True)


def random_basis(q, condition, seed):
    random = np.random.default_rng(seed)
    left, right = (np.linalg.qr(random.normal(size=(q, q)))[0] for _ in range(2))
    return left @ np.diag(np.geomspace(1, condition, q)) @ right


def abstract(constants, tolerance=1e-9):
    return LieAlgebra("unknown", tuple(f"e{k}" for k in range(len(constants))), None, constants, (), tolerance)


@every_name
def test_as_constructed(g, name):
    assert g.identify() == name


@every_name
def test_in_any_basis(g, name):
    for seed, condition in [(0, 1.0), (1, 5.0), (2, 10.0)]:
        constants = in_basis(g.structure, random_basis(g.dim, condition, seed))
        assert abstract(constants, 1e-6).identify() == name


@every_name
def test_perturbed(g, name):
    noise = 1e-4 * np.random.default_rng(0).normal(size=g.structure.shape)
    constants = g.structure + noise - noise.transpose(1, 0, 2)
    rotated = in_basis(constants, random_basis(g.dim, 1.0, 3))
    assert abstract(constants, 1e-2).identify(tolerance=1e-2) == name
    assert abstract(rotated, 1e-2).identify(tolerance=1e-2) == name


@pytest.mark.parametrize("name", sorted({name for _, name in CASES} - {"trivial"}))
def test_names_can_be_read_back(name):
    assert algebra.by_name(name).identify() == name


@pytest.mark.parametrize(
    "name",
    [
        "so(3) + R^1",
        "se(2) + so(3)",
        "se(3) + aff(1) + R^2",
        "gl(2) + gl(2)",
        "gl(3) + sl(2)",
        "heisenberg(1) + heisenberg(1)",
        "so(1,3) + so(3)",
        "so(3) + so(3) + so(3)",
        "se(2) + se(2) + se(2)",
    ],
)
def test_sums(name):
    g = algebra.by_name(name)
    assert g.identify() == name
    assert abstract(in_basis(g.structure, random_basis(g.dim, 5.0, 0)), 1e-6).identify() == name


@pytest.mark.parametrize("name", ["so(7)", "so(3,4)", "sp(6)", "so(8)", "su(5)", "gl(5)", "aff(4)", "se(7)"])
def test_larger(name):
    """so(3,4) and sp(6) differ in their root lengths only."""
    assert algebra.by_name(name).identify() == name


def similitudes():
    """Rotations, dilation and translations of R^3."""
    g = algebra.aff(3)
    unit = dict(zip(g.names, np.eye(12), strict=True))
    rotations = [unit["E21"] - unit["E12"], unit["E31"] - unit["E13"], unit["E32"] - unit["E23"]]
    return g.subalgebra([*rotations, unit["E11"] + unit["E22"] + unit["E33"], unit["P1"], unit["P2"], unit["P3"]])


def triangular(n, strictly):
    g = algebra.gl(n)
    keep = [i * n + j for i in range(n) for j in range(i + strictly, n)]
    return g.subalgebra(np.eye(g.dim)[keep])


@pytest.mark.parametrize(
    ("g", "name"),
    [
        (similitudes(), "unnamed, dim 7, mixed: semisimple part so(3), radical of dim 4"),
        (
            algebra.product(similitudes(), algebra.so(3)),
            "(unnamed, dim 7, mixed: semisimple part so(3), radical of dim 4) + so(3)",
        ),
        (triangular(4, True), "unnamed, dim 6, nilpotent"),
        (triangular(3, False), "(unnamed, dim 5, solvable) + R^1"),
        (triangular(2, False), "aff(1) + R^1"),
        (algebra.product(algebra.so(7), algebra.so(7)), "unnamed, dim 42, semisimple"),
        (algebra.t(40), "t(40)"),
        (algebra.matrices(np.eye(40)[:, None] * np.eye(40)), "R^40"),
    ],
    ids=["similitudes", "sum", "strictly triangular", "triangular", "aff(1) + R", "large", "t(40)", "diagonal"],
)
def test_without_a_name(g, name):
    assert g.identify() == name


def test_compact_symplectic_is_not_called_so7():
    """sp(3), the compact form of C3, has the dimension, rank and Killing form of so(7): i times the boosts of sp(6)."""
    stack = algebra.sp(6).generators
    assert stack is not None
    m = stack.dense()[:, :, :-1]
    flat = m.reshape(21, 36)
    swap = np.linalg.lstsq(flat.T, -m.transpose(0, 2, 1).reshape(21, 36).T, rcond=None)[0]  # Cartan involution
    values, vectors = np.linalg.eigh((swap + swap.T) / 2)
    adapted = vectors.T
    constants = in_basis(algebra.sp(6).structure, adapted)
    odd = values < 0
    phase = np.where(odd, 1j, 1.0)
    compact = np.einsum("a,b,abc,c->abc", phase, phase, constants, 1 / phase)
    np.testing.assert_allclose(compact.imag, 0, atol=1e-12)
    assert abstract(compact.real).identify() == "unnamed, dim 21, semisimple"


def test_tolerance_decides_what_is_zero():
    constants = 1e-3 * algebra.so(3).structure
    assert abstract(constants).identify() == "so(3)"
    assert abstract(constants).identify(tolerance=1e-2) == "R^3"


@pytest.mark.parametrize("q", [2, 5, 8, 12])
@pytest.mark.parametrize("scale", [1e-12, 1.0])
def test_constants_that_are_noise_are_described_not_crashed_on(q, scale):
    random = np.random.default_rng(q)
    noise = scale * random.normal(size=(q, q, q)) * (random.random((q, q, q)) < 0.1)
    algebra = LieAlgebra(
        "noise", tuple(f"X{i}" for i in range(q)), constants=noise - noise.transpose(1, 0, 2), tolerance=1e9
    )
    for tolerance in (1e-6, 1e-2, 0.1):
        assert algebra.identify(tolerance)
