"""Which coordinates an action mixes: only those need to share a unit."""

import numpy as np
import scipy.sparse
from jaxtyping import Int

from .. import dictionary as families
from ._abstract import AbstractFibreAction
from ._fields import FieldAction
from ._total import TotalAction


def components(action: AbstractFibreAction) -> tuple[Int[np.ndarray, " coordinates"], ...]:
    """The coordinates of an action in groups that no generator mixes.

    Rotations of (x, y) tie x to y; scalings and translations tie nothing. Lengths within a group can be compared,
    between groups they need not be: positions and momenta, or a pressure and a temperature, have units of their own.

    Arguments: `action` of width n.
    Returns: index arrays that part 0..n-1, in the order of their first coordinate. Fields that are not affine count as
    mixing all the coordinates they act on.
    """
    if isinstance(action, TotalAction):
        shift = action.base.width
        return components(action.base) + tuple(group + shift for group in components(action.fibre))
    n = action.width
    if not isinstance(action, FieldAction):
        return (np.arange(n),)
    _, row, column = action.generators.index
    needs = _variables(action.dictionary)
    # A feature ties the coordinates that it moves to the variables that it is made of.
    moved = scipy.sparse.csr_array((np.ones(len(row)), (row, column)), shape=(n, action.dictionary.size))
    count, label = scipy.sparse.csgraph.connected_components(moved @ needs, directed=False)
    return tuple(np.flatnonzero(label == group) for group in range(count))


def _variables(dictionary: families.AbstractDictionary) -> scipy.sparse.csr_array:
    """(D, n) with a one where a feature depends on a variable; a dictionary of unknown make depends on all."""
    n, size = dictionary.width, dictionary.size
    if dictionary in (families.linear(n), families.affine(n)):
        return scipy.sparse.csr_array(scipy.sparse.eye_array(size, n))
    if isinstance(dictionary, families.Blocks):
        return scipy.sparse.csr_array(scipy.sparse.block_diag([_variables(part) for part in dictionary.parts]))
    return scipy.sparse.csr_array(np.ones((size, n)))
