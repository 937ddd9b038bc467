"""Pieces of data reduced one by one, wherever and in whatever order, and what is left of them merged to one answer."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from functools import reduce as fold
from itertools import pairwise
from os import PathLike
from pathlib import Path
from typing import Any

import jax
import numpy as np

from .. import __version__, interop
from ..action import AbstractAction, AbstractFibreAction
from ..derivative import full_precision
from ..files import read_record, write_record
from ..interop import ForeignModel
from ..linalg import FoldFactors, TriangularFactor
from ..sampling import Sample, Stream, check_varying, checked_flag
from ._accumulator import SHOWN, Accumulator, Reduction
from ._checks import check_count, check_enough, check_error, moved_columns
from ._doubt import Known
from ._function import asked, streamed
from ._model import check_answers, concluded, reducible
from ._networks import is_trained
from ._question import Question, Rule, Section
from ._reduce import Reducer, Units, check_units, draws_for, finished
from ._reduce import units as units_of
from ._section import Bundle, asked_section, flat
from ._storage import read_action, written_action
from ._symmetries import Symmetries

FORMAT = "lieder part 3"
Kind = str | tuple[int, int] | AbstractFibreAction
SAME = {"float64": 1e-9, "float32": 1e-4}  # relative difference up to which two values of a model are one


@dataclass(frozen=True, eq=False)
class Part:
    """What `discover` keeps of a piece of the data: a few triangular factors and a sample of the rows.

    Its size follows from the candidates and not from the number of rows: eight factors of q^2 numbers, as many of the
    features of the actions, and 512 rows. Parts merge in any order, to rounding.

    Fields:
        question: of which candidates it is asked whether they are symmetries; seed: of what is drawn by row numbers.
        units: in which inputs and outputs were measured; dtype: of the model's values.
        ranges: of the rows' numbers, first and one past the last.
        accumulated: what the rows were reduced to; trained: whether the model's numbers come from training.
        model: a mark of its program and the numbers in it, of one of another framework of what it holds; "" for one
            that has none, such as an estimator that holds a function without a name.
        version, jax_version: of the libraries by which it was made.
    """

    question: Question
    seed: int
    units: Units
    dtype: np.dtype
    ranges: tuple[tuple[int, int], ...]
    accumulated: Accumulator
    trained: bool
    model: str
    version: str = __version__
    jax_version: str = jax.__version__

    @property
    def rows(self) -> int:
        """The number of rows."""
        return sum(stop - start for start, stop in self.ranges)

    @property
    def missing(self) -> tuple[tuple[int, int], ...]:
        """The ranges of rows, before the last one, that it does not hold."""
        ends = [0, *(stop for _, stop in self.ranges)]
        return tuple((a, b) for a, (b, _) in zip(ends, self.ranges, strict=False) if a < b)

    def merge(self, other: "Part") -> "Part":
        """The part of the rows of both.

        Raises: ValueError naming what differs between the two, and rows that both hold.
        """
        if differing := _differing(self, other):
            raise ValueError(
                f"parts: {self} and {other} do not belong together, they differ in {'; in '.join(differing)}. Reduce"
                " all pieces with the same arguments."
            )
        ranges = sorted((*self.ranges, *other.ranges))
        doubled = [(b, min(d, f)) for (_, d), (b, f) in pairwise(ranges) if b < d]
        if doubled:
            raise ValueError(
                f"parts: {_told(doubled)} come twice, in {self} and in {other}. Give each piece the number of its first"
                " row, first_row=, and each piece once."
            )
        return replace(self, ranges=_joined(ranges), accumulated=self.accumulated.merge(other.accumulated))

    def save(self, path: str | PathLike[str]) -> Path:
        """Write it to one .npz file (arrays and JSON, no pickle), in one step.

        Candidates of a class, or made of functions, of your own are not in the file: pass them to `load`.

        Returns: the path.
        Raises: OSError for a bad path."""
        kept, asked_ = self.accumulated, self.question
        target = asked_.target
        content = {
            "source": written_action(asked_.source),
            "target": None if target is None else written_action(target),
            "names": asked_.names,
            "method": asked_.method,
            "section": None if (one := asked_.section) is None else [one.up, one.down, one.up_to_factor],
            "seed": self.seed,
            "units": tuple(self.units),
            "dtype": str(self.dtype),
            "ranges": self.ranges,
            "factors": [[[f.factor, f.rows] for f in folds.factors] for folds in (kept.numerator, *kept.terms)],
            "sample": [kept.sample.numbers, kept.sample.keys, *kept.sample.columns],
            "spread": [kept.low, kept.high],
            "weight": kept.weight,
            "trained": self.trained,
            "model": self.model,
            "version": self.version,
            "jax": self.jax_version,
        }
        return write_record(path, content, FORMAT)

    @classmethod
    def load(
        cls,
        path: str | PathLike[str],
        source: AbstractAction | None = None,
        target: AbstractFibreAction | None = None,
    ) -> "Part":
        """Read what `save` wrote.

        Arguments: `path`; `source`, `target`: the candidates' actions where they are of a class, or made of functions,
            of your own, which no file can hold. They must be as they were.
        Returns: the part.
        Raises: OSError when there is no such file; ValueError when it is another kind of file, when an action is needed
            and not given, and when another is given."""
        plain = read_record(path, FORMAT, "Part.save")
        moving = read_action(plain["source"], source, "source", path, "Part.load")
        turning = read_action(plain["target"], target, "target", path, "Part.load")
        folds = [FoldFactors(tuple(TriangularFactor(*pair) for pair in each)) for each in plain["factors"]]
        numbers, keys, *columns = plain["sample"]
        sample = Sample(SHOWN, numbers, keys, tuple(columns))
        low, high = plain["spread"]
        kept = Accumulator(folds[0], tuple(folds[1:]), sample, low, high, plain["weight"])
        question = Question(moving, turning, tuple(plain["names"]), plain["method"])
        if plain["section"] is not None:
            question = replace(question, lifted=True, model="S", section=Section(*plain["section"]))
        ranges = tuple((start, stop) for start, stop in plain["ranges"])
        made = plain["trained"], plain["model"], plain["version"], plain["jax"]
        return cls(question, plain["seed"], Units(*plain["units"]), np.dtype(plain["dtype"]), ranges, kept, *made)

    def __repr__(self) -> str:
        return f"Part({_told(self.ranges)})"


@full_precision()
def reduce(
    F,
    x,
    *,
    source: AbstractAction,
    target: AbstractFibreAction | None = None,
    kind: Kind | None = None,
    weight: float | None = None,
    up_to_factor: bool = False,
    first_row: int = 0,
    units: Units | None = None,
    weights=None,
    names: list[str] | None = None,
    output_names: list[str] | None = None,
    seed: int = 0,
) -> Part:
    """A piece of the sample points of `function` or of `section`, reduced to what the answer needs of it.

    However the rows of a table are cut into pieces, `merge` of the parts is what `function`, or `section`, finds in the
    table, to rounding: what is drawn for a row follows from its number and the seed.

    Arguments:
        F: the model, as in `function`, or with a `kind` the section, as in `section`; a scikit-learn estimator as
            `ld.interop.from_sklearn(estimator, sample)`, so that the steps of its finite differences are the same for
            all pieces.
        x: the rows of the piece, (N, n), or an iterable of batches; any number of them.
        source, target, weights, names, output_names, seed: as in `function`.
        kind, weight, up_to_factor: as in `section`, whose `action` is `source`; without a target, which follows.
        first_row: the number, in the whole table, of the first row of this piece.
        units: in which columns that no generator mixes are compared, of `ld.discover.units`; the same for all pieces.
            Default: from this piece. All are one where the generators mix all inputs with each other, and all outputs.
    Returns:
        Part.
    Raises:
        ValueError, TypeError: as `function` and `section`; a target beside a kind, a weight or factor without one.
    Reference: Demmel, Grigori, Hoemmen, Langou (2012), communication-optimal parallel and sequential QR (TSQR).
    """
    check_count(first_row, "first_row", least=0)
    rule = Rule(seed=seed)
    data = streamed(x, names)
    if interop.is_sklearn(F):
        raise TypeError(
            "F: the finite differences of a scikit-learn estimator take steps that follow the data: give F ="
            " lieder.interop.from_sklearn(estimator, sample), with the same sample for all pieces."
        )
    question, model = _asked(
        F, data, source, target, Bundle(source, kind, weight, up_to_factor, "source"), output_names
    )
    w = reducible(question, model, data, weights, piece=True)
    with jax.enable_x64(data.dtype == np.float64):
        if units is None:
            units, data = units_of(model, data, question)
        else:
            check_units(units, question)
        draws = draws_for(question, rule, first_row)
        reducer = Reducer(question, model, data, units)
        found, dtype, count = reducer.accumulated(data, partial(data.batches, piece=True), draws, w)
    mark = interop.program_mark("F", model, data.width, data.dtype).get("F", "")
    return Part(question, rule.seed, units, dtype, ((first_row, first_row + count),), found, is_trained(model), mark)


def _asked(F, data: Stream, source, target, bundle: Bundle, output_names) -> tuple[Question, Callable | ForeignModel]:
    """The question about a model, or about a section where a kind is named."""
    if bundle.kind is None:
        if bundle.weight is not None or checked_flag(bundle.up_to_factor, "up_to_factor"):
            raise ValueError('weight and up_to_factor are of sections: name their kind, kind="metric" say.')
        return asked(F, data, source, target, output_names)
    if target is not None:
        raise ValueError("target: how the values of a section move follows from its kind; leave target out.")
    return asked_section(F, data, bundle, output_names)


@full_precision()
def units(
    F,
    x,
    *,
    source: AbstractAction,
    target: AbstractFibreAction | None = None,
    kind: Kind | None = None,
    weight: float | None = None,
    up_to_factor: bool = False,
) -> Units:
    """The units in which `function` compares columns that no generator mixes, to be shared by the pieces of a table.

    Inputs: the rms size of each group of coordinates about its mean. Outputs: one over the rms slope of each group in
    these units. They follow from a sample of 1,024 rows, the same however the rows are batched.

    Arguments: as in `reduce`; `x`, the table or, where no machine can read all of it, a random part.
    Returns: Units.
    Raises: as `reduce`.
    """
    data = streamed(x, None)
    question, model = _asked(F, data, source, target, Bundle(source, kind, weight, up_to_factor, "source"), None)
    with jax.enable_x64(data.dtype == np.float64):
        return units_of(model, data, question)[0]


@full_precision()
def merge(
    parts: Iterable[Part],
    F=None,
    *,
    error: float | None = None,
    tolerance: float | None = None,
    min_gap: float = 5.0,
    incomplete: bool = False,
) -> Symmetries:
    """The symmetries of a model, from parts that `reduce` made, in any order.

    Arguments:
        parts: of the pieces of one table.
        F: the model; without it no finite check is made. error, tolerance, min_gap: as in `function`.
        incomplete: answer although rows are missing between the parts; the record says which.
    Returns:
        Symmetries, as of `function` or `section` over all rows.
    Raises:
        ValueError: parts that differ in model, candidates, units, seed, columns or the version of lieder or jax; rows
            that come twice or are missing; another F; a model that was trained, and neither F nor `error` to say how
            well it is known; and as `function`.
        TypeError: something that is no part.
    """
    rule = Rule(tolerance, min_gap)
    check_error(error)
    whole = fold(Part.merge, _checked(parts))
    if not checked_flag(incomplete, "incomplete") and whole.missing:
        raise ValueError(
            f"parts: {_told(whole.missing)} are missing. Reduce them too, or pass incomplete=True to do without."
        )
    reduction, question = _finished(whole), whole.question
    model = None if F is None else interop.adapted(F, None, "F", question.names)
    if model is not None and question.section is not None:
        model = flat(model, question.onto.width)
    if model is None and error is None and whole.trained:
        raise ValueError(
            "F: the model was trained, so how well its derivative is known is asked of it: give F or error=."
        )
    if model is not None:
        check_answers(question, model, reduction, SAME[str(whole.dtype)])
    known = Known(error, "the given relative error of the model")
    found = concluded(question, rule, model, known, reduction)
    notes = found.evidence.notes
    if model is None and found.dim:
        notes += ("no finite check was made, F was not given",)
    if whole.missing:
        notes += (f"{_told(whole.missing)} are missing",)
    return replace(found, evidence=replace(found.evidence, notes=notes))


def _finished(part: Part) -> Reduction:
    question, kept, inputs = part.question, part.accumulated, part.question.source.width
    check_enough(sum(kept.numerator.rows), question.source.algebra.dim, "x")
    needed = moved_columns(question.source, kept.sample.columns[1][:64])
    check_varying(kept.low, kept.high, question.names[:inputs], "x", needed)
    with jax.enable_x64(part.dtype == np.float64):
        return finished(question, kept, part.units, part.dtype)


def _checked(parts: Iterable[Part]) -> list[Part]:
    if isinstance(parts, Part):
        return [parts]
    found: list[Any] = list(parts) if isinstance(parts, Iterable) else [parts]
    if not found:
        raise ValueError("parts: there is none. Give those that lieder.discover.reduce made.")
    for part in found:
        if not isinstance(part, Part):
            raise TypeError(
                f"parts: expected those that lieder.discover.reduce made, got {type(part).__name__}. A file is read by"
                " lieder.discover.Part.load(path)."
            )
    return found


def _differing(one: Part, other: Part) -> list[str]:
    """What keeps two parts from being of one table, in words."""
    a, b = one.question, other.question
    pairs = {
        "the version of lieder": (one.version, other.version),
        "the version of jax": (one.jax_version, other.jax_version),
        "source": (a.source, b.source),
        "target": (a.target, b.target),
        "kind": (_slots(a), _slots(b)),
        "names": (a.names, b.names),
        "seed": (one.seed, other.seed),
        "the dtype of the model's values": (str(one.dtype), str(other.dtype)),
    }
    found = [f"{name}: {left} and {right}" for name, (left, right) in pairs.items() if left != right]
    if not found and one.model != other.model:  # whose program follows from the rest
        found.append(f"F: {one.model or 'one without a mark'} and {other.model or 'one without a mark'}")
    if "source" not in found and not all(np.array_equal(u, v) for u, v in zip(one.units, other.units, strict=True)):
        told = "units (take those of lieder.discover.units(F, sample, ...) for all pieces)"
        found.append(told)
    return found


def _slots(question: Question) -> str:
    one = question.section
    if one is None:
        return "no section"
    return f"{one.up} slots up, {one.down} down{', up to a factor' if one.up_to_factor else ''}"


def _joined(ranges: list[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    out: list[tuple[int, int]] = []
    for start, stop in ranges:
        if out and out[-1][1] == start:
            out[-1] = out[-1][0], stop
        else:
            out.append((start, stop))
    return tuple(out)


def _told(ranges: Iterable[tuple[int, int]]) -> str:
    return "rows " + ", ".join(f"{start} to {stop - 1}" for start, stop in ranges)
