"""Point symmetries of a partial differential equation, from samples of its solutions."""

import dataclasses
from collections.abc import Sequence
from functools import partial

import numpy as np
from jaxtyping import Float

from ..action import AbstractAction, points, prolong, rescaled, scalars
from ..algebra import aff
from ..derivative import full_precision
from ..sampling import grid_jets, is_regular, real_numbers, stream
from ._checks import check_action, check_count, checked_names
from ._decision import conclude
from ._doubt import Doubt, doubt_factor
from ._equation import Coordinates, FittedEquation, fitted_equation
from ._evidence import rounding_floor
from ._finite import finite_model
from ._question import Question, Rule
from ._reduce import reduce_model
from ._symmetries import Symmetries

LEAST = 8  # samples along each axis: fewer have no derivatives worth speaking of
ROWS = 2048  # jets at which candidates are judged
SOURCE = (
    "one standard error of the equation along the direction: between fits without a part of the solutions, with "
    "derivatives of less resolution, with each term that was left out, and without each found that the data can do "
    "without; and its misfit"
)


@full_precision()
def pde(
    u,
    grids,
    order: int,
    *,
    candidates: AbstractAction | None = None,
    time_order: int = 1,
    fit="sparse",
    degree: int | None = None,
    derivative: str | Sequence[str] = "auto",
    names: list[str] | None = None,
    tolerance: float | None = None,
    min_gap: float = 5.0,
    seed: int = 0,
) -> Symmetries:
    """The point symmetries of the equation u_t = f(t, x, u, u_x, u_xx, ...) that sampled solutions obey.

    Derivatives are taken from the samples, f is fitted to them, each candidate field theta on (t, x, u) is prolonged to
    the derivatives, and

        rho(xi)^2 = sum_i |pr theta (u_t - f)|^2 / sum_i |D(u_t - f)|^2 |pr theta|^2

    is minimised over points of the solutions, moved onto the equation by u_t := f. The variables and functions are
    measured in their own spreads, from their own means where these are larger, so that units and origins change
    nothing.

    Arguments:
        u: samples of one solution, (T, X) or (T, X, Y) for one function u and (m, T, X[, Y]) for m; of several, an
            array (S, m, T, X[, Y]) or a list of solutions.
        grids: the axes (t, x) or (t, x, y), increasing; those of all solutions.
        order: of the highest derivative in space.
        candidates: what acts on points (t, x[, y], u[, v, ...]); by default all affine fields.
        time_order: 2 for u_tt = f(t, x, u, u_t, u_x, ...); default 1.
        fit: "sparse" (default), few terms of all monomials in what f may depend on, or a family of
            `lieder.models.fit`, such as "mlp".
        degree: of the monomials; default 3 where there are at most 900 of them, else less.
        derivative: of all axes or one for each: "spectral" (one period on a regular grid, noise cut off), "local"
            (polynomials fitted to neighbours, which average noise out), "differences" (through neighbours; for exact
            data), or "auto": spectral in space where the samples are seen to be periodic, else local.
        names: of variables and functions, default t, x, y, u, v, w.
        tolerance, min_gap, seed: as in `function`; the seed also draws the points, of many.
    Returns:
        Symmetries of points (t, x[, y], u, ...), without outputs; `evidence.model` has the equation, its error and how
        derivatives were taken.
    Raises:
        ValueError, TypeError: samples that do not fit the grids, are not finite real numbers or never vary; axes that
            do not increase, or are not regular where Fourier series are asked for; candidates of another width.
    Reference: Hu, Li, Lin, Explicit Discovery of Nonlinear Symmetries from Dynamic Data, ICML 2025, equation 8; Olver,
        Applications of Lie Groups to Differential Equations, 1993, theorem 2.31. The moving onto the equation and the
        evidence are lieder's.

    >>> import numpy as np, lieder as ld
    >>> t, x = np.linspace(0, 1, 60), np.arange(64) * 2 * np.pi / 64
    >>> wave = lambda k, a: np.exp(-(k**2) * t[:, None]) * np.sin(k * x + a)
    >>> u = [wave(1, 0.3) + wave(2, a) + wave(3, a**2) for a in (0.1, 1.0, 2.0)]  # u_t = u_xx
    >>> found = ld.discover.pde(u, (t, x), 2)
    >>> print(found.dim, found.evidence.model.split(".")[0])
    6 u_t = 1 u_xx
    """
    rule = Rule(tolerance, min_gap, seed)
    for value, argument in ((order, "order"), (time_order, "time_order"), (degree, "degree")):
        check_count(value, argument)
    axes = _axes(grids)
    samples = _samples(u, axes)
    p, m = len(axes), samples.shape[1]
    named = checked_names(names, p + m, "names", ("t", "x", "y")[:p] + tuple("uvw"[:m] if m <= 3 else _numbered(m)))
    acting = points(aff(p + m)) if candidates is None else candidates
    check_action(acting, "candidates")
    if acting.width != p + m:
        raise ValueError(f"candidates act on {acting.width} coordinates, but {p + m} are needed: {', '.join(named)}.")
    methods = _methods(derivative, axes, named)
    jets = grid_jets(samples, axes, max(order, time_order), methods, seed)
    base = jets.rows[:, : p + m]
    where = Coordinates(named, p, order, time_order, *_origin_and_spreads(base, p, named))
    fitted = fitted_equation(jets, where, fit, degree, seed)
    return _symmetries(rule, acting, where, fitted)


def _symmetries(rule: Rule, acting: AbstractAction, where: Coordinates, fitted: FittedEquation) -> Symmetries:
    base, width = rescaled(acting, where.centre, where.size), acting.width
    lifted, m = prolong(base, where.independent, where.jets), where.functions
    method = "point symmetries of a partial differential equation"
    on_jets = Question(
        lifted, scalars(acting.algebra, m), (*where.all_names, *(f"F{a}" for a in range(m))), method, model="u_t - f"
    )
    every = np.linspace(0, len(fitted.on_shell) - 1, min(len(fitted.on_shell), ROWS)).astype(int)
    data = stream(fitted.on_shell[every], "u")
    nothing = np.zeros(lifted.width, bool)  # the equation knows derivatives that the solutions do not vary
    reduction = reduce_model(on_jets, fitted.equation, data, None, rule, nothing)
    sampled, weights, outputs = reduction.sampled, reduction.sampled_weights, reduction.outputs
    factors = [
        doubt_factor(on_jets, fitted.equation, others, sampled, weights, outputs) for others in fitted.alternatives
    ]
    doubt = Doubt(max(rounding_floor(reduction.dtype), fitted.misfit), SOURCE, np.concatenate(factors), fitted.unknown)
    on_base = dataclasses.replace(
        reduction,
        points=reduction.points[:, :width],
        values=reduction.values[:, :0],
        sampled=sampled[:, :width],
    )
    finite = partial(finite_model, fitted.equation, on_jets, reduction)
    found = conclude(Question(base, None, where.names, method), rule, on_base, doubt, finite, fitted.described)
    return dataclasses.replace(found, source=acting, points=found.points * where.size + where.centre)


def _numbered(count: int) -> tuple[str, ...]:
    return tuple(f"u{a + 1}" for a in range(count))


def _axes(grids) -> list[Float[np.ndarray, " _"]]:
    """The axes, or an error that names the one that is wrong."""
    if not isinstance(grids, Sequence) or len(grids) not in (2, 3):
        raise ValueError(f"grids must hold the axes (t, x) or (t, x, y), one array each, got {grids!r:.60}.")
    out = []
    for axis, name in zip(grids, ("t", "x", "y"), strict=False):
        values = np.asarray(real_numbers(axis, f"grids, {name}")[0], np.float64)
        if values.ndim != 1 or len(values) < LEAST:
            raise ValueError(f"grids: {name} must be one axis of at least {LEAST} samples, got shape {values.shape}.")
        if not np.isfinite(values).all():
            raise ValueError(f"grids: {name} holds NaN or inf.")
        step = np.diff(values)
        if not (step > 0).all():
            k = int(np.argmax(~(step > 0)))
            raise ValueError(
                f"grids: {name} must increase, but sample {k + 1} ({values[k + 1]:g}) comes after {values[k]:g}. Sort"
                " the samples, and drop repeated ones."
            )
        out.append(values)
    return out


def _samples(u, axes: list[np.ndarray]) -> Float[np.ndarray, "solutions fields *grid"]:
    """All solutions as one array."""
    grid = tuple(len(axis) for axis in axes)
    solutions = list(u) if isinstance(u, list | tuple) or np.ndim(u) == len(axes) + 2 else [u]
    if not solutions:
        raise ValueError("u is empty: give at least one solution.")
    out = []
    for number, solution in enumerate(solutions):
        what = "u" if len(solutions) == 1 else f"u, solution {number}"
        values = np.asarray(real_numbers(solution, what)[0], np.float64)
        values = values[None] if values.shape == grid else values
        if values.shape[1:] != grid or values.ndim != len(grid) + 1:
            raise ValueError(
                f"{what} has shape {np.shape(solution)}, but the grids have {grid} samples: give each solution as"
                f" {grid}, or as (m, {', '.join(map(str, grid))}) for m functions."
            )
        bad = np.argwhere(~np.isfinite(values))
        if len(bad):
            place = ", ".join(
                f"{name}={axes[i][k]:g}" for i, (name, k) in enumerate(zip("txy", bad[0][1:], strict=False))
            )
            raise ValueError(
                f"{what} holds NaN or inf, first at {place}. Derivatives need whole grids: cut off the times or places"
                " where samples are missing."
            )
        out.append(values)
    if len({len(values) for values in out}) > 1:
        raise ValueError("u: all solutions must have the same functions, got different numbers of them.")
    return np.stack(out)


def _methods(derivative, axes: list[np.ndarray], names: Sequence[str]) -> list[str]:
    known = ("auto", "spectral", "local", "differences")
    methods = [derivative] * len(axes) if isinstance(derivative, str) else list(derivative)
    if len(methods) != len(axes) or not all(method in known for method in methods):
        raise ValueError(
            f"derivative must be one of {', '.join(known)}, or one of these for each of {len(axes)} axes, got"
            f" {derivative!r}."
        )
    for method, axis, name in zip(methods, axes, names, strict=False):
        if method == "spectral" and not is_regular(axis):
            raise ValueError(
                f"derivative: 'spectral' needs a regular grid, but steps along {name} run from"
                f" {np.diff(axis).min():g} to {np.diff(axis).max():g}. Take 'local'."
            )
    return methods


def _origin_and_spreads(base: np.ndarray, p: int, names: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Of p variables and the functions. A function's mean below its spread stays in it: about another origin u^3
    would be four terms."""
    mean, spread = base.mean(axis=0), base.std(axis=0)
    still = spread <= 1e-12 * np.abs(base).max(axis=0)
    if still.any():
        raise ValueError(f"u: {names[int(np.argmax(still))]} never varies, so nothing can be learnt of it.")
    functions = np.arange(len(mean)) >= p
    return np.where(functions & (np.abs(mean) <= spread), 0.0, mean), spread
