"""Fields sampled on a grid, images among them: moved with their points, their values turned along the way."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from math import prod

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import scipy.sparse
from jaxtyping import Array, Float

from .. import dictionary as families
from ..algebra import LieAlgebra, Span
from ..late import sympy
from ..linalg import MatrixStack, stacked
from ..sampling import checked_flag
from ._abstract import AbstractAction, Sampled, discrete_element, discrete_elements
from ._fields import NO_ELEMENTS, FieldAction, inverted, matrix, scalars, written
from ._grid_sampling import difference_weights, resampled, slopes
from ._representations import points

BOUNDARIES, DERIVATIVES, INDEXINGS = ("zero", "periodic"), ("interpolated", "spectral"), ("ij", "xy")
ORDERS = (2, 4, 6, 8, 10, 12)
PROBED = 256  # samples whose images are held at once while a discrete element is written as a matrix
ROUNDING = 1e-13  # weights of an interpolant at a sample itself: nothing but rounding


class GridAction(AbstractAction):
    """theta_k(u) = -grad u . v_k + B_k u for fields u sampled on a grid, v_k(x) = A_k x + b_k.

    One point of this action is a whole field, flattened from (channels, *shape). It is linear in u; nothing of size
    n x n is formed. Build it with `grid`.

    Fields: `base`, how positions are moved (affine); `fibre`, how values are turned (linear); the others as in `grid`.
    """

    base: FieldAction
    fibre: FieldAction
    shape: tuple[int, ...] = eqx.field(static=True)
    boundary: str = eqx.field(static=True)
    derivative: str = eqx.field(static=True)
    order: int = eqx.field(static=True)
    spacing: tuple[float, ...] = eqx.field(static=True)
    indexing: str = eqx.field(static=True)

    @property
    def algebra(self) -> LieAlgebra | Span:
        return self.base.algebra

    @property
    def width(self) -> int:
        return self.fibre.width * prod(self.shape)

    @property
    def blocks(self) -> tuple[tuple[str, int], ...]:
        return tuple((f"fields of {kind}", width * prod(self.shape)) for kind, width in self.fibre.blocks)

    @property
    def axes(self) -> tuple[int, ...]:
        """The array axis (of `shape`) along which each coordinate grows."""
        rest = tuple(range(2, len(self.shape)))
        return (1, 0, *rest) if self.indexing == "xy" else (0, 1, *rest)

    @cached_property
    def positions(self) -> Float[np.ndarray, "places axes"]:
        """The coordinates of the grid points, in the order of a flattened channel; (0, 0) is the centre."""
        index = np.indices(self.shape).reshape(len(self.shape), -1)
        columns = [
            step * (index[axis] - (self.shape[axis] - 1) / 2)
            for axis, step in zip(self.axes, self.spacing, strict=True)
        ]
        return np.stack(columns, axis=1)

    def image(self, z: Float[Array, " n"]) -> Float[Array, "channels *grid"]:
        """A flattened field as an array (channels, *shape)."""
        return z.reshape(self.fibre.width, *self.shape)

    def _parts(self, z: Array) -> tuple[Array, Array]:
        """-du/dx_a as (axes, channels, places), and u as (channels, places)."""
        steep = slopes(self.image(z), self.boundary, self.derivative, self.order)
        step = jnp.asarray(np.array(self.spacing)[:, None, None], z.dtype)
        flat = steep.reshape(len(self.shape), self.fibre.width, -1)[np.array(self.axes, np.int32)]
        return -flat / step, z.reshape(self.fibre.width, -1)

    def _extended(self, dtype) -> Array:
        return jnp.asarray(np.pad(self.positions, ((0, 0), (0, 1)), constant_values=1.0), dtype)

    def fields(self, z: Float[Array, " n"]) -> Float[Array, "generators n"]:
        down, values = self._parts(z)
        # g: generators, a, b: coordinates (b with a one at the end), c, e: channels, p: places
        move = self.base.affine().array(z.dtype)
        turn = self.fibre.matrices().array(z.dtype)
        flowing = jnp.einsum("gab,pb,acp->gcp", move, self._extended(z.dtype), down)
        return (flowing + jnp.einsum("gce,ep->gcp", turn, values)).reshape(self.algebra.dim, self.width)

    def field(self, xi: Float[Array, " generators"], z: Float[Array, " n"]) -> Float[Array, " n"]:
        down, values = self._parts(z)
        velocity = self._extended(z.dtype) @ combined(self.base.affine(), xi, z.dtype).T
        turn = combined(self.fibre.matrices(), xi, z.dtype)
        return (jnp.einsum("pa,acp->cp", velocity, down) + turn @ values).reshape(-1)

    def contract(self, left: Float[Array, "m n"], z: Float[Array, " n"]) -> Float[Array, "m generators"]:
        down, values = self._parts(z)
        rows = left.reshape(len(left), self.fibre.width, -1)
        # First moments of left . grad u, then generators: nothing of size generators x n.
        moments = jnp.einsum("mcp,acp,pb->mab", rows, down, self._extended(z.dtype))
        overlap = jnp.einsum("mcp,ep->mce", rows, values)
        move = self.base.affine().array(z.dtype)
        turn = self.fibre.matrices().array(z.dtype)
        return jnp.einsum("gab,mab->mg", move, moments) + jnp.einsum("gce,mce->mg", turn, overlap)

    def sampled(self) -> Sampled:
        moves, turns = self.base.affine().dense(), self.fibre.matrices().dense()
        return Sampled((self.fibre.width, *self.shape), moves, turns, self.axes, self.spacing, self.boundary)

    def written(self):
        return {
            "type": "GridAction",
            "base": self.base.written(),
            "fibre": self.fibre.written(),
            "shape": list(self.shape),
            "boundary": self.boundary,
            "derivative": self.derivative,
            "order": self.order,
            "spacing": list(self.spacing),
            "indexing": self.indexing,
        }

    def transformed(self, xi: Float[Array, " generators"], z: Float[Array, " n"]) -> Float[Array, " n"]:
        """The field g . u with g = exp(xi), by resampling: (g . u)(x) = rho(g) u(g^-1 x).

        Arguments: `xi` (q,) coefficients; `z` (n,) the flattened field.
        Returns: (n,). Exact for shifts by whole pixels with a periodic boundary; else as good as the interpolant, whose
            slope at xi = 0 is exactly `field`.
        """
        back = jax.scipy.linalg.expm(jnp.pad(-combined(self.base.affine(), xi, z.dtype), ((0, 1), (0, 0))))[:-1]
        turn = jnp.eye(self.fibre.width, dtype=z.dtype)
        if not self.fibre.is_trivial:
            turn = jax.scipy.linalg.expm(combined(self.fibre.matrices(), xi, z.dtype))
        return self.carried(back, turn, z)

    def element(self, number: int, z: Float[Array, " n"], inverse: bool = False) -> Float[Array, " n"]:
        back, turn = self._element(number, inverse)
        return self.carried(jnp.asarray(back, z.dtype), jnp.asarray(turn, z.dtype), z)

    def _element(self, number: int, inverse: bool):
        """The affine map of positions back to where values come from, and what turns the values."""
        discrete_element(self.algebra, number)
        d = len(self.shape)
        there = matrix(self.base.elements, number)
        there = _joined([there[:, :d], there[:, d:], np.zeros((d, d + 1 - there.shape[1]))])
        turn = matrix(self.fibre.discrete(), number)
        if checked_flag(inverse, "inverse"):
            return there, inverted(turn)
        back = inverted(there[:, :d])
        return _joined([back, -back @ there[:, d:]]), turn

    def carried(
        self, back: Float[Array, "axes axes+1"], turn: Float[Array, "channels channels"], z: Float[Array, " n"]
    ) -> Float[Array, " n"]:
        """The field turn u(back x), for an affine map `back` of positions: every finite move is one of these.

        Arguments: `back` (d, d + 1), the matrix and the shift in the last column; `turn` (c, c), what happens to the
            values; `z` (n,) the flattened field.
        Returns: (n,).
        """
        there = self._extended(z.dtype) @ back.T
        pixels = [jnp.zeros(())] * len(self.shape)
        for k, (axis, step) in enumerate(zip(self.axes, self.spacing, strict=True)):
            pixels[axis] = there[:, k] / step + (self.shape[axis] - 1) / 2
        values = resampled(self.image(z), jnp.stack(pixels), self.boundary, self.derivative, self.order)
        return (turn @ values).reshape(-1)

    def matrices(self) -> MatrixStack:
        """The sparse (q, n, n) matrices T_k; at most order x axes + channels entries a row.

        Raises: TypeError for the spectral derivative, whose matrices are full.
        """
        if self.derivative == "spectral":
            raise TypeError(
                'the spectral derivative has full matrices, which are not formed: use derivative="interpolated".'
            )
        places, channels = prod(self.shape), self.fibre.width
        steep = [_difference_matrix(self.shape, axis, self.boundary, self.order) for axis in range(len(self.shape))]
        downhill = [-steep[axis] / step for axis, step in zip(self.axes, self.spacing, strict=True)]
        extended = np.pad(self.positions, ((0, 0), (0, 1)), constant_values=1.0)
        index: list[np.ndarray] = [np.zeros((3, 0), np.int64)]
        value: list[np.ndarray] = [np.zeros(0)]
        for k, (move, turn) in enumerate(zip(self.base.affine().dense(), self.fibre.matrices().dense(), strict=True)):
            velocity = extended @ move.T
            flowing = sum(scipy.sparse.diags_array(velocity[:, a]) @ downhill[a] for a in range(len(downhill)))
            both = scipy.sparse.kron(scipy.sparse.eye_array(channels), flowing)
            both = scipy.sparse.coo_array(both + scipy.sparse.kron(turn, scipy.sparse.eye_array(places)))
            index.append(np.stack([np.full(both.nnz, k), *both.coords]))
            value.append(both.data)
        shape = (self.algebra.dim, self.width, self.width)
        return MatrixStack.from_entries(shape, np.concatenate(index, axis=1), np.concatenate(value))

    def sparse(self) -> FieldAction:
        """The same action by its sparse matrices, which can be added to and multiplied with other actions.

        Raises: TypeError for the spectral derivative.
        """
        maps = range(len(discrete_elements(self.algebra)))
        elements = stacked([self._element_matrix(number) for number in maps], axis=0) if maps else NO_ELEMENTS
        return FieldAction(self.algebra, self.matrices(), families.linear(self.width), self.blocks, elements)

    def _element_matrix(self, number: int) -> MatrixStack:
        """The (1, n, n) matrix of a discrete element: its columns are the images of single samples."""
        back, turn = self._element(number, False)
        one = grid_of_scalars(self)
        with jax.enable_x64(True):
            carry = jax.jit(jax.vmap(lambda u: one.carried(jnp.asarray(back), jnp.ones((1, 1)), u), 0, 1))
            starts = range(0, one.width, PROBED)
            pieces = [carry(jnp.eye(min(PROBED, one.width - start), one.width, start)) for start in starts]
        pieces = [scipy.sparse.csc_array(np.where(np.abs(p) > ROUNDING, p, 0.0)) for p in pieces]
        whole = scipy.sparse.coo_array(scipy.sparse.kron(turn, scipy.sparse.hstack(pieces)))
        index = np.stack([np.zeros(whole.nnz, np.int64), *whole.coords])
        return MatrixStack.from_entries((1, self.width, self.width), index, whole.data)

    def restrict(self, rows: Float[np.ndarray, "new generators"], algebra: LieAlgebra | Span) -> "GridAction":
        base, fibre = self.base.restrict(rows, algebra), self.fibre.restrict(rows, algebra)
        rest = (self.shape, self.boundary, self.derivative, self.order, self.spacing, self.indexing)
        return GridAction(base, fibre, *rest)

    def symbolic(self, xi, x, y) -> "list[sympy.Expr]":
        """The generators by their names, sum_k xi^k J_k(u), written at the first sample and zero at the others.

        All samples read alike, and the matrices of a grid fill pages.
        """
        named = [
            sympy.Float(c) * sympy.Function(name.replace(" ", "_"), real=True)(y[0])
            for c, name in zip(xi, self.algebra.names, strict=True)
            if c != 0
        ]
        return [sympy.Add(*named), *[sympy.Integer(0)] * (len(y) - 1)]

    def __repr__(self) -> str:
        size = " x ".join(map(str, self.shape))
        return f"{self.algebra.name} on {size} fields of {written(self.fibre.blocks)}"


def grid_of_scalars(action: GridAction) -> GridAction:
    """The same grid with one number at each place."""
    return replace(action, fibre=scalars(action.algebra, 1))


def _joined(parts: list):
    return (np if all(isinstance(part, np.ndarray) for part in parts) else jnp).concatenate(parts, axis=1)


def combined(stack: MatrixStack, xi: Array, dtype) -> Array:
    """sum_k xi^k A_k, dense, of a few rows."""
    generator, row, column = stack.places
    return jnp.zeros(stack.shape[1:], dtype).at[row, column].add(jnp.asarray(stack.value, dtype) * xi[generator])


def _difference_matrix(shape: tuple[int, ...], axis: int, boundary: str, order: int) -> scipy.sparse.csr_array:
    n = shape[axis]
    one = scipy.sparse.csr_array((n, n))
    for j, weight in enumerate(difference_weights(order), start=1):
        ahead = scipy.sparse.eye_array(n, k=j)
        if boundary == "periodic":
            ahead = ahead + scipy.sparse.eye_array(n, k=j - n)
        one = one + weight * (ahead - ahead.T)
    before, after = prod(shape[:axis]), prod(shape[axis + 1 :])
    inner = scipy.sparse.kron(one, scipy.sparse.eye_array(after))
    return scipy.sparse.csr_array(scipy.sparse.kron(scipy.sparse.eye_array(before), inner))


def grid(
    algebra: LieAlgebra,
    shape: Sequence[int] = (28, 28),
    fibre: FieldAction | None = None,
    *,
    boundary: str = "zero",
    derivative: str = "interpolated",
    order: int = 6,
    spacing: float | Sequence[float] = 1.0,
    indexing: str = "ij",
) -> GridAction:
    """Fields sampled on a 2-d or 3-d grid, moved with their points: images, flow fields, volumes.

    theta_k(u) = -grad u . v_k + B_k u, the Lie derivative of u along v_k(x) = A_k x + b_k with its sign turned, so that
    the finite move is (g . u)(x) = rho(g) u(g^-1 x): a picture turned by a positive angle.

    Arguments:
        algebra: of affine maps of the plane or of space: se(2), aff(2), se(3), scalings(2), t(3), ...
        shape: samples along each array axis, default 28 x 28.
        fibre: how the values at one place are turned, a linear action over the same algebra; default one scalar.
            `lieder.vectors(algebra)` for flow fields, `3 * lieder.scalars(algebra)` for colours.
        boundary: "zero" (default) or "periodic": what is beyond the edge. Turns and shears of a periodic field mean
            something only where it is zero near the edge.
        derivative: "interpolated" (default; the slope of the polynomial through the nearest samples, sparse) or
            "spectral" (of the trigonometric polynomial through all, exact where that is the field).
        order: even, 2 to 12, of the interpolating polynomial; default 6. Not used by "spectral".
        spacing: distance of neighbouring samples along each coordinate; default 1, so coordinates and shifts are in
            pixels. 2 / (n - 1) makes n samples span [-1, 1]. The origin is the centre of the grid.
        indexing: "ij" (default): the first coordinate runs along the first array axis. "xy": along the second one, as
            in numpy.meshgrid, so x runs along the columns of an image and y down its rows.
    Returns:
        a GridAction of width channels x samples; a field (channels, *shape) is flattened to be one of its points.
    Raises: ValueError, TypeError for an algebra that does not act on a plane or on space by affine maps, a grid smaller
        than the differences reach, a fibre over another algebra or not linear, unknown names.
    """
    base = points(algebra)
    if not base.is_affine:
        raise TypeError(f"{algebra.name} does not act by affine maps, as resampling a grid needs.")
    shape = tuple(_whole(n) for n in shape)
    if len(shape) not in (2, 3) or len(shape) != base.width:
        raise ValueError(
            f"shape {shape} has {len(shape)} axes, but {algebra.name} moves points of R^{base.width}: both must be 2 or"
            " both 3. Channels are not part of the shape: they are the fibre's."
        )
    _one_of(boundary, BOUNDARIES, "boundary")
    _one_of(derivative, DERIVATIVES, "derivative")
    _one_of(indexing, INDEXINGS, "indexing")
    if order not in ORDERS:
        raise ValueError(f"order must be one of {', '.join(map(str, ORDERS))}, got {order!r}.")
    least = order + 1 if derivative == "interpolated" else 2
    if min(shape) < least:
        raise ValueError(
            f"shape {shape} is too small: differences of order {order} reach over {least} samples. Use a larger grid or"
            " a lower order."
            if derivative == "interpolated"
            else f"shape {shape} is too small: give at least 2 samples along each axis."
        )
    if np.ndim(spacing) not in (0, 1) or (np.ndim(spacing) == 1 and np.size(spacing) != len(shape)):
        raise ValueError(f"spacing must be one number or one for each of {len(shape)} coordinates, got {spacing!r}.")
    steps = tuple(float(s) for s in np.broadcast_to(np.asarray(spacing, np.float64), (len(shape),)))
    if not all(np.isfinite(s) and s > 0 for s in steps):
        raise ValueError(f"spacing must be positive and finite, got {spacing!r}.")
    values = scalars(algebra, 1) if fibre is None else fibre
    if not isinstance(values, FieldAction) or not values.is_linear:
        raise TypeError(f"fibre must be a linear action such as lieder.vectors(algebra), got {fibre!r}.")
    if values.algebra != algebra:
        raise ValueError(
            f"fibre is over {values.algebra.name}, the grid over {algebra.name}: build both from one algebra."
        )
    return GridAction(base, values, shape, boundary, derivative, order, steps, indexing)


def _whole(n: int) -> int:
    if not isinstance(n, int | np.integer) or isinstance(n, bool) or n < 1:
        raise ValueError(f"shape must hold positive whole numbers, got {n!r}.")
    return int(n)


def _one_of(given: str, known: tuple[str, ...], name: str) -> None:
    if given not in known:
        raise ValueError(f"{name} must be {' or '.join(repr(k) for k in known)}, got {given!r}.")
