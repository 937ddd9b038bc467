"""A uniform sample of rows that does not depend on their order, nor on how they are parted."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int


@dataclass(frozen=True, eq=False)
class Sample:
    """The rows of smallest key among all rows seen, in the order of their numbers.

    A monoid: `empty`, `absorb` a batch, `merge` two. With keys that are uniform it is a uniform sample without
    replacement.

    Fields: `size`, the most rows kept; `numbers` and `keys` (k,) of the rows; `columns`, arrays of k rows each.
    Reference: Vitter (1985), random sampling with a reservoir.
    """

    size: int
    numbers: Int[np.ndarray, " k"]
    keys: Float[np.ndarray, " k"]
    columns: tuple[np.ndarray, ...]

    @classmethod
    def empty(cls, size: int) -> "Sample":
        return cls(size, np.zeros(0, np.int64), np.zeros(0), ())

    def absorb(self, numbers: np.ndarray, keys: np.ndarray, *columns: np.ndarray) -> "Sample":
        """Take in a batch of matching arrays (same number of rows)."""
        if len(self.keys) == self.size and not np.any(keys <= self.keys.max(initial=0.0)):
            return self
        all_numbers, all_keys = np.concatenate([self.numbers, numbers]), np.concatenate([self.keys, keys])
        chosen = np.lexsort((all_numbers, all_keys))[: self.size]
        chosen = chosen[np.argsort(all_numbers[chosen])]
        # Only the rows that are taken are looked at: the others of a file on disk are not read.
        new = chosen >= len(self.keys)
        taken = []
        for k, column in enumerate(columns):
            kept = self.columns[k] if self.columns else column[:0]
            both = np.empty((len(chosen), *column.shape[1:]), np.result_type(kept, column))
            both[~new], both[new] = kept[chosen[~new]], column[chosen[new] - len(self.keys)]
            taken.append(both)
        return Sample(self.size, all_numbers[chosen], all_keys[chosen], tuple(taken))

    def merge(self, other: "Sample") -> "Sample":
        """The sample of the rows of both."""
        return self.absorb(other.numbers, other.keys, *other.columns)
