"""The tangent spaces of a cloud from functions that vanish on it."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from .. import models
from ..dictionary import AbstractDictionary, polynomials
from ..sampling import intrinsic_dimension
from ._doubt import VARYING
from ._evidence import rounding_floor
from ._search import Search
from ._tangency import QUERIES, Sought, Spaces

DEGREES = (1, 2, 3, 4)
ROWS_EACH = 10  # rows for each function of a dictionary, at least
LARGEST = 130  # functions
ALIKE = 3.0  # times the least variance of noise: a simpler dictionary that finds no more is as good
PARTS = 10  # of the points, each left out in turn
WHOLE = 4096  # points that are moved onto a level set before it is believed


class _Found(NamedTuple):
    dictionary: AbstractDictionary
    levels: models.Levels


def level_spaces(
    kept: Float[np.ndarray, "kept n"], units: Float[np.ndarray, " n"], search: Search, q: int, min_gap: float
) -> Sought | str:
    """The tangent spaces of the level set of the simplest dictionary that explains the points.

    Of the dictionaries that find functions which stand apart, those count that leave about as little noise as any; of
    these the first whose level set the points fill, and about which they scatter as noise does. The rows' error is that
    of the functions: found again without each tenth of the points.

    Arguments: `kept`, points; `units` of their coordinates; `search`, with the dictionary, default polynomials of
        degree 1 to 4; `q` candidates; `min_gap`, by which functions must stand apart.
    Returns: Sought, or why there is none.
    """
    n = len(units)
    found, reasons = [], []
    for dictionary in _dictionaries(search, n, len(kept)):
        try:
            found.append(_Found(dictionary, models.level_functions(kept, dictionary, search.count, min_gap, units)))
        except ValueError as reason:
            reasons.append(str(reason))
    least = min((each.levels.noise**2 for each in found), default=0.0)
    seen = search.dimension or (intrinsic_dimension(kept[:WHOLE] / units) if found else 0)
    for each in found:
        if each.levels.noise**2 > ALIKE * least + np.finfo(float).eps:
            continue
        surface = models.surface(each.levels, kept[:WHOLE], search.dimension)
        dimension, unlike = n - surface.codimension, surface.unlike
        if not unlike and not 0 < dimension <= seen:
            unlike = f"the points look {seen}-dimensional, and the level set has dimension {dimension}"
        # Functions of the user's own choice have an answer also where it is that nothing can be told.
        if not unlike or (search.dictionary is not None and surface.usable.any() and dimension > 0):
            return _spaces(kept, units, each, surface, q)._replace(unknown=unlike)
        reasons.append(unlike)
    return reasons[-1] if reasons else "There are too few points for any dictionary of polynomials."


def _dictionaries(search: Search, n: int, rows: int) -> list[AbstractDictionary]:
    if search.dictionary is not None:
        return [search.dictionary]
    every = [polynomials(n, degree) for degree in DEGREES]
    return [each for each in every if each.size <= min(LARGEST, rows // ROWS_EACH)]


def _spaces(kept: np.ndarray, units: np.ndarray, found: _Found, surface: models.Surface, q: int) -> Sought:
    levels, count = found.levels, found.levels.count
    most = max(QUERIES[1], 4 * q)
    usable = np.flatnonzero(surface.usable)[:most]
    asked, codimension = kept[usable], surface.codimension
    spaces = Spaces(surface.points[usable] / units, surface.bases[usable])
    refits = models.level_refits(kept, found.dictionary, levels, np.arange(len(kept)) % PARTS)
    others = []
    for refit in refits:
        reached = models.onto(refit, units, asked, codimension)
        others.append(Spaces(reached.points / units, reached.bases))
    spread = np.sqrt(np.mean(np.sum(((kept - kept.mean(axis=0)) / units) ** 2, axis=1)))
    floor = max(VARYING * surface.misfit / spread, rounding_floor(np.dtype(np.float64)))

    def away(places: np.ndarray) -> np.ndarray:
        return models.onto(levels.model, units, places * units, codimension).moved

    source = (
        f"level set of dimension {len(units) - codimension}: {count} functions, found again without each tenth of the"
        f" points, and how far the points lie on one side of it together"
    )
    described = (
        f"{count} of {found.dictionary.size} functions vanish on the points, noise {levels.noise:.2g} of the spread "
        f"({levels.blank:.2g} with shuffled columns)"
    )
    share = np.full(len(usable), np.sqrt(1 - 1 / len(refits)))
    return Sought(spaces, tuple(others), share, floor, source, away, len(kept), "", described)
