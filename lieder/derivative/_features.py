"""A generator meets a family of functions: how the features of a dictionary move."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import scipy.sparse
from jaxtyping import Float

from .. import dictionary as families
from ..action import AbstractAction, FieldAction
from ..linalg import MatrixStack
from ._monomials import composed, degree_of_joint, derivatives, monomials, products, weights
from ._sampled import Sampled, sampled, values


@dataclass(frozen=True, eq=False)
class LieMatrices:
    """How the features f (D,) of a dictionary move under each generator and each discrete element.

        f = P g,    J_f(x) theta_k(x) = T_k g(x),    f(H_j x) = S_j g(x)

    in a joint family g of E functions. Where the dictionary is closed under the action g is f itself: `closed`.

    Fields: `dictionary`; `action`; `features` P (D, E), sparse; `generators` T, a MatrixStack (q, D, E); `elements` S,
        a MatrixStack (c, D, E); `scale` (D,) and `joint_scale` (E,), by which f and g are multiplied for conditioning:
        for monomials sqrt(d! / a!), which makes rotations orthogonal; `how`: "exact", or "sampled at N points";
        `joint_exponents` (E, n) where g are monomials, else None; `joint`, their values (N, n) -> (N, E), None where
        sampled: g is then orthonormal over the points.
    """

    dictionary: families.AbstractDictionary
    action: AbstractAction
    features: scipy.sparse.csr_array
    generators: MatrixStack
    elements: MatrixStack
    scale: Float[np.ndarray, " D"]
    joint_scale: Float[np.ndarray, " E"]
    how: str
    joint: Callable[[np.ndarray], np.ndarray] | None = None
    joint_exponents: np.ndarray | None = None

    def changed(self, left: scipy.sparse.csr_array) -> "LieMatrices":
        """The same for the functions left f (r, D), in joint functions that are multiplied by `joint_scale`."""
        undo = 1 / self.joint_scale
        features = scipy.sparse.csr_array(left @ self.features @ scipy.sparse.diags_array(undo))
        moved = self.generators.multiplied(left, undo), self.elements.multiplied(left, undo)
        ones = np.ones(moved[0].shape[1]), np.ones(len(undo))
        return LieMatrices(self.dictionary, self.action, features, *moved, *ones, self.how)


def lie_matrices(
    dictionary: families.AbstractDictionary,
    action: AbstractAction,
    x: Float[np.ndarray, "N n"] | None = None,
    seed: int = 0,
) -> LieMatrices:
    """The matrices by which a dictionary's features move, so that L_k is linear algebra on coefficients.

    For F_W(x) = W f(x) and a linear target B_k: (L_k F_W)(x) = (W T_k - B_k W P) g(x).

    Exact and sparse for monomials (polynomials, linear, affine) under affine and polynomial fields, Fourier under
    translations and signed permutations, powers of the radius under rotations and dilations, and blocks of these that
    the action does not mix. Otherwise f and its derivatives are evaluated at points and reduced to a joint basis that
    is orthonormal over them.

    Arguments:
        dictionary: of D functions of n variables.
        action: of width n, with q generators and c discrete elements.
        x: (N, n) points for the sampled case; default N = D (1 + q + c) + 50, uniform in [-1, 1]^n.
        seed: of the default points.
    Returns: LieMatrices.
    Raises: ValueError for different widths, for points at which a feature is not finite, or too few of them; TypeError
        for something that is no dictionary.
    Reference: Otto, Zolman, Kutz, Brunton (2025), section 4: the null space of the Lie derivative on a dictionary.
    """
    if not isinstance(dictionary, families.AbstractDictionary):
        raise TypeError(f"dictionary: expected one such as ld.dictionary.polynomials(3, 2), got {dictionary!r}.")
    if dictionary.width != action.width:
        raise ValueError(f"dictionary takes {dictionary.width} variables, but source acts on {action.width}: {action}.")
    exact = _exact(dictionary, action)
    if exact is not None:
        return exact
    found = sampled(dictionary, action, x, seed)
    return _from_samples(dictionary, action, found)


def _exact(dictionary: families.AbstractDictionary, action: AbstractAction) -> LieMatrices | None:
    fields = action.expansion
    if fields is None:
        return None
    own, by = dictionary.exponents, fields.dictionary.exponents
    if own is not None and by is not None and (fields.is_affine or fields.elements.shape[0] == 0):
        return _monomial(dictionary, fields, own, by)
    if not fields.is_affine:
        return None
    if len(dictionary.split()) > 1:
        return _by_parts(dictionary, fields)
    found = dictionary.under_affine(fields.affine(), _affine_elements(fields))
    if found is None:
        return None
    one = np.ones(dictionary.size)
    same = scipy.sparse.csr_array(scipy.sparse.eye_array(dictionary.size))
    return LieMatrices(dictionary, action, same, *found, one, one, "exact", partial(values, dictionary))


def _monomial(dictionary, action: FieldAction, own: np.ndarray, by: np.ndarray) -> LieMatrices:
    joint = monomials(action.width, degree_of_joint(own, by))
    moved = derivatives(own, action.generators, by, joint)
    # Without discrete elements nothing is composed, whatever the fields are.
    maps = _affine_elements(action) if action.is_affine else MatrixStack.from_entries((0, 1, 1), [[], [], []], [])
    turned = composed(own, maps, joint)
    place = joint.at(joint.key(own))
    # Our own monomials first and in our order, so that a closed family is its own joint family.
    _, first = np.unique(place, return_index=True)
    mine = place[np.sort(first)]
    others = np.setdiff1d(np.concatenate([moved.index[2], turned.index[2]]), mine)
    kept = np.concatenate([mine, others])
    new = np.zeros(len(joint.exponents), np.int64)
    new[kept] = np.arange(len(kept))
    size = len(own)
    features = scipy.sparse.csr_array((np.ones(size), (np.arange(size), new[place])), shape=(size, len(kept)))
    stacks = [
        MatrixStack.from_entries((s.shape[0], size, len(kept)), [s.index[0], s.index[1], new[s.index[2]]], s.value)
        for s in (moved, turned)
    ]
    scales = weights(own), weights(joint.exponents[kept])
    powers = joint.exponents[kept]
    return LieMatrices(
        dictionary, action, features, stacks[0], stacks[1], *scales, "exact", partial(products, powers), powers
    )


def _by_parts(dictionary: families.AbstractDictionary, action: FieldAction) -> LieMatrices | None:
    """Each part by itself, when the action maps each slice of the input to itself."""
    parts = dictionary.split()
    stops = np.cumsum([part.width for part in parts])
    group = np.searchsorted(stops, np.arange(action.width), side="right")
    sides = action.affine(), _affine_elements(action)
    for stack in sides:
        inside = stack.index[2] < action.width
        if np.any(group[stack.index[1, inside]] != group[stack.index[2, inside]]):
            return None
    found = []
    for part, stop in zip(parts, stops, strict=True):
        start, width = stop - part.width, part.width
        cut = []
        for stack in sides:
            own = (stack.index[1] >= start) & (stack.index[1] < stop)
            k, row, column = stack.index[:, own]
            column = np.where(column == action.width, width, column - start)
            cut.append(
                MatrixStack.from_entries((stack.shape[0], width, width + 1), [k, row - start, column], stack.value[own])
            )
        piece = FieldAction(action.algebra, cut[0], families.affine(width), (("points", width),), cut[1])
        found.append(_exact(part, piece))
    pieces = [piece for piece in found if piece is not None]
    if len(pieces) < len(found):
        return None
    return LieMatrices(
        dictionary,
        action,
        scipy.sparse.csr_array(scipy.sparse.block_diag([piece.features for piece in pieces])),
        _diagonal([piece.generators for piece in pieces]),
        _diagonal([piece.elements for piece in pieces]),
        np.concatenate([piece.scale for piece in pieces]),
        np.concatenate([piece.joint_scale for piece in pieces]),
        "exact",
        partial(_side_by_side, [piece.joint for piece in pieces if piece.joint is not None], stops),
    )


def _side_by_side(joints: list[Callable], stops: np.ndarray, x: np.ndarray) -> np.ndarray:
    return np.concatenate([joint(part) for joint, part in zip(joints, np.split(x, stops[:-1], axis=1), strict=True)], 1)


def _diagonal(stacks: list[MatrixStack]) -> MatrixStack:
    shape = (stacks[0].shape[0], sum(s.shape[1] for s in stacks), sum(s.shape[2] for s in stacks))
    index, row, column = [], 0, 0
    for stack in stacks:
        index.append(stack.index + np.array([[0], [row], [column]]))
        row, column = row + stack.shape[1], column + stack.shape[2]
    return MatrixStack.from_entries(shape, np.concatenate(index, 1), np.concatenate([s.value for s in stacks]))


def _from_samples(dictionary, action: AbstractAction, found: Sampled) -> LieMatrices:
    size, joint = found.features.shape
    return LieMatrices(
        dictionary,
        action,
        scipy.sparse.csr_array(found.features),
        MatrixStack.from_dense(found.generators),
        MatrixStack.from_dense(found.elements),
        np.ones(size),
        np.ones(joint),
        f"sampled at {found.points:,} points",
    )


def _affine_elements(action: FieldAction) -> MatrixStack:
    c, n, _ = action.elements.shape
    return action.elements.placed((c, n, n + 1)) if action.is_linear else action.elements
