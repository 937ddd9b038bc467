"""Symmetries of a model: which generators its Lie derivative annihilates."""

from collections.abc import Callable
from dataclasses import replace

import jax
import numpy as np

from .. import interop
from ..action import AbstractAction, AbstractFibreAction, check_same_algebra, scalars
from ..interop import ForeignModel
from ..models import judge
from ..sampling import SINGLY, Stream, Together, is_batched
from ._checks import check_action, check_error, check_width, checked_names, measured
from ._doubt import VARYING, Known, unexplained
from ._exact import check_exact, with_exact
from ._model import model_symmetries
from ._networks import own_doubt
from ._question import Asked, Question, Rule
from ._symmetries import Symmetries


def function(
    F,
    x,
    *,
    source: AbstractAction,
    target: AbstractFibreAction | None = None,
    error: float | None = None,
    labels=None,
    tolerance: float | None = None,
    min_gap: float = 5.0,
    weights=None,
    names: list[str] | None = None,
    output_names: list[str] | None = None,
    seed: int = 0,
    evidence: Asked = "gap",
    delta: float = 0.05,
) -> Symmetries:
    """The symmetries of a model, from its derivative at sample points.

    rho(xi)^2 = sum_i |DF theta_xi - phi_xi(F)|^2 / sum_i (|DF|^2 |theta_xi|^2 + |phi_xi|^2), minimised over xi by a
    generalised SVD.

    Arguments:
        F: one example (n,) -> one output (m,), or a scalar; any callable that JAX can differentiate, a fitted
            scikit-learn regressor (finite differences) or a torch module.
        x: (N, n) sample points, a data frame, a memory map, or an iterable of batches; N m >= q. They say where the
            symmetry is asked for.
        source: how inputs are acted on. target: how outputs are (default: not at all, invariance).
        error: relative error of F as a model of what you care about; defects below it are not told from zero.
            Default: the rounding floor, F is then taken at its word; but a model by finite differences is known only as
            well as two steps agree, a network of ReLUs as its derivative is smooth, and no trained model is denied a
            symmetry at the level of rounding.
        labels: (N, m) or (N,) what F should have returned at x, not used in its training: they measure how well F and
            its derivative are known. One array, or as x comes. Of more than 32,768 rows a uniform sample of so many is
            looked at.
        tolerance: accept defects up to this instead of looking for a gap. min_gap: least ratio that counts as a gap
            (default 5).
        weights: (N,) non-negative, default equal.
        names, output_names: of columns, default those of a data frame or x0, x1, ..., y0, ...
        seed: of the choice of held-out points.
        evidence: "gap" (default), or "certificate": besides, at least and at most how many symmetries there are to
            within `delta` at these points. A function that is given is taken at its word, or to within `error`, so that
            this is certain and has no probability of an error.
        delta: the relative defect up to which a direction counts as a symmetry (default .05).
    Returns:
        Symmetries.
    Raises:
        ValueError: a certificate of a trained model without `error`, or of one with labels.
        ValueError, TypeError: data that are not finite real numbers, columns that do not fit the action, different
            algebras, fewer equations than candidates, models that return a wrong shape or NaN, or are not
            differentiable.
    Reference: Otto, Zolman, Kutz, Brunton (2025), section 5; the relative defect is lieder's.
    """
    check_action(source, "source")
    rule = Rule(tolerance, min_gap, seed, evidence, delta)
    check_error(error)
    data = streamed(x, names) if labels is None else streamed(x, names).repeatable()
    question, model = asked(F, data, source, target, output_names)
    known_by = f"labels= (of rows that {question.model} has not seen in training) or error="
    question = replace(measured(question, x, data), known_by=known_by)
    check_exact(question, rule, model, error, labels)
    known = Known(error, "the given relative error of the model")
    if labels is not None:
        known = _by_labels(question, rule, model, data, labels, error or 0.0)
    return with_exact(model_symmetries(question, rule, model, data, known, weights), question, rule, error)


def _by_labels(
    question: Question, rule: Rule, model: Callable | ForeignModel, data: Stream, labels, error: float
) -> Known:
    """What labels say of a model: as little as this is known of it, or as the given `error` says if that is less."""
    target = question.onto
    x, y = at_labels(data, labels, target.width, rule.seed)
    judged = judge(model, x, y, rule.seed)
    return Known(
        max(error, VARYING * judged.resolution),
        "what the labels say of the model's derivative along the direction",
        alternatives=(judged.alternatives, *own_doubt(question, model, x.astype(data.dtype))[0]),
        unknown=unexplained(judged.gain, target, question.outputs, y),
        described=f"given, relative error {judged.error:.2g} at {len(y)} rows with labels",
    )


def at_labels(data: Stream, labels, width: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Points that have labels, of so many outputs, and these: all, or a sample of SINGLY, however they come."""
    if not (interop.is_spread(labels) or is_batched(labels) or isinstance(labels, Stream)):
        labels = np.asarray(labels)
        table = labels.reshape(len(labels), -1) if labels.ndim else labels
        if table.shape != (data.rows or len(table), width):
            rows = "N" if data.rows is None else data.rows
            raise ValueError(
                f"labels must have shape ({rows}, {width}), one row for each of x and one column for each output of F,"
                f" got {labels.shape}."
            )
        labels = table
    given = interop.rows_of(labels, "labels")
    if given.width != width:
        raise ValueError(f"labels must have one column for each of the {width} outputs of F, got {given.width}.")
    x, y, _ = Together(data, given).sample(SINGLY, seed)[0].columns
    return x, y


def asked(
    F, data: Stream, source: AbstractAction, target: AbstractFibreAction | None, output_names
) -> tuple[Question, Callable | ForeignModel]:
    """What is asked of a model, and the model as it is used."""
    check_action(source, "source")
    check_width(data.names, data.rows, source, data.argument, "source")
    model = interop.adapted(F, data.whole, "F", data.names)
    if target is None:
        target = scalars(source.algebra, output_width(model, data))
    check_action(target, "target", fibre=True)
    check_same_algebra(source, target)
    outputs = checked_names(output_names, target.width, "output_names", [f"y{i}" for i in range(target.width)])
    return Question(source, target, data.names + outputs, "symmetries of a model"), model


def streamed(x, names, argument: str = "x") -> Stream:
    """The sample points of a model, checked as they come."""
    return interop.rows_of(x, argument, names)


def output_width(model: Callable | ForeignModel, data: Stream) -> int:
    if isinstance(model, ForeignModel):
        if data.whole is None:
            raise ValueError(
                "target must be given for a foreign model on a stream: its output width is not known beforehand."
            )
        return model.values(data.whole[:2]).reshape(2, -1).shape[1]
    with jax.enable_x64(data.dtype == np.float64):
        try:
            out = jax.eval_shape(model, jax.ShapeDtypeStruct((data.width,), data.dtype))
        except Exception:  # the full message comes from check_model, which sees the same failure
            return 1
    shape = getattr(out, "shape", ())
    return int(np.prod(shape)) if shape else 1
