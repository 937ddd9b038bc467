"""Does a model respect a symmetry, and which layer does not?"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array
from numpy.typing import ArrayLike

from .. import interop
from ..action import AbstractAction, check_same_algebra, discrete_elements, moved
from ..algebra import LieAlgebra
from ..derivative import blocks, full_precision, lie_derivative
from ..interop import ForeignModel
from ..sampling import real_numbers
from ._check_record import Check

_MOST = 128  # examples that are looked at
_MOVES = 3  # random group elements for each layer


@full_precision()
def check(
    model: Any,
    source: AbstractAction,
    target: AbstractAction,
    x: ArrayLike,
    *,
    actions: Sequence[AbstractAction] | None = None,
    tolerance: float | None = None,
    seed: int = 0,
) -> Check:
    """Measure a model, layer by layer, under the generators, the discrete elements and random group elements.

    Arguments:
        model: layers of `ld.nn`, `ld.nn.MLP`, any callable (one example in, one out), an `eqx.nn.Sequential` or a list
            of callables that follow each other. Or one model of another kind, as a whole: a torch module, a fitted
            scikit-learn estimator, a function written with NumPy; the last two are differentiated by differences.
        source, target: how inputs and outputs are acted on, of widths n and m.
        x: (N, n) examples, or one; the first 128 are used. Examples that no generator moves, such as zeros, tell
            nothing, and the answer says so.
        actions: how what lies between the layers of a foreign model is acted on: one for each layer but the last.
            Layers with a `source` and `target` of their own need none.
        tolerance: up to which an error is rounding; default: the root of the precision of weights and examples, or ten
            times the algebra's own tolerance if that is more.
        seed: of the random group elements.
    Returns:
        A Check; printing it shows a table and names the first layer that breaks the symmetry.
    Raises:
        ValueError: widths that do not match; layers between which no action is known; NaN in x.
        TypeError: a model that is not callable, or one of another kind among layers; x that are no real numbers.
    """
    check_same_algebra(source, target)
    if not interop.is_sklearn(model):
        _layers(model)  # before x is looked at: what is no model at all is said first
    x = jnp.atleast_2d(jnp.asarray(real_numbers(x, "x")[0]))
    if x.ndim != 2 or x.shape[1] != source.width or len(x) == 0:
        raise ValueError(f"x must be examples of shape (N, {source.width}), as source acts on {source}; got {x.shape}.")
    x = x[:_MOST]
    if not bool(jnp.isfinite(x).all()):
        row, column = np.argwhere(~np.isfinite(np.asarray(x)))[0]
        raise ValueError(f"x holds {x[row, column]} in row {row}, column {column}: drop or fill such rows.")
    layers = _layers(_differentiable(model, x))
    between = _actions(layers, source, target, actions, x)
    if tolerance is None:
        tolerance = _tolerance(layers, source, x)
    rng = np.random.default_rng(seed)
    moves = [_random(source, rng) for _ in range(_MOVES)]
    values, own = [x], []
    for layer, (before, after) in zip(layers, between, strict=True):
        values.append(_over(layer, values[-1]))
        rows = _derivative(layer, before, after, values[-2]) if source.algebra.dim else _none(values[-1])
        own.append(_measured(layer, before, after, values[-2], values[-1], rows, moves))
    pushed = [own[-1].rows]
    for number in reversed(range(len(layers) - 1)):
        rows = _push(_Chain(layers[number + 1 :]), values[number + 1], own[number].rows)
        pushed.insert(0, np.asarray(rows, np.float64))
    # The Lie derivative of the whole is the sum of what its layers contribute.
    whole = own[0]
    if len(layers) > 1:
        whole = _measured(_Chain(layers), source, target, x, values[-1], np.sum(pushed, axis=0), moves)
    lee = [np.mean(rows**2, axis=(0, 1)) for rows in pushed]
    m = target.width
    return Check(
        layers=tuple(type(layer).__name__ if isinstance(layer, eqx.Module) else _named(layer) for layer in layers),
        generators=_generator_names(source),
        elements=tuple(f"element {j}" for j in range(_elements(source))),
        errors=np.stack([part.errors for part in own]),
        discrete=np.stack([part.discrete for part in own]),
        finite=np.array([part.finite for part in own]),
        contributions=np.stack([_ratio(np.sqrt(m * one), whole.scale) for one in lee]),
        lee=np.stack(lee),
        total=(whole.errors, whole.discrete, whole.finite),
        tolerance=tolerance,
        unseen=_unseen(source, whole, x),
    )


def _unseen(source: AbstractAction, whole: "_Measured", x: Array) -> tuple[str, ...]:
    """Generators and elements that move points elsewhere, none of these, and against which nothing speaks."""
    points = np.asarray(x, np.float64)
    elsewhere = np.random.default_rng(0).normal(size=(4, source.width))
    names = []
    if source.algebra.dim:
        still = _rate(source, x) == 0
        acting = _rate(source, jnp.asarray(elsewhere, x.dtype)) > 0
        blind = still & acting & (whole.errors == 0)
        names += [name for name, one in zip(_generator_names(source), blind, strict=True) if one]
    for j in range(_elements(source)):
        still = np.array_equal(_moved(source, (None, (j,)), points), points)
        acting = not np.array_equal(_moved(source, (None, (j,)), elsewhere), elsewhere)
        if still and acting and whole.discrete[j] == 0:
            names.append(f"element {j}")
    return tuple(names)


@dataclass(frozen=True, eq=False)
class _Measured:
    """One layer: L (B, m, q), what it is compared with (q,), relative errors."""

    rows: np.ndarray
    scale: np.ndarray
    errors: np.ndarray
    discrete: np.ndarray
    finite: float


def _measured(layer, source: AbstractAction, target: AbstractAction, z: Array, y: Array, rows, moves) -> _Measured:
    rows = np.asarray(rows, np.float64)
    scale = _rms(y) * np.maximum(_rate(source, z), _rate(target, y))
    errors = _ratio(np.sqrt(np.mean(np.sum(rows**2, axis=1), axis=0)), scale)
    discrete = [_gap(layer, source, target, z, y, (None, (j,))) for j in range(_elements(source))]
    finite = max(_gap(layer, source, target, z, y, move) for move in moves)
    return _Measured(rows, scale, errors, np.array(discrete), finite)


def _derivative(layer, source: AbstractAction, target: AbstractAction, z: Array) -> Array:
    if isinstance(layer, ForeignModel):
        return blocks(layer, source, target)(np.asarray(z), np.arange(len(z))).rows
    return _rows(layer, source, target, z)


@eqx.filter_jit
def _rows(layer, source: AbstractAction, target: AbstractAction, z: Array) -> Array:
    return jax.vmap(lambda one: lie_derivative(layer, one, source=source, target=target))(z)


def _none(y: Array) -> np.ndarray:
    return np.zeros((*y.shape, 0))


def _rms(values) -> float:
    """The root of the mean over examples of the squared length."""
    return float(np.sqrt(np.mean(np.sum(np.asarray(values, np.float64) ** 2, axis=-1))))


def _rate(action: AbstractAction, z: Array) -> np.ndarray:
    """(q,) how fast each generator turns points, relative to their size."""
    if action.algebra.dim == 0:
        return np.zeros(0)
    fields = np.asarray(_fields(action, z), np.float64)  # B, q, n
    return _ratio(np.sqrt(np.mean(np.sum(fields**2, axis=2), axis=0)), np.full(fields.shape[1], _rms(z)))


@eqx.filter_jit
def _fields(action: AbstractAction, z: Array) -> Array:
    return jax.vmap(action.fields)(z)


def _ratio(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    """Above over below; 0 where both vanish, and infinite where only the lower one does."""
    return np.where(above == 0, 0.0, above / np.where(below > 0, below, np.nan_to_num(below) + 1e-300))


def _gap(layer, source, target, z, y, move) -> float:
    """|f(g z) - g f(z)| over |g f(z)|."""
    expected = _moved(target, move, np.asarray(y, np.float64))
    found = np.asarray(_over(layer, jnp.asarray(_moved(source, move, np.asarray(z, np.float64)), z.dtype)), np.float64)
    return float(_ratio(np.array(_rms(found - expected)), np.array(max(_rms(expected), _rms(found)))))


def _random(source: AbstractAction, rng: np.random.Generator) -> tuple[np.ndarray, tuple[int, ...]]:
    """Coefficients of the exponential, of moderate length, and discrete elements that follow it."""
    q, c = source.algebra.dim, _elements(source)
    xi = rng.normal(size=q) / max(q, 1) ** 0.5
    return xi, tuple(int(j) for j in rng.integers(0, c, size=2)) if c else ()


def _moved(action: AbstractAction, move: tuple, z: np.ndarray) -> np.ndarray:
    xi, elements = move
    if xi is not None and len(xi):
        z = moved(action, xi[None], z, np.ones(1))[0]
    for j in elements:
        with jax.enable_x64(True):
            z = np.asarray(_images(action, j, jnp.asarray(z, jnp.float64)))
    return z


@eqx.filter_jit
def _images(action: AbstractAction, number: int, z: Array) -> Array:
    return jax.vmap(lambda one: action.element(number, one))(z)


def _elements(action: AbstractAction) -> int:
    return len(discrete_elements(action.algebra))


def _generator_names(action: AbstractAction) -> tuple[str, ...]:
    names = action.algebra.names
    return (
        tuple(names) if len(names) == action.algebra.dim else tuple(f"generator {k}" for k in range(action.algebra.dim))
    )


def _over(layer, z: Array) -> Array:
    if isinstance(layer, ForeignModel):
        return jnp.asarray(layer.values(np.asarray(z)))
    return _traced(layer, z)


@eqx.filter_jit
def _traced(layer, z: Array) -> Array:
    return jax.vmap(lambda one: jnp.atleast_1d(layer(one)))(z)


def _differentiable(model, x: Array):
    """A model of another framework wrapped; anything else as it is."""
    if interop.is_foreign(model):
        return interop.adapted(model, np.asarray(x))
    if isinstance(model, list | tuple) or not callable(model):
        return model
    # What fails otherwise is evaluated next, layer by layer, and its own message says what is wrong.
    return interop.from_numpy(model, x) if interop.is_numpy(model, x) else model


@eqx.filter_jit
def _push(tail, z: Array, rows) -> Array:
    """Columns of rows (B, m, q) through the derivative of what follows."""

    def one(z, rows):
        _, push = jax.linearize(tail, z)
        return jax.vmap(push, in_axes=1, out_axes=1)(rows)

    return jax.vmap(one)(z, jnp.asarray(rows, z.dtype))


class _Chain(eqx.Module):
    """Layers one after the other."""

    layers: tuple[Callable, ...]

    def __call__(self, x):
        for layer in self.layers:
            x = jnp.atleast_1d(layer(x))
        return x


def _layers(model) -> tuple[Callable, ...]:
    """The layers of a model, or the model itself."""
    inside = getattr(model, "layers", None) if isinstance(model, eqx.Module) else None
    if isinstance(model, list | tuple):
        inside = model
    if isinstance(inside, list | tuple) and inside and not isinstance(model, eqx.nn.MLP):
        for number, layer in enumerate(inside):
            if interop.is_foreign(layer):
                raise TypeError(
                    f"model: layer {number} is {type(layer).__name__}, of another framework. Check such a model as a"
                    " whole, check(model, ...), or list layers of JAX."
                )
            if not callable(layer):
                raise TypeError(f"model: layer {number} is {type(layer).__name__}, which cannot be called.")
        return tuple(inside)
    if not callable(model):
        raise TypeError(
            f"model must be callable, or a list of layers that are not empty, got {type(model).__name__}. Pass one"
            " function from one example to one output."
        )
    return (model,)


def _actions(layers, source, target, actions, x) -> list[tuple[AbstractAction, AbstractAction]]:
    """What acts before and after each layer."""
    count = len(layers)
    if actions is not None:
        if not isinstance(actions, list | tuple) or not all(isinstance(one, AbstractAction) for one in actions):
            raise TypeError(
                "actions must be a list of actions, one for each layer but the last, also where it is one:"
                f" actions=[action]; got {type(actions).__name__}."
            )
        actions = list(actions)
        if len(actions) != count - 1:
            raise ValueError(
                f"actions must hold one action for each layer but the last: {count - 1} for {count} layers, got"
                f" {len(actions)}."
            )
    ends, z = [source], x[:1]
    for number, layer in enumerate(layers):
        z = x[:1] if isinstance(layer, ForeignModel) else eqx.filter_eval_shape(_traced, layer, z)
        if number == count - 1:
            ends.append(target)
            break
        after = actions[number] if actions is not None else _own(layer, layers[number + 1])
        if after is None:
            raise ValueError(
                f"layer {number}, {_named(layer)}, returns {z.shape[1]} numbers, and nothing says how the group acts on"
                " them. Pass actions=[...], one for each layer but the last, or the whole model as one function:"
                " check(lambda x: model(x), ...)."
            )
        if after.width != z.shape[1]:
            raise ValueError(
                f"layer {number}, {_named(layer)}, returns {z.shape[1]} numbers, but its action, {after}, has width"
                f" {after.width}."
            )
        check_same_algebra(source, after)
        ends.append(after)
    return list(pairwise(ends))


def _own(layer, following) -> AbstractAction | None:
    for side in (getattr(layer, "target", None), getattr(following, "source", None)):
        if isinstance(side, AbstractAction):
            return side
    return None


def _named(layer) -> str:
    return getattr(layer, "__name__", type(layer).__name__)


def _tolerance(layers, source: AbstractAction, x: Array) -> float:
    arrays = [x, *(leaf for leaf in jax.tree.leaves(layers) if eqx.is_inexact_array(leaf))]
    arrays += [layer.values(np.asarray(x[:1])) for layer in layers if isinstance(layer, ForeignModel)]
    precision = max(float(jnp.finfo(array.dtype).eps) for array in arrays) ** 0.5
    own = source.algebra.tolerance if isinstance(source.algebra, LieAlgebra) else 0.0
    return max(precision, 10 * own)
