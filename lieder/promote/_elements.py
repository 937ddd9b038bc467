"""A group lasso over finite elements: reflections, permutations and other maps that a model may keep or break."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jaxtyping import Array, Float
from numpy.typing import ArrayLike

from ..action import AbstractAction, check_same_algebra, discrete_elements
from ._batch import checked_batch, checked_smoothing
from ._penalty import SMOOTHING


def element_penalty(
    F: Callable,
    x: Float[Array | np.ndarray, "B n"],
    *,
    source: AbstractAction | ArrayLike,
    target: AbstractAction | ArrayLike | None = None,
    smoothing: float = SMOOTHING,
) -> Float[Array, ""]:
    """How many finite elements a model breaks, and by how much, as one number to be added to its loss.

        sum_g |K_g F - F|,    (K_g F)(x) = rho_out(g)^-1 F(g x),    |D|^2 = sum_i |D(x_i)|^2 / B

    One norm for each element, not its square: a group lasso, which makes some of them vanish altogether.

    Arguments:
        F: one example (n,) -> one output (m,), or a scalar when m = 1.
        x: (B, n) a minibatch of inputs; F is evaluated at x and at each g x.
        source: an action whose algebra has discrete elements, such as vectors(algebra.symmetric(4)) or
            vectors(algebra.o(3)): those that generate the group are taken, not all of them. Or the matrices themselves,
            (G, n, n), or (G, n, n + 1) for affine maps.
        target: the same on outputs, linear, affine or fields on a grid, or (G, m, m) or (G, m, m + 1); default: outputs
            stay.
        smoothing: d >= 0. Norms below e = d times the root of the sum of their squares count as squares, default 1e-2
            as in `penalty`.
    Returns:
        a scalar in units of F. Where an element is kept exactly its part of the gradient is 0.
    Raises:
        ValueError: no elements, another number of them on the two sides, shapes that do not match, NaN, matrices on
            outputs without inverse, different algebras, negative smoothing. TypeError: an action on outputs of whose
            elements no inverse is known.
    Reference: Otto, Zolman, Kutz, Brunton (2025), section 6; Yuan and Lin (2006) for the group lasso.
    """
    checked_smoothing(smoothing)
    if isinstance(source, AbstractAction) and isinstance(target, AbstractAction):
        check_same_algebra(source, target)
    move, count, n = _moves(source)
    x = checked_batch(F, x, None, n)
    y = jax.vmap(lambda one: jnp.atleast_1d(F(one)))(x)
    if y.ndim != 2:
        raise ValueError(f"F returns shape {y.shape[1:]} for one example; it must return (m,) numbers, or a scalar.")
    z = jax.vmap(lambda one: jax.vmap(lambda moved: jnp.atleast_1d(F(moved)))(move(one)))(x)  # B, G, m
    if target is not None:
        z = jax.vmap(_back(target, count, y.shape[1]))(z)
    return _group_lasso(jnp.sum((z - y[:, None]) ** 2, axis=(0, 2)) / len(x), float(smoothing))


def _group_lasso(squares: Array, smoothing: float) -> Array:
    """sum_g sqrt(D_g + e^2) - e with e^2 = d^2 sum_g D_g; gradients are 0, not NaN, where D_g is."""
    total = jnp.sum(squares)
    e = smoothing * jnp.sqrt(jnp.where(total > 0, total, 1.0))
    kept = squares > 0
    root = jnp.sqrt(jnp.where(kept, squares, 1.0) + e**2)
    return jnp.sum(jnp.where(kept, squares / (root + e), 0.0))


def _moves(source) -> tuple[Callable[[Array], Array], int, int]:
    """All g x of one example, the number of elements and the width."""
    if isinstance(source, AbstractAction):
        count = len(discrete_elements(source.algebra))
        if count == 0:
            raise ValueError(
                f"source: {source.algebra.name} has no discrete elements. Take an algebra with some, such as o(3) or"
                " symmetric(4), add them with ld.algebra.extended, or give matrices (G, n, n). Generators have"
                " ld.promote.penalty."
            )
        return lambda x: jnp.stack([source.element(number, x) for number in range(count)]), count, source.width
    maps = _checked(source, "source")
    linear, shift = maps[:, :, :-1], maps[:, :, -1]
    return lambda x: jnp.asarray(linear, x.dtype) @ x + jnp.asarray(shift, x.dtype), len(maps), maps.shape[1]


def _back(target, count: int, m: int) -> Callable[[Array], Array]:
    """Each of the outputs (G, m) at g x taken back by rho(g)^-1."""
    maps = None if isinstance(target, AbstractAction) else _checked(target, "target")
    given, width = (len(discrete_elements(target.algebra)), target.width) if maps is None else maps.shape[:2]
    if given != count:
        raise ValueError(f"target has {given} elements, but source {count}: give one for each.")
    if width != m:
        raise ValueError(f"F returns {m} number{'s' * (m != 1)}, but target acts on {width}.")
    if maps is None:
        fields = target.expansion
        if fields is not None and not fields.is_affine:
            raise TypeError(
                f"target, {target}, is not affine, so that its elements have no inverse matrices. Give a linear or"
                " affine action on outputs."
            )
        return lambda z: jnp.stack([target.element(number, z[number], inverse=True) for number in range(count)])
    linear, shift = maps[:, :, :-1], maps[:, :, -1]
    poor = np.linalg.cond(linear) > 1e12
    if poor.any():
        raise ValueError(f"target: element {poor.argmax()} has no inverse, so it belongs to no group.")
    back = np.linalg.inv(linear)
    return lambda z: jnp.einsum("gij,gj->gi", jnp.asarray(back, z.dtype), z - jnp.asarray(shift, z.dtype))


def _checked(given, argument: str) -> np.ndarray:
    """Affine maps (G, n, n + 1) from matrices."""
    if isinstance(given, Tracer):
        raise TypeError(
            f"{argument} must be a NumPy array that the loss holds, not an argument that is traced with it."
        )
    try:
        maps = np.asarray(given, dtype=np.float64)
    except (TypeError, ValueError):
        raise TypeError(
            f"{argument} must be an action whose algebra has discrete elements, or matrices (G, n, n), got"
            f" {type(given).__name__}."
        ) from None
    if maps.ndim != 3 or maps.shape[2] - maps.shape[1] not in (0, 1) or maps.size == 0:
        raise ValueError(
            f"{argument} must hold matrices of shape (G, n, n), or (G, n, n + 1) for affine maps; got {maps.shape}."
        )
    if not np.isfinite(maps).all():
        raise ValueError(f"{argument} holds NaN or infinite entries.")
    return np.pad(maps, ((0, 0), (0, 0), (0, maps.shape[1] + 1 - maps.shape[2])))
