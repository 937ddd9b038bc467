"""Right singular vectors, without the left ones."""

import numpy as np
from jaxtyping import Float


def right_singular(a: Float[np.ndarray, "rows q"]) -> tuple[Float[np.ndarray, " q"], Float[np.ndarray, "q q"]]:
    """All singular values and all right singular vectors of a matrix.

    The left ones are not formed: a tall matrix has as many as rows.

    Arguments: `a` (rows, q).
    Returns: the singular values (q,), descending, zeros where there are fewer rows than columns; the vectors (q, q), as
        rows.
    """
    rows, q = a.shape
    if rows > 2 * q:
        a = np.asarray(np.linalg.qr(a, mode="r"))
    _, s, right = np.linalg.svd(a, full_matrices=rows < q)
    return np.pad(s, (0, q - len(s))), right
