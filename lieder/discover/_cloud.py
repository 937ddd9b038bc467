"""Symmetries of data alone: fields tangent to the submanifold that the points lie on."""

from dataclasses import replace
from functools import partial

import jax
import numpy as np

from .. import models
from ..action import AbstractAction, AbstractFibreAction, check_same_algebra, tangent
from ..dictionary import AbstractDictionary
from ..sampling import check_varying, checked_flag, intrinsic_dimension, tangent_scale
from ._accumulator import Reduction
from ._checks import (
    all_rows,
    check_action,
    check_candidates,
    check_enough,
    check_rows_together,
    check_sides,
    check_table,
    check_width,
    moved_columns,
    some_rows,
    units_of_columns,
)
from ._classes import among, classes, joined
from ._decision import conclude
from ._density import density_symmetries
from ._doubt import INPUTS, Doubt, unexplained
from ._finite import finite_cloud
from ._levels_route import level_spaces
from ._question import CERTIFICATE, Asked, Question, Rule
from ._search import AUTO, DENSITY, LEVELS, TANGENTS, Route, Search
from ._symmetries import Symmetries
from ._tangency import Cloud, Sought, block_scales, reduce_cloud, split_cloud, tangent_spaces
from ._tangent_certificate import tangent_certificate

UPRIGHT = 0.1  # sine of the angle between a tangent space of a graph and the outputs from which on it is one of a graph

GRAPH = "symmetries of a graph of data"
TRANSITION = "symmetries of transition data, displacements taken as vectors"


def cloud(
    z,
    *,
    action: AbstractAction,
    route: Route = "tangents",
    dictionary: AbstractDictionary | None = None,
    dimension: int | None = None,
    neighbours: int | None = None,
    tolerance: float | None = None,
    min_gap: float = 5.0,
    names: list[str] | None = None,
    max_points: int = 50_000,
    seed: int = 0,
    evidence: Asked = "gap",
    delta: float = 0.05,
    alpha: float = 0.05,
) -> Symmetries:
    """The symmetries of a point cloud: fields tangent to the submanifold it lies on.

    rho(xi)^2 = sum_i |(1 - P_i) theta_xi(z_i)|^2 / sum_i |theta_xi(z_i)|^2, P_i the projector on the tangent space at
    z_i, a point moved onto the surface (local quadratic fits to the nearest neighbours, at up to 1,024 points), lengths
    in units of the spread that most rows of each block have. Points far from all others are not asked. Columns that no
    candidate moves and that hold up to 16 values tell classes: the surface is then sought within each class by itself.

    Arguments:
        z: (N, n) points. action: how they are acted on.
        route: "tangents" (default): local fits, for any surface with enough points. "level set": functions that vanish
            on the points, were they without noise; the sharper, the more noise there is, where polynomials of low
            degree (or functions of the `dictionary`) describe the surface. "auto": the level set where one is found
            about which the points lie as noise does, else tangents; never chosen by the answer. "density": fields that
            leave the distribution of the points as it is, for points that fill their space; thousands of them.
        dictionary: for level sets; default polynomials of the least degree, up to 4, that explains the points.
        dimension: of the submanifold, default estimated. neighbours: per tangent space, default where noise and bias
            together are least (see `lieder.sampling.tangent_scale`).
        tolerance, min_gap, names, seed: as in `function`.
        max_points: of a larger cloud so many rows are drawn (default 50,000), since neighbours are searched in memory;
            where rows lie on devices, in processes or in blocks of Dask, they are drawn there, by their numbers.
        evidence: "gap" (default), or "certificate": besides, at least and at most how many symmetries there are to
            within `delta`, with a confidence of 1 - `alpha`, taking the noise of points to be independent. delta,
            alpha: as in `dataset`.
    Returns:
        Symmetries without target. The resolution of a direction is the error of the tangent spaces along it, noise
        and bias. "Cannot tell" where the points look like no surface of this dimension at any scale.
    Raises:
        ValueError, TypeError: data that are not finite real numbers, columns that are all constant or do not fit, a
            cloud that fills its space (every field is tangent to it), no level set where that route is asked for.
    Reference: Otto, Zolman, Kutz, Brunton (2025), section 6 (symmetries of submanifolds); Shaw, Magner, Moon (2024)
        (level sets).
    """
    check_action(action, "action")
    rule = Rule(tolerance, min_gap, seed, evidence, delta, alpha)
    search = Search(dimension, neighbours, max_points, route, dictionary)
    if rule.evidence == CERTIFICATE and search.route != TANGENTS:
        raise ValueError(
            f"evidence: a certificate of a cloud is one of its tangent spaces; with route={route!r} there is none. Take"
            " route='tangents', or level_set."
        )
    data = some_rows(z, "z", names, max_points, seed)
    units = units_of_columns((z, data))
    check_width(data.names, len(data.values), action, "z", "action")
    check_table(data, "z")
    if search.route == DENSITY:
        question = Question(action, None, data.names, "symmetries of the distribution of points", units=units)
        check_candidates(len(data.values), len(data.names), action.algebra.dim, "z")
        return density_symmetries(question, rule, data.values)
    question = Question(action, None, data.names, "symmetries of a point cloud", units=units)
    return cloud_symmetries(question, rule, search, data.values)


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
    evidence: Asked = "gap",
    delta: float = 0.05,
    alpha: float = 0.05,
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
        neighbours, tolerance, min_gap, names, output_names, max_points, seed, evidence, delta, alpha: as in `cloud`.
    Returns:
        Symmetries.
    Raises:
        ValueError: x and y of different length; transition with actions that differ in width; and as `cloud`.
    Reference: Otto, Zolman, Kutz, Brunton (2025), section 6.
    """
    check_action(source, "source")
    check_action(target, "target", fibre=True)
    check_same_algebra(source, target)
    transition = checked_flag(transition, "transition")
    rule, search = Rule(tolerance, min_gap, seed, evidence, delta, alpha), Search(dimension, neighbours, max_points)
    inputs, outputs = all_rows(x, "x", names), all_rows(y, "y", output_names)
    if not transition:
        check_sides(inputs, outputs, source, target)
    check_table(inputs, "x")
    check_table(outputs, "y")
    if not transition:
        units = units_of_columns((x, inputs), (y, outputs))
        question = Question(source, target, inputs.names + outputs.names, GRAPH, units=units)
        return graph_symmetries(question, rule, search, inputs.values, outputs.values)
    check_rows_together(inputs, outputs)
    check_width(inputs.names, len(inputs.values), source, "x", "source")
    if source.width != target.width or inputs.values.shape != outputs.values.shape:
        raise ValueError(
            "transition=True needs x and y of the same width, with the same action; got widths"
            f" {inputs.values.shape[1]} and {outputs.values.shape[1]}."
        )
    moves, labels = outputs.values - inputs.values, tuple(f"Δ{name}" for name in inputs.names)
    # Displacements, unlike the states they come from, may all be equal in some columns.
    check_varying(moves.min(axis=0), moves.max(axis=0), labels, "x, y", np.zeros(len(labels), bool))
    question = Question(source, tangent(source), inputs.names + labels, TRANSITION, lifted=True)
    return graph_symmetries(question, rule, search, inputs.values, moves)


def graph_symmetries(
    question: Question, rule: Rule, search: Search, x: np.ndarray, y: np.ndarray, described: str = ""
) -> Symmetries:
    """The symmetries of the cloud {(x_i, y_i)}; `described`, why no model was used."""
    if search.dimension is None:
        # Over each input there is one output, so the graph has as many dimensions as the inputs.
        units = block_scales(x, question.source)
        if (parted := classes(x, question.source, x.shape[1])) is not None:
            code = parted.of(x)
            x_, units_ = x[code == np.bincount(code).argmax()][:, ~parted.columns], units[~parted.columns]
        else:
            x_, units_ = x, units
        search = replace(search, dimension=intrinsic_dimension(x_ / units_))
    return cloud_symmetries(question, rule, search, np.concatenate([x, y], axis=1), described)


def cloud_symmetries(
    question: Question, rule: Rule, search: Search, points: np.ndarray, described: str = ""
) -> Symmetries:
    """The symmetries of a cloud of pairs, or of points where the question has no target."""
    action, argument = question.both, "z" if question.target is None else "x, y"
    check_varying(points.min(axis=0), points.max(axis=0), question.names, argument, np.zeros(points.shape[1], bool))
    check_candidates(len(points), points.shape[1], action.algebra.dim, argument)
    # Copies of a point would be its own neighbours, and a tangent space then be judged from nothing.
    points = _distinct(np.asarray(points, dtype=np.float64))
    points = _thinned(points, search, rule)
    check_enough(len(points) * points.shape[1], action.algebra.dim, argument)
    units = block_scales(points, action)
    found = _surface(question, rule, search, points, units)
    split, unknown = found.reduction, found.unknown
    if question.target is not None:
        n = question.source.width
        split, (x, y) = _split(found.reduction, n), np.split(points, [n], axis=1)
        gain = models.followed(x, y, rule.seed)
        unknown = unexplained(gain, question.target, question.outputs, y, INPUTS) or _upright(found.bases, n) or unknown
    held = found.reduction.points[: found.tried]

    def finite(generators: np.ndarray, lengths: np.ndarray) -> np.ndarray:
        return finite_cloud(action, held, units, found.away, generators)

    answer = conclude(question, rule, split, _doubt(found, action, unknown), finite, found.described or described)
    if rule.evidence != CERTIFICATE:
        return answer
    return replace(answer, certificate=tangent_certificate(question, rule, answer, found, unknown))


def _surface(question: Question, rule: Rule, search: Search, points: np.ndarray, units: np.ndarray) -> Cloud:
    """The surface that the points lie on, within each class where some columns tell of classes."""
    action = question.both
    parted = classes(points, action, question.source.width)
    if parted is None:
        held, kept = split_cloud(points, units, rule.seed)
        sought = _sought(question, rule, search, kept, units)
        return reduce_cloud(action, held, kept, sought, units, rule.seed)
    held, kept = split_cloud(points[among(points, parted)], units, rule.seed)
    code, moved = parted.of(kept), ~parted.columns
    each = [_sought(question, rule, search, kept[code == k][:, moved], units[moved]) for k in range(len(parted.values))]
    return reduce_cloud(action, held, kept, joined(each, parted, units), units, rule.seed)


def _sought(question: Question, rule: Rule, search: Search, kept: np.ndarray, units: np.ndarray) -> Sought:
    """The tangent spaces at points, by the route that is asked for."""
    q = question.source.algebra.dim
    if search.route in (LEVELS, AUTO):
        levels = level_spaces(kept, units, search, q, rule.min_gap)
        if isinstance(levels, Sought) and not (search.route == AUTO and levels.unknown):
            return levels
        if search.route == LEVELS:
            raise ValueError(f"z: the points lie on no level set that could be found. {levels}")
    with jax.enable_x64(True):
        scale = tangent_scale(kept / units, search.dimension, search.neighbours)
        if scale.dimension == kept.shape[1]:
            argument = "z" if question.target is None else "x, y"
            raise ValueError(
                f"{argument}: the points fill their {kept.shape[1]}-dimensional space, so every field is tangent to "
                "them. If you know the dimension of the submanifold, pass dimension; for inputs and outputs use graph, "
                "dataset or function; for the distribution of the points route='density'."
            )
        return tangent_spaces(kept, units, scale, q)


def _doubt(found: Cloud, action: AbstractAction, unknown: str) -> Doubt:
    """The tangent spaces' own error, direction by direction; along none is it taken to be less than half the usual."""
    if found.unknown:
        return Doubt(found.floor, found.source, unknown=unknown)
    return Doubt(found.floor, found.source, found.error, unknown, covectors=partial(_normals, found, action))


def _normals(found: Cloud, action: AbstractAction) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Across the tangent spaces, along coordinates that some candidate moves, of length one: what a field has of length
    across them is not multiplied by theirs."""
    across = np.eye(found.bases.shape[2]) - np.swapaxes(found.bases, 1, 2) @ found.bases
    across = across * moved_columns(action, found.points[:64])
    length = np.sqrt(np.mean(np.sum(across**2, axis=(1, 2))))
    return found.points, across / (length or 1.0) / found.units, np.ones(len(found.points))


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


def _thinned(points: np.ndarray, search: Search, rule: Rule) -> np.ndarray:
    """No more points than are asked for, in their order."""
    if len(points) <= search.max_points:
        return points
    return points[np.sort(np.random.default_rng(rule.seed).permutation(len(points))[: search.max_points])]


def _distinct(points: np.ndarray) -> np.ndarray:
    """The points without repetitions, in their order."""
    first = np.unique(points, axis=0, return_index=True)[1]
    return points if len(first) == len(points) else points[np.sort(first)]


def _split(reduction: Reduction, n: int) -> Reduction:
    """Held-out pairs parted into inputs and outputs."""
    return replace(reduction, points=reduction.points[:, :n], values=reduction.points[:, n:])
