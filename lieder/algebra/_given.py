"""Algebras of the user's own matrices."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from ..linalg import MatrixStack
from ._algebra import LieAlgebra
from ._checks import checked_names

_EXACT = 1e-9  # closure defect of exact matrices in double precision: far above rounding
_ROUNDINGS = 100  # units of rounding of the matrices that came, up to which their brackets may miss the span


def matrices(
    array: ArrayLike, names: Sequence[str] | None = None, name: str = "user", tolerance: float | None = None
) -> LieAlgebra:
    """An algebra of linear maps from its basis of matrices.

    Arguments: array: shape (q, n, n), linearly independent and closed under A B - B A. names: q names, "e1", "e2", ...
    by default. name: what to call the algebra. tolerance: the largest closure defect accepted; default 1e-9, which is
    for exact matrices, and 100 units of rounding where they came in single or half precision. Raise it for measured
    ones.
    Returns: the algebra, dimension q.
    Raises: TypeError if the matrices are complex; ValueError if they are not square, not finite, linearly dependent, or
    not closed under the bracket.
    """
    a, eps = real_matrices(array, "array")
    if a.ndim != 3 or a.shape[1] != a.shape[2] or a.shape[1] == 0:
        raise ValueError(f"array has shape {a.shape}; pass a stack of square matrices, (q, n, n)")
    return _algebra(np.pad(a, ((0, 0), (0, 0), (0, 1))), names, name, tolerance, eps)


def affine(
    A: ArrayLike, b: ArrayLike, names: Sequence[str] | None = None, name: str = "user", tolerance: float | None = None
) -> LieAlgebra:
    """An algebra of affine maps x -> A_k x + b_k.

    Arguments: A: shape (q, n, n). b: shape (q, n). names, name, tolerance: as in `matrices`.
    Returns: the algebra, dimension q.
    Raises: TypeError if the arrays are complex; ValueError if shapes disagree, or the maps are linearly dependent
    or not closed under the bracket.
    """
    (linear, eps), (shift, more) = real_matrices(A, "A"), real_matrices(b, "b")
    if linear.ndim != 3 or linear.shape[1] != linear.shape[2] or linear.shape[1] == 0:
        raise ValueError(f"A has shape {linear.shape}; pass a stack of square matrices, (q, n, n)")
    if shift.shape != linear.shape[:2]:
        raise ValueError(f"b has shape {shift.shape}; for A of shape {linear.shape} it must be {linear.shape[:2]}")
    return _algebra(np.concatenate([linear, shift[:, :, None]], axis=2), names, name, tolerance, max(eps, more))


def real_matrices(array: ArrayLike, argument: str) -> tuple[np.ndarray, float]:
    """Finite real numbers in double precision, and the rounding unit of what they came in.

    Arguments: `array`; `argument`, what the caller calls it.
    Returns: the array in float64, and eps of the dtype that came.
    Raises: TypeError for complex numbers and what are no numbers; ValueError for NaN and inf.
    """
    a = np.asarray(array)
    if np.iscomplexobj(a):
        raise TypeError(f"{argument} is complex; write X + iY as the real matrix [[X, -Y], [Y, X]]")
    try:
        given = a.dtype.itemsize if a.dtype.kind == "f" else 8
        a = a.astype(np.float64)
    except (TypeError, ValueError):
        raise TypeError(f"{argument} must hold real numbers, got an array of {a.dtype}") from None
    if not np.all(np.isfinite(a)):
        raise ValueError(f"{argument} {'hold' if argument.endswith('s') else 'holds'} NaN or infinite values")
    return a, float(np.finfo({2: np.float16, 4: np.float32}.get(given, np.float64)).eps)


def _algebra(
    stack: np.ndarray, names: Sequence[str] | None, name: str, tolerance: float | None, eps: float
) -> LieAlgebra:
    tolerance = max(_EXACT, _ROUNDINGS * eps) if tolerance is None else tolerance
    made = LieAlgebra(name, checked_names(names, len(stack)), MatrixStack.from_dense(stack), tolerance=tolerance)
    made.check_closed()
    return made
