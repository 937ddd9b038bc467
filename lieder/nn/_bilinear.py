"""The quadratic layer: without products gates see nothing but scalars that were scalars from the beginning."""

from dataclasses import dataclass
from itertools import combinations_with_replacement, groupby

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, PRNGKeyArray

from ..action import FieldAction, check_same_algebra
from ..enforce import maps
from ._kinds import Kinds, kinds, named
from ._linear import floating, normals, one_example

_WIDEST, _LARGEST = 100, 2000  # numbers in a product of two summands, and in a coupling; what is larger is left out
_SMALL = 0.2  # the size of the products in a residual layer
_ALONE = 0.7  # their size where there is nothing else: products have long tails, which silu does not damp
_FEW = 3  # copies in a network are mixtures of fewer inputs: at most so many count as independent
_KEPT = 64
_FOUND: dict[tuple, "Couplings"] = {}


@dataclass(frozen=True, eq=False)
class Coupling:
    """The equivariant maps from the product of two summands of the source to one of the target, all by number.

    Fields: `first`, `second`, `target`; `table` (maps, first size * second size, target size), each map of Frobenius
    norm one; `excess`: the maps of independent factors of unit variance have second moment one, those of factors that
    mix the same n copies together maps + excess / n in the mean over weights.
    """

    first: int
    second: int
    target: int
    table: np.ndarray
    excess: float


@jax.tree_util.register_static
@dataclass(frozen=True, eq=False)
class Couplings:
    """All couplings from products of two summands of the source to summands of the target. A static pytree."""

    source: Kinds
    target: Kinds
    each: tuple[Coupling, ...]

    def moments(self, live: Bool[np.ndarray, " n"]) -> list[float]:
        """The second moment that each coupling brings, where some coordinates of the source are not zero."""
        alive = [bool(live[kind.places].any()) for kind in self.source.each]
        out = []
        for one in self.each:
            few = min(self.source.each[one.first].copies, _FEW)
            moment = len(one.table) + one.excess / few
            # An antisymmetric product of one copy with itself is zero: 1 - 1, up to rounding.
            lives = alive[one.first] and alive[one.second] and moment > 1e-9 * len(one.table)
            out.append(moment if lives else 0.0)
        return out


def couplings(source: FieldAction, target: FieldAction, scalars: bool, tolerance: float | None) -> Couplings:
    """The couplings, found once for each content; products with scalars only if wanted."""
    by, to = kinds(source, "source"), kinds(target, "target")
    key = (id(by), id(to), scalars, tolerance)
    # The kinds are held by the entry, so that their ids stay theirs.
    if key not in _FOUND:
        if len(_FOUND) >= _KEPT:
            _FOUND.pop(next(iter(_FOUND)))
        numbers = [a for a, kind in enumerate(by.each) if scalars or kind.motion != "still"]
        pairs = combinations_with_replacement(numbers, 2)
        _FOUND[key] = Couplings(by, to, tuple(one for a, b in pairs for one in _coupled(by, to, a, b, tolerance)))
    return _FOUND[key]


def _coupled(by: Kinds, to: Kinds, a: int, b: int, tolerance: float | None) -> list[Coupling]:
    first, second = by.each[a], by.each[b]
    product, out = None, []
    for c, kind in enumerate(to.each):
        if first.size * second.size > _WIDEST or first.size * second.size * kind.size > _LARGEST:
            continue
        product = first.action * second.action if product is None else product
        found = maps(product, kind.action, tolerance=tolerance)
        if not found.dim:
            continue
        table = found.dense()
        flat, excess = table.reshape(-1, first.size, second.size), 0.0
        if a == b:  # E u_i v_j u_k v_l of Gaussian copies has the terms ij kl and il jk besides ik jl
            excess = float((np.trace(flat, axis1=1, axis2=2) ** 2).sum() + np.einsum("cij,cji->", flat, flat))
        out.append(Coupling(a, b, c, table.transpose(0, 2, 1), excess))
    return out


class Bilinear(eqx.Module):
    """x -> B(x, x), equivariant and quadratic, at a cost that grows linearly with the width.

    For each kind of summand of the source (n copies of it) two sets of `rank` mixtures of the copies are taken, left
    and right. The left mixture of every kind is multiplied by the right mixture of the same number of every kind. Each
    product is coupled to each kind of the target by one combination of the equivariant maps from the tensor product,
    `ld.enforce.maps(a * b, c)`, and what reaches a kind is mixed into its copies. That is 2 rank n weights for each
    kind of the source, and for each coupling (a, b, c) the number of maps and rank n more for the copies of c; a full
    quadratic layer has a number that is cubic in the width. Products of more than 100 numbers (a times b) and couplings
    of more than 2,000 (a times b times c) are left out.

    Fields: `left`, `right`, (rank, copies) for each kind of the source; `mix`, (maps,) for each coupling; `out`,
    (copies, rank * couplings) for each kind of the target; `residual`.
    """

    left: tuple[Float[Array, "rank _"], ...]
    right: tuple[Float[Array, "rank _"], ...]
    mix: tuple[Float[Array, " _"], ...]
    out: tuple[Float[Array, "_ _"], ...]
    couplings: Couplings = eqx.field(static=True)
    residual: bool = eqx.field(static=True)

    def __init__(
        self,
        source: FieldAction,
        target: FieldAction,
        *,
        key: PRNGKeyArray,
        rank: int = 8,
        residual: bool = False,
        live: Bool[np.ndarray, " n"] | None = None,
        tolerance: float | None = None,
        dtype=None,
    ):
        """Random weights that take inputs of unit variance to outputs of unit variance.

        Arguments:
            source, target: linear representations of widths n and m.
            key: of the random weights.
            rank: how many products are taken of each pair of kinds of summands.
            residual: add the input, which target must equal: y / r(y)^(1/2), y = (x + B(x, x) / r(x)) / sqrt(1.04),
                with products a fifth of x. r^2 = (1 + mean square of scalars) / 2 holds products of products back.
                Products with scalars are left to gates.
            live: (n,) which inputs are not zero at initialisation; default all. Where x is zero, products are larger.
            tolerance: of the couplings, as in `ld.enforce.maps`.
            dtype: of the weights; default JAX's own.
        Raises:
            ValueError: no product of two summands reaches the target; different algebras; a rank below 1.
            TypeError: actions that are not linear, or a dtype that is not floating point.
        """
        dtype = floating(dtype)
        if rank < 1:
            raise ValueError(f"rank must be 1, 2, 3, ..., got {rank}.")
        by, to = kinds(source, "source"), kinds(target, "target")
        check_same_algebra(source, target)
        if residual and by is not to:
            raise ValueError(
                "residual=True adds the input to the output, so the target must be the source; target is"
                f" {named(target)}, source {named(source)}."
            )
        live = np.ones(source.width, bool) if live is None else np.asarray(live)
        self.couplings, self.residual = couplings(source, target, not residual, tolerance), residual
        if not self.couplings.each:
            raise ValueError(
                f"no product of two summands of source, {named(source)}, reaches target, {named(target)}. Add"
                f" scalars to both, or products to the source. Products of more than {_WIDEST} numbers are left out."
            )
        shapes, scales = [], []
        for kind in (*by.each, *by.each):
            shapes.append((rank, kind.copies))
            scales.append(kind.copies**-0.5)
        moments, total, alive = self.couplings.moments(live), [0] * len(to.each), [0] * len(to.each)
        for one, moment in zip(self.couplings.each, moments, strict=True):
            total[one.target] += 1
            alive[one.target] += moment > 0
            shapes.append((len(one.table),))
            scales.append((moment or len(one.table)) ** -0.5)
        for kind, every, some in zip(to.each, total, alive, strict=True):
            size = (kind.size / (rank * max(some, 1))) ** 0.5
            if residual:
                size *= _SMALL if live[kind.places].any() else _ALONE
            shapes.append((kind.copies, rank * every))
            scales.append(size)
        drawn = normals(key, tuple(shapes), tuple(scales), dtype)
        count, ends = len(by.each), 2 * len(by.each) + len(moments)
        self.left, self.right = drawn[:count], drawn[count : 2 * count]
        self.mix, self.out = drawn[2 * count : ends], drawn[ends:]

    @property
    def source(self) -> FieldAction:
        return self.couplings.source.action

    @property
    def target(self) -> FieldAction:
        return self.couplings.target.action

    def reached(self, live: Bool[np.ndarray, " n"]) -> Bool[np.ndarray, " m"]:
        """Which outputs can differ from zero.

        Arguments: `live` (n,), which inputs can.
        Returns: (m,).
        """
        out = live.copy() if self.residual else np.zeros(self.target.width, bool)
        for one, moment in zip(self.couplings.each, self.couplings.moments(live), strict=True):
            out[self.couplings.target.each[one.target].places] |= moment > 0
        return out

    def __call__(self, x: Float[Array, " n"]) -> Float[Array, " m"]:
        """B(x, x), or the residual form.

        Arguments: `x` (n,), one example; use jax.vmap for many.
        Returns: (m,).
        Raises: ValueError for another shape.
        """
        return _forward(self, one_example(x, self.source))

    def _value(self, x: Array) -> Array:
        copies = self.couplings.source.split(x)
        left = [w @ block for w, block in zip(self.left, copies, strict=True)]
        right = [w @ block for w, block in zip(self.right, copies, strict=True)]
        products: list[list[Array]] = [[] for _ in self.couplings.target.each]
        together = zip(self.couplings.each, self.mix, strict=True)
        for (a, b), group in groupby(together, lambda pair: (pair[0].first, pair[0].second)):
            ones, weights = zip(*group, strict=True)
            # All couplings of two kinds side by side: one matrix product for a batch.
            tables = [
                jnp.tensordot(w, jnp.asarray(one.table, w.dtype), 1) for one, w in zip(ones, weights, strict=True)
            ]
            every = left[a][:, :, None] * right[b][:, None, :]
            coupled = every.reshape(len(every), -1) @ jnp.concatenate(tables, axis=1)
            ends = np.cumsum([one.table.shape[2] for one in ones])
            for one, part in zip(ones, jnp.split(coupled, ends[:-1], axis=1), strict=True):
                products[one.target].append(part)
        blocks = []
        for w, kind, found in zip(self.out, self.couplings.target.each, products, strict=True):
            blocks.append(w @ jnp.concatenate(found) if found else jnp.zeros((kind.copies, kind.size), left[0].dtype))
        out = self.couplings.target.join(blocks)
        if not self.residual:
            return out
        # Products of products would grow like powers of two of the depth. Functions of scalars that hold them back are
        # invariant under every group: products are divided by the size of scalars, the result by its root.
        out = (x + out / self._size(x)) / (1 + _SMALL**2) ** 0.5
        return out / jnp.sqrt(self._size(out))

    def _size(self, x: Array) -> Array:
        """The root of (1 + mean square of the scalars) / 2."""
        parts = zip(self.couplings.source.each, self.couplings.source.split(x), strict=True)
        still = [block for kind, block in parts if kind.motion == "still"]
        return jnp.sqrt((1 + jnp.mean(still[0] ** 2)) / 2) if still else jnp.ones((), x.dtype)


@eqx.filter_jit
def _forward(layer: Bilinear, x: Array) -> Array:
    return layer._value(x)
