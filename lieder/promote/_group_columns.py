"""K_g F_W - F_W of every element of a finite group, linear in W: what a regression promotes beside L_F."""

from dataclasses import dataclass

import numpy as np
import scipy.linalg
from jaxtyping import Bool, Float, Int

from ..action import AbstractAction, AbstractFibreAction, carried, discrete_elements, element_maps
from ..algebra import FiniteGroup, LieAlgebra, generated
from ..dictionary import AbstractDictionary
from ..linalg import Columns, MatrixStack, right_singular
from ..sampling import Moments
from ._measure import Measure, factor_at, measure_of, moment_factor
from ._units import Units

_CLOSED = 1e-6  # what is left of a moved function, relative to it, that is rounding
_SAME = 1e-9  # entries, relative to the largest, that are rounding
_NUMBERS = 2**26  # of all matrices together
_SPARE = 50  # points more than functions


@dataclass(frozen=True, eq=False)
class Elements:
    """The finite elements among the candidates.

    Elements that generate the same cyclic group are kept or broken together, so that the first of them stands for all.
    An element counts as the motion that it makes: K_g F - F is divided by |g - 1|, in the product in which generators
    have length one.

    Fields: `group`, G elements; `cyclic` (G,), the number of each element's cyclic group, -1 for the identity and
        others that change no function; `first` (c,), the element that stands for each; `lengths` (c,) |g - 1|;
        `changes` (c, M, M), (K_g - 1) / |g - 1| on the entries of W row by row; `measured`, the factor (p, M) of the
        norm of functions.
    """

    group: FiniteGroup
    cyclic: Int[np.ndarray, " G"]
    first: Int[np.ndarray, " c"]
    lengths: Float[np.ndarray, " c"]
    changes: Float[np.ndarray, "c M M"]
    measured: Float[np.ndarray, "p M"]

    @property
    def count(self) -> int:
        """c."""
        return len(self.first)

    def violations(self, w: Float[np.ndarray, " M"]) -> Float[np.ndarray, " c"]:
        """|K_g F - F| / |g - 1|."""
        return np.linalg.norm((self.changes @ w) @ self.measured.T, axis=1)

    def within(self, kept: Bool[np.ndarray, " c"]) -> Int[np.ndarray, " H"]:
        """A largest subgroup whose elements are all among those that are kept (c,), true or false."""
        allowed = np.append(kept, True)[self.cyclic]  # the identity is, too
        best = self.still
        for start in np.flatnonzero(kept):
            numbers = self.still
            for k in map(int, (start, *np.flatnonzero(kept))):
                if self.first[k] not in numbers:
                    larger = self.joined(numbers, k)
                    numbers = larger if allowed[larger].all() else numbers
            best = numbers if len(numbers) > len(best) else best
        return best

    def joined(self, numbers: Int[np.ndarray, " H"], k: int) -> Int[np.ndarray, " J"]:
        """The subgroup that another and the cyclic group k generate."""
        return self.group.subgroup([*self.group.generating(numbers), int(self.first[k])])

    @property
    def still(self) -> Int[np.ndarray, " H"]:
        """The elements that change no function."""
        return np.flatnonzero(self.cyclic < 0)

    def holding(self, numbers: Int[np.ndarray, " H"]) -> Bool[np.ndarray, " c"]:
        """Which cyclic groups lie in a subgroup."""
        return np.isin(self.first, numbers)

    def needed(self, numbers: Int[np.ndarray, " H"]) -> int:
        """How many elements generate a subgroup, besides those that change nothing."""
        return int(np.sum(self.cyclic[list(self.group.generating(numbers))] >= 0))

    def invariant(self, numbers: Int[np.ndarray, " H"]) -> Float[np.ndarray, "M d"]:
        """An orthonormal basis of the functions that a subgroup keeps."""
        some = self.cyclic[list(self.group.generating(numbers))]
        some = some[some >= 0]
        if len(some) == 0:
            return np.eye(self.changes.shape[2])
        moved = self.changes[some].reshape(-1, self.changes.shape[2])
        s, turn = right_singular(moved)
        return turn[s <= _CLOSED * max(s[0], np.finfo(float).tiny)].T

    def beside(self, motions: Columns) -> Columns:
        """L_F in one block, and in another one column K_g F - F for each cyclic group: the nuclear norm is the sum of
        both blocks'.

        The rank of the second is the dimension of what the elements make of F. Of convex norms this one finds the
        right group more often than a sum of the norms of its columns, a group lasso: in 90, 56 and 80 % of three
        kinds of problems, against 75, 50 and 62 % (benchmarks/finite_regression.py).
        """
        q, E, M = motions.stack.shape
        k, row, column = np.nonzero(self.changes)
        index = np.concatenate([motions.stack.index, np.stack([q + k, E + row, column])], axis=1)
        value = np.concatenate([np.asarray(motions.stack.value), self.changes[k, row, column]])
        stack = MatrixStack.from_entries((q + self.count, E + M, M), index, value)
        return Columns(stack, np.asarray(scipy.linalg.block_diag(motions.factor, self.measured)))


def elements_of(
    dictionary: AbstractDictionary,
    source: AbstractAction,
    target: AbstractFibreAction,
    units: Units,
    inputs: Moments,
    where: Measure | Float[np.ndarray, "C n"],
    seed: int,
) -> Elements | None:
    """All products of the discrete elements of an algebra, and what each does to the coefficients; None where there
    are none.

    Raises: ValueError for a group that is not finite, or too large; a dictionary that is not closed under an element;
        outputs that are not moved by matrices.
    """
    if len(discrete_elements(source.algebra)) == 0:
        return None
    assert isinstance(source.algebra, LieAlgebra)  # our own bug
    try:
        group = generated(source.algebra)
    except ValueError as fault:
        raise ValueError(f"source: {fault}") from None
    cyclic, first = _cyclic(group)
    M = dictionary.size * len(units.outputs)
    numbers = group.order * dictionary.size**2 + len(first) * M**2
    if numbers > _NUMBERS:
        raise ValueError(
            f"source, dictionary: {group.order} elements, and {dictionary.size} functions for {len(units.outputs)}"
            f" outputs, take {8 * numbers / 2**30:.1f} GiB. Take a smaller group, or fewer functions."
        )
    z = measure_of("box", inputs.scaled(units.centre, units.scale)).sample(2 * dictionary.size + _SPARE, seed)
    x = units.centre + units.scale * z
    there = carried(source, None, group, x, np.zeros((len(x), 1, 1)))[0]
    on_functions = _functions(dictionary, units, group, x, there)
    on_outputs = _outputs(target, units, group)
    lengths = _lengths(source, units, group, there, on_outputs)[first]
    changes = np.empty((len(first), M, M))
    for number, k in enumerate(first):
        # (K_g F)(x) = B^-1 W f(g x) = B^-1 W C f(x).
        changes[number] = (np.kron(np.linalg.inv(on_outputs[k]), on_functions[k].T) - np.eye(M)) / lengths[number]
    changes[np.abs(changes) <= _SAME * max(1.0, np.abs(changes).max(initial=0.0))] = 0.0
    moving = np.flatnonzero(np.abs(changes).max(axis=(1, 2), initial=0.0) > 0)
    if len(moving) == 0 and source.algebra.dim == 0:
        raise ValueError(
            f"source, dictionary: no element of {group.name} changes any function, so that there is nothing to promote."
        )
    place = np.full(len(first) + 1, -1)
    place[moving] = np.arange(len(moving))
    cyclic, first, lengths, changes = place[cyclic], first[moving], lengths[moving], changes[moving]
    measured = np.kron(np.eye(len(units.outputs)), _norm(dictionary, units, where, seed))
    return Elements(group, cyclic, first, lengths, changes, measured)


def _norm(dictionary: AbstractDictionary, units: Units, where, seed: int) -> Float[np.ndarray, "p D"]:
    """R with |g c|_mu = |R c| for the functions themselves."""
    if not isinstance(where, Measure):
        return factor_at(lambda z: _features(dictionary, units, z), where)
    if dictionary.exponents is not None:
        return moment_factor(dictionary.exponents, where) / units.sizes
    z = where.sample(4 * dictionary.size + _SPARE, seed)
    return factor_at(lambda z: _features(dictionary, units, z), z)


def _features(dictionary: AbstractDictionary, units: Units, z: np.ndarray) -> np.ndarray:
    return units.features(dictionary, units.centre + units.scale * z)


def _functions(
    dictionary: AbstractDictionary, units: Units, group: FiniteGroup, x: np.ndarray, there: np.ndarray
) -> Float[np.ndarray, "G D D"]:
    """C_g with f(g x) = C_g f(x): of the generators from points, of others as products."""
    with np.errstate(all="ignore"):
        here = units.features(dictionary, x)
        sizes = np.linalg.norm(here, axis=0)
    good = np.isfinite(here).all(axis=1)
    C = np.empty((group.order, dictionary.size, dictionary.size))
    C[0] = np.eye(dictionary.size)
    own: dict[int, np.ndarray] = {}
    for k in range(1, group.order):
        j, before = int(group.step[k]), int(group.parent[k])
        if before == 0:
            with np.errstate(all="ignore"):
                moved = units.features(dictionary, there[k])
            used = good & np.isfinite(moved).all(axis=1)
            if used.sum() < dictionary.size:
                raise ValueError(
                    f"dictionary: its functions are not finite at most points, or at most of those to which element {j}"
                    f" of {group.name} takes them."
                )
            scaled = here[used] / np.where(sizes > 0, sizes, 1.0)
            found = np.linalg.lstsq(scaled, moved[used])[0]
            left = np.linalg.norm(moved[used] - scaled @ found, axis=0)
            worst = int(np.argmax(left / np.maximum(np.linalg.norm(moved[used], axis=0), np.finfo(float).tiny)))
            if left[worst] > _CLOSED * np.linalg.norm(moved[used][:, worst]):
                names = [f"x{i}" for i in range(dictionary.width)]
                raise ValueError(
                    f"dictionary: element {j} of {group.name} takes {dictionary.texts(names)[worst]} to a function that"
                    f" is not among the {dictionary.size} (relative distance"
                    f" {left[worst] / np.linalg.norm(moved[used][:, worst]):.2g}). Add what it takes its functions to,"
                    " or take candidates that map the family to itself."
                )
            own[j] = (found / np.where(sizes > 0, sizes, 1.0)[:, None]).T
        # f(g h x) = C_g f(h x) = C_g C_h f(x).
        C[k] = own[j] @ C[before]
    return C


def _outputs(target: AbstractFibreAction, units: Units, group: FiniteGroup) -> Float[np.ndarray, "G m m"]:
    """What each element does to outputs, in units of these."""
    maps = element_maps(target)
    if maps is None or np.any(maps[:, :, -1]):
        raise ValueError(
            f"target: {target} does not move outputs by matrices that are the same everywhere, so that its elements"
            " cannot be promoted here. Take a linear action, or ld.promote.element_penalty with any model."
        )
    matrices = maps[:, :, :-1] * units.outputs / units.outputs[:, None]
    out = np.empty((group.order, *matrices.shape[1:]))
    out[0] = np.eye(matrices.shape[1])
    for k in range(1, group.order):
        out[k] = matrices[group.step[k]] @ out[group.parent[k]]
    return out


def _lengths(source: AbstractAction, units: Units, group: FiniteGroup, there, outputs) -> Float[np.ndarray, " G"]:
    """|g - 1|: of the matrices and shifts on inputs and outputs, in units of these; of others from how far points go,
    which is the same for matrices on inputs uniform on [-1, 1]."""
    maps = element_maps(source)
    if maps is None:
        apart = (there - there[0]) / units.spread
        square = 3.0 * np.mean(np.sum(apart**2, axis=2), axis=1)
    else:
        n = source.width
        whole = np.concatenate([maps, np.broadcast_to(np.eye(n + 1)[-1:], (len(maps), 1, n + 1))], axis=1)
        to_user = np.block([[np.diag(units.spread), units.centre[:, None]], [np.zeros((1, n)), np.ones((1, 1))]])
        whole = np.linalg.solve(to_user, whole @ to_user)
        every = np.empty((group.order, n + 1, n + 1))
        every[0] = np.eye(n + 1)
        for k in range(1, group.order):
            every[k] = whole[group.step[k]] @ every[group.parent[k]]
        square = np.sum((every - every[0]) ** 2, axis=(1, 2))
    square = square + np.sum((outputs - outputs[0]) ** 2, axis=(1, 2))
    return np.where(square > 0, np.sqrt(square), 1.0)


def _cyclic(group: FiniteGroup) -> tuple[Int[np.ndarray, " G"], Int[np.ndarray, " c"]]:
    """Which cyclic subgroup each element generates, numbered as they are met, and the first element of each."""
    known: dict[tuple[int, ...], int] = {}
    cyclic, first = np.full(group.order, -1), []
    for k in range(1, group.order):
        row, at, powers = group.after(k), k, [k]
        while at:
            at = int(row[at])
            powers.append(at)
        number = known.setdefault(tuple(sorted(powers)), len(known))
        cyclic[k] = number
        if number == len(first):
            first.append(k)
    return cyclic, np.array(first, np.int64)
