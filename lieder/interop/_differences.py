"""Jacobians of a predictor that only answers with values: central differences, with a step chosen per column."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from ._foreign import ForeignModel, rows

LARGEST = 0.3  # of a column's standard deviation: beyond it a difference says little about a derivative
SMALLEST = 1e-3  # of the same: below it, a predictor that is not smooth shows only its jumps
TRIALS = 14
SAMPLE = 128  # examples on which the step is chosen
BAD = 1e-2  # relative disagreement between the steps h and 2h above which a column does not count as smooth


@dataclass(frozen=True, eq=False)
class _Differences:
    """(F(x + h e_j) - F(x - h e_j)) / 2h for every column j, on a batch."""

    predict: Callable[[np.ndarray], np.ndarray]
    steps: np.ndarray

    def __call__(self, x: np.ndarray) -> np.ndarray:
        return np.stack([_slope(self.predict, x, j, h) for j, h in enumerate(self.steps)], axis=2)


def central_differences(
    predict: Callable[[np.ndarray], np.ndarray], x: Float[np.ndarray, "rows inputs"], seed: int = 0
) -> ForeignModel:
    """A batch predictor with Jacobians by central differences.

        dF/dx_j ~ (F(x + h_j e_j) - F(x - h_j e_j)) / 2 h_j

    A smooth predictor gets h_j = eps^(1/3) s_j, which balances rounding against curvature (s_j the standard deviation
    of column j, eps the rounding of the predictor's output). A column in which the predictor is not smooth (piecewise
    constant, as trees and nearest neighbours are: the derivative there is zero or infinite) is found by the differences
    at that step, which vanish or disagree with those at 2 h_j; there h_j is the step of a log grid from .001 to .3 s_j
    at which h_j and 2 h_j disagree least. `note` says which columns, which steps and how large the disagreement is.

    Arguments: `predict`, from (B, n) to (B, m) or (B,); `x` (N, n), examples that say where the predictor is used, and
    in which units; `seed`, of the examples on which the steps are chosen.
    Returns: the model.
    Raises: ValueError when `x` is not a table of finite numbers with at least two rows.
    Reference: Nocedal and Wright, Numerical Optimization, 2006, section 8.1.
    """
    x = rows(x)
    if len(x) < 2 or not np.isfinite(x).all():
        raise ValueError(
            f"x: expected at least two rows of finite numbers to choose the difference steps, got shape {x.shape}"
            f"{'' if np.isfinite(x).all() else ' with NaN or infinite entries'}."
        )
    predict = _Table(predict)
    sample = x[np.random.default_rng(seed).permutation(len(x))[:SAMPLE]]
    precision = np.finfo(np.result_type(predict(sample[:1]).dtype, np.float32)).eps
    scale = np.std(x, axis=0)
    # A constant column has no scale of its own: its size, or one.
    scale = np.where(scale > 0, scale, np.where(x[0] != 0, np.abs(x[0]), 1.0))
    small = float(precision ** (1 / 3))
    steps, rough = small * scale, {}
    for j in range(x.shape[1]):
        if not _is_smooth(predict, sample, j, scale[j], small):
            fraction, disagreement = _steadiest(predict, sample, j, scale[j])
            steps[j], rough[j] = fraction * scale[j], (fraction, disagreement)
    return ForeignModel(predict, _Differences(predict, steps), _note(small, rough, x.shape[1]), steps)


def coarser(model: ForeignModel) -> ForeignModel | None:
    """The same model with differences over twice the steps, which tell how far the derivatives can be trusted.

    Returns: the model; None when its derivatives are exact.
    """
    if model.steps is None:
        return None
    return replace(model, differentiate=_Differences(model.predict, 2 * model.steps), steps=2 * model.steps)


@dataclass(frozen=True, eq=False)
class _Table:
    """A predictor whose answer is always a table: (B,) becomes (B, 1)."""

    predict: Callable[[np.ndarray], np.ndarray]

    def __call__(self, x: np.ndarray) -> np.ndarray:
        y = np.asarray(self.predict(x))
        y = y if np.issubdtype(y.dtype, np.floating) else y.astype(np.float64)
        return y.reshape(len(x), -1)


def _slope(predict: Callable, x: np.ndarray, j: int, h: float) -> np.ndarray:
    ends = np.concatenate([x, x])
    ends[: len(x), j] += h
    ends[len(x) :, j] -= h
    y = predict(ends)
    # The step really taken, which rounding of x + h may have changed.
    taken = ends[: len(x), j] - ends[len(x) :, j]
    return (y[: len(x)] - y[len(x) :]) / taken[:, None]


def _is_smooth(predict: Callable, x: np.ndarray, j: int, scale: float, small: float) -> bool:
    near, twice, far = (_slope(predict, x, j, h * scale) for h in (small, 2 * small, LARGEST))
    moving = np.any(far != 0, axis=1).mean()
    if np.any(near != 0, axis=1).mean() < 0.5 * moving:
        return False  # flat almost everywhere, yet not over a longer step: piecewise constant
    # Against the long step as well: a flat column's slopes are rounding, and their disagreement means nothing.
    size = max(np.linalg.norm(twice), np.linalg.norm(far))
    return bool(np.linalg.norm(near - twice) <= BAD * size)


def _steadiest(predict: Callable, x: np.ndarray, j: int, scale: float) -> tuple[float, float]:
    """The step, in units of `scale`, at which the differences at h and 2h agree best; and how well, relatively."""
    best = (LARGEST, np.inf)
    for fraction in np.geomspace(LARGEST, SMALLEST, TRIALS):
        near, twice = _slope(predict, x, j, fraction * scale), _slope(predict, x, j, 2 * fraction * scale)
        size = np.linalg.norm(twice)
        disagreement = np.linalg.norm(near - twice) / size if size > 0 else np.inf
        if disagreement < best[1]:
            best = (float(fraction), float(disagreement))
    return best


def _note(small: float, rough: dict[int, tuple[float, float]], width: int) -> str:
    smooth = f"step {small:.1e} of each column's standard deviation"
    if not rough:
        return f"central differences, {smooth}"
    columns = ", ".join(f"{j} (step {step:.2g}, disagreement {gap:.0%})" for j, (step, gap) in rough.items())
    rest = "" if len(rough) == width else f"; other columns: {smooth}"
    return (
        "central differences; the predictor is not smooth (piecewise constant or noisy), so the steps are those, in "
        f"standard deviations of the column, at which h and 2h disagree least: columns {columns}{rest}"
    )
