"""Numbers that depend on a Lie algebra only, not on its basis: equal for isomorphic algebras."""

from dataclasses import dataclass

import numpy as np

from ._split import centroid, derivations, ideals
from ._subspace import Constants, bracket_span, centre, killing_form, null, radical, restrict

_DERIVATIONS = 15  # largest dimension for which derivations are counted: q^2 unknowns, q^3 equations
_SAMPLES = 10  # random elements tried for the generic rank of ad


@dataclass(frozen=True)
class Invariants:
    """Whole numbers, and for semisimple algebras one real number that tells root systems of equal size apart."""

    whole: tuple[tuple[int, ...], ...]
    quartic: float | None

    def agrees(self, other: "Invariants", tolerance: float) -> bool:
        """Equal, the real number within a relative tolerance (1e-3 at least: known values differ by more)."""
        if self.whole != other.whole or (self.quartic is None) != (other.quartic is None):
            return False
        if self.quartic is None or other.quartic is None:
            return True
        return abs(self.quartic - other.quartic) <= max(tolerance, 1e-3) * abs(other.quartic)


def signature(constants: Constants, tolerance: float) -> tuple[int, int]:
    """The numbers of positive and of negative eigenvalues of the Killing form: the cheapest invariant."""
    killing = killing_form(constants)
    values = np.linalg.eigvalsh((killing + killing.T) / 2)
    return int(np.sum(values > tolerance)), int(np.sum(values < -tolerance))


def invariants(constants: Constants, tolerance: float) -> Invariants:
    """Arguments: constants: scaled to order one. tolerance: absolute size below which singular values count as zero."""
    q = len(constants)
    solvable = radical(constants, tolerance)
    maps = centroid(constants, tolerance)
    unimodular = int(np.linalg.norm(np.einsum("ijj->i", constants)) <= tolerance * q)
    whole = (
        (q, len(centre(constants, tolerance)), len(solvable), unimodular),
        signature(constants, tolerance),
        derived_series(constants, np.eye(q), tolerance),
        derived_series(constants, solvable, tolerance),
        lower_central_series(constants, tolerance),
        upper_central_series(constants, tolerance),
        (generic_rank(constants, tolerance), len(maps), ideals(maps, tolerance)),
        (derivations(constants, tolerance) if q <= _DERIVATIONS else -1,),
    )
    return Invariants(whole, quartic(constants) if len(solvable) == 0 else None)


def derived_series(constants: Constants, rows: np.ndarray, tolerance: float) -> tuple[int, ...]:
    """Dimensions of h, [h, h], [[h, h], [h, h]], .. until they repeat."""
    sizes = [len(rows)]
    while True:
        rows = bracket_span(constants, rows, rows, tolerance) if len(rows) else rows
        if len(rows) == sizes[-1]:
            return tuple(sizes)
        sizes.append(len(rows))


def lower_central_series(constants: Constants, tolerance: float) -> tuple[int, ...]:
    """Dimensions of g, [g, g], [g, [g, g]], .. until they repeat."""
    everything = rows = np.eye(len(constants))
    sizes = [len(rows)]
    while True:
        rows = bracket_span(constants, everything, rows, tolerance) if len(rows) else rows
        if len(rows) == sizes[-1]:
            return tuple(sizes)
        sizes.append(len(rows))


def upper_central_series(constants: Constants, tolerance: float) -> tuple[int, ...]:
    """Dimensions of the successive centres of g, g / centre, .. until one is zero."""
    sizes = []
    while len(constants):
        middle = centre(constants, tolerance)
        sizes.append(len(middle))
        if len(middle) == 0:
            break
        constants = restrict(constants, null(middle, 0.5))
    return tuple(sizes)


def generic_rank(constants: Constants, tolerance: float) -> int:
    """The largest rank of ad x; the dimension less the rank, for semisimple algebras."""
    x = np.random.default_rng(0).normal(size=(_SAMPLES, len(constants)))
    singular = np.linalg.svd(np.tensordot(x / np.linalg.norm(x, axis=1)[:, None], constants, axes=1), compute_uv=False)
    return int(np.sum(singular > tolerance, axis=1).max())


def quartic(constants: Constants) -> float:
    """tr(Omega^4), Omega = sum_ab K^ab ad e_a (x) ad e_b the split Casimir of a semisimple algebra, on g (x) g.

    so(7) and sp(6) have equal dimension, rank and Killing signature, but other root lengths: this differs.

    Reference: Cvitanovic, Group Theory, 2008, section 7.
    """
    q = len(constants)
    ad = constants.transpose(0, 2, 1)
    raised = np.tensordot(np.linalg.inv(killing_form(constants)), ad, axes=1)
    # tr(ad_a ad_b ad_c ad_d) contracted with itself, indices raised: two (q^2, q^2) products.
    low = np.einsum("aij,bjk->abik", ad, ad, optimize=True).reshape(q * q, q * q)
    high = np.einsum("aij,bjk->abik", raised, raised, optimize=True).reshape(q * q, q * q)
    swap = low.T @ high  # (ij), (kl): sum_ab (ad_a ad_b)_ij (ad^a ad^b)_kl
    swap = swap.reshape(q, q, q, q)
    return float(np.einsum("ijkl,jilk->", swap, swap))
