"""The equations a symmetry puts on the coefficients of x' = W f(x)."""

import warnings
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from lieder.action import AbstractAction, discrete_elements, tangent
from lieder.linalg import TriangularFactor

CHUNK = 2**22  # numbers in a block of rows
SPARE = 3  # as many sampled equations as unknowns, three times over
LEAST_POINTS = 50


class Violation(NamedTuple):
    """Factors of two tall matrices on vec(W), W (n, D) row by row: `broken` gives L W, and `moved` its term DF theta.

    Both (at most n D, n D), so that |broken w| / |moved w| is the relative violation of the symmetry.
    """

    broken: np.ndarray
    moved: np.ndarray


def violation(
    evaluate: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]],
    symmetry: AbstractAction,
    points: np.ndarray,
    unit: np.ndarray,
) -> Violation:
    """The Lie derivative of the vector fields W f, sampled: (L_k F)(x) = W Df(x) theta_k(x) - Dtheta_k(x) W f(x).

    Each discrete element g adds the rows W f(g x) - Dg(x) W f(x).

    Arguments: `evaluate`, from points (P, n) to features (P, D) and their Jacobians (P, D, n); `symmetry` of width n;
    `points`; `unit` (n,) of the states, by which the components of velocities are divided.
    Returns: the factors.
    """
    target, q, n = tangent(symmetry), symmetry.algebra.dim, symmetry.width
    with jax.enable_x64(True):
        fields = jax.jit(jax.vmap(symmetry.fields))
        turn = jax.jit(jax.vmap(jax.vmap(target.over, (None, 0)), (0, None)))
        size = evaluate(points[:1])[0].shape[1]
        broken = moved = TriangularFactor.empty(n * size)
        pieces = max(1, len(points) * q * n * n * size // CHUNK)
        for piece in np.array_split(points, pieces):
            f, slope = evaluate(piece)
            theta = np.asarray(fields(jnp.asarray(piece, jnp.float64)))
            # (P, n, q, n): what generator k does to the direction e_i, component a.
            turned = np.asarray(turn(jnp.asarray(piece, jnp.float64), jnp.eye(n, dtype=jnp.float64)))
            along = np.einsum("pdi,pki->pkd", slope, theta)
            first = np.einsum("pkd,ai->pkaid", along, np.eye(n)).reshape(-1, n * size)
            second = np.einsum("pika,pd->pkaid", turned, f).reshape(-1, n * size)
            each = np.tile(1 / unit, len(piece) * q)[:, None]
            broken, moved = broken.absorb(each * (first - second)), moved.absorb(each * first)
            for first, second in _jumps(evaluate, symmetry, piece, f):
                each = np.tile(1 / unit, len(piece))[:, None]
                broken, moved = broken.absorb(each * (first - second)), moved.absorb(each * first)
    return Violation(broken.factor, moved.factor)


def _jumps(evaluate, symmetry: AbstractAction, points: np.ndarray, f: np.ndarray):
    """The two sides of W f(g x) = Dg(x) W f(x), for each discrete element g."""
    target, n, size = tangent(symmetry), symmetry.width, f.shape[1]
    x, unit = jnp.asarray(points, jnp.float64), jnp.eye(symmetry.width, dtype=jnp.float64)
    for number in range(len(discrete_elements(symmetry.algebra))):
        move = jax.vmap(lambda p, k=number: symmetry.element(k, p))
        turn = jax.vmap(lambda p, k=number: jax.vmap(lambda u: target.element_over(k, p, u))(unit))
        there, turned = evaluate(np.asarray(move(x)))[0], np.asarray(turn(x))  # turned: points, directions, components
        yield (
            np.einsum("pd,ai->paid", there, np.eye(n)).reshape(-1, n * size),
            np.einsum("pia,pd->paid", turned, f).reshape(-1, n * size),
        )


def sample(size: int, centre: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """Enough points to tell `size` functions apart, about the middle of the data."""
    count = max(LEAST_POINTS, SPARE * size)
    return centre + np.where(spread > 0, spread, 1.0) * np.random.default_rng(0).standard_normal((count, len(centre)))


def equations(rows: np.ndarray, tolerance: float) -> np.ndarray:
    """Independent, orthonormal equations E w = 0 that say rows w = 0.

    Arguments: `rows` (r, D); `tolerance`, the singular value relative to the largest at and below which an equation
    counts as fulfilled.
    Returns: (rank, D).
    """
    _, values, right = np.linalg.svd(rows, full_matrices=False)
    return right[values > tolerance * max(values.max(initial=0.0), 1e-300)]


def warn_of_zero(symmetry: AbstractAction, depth: int) -> None:
    """Say that only F = 0 has the symmetry, to the caller at that depth (as Python counts, from here)."""
    warnings.warn(
        f"No vector field in this dictionary but F = 0 has the symmetry {symmetry}: the model is F = 0, whatever "
        "the data. Give a larger dictionary, a smaller symmetry, or a penalty if it is approximate.",
        UserWarning,
        stacklevel=depth + 1,
    )
