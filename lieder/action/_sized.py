"""Actions that are fixed, or that take their width from the data."""

from collections.abc import Callable, Sequence

from ..algebra import LieAlgebra
from ._abstract import AbstractAction, AbstractFibreAction
from ._fields import FieldAction, scalars
from ._grammar import parse
from ._lifts import tangent
from ._representations import covectors, vectors

_KINDS = {"vectors": vectors, "covectors": covectors}


def sized(
    given: "AbstractAction | str | Callable[[int], AbstractAction]", columns: Sequence[str], argument: str = "source"
) -> AbstractAction:
    """How candidates act on these columns.

    Arguments: `given`, an action; or its text over column names, as `parse` reads it ("se on points": the rigid motions
    of all columns); or a function from the number of columns to an action, such as
    `lambda n: ld.points(ld.algebra.so(n - 1, 1))`. `columns`, their names; `argument`, its name in messages.
    Returns: an action as wide as there are columns.
    Raises: TypeError when `given` is of another kind; ValueError for a text that cannot be read, and for an action of
    another width.
    """
    if isinstance(given, str):
        return parse(given, list(columns))[0]
    made = given(len(columns)) if callable(given) and not isinstance(given, AbstractAction) else given
    if not isinstance(made, AbstractAction):
        raise TypeError(
            f'{argument}: expected an action such as ld.points(ld.algebra.se(3)), its text "se on points", or a'
            f" function from the number of columns to one; got {made!r}."
        )
    if made.width != len(columns):
        raise ValueError(
            f"{argument} acts on {made.width} numbers ({made}), but the data have {len(columns)} feature(s)."
        )
    return made


def sized_target(
    given: "AbstractFibreAction | str | None", source: AbstractAction, outputs: int | None = None
) -> AbstractFibreAction:
    """How the candidates of `source` act on outputs.

    Arguments: `given`, an action on outputs; or None or "scalars", which nothing moves; or "vectors", "covectors", as
    often as they fit; or "tangent", the velocities of a vector field on the inputs. `source`; `outputs`, how many there
    are (default: one scalar, or one vector).
    Returns: the action.
    Raises: TypeError when `given` is of another kind; ValueError for another word, and when widths do not fit.
    """
    if given is None or given == "scalars":
        return scalars(source.algebra, 1 if outputs is None else outputs)
    if isinstance(given, str):
        if given not in (*_KINDS, "tangent"):
            raise ValueError(f'target: expected "scalars", "vectors", "covectors" or "tangent", got {given!r}.')
        given = tangent(source) if given == "tangent" else _copies(given, source, outputs)
    if not isinstance(given, AbstractFibreAction):
        raise TypeError(
            'target: expected an action on outputs, "scalars", "vectors", "covectors" or "tangent", or None for'
            f" scalars; got {given!r}."
        )
    if outputs is not None and given.width != outputs:
        raise ValueError(f"y has {outputs} column{'s' * (outputs != 1)}, but target acts on {given.width} outputs.")
    return given


def _copies(kind: str, source: AbstractAction, outputs: int | None) -> FieldAction:
    if not isinstance(source.algebra, LieAlgebra):
        raise ValueError(f'target: {kind} need an algebra of matrices, not free fields; take "scalars" or "tangent".')
    one = _KINDS[kind](source.algebra)
    return one if outputs is None else max(1, outputs // one.width) * one
