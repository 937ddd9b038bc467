"""Conserved quantities of a dynamical system, from its exact field or from noisy trajectories."""

from collections.abc import Callable
from dataclasses import replace
from functools import reduce
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Int

from .. import interop
from ..dictionary import AbstractDictionary, sized
from ..sampling import Moments, Numbered, Table, check_varying, moments
from ._checks import check_error
from ._conserved_along import Along, along_fields, walked
from ._conserved_basis import POINTS, graded_basis, independent
from ._conserved_changing import Changing
from ._conserved_drift import CERTAIN, drifts
from ._conserved_evidence import CANNOT_TELL, CLAIMED, NONE_HERE, SLOW, ConservedEvidence, settle
from ._conserved_family import Family
from ._conserved_memory import LEAST, NEAR, NOTE, explained
from ._conserved_paths import along_paths, held_out, reduced
from ._conserved_record import Conserved
from ._question import is_number
from ._trajectories import Trajectories, trajectories

DRAWN, ROWS = 12, 300  # trajectories that are kept for figures, and rows of each
EXACT = 1e-5  # error of trajectories besides white noise, where none is given: that of integrators, digits in files
FOLDS = 5
NOISY = 0.3  # noise, over the spread of a column, above which it is not told from motion


def conserved(
    system: Any,
    dictionary: AbstractDictionary | str | Callable[[int], AbstractDictionary],
    *,
    x: Any = None,
    t: Any = None,
    groups: Any = None,
    error: float | None = None,
    min_gap: float = 5.0,
    names: list[str] | tuple[str, ...] | None = None,
) -> Conserved:
    """The functions I = c . f that a dynamical system conserves, from its field or from its trajectories.

    Of a field U: DI(x) U(x) = 0 at all points x, the null space of a matrix of one row a point. Of trajectories: I is
    constant along each but not the same on all, which needs no derivative in time,

        rho(c)^2 = (variation of I within trajectories - noise) / (variation of I over all - noise)

    by a generalised eigenproblem. Noise, white in time, is measured from the data, what it does to each function is
    taken off both sides, and what it leaves open is the resolution. Constants, and relations that all rows fulfil, are
    counted out. Columns are measured in their own spreads from their own means: units and origins change nothing.

    Arguments:
        system: the field U, one state (n,) -> its velocity (n,), any callable or foreign model; or trajectories: a list
            of states (T, n), an array (trajectories, T, n), or one table (N, n) with `groups`; those that lie elsewhere
            are collected.
        dictionary: the D functions f of the n columns, or their text, such as "polynomials(2)". Polynomials and
            functions of your own go together by `lieder.dictionary.union`.
        x: (N, n) states at which the field is asked; only with a field. N of at least D. An array, a data frame, an
            iterable of batches, a jax.Array over devices or processes, or a Dask collection, as in `function`: the
            field is asked where they are.
        t: times of trajectories: their step, one array for all, a list of arrays, or (N,) with `groups`; default 1
            apart.
        groups: (N,) labels that tell the trajectories of one table apart.
        error: relative error of the field, or of the data besides white noise; defects below it are not told from zero.
            Default: rounding for a field, 1e-5 for trajectories (integrators, digits in files).
        min_gap: least ratio of defects that is taken for an answer (default 5).
        names: of the columns, default those of a data frame or x0, x1, ...
    Returns: Conserved.
    Raises: ValueError, TypeError: a field without x; x with trajectories; one trajectory; fewer rows than functions;
        times that do not increase; NaN, constant columns, other widths; functions that are not finite at a row.
    Example:
        >>> import jax.numpy as jnp
        >>> import numpy as np
        >>> import lieder as ld
        >>> oscillator = lambda z: jnp.stack([z[1], -4 * z[0]])
        >>> states = np.random.default_rng(0).normal(size=(40, 2))
        >>> found = ld.discover.conserved(oscillator, "polynomials(2)", x=states, names=["x", "v"])
        >>> found.expressions()
        ['x^2 + 1/4 v^2']
        >>> values = np.stack([np.cos(np.linspace(0, 5, 99)), -2 * np.sin(np.linspace(0, 5, 99))], axis=1)
        >>> runs = [size * values for size in (1, 2, 3)]
        >>> ld.discover.conserved(runs, "polynomials(2)", t=5 / 196, names=["x", "v"]).expressions()
        ['x^2 + 1/4 v^2']

    Reference: Kaiser, Kutz and Brunton, Discovering conservation laws from data for control, CDC 2018 (the null space);
        Liu and Tegmark, Machine learning conservation laws from trajectories, PRL 126, 2021 (their number).
    """
    check_error(error)
    if not is_number(min_gap) or not 1.0 < min_gap < np.inf:
        raise ValueError(f"min_gap must be a finite number above 1 (it is a ratio of defects), got {min_gap!r}.")
    if callable(system) or interop.is_foreign(system):
        for name, given in (("t", t), ("groups", groups)):
            if given is not None:
                raise ValueError(f"{name} belongs to trajectories, but a field was given; leave it out.")
        return _of_field(system, dictionary, x, error or 0.0, min_gap, names)
    if x is not None:
        raise ValueError("x belongs to a field: trajectories bring their own states. Leave x out.")
    data = trajectories(system, t, groups, names)
    return _of_trajectories(data, sized(dictionary, len(data.names)), EXACT if error is None else error, min_gap)


def _of_field(U: Any, dictionary: Any, x: Any, error: float, min_gap: float, names: Any) -> Conserved:
    if x is None:
        raise ValueError("x must be given with a field: the states, rows of n columns, at which it is asked.")
    data = interop.rows_of(x, "x", names).repeatable()
    where = data.over(_measured, Moments.merge, 2**16)
    check_varying(where.low, where.high, data.names, "x")
    functions, count = sized(dictionary, data.width), int(where.weight)
    _check_enough(count, functions.size, "x")
    whole = None if data.whole is None else np.asarray(data.whole, np.float64)
    field = interop.adapted(U, whole, "system", data.names)
    shown, compared = _evenly(count, ROWS), _evenly(count, POINTS)
    kept = np.union1d(shown, compared)
    family, found = walked(field, data, functions, where, kept)
    given = Given(error, "rounding" if error == 0.0 else "the given relative error of the field", min_gap)
    shown, compared = (found.states[np.searchsorted(kept, some)] for some in (shown, compared))
    seen = Seen(_drawn(shown, data.names), compared, count)
    return _of_along(family, found.along, given, seen, "conserved quantities of a field")


def _measured(batches: Numbered) -> Moments:
    return reduce(Moments.merge, (moments(x) for _, x in batches))


def _evenly(rows: int, most: int) -> Int[np.ndarray, " k"]:
    """The numbers of at most so many rows, evenly spaced."""
    return np.linspace(0, rows - 1, min(most, rows)).astype(int)


class Seen(NamedTuple):
    """What is kept of the states: those `shown` in figures, those at which gradients are `compared`, how many there
    were."""

    shown: Trajectories
    compared: Float[np.ndarray, "p n"]
    rows: int


class Given(NamedTuple):
    """How far defects are believed: the relative error of the fields, where it comes from, and the least gap."""

    error: float
    source: str
    min_gap: float


def of_fields(data: Table, u: Float[np.ndarray, "fields N n"], dictionary: Any, given: Given, method: str) -> Conserved:
    """What none of some fields changes, from their velocities at points whose columns vary.

    Arguments: `data`, the points; `u` (k, N, n); `dictionary` as in `conserved`; `given`; `method` in words.
    """
    points = data.values
    functions = sized(dictionary, points.shape[1])
    _check_enough(len(points), functions.size, "x")
    family = Family.of(functions, points)
    shown, compared = (points[_evenly(len(points), most)] for most in (ROWS, POINTS))
    seen = Seen(_drawn(shown, data.names), compared, len(points))
    return _of_along(family, along_fields(family, points, u, data.names), given, seen, method)


def _drawn(states: Float[np.ndarray, "k n"], names: tuple[str, ...]) -> Trajectories:
    """States in no order, for figures."""
    return Trajectories((states,), (np.arange(len(states), dtype=float),), names)


def _of_along(family: Family, along: Along, given: Given, seen: Seen, method: str) -> Conserved:
    changing = along.changing(given.error)
    dim, slow, evidence = settle(changing.defects, changing.resolutions, given.source, given.min_gap, 0.0)
    evidence = replace(evidence, constant=len(changing.constant))
    return record(family, changing, (dim, slow), evidence, seen, method)


def _of_trajectories(data: Trajectories, functions: AbstractDictionary, error: float, min_gap: float) -> Conserved:
    rows, count = data.rows, len(data.states)
    _check_enough(len(rows) - count, functions.size, "trajectories")
    family = Family.of(functions, rows)
    paths = reduced(family, data.times, data.states, data.names)
    changing = along_paths(paths, error)
    changing = _told_by_drift(family, changing, data, min_gap, max(error, EXACT))
    source = "one standard error of what noise makes of a constant function"
    dim, slow, evidence = settle(changing.defects, changing.resolutions, source, min_gap, EXACT)
    noise = np.sqrt(np.diag(paths.noise))
    notes = []
    folds = min(FOLDS, count)
    checked = dim + slow if dim + slow < count - -(-count // folds) else 0  # fewer trajectories show fewer functions
    held, repeats = held_out(paths, checked, folds) if checked else (np.zeros(0), None)
    if np.any(noise > NOISY):
        column = data.names[int(np.argmax(noise))]
        notes.append(
            f"between neighbouring rows column '{column}' jumps by {100 * noise.max():.0f} % of its spread: rows are"
            " too far apart in time, or too noisy, to tell motion from noise"
        )
    lost = held > np.maximum(
        min_gap * changing.resolutions[: len(held)], np.maximum(SLOW, 3 * changing.defects[: len(held)])
    )
    if np.any(lost | np.isnan(held)):
        notes.append("trajectories that were held out contradict what was found from the others")
    if evidence.verdict == NONE_HERE and changing.defects[0] < NEAR:
        if explained([family.values(one) for one in data.states], changing.directions[0]) < LEAST:
            notes.append(NOTE)
    if notes:
        dim, slow, held = 0, 0, np.zeros(0)
        evidence = replace(evidence, verdict=CANNOT_TELL)
    elif dim and not checked:
        more = f"{count} trajectories show {count - 1} functions at most"
        notes.append(f"{more}, and leave none to check them by; give more, to see whether there are others")
    alike = repeats is not None and repeats.shape[1] == len(changing.defects)
    evidence = replace(
        evidence,
        constant=len(changing.constant),
        hidden=changing.hidden,
        noise=noise * family.scale,
        held=held,
        intervals=np.stack([repeats.min(axis=0), repeats.max(axis=0)], axis=1)
        if repeats is not None and alike
        else None,
        notes=tuple(notes),
    )
    chosen = np.unique(np.linspace(0, count - 1, min(DRAWN, count)).astype(int))
    thin = [np.linspace(0, len(data.times[i]) - 1, min(ROWS, len(data.times[i]))).astype(int) for i in chosen]
    kept = Trajectories(
        tuple(data.states[i][rows] for i, rows in zip(chosen, thin, strict=True)),
        tuple(data.times[i][rows] for i, rows in zip(chosen, thin, strict=True)),
        data.names,
    )
    seen = Seen(kept, rows[_evenly(len(rows), POINTS)], len(rows))
    found = record(family, changing, (dim, slow), evidence, seen, "conserved quantities of trajectories")
    return replace(found, trajectories=count, evidence=_with_drift(found, data))


def _told_by_drift(family: Family, changing: Changing, data: Trajectories, min_gap: float, error: float) -> Changing:
    """Resolutions of functions that might pass for conserved, but whose values drift in time clearly: these change."""
    near = np.flatnonzero(changing.defects <= CLAIMED * np.maximum.accumulate(changing.resolutions))
    chance = np.ones(len(changing.defects))
    if len(near):
        values = [family.values(one) @ changing.directions[near].T for one in data.states]
        spread = np.maximum(np.concatenate(values).std(axis=0), np.finfo(float).tiny)
        chance[near] = drifts(data.times, values, spread)[1]
    seen = np.minimum(changing.resolutions, np.maximum(changing.defects / (1.02 * min_gap), error))
    return replace(changing, resolutions=np.where(chance < CERTAIN / max(len(near), 1), seen, changing.resolutions))


def _with_drift(found: Conserved, data: Trajectories) -> ConservedEvidence:
    """The evidence with how fast each found function changes on average."""
    rows = np.concatenate([found.basis, found.slow])
    if len(rows) == 0:
        return replace(found.evidence, drift=np.zeros((0, 3)))
    values = [np.concatenate([found.transform(one), found.transform(one, slow=True)], axis=1) for one in data.states]
    return replace(found.evidence, drift=drifts(data.times, values, found.spread)[0])


def record(
    family: Family,
    changing: Changing,
    counts: tuple[int, int],
    evidence: ConservedEvidence,
    seen: Seen,
    method: str,
) -> Conserved:
    """What was found, in the user's units and in a simple basis.

    Arguments: `family`, `changing`; `counts`, of conserved and of slow functions; `evidence`; `seen`, of the
        states; `method`, in words.
    Returns: Conserved.
    """
    dim, slow = counts
    to_user = np.linalg.inv(family.change.T)
    numerator, denominator = changing.numerator @ family.change.T, changing.denominator @ family.change.T
    directions = changing.directions @ to_user.T
    powers = family.dictionary.exponents
    degrees = np.zeros(family.dictionary.size) if powers is None else powers.sum(axis=1).astype(np.float64)

    def simple(first: int, stop: int) -> np.ndarray:
        chosen = slice(first, stop)
        if first == stop:
            return np.zeros((0, family.dictionary.size))
        worst = float(np.max(np.linalg.norm(numerator @ directions[chosen].T, axis=0)
                             / np.linalg.norm(denominator @ directions[chosen].T, axis=0)))  # fmt: skip
        room = np.sqrt(worst**2 + np.max(changing.open[chosen]))
        limit = float(max(1.1 * room, 1e-10))
        return graded_basis(directions[chosen], numerator, denominator, degrees, limit)

    basis, slowly = simple(0, dim), simple(dim, dim + slow)
    number, order = independent(basis @ family.change, family, seen.compared, evidence.resolution)
    found = np.concatenate([basis[order], slowly])
    spread = np.linalg.norm(denominator @ found.T, axis=0) / np.sqrt(seen.rows)
    return Conserved(
        dictionary=family.dictionary,
        names=seen.shown.names,
        dim=dim,
        independent=number,
        basis=basis[order],
        slow=slowly,
        defects=changing.defects,
        directions=directions,
        spread=spread,
        evidence=evidence,
        numerator=numerator,
        denominator=denominator,
        rows=seen.rows,
        trajectories=0,
        times=seen.shown.times,
        states=seen.shown.states,
        method=method,
    )


def _check_enough(rows: int, functions: int, argument: str) -> None:
    if rows < functions:
        raise ValueError(
            f"{argument} gives {rows} rows for {functions} functions: some combination would be constant on any data."
            " Give more rows, or fewer functions."
        )
