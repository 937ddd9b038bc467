"""What was found as an algebra of its own: measured generators are cleaned before anything is built on them."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from ..action import AbstractAction, leaving_pair, measured_algebra
from ..algebra import LieAlgebra, Span
from ..linalg import relative_spectrum
from ._sparsify import simple_basis

EXACT = 1e-8  # generators good to this need no cleaning: rounding of models in double precision
_LEFT = 1e-6  # closure defect from which on exact symmetries have brackets that are not among the candidates
_CLOSED = 1e-8  # closure defect, as the data see it, up to which brackets count as closed
_NUMBERS = 3e6  # entries of the brackets of all pairs at all points, 24 MB, where few points do; up to _MOST for more
_MOST = 2e7
_LARGEST = 256  # candidates whose structure constants are formed for cleaning
_SIMPLIFIED = 40  # found generators that are tried in a simple basis


@dataclass(frozen=True, eq=False)
class Found:
    """Fields: `basis` (dim, q), the generators that are built on; `algebra` with their structure constants; `closure`,
    the share of the brackets of the generators as measured that leaves their span, None when too many to form."""

    basis: Float[np.ndarray, "dim q"]
    algebra: LieAlgebra | Span
    closure: float | None


def found_algebra(
    action: AbstractAction,
    generators: Float[np.ndarray, "dim q"],
    numerator: Float[np.ndarray, "r q"],
    denominator: Float[np.ndarray, "s q"],
    limits: tuple[float, float],
    points: Float[np.ndarray, "held n"],
) -> Found:
    """The algebra that generators with the given defects stand for.

    Symmetries form an algebra (their brackets are symmetries), measured ones only nearly. The first of these that is
    closed and stays within the evidence is taken: the simple basis (few terms, simple fractions); the nearest closed
    subspace of the candidates' algebra; else the generators as they are, with a tolerance that says how far from
    closed they are.

    Arguments: `action` of the candidates on inputs and outputs; `generators`, rows over them; `numerator`,
        `denominator`, the factors of the relative defect; `limits`, the largest defect that the evidence cannot tell
        from those found, and a smaller one within which simple coefficients are preferred to the nearest algebra;
        `points` at which brackets are measured.
    Returns: Found.
    """
    dim, (limit, near) = len(generators), limits
    names = tuple(f"X{k + 1}" for k in range(dim))
    if dim == 0:
        return Found(generators, LieAlgebra("found", (), constants=np.zeros((0, 0, 0))), None)
    each = dim**2 * action.width
    count = min(len(points), 256, max(2 * dim // action.width + 1, int(_NUMBERS / each)))
    if count * action.width < 2 * dim or count * each > _MOST:
        return Found(generators, Span("found (brackets not formed)", names), None)

    def algebra(rows: np.ndarray, noise: float = 1e-10) -> tuple[LieAlgebra | Span, float]:
        return measured_algebra(action, rows, names, points[:count], noise, max(1e-6, limit))

    as_found, closure = algebra(generators, 1e-10 if limit <= EXACT else limit)
    if limit <= EXACT and closure > _LEFT and isinstance(action.algebra, Span):
        simple = dim <= _SIMPLIFIED
        basis = simple_basis(generators, numerator, denominator, limit) if simple else generators
        return _open(action, basis, points[:count], closure)
    if limit > EXACT:
        for basis in _cleaned(action.algebra, generators, numerator, denominator, limit, near):
            clean, left = algebra(basis)
            if left <= _CLOSED:
                return Found(basis, clean, closure)
    return Found(generators, as_found, closure)


def _open(action: AbstractAction, basis: np.ndarray, points: np.ndarray, closure: float) -> Found:
    """Exact symmetries whose brackets, symmetries too, are not all among the candidates: a space, with the reason."""
    names = tuple(f"X{k + 1}" for k in range(len(basis)))
    i, j = leaving_pair(action.restrict(basis, Span("found", names)), points)
    reason = f"that is not closed: the bracket of {i + 1} and {j + 1} is a symmetry beyond the candidates"
    return Found(basis, Span("found (not closed under the bracket)", names, reason), closure)


def _cleaned(algebra, generators, numerator, denominator, limit, near):
    """Bases near the generators that the evidence cannot tell from them, the most telling first."""
    if len(generators) <= _SIMPLIFIED:
        basis = simple_basis(generators, numerator, denominator, near)
        if _worst(basis, numerator, denominator) <= near:
            yield basis
    if isinstance(algebra, LieAlgebra) and algebra.dim <= _LARGEST:
        basis = algebra.nearest_subalgebra(generators, denominator)[0]
        if _worst(basis, numerator, denominator) <= limit:
            yield basis


def _worst(basis: np.ndarray, numerator: np.ndarray, denominator: np.ndarray) -> float:
    """The largest relative defect of any combination."""
    return float(relative_spectrum(numerator @ basis.T, denominator @ basis.T, 1e-12).values.max(initial=0.0))
