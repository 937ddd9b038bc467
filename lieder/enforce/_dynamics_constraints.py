"""A symmetry as linear constraints on the coefficients of another package's sparse regression."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from ..action import AbstractAction
from ..algebra import LieAlgebra
from ..dictionary import AbstractDictionary
from ..interop import ForeignModel, from_pysindy, is_pysindy
from ._dynamics_symmetry import equations, sample, violation, warn_of_zero

EXACT = 1e-9  # relative singular values below this vanish
DIFFERENCES = 1e-6  # the same, where Jacobians are central differences


class Constraints(NamedTuple):
    """`lhs` (rows, n D) and `rhs` (rows,) with lhs w = rhs: what pysindy's ConstrainedSR3 takes.

    The rows are independent, and orthonormal; w are the coefficients in the order that `constraints` was asked for.
    """

    lhs: Float[np.ndarray, "rows coefficients"]
    rhs: Float[np.ndarray, " rows"]


def constraints(
    library: object,
    *,
    symmetry: AbstractAction,
    order: str = "feature",
    points: Float[np.ndarray, "points n"] | None = None,
    tolerance: float | None = None,
) -> Constraints:
    """The equations that make the vector fields W f equivariant, for `pysindy.optimizers.ConstrainedSR3`.

        lhs, rhs = ld.enforce.constraints(library, symmetry=symmetry)
        optimizer = ConstrainedSR3(
            constraint_lhs=lhs, constraint_rhs=rhs, constraint_order="feature", equality_constraints=True
        )

    Arguments:
        library: a feature library of pysindy (fitted or not), or a dictionary of lieder.
        symmetry: how generators act on the n states, linear, affine or not.
        order: of the columns. "feature" (default): the coefficients of all n equations on the first function, then on
            the second, ..; "target": all functions of the first equation, then of the second, .. Pass the same word to
            ConstrainedSR3 as constraint_order.
        points: (P, n) states at which the equations are sampled, P n q at least n D; default: normal with mean zero and
            variance one, which a library with logarithms or roots may not bear.
        tolerance: the relative singular value at and below which an equation counts as fulfilled. Default: that of the
            symmetry's algebra (1e-9 for exact ones), and at least 1e-6 for pysindy libraries other than polynomials,
            whose Jacobians are central differences.
    Returns: `Constraints`; no rows where the symmetry asks for nothing.
    Raises: TypeError when `library` is neither; ValueError for widths that do not match or another order.
    Warns: UserWarning when only F = 0 fulfils them.
    Reference: Champion, Zheng, Aravkin, Brunton and Kutz, A unified sparse optimization framework to learn parsimonious
    physics-informed models from data, IEEE Access 8, 2020.
    """
    if order not in ("feature", "target"):
        raise ValueError(f'order: expected "feature" or "target", as constraint_order of pysindy, got {order!r}.')
    if not isinstance(symmetry, AbstractAction):
        raise TypeError(f"symmetry: expected an action on states, such as vectors(so(2)), got {symmetry!r}.")
    n = symmetry.width
    if points is not None and (np.ndim(points) != 2 or np.shape(points)[1] != n or not np.isfinite(points).all()):
        raise ValueError(f"points: expected finite states (P, {n}), got shape {np.shape(points)}.")
    features, size, exact = _features(library, n)
    where = sample(size, np.zeros(n), np.ones(n)) if points is None else np.asarray(points, np.float64)
    law = violation(features, symmetry, where, np.ones(n))
    own = symmetry.algebra.tolerance if isinstance(symmetry.algebra, LieAlgebra) else EXACT
    least = max(own, EXACT if exact else DIFFERENCES) if tolerance is None else tolerance
    found = equations(law.broken, least)
    if len(found) == n * size:
        warn_of_zero(symmetry, depth=2)
    table = found.reshape(-1, n, size)
    lhs = table if order == "target" else table.swapaxes(1, 2)
    return Constraints(np.ascontiguousarray(lhs.reshape(-1, n * size)), np.zeros(len(lhs)))


def _features(library, n: int) -> tuple[AbstractDictionary | ForeignModel, int, bool]:
    """The functions with their derivatives, how many, and whether the derivatives are exact."""
    if isinstance(library, AbstractDictionary):
        if library.width != n:
            raise ValueError(f"symmetry acts on {n} numbers, but the library takes {library.width} states.")
        return library, library.size, True
    if not is_pysindy(library):
        raise TypeError(f"library: expected one of pysindy's or a dictionary, got {type(library).__name__}.")
    model = from_pysindy(library, n)
    return model, model.values(np.ones((1, n))).shape[1], model.steps is None
