"""A representation seen by a nonlinearity: its summands, and what may be done to each of them."""

from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import pairwise
from typing import Literal

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from .. import dictionary as families
from ..action import AbstractAction, FieldAction, represented
from ..algebra import LieAlgebra
from ..linalg import MatrixStack, stacked
from ..representation import Summand, summands

_SKEW = 1e-12  # relative, for matrices to count as skew or orthogonal: products of exact generators round to 1e-15
Motion = Literal["still", "permuted", "orthogonal", "other"]


@dataclass(frozen=True, eq=False)
class Kind:
    """One summand of a representation, all its copies.

    Fields: `motion`: what the group does to it: nothing ("still"), permutes its coordinates, moves it by orthogonal
    maps, or other; `places` (copies, size); `action`, the representation of one copy.
    """

    motion: Motion
    places: np.ndarray
    action: FieldAction

    @property
    def is_pointwise(self) -> bool:
        """True when any function of one number may be applied to each coordinate."""
        return self.motion in ("still", "permuted")

    @property
    def copies(self) -> int:
        return self.places.shape[0]

    @property
    def size(self) -> int:
        return self.places.shape[1]


@jax.tree_util.register_static
@dataclass(frozen=True, eq=False)
class Kinds:
    """A representation and its different summands, in the order of their first coordinates. A static pytree."""

    action: FieldAction
    each: tuple[Kind, ...]

    @property
    def moved(self) -> tuple[Kind, ...]:
        """Summands that pointwise functions would break: neither still nor permuted."""
        return tuple(kind for kind in self.each if not kind.is_pointwise)

    def split(self, x: Array) -> list[Array]:
        """The coordinates of each summand, (size, copies): copies are mixed by matrix products, so they come last."""
        runs = self._runs
        parts = [[x[start : start + count] for start, count in own] for own in runs]
        return [joined(part).reshape(kind.places.shape).T for part, kind in zip(parts, self.each, strict=True)]

    def join(self, blocks: list[Array]) -> Array:
        """The inverse of `split`."""
        parts = []
        for own, block in zip(self._runs, blocks, strict=True):
            flat, begin = block.T.reshape(-1), 0
            for start, count in own:
                parts.append((start, flat[begin : begin + count]))
                begin += count
        return joined([part for _, part in sorted(parts, key=lambda pair: pair[0])])

    @cached_property
    def _runs(self) -> list[list[tuple[int, int]]]:
        """Start and length of each stretch of consecutive coordinates: slices are quicker than gathers, whose
        derivatives are scatters, which XLA runs entry by entry."""
        out = []
        for kind in self.each:
            flat = kind.places.reshape(-1)
            ends = [0, *(np.flatnonzero(np.diff(flat) != 1) + 1), len(flat)]
            out.append([(int(flat[a]), int(b - a)) for a, b in pairwise(ends)])
        return out


def joined(parts: list[Array], axis: int = 0) -> Array:
    """Arrays side by side; a single one as it is."""
    return parts[0] if len(parts) == 1 else jnp.concatenate(parts, axis)


def spread(x: Array, size: int) -> Array:
    """x (1, copies) as (size, copies): a concatenation, since the derivative of a broadcast is a sum over a middle axis
    of a batch, which took XLA a third to 40 % of a training step; that of a concatenation is a sum of slices."""
    return jnp.concatenate([x] * size) if size > 1 else x


@jax.tree_util.register_static
@dataclass(frozen=True)
class Ends:
    """Between what a layer stands: static, since a layer's own weights are trained and its representations are not."""

    source: FieldAction
    target: FieldAction


def kinds(action: AbstractAction, name: str) -> Kinds:
    """The summands of a linear action; the same object for the same content.

    Arguments: `action`; `name`, what to call it in messages.
    Returns: Kinds.
    Raises: TypeError for actions that are not linear.
    """
    action = represented(action, name)
    if not action.is_linear:
        raise TypeError(
            f"{name}, {named(action)}, is not linear, and a nonlinearity acts on vectors, tensors and scalars. Start"
            " with ld.nn.Linear, which takes affine points."
        )
    return _found(action)


@lru_cache(maxsize=256)
def _found(action: FieldAction) -> Kinds:
    found = summands(stacked([action.matrices(), action.discrete()], axis=0))
    return Kinds(action, tuple(_kind(action, summand) for summand in found))


def _kind(action: FieldAction, summand: Summand) -> Kind:
    size, q = summand.size, action.algebra.dim
    which, row, column = summand.operators.index
    value = summand.operators.value
    count = summand.operators.shape[0]
    moving, elements = which < q, which >= q
    generators = MatrixStack((q, size, size), summand.operators.index[:, moving], value[moving])
    finite = MatrixStack((count - q, size, size), np.stack([which - q, row, column])[:, elements], value[elements])
    one = FieldAction(action.algebra, generators, families.linear(size), ((_name(action, summand), size),), finite)
    tolerance = action.algebra.tolerance if isinstance(action.algebra, LieAlgebra) else 0.0
    return Kind(_motion(generators, finite, max(_SKEW, tolerance)), summand.places, one)


def _name(action: FieldAction, summand: Summand) -> str:
    """What the action calls the block that this summand is, or "tensors"."""
    start = 0
    for kind, width in action.blocks:
        if start <= summand.places[0, 0] < start + width:
            return kind if width % summand.size == 0 else "tensors"
        start += width
    return "tensors"


def _motion(generators: MatrixStack, finite: MatrixStack, tolerance: float) -> Motion:
    size, count = finite.shape[1], finite.shape[0]
    if len(generators.value) == 0:
        every = np.array_equal(finite.value, np.ones(count * size))  # one 1 in each row: a permutation, as it inverts
        if every and np.array_equal(finite.index[1], finite.index[2]):
            return "still"
        if every:
            return "permuted"
    dense = generators.dense()
    skew = np.abs(dense + dense.transpose(0, 2, 1)).max(initial=0.0) <= tolerance * np.abs(dense).max(initial=0.0)
    matrices = finite.dense()
    turned = np.abs(matrices @ matrices.transpose(0, 2, 1) - np.eye(size)).max(initial=0.0) <= tolerance
    return "orthogonal" if skew and turned else "other"


def named(action: AbstractAction) -> str:
    """The action in a message: "so(3) on 4 vectors(3) + 2 scalars(1)"."""
    pieces, runs = [], []
    for block in action.blocks:
        if runs and runs[-1][0] == block:
            runs[-1][1] += 1
        else:
            runs.append([block, 1])
    for (kind, width), count in runs:
        pieces.append(f"{count} {kind}({width})" if count > 1 else f"{kind}({width})")
    return f"{action.algebra.name} on {' + '.join(pieces)}"
