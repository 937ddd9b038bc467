"""Finite symmetries that nobody named: searched for in a Lie group, told apart modulo its connected symmetries."""

from dataclasses import replace
from typing import Literal

import numpy as np

from ..action import (
    AbstractAction,
    AbstractFibreAction,
    FieldAction,
    check_same_algebra,
    scalars,
    with_elements,
    without_elements,
)
from ..algebra import FiniteGroup, LieAlgebra
from ..sampling import stream
from ._checks import check_count, check_error
from ._doubt import VARYING, Known
from ._finite_symmetries import FiniteSymmetries
from ._group import Asked, Given, answered, asked_of
from ._group_decision import DELTA, checked_rule, readings
from ._group_scores import Elements, scores
from ._group_search import Cosets, candidates, distinct, formed, moves_of
from ._model import model_symmetries
from ._question import Question, Rule
from ._symmetries import Symmetries

METHOD = "Finite symmetries found by search"
BEST = 32  # ends of the search that are looked at, best first


def finite_search(
    F,
    x=None,
    *,
    source: AbstractAction,
    target: AbstractFibreAction | None = None,
    connected: Symmetries | Literal["search"] = "search",
    starts: int = 64,
    fit="auto",
    error: float | None = None,
    labels=None,
    delta: float = DELTA,
    min_gap: float = 5.0,
    names: list[str] | None = None,
    output_names: list[str] | None = None,
    seed: int = 0,
) -> FiniteSymmetries:
    """Symmetries in a Lie group outside the connected ones: reflections, rotations by a part of a turn, swaps.

    From many random starts g = h exp(xi) exp(eta), h a discrete element of the algebra or none, the violation of
    F(g x) = g F(x) is made small along its gradient. Ends that differ by a flow of the connected symmetries are one
    coset; each gets the order of the nearest element of finite order, and products are added until they close. Then the
    elements are scored and claimed as `finite` does.

    Arguments:
        F, x: a model and its points, or a pair of tables, as in `finite`; JAX must be able to differentiate the model.
        source: an affine action of the algebra whose group is searched: vectors(algebra.o(3)) for O(3). Mirrors are
            among its elements only where the algebra has them: o(n), e(n), or extended(gl(n), [mirror]) for GL(n).
        target: the same on outputs; default: outputs stay.
        connected: the symmetries found among the generators, from `function` or `dataset`; by default they are sought
            first.
        starts: default 64: a finite group of a dozen elements is then seldom missed. More find more.
        fit, error, labels, delta, min_gap, names, output_names, seed: as in `finite`.
    Returns:
        FiniteSymmetries, its `group` formed by what was found. Its `action` has the connected symmetries besides.
    Raises:
        as `finite`; TypeError for actions that are not affine, and models that JAX cannot differentiate.
    Reference: Shaw, Magner, Moon (2024) and ATLAS (2025) for cosets of a connected group; the search is lieder's.
    """
    checked_rule(delta, min_gap, None)
    check_error(error)
    check_count(starts, "starts")
    acting, onto = _affine(source, "source"), None if target is None else _affine(target, "target")
    if onto is not None:
        check_same_algebra(acting, onto)
    algebra = acting.algebra
    if not isinstance(algebra, LieAlgebra) or algebra.generators is None or algebra.dim == 0:
        raise ValueError(
            f"source: {algebra.name} has no generators of its own, so there is nothing to search. A given finite group"
            " is tested by ld.discover.finite."
        )
    trivial = _group_of(np.eye(algebra.degree, algebra.degree + 1)[None])
    given = Given(F, x, acting, onto, fit, error, labels, names, output_names, seed)
    asked, _ = asked_of(given, replace(trivial))
    flows = _connected(asked, acting, onto, seed) if isinstance(connected, str) else connected
    rows = flows.basis if flows.dim else np.zeros((0, algebra.dim))
    notes = (f"connected symmetries: {flows.dim}{', ' + flows.identify() if flows.dim > 1 else ''}",)
    ends, left = candidates(asked.judged, acting, onto, asked.points, starts, seed)
    ends = ends[np.argsort(left)][np.isfinite(np.sort(left))][:BEST]
    moves = moves_of(acting, onto)
    found, resolution = _holding(asked, acting, onto, ends, moves, delta, min_gap)
    cosets = Cosets(moves, rows, 3 * resolution)
    made = formed(distinct(found, cosets), cosets, moves) if len(found) else None
    if made is None:
        if len(found) and len(distinct(found, cosets)):
            notes += ("what was found forms no group of up to 500 elements modulo the connected symmetries",)
        elements = Elements(*_restricted(acting, onto, rows, np.zeros((0, *ends.shape[1:])), moves), trivial)
        return answered(asked, elements, delta, min_gap, None, METHOD, notes)
    group, joint = made
    return answered(
        asked, Elements(*_restricted(acting, onto, rows, joint, moves), group), delta, min_gap, None, METHOD, notes
    )


def _affine(action, argument: str) -> FieldAction:
    if not isinstance(action, AbstractFibreAction):
        raise TypeError(
            f"{argument} must be an action, such as lieder.vectors(lieder.algebra.o(3)), got {type(action).__name__}."
        )
    fields = action.expansion
    if fields is None or not fields.is_affine:
        raise TypeError(
            f"{argument} must be affine, vectors or points of a matrix algebra; {action!r} is not known so."
        )
    return fields


def _connected(asked: Asked, source: FieldAction, target: FieldAction | None, seed: int) -> Symmetries:
    """The symmetries among the generators, from the same model and points."""
    algebra = source.algebra
    assert isinstance(algebra, LieAlgebra)  # our own bug
    alone = replace(algebra, components=())
    m = asked.judged.outputs
    onto = scalars(alone, m) if target is None else without_elements(target, alone)
    question = Question(without_elements(source, alone), onto, asked.names, "symmetries of a model")
    error = VARYING * asked.judged.floor if asked.judged.alternatives or asked.judged.floor else None
    known = Known(error, asked.source, asked.judged.alternatives, asked.unknown)
    points = stream(asked.points, "x", list(asked.names[: source.width]))
    return model_symmetries(question, Rule(seed=seed), asked.judged.model, points, known)


def _holding(asked: Asked, source, target, ends: np.ndarray, moves, delta: float, min_gap: float):
    """Of the ends of the search those that hold, and how well they are known."""
    if len(ends) == 0:
        return ends, 0.0
    group = _group_of(
        np.concatenate([np.eye(len(moves.generators[0]))[None], ends])[:, : moves.cuts[0] - 1, : moves.cuts[0]]
    )
    none = np.zeros((0, len(moves.generators)))
    found = scores(Elements(*_restricted(source, target, none, ends, moves), group), asked.judged, asked.points)
    each = readings(found, delta, min_gap, None, asked.unknown, asked.one_sided)
    good = np.array([one == "holds" for one in each[1:]])
    size = np.hypot(found.resolutions, np.where(found.defects <= found.rounding, found.defects, 0.0))[1:]
    return ends[good], float(np.median(size[good])) if good.any() else 0.0


def _group_of(maps: np.ndarray) -> FiniteGroup:
    """Elements that need not be closed: each is a generator."""
    count = len(maps) - 1
    parent = np.concatenate([[-1], np.zeros(count, int)])
    step = np.concatenate([[-1], np.arange(count)])
    left = np.tile(np.arange(1, count + 1)[:, None], (1, count + 1))
    return FiniteGroup("", maps, maps[1:], parent, step, left)


def _restricted(source: FieldAction, target: FieldAction | None, rows: np.ndarray, joint: np.ndarray, moves):
    """Both sides over the algebra of the connected symmetries, with other discrete elements."""
    own = source.algebra
    assert isinstance(own, LieAlgebra) and own.generators is not None  # our own bug
    a, b = moves.cuts
    algebra = LieAlgebra(
        "connected" if len(rows) else "found",
        tuple(f"e{k + 1}" for k in range(len(rows))),
        own.generators.combine(rows),
        own.subalgebra(rows, tolerance=np.inf).structure if len(rows) else None,
        tuple(joint[:, : a - 1, :a]),
    )
    inside = [(source, joint[:, a : b - 1, a:b])]
    if target is not None:
        inside.append((target, joint[:, b:-1, b:]))
    sides = []
    for action, maps in inside:
        plain = FieldAction(
            replace(algebra, components=()), action.generators.combine(rows), action.dictionary, action.blocks
        )
        sides.append(with_elements(plain, algebra, maps))
    return sides[0], sides[1] if len(sides) > 1 else None
