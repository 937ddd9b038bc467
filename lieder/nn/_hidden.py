"""The representation of hidden layers, chosen from a width."""

from itertools import combinations_with_replacement

from .. import dictionary as families
from ..action import FieldAction, represented, scalars
from ._arguments import checked_count
from ._isotypic import kinds, named


def hidden(source: FieldAction, target: FieldAction, width: int, *, order: int = 1) -> FieldAction:
    """Scalars, what source and target are made of, and if asked its tensor powers, sharing a width equally.

    The different summands of source and target (of the linear part, for points), except scalars, are of order one;
    their products in pairs and triples of orders two and three. An order is taken if one copy of its smallest tensor
    fits into its share of the width. Of order one there are as many copies as in the source, if half the width holds
    them. What is left goes to scalars.

    Arguments: `source`, linear or affine; `target`, linear; `width`, of the result, which may be more when one copy of
    each summand does not fit; `order`, the highest, default 1: products of layers make up for what higher orders would
    hold, at a small part of the cost.
    Returns: a FieldAction.
    Raises: TypeError for other actions; ValueError for a width or an order below 1.
    Reference: Finzi, Welling and Wilson (2021), section 6, "uniform" representations.
    """
    width, order = checked_count(width, "width", 1), checked_count(order, "order", 1)
    base: list[FieldAction] = []
    needed: list[int] = []
    for name, action in (("source", linear_part(source)), ("target", target)):
        for kind in kinds(action, name).each:
            if kind.motion != "still" and not any(_same(kind.action, other) for other in base):
                base.append(kind.action)
                needed.append(kind.copies if name == "source" else 1)
    orders = [base] if base else []
    for power in range(2, order + 1):
        made = _products(base, power, width // (power + 1), orders)
        if not made:
            break
        orders.append(made)
    total, left = [], width
    for number, pieces in enumerate(orders):
        share = left // (len(orders) + 1 - number)
        for place, piece in enumerate(pieces):
            copies = share // ((len(pieces) - place) * piece.width)
            if pieces is base:
                # No fewer than come in, or what they hold would be lost.
                copies = max(copies, 1, min(needed[place], width // (2 * len(base) * piece.width)))
            if copies:
                total.append(copies * piece)
                share, left = share - copies * piece.width, left - copies * piece.width
    out = scalars(source.algebra, max(left, 1))
    for piece in total:
        out = out + piece
    return out


def linear_part(action: FieldAction) -> FieldAction:
    """How differences of points move; a linear action itself.

    Arguments: `action`, linear or affine of width n.
    Returns: a linear FieldAction of width n.
    Raises: TypeError for other actions.
    """
    action = represented(action, "source")
    if not action.is_affine:
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
