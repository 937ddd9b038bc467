"""A basis of a subspace that depends on the subspace only."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float


def axis_aligned(
    space: Float[np.ndarray, "n w"], units: Sequence[Float[np.ndarray, "w w"]] = ()
) -> Float[np.ndarray, "w w"]:
    """The rotation that takes an orthonormal basis to one that does not depend on how the subspace was given.

    Gram-Schmidt on the projections of the coordinate axes, always taking the first of the longest. Rounding cannot
    change that choice, so coefficients saved on one machine mean the same on another.

    Arguments: `space` (n, w), orthonormal columns; `units`: skew matrices J with J^2 = -1 on the subspace; the basis is
        then v_1, J v_1, .., v_2, J v_2, .. .
    Returns: (w, w), orthogonal: the basis is space @ rotation.
    """
    rest, width = space.copy(), space.shape[1]
    found = np.zeros((0, width))
    while len(found) < width:
        length = np.einsum("nw,nw->n", rest, rest)
        vector = rest[int(np.argmax(length >= (1 - 1e-6) * length.max()))]
        vector = vector - found.T @ (found @ vector)
        vector = vector / np.linalg.norm(vector)
        block = np.stack([vector, *(unit @ vector for unit in units)])
        rest = rest - (rest @ block.T) @ block
        found = np.concatenate([found, block])
    return (1.5 * found - 0.5 * found @ found.T @ found).T  # one Newton step back to orthonormal
