"""What a trained model's own derivative tells of how well it is known."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from .. import interop
from ..derivative import slopes
from ..interop import ForeignModel
from ..models import Alternatives
from ._question import Question

SAMPLE = 256  # rows looked at
# A step, in standard deviations times the root of the rounding unit: a smooth derivative changes by far more than
# rounding over it, and a piece of a network is seldom left.
NEAR = 10.0
SAME = 0.3  # share of the rows whose derivative does not change at all over it
PIECES = 24  # distinct derivatives among the rows from which on they are pieces of a network, not cases of a formula
REACH = 0.25  # standard deviations over which kinks are averaged
DIRECTIONS = 16


def is_trained(F: Callable | ForeignModel) -> bool:
    """Whether a model's numbers come from training: a torch module, a scikit-learn estimator, or a JAX module with
    arrays in it."""
    leaves = jax.tree_util.tree_leaves(F)
    return isinstance(F, ForeignModel) or any(isinstance(leaf, jax.Array | np.ndarray) for leaf in leaves)


def unmeasured(question: Question) -> str:
    """What is said of a trained model to which no symmetry is denied."""
    return (
        f"{question.model} was trained, so that its derivative is known less well than its rounding, and how well has"
        f" not been measured: give {question.known_by}"
    )


def own_doubt(
    question: Question, F: Callable | ForeignModel, x: Float[np.ndarray, "rows n"]
) -> tuple[tuple[Alternatives, ...], str]:
    """How well a model's derivative is known from the model alone, and where that comes from; nothing where
    it can be taken at its word."""
    coarse = interop.coarser(F) if isinstance(F, ForeignModel) else None
    if coarse is not None:
        return (
            Alternatives(coarse, np.ones(1)),
        ), "the differences taken over steps twice as long disagree by this much"
    averaged = kinks(F, x, question.onto.width)
    if averaged is None:
        return (), ""
    return (averaged,), (
        f"{question.model} is linear in many pieces, as a network of ReLUs is, and its derivative differs by this much"
        f" from that averaged over a quarter of the spread; give {question.known_by}"
    )


def kinks(F: Callable | ForeignModel, x: Float[np.ndarray, "rows n"], outputs: int) -> Alternatives | None:
    """The model averaged over short distances, where it is linear in many pieces as networks of ReLUs are, else None.

    Inside a piece the derivative is constant, and wrong by about as much as it jumps at the next kink.
    """
    if len(x) < PIECES:
        return None
    x = x[np.linspace(0, len(x) - 1, min(len(x), SAMPLE)).astype(int)]
    with jax.enable_x64(x.dtype == np.float64):
        slope = slopes(F, x.shape[1], outputs)
        here = slope(x)
        eps = float(np.finfo(here.dtype).eps)
        there = slope((x + NEAR * np.sqrt(eps) * x.std(axis=0)).astype(x.dtype))
    here, there = (np.asarray(part, np.float64).reshape(len(x), -1) for part in (here, there))
    close = 64 * eps * float(np.sqrt(np.mean(here**2)))
    if not 0 < close < np.inf:
        return None
    same = np.abs(here - there).max(axis=1) <= close
    distinct = len(np.unique(np.round(here / (100 * close)), axis=0))
    if same.mean() < SAME or distinct < PIECES:
        return None
    units = np.random.default_rng(0).normal(size=(DIRECTIONS, x.shape[1]))
    moves = REACH * x.std(axis=0) * units / np.linalg.norm(units, axis=1, keepdims=True)
    moves = np.concatenate([moves, -moves])
    if not isinstance(F, ForeignModel):
        return Alternatives(lambda z: jnp.mean(jax.vmap(F)(z + jnp.asarray(moves, z.dtype)), axis=0), np.ones(1))

    def average(of: Callable, z: np.ndarray) -> np.ndarray:
        many = of((z[:, None] + moves).reshape(-1, z.shape[1]))
        return many.reshape(len(z), len(moves), *many.shape[1:]).mean(axis=1)

    return Alternatives(ForeignModel(lambda z: average(F.values, z), lambda z: average(F.jacobians, z), ""), np.ones(1))
