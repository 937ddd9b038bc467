"""What every verb that has a differentiable model ends in: reduce, take the resolution, conclude."""

import dataclasses
from collections.abc import Callable
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from ..derivative import check_model, full_precision, slopes
from ..interop import ForeignModel
from ..sampling import Stream
from ._accumulator import Reduction
from ._checks import check_candidates, check_foreign, check_moves, checked_weights, moved_columns
from ._decision import conclude
from ._doubt import Doubt, Known, doubt_factor
from ._evidence import rounding_floor
from ._finite import finite_model
from ._networks import is_trained, own_doubt, unmeasured
from ._question import Question, Rule
from ._reduce import reduce_model
from ._symmetries import Symmetries

SLOPES = 128  # examples from which it is told what moves the outputs


@full_precision()
def model_symmetries(
    question: Question,
    rule: Rule,
    model: Callable | ForeignModel,
    data: Stream,
    known: Known,
    weights=None,
    needed: np.ndarray | None = None,
) -> Symmetries:
    """The symmetries of a model at the points of a stream.

    Arguments: `known`, what is known of the model besides its values; `weights` (N,) of the points; `needed` (n,):
        which columns of the inputs must vary, default those along which a candidate moves the data.
    """
    w = reducible(question, model, data, weights)
    needed = moved_columns(question.source, data.glance(64)) if needed is None else needed
    found = concluded(question, rule, model, known, reduce_model(question, model, data, w, rule, needed))
    if data.pieces is not None or jax.process_count() == 1:
        return found
    alone = f"the rows of process {jax.process_index()} of {jax.process_count()} alone, which came as no global array"
    return dataclasses.replace(
        found, evidence=dataclasses.replace(found.evidence, notes=(*found.evidence.notes, alone))
    )


def reducible(
    question: Question, model: Callable | ForeignModel, data: Stream, weights, piece: bool = False
) -> Float[np.ndarray, " N"] | None:
    """The weights, of data and a model that can be reduced; a `piece` of data need not be enough for an answer."""
    source, target = question.source, question.onto
    if isinstance(model, ForeignModel):
        check_foreign(model, data.whole, target.width, question.model)
    else:
        with jax.enable_x64(data.dtype == np.float64):
            check_model(model, source, target, data.dtype, question.model)
    check_candidates(None if piece else data.rows, target.width, source.algebra.dim, data.argument)
    return checked_weights(weights, data.rows, target.width, 0 if piece else source.algebra.dim)


def concluded(
    question: Question, rule: Rule, model: Callable | ForeignModel | None, known: Known, reduction: Reduction
) -> Symmetries:
    """The answer from what is left of the data, without a finite check where the model is not at hand."""
    if model is not None and question.section is None:
        check_moves(model, reduction.points, *reduction.whole(), question.model)
    found = conclude(
        question,
        rule,
        reduction,
        _doubt(question, model, known, reduction),
        None if model is None else partial(finite_model, model, question, reduction),
        known.described or (model.note if isinstance(model, ForeignModel) else ""),
    )
    return dataclasses.replace(found, model=model)


def check_answers(question: Question, model: Callable | ForeignModel, reduction: Reduction, tolerance: float) -> None:
    """A ValueError unless the model gives the values that the data were reduced with."""
    points, values = reduction.points[:8], reduction.values[:8]
    with jax.enable_x64(points.dtype == np.float64):
        found = model.values(points) if isinstance(model, ForeignModel) else jax.vmap(model)(jnp.asarray(points))
        found = np.asarray(found).reshape(len(points), -1)
    near = tolerance * np.abs(values).max(initial=0.0)
    if found.shape != values.shape or not np.allclose(found, values, rtol=tolerance, atol=near):
        raise ValueError(
            f"{question.model}: its values are not those with which the parts were made. Give the same model, in the"
            " same precision."
        )


def _doubt(question: Question, model: Callable | ForeignModel | None, known: Known, reduction: Reduction) -> Doubt:
    """How well the model's derivative is known: by what is known of it, else by the model itself, else its rounding."""
    floor = rounding_floor(reduction.dtype)
    source, alternatives, one_sided = f"rounding in {reduction.dtype}", known.alternatives, ""
    points, weights = reduction.sampled, reduction.sampled_weights
    if known.error is not None:
        floor, source = max(floor, known.error), known.source
    elif model is not None:
        one_sided = unmeasured(question) if is_trained(model) else ""
        if not alternatives:
            alternatives, why = own_doubt(question, model, points)
            source = why or source
    factor = None
    if alternatives and model is not None:
        factor = np.concatenate(
            [doubt_factor(question, model, others, points, weights, reduction.outputs) for others in alternatives]
        )
    covectors = None if model is None or question.section is not None else partial(_slopes, model, reduction)
    return Doubt(floor, source, factor, known.unknown, one_sided, covectors)


def _slopes(model: Callable | ForeignModel, reduction: Reduction) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """At some of the examples kept, outputs in their common unit."""
    every = -(-len(reduction.points) // SLOPES)  # rows may come in some order
    x, y, weights = (part[::every] for part in (reduction.points, reduction.values, reduction.held_weights))
    with jax.enable_x64(reduction.dtype == np.float64):
        slope = slopes(model, x.shape[1], len(reduction.outputs))(x) * reduction.outputs[:, None]
    good = np.isfinite(slope).all(axis=(1, 2))
    pairs = np.concatenate([x, y], axis=1).astype(np.float64)
    return pairs[good], slope[good].astype(np.float64), weights[good]
