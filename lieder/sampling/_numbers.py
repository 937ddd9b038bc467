"""Whatever is drawn for a row follows from its number and a seed, so that nothing depends on who reads it and when."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int, UInt64

SINGLY = 2**15  # rows whose part is drawn one by one
TOGETHER = 2**12  # later rows go to a part so many at a time: long blocks are what factorisations are fast on
FIRST = 2**11  # of these rows one in 4 is held out, later one in 16
HELD = (4, 16)
_GOLDEN = 0x9E3779B97F4A7C15  # 2^64 over the golden ratio
_MOST = 2**64 - 1


class DrawnRows(NamedTuple):
    """What is drawn for a range of rows.

    Fields: `numbers` (B,); `part` (B,), of a jackknife; `key` (B,), uniform in [0, 1): the rows of smallest key are a
    uniform sample; `held` (B,), whether the row is held out; `probe` (B,), a seed of 32 bits.
    """

    numbers: Int[np.ndarray, " B"]
    part: Int[np.ndarray, " B"]
    key: Float[np.ndarray, " B"]
    held: Bool[np.ndarray, " B"]
    probe: np.ndarray


@dataclass(frozen=True)
class RowDraws:
    """Draws by row number.

    Parts are equal in size but for the rounding, and so are the shares held out, because a draw is a random order of
    every 4, 8 or 16 neighbouring rows (stratified), not one coin a row.

    Fields: `seed`; `parts`, their number; `spared`: of so many rows, the first, none is held out; `first`, the number
    of the first row of what is read, in the whole table; `together`, the parts of the rows that are read, where groups
    of them hang together, default drawn by number.
    """

    seed: int
    parts: int
    spared: int
    first: int = 0
    together: Int[np.ndarray, " N"] | None = None

    def rows(self, start: int, stop: int) -> DrawnRows:
        """The draws of rows `start` to `stop` - 1 of what is read."""
        given = None if self.together is None else self.together[start:stop]
        start, stop = self.first + start, self.first + stop
        numbers = np.arange(start, stop, dtype=np.int64)
        unit = np.where(numbers < SINGLY, numbers, SINGLY + (numbers - SINGLY) // TOGETHER)
        first, last = (int(unit[0]), int(unit[-1]) + 1) if len(unit) else (0, 0)
        part = _ranked(first, last, self.parts, self.seed, 1)[unit - first] if given is None else given
        key = row_keys(start, stop, self.seed)
        share = np.where(numbers < FIRST, 1 / HELD[0], 1 / HELD[1])
        probe = (scrambled(numbers, self.seed, 3) >> np.uint64(32)).astype(np.uint32)
        return DrawnRows(numbers, part, key, (key < share) & (numbers >= self.spared), probe)


def row_keys(start: int, stop: int, seed: int) -> Float[np.ndarray, " B"]:
    """One number in [0, 1) for each row of a range, spread evenly over every few neighbours.

    Arguments: `start`, `stop`, the range; `seed`.
    Returns: (B,): the rows of smallest numbers are a uniform sample.
    """
    middle = min(max(start, FIRST), stop)
    pieces = []
    for a, b, group in ((start, middle, HELD[0]), (middle, stop, HELD[1])):
        fraction = (scrambled(np.arange(a, b), seed, 4) >> np.uint64(11)).astype(np.float64) / 2**53
        pieces.append((_ranked(a, b, group, seed, 2) + fraction) / group)
    return np.concatenate(pieces)


def _ranked(start: int, stop: int, group: int, seed: int, purpose: int) -> Int[np.ndarray, " B"]:
    """For numbers `start` to `stop` - 1 their places in a random order of each `group` of neighbours."""
    low, high = start // group * group, -(-stop // group) * group
    hashes = scrambled(np.arange(low, high), seed, purpose).reshape(-1, group)
    ranks = np.argsort(np.argsort(hashes, axis=1), axis=1).reshape(-1)
    return ranks[start - low : stop - low]


def scrambled(numbers: np.ndarray, seed: int, purpose: int = 0) -> UInt64[np.ndarray, " B"]:
    """Independent 64-bit numbers, one for each whole number.

    Arguments: `numbers`, of 64 bits; `seed`; `purpose`, which makes draws of different kinds independent.
    Returns: unsigned numbers of the same shape.
    Reference: Steele, Lea, Flood (2014), fast splittable pseudorandom number generators (splitmix64).
    """
    at = mixed(np.array([seed % 2**64, purpose], np.uint64) * np.uint64(_GOLDEN))
    offset = np.uint64((int(at[0]) + _GOLDEN * (int(at[1]) | 1)) & _MOST)
    with np.errstate(over="ignore"):
        return mixed(np.asarray(numbers).astype(np.uint64) * np.uint64(_GOLDEN) + offset)


def mixed(z: np.ndarray) -> np.ndarray:
    """The finaliser of splitmix64."""
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))
