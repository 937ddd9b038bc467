"""A stack of sparse matrices of one shape: how a basis of generators is stored and contracted."""

from dataclasses import dataclass
from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np
import scipy.sparse
from jax.core import Tracer
from jaxtyping import Array, Float, Int

_SMALL = 2**15  # entries up to which a dense product takes less time than a sparse one takes to be set up


@jax.tree_util.register_pytree_node_class
@dataclass(frozen=True, eq=False)
class MatrixStack:
    """q sparse matrices A_1..A_q of one shape, in coordinate form.

    Generators of named algebras have one or two non-zeros each, so gl(64) is 4,096 numbers here and 16.8 million
    densely; the two contractions below are the only places where generators meet points.

    A pytree whose one leaf is `value`; where the entries stand is static. Equal when the contents are.

    Fields: `shape` = (q, rows, columns); `index` (3, entries), rows of which are generator, row and column, sorted by
    generator; `value` (entries,) float64.
    """

    shape: tuple[int, int, int]
    index: Int[np.ndarray, "3 entries"]
    value: Float[np.ndarray | Array, " entries"]

    def tree_flatten(self):
        return (self.value,), _Pattern(self.shape, self.index)

    @classmethod
    def tree_unflatten(cls, pattern: "_Pattern", leaves):
        out = object.__new__(cls)  # leaves may be anything while JAX works on a tree
        for name, content in (("shape", pattern.shape), ("index", pattern.index), ("value", leaves[0])):
            object.__setattr__(out, name, content)
        return out

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, MatrixStack):
            return NotImplemented
        return self is other or (
            _Pattern(self.shape, self.index) == _Pattern(other.shape, other.index)
            and np.array_equal(self.value, other.value)
        )

    def __hash__(self) -> int:
        return hash(_Pattern(self.shape, self.index))

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

    def array(self, dtype) -> Float[Array, "generators rows columns"]:
        """The stack as one array of JAX, also where the values are traced."""
        if not self.is_traced:
            return jnp.asarray(self.dense(), dtype)
        return jnp.zeros(self.shape, dtype).at[tuple(self.places)].set(jnp.asarray(self.value, dtype))

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

    def multiplied(self, left: scipy.sparse.csr_array, right: Float[np.ndarray, " columns"]) -> "MatrixStack":
        """All left A_k diag(right), for a sparse matrix `left` (new, rows)."""
        q, rows, columns = self.shape
        k, row, column = self.index
        wide = scipy.sparse.csr_array((self.value * right[column], (row, k * columns + column)), (rows, q * columns))
        found = scipy.sparse.coo_array(left @ wide)
        row, place = found.coords
        new, _ = found.shape  # pyright: ignore[reportGeneralTypeIssues]
        index = np.stack([place // columns, row, place % columns])
        return MatrixStack.from_entries((q, new, columns), index, found.data)

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
            return jnp.einsum("mr,grc,c->mg", left, self.array(dtype), x, precision="highest")
        padded, row, column = self._padded(dtype)
        # A dot product, not the sum of an elementwise product: that one is fused with what follows, which is slower
        # and which jaxlib 0.10.2 compiles to wrong numbers in float32. m: outputs, g: generators, k: their entries
        terms = padded * x[column]
        return jnp.einsum("mgk,gk->mg", left[:, row], terms, precision="highest")

    def _is_every_unit(self) -> bool:
        """True for gl(n) on vectors and all affine maps in their natural order: L is then one outer product."""
        q, rows, columns = self.shape
        if self.is_traced or q != rows * columns or len(self.value) != q or not np.all(self.value == 1.0):
            return False
        return np.array_equal(self.index[0], self.index[1] * columns + self.index[2])

    @property
    def is_traced(self) -> bool:
        """Whether JAX is tracing the values: what needs numbers must then do without."""
        return isinstance(self.value, Tracer)

    def _padded(self, dtype):
        """Entries as (q, most) arrays, padded with zeros: a sum over the last axis needs no scatter."""
        q = self.shape[0]
        counts = np.bincount(self.index[0], minlength=q)
        most = max(int(counts.max(initial=0)), 1)
        slot = np.arange(len(self.value)) - np.repeat(np.cumsum(counts) - counts, counts)
        row, column = np.zeros((q, most), np.int32), np.zeros((q, most), np.int32)
        row[self.index[0], slot], column[self.index[0], slot] = self.index[1:]
        if self.is_traced:
            entry = np.full((q, most), len(self.value), np.int32)  # the place of a zero
            entry[self.index[0], slot] = np.arange(len(self.value))
            return jnp.append(jnp.asarray(self.value, dtype), 0.0)[entry], row, column
        value = np.zeros((q, most))
        value[self.index[0], slot] = self.value
        return jnp.asarray(value, dtype), row, column


class _Pattern:
    """Where the entries of a stack stand: static under JAX, compared by content."""

    __slots__ = ("_hash", "index", "shape")

    def __init__(self, shape: tuple[int, int, int], index: np.ndarray):
        self.shape, self.index, self._hash = shape, index, None

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, _Pattern):
            return NotImplemented
        if self.shape != other.shape:
            return False
        return self.index is other.index or np.array_equal(self.index, other.index)

    def __hash__(self) -> int:
        if self._hash is None:
            self._hash = hash((self.shape, self.index.tobytes()))
        return self._hash


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
