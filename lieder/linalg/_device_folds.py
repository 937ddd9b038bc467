"""Factors of rows that lie on an accelerator: formed there, so that a few small matrices are copied and no rows."""

from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ._folds import FoldFactors
from ._triangular import GROWTH, TriangularFactor


@dataclass(frozen=True, eq=False)
class DeviceFolds:
    """The factors of `FoldFactors`, of rows that stay where they are.

    Rows A are divided by a factor R0 of rows like them, B = A R0^-1, and of each part of the rows G = sum B^T B is
    kept, so that the part's factor is root(G) R0. As in `TriangularFactor`, the Gram matrix is that of rows whose
    condition number is about one whatever that of A is, and costs no precision; batches of which that is not so are
    refused.

    Fields: `root` (q, q), R0; `grams` (parts, q, q); `rows` of each part; `measure`, rows that R0 stands for.
    """

    root: Float[Array, "q q"]
    grams: Float[Array, "parts q q"]
    rows: tuple[int, ...]
    measure: int

    @classmethod
    def like(cls, sample: Float[np.ndarray, "rows q"], parts: int, device) -> "DeviceFolds | None":
        """Without rows, for rows like those of a sample; None where these are fewer than columns, or not finite."""
        rows, q = sample.shape
        if rows < q or q == 0 or not np.isfinite(sample).all():
            return None
        # Directions in which nothing moves hold rounding alone: one unit in the last place makes them comparable.
        largest, tiny = np.abs(sample).max(axis=0), np.finfo(np.float64).tiny ** 0.5
        rounding = np.diag(np.finfo(np.float64).eps * np.sqrt(rows) * np.where(largest > 0, largest, tiny))
        root = TriangularFactor.empty(q).absorb(np.concatenate([sample, rounding])).factor
        with jax.enable_x64(True):
            put = partial(jax.device_put, device=device)
            return cls(put(root), put(np.zeros((parts, q, q))), (0,) * parts, rows)

    def folds(self) -> FoldFactors:
        """As factors in the memory of the host: the one copy."""
        root, grams = np.asarray(self.root), np.asarray(self.grams)
        factors = []
        for gram, rows in zip(grams, self.rows, strict=True):
            values, vectors = np.linalg.eigh(gram)
            tall = (np.sqrt(np.maximum(values, 0.0)) * vectors).T @ root
            factors.append(TriangularFactor(TriangularFactor.empty(len(root)).absorb(tall).factor, rows))
        return FoldFactors(tuple(factors))


def absorb_on_device(
    folds: tuple[DeviceFolds, ...],
    blocks: tuple[Array, ...],
    part: np.ndarray,
    scale: np.ndarray,
) -> tuple[tuple[DeviceFolds, ...], bool]:
    """Each with further rows of its block times `scale`, zero for those that do not count.

    Arguments: `blocks` (rows, ..., q), one for each of `folds`; `part` and `scale` (rows,) of the entries of every
        block, which may stand for several rows.
    Returns: those to be used from now on in place of `folds`, whose memory they take over; and whether the rows were
        taken: where some are not like those before, or not finite, nothing is added to any.
    """
    counts = np.bincount(part[scale > 0], minlength=len(folds[0].rows))
    each = [int(np.prod(block.shape[1:-1])) for block in blocks]
    rooms = [GROWTH * max(1.0, counts.sum() * n / fold.measure) for n, fold in zip(each, folds, strict=True)]
    with jax.enable_x64(True):
        roots, grams = zip(*((fold.root, fold.grams) for fold in folds), strict=True)
        grown, taken = _grown(grams, roots, blocks, part, scale, np.asarray(rooms))
    taken = bool(taken)
    out = []
    for fold, gram, n in zip(folds, grown, each, strict=True):
        rows = tuple(int(a + n * b * taken) for a, b in zip(fold.rows, counts, strict=True))
        out.append(DeviceFolds(fold.root, gram, rows, fold.measure))
    return tuple(out), taken


@partial(jax.jit, donate_argnums=0)
def _grown(grams: tuple, roots: tuple, blocks: tuple, part: Array, scale: Array, rooms: Array) -> tuple[tuple, Array]:
    added, taken = [], jnp.asarray(True)
    for gram, root, block, room in zip(grams, roots, blocks, rooms, strict=True):
        rows = block.astype(root.dtype) * scale.astype(root.dtype).reshape((-1,) + (1,) * (block.ndim - 1))
        white = jax.scipy.linalg.solve_triangular(root, rows.reshape(-1, rows.shape[-1]).T, trans=1, lower=False)
        which = jnp.repeat(part, white.shape[1] // len(part))
        of_part = lambda p, white=white, which=which: jnp.where(which == p, white, 0.0) @ white.T  # noqa: E731
        added.append(jax.lax.map(of_part, jnp.arange(len(gram))))
        taken &= jnp.max(jnp.sum(jnp.abs(added[-1].sum(axis=0)), axis=1)) <= room  # which NaN is not
    return tuple(gram + jnp.where(taken, more, 0.0) for gram, more in zip(grams, added, strict=True)), taken
