"""A uniform sample of a stream whose length is not known beforehand."""

import numpy as np


class Reservoir:
    """Keeps `size` rows, each row seen so far with equal probability. Reference: Vitter (1985), algorithm R, in
    blocks."""

    def __init__(self, size: int, seed: int):
        self._size = size
        self._random = np.random.default_rng(seed)
        self._keys = np.zeros(0)
        self._rows: list[np.ndarray] = []

    def absorb(self, *columns: np.ndarray) -> None:
        """Take in a batch of matching arrays (same number of rows)."""
        if len(columns[0]) == 0:
            return
        keys = np.concatenate([self._keys, self._random.random(len(columns[0]))])
        rows = (
            [np.concatenate([kept, new]) for kept, new in zip(self._rows, columns, strict=True)]
            if self._rows
            else list(columns)
        )
        if len(keys) > self._size:
            # The rows with the smallest random keys are a uniform sample without replacement.
            chosen = np.sort(np.argpartition(keys, self._size)[: self._size])
            keys, rows = keys[chosen], [row[chosen] for row in rows]
        self._keys, self._rows = keys, [np.array(row) for row in rows]

    def rows(self) -> tuple[np.ndarray, ...]:
        """The sample: one array for each column given to `absorb`."""
        return tuple(self._rows)
