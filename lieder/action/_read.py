"""Actions from the plain data that they write."""

from typing import cast

from .. import dictionary as families
from ._abstract import AbstractAction, AbstractFibreAction
from ._encoded import Encoded
from ._fields import FieldAction
from ._grid import GridAction
from ._jets import Prolonged
from ._lifts import Lift
from ._perceptron import read_perceptron
from ._plain import read_algebra, read_stack
from ._rates import Rates
from ._rescaled import Rescaled
from ._total import TotalAction


def read(plain: dict) -> AbstractFibreAction:
    """The action that `AbstractFibreAction.written` wrote.

    Arguments: `plain`, as it came from there.
    Returns: the action, equal to the one that was written but for where its generators were measured.
    Raises: ValueError for plain data of another kind.
    """
    kind = plain.get("type")
    if kind not in _READERS:
        raise ValueError(f"plain: {kind!r} is no action of lieder; known are {', '.join(_READERS)}.")
    return _READERS[kind](plain)


def _fields(plain: dict) -> FieldAction:
    pieces = tuple((kind, width) for kind, width in plain["pieces"])
    generators, elements = read_stack(plain["generators"]), read_stack(plain["elements"])
    dictionary = families.read(plain["dictionary"])
    return FieldAction(read_algebra(plain["algebra"]), generators, dictionary, pieces, elements)


def _lift(plain: dict) -> Lift:
    return Lift(cast(AbstractAction, read(plain["base"])), plain["up"], plain["down"], plain["weight"])


def _rates(plain: dict) -> Rates:
    return Rates(cast(AbstractAction, read(plain["base"])), plain["states"], plain["timed"])


def _total(plain: dict) -> TotalAction:
    return TotalAction(cast(AbstractAction, read(plain["base"])), read(plain["fibre"]))


def _grid(plain: dict) -> GridAction:
    return GridAction(
        cast(FieldAction, read(plain["base"])),
        cast(FieldAction, read(plain["fibre"])),
        tuple(plain["shape"]),
        plain["boundary"],
        plain["derivative"],
        plain["order"],
        tuple(plain["spacing"]),
        plain["indexing"],
    )


def _prolonged(plain: dict) -> Prolonged:
    return Prolonged(cast(AbstractAction, read(plain["base"])), plain["independent"], plain["order"])


def _rescaled(plain: dict) -> Rescaled:
    return Rescaled(cast(AbstractAction, read(plain["base"])), plain["centre"], plain["size"])


def _encoded(plain: dict) -> Encoded:
    maps = read_perceptron(plain["encoder"]), read_perceptron(plain["decoder"])
    return Encoded(cast(AbstractAction, read(plain["base"])), *maps, plain["width"])


_READERS = {
    "FieldAction": _fields,
    "Lift": _lift,
    "Rates": _rates,
    "TotalAction": _total,
    "GridAction": _grid,
    "Prolonged": _prolonged,
    "Rescaled": _rescaled,
    "Encoded": _encoded,
}
