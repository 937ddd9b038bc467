"""Which of several families a derivative is best read from."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from ._batches import evaluate
from ._data import Data, standard
from ._doubt import alternatives, no_worse
from ._family import AbstractFamily, Validated

ROWS = 200  # at which derivatives are compared, fewer where they have more ENTRIES than this
ENTRIES = 2**22
ROUNDING = 1e-12  # relative errors below it are none
APART = 2.0  # standard errors by which two derivatives must differ to be told apart


def preferred(tried: dict[str, tuple[AbstractFamily, Validated]], data: Data, seed: int) -> tuple[str, str]:
    """The simplest family whose derivative is as well known as that of the best predictor and agrees with it.

    Prediction hardly feels small ripples, nor a bend that is missing near the edge; derivatives do. With
    V_G = sum_k share_k mean_i |DG_k(x_i) - DG(x_i)|^2 over the fits G_k without a part of the rows, a family G is taken
    in place of the best predictor R when the data leave it open that it predicts as well,

        V_G <= V_R   and   mean_i |DG(x_i) - DR(x_i)|^2 <= APART^2 V_R.

    Arguments: `tried`, by name, the simplest first.
    Returns: the name of the family, and that of the best predictor.
    """
    squares = {name: validated.squares.mean() for name, (_, validated) in tried.items()}
    best = min(squares, key=lambda name: squares[name])
    simpler = list(tried)[: list(tried).index(best)]
    for name in simpler:
        if squares[name] <= ROUNDING**2 * data.square(data.y):
            return name, name
    simpler = [name for name in simpler if no_worse(data, tried[best][1], tried[name][1])]
    if not simpler:
        return best, best
    slopes, doubt = _known(*tried[best], data, seed)
    for name in simpler:
        others, own = _known(*tried[name], data, seed)
        apart = _by_output(np.mean((others - slopes) ** 2, axis=0), data)
        if np.all(own <= doubt) and np.all(apart <= APART**2 * doubt):
            return name, best
    return best, best


def _known(
    family: AbstractFamily, validated: Validated, data: Data, seed: int
) -> tuple[Float[np.ndarray, "rows entries"], Float[np.ndarray, " outputs"]]:
    """The derivative of a family at the first rows, and V of each output."""
    others = alternatives(family, validated, data, [], 1.0, seed)
    rows = int(np.clip(ENTRIES // (len(others.shares) * data.x.shape[1] * data.y.shape[1]), 8, ROWS))
    slopes = _slopes(family.train(data, validated.setting, seed)[0], data, rows)
    away = _slopes(others.model, data, rows).reshape(len(slopes), len(others.shares), -1) - slopes[:, None]
    # i: rows, k: fits, c: one output by one input
    return slopes, _by_output(np.einsum("k,ikc->c", others.shares, away**2) / len(slopes), data)


def _by_output(entries: np.ndarray, data: Data) -> Float[np.ndarray, " outputs"]:
    return entries.reshape(data.y.shape[1], -1).sum(axis=1)


def _entries(model: Callable) -> Callable:
    return lambda z: jnp.ravel(jax.jacfwd(lambda x: jnp.ravel(model(x)))(z))


def _slopes(model: Callable, data: Data, rows: int) -> Float[np.ndarray, "rows entries"]:
    """Derivatives per standardised input, one row for each of the first examples, times the root of its weight."""
    flat = evaluate(model, data.x[:rows], _entries)
    _, inverse = standard(data.x)
    unit = np.divide(1.0, inverse, out=np.zeros_like(inverse), where=inverse > 0)
    return flat * np.tile(unit, flat.shape[1] // len(unit)) * data.root[:rows]
