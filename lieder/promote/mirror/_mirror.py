"""A mirror: directions in the space of some leaves, and how they are to vanish - one by one, in groups, or in rank."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ._directions import AbstractDirections, Constant, Units, directions
from ._factors import AbstractFactors, Elementwise, Grouped, LowRank
from ._selection import Leaves, select

KINDS = ("elementwise", "group", "low rank")


@dataclass(frozen=True)
class Mirror:
    """Directions O, theta -> (I - 2 O O^T) theta, on some leaves of a pytree, and how they vanish.

    Made by `rescaling`, `rotation`, `permutation`, `entries` and `own`.
    Fields: `leaves`, where it acts; `directions`,
        O; `factors`, the product that O^T theta is written as; `names` of the groups, None where it has none.
    """

    leaves: Leaves
    directions: AbstractDirections
    factors: AbstractFactors
    names: tuple[str, ...] | None = None

    @property
    def size(self) -> int:
        """P: the numbers in the leaves that it acts on."""
        return self.leaves.size

    @property
    def dim(self) -> int:
        """k: the number of directions."""
        return self.directions.dim

    def __repr__(self) -> str:
        kind = {Elementwise: "elementwise", Grouped: "group", LowRank: "low rank"}[type(self.factors)]
        return f"Mirror: {self.dim} directions of {self.size}, {kind}, on {', '.join(self.leaves.names)}"


def own(
    params: Any,
    O: Any,  # noqa: E741
    *,
    where: Callable | None = None,
    kind: str = "elementwise",
    groups: Any = None,
    shape: tuple[int, int] | None = None,
    dim: int | None = None,
) -> Mirror:
    """A mirror of your own.

    Arguments:
        params: the pytree of parameters, such as an equinox model.
        O: (P, k) directions as columns, P the numbers in the selected leaves, raveled one after the other; a matrix, a
            `scipy.sparse` matrix, or a linear JAX function (dim,) -> (P,). A matrix of full rank whose columns are not
            orthonormal is orthonormalised, with a warning; the others must have orthonormal columns.
        where: takes params to a leaf or a tuple of leaves, like that of `equinox.tree_at`; default every
            floating-point array.
        kind: what is to vanish: "elementwise", single directions, by |O^T theta|_1; "group", all at once, by
            |O^T theta|_2, or each of `groups`; "low rank", the rank of O^T theta as a matrix, by its nuclear norm.
        groups: (k,) integers, the group that each direction is in; for kind="group".
        shape: (m, n) with m n = k, for kind="low rank".
        dim: k, where O is a function.
    Returns: Mirror, for `constrain` and `defect`.
    Raises: ValueError for an O of the wrong size or not of full rank; TypeError for leaves that are not floating point.
    """
    leaves = select(params, where)
    return _mirror(leaves, directions(O, leaves.size, dim), kind, groups, shape)


def entries(
    params: Any, *, where: Callable | None = None, kind: str = "elementwise", shape: tuple[int, int] | None = None
) -> Mirror:
    """Every number of some leaves, O = I: sparse by kind="elementwise", a matrix of low rank by kind="low rank".

    Arguments: `params`, `where` and `kind` as in `own`; `shape` of the matrix for "low rank", default that of the one
        leaf selected.
    Returns: Mirror.
    Raises: as `own`.
    """
    leaves = select(params, where)
    if kind == "low rank" and shape is None:
        if [len(one) for one in leaves.shapes] != [2]:
            raise ValueError(
                f"shape: say which matrix (m, n) the {leaves.size} numbers form; no one matrix is selected."
            )
        ((rows, columns),) = leaves.shapes
        shape = (rows, columns)
    every = Units(Constant(np.arange(leaves.size)[:, None]), None, leaves.size, leaves.size)
    return _mirror(leaves, every, kind, None, shape)


def _mirror(leaves: Leaves, along: AbstractDirections, kind: str, groups: Any, shape: Any) -> Mirror:
    if kind not in KINDS:
        raise ValueError(f"kind must be one of {', '.join(map(repr, KINDS))}, got {kind!r}.")
    if groups is not None and kind != "group":
        raise ValueError(f"groups are for kind='group', got kind={kind!r}.")
    if shape is not None and kind != "low rank":
        raise ValueError(f"shape is for kind='low rank', got kind={kind!r}.")
    if kind == "group":
        return grouped(leaves, along, np.zeros(along.dim, np.int64) if groups is None else np.asarray(groups), None)
    if kind == "low rank":
        sides = list(shape) if isinstance(shape, tuple | list) else []
        if [isinstance(n, int | np.integer) and n > 0 for n in sides] != [True, True] or np.prod(sides) != along.dim:
            raise ValueError(f"shape must be (m, n) with m n = {along.dim}, the number of directions; got {shape!r}.")
        return low_rank(leaves, along, (int(sides[0]), int(sides[1])))
    return Mirror(leaves, along, Elementwise())


def grouped(leaves: Leaves, along: AbstractDirections, groups: np.ndarray, names: list[str] | None) -> Mirror:
    """A mirror whose directions vanish by groups."""
    if groups.shape != (along.dim,) or not np.issubdtype(groups.dtype, np.integer):
        raise ValueError(
            f"groups must be {along.dim} integers, the group of each direction; got shape {groups.shape}, dtype"
            f" {groups.dtype}."
        )
    labels, numbers = np.unique(groups, return_inverse=True)
    names = [f"group {label}" for label in labels] if names is None else names
    return Mirror(leaves, along, Grouped(Constant(numbers.astype(np.int32)), len(labels)), tuple(names))


def low_rank(leaves: Leaves, along: AbstractDirections, shape: tuple[int, int]) -> Mirror:
    """A mirror whose directions form a matrix that loses rank."""
    return Mirror(leaves, along, LowRank(shape))
