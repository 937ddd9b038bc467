"""How many generators are symmetries, and what decides it."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from ..linalg import largest_gap
from ..report import Verdict

SYMMETRIES: Verdict = "symmetries"
NONE: Verdict = "no symmetry"
CANNOT_TELL: Verdict = "cannot tell"
TOP = float(np.sqrt(2.0))  # the largest relative defect there is


@dataclass(frozen=True, eq=False)
class Evidence:
    """Why the answer is what it is.

    Fields:
        verdict: "symmetries", "no symmetry" or "cannot tell".
        rule: "largest gap" or "tolerance".
        resolution: defects below it are not told apart from zero; `resolution_source` says where it comes from.
        tolerance: the user's, or None.
        gap: ratio of the first rejected to the last accepted defect (clipped to the resolution and sqrt 2).
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

    def limit(self, accepted: Float[np.ndarray, " dim"]) -> float:
        """The largest defect that cannot be told from the accepted ones: three times the largest of them, or the
        resolution, and never above the cut."""
        return min(max(self.resolution, 3.0 * float(accepted.max(initial=0.0))), self.cut)


def rounding_floor(dtype: np.dtype) -> float:
    """What rounding alone makes of a zero defect: 64 units in the last place of the model's dtype.

    L is a difference of terms the size of the denominator, each the result of a few dozen operations."""
    return 64.0 * float(np.finfo(dtype).eps)


def decide(
    defects: Float[np.ndarray, " k"],
    *,
    resolution: float,
    resolution_source: str,
    tolerance: float | None = None,
    min_gap: float = 5.0,
) -> tuple[int, Evidence]:
    """The number of symmetries and the evidence for it.

    With a tolerance: the defects up to it count. Without: the ladder resolution, defects, sqrt 2 is cut at its
    largest ratio; a ratio below `min_gap` is no answer.

    Arguments:
        defects: ascending relative defects.
        resolution: below it defects are not told apart.
        tolerance: the user's own cut in (0, sqrt 2], or None.
        min_gap: above 1, the least ratio taken for an answer (default 5: neighbouring defects of systems without
            symmetry are seldom so far apart). Returns: dim and Evidence. Under "cannot tell" dim is 0: nothing is
            claimed.
    """
    resolution = float(min(max(resolution, np.finfo(float).tiny), TOP))
    if tolerance is None:
        gap = largest_gap(defects, resolution, TOP)
        verdict = CANNOT_TELL if gap.ratio < min_gap else (SYMMETRIES if gap.count else NONE)
        dim = gap.count if verdict == SYMMETRIES else 0
        return dim, Evidence(verdict, "largest gap", resolution, resolution_source, None, gap.ratio, gap.cut, min_gap)
    dim = int(np.sum(defects <= tolerance))
    ladder = np.concatenate([[resolution], np.clip(defects, resolution, TOP), [TOP]])
    verdict = CANNOT_TELL if tolerance < resolution else (SYMMETRIES if dim else NONE)
    gap_ratio = float(ladder[dim + 1] / ladder[dim])
    return dim if verdict == SYMMETRIES else 0, Evidence(
        verdict, "tolerance", resolution, resolution_source, tolerance, gap_ratio, tolerance, min_gap
    )
