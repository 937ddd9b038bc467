"""A representation as a direct sum, read off the zeros of its matrices: equal summands are found once."""

from dataclasses import dataclass

import numpy as np
import scipy.sparse
from jaxtyping import Int

from ..linalg import MatrixStack


@dataclass(frozen=True, eq=False)
class Summand:
    """One representation and all the places where it stands.

    Fields: `operators`, the matrices (k, size, size); `places` (copies, size), the coordinates of each copy in order.
    """

    operators: MatrixStack
    places: Int[np.ndarray, "copies size"]

    @property
    def size(self) -> int:
        return self.places.shape[1]

    @property
    def copies(self) -> int:
        return self.places.shape[0]

    @property
    def content(self) -> tuple[tuple[int, int, int], bytes, bytes]:
        """Equal exactly for equal operators."""
        return self.operators.shape, self.operators.index.tobytes(), self.operators.value.tobytes()


def summands(operators: MatrixStack) -> tuple[Summand, ...]:
    """Write square matrices, all of one block structure, as a sum of blocks that no matrix mixes.

    Arguments: `operators` (k, n, n).
    Returns: the different blocks in the order of their first coordinates; their places part 0..n-1.
    """
    k, n, _ = operators.shape
    which, row, column = operators.index
    mixed = scipy.sparse.coo_array((np.ones(len(row)), (row, column)), shape=(n, n))
    _, label = scipy.sparse.csgraph.connected_components(mixed, directed=False)
    # Coordinates sorted by block; a coordinate's number inside its block.
    order = np.argsort(label, kind="stable")
    sizes = np.bincount(label)
    starts = np.cumsum(sizes) - sizes
    inside = np.empty(n, np.int64)
    inside[order] = np.arange(n) - np.repeat(starts, sizes)
    block = label[row]
    by_block = np.lexsort((inside[column], inside[row], which, block))
    ends = np.searchsorted(block[by_block], np.arange(len(sizes) + 1))
    local = np.stack([which, inside[row], inside[column]])[:, by_block]
    value = operators.value[by_block]
    found: dict[tuple, list[np.ndarray]] = {}
    for number, size in enumerate(sizes):
        own = slice(ends[number], ends[number + 1])
        key = (int(size), local[:, own].tobytes(), value[own].tobytes())
        found.setdefault(key, []).append(order[starts[number] : starts[number] + size])
    out = []
    for (size, index, entries), places in found.items():
        stack = MatrixStack((k, size, size), np.frombuffer(index, np.int64).reshape(3, -1), np.frombuffer(entries))
        out.append(Summand(stack, np.stack(places)))
    return tuple(sorted(out, key=lambda summand: int(summand.places[0, 0])))
