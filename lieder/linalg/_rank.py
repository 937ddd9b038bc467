"""The one place where a rank is decided: how many of some non-negative numbers count as zero, and how clearly so."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

GAP, TOLERANCE = "largest gap", "tolerance"
TINY = float(np.finfo(np.float64).tiny)


@dataclass(frozen=True, eq=False)
class Rank:
    """The evidence for a rank.

    Fields:
        values: (k,) ascending, of which the first `count` count as zero.
        rule: "largest gap" or "tolerance", what decided.
        gap: ratio of the first value that counts to the last that does not, neither taken below what is resolved;
            `clear`, whether it is as large as was asked for.
        cut: where the decision falls, the tolerance or the geometric middle of the gap.
        resolution: of the least known among those that count as zero, of the first when none does.
    """

    values: Float[np.ndarray, " k"]
    count: int
    rule: str
    gap: float
    clear: bool
    cut: float
    resolution: float

    @property
    def above(self) -> float:
        """The first value that does not count as zero; infinite where all do."""
        return float(self.values[self.count]) if self.count < len(self.values) else np.inf

    def sides(self) -> tuple[str, str]:
        """Up to four values on each side of the cut, in words, for messages."""
        low, high = self.values[: self.count][-4:], self.values[self.count :][:4]
        below, above = (", ".join(f"{value:.2g}" for value in side) or "none" for side in (low, high))
        return below, above


def decide(
    values: Float[np.ndarray, " k"],
    *,
    resolution: float | Float[np.ndarray, " k"] = 0.0,
    tolerance: float | None = None,
    min_gap: float = 1.0,
    top: float = np.inf,
    following: float | None = None,
    resolved: float | Float[np.ndarray, " k"] = np.inf,
) -> Rank:
    """How many of the values count as zero.

    With a tolerance those up to it do. Without, the ladder resolution, values, `following` is cut at the largest ratio
    of neighbours: a gap above the resolution with nothing under it says that no value is zero, one under the end of the
    ladder that all are.

    Arguments:
        values: (k,) not negative, in any order where `resolution` and `resolved` are numbers, else ascending.
        resolution: what lies below carries no information, and is taken for equal to it; one for all, or one for each
            value. Of a space no more is known than of the least known among its directions.
        tolerance: absolute, or None.
        min_gap: least ratio taken for a clear answer; default any.
        top: the value that means "not small at all", at which others are cut off; needed where there is no tolerance.
        following: what stands for the next value when all count as zero; default `top`.
        resolved: a value above it is no zero, however much larger the next one is; default no bound.
    Returns: the evidence.
    Raises: ValueError for a resolution that is no number of at least zero.
    """
    values = np.sort(np.asarray(values, dtype=np.float64))
    known = np.broadcast_to(np.asarray(resolution, dtype=np.float64), values.shape if len(values) else (1,))
    if not np.all(known >= 0.0):
        raise ValueError(f"resolution must be at least 0, got {resolution}.")
    shared = np.maximum.accumulate(np.clip(known, TINY, top))
    low = np.append(shared[:1], np.clip(np.maximum(values, shared[: len(values)]), 0.0, top))
    high = np.maximum(np.append(np.clip(values, 0.0, top), top if following is None else following), low)
    with np.errstate(over="ignore"):  # a value beside none at all
        ratios = high / low
    if tolerance is None:
        count = int(np.argmax(ratios[: 1 + int(np.cumprod(values <= resolved).sum())]))
        cut = float(np.sqrt(low[count] * high[count]))
    else:
        count, cut = int(np.searchsorted(values, tolerance, side="right")), float(tolerance)
    return Rank(
        values,
        count,
        GAP if tolerance is None else TOLERANCE,
        float(ratios[count]),
        bool(ratios[count] >= min_gap),
        cut,
        float(shared[max(count, 1) - 1]),
    )
