"""Which symmetries a path proposes, refined, each with the evidence for it."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from ..report import progress
from ._refit import Refit, Structure, same, tried

_EFFORT = 2**24  # entries of L_F, times refinements, of one path
_EQUAL = 1e-12  # of what varies in y: smaller squared errors are rounding
_NOTHING = 1e-9  # a norm of L_F of this share of the data is rounding


@dataclass(frozen=True, eq=False)
class Structures:
    """The structures of a path.

    Fields: `every` of them, with their `evidence`; `at` (s,), the position of that taken at each strength; `ridges`
        (s,) and `errors` (folds, s), of these.
    """

    every: tuple[Structure, ...]
    evidence: Float[np.ndarray, " t"]
    at: Int[np.ndarray, " s"]
    ridges: Float[np.ndarray, " s"]
    errors: Float[np.ndarray, "folds s"]


def structures_of(
    refit: Refit,
    solutions: Float[np.ndarray, "s k"],
    tolerance: float,
    ends: bool,
) -> Structures:
    """Refine what each solution of a path proposes: of any number of symmetries, as far as that can be tried.

    Arguments: `refit`; `solutions`, in coordinates of its problem, strongest first; `tolerance`, as in
        `kept`; `ends`, whether a strength 0 follows, which keeps nothing.
    Returns: Structures. Each strength takes the structure with most evidence that it proposes; one that proposes
        nothing that exists takes all functions. The weakest also proposes what ridge regressions do: with few examples
        the path ends at a function that meets them all, far from any with symmetries.
    """
    every: list[Structure] = [refit.free(), refit.fixed()]
    known: dict[int, list[tuple[np.ndarray, set[int]]]] = {}
    size = refit.rows.size
    entries = refit.candidates * refit.task.columns.shape[0] * solutions.shape[1]
    proposed: list[set[int]] = [set() for _ in solutions]
    starts = [*zip(solutions, proposed, strict=True), *((v, proposed[-1]) for v in refit.shrunk())]
    each = max(1, _EFFORT // (max(entries, 1) * len(starts)))
    for v, here in progress(starts, len(starts), "refits"):
        s, turn = _spectrum(refit, v)
        if s[0] <= _NOTHING * size:
            here.add(1)
            continue
        for kept in proposals(s, tolerance)[:each]:
            directions = turn[len(turn) - kept :].T
            before = known.setdefault(kept, [])
            alike = [places for other, places in before if tried(directions, [other])]
            if not alike:
                found = refit.structure(v, kept)
                both = () if found is None else (found, refit.snapped(found))
                alike = [{_place(structure, every) for structure in both if structure is not None}]
                before.append((directions, alike[0]))
            here.update(*alike)
    evidence = np.array([refit.evidence(structure) for structure in every])
    at = [max(here, key=lambda i: evidence[i]) if here else 0 for here in proposed] + [0] * ends
    ridges, errors = {}, {}
    least = _EQUAL * refit.rows.variance
    for place in progress(sorted(set(at)), len(set(at)), "folds"):
        ridges[place] = refit.ridge(every[place])
        errors[place] = np.maximum(refit.errors(every[place], ridges[place]), least)
    return Structures(
        tuple(every),
        evidence,
        np.array(at, np.int64),
        np.array([ridges[place] for place in at]),
        np.stack([errors[place] for place in at], axis=1),
    )


def _place(found: Structure, every: list[Structure]) -> int:
    """Where a structure is in the list, to which it is added if it is new."""
    place = next((i for i, other in enumerate(every) if same(found, other)), len(every))
    every += [found] if place == len(every) else []
    return place


def _spectrum(refit: Refit, v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """All singular values of L_F, and its right singular vectors as rows."""
    _, s, turn = np.linalg.svd(refit.task.columns.apply(refit.problem.basis @ v), full_matrices=True)
    return np.pad(s, (0, len(turn) - len(s))), turn


def proposals(values: Float[np.ndarray, " q"], tolerance: float) -> list[int]:
    """How many of the singular values may count as zero, the largest ratios of neighbours first."""
    clipped = np.append(np.maximum(values / values[0], tolerance), tolerance)
    order = np.argsort(clipped[1:] / clipped[:-1], kind="stable")
    return [len(values) - 1 - int(i) for i in order if 0 < len(values) - 1 - i < len(values)]
