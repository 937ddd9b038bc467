"""How far a model is from being symmetric under each element of a finite group, and how well that is known."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from ..action import AbstractAction, AbstractFibreAction, carried
from ..algebra import FiniteGroup
from ..derivative import full_precision, slopes
from ..interop import ForeignModel, mapped
from ..late import neighbors
from ..models import Alternatives
from ._evidence import CLAIMED, piled_up, rounding_floor

NUMBERS = 2**25  # kept at a time: images of the points under all elements
POINTS = 512  # at which elements of a model are judged, where so many fit
LABELLED = 2048  # the same of rows with labels: the more, the better they tell
FEWEST = 16
ROWS = 8192  # of a compiled call
NEAR = 0.9  # quantile of the distances of rows from the others, up to which a moved row counts as among these
ENOUGH = 40  # held-out labels that tell how well an element is known
# Share of the rows that must stay among the data. In many columns rows are far from each other, and what is moved off
# the data is hardly farther: then most are a little too far away, and those that are not tell nothing.
COVERED = 0.5
RESOLVED = 5.0  # standard errors from which on a violation is one


@dataclass(frozen=True, eq=False)
class Elements:
    """A finite group and how it acts on inputs and on outputs (None: these stay)."""

    source: AbstractAction
    target: AbstractFibreAction | None
    group: FiniteGroup


@dataclass(frozen=True, eq=False)
class Judged:
    """A model and what is known of it.

    Fields: `model`; `outputs`, their number; `floor`, the error of its values relative to their variation;
        `alternatives`, other models that the data allow as well; `among` (N, n), rows where it is known, None for
        everywhere; `labels` (B, m), what it should have returned at the points it is judged at, and has not seen.
    """

    model: Callable | ForeignModel
    outputs: int
    floor: float = 0.0
    alternatives: tuple[Alternatives, ...] = ()
    among: Float[np.ndarray, "N n"] | None = None
    labels: Float[np.ndarray, "B m"] | None = None


class Scores(NamedTuple):
    """For each element: its relative defect (NaN where all rows leave the data), the resolution of that, the defect
    that is ruled out, what rounding may pile up to, whether it moves the data, the share of the rows that stay among
    the data, and how far from there they are on the median."""

    defects: Float[np.ndarray, " G"]
    resolutions: Float[np.ndarray, " G"]
    upper: Float[np.ndarray, " G"]
    rounding: Float[np.ndarray, " G"]
    moved: Bool[np.ndarray, " G"]
    covered: Float[np.ndarray, " G"]
    away: Float[np.ndarray, " G"]


class Scale(NamedTuple):
    """`inputs` (n,) are measured in these units, `outputs` (m,) multiplied by these factors about `mean` (m,)."""

    inputs: Float[np.ndarray, " n"]
    outputs: Float[np.ndarray, " m"]
    mean: Float[np.ndarray, " m"]


def points_for(order: int, inputs: int, outputs: int, models: int) -> int:
    """How many points all elements can be judged at."""
    most = LABELLED if models else POINTS
    return int(np.clip(NUMBERS // (order * (inputs + outputs * (1 + models))), FEWEST, most))


@full_precision()
def scores(elements: Elements, judged: Judged, x: Float[np.ndarray, "B n"]) -> Scores:
    """rho(g) and its resolution for every element.

        rho(g)^2 = mean |F(g x) - g F(x)|^2 / mean (c(x)^2 + |g F(x) - F(x)|^2),
        c(x)^2 = min(|DF(x)|^2 |g x - x|^2, 2 var F),

    the change that a motion as long as that of g makes in a model without symmetry: at first order while it is short,
    and that between unrelated points where it is long. For a short motion it is the relative defect of a generator.
    """
    source, target, group, m = elements.source, elements.target, elements.group, judged.outputs
    dtype = x.dtype
    y = predicted(judged.model, x, m)
    scale = scale_of(source, target, x, y)
    others = [(one, predicted(one.model, x, m * len(one.shares))) for one in judged.alternatives]
    labels = [] if judged.labels is None else [judged.labels[:, None]]
    every = np.concatenate([y[:, None], *(v.reshape(len(x), -1, m) for _, v in others), *labels], axis=1)
    there, turned = carried(source, target, group, x.astype(np.float64), every.astype(np.float64))
    slope = np.asarray(slopes(judged.model, x.shape[1], m)(x), np.float64) * scale.outputs[:, None] * scale.inputs
    steep = np.sum(np.nan_to_num(slope, nan=np.inf) ** 2, axis=(1, 2))
    spread = float(np.mean(np.sum((scale.outputs * (y - scale.mean)) ** 2, axis=1)))
    size = float(np.mean(np.sum((scale.outputs * y) ** 2, axis=1)))
    near, away = _among(judged.among, there, scale)
    G, B = there.shape[:2]
    flat = there.reshape(G * B, -1).astype(dtype)
    values = predicted(judged.model, flat, m).reshape(G, B, m)
    usable = near & np.isfinite(values).all(axis=2) & np.isfinite(there).all(axis=2)
    share = usable.mean(axis=1)
    weight = usable / np.maximum(usable.sum(axis=1, keepdims=True), 1)

    def mean(squares: np.ndarray) -> np.ndarray:
        return np.sum(np.where(usable, squares, 0.0) * weight, axis=1)

    motion = np.sum(((there - there[0]) / scale.inputs) ** 2, axis=2)
    with np.errstate(invalid="ignore"):
        change = np.fmin(steep * motion, 2 * spread)
    left = np.sum((scale.outputs * (turned[:, :, 0] - y)) ** 2, axis=2)
    below = mean(change + left)
    above = mean(np.sum((scale.outputs * (values - turned[:, :, 0])) ** 2, axis=2))
    doubt = np.zeros(G)
    first = 1
    for one, _ in others:
        count = len(one.shares)
        further = predicted(one.model, flat, m * count).reshape(G, B, count, m)
        differ = (further - turned[:, :, first : first + count]) - (values - turned[:, :, 0])[:, :, None]
        doubt += mean(np.sum((scale.outputs * differ) ** 2, axis=3) @ one.shares)
        first += count
    moved = below > (1e-7 if dtype == np.float64 else 1e-4) ** 2 * max(size, spread, np.finfo(float).tiny)
    length = np.where(moved, below, 1.0)
    moved |= share == 0
    defects = np.where(share == 0, np.nan, np.sqrt(above / length))
    known = np.sqrt(doubt / length)
    upper = defects + CLAIMED * known
    if judged.labels is not None:
        # By how much F(g x) misses the labels, taken there by g, beyond what g F(x) does.
        apart = [scale.outputs * (turned[:, :, -1] - one) for one in (values, turned[:, :, 0])]
        gain = np.sum(apart[0] ** 2 - apart[1] ** 2, axis=2)
        own, ruled_out = _by_labels(gain, usable, defects, length)
        known, upper = np.where(ruled_out < upper, own, known), np.minimum(ruled_out, upper)
    # Rounding in F, and in g x, which F then stretches.
    turn = size + float(np.mean(np.nan_to_num(steep, posinf=0.0) * np.sum((x / scale.inputs) ** 2, axis=1)))
    rounded = np.sqrt(turn / length)
    floor = judged.floor * np.sqrt(2 * spread / length)
    least = np.hypot(floor, rounding_floor(dtype) * rounded)
    bound = upper + CLAIMED * least
    return Scores(defects, np.hypot(known, least), bound, piled_up(dtype) * rounded, moved, share, away)


def _by_labels(
    gain: Float[np.ndarray, "G B"], usable: Bool[np.ndarray, "G B"], defects: np.ndarray, length: np.ndarray
) -> tuple[Float[np.ndarray, " G"], Float[np.ndarray, " G"]]:
    """The resolution that held-out labels give, and what they rule out; infinite where they are too few.

    Their mean `gain` estimates e^2, the square of the truth's own violation, however noisy they are, with a standard
    error s. Above sqrt(e^2 + 3 s) it is ruled out. The model's defect d counts as zero where e^2 is within three s of
    it, and as resolved only where e^2 is.
    """
    count = usable.sum(axis=1)
    mean = np.where(usable, gain, 0.0).sum(axis=1) / np.maximum(count, 1)
    off = np.where(usable, gain - mean[:, None], 0.0)
    s = np.sqrt(np.sum(off**2, axis=1)) / np.maximum(count, 1) / length
    e2 = mean / length
    with np.errstate(divide="ignore", invalid="ignore"):
        known = np.where(s > 0, s / np.maximum(defects, np.sqrt(CLAIMED * s)), 0.0)
    known = np.where(e2 <= RESOLVED * s, np.maximum(known, defects / RESOLVED), known)
    known = np.where(e2 <= CLAIMED * s, np.maximum(known, defects / CLAIMED), known)
    upper = np.sqrt(np.maximum(e2, 0.0) + CLAIMED * s)
    return np.where(count >= ENOUGH, known, np.inf), np.where(count >= ENOUGH, upper, np.inf)


def scale_of(source: AbstractAction, target: AbstractFibreAction | None, x: np.ndarray, y: np.ndarray) -> Scale:
    """Units of columns that no element mixes: the rms of each group about its mean, of inputs and of outputs."""
    inputs = np.ones(x.shape[1])
    for group in source.unit_groups():
        inputs[group] = _spread(x[:, group])
    outputs = np.ones(y.shape[1])
    for group in [np.array([k]) for k in range(y.shape[1])] if target is None else target.unit_groups():
        outputs[group] = 1 / _spread(y[:, group])
    return Scale(inputs, outputs, y.mean(axis=0, dtype=np.float64))


def _spread(columns: np.ndarray) -> float:
    columns = columns.astype(np.float64)
    off = columns - columns.mean(axis=0)
    largest = np.abs(columns).max(initial=0.0)
    size = float(np.sqrt(np.mean(off**2)))
    if size <= 1e-12 * largest:  # columns that never vary
        size = float(np.sqrt(np.mean(columns**2)))
    return size if np.isfinite(size) and size > 0 else 1.0


def predicted(F: Callable | ForeignModel, x: Float[np.ndarray, "B n"], outputs: int) -> Float[np.ndarray, "B m"]:
    """The model at many points, compiled for few numbers of them."""
    if isinstance(F, ForeignModel):
        return np.asarray(F.values(x), np.float64).reshape(len(x), outputs)
    many = _many(F, outputs)
    size = min(ROWS, 1 << max(len(x) - 1, 1).bit_length())
    out = []
    with jax.enable_x64(x.dtype == np.float64):
        for start in range(0, len(x), size):
            part = x[start : start + size]
            full = np.concatenate([part, np.repeat(part[:1], size - len(part), axis=0)])
            out.append(np.asarray(many(jnp.asarray(full)), np.float64)[: len(part)])
    return np.concatenate(out)


def _many(F: Callable, outputs: int) -> Callable[[Array], Array]:
    return mapped(F, _shaped, outputs)


def _shaped(F: Callable, outputs: int) -> Callable[[Array], Array]:
    return lambda z: jnp.reshape(F(z), (outputs,))


def _among(among: np.ndarray | None, there: np.ndarray, scale: Scale) -> tuple[np.ndarray, np.ndarray]:
    """Which moved rows lie where the data lie, and how far off the median one is, in the usual distance of a row."""
    G, B, n = there.shape
    if among is None:
        return np.ones((G, B), bool), np.zeros(G)
    tree = neighbors.NearestNeighbors(n_neighbors=2).fit(among / scale.inputs)
    # A row at hand is its own neighbour; the next one tells how dense the data are.
    usual = float(np.quantile(tree.kneighbors(among / scale.inputs)[0][:, 1], NEAR))
    places = np.where(np.isfinite(there), there, 0.0).reshape(G * B, n) / scale.inputs
    distance = tree.kneighbors(places, n_neighbors=1)[0].reshape(G, B)
    return distance <= usual, np.median(distance, axis=1) / max(usual, np.finfo(float).tiny)
