"""Symmetries of a table of inputs and outputs: a fitted model where inputs fill their space, the graph where they do
not."""

import re
from dataclasses import replace
from typing import Literal, NamedTuple

import numpy as np

from .. import interop, models
from ..action import AbstractAction, AbstractFibreAction, check_same_algebra
from ..derivative import values
from ..dictionary import AbstractDictionary, polynomials
from ..interop import is_sklearn
from ..sampling import Stream, Table, common_spread, gather, groups_of, intrinsic_dimension
from ._checks import (
    all_rows,
    check_action,
    check_candidates,
    check_sides,
    check_table,
    check_width,
    checked_weights,
    moved_columns,
    units_of_columns,
)
from ._cloud import GRAPH, Search, graph_symmetries
from ._fitted import fitted_symmetries
from ._question import CERTIFICATE, Asked, Question, Rule
from ._symmetries import Symmetries

ACROSS = 0.01  # error across the set at which a polynomial near it is trusted: a hundredth of its own slope
MONOMIALS = 500  # in which it is sought
FITTED = "symmetries of a model fitted to data"
DECADES = 1e3  # outputs whose sizes differ by more (5 % to 95 %) are weighted relatively


def dataset(
    x,
    y,
    *,
    source: AbstractAction,
    target: AbstractFibreAction,
    fit="auto",
    weights: Literal["auto", "relative"] | np.ndarray | None = "auto",
    tolerance: float | None = None,
    min_gap: float = 5.0,
    names: list[str] | None = None,
    output_names: list[str] | None = None,
    seed: int = 0,
    evidence: Asked = "gap",
    delta: float = 0.05,
    alpha: float = 0.05,
    groups=None,
) -> Symmetries:
    """The symmetries of a table of inputs and outputs, and which route was taken.

    Where the inputs fill an open set (their estimated dimension is n) a smooth model is fitted, differentiated, and
    judged at held-out rows. Where they lie near a thinner set a polynomial is taken if it fits so well that its slopes
    across the set are determined as well, and otherwise the data as a cloud on a submanifold (`graph`). A given `fit`
    decides for a model.

    Arguments:
        x (N, n), y (N, m): arrays, data frames, memory maps or iterables of batches; rows belong together. Where `fit`
            is a dictionary or polynomials, and there are more than 32,768 rows, they are read batch by batch and not
            collected; otherwise, and with `groups` or a certificate, all are held in memory.
        source, target: how inputs and outputs are acted on.
        fit: "auto" (the two routes above, the model family by cross-validation), "graph", a family of
            `lieder.models.fit` ("polynomial(3)", "kernel", "mlp", "radial(-5,0)"), any `lieder.dictionary`, or a
            scikit-learn regressor.
        weights: "auto" (relative when the sizes of the outputs span more than three decades, else equal), "relative"
            (rows weighted by 1/|y|: each row's relative error counts alike), None, or (N,) numbers.
        tolerance, min_gap, names, output_names, seed: as in `function`.
        evidence: "gap", the largest gap between defects and nothing more (default), or "certificate": besides, at least
            and at most how many symmetries there are to within `delta`, with a confidence of 1 - `alpha`, for a model
            that is fitted or a graph (see `Certificate`). It changes nothing else of the answer.
        delta: the relative defect up to which a direction counts as a symmetry (default .05). alpha: the probability of
            an error, from .001 to .5 (default .05).
        groups: (N,) labels of rows that hang together (a planet, a trajectory, a batch): they are held out, and left
            out in cross-validation and in the repetitions, together, and the certificate takes them to be independent
            of each other only as groups. Defects are then those at all rows. They need a model: a graph refuses them.
    Returns:
        Symmetries; `evidence.model` says which model, its held-out error and the weights; `evidence.resolution` is
        the part of that error that is smooth in x, hence the model's and not the labels' noise.
    Raises: as `function`
        and `graph`.
    Reference: Otto, Zolman, Kutz, Brunton (2025), section 6; resolution: lieder's.
    """
    check_action(source, "source")
    check_action(target, "target", fibre=True)
    check_same_algebra(source, target)
    rule = Rule(tolerance, min_gap, seed, evidence, delta, alpha)
    _check_fit(fit)
    given = {"source": source, "target": target, "fit": fit, "names": names, "output_names": output_names}
    asked = interop.settings_mark(given | {"weights": _written(weights)} | vars(rule))
    if models.is_linear(fit) and groups is None and rule.evidence != CERTIFICATE:
        columns = _Columns(_stream(x, "x", names, asked), _stream(y, "y", output_names, asked))
        if columns.many:
            units = units_of_columns((x, columns.inputs), (y, columns.outputs))
            return _of_many(columns, units, source, target, fit, weights, rule)
        inputs, outputs = columns.gathered()
    else:
        inputs, outputs = all_rows(x, "x", names, asked), all_rows(y, "y", output_names, asked)
    check_sides(inputs, outputs, source, target)
    check_table(inputs, "x")
    check_table(outputs, "y")
    check_candidates(len(inputs.values), target.width, source.algebra.dim, "x")
    if groups is not None:
        rule = replace(rule, groups=groups_of(groups, len(inputs.values)))
    w, weighting = _weights(weights, outputs.values, source.algebra.dim, len(outputs.values))
    units = units_of_columns((x, inputs), (y, outputs))
    question = Question(source, target, inputs.names + outputs.names, FITTED, units=units)
    fitted = None
    if isinstance(fit, str) and fit in ("auto", "graph"):
        filled, width = intrinsic_dimension(_standardised(inputs)) if fit == "auto" else 0, inputs.values.shape[1]
        fitted = _beyond(inputs, outputs, w, rule) if 0 < filled < width else None
        if fitted is None and filled < width:
            why = (
                "as asked"
                if fit == "graph"
                else f"the inputs spread in {filled} of {width} directions only, so a model has no derivative off them"
            )
            if groups is not None:
                raise ValueError(
                    f"groups: no model was fitted ({why}), and the graph of the data cannot leave groups out. Leave the"
                    " argument out, or give a model as fit, such as 'polynomial(2)' or 'kernel'."
                )
            unused = "; a graph has no weights, the given ones are not used" if weighting == "given" else ""
            described = f"none; the graph of the data was used, {why}{unused}"
            question = replace(question, method=GRAPH)
            return graph_symmetries(question, rule, Search(), inputs.values, outputs.values, described)
    if fitted is None:
        check_table(inputs, "x", moved_columns(source, inputs.values[:: max(1, len(inputs.values) // 64)]))
        fitted = models.fit(
            inputs.values, outputs.values, fit, weights=w, seed=seed, argument="fit", groups=rule.groups
        )
        _check_fitted(fitted, inputs)
    return fitted_symmetries(question, rule, fitted, inputs, outputs, weighting)


def _beyond(inputs: Table, outputs: Table, weights, rule: Rule) -> models.Fitted | None:
    """A polynomial that is determined also off the thin set near which the inputs lie, else None.

    The rows leave the set by `spread`, the least singular value of the monomials that the polynomial may use. A fit
    with error e has a slope across the set that is wrong by about e / spread.
    """
    x = _standardised(inputs)
    width = x.shape[1]
    if polynomials(width, 2).size > min(0.2 * len(x), MONOMIALS):
        return None
    fitted = models.fit(
        inputs.values, outputs.values, "polynomial", weights=weights, seed=rule.seed, groups=rule.groups
    )
    degree = max([2, *(int(found[-1]) for found in re.findall(r"degree (\d)", fitted.family))])
    table = values(polynomials(width, degree), x)
    size = np.linalg.norm(table, axis=0)
    spread = np.linalg.svd(np.linalg.qr(table / np.where(size > 0, size, 1.0), mode="r"), compute_uv=False)
    return fitted if fitted.error <= ACROSS * spread[-1] / spread[0] else None


def _check_fit(fit) -> None:
    if isinstance(fit, str | AbstractDictionary) or (is_sklearn(fit) and not isinstance(fit, type)):
        return
    advice = f"got {'the class ' + fit.__name__ if isinstance(fit, type) else type(fit).__name__}."
    if callable(fit) and not isinstance(fit, type):
        advice += " The symmetries of a function of your own: lieder.discover.function(F, x, ...)."
    raise TypeError(f"fit must be a text such as 'auto', a lieder.dictionary or a scikit-learn regressor, {advice}")


def _check_fitted(fitted: models.Fitted, inputs: Table) -> None:
    """A ValueError naming the first row where the fitted model has no value (a radial power at zero, say)."""
    with np.errstate(all="ignore"):
        bad = np.flatnonzero(~np.isfinite(fitted.values(inputs.values)).all(axis=1))
    if len(bad):
        point = ", ".join(f"{v:.6g}" for v in inputs.values[bad[0]][:6])
        raise ValueError(
            f"fit: {fitted.family} has no finite value at row {bad[0]} of x, ({point}). Leave that row out, or choose"
            " another family."
        )


def _standardised(data: Table) -> np.ndarray:
    values = data.values.astype(np.float64)
    spread = np.array([common_spread(column[:, None]) for column in values.T])
    return (values - values.mean(axis=0)) / np.where(spread > 0, spread, 1.0)


def _weights(weights, y: np.ndarray, q: int, rows: int | None):
    """What `models.fit` takes, and its name; `y` of all `rows`, or a sample of them."""
    if isinstance(weights, str):
        if weights not in ("auto", "relative"):
            raise ValueError(f"weights must be 'auto', 'relative', None or one number a row, got '{weights}'.")
        low, high = np.quantile(np.linalg.norm(y, axis=1), [0.05, 0.95])
        relative = weights == "relative" or high > DECADES * low
        return ("relative", "relative") if relative else (None, "equal")
    return checked_weights(weights, rows, y.shape[1], q), "equal" if weights is None else "given"


def _stream(data, argument: str, names: list[str] | None, asked: dict[str, str]) -> Stream:
    return interop.rows_of(data, argument, names, asked).repeatable()


def _written(weights) -> str | None:
    """Weights as they were asked for; those of rows are given, whatever they are."""
    return weights if weights is None or isinstance(weights, str) else "given"


class _Columns(NamedTuple):
    """Inputs and outputs as they are given, to be read more than once."""

    inputs: Stream
    outputs: Stream

    @property
    def many(self) -> bool:
        """Whether they are more rows than are held in memory."""
        if self.inputs.rows is not None:
            return self.inputs.rows > models.MANY
        count = 0
        for piece in self.inputs.start():
            count += len(piece)
            if count > models.MANY:
                return True
        return False

    def gathered(self) -> tuple[Table, Table]:
        """All rows, of few."""
        return gather(self.inputs, "x"), gather(self.outputs, "y")


def _of_many(columns: _Columns, units: tuple[str, ...], source, target, fit, weights, rule: Rule) -> Symmetries:
    """As `dataset`, for a family that is linear in its parameters: a sample of the rows and one factor of all do."""
    x, y = columns
    for side, action, argument, role in ((x, source, "x", "source"), (y, target, "y", "target")):
        check_width(side.names, side.rows, action, argument, role)
    some = y.sample(models.MANY)
    w, weighting = _weights(weights, some, source.algebra.dim, y.rows)
    fitted, *kept = models.fit_stream(x, y, fit, weights=w, seed=rule.seed, argument="fit")
    inputs, outputs = Table(kept[0], x.names), Table(kept[1], y.names)
    check_table(outputs, "y")
    check_table(inputs, "x", moved_columns(source, inputs.values[:: max(1, len(inputs.values) // 64)]))
    _check_fitted(fitted, inputs)
    question = Question(source, target, x.names + y.names, FITTED, units=units)
    return fitted_symmetries(question, rule, fitted, inputs, outputs, weighting)
