"""Mirrors of two layers that meet in the same units: rescaling, rotation, permutation."""

import math
import operator
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.core
import numpy as np

from ...late import hierarchy
from ._directions import Constant, Units
from ._mirror import Mirror, grouped, low_rank
from ._selection import Leaves, check_finite, select


def rescaling(params: Any, into: Callable, out_of: Callable, *, axes: tuple[int, int] = (0, 1)) -> Mirror:
    """Each unit between two layers, with its incoming and outgoing weights: constrained, whole units die.

    Scaling the weights into a unit by t and those out of it by 1/t changes nothing where the activation is homogeneous;
    t = -1, for linear and odd ones such as tanh, is the mirror theta_i -> -theta_i. One group for each unit: the
    penalty is 2 a sum_i |theta_i|_2.

    Arguments:
        params: the model.
        into: takes params to the leaf or leaves of weights (and bias) that lead into the units, with one unit for each
            index of axis 0, as in `lambda m: (m.layers[0].weight, m.layers[0].bias)`.
        out_of: the same for the weights that lead out of the units, with the units on axis 1.
        axes: of the units, in `into` and in `out_of`; (0, 1) is that of equinox, W x. For x W: (-1, 0).
    Returns: Mirror of kind "group", one group for each unit.
    Raises: ValueError when the leaves do not have the same number of units.
    Reference: Ziyin (2024), *Symmetry Induces Structure and Constraint of Learning*, ICML: rescaling and sparsity.
    """
    leaves, order = _units(params, into, out_of, axes)
    units, weights = order.shape
    along = Units(Constant(order), None, leaves.size, order.size)
    return grouped(leaves, along, np.repeat(np.arange(units), weights), [f"unit {unit}" for unit in range(units)])


def rotation(
    params: Any, into: Callable, out_of: Callable, *, axes: tuple[int, int] = (0, 1), direction: Any = None
) -> Mirror:
    """The units between two layers as a space that rotates: constrained, the product of the layers loses rank.

    W2 W1 = (W2 R^T)(R W1). The matrix [W1 W2^T], one row for each unit, has the rank that W2 W1 has at balance, and its
    nuclear norm does not see R. Queries and keys of attention are such a pair, with axes=(0, 0).

    Arguments:
        params, into, out_of, axes: as in `rescaling`.
        direction: (units,) n; then the mirror is the one reflection R = I - 2 n n^T, constrained as one group.
    Returns: Mirror of kind "low rank", or "group" for one direction.
    Raises: ValueError as `rescaling`, or for a direction that is zero, not finite or of another length.
    Reference: Ziyin (2024), *Symmetry Induces Structure and Constraint of Learning*, ICML: rotation and low rank.
    """
    leaves, order = _units(params, into, out_of, axes)
    units, weights = order.shape
    if direction is None:
        along = Units(Constant(order), None, leaves.size, order.size)
        return low_rank(leaves, along, (units, weights))
    try:
        n = np.asarray(direction, np.float64)
    except (TypeError, ValueError):
        raise TypeError(f"direction must be {units} numbers, one for each unit; got {direction!r:.60}.") from None
    if n.shape != (units,) or not np.isfinite(n).all() or not n.any():
        raise ValueError(f"direction must be {units} finite numbers, not all zero, one for each unit; got {n.shape}.")
    along = Units(Constant(order), Constant((n / np.linalg.norm(n))[:, None]), leaves.size, weights)
    return grouped(leaves, along, np.zeros(weights, np.int64), ["direction"])


def permutation(
    params: Any,
    into: Callable,
    out_of: Callable,
    *,
    axes: tuple[int, int] = (0, 1),
    clusters: Sequence[Sequence[int]] | None = None,
) -> Mirror:
    """Units that may be exchanged: constrained, they become identical.

    Exchanging units i and j is the reflection along (theta_i - theta_j)/sqrt 2. For more than two units the directions
    are those of a tree, built by joining the nearest units of `params` first (Ward): one group for each merger of
    clusters A and B, sqrt(a b/(a + b)) (mean of A - mean of B), all orthonormal. Units of a branch are identical when
    all groups in it vanish. So make it after some training, when near means something. Only the mergers of two single
    units are symmetries by themselves.

    Arguments:
        params, into, out_of, axes: as in `rescaling`.
        clusters: units that may become one, as lists of their numbers; default all units as one cluster.
            `[[0, 1], [2, 5]]` are two plain exchanges.
    Returns: Mirror of kind "group", one group for each merger.
    Raises: ValueError as `rescaling`, and for clusters that overlap, hold fewer than two units or units there are not.
    Reference: Ziyin (2024), *Symmetry Induces Structure and Constraint of Learning*, ICML: permutation and homogeneous
        ensembling. Ward (1963), *Hierarchical grouping to optimize an objective function*.
    """
    leaves, order = _units(params, into, out_of, axes)
    units, weights = order.shape
    try:
        whole = [range(units)] if clusters is None else clusters
        groups = [[operator.index(unit) for unit in group] for group in whole]
    except TypeError:
        raise TypeError(
            f"clusters must be lists of unit numbers, such as [[0, 1], [2, 5]]; got {clusters!r:.60}."
        ) from None
    members = [unit for group in groups for unit in group]
    if not groups or min(map(len, groups)) < 2:
        raise ValueError(f"clusters must hold two units or more each, of {units} units; got {groups}.")
    if len(set(members)) < len(members) or min(members) < 0 or max(members) >= units:
        raise ValueError(f"clusters must hold different units from 0 to {units - 1}, each once; got {groups}.")
    check_finite(params, leaves)
    every = jax.tree_util.tree_leaves(params)
    if any(isinstance(every[position], jax.core.Tracer) for position in leaves.positions):
        raise ValueError("params are traced: the tree of units depends on their values; make the mirror outside jit.")
    theta = np.concatenate([np.asarray(every[position], np.float64).ravel() for position in leaves.positions])
    contrasts, names = _contrasts(groups, theta[order])
    count = contrasts.shape[1]
    along = Units(Constant(order), Constant(contrasts), leaves.size, count * weights)
    return grouped(leaves, along, np.repeat(np.arange(count), weights), names)


def _units(params: Any, into: Callable, out_of: Callable, axes: tuple[int, int]) -> tuple[Leaves, np.ndarray]:
    """The leaves of both layers, and where in their vector the weights of each unit are, (units, weights)."""
    pair = isinstance(axes, tuple | list) and len(axes) == 2
    if not pair or not all(isinstance(axis, int | np.integer) and not isinstance(axis, bool) for axis in axes):
        raise ValueError(f"axes must be two whole numbers, of the units in into and in out_of; got {axes!r}.")
    first, second = select(params, into), select(params, out_of)
    try:
        leaves = select(params, lambda marked: (into(marked), out_of(marked)))
    except ValueError as fault:
        raise ValueError(f"into and out_of must select different leaves: {fault}") from fault
    rows, start = [], 0
    counts = []
    for side, axis in ((first, axes[0]), (second, axes[1])):
        for shape, name in zip(side.shapes, side.names, strict=True):
            if not -len(shape) <= axis < len(shape):
                raise ValueError(f"{name} has shape {shape}, and so no axis {axis} of units; see axes.")
            numbers = start + np.arange(math.prod(shape)).reshape(shape)
            rows.append(np.moveaxis(numbers, axis, 0).reshape(shape[axis], -1))
            counts.append(f"{name} {shape[axis]}")
            start += math.prod(shape)
    if len({len(part) for part in rows}) > 1:
        raise ValueError(f"the leaves do not have the same number of units: {', '.join(counts)}. Check axes={axes}.")
    return leaves, np.concatenate(rows, axis=1)


def _contrasts(groups: list[list[int]], points: np.ndarray) -> tuple[np.ndarray, list[str]]:
    """One contrast for each merger of Ward's trees, (units, mergers), and its name.

    sqrt(a b / (a + b)) (mean of A - mean of B) is Ward's own distance, and orthonormal for whatever binary tree.
    """
    columns, names = [], []
    for group in groups:
        clusters = [[unit] for unit in group]
        for left, right in hierarchy.linkage(points[group], "ward")[:, :2].astype(int):
            A, B = clusters[left], clusters[right]
            column = np.zeros(len(points))
            column[A], column[B] = 1 / len(A), -1 / len(B)
            columns.append(column * math.sqrt(len(A) * len(B) / (len(A) + len(B))))
            names.append(f"units {_listed(A)} - {_listed(B)}")
            clusters.append([*A, *B])
    return np.stack(columns, axis=1), names


def _listed(units: list[int]) -> str:
    return ", ".join(map(str, units)) if len(units) <= 4 else f"{units[0]}, .. ({len(units)})"
