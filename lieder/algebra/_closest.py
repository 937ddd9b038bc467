"""The subalgebra nearest to a measured subspace: Gauss-Newton on the subspace until its brackets stay inside."""

import numpy as np
from jaxtyping import Float
from scipy.sparse.linalg import LinearOperator, lsmr

_STEPS = 40  # Newton's method needs 3 to 8; where the nearest subalgebra is a singular one it needs more
_CLOSED = 1e-11  # share of the brackets outside the span that counts as none: rounding of a few hundred operations
_DENSE = 4e6  # entries of the Jacobian up to which it is formed
_THIN = 1e-3  # share of the widest below which directions of the metric are measured as if they were this wide
_VANISHED = 1e-7  # share below which the metric does not see a direction at all


def nearest_closed(
    constants: Float[np.ndarray, "q q q"], rows: Float[np.ndarray, "r q"], metric: Float[np.ndarray, "s q"]
) -> tuple[Float[np.ndarray, "r q"], float, float]:
    """Rows spanning a subspace near the given one whose brackets stay inside it, as the metric sees them.

    Subspaces near span S are S + T N with N its complement; the parts of the brackets [s_i, s_j] that lie in N are to
    vanish. Each step solves the linearised equations for the smallest T.

    Arguments: `constants` of the whole algebra; `rows` of coefficients, independent; `metric` M, |M xi| is the size of
        an element. What M does not see counts as zero, in brackets too.
    Returns: rows (r, q), each the given row moved as little as possible; the share of their brackets that still lies
        outside; and the sine of the largest angle by which the space was turned.
    """
    to, back = _coordinates(metric)
    if len(rows) >= len(to):  # all that the metric sees, which has no outside
        return rows, 0.0, 0.0
    own = np.einsum("ia,jb,ijk,ck->abc", back, back, constants, to, optimize=True)
    start = rows @ to.T
    frame = np.linalg.qr(start.T)[0].T
    first, defect = frame, np.inf
    best, least = frame, np.inf
    for _ in range(_STEPS):
        outside, equations = _equations(own, frame)
        defect = _share(outside, own)
        if defect < least:
            best, least = frame, defect
        if defect <= _CLOSED or defect > 10 * least:
            break
        step = _smallest_solution(equations, outside)
        frame = np.linalg.qr((frame + step @ _complement(frame)).T)[0].T
    turned = float(np.linalg.norm(best - best @ first.T @ first, 2))
    if least > 1e3 * _CLOSED:
        return rows, least, 0.0
    moved = (start @ best.T) @ best  # each row's shadow in the new space
    # What the metric does not see stays as it was.
    return rows + (moved - start) @ back.T, least, turned


def _coordinates(metric: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Coordinates u = to @ xi in which the metric is the identity, and back, without what it does not see."""
    size = np.linalg.norm(metric, axis=0)
    scale = np.where(size > _VANISHED * size.max(initial=0.0), size, np.inf)
    unit = np.where(np.isfinite(scale), scale, 0.0)
    _, s, vt = np.linalg.svd(metric / scale, full_matrices=False)
    kept = s > _VANISHED * s.max(initial=0.0)
    s, vt = np.maximum(s[kept], _THIN * s.max(initial=0.0)), vt[kept]
    inverse = np.where(np.isfinite(scale), 1.0 / scale, 0.0)
    return s[:, None] * vt * unit, inverse[:, None] * vt.T / s


def _complement(frame: np.ndarray) -> np.ndarray:
    return np.linalg.svd(frame, full_matrices=True)[2][len(frame) :]


def _equations(constants: np.ndarray, frame: np.ndarray) -> tuple[np.ndarray, LinearOperator | np.ndarray]:
    """Parts of the brackets outside (pairs, k), and their derivative by T (r, k)."""
    rest = _complement(frame)
    r, k = len(frame), len(rest)
    i, j = np.triu_indices(r, 1)
    by = np.einsum("ia,abc->ibc", frame, constants, optimize=True)
    inside = np.einsum("ibc,jb,lc->ijl", by, frame, frame, optimize=True)[i, j]  # pairs, r
    outside = np.einsum("ibc,jb,kc->ijk", by, frame, rest, optimize=True)[i, j]
    turn = np.einsum("ibc,mb,kc->imk", by, rest, rest, optimize=True)  # [s_i, n_m] in n_k

    # [t_i, s_j] + [s_i, t_j] - (what [s_i, s_j] has along s_l is measured in the moved complement)
    def forward(flat: np.ndarray) -> np.ndarray:
        t = flat.reshape(r, k)
        moved = np.einsum("jm,imk->ijk", t, turn, optimize=True)
        return (moved[i, j] - moved[j, i] - inside @ t).reshape(-1)

    def backward(flat: np.ndarray) -> np.ndarray:
        e = flat.reshape(len(i), k)
        pairs = np.zeros((r, r, k))
        pairs[i, j], pairs[j, i] = e, -e
        return (np.einsum("ijk,imk->jm", pairs, turn, optimize=True) - inside.T @ e).reshape(-1)

    shape = (len(i) * k, r * k)
    operator = LinearOperator(shape, matvec=forward, rmatvec=backward, dtype=np.float64)  # pyright: ignore[reportCallIssue]
    if shape[0] * shape[1] > _DENSE:
        return outside, operator
    return outside, np.stack([forward(unit) for unit in np.eye(r * k)], axis=1).reshape(shape)


def _smallest_solution(equations: LinearOperator | np.ndarray, outside: np.ndarray) -> np.ndarray:
    k = outside.shape[1]
    if isinstance(equations, np.ndarray):
        # Directions along which the brackets hardly change would be followed far: they are left alone.
        return np.linalg.lstsq(equations, -outside.reshape(-1), rcond=1e-6)[0].reshape(-1, k)
    return lsmr(equations, -outside.reshape(-1), atol=1e-10, btol=1e-10, maxiter=400)[0].reshape(-1, k)


def _share(outside: np.ndarray, constants: np.ndarray) -> float:
    """Root mean square part outside for two orthonormal elements, over that of all brackets of the algebra."""
    total = np.linalg.norm(constants) / len(constants)
    if outside.size == 0 or total == 0:
        return 0.0
    return float(np.linalg.norm(outside) / np.sqrt(len(outside)) / total)
