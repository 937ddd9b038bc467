"""Mean, spread and range of columns, batch by batch."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float


@dataclass(frozen=True, eq=False)
class Moments:
    """What columns are like: a monoid, with `empty`, `absorb` a batch, `merge` two.

    Neither squares that overflow nor means far from zero cost digits: squares are taken about the mean of a batch, in
    units of the largest, and batches are joined by hypotenuses.

    Fields: `weight`, the sum of weights; `mean` (n,), weighted; `root` (n,), the root of the sum of weighted squares
        about it; `low`, `high` (n,), the range.
    Reference: Chan, Golub, LeVeque (1983), algorithms for computing the sample variance, equation 2.1.
    """

    weight: float
    mean: Float[np.ndarray, " n"]
    root: Float[np.ndarray, " n"]
    low: Float[np.ndarray, " n"]
    high: Float[np.ndarray, " n"]

    @classmethod
    def empty(cls, columns: int) -> "Moments":
        nothing, infinite = np.zeros(columns), np.full(columns, np.inf)
        return cls(0.0, nothing, nothing, infinite, -infinite)

    @property
    def deviation(self) -> Float[np.ndarray, " n"]:
        """The standard deviation of each column: the root mean square about the mean."""
        return self.root / np.sqrt(self.weight)

    @property
    def reach(self) -> Float[np.ndarray, " n"]:
        """The largest distance of a value from the mean."""
        return np.maximum(self.high - self.mean, self.mean - self.low)

    @property
    def level(self) -> Float[np.ndarray, " n"]:
        """The largest absolute value."""
        return np.maximum(np.abs(self.low), np.abs(self.high))

    def scaled(self, centre: Float[np.ndarray, " n"], scale: Float[np.ndarray, " n"]) -> "Moments":
        """Those of (x - centre) / scale."""
        mean, low, high = ((each - centre) / scale for each in (self.mean, self.low, self.high))
        return Moments(self.weight, mean, self.root / scale, low, high)

    def absorb(self, x: Float[np.ndarray, "B n"], weights: Float[np.ndarray, " B"] | None = None) -> "Moments":
        """With further rows, of weight one or of `weights` > 0."""
        if len(x) == 0:
            return self
        w = np.ones(len(x)) if weights is None else weights
        weight = float(w.sum())
        mean, low, high = (w / weight) @ x, x.min(axis=0), x.max(axis=0)
        unit = np.maximum(high - mean, mean - low)
        unit = np.where(unit > 0, unit, 1.0)
        root = unit * np.sqrt(w @ ((x - mean) / unit) ** 2)
        return self.merge(Moments(weight, mean, root, low, high))

    def merge(self, other: "Moments") -> "Moments":
        """With the rows of another."""
        if self.weight == 0.0 or other.weight == 0.0:
            return other if self.weight == 0.0 else self
        weight = self.weight + other.weight
        away, share = other.mean - self.mean, other.weight / weight
        between = np.abs(away) * np.sqrt(self.weight * share)
        root = np.hypot(np.hypot(self.root, other.root), between)
        low, high = np.minimum(self.low, other.low), np.maximum(self.high, other.high)
        return Moments(weight, self.mean + share * away, root, low, high)


def moments(x: Float[np.ndarray, "N n"], rows: int = 2**16) -> Moments:
    """Those of a whole table, read piece by piece.

    Arguments: `x`; `rows` read at a time.
    Returns: Moments.
    """
    found = Moments.empty(x.shape[1])
    for start in range(0, len(x), rows):
        found = found.absorb(np.asarray(x[start : start + rows], np.float64))
    return found
