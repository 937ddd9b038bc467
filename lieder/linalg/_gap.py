"""The rank rule: where a sorted list of non-negative numbers splits into small and large."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float


@dataclass(frozen=True)
class Gap:
    """Where the largest ratio of neighbours is: `count` values lie below it, `ratio` is its size, `cut` its geometric
    middle."""

    count: int
    ratio: float
    cut: float


def largest_gap(values: Float[np.ndarray, " k"], floor: float, top: float) -> Gap:
    """The largest ratio between neighbours in floor, values, top (values ascending, clipped to [floor, top]).

    `floor` is what the numbers can resolve: differences below it carry no information, so everything below is
    treated as equal to it. `top` is the value that means "not small at all". Both are neighbours too: a gap above the
    floor with nothing under it says that no value is small, a gap under the top that all are.

    Returns: Gap.
    Raises: ValueError for a floor outside (0, top].
    """
    if not 0.0 < floor <= top:
        raise ValueError(f"floor must lie in (0, top = {top:g}], got {floor:g}.")
    ladder = np.concatenate([[floor], np.clip(np.sort(values), floor, top), [top]])
    ratios = ladder[1:] / ladder[:-1]
    count = int(np.argmax(ratios))
    return Gap(count, float(ratios[count]), float(np.sqrt(ladder[count] * ladder[count + 1])))
