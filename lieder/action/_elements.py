"""Finite groups that act on points: every element from those that generate it, subgroups, and changes of sign."""

from dataclasses import replace
from functools import partial
from typing import TypeVar, cast

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from .. import dictionary as families
from ..algebra import FiniteGroup, LieAlgebra, Span
from ..linalg import MatrixStack
from ._abstract import AbstractAction, AbstractFibreAction, discrete_elements
from ._fields import FieldAction
from ._representations import linear

_Any = TypeVar("_Any", bound=AbstractFibreAction)
_ROWS = 1024  # points in one compiled call


def pseudoscalars(algebra: LieAlgebra, signs: ArrayLike | None = None) -> FieldAction:
    """A number that discrete elements may turn round, and generators leave as it is.

    `vectors(g) * pseudoscalars(g)` are axial vectors, such as angular momenta; with signs=-1 and g of one element a
    model that changes its sign there is *anti*-symmetric, as the velocity of a reversible system is under the reversal
    of time.

    Arguments: `algebra`; `signs` (c,) or one number, +1 or -1 for each discrete element; default: the sign of its
        determinant.
    Returns: a FieldAction of width 1.
    Raises: ValueError for signs that are no such numbers, or that do not multiply as the group does.
    """
    maps = discrete_elements(algebra)
    if signs is None:
        chosen = np.array([np.sign(np.linalg.det(h[:, :-1])) for h in maps])
    else:
        chosen = np.asarray(signs, dtype=np.float64)
        if chosen.ndim > 1 or not np.isin(chosen, (-1.0, 1.0)).all() or chosen.size not in (1, len(maps)):
            raise ValueError(f"signs must be +1 or -1 for each of {len(maps)} discrete elements, got {signs!r}.")
        chosen = np.broadcast_to(chosen, len(maps))
    made = linear(algebra, np.zeros((algebra.dim, 1, 1)), chosen.reshape(-1, 1, 1) if len(maps) else None)
    return FieldAction(algebra, made.generators, made.dictionary, (("pseudoscalars", 1),), made.elements)


def carried(
    source: AbstractAction,
    target: AbstractFibreAction | None,
    group: FiniteGroup,
    x: Float[np.ndarray, "points n"],
    y: Float[np.ndarray, "points models m"],
) -> tuple[Float[np.ndarray, "G points n"], Float[np.ndarray, "G points models m"]]:
    """Where every element of a finite group takes inputs and outputs, in float64.

    Arguments: `source`, `target`, over one algebra whose discrete elements are the generators of the `group`; no target
        where outputs stay; `x` (B, n); `y` (B, K, m), the outputs of K models.
    Returns: (G, B, n) and (G, B, K, m).
    """
    there = np.empty((group.order, *x.shape))
    out = np.empty((group.order, *y.shape)) if target is not None else np.broadcast_to(y, (group.order, *y.shape))
    there[0] = x
    if target is not None:
        out[0] = y
    depth = _depths(group)
    for level in range(1, int(depth.max(initial=0)) + 1):
        for j in range(len(group.generators)):
            here = np.flatnonzero((depth == level) & (group.step == j))
            if len(here) == 0:
                continue
            before = group.parent[here]
            there[here] = _moved(source, j, there[before].reshape(-1, x.shape[1])).reshape(there[here].shape)
            if target is not None:
                places = np.repeat(there[before].reshape(-1, x.shape[1]), y.shape[1], axis=0)
                turned = _turned(target, j, places, out[before].reshape(-1, y.shape[2]))
                out[here] = turned.reshape(out[here].shape)
    return there, out


def _depths(group: FiniteGroup) -> np.ndarray:
    depth = np.zeros(group.order, np.int64)
    for k in range(1, group.order):  # parents come first
        depth[k] = depth[group.parent[k]] + 1
    return depth


def element_maps(action: AbstractFibreAction) -> Float[np.ndarray, "c n n+1"] | None:
    """What the discrete elements of an algebra do, as affine maps; None for an action not known to be affine.

    Returns: (c, n, n + 1), or None.
    """
    fields = action.expansion
    if fields is None or not fields.is_affine:
        return None
    dense = fields.elements.dense()
    return np.pad(dense, ((0, 0), (0, 0), (0, fields.width + 1 - dense.shape[2])))


def _moved(action: AbstractAction, j: int, x: np.ndarray) -> np.ndarray:
    maps = element_maps(action)
    if maps is not None:
        return x @ maps[j, :, :-1].T + maps[j, :, -1]
    return _in_pieces(lambda a: _over_points(action, j, a), x)


def _turned(action: AbstractFibreAction, j: int, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    if isinstance(action, AbstractAction):
        return _moved(action, j, y)
    return _in_pieces(lambda a, b: _over_pairs(action, j, a, b), x, y)


@eqx.filter_jit
def _over_points(action, j, x):
    return jax.vmap(partial(action.element, j))(x)


@eqx.filter_jit
def _over_pairs(action, j, x, y):
    return jax.vmap(partial(action.element_over, j))(x, y)


def _in_pieces(function, *arrays: np.ndarray) -> np.ndarray:
    """A function of rows, compiled for one number of them."""
    count, out = len(arrays[0]), []
    with jax.enable_x64(True):
        for start in range(0, count, _ROWS):
            parts = [array[start : start + _ROWS] for array in arrays]
            full = [np.concatenate([part, np.repeat(part[:1], _ROWS - len(part), axis=0)]) for part in parts]
            out.append(np.asarray(function(*map(jnp.asarray, full)))[: len(parts[0])])
    return np.concatenate(out)


def subgroup(action: AbstractFibreAction, algebra: LieAlgebra, words: list[tuple[int, ...]]) -> AbstractAction:
    """The action of other elements of a finite group, each given by the elements of which it is the product.

    Arguments: `action` of an algebra; `algebra`, whose discrete elements are these products; `words`, for each the
        numbers of elements of the old algebra, of which the last acts first.
    Returns: a FieldAction where the action is affine.
    Raises: TypeError for an action over inputs that is not affine.
    """
    maps = element_maps(action)
    if maps is None:
        if not isinstance(action, AbstractAction):
            raise TypeError(f"{action!r} is not affine: the elements of its subgroups have no matrices.")
        return Words(action, algebra, tuple(tuple(word) for word in words))
    fields, n = action.expansion, action.width
    assert fields is not None  # our own bug
    whole = np.concatenate([maps, np.broadcast_to(np.eye(n + 1)[-1:], (len(maps), 1, n + 1))], axis=1)
    made = np.empty((len(words), n, n + 1))
    for number, word in enumerate(words):
        product = np.eye(n + 1)
        for j in word:
            product = product @ whole[j]
        made[number] = product[:n]
    return with_elements(fields, algebra, made)


def without_elements(action: _Any, algebra: LieAlgebra | None = None) -> _Any:
    """The same action of the generators alone.

    Arguments: `action`; `algebra`, the one without discrete elements where it has been made already.
    Returns: a FieldAction, of the algebra without its components; the action itself where there are none.
    Raises: TypeError for an action that is not known to be a combination of fields.
    """
    if not discrete_elements(action.algebra):
        return action
    assert isinstance(action.algebra, LieAlgebra)  # our own bug
    fields = action.expansion
    if fields is None:
        raise TypeError(
            f"{action!r} cannot be taken without the discrete elements of {action.algebra.name}: build it from an"
            " algebra that has none."
        )
    alone = replace(action.algebra, components=()) if algebra is None else algebra
    made = FieldAction(alone, fields.generators, fields.dictionary, fields.blocks)
    return cast(_Any, made)  # an action where the given one is


def with_elements(action: FieldAction, algebra: LieAlgebra, maps: Float[np.ndarray, "c n n+1"]) -> FieldAction:
    """An affine action of another algebra with as many generators, whose discrete elements are given as affine maps.

    Arguments: `action`, whose generators are those of the `algebra`; `maps` (c, n, n + 1).
    Returns: a FieldAction; linear where neither generators nor elements shift.
    """
    n, q = action.width, algebra.dim
    generators = action.generators
    if not action.is_linear and np.any(maps[:, :, -1]):
        return FieldAction(algebra, generators, families.affine(n), action.blocks, MatrixStack.from_dense(maps))
    if action.is_linear and np.any(maps[:, :, -1]):
        wide = generators.placed((q, n, n + 1))
        return FieldAction(algebra, wide, families.affine(n), action.blocks, MatrixStack.from_dense(maps))
    if action.is_linear:
        maps = maps[:, :, :n]
    return FieldAction(algebra, generators, action.dictionary, action.blocks, MatrixStack.from_dense(maps))


class Words(AbstractAction):
    """Elements of a finite group that are products of those of another action.

    Fields: `base`; `algebra`, without generators; `words`, for each of its elements the numbers of the base's, of which
        the last acts first.
    """

    base: AbstractAction
    algebra: LieAlgebra | Span = eqx.field(static=True)
    words: tuple[tuple[int, ...], ...] = eqx.field(static=True)

    @property
    def width(self) -> int:
        return self.base.width

    def field(self, xi, z):
        return jnp.zeros_like(z)

    def element(self, number, z, inverse=False):
        word = self.words[number]
        for j in word if inverse else reversed(word):
            z = self.base.element(j, z, inverse)
        return z

    @property
    def blocks(self):
        return self.base.blocks

    def unit_groups(self):
        return self.base.unit_groups()
