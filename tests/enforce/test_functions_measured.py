"""From noisy data to a found symmetry to the functions that have it: the true space, or words."""

import numpy as np
import pytest

import lieder as ld


def outside(functions, truths, x):
    """For each true invariant, the share of its variance that the found functions cannot express."""
    values = np.asarray(ld.derivative.values(functions.dictionary, x)) @ functions.basis[:, 0].T
    values = np.column_stack([np.ones(len(x)), values])
    out = []
    for truth in truths:
        y = truth(x)
        rest = y - values @ np.linalg.lstsq(values, y, rcond=None)[0]
        out.append(np.linalg.norm(rest) / np.linalg.norm(y - y.mean()))
    return np.array(out)


def found(x, y, algebra, noise, seed, degree=2):
    rng = np.random.default_rng(seed)
    y = y + noise * y.std() * rng.normal(size=len(y))
    act, out = ld.points(algebra), ld.scalars(algebra)
    return ld.discover.dataset(x, y, source=act, target=out, fit=f"polynomial({degree})")


def test_eleven_of_twenty_leave_two_functions():
    """|U x|^2 for two orthonormal directions in R^4, under all affine maps: the radius in the plane, no more."""
    rng = np.random.default_rng(0)
    u = np.linalg.qr(rng.normal(size=(4, 4)))[0][:2]
    x = rng.normal(size=(300, 4))
    s = found(x, ((x @ u.T) ** 2).sum(axis=1), ld.algebra.aff(4), 0.05, 1)
    assert s.dim == 11
    fns = ld.enforce.functions(ld.dictionary.polynomials(4, 2), source=s.action, target=s.target_action)
    assert fns.dim == 2 and fns.how.startswith("fitted to a measured symmetry")
    assert outside(fns, [lambda z: ((z @ u.T) ** 2).sum(axis=1)], x) < 0.03
    assert max(fns.residual(w) for w in fns.basis) < 1e-8


@pytest.mark.parametrize("unit", [1.0, 1e3])
def test_an_ellipse_and_its_square(unit):
    """One generator is closed whatever its error, but turns in closed curves only when it is right."""
    shape = np.array([[1.0, 0.3], [0.3, 2.0]])

    def form(z):
        return np.einsum("ni,ij,nj->n", z / unit - 1, shape, z / unit - 1)

    x = unit * np.random.default_rng(1).normal(size=(300, 2))
    s = found(x, form(x), ld.algebra.aff(2), 0.05, 2)
    assert s.dim == 1
    fns = ld.enforce.functions(ld.dictionary.polynomials(2, 4), source=s.action, target=s.target_action)
    assert fns.dim == 3
    assert np.all(outside(fns, [form, lambda z: form(z) ** 2], x) < 0.05)


def test_kept_symmetries_of_a_regression():
    """Thirty-two noisy rows of |x - c|^2 under se(5): one distance, at the right place."""
    rng = np.random.default_rng(3)
    c = rng.uniform(-1, 1, 5)
    x = rng.uniform(-1, 1, (32, 5))
    y = ((x - c) ** 2).sum(axis=1)
    y = y + 0.05 * y.std() * rng.normal(size=32)
    dictionary = ld.dictionary.polynomials(5, 2)
    model = ld.promote.Regression(dictionary, source=ld.points(ld.algebra.se(5)), alpha=0.3).fit(x, y)
    s = model.symmetries_
    assert s.dim == 10 and s.identify() == "so(5)"
    fns = ld.enforce.functions(dictionary, source=s.action, target=s.target_action)
    assert fns.dim == 2
    z = rng.uniform(-1, 1, (200, 5))
    assert outside(fns, [lambda z: ((z - c) ** 2).sum(axis=1)], z) < 0.15


def test_a_measured_symmetry_of_a_system_is_enforced():
    rng = np.random.default_rng(4)
    x = rng.normal(size=(300, 2))
    square = (x**2).sum(axis=1, keepdims=True)
    dx = x @ np.array([[0.0, -1.0], [1.0, 0.0]]) - square * x
    dx = dx + 0.1 * dx.std() * rng.normal(size=dx.shape)
    g = ld.algebra.gl(2)
    s = ld.discover.dataset(x, dx, source=ld.vectors(g), target=ld.vectors(g), fit="polynomial(3)")
    assert s.dim == 1
    fns = ld.enforce.functions(ld.dictionary.polynomials(2, 3), source=s.action, target=ld.action.tangent(s.action))
    assert fns.dim == 4  # x, its quarter turn, and both times |x|^2


def test_a_named_algebra_and_a_tolerance_of_one_s_own_stay_as_they_were():
    so3 = ld.algebra.so(3)
    fns = ld.enforce.functions(ld.dictionary.polynomials(3, 2), source=ld.vectors(so3), target=ld.scalars(so3))
    assert fns.dim == 2 and fns.how == "exact"
    x = np.random.default_rng(5).normal(size=(300, 3))
    s = found(x, (x**2).sum(axis=1), ld.algebra.gl(3), 0.05, 6)
    assert (
        ld.enforce.functions(
            ld.dictionary.polynomials(3, 2), source=s.action, target=s.target_action, tolerance=0.2
        ).dim
        == 2
    )
