"""The null space of the Lie derivative on kernels between two summands."""

import numpy as np
import scipy.linalg
import scipy.sparse
from scipy.special import gamma

from ..action import FieldAction
from ..derivative import lie_matrices
from ..dictionary import AbstractDictionary, Polynomials
from ..linalg import MatrixStack

LARGEST = 6000  # unknowns that the rules of one connected system may tie together: its matrix takes 300 MB


def null_space(
    family: AbstractDictionary,
    space: FieldAction,
    source: MatrixStack,
    target: MatrixStack,
    trace: tuple[np.ndarray, np.ndarray],
    extra: scipy.sparse.csr_array | None,
    norm: np.ndarray | None,
    tolerance: float,
) -> np.ndarray:
    """Kernels (r, a, b, D), orthonormal under `norm` (D, D) if given.

    `source`, `target`: generators and finite elements on the two summands; `extra` (rows, D): functionals of the
    features that must vanish as well.
    """
    moved = lie_matrices(family, space)
    q, c = moved.generators.shape[0], moved.elements.shape[0]
    a, b, size = target.shape[1], source.shape[1], family.size
    into, outof = target.dense(), source.dense()
    same, one = scipy.sparse.csr_array(moved.features), np.eye(a * b)
    normal = scipy.sparse.csr_array((a * b * size, a * b * size))
    # Coefficients C (a b, D), row by row. C T_j = G_j C P with G_j C = B_j C - C A_j - tr C.
    for j in range(q):
        turn = np.kron(into[j], np.eye(b)) - np.kron(np.eye(a), outof[j].T) - trace[0][j] * one
        normal = normal + _squared(_matrix(moved.generators, j), turn, same)
    # C S_j = G_j C P with G_j C = R_j C R'_j^-1 / |det H_j|.
    for j in range(c):
        turn = np.kron(into[q + j], np.linalg.inv(outof[q + j]).T) / trace[1][j]
        normal = normal + _squared(_matrix(moved.elements, j), turn, same)
    if extra is not None:
        normal = normal + scipy.sparse.kron(one, extra.T @ extra)
    basis = _kernel(scipy.sparse.csr_array(normal), tolerance).reshape(-1, a * b, size)
    if norm is not None and len(basis):
        gram = np.einsum("rif,fg,sig->rs", basis, norm, basis, optimize=True)
        lower = np.linalg.cholesky(gram)
        basis = scipy.linalg.solve_triangular(lower, basis.reshape(len(basis), -1), lower=True)
    return basis.reshape(-1, a, b, size)


def _matrix(stack: MatrixStack, number: int) -> scipy.sparse.csr_array:
    on = stack.index[0] == number
    return scipy.sparse.csr_array((stack.value[on], stack.index[1:, on]), stack.shape[1:])


def _squared(moved: scipy.sparse.csr_array, turn: np.ndarray, same: scipy.sparse.csr_array) -> scipy.sparse.csr_array:
    """K^T K for the constraint K: C -> C T - G C P."""
    rows = scipy.sparse.kron(np.eye(len(turn)), moved.T) - scipy.sparse.kron(turn, same.T)
    rows = scipy.sparse.csr_array(rows)
    return scipy.sparse.csr_array(rows.T @ rows)


def _kernel(normal: scipy.sparse.csr_array, tolerance: float) -> np.ndarray:
    """Orthonormal rows that a symmetric positive matrix sends to zero, one connected block after the other."""
    total = len(normal.indptr) - 1
    count, label = scipy.sparse.csgraph.connected_components(normal, directed=False)
    sizes = np.bincount(label, minlength=count)
    if sizes.max(initial=0) > LARGEST:
        raise ValueError(
            f"the rules tie {sizes.max()} unknowns together, more than {LARGEST}. Take a lower degree, or write the"
            " fields as sums of smaller ones."
        )
    order = np.argsort(label, kind="stable")
    largest = abs(normal).sum(axis=1).max() if normal.nnz else 0.0
    found, start = [np.zeros((0, total))], 0
    for size in sizes:
        places = order[start : start + size]
        start += size
        values, columns = np.linalg.eigh(normal[places][:, places].toarray())
        null = columns[:, values <= tolerance**2 * largest].T
        rows = np.zeros((len(null), total))
        rows[:, places] = null
        found.append(rows)
    return np.concatenate(found)


def harmonic_rows(family: AbstractDictionary) -> scipy.sparse.csr_array:
    """The Laplacian on coefficients of monomials: it vanishes on those of harmonic polynomials."""
    exponents = _exponents(family)
    place = {tuple(row): i for i, row in enumerate(exponents.tolist())}
    entries = []
    for i, row in enumerate(exponents.tolist()):
        for k, power in enumerate(row):
            if power >= 2:
                lower = (*row[:k], power - 2, *row[k + 1 :])
                entries.append((place[lower], i, power * (power - 1)))
    table = np.array(entries, dtype=np.float64).reshape(-1, 3)
    index = table[:, :2].T.astype(np.int64)
    return scipy.sparse.csr_array((table[:, 2], (index[0], index[1])), (len(exponents),) * 2)


def overlaps(family: AbstractDictionary) -> np.ndarray:
    """int z^a z^b exp(-|z|^2) dz for all pairs of monomials: products of Gamma((a_i + b_i + 1) / 2)."""
    exponents = _exponents(family)
    total = exponents[:, None] + exponents[None]
    return np.where(total % 2 == 0, gamma((total + 1) / 2), 0.0).prod(axis=2)


def _exponents(family: AbstractDictionary) -> np.ndarray:
    if not isinstance(family, Polynomials):
        raise TypeError(f"harmonic polynomials and their norms need polynomials, got {family!r}.")
    return family.exponents
