"""Affine points as a linear representation."""

import numpy as np

from .. import dictionary as families
from ..action import FieldAction
from ..linalg import MatrixStack


def homogeneous(action: FieldAction) -> FieldAction:
    """The linear representation on (x, 1) of an affine action on x: [A_k b_k; 0 0].

    Linear maps from it are the affine maps W x + b that are equivariant.

    Arguments: `action`, affine of width n (a linear one gets b = 0).
    Returns: a FieldAction of width n + 1, linear.
    Raises: TypeError when the action is not affine.
    """
    n, q = action.width, action.algebra.dim
    generators = action.affine().placed((q, n + 1, n + 1))
    count = action.elements.shape[0]
    one = np.stack([np.arange(count), np.full(count, n), np.full(count, n)])
    elements = MatrixStack.from_entries(
        (count, n + 1, n + 1),
        np.concatenate([action.elements.index, one], axis=1),
        np.concatenate([action.elements.value, np.ones(count)]),
    )
    blocks = (*action.blocks, ("scalars", 1))
    return FieldAction(action.algebra, generators, families.linear(n + 1), blocks, elements)
