"""The linear layer."""

import math
from functools import partial

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from ..action import AbstractAction, FieldAction, represented, scalars
from ..enforce import EquivariantMaps, homogeneous, maps
from ..sampling import checked_flag
from ._arguments import checked_key, floating
from ._isotypic import Ends, kinds, named

_LARGEST = 2**15  # entries up to which forming W and one matrix product are faster than the irreducible pieces
_CHUNK = 2**14  # weights drawn at once; a draw of this size takes a tenth of a millisecond


class Linear(eqx.Module):
    """x -> W x + b with W equivariant and b invariant.

    Fields: `weight` (dim,), coefficients of W in the basis of `ld.enforce.maps(source, target)`; `bias`, coefficients
    of b in the basis of invariant vectors of the target, or None; `source`; `target`.
    """

    weight: Float[Array, " dim"]
    bias: Float[Array, " invariants"] | None
    maps: EquivariantMaps = eqx.field(static=True, repr=False)
    invariants: EquivariantMaps | None = eqx.field(static=True, repr=False)
    ends: Ends = eqx.field(static=True, repr=False)

    def __init__(
        self,
        source: AbstractAction,
        target: AbstractAction,
        *,
        key: PRNGKeyArray,
        use_bias: bool = True,
        tolerance: float | None = None,
        dtype=None,
    ):
        """Random weights that take inputs of unit variance to outputs of unit variance; the bias is zero.

        Arguments:
            source: representation of inputs, of width n; linear, or affine points (x is then extended by a 1).
            target: representation of outputs, of width m; linear.
            key: of the random weights.
            use_bias: whether invariant vectors of the target, where there are any, are added.
            tolerance: of the maps, as in `ld.enforce.maps`; for measured generators.
            dtype: of the weights; default JAX's own, float32 unless x64 is on.
        Raises:
            ValueError: only the zero map is equivariant; different algebras.
            TypeError: actions that are not linear, or a dtype that is not floating point.
        """
        dtype, use_bias = floating(dtype), checked_flag(use_bias, "use_bias")
        source, target = represented(source, "source"), represented(target, "target")
        affine = source.is_affine and not source.is_linear
        self.maps = maps(homogeneous(source) if affine else source, target, tolerance=tolerance)
        if self.maps.dim == 0:
            raise ValueError(
                f"only the zero map is equivariant from source, {named(source)}, to target, {named(target)}: a linear"
                " layer between them would always return zero. Add to the source or the target a representation they"
                " share, such as target + source, or reach the target by products: ld.nn.Bilinear or ld.nn.MLP."
            )
        self.ends = Ends(source if affine else self.maps.source, self.maps.target)
        still = (
            maps(scalars(target.algebra), self.ends.target, tolerance=tolerance) if use_bias and not affine else None
        )
        self.invariants = still if still is not None and still.dim else None
        (self.weight,) = normals(key, ((self.maps.dim,),), (self.maps.scales,), dtype)
        self.bias = None if self.invariants is None else jnp.zeros(self.invariants.dim, dtype)

    @property
    def source(self) -> FieldAction:
        return self.ends.source

    @property
    def target(self) -> FieldAction:
        return self.ends.target

    def __call__(self, x: Float[Array, " n"]) -> Float[Array, " m"]:
        """W x + b.

        Arguments: `x` (n,), one example; use jax.vmap for many.
        Returns: (m,).
        Raises: ValueError for another shape.
        """
        return _forward(self, one_example(x, self.source))

    def blocks(self, x: list[Array]) -> list[Array]:
        """The same on summands.

        Arguments: `x`, of each different summand of the source (size, copies).
        Returns: of each different summand of the target (size, copies).
        """
        pairs = None if self.maps.source.width > self.source.width else self.maps.pairs(self.weight)
        if pairs is None:
            return kinds(self.target, "target").split(self._whole(kinds(self.source, "source").join(x)))
        constant = [] if self.invariants is None or self.bias is None else self.invariants.pairs(self.bias) or []
        out = []
        for number, (row, kind) in enumerate(zip(pairs, kinds(self.target, "target").each, strict=True)):
            total = None
            for block, (basis, copies) in zip(x, row, strict=True):
                if len(basis):
                    part = mixed(block, basis, copies)
                    total = part if total is None else total + part
            if constant and len(constant[number][0][0]):
                part = mixed(jnp.ones((1, 1), copies.dtype), *constant[number][0])
                total = part if total is None else total + part
            out.append(jnp.zeros((kind.size, kind.copies), self.weight.dtype) if total is None else total)
        return out

    def _whole(self, x: Array) -> Array:
        """Through the irreducible pieces, where there is no table of maps between summands."""
        if self.maps.source.width > self.source.width:
            x = jnp.append(x, jnp.ones((), x.dtype))
        if self.maps.source.width * self.maps.target.width <= _LARGEST:
            y = self.maps.matrix(self.weight) @ x
        else:
            y = self.maps.apply(self.weight, x)
        if self.invariants is None or self.bias is None:
            return y
        return y + self.invariants.apply(self.bias, jnp.ones(1, self.bias.dtype))


@eqx.filter_jit
def _forward(layer: Linear, x: Array) -> Array:
    # Compiled as a whole: operation by operation, the first call outside jax.jit takes seconds.
    if not layer.source.is_linear:
        return layer._whole(x)
    by, to = kinds(layer.source, "source"), kinds(layer.target, "target")
    return to.join(layer.blocks(by.split(x)))


def mixed(x: Array, basis: np.ndarray, copies: Array) -> Array:
    """sum_r basis[r] x copies[r]^T: coordinates are turned, copies mixed.

    Arguments: `x` (j, s); `basis` (r, i, j); `copies` (r, t, s).
    Returns: (i, t).
    """
    size = basis.shape[1]
    if is_one(basis):
        return x @ (float(basis[0, 0, 0]) * copies[0].T)
    # Few copies of larger tensors: one matrix for all, i, j: coordinates, t, s: copies.
    whole = jnp.einsum("rts,rij->jsit", copies, jnp.asarray(basis, copies.dtype))
    return (x.reshape(-1) @ whole.reshape(x.size, -1)).reshape(size, -1)


def is_one(basis: np.ndarray) -> bool:
    """True for a single map (1, i, j) that is a multiple of the identity."""
    one = basis[0, 0, 0] * np.eye(*basis.shape[1:]) if len(basis) == 1 else None
    return one is not None and basis.shape[1] == basis.shape[2] and np.allclose(basis[0], one, rtol=0, atol=1e-12)


def normals(
    key: PRNGKeyArray, shapes: tuple[tuple[int, ...], ...], scales: tuple, dtype: np.dtype
) -> tuple[Array, ...]:
    """Independent normal arrays times their scales (numbers or arrays)."""
    checked_key(key)
    count = -(-sum(math.prod(shape) for shape in shapes) // _CHUNK)
    drawn = tuple(_chunk(key, number, jnp.dtype(dtype)) for number in range(count))
    return _scaled(drawn, tuple(jnp.asarray(scale, dtype) for scale in scales), shapes)


# A draw compiles for a third of a second: one size for all layers compiles once.
@partial(jax.jit, static_argnames="dtype")
def _chunk(key, number, dtype):
    return jax.random.normal(jax.random.fold_in(key, number), (_CHUNK,), dtype)


@partial(jax.jit, static_argnames="shapes")
def _scaled(drawn, scales, shapes):
    ends = np.cumsum([math.prod(shape) for shape in shapes])
    parts = jnp.split(jnp.concatenate(drawn)[: int(ends[-1])], ends[:-1])
    return tuple(scale * part.reshape(shape) for scale, part, shape in zip(scales, parts, shapes, strict=True))


def one_example(x, source: FieldAction) -> Array:
    """x as an array, after a look at its shape."""
    x = jnp.asarray(x)
    if x.shape != (source.width,):
        raise ValueError(
            f"x must be one example of shape ({source.width},), as {named(source)} has that width; got"
            f" {x.shape}. Use jax.vmap for many."
        )
    if jnp.issubdtype(x.dtype, jnp.complexfloating):
        raise TypeError(
            f"x has dtype {x.dtype}, but weights and representations are real: give real and imaginary parts as"
            " coordinates."
        )
    return x
