"""A dictionary at points: values, derivatives along generators, values at moved points, and a joint basis of these."""

from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from .. import dictionary as families
from ..action import AbstractAction, discrete_elements
from ..interop import ForeignModel
from ..sampling import real_numbers
from ._monomials import products

_MOST_BYTES = 2**31
_SPARE = 50  # points more than functions
_RANK = 1e-10
_ROWS = 65536  # points evaluated at once


@dataclass(frozen=True, eq=False)
class Sampled:
    """P (D, E), T (q, D, E) and S (c, D, E) in functions that are orthonormal over the points, and their number."""

    features: np.ndarray
    generators: np.ndarray
    elements: np.ndarray
    points: int


def sampled(dictionary, action: AbstractAction, x: np.ndarray | None, seed: int) -> Sampled:
    """The QR factor of [f, J_f theta_1, .., f(H_1 x), ..] over the points."""
    size, q, c = dictionary.size, action.algebra.dim, len(discrete_elements(action.algebra))
    columns = size * (1 + q + c)
    x = points(action.width, columns + _SPARE, x, seed)
    if 8 * len(x) * columns > _MOST_BYTES:
        raise ValueError(
            f"dictionary: {size} functions under {q} generators and {c} discrete elements, sampled at {len(x)} points,"
            f" take {8 * len(x) * columns / 2**30:.1f} GiB. Take fewer functions, or polynomials: they need no samples."
        )
    found, moved = at_points(dictionary, action, x)
    matrix = np.concatenate([found, *moved], axis=1) / np.sqrt(len(x))
    bad = ~np.isfinite(matrix).all(axis=1)
    if bad.any():
        raise ValueError(
            f"dictionary: a function or its derivative is not finite at {bad.sum()} of {len(x)} points, such as"
            f" {x[bad][0]}. Give x (N, {action.width}), points where all are defined."
        )
    factor = np.linalg.qr(matrix)[1]
    singular = np.linalg.svd(factor, compute_uv=False)
    if len(x) <= columns and np.count_nonzero(singular > _RANK * singular.max(initial=0.0)) == len(x):
        raise ValueError(
            f"x: {len(x)} points are too few for {columns} functions and derivatives: any would look symmetric. Give"
            f" {columns + _SPARE} or more, or none."
        )
    blocks_ = factor.T.reshape(1 + q + c, size, -1)
    return Sampled(blocks_[0], blocks_[1 : 1 + q], blocks_[1 + q :], len(x))


def points(width: int, count: int, x, seed: int) -> np.ndarray:
    """The user's points, or `count` uniform ones in [-1, 1]^n."""
    if x is None:
        return np.random.default_rng(seed).uniform(-1, 1, (count, width))
    x = real_numbers(x, "x")[0].astype(np.float64)
    if x.ndim != 2 or x.shape[1] != width or len(x) == 0:
        raise ValueError(f"x must hold points as rows, (N, {width}), got {x.shape}.")
    if not np.isfinite(x).all():
        raise ValueError("x holds NaN or infinite values.")
    return x


def values(dictionary: families.AbstractDictionary, x: Float[np.ndarray, "N n"]) -> Float[np.ndarray, "N D"]:
    """A dictionary's functions at points, in float64.

    Arguments: `dictionary`; `x` (N, n).
    Returns: (N, D).
    """
    powers = dictionary.exponents
    if powers is not None:
        return products(powers, x)
    with jax.enable_x64(True):
        pieces = np.array_split(x, max(1, -(-len(x) // _ROWS)))
        return np.concatenate([np.asarray(_values(dictionary, jnp.asarray(piece, jnp.float64))) for piece in pieces])


_values = jax.jit(lambda dictionary, x: jax.vmap(dictionary)(x), static_argnums=0)


def at_points(
    F: families.AbstractDictionary | ForeignModel, source: AbstractAction, x: Float[np.ndarray, "N n"]
) -> tuple[Float[np.ndarray, "N D"], Float[np.ndarray, "k N D"]]:
    """Functions f at points, and how each generator (J_f theta_k) and each discrete element (f(H_j x)) moves them."""
    with jax.enable_x64(True):
        points = jnp.asarray(x, jnp.float64)
        if isinstance(F, ForeignModel):
            found, fields = F.values(np.asarray(x)), _fields(source, points)
            along = np.einsum("ndi,nki->knd", F.jacobians(np.asarray(x)), np.asarray(fields))
        else:
            found, along = _along(F, source, points)
        there = np.asarray(_elements(source, points))
        jumps = [F.values(place) if isinstance(F, ForeignModel) else values(F, place) for place in there]
    return np.asarray(found), np.concatenate([np.asarray(along), *(jump[None] for jump in jumps)])


# Equal dictionaries and actions are one argument: nothing is compiled twice.
@partial(jax.jit, static_argnums=(0, 1))
def _along(dictionary, source: AbstractAction, x):
    def one(p):
        found, push = jax.linearize(dictionary, p)
        fields = source.fields(p)
        if source.algebra.dim <= source.width:
            return found, jax.vmap(push)(fields)
        return found, fields @ jax.vmap(push)(jnp.eye(source.width, dtype=p.dtype))

    return jax.vmap(one, out_axes=(0, 1))(x)


@partial(jax.jit, static_argnums=0)
def _fields(source: AbstractAction, x):
    return jax.vmap(source.fields)(x)


@partial(jax.jit, static_argnums=0)
def _elements(source: AbstractAction, x):
    moves = [jax.vmap(lambda p, j=j: source.element(j, p))(x) for j in range(len(discrete_elements(source.algebra)))]
    return jnp.stack(moves) if moves else jnp.zeros((0, *x.shape))
