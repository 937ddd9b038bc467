"""The three division algebras over the reals, which Schur's lemma leaves as freedom: R, C and H."""

import numpy as np
from jaxtyping import Float

# Right multiplication x -> x e of the division algebras R, C, H in the basis 1, i, j, k: TURNS[dim][e][x, x e].
_QUATERNION = [[(0, 1), (1, 1), (2, 1), (3, 1)], [(1, 1), (0, -1), (3, -1), (2, 1)]]
_QUATERNION += [[(2, 1), (3, 1), (0, -1), (1, -1)], [(3, 1), (2, -1), (1, 1), (0, -1)]]


def _right_products(division: int) -> Float[np.ndarray, "division division division"]:
    table = np.zeros((division, division, division))
    for e in range(division):
        for a in range(division):
            b, sign = _QUATERNION[e][a]
            table[e, a, b] = sign
    return table


TURNS = {division: _right_products(division) for division in (1, 2, 4)}
