"""From functions sampled on a grid to rows (t, x, u, u_t, u_x, ...): points and all derivatives there."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from math import comb

import numpy as np
from jaxtyping import Float, Int

from ._along import Along, differences, is_periodic, local, spectral
from ._grid_averages import Averages, along_axis, averages, derivatives

ROWS = 8192  # that are drawn from the grids: far more than there are terms of an equation
BLOCKS = 8  # of neighbouring rows at least, so that an answer can be repeated without each
METHODS: dict[str, Callable] = {"spectral": spectral, "local": local, "differences": differences}


@dataclass(frozen=True, eq=False)
class GridJets:
    """Rows of points, values and derivatives of functions.

    Fields:
        rows: (N, w) points x, then functions u, then all their derivatives of order 1, 2, ..., those along the same
            variables together.
        coarse: (N, w) the same with derivatives of less resolution: how much they differ says how well they are known.
        block: (N,) of which stretch of which solution a row is, from 0.
        described: how derivatives were taken, an axis each.
        averages: from a function of rows, (N, w) to (N, D), to `Averages` over windows of the whole grids.
    """

    rows: Float[np.ndarray, "N w"]
    coarse: Float[np.ndarray, "N w"]
    block: Int[np.ndarray, " N"]
    described: tuple[str, ...]
    averages: Callable[[Callable[[np.ndarray], np.ndarray]], Averages] = field(repr=False)


def grid_jets(
    u: Float[np.ndarray, "solutions fields *grid"],
    grids: Sequence[Float[np.ndarray, " _"]],
    order: int,
    methods: Sequence[str],
    seed: int = 0,
) -> GridJets:
    """Derivatives of functions from their samples, at points drawn from the grid.

    Arguments:
        u: (S, m, N_1, .., N_p) samples of S solutions of m functions.
        grids: p axes, (N_i,) each, increasing.
        order: of the highest derivative.
        methods: one an axis: "spectral" (Fourier, one period on a regular grid), "local" (polynomials fitted nearby,
            their reach chosen by cross-validation), "differences" (polynomials through nearby samples), or "auto":
            spectral where the samples are seen to be periodic, else local. The first axis is never taken for periodic.
        seed: of the points.
    Returns: GridJets, at most 8,192 rows.
    """
    scale = np.sqrt(np.mean((u - u.mean(axis=(0, *range(2, u.ndim)), keepdims=True)) ** 2, axis=(0, *range(2, u.ndim))))
    shown = u / np.where(scale > 0, scale, 1.0).reshape(1, -1, *(1,) * len(grids))
    ways: list[list[Along]] = []
    for axis in reversed(range(len(grids))):  # time last: what is noise along x is gone by then
        lines = np.moveaxis(shown, axis + 2, -1).reshape(-1, len(grids[axis]))
        method = methods[axis]
        if method == "auto":
            method = "spectral" if axis > 0 and is_periodic(grids[axis], lines) else "local"
        ways.insert(0, METHODS[method](grids[axis], lines, order))
        shown = along_axis(shown, ways[0][0].derivatives[0], axis + 2)
    places, block = _drawn(u.shape, [way[0].margin for way in ways], seed)
    fine, coarse = (_rows(u, grids, [way[k] for way in ways], order, places) for k in (0, 1))
    over = partial(averages, u, grids, ways, order, _stretches(len(u)))
    return GridJets(fine, coarse, block, tuple(way[0].described for way in ways), over)


def _stretches(solutions: int) -> int:
    return max(1, -(-BLOCKS // solutions))


def _drawn(shape: tuple[int, ...], margins: list[int], seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Some points (N, 1 + p) of solutions and grids inside the margins, in order, and the block of each."""
    solutions, sizes = shape[0], shape[2:]
    inside = [np.arange(margin, size - margin) for margin, size in zip(margins, sizes, strict=True)]
    free = (solutions, *(len(axis) for axis in inside))
    count = int(np.prod(free))
    picked = np.sort(np.random.default_rng(seed).choice(count, min(count, ROWS), replace=False))
    number, *index = np.unravel_index(picked, free)
    stretches = _stretches(solutions)
    block = number * stretches + index[0] * stretches // free[1]
    return np.stack([number, *(axis[i] for axis, i in zip(inside, index, strict=True))], axis=1), block


def _rows(u: np.ndarray, grids: Sequence[np.ndarray], ways: list[Along], order: int, places: np.ndarray) -> np.ndarray:
    axes = range(len(grids))
    points = np.stack([grids[i][places[:, 1 + i]] for i in axes], axis=1)
    values = np.empty((len(places), comb(len(grids) + order, order), u.shape[1]))
    for solution in np.unique(places[:, 0]):
        here = places[:, 0] == solution
        for number, known in enumerate(derivatives(u[solution], [way.derivatives for way in ways], order)):
            values[here, number] = known[(slice(None), *places[here, 1:].T)].T
    return np.concatenate([points, values.reshape(len(places), -1)], axis=1)
