"""Finite symmetries of a model or of data: which elements of a given group hold, and the subgroup they form."""

import dataclasses
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from .. import interop, models
from ..action import AbstractAction, AbstractFibreAction, check_same_algebra, discrete_elements, linear, points, scalars
from ..algebra import FiniteGroup, LieAlgebra, check_closed, extended, generated, permutations
from ..interop import ForeignModel
from ..sampling import Stream
from ._checks import all_rows, check_error, check_sides, check_table, check_width, checked_names
from ._doubt import unexplained
from ._evidence import CANNOT_TELL, SYMMETRIES
from ._finite_symmetries import FiniteSymmetries
from ._function import at_labels, output_width, streamed
from ._group_decision import DELTA, FiniteEvidence, checked_rule, largest_subgroup, readings, verdict_of
from ._group_scores import ENOUGH, Elements, Judged, points_for, predicted, scores
from ._networks import is_trained, own_doubt, unmeasured
from ._question import Question


class Asked(NamedTuple):
    """A model, what is known of it, points to judge it at, and what to say of it."""

    judged: Judged
    points: np.ndarray
    names: tuple[str, ...]
    source: str
    unknown: str = ""
    one_sided: str = ""
    described: str = ""
    placebo: Callable | ForeignModel | None = None


def finite(
    F,
    x=None,
    *,
    source: "AbstractAction | ArrayLike",
    target: "AbstractFibreAction | ArrayLike | None" = None,
    fit="auto",
    error: float | None = None,
    labels=None,
    delta: float = DELTA,
    min_gap: float = 5.0,
    tolerance: float | None = None,
    period: ArrayLike | None = None,
    names: list[str] | None = None,
    output_names: list[str] | None = None,
    seed: int = 0,
) -> FiniteSymmetries:
    """Which elements of a finite group are symmetries, each scored by itself, and the largest subgroup that holds.

        K_g F = F,   (K_g F)(x) = g^-1 F(g x);   rho(g)^2 = mean |F(g x) - g F(x)|^2 / mean (c(x)^2 + |g F(x) - F(x)|^2)

    with c the change that a motion as long as that from x to g x makes in a model without symmetry.

    Arguments:
        F: a model, one example (n,) -> one output (m,), of any kind that `discover.function` takes; or a pair of tables
            (x, y), to which a model is fitted.
        x: (N, n) sample points of a model; none where F is a pair.
        source: how the group acts on inputs: an action whose algebra has discrete elements, such as
            vectors(algebra.polygon(7)); all products of these are tested. Or matrices (G, n, n), or (G, n, n + 1) for
            affine maps, that are a group already. Generators that an algebra has besides are not asked.
        target: the same on outputs: an action of the same algebra, or matrices (G, m, m); default: outputs stay. With
            `vectors(g) * pseudoscalars(g, -1)` models are found that change their sign: x' = U(x) under the reversal of
            time.
        fit: of data, as in `dataset`: "auto", a family, a dictionary, a regressor.
        error: of a given model, its error relative to the variation of its values; labels: (N, m) or (N,) what it
            should have returned at x, not used in its training. Elements that take x to where none are then cannot be
            told. Without both the model is taken at its word everywhere, as far as its rounding.
        delta: the relative defect that the data must rule out for an element to hold; default .3, since broken ones
            seldom have less. min_gap: multiples of its standard error from which a defect is broken, default 5.
        tolerance: a cut of your own instead: defects up to it hold, larger ones are broken.
        period: shifts, (d, n), after which the model repeats: translations are counted modulo these.
        names, output_names: of columns. seed: of what is drawn at random.
    Returns:
        FiniteSymmetries.
    Raises:
        ValueError: a group that is none (its closure is named), infinite, or of more than 10^6 elements; data and
            actions that do not fit, and what `function` and `dataset` refuse. TypeError: sources that are no actions.
    Reference: Otto, Zolman, Kutz, Brunton (2025), section 4 (K_g); the relative defect is lieder's.
    """
    checked_rule(delta, min_gap, tolerance)
    check_error(error)
    acting, onto, group = checked_group(source, target, period)
    given = Given(F, x, acting, onto, fit, error, labels, names, output_names, seed)
    asked, onto = asked_of(given, group)
    return answered(asked, Elements(acting, onto, group), delta, min_gap, tolerance)


def answered(
    asked: Asked,
    elements: Elements,
    delta: float,
    min_gap: float,
    tolerance: float | None,
    method: str = "Finite symmetries",
    notes: tuple[str, ...] = (),
) -> FiniteSymmetries:
    """The record, from a model and the elements that act."""
    group = elements.group
    found = scores(elements, asked.judged, asked.points)
    each = readings(found, delta, min_gap, tolerance, asked.unknown, asked.one_sided)
    numbers, each, closes, why = largest_subgroup(group, each)
    verdict = verdict_of(each, len(numbers), found)
    told = [*notes]
    if asked.unknown:
        told.append(asked.unknown)
    elif verdict == CANNOT_TELL and asked.one_sided and found.moved[1:].any():
        told.append(asked.one_sided)
    still = int((~found.moved[1:]).sum())
    if still:
        told.append(f"{still} element{'s' * (still > 1)} besides the identity move no point and are left aside")
    if verdict == SYMMETRIES and asked.placebo is not None:
        plain = scores(elements, dataclasses.replace(asked.judged, model=asked.placebo, alternatives=()), asked.points)
        brought = [k for k in numbers[1:] if plain.defects[k] <= max(found.defects[k], 1e-6)]
        if len(brought) == len(numbers) - 1:
            told.append(
                "the family brings these elements itself: fitted to the same labels in a random order it has them. That"
                " they are the data's rests on the family's fit"
            )
    evidence = FiniteEvidence(
        verdict,
        tuple(each),
        found.resolutions,
        asked.source,
        found.covered,
        found.away,
        delta,
        min_gap,
        tolerance,
        closes,
        why,
        asked.described,
        tuple(told),
    )
    defects = np.where(found.moved, found.defects, 0.0)
    return FiniteSymmetries(
        elements.source,
        elements.target,
        group,
        defects,
        numbers,
        group.identify(numbers),
        evidence,
        asked.names,
        method,
    )


class Given(NamedTuple):
    """What the caller gives of a model or of data, by the names of the arguments."""

    F: Any
    x: Any
    source: AbstractAction
    target: AbstractFibreAction | None
    fit: Any
    error: float | None
    labels: Any
    names: Any
    output_names: Any
    seed: int


def asked_of(given: Given, group: FiniteGroup) -> tuple[Asked, AbstractFibreAction | None]:
    """What is asked of a model or of data; `target` with its width where it was left out and none is known."""
    F, x, source, target = given[:4]
    if isinstance(F, tuple):
        if x is not None or len(F) != 2:
            raise ValueError("F: data come as one pair, finite((x, y), ...), without another x.")
        if given.error is not None or given.labels is not None:
            raise ValueError("error and labels say how well a given model is known; for data leave them out.")
        return _of_data(given, group), target
    if x is None:
        raise ValueError("x: give the sample points of the model, finite(F, x, ...), or data as finite((x, y), ...).")
    data = streamed(x, given.names)
    check_width(data.names, data.rows, source, data.argument, "source")
    model = interop.adapted(F, data.whole, "F", data.names)
    m = target.width if target is not None else output_width(model, data)
    return _of_model(given, model, data, m, group), target


def _of_model(given: Given, model: Callable | ForeignModel, data: Stream, m: int, group: FiniteGroup) -> Asked:
    source, target, error, labels, seed = given.source, given.target, given.error, given.labels, given.seed
    outputs = checked_names(given.output_names, m, "output_names", [f"y{i}" for i in range(m)])
    fit = scalars(source.algebra, m) if target is None else target
    count = points_for(group.order, data.width, m, 0 if labels is None else 1)
    data = data.repeatable()
    sample = data.sample(count)
    check_table(all_rows(sample, "x", list(data.names)), "x")
    known, where = "rounding", ""
    floor, alternatives, among, unknown, one_sided, seen = 0.0, (), None, "", "", None
    if labels is not None:
        among, every = at_labels(data, labels, m, seed)
        judged = models.judge(model, among, every, seed)
        floor, alternatives = max(error or 0.0, judged.resolution), (judged.alternatives,)
        rows = np.linspace(0, len(among) - 1, min(count, len(among))).astype(int)
        sample, seen = among[rows].astype(data.dtype), every[rows]
        unknown = unexplained(judged.gain, fit, outputs, every)
        known = "what the labels say of the model"
        where = f"given, relative error {judged.error:.2g} at {len(among)} rows with labels"
    elif error is not None:
        floor, known = float(error), "the given relative error of the model"
    else:
        question = Question(
            source,
            fit,
            data.names + outputs,
            "finite symmetries",
            known_by="labels= (of rows that F has not seen in training) or error=",
        )
        one_sided = unmeasured(question) if is_trained(model) else ""
        alternatives, why = own_doubt(question, model, sample)
        known = why or f"rounding in {sample.dtype}"
    values = predicted(model, sample, m)
    if not np.isfinite(values).all():
        row = int(np.flatnonzero(~np.isfinite(values).all(axis=1))[0])
        raise ValueError(f"F returns NaN or inf at ({', '.join(f'{v:.6g}' for v in sample[row][:6])}) of x.")
    judged_ = Judged(model, m, floor, alternatives, among, seen)
    return Asked(judged_, sample, data.names + outputs, known, unknown, one_sided, where)


def _of_data(given: Given, group: FiniteGroup) -> Asked:
    (x, y), source, target = given.F, given.source, given.target
    inputs, outputs = all_rows(x, "x", given.names), all_rows(y, "y", given.output_names)
    m = outputs.values.shape[1]
    onto = scalars(source.algebra, m) if target is None else target
    check_sides(inputs, outputs, source, onto)
    check_table(inputs, "x")
    check_table(outputs, "y")
    fitted = models.fit(inputs.values, outputs.values, given.fit, seed=given.seed, argument="fit")
    rows = fitted.test if len(fitted.test) >= ENOUGH else np.arange(len(inputs.values))
    values = np.asarray(inputs.values, np.float64)
    count = points_for(group.order, values.shape[1], m, len(fitted.alternatives.shares))
    chosen = rows[np.linspace(0, len(rows) - 1, min(count, len(rows))).astype(int)]
    return Asked(
        Judged(
            fitted.model,
            m,
            fitted.resolution,
            (fitted.alternatives,),
            values,
            outputs.values[chosen].astype(np.float64) if len(rows) == len(fitted.test) else None,
        ),
        values[chosen],
        inputs.names + outputs.names,
        "how much the fitted model differs between fits without a part of the rows, and the smooth part of its held-out"
        " error",
        unexplained(fitted.gain, onto, outputs.names, outputs.values),
        "",
        f"{fitted.family}, held-out relative error {fitted.error:.2g}",
        fitted.placebo,
    )


def checked_group(source, target, period) -> tuple[AbstractAction, AbstractFibreAction | None, FiniteGroup]:
    """The group, and how it acts on both sides."""
    if isinstance(source, AbstractAction):
        algebra = source.algebra
        if not discrete_elements(algebra):
            raise ValueError(
                f"source: {algebra.name} has no discrete elements to be tested. Take a finite group, such as"
                " ld.algebra.polygon(4), symmetric(3), signs(2) or point_group('C3v'); or search with"
                " ld.discover.finite_search."
            )
        if target is not None and not isinstance(target, AbstractFibreAction):
            raise TypeError(f"target must be an action of {algebra.name} as source is, got {type(target).__name__}.")
        if target is not None:
            check_same_algebra(source, target)
        assert isinstance(algebra, LieAlgebra)  # our own bug
        return source, target, generated(algebra, period=period)
    if isinstance(source, AbstractFibreAction | LieAlgebra | str) or callable(source):
        raise TypeError(
            f"source must be an action of a finite group, such as ld.vectors(ld.algebra.polygon(4)), or matrices"
            f" (G, n, n), got {type(source).__name__}."
        )
    group = check_closed(source, "source")
    nothing = permutations(np.zeros((0, group.maps.shape[1]), int))
    algebra = extended(nothing, group.generators, "the given group")
    onto = None if target is None else _given(algebra, target, len(group.generators))
    return points(algebra), onto, dataclasses.replace(group, name=algebra.name)


def _given(algebra: LieAlgebra, target, count: int) -> AbstractFibreAction:
    if isinstance(target, AbstractFibreAction):
        raise TypeError("target must be matrices (G, m, m) where source is, one for each.")
    maps = np.asarray(target, dtype=np.float64)
    if maps.ndim != 3 or len(maps) != count:
        raise ValueError(f"target must hold one matrix for each of the {count} of source, got shape {maps.shape}.")
    try:
        return linear(algebra, np.zeros((0, maps.shape[1], maps.shape[1])), maps)
    except ValueError as fault:
        raise ValueError(f"target: {fault}") from None
