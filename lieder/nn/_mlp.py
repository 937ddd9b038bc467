"""A network of linear, bilinear and gated layers."""

import warnings
from collections.abc import Sequence

import equinox as eqx
import jax
import numpy as np
from jaxtyping import Array, Bool, Float, PRNGKeyArray

from .. import enforce
from ..action import FieldAction, scalars
from ._bilinear import Bilinear, couplings
from ._gated import Gated, Norm
from ._hidden import hidden as uniform
from ._kinds import kinds, named
from ._linear import Linear, checked_key, one_example
from ._vanishing import vanishing

_LOOKED = 5000  # entries up to which maps between two summands are looked at row by row
Layer = Linear | Bilinear | Gated | Norm


class MLP(eqx.Module):
    """An equivariant perceptron: (Linear, Bilinear with a residual, Gated) `depth` times, then Linear.

    Fields: `layers`, in order, each with `source` and `target`.
    Reference: Finzi, Welling and Wilson, A Practical Method for Constructing Equivariant MLPs, ICML 2021.
    """

    layers: tuple[Layer, ...]

    def __init__(
        self,
        source: FieldAction,
        target: FieldAction,
        *,
        width: int = 128,
        depth: int = 3,
        key: PRNGKeyArray,
        hidden: FieldAction | Sequence[FieldAction] | None = None,
        bilinear: bool | None = None,
        rank: int = 8,
        tolerance: float | None = None,
        dtype=None,
    ):
        """Random weights that keep unit variance from layer to layer.

        Arguments:
            source: representation of inputs; linear, or affine points. A found symmetry goes in as `s.action`.
            target: representation of outputs; linear. `s.target_action`.
            width: of the hidden layers, which are then scalars and tensors made of source and target
                (`ld.nn.hidden`).
            depth: how many hidden layers; 0 is one linear layer.
            key: of the random weights.
            hidden: the hidden representation instead, or one for each hidden layer.
            bilinear: whether hidden layers multiply; default: yes, unless all are scalars and permutation
                representations, whose pointwise functions do without.
            rank: of the bilinear layers.
            tolerance: of the maps, as in `ld.enforce.maps`; for measured generators.
            dtype: of the weights; default JAX's own, float32 unless x64 is on.
        Warns: where outputs are zero for every equivariant function, as a pseudoscalar of one vector is.
        Raises:
            ValueError: outputs that no layer reaches; different algebras; a depth below 0.
            TypeError: actions that are not linear.
        """
        if not isinstance(depth, int | np.integer) or isinstance(depth, bool) or depth < 0:
            raise ValueError(f"depth must be 0, 1, 2, ... hidden layers, got {depth!r}.")
        checked_key(key)
        for name, action in (("source", source), ("target", target)):
            if not isinstance(action, FieldAction):
                raise TypeError(
                    f"{name} must be a representation such as ld.vectors(ld.algebra.so(3)), got"
                    f" {type(action).__name__}."
                )
        if not target.is_linear:
            raise TypeError(
                f"target, {named(target)}, is not linear. Learn the displacement from a reference point, which is a"
                " vector, and add it to the point."
            )
        if hidden is None:
            between = [uniform(source, target, width)] * depth if depth else []
        else:
            between = [hidden] * depth if isinstance(hidden, FieldAction) else list(hidden)
            if len(between) != depth:
                raise ValueError(f"hidden gives {len(between)} representations for depth={depth} hidden layers.")
        dead = np.flatnonzero(vanishing(source, target))
        if len(dead):
            some = ", ".join(map(str, dead[:8])) + (" ..." if len(dead) > 8 else "")
            warnings.warn(
                f"outputs {some} of target, {named(target)}, are zero for every equivariant function of source,"
                f" {named(source)}: what leaves the input as it is turns them over. Add inputs, or leave them out.",
                stacklevel=2,
            )
        layers: list[Layer] = []
        now, nonzero, possible = source, np.ones(source.width, bool), np.ones(source.width, bool)
        for number, each in enumerate(between):
            gate = Gated(each)
            one, two = jax.random.split(jax.random.fold_in(key, number))
            linear = Linear(now, gate.source, key=one, tolerance=tolerance, dtype=dtype)
            nonzero, possible = _reached(linear, nonzero, False), _reached(linear, possible, True)
            layers.append(linear)
            if _multiplies(gate, bilinear, tolerance):
                product = Bilinear(
                    gate.source,
                    gate.source,
                    key=two,
                    rank=rank,
                    residual=True,
                    live=nonzero,
                    tolerance=tolerance,
                    dtype=dtype,
                )
                nonzero, possible = product.reached(nonzero), product.reached(possible)
                layers.append(product)
            layers.append(gate)
            now, m = gate.target, gate.target.width
            nonzero, possible = nonzero[:m], possible[:m]
        last = Linear(now, target, key=jax.random.fold_in(key, depth), tolerance=tolerance, dtype=dtype)
        silent = np.setdiff1d(np.flatnonzero(~_reached(last, possible, True)), dead)
        if len(silent):
            some = ", ".join(map(str, silent[:8])) + (" ..." if len(silent) > 8 else "")
            raise ValueError(
                f"outputs {some} of target, {named(target)}, would always be zero: no product of the hidden layers"
                f" reaches them. Raise width (now {width}), depth or rank, or give hidden= with tensors that contain"
                " them."
            )
        self.layers = (*layers, last)

    @property
    def source(self) -> FieldAction:
        return self.layers[0].source

    @property
    def target(self) -> FieldAction:
        return self.layers[-1].target

    def __call__(self, x: Float[Array, " n"]) -> Float[Array, " m"]:
        """All layers in turn.

        Arguments: `x` (n,), one example; use jax.vmap for many.
        Returns: (m,).
        Raises: ValueError for another shape.
        """
        return _forward(self.layers, one_example(x, self.source))


@eqx.filter_jit
def _forward(layers: tuple[Layer, ...], x: Array) -> Array:
    for layer in layers:
        x = layer(x)
    return x


def _multiplies(gate: Gated, asked: bool | None, tolerance: float | None) -> bool:
    if asked is False or (asked is None and not gate.kinds.moved):
        return False
    return asked is True or bool(couplings(gate.source, gate.source, False, tolerance).each)


def _reached(layer: Linear, live: Bool[np.ndarray, " n"], bias: bool) -> Bool[np.ndarray, " m"]:
    """Which outputs of a linear layer are not always zero, where some inputs are."""
    maps, tolerance = layer.maps, layer.maps.tolerance
    live = np.append(live, np.ones(maps.source.width - len(live), bool))  # the 1 that extends points
    out = np.zeros(maps.target.width, bool)
    starts = [kind for kind in kinds(maps.source, "source").each if live[kind.places].any()]
    for to in kinds(maps.target, "target").each:
        rows = np.zeros(to.size, bool)
        for by in starts:
            rows |= _rows(by.action, to.action, tolerance)
        if bias and layer.invariants is not None:
            rows |= _rows(scalars(maps.target.algebra), to.action, tolerance)
        out[to.places] = rows
    return out


def _rows(source: FieldAction, target: FieldAction, tolerance: float) -> Bool[np.ndarray, " m"]:
    """Which coordinates of one summand some map from another reaches."""
    found = enforce.maps(source, target, tolerance=tolerance)
    if source.width * target.width > _LOOKED:
        return np.full(target.width, found.dim > 0)
    return np.abs(found.dense()).max(axis=(0, 2), initial=0.0) > 1e-9
