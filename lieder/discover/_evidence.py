"""How many generators are symmetries, and what decides it."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float

from ..linalg import decide

Verdict = Literal["symmetries", "no symmetry", "cannot tell"]
SYMMETRIES: Verdict = "symmetries"
NONE: Verdict = "no symmetry"
CANNOT_TELL: Verdict = "cannot tell"
BROKEN = 0.3  # what stands for the next defect when all candidates are claimed: broken ones seldom have less
CLAIMED = 3.0  # multiple of its resolution, one standard error, up to which a symmetry's defect may lie by chance
TOP = float(np.sqrt(2.0))  # the largest relative defect there is


@dataclass(frozen=True, eq=False)
class Evidence:
    """Why the answer is what it is.

    Fields:
        verdict: "symmetries", "no symmetry" or "cannot tell".
        rule: "largest gap" or "tolerance".
        resolution: defects below it are not told apart from zero; `resolution_source` says where it comes from. Where
            every direction has its own, the largest among those that count.
        tolerance: the user's, or None.
        gap: ratio of the first rejected to the last accepted defect (not below its resolution, nor above sqrt 2).
        cut: the defect at which the decision falls.
        min_gap: the least gap that is taken for an answer.
        confidence: share of leave-one-part-out repetitions with the same answer; None when the data came in too few
            parts.
        intervals: (k, 2) least and largest defect over these repetitions, position by position; None likewise.
        weak: indices of directions that move the data mainly where they hardly spread; `weak_reasons` says how, one
            text each.
        finite: (dim,) relative violation under a finite transformation of held-out points, NaN where it could not be
            made.
        closure: share of the brackets that leaves the found space; None when nothing was found or too much to form
            them.
        model: how the model was found and how well it fits; "" when the user gave it.
        resolutions: (k,) the resolution of each direction; None in records of older versions.
        notes: what the reader should know besides: why nothing is claimed, or what the family of models brings itself.
    """

    verdict: Verdict
    rule: str
    resolution: float
    resolution_source: str
    tolerance: float | None
    gap: float
    cut: float
    min_gap: float
    confidence: float | None = None
    intervals: Float[np.ndarray, "k 2"] | None = None
    weak: tuple[int, ...] = ()
    weak_reasons: tuple[str, ...] = ()
    finite: Float[np.ndarray, " dim"] | None = None
    closure: float | None = None
    model: str = ""
    resolutions: Float[np.ndarray, " k"] | None = None
    notes: tuple[str, ...] = ()

    def limit(self, accepted: Float[np.ndarray, " dim"], times: float = 3.0) -> float:
        """The largest defect that cannot be told from the accepted ones: three times the largest of them, or the
        resolution, and never above the cut."""
        return min(max(self.resolution, times * float(accepted.max(initial=0.0))), self.cut)


def rounding_floor(dtype: np.dtype) -> float:
    """What rounding alone makes of a zero defect: 64 units in the last place of the model's dtype.

    L is a difference of terms the size of the denominator, each the result of a few dozen operations."""
    return 64.0 * float(np.finfo(dtype).eps)


def piled_up(dtype: np.dtype) -> float:
    """What rounding may make of a zero defect at the worst, in a model of many operations or of large intermediate
    numbers: the square root of the unit in the last place."""
    return float(np.sqrt(np.finfo(dtype).eps))


def weigh(
    defects: Float[np.ndarray, " k"],
    *,
    resolution: float | Float[np.ndarray, " k"],
    resolution_source: str,
    tolerance: float | None = None,
    min_gap: float = 5.0,
    rounding: float | Float[np.ndarray, " k"] = 0.0,
) -> tuple[int, Evidence]:
    """The number of symmetries and the evidence for it: `linalg.decide`, and when its answer is not to be claimed.

    A defect more than `min_gap` times its own resolution is resolved: that direction is no symmetry, however much
    larger the next defect is. One above `CLAIMED` times its resolution may be none, and is not claimed. Without a
    tolerance the ladder resolution, defects, `BROKEN` is cut at its largest ratio among those with no resolved defect
    below; a ratio below `min_gap` is no answer. With a tolerance the defects up to it count.

    Arguments:
        defects: ascending relative defects.
        resolution: below it a defect is not told from zero; one for all, or one for each direction.
        tolerance: the user's own cut in (0, sqrt 2], or None.
        min_gap: above 1, the least ratio taken for an answer (default 5: neighbouring defects of systems without
            symmetry are seldom so far apart).
        rounding: a defect up to it never counts as resolved: rounding may have piled up in the model. One for all, or
            one for each direction.
    Returns: dim and Evidence, its `resolution` that of the least known among the directions that count, or of the
        first when none does. Under "cannot tell" dim is 0: nothing is claimed.
    """
    own = np.clip(np.broadcast_to(np.asarray(resolution, dtype=np.float64), defects.shape), np.finfo(float).tiny, TOP)
    rounding = np.broadcast_to(np.asarray(rounding, dtype=np.float64), defects.shape)
    rank = decide(
        defects,
        resolution=own,
        tolerance=tolerance,
        min_gap=min_gap,
        top=TOP,
        following=BROKEN,
        resolved=np.maximum(min_gap * own, rounding),
    )
    dim = rank.count
    if tolerance is None:
        chance = np.maximum(CLAIMED * np.maximum.accumulate(own), rounding)[:dim]
        doubtful = not rank.clear or bool(np.any(defects[:dim] > chance))
    else:
        doubtful = tolerance < rank.resolution
    verdict = CANNOT_TELL if doubtful else (SYMMETRIES if dim else NONE)
    evidence = Evidence(
        verdict,
        rank.rule,
        rank.resolution,
        resolution_source,
        tolerance,
        rank.gap,
        rank.cut,
        min_gap,
        resolutions=own,
    )
    return dim if verdict == SYMMETRIES else 0, evidence
