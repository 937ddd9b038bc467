"""The operator O, with orthonormal columns: as a matrix, by units of a layer, or as a function."""

import abc
import hashlib
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import scipy.sparse
from jaxtyping import Array

from ...linalg import decide

_ROUNDING = 1e-5  # columns given in single precision are orthonormal to about this; closer ones are polished in silence
_DEPENDENT = 1e-10  # relative singular value below which the columns are dependent


class Constant:
    """An array that is not trained: equal and hashed by its content, so that equal ones compile once."""

    def __init__(self, array):
        array = np.asarray(array)
        # Indices in one dtype, whether x64 is on or off.
        whole = np.issubdtype(array.dtype, np.integer)
        self.array = np.ascontiguousarray(array, np.int32 if whole else None)
        self.array.flags.writeable = False
        self.digest = hashlib.blake2b(
            self.array.tobytes() + repr((self.array.shape, self.array.dtype.str)).encode()
        ).hexdigest()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Constant) and self.digest == other.digest

    def __hash__(self) -> int:
        return hash(self.digest)

    def __repr__(self) -> str:
        return f"Constant{self.array.shape}"


class AbstractDirections(abc.ABC):
    """Columns o_1 .. o_k of O, orthonormal in R^P."""

    size: int
    dim: int

    @abc.abstractmethod
    def components(self, theta: Array) -> Array:
        """O^T theta: (P,) to (k,)."""

    @abc.abstractmethod
    def combine(self, c: Array) -> Array:
        """O c: (k,) to (P,)."""

    def without(self, theta: Array) -> Array:
        """(I - O O^T) theta."""
        return theta - self.combine(self.components(theta))


@dataclass(frozen=True)
class Dense(AbstractDirections):
    """O as a matrix."""

    matrix: Constant  # (P, k)
    size: int
    dim: int

    def components(self, theta: Array) -> Array:
        return theta @ jnp.asarray(self.matrix.array, theta.dtype)

    def combine(self, c: Array) -> Array:
        return jnp.asarray(self.matrix.array, c.dtype) @ c


@dataclass(frozen=True)
class Sparse(AbstractDirections):
    """O by its entries that are not zero."""

    rows: Constant
    columns: Constant
    values: Constant
    size: int
    dim: int

    def components(self, theta: Array) -> Array:
        products = jnp.asarray(self.values.array, theta.dtype) * theta[self.rows.array]
        return jax.ops.segment_sum(products, self.columns.array, self.dim)

    def combine(self, c: Array) -> Array:
        products = jnp.asarray(self.values.array, c.dtype) * c[self.columns.array]
        return jax.ops.segment_sum(products, self.rows.array, self.size)


@dataclass(frozen=True)
class Units(AbstractDirections):
    """Contrasts between units that have d weights each: O = C x I_d, components ordered as (contrast, weight).

    `order` (units, d) holds where in theta each weight is; `contrasts` (units, m) has orthonormal columns, None for
    the units themselves.
    """

    order: Constant
    contrasts: Constant | None
    size: int
    dim: int

    def components(self, theta: Array) -> Array:
        rows = theta[self.order.array]
        if self.contrasts is not None:
            rows = jnp.asarray(self.contrasts.array.T, theta.dtype) @ rows
        return rows.reshape(-1)

    def combine(self, c: Array) -> Array:
        rows = c.reshape(-1, self.order.array.shape[1])
        if self.contrasts is not None:
            rows = jnp.asarray(self.contrasts.array, c.dtype) @ rows
        return jnp.zeros(self.size, c.dtype).at[self.order.array].set(rows, unique_indices=True)


@dataclass(frozen=True)
class Function(AbstractDirections):
    """O as a linear JAX function; its transpose is found by JAX."""

    apply: Callable
    size: int
    dim: int

    def components(self, theta: Array) -> Array:
        (c,) = jax.linear_transpose(self.apply, jax.ShapeDtypeStruct((self.dim,), theta.dtype))(theta)
        return c

    def combine(self, c: Array) -> Array:
        return self.apply(c)


def directions(given: Any, size: int, dim: int | None) -> AbstractDirections:
    """What a user gives as O, checked; a matrix of full rank is orthonormalised with a warning."""
    if isinstance(given, AbstractDirections):
        _same_size(given.size, size)
        return given
    if scipy.sparse.issparse(given):
        return _sparse(given, size)
    if callable(given):
        return _function(given, size, dim)
    return _dense(given, size)


def _same_size(rows: int, size: int) -> None:
    if rows != size:
        raise ValueError(
            f"O has {rows} rows, but the selected leaves hold {size} numbers, raveled one after the other: O must have"
            f" shape ({size}, k)."
        )


def _some(columns: int, size: int) -> None:
    if columns == 0:
        raise ValueError("O has no columns: there is no direction to constrain. Give at least one.")
    if columns > size:
        raise ValueError(f"O has {columns} columns in a space of {size} dimensions, so that they are dependent.")


def _dense(given: Any, size: int) -> Dense:
    matrix = np.asarray(given)
    if not (np.issubdtype(matrix.dtype, np.integer) or jnp.issubdtype(matrix.dtype, jnp.floating)):
        raise TypeError(
            f"O must be a matrix of real numbers, a scipy.sparse matrix, a linear JAX function or a Mirror; got"
            f" {type(given).__name__} of dtype {matrix.dtype}."
        )
    matrix = matrix.astype(np.float64)
    if matrix.ndim == 1:
        matrix = matrix[:, None]
    if matrix.ndim != 2:
        raise ValueError(f"O must be a matrix ({size}, k), its columns the directions; got shape {matrix.shape}.")
    _same_size(matrix.shape[0], size)
    _some(matrix.shape[1], size)
    if not np.isfinite(matrix).all():
        raise ValueError("O holds NaN or infinite entries; give finite ones.")
    k = matrix.shape[1]
    if np.abs(matrix.T @ matrix - np.eye(k)).max() > _ROUNDING:
        values = np.linalg.svd(matrix, compute_uv=False)
        if values[-1] <= _DEPENDENT * values[0]:
            rank = k - decide(values, tolerance=_DEPENDENT * values[0]).count
            raise ValueError(f"O has {k} columns but rank {rank}: leave out the columns that depend on others.")
        warnings.warn(
            f"O has no orthonormal columns (singular values {values[-1]:.3g} to {values[0]:.3g}): they are replaced by"
            " orthonormal ones with the same span, in order (Gram-Schmidt), and the penalty is measured along these.",
            stacklevel=4,
        )
    q, r = np.linalg.qr(matrix)
    return Dense(Constant(q * np.where(np.diag(r) < 0, -1.0, 1.0)), size, k)


def _sparse(given: Any, size: int) -> Sparse:
    entries = scipy.sparse.coo_array(given)
    entries.sum_duplicates()
    height, k = np.shape(given)
    _same_size(height, size)
    _some(k, size)
    values = entries.data.astype(np.float64)
    if not np.isfinite(values).all():
        raise ValueError("O holds NaN or infinite entries; give finite ones.")
    off = scipy.sparse.coo_array(entries.T @ entries - scipy.sparse.eye_array(k))
    worst = float(np.abs(off.data).max(initial=0.0))
    if worst > _ROUNDING:
        raise ValueError(
            f"O is sparse and its columns are not orthonormal (O^T O is off by {worst:.3g}): orthonormalising would"
            " fill it. Give orthonormal columns, or a dense matrix."
        )
    rows, columns = (part.astype(np.int32) for part in entries.coords)
    return Sparse(Constant(rows), Constant(columns), Constant(values), size, int(k))


def _function(given: Callable, size: int, dim: int | None) -> Function:
    if dim is None:
        raise ValueError("O is a function: say with dim how many components it takes, O: (dim,) -> (P,).")
    if not isinstance(dim, int | np.integer) or isinstance(dim, bool) or dim < 0:
        raise ValueError(f"dim must be a whole number, how many components O takes; got {dim!r}.")
    _some(dim, size)
    with jax.enable_x64(True):
        shape = jax.eval_shape(given, jax.ShapeDtypeStruct((dim,), np.float64)).shape
        if len(shape) != 1:
            raise ValueError(f"O must return a vector ({size},), but returns shape {shape}.")
        _same_size(shape[0], size)
        made = Function(given, size, dim)
        # Two random vectors find out almost surely: whether it is linear, and whether it keeps lengths and angles.
        a, b = jnp.asarray(np.random.default_rng(0).normal(size=(2, dim)))
        image = made.combine(a)
        scale = float(jnp.linalg.norm(a) + jnp.linalg.norm(b))
        bent = float(jnp.linalg.norm(made.combine(a - 2 * b) - image + 2 * made.combine(b))) / scale
        if not bent < _ROUNDING:
            raise ValueError(f"O must be linear and finite: O(a - 2 b) differs from O(a) - 2 O(b) by {bent:.3g}.")
        off = float(jnp.linalg.norm(made.components(image) - a)) / scale
    if not off < _ROUNDING:
        raise ValueError(
            f"O is a function whose columns are not orthonormal: O^T O a differs from a by {off:.3g} of its length."
            " Scale it, or give a matrix, which is orthonormalised."
        )
    return made
