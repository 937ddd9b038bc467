"""Which elements of a finite group hold, which are broken, which cannot be told; and the subgroup that they form."""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from jaxtyping import Int

from ..algebra import FiniteGroup
from ._evidence import BROKEN, CANNOT_TELL, CLAIMED, NONE, SYMMETRIES, Verdict
from ._group_scores import COVERED, Scores

Reading = Literal["holds", "broken", "undecided", "follows"]
STARTS = 64  # elements from which the largest subgroup is sought


@dataclass(frozen=True, eq=False)
class FiniteEvidence:
    """Why the answer is what it is.

    Fields:
        verdict: "symmetries", "no symmetry" (all elements that move the data are broken) or "cannot tell".
        readings: (G,) of each element "holds", "broken", "undecided", or "follows": undecided by itself, and a product
            of elements that hold.
        resolutions: (G,) one standard error of each defect; `resolution_source` says where it comes from.
        covered: (G,) the share of rows that each element leaves among the data; 1 for a model that is known everywhere.
        away: (G,) how far from the data the median row is moved, in usual distances of a row from its neighbour.
        delta: the defect that must be ruled out for an element to hold; `min_gap`, how many resolutions a defect must
            have to be broken; `tolerance`, the user's own cut, or None.
        closes: whether the elements that hold are a group, up to undecided ones; `why_not` names a product that is not.
        model: how the model was found and how well it fits; "" when the user gave it.
        notes: what the reader should know besides.
    """

    verdict: Verdict
    readings: tuple[Reading, ...]
    resolutions: np.ndarray
    resolution_source: str
    covered: np.ndarray
    away: np.ndarray
    delta: float
    min_gap: float
    tolerance: float | None
    closes: bool
    why_not: str = ""
    model: str = ""
    notes: tuple[str, ...] = field(default=())


def readings(
    scores: Scores, delta: float, min_gap: float, tolerance: float | None, unknown: str, one_sided: str
) -> list[Reading]:
    """What is to be said of each element by itself.

    It holds where its defect is within `CLAIMED` standard errors of zero and one of `delta` is ruled out; it is
    broken where its defect is more than `min_gap` standard errors; else it is undecided, as are all elements where
    nothing is known of the model (`unknown`), those that do not move the data, those that move them to where none
    are, and, of a model that tells nothing by its defects (`one_sided`), those that do not hold.
    """
    out: list[Reading] = []
    each = zip(scores.defects, scores.resolutions, scores.upper, scores.rounding, strict=True)
    for k, (defect, known, upper, rounding) in enumerate(each):
        if k == 0:
            out.append("holds")
        elif unknown or not scores.moved[k] or scores.covered[k] < COVERED:
            out.append("undecided")
        elif tolerance is not None:
            out.append("undecided" if known > tolerance else "holds" if defect <= tolerance else "broken")
        elif defect <= max(CLAIMED * known, rounding):
            out.append("holds" if upper <= max(delta, 2 * rounding) else "undecided")
        else:
            resolved = defect > max(min_gap * known, rounding)
            out.append("broken" if resolved and not one_sided else "undecided")
    return out


def largest_subgroup(
    group: FiniteGroup, found: list[Reading]
) -> tuple[Int[np.ndarray, " H"], list[Reading], bool, str]:
    """The largest subgroup that the elements that hold form, the readings with what follows, whether all that hold are
    in it, and why not.

    Products of elements that hold hold as well, unless they are broken: then the evidence contradicts itself, and the
    largest subgroup is taken whose elements all hold.
    """
    holds = np.flatnonzero([one == "holds" for one in found])
    broken = np.array([one == "broken" for one in found])
    few = _generating(group, holds)
    whole = group.subgroup(few)
    if not broken[whole].any():
        known = set(holds.tolist())
        out = list(found)
        for k in whole:
            if int(k) not in known:
                out[k] = "follows"
        return whole, out, True, ""
    why = _why_not(group, holds, broken)
    allowed = np.array([one == "holds" for one in found])
    best = np.array([0])
    for start in holds[1 : STARTS + 1]:
        have = group.subgroup([int(start)])
        if not allowed[have].all():
            continue
        gens = [int(start)]
        for k in holds:
            if k not in have:
                larger = group.subgroup([*gens, int(k)])
                if allowed[larger].all():
                    have, gens = larger, [*gens, int(k)]
        if len(have) > len(best):
            best = have
    return best, found, False, why


def _generating(group: FiniteGroup, numbers: Int[np.ndarray, " H"]) -> list[int]:
    """A few of the given elements that generate as much as all of them."""
    chosen: list[int] = []
    inside = np.zeros(group.order, bool)
    inside[0] = True
    for k in numbers:
        if not inside[k]:
            chosen.append(int(k))
            inside[group.subgroup(chosen)] = True
    return chosen


def _why_not(group: FiniteGroup, holds: np.ndarray, broken: np.ndarray) -> str:
    for a in holds:
        row = group.after(int(a))
        for b in holds:
            if broken[row[b]]:
                return f"elements {a} and {b} hold, and their product, element {row[b]}, is broken"
    return "products of elements that hold are broken"


def verdict_of(found: list[Reading], size: int, scores: Scores) -> Verdict:
    """Of all elements together."""
    if size > 1:
        return SYMMETRIES
    asked = [one for one, moved in zip(found[1:], scores.moved[1:], strict=True) if moved]
    return NONE if asked and all(one == "broken" for one in asked) else CANNOT_TELL


def checked_rule(delta, min_gap, tolerance) -> None:
    """A ValueError for a rule that decides nothing."""
    for value, name, low, high in ((delta, "delta", 0.0, 1.0), (tolerance, "tolerance", 0.0, 2.0)):
        if name == "tolerance" and value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int | float) or not low < value < high:
            raise ValueError(f"{name} must lie between {low:g} and {high:g}: it is a relative defect, got {value!r}.")
    if isinstance(min_gap, bool) or not isinstance(min_gap, int | float) or not 1.0 < min_gap < np.inf:
        raise ValueError(f"min_gap must be a finite number above 1, got {min_gap!r}.")


DELTA = BROKEN
