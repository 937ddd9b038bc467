"""Whether what is claimed stands out also in units in which the data spread evenly."""

import numpy as np
from jaxtyping import Float

from ..action import AbstractAction, velocities
from ..linalg import relative_spectrum
from ._doubt import Doubt
from ._evidence import BROKEN, TOP
from ._identifiability import Spreads, columnwise
from ._reduce import Reduction

DIGITS = np.finfo(np.float64).eps  # a column with less than this share of another's spread is lost beside it
NULL = 1e-12  # share of the longest below which a combination of directions is none


def even_gap(
    action: AbstractAction,
    examples: Float[np.ndarray, "examples n"],
    claimed: Float[np.ndarray, "k q"],
    others: Float[np.ndarray, "l q"],
    reduction: Reduction,
    doubt: Doubt,
    enough: float,
) -> tuple[float, float]:
    """In units of the data's own spread: the largest defect, with its error, of all that is claimed, and the least of
    the rest (there or, up to `BROKEN`, as usual).

        |L xi| / |J C^(1/2)| |C^(-1/2) theta_xi|,

    C^(1/2) the spread of each column over the widest with which it shares a unit. With C = 1 it is the usual relative
    defect. Where the model changes along narrow columns only, |J| is the slope along the narrow ones and |theta| the
    motion along the wide ones: all that moves the data as they spread has then a small defect. This one is not small.
    Columns and no mixes of them, since a unit belongs to a column: data that are thin across an oblique plane are so by
    a law.

    Arguments: `claimed` and `others`, directions. `enough`: a first number that is surely less than `BROKEN` over it is
        only bounded.
    Returns: both; the second is `BROKEN` where nothing is left.
    """
    violation, usual = (factor / np.sqrt(reduction.weight) for factor in reduction.whole())
    known = violation if doubt.factor is None else np.concatenate([violation, doubt.factor])
    groups = columnwise(action, examples)
    narrowest = min(group.shares[~group.flat].min(initial=1.0) for group in groups)
    if narrowest < DIGITS:
        return TOP, BROKEN
    bound = float(relative_spectrum(known @ claimed.T, usual @ claimed.T, NULL).values.max(initial=0.0)) / narrowest
    if enough * bound <= BROKEN or doubt.covectors is None:
        return min(bound, BROKEN / enough), BROKEN
    places, slopes, weights = doubt.covectors()
    if not weights.any():
        return 0.0, BROKEN
    mine, rest = (
        _lengths(velocities(action, some, places), groups, slopes, weights, reduction.outputs)
        for some in (claimed, others)
    )
    # Of the rest, the part at right angles to what is claimed.
    shared = np.linalg.lstsq(mine, rest, rcond=NULL)[0]
    apart, beside = others - shared.T @ claimed, rest - mine @ shared
    worst = relative_spectrum(known @ claimed.T, mine, NULL).values.max(initial=0.0)
    even = relative_spectrum(violation @ apart.T, beside, NULL)
    # Where the data are thin by a law, as planets across the ecliptic, a broken direction shows by its usual defect.
    left = even.directions @ others
    lengths = np.linalg.norm(usual @ left.T, axis=0)
    plain = np.linalg.norm(violation @ left.T, axis=0) / np.where(lengths > 0, lengths, np.inf)
    shown = np.maximum(even.values, np.minimum(plain, BROKEN))
    return float(worst), float(shown.min(initial=TOP if len(others) else BROKEN))


def _lengths(
    theta: Float[np.ndarray, "k points n"],
    groups: list[Spreads],
    slopes: Float[np.ndarray, "points c m"],
    weights: Float[np.ndarray, " points"],
    outputs: Float[np.ndarray, " o"],
) -> Float[np.ndarray, "s k"]:
    """Rows whose length along each direction is the denominator."""
    inputs, squares, moved, turned = slopes.shape[2], np.zeros(theta.shape[1]), [], []
    for group in groups:
        here = group.coordinates
        if here[0] >= inputs:
            turned.append(theta[:, :, here] * outputs[here - inputs])
            continue
        size = group.widest * np.where(group.flat, 1.0, group.shares)
        squares += np.sum((slopes[:, :, here] @ group.axes.T * size) ** 2, axis=(1, 2))
        moved.append(theta[:, :, here] @ group.axes.T / size)
    moved = [part * np.sqrt(squares)[:, None] for part in moved]
    rows = np.concatenate([*moved, *turned], axis=2) * np.sqrt(weights / weights.sum())[:, None]
    return rows.reshape(len(theta), rows.shape[1] * rows.shape[2]).T
