"""Which symmetries a path proposes, refined, each validated once."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from ..report import progress
from ._refit import Refit, Structure, same, tried

_PROPOSED = 3  # gaps of the singular values that are tried at each strength
_SMALL = (
    2**18
)  # entries of L_F as an array: up to it each strength tries what any proposes, beyond its largest gap only
_MOST = 6  # structures that are validated beyond
_EQUAL = 1e-12  # of what varies in y: smaller squared errors are rounding
_NOTHING = 1e-9  # a norm of L_F of this share of the data is rounding


@dataclass(frozen=True, eq=False)
class Structures:
    """The structures of a path.

    Fields: `every` of them; `errors` (structures, folds), at the ridge term of least error, `ridges` (structures,);
        `at` (s,), the position of that taken at each strength.
    """

    every: tuple[Structure, ...]
    errors: Float[np.ndarray, "t folds"]
    ridges: Float[np.ndarray, " t"]
    at: Int[np.ndarray, " s"]


def structures_of(
    refit: Refit, solutions: Float[np.ndarray, "s k"], part: Int[np.ndarray, " N"], folds: int, tolerance: float
) -> Structures:
    """Refine what each solution of a path proposes, and validate it.

    Arguments: `refit`; `solutions`, in coordinates of its problem, strongest first; `part`, the fold of each example;
        `folds`; `tolerance`, as in `kept`.
    Returns: Structures. A strength that proposes nothing that exists takes all functions.
    """
    every: list[Structure] = [refit.free(), refit.fixed()]
    known: dict[int, list[tuple[np.ndarray, int | None]]] = {}
    size = float(np.linalg.norm(refit.rows.y))
    small = refit.operator is not None and refit.operator.size <= _SMALL
    most = len(refit.rows.y) + 2 if small else _MOST + 2
    values, turns = zip(*(_spectrum(refit, v) for v in solutions), strict=True)
    broken = [s[0] > _NOTHING * size for s in values]
    own = [
        proposals(s, tolerance)[: _PROPOSED if small else 1] if b else [] for s, b in zip(values, broken, strict=True)
    ]
    anywhere = list(dict.fromkeys(kept for counts in own for kept in counts))
    proposed: list[set[int]] = [set() if b else {1} for b in broken]
    for v, turn, counts, here, b in zip(solutions, turns, own, proposed, broken, strict=True):
        for kept in (anywhere if small else counts) if b else ():
            directions = turn[len(turn) - kept :].T
            before = known.setdefault(kept, [])
            alike = [at for other, at in before if tried(directions, [other])]
            if alike or len(every) >= most:
                here |= {at for at in alike if at is not None}
                continue
            found = refit.structure(v, kept)
            place = None
            if found is not None:
                place = next((i for i, other in enumerate(every) if same(found, other)), len(every))
                every += [found] if place == len(every) else []
                here.add(place)
            before.append((directions, place))
    validated = [refit.errors(structure, part, folds) for structure in progress(every, len(every), "refits")]
    least = _EQUAL * refit.rows.variance
    best = [int(np.argmin(errors.mean(axis=0))) for errors in validated]
    errors = np.array([np.maximum(errors[:, i], least) for errors, i in zip(validated, best, strict=True)])
    mean = errors.mean(axis=1)
    at = np.array([min(here, key=lambda i: mean[i]) if here else 0 for here in proposed], np.int64)
    return Structures(tuple(every), errors, refit.ridges[best], at)


def _spectrum(refit: Refit, v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """All singular values of L_F, and its right singular vectors as rows."""
    _, s, turn = np.linalg.svd(refit.columns.apply(refit.problem.basis @ v), full_matrices=True)
    return np.pad(s, (0, len(turn) - len(s))), turn


def proposals(values: Float[np.ndarray, " q"], tolerance: float) -> list[int]:
    """How many of the singular values may count as zero: below the largest ratios of neighbours."""
    clipped = np.append(np.maximum(values / values[0], tolerance), tolerance)
    order = np.argsort(clipped[1:] / clipped[:-1])[:_PROPOSED]
    return [len(values) - 1 - int(i) for i in order if 0 < len(values) - 1 - i < len(values)]
