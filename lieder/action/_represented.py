"""What needs matrices asks here for them."""

from ._abstract import AbstractAction
from ._fields import FieldAction


def represented(given: object, argument: str) -> FieldAction:
    """An action in the form T_k f(z), for what needs matrices.

    Arguments: `given`, what the user gave; `argument`, its name in messages.
    Returns: its `expansion`.
    Raises: TypeError for what is no action, and for actions of which no expansion is known.
    """
    if not isinstance(given, AbstractAction):
        raise TypeError(
            f"{argument} must be a representation such as ld.vectors(ld.algebra.so(3)), got {type(given).__name__}."
        )
    fields = given.expansion
    if fields is None:
        raise TypeError(
            f"{argument} must be a representation such as ld.vectors(ld.algebra.so(3)), got {type(given).__name__}"
            f" ({given!r}), whose matrices are not known. If there are such, let its `expansion` return them."
        )
    return fields
