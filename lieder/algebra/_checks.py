"""What a Lie algebra must satisfy, with messages for those who built one that does not."""

from collections.abc import Sequence

import numpy as np
import scipy.sparse
from numpy.typing import ArrayLike

from ..linalg import MatrixStack
from ._bracket import dual_basis

DEPENDENT = 1e-10  # relative singular value below which generators count as linearly dependent
_MOST_BYTES = 2**30  # of one (q, q, q) array


def frozen(a: ArrayLike) -> np.ndarray:
    """A read-only float64 copy; -0.0 becomes 0.0, so that equal arrays have equal bytes."""
    a = np.array(a, dtype=np.float64) + 0.0
    a.setflags(write=False)
    return a


def checked_names(names: Sequence[str] | None, count: int) -> tuple[str, ...]:
    if names is None:
        return tuple(f"e{k + 1}" for k in range(count))
    if isinstance(names, str) or len(names) != count:
        raise ValueError(f"names: {count} generators need {count} names in a list, got {names!r}")
    return tuple(names)


def fits(q: int) -> bool:
    return 8 * q**3 <= _MOST_BYTES


def check_bytes(q: int, name: str):
    if not fits(q):
        raise ValueError(
            f"the structure constants of {name} are a ({q}, {q}, {q}) array of {8 * q**3 / 2**30:.1f} GiB, more than "
            "1 GiB: use .bracket(a, b), which needs the matrices only, or a subalgebra"
        )


def check_generators(
    name: str, q: int, stack: MatrixStack, components: tuple[np.ndarray, ...]
) -> scipy.sparse.csr_array:
    """Shapes, finite values, independence.

    Returns: the dual basis, which the last of them needs.
    """
    if stack.shape[0] != q or stack.shape[2] != stack.shape[1] + 1:
        raise ValueError(f"{name}: generators of shape {stack.shape} need ({q}, n, n + 1): {q} names, affine matrices")
    if not np.all(np.isfinite(stack.value)):
        raise ValueError(f"{name}: the generators hold NaN or infinite values")
    if any(c.shape != stack.shape[1:] for c in components):
        raise ValueError(f"{name}: components must be affine maps of shape {stack.shape[1:]}")
    for number, component in enumerate(components):
        _check_invertible(f"{name}: discrete element {number}", component)
    dual, smallest = dual_basis(stack)
    if smallest < DEPENDENT:
        raise ValueError(
            f"{name}: the {q} generators are linearly dependent (smallest relative singular value {smallest:.1e}): "
            "pass a basis"
        )
    return dual


def _check_invertible(what: str, component: np.ndarray):
    if not np.all(np.isfinite(component)):
        raise ValueError(f"{what} holds NaN or infinite values")
    linear = scipy.sparse.csr_array(component[:, :-1])
    if abs(linear.T @ linear - scipy.sparse.eye_array(len(component))).max() < DEPENDENT:
        return  # orthogonal, as permutations of many coordinates are: no singular values needed
    singular = np.linalg.svd(component[:, :-1], compute_uv=False)
    if singular[-1] <= DEPENDENT * singular[0]:
        raise ValueError(f"{what} has no inverse (singular values from {singular[-1]:.1e} to {singular[0]:.1e})")


def check_constants(name: str, q: int, constants: np.ndarray):
    """Shape and finite values."""
    if constants.shape != (q, q, q):
        raise ValueError(f"{name}: constants of shape {constants.shape} need ({q}, {q}, {q}): {q} names")
    if not np.all(np.isfinite(constants)):
        raise ValueError(f"{name}: the constants hold NaN or infinite values")


def check_laws(name: str, constants: np.ndarray, tolerance: float):
    """Antisymmetry, and Jacobi on a few random elements: enough, since its failure is a polynomial identity."""
    slack = 10 * tolerance  # constants projected within a tolerance fail Jacobi by a little more than it
    scale = np.linalg.norm(constants)
    symmetric = np.abs(constants + constants.transpose(1, 0, 2)).max(initial=0.0)
    if symmetric > slack * scale:
        raise ValueError(f"{name}: constants must be antisymmetric, c[i, j] = -c[j, i]; off by {symmetric:.3g}")
    jacobi = jacobi_defect(constants)
    if jacobi > slack * scale**2:
        raise ValueError(f"{name}: constants fail the Jacobi identity by {jacobi:.3g}; they are of no Lie algebra")


def jacobi_defect(constants: np.ndarray) -> float:
    """The largest entry of [x, [y, z]] + [y, [z, x]] + [z, [x, y]] for four random triples of elements."""
    x, y, z = np.random.default_rng(0).normal(size=(3, 4, len(constants))) / np.sqrt(max(len(constants), 1))

    def bracket(a, b):
        return np.einsum("pi,pj,ijk->pk", a, b, constants, optimize=True)

    cyclic = bracket(x, bracket(y, z)) + bracket(y, bracket(z, x)) + bracket(z, bracket(x, y))
    return float(np.abs(cyclic).max(initial=0.0))
