"""A symmetry as a loss that needs no derivative of the model: values at moved points against moved values."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from ..action import AbstractAction, discrete_elements, flow, velocities

STEP = 1e-3  # of central differences, in spreads of the data
FARTHEST = 1.0  # of random flows: the data move by about their own spread


@dataclass(frozen=True, eq=False)
class Law:
    """One condition at every row: sum_r c_r F(moved_r) = A F(x), as arrays.

    Fields: `moved`, a list of rows (N, n) at which the model is asked; `shares` c_r; `turns` A (N, n, n).
    """

    moved: tuple[Float[np.ndarray, "N n"], ...]
    shares: tuple[float, ...]
    turns: Float[np.ndarray, "N n n"]

    def at(self, rows: np.ndarray) -> "Law":
        """The condition at some of the rows."""
        return Law(tuple(moved[rows] for moved in self.moved), self.shares, self.turns[rows])

    def residual(self, number: int, here: np.ndarray, moved: list[np.ndarray], others: np.ndarray) -> np.ndarray:
        """How far component `number` is from the condition.

        Arguments: `here` (N,), its values at the rows, and `moved`, at each moved rows; `others` (N, n), values of all
            components, of which that one is not used.
        Returns: (N,)."""
        rest = np.delete(np.arange(others.shape[1]), number)
        turned = self.turns[:, number, number] * here
        turned = turned + np.einsum("Nj,Nj->N", self.turns[:, number, rest], others[:, rest])
        return sum(c * values for c, values in zip(self.shares, moved, strict=True)) - turned


def laws(
    symmetry: AbstractAction,
    x: Float[np.ndarray, "N n"],
    by: Literal["infinitesimal", "flow"],
    seed: int,
) -> list[Law]:
    """The conditions of a symmetry on a vector field at rows x.

    "infinitesimal": DF(x) theta_k(x) = Dtheta_k(x) F(x) for each generator, the left side by central differences;
    "flow": F(g x) = Dg(x) F(x), g = exp(t xi), one random t and xi for each row, both ways along it.
    The same with g for each discrete element.

    Returns: one law a generator, or one a direction of the flow, and one an element.
    """
    with jax.enable_x64(True):
        connected = _by_differences(symmetry, x) if by == "infinitesimal" else _by_flows(symmetry, x, seed)
        return connected + _of_elements(symmetry, x)


def _pace(symmetry: AbstractAction, x: np.ndarray) -> np.ndarray:
    """How far each generator moves the data, in their spreads, so that one step and one weight suit all."""
    spread = np.maximum(x.std(axis=0), np.finfo(float).tiny)
    moves = velocities(symmetry, np.eye(symmetry.algebra.dim), x)
    pace = np.sqrt(np.mean((moves / spread) ** 2, axis=(1, 2)))
    return np.where(pace > 0, pace, 1.0)


def _by_differences(symmetry: AbstractAction, x: np.ndarray) -> list[Law]:
    found = []
    for xi in np.eye(symmetry.algebra.dim) / _pace(symmetry, x)[:, None]:
        theta, turns = _with_slopes(partial(symmetry.field, jnp.asarray(xi)), x)
        ends = (x + STEP * theta, x - STEP * theta)
        found.append(Law(ends, (0.5 / STEP, -0.5 / STEP), turns))
    return found


def _by_flows(symmetry: AbstractAction, x: np.ndarray, seed: int) -> list[Law]:
    rng, q = np.random.default_rng(seed), symmetry.algebra.dim
    if q == 0:
        return []
    draws = rng.standard_normal((len(x), q))
    far = rng.uniform(0, FARTHEST, (len(x), 1)) / np.linalg.norm(draws, axis=1, keepdims=True)
    draws *= far / _pace(symmetry, x)
    found = []
    for xi in (draws, -draws):
        moved, turns = _with_slopes(lambda z, xi: flow(symmetry, xi, z), x, xi)
        found.append(Law((moved,), (1.0,), turns))
    return found


def _of_elements(symmetry: AbstractAction, x: np.ndarray) -> list[Law]:
    found = []
    for number in range(len(discrete_elements(symmetry.algebra))):
        moved, turns = _with_slopes(partial(symmetry.element, number), x)
        found.append(Law((moved,), (1.0,), turns))
    return found


def _with_slopes(function: Callable, x: np.ndarray, *more: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Its values (N, n) and Jacobians (N, n, n) at rows."""
    given = [jnp.asarray(each) for each in (x, *more)]
    return np.asarray(jax.vmap(function)(*given)), np.asarray(jax.vmap(jax.jacfwd(function))(*given))
