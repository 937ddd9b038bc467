"""What the page of a discovery lets its reader move: directions as they are read, and examples carried along them."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from .. import report
from ..action import AbstractAction, moved, velocities
from ..interop import ForeignModel
from ._evidence import piled_up
from ._record import Record

FRAMES = 41  # positions of t, an odd number: the one in the middle is 0
REACH = 1.5  # spreads by which the column that is moved most is moved at the ends, as a rule
STEPS = 8  # of the integrator from one position to the next, each less than a hundredth of the spread
NUMBERS = 220_000  # in all flows together, two bytes each in a page
MOST, LEAST = 800, 40  # examples
INPUTS, OUTPUTS = 8, 4  # columns that can be looked at
KEPT = 0.5  # share of the examples that must stay within numbers for a misfit to be told


class Picked(NamedTuple):
    """A generator to show: its label, coefficients (q,), formula, and what it is read as."""

    label: str
    xi: Float[np.ndarray, " q"]
    text: str
    reading: str
    defect: float


class Explored(NamedTuple):
    """A discovery as it is explored: the candidates' action on `inputs` columns and outputs together, its held-out
    `pairs`, and the model, where it is at hand."""

    action: AbstractAction
    names: tuple[str, ...]
    inputs: int
    pairs: Float[np.ndarray, "held k"]
    model: Callable | ForeignModel | None
    dtype: np.dtype


def readings(found: Record) -> list[str]:
    """What each direction is: symmetric where it is claimed, broken where its defect is resolved, else undecided."""
    defects, e = found.defects, found.evidence
    if e.tolerance is not None:
        resolved = defects > max(e.tolerance, e.resolution)
    else:
        own = np.broadcast_to(e.resolution if e.resolutions is None else e.resolutions, defects.shape)
        resolved = defects > np.maximum(e.min_gap * own, piled_up(np.asarray(found.points).dtype))
    return [
        "symmetric" if k < found.dim else "broken" if resolved[k] and k not in e.weak else "undecided"
        for k in range(len(defects))
    ]


def directions(found: Record) -> "report.Directions":
    """The spectrum of a page, with the bounds of a certificate where there is one."""
    c, evidence = found.certificate, found.evidence
    if c is not None and len(c.defects):
        bounds = f"what holds at once with a confidence of {100 * (1 - c.alpha):g} %"
        return report.Directions(c.defects, c.lower, c.upper, c.readings, bounds, [(f"delta {c.delta:g}", c.delta)])
    lower, upper = (None, None) if evidence.intervals is None else evidence.intervals.T
    lines = [("resolution", evidence.resolution)] if evidence.resolution > 0 else []
    if evidence.tolerance is not None:
        lines.append(("tolerance", evidence.tolerance))
    bounds = "" if lower is None else "without one part of the data at a time"
    return report.Directions(found.defects, lower, upper, readings(found), bounds, lines)


def explorer(e: Explored, picked: Sequence[Picked], spectrum: "report.Directions") -> "report.Explorer":
    """Examples carried along some generators, of the columns that these move most."""
    groups = e.action.unit_groups()
    spread = _spread(e.pairs, groups)
    speeds = np.stack([np.sqrt(np.mean(velocities(e.action, p.xi, e.pairs) ** 2, axis=0)) / spread for p in picked])
    columns = _columns(speeds, e.inputs)
    outputs = int(np.sum(columns >= e.inputs))
    size = len(picked) * FRAMES * (len(columns) + (outputs if e.model is not None else 0))
    count = int(np.clip(NUMBERS // size, LEAST, MOST))
    rows = np.linspace(0, len(e.pairs) - 1, min(count, len(e.pairs))).astype(int)
    units = np.zeros(e.action.width, int)
    for number, group in enumerate(groups):
        units[np.asarray(group)] = number
    flows = [_flow(e, p, rows, columns, outputs, speed, spread) for p, speed in zip(picked, speeds, strict=True)]
    names = [e.names[column] for column in columns]
    return report.Explorer(names, outputs, units[columns].tolist(), spectrum, flows)


def _columns(speeds: np.ndarray, inputs: int) -> np.ndarray:
    """The columns that are moved most, inputs before outputs, in their order."""
    most = np.argsort(-speeds.max(axis=0), kind="stable")
    chosen = [most[most < inputs][:INPUTS], most[most >= inputs][:OUTPUTS]]
    return np.concatenate([np.sort(part) for part in chosen])


def _spread(pairs: np.ndarray, groups: Sequence[np.ndarray]) -> np.ndarray:
    """The spread of each column, one for all that share a unit; their size where they do not vary."""
    spread, size = np.std(pairs, axis=0), np.sqrt(np.mean(pairs**2, axis=0))
    out = np.ones(pairs.shape[1])
    for group in groups:
        widest = float(np.max(spread[group])) or float(np.max(size[group])) or 1.0
        out[np.asarray(group)] = widest
    return out


def _flow(
    e: Explored, p: Picked, rows: np.ndarray, columns: np.ndarray, outputs: int, speed: np.ndarray, spread: np.ndarray
) -> "report.Flow":
    times = REACH / max(float(speed.max()), 1e-12) * np.linspace(-1.0, 1.0, FRAMES)
    there = _carried(e.action, p.xi, e.pairs[rows], times)
    predicted = missed = None
    if e.model is not None and outputs:
        answers = _answers(e, there[:, :, : e.inputs])
        with np.errstate(over="ignore", invalid="ignore"):
            miss = np.sum(((answers - there[:, :, e.inputs :]) / spread[e.inputs :]) ** 2, axis=2)
            varying = np.sum(np.var(e.pairs[:, e.inputs :] / spread[e.inputs :], axis=0))
        good = np.isfinite(miss)
        sums = np.sum(np.where(good, miss, 0.0), axis=1) / np.maximum(np.sum(good, axis=1), 1)
        enough = np.mean(good, axis=1) >= KEPT
        missed = np.where(enough, np.sqrt(sums / (varying or 1.0)), np.nan)
        predicted = answers[:, :, columns[-outputs:] - e.inputs]
    shown = there[:, :, columns]
    return report.Flow(p.label, p.text, p.reading, p.defect, times, shown, predicted, missed, speed[columns])


def _carried(
    action: AbstractAction, xi: np.ndarray, start: np.ndarray, times: np.ndarray
) -> Float[np.ndarray, "T P k"]:
    """Points at all times, which are evenly spaced about 0; not finite where they have left.

    A nonlinear flow may leave the space in finite time, which an adaptive integrator approaches in thousands of steps:
    for a picture steps of one length do, by the classical Runge-Kutta method.
    """
    with np.errstate(over="ignore", invalid="ignore"):  # what leaves the range of numbers is not drawn
        if jax.eval_shape(lambda z: action.transformed(jnp.asarray(xi), z), start[0]) is not None:
            there = np.array(moved(action, np.tile(xi, (FRAMES, 1)), start, times))
            there[FRAMES // 2] = start
            return there
        step = (times[1] - times[0]) / STEPS
        back, ahead = (_stepped(action, xi, start, way * step) for way in (-1.0, 1.0))
    return np.concatenate([back[:0:-1], ahead])


def _stepped(action: AbstractAction, xi: np.ndarray, start: np.ndarray, step: float) -> Float[np.ndarray, "half P k"]:
    """Points from where they start, every `STEPS` steps."""
    here, out = start, [start]
    for _ in range(FRAMES // 2):
        for _ in range(STEPS):
            k1 = velocities(action, xi, here)
            k2 = velocities(action, xi, here + step / 2 * k1)
            k3 = velocities(action, xi, here + step / 2 * k2)
            k4 = velocities(action, xi, here + step * k3)
            here = here + step / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
        out.append(here)
    return np.stack(out)


def _answers(e: Explored, inputs: Float[np.ndarray, "T P n"]) -> Float[np.ndarray, "T P m"]:
    """The model at carried inputs; not finite where these are not."""
    usable = np.all(np.isfinite(inputs), axis=2)
    safe = np.where(usable[:, :, None], inputs, inputs[FRAMES // 2]).astype(e.dtype)
    flat = safe.reshape(-1, safe.shape[2])
    model = e.model
    assert model is not None  # our own bug
    with jax.enable_x64(e.dtype == np.float64):
        found = model.values(flat) if isinstance(model, ForeignModel) else jax.jit(jax.vmap(model))(flat)
        found = np.asarray(found, np.float64).reshape(*usable.shape, -1)
    return np.where(usable[:, :, None], found, np.nan)
