"""The Lie derivative of F_W(x) = W f(x), as a matrix with one column a candidate, linear in W."""

import numpy as np
from jaxtyping import Float

from ..action import AbstractAction, AbstractFibreAction, FieldAction
from ..derivative import LieMatrices, family_operator, lie_matrices, sampled_operator
from ..dictionary import AbstractDictionary
from ..linalg import Columns, MatrixStack
from ..sampling import Moments
from ._measure import Measure, factor, factor_at, measure_of
from ._units import Units

_MOST_BYTES = 2**31
_LINEAR = 1e-8  # relative departure of phi(x, a y + b z) from linearity that counts as rounding
_SPARE = 50  # points more than unknowns


def lie_columns(
    dictionary: AbstractDictionary,
    source: AbstractAction,
    target: AbstractFibreAction,
    where: Measure | Float[np.ndarray, "C n"],
    candidates: Float[np.ndarray, "e q"],
    sizes: Float[np.ndarray, " D"],
    seed: int,
) -> Columns:
    """A(W) = [L_1 F_W .. L_e F_W] in orthonormal functions, for the given combinations of the candidates, from the
    entries of W row by row: F_W = W f / sizes.

    The singular values of A(W) are those of xi -> L_xi F_W, from the algebra to the functions square-integrable over
    `where`.
    """
    turning = target.expansion
    if turning is not None and turning.is_linear:
        matrices = _matrices(dictionary, source, where, seed)
        found = _linear(matrices, turning, _factor(matrices, where, seed), candidates)
    else:
        found = _sampled(dictionary, source, target, where, candidates, seed)
    if np.all(sizes == 1.0):
        return found
    stack, every = found.stack, np.tile(sizes, target.width)
    return Columns(MatrixStack(stack.shape, stack.index, stack.value / every[stack.index[2]]), found.factor)


def _matrices(dictionary: AbstractDictionary, source: AbstractAction, where, seed: int) -> LieMatrices:
    try:
        matrices = lie_matrices(dictionary, source, np.zeros((1, source.width)))
        if matrices.how == "exact":
            return matrices
    except ValueError:  # one point is too few for what has to be sampled; other faults come again below
        pass
    size = dictionary.size * (1 + source.algebra.dim) + _SPARE
    return lie_matrices(dictionary, source, where.sample(size, seed) if isinstance(where, Measure) else where)


def _factor(matrices: LieMatrices, where, seed: int) -> np.ndarray:
    if isinstance(where, Measure):
        return factor(matrices, where, seed)
    if matrices.joint is None:
        return np.eye(matrices.generators.shape[2])
    return factor_at(matrices.joint, where)


def _linear(matrices: LieMatrices, target: FieldAction, triangle: np.ndarray, candidates: np.ndarray) -> Columns:
    """In the joint functions, of which only those that occur are kept."""
    stack, m = family_operator(matrices, target), target.width
    joint = stack.shape[1] // m
    used, place = np.unique(stack.index[1] % joint, return_inverse=True)
    row = (stack.index[1] // joint) * len(used) + place
    index = np.stack([stack.index[0], row, stack.index[2]])
    stack = MatrixStack((stack.shape[0], m * len(used), stack.shape[2]), index, stack.value)
    # Fewer functions than rows where only some are met: their triangular factor.
    triangle = triangle[:, used]
    triangle = np.asarray(np.linalg.qr(triangle, mode="r")) if len(triangle) > len(used) else triangle
    return Columns(_mixed(stack, candidates), np.kron(np.eye(m), triangle))


def _mixed(stack: MatrixStack, candidates: np.ndarray) -> MatrixStack:
    if len(candidates) == stack.shape[0] and np.array_equal(candidates, np.diag(np.diag(candidates))):
        return MatrixStack(stack.shape, stack.index, stack.value * np.diag(candidates)[stack.index[0]])
    return stack.combine(candidates)


def _sampled(dictionary, source, target, where, candidates, seed: int) -> Columns:
    """For outputs that move by phi(x, y), linear in y but with matrices that depend on x."""
    m, size, q = target.width, dictionary.size, source.algebra.dim
    unknowns = m * size
    x = where.sample(2 * unknowns * q // m + _SPARE, seed) if isinstance(where, Measure) else where
    if 8 * len(x) * m * unknowns * q > _MOST_BYTES:
        raise ValueError(
            f"dictionary: {size} functions for {m} outputs under {q} candidates, sampled at {len(x)} points, take"
            f" {8 * len(x) * m * unknowns * q / 2**30:.1f} GiB. Take fewer functions, or fewer collocation points."
        )
    found = sampled_operator(dictionary, source, target, x)
    if found.bend > _LINEAR:
        raise ValueError(
            f"target: {target} is not linear in the outputs, so that L is not linear in the coefficients and the"
            " problem not convex. Take a linear action on outputs, or ld.promote.penalty with any model."
        )
    rows = found.rows()  # q, C m, m D
    if not np.isfinite(rows).all():
        raise ValueError("collocation: a function of the dictionary or its derivative is not finite at some point.")
    matrix = np.moveaxis(rows, 0, 1).reshape(len(x) * m, q * unknowns) / np.sqrt(len(x))
    triangle = np.asarray(np.linalg.qr(matrix, mode="r")) if len(matrix) > matrix.shape[1] else matrix
    stack = MatrixStack.from_dense(np.moveaxis(triangle.reshape(len(triangle), q, unknowns), 1, 0))
    return Columns(_mixed(stack, candidates), np.eye(len(triangle)))


def measure(
    collocation: str | Float[np.ndarray, "C n"], units: Units, inputs: Moments, sample: Float[np.ndarray, "S n"]
):
    """What a user's `collocation` means for inputs with these moments, of which a sample is at hand: a Measure, or
    points (C, n), in the units inside."""
    width = sample.shape[1]
    if isinstance(collocation, str):
        if collocation == "data":
            return units.inside(sample)
        if collocation not in ("box", "gaussian"):
            raise ValueError(
                f'collocation: expected "box", "gaussian", "data" or points (C, {width}), got {collocation!r}.'
            )
        return measure_of(collocation, inputs.scaled(units.centre, units.scale))
    try:
        points = np.asarray(collocation)
    except ValueError:
        raise ValueError(f"collocation: points must be rows (C, {width}) of equal lengths.") from None
    if points.dtype.kind not in "fiu":
        raise TypeError(f"collocation: points must be real numbers, got dtype {points.dtype}.")
    points = points.astype(np.float64)
    if points.ndim != 2 or points.shape[1] != width or len(points) == 0:
        raise ValueError(f"collocation: points must be rows (C, {width}), got shape {points.shape}.")
    if not np.isfinite(points).all():
        raise ValueError("collocation: points hold NaN or infinite values.")
    return units.inside(points)
