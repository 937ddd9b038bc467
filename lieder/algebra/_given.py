"""Algebras of the user's own matrices."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from lieder.linalg import MatrixStack

from ._algebra import LieAlgebra
from ._checks import checked_names


def matrices(
    array: ArrayLike, names: Sequence[str] | None = None, name: str = "user", tolerance: float = 1e-9
) -> LieAlgebra:
    """An algebra of linear maps from its basis of matrices.

    Arguments: array: shape (q, n, n), linearly independent and closed under A B - B A (checked when a bracket is first
    needed). names: q names, "e1", "e2", ... by default. name: what to call the algebra. tolerance: the largest closure
    defect accepted; 1e-9 is for exact matrices, raise it for measured ones.
    Returns: the algebra, dimension q.
    Raises: TypeError if the matrices are complex; ValueError if they are not square, not finite or linearly dependent.
    """
    a = _real(array, "array")
    if a.ndim != 3 or a.shape[1] != a.shape[2] or a.shape[1] == 0:
        raise ValueError(f"array has shape {a.shape}; pass a stack of square matrices, (q, n, n)")
    return _algebra(np.pad(a, ((0, 0), (0, 0), (0, 1))), names, name, tolerance)


def affine(
    A: ArrayLike, b: ArrayLike, names: Sequence[str] | None = None, name: str = "user", tolerance: float = 1e-9
) -> LieAlgebra:
    """An algebra of affine maps x -> A_k x + b_k.

    Arguments: A: shape (q, n, n). b: shape (q, n). names, name, tolerance: as in `matrices`.
    Returns: the algebra, dimension q.
    Raises: TypeError if the arrays are complex; ValueError if shapes disagree, or the maps are linearly dependent.
    """
    linear, shift = _real(A, "A"), _real(b, "b")
    if linear.ndim != 3 or linear.shape[1] != linear.shape[2] or linear.shape[1] == 0:
        raise ValueError(f"A has shape {linear.shape}; pass a stack of square matrices, (q, n, n)")
    if shift.shape != linear.shape[:2]:
        raise ValueError(f"b has shape {shift.shape}; for A of shape {linear.shape} it must be {linear.shape[:2]}")
    return _algebra(np.concatenate([linear, shift[:, :, None]], axis=2), names, name, tolerance)


def _real(array: ArrayLike, argument: str) -> np.ndarray:
    a = np.asarray(array)
    if np.iscomplexobj(a):
        raise TypeError(f"{argument} is complex; write X + iY as the real matrix [[X, -Y], [Y, X]]")
    a = a.astype(np.float64)
    if not np.all(np.isfinite(a)):
        raise ValueError(f"{argument} holds NaN or infinite values")
    return a


def _algebra(stack: np.ndarray, names: Sequence[str] | None, name: str, tolerance: float) -> LieAlgebra:
    return LieAlgebra(name, checked_names(names, len(stack)), MatrixStack.from_dense(stack), tolerance=tolerance)
