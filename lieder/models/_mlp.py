"""A small smooth network, trained with early stopping."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ..interop import tree
from ..jobs import results
from ..late import optax
from ._batches import evaluate
from ._data import Data, standard
from ._family import AbstractFamily, Validated, standardise

WIDTH = 64  # of the two hidden layers: thousands of parameters, seconds on one core
STEPS = 4000  # at most; the rate falls to zero over them
BATCH = 128
RATE = 1e-2
CHECK = 100  # steps between looks at the validation rows
PATIENCE = 12  # looks without improvement before stopping
ASIDE = 0.15  # of the training rows, for early stopping


@tree
@dataclass(frozen=True, eq=False)
class Network:
    """A perceptron in standardised coordinates, F(x) = mean + spread * (W_3 tanh(W_2 tanh(W_1 z + b_1) + b_2) + b_3).

    tanh, since the derivatives are used: a network of kinks has derivatives that jump.

    Fields: `layers`, the (W, b), float64; `centre` and `inverse`, z = (x - centre) * inverse; `mean` and `spread` of y.
    """

    layers: tuple[tuple[np.ndarray, np.ndarray], ...]
    centre: np.ndarray
    inverse: np.ndarray
    mean: np.ndarray
    spread: np.ndarray

    def __call__(self, x: Float[Array | np.ndarray, " inputs"]) -> Float[Array, " outputs"]:
        z = standardise(x, self.centre, self.inverse)
        layers = [(jnp.asarray(w, z.dtype), jnp.asarray(b, z.dtype)) for w, b in self.layers]
        return jnp.asarray(self.mean, z.dtype) + jnp.asarray(self.spread, z.dtype) * _forward(layers, z)


@dataclass(frozen=True, eq=False)
class MLP(AbstractFamily):
    """One architecture; nothing to choose but the moment to stop."""

    name: str = "mlp"
    chance: bool = True

    def validate(self, data: Data, folds: list[np.ndarray], seed: int) -> Validated:
        others = [np.concatenate(folds[:k] + folds[k + 1 :]) for k in range(len(folds))]
        # Padded to one length, so that training is compiled once for all folds and for the final fit.
        tasks = [(data[rows], len(data), seed + k) for k, rows in enumerate(others)]
        members = results(lambda task: _trained(*task), tasks, "networks of folds")
        residual = np.empty_like(data.y)
        for member, fold in zip(members, folds, strict=True):
            residual[fold] = evaluate(member, data.x[fold]) - data.y[fold]
        squares = np.array([data[fold].square(residual[fold]) for fold in folds])
        return Validated(squares, residual, None, tuple(members))

    def train(self, data: Data, setting: None, seed: int) -> tuple[Callable, str]:
        return _trained(data, len(data), seed), "exact (jax)"


def _forward(layers, z: Array) -> Array:
    for w, b in layers[:-1]:
        z = jnp.tanh(w @ z + b)
    w, b = layers[-1]
    return w @ z + b


def _trained(data: Data, length: int, seed: int) -> Network:
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(data))
    aside = max(1, round(ASIDE * len(data)))
    centre, inverse = standard(data.x)
    mean = np.average(data.y, axis=0, weights=data.weight)
    # One spread for all outputs: the loss keeps the proportions that the error is measured in.
    spread = np.full(data.y.shape[1], np.sqrt(data.square(data.y - mean) / data.y.shape[1]) or 1.0)
    z, t = (data.x - centre) * inverse, (data.y - mean) / spread
    sizes = [z.shape[1], WIDTH, WIDTH, t.shape[1]]
    layers = [
        (rng.normal(size=(after, before)) / np.sqrt(before), np.zeros(after)) for before, after in pairwise(sizes)
    ]
    with jax.enable_x64(True):
        used, looked = (_padded(z, t, data.weight, rows, length) for rows in (order[aside:], order[:aside]))
        state = (layers, _optimiser().init(layers))
        best, least, since = layers, np.inf, 0
        for look in range(STEPS // CHECK):
            key = jax.random.fold_in(jax.random.key(seed), look)
            state, loss = _steps(state, used, len(order) - aside, looked, key)
            if float(loss) < least:
                best, least, since = state[0], float(loss), 0
            elif (since := since + 1) >= PATIENCE:
                break
    # Nothing of JAX outside the scoped float64: there, its arrays would come back in single precision.
    return Network(tuple((np.asarray(w), np.asarray(b)) for w, b in best), centre, inverse, mean, spread)


def _padded(z: np.ndarray, t: np.ndarray, weight: np.ndarray, rows: np.ndarray, length: int):
    """Those rows, then rows of weight zero."""
    keep = np.concatenate([rows, np.zeros(length - len(rows), np.int64)])
    masked = np.where(np.arange(length) < len(rows), weight[keep], 0.0)
    return jnp.asarray(z[keep]), jnp.asarray(t[keep]), jnp.asarray(masked)


def _optimiser() -> "optax.GradientTransformation":
    return optax.adam(optax.cosine_decay_schedule(RATE, STEPS))


def _loss(layers, z: Array, t: Array, weight: Array) -> Array:
    residual = jax.vmap(partial(_forward, layers))(z) - t
    return jnp.sum(weight * jnp.sum(residual**2, axis=1)) / jnp.sum(weight)


@jax.jit
def _steps(state, used, count, looked, key):
    """CHECK steps of stochastic gradient descent, and the loss on the rows looked at."""
    z, t, weight = used

    def step(state, key):
        layers, memory = state
        rows = jax.random.randint(key, (BATCH,), 0, count)
        gradient = jax.grad(_loss)(layers, z[rows], t[rows], weight[rows])
        update, memory = _optimiser().update(gradient, memory)
        return (optax.apply_updates(layers, update), memory), None

    state, _ = jax.lax.scan(step, state, jax.random.split(key, CHECK))
    return state, _loss(state[0], *looked)
