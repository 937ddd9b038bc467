"""Equivariant integral operators on fields: steerable convolutions on grids, kernel sums on point sets."""

from functools import lru_cache

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray
from scipy.spatial import KDTree

from ..action import FieldAction, scalars
from ..enforce import EquivariantKernels, kernels, maps
from ..sampling import checked_flag
from ._arguments import checked_key

BATCH = 2**22  # numbers held at once while kernels are summed over pairs of points
_BAND = 4.7  # 2 pi less the band limit pi / 2: tails outside the stencil and aliases of such fields are then equal


class IntegralOperator(eqx.Module):
    """(K u)(x) = int k(x, y) u(y) dy + b, with a kernel that commutes with every move of the algebra.

    On a grid this is a convolution with a steerable kernel; on points a sum over pairs with quadrature weights, exactly
    equivariant. One operator serves both: its kernel is a function, not a table.

    Fields: `coefficients` (dim,) of the equivariant kernels; `bias`, of the invariant values of the target, or None;
        `kernels`; `size`, `spacing`, `boundary`, `indexing` as in `__init__`.
    """

    coefficients: Float[Array, " dim"]
    bias: Float[Array, " invariants"] | None
    kernels: EquivariantKernels = eqx.field(static=True, repr=False)
    size: int = eqx.field(static=True)
    spacing: float = eqx.field(static=True)
    boundary: str = eqx.field(static=True)
    indexing: str = eqx.field(static=True)

    def __init__(
        self,
        source: FieldAction,
        target: FieldAction,
        *,
        key: PRNGKeyArray,
        size: int = 9,
        degree: int = 2,
        spacing: float = 1.0,
        scales: tuple[float, ...] | None = None,
        family: EquivariantKernels | None = None,
        boundary: str = "zero",
        indexing: str = "ij",
        use_bias: bool = True,
    ):
        """Kernels with random coefficients; the bias starts at zero.

        Arguments:
            source, target: how values at one place are turned, multiplicities included: `4 * lieder.scalars(g) + 2 *
                lieder.vectors(g)` is 4 scalar and 2 vector fields. Over one algebra, such as se(2) or se(3).
            key: a JAX key. Coefficients are normal, such that inputs of unit variance, independent from sample to
                sample of the grid, give outputs of unit variance.
            size: odd width of the kernel on a grid, in samples; default 9. More samples, and so wider and smoother
                kernels, commute with turns more closely: see `docs/fields.md` for measured errors.
            degree: of the polynomials in the kernels, the highest angular frequency; default 2.
            spacing: distance of neighbouring samples of a grid, in the unit of point coordinates; default 1.
            scales: widths of the Gaussians, default one of spacing sqrt(size / 9.4): kernels then end within the
                stencil as far as they end within the band that the samples resolve.
            family: kernels from `lieder.enforce.kernels`, instead of those that degree and scales give.
            boundary: on grids, "zero" (default) or "periodic". indexing: "ij" (default) or "xy", as in
                `lieder.action.grid`.
            use_bias: add a trainable value of the target that nothing turns (none for vectors); default True.
        Raises: ValueError, TypeError for fields without any equivariant kernel, an even size, unknown names.
        """
        if not isinstance(size, int | np.integer) or isinstance(size, bool) or size < 1 or size % 2 == 0:
            raise ValueError(f"size must be odd, 1, 3, 5, ..., so that a kernel has a centre; got {size!r}.")
        if not (np.isfinite(spacing) and spacing > 0):
            raise ValueError(f"spacing must be positive and finite, got {spacing!r}.")
        _one_of(boundary, ("zero", "periodic"), "boundary")
        _one_of(indexing, ("ij", "xy"), "indexing")
        use_bias = checked_flag(use_bias, "use_bias")
        if family is None:
            widths = (float(spacing * np.sqrt(size / (2 * _BAND))),) if scales is None else tuple(scales)
            family = kernels(source, target, degree=degree, scales=widths)
        elif not family.are_for(source, target):
            raise ValueError(f"family is for other fields: from {family.source} to {family.target}.")
        if family.dim == 0:
            raise ValueError(
                f"only the zero kernel is equivariant from {source} to {target} in this family. Raise degree: kernels"
                " couple fields whose angular frequencies differ by at most that."
            )
        self.kernels, self.size, self.spacing = family, int(size), float(spacing)
        self.boundary, self.indexing = boundary, indexing
        dtype = jnp.zeros(()).dtype
        deviations = jnp.asarray(family.scales(self.spacing), dtype)
        self.coefficients = deviations * jax.random.normal(checked_key(key), (family.dim,), dtype)
        count = len(_invariants(target)) if use_bias else 0
        self.bias = jnp.zeros(count, dtype) if count else None

    @property
    def source(self) -> FieldAction:
        """How values of the input are turned."""
        return self.kernels.source

    @property
    def target(self) -> FieldAction:
        """How values of the output are turned."""
        return self.kernels.target

    @property
    def dimension(self) -> int:
        """Of the space that the fields live on."""
        return self.kernels.space.width // 2 if self.kernels.joint else self.kernels.space.width

    def stencil(self) -> Float[Array, "m n *window"]:
        """The kernel on a grid, (m, n, size, size[, size]), as `jax.lax.conv_general_dilated` takes it.

        Entry t weighs the sample at x + (t - centre): spacing^d k(-(t - centre) spacing).
        """
        if self.kernels.joint:
            raise ValueError("a kernel of pairs (x, y) has no stencil: use on_points, with the grid's points.")
        table = _features_on_stencil(self.kernels, self.size, self.spacing, self.indexing)
        weights = self.kernels.weights(self.coefficients) @ jnp.asarray(table, self.coefficients.dtype)
        return weights.reshape(*weights.shape[:2], *(self.size,) * self.dimension)

    def __call__(self, u: Float[Array, "n *grid"]) -> Float[Array, "m *grid"]:
        """The operator on one field sampled on a grid.

        Arguments: `u` (n, *grid), channels first; the caller vmaps.
        Returns: (m, *grid).
        Raises: ValueError for another number of channels or axes, or a grid smaller than the kernel.
        """
        u = jnp.asarray(u)
        n, d = self.source.width, self.dimension
        if u.ndim != d + 1 or u.shape[0] != n:
            raise ValueError(
                f"u must be one field of shape ({n}, {', '.join(['size'] * d)}), got {u.shape}; use jax.vmap for many."
            )
        _check_real(u, "u")
        if min(u.shape[1:]) < self.size:
            raise ValueError(f"the grid {u.shape[1:]} is smaller than the kernel, {self.size} samples wide.")
        half = self.size // 2
        ends = [(0, 0)] + [(half, half)] * d
        wide = jnp.pad(u, ends, mode="wrap") if self.boundary == "periodic" else jnp.pad(u, ends)
        out = jax.lax.conv_general_dilated(
            wide[None], self.stencil().astype(u.dtype), (1,) * d, "VALID", precision=jax.lax.Precision.HIGHEST
        )[0]
        return out + self._constant(u.dtype).reshape(-1, *(1,) * d)

    def on_points(
        self,
        u: Float[Array, "points n"],
        x: Float[Array, "points d"],
        weights: Float[Array, " points"] | None = None,
        *,
        at: Float[Array, "places d"] | None = None,
        neighbours: Int[np.ndarray | Array, "places k"] | None = None,
    ) -> Float[Array, "places m"]:
        """The operator on one field sampled at points: sum_j w_j k(x_i, x_j) u_j + b.

        Time is proportional to the number of pairs; memory is bounded, pairs are taken in batches.

        Arguments:
            u: (N, n) values at the points x (N, d), in the unit of `spacing` and the scales.
            weights: (N,) quadrature weights, the volume that each point stands for; default spacing^d, a grid's.
            at: (M, d) places of the output, default the points.
            neighbours: (M, k) numbers of the points that each place looks at, N where there is none, as
                `lieder.nn.neighbours` finds them; default all.
        Returns: (M, m).
        Raises: ValueError for shapes that do not fit each other.
        """
        u, x = jnp.asarray(u), jnp.asarray(x)
        n, d = self.source.width, self.dimension
        if x.ndim != 2 or x.shape[1] != d:
            raise ValueError(f"x must be points of shape (N, {d}), got {x.shape}.")
        if u.shape != (len(x), n):
            raise ValueError(f"u must hold {n} values at each of {len(x)} points, ({len(x)}, {n}), got {u.shape}.")
        _check_real(u, "u")
        places = x if at is None else jnp.asarray(at)
        if places.ndim != 2 or places.shape[1] != d:
            raise ValueError(f"at must be places of shape (M, {d}), got {places.shape}.")
        volume = jnp.full(len(x), self.spacing**d, u.dtype) if weights is None else jnp.asarray(weights, u.dtype)
        if volume.shape != (len(x),):
            raise ValueError(f"weights must have shape ({len(x)},), one a point, got {volume.shape}.")
        weighted = u * volume[:, None]
        matrix = self.kernels.weights(self.coefficients).astype(u.dtype)

        def pair(place, other):
            return self.kernels.features(jnp.concatenate([place, other]) if self.kernels.joint else place - other)

        def total(place, others, values):
            features = jax.vmap(pair, in_axes=(None, 0))(place, others)
            return jnp.einsum("abf,jf,jb->a", matrix, features, values)  # a, b: channels; f: features; j: points

        if neighbours is None:
            batch = _together(len(x) * (self.kernels.features.size + d), len(places))
            out = jax.lax.map(lambda place: total(place, x, weighted), places, batch_size=batch)
        else:
            near = jnp.asarray(neighbours)
            if near.ndim != 2 or len(near) != len(places) or not jnp.issubdtype(near.dtype, jnp.integer):
                raise ValueError(f"neighbours must hold whole numbers, ({len(places)}, k), got {near.shape}.")
            # One more point, of no value, stands for the missing ones.
            others, values = jnp.pad(x, ((0, 1), (0, 0))), jnp.pad(weighted, ((0, 1), (0, 0)))
            batch = _together(near.shape[1] * (self.kernels.features.size + d + n), len(places))
            out = jax.lax.map(
                lambda row: total(row[0], others[row[1]], values[row[1]]), (places, near), batch_size=batch
            )
        return out + self._constant(u.dtype)

    def _constant(self, dtype) -> Float[Array, " m"]:
        if self.bias is None:
            return jnp.zeros(self.target.width, dtype)
        return (self.bias @ jnp.asarray(_invariants(self.target), self.bias.dtype)).astype(dtype)


def neighbours(
    x: Float[np.ndarray, "points d"], radius: float, at: Float[np.ndarray, "places d"] | None = None
) -> Int[np.ndarray, "places k"]:
    """Which points each place looks at: all within a radius, in rows of equal length.

    Kernels of one Gaussian of scale s and degree L fall below 1e-6 of their largest value beyond about (6 + L / 2) s.

    Arguments: `x` (N, d) points; `radius` > 0; `at` (M, d) places, default the points.
    Returns: (M, k) int32, k the largest count, filled up with N.
    Raises: ValueError for a radius that is not positive, NaN, or points of different dimension.
    """
    x = np.asarray(x, np.float64)
    places = x if at is None else np.asarray(at, np.float64)
    if x.ndim != 2 or places.ndim != 2 or x.shape[1] != places.shape[1]:
        raise ValueError(f"x and at must be points of one dimension, (N, d) and (M, d), got {x.shape}, {places.shape}.")
    if not (np.isfinite(x).all() and np.isfinite(places).all()):
        raise ValueError("x or at holds NaN or infinite coordinates.")
    if not (np.isfinite(radius) and radius > 0):
        raise ValueError(f"radius must be positive and finite, got {radius!r}.")
    near = KDTree(x).query_ball_point(places, radius, return_sorted=True)
    counts = np.array([len(row) for row in near], int)
    out = np.full((len(places), counts.max(initial=1)), len(x), np.int32)
    out[np.arange(out.shape[1]) < counts[:, None]] = np.concatenate([np.asarray(row, np.int32) for row in near])
    return out


@lru_cache(maxsize=64)
def _features_on_stencil(family: EquivariantKernels, size: int, spacing: float, indexing: str) -> np.ndarray:
    """(D, size^d) features at -(t - centre) spacing, times the volume of a sample."""
    d = family.space.width
    offsets = np.indices((size,) * d).reshape(d, -1).T - size // 2
    axes = [1, 0, *range(2, d)] if indexing == "xy" else list(range(d))
    with jax.ensure_compile_time_eval(), jax.enable_x64(True):
        table = jax.vmap(family.features, out_axes=1)(jnp.asarray(-spacing * offsets[:, axes], jnp.float64))
        return spacing**d * np.asarray(table)


@lru_cache(maxsize=64)
def _invariants(target: FieldAction) -> np.ndarray:
    """(count, m) values that no generator and no finite element turns."""
    with jax.ensure_compile_time_eval():
        return maps(scalars(target.algebra), target).dense()[:, :, 0]


def _together(each: int, count: int) -> int:
    return max(1, min(count, BATCH // each))


def _check_real(u: Array, name: str) -> None:
    if not jnp.issubdtype(u.dtype, jnp.floating):
        raise TypeError(f"{name} has dtype {u.dtype}; fields are real floating-point numbers.")


def _one_of(given: str, known: tuple[str, ...], name: str) -> None:
    if given not in known:
        raise ValueError(f"{name} must be {' or '.join(repr(k) for k in known)}, got {given!r}.")
