"""The quadratic layer: without products gates see nothing but scalars that were scalars from the beginning."""

from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import combinations_with_replacement

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, PRNGKeyArray

from ..action import FieldAction, check_same_algebra
from ..enforce import maps
from ..sampling import checked_flag
from ._arguments import checked_count, checked_size, floating
from ._isotypic import Kinds, joined, kinds, named, spread
from ._linear import is_one, mixed, normals, one_example

_WIDEST, _LARGEST = 100, 2000  # numbers in a product of two summands, and in a coupling; what is larger is left out
_TENSORS = 30  # numbers in a product of two summands above which only scalar products are taken
_TOGETHER = 40  # numbers that the products of one pair of kinds may take together: large ones get a smaller rank
_FEW = 3  # copies in a network are mixtures of fewer inputs: at most so many count as independent


@dataclass(frozen=True, eq=False)
class Coupling:
    """The equivariant maps from the product of two summands of the source to one of the target, all by number.

    Fields: `first`, `second`, `target`; `table` (maps, target size, first size, second size), each map of Frobenius
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

    @cached_property
    def pairs(self) -> tuple["Pair", ...]:
        """The couplings by the pair of kinds that they multiply."""
        found: dict[tuple[int, int], list[int]] = {}
        for number, one in enumerate(self.each):
            found.setdefault((one.first, one.second), []).append(number)
        return tuple(_pair(self, a, b, tuple(numbers)) for (a, b), numbers in found.items())

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


@dataclass(frozen=True, eq=False)
class Pair:
    """Two kinds of summands that are multiplied.

    Fields: `first`, `second`; `couplings`, their numbers; `diagonal`, whether only products of equal coordinates are
    needed, as in scalar products; `numbers`, how many products of coordinates that makes.
    """

    first: int
    second: int
    couplings: tuple[int, ...]
    diagonal: bool
    numbers: int

    def rank(self, rank: int) -> int:
        """How many products are taken, where `rank` of small ones are."""
        return max(1, min(rank, _TOGETHER // self.numbers))


def _pair(every: Couplings, a: int, b: int, numbers: tuple[int, ...]) -> Pair:
    first, second = every.source.each[a].size, every.source.each[b].size
    beside = ~np.eye(first, second, dtype=bool)
    diagonal = first == second and all(np.abs(every.each[n].table[:, :, beside]).max(initial=0) < 1e-9 for n in numbers)
    return Pair(a, b, numbers, diagonal, first if diagonal else first * second)


@lru_cache(maxsize=64)
def couplings(source: FieldAction, target: FieldAction, scalars: bool, tolerance: float | None) -> Couplings:
    """The couplings, found once for each content; products of scalars with scalars only if wanted."""
    by, to = kinds(source, "source"), kinds(target, "target")
    still = [kind.motion == "still" for kind in by.each]
    pairs = combinations_with_replacement(range(len(by.each)), 2)
    pairs = [(a, b) for a, b in pairs if scalars or not (still[a] and still[b])]
    return Couplings(by, to, tuple(one for a, b in pairs for one in _coupled(by, to, a, b, tolerance)))


def _coupled(by: Kinds, to: Kinds, a: int, b: int, tolerance: float | None) -> list[Coupling]:
    first, second = by.each[a], by.each[b]
    product, out = None, []
    for c, kind in enumerate(to.each):
        numbers = first.size * second.size
        if numbers > _WIDEST or numbers * kind.size > _LARGEST or (numbers > _TENSORS and kind.motion != "still"):
            continue
        product = first.action * second.action if product is None else product
        found = maps(product, kind.action, tolerance=tolerance)
        if not found.dim:
            continue
        table = found.dense().reshape(-1, kind.size, first.size, second.size)
        if numbers > _TENSORS:
            table = _diagonal(table)
            if not len(table):
                continue
        flat, excess = table.reshape(-1, first.size, second.size), 0.0
        if a == b:  # E u_i v_j u_k v_l of Gaussian copies has the terms ij kl and il jk besides ik jl
            excess = float((np.trace(flat, axis1=1, axis2=2) ** 2).sum() + np.einsum("cij,cji->", flat, flat))
        out.append(Coupling(a, b, c, table, excess))
    return out


def _diagonal(table: np.ndarray) -> np.ndarray:
    """The combinations of maps that multiply equal coordinates only: scalar products."""
    if table.shape[2] != table.shape[3]:
        return table[:0]
    beside = table[:, :, ~np.eye(table.shape[2], dtype=bool)].reshape(len(table), -1)
    values, vectors = np.linalg.eigh(beside @ beside.T)
    combined = np.tensordot(vectors[:, values < 1e-12].T, table, axes=1)
    return np.where(np.eye(table.shape[2], dtype=bool), combined, 0.0)


class Bilinear(eqx.Module):
    """x -> B(x, x), equivariant and quadratic, at a cost that grows linearly with the width.

    For each pair of kinds of summands of the source two sets of `rank` mixtures of their copies are taken, one of each
    kind, and multiplied in turn. The products are coupled to each kind of the target by the equivariant maps from the
    tensor product, `ld.enforce.maps(a * b, c)`, and mixed into its copies. That is rank (n_a + n_b) weights for each
    pair, and for each coupling (a, b, c) the number of maps times rank n_c; a full quadratic layer has a number that
    is cubic in the width. Large products get a smaller rank, at least 1, so that those of a pair are not more than 40
    numbers; of those of more than 30 numbers (a times b), such as products of two tensors, only the scalar products are
    taken; products of more than 100 numbers and couplings of more than 2,000 (a times b times c) are left out.

    Fields: `left`, `right`, (copies, rank) for each pair of kinds; `out`, (maps, rank, copies) for each coupling.
    """

    left: tuple[Float[Array, "_ rank"], ...]
    right: tuple[Float[Array, "_ rank"], ...]
    out: tuple[Float[Array, "_ rank _"], ...]
    couplings: Couplings = eqx.field(static=True, repr=False)

    def __init__(
        self,
        source: FieldAction,
        target: FieldAction,
        *,
        key: PRNGKeyArray,
        rank: int = 8,
        scalars: bool = True,
        size: float = 1.0,
        tolerance: float | None = None,
        dtype=None,
    ):
        """Random weights that take inputs of unit variance to outputs of unit variance, times `size`.

        Arguments:
            source, target: linear representations of widths n and m.
            key: of the random weights.
            rank: how many products are taken of each pair of kinds of summands.
            scalars: whether scalars are multiplied with scalars.
            size: of the outputs at initialisation; default 1.
            tolerance: of the couplings, as in `ld.enforce.maps`.
            dtype: of the weights; default JAX's own.
        Raises:
            ValueError: no product of two summands reaches the target; different algebras; a rank below 1; a size that
                is not positive.
            TypeError: actions that are not linear, or a dtype that is not floating point.
        """
        dtype, rank, size = floating(dtype), checked_count(rank, "rank", 1), checked_size(size, "size")
        by, to = kinds(source, "source"), kinds(target, "target")
        check_same_algebra(source, target)
        self.couplings = couplings(by.action, to.action, checked_flag(scalars, "scalars"), tolerance)
        if not self.couplings.each:
            raise ValueError(
                f"no product of two summands of source, {named(source)}, reaches target, {named(target)}. Add"
                f" scalars to both, or products to the source. Products of more than {_WIDEST} numbers are left out."
            )
        pairs = self.couplings.pairs
        shapes, scales = [], []
        for side in ("first", "second"):
            for pair in pairs:
                copies = by.each[getattr(pair, side)].copies
                shapes.append((copies, pair.rank(rank)))
                scales.append(copies**-0.5)
        ranks = {number: pair.rank(rank) for pair in pairs for number in pair.couplings}
        moments = self.couplings.moments(np.ones(source.width, bool))
        total = np.zeros(len(to.each))
        for number, (one, moment) in enumerate(zip(self.couplings.each, moments, strict=True)):
            total[one.target] += moment * ranks[number]
        for number, one in enumerate(self.couplings.each):
            kind = to.each[one.target]
            shapes.append((len(one.table), ranks[number], kind.copies))
            scales.append(size * (kind.size / (total[one.target] or 1.0)) ** 0.5)
        drawn = normals(key, tuple(shapes), tuple(scales), dtype)
        count = len(pairs)
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
        out = np.zeros(self.target.width, bool)
        for one, moment in zip(self.couplings.each, self.couplings.moments(live), strict=True):
            out[self.couplings.target.each[one.target].places] |= moment > 0
        return out

    def __call__(self, x: Float[Array, " n"]) -> Float[Array, " m"]:
        """B(x, x).

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
        found: list[list[Array]] = [[] for _ in self.couplings.target.each]
        together: list[list[tuple[Array, Array]]] = [[] for _ in found]
        for pair, (left, right), outs in zip(self.couplings.pairs, self._factors(x), self._outs(), strict=True):
            if not pair.diagonal:  # each coordinate of the first with all of the second
                rows = [spread(left[i : i + 1], len(right)) for i in range(len(left))]
                left, right = joined(rows), joined([right] * len(left))
            products = left * right  # (products of coordinates, rank)
            for coupling, out in outs:
                table = coupling.table
                table = np.diagonal(table, axis1=2, axis2=3) if pair.diagonal else table.reshape(*table.shape[:2], -1)
                if is_one(table):
                    found[coupling.target].append(mixed(products, table, jnp.swapaxes(out, 1, 2)))
                    continue
                # d: maps, k: coordinates of the target, e: products of coordinates, r: rank, c: copies.
                whole = jnp.einsum("dke,drc->erkc", jnp.asarray(table, out.dtype), out)
                together[coupling.target].append((products.reshape(-1), whole.reshape(products.size, -1)))
        blocks = []
        for kind, parts, dense in zip(self.couplings.target.each, found, together, strict=True):
            shape = (kind.size, kind.copies)
            if dense:
                # All products that reach a kind side by side: one matrix product for a batch.
                products, whole = (joined([pair[side] for pair in dense]) for side in (0, 1))
                parts = [*parts, (products @ whole).reshape(shape)]
            blocks.append(sum(parts[1:], parts[0]) if parts else jnp.zeros(shape, self.left[0].dtype))
        return blocks

    def _factors(self, x: list[Array]) -> list[tuple[Array, Array]]:
        """The left and right mixtures of each pair, (size, rank); one matrix product for each kind of the source."""
        wanted: list[list[Array]] = [[] for _ in x]
        for pair, left, right in zip(self.couplings.pairs, self.left, self.right, strict=True):
            wanted[pair.first].append(left)
            wanted[pair.second].append(right)
        made = []
        for block, weights in zip(x, wanted, strict=True):
            ends = np.cumsum([weight.shape[1] for weight in weights])
            made.append(iter(jnp.split(block @ joined(weights, 1), ends[:-1], axis=1) if weights else ()))
        return [(next(made[pair.first]), next(made[pair.second])) for pair in self.couplings.pairs]

    def _outs(self) -> list[list[tuple[Coupling, Array]]]:
        return [[(self.couplings.each[n], self.out[n]) for n in pair.couplings] for pair in self.couplings.pairs]


@eqx.filter_jit
def _forward(layer: Bilinear, x: Array) -> Array:
    return layer.couplings.target.join(layer.blocks(layer.couplings.source.split(x)))
