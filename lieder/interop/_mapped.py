"""A function of one example on a batch, compiled: one program for all models of a kind."""

import dataclasses
from collections.abc import Callable, Hashable
from functools import partial
from typing import TypeVar

import jax
import numpy as np

T = TypeVar("T")


def tree(kind: type[T]) -> type[T]:
    """A frozen dataclass as a tree of its fields, as JAX sees it: for models whose numbers come from data.

    Its constructor, which checks what users give, is left out for what JAX puts in the place of arrays.

    Arguments: `kind`, the class.
    Returns: the class.
    """
    names = [field.name for field in dataclasses.fields(kind)]  # pyright: ignore[reportArgumentType]

    def unflatten(_, parts) -> T:
        out = object.__new__(kind)
        for name, part in zip(names, parts, strict=True):
            object.__setattr__(out, name, part)
        return out

    jax.tree_util.register_pytree_node(kind, lambda one: ([getattr(one, name) for name in names], None), unflatten)
    return kind


def mapped(F: Callable, made: Callable = lambda F: F, *options: Hashable) -> Callable[..., jax.Array]:
    """made(F, *options) on each row of a batch.

    A model that is a tree of arrays is an argument of the program: another of the same kind and size, such as a fit to
    other data, is not compiled again.

    Arguments: `F`, of one example; `made`, a function at the top of a module, from F to another function of one example
        (default: F itself); `options`, its further arguments.
    Returns: a function of a batch (B, n).
    """
    if is_tree(F):
        return partial(_mapped, made, options, F)
    return jax.jit(jax.vmap(made(F, *options)))


@partial(jax.jit, static_argnums=(0, 1))
def _mapped(made: Callable, options: tuple[Hashable, ...], F: Callable, x: jax.Array) -> jax.Array:
    return jax.vmap(made(F, *options))(x)


def is_tree(F: Callable, *beside: object) -> bool:
    """Whether all that F holds is arrays and numbers, and the rest, with what stands `beside`, can be compared.

    Arguments: `F`; `beside`, objects.
    Returns: a bool.
    """
    leaves, structure = jax.tree.flatten(F)
    if jax.tree_util.treedef_is_leaf(structure):
        return False
    try:
        hash((structure, beside))
    except TypeError:
        return False
    return all(isinstance(leaf, np.ndarray | jax.Array | float) for leaf in leaves)
