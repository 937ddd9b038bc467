"""Stacks of matrices put together: side by side, repeated, multiplied, dualised. All entries are placed at once."""

import numpy as np
import scipy.sparse
from scipy.sparse.csgraph import connected_components

from .. import dictionary as families
from ..linalg import MatrixStack

_ORTHOGONAL = 1e-12  # H^T H this near to 1 counts as orthogonal: then H^-T is H itself, without rounding


def side_by_side(stacks: list[MatrixStack], shift: bool) -> MatrixStack:
    """Blocks along the diagonal; with `shift` the last column of each block (a translation) goes into one last column.

    Blocks need not be square: columns follow each other as rows do.
    """
    index, row, column = [], 0, 0
    last = sum(s.shape[2] - shift for s in stacks)
    for stack in stacks:
        index.append(_moved(stack, row, column, last if shift else None))
        row, column = row + stack.shape[1], column + stack.shape[2] - shift
    value = np.concatenate([s.value for s in stacks])
    return MatrixStack.from_entries((stacks[0].shape[0], row, last + shift), np.concatenate(index, 1), value)


def repeated(stack: MatrixStack, count: int, shift: bool) -> MatrixStack:
    """`side_by_side` of equal stacks."""
    q, rows, columns = stack.shape
    number = np.arange(count)[:, None]
    index = _moved(stack, number * rows, number * (columns - shift), count * (columns - shift) if shift else None)
    return MatrixStack.from_entries(
        (q, count * rows, count * (columns - shift) + shift), index, np.tile(stack.value, count)
    )


def _moved(stack: MatrixStack, row, column, last: int | None) -> np.ndarray:
    """The index shifted by offsets (one or many), entries of the last column to column `last`."""
    generator, own_row, own_column = stack.index
    moved = own_column + column
    if last is not None:
        moved = np.where(own_column == stack.shape[2] - 1, last, moved)
    return np.stack([a.reshape(-1) for a in np.broadcast_arrays(generator, own_row + row, moved)])


def kronecker_sum(left: MatrixStack, right: MatrixStack) -> MatrixStack:
    """A_k (x) 1 + 1 (x) B_k."""
    n, m = left.shape[1], right.shape[1]
    first = left.index[:, None, :] * np.array([1, m, m])[:, None, None]
    first = first + np.array([0, 1, 1])[:, None, None] * np.arange(m)[:, None]
    second = right.index[:, None, :] + np.array([0, m, m])[:, None, None] * np.arange(n)[:, None]
    index = np.concatenate([first.reshape(3, -1), second.reshape(3, -1)], axis=1)
    value = np.concatenate([np.tile(left.value, m), np.tile(right.value, n)])
    return MatrixStack.from_entries((left.shape[0], n * m, n * m), index, value)


def kronecker(left: MatrixStack, right: MatrixStack) -> MatrixStack:
    """H_j (x) K_j."""
    n, m = left.shape[1], right.shape[1]
    index, value = [np.zeros((3, 0), np.int64)], [np.zeros(0)]
    for element in range(left.shape[0]):
        a, b = left.index[0] == element, right.index[0] == element
        inner, outer = right.index[:, None, b], left.index[:, a, None] * np.array([0, m, m])[:, None, None]
        index.append((inner + outer).reshape(3, -1))
        value.append(np.outer(left.value[a], right.value[b]).reshape(-1))
    return MatrixStack.from_entries((left.shape[0], n * m, n * m), np.concatenate(index, 1), np.concatenate(value))


def contragredient(stack: MatrixStack) -> MatrixStack:
    """H_j^-T, block by block; H_j itself where it is orthogonal."""
    c, n, _ = stack.shape
    index, value = [np.zeros((3, 0), np.int64)], [np.zeros(0)]
    for element in range(c):
        on = stack.index[0] == element
        own = stack.index[:, on]
        matrix = scipy.sparse.csr_array((stack.value[on], (own[1], own[2])), shape=(n, n))
        if abs(matrix.T @ matrix - scipy.sparse.eye_array(n)).max() <= _ORTHOGONAL:
            index.append(own)
            value.append(np.asarray(stack.value[on]))
            continue
        count, label = connected_components(matrix, directed=False)
        for member in (np.flatnonzero(label == block) for block in range(count)):
            inverse = np.linalg.inv(matrix[member][:, member].toarray()).T
            row, column = np.meshgrid(member, member, indexing="ij")
            index.append(np.stack([np.full(row.size, element), row.reshape(-1), column.reshape(-1)]))
            value.append(inverse.reshape(-1))
    return MatrixStack.from_entries(stack.shape, np.concatenate(index, 1), np.concatenate(value))


def identities(count: int, dictionary: families.AbstractDictionary) -> MatrixStack:
    """`count` times the (n, D) matrix H with H f(z) = z."""
    n, size = dictionary.width, dictionary.size
    where = dictionary.coordinates
    if where is None:
        raise ValueError(
            f"{dictionary} does not hold the coordinates themselves, so no discrete element can leave them as they are."
            " Use an algebra without discrete elements."
        )
    index = np.stack([a.reshape(-1) for a in np.broadcast_arrays(np.arange(count)[:, None], np.arange(n), where)])
    return MatrixStack.from_entries((count, n, size), index, np.ones(count * n))
