"""Actions that know where their generators were measured."""

import dataclasses
from typing import cast

from ._abstract import AbstractAction, AbstractFibreAction
from ._fields import FieldAction
from ._lifts import Lift
from ._measured import Measured


def remembering(action: AbstractFibreAction, measured: Measured) -> AbstractFibreAction:
    """The action with a note of where its generators were measured.

    Arguments: `action`, of generators that were found; `measured`, with the candidates of the same kind.
    Returns: the action; unchanged where its kind cannot keep the note.
    """
    if isinstance(action, FieldAction):
        return dataclasses.replace(action, measured=measured)
    if isinstance(action, Lift) and isinstance(measured.candidates, Lift):
        base = dataclasses.replace(measured, candidates=measured.candidates.base)
        return dataclasses.replace(action, base=remembering(action.base, base))
    return action


def origin(action: AbstractFibreAction) -> Measured | None:
    """Where the generators of an action were measured.

    Arguments: `action`, any.
    Returns: Measured, with candidates of the kind of the action; None for generators that were given.
    """
    if isinstance(action, FieldAction):
        return action.measured
    if isinstance(action, Lift):
        below = origin(action.base)
        if below is None:
            return None
        base = cast(AbstractAction, below.candidates)
        return dataclasses.replace(below, candidates=Lift(base, action.up, action.down, action.weight))
    return None
