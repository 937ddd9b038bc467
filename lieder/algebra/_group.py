"""All elements of a finite group, from those that generate it: products, inverses, subgroups, conjugacy classes."""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import lcm

import numpy as np
import scipy.sparse
from jaxtyping import Bool, Float, Int
from numpy.typing import ArrayLike

from ._algebra import LieAlgebra
from ._group_names import name_of_table

MOST = 1_000_000  # elements of one group
BYTES = 2**29  # of their maps
LARGEST_TABLE = 2000  # elements up to which all products are kept
SAME = 1e-6  # two maps that differ by less, relative to their size, are one


@dataclass(frozen=True, eq=False, repr=False)
class FiniteGroup:
    """A finite group of affine maps x -> A x + b.

    Element 0 is the identity, and element k is generators[step[k]] after element parent[k] < k: each is a word in the
    generators, as short as any.

    Fields: `name`; `maps` (G, n, n + 1); `generators` (c, n, n + 1); `parent`, `step` (G,), -1 for the identity; `left`
        (c, G), left[j, k] is the number of generator j after element k.
    """

    name: str
    maps: Float[np.ndarray, "G n n+1"]
    generators: Float[np.ndarray, "c n n+1"]
    parent: Int[np.ndarray, " G"]
    step: Int[np.ndarray, " G"]
    left: Int[np.ndarray, "c G"]

    @property
    def order(self) -> int:
        """The number of elements."""
        return len(self.parent)

    def __repr__(self) -> str:
        return f"FiniteGroup {self.identify()}: {self.order} elements on R^{self.maps.shape[1]}"

    def word(self, k: int) -> tuple[int, ...]:
        """The generators whose product is element k; the last acts first."""
        out = []
        while k:
            out.append(int(self.step[k]))
            k = int(self.parent[k])
        return tuple(out)

    def after(self, k: int) -> Int[np.ndarray, " G"]:
        """The numbers of the products k g with every element g."""
        row = np.arange(self.order)
        for j in reversed(self.word(k)):
            row = self.left[j][row]
        return row

    def inverse(self, k: int) -> int:
        """The number of the inverse of element k."""
        return int(np.flatnonzero(self.after(k) == 0)[0])

    def subgroup(self, numbers: Iterable[int]) -> Int[np.ndarray, " H"]:
        """The numbers, ascending, of all elements that those given generate."""
        rows = [self.after(int(k)) for k in numbers]
        inside = np.zeros(self.order, bool)
        inside[0] = True
        new = np.array([0])
        while len(new):
            reached = np.unique(np.concatenate([row[new] for row in rows])) if rows else new[:0]
            new = reached[~inside[reached]]
            inside[new] = True
        return np.flatnonzero(inside)

    def generating(self, numbers: Int[np.ndarray, " H"]) -> tuple[int, ...]:
        """A few of the elements of a subgroup that generate it."""
        chosen: list[int] = []
        have = np.array([0])
        # An element of the highest order first: fewer are needed then.
        for k in sorted((int(k) for k in numbers if k), key=lambda k: (-self.period(k), k)):
            if len(have) == len(numbers):
                break
            if k not in have:
                chosen.append(k)
                have = self.subgroup(chosen)
        return tuple(chosen)

    def period(self, k: int) -> int:
        """The order of element k: the least power that is the identity."""
        row, at, count = self.after(k), k, 1
        while at:
            at, count = int(row[at]), count + 1
        return count

    @cached_property
    def classes(self) -> Int[np.ndarray, " G"]:
        """The number of the conjugacy class of each element; that of the identity is 0."""
        count, G = self.left.shape
        graph = scipy.sparse.csr_array((G, G))
        for j in range(count):
            right = np.empty(G, np.int64)  # element k times generator j
            right[0] = self.left[j][0]
            for k in range(1, G):
                right[k] = self.left[self.step[k]][right[self.parent[k]]]
            # g (k) g^-1 is the class mate of k: from k g' to g' k, for every k.
            ones = np.ones(G)
            graph = graph + scipy.sparse.csr_array((ones, (right, self.left[j])), shape=(G, G))
        _, label = scipy.sparse.csgraph.connected_components(graph, directed=False)
        _, first = np.unique(label, return_index=True)
        rank = np.empty(len(first), np.int64)
        rank[np.argsort(first)] = np.arange(len(first))
        return rank[label]

    def table(self, numbers: Int[np.ndarray, " H"] | None = None) -> Int[np.ndarray, "H H"]:
        """All products of a subgroup (default: the group), in positions among its numbers.

        Raises: ValueError for more than 2,000 elements.
        """
        numbers = np.arange(self.order) if numbers is None else np.asarray(numbers)
        if len(numbers) > LARGEST_TABLE:
            raise ValueError(f"numbers: a table of {len(numbers)} elements is refused; {LARGEST_TABLE} are the most.")
        position = np.full(self.order, -1)
        position[numbers] = np.arange(len(numbers))
        return position[np.stack([self.after(int(k))[numbers] for k in numbers])]

    def identify(self, numbers: Int[np.ndarray, " H"] | None = None) -> str:
        """The name of the group or of a subgroup: "C7", "D4", "S3", "Z2 x Z2".

        Arguments: `numbers` of the subgroup's elements; default: all.
        Returns: the name of the isomorphism class; that given at the start for a large group that is taken whole, else
        its order in words where it is none of the known ones.
        """
        size = self.order if numbers is None else len(numbers)
        if size <= LARGEST_TABLE:
            return name_of_table(self.table(numbers))
        whole = self.name.replace("_", "") if size == self.order else ""
        return whole or f"a group of order {size}"


def generated(
    candidates: "LieAlgebra | ArrayLike", *, period: ArrayLike | None = None, most: int = MOST, name: str | None = None
) -> FiniteGroup:
    """The finite group that given maps generate.

    Arguments:
        candidates: an algebra, whose discrete elements are taken (and no generators); or maps (c, n, n), or
            (c, n, n + 1) for affine ones.
        period: (d, n) or (n,) shifts after which space repeats: maps that differ by such are one, so that the
            translations of a lattice are a finite group. Default: none.
        most: elements, default 10^6: more are refused.
        name: of the group, default that of the algebra.
    Returns: FiniteGroup.
    Raises: ValueError for maps of a wrong shape, without inverse, of infinite order, or of a group with more than
        `most` elements; TypeError for what holds no maps.
    """
    maps, called = _maps(candidates)
    called = name or called
    n = maps.shape[1]
    cell = None if period is None else _Cell(period, n)
    for number, one in enumerate(maps):
        _check_order(one, f"element {number} of {called}", most, cell)
    if cell is None:
        for a in range(len(maps)):
            for b in range(a):
                product = _compose(maps[a][None], maps[b][None])[0]
                _check_order(product, f"the product of elements {a} and {b} of {called}", most, None)
    fits = min(most, BYTES // (8 * n * (n + 1)))
    identity = np.eye(n, n + 1)[None]
    found = _Found(n, cell)
    found.number(identity[0])
    every, parent, step = [identity], [-1], [-1]
    left: list[list[int]] = [[] for _ in maps]
    first, layer = 0, identity
    while len(layer):
        new, size = [], found.count
        images = _compose(maps[:, None], layer[None])
        if cell is not None:
            images = cell.reduced(images)
        prints = found.fingerprints(images.reshape(-1, n, n + 1)).reshape(images.shape[:2])
        for j in range(len(maps)):
            for k in range(len(layer)):
                number = found.number(images[j, k], prints[j, k])
                left[j].append(number)
                if number == size + len(new):
                    new.append(images[j, k].copy())
                    parent.append(first + k)
                    step.append(j)
                    if number >= fits:
                        why = "which is refused" if fits == most else f"which take more than {BYTES / 2**30:g} GiB"
                        raise ValueError(f"{called}: it has more than {fits:,} elements, {why}. {_ADVICE}")
        first += len(layer)
        layer = np.array(new).reshape(-1, n, n + 1)
        every.append(layer)
    shape = (len(maps), found.count)
    return FiniteGroup(
        called, np.concatenate(every), maps, np.array(parent), np.array(step), np.array(left, np.int64).reshape(shape)
    )


_ADVICE = "Take generators of a smaller group, or give period= where translations repeat."


def check_closed(maps: ArrayLike, argument: str) -> FiniteGroup:
    """The group of given elements, which must be all of it.

    Returns: FiniteGroup, generated by them.
    Raises: ValueError naming the product that is missing and the closure, or what of `generated`.
    """
    maps = _maps(maps, argument)[0]
    group = generated(maps, name=argument)
    missing = _not_among(group.maps, maps)
    if missing.any():
        k = int(np.flatnonzero(missing)[0])
        if k == 0:
            raise ValueError(
                f"{argument} are no group: the identity is not among them. The group they generate has {group.order}"
                f" elements ({group.identify()}): give all of them, ld.algebra.generated(maps).maps."
            )
        before = int(np.argmin([np.abs(one - group.maps[group.parent[k]]).max() for one in maps]))
        raise ValueError(
            f"{argument} are no group: the product of elements {group.step[k]} and {before} is"
            f" not among them. The {len(maps)} given generate {group.identify()}, of {group.order} elements: give all"
            " of them, ld.algebra.generated(maps).maps."
        )
    return group


def _not_among(maps: np.ndarray, given: np.ndarray) -> Bool[np.ndarray, " G"]:
    found = _Found(maps.shape[1], None)
    for one in given:
        found.number(one)
    known = found.count
    return np.array([found.number(one) >= known for one in maps])


def _maps(candidates, argument: str = "candidates") -> tuple[np.ndarray, str]:
    if isinstance(candidates, LieAlgebra):
        n = candidates.degree
        return np.reshape(candidates.components, (-1, n, n + 1)), candidates.name
    try:
        maps = np.asarray(candidates, dtype=np.float64)
    except (TypeError, ValueError):
        raise TypeError(
            f"{argument} must be an algebra with discrete elements, or maps (c, n, n), got {type(candidates).__name__}."
        ) from None
    if maps.ndim != 3 or maps.shape[2] - maps.shape[1] not in (0, 1) or maps.shape[1] == 0:
        raise ValueError(f"{argument} must hold maps of shape (c, n, n), or affine (c, n, n + 1), got {maps.shape}.")
    if not np.isfinite(maps).all():
        raise ValueError(f"{argument} hold NaN or infinite entries.")
    return np.pad(maps, ((0, 0), (0, 0), (0, maps.shape[1] + 1 - maps.shape[2]))), f"{len(maps)} maps"


def _compose(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """First b, then a, of affine maps (.., n, n + 1)."""
    out = a[..., :-1] @ b
    out[..., -1] += a[..., -1]
    return out


def _check_order(map_: np.ndarray, what: str, most: int, cell: "_Cell | None") -> None:
    """A ValueError when a map has infinite order, or one above `most`: told from its eigenvalues."""
    n = len(map_)
    whole = np.eye(n + 1)
    whole[:n] = map_
    values = np.linalg.eigvals(whole[:n, :n])
    if np.abs(values).min(initial=1.0) < 1e-12:
        raise ValueError(f"{what} has no inverse, so it belongs to no group.")
    infinite = f"{what} has infinite order, so the group is not finite. {_ADVICE}"
    if np.abs(np.abs(values) - 1).max(initial=0.0) > SAME:
        raise ValueError(infinite)
    turns = np.angle(values) / (2 * np.pi)
    parts = [_fraction(float(turn), most) for turn in turns]
    if any(part is None for part in parts):
        raise ValueError(infinite)
    order = lcm(*(part.denominator for part in parts if part is not None))
    if order > most:
        raise ValueError(f"{what} has order {order:,}; groups of more than {most:,} elements are refused.")
    if cell is None:
        power = np.linalg.matrix_power(whole, order)
        if np.abs(power - np.eye(n + 1)).max() > SAME * order * max(1.0, np.abs(whole).max()):
            raise ValueError(infinite)


def _fraction(turn: float, most: int) -> Fraction | None:
    """The fraction that a number is, None for one that is none.

    Every number is near some fraction with a large denominator, so that these must agree to more digits."""
    for largest, error in ((1000, 1e-9), (2 * most, 1e-14)):
        part = Fraction(turn).limit_denominator(largest)
        if abs(float(part) - turn) <= error:
            return part
    return None


class _Cell:
    """Shifts modulo a lattice."""

    def __init__(self, period: ArrayLike, n: int):
        rows = np.atleast_2d(np.asarray(period, dtype=np.float64))
        if rows.shape[1] != n or np.linalg.matrix_rank(rows) < len(rows) or not np.isfinite(rows).all():
            raise ValueError(f"period must hold independent shifts of R^{n}, shape (d, {n}), got {rows.tolist()}.")
        self.rows, self.back = rows, np.linalg.pinv(rows)

    def reduced(self, maps: np.ndarray) -> np.ndarray:
        shift = maps[..., -1]
        whole = np.floor(shift @ self.back + 1e-7)
        return np.concatenate([maps[..., :-1], (shift - whole @ self.rows)[..., None]], axis=-1)


class _Found:
    """Maps by number: each is known by one random linear function of its entries, compared as a whole where that
    agrees."""

    def __init__(self, n: int, cell: _Cell | None):
        rng = np.random.default_rng(0)
        self.functional = rng.normal(size=(n, n + 1))
        self.known: dict[int, list[tuple[np.ndarray, int]]] = {}
        self.count = 0

    def fingerprints(self, maps: np.ndarray) -> np.ndarray:
        return np.einsum("kij,ij->k", maps, self.functional)

    def number(self, map_: np.ndarray, print_: float | None = None) -> int:
        value = float(np.sum(self.functional * map_)) if print_ is None else print_
        width = 10 * SAME
        bin_ = int(np.floor(value / width))
        close = SAME * max(1.0, float(np.abs(map_).max()))
        for near in (bin_, bin_ - 1, bin_ + 1):
            for other, number in self.known.get(near, ()):
                if np.abs(other - map_).max() <= close:
                    return number
        # A copy: a view would keep all of the array that it is a piece of.
        self.known.setdefault(bin_, []).append((map_.copy(), self.count))
        self.count += 1
        return self.count - 1
