"""Repeated rows: a model that has seen a copy of a row cannot be tested on it."""

import numpy as np
from jaxtyping import Float, Int


def distinct_rows(x: Float[np.ndarray, "N n"]) -> Int[np.ndarray, " N"]:
    """Which distinct row each row is.

    Arguments: `x` (N, n).
    Returns: (N,) numbers 0, 1, .., equal where rows are. They do not hang on the order of rows, on units or offsets,
    and but for ties not on the order of columns, so that nothing drawn by these numbers does.
    """
    ranks = np.stack([np.unique(column, return_inverse=True)[1].reshape(-1) for column in x.T], axis=1)
    keys = np.concatenate([np.sort(ranks, axis=1), ranks], axis=1)
    return np.unique(keys, axis=0, return_inverse=True)[1].reshape(-1)


def folds(group: Int[np.ndarray, " N"], count: int, seed: int) -> Int[np.ndarray, " N"]:
    """Random parts of the rows, as equal as can be; equal rows lie in one part, unless there are fewer of them than
    parts.

    Arguments: `group` (N,), of `distinct_rows`; `count` of parts; `seed`.
    Returns: (N,) numbers of parts, 0 .. count - 1.
    """
    different = int(group.max()) + 1
    if different < count:
        return np.random.default_rng(seed).permutation(len(group)) % count
    return np.random.default_rng(seed).permutation(different)[group] % count


def shuffled(x: Float[np.ndarray, "N n"], seed: int) -> Int[np.ndarray, " N"]:
    """The rows in random order, equal ones next to each other: parts of that order then have at most one row in common
    with the next.

    Arguments: `x` (N, n); `seed`.
    Returns: (N,), a permutation.
    """
    random = np.random.default_rng(seed)
    order, group = random.permutation(len(x)), distinct_rows(x)
    different = int(group.max(initial=-1)) + 1
    if different == len(x):
        return order
    return order[np.argsort(random.permutation(different)[group[order]], kind="stable")]
