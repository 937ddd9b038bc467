"""Points moved onto a level set, its normals there, and whether the points lie about it as noise does."""

from dataclasses import dataclass, fields

import numpy as np
from jaxtyping import Bool, Float

from ..late import neighbors
from ..linalg import decide
from ..sampling import intrinsic_dimension
from ._family import FeatureModel
from ._jets import jets
from ._levels import Levels

STEPS = 8  # of Newton's method
STEEP = 0.2  # of the largest slope: a direction in which none is steeper is along the level set
FLAT = 2e-3  # of the median square of the slope: a point of less is near a singular one
LONGEST = 0.5  # of the spread: no step is longer
ARRIVED = 0.05  # of the noise, by which the last step may move a point
FAR = 6.0  # times the noise, across the level set: no point lies farther off by chance
LOST = 0.2  # of the points that may be lost
NEAREST = 16  # neighbours whose distances from the level set are compared
ALIKE = 0.04  # of the variance across the level set: curved, it shows so much by itself
SURE = 2.5  # standard errors
PLANE = 0.9  # mean squared cosine of the normals with their common direction, from which on a level set counts as flat
THIN = 0.1  # of its least extent, by which points may lie off a flat level set
EXACT = 1e-9  # of the spread: points that lie off by less are on the level set
MOST = 2048  # points that are compared
NUMBERS = 2**24  # in the slopes of the functions, at a time


@dataclass(frozen=True, eq=False)
class Surface:
    """A level set near its points.

    Fields: `points` (N, n), the points moved onto it; `bases` (N, d, n), orthonormal rows along it, in the units of the
    levels; `usable` (N,), which points arrived; `misfit`, how far the level set itself is off, as far as chance
    allows, in these units; `unlike`, why the points do not lie about the level set as noise does, or "".
    """

    points: Float[np.ndarray, "N n"]
    bases: Float[np.ndarray, "N d n"]
    usable: Bool[np.ndarray, " N"]
    misfit: float
    unlike: str = ""

    @property
    def codimension(self) -> int:
        """The number of directions across it."""
        return self.bases.shape[2] - self.bases.shape[1]


def surface(levels: Levels, points: Float[np.ndarray, "N n"], dimension: int | None = None) -> Surface:
    """The level set at the points nearest to given ones, and what speaks against it.

    The points must spread along the whole level set, have arrived, and lie off it independently of their neighbours: a
    surface that is no level set of these functions lies on one side of it here, on the other there. Off a flat one they
    must lie by little beside its extent: a plane with noise is what points that fill their space look like, too, where
    they spread less in one direction than in others.

    Arguments: `levels`; `points` (N, n); `dimension` of the submanifold, if known.
    Returns: Surface.
    """
    points = np.asarray(points, dtype=np.float64)
    n = points.shape[1]
    some = points[np.random.default_rng(0).permutation(len(points))[:MOST]]
    codimension = _codimension(levels, some) if dimension is None else n - dimension
    if codimension == 0:
        return Surface(points, np.zeros((len(points), n, n)), np.zeros(len(points), bool), 0.0, "the points fill space")
    reached = onto(levels.model, levels.units, points, codimension)
    allowed = FAR * levels.noise * np.sqrt(codimension) + 1e-6
    usable = (reached.last <= ARRIVED * levels.noise + 1e-6) & (reached.moved <= allowed) & reached.steep
    shared, chance, whole = _shared(((points - reached.points) / levels.units)[usable], reached.points[usable])
    misfit = float(np.sqrt(max(shared, 0.0) + chance))
    unlike = ""
    if usable.mean() < 1.0 - LOST:
        unlike = f"{1 - usable.mean():.0%} of the points have no point of the level set within {FAR:g} times the noise"
    elif shared > max(SURE * chance, ALIKE * whole, EXACT**2):
        unlike = "neighbouring points lie on one side of the level set: the surface is another"
    else:
        seen = intrinsic_dimension(reached.points[usable][:MOST] / levels.units)
        if seen < n - codimension:
            unlike = f"the level set has dimension {n - codimension}, and the points on it look {seen}-dimensional"
        extent = _extent_of_plane(reached.points[usable] / levels.units, reached.bases[usable])
        if levels.noise > THIN * extent:
            unlike = (
                f"the level set is flat, and the points lie {levels.noise / extent:.0%} of its extent off it: points"
                " that fill their space do so, too"
            )
    return Surface(reached.points, reached.bases, usable, misfit, unlike)


@dataclass(frozen=True, eq=False)
class Reached:
    """Fields: `points` (N, n) on the level set, `bases` (N, d, n) along it there, in units; how far each point was
    `moved` and went in its `last` step, in units; whether the functions are `steep` there, as elsewhere."""

    points: Float[np.ndarray, "N n"]
    bases: Float[np.ndarray, "N d n"]
    moved: Float[np.ndarray, " N"]
    last: Float[np.ndarray, " N"]
    steep: Bool[np.ndarray, " N"]


def onto(
    model: FeatureModel, units: Float[np.ndarray, " n"], points: Float[np.ndarray, "N n"], codimension: int
) -> Reached:
    """Points of a level set near given ones: Gauss's and Newton's method, along the steepest `codimension` directions
    at each point.

    Returns: the points, moved across the level set until they lie on it, with what is tangent there.
    """
    size = max(1, NUMBERS // (model.coefficients.size * len(units)))
    if len(points) > size:
        pieces = [onto(model, units, points[k : k + size], codimension) for k in range(0, len(points), size)]
        return Reached(*(np.concatenate([getattr(each, field.name) for each in pieces]) for field in fields(Reached)))
    here = np.asarray(points, dtype=np.float64)
    last = np.full(len(here), np.inf)
    for k in range(STEPS + 1):
        values, slopes = jets(model, here)
        slopes = slopes * units
        steepness, axes = np.linalg.eigh(np.swapaxes(slopes, 1, 2) @ slopes)
        along, axes = np.split(axes, [len(units) - codimension], axis=2)
        steepness = steepness[:, -codimension:]
        if k == STEPS or np.all(last <= 1e-14):
            break
        pull = np.einsum("pnr,pcn,pc->pr", axes, slopes, values)
        step = np.einsum("pnr,pr->pn", axes, pull / np.maximum(steepness, 1e-12))
        length = np.linalg.norm(step, axis=1)
        step *= np.minimum(1.0, LONGEST / np.maximum(length, LONGEST))[:, None]
        here, last = here - step * units, np.minimum(length, LONGEST)
    moved = np.linalg.norm((here - points) / units, axis=1)
    steep = steepness[:, 0] > FLAT * np.median(steepness[:, 0])
    return Reached(here, np.swapaxes(along, 1, 2), moved, last, steep)


def _extent_of_plane(points: np.ndarray, bases: np.ndarray) -> float:
    """The least standard deviation along a flat level set; infinite for one that is not flat."""
    _, d, n = bases.shape
    across = np.eye(n) - np.mean(np.swapaxes(bases, 1, 2) @ bases, axis=0)
    if np.mean(np.linalg.eigvalsh(across)[d:]) < PLANE:
        return np.inf
    spreads = np.linalg.svd(points - points.mean(axis=0), compute_uv=False) / np.sqrt(len(points))
    return float(spreads[d - 1])


def _codimension(levels: Levels, points: np.ndarray) -> int:
    """In how many directions functions are steep."""
    most = min(levels.count, points.shape[1])
    if most == 1:
        return 1
    for _ in range(2):  # once more on the level set itself
        slopes = jets(levels.model, points)[1] * levels.units
        steepness = np.linalg.eigvalsh(np.swapaxes(slopes, 1, 2) @ slopes)[:, ::-1]
        size = np.sqrt(np.clip(np.median(steepness, axis=0), 0.0, None))
        flat = decide(size, tolerance=STEEP * float(size[0])).count
        count = min(len(size) - flat, most)
        points = onto(levels.model, levels.units, points, count).points
    return count


def _shared(off: np.ndarray, places: np.ndarray) -> tuple[float, float, float]:
    """The mean product of what a point and its neighbours lie off, its standard error, and the mean square."""
    if len(off) < 4 * NEAREST:
        whole = float(np.mean(np.sum(off**2, axis=1))) if len(off) else 0.0
        return 0.0, whole, whole
    off, places = off[:MOST], places[:MOST]
    near = neighbors.NearestNeighbors(n_neighbors=NEAREST).fit(places).kneighbors(return_distance=False)
    products = np.einsum("pn,pkn->pk", off, off[near])
    whole = float(np.mean(np.sum(off**2, axis=1)))
    return float(products.mean()), float(np.sqrt(2 * np.mean(products**2) / products.size)), whole
