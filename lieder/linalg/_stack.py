"""A stack of sparse matrices of one shape: how a basis of generators is stored and contracted."""

from dataclasses import dataclass
from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np
import scipy.sparse
from jaxtyping import Array, Float, Int

_SMALL = 2**15  # entries up to which a dense product takes less time than a sparse one takes to be set up


@jax.tree_util.register_static
@dataclass(frozen=True, eq=False)
class MatrixStack:
    """q sparse matrices A_1..A_q of one shape, in coordinate form.

    Generators of named algebras have one or two non-zeros each, so gl(64) is 4,096 numbers here and 16.8 million
    densely; the two contractions below are the only places where generators meet points.

    Fields: `shape` = (q, rows, columns); `index` (3, entries), rows of which are generator, row and column, sorted by
    generator; `value` (entries,) float64.
    """

    shape: tuple[int, int, int]
    index: Int[np.ndarray, "3 entries"]
    value: Float[np.ndarray, " entries"]

    @classmethod
    def from_entries(cls, shape: tuple[int, int, int], index, value) -> "MatrixStack":
        """Build from coordinates in any order; repeated coordinates are summed and exact zeros dropped."""
        _, rows, columns = shape
        index = np.asarray(index, dtype=np.int64).reshape(3, -1)
        value = np.asarray(value, dtype=np.float64).reshape(-1)
        place = (index[0] * rows + index[1]) * columns + index[2]
        order = np.argsort(place, kind="stable")
        place, value = place[order], value[order]
        if len(place):
            first = np.concatenate([[True], place[1:] != place[:-1]])
            if not first.all():
                place, value = place[first], np.add.reduceat(value, np.flatnonzero(first))
        place, value = place[value != 0], value[value != 0]
        entry = place // columns
        return cls(shape, np.stack([entry // rows, entry % rows, place % columns]), value)

    @classmethod
    def from_dense(cls, matrices: Float[np.ndarray, "generators rows columns"]) -> "MatrixStack":
        matrices = np.asarray(matrices, dtype=np.float64)
        index = np.nonzero(matrices)
        return cls(matrices.shape, np.stack(index).astype(np.int64), matrices[index])

    def dense(self) -> Float[np.ndarray, "generators rows columns"]:
        out = np.zeros(self.shape)
        out[tuple(self.index)] = self.value
        return out

    def flat(self) -> scipy.sparse.csr_array:
        """The stack as one sparse (q, rows * columns) matrix."""
        q, rows, columns = self.shape
        return scipy.sparse.csr_array(
            (self.value, (self.index[0], self.index[1] * columns + self.index[2])), shape=(q, rows * columns)
        )

    def each(self) -> list[scipy.sparse.csr_array]:
        """A_1..A_q as sparse matrices."""
        q, rows, columns = self.shape
        ends = np.searchsorted(self.index[0], np.arange(q + 1))
        return [
            scipy.sparse.csr_array((self.value[a:b], (self.index[1, a:b], self.index[2, a:b])), shape=(rows, columns))
            for a, b in pairwise(ends)
        ]

    def combine(self, coefficients: Float[np.ndarray, "new generators"]) -> "MatrixStack":
        """New generators sum_k coefficients[r, k] A_k."""
        coefficients = np.atleast_2d(np.asarray(coefficients, dtype=np.float64))
        q, rows, columns = self.shape
        if q * rows * columns <= _SMALL:
            mixed = coefficients @ self.dense().reshape(q, rows * columns)
            return MatrixStack.from_dense(mixed.reshape(len(coefficients), rows, columns))
        product = scipy.sparse.csr_array(coefficients) @ self.flat()
        mixed = product.tocoo()  # pyright: ignore[reportAttributeAccessIssue]
        index = np.stack([mixed.row, mixed.col // columns, mixed.col % columns])
        return MatrixStack.from_entries((len(coefficients), rows, columns), index, mixed.data)

    def only(self, number: int) -> "MatrixStack":
        """A stack of one, A_number."""
        keep = self.index[0] == number
        index = self.index[:, keep] - np.array([[number], [0], [0]])
        return MatrixStack((1, *self.shape[1:]), index, self.value[keep])

    def placed(self, shape: tuple[int, int, int], generator: int = 0, row: int = 0, column: int = 0) -> "MatrixStack":
        """The same entries inside a larger stack of zeros, shifted by the given offsets."""
        shift = np.array([[generator], [row], [column]])
        return MatrixStack(shape, self.index + shift, self.value)

    def columns(self, start: int, stop: int) -> "MatrixStack":
        """The matrices A_k[:, start:stop]."""
        keep = (self.index[2] >= start) & (self.index[2] < stop)
        index = self.index[:, keep] - np.array([[0], [0], [start]])
        return MatrixStack((*self.shape[:2], stop - start), index, self.value[keep])

    def transpose(self) -> "MatrixStack":
        q, rows, columns = self.shape
        return MatrixStack.from_entries((q, columns, rows), self.index[[0, 2, 1]], self.value)

    def __neg__(self) -> "MatrixStack":
        return MatrixStack(self.shape, self.index, -self.value)

    def same_as(self, other: "MatrixStack") -> bool:
        return (
            self.shape == other.shape
            and np.array_equal(self.index, other.index)
            and np.allclose(self.value, other.value, rtol=1e-12, atol=1e-12)
        )

    @property
    def places(self) -> Int[np.ndarray, "3 entries"]:
        """`index` in 32 bits: traced code then means the same with JAX's 64-bit mode on and off."""
        return self.index.astype(np.int32)

    def apply(self, x: Float[Array, " columns"]) -> Float[Array, "generators rows"]:
        """All products A_k x."""
        q, rows, columns = self.shape
        if self._is_every_unit():
            # No scatter, which XLA runs entry by entry.
            unit = jnp.arange(rows)[:, None, None] == jnp.arange(rows)[None, None, :]
            return jnp.where(unit, x[None, :, None], jnp.zeros((), x.dtype)).reshape(rows * columns, rows)
        generator, row, column = self.places
        terms = jnp.asarray(self.value, dtype=x.dtype) * x[column]
        return jnp.zeros((q, rows), x.dtype).at[generator, row].add(terms)

    def contract(self, left: Float[Array, "m rows"], x: Float[Array, " columns"]) -> Float[Array, "m generators"]:
        """All products left A_k x, without forming A_k x when each A_k has few non-zeros."""
        q, rows, columns = self.shape
        entries = len(self.value)
        dtype = jnp.result_type(left, x)
        if self._is_every_unit():
            return (left[:, :, None] * x[None, None, :]).reshape(len(left), rows * columns)
        if entries > 0.5 * q * rows * columns:
            # m: outputs, g: generators, r, c: rows and columns
            dense = jnp.asarray(self.dense(), dtype)
            return jnp.einsum("mr,grc,c->mg", left, dense, x, precision="highest")
        padded, row, column = self._padded()
        # A dot product, not the sum of an elementwise product: that one is fused with what follows, which is slower
        # and which jaxlib 0.10.2 compiles to wrong numbers in float32. m: outputs, g: generators, k: their entries
        terms = jnp.asarray(padded, dtype) * x[column]
        return jnp.einsum("mgk,gk->mg", left[:, row], terms, precision="highest")

    def _is_every_unit(self) -> bool:
        """True for gl(n) on vectors and all affine maps in their natural order: L is then one outer product."""
        q, rows, columns = self.shape
        if q != rows * columns or len(self.value) != q or not np.all(self.value == 1.0):
            return False
        return np.array_equal(self.index[0], self.index[1] * columns + self.index[2])

    def _padded(self):
        """Entries as (q, most) arrays, padded with zeros: a sum over the last axis needs no scatter."""
        q = self.shape[0]
        counts = np.bincount(self.index[0], minlength=q)
        most = max(int(counts.max(initial=0)), 1)
        slot = np.arange(len(self.value)) - np.repeat(np.cumsum(counts) - counts, counts)
        value, row, column = np.zeros((q, most)), np.zeros((q, most), np.int32), np.zeros((q, most), np.int32)
        value[self.index[0], slot], row[self.index[0], slot], column[self.index[0], slot] = self.value, *self.index[1:]
        return value, row, column


def stacked(stacks: list[MatrixStack], axis: int) -> MatrixStack:
    """Stacks placed one after the other.

    Arguments: `stacks`, whose other sizes agree; `axis`: along generators (0), rows (1) or columns (2).
    Returns: one MatrixStack.
    """
    shape = list(stacks[0].shape)
    shape[axis] = sum(s.shape[axis] for s in stacks)
    index, value, start = [], [], 0
    for s in stacks:
        shift = np.zeros((3, 1), np.int64)
        shift[axis] = start
        index.append(s.index + shift)
        value.append(s.value)
        start += s.shape[axis]
    return MatrixStack.from_entries((shape[0], shape[1], shape[2]), np.concatenate(index, 1), np.concatenate(value))
