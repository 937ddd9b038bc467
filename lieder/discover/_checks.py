"""What every verb asks of its arguments before any work, in the user's words."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from .. import interop
from ..action import AbstractAction, AbstractFibreAction, refuse_elements
from ..algebra import LieAlgebra, Span
from ..derivative import values
from ..interop import ForeignModel
from ..sampling import (
    Numbered,
    Sample,
    Stream,
    Table,
    check_rows,
    check_varying,
    check_whole,
    gather,
    row_keys,
)
from ._question import Question, is_number

MOST_BYTES = 2**31  # of one triangular factor of all candidates
_READ = 2**16  # rows read at a time
SMALLEST = 1e-100  # sizes of a model below which squares, and what is made of them, leave the range of numbers


def check_action(action, argument: str, fibre: bool = False) -> None:
    """A TypeError unless this is an action, on outputs if `fibre`; a ValueError if nothing generates it, or more than
    generators do."""
    if isinstance(action, AbstractFibreAction if fibre else AbstractAction):
        if action.algebra.dim == 0:
            raise ValueError(
                f"{argument}: {action.algebra.name} has no generators, and what is looked for are continuous"
                " symmetries. Whether a model has discrete ones is asked by lieder.discover.finite, and measured by"
                " lieder.nn.check and lieder.promote.element_penalty."
            )
        refuse_elements(
            action,
            argument,
            "what is looked for are continuous symmetries",
            "whether a model keeps the others is asked by lieder.discover.finite, and measured by lieder.nn.check and"
            " lieder.promote.element_penalty.",
        )
        return
    if isinstance(action, LieAlgebra | Span):
        advice = f"got the algebra {action.name} alone: say how it acts, such as lieder.vectors(algebra) or"
        advice += " lieder.points(algebra)."
    elif isinstance(action, str):
        advice = f"got the text '{action}': lieder.action.parse reads candidates written as text."
    elif isinstance(action, AbstractFibreAction):
        advice = f"got {action}, which acts on outputs over inputs only."
    else:
        advice = f"got {'None' if action is None else type(action).__name__}."
        if fibre:
            advice += " For outputs that nothing moves write lieder.scalars(algebra, width)."
    raise TypeError(f"{argument} must be an action, such as lieder.vectors(lieder.algebra.gl(3)); {advice}")


def check_error(error) -> None:
    """A ValueError unless this is a relative error or None."""
    if error is not None and not (is_number(error) and 0.0 <= error < np.inf):
        raise ValueError(f"error must be a relative error, a finite number of at least 0, got {error!r}.")


def check_count(value, argument: str, least: int = 1) -> None:
    """A ValueError unless this is a whole number of at least `least`, or None."""
    if value is not None:
        check_whole(value, argument, least)


def check_width(names: Sequence[str], rows: int | None, action: AbstractFibreAction, argument: str, side: str) -> None:
    """A ValueError when the columns do not fit the action; `rows` of the data, if known, tell a transposed table."""
    width = len(names)
    if width == action.width:
        return
    shown = ", ".join(names[:8]) + (", ..." if width > 8 else "")
    if rows == action.width:
        advice = f"Rows are examples and columns coordinates: with {rows} rows it looks transposed, pass {argument}.T."
    elif width > action.width:
        more = width - action.width
        advice = f"Drop columns, or add scalars for those that nothing moves: {side} + lieder.scalars(algebra, {more})."
    else:
        advice = "Give the missing columns, or an action of that width."
    columns = f"{width} column{'s' * (width != 1)} ({shown})"
    raise ValueError(f"{argument} has {columns}, but {side} acts on {action.width}: {action}. {advice}")


def all_rows(data, argument: str, names, asked: Mapping[str, str] | None = None) -> Table:
    """All rows of an array, a data frame, an iterable of batches or a Dask collection, with their names; `asked`, by
    name, on what several processes that hold some of them must agree."""
    return gather(interop.rows_of(data, argument, names, asked))


def some_rows(data, argument: str, names, most: int, seed: int) -> Table:
    """At most so many rows, in float64: all, or a uniform sample that follows from their numbers and the seed.

    It is drawn where the rows are, so that only the sample moves; every row is checked.
    """
    rows = interop.rows_of(data, argument, names)
    return Table(rows.over(partial(_drawn, most, seed), Sample.merge, _READ).columns[0], rows.names)


def _drawn(most: int, seed: int, batches: Numbered) -> Sample:
    sample = Sample.empty(most)
    for first, batch in batches:
        stop = first + len(batch)
        sample = sample.absorb(np.arange(first, stop), row_keys(first, stop, seed), batch)
    return sample


def units_of_columns(*sides: tuple[object, Table | Stream]) -> tuple[str, ...]:
    """The units of columns, of data that say them, as rows of files do: each side as it came, and as it was read.

    Returns: one text a column, "" where nobody said; () where nobody said any.
    """
    units: tuple[str, ...] = ()
    for given, read in sides:
        said = getattr(given, "units", ())  # of other classes it may be anything
        known = isinstance(said, tuple) and len(said) == len(read.names) and all(isinstance(one, str) for one in said)
        units += said if known else ("",) * len(read.names)
    return units if any(units) else ()


def measured(question: Question, x: object, data: Stream) -> Question:
    """A question about a model, whose first columns have the units that its points say; `x` as they came."""
    units = units_of_columns((x, data))
    return replace(question, units=units + ("",) * (len(question.names) - len(units))) if units else question


def check_table(data: Table, argument: str, needed: np.ndarray | None = None) -> None:
    """A ValueError for one row, for NaN or inf, for columns of absurd size, and for columns that never vary: those that
    are `needed`, by default none but one."""
    if len(data.values) == 1:
        raise ValueError(
            f"{argument} holds one row. One point cannot show a symmetry: give at least as many rows as generators."
        )
    check_rows(data.values, data.names, argument)
    needed = np.zeros(len(data.names), bool) if needed is None else needed
    check_varying(data.values.min(axis=0), data.values.max(axis=0), data.names, argument, needed)


def moved_columns(action: AbstractFibreAction, points: Float[np.ndarray, "points n"]) -> Bool[np.ndarray, " n"]:
    """Which coordinates some generator changes at the points: a model's derivative along these is asked for."""
    points, fields = np.asarray(points, np.float64), action.expansion
    if fields is not None:
        _, row, column = fields.generators.index
        felt = np.any(values(fields.dictionary, points), axis=0)
        moved = np.zeros(action.width, bool)
        moved[row[felt[column]]] = True
        return moved
    if isinstance(action, AbstractAction):
        with jax.enable_x64(True):
            return np.asarray(_moved(action, jnp.asarray(points)))
    return np.ones(action.width, bool)


@partial(jax.jit, static_argnums=0)
def _moved(action: AbstractAction, points: Array) -> Array:
    return jnp.any(jax.vmap(action.fields)(points) != 0, axis=(0, 1))


def check_candidates(rows: int | None, equations: int, q: int, argument: str) -> None:
    """A ValueError, before any work, for fewer equations than candidates and for more candidates than memory holds."""
    if rows is not None and rows > 1:  # of one row something else is said
        check_enough(rows * equations, q, argument)
    if 8 * q**2 > MOST_BYTES:
        raise ValueError(
            f"{q:,} candidate generators take a triangular factor of {8 * q**2 / 2**30:.1f} GiB, and more than"
            f" {MOST_BYTES / 2**30:.0f} GiB is refused. Give a smaller algebra, or blocks of coordinates each with its"
            " own."
        )


def check_enough(rows: int, q: int, argument: str) -> None:
    """A ValueError when there are fewer equations than unknowns: a null space would be found in anything."""
    if rows < q:
        raise ValueError(
            f"{argument} gives {rows} equations for {q} candidate generators: a null space would be found in any "
            "data. Give more rows or fewer candidates."
        )


def check_sides(inputs: Table, outputs: Table, source: AbstractFibreAction, target: AbstractFibreAction) -> None:
    """A ValueError when inputs and outputs differ in length, or do not fit their actions."""
    check_rows_together(inputs, outputs)
    widths = (inputs.values.shape[1], outputs.values.shape[1])
    if widths != (source.width, target.width) and widths == (target.width, source.width):
        raise ValueError(
            f"x has {widths[0]} and y has {widths[1]} columns, but source acts on {source.width} and target on"
            f" {target.width}: x and y are swapped, or source and target are."
        )
    check_width(inputs.names, len(inputs.values), source, "x", "source")
    check_width(outputs.names, len(outputs.values), target, "y", "target")


def check_rows_together(inputs: Table, outputs: Table) -> None:
    """A ValueError when inputs and outputs differ in length."""
    if len(inputs.values) != len(outputs.values):
        raise ValueError(f"x has {len(inputs.values)} rows and y has {len(outputs.values)}: rows must belong together.")


def checked_names(names, width: int, argument: str, default: Sequence[str]) -> tuple[str, ...]:
    """Names of outputs, one a column."""
    if names is None:
        return tuple(default)
    if isinstance(names, str) or not all(isinstance(name, str) for name in names):
        raise TypeError(f"{argument} must be a list of texts, one a column, got {names!r}.")
    if len(names) != width or len(set(names)) < len(names):
        raise ValueError(
            f"{argument} must hold {width} name{'s, all different' if width != 1 else ''}, got {', '.join(names)}."
        )
    return tuple(names)


def checked_weights(weights, rows: int | None, outputs: int, q: int) -> Float[np.ndarray, " N"] | None:
    """Weights (N,) >= 0, enough of them positive, or None."""
    if weights is None:
        return None
    if rows is None:
        raise ValueError("weights need data of known length, and x is an iterable of batches: give x as one array.")
    try:
        weights = np.asarray(weights, dtype=np.float64)
    except (TypeError, ValueError):
        raise TypeError(f"weights must hold one number a row ({rows}), got {weights!r:.60}.") from None
    if weights.shape != (rows,):
        raise ValueError(f"weights must hold one number a row, shape ({rows},), got shape {weights.shape}.")
    if not np.isfinite(weights).all() or (weights < 0).any() or not weights.any():
        raise ValueError("weights must be finite, not negative, and not all zero.")
    if (counted := np.count_nonzero(weights)) * outputs < q:
        plural = "" if counted == 1 else "s"
        raise ValueError(
            f"weights are positive for {counted} row{plural} only: too few equations for {q} candidate generators."
        )
    return weights


def check_foreign(model: ForeignModel, x: np.ndarray | None, width: int, name: str) -> None:
    """A ValueError when a model of another framework does not answer with `width` numbers."""
    if x is None:
        return
    shape = np.shape(model.values(np.asarray(x[:2])))
    if len(shape) != 2 or shape[1] != width:
        got = shape[1] if len(shape) == 2 else f"shape {shape[1:]}"
        raise ValueError(f"{name} answers with {got} numbers for one example, but target acts on {width}.")


def check_moves(
    model, points: Float[np.ndarray, "held n"], numerator: np.ndarray, denominator: np.ndarray, name: str
) -> None:
    """A ValueError for a model whose derivative is zero wherever it was asked: every candidate would pass.

    Then L = -phi, so numerator and denominator agree; only where they do is the model looked at again."""
    largest = np.abs(denominator).max(initial=0.0)
    if not np.allclose(numerator.T @ numerator, denominator.T @ denominator, rtol=1e-9, atol=1e-9 * largest**2):
        return
    if isinstance(model, ForeignModel):
        values, slopes = model.values(points), model.jacobians(points)
    else:
        with jax.enable_x64(points.dtype == np.float64):
            along = jnp.asarray(np.random.default_rng(0).normal(size=points.shape), points.dtype)
            values, slopes = jax.jit(jax.vmap(lambda x, v: jax.jvp(model, (x,), (v,))))(jnp.asarray(points), along)
    if not np.any(slopes):
        raise ValueError(
            f"{name} has derivative zero at every row of x, so nothing can be learnt: it is constant there, or"
            " made of steps (round, sign, argmax). Give a smooth model, such as one fitted to its values."
        )
    size = max(float(np.abs(np.asarray(part, np.float64)).max()) for part in (values, slopes))
    if size < SMALLEST:
        raise ValueError(f"{name} is of size {size:.1g}, too small to be squared. Measure its outputs in other units.")
