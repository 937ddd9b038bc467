"""How many functions are conserved, how many change slowly, and what decides it."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float

from ..linalg import decide
from ._evidence import BROKEN, CLAIMED

Kept = Literal["conserved", "none in this family", "cannot tell"]
CONSERVED: Kept = "conserved"
NONE_HERE: Kept = "none in this family"
CANNOT_TELL: Kept = "cannot tell"
GAP = "largest gap"
SLOW = 0.1  # the largest defect of a function that is said to change slowly
TOP = 1.0  # the defect that means "not small at all"
EXPLAINED = 1.2  # resolutions of noise up to which a defect is one of noise; conserved functions have at most 0.7


@dataclass(frozen=True, eq=False)
class ConservedEvidence:
    """Why the answer is what it is.

    Fields:
        verdict: "conserved", "none in this family" or "cannot tell".
        rule, gap, cut, min_gap: what decided: the largest gap between defects, its ratio, where it lies, and the least
            ratio that is taken for an answer.
        resolution: the defect below which the least known of the functions that count (or the first of all) is not told
            from a conserved one; `resolution_source` says where it comes from; `resolutions` (k,) of each direction.
        intervals: (k, 2) least and largest defect with some trajectories left out; None for an exact field.
        held: (dim + slow,) defects on trajectories that took no part in finding the function; None likewise.
        noise: (n,) standard deviation of the measurement in each column, as the data tell; None for an exact field.
        drift: (dim + slow, 3) of each function, in its own spreads over one unit of time: the mean rate of change, and
            the ends of a 95 % interval; None for an exact field.
        constant: how many combinations of the dictionary are one constant on all the data, and are counted out: the
            constant itself, and relations between columns.
        hidden: how many combinations are left aside because noise makes up most of them.
        notes: what the reader should know besides.
    """

    verdict: Kept
    rule: str
    gap: float
    cut: float
    min_gap: float
    resolution: float
    resolution_source: str
    resolutions: Float[np.ndarray, " k"]
    intervals: Float[np.ndarray, "k 2"] | None = None
    held: Float[np.ndarray, " found"] | None = None
    noise: Float[np.ndarray, " n"] | None = None
    drift: Float[np.ndarray, "found 3"] | None = None
    constant: int = 1
    hidden: int = 0
    notes: tuple[str, ...] = ()

    def limit(self, accepted: Float[np.ndarray, " dim"]) -> float:
        """The largest defect that cannot be told from the accepted ones."""
        return min(max(self.resolution, 3.0 * float(accepted.max(initial=0.0))), self.cut)


def settle(
    defects: Float[np.ndarray, " k"],
    resolutions: Float[np.ndarray, " k"],
    source: str,
    min_gap: float,
    floor: float,
) -> tuple[int, int, ConservedEvidence]:
    """The number of conserved functions, of slow ones after them, and the evidence.

    The ladder resolution, defects is cut at its largest gap (`linalg.decide`) with no resolved defect below. Where
    nothing is conserved, functions of defect below SLOW that stand as far apart from the next are slow: they do change,
    but little.

    Arguments: `defects` (k,) ascending; `resolutions` (k,), of each; `source`, where they come from, in words;
        `min_gap`, the least ratio taken for an answer; `floor`, a defect up to which none counts as resolved, 0 where
        the resolution is that of rounding and not of noise.
    Returns: dim, slow and ConservedEvidence.
    """
    if len(defects) == 0:  # all combinations are constant on the data, or noise
        return 0, 0, ConservedEvidence(CANNOT_TELL, GAP, 1.0, TOP, min_gap, TOP, source, resolutions=np.zeros(0))
    own = np.clip(resolutions, np.finfo(float).tiny, TOP)
    resolved = np.maximum(min_gap * own, floor)
    rank = decide(defects, resolution=own, min_gap=min_gap, top=TOP, following=BROKEN, resolved=resolved)
    explained = EXPLAINED if floor > 0.0 else CLAIMED
    chance = np.maximum(explained * np.maximum.accumulate(own), floor)[: rank.count]
    doubtful = not rank.clear or bool(np.any(defects[: rank.count] > chance))
    verdict = CANNOT_TELL if doubtful else (CONSERVED if rank.count else NONE_HERE)
    dim = rank.count if verdict == CONSERVED else 0
    evidence = ConservedEvidence(
        verdict, rank.rule, rank.gap, rank.cut, min_gap, rank.resolution, source, resolutions=own
    )
    return dim, _slow(defects, own, min_gap) if verdict == NONE_HERE else 0, evidence


def _slow(defects: np.ndarray, resolutions: np.ndarray, min_gap: float) -> int:
    """How many of defects above zero lie together, small and far below the next."""
    if len(defects) == 0:
        return 0
    rank = decide(defects, resolution=float(defects[0]), min_gap=min_gap, top=TOP, following=BROKEN)
    small = bool(np.all(defects[: rank.count] <= SLOW)) and bool(np.all(resolutions[: rank.count] <= SLOW))
    return rank.count if rank.clear and small else 0
