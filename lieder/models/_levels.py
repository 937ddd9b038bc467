"""Functions that vanish on a point cloud."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import scipy.linalg
from jaxtyping import Float, Int

from ..dictionary import AbstractDictionary
from ..linalg import decide
from ._doubt import Alternatives
from ._family import FeatureModel, Standardised
from ._jets import jets
from ._moments import Moments, moments

PARTS = 10  # of the points, from which it is told how well a mean is known
STEPS = 12  # of Newton's method: three or four are usual
STEADY = 1e-3  # of the variance of noise, to which it is found
SEEN = 1e-12  # of the largest: below, a function is zero together with its slope, and says nothing
LEAST = 64 * np.finfo(float).eps
BLANK = 0.6  # of the noise that is found in the same columns, shuffled: more is what any points show
WIDEST = 8192  # points for the blank


@dataclass(frozen=True, eq=False)
class Levels:
    """The submanifold as a level set.

    Fields: `model`, from one point (n,) to the values (c,) of functions that are zero on the points without their
    noise, with an rms slope of one; `spectrum` (D,), the rms distance of the points without their noise from the level
    sets of single functions, ascending, the first c of them small; `noise`, the standard deviation along a coordinate,
    and `blank`, what it comes to where the columns are shuffled; all in the `units` (n,) of the coordinates;
    `distance`, the rms distance of the points from the level set, in units of their spread.
    """

    model: FeatureModel
    spectrum: Float[np.ndarray, " functions"]
    noise: float
    blank: float
    units: Float[np.ndarray, " n"]
    distance: float

    @property
    def count(self) -> int:
        """The number c of independent functions found."""
        return len(self.model.coefficients)


def level_functions(
    points: Float[np.ndarray, "points n"],
    dictionary: AbstractDictionary,
    count: int | None = None,
    min_gap: float = 5.0,
    units: Float[np.ndarray, " n"] | None = None,
) -> Levels:
    """The functions of a dictionary that vanish on the points, were they without noise.

    The mean square of a function over that of its slope is the mean square distance from its level set, to first
    order; noise of variance s adds s to it, whatever the function. Its mean square without noise is known from its
    Laplacian (`moments`), to second order. So the least distance tells s, and functions vanish where their distance
    without noise is no larger than chance makes it.

    Arguments:
        points: (N, n), N at least the number D of functions.
        dictionary: of D functions; with a constant and of low degree, since noise lets large dictionaries vanish
            anywhere.
        count: how many, if known; by default those below the largest gap.
        min_gap: least ratio that counts as a gap, between the next mean square and the error of those found.
        units: (n,), in which the noise of all coordinates is alike; default one for all.
    Returns: Levels.
    Raises: ValueError for fewer points than functions, or when no function stands apart from all others and from what
        vanishes as well on points whose columns are shuffled.
    Reference: Taubin (1991), distance to first order; Kukush, Markovsky, Van Huffel (2004), without noise; Shaw,
        Magner, Moon (2024), section 3.
    """
    points = np.asarray(points, dtype=np.float64)
    if len(points) < dictionary.size:
        raise ValueError(
            f"points: {len(points)} rows for {dictionary.size} functions: some function always vanishes. Give more "
            "rows or a smaller dictionary."
        )
    if count is not None and not 1 <= count < dictionary.size:
        raise ValueError(f"count must lie in 1..{dictionary.size - 1}, got {count}.")
    frame = _Frame.of(points, dictionary, units)
    found = _Fit.to(frame.moments(points, _parts(len(points))))
    if count is None:
        count, gap = found.count(min_gap)
        if count == 0:
            raise ValueError(
                f"dictionary: none of its {dictionary.size} functions stands apart as vanishing on the data (noise"
                f" {found.noise:.2g} of the spread, largest gap {gap:.2g}). Try another degree, or use"
                " tangent spaces: lieder.discover.cloud."
            )
        found = found.of(count)
    blank = _blank(frame, points)
    if found.noise > BLANK * blank:
        raise ValueError(
            f"dictionary: none of its {dictionary.size} functions stands apart as vanishing on the data: the points"
            f" lie {found.noise:.2g} of their spread off, and {blank:.2g} when their columns are shuffled. Try another"
            " degree, or use tangent spaces: lieder.discover.cloud."
        )
    model = FeatureModel(frame.features, found.vectors[:, :count].T)
    distance = _distance(model, points)
    spectrum = np.sqrt(np.clip(found.squares, 0.0, None))
    return Levels(model, spectrum, found.noise, blank, frame.lengths, distance)


@dataclass(frozen=True, eq=False)
class _Frame:
    """A dictionary where points have their mean for the origin and their spread for the unit, if it can be had there.

    Fields: `features`, of one point; `dictionary`, `centre` and `unit`, with features(z) = dictionary((z - centre) /
    unit); `lengths` (n,), of the noise along the coordinates.
    """

    features: Callable
    dictionary: AbstractDictionary
    centre: Float[np.ndarray, " n"]
    unit: Float[np.ndarray, " n"]
    lengths: Float[np.ndarray, " n"]

    @classmethod
    def of(cls, points: np.ndarray, dictionary: AbstractDictionary, units: np.ndarray | None) -> "_Frame":
        n = points.shape[1]
        centre, still, one = points.mean(axis=0), np.zeros(n), np.ones(n)
        if units is None:
            units = one * (float(np.sqrt(np.mean((points - centre) ** 2))) or 1.0)
        if dictionary.substitution(centre, units) is None:
            return cls(dictionary, dictionary, still, one, units)
        return cls(Standardised(dictionary, centre, 1.0 / units), dictionary, centre, units, units)

    def moments(self, points: np.ndarray, parts: np.ndarray) -> Moments:
        return moments((points - self.centre) / self.unit, self.dictionary, self.lengths / self.unit, parts)


@dataclass(frozen=True, eq=False)
class _Fit:
    """Functions by their mean square, without noise, over that of their slopes.

    Fields: `squares` (k,), ascending, `errors` (k,) of these, and `vectors` (D, k), of slope one; `variance` of the
    noise.
    """

    squares: Float[np.ndarray, " k"]
    errors: Float[np.ndarray, " k"]
    vectors: Float[np.ndarray, "D k"]
    variance: float
    moments: Moments

    @classmethod
    def to(cls, known: Moments, count: int = 1) -> "_Fit":
        """With as much noise as takes the least square to zero, or the mean of the least `count`."""
        powers, slopes = known.whole
        size, frame = np.linalg.eigh(powers[0] + slopes)
        frame = frame[:, size > SEEN * size[-1]] / np.sqrt(size[size > SEEN * size[-1]])
        reduced, slope = frame.T @ powers @ frame, frame.T @ slopes @ frame
        orders, variance = np.arange(len(powers)), 0.0
        squares, vectors = _pencil(reduced[0], slope)
        for _ in range(STEPS):
            falls = np.tensordot(orders[1:] * variance ** (orders[1:] - 1), reduced[1:], 1)
            rate = np.mean([min(float(v @ falls @ v), -0.5) for v in vectors[:, :count].T])
            change = float(np.mean(squares[:count]) / -rate)
            if variance + change >= 1.0 or abs(change) <= max(STEADY * variance, LEAST):
                break
            variance = max(variance + change, 0.0)
            squares, vectors = _pencil(np.tensordot(variance**orders, reduced, 1), slope)
        vectors = frame @ vectors
        each = np.tensordot(known.powers, variance**orders, ((1,), (0,)))
        shown = np.einsum("dk,pde,ek->pk", vectors, each, vectors)
        errors = np.std(shown, axis=0, ddof=1) / np.sqrt(len(shown)) if len(shown) > 1 else np.zeros(len(squares))
        return cls(squares, errors, vectors, variance, known)

    def of(self, count: int) -> "_Fit":
        """Where so many functions vanish."""
        return self if count == 1 else _Fit.to(self.moments, count)

    @property
    def noise(self) -> float:
        return float(np.sqrt(self.variance))

    def count(self, min_gap: float) -> tuple[int, float]:
        """How many functions vanish, none where that is not clear; and the gap."""
        known = np.maximum(self.errors, LEAST)
        values = np.clip(self.squares, 0.0, None)
        rank = decide(values, resolution=known, min_gap=min_gap, top=1.0, resolved=min_gap * known)
        clear = rank.clear and rank.count not in (0, len(values))
        return rank.count if clear else 0, rank.gap


def _pencil(square: np.ndarray, slope: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Ascending stationary values of v^T square v over v^T slope v, and the v, of slope one: those that have a slope.

    The sum of both is near the identity for little noise, so that this is as exact as the numbers are."""
    together = square + slope
    least = float(np.linalg.eigvalsh(together)[0])
    if least < 0.1:  # so much noise that nothing is left: it will not be believed anyway
        together = together + (0.1 - least) * np.eye(len(together))
    share, vectors = scipy.linalg.eigh((square + square.T) / 2, (together + together.T) / 2)
    length = np.sqrt(np.clip(np.einsum("dk,de,ek->k", vectors, slope, vectors), 0.0, None))
    moving = length > 1e-6
    share, vectors = share[moving], vectors[:, moving] / length[moving]
    return np.einsum("dk,de,ek->k", vectors, square, vectors), vectors


def _parts(rows: int) -> Int[np.ndarray, " rows"]:
    return np.random.default_rng(0).permutation(rows) % min(PARTS, rows)


def _blank(frame: _Frame, points: np.ndarray) -> float:
    """The noise that is found where every column is shuffled by itself, the axes turned before where that can be."""
    random = np.random.default_rng(0)
    points = (points - points.mean(axis=0))[:WIDEST] / frame.lengths
    turn = np.linalg.qr(random.normal(size=(points.shape[1],) * 2))[0]
    turned = isinstance(frame.features, Standardised)
    mixed = np.stack([random.permutation(column) for column in (points @ turn if turned else points).T], axis=1)
    mixed = mixed * frame.lengths + frame.centre if turned else mixed * frame.lengths
    if not turned:
        mixed = mixed + (points * frame.lengths).mean(axis=0)
    return _Fit.to(frame.moments(mixed, _parts(len(mixed)))).noise


def level_refits(
    points: Float[np.ndarray, "points n"],
    dictionary: AbstractDictionary,
    levels: Levels,
    parts: Int[np.ndarray, " points"],
) -> list[FeatureModel]:
    """The level functions without each part of the points in turn, turned among themselves to lie next to those of all.

    Arguments:
        points: (N, n), and dictionary: those that `levels` were made from by `level_functions`.
        parts: (N,) whole numbers from 0.
    Returns: a model for each of K parts. Of anything linear that is read from them the variance is (K - 1) / K times
        the sum of the squares by which it differs.
    Raises: ValueError where fewer points than functions are left.
    Reference: Efron, Stein (1981), the jackknife; Schoenemann (1966), the orthogonal Procrustes problem.
    """
    count = int(parts.max()) + 1
    if len(points) - int(np.bincount(parts).max()) < dictionary.size:
        raise ValueError(f"points: without a part there are fewer than {dictionary.size} rows.")
    frame = _Frame.of(np.asarray(points, dtype=np.float64), dictionary, levels.units)
    known = frame.moments(points, parts)
    size = np.sqrt(np.abs(np.diagonal(known.whole[0][0])))
    size = np.where(size > 0, size, 1.0)
    all_, found = levels.model.coefficients * size, []
    for part in range(count):
        fewer = _Fit.to(known.without(part), levels.count).vectors[:, : levels.count].T * size
        spanned = np.linalg.qr(fewer.T)[0].T
        # The nearest combinations of these.
        found.append(FeatureModel(frame.features, (all_ @ spanned.T) @ spanned / size))
    return found


def together(models: Sequence[FeatureModel]) -> Alternatives:
    """Models in one set of features, each without a part of the points.

    Returns: them together, with the shares of the jackknife.
    """
    count = len(models)
    every = FeatureModel(models[0].features, np.concatenate([each.coefficients for each in models]))
    return Alternatives(every, np.full(count, (count - 1) / count))


def _distance(model: FeatureModel, points: np.ndarray) -> float:
    values, slopes = jets(model, points)
    # Least-norm step to the level set, point by point: at a singular point of the set the pseudo-inverse ignores
    # what has no slope.
    steps = np.einsum("pnc,pc->pn", np.linalg.pinv(slopes, rcond=1e-6), values)  # p: points, n: coordinates
    spread = np.sqrt(np.mean(np.sum((points - points.mean(axis=0)) ** 2, axis=1)))
    return float(np.sqrt(np.mean(np.sum(steps**2, axis=1))) / spread)
