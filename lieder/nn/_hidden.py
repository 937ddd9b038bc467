"""The representation of hidden layers, chosen from a width."""

from itertools import combinations_with_replacement

from .. import dictionary as families
from ..action import FieldAction, scalars
from ._kinds import kinds, named

_ORDER = 3  # the highest tensor power taken without being asked


def hidden(source: FieldAction, target: FieldAction, width: int) -> FieldAction:
    """Scalars and tensor powers of what source and target are made of, sharing a width equally.

    The different summands of source and target (of the linear part, for points), except scalars, are of order one;
    their products in pairs and triples of orders two and three. An order is taken if one copy of its smallest tensor
    fits into its share of the width. What is left goes to scalars.

    Arguments: `source`, linear or affine; `target`, linear; `width`, of the result, which may be more when one copy of
    each summand does not fit.
    Returns: a FieldAction.
    Raises: TypeError for other actions; ValueError for a width below 1.
    Reference: Finzi, Welling and Wilson (2021), section 6, "uniform" representations.
    """
    if width < 1:
        raise ValueError(f"width must be 1, 2, 3, ..., got {width}.")
    base: list[FieldAction] = []
    for name, action in (("source", linear_part(source)), ("target", target)):
        for kind in kinds(action, name).each:
            if kind.motion != "still" and not any(_same(kind.action, other) for other in base):
                base.append(kind.action)
    orders = [base] if base else []
    for order in range(2, _ORDER + 1):
        made = _products(base, order, width // (order + 1), orders)
        if not made:
            break
        orders.append(made)
    share = width // (len(orders) + 1)
    total, used = [], 0
    for order in orders:
        left = share
        for number, piece in enumerate(order):
            copies = left // ((len(order) - number) * piece.width)
            copies = max(copies, 1) if order is base else copies
            if copies:
                total.append(copies * piece)
                left, used = left - copies * piece.width, used + copies * piece.width
    out = scalars(source.algebra, max(width - used, 1))
    for piece in total:
        out = out + piece
    return out


def linear_part(action: FieldAction) -> FieldAction:
    """How differences of points move; a linear action itself.

    Arguments: `action`, linear or affine of width n.
    Returns: a linear FieldAction of width n.
    Raises: TypeError for other actions.
    """
    if not isinstance(action, FieldAction) or not action.is_affine:
        raise TypeError(
            f"source, {named(action)}, is neither linear nor affine, and layers need matrices. Write inputs in"
            " coordinates in which it is linear, such as the functions of its dictionary."
        )
    if action.is_linear:
        return action
    n = action.width
    blocks = tuple(("vectors" if kind == "points" else kind, size) for kind, size in action.blocks)
    parts = action.generators.columns(0, n), action.elements.columns(0, n)
    return FieldAction(action.algebra, parts[0], families.linear(n), blocks, parts[1])


def _products(base: list[FieldAction], order: int, share: int, known: list[list[FieldAction]]) -> list[FieldAction]:
    """Products of so many pieces that fit, without those met before and those that nothing moves."""
    out: list[FieldAction] = []
    for pieces in combinations_with_replacement(base, order):
        size = 1
        for piece in pieces:
            size *= piece.width
        if size > share:
            continue
        total = pieces[0]
        for piece in pieces[1:]:
            total = total * piece
        still = all(kind.motion == "still" for kind in kinds(total, "product").each)
        if not still and not any(_same(total, other) for others in (*known, out) for other in others):
            out.append(total)
    return sorted(out, key=lambda piece: piece.width)


def _same(left: FieldAction, right: FieldAction) -> bool:
    return left.matrices().same_as(right.matrices()) and left.discrete().same_as(right.discrete())
