"""LieAlgebra as an object: equality, size, subalgebras, messages."""

import time

import jax
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lieder import algebra
from lieder.algebra import LieAlgebra, Span
from lieder.linalg import MatrixStack

SO3 = algebra.so(3)


def dense(g):
    """The generators as an array (q, n, n + 1)."""
    assert g.generators is not None
    return g.generators.dense()


def test_equal_by_content():
    assert algebra.so(3) == SO3 and hash(algebra.so(3)) == hash(SO3)
    assert algebra.so(3) != algebra.o(3) and SO3 != algebra.su(2) and SO3 != "so(3)"
    assert SO3.subalgebra(np.eye(3)) == algebra.so(3).subalgebra(np.eye(3))


def test_static_pytree():
    assert jax.tree_util.tree_leaves(SO3) == []
    traced = []

    @jax.jit
    def dimension(g, x):
        traced.append(g)
        return g.dim * x

    assert dimension(algebra.so(3), 2.0) == 6.0 and dimension(algebra.so(3), 3.0) == 9.0
    assert len(traced) == 1


def test_frozen():
    with pytest.raises(AttributeError, match="cannot assign"):
        setattr(SO3, "name", "other")  # noqa: B010
    with pytest.raises(ValueError, match="read-only"):
        SO3.structure[0, 0, 0] = 1.0


def test_repr():
    assert repr(SO3) == "LieAlgebra so(3): dim 3, acting on R^3, generators J12, J13, J23"
    assert repr(algebra.gl(3)).endswith("generators E11, E12, E13, ..., E33")
    assert "generators none, and 1 discrete element" in repr(algebra.o(1))
    assert "given by its constants" in repr(LieAlgebra("g", ("a",), constants=np.zeros((1, 1, 1))))


def test_gl64_is_never_dense():
    start = time.perf_counter()
    g = algebra.gl(64)
    a, b = np.random.default_rng(0).normal(size=(2, 64, 64))
    found = g.bracket(a.ravel(), b.ravel())
    assert time.perf_counter() - start < 5  # about 0.02 s; a (q, q, q) array would be 512 GiB
    np.testing.assert_allclose(found.reshape(64, 64), a @ b - b @ a, atol=1e-12)
    with pytest.raises(ValueError, match=r"gl\(64\) are a \(4096, 4096, 4096\) array of 512.0 GiB.*use .bracket"):
        _ = g.structure
    assert g.identify() == "gl(64)"


def test_subalgebra_of_a_large_algebra():
    g = algebra.gl(40)
    units = {name: row for name, row in zip(g.names, np.eye(g.dim), strict=True)}
    rows = [units[f"E{j},{i}"] - units[f"E{i},{j}"] for i, j in [(1, 2), (2, 3)]]
    closed, defect = g.closure(np.array(rows))
    assert closed.shape == (3, g.dim) and defect == pytest.approx(1 / np.sqrt(2))
    assert g.subalgebra(closed).identify() == "so(3)"


@settings(deadline=None, max_examples=10)
@given(st.integers(2, 5), st.integers(0, 2**32 - 1))
def test_change_of_basis_changes_coefficients_only(n, seed):
    """Brackets in a random basis are the same elements."""
    g, random = algebra.gl(n), np.random.default_rng(seed)
    basis = np.linalg.qr(random.normal(size=(g.dim, g.dim)))[0]
    same = algebra.matrices(np.tensordot(basis, dense(g), 1)[:, :, :-1])
    a, b = random.normal(size=(2, g.dim))
    np.testing.assert_allclose(same.bracket(a, b) @ basis, g.bracket(a @ basis, b @ basis), atol=1e-9)


def test_bracket_by_matrices_and_by_constants_agree():
    g = algebra.gl(9)  # above the dimension where brackets go through the constants
    a, b = np.random.default_rng(0).normal(size=(2, 4, g.dim))
    np.testing.assert_allclose(
        g.bracket(a, b), np.einsum("pi,pj,ijk->pk", a, b, g.structure, optimize=True), atol=1e-11
    )


def test_subalgebra_keeps_names_of_whole_generators():
    assert algebra.se(3).subalgebra(np.eye(6)[:3]).names == ("J12", "J13", "J23")
    assert algebra.se(3).subalgebra(2 * np.eye(6)[:3], name="rotations").name == "rotations"
    assert algebra.t(2).subalgebra([[1, 1]]).names == ("e1",)


def test_subalgebra_of_an_abstract_algebra():
    g = LieAlgebra("cross", ("a", "b", "c"), constants=SO3.structure)
    axis = g.subalgebra(np.array([[1.0, 1.0, 0.0]]))
    assert axis.dim == 1 and axis.generators is None and axis.identify() == "R^1"
    assert g.closure([[1, 0, 0], [0, 1, 0]])[0].shape == (3, 3)


def test_subalgebra_within_a_tolerance():
    unit = np.eye(9)
    exact = np.stack([unit[1], unit[3], unit[0] - unit[4]])  # E12, E21, E11 - E22
    noisy = exact + 1e-4 * np.random.default_rng(0).normal(size=exact.shape)
    with pytest.raises(ValueError, match=r"rows: not closed under the bracket of gl\(3\): closure defect .*\.closure"):
        algebra.gl(3).subalgebra(noisy)
    found = algebra.gl(3).subalgebra(noisy, tolerance=1e-2)
    assert found.identify(tolerance=1e-2) == "sl(2)"
    assert found.bracket(*np.eye(3)[:2]).shape == (3,)


def test_closure_reports_the_defect_of_what_was_given():
    rows, defect = SO3.closure(np.eye(3)[:2])
    assert rows.shape == (3, 3) and defect == pytest.approx(1.0)
    np.testing.assert_array_equal(rows[:2], np.eye(3)[:2])
    assert SO3.closure(np.eye(3)[:1])[1] == 0.0
    assert SO3.closure([[1, 0, 0], [2, 0, 0]])[0].shape == (1, 3)
    assert SO3.closure(np.zeros((0, 3)))[0].shape == (0, 3)


def test_not_closed():
    matrices = np.array([[[0.0, 1], [0, 0]], [[0, 0], [1, 0]]])
    with pytest.raises(ValueError, match=r"user are not closed under the bracket: closure defect 1.41"):
        algebra.matrices(matrices)
    with pytest.raises(ValueError, match="closure defect"):
        algebra.affine(np.array([[[1.0, 0.0], [0.0, 2.0]], [[0.0, 1.0], [1.0, 0.0]]]), np.zeros((2, 2)))
    with pytest.raises(ValueError, match="closure defect"):
        algebra.matrices(np.eye(100).reshape(100, 10, 10)[1:99])
    g = algebra.LieAlgebra("two", ("a", "b"), MatrixStack.from_dense(np.pad(matrices, ((0, 0), (0, 0), (0, 1)))))
    with pytest.raises(ValueError, match=r"two are not closed under the bracket: closure defect 1.41"):
        g.bracket([1, 0], [0, 1])


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_generators_in_single_precision(dtype):
    """A change of basis rounded to single precision, as other libraries store their generators."""
    change = np.eye(3) + 0.3 * np.random.default_rng(0).normal(size=(3, 3))
    rounded = (change @ dense(SO3)[:, :, :3] @ np.linalg.inv(change)).astype(dtype)
    g = algebra.matrices(rounded)
    assert g.tolerance == pytest.approx(100 * np.finfo(dtype).eps)
    assert g.identify(1e-2) == "so(3)"
    with pytest.raises(ValueError, match="closure defect"):
        algebra.matrices(rounded.astype(np.float64))
    with pytest.raises(TypeError, match="array must hold real numbers"):
        algebra.matrices([[["a"]]])


def test_measured_matrices_within_a_tolerance():
    noise = 1e-4 * np.random.default_rng(0).normal(size=(3, 3, 3))
    g = algebra.matrices(dense(SO3)[:, :, :3] + noise, tolerance=1e-2)
    assert g.identify(1e-2) == "so(3)"


def test_product():
    g = algebra.product(algebra.se(2), algebra.o(2))
    assert (g.name, g.dim, g.degree) == ("se(2) + o(2)", 4, 4)
    assert g.names == ("1.J12", "1.P1", "1.P2", "2.J12")
    a, b = np.random.default_rng(0).normal(size=(2, 4))
    expected = [*algebra.se(2).bracket(a[:3], b[:3]), *algebra.o(2).bracket(a[3:], b[3:])]
    np.testing.assert_allclose(g.bracket(a, b), expected)
    (reflection,) = g.components
    np.testing.assert_array_equal(reflection, np.eye(4, 5) * np.array([[1], [1], [-1], [1]]))
    assert algebra.product(SO3) == SO3
    assert algebra.product(algebra.so(2), algebra.t(1)).names == ("J12", "P1")


def test_product_with_an_abstract_algebra():
    abstract = LieAlgebra("cross", ("a", "b", "c"), constants=SO3.structure)
    g = algebra.product(abstract, algebra.t(1))
    assert g.generators is None and g.identify() == "so(3) + R^1"


def test_span():
    candidates = Span("quadratic", ("x d/dx", "x^2 d/dx"))
    assert candidates.dim == 2 and candidates == Span("quadratic", ("x d/dx", "x^2 d/dx"))
    assert jax.tree_util.tree_leaves(candidates) == []


STACK = SO3.generators
WRONG = {
    "nothing given": (lambda: LieAlgebra("g", ("a",)), ValueError, "give generators, constants, or both"),
    "names": (lambda: LieAlgebra("g", ("a",), STACK), ValueError, r"shape \(3, 3, 4\) need \(1, n, n \+ 1\)"),
    "not affine": (
        lambda: LieAlgebra("g", ("a",), MatrixStack.from_dense(np.ones((1, 2, 2)))),
        ValueError,
        r"shape \(1, 2, 2\) need \(1, n, n \+ 1\): 1 names, affine",
    ),
    "component": (
        lambda: LieAlgebra("g", SO3.names, STACK, components=(np.eye(3),)),
        ValueError,
        r"components must be affine maps of shape \(3, 4\)",
    ),
    "constants shape": (
        lambda: LieAlgebra("g", ("a",), constants=np.zeros((2, 2, 2))),
        ValueError,
        r"shape \(2, 2, 2\) need \(1, 1, 1\)",
    ),
    "constants NaN": (
        lambda: LieAlgebra("g", ("a",), constants=np.full((1, 1, 1), np.nan)),
        ValueError,
        "constants hold NaN",
    ),
    "generators NaN": (
        lambda: LieAlgebra("g", ("a",), MatrixStack.from_dense(np.full((1, 1, 2), np.inf))),
        ValueError,
        "generators hold NaN or infinite",
    ),
    "antisymmetry": (
        lambda: LieAlgebra("g", ("a",), constants=np.ones((1, 1, 1))),
        ValueError,
        "must be antisymmetric.*off by 2",
    ),
    "jacobi": (
        lambda: LieAlgebra("g", SO3.names, constants=_not_jacobi()),
        ValueError,
        "fail the Jacobi identity by .* of no Lie algebra",
    ),
    "no degree": (
        lambda: LieAlgebra("g", SO3.names, constants=SO3.structure).degree,
        ValueError,
        "structure constants only and has no degree",
    ),
    "bracket width": (lambda: SO3.bracket([1, 2], [1, 2, 3]), ValueError, r"a has shape \(2,\); so\(3\) needs 3"),
    "bracket NaN": (lambda: SO3.bracket([1, 2, 3], [1, 2, np.nan]), ValueError, "b holds NaN"),
    "rows shape": (lambda: SO3.closure([1, 0, 0]), ValueError, r"rows has shape \(3,\); pass one row .* \(r, 3\)"),
    "rows dependent": (
        lambda: SO3.subalgebra([[1, 0, 0], [2, 0, 0]]),
        ValueError,
        "rows: 2 elements of rank 1: pass linearly independent",
    ),
    "coordinates": (lambda: SO3.coordinates(np.eye(2)[None]), ValueError, r"needs \(r, 3, 3\) or \(r, 3, 4\)"),
    "zero": (lambda: algebra.gl(0), ValueError, r"gl\(n\) needs a size of at least 1, got 0"),
    "negative": (lambda: algebra.so(3, -1), ValueError, r"so\(p, q\) needs a size of at least 0, got -1"),
    "fraction": (lambda: algebra.se(2.5), TypeError, r"se\(n\) needs a whole number, got 2.5 of type float"),
    "truth": (lambda: algebra.t(True), TypeError, r"t\(n\) needs a whole number, got True of type bool"),
    "odd": (lambda: algebra.sp(3), ValueError, "even size, as many momenta as positions, got 3"),
    "not square": (
        lambda: algebra.matrices(np.ones((1, 2, 3))),
        ValueError,
        r"array has shape \(1, 2, 3\).*\(q, n, n\)",
    ),
    "one matrix": (lambda: algebra.matrices(np.eye(2)), ValueError, r"array has shape \(2, 2\)"),
    "not a number": (lambda: algebra.matrices([[[np.nan]]]), ValueError, "array holds NaN or infinite values"),
    "complex": (lambda: algebra.matrices([[[1j]]]), TypeError, r"array is complex; write X \+ iY"),
    "dependent": (
        lambda: algebra.matrices([np.eye(2), 2 * np.eye(2)], name="mine"),
        ValueError,
        "mine: the 2 generators are linearly dependent .*: pass a basis",
    ),
    "zero matrix": (lambda: algebra.matrices(np.zeros((1, 2, 2))), ValueError, "linearly dependent"),
    "number of names": (lambda: algebra.matrices([np.eye(2)], ["a", "b"]), ValueError, "1 generators need 1 names"),
    "names as text": (lambda: algebra.matrices([np.eye(2)], "a"), ValueError, "names in a list, got 'a'"),
    "affine A": (lambda: algebra.affine(np.eye(2), np.ones((1, 2))), ValueError, r"A has shape \(2, 2\)"),
    "affine b": (
        lambda: algebra.affine(np.eye(2)[None], np.ones(2)),
        ValueError,
        r"b has shape \(2,\); for A of shape \(1, 2, 2\) it must be \(1, 2\)",
    ),
    "empty product": (lambda: algebra.product(), ValueError, "at least one algebra"),
    "product of text": (lambda: algebra.product(SO3, "so(3)"), TypeError, "argument 2 is str, not a LieAlgebra"),
}


def _not_jacobi():
    c = np.zeros((3, 3, 3))
    c[0, 1, 2], c[1, 2, 1] = 1.0, 1.0
    return c - c.transpose(1, 0, 2)


@pytest.mark.parametrize("case", WRONG)
def test_messages(case):
    call, error, message = WRONG[case]
    with pytest.raises(error, match=message):
        call()
