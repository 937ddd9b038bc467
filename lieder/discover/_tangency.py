"""Rows for point clouds: the part of each field that leaves the tangent space."""

import dataclasses
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ..action import AbstractAction
from ..linalg import TriangularFactor, relative_spectrum
from ..report import progress
from ..sampling import RowDraws, Scale, apart, common_spread, surface_distances, tangents
from ._accumulator import Accumulator, Reduction, parts_of
from ._decision import null_tolerance
from ._evidence import TOP, rounding_floor
from ._reduce import batch_size

WORK = 2**18  # neighbours of all points with tangent spaces together
QUERIES = (256, 1024)  # points with tangent spaces, at least and at most; more would repeat what neighbours say
UNSEEN = 0.25  # a field whose size is uncertain by more than this share moves the points as their noise does


def block_scales(points: Float[np.ndarray, "points n"], action: AbstractAction) -> Float[np.ndarray, " n"]:
    """One length for each group of coordinates that the action mixes: its common spread over a coordinate.

    Within a group coordinates share units, between groups they need not. Not the rms distance from the mean: one output
    a thousand times the others would be the unit in which these are all alike, and the rest a plane."""
    scales = np.ones(points.shape[1])
    for group in action.unit_groups():
        piece = points[:, group]
        spread = common_spread(piece)
        # A group that never varies has its own size for a unit.
        scales[group] = spread if spread > 0 else float(np.sqrt(np.mean(piece**2))) or 1.0
    return scales


class Cloud(NamedTuple):
    """What is left of a cloud whose tangent spaces are known.

    Fields: `reduction`; `error`, the rows' own error as a factor (root mean square over points); `floor`, what is
        unknown of all fields alike, TOP where nothing is known; `source`, where that comes from; `units` (n,), of the
        coordinates; `bases` (M, d, n) of the tangent spaces, in these units, at `points` of the surface; `away`, from
        places (k, n) in these units to their distances (k,) from the surface, NaN where it is not known, and `tried`,
        of how many places at most this is worth asking; `unknown`, why nothing is known, or ""; `described`, the
        surface in words; `scale` of tangent spaces that come from neighbours; `kept` (N, n), all points used.
    """

    reduction: Reduction
    error: Float[np.ndarray, "r q"]
    floor: float
    source: str
    units: Float[np.ndarray, " n"]
    bases: Float[np.ndarray, "points d n"]
    points: Float[np.ndarray, "points n"]
    away: Callable[[np.ndarray], np.ndarray]
    tried: int
    unknown: str
    described: str
    scale: Scale | None
    kept: Float[np.ndarray, "N n"]


class Spaces(NamedTuple):
    """Tangent spaces `bases` (M, d, n) at `points` (M, n) of a surface, in units."""

    points: Float[np.ndarray, "points n"]
    bases: Float[np.ndarray, "points d n"]


def split_cloud(
    points: Float[np.ndarray, "points n"], units: Float[np.ndarray, " n"], seed: int
) -> tuple[Float[np.ndarray, "held n"], Float[np.ndarray, "kept n"]]:
    """Points that are held out for the finite check, and the others."""
    order = np.random.default_rng(seed).permutation(len(points))
    spared = min(512, len(points) // 8)
    # Of few points none can be spared: the finite check then uses points that the tangent spaces have seen.
    held, kept = (points[order[:spared]], points[order[spared:]]) if len(points) >= 64 else (points, points)
    return held[~apart(kept / units, held / units)], kept


class Sought(NamedTuple):
    """The tangent spaces that a route has found.

    Fields: `spaces`, and `others` at the same points, found in other ways; `share` (M,), the root of what the squared
        difference from the others counts at each point; and as in `Cloud`.
    """

    spaces: Spaces
    others: tuple[Spaces, ...]
    share: Float[np.ndarray, " points"]
    floor: float
    source: str
    away: Callable[[np.ndarray], np.ndarray]
    tried: int
    unknown: str = ""
    described: str = ""
    scale: Scale | None = None


def tangent_spaces(kept: Float[np.ndarray, "kept n"], units: Float[np.ndarray, " n"], scale: Scale, q: int) -> Sought:
    """Tangent spaces from neighbours, z_i moved onto the surface, for q candidates.

    Their error is what the rows from the other scale differ by, in the share of it that is not known.
    """
    count = max(int(np.clip(WORK // scale.neighbours, *QUERIES)), 4 * q)
    asked = kept[:count] / units
    found = tangents(kept / units, scale, asked[~apart(kept / units, asked)])
    source = (
        f"tangent spaces (dimension {scale.dimension}, {scale.neighbours} neighbours): noise from the scatter about "
        f"local {'quadratic' if scale.order == 2 else 'linear'} fits, bias from fits to {scale.other} neighbours"
    )
    floor, unknown = max(scale.error / 2.0, rounding_floor(np.dtype(np.float64))), ""
    if scale.error >= 1.0:
        floor, unknown = TOP, f"no neighbourhood of the data looks like a surface of dimension {scale.dimension}"
    return Sought(
        Spaces(found.points, found.bases),
        (Spaces(found.other_points, found.other_bases),),
        np.full(len(found.points), scale.error_share),
        floor,
        source,
        partial(surface_distances, kept / units, scale=scale),
        max(2**16 // scale.neighbours, 64),
        unknown,
        scale=scale,
    )


def reduce_cloud(
    action: AbstractAction,
    held: Float[np.ndarray, "held n"],
    kept: Float[np.ndarray, "kept n"],
    sought: Sought,
    units: Float[np.ndarray, " n"],
    seed: int,
) -> Cloud:
    """Rows (1 - P_i) theta_k(z_i) and terms theta_k(z_i), in block units, and their error."""
    reduction, error = _reduce_spaces(action, held, sought, units, seed)
    points, bases = sought.spaces.points * units, sought.spaces.bases
    told = sought.away, sought.tried, sought.unknown, sought.described, sought.scale
    return Cloud(reduction, error, sought.floor, sought.source, units, bases, points, *told, kept)


def _reduce_spaces(
    action: AbstractAction,
    held: Float[np.ndarray, "held n"],
    sought: Sought,
    units: Float[np.ndarray, " n"],
    seed: int,
) -> tuple[Reduction, Float[np.ndarray, "r q"]]:
    """The reduction of tangent spaces, and by how much the rows of others differ (root mean square over points, summed
    over the others)."""
    spaces = sought.spaces
    q, n = action.algebra.dim, spaces.points.shape[1]
    with jax.enable_x64(True):
        draws = RowDraws(seed, parts_of(q), 0)
        shown = draws.rows(0, len(held))._replace(held=np.ones(len(held), bool))
        found = Accumulator.empty(q, n, (q,)).show(shown, held, np.zeros((len(held), 0)), np.ones(len(held)))
        error = moved = TriangularFactor.empty(q)
        size = batch_size(len(spaces.points), 6 * q * n)
        starts = range(0, len(spaces.points), size)
        for begin in progress(starts, len(starts), "tangency"):
            chosen = slice(begin, begin + size)
            theta, normal = fields_across(action, spaces.points[chosen], spaces.bases[chosen], units, size)
            drawn = draws.rows(begin, begin + len(normal))
            found = found.absorb(drawn, np.ones(len(normal)), _across(normal), (_across(theta),))
            share = sought.share[chosen, None, None]
            for other in sought.others:
                theta2, normal2 = fields_across(action, other.points[chosen], other.bases[chosen], units, size)
                error = error.absorb(_rows(share * (normal - normal2)))
                moved = moved.absorb(_rows(theta - theta2))
    reduction = found.finish((lambda factor: factor,), np.dtype(np.float64), np.ones(0))
    seen = _seen(reduction, moved.factor)
    if seen is not None:
        reduction = dataclasses.replace(
            reduction,
            numerators=reduction.numerators.times(seen),
            denominators=reduction.denominators.times(seen),
        )
    return reduction, error.factor / np.sqrt(len(spaces.points))


def _seen(reduction: Reduction, moved: Float[np.ndarray, "r q"]) -> Float[np.ndarray, "q q"] | None:
    """The projector on candidates that move the points by more than these are uncertain, along all others.

    A field that vanishes on the surface moves points only as far as they are off it, in whatever direction that is: it
    is ineffective on the surface, and what it does is noise. None when there is no such candidate, or no other.

    Arguments: `moved`, by how much the fields differ between ways to find the surface, as a factor.
    """
    _, denominator = reduction.whole()
    spectrum = relative_spectrum(moved, denominator, null_tolerance(reduction.dtype))
    seen = spectrum.directions[spectrum.values < UNSEEN]
    if len(seen) in (0, len(spectrum.values)):
        return None
    images = denominator @ seen.T  # mutually orthogonal
    return seen.T @ (images / np.sum(images**2, axis=0)).T @ denominator


@partial(jax.jit, static_argnums=0)
def _fields(action: AbstractAction, points: Array) -> Array:
    # Equal actions are compiled once.
    return jax.vmap(action.fields)(points)


def fields_across(
    action: AbstractAction, points: np.ndarray, bases: np.ndarray, units: np.ndarray, size: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Fields (p, q, n) at points in block units, and their parts across the tangent spaces; `size`, of the batches that
    they come in."""
    size = max(size, len(points))
    padded = np.resize(points * units, (size, points.shape[1]))  # so that nothing is compiled twice
    theta = np.asarray(_fields(action, jnp.asarray(padded, jnp.float64)))[: len(points)] / units
    return theta, theta - (theta @ np.swapaxes(bases, 1, 2)) @ bases


def _across(fields: np.ndarray) -> np.ndarray:
    """Rows over generators, n a point."""
    return np.swapaxes(fields, 1, 2)


def _rows(fields: np.ndarray) -> np.ndarray:
    return _across(fields).reshape(-1, fields.shape[1])
