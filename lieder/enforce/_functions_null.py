"""Constraints on the coefficients of a family, and their null space."""

from dataclasses import dataclass

import numpy as np
import scipy.sparse

from ..action import AbstractFibreAction, FieldAction
from ..derivative import LieMatrices, SampledOperator, family_operator, sampled_operator, values
from ..dictionary import AbstractDictionary
from ..linalg import MatrixStack, SingularPart, TooLarge, connected_columns, decide, singular_parts

CLEAR = 10.0  # least ratio between singular values that do not and that do count as zero
_DEPENDENT = 1e-8  # functions whose samples are dependent to this count as dependent
_ROUNDING = 1e-13
_BENT = 1e-9  # departure of a target from linear in the outputs that is rounding


@dataclass(frozen=True, eq=False)
class Constraint:
    """A linear condition on coefficients V (m, r), flattened row by row.

    Fields: `rows`, sparse; `size`, of the generator: singular values are relative to it.
    """

    rows: scipy.sparse.csr_array
    size: float


@dataclass(frozen=True, eq=False)
class Coordinates:
    """Well-conditioned coordinates V of a family: W = V C with C (r, D).

    For monomials V are coefficients in the Bombieri norm; for samples F has mean square |V|^2 over them. Functions of
    the dictionary that depend on others (two constants) share a coordinate.
    """

    rank: int
    to_dictionary: scipy.sparse.csr_array
    from_dictionary: scipy.sparse.csr_array

    @classmethod
    def of(cls, matrices: LieMatrices) -> "Coordinates":
        P = matrices.features
        if matrices.how == "exact":
            used = P[:, np.flatnonzero(abs(P).sum(axis=0))]
            count = np.asarray(used.sum(axis=0)).reshape(-1)
            share = scipy.sparse.diags_array(1 / np.sqrt(count)) @ used.T
            scale = scipy.sparse.diags_array(matrices.scale)
            inverse = scipy.sparse.diags_array(1 / matrices.scale)
            return cls(len(count), _csr(share @ scale), _csr(inverse @ share.T))
        return cls._independent(P.toarray())

    @classmethod
    def at(cls, dictionary: AbstractDictionary, x: np.ndarray) -> "Coordinates":
        """Coordinates in which F has mean square |V|^2 over given points (N, n)."""
        return cls._independent(values(dictionary, x).T / np.sqrt(len(x)))

    @classmethod
    def _independent(cls, dense: np.ndarray) -> "Coordinates":
        """From functions in terms of orthonormal ones (or their values), (D, E)."""
        rms = np.linalg.norm(dense, axis=1)
        rms[rms == 0] = 1.0
        left, singular, _ = np.linalg.svd(dense / rms[:, None], full_matrices=False)
        kept = singular > _DEPENDENT * singular.max(initial=0.0)
        left, singular = left[:, kept], singular[kept]
        return cls(len(singular), _csr((left / singular).T / rms), _csr(rms[:, None] * left * singular))


def _csr(matrix) -> scipy.sparse.csr_array:
    return scipy.sparse.csr_array(matrix)


def linear_constraints(moved: LieMatrices, target: FieldAction) -> list[Constraint]:
    """W T_k - B_k W P = 0 and W S_j - H_j W P = 0 in V, for a family that is `moved` in these coordinates."""
    fields = moved.action.expansion
    own = 1.0 if fields is None else _sizes(fields.generators, fields.elements)
    sizes = _sizes(target.matrices(), target.discrete()) + own
    each = family_operator(moved, target).each()
    return [Constraint(rows, float(size)) for rows, size in zip(each, sizes, strict=True) if size > 0]


def _sizes(*stacks: MatrixStack) -> np.ndarray:
    """Of each matrix, the root mean square of what it makes of a unit vector."""
    return np.concatenate(
        [np.sqrt(np.bincount(s.index[0], s.value**2, minlength=s.shape[0]) / s.shape[1]) for s in stacks]
    )


def fibre_operator(
    dictionary, source, target: AbstractFibreAction, coordinates: Coordinates, x: np.ndarray
) -> SampledOperator:
    """The same in V at points (N, n), for outputs that move in a way that depends on the input: mean squares."""
    found = sampled_operator(dictionary, source, target, x)
    if found.bend > _BENT:
        raise TypeError(
            f"target, {target}, does not act linearly on outputs (by {found.bend:.2g}): its equivariant functions form"
            " no vector space. Use vectors, tensors, scalars, or the directions ld.action.tangent(source)."
        )
    return found.changed(coordinates.to_dictionary.toarray() / np.sqrt(len(x)))


def null_space(constraints: list[Constraint], unknowns: int, tolerance: float, joint: bool) -> scipy.sparse.csr_array:
    """An orthonormal basis (unknowns, dim) of coefficients whose relative singular values are at most `tolerance`.

    Exact constraints are imposed one after the other, each on the null space of those before, those that connect fewest
    unknowns first: their small blocks are cheap, and little is left for the others. Where they hold only nearly
    (`joint`) that would add up errors, so all are imposed at once.
    """
    scaled = [_csr(c.rows / c.size) for c in constraints]
    stages = sorted(scaled, key=_largest)
    if joint and scaled:
        stages = [_csr(scipy.sparse.vstack(scaled))]
    basis = _csr(scipy.sparse.eye_array(unknowns))
    for rows in stages:
        basis = _imposed(basis, rows, tolerance)
    return basis


def _largest(rows: scipy.sparse.csr_array) -> int:
    return max(map(len, connected_columns(rows)), default=0)


def _imposed(basis: scipy.sparse.csr_array, rows: scipy.sparse.csr_array, tolerance: float) -> scipy.sparse.csr_array:
    matrix = _csr(rows @ basis)
    # What is left by rounding would connect parts that have nothing to do with each other.
    matrix.data[np.abs(matrix.data) < _ROUNDING * max(1.0, np.abs(matrix.data).max(initial=0.0))] = 0.0
    matrix.eliminate_zeros()
    entries, spectrum, count = [], [], 0
    for part in _parts(matrix):
        spectrum.append(part.values)
        kept = part.vectors[part.values <= tolerance]
        place, column = np.nonzero(kept)
        entries.append((part.columns[column], count + place, kept[place, column]))
        count += len(kept)
    check_gap(np.concatenate([np.zeros(0), *spectrum]), tolerance)
    if not entries:
        return basis
    row, column, value = (np.concatenate(parts) for parts in zip(*entries, strict=True))
    return _csr(basis @ scipy.sparse.csr_array((value, (row, column)), shape=(sum(map(len, spectrum)), count)))


def _parts(matrix: scipy.sparse.csr_array) -> list[SingularPart]:
    try:
        return list(singular_parts(matrix))
    except TooLarge as fault:
        raise ValueError(
            f"dictionary: the constraints connect {fault.columns:,} coefficients, more than the {fault.largest:,} whose"
            " singular values are computed. Take a lower degree, or one output at a time."
        ) from None


def check_gap(values: np.ndarray, tolerance: float) -> None:
    """Nothing, when values at or below the tolerance are clearly smaller than those above."""
    rank = decide(values, resolution=_ROUNDING, tolerance=tolerance, min_gap=CLEAR)
    if rank.count and not rank.clear:
        below, above = rank.sides()
        raise ValueError(
            f"tolerance = {tolerance:.3g} splits singular values that lie close together: {below} would count as zero,"
            f" {above} would not. Choose a tolerance inside a wider gap of the spectrum."
        )
