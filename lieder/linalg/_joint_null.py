"""Two subspaces that annihilate each other under a bilinear map, nearest to two that nearly do."""

from dataclasses import dataclass

import numpy as np
import scipy.linalg
import scipy.sparse
from jaxtyping import Float
from scipy.sparse.linalg import LinearOperator, lsmr

_STEPS = 20  # Gauss-Newton needs 3 to 8
_SLOW = 0.5  # share of the residual that five steps must at least take away: else there is no pair nearby
_EXACT = 1e-12  # residual, relative to the map, that counts as none
_DENSE = 2e7  # entries of the Jacobian up to which it is formed
_DAMPED = 1e-14  # share of the trace added to the normal equations, whose solution is not unique


@dataclass(frozen=True, eq=False)
class JointNull:
    """Fields: `rows` (r, q) and `null` (k, u), orthonormal; `residual`, the largest |B(row, null)| over the mean size
    of B; `turned`, the sine of the largest angle between the rows given and these."""

    rows: Float[np.ndarray, "r q"]
    null: Float[np.ndarray, "k u"]
    residual: float
    turned: float


def joint_null(
    stack: scipy.sparse.csr_array,
    rows: Float[np.ndarray, "r q"],
    null: Float[np.ndarray, "k u"],
    metric: Float[np.ndarray, "q q"] | None = None,
) -> JointNull:
    """The pair of subspaces nearest to a given one with B(s, v) = 0 for all s in one and v in the other.

    B(s, v) = sum_a s_a B_a v. Symmetries s that were measured leave no function v exactly invariant; this finds
    symmetries next to them, and functions next to those they nearly leave, that fit each other exactly. Gauss-Newton
    on both subspaces at once, each step the smallest that solves the linearised equations.

    Arguments: `stack` (q p, u), the q matrices B_a (p, u) on top of each other; `rows`, `null`, independent rows that
        span the two subspaces; `metric` M, invertible: a change d of a row costs |M d|^2, one of a function |d|^2;
        default the identity.
    Returns: JointNull. A residual above 1e-9 says that there is no such pair nearby.
    """
    q = rows.shape[1]
    s, v = (np.linalg.qr(a.T)[0].T for a in (rows, null))
    size = float(np.sqrt(np.sum(stack.data**2) / max(min(q, null.shape[1]), 1))) or 1.0
    cheap = np.eye(q) if metric is None else np.linalg.inv(metric).T
    start, best, before = s, (s, v, np.inf), []
    for _ in range(_STEPS):
        images = (stack @ v.T).reshape(q, -1, len(v))  # a, p, k
        value = np.tensordot(s, images, axes=1)  # r, p, k
        residual = float(np.abs(value).max(initial=0.0)) / size
        if residual < best[2]:
            best = (s, v, residual)
        before.append(residual)
        if residual <= _EXACT or residual > 10 * best[2] or (len(before) > 5 and residual > _SLOW * before[-6]):
            break
        ds, dv = _step(stack, s, v, images, value, cheap)
        s, v = np.linalg.qr((s + ds).T)[0].T, np.linalg.qr((v + dv).T)[0].T
    s, v, residual = best
    return JointNull(s, v, residual, float(np.linalg.norm(s - s @ start.T @ start, 2)))


def _step(
    stack: scipy.sparse.csr_array,
    s: np.ndarray,
    v: np.ndarray,
    images: np.ndarray,
    value: np.ndarray,
    cheap: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """The cheapest changes, orthogonal to s and v, that make B zero to first order."""
    (r, q), (k, u), p = s.shape, v.shape, images.shape[1]
    transposed = scipy.sparse.csr_array(stack.T)

    def changes(flat: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        ds, dv = flat[: r * q].reshape(r, q) @ cheap, flat[r * q :].reshape(k, u)
        return ds - ds @ s.T @ s, dv - dv @ v.T @ v

    def forward(flat: np.ndarray) -> np.ndarray:
        ds, dv = changes(flat)
        moved = (stack @ dv.T).reshape(q, p * k)
        return (ds @ images.reshape(q, p * k) + s @ moved).reshape(-1)

    def backward(flat: np.ndarray) -> np.ndarray:
        e = flat.reshape(r, p * k)
        ds = e @ images.reshape(q, p * k).T
        dv = (transposed @ (s.T @ e).reshape(q * p, k)).T
        return np.concatenate([((ds - ds @ s.T @ s) @ cheap.T).reshape(-1), (dv - dv @ v.T @ v).reshape(-1)])

    shape = (r * p * k, r * q + k * u)
    if shape[0] * shape[1] <= _DENSE:
        jacobian = np.stack([forward(unit) for unit in np.eye(shape[1])], axis=1).reshape(shape)
        normal = jacobian.T @ jacobian
        normal[np.diag_indices_from(normal)] += _DAMPED * np.trace(normal) + np.finfo(float).tiny
        found = scipy.linalg.solve(normal, -(jacobian.T @ value.reshape(-1)), assume_a="pos")
    else:
        operator = LinearOperator(shape, matvec=forward, rmatvec=backward, dtype=np.float64)  # pyright: ignore[reportCallIssue]
        found = lsmr(operator, -value.reshape(-1), atol=1e-10, btol=1e-10, maxiter=300)[0]
    return changes(found)
