"""The quadratic layer: without products gates see nothing but scalars that were scalars from the beginning."""

from dataclasses import dataclass

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, PRNGKeyArray

from ..action import FieldAction, check_same_algebra
from ..enforce import maps
from ._kinds import Kinds, kinds, named
from ._linear import floating, normals, one_example

_LARGEST = 1000  # numbers in one coupling of two summands to a third; larger ones are left out
_SMALL = 0.2  # the size of the products in a residual layer
_ALONE = 0.7  # their size where there is nothing else: products have long tails, which silu does not damp
_FEW = 3  # copies in a network are mixtures of fewer inputs: at most so many count as independent
_KEPT = 64
_FOUND: dict[tuple, "Couplings"] = {}


@dataclass(frozen=True, eq=False)
class Pair:
    """The couplings of two summands of the source, by number, to all summands of the target.

    Fields: `first`, `second`; `reached`, ((summand of the target, how many couplings, excess), ...); `table` (first
    size * second size, columns), the couplings side by side, each of Frobenius norm one. A coupling of independent
    factors of unit variance has second moment one; of factors that mix the same n copies, 1 + excess / n in the mean
    over weights.
    """

    first: int
    second: int
    reached: tuple[tuple[int, int, float], ...]
    table: np.ndarray


@jax.tree_util.register_static
@dataclass(frozen=True, eq=False)
class Couplings:
    """All couplings from products of two summands of the source to summands of the target. A static pytree."""

    source: Kinds
    target: Kinds
    pairs: tuple[Pair, ...]

    def counts(self) -> list[int]:
        """How many couplings reach each summand of the target."""
        out = [0] * len(self.target.each)
        for pair in self.pairs:
            for c, count, _ in pair.reached:
                out[c] += count
        return out

    def moments(self, live: Bool[np.ndarray, " n"]) -> list[float]:
        """The second moment that the couplings of live coordinates bring to one copy of each summand of the target."""
        alive = [bool(live[kind.places].any()) for kind in self.source.each]
        out = [0.0] * len(self.target.each)
        for pair in self.pairs:
            few = min(self.source.each[pair.first].copies, _FEW)
            for c, count, excess in pair.reached:
                out[c] += (count + excess / few) * (alive[pair.first] and alive[pair.second])
        return out


def couplings(source: FieldAction, target: FieldAction, tolerance: float | None) -> Couplings:
    """The couplings, found once for each content."""
    by, to = kinds(source, "source"), kinds(target, "target")
    key = (id(by), id(to), tolerance)
    # The kinds are held by the entry, so that their ids stay theirs.
    if key not in _FOUND:
        if len(_FOUND) >= _KEPT:
            _FOUND.pop(next(iter(_FOUND)))
        pairs = [_pair(by, to, a, b, tolerance) for a in range(len(by.each)) for b in range(a, len(by.each))]
        _FOUND[key] = Couplings(by, to, tuple(pair for pair in pairs if pair.reached))
    return _FOUND[key]


def _pair(by: Kinds, to: Kinds, a: int, b: int, tolerance: float | None) -> Pair:
    first, second = by.each[a], by.each[b]
    product = first.action * second.action
    reached, tables = [], [np.zeros((product.width, 0))]
    for c, kind in enumerate(to.each):
        if product.width * kind.size > _LARGEST:
            continue
        found = maps(product, kind.action, tolerance=tolerance)
        if found.dim:
            table = found.dense().reshape(found.dim * kind.size, first.size, second.size)
            excess = 0.0
            if a == b:  # E u_i v_j u_k v_l of Gaussian copies has the terms ij kl and il jk besides ik jl
                excess = float((np.trace(table, axis1=1, axis2=2) ** 2).sum() + np.einsum("cij,cji->", table, table))
            reached.append((c, found.dim, excess))
            tables.append(table.reshape(len(table), -1).T)
    return Pair(a, b, tuple(reached), np.concatenate(tables, axis=1))


class Bilinear(eqx.Module):
    """x -> B(x, x), equivariant and quadratic, at a cost that grows linearly with the width.

    For each kind of summand of the source (its s coordinates in n copies) two sets of `rank` mixtures of the copies are
    taken, left and right. Every left mixture is multiplied by the right one of the same number, every kind with every
    kind, and the products are coupled to the summands of the target by the equivariant maps from the tensor product,
    `ld.enforce.maps(a * b, c)`. What reaches a summand is mixed into its copies. So there are 2 rank n weights for each
    kind of the source and rank (couplings) n for each kind of the target, where a full quadratic layer has a number
    that is cubic in the width. Couplings of more than 1,000 numbers (product of the three sizes) are left out.

    Fields: `left`, `right`, (rank, copies) for each kind of the source; `out`, (copies, rank * couplings) for each kind
    of the target; `residual`.
    """

    left: tuple[Float[Array, "rank _"], ...]
    right: tuple[Float[Array, "rank _"], ...]
    out: tuple[Float[Array, "_ _"], ...]
    couplings: Couplings = eqx.field(static=True)
    residual: bool = eqx.field(static=True)

    def __init__(
        self,
        source: FieldAction,
        target: FieldAction,
        *,
        key: PRNGKeyArray,
        rank: int = 16,
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
            residual: return y / r(y)^(1/2), y = (x + B(x, x) / r(x)) / sqrt(1.04), the products a fifth of x; target
                must be source. r^2 = (1 + mean square of scalars) / 2 holds products of products back in depth.
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
        self.couplings, self.residual = couplings(source, target, tolerance), residual
        totals, moments = self.couplings.counts(), self.couplings.moments(live)
        if not any(totals):
            raise ValueError(
                f"no product of two summands of source, {named(source)}, reaches target, {named(target)}, by a coupling"
                f" of at most {_LARGEST} numbers. Add scalars to both, or products to the source."
            )
        shapes, scales = [], []
        for kind in (*by.each, *by.each):
            shapes.append((rank, kind.copies))
            scales.append(kind.copies**-0.5)
        for kind, total, moment in zip(to.each, totals, moments, strict=True):
            size = (kind.size / (rank * (moment or 1.0))) ** 0.5
            if residual:
                size *= _SMALL if live[kind.places].any() else _ALONE
            shapes.append((kind.copies, rank * total))
            scales.append(size)
        drawn = normals(key, tuple(shapes), tuple(scales), dtype)
        count = len(by.each)
        self.left, self.right, self.out = drawn[:count], drawn[count : 2 * count], drawn[2 * count :]

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
        for kind, moment in zip(self.couplings.target.each, self.couplings.moments(live), strict=True):
            out[kind.places] |= moment > 0
        return out

    def __call__(self, x: Float[Array, " n"]) -> Float[Array, " m"]:
        """B(x, x), or the residual form.

        Arguments: `x` (n,), one example; use jax.vmap for many.
        Returns: (m,).
        Raises: ValueError for another shape.
        """
        return _forward(self, one_example(x, self.source))

    def _value(self, x: Array) -> Array:
        copies = [x[kind.places.astype(np.int32)] for kind in self.couplings.source.each]
        left = [w @ block for w, block in zip(self.left, copies, strict=True)]
        right = [w @ block for w, block in zip(self.right, copies, strict=True)]
        rank = len(left[0])
        products: list[list[Array]] = [[] for _ in self.couplings.target.each]
        for pair in self.couplings.pairs:
            every = left[pair.first][:, :, None] * right[pair.second][:, None, :]
            coupled = every.reshape(rank, -1) @ jnp.asarray(pair.table, every.dtype)
            start = 0
            for c, count, _ in pair.reached:
                size = self.couplings.target.each[c].size
                products[c].append(coupled[:, start : start + count * size].reshape(rank * count, size))
                start += count * size
        out = jnp.zeros(self.target.width, left[0].dtype)
        for w, kind, found in zip(self.out, self.couplings.target.each, products, strict=True):
            if found:
                out = out.at[kind.places.astype(np.int32)].set(w @ jnp.concatenate(found))
        if not self.residual:
            return out
        # Products of products would grow like powers of two of the depth. Functions of scalars that hold them back are
        # invariant under every group: products are divided by the size of scalars, the result by its root.
        out = (x + out / self._size(x)) / (1 + _SMALL**2) ** 0.5
        return out / jnp.sqrt(self._size(out))

    def _size(self, x: Array) -> Array:
        """The root of (1 + mean square of the scalars) / 2."""
        each = self.couplings.source.each
        still = [x[kind.places.reshape(-1).astype(np.int32)] for kind in each if kind.motion == "still"]
        return jnp.sqrt((1 + jnp.mean(jnp.concatenate(still) ** 2)) / 2) if still else jnp.ones((), x.dtype)


@eqx.filter_jit
def _forward(layer: Bilinear, x: Array) -> Array:
    return layer._value(x)
