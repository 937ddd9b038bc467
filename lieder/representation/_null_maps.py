"""Equivariant maps as a null space: where Schur's lemma does not hold, or holds only nearly."""

from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np
import scipy.sparse
from jaxtyping import Array, Float

from ..linalg import TooLarge, axis_aligned, singular_parts, singular_vectors
from ._maps import AbstractMaps
from ._summands import Summand


@dataclass(frozen=True, eq=False)
class NullMaps(AbstractMaps):
    """W assembled from a dense basis for each pair of different summands, any number of copies of each.

    Fields: `widths` (n, m); `source`, `target`: places (copies, size) of each summand; `bases`, for target summand t
    and source summand s an orthonormal basis `bases[t][s]` (r, size_t, size_s).
    """

    widths: tuple[int, int]
    source: tuple[np.ndarray, ...]
    target: tuple[np.ndarray, ...]
    bases: tuple[tuple[np.ndarray, ...], ...]

    @property
    def dim(self) -> int:
        return sum(self._sizes())

    def _sizes(self) -> list[int]:
        """Coefficients of each pair, ordered (basis, copies in the target, copies in the source)."""
        return [
            len(basis) * len(to) * len(by)
            for to, row in zip(self.target, self.bases, strict=True)
            for by, basis in zip(self.source, row, strict=True)
        ]

    @property
    def scales(self) -> Float[np.ndarray, " dim"]:
        out = [np.zeros(0)]
        for to, row in zip(self.target, self.bases, strict=True):
            reaching = sum(len(basis) * len(by) for by, basis in zip(self.source, row, strict=True))
            out.append(np.full(reaching * len(to), np.sqrt(to.shape[1] / max(reaching, 1))))
        return np.concatenate(out)

    def apply(self, coefficients: Float[Array, " dim"], x: Float[Array, " n"]) -> Float[Array, " m"]:
        dtype = jnp.result_type(coefficients, x)
        out = jnp.zeros(self.widths[1], dtype)
        inputs = [x[by.astype(np.int32)] for by in self.source]
        start = 0
        for to, row in zip(self.target, self.bases, strict=True):
            total = jnp.zeros(to.shape, dtype)
            for by, block, basis in zip(self.source, inputs, row, strict=True):
                size = len(basis) * len(to) * len(by)
                own = coefficients[start : start + size].reshape(len(basis), len(to), len(by))
                start += size
                if size:  # r: basis, i, j: coordinates of target and source, t, s: copies
                    turned = jnp.einsum("rij,sj->rsi", jnp.asarray(basis, dtype), block)
                    total = total + jnp.einsum("rts,rsi->ti", own, turned)
            out = out.at[to.astype(np.int32)].set(total)
        return out

    def matrix(self, coefficients: Float[Array, " dim"]) -> Float[Array, "m n"]:
        out = jnp.zeros((self.widths[1], self.widths[0]), coefficients.dtype)
        for to, row in zip(self.target, self.pairs(coefficients), strict=True):
            for by, (basis, own) in zip(self.source, row, strict=True):
                if len(basis):
                    block = jnp.einsum("rts,rij->tisj", own, jnp.asarray(basis, coefficients.dtype))
                    rows, columns = to.reshape(-1).astype(np.int32), by.reshape(-1).astype(np.int32)
                    out = out.at[rows[:, None], columns].set(block.reshape(to.size, by.size))
        return out

    def pairs(
        self, coefficients: Float[Array, " dim"]
    ) -> list[list[tuple[Float[np.ndarray, "r i j"], Float[Array, "r t s"]]]]:
        out, start = [], 0
        for to, row in zip(self.target, self.bases, strict=True):
            found = []
            for by, basis in zip(self.source, row, strict=True):
                size = len(basis) * len(to) * len(by)
                own = coefficients[start : start + size].reshape(len(basis), len(to), len(by))
                start += size
                found.append((basis, own))
            out.append(found)
        return out

    def dense(self) -> Float[np.ndarray, "dim m n"]:
        out = np.zeros((self.dim, self.widths[1], self.widths[0]))
        start = 0
        for to, row in zip(self.target, self.bases, strict=True):
            for by, basis in zip(self.source, row, strict=True):
                for matrix in basis:
                    for rows in to:
                        for columns in by:
                            out[start, rows[:, None], columns] = matrix
                            start += 1
        return out

    def coefficients(self, matrix: Float[np.ndarray, "m n"]) -> Float[np.ndarray, " dim"]:
        matrix = np.asarray(matrix)
        out = [np.zeros(0)]
        for to, row in zip(self.target, self.bases, strict=True):
            for by, basis in zip(self.source, row, strict=True):
                block = matrix[to[:, :, None, None], by]  # t, i, s, j
                out.append(np.einsum("tisj,rij->rts", block, basis).reshape(-1))
        return np.concatenate(out)


@dataclass(frozen=True, eq=False)
class Unfinished:
    """Candidate maps between two summands with their singular values under the constraints, before the cut."""

    values: Float[np.ndarray, " candidates"]
    maps: Float[np.ndarray, "candidates m n"]


def candidates(
    source: Summand, target: Summand, scale: Float[np.ndarray, " k"], given: Float[np.ndarray, "r m n"] | None
) -> list[Unfinished]:
    """Maps between two summands in the order of how far they are from W -> B_k W - W A_k being zero.

    Arguments: `source`, `target`; `scale` (k,) by which each constraint is divided; `given`, an orthonormal basis in
    which the maps are sought (those that satisfy other constraints), or None for all matrices.
    Returns: one record for each part of the unknowns that no constraint connects to the rest.
    Raises: ValueError when a connected part has more than 6,000 unknowns.
    """
    m, n = target.size, source.size
    if given is not None and len(given) == 0:
        return []
    if given is not None:
        values, vectors = singular_vectors(scipy.sparse.csr_array(_images(source, target, scale, given)))
        return [Unfinished(values, np.tensordot(vectors, given, axes=1))]
    if len(scale) == 0:
        return [Unfinished(np.zeros(m * n), np.eye(m * n).reshape(-1, m, n))]
    out = []
    try:
        parts = list(singular_parts(_constraints(source, target, scale)))
    except TooLarge as fault:
        raise ValueError(
            f"source and target: {fault.columns} connected unknowns of an algebra that is not closed under"
            f" transposition are more than the {fault.largest} that fit. Write them as sums of smaller representations,"
            " or, for an algebra that is nearly a named one, use the named one."
        ) from None
    for part in parts:
        maps = np.zeros((len(part.values), m * n))
        maps[:, part.columns] = part.vectors
        out.append(Unfinished(part.values, maps.reshape(-1, m, n)))
    return out


def _constraints(source: Summand, target: Summand, scale: np.ndarray) -> scipy.sparse.csr_array:
    """(k m n, m n): row-major W -> B_k W - W A_k."""
    k, m, _ = target.operators.shape
    n = source.size
    left, right = target.operators, source.operators
    copies_n, copies_m = np.arange(n)[:, None], np.arange(m)[:, None]
    entries = [
        ((left.index[0] * m + left.index[1]) * n + copies_n, left.index[2] * n + copies_n, left.value),
        ((right.index[0] * m + copies_m) * n + right.index[2], copies_m * n + right.index[1], -right.value),
    ]
    which = [left.index[0], right.index[0]]
    row = np.concatenate([entry[0].reshape(-1) for entry in entries])
    column = np.concatenate([entry[1].reshape(-1) for entry in entries])
    value = [
        np.broadcast_to(entry[2] / scale[number], entry[0].shape).reshape(-1)
        for entry, number in zip(entries, which, strict=True)
    ]
    made = scipy.sparse.coo_array((np.concatenate(value), (row, column)), shape=(k * m * n, m * n)).tocsr()
    made.sum_duplicates()
    made.eliminate_zeros()
    return made


def _images(source: Summand, target: Summand, scale: np.ndarray, maps: np.ndarray) -> np.ndarray:
    """(constraints, maps): B_k W - W A_k for each given W."""
    r, m, n = maps.shape
    rows = []
    for b, a, size in zip(target.operators.each(), source.operators.each(), scale, strict=True):
        moved = (b @ maps.transpose(1, 0, 2).reshape(m, r * n)).reshape(m, r, n).transpose(1, 0, 2)
        moved = moved - (a.T @ maps.reshape(r * m, n).T).T.reshape(r, m, n)
        rows.append(moved.reshape(r, m * n).T / size)
    return np.concatenate(rows) if rows else np.zeros((0, r))


def cut(found: list[Unfinished], shape: tuple[int, int], tolerance: float) -> Float[np.ndarray, "r m n"]:
    """The maps below the tolerance, in a basis that does not depend on rounding."""
    kept = [part.maps[part.values <= tolerance].reshape(-1, shape[0] * shape[1]) for part in found]
    kept = [axis_aligned(part.T).T @ part for part in kept if len(part)]
    basis = np.concatenate([np.zeros((0, shape[0] * shape[1])), *kept])
    # By the first of the largest entries: which unknowns are connected, and so the order so far, is up to rounding.
    size = np.abs(basis)
    first = np.argmax(size >= (1 - 1e-6) * size.max(axis=1, initial=0.0)[:, None], axis=1)
    return basis[np.argsort(first, kind="stable")].reshape(-1, *shape)
