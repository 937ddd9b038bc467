"""Which symmetries a path proposes, refined, each with the evidence for it."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from ..jobs import results
from ..linalg import right_singular
from ..report import progress
from ._group_columns import Elements
from ._refit import Refit, Structure, keeping, same, tried

_EFFORT = 2**24  # entries of L_F, times refinements, of one path
_EQUAL = 1e-12  # of what varies in y: smaller squared errors are rounding
_FEW = 3  # subgroups, at most, that one function proposes where generators are sought in each
_NOTHING = 1e-9  # a norm of L_F of this share of the data is rounding


class Proposal(NamedTuple):
    """A structure, and the refit that it belongs to: of the functions that some finite elements keep."""

    refit: Refit
    structure: Structure

    @property
    def evidence(self) -> float:
        """Its log odds."""
        return self.refit.evidence(self.structure)


@dataclass(frozen=True, eq=False)
class Structures:
    """The structures of a path.

    Fields: `every` of them, with their `evidence`; `at` (s,), the position of that taken at each strength; `ridges`
        (s,) and `errors` (folds, s), of these.
    """

    every: tuple[Proposal, ...]
    evidence: Float[np.ndarray, " t"]
    at: Int[np.ndarray, " s"]
    ridges: Float[np.ndarray, " s"]
    errors: Float[np.ndarray, "folds s"]


def structures_of(
    refit: Refit,
    solutions: Float[np.ndarray, "s M"],
    tolerance: float,
    ends: bool,
) -> Structures:
    """Refine what each solution of a path proposes: of any number of symmetries, as far as that can be tried.

    Arguments: `refit`; `solutions`, their coefficients, strongest first; `tolerance`, as in `kept`; `ends`, whether a
        strength 0 follows, which keeps nothing.
    Returns: Structures. Each strength takes the structure with most evidence that it proposes; one that proposes
        nothing that exists takes all functions. The weakest also proposes what ridge regressions do: with few examples
        the path ends at a function that meets them all, far from any with symmetries.
    """
    every: list[Proposal] = []
    elements = refit.task.elements
    size = refit.rows.size
    families: dict[bytes, _Family] = {}
    proposed: list[set[int]] = [set() for _ in solutions]
    starts = [*zip(solutions, proposed, strict=True), *((w, proposed[-1]) for w in refit.shrunk())]
    entries = refit.candidates * refit.task.motions.shape[0] * refit.frame.basis.shape[1]
    effort = max(1, _EFFORT // (max(entries, 1) * len(starts)))

    def family(numbers: np.ndarray) -> _Family:
        if numbers.tobytes() not in families:
            own = keeping(refit, numbers)
            families[numbers.tobytes()] = _Family(own, _place(Proposal(own, own.free()), every), {})
        return families[numbers.tobytes()]

    nothing = family(np.zeros(1, np.int64) if elements is None else elements.still)
    whole = nothing if elements is None else family(np.arange(elements.group.order))
    fixed = _place(Proposal(whole.refit, whole.refit.fixed()), every)
    for w, here in progress(starts, len(starts), "refits"):
        if np.linalg.norm(refit.task.columns.apply(w), 2) <= _NOTHING * size:
            here.add(fixed)
            continue
        for numbers in subgroups(elements, w, len(refit.task.candidates) > 0):
            one = family(numbers)
            if elements is not None:  # all of its functions, and those that no generator changes
                here.update([one.free, _place(Proposal(one.refit, one.refit.fixed()), every)])
            here.update(_refined(one, w, tolerance, effort, every))
    evidence = np.array([proposal.evidence for proposal in every])
    kept = [proposal.structure.kept + len(proposal.refit.numbers) for proposal in every]
    at = [max(here, key=lambda i: (evidence[i], kept[i])) if here else 0 for here in proposed] + [0] * ends
    places = sorted(set(at))
    judged = dict(zip(places, results(_judged, [every[place] for place in places], "folds"), strict=True))
    least = _EQUAL * refit.rows.variance
    return Structures(
        tuple(every),
        evidence,
        np.array(at, np.int64),
        np.array([judged[place][0] for place in at]),
        np.maximum(np.stack([judged[place][1] for place in at], axis=1), least),
    )


def _judged(proposal: Proposal) -> tuple[float, Float[np.ndarray, " folds"]]:
    """Its ridge, and with that its errors on the folds."""
    refit, structure = proposal
    ridge = refit.ridge(structure)
    return ridge, refit.errors(structure, ridge)


class _Family(NamedTuple):
    """Functions that some finite elements keep: their refit, the place of that which keeps nothing else, and which
    directions have been tried, by their number, with what came of it."""

    refit: Refit
    free: int
    known: dict[int, list[tuple[np.ndarray, set[int]]]]


def subgroups(elements: Elements | None, w: Float[np.ndarray, " M"], few: bool) -> list[Int[np.ndarray, " H"]]:
    """The subgroups that a function may keep: those that its least changes generate, the trivial one first; a `few`,
    at the largest ratios, where each takes long."""
    if elements is None:
        return [np.zeros(1, np.int64)]
    sizes = elements.violations(w)
    order = np.argsort(sizes, kind="stable")
    ratios = np.append(sizes[order][1:], np.inf) / np.maximum(sizes[order], np.finfo(float).tiny)
    ends = np.argsort(-ratios, kind="stable")[:_FEW] if few else np.arange(len(order))
    found = [elements.still]
    numbers = elements.still
    for i, k in enumerate(order):
        if elements.first[k] not in numbers:
            numbers = elements.joined(numbers, int(k))
        if i in ends and not any(np.array_equal(numbers, other) for other in found):
            found.append(numbers)
    return found


def _refined(one: _Family, w: np.ndarray, tolerance: float, effort: int, every: list[Proposal]) -> set[int]:
    """The places of the structures near a function that keep some of the generators."""
    refit = one.refit
    if refit.frame.basis.shape[1] == 0:
        return set()
    v = refit.frame.basis.T @ (refit.task.motions.gram @ w)
    s, turn = _spectrum(refit, v)
    found: set[int] = set()
    for kept in proposals(s, tolerance)[:effort] if s[0] > 0 else []:
        directions = turn[len(turn) - kept :].T
        before = one.known.setdefault(kept, [])
        alike = [places for other, places in before if tried(directions, [other])]
        if not alike:
            structure = refit.structure(v, kept)
            both = () if structure is None else (structure, refit.snapped(structure))
            alike = [{_place(Proposal(refit, one_), every) for one_ in both if one_ is not None}]
            before.append((directions, alike[0]))
        found.update(*alike)
    return found


def _place(found: Proposal, every: list[Proposal]) -> int:
    """Where a structure is in the list, to which it is added if it is new."""
    for place, other in enumerate(every):
        if found.refit is other.refit and same(found.structure, other.structure):
            return place
    every.append(found)
    return len(every) - 1


def _spectrum(refit: Refit, v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """All singular values of L_F, and its right singular vectors as rows."""
    return right_singular(refit.task.motions.apply(refit.frame.basis @ v))


def proposals(values: Float[np.ndarray, " q"], tolerance: float) -> list[int]:
    """How many of the singular values may count as zero, the largest ratios of neighbours first."""
    clipped = np.append(np.maximum(values / values[0], tolerance), tolerance)
    order = np.argsort(clipped[1:] / clipped[:-1], kind="stable")
    return [len(values) - 1 - int(i) for i in order if 0 < len(values) - 1 - i < len(values)]
