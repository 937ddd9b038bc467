"""Symmetries of a model: which generators its Lie derivative annihilates."""

import dataclasses
import re
from collections.abc import Callable
from functools import partial

import jax
import numpy as np

from .. import interop
from ..action import AbstractAction, AbstractFibreAction, check_same_algebra, scalars, tangent
from ..interop import ForeignModel
from ..models import Alternatives, Judged, judge
from ..sampling import Stream, stream
from ._checks import (
    check_action,
    check_candidates,
    check_decision,
    check_error,
    check_foreign,
    check_moves,
    check_width,
    checked_names,
    checked_weights,
    moved_columns,
)
from ._decision import conclude
from ._doubt import VARYING, Doubt, doubt_factor, unexplained
from ._evidence import CANNOT_TELL, NONE, rounding_floor
from ._finite import finite_model
from ._networks import is_trained, own_doubt
from ._reduce import Reduction, reduce_model
from ._symmetries import Symmetries

TRAINED = (
    "F was trained, so that its derivative is known less well than its rounding, and how well has not been measured: "
    "give labels= (of rows that its training has not seen) or error="
)


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
            its derivative are known. x is then one array.
        tolerance: accept defects up to this instead of looking for a gap. min_gap: least ratio that counts as a gap
            (default 5).
        weights: (N,) non-negative, default equal.
        names, output_names: of columns, default those of a data frame or x0, x1, ..., y0, ...
        seed: of the choice of held-out points.
    Returns:
        Symmetries.
    Raises:
        ValueError, TypeError: data that are not finite real numbers, columns that do not fit the action, different
            algebras, fewer equations than candidates, models that return a wrong shape or NaN, or are not
            differentiable.
    Reference: Otto, Zolman, Kutz, Brunton (2025), section 5; the relative defect is lieder's.
    """
    check_action(source, "source")
    check_decision(tolerance, min_gap, seed)
    data = _stream(x, names)
    check_width(data.names, data.rows, source, "x", "source")
    model = _model(F, data, "F")
    if target is None:
        target = scalars(source.algebra, _output_width(model, data))
    if labels is not None:
        judged, others = _judged(model, data, labels, target, seed)
        measured = VARYING * judged.resolution
        return model_symmetries(
            model,
            data,
            source,
            target,
            error=measured if error is None else max(error, measured),
            tolerance=tolerance,
            min_gap=min_gap,
            weights=weights,
            output_names=output_names,
            seed=seed,
            method="symmetries of a model",
            resolution_source="what the labels say of the model's derivative along the direction",
            alternatives=others,
            unknown=unexplained(judged.gain, target, output_names, np.asarray(labels).reshape(len(labels), -1)),
            described=f"given, relative error {judged.error:.2g} at {data.rows} rows with labels",
        )
    return model_symmetries(
        model,
        data,
        source,
        target,
        error=error,
        tolerance=tolerance,
        min_gap=min_gap,
        weights=weights,
        output_names=output_names,
        seed=seed,
        method="symmetries of a model",
    )


def vector_field(
    U,
    x,
    *,
    action: AbstractAction,
    error: float | None = None,
    tolerance: float | None = None,
    min_gap: float = 5.0,
    weights=None,
    names: list[str] | None = None,
    seed: int = 0,
) -> Symmetries:
    """The symmetries of a dynamical system x' = U(x): fields that commute with U.

    L_xi U = DU theta - Dtheta U, the bracket of the two fields.

    Arguments:
        U: one state (n,) -> its velocity (n,).
        x: (N, n) states; N n >= q. action: how states are acted on; velocities follow by the tangent lift.
        error, tolerance, min_gap, weights, names, seed: as in `function`.
    Returns: Symmetries; its target is the tangent lift.
    Raises: as `function`.
    Reference: Otto, Zolman, Kutz, Brunton (2025), section 3 (vector fields as sections of the tangent bundle).
    """
    check_action(action, "action")
    check_decision(tolerance, min_gap, seed)
    data = _stream(x, names)
    check_width(data.names, data.rows, action, "x", "action")
    return model_symmetries(
        _model(U, data, "U"),
        data,
        action,
        tangent(action),
        error=error,
        tolerance=tolerance,
        min_gap=min_gap,
        weights=weights,
        output_names=[f"{name}'" for name in data.names],
        seed=seed,
        method="symmetries of a dynamical system",
        lifted=True,
        name="U",
    )


def model_symmetries(
    model: Callable | ForeignModel,
    data: Stream,
    source: AbstractAction,
    target: AbstractFibreAction,
    *,
    error: float | None,
    tolerance: float | None,
    min_gap: float,
    weights,
    output_names: list[str] | None,
    seed: int,
    method: str,
    resolution_source: str | None = None,
    alternatives: tuple[Alternatives, ...] = (),
    unknown: str = "",
    described: str = "",
    lifted: bool = False,
    name: str = "F",
    needed: np.ndarray | None = None,
) -> Symmetries:
    """What every verb that has a differentiable model ends in: reduce, take the resolution, conclude.

    `needed` (n,): which columns of the inputs must vary; default those along which a candidate moves the data."""
    check_action(target, "target", fibre=True)
    check_same_algebra(source, target)
    check_decision(tolerance, min_gap, seed)
    check_error(error)
    outputs = checked_names(output_names, target.width, "output_names", [f"y{i}" for i in range(target.width)])
    if isinstance(model, ForeignModel):
        check_foreign(model, data.whole, target.width)
    check_candidates(data.rows, target.width, source.algebra.dim, data.argument)
    w = checked_weights(weights, data.rows, target.width, source.algebra.dim)
    needed = moved_columns(source, data.sample(64)) if needed is None else needed
    try:
        reduction = reduce_model(model, data, source, target, w, seed, needed)
    except (TypeError, ValueError) as fault:
        raise _in_the_caller_s_words(fault, name) from fault.__cause__
    check_moves(model, reduction.points, *reduction.whole(), name)
    floor = rounding_floor(reduction.dtype)
    doubt = Doubt(floor, f"rounding in {reduction.dtype}", unknown=unknown)
    if isinstance(model, ForeignModel) and not described:
        described = model.note
    if error is not None:
        reason = resolution_source or "the given relative error of the model"
        doubt = Doubt(max(floor, error), reason, unknown=unknown)
    trained = error is None and is_trained(model)
    if not alternatives and error is None and data.whole is not None:
        alternatives, why = own_doubt(model, data.whole, target.width)
        doubt = dataclasses.replace(doubt, source=why or doubt.source)
    if alternatives and data.whole is not None:
        ones = np.ones(len(data.whole)) if weights is None else np.asarray(weights, dtype=np.float64)
        parts = [
            doubt_factor(model, others, data.whole, ones, source, target, reduction.outputs) for others in alternatives
        ]
        doubt = dataclasses.replace(doubt, factor=np.concatenate(parts))
    found = conclude(
        reduction,
        source,
        target,
        doubt=doubt,
        tolerance=tolerance,
        min_gap=min_gap,
        names=data.names + outputs,
        method=method,
        finite=partial(_finite, model, source, target, reduction),
        model=described,
        lifted=lifted,
    )
    if trained and found.evidence.verdict == NONE:
        evidence = dataclasses.replace(found.evidence, verdict=CANNOT_TELL, notes=(*found.evidence.notes, TRAINED))
        return dataclasses.replace(found, evidence=evidence)
    return found


def _judged(
    model, data: Stream, labels, target: AbstractFibreAction, seed: int
) -> tuple[Judged, tuple[Alternatives, ...]]:
    if data.whole is None:
        raise ValueError("labels need x as one array, not a stream.")
    y = np.asarray(labels)
    if y.reshape(len(y), -1).shape != (data.rows, target.width):
        raise ValueError(
            f"labels must have shape ({data.rows}, {target.width}), one row for each of x and one column for each "
            f"output of F, got {y.shape}."
        )
    try:
        judged = judge(model, np.asarray(data.whole, np.float64), y, seed)
    except (TypeError, ValueError) as fault:
        raise type(fault)(re.sub(r"^y\b", "labels", str(fault))) from None
    return judged, (judged.alternatives, *own_doubt(model, data.whole, target.width)[0])


def _finite(model, source, target, reduction: Reduction, generators: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    return finite_model(
        model,
        source,
        target,
        generators,
        reduction.points,
        reduction.values,
        reduction.held_weights,
        reduction.outputs,
        lengths,
    )


def _stream(x, names) -> Stream:
    return stream(interop.batches(x) if interop.is_dask(x) else x, "x", names)


def _model(F, data: Stream, name: str) -> Callable | ForeignModel:
    """The model as the derivative wants it, foreign ones wrapped."""
    if isinstance(F, type):
        raise TypeError(f"{name} is the class {F.__name__}, not a model: give an instance of it, fitted to data.")
    if interop.is_sklearn(F):
        if data.whole is None:
            raise ValueError(
                f"{name} is a scikit-learn estimator and x a stream: finite-difference steps need the data's spread, "
                "give x as one array."
            )
        try:
            return interop.from_sklearn(F, data.whole, names=data.names)
        except (TypeError, ValueError) as fault:
            raise _in_the_caller_s_words(fault, name) from fault.__cause__
    if interop.is_torch(F):
        return interop.from_torch(F)
    if not (callable(F) or isinstance(F, ForeignModel)):
        raise TypeError(
            f"{name} must be a callable of one example, a fitted scikit-learn regressor or a torch module, got"
            f" {type(F).__name__}."
        )
    return F


def _in_the_caller_s_words(fault: Exception, name: str) -> Exception:
    """The same fault with the model called what the verb's argument is called."""
    text = str(fault)
    if text.startswith("QR factorisation"):
        text = f"{name} or its derivative is so large on x that its squares overflow. Measure in other units."
    elif text.startswith("estimator:"):
        text = f"{name}{text.removeprefix('estimator')}"
    elif text.startswith("F "):
        text = re.sub(r"\bF\b", name, text)
        if text.endswith("Write it with jax.numpy."):
            text = f"{text[:-1]}, or pass a scikit-learn estimator or a torch module as it is."
    else:
        return fault
    return type(fault)(text)


def _output_width(model: Callable | ForeignModel, data: Stream) -> int:
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
