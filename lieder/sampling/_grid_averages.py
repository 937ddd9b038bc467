"""Averages of functions of derivatives over windows of a grid: noise that single samples have is averaged out."""

from collections.abc import Callable, Iterator, Sequence
from itertools import combinations_with_replacement
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from ._along import Along

WINDOWS = 8192  # at most: far more than there are terms of an equation
HALF = 1.6  # half a window in shortest wavelengths that smoothing leaves: products have waves half as long
PARTS = 4  # halves of a window that an axis without period has at least
FINE = 4.0  # samples summed to a shortest wavelength; more of them repeat each other
POWER = 4  # of the windows (1 - s^2)^4: smooth enough that waves shorter than theirs count for nothing
ROWS = 2**15  # evaluated at a time
EVALUATED = 2**18  # in all; of larger grids fewer times are taken, though at least LEAST windows
LEAST = 2


class Averages(NamedTuple):
    """Fields: `fine`, `coarse` (K, D), averages over K windows, from derivatives of full and of less resolution;
    `block` (K,), of which stretch of which solution each window is."""

    fine: Float[np.ndarray, "K D"]
    coarse: Float[np.ndarray, "K D"]
    block: Int[np.ndarray, " K"]


class _Windows(NamedTuple):
    places: Int[np.ndarray, " n"]
    weights: Float[np.ndarray, "K n"]
    stretch: Float[np.ndarray, " K"]


def derivatives(
    u: Float[np.ndarray, "fields *grid"], ways: Sequence[Sequence[np.ndarray]], order: int
) -> Iterator[Float[np.ndarray, "fields *places"]]:
    """The values and all derivatives up to `order`, those along the same variables together.

    Arguments: `u`; `ways`, for each axis matrices (places, N) to values and to derivatives of order 1, 2, ...
    """
    axes = range(len(ways))
    # Axis after axis, and what several derivatives share once.
    known: dict[tuple[int, ...], np.ndarray] = {(): u}
    for axis in axes:
        further = {}
        for orders, values in known.items():
            for k in range(order + 1 - sum(orders)):
                further[(*orders, k)] = along_axis(values, ways[axis][k], axis + 1)
        known = further
    for degree in range(order + 1):
        for J in combinations_with_replacement(axes, degree):
            yield known[tuple(J.count(axis) for axis in axes)]


def along_axis(u: np.ndarray, matrix: np.ndarray, axis: int) -> np.ndarray:
    """A matrix (places, N) applied to one axis of N."""
    return np.moveaxis(np.moveaxis(u, axis, -1) @ matrix.T, -1, axis)


def averages(
    u: Float[np.ndarray, "solutions fields *grid"],
    grids: Sequence[Float[np.ndarray, " _"]],
    ways: Sequence[Sequence[Along]],
    order: int,
    stretches: int,
    function: Callable[[Float[np.ndarray, "N w"]], Float[np.ndarray, "N D"]],
) -> Averages:
    """Averages of functions over windows that are as wide as smoothing makes it worth while.

    Smoothing takes the short waves from u and u_t, but products such as u u_x have them: at single points an equation
    is missed by these. Averaged over windows both sides lose them, and noise in a linear term is what a test function,
    differentiated as often, makes of it.

    Arguments: `u`, `grids`, `order` as `grid_jets`; `ways`, for each axis two; `stretches`, into which the first axis
        is cut for `block`; `function`, from rows (t, x, u, u_t, ...) (N, w) to (N, D).
    Returns: Averages.
    Reference: Messenger, Bortz, Weak SINDy for partial differential equations, Journal of Computational Physics 443,
        2021: test functions; theirs take all derivatives, these leave those of nonlinear terms to the smoothing.
    """
    windows = _windows(len(u), [way[1] for way in ways], u.shape[2:])
    out = [_averaged(u, grids, [way[k] for way in ways], order, windows, function) for k in (0, 1)]
    first = np.minimum(windows[0].stretch * stretches, stretches - 1).astype(int)
    each = int(np.prod([len(axis.weights) for axis in windows[1:]]))
    block = (np.arange(len(u))[:, None] * stretches + first).repeat(each)
    return Averages(out[0], out[1], block)


def _windows(solutions: int, ways: Sequence[Along], shape: Sequence[int]) -> list[_Windows]:
    halves, spans = [], []
    for way, count in zip(ways, shape, strict=True):
        inside = count if way.periodic else count - 2 * way.margin
        half = max(min(HALF * way.wavelength, inside / PARTS), 1.0)
        halves.append(half)
        spans.append(count if way.periodic else max(inside - 2 * half, 1.0))
    # Half as far apart as they reach to each side; farther where there are too many.
    many = solutions * np.prod([2 * span / half + 1 for span, half in zip(spans, halves, strict=True)])
    apart = 0.5 * max(1.0, (many / WINDOWS) ** (1 / len(ways)))
    out: list[_Windows] = []
    rows = solutions  # times samples summed in each direction so far: time comes last, and pays
    for axis in reversed(range(len(ways))):
        count, half, edge = shape[axis], halves[axis], 0 if ways[axis].periodic else ways[axis].margin
        number = max(int(spans[axis] / max(apart * half, 1.0)), 1)
        stride = max(1, int(ways[axis].wavelength / FINE))
        if axis == 0:
            number = min(number, max(EVALUATED // int(rows * max(2 * half / stride - 1, 1)), LEAST))
        made = _windows_along(np.arange(edge, count - edge)[::stride], half, number, count, ways[axis].periodic)
        out.insert(0, made)
        rows *= len(made.places)
    return out


def _windows_along(places: np.ndarray, half: float, number: int, count: int, periodic: bool) -> _Windows:
    first, last = places[0] + half - 1, places[-1] - half + 1
    if periodic:
        centres = np.arange(number) * count / number
    elif number > 1 and last > first:
        centres = np.linspace(first, last, number)
    else:
        centres = np.array([(first + last) / 2])
    away = np.abs(places - centres[:, None])
    away = np.minimum(away, count - away) if periodic else away
    weights = np.clip(1 - (away / half) ** 2, 0, None) ** POWER
    empty = weights.sum(axis=1) == 0  # between samples
    weights[empty, np.argmin(away, axis=1)[empty]] = 1.0
    used = weights.any(axis=0)
    weights = weights[:, used] / weights.sum(axis=1, keepdims=True)
    return _Windows(places[used], weights, centres / count)


def _averaged(u, grids, ways: list[Along], order: int, windows: list[_Windows], function: Callable) -> np.ndarray:
    taken = [[matrix[axis.places] for matrix in way.derivatives] for way, axis in zip(ways, windows, strict=True)]
    places = [axis[window.places] for axis, window in zip(grids, windows, strict=True)]
    space = [len(axis) for axis in places[1:]]
    slab = max(1, ROWS // int(np.prod(space)))
    points = np.stack(np.meshgrid(*places[1:], indexing="ij"), axis=-1).reshape(-1, len(space))
    out = []
    for solution in u:
        jets = np.concatenate(list(derivatives(solution, taken, order)))
        total = 0.0
        for start in range(0, len(places[0]), slab):
            here = slice(start, start + slab)
            times = places[0][here]
            rows = np.concatenate(
                [
                    np.repeat(times, len(points))[:, None],
                    np.tile(points, (len(times), 1)),
                    jets[:, here].reshape(len(jets), -1).T,
                ],
                axis=1,
            )
            values = function(rows).reshape(len(times), *space, -1)
            # The functions stay the last axis: one product for all of them.
            for axis in range(len(windows) - 1, 0, -1):
                shape = values.shape
                values = values.reshape(*shape[: axis + 1], -1)
                values = (windows[axis].weights @ values).reshape(*shape[:axis], -1, *shape[axis + 1 :])
            total = total + np.tensordot(windows[0].weights[:, here], values, axes=1)
        out.append(np.reshape(total, (-1, np.shape(total)[-1])))
    return np.concatenate(out)
