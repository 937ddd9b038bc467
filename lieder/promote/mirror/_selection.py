"""Some leaves of a pytree as one vector, and back."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.core
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array


class _Mark:
    """Stands for a leaf, so that a selector shows which ones it takes."""

    def __init__(self, position: int):
        self.position = position


@dataclass(frozen=True)
class Leaves:
    """Which leaves of a pytree, by their position among all of them, and the shape of each."""

    positions: tuple[int, ...]
    shapes: tuple[tuple[int, ...], ...]
    names: tuple[str, ...]

    @property
    def sizes(self) -> list[int]:
        """How many numbers each leaf holds."""
        return [int(np.prod(shape)) for shape in self.shapes]

    @property
    def size(self) -> int:
        """How many numbers they hold together, P."""
        return sum(self.sizes)

    def ravel(self, leaves: list) -> Array:
        """The chosen ones among all leaves of the pytree, as one vector (P,) of their common dtype."""
        return jnp.concatenate([jnp.ravel(leaves[position]) for position in self.positions])

    def put(self, leaves: list, theta: Any) -> list:
        """All leaves, the chosen ones taken from a vector (P,), each at the dtype it had."""
        made, start = list(leaves), 0
        for position, shape, size in zip(self.positions, self.shapes, self.sizes, strict=True):
            made[position] = theta[start : start + size].reshape(shape).astype(leaves[position].dtype)
            start += size
        return made


def select(params: Any, where: Callable | None) -> Leaves:
    """The leaves that a selector takes; all floating-point arrays where it is None."""
    with_paths, structure = jax.tree_util.tree_flatten_with_path(params)
    if where is None:
        positions = [number for number, (_, leaf) in enumerate(with_paths) if is_floating(leaf)]
        if not positions:
            raise ValueError("params holds no floating-point array, so that there is nothing to constrain.")
    else:
        positions = _taken(structure, where)
    for position in positions:
        path, leaf = with_paths[position]
        if not is_floating(leaf):
            kind = f"dtype {leaf.dtype}" if isinstance(leaf, jax.Array | np.ndarray) else f"a {type(leaf).__name__}"
            raise TypeError(
                f"where selects {named(path)}, {kind}: only floating-point arrays can be constrained; select those."
            )
        if leaf.size == 0:
            raise ValueError(f"where selects {named(path)}, which has shape {leaf.shape} and holds no number.")
    return Leaves(
        tuple(positions),
        tuple(tuple(with_paths[position][1].shape) for position in positions),
        tuple(named(with_paths[position][0]) for position in positions),
    )


def is_floating(leaf: Any) -> bool:
    """Whether a leaf is an array of real floating-point numbers."""
    return isinstance(leaf, jax.Array | np.ndarray) and jnp.issubdtype(leaf.dtype, jnp.floating)


def named(path: tuple) -> str:
    """How a user reaches a leaf, as `params.layers[0].weight`."""
    return "params" + jax.tree_util.keystr(path)


def check_finite(params: Any, leaves: Leaves, what: str = "params") -> None:
    """Refuse NaN; under a transformation such as vmap the numbers are not there to look at."""
    every = jax.tree_util.tree_leaves(params)
    for position, name in zip(leaves.positions, leaves.names, strict=True):
        leaf = every[position]
        if not isinstance(leaf, jax.core.Tracer) and not np.isfinite(np.asarray(leaf, np.float64)).all():
            raise ValueError(f"{what} holds NaN or infinite numbers in {name}; begin from finite ones.")


def _taken(structure, where: Callable) -> list[int]:
    marked = structure.unflatten([_Mark(number) for number in range(structure.num_leaves)])
    try:
        taken = jax.tree_util.tree_leaves(where(marked), is_leaf=lambda one: isinstance(one, _Mark))
    except (AttributeError, IndexError, KeyError, TypeError) as fault:
        raise ValueError(
            f"where cannot be applied to params: {fault}. It takes params to one of its leaves, or a tuple of them, as"
            " in lambda model: model.layers[0].weight, and computes nothing."
        ) from fault
    if any(not isinstance(one, _Mark) for one in taken):
        raise ValueError("where must return leaves of params as they are, as in lambda model: model.layers[0].weight.")
    positions = [one.position for one in taken]
    if not positions:
        raise ValueError("where selects no leaf of params (None is no leaf); select at least one array.")
    if len(set(positions)) < len(positions):
        raise ValueError("where selects a leaf of params twice; select each once.")
    return positions
