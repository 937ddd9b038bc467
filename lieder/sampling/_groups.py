"""Rows that hang together, of one planet, one trajectory or one batch, are dealt together."""

import hashlib
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int

from ._numbers import scrambled


@dataclass(frozen=True, eq=False)
class Groups:
    """Which rows hang together.

    Fields: `codes` (N,), the number of each row's group; `keys`, one a group, from its label alone, so that a group is
    dealt alike whatever rows and groups there are besides.
    """

    codes: Int[np.ndarray, " N"]
    keys: Int[np.ndarray, " groups"]

    @property
    def count(self) -> int:
        """The number of groups."""
        return len(self.keys)

    def among(self, rows: Int[np.ndarray, " M"]) -> "Groups":
        """Those of some of the rows."""
        present, codes = np.unique(self.codes[rows], return_inverse=True)
        return Groups(codes.reshape(-1), self.keys[present])

    def shuffled(self, seed: int) -> Int[np.ndarray, " N"]:
        """The rows in random order, those of a group next to each other."""
        order = np.random.default_rng(seed).permutation(len(self.codes))
        place = np.argsort(np.argsort(scrambled(self.keys, seed, 7), kind="stable"))
        return order[np.argsort(place[self.codes[order]], kind="stable")]

    def parts(self, count: int, seed: int) -> Int[np.ndarray, " N"]:
        """Random parts of the rows, whole groups in each, as equal in number of groups as can be.

        Arguments: `count` of parts; `seed`.
        Returns: (N,) numbers of parts, 0 .. count - 1; fewer where there are fewer groups.
        """
        return dealt(self.codes, self.keys, count, seed)


def dealt(
    codes: Int[np.ndarray, " N"], keys: Int[np.ndarray, " groups"], count: int, seed: int
) -> Int[np.ndarray, " N"]:
    """Parts of rows, groups dealt round by a hash of their keys.

    Arguments: `codes` (N,), the group of each row; `keys`, one a group; `count` of parts; `seed`.
    Returns: (N,) numbers of parts.
    """
    return (np.argsort(np.argsort(scrambled(keys, seed, 6), kind="stable")) % count)[codes]


def groups_of(labels, rows: int, argument: str = "groups") -> Groups:
    """The groups of rows with equal labels.

    Arguments: `labels` (N,), texts or whole numbers, one a row; `rows`, their number N; `argument`, for messages.
    Returns: Groups.
    Raises: TypeError for what is no list of labels; ValueError for a wrong number, a label that is missing, one group.
    """
    given = np.asarray(labels)
    if given.ndim != 1 or given.dtype.kind not in "OUSiubf":
        raise TypeError(f"{argument} must hold one label a row, texts or whole numbers, got {labels!r:.60}.")
    if len(given) != rows:
        raise ValueError(f"{argument} must hold one label for each of {rows} rows, got {len(given)}.")
    texts = np.array([_text(label, argument) for label in given.tolist()])
    names, codes = np.unique(texts, return_inverse=True)
    if len(names) < 2:
        raise ValueError(
            f"{argument}: all rows are of one group, '{names[0]}'. Rows of one group tell nothing of how groups"
            " differ: give at least two, or leave the argument out."
        )
    keys = [int.from_bytes(hashlib.blake2b(str(name).encode(), digest_size=7).digest(), "big") for name in names]
    return Groups(codes.reshape(-1), np.array(keys, np.int64))


def _text(label, argument: str) -> str:
    if label is None or (isinstance(label, float) and not np.isfinite(label)):
        raise ValueError(f"{argument}: the label of a row is missing ({label}).")
    return str(int(label)) if isinstance(label, float) and label.is_integer() else str(label)
