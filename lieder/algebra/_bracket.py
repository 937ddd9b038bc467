"""Commutators of affine generators, and their coefficients in a basis, without forming what is zero."""

import numpy as np
import scipy.sparse
from jaxtyping import Float
from scipy.sparse.csgraph import connected_components

from ..linalg import MatrixStack

_ENTRIES = 2 * 10**7  # non-zeros of one block of commutators: about 0.5 GB with its indices


def dual_basis(generators: MatrixStack) -> tuple[scipy.sparse.csr_array, float]:
    """Functionals d_k on flattened matrices with d_k(e_l) = 1 if k = l, else 0, and vanishing off the span.

    The Gram matrix of a named basis is diagonal or nearly so; each of its connected blocks is inverted apart, by
    singular values, so that gl(64) costs no more than its 4,096 entries.

    Returns: the functionals as rows of a sparse (q, rows * columns) matrix, and the smallest relative singular value
    of a block (0 when the generators are linearly dependent).
    """
    flat = generators.flat()
    gram = scipy.sparse.csr_array(flat @ flat.T)
    _, block = connected_components(gram, directed=False)
    size = np.bincount(block, minlength=1)
    alone = size[block] == 1
    norm = gram.diagonal()
    smallest = 1.0 if np.all(norm[alone] > 0) else 0.0
    weight = np.zeros(len(norm))
    np.divide(1.0, norm, out=weight, where=alone & (norm > 0))
    dual = [scipy.sparse.coo_array(scipy.sparse.diags_array(weight) @ flat)]
    for label in np.nonzero(size > 1)[0]:
        member = np.nonzero(block == label)[0]
        rows = scipy.sparse.csr_array(flat[member])
        used = np.unique(rows.indices)
        left, singular, right = np.linalg.svd(rows[:, used].toarray(), full_matrices=False)
        full = len(singular) == len(member) and singular[-1] > 0
        smallest = min(smallest, singular[-1] / singular[0] if full else 0.0)
        if full:
            entries = (left / singular) @ right
            row, column = np.meshgrid(member, used, indexing="ij")
            dual.append(scipy.sparse.coo_array((entries.ravel(), (row.ravel(), column.ravel())), shape=flat.shape))
    return scipy.sparse.csr_array(sum(dual[1:], start=dual[0])), float(smallest)


def brackets(
    generators: MatrixStack, dual: scipy.sparse.csr_array, a: np.ndarray, b: np.ndarray
) -> tuple[Float[np.ndarray, "pairs generators"], float]:
    """Coefficients of [a_p, b_p] for each row p of two arrays (pairs, generators).

    Returns: the coefficients, and the closure defect max_p |part of [a_p, b_p] outside the span| / (|a_p| |b_p|) in
    Frobenius norms.
    """
    n = generators.shape[1]
    left, right = generators.combine(a).dense(), generators.combine(b).dense()
    commutator = left[:, :, :n] @ right - right[:, :, :n] @ left
    commutator = commutator.reshape(len(a), n * (n + 1))
    coefficients = (dual @ commutator.T).T
    outside = np.linalg.norm(commutator - (generators.flat().T @ coefficients.T).T, axis=1)
    scale = np.linalg.norm(left, axis=(1, 2)) * np.linalg.norm(right, axis=(1, 2))
    return coefficients, _largest_ratio(outside, scale)


def structure_constants(
    generators: MatrixStack, dual: scipy.sparse.csr_array
) -> tuple[Float[np.ndarray, "generators generators generators"], float]:
    """[e_i, e_j] = sum_k c[i, j, k] e_k for every pair, by sparse products.

    Returns: c, and the closure defect over pairs of basis elements, as in `brackets`.
    """
    q, n, m = generators.shape
    index, value = generators.index, generators.value
    linear = index[2] < n
    # Rows (i, row) times columns (j, column): every product A_i [A_j | b_j] at once.
    tall = scipy.sparse.csr_array(
        (value[linear], (index[0, linear] * n + index[1, linear], index[2, linear])), shape=(q * n, n)
    )
    wide = scipy.sparse.csc_array((value, (index[1], index[0] * m + index[2])), shape=(n, q * m))
    flat = generators.flat()
    norm = np.sqrt(np.asarray(flat.multiply(flat).sum(axis=1)).ravel())
    products = np.bincount(index[2, linear], minlength=n) @ np.bincount(index[1], minlength=n)
    step = int(np.clip(_ENTRIES * q // max(int(products), 1), 1, max(q, 1)))
    constants, defect = np.zeros((q, q, q)), 0.0
    dual_columns = scipy.sparse.csr_array(dual.T)
    for start in range(0, q, step):
        stop = min(start + step, q)
        forward = scipy.sparse.coo_array(tall[start * n : stop * n] @ wide)
        reverse = scipy.sparse.coo_array(tall @ wide[:, start * m : stop * m])
        pair = np.concatenate([forward.row // n * q + forward.col // m, reverse.col // m * q + reverse.row // n])
        place = np.concatenate([f.row % n * m + f.col % m for f in (forward, reverse)])
        entries = np.concatenate([forward.data, np.negative(reverse.data)])
        shape = ((stop - start) * q, n * m)
        commutator = scipy.sparse.csr_array(scipy.sparse.coo_array((entries, (pair, place)), shape=shape))
        coefficients = scipy.sparse.csr_array(commutator @ dual_columns)
        difference = commutator - coefficients @ flat
        outside = np.sqrt(np.asarray(difference.multiply(difference).sum(axis=1)).ravel())
        defect = max(defect, _largest_ratio(outside, np.outer(norm[start:stop], norm).ravel()))
        found = coefficients.tocoo()
        constants[start + found.row // q, found.row % q, found.col] = found.data
    return constants, defect


def _largest_ratio(part: np.ndarray, whole: np.ndarray) -> float:
    return float(np.max(np.divide(part, whole, out=np.zeros_like(part), where=whole > 0), initial=0.0))
