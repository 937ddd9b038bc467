"""Rows and candidates as a training loop takes them, and the record of the generators that it found."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from jaxtyping import Float, Int

from ..action import AbstractAction, AbstractFibreAction, check_same_algebra, scalars, tangent, velocities
from ..algebra import Span
from ..linalg import FoldFactors, TriangularFactor
from ..sampling import check_varying, checked_flag
from ._accumulator import SHOWN, Reduction
from ._checks import all_rows, check_action, check_candidates, check_sides, check_table, check_width
from ._decision import conclude
from ._doubt import Doubt
from ._question import Question, Rule
from ._symmetries import Symmetries
from ._tangency import block_scales

MEASURED = 4096  # rows at most on which it is measured how far candidates move the data


@dataclass(frozen=True, eq=False)
class Learnt:
    """What training found of the generators that it was asked for.

    Fields: `generators` (r, q), coefficients over the candidates; `defects` (r,), 0 for a symmetry and 1 for what is no
        more one than a combination taken at random; `resolution`, below which a defect is not told from 0, and
        `source`, where that comes from; `described`, how it was trained and how well, in words; `notes`, what else the
        reader should know; `unknown`, why nothing may be claimed, or ""; `whole`, that only whole multiples of the
        generators are symmetries, so that they have a size, and no algebra."""

    generators: Float[np.ndarray, "r q"]
    defects: Float[np.ndarray, " r"]
    resolution: float
    source: str
    described: str = ""
    notes: tuple[str, ...] = ()
    unknown: str = ""
    whole: bool = False


@dataclass(frozen=True, eq=False)
class Pairs:
    """Rows that belong together and how they are acted on, checked.

    Fields: `question`, of which candidates it is asked; `inputs` (N, n); `outputs` (N, m), of no
        columns where there are none.
    """

    question: Question
    inputs: Float[np.ndarray, "N n"]
    outputs: Float[np.ndarray, "N m"]

    @property
    def rows(self) -> Float[np.ndarray, "N both"]:
        """Inputs and outputs side by side."""
        return np.concatenate([self.inputs, self.outputs], axis=1)

    @cached_property
    def motion(self) -> Float[np.ndarray, "s q"]:
        """A factor: |motion xi| is the root mean square velocity of the rows under xi, as a share of their size.

        Coordinates that no candidate mixes are compared in units of their own spread.
        """
        rows = self.rows[np.linspace(0, len(self.inputs) - 1, min(len(self.inputs), MEASURED)).astype(int)]
        action = self.question.both
        units = block_scales(rows, action)
        q = action.algebra.dim
        factor = TriangularFactor.empty(q)
        for some in np.array_split(rows, -(-len(rows) * q * rows.shape[1] // 2**24)):
            fields = velocities(action, np.eye(q), some) / units
            factor = factor.absorb(fields.transpose(1, 2, 0).reshape(-1, q))
        return factor.factor / (np.linalg.norm(rows / units) or 1.0)

    def recorded(self, learnt: Learnt, held: Int[np.ndarray, " held"]) -> Symmetries:
        """The record of what was learnt, whose decision is that of every discovery.

        All directions beside the generators that were asked for have the defect 1: nothing is known of them.

        Arguments: `learnt`; `held`, the numbers of rows that training did not see.
        Returns: Symmetries.
        """
        moved = self.motion @ learnt.generators.T
        along = np.linalg.pinv(moved / np.linalg.norm(moved, axis=0))
        beside = self.motion - (moved / np.linalg.norm(moved, axis=0)) @ (along @ self.motion)
        numerator = np.concatenate([beside, learnt.defects[:, None] * (along @ self.motion)])
        weight, shown = float(len(self.inputs)), held[:SHOWN]
        factors = (TriangularFactor(np.sqrt(weight) * each, len(self.inputs)) for each in (numerator, self.motion))
        numerators, denominators = (FoldFactors((factor,)) for factor in factors)
        points, values = self.inputs[shown], self.outputs[shown]
        ones = np.ones(len(shown))
        reduction = Reduction(
            numerators,
            denominators,
            len(self.inputs),
            weight,
            points,
            values,
            ones,
            self.inputs[shown],
            ones,
            np.dtype(np.float64),
            np.ones(self.outputs.shape[1]),
        )
        doubt = Doubt(
            learnt.resolution,
            learnt.source,
            unknown=learnt.unknown,
            one_sided="what training did not find may be a symmetry all the same",
        )
        found = conclude(self.question, Rule(), reduction, doubt, None, learnt.described)
        notes = (*learnt.notes, *found.evidence.notes) if found.dim else (*found.evidence.notes,)
        found = replace(found, evidence=replace(found.evidence, notes=notes))
        if not (learnt.whole and found.dim):
            return found
        named = tuple(f"step {k + 1}" for k in range(found.dim))
        steps = Span("steps", named, "of which only whole multiples are symmetries")
        return replace(found, basis=learnt.generators[: found.dim], algebra=steps)


def pairs(
    x,
    y=None,
    *,
    source: AbstractAction,
    target: AbstractFibreAction | None = None,
    transition: bool = False,
    names: list[str] | None = None,
    output_names: list[str] | None = None,
    method: str = "symmetries by training",
) -> Pairs:
    """Rows and candidates for a training loop of your own, with the checks of every verb.

    Arguments:
        x: (N, n) rows. y: (N, m) what belongs to them; none for a point cloud.
        source, target: how they are acted on, over one algebra (default: nothing moves y).
        transition: y is x a short time later, moved like x; the displacement y - x is then the output.
        names, output_names: of the columns. method: what is done, in words.
    Returns: Pairs, whose `recorded` makes the record of what was learnt.
    Raises: ValueError, TypeError: as `graph`.
    """
    check_action(source, "source")
    inputs = all_rows(x, "x", names)
    if y is None:
        if target is not None or checked_flag(transition, "transition"):
            raise ValueError("y is missing: target and transition say how the outputs y are moved. Give y.")
        check_width(inputs.names, len(inputs.values), source, "x", "source")
        check_table(inputs, "x")
        check_candidates(len(inputs.values), inputs.values.shape[1], source.algebra.dim, "x")
        question = Question(source, None, inputs.names, method)
        return Pairs(question, np.asarray(inputs.values, float), np.zeros((len(inputs.values), 0)))
    outputs = all_rows(y, "y", output_names)
    if checked_flag(transition, "transition"):
        if target is not None and target != source:
            raise ValueError("target: with transition=True outputs are moved as inputs are; leave target away.")
        check_sides(inputs, outputs, source, source)
        values = outputs.values - inputs.values
        labels, moving = tuple(f"Δ{name}" for name in inputs.names), tangent(source)
        check_varying(values.min(axis=0), values.max(axis=0), labels, "x, y", np.zeros(len(labels), bool))
    else:
        values, labels = outputs.values, outputs.names
        moving = scalars(source.algebra, values.shape[1]) if target is None else target
        check_action(moving, "target", fibre=True)
        check_same_algebra(source, moving)
        check_sides(inputs, outputs, source, moving)
    check_table(inputs, "x")
    check_table(outputs, "y")
    check_candidates(len(inputs.values), source.width + moving.width, source.algebra.dim, "x")
    question = Question(source, moving, inputs.names + labels, method, lifted=bool(transition))
    return Pairs(question, np.asarray(inputs.values, float), np.asarray(values, float))
