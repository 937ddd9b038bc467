"""How well the derivative of a model is known, in the units of the defect and direction by direction."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import jax
import numpy as np
from jaxtyping import Float

from ..action import AbstractFibreAction
from ..derivative import lie_rows, slopes
from ..interop import ForeignModel, mapped
from ..linalg import TriangularFactor
from ..models import Alternatives
from ._question import Question

ERRORS = 1.0  # a defect within so many standard errors of the model's derivative is not told from zero
ROWS = 512  # on which it is measured
BYTES = 2**26  # for the rows of one batch
VARYING = 2.0  # a misfit runs over half the length of what is fitted: relative to DF it counts twice what it does to F

SURE = 3.0  # standard errors by which a model must predict better than the mean: a line fitted to noise may reach two
MODEL = "the model explains", "it predicts rows that it has not seen"
INPUTS = "the inputs explain", "nearby rows, and a plane through all, predict outputs"

Covectors = Callable[
    [], tuple[Float[np.ndarray, "points n"], Float[np.ndarray, "points covectors m"], Float[np.ndarray, " points"]]
]


@dataclass(frozen=True, eq=False)
class Doubt:
    """The resolution of every direction, resolution(xi)^2 = floor^2 + |factor xi|^2 / (mean of the denominator at xi).

    Fields: `floor`, along every direction; `source`, where it comes from; `factor` (r, q), ERRORS standard errors of L,
    root mean square over rows of weight one; `unknown`, why nothing can be claimed at all, or ""; `one_sided`, why a
    defect above the resolution tells nothing, though one below it does, or ""; `covectors` gives some points (p, n) or
    pairs of them with outputs, and for each those c covectors (p, c, m) on which the motion of a symmetry vanishes:
    slopes of a model, normals of a surface; and the weights of the points (p,).
    None where the model is not at hand.
    """

    floor: float
    source: str
    factor: Float[np.ndarray, "r q"] | None = None
    unknown: str = ""
    one_sided: str = ""
    covectors: Covectors | None = None

    def along(
        self, directions: Float[np.ndarray, "k q"], denominator: Float[np.ndarray, "s q"], weight: float
    ) -> Float[np.ndarray, " k"]:
        """The resolution of each direction; `denominator` summed over rows of that `weight`."""
        if self.factor is None or len(directions) == 0:
            return np.full(len(directions), self.floor)
        size = np.linalg.norm(denominator @ directions.T, axis=0) / np.sqrt(weight)
        return np.hypot(self.floor, np.linalg.norm(self.factor @ directions.T, axis=0) / size)


@dataclass(frozen=True, eq=False)
class Known:
    """What is known of a model besides its values.

    Fields: `error`, the relative error of its derivative, None where it has not been measured, and `source`, where that
    comes from; `alternatives`, other models that the data allow as well; `unknown`, why nothing is known, or "";
    `described`, the model in words.
    """

    error: float | None
    source: str
    alternatives: tuple[Alternatives, ...] = ()
    unknown: str = ""
    described: str = ""


def unexplained(
    gain: np.ndarray, target: AbstractFibreAction, names: Sequence[str], y: np.ndarray, what: tuple[str, str] = MODEL
) -> str:
    """Why nothing is known, when some group of outputs is predicted no better than by its mean; else "".

    Arguments: `gain` (m,), by how many standard errors better; `y` (N, m), the outputs; `what` predicts, and how.
    """
    # Outputs that never vary, such as the velocities of bodies at rest, leave nothing to be explained.
    groups = [group for group in target.unit_groups() if np.ptp(y[:, group], axis=0).any()]
    lost = [group for group in groups if not np.max(gain[list(group)]) > SURE]
    if not lost:
        return ""
    named = "" if len(lost) == len(groups) else " of " + ", ".join(names[int(i)] for g in lost for i in g)
    return f"{what[0]} nothing{named}: {what[1]} no better than their mean does"


def doubt_factor(
    question: Question,
    model: Callable | ForeignModel,
    alternatives: Alternatives,
    x: Float[np.ndarray, "rows n"],
    weights: Float[np.ndarray, " rows"],
    outputs: Float[np.ndarray, " m"],
) -> Float[np.ndarray, "r q"]:
    """ERRORS sqrt(sum_k share_k |L F_k - L F|^2), as a triangular factor, weighted mean over rows.

    `outputs` (m,): the factors that give outputs a common unit.
    """
    source, target = question.source, question.onto
    picked = np.linspace(0, len(x) - 1, min(len(x), ROWS)).astype(int)
    x, weights = np.asarray(x[picked], dtype=np.float64), weights[picked]
    if not weights.any():
        weights = np.ones(len(x))
    count, m, q = len(alternatives.shares), target.width, source.algebra.dim
    each = (count + 1) * m * (q + source.width)
    size = int(np.clip(BYTES // (8 * each), 1, len(x)))
    scale = ERRORS * np.sqrt(alternatives.shares)[:, None] * outputs
    factor = TriangularFactor.empty(q)
    known = _known(model, source.width, 1, m), _known(alternatives.model, source.width, count, m)
    with jax.enable_x64(True):
        for start in range(0, len(x), size):
            # Always one length, so that it is compiled once: the last batch looks back, at rows of no weight.
            begin = min(start, len(x) - size)
            batch = x[begin : begin + size]
            every = [lie_rows(source, target, batch, *one(batch)) for one in known]
            weight = np.where(np.arange(begin, begin + size) >= start, weights[begin : begin + size], 0.0)
            rows = (every[1] - every[0]) * scale[..., None] * np.sqrt(weight)[:, None, None, None]
            factor = factor.absorb(rows.reshape(-1, q))
    return factor.factor / np.sqrt(weights.sum())


def _known(f: Callable | ForeignModel, n: int, count: int, m: int) -> Callable[[np.ndarray], tuple[np.ndarray, ...]]:
    """From points (B, n) to values (B, K, m) and Jacobians (B, K, m, n)."""
    values = f.values if isinstance(f, ForeignModel) else mapped(f)
    slope = slopes(f, n, count * m)
    return lambda x: (
        np.asarray(values(x)).reshape(len(x), count, m),
        slope(x).reshape(len(x), count, m, n),
    )
