"""Least squares, or equalities, with the nuclear norm of a matrix that is linear in the coefficients."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import scipy.linalg
from jaxtyping import Float

from ._columns import Columns
from ._nuclear_newton import AbstractOperator, NuclearProblem, NuclearSolution, minimise_nuclear_norm
from ._right import right_singular

_RANK = 1e-11  # pivots relative to the largest below which equations repeat each other
_KERNEL = 1e-13  # squared singular values of A, relative: a matrix below 3e-7 of the largest counts as zero
_FLAT = 1e-13  # squared singular values of the design, relative
_CONSISTENT = 1e-8  # relative residual up to which equalities count as met
_DENSE = 2**24  # entries of B up to which it is formed: one large product beats many sparse ones


class NuclearFit(NamedTuple):
    """Coefficients `w` (M,), and the solution that they come from; `start` for a nearby problem."""

    w: np.ndarray
    solution: NuclearSolution


@dataclass(frozen=True, eq=False)
class NuclearRegression:
    """min 1/2 |X w - y|^2 + alpha |A(w)|_* for any alpha, set up once.

    Coordinates: w = C v + K u with A(K) = 0, A(C) orthonormal and the design diagonal on C, once K is fitted away.

    Fields: `columns` A; `design` X (N, M); `values` y (N,); `basis` C (M, k); `kernel` K (M, f); `curvature` (k,);
        `slope` (k,); `rest`, the least possible 1/2 |X w - y|^2 plus half of what v explains; `undetermined`, how many
        directions neither the data nor A sees (their coefficients are zero).
    """

    columns: Columns
    design: Float[np.ndarray, "N M"]
    values: Float[np.ndarray, " N"]
    basis: Float[np.ndarray, "M k"]
    kernel: Float[np.ndarray, "M f"]
    curvature: Float[np.ndarray, " k"]
    slope: Float[np.ndarray, " k"]
    undetermined: int
    _operator: AbstractOperator
    _unseen: Float[np.ndarray, " N"]

    @property
    def largest(self) -> float:
        """A strength alpha from which on A(w) = 0 is optimal: |B c|_2, since S = B c / alpha is then a multiplier."""
        if len(self.slope) == 0:
            return 0.0
        return float(np.linalg.norm(self._operator.apply(self.slope), 2))

    def fit(
        self,
        alpha: float,
        tolerance: float,
        max_iterations: int,
        start: NuclearSolution | None = None,
        watch: Callable[[int, float], None] = lambda iterations, gap: None,
    ) -> NuclearFit:
        """The minimum for one alpha > 0.

        Arguments: `alpha`; `tolerance`, `max_iterations`, `watch` as for `minimise_nuclear_norm`; `start`, the solution
            for a nearby alpha.
        Returns: NuclearFit; objective and gap are those of the objective divided by alpha.
        """
        rest = 0.5 * float(self._unseen @ self._unseen) / alpha
        problem = NuclearProblem(
            np.zeros(self.columns.shape), self._operator, self.curvature / alpha, self.slope / alpha, rest
        )
        warm = None if start is None else (start.v, start.dual)
        solution = minimise_nuclear_norm(problem, tolerance, max_iterations, warm, watch)
        w = self.basis @ solution.v
        if self.kernel.shape[1]:
            w = w + self.kernel @ np.linalg.lstsq(self.design @ self.kernel, self.values - self.design @ w)[0]
        return NuclearFit(w, solution)


def nuclear_regression(
    columns: Columns, design: Float[np.ndarray, "N M"], values: Float[np.ndarray, " N"]
) -> NuclearRegression:
    """Set up min 1/2 |X w - y|^2 + alpha |A(w)|_*.

    Arguments: `columns` A; `design` X (N, M); `values` y (N,).
    Returns: NuclearRegression.
    """
    if len(design) > design.shape[1]:  # the residual outside the range of X is no concern of w
        q, design_ = np.linalg.qr(design)
        inside = q.T @ values
        outside = np.array([np.linalg.norm(values - q @ inside)])
        design, values = np.concatenate([design_, np.zeros((1, design.shape[1]))]), np.concatenate([inside, outside])
    basis, kernel = _orthonormal(columns.gram)
    on_kernel = design @ kernel
    left, s, _ = np.linalg.svd(on_kernel, full_matrices=False)
    rank = int(np.sum(s > _RANK * np.linalg.norm(design))) if s.size else 0
    left = left[:, :rank]
    seen, target = design @ basis, values - left @ (left.T @ values)
    seen = seen - left @ (left.T @ seen)
    s, turn = right_singular(seen)
    curvature = s * s
    flat = curvature <= _FLAT * curvature.max(initial=0.0)
    basis = basis @ turn.T
    slope = (turn @ (seen.T @ target)) * ~flat
    curvature[flat] = 0.0
    return NuclearRegression(
        columns,
        design,
        values,
        basis,
        kernel,
        curvature,
        slope,
        kernel.shape[1] - rank,
        _operator(columns, basis),
        target,
    )


class Inconsistent(ValueError):
    """The equalities X w = y have no solution; its argument is the least relative residual."""


def nuclear_interpolation(
    columns: Columns,
    design: Float[np.ndarray, "N M"],
    values: Float[np.ndarray, " N"],
    tolerance: float,
    max_iterations: int,
    watch: Callable[[int, float], None] = lambda iterations, gap: None,
) -> tuple[NuclearFit, int]:
    """min |A(w)|_* subject to X w = y.

    Arguments: `columns` A; `design` X (N, M); `values` y (N,); the others as for `minimise_nuclear_norm`.
    Returns: NuclearFit, and how many directions neither X nor A sees (their coefficients are zero).
    Raises: Inconsistent when no w satisfies the equations.
    """
    factors: tuple = scipy.linalg.qr(design.T, pivoting=True, mode="full", check_finite=False)
    q, r, pivot = factors
    pivots = np.abs(np.diag(r))
    rank = int(np.sum(pivots > _RANK * pivots.max(initial=0.0)))
    w = q[:, :rank] @ scipy.linalg.solve_triangular(r[:rank, :rank], values[pivot[:rank]], trans=1)
    residual = float(np.linalg.norm(design @ w - values))
    size = float(np.linalg.norm(values))
    if residual > _CONSISTENT * size:  # w meets only as many equations as there are pivots
        nearest = np.linalg.lstsq(design, values)[0]
        raise Inconsistent(float(np.linalg.norm(design @ nearest - values)) / size)
    free = q[:, rank:]
    seen, kernel = _orthonormal(free.T @ columns.gram @ free, float(np.diag(columns.gram).max(initial=0.0)))
    basis = free @ seen
    operator = _operator(columns, basis)
    offset = columns.apply(w)
    back = operator.adjoint(offset)  # from the point of least Frobenius norm
    w, offset = w - basis @ back, offset - operator.apply(back)
    nothing = np.zeros(basis.shape[1])
    if np.linalg.norm(offset) <= 1e-12 * np.linalg.norm(columns.apply(w) + operator.apply(back)):
        solution = NuclearSolution(nothing, np.zeros(columns.shape), 0.0, 0.0, 0, "gap")
        return NuclearFit(w, solution), kernel.shape[1]
    problem = NuclearProblem(offset, operator, nothing, nothing)
    solution = minimise_nuclear_norm(problem, tolerance, max_iterations, watch=watch)
    return NuclearFit(w + basis @ solution.v, solution), kernel.shape[1]


def _orthonormal(gram: np.ndarray, largest: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """C with C^T G C = 1 and the kernel of G."""
    if len(gram) == 0:
        return np.zeros((0, 0)), np.zeros((0, 0))
    largest = max(largest, float(np.diag(gram).max()))
    if largest == 0.0:
        return np.zeros((len(gram), 0)), np.eye(len(gram))
    try:  # nine times quicker than eigenvalues, and enough where nothing is close to the kernel
        factor = np.linalg.cholesky(gram)
        if np.diag(factor).min() ** 2 > 1e-8 * largest:
            return scipy.linalg.solve_triangular(factor, np.eye(len(gram)), lower=True).T, np.zeros((len(gram), 0))
    except np.linalg.LinAlgError:
        pass
    eigenvalues, vectors = np.linalg.eigh(gram)
    on = eigenvalues > _KERNEL * max(largest, eigenvalues[-1])
    return vectors[:, on] / np.sqrt(eigenvalues[on]), vectors[:, ~on]


def _operator(columns: Columns, basis: np.ndarray) -> AbstractOperator:
    (p, q), (_, E, _), k = columns.shape, columns.stack.shape, basis.shape[1]
    single = basis.astype(np.float32)
    if p * q * k > _DENSE:
        return _Composed(columns, basis, single, None)
    moved = (columns.tall.astype(np.float32) @ single).reshape(q, E, k).swapaxes(0, 1)
    formed = (columns.factor.astype(np.float32) @ moved.reshape(E, q * k)).reshape(p, q, k)
    return _Composed(columns, basis, single, (formed, np.ascontiguousarray(formed.swapaxes(0, 1))))


@dataclass(frozen=True, eq=False)
class _Composed(AbstractOperator):
    """B = A C.

    Fields: `columns` A; `basis` C; `single`, C in single precision; `formed`, B as arrays (p, q, k) and (q, p, k), so
        that a product along either side needs no copy; None where they are too large.
    """

    columns: Columns
    basis: np.ndarray
    single: np.ndarray
    formed: tuple[np.ndarray, np.ndarray] | None

    @property
    def shape(self) -> tuple[int, int]:
        return self.columns.shape

    def apply(self, v: np.ndarray) -> np.ndarray:
        return self.columns.apply(self.basis @ v)

    def adjoint(self, X: np.ndarray) -> np.ndarray:
        return self.basis.T @ self.columns.adjoint(X)

    def left(self, U: np.ndarray) -> np.ndarray:
        if self.formed is None:
            return self.columns.left(U, self.single)
        p, q, k = self.formed[0].shape
        return (U.T.astype(np.float32) @ self.formed[0].reshape(p, q * k)).reshape(-1, q, k)

    def right(self, V: np.ndarray, rows: np.ndarray) -> np.ndarray:
        if self.formed is None:
            return self.columns.right(V, rows, self.single)
        q, p, k = self.formed[1].shape
        moved = (V.T.astype(np.float32) @ self.formed[1].reshape(q, p * k)).reshape(-1, p, k)
        return np.matmul(rows.astype(np.float32), moved)
