"""Symmetries of data alone: fields tangent to the submanifold that the points lie on."""

import dataclasses
from functools import partial

import numpy as np

from .. import models
from ..action import AbstractAction, AbstractFibreAction, check_same_algebra, tangent, total
from ..sampling import check_varying, checked_flag, intrinsic_dimension
from ._checks import (
    all_rows,
    check_action,
    check_candidates,
    check_count,
    check_decision,
    check_enough,
    check_rows_together,
    check_sides,
    check_table,
    check_width,
)
from ._decision import conclude
from ._doubt import INPUTS, Doubt, unexplained
from ._evidence import TOP, rounding_floor
from ._finite import finite_cloud
from ._reduce import Reduction
from ._symmetries import Symmetries
from ._tangency import Cloud, block_scales, reduce_cloud

UPRIGHT = 0.1  # sine of the angle between a tangent space of a graph and the outputs from which on it is one of a graph


def cloud(
    z,
    *,
    action: AbstractAction,
    dimension: int | None = None,
    neighbours: int | None = None,
    tolerance: float | None = None,
    min_gap: float = 5.0,
    names: list[str] | None = None,
    max_points: int = 50_000,
    seed: int = 0,
) -> Symmetries:
    """The symmetries of a point cloud: fields tangent to the submanifold it lies on.

    rho(xi)^2 = sum_i |(1 - P_i) theta_xi(z_i)|^2 / sum_i |theta_xi(z_i)|^2, P_i the projector on the tangent space at
    z_i, a point moved onto the surface (local quadratic fits to the nearest neighbours, at up to 1,024 points), lengths
    in units of the spread that most rows of each block have. Points far from all others are not asked.

    Arguments:
        z: (N, n) points. action: how they are acted on.
        dimension: of the submanifold, default estimated. neighbours: per tangent space, default where noise and bias
            together are least (see `lieder.sampling.tangent_scale`).
        tolerance, min_gap, names, seed: as in `function`.
        max_points: a larger cloud is thinned at random to this many (default 50,000), since neighbours are searched
            in memory.
    Returns:
        Symmetries without target. The resolution of a direction is the error of the tangent spaces along it, noise
        and bias. "Cannot tell" where the points look like no surface of this dimension at any scale.
    Raises:
        ValueError, TypeError: data that are not finite real numbers, columns that are all constant or do not fit, a
            cloud that fills its space (every field is tangent to it).
    Reference: Otto, Zolman, Kutz, Brunton (2025), section 6 (symmetries of submanifolds).
    """
    check_action(action, "action")
    data = all_rows(z, "z", names)
    check_width(data.names, len(data.values), action, "z", "action")
    check_table(data, "z")
    return _cloud_symmetries(
        data.values,
        data.names,
        action,
        None,
        dimension,
        neighbours,
        tolerance,
        min_gap,
        max_points,
        seed,
        "symmetries of a point cloud",
    )


def graph(
    x,
    y,
    *,
    source: AbstractAction,
    target: AbstractFibreAction,
    transition: bool = False,
    dimension: int | None = None,
    neighbours: int | None = None,
    tolerance: float | None = None,
    min_gap: float = 5.0,
    names: list[str] | None = None,
    output_names: list[str] | None = None,
    max_points: int = 50_000,
    seed: int = 0,
) -> Symmetries:
    """The symmetries of supervised data with no model: of the cloud {(x_i, y_i)}.

    Works also when inputs fill only part of their space: nothing is asked of the map off the data. "Cannot tell" where
    neither nearby rows nor a plane predict y better than its mean does.

    Arguments:
        x (N, n), y (N, m): rows belong together. source, target: how they are acted on, over one algebra.
        transition: y is x a short time later, with the same action on both; the displacement y - x is then used as a
            vector in place of y, since the identity part of the map commutes with everything and would hide a
            violation.
        dimension: of the graph; default that of the inputs' own submanifold, estimated.
        neighbours, tolerance, min_gap, names, output_names, max_points, seed: as in `cloud`.
    Returns:
        Symmetries.
    Raises:
        ValueError: x and y of different length; transition with actions that differ in width; and as `cloud`.
    Reference: Otto, Zolman, Kutz, Brunton (2025), section 6.
    """
    check_action(source, "source")
    check_action(target, "target", fibre=True)
    transition = checked_flag(transition, "transition")
    inputs, outputs = all_rows(x, "x", names), all_rows(y, "y", output_names)
    check_same_algebra(source, target)
    if not transition:
        check_sides(inputs, outputs, source, target)
    check_table(inputs, "x")
    check_table(outputs, "y")
    values, labels, method = outputs.values, outputs.names, "symmetries of a graph of data"
    if transition:
        check_rows_together(inputs, outputs)
        check_width(inputs.names, len(inputs.values), source, "x", "source")
        if source.width != target.width or inputs.values.shape[1] != values.shape[1]:
            raise ValueError(
                "transition=True needs x and y of the same width, with the same action; got widths"
                f" {inputs.values.shape[1]} and {values.shape[1]}."
            )
        values = values - inputs.values
        target = tangent(source)
        labels = tuple(f"Δ{name}" for name in inputs.names)
        method = "symmetries of transition data, displacements taken as vectors"
        check_varying(values.min(axis=0), values.max(axis=0), labels, "x, y", np.zeros(len(labels), bool))
    pairs = np.concatenate([inputs.values, values], axis=1)
    if dimension is None:
        # Over each input there is one output, so the graph has as many dimensions as the inputs.
        dimension = intrinsic_dimension(inputs.values / block_scales(inputs.values, source))
    return _cloud_symmetries(
        pairs,
        inputs.names + labels,
        source,
        target,
        dimension,
        neighbours,
        tolerance,
        min_gap,
        max_points,
        seed,
        method,
        transition,
    )


def _cloud_symmetries(
    points: np.ndarray,
    names: tuple[str, ...],
    source: AbstractAction,
    target: AbstractFibreAction | None,
    dimension: int | None,
    neighbours: int | None,
    tolerance: float | None,
    min_gap: float,
    max_points: int,
    seed: int,
    method: str,
    lifted: bool = False,
) -> Symmetries:
    action = source if target is None else total(source, target)
    argument = "z" if target is None else "x, y"
    check_decision(tolerance, min_gap, seed)
    for value, what in ((dimension, "dimension"), (neighbours, "neighbours"), (max_points, "max_points")):
        check_count(value, what)
    # Displacements, unlike the states they come from, may all be equal.
    still = np.zeros(points.shape[1], bool)
    check_varying(points.min(axis=0), points.max(axis=0), names, argument, still)
    check_candidates(len(points), points.shape[1], action.algebra.dim, argument)
    # Copies of a point would be its own neighbours, and a tangent space then be judged from nothing.
    points = _distinct(np.asarray(points, dtype=np.float64))
    if len(points) > max_points:
        points = points[np.sort(np.random.default_rng(seed).permutation(len(points))[:max_points])]
    check_enough(len(points) * points.shape[1], action.algebra.dim, argument)
    found = reduce_cloud(points, action, dimension, neighbours, seed)
    reduction, scale = found.reduction, found.scale
    if scale.dimension == points.shape[1]:
        raise ValueError(
            f"{argument}: the points fill their {points.shape[1]}-dimensional space, so every field is tangent to "
            "them. If you know the dimension of the"
            " submanifold, pass dimension; for inputs and outputs use graph, dataset or function."
        )
    split, unknown = reduction, ""
    if target is not None:
        n = source.width
        split, (x, y) = _split(reduction, n), np.split(points, [n], axis=1)
        unknown = unexplained(models.followed(x, y, seed), target, names[n:], y, INPUTS) or _upright(found.bases, n)
    return conclude(
        split,
        source,
        target,
        doubt=_doubt(found, unknown),
        tolerance=tolerance,
        min_gap=min_gap,
        names=names,
        method=method,
        finite=partial(_finite, action, reduction.points, found.kept, found.units, scale),
        lifted=lifted,
    )


def _doubt(found: Cloud, unknown: str) -> Doubt:
    """The tangent spaces' own error, direction by direction; along none is it taken to be less than half the usual."""
    scale = found.scale
    source = (
        f"tangent spaces (dimension {scale.dimension}, {scale.neighbours} neighbours): noise from the scatter about "
        f"local {'quadratic' if scale.order == 2 else 'linear'} fits, bias from fits to {scale.other} neighbours"
    )
    if scale.error < 1.0:
        return Doubt(max(scale.error / 2.0, rounding_floor(np.dtype(np.float64))), source, found.error, unknown)
    return Doubt(
        TOP,
        source,
        unknown=unknown or f"no neighbourhood of the data looks like a surface of dimension {scale.dimension}",
    )


def _upright(bases: np.ndarray, n: int) -> str:
    """Why nothing is known of a graph whose tangent spaces stand upright over its inputs; else "".

    Over the inputs' own submanifold a graph is single-valued; where y changes along what is taken for nothing but
    noise in x, the surface that fits the data has y for one of its directions.
    """
    flattest = np.linalg.svd(bases[:, :, :n], compute_uv=False)[:, -1] if bases.shape[1] <= n else np.zeros(1)
    if np.median(flattest) > UPRIGHT:
        return ""
    return (
        "the outputs change along directions in which the inputs hardly spread: give the columns units in which they "
        "spread alike, or use a fitted model"
    )


def _distinct(points: np.ndarray) -> np.ndarray:
    """The points without repetitions, in their order."""
    first = np.unique(points, axis=0, return_index=True)[1]
    return points if len(first) == len(points) else points[np.sort(first)]


def _split(reduction: Reduction, n: int) -> Reduction:
    """Held-out pairs parted into inputs and outputs."""
    return dataclasses.replace(reduction, points=reduction.points[:, :n], values=reduction.points[:, n:])


def _finite(action, held, kept, units, scale, generators: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    return finite_cloud(action, generators, held, kept, units, scale)
