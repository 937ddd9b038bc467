"""A network of quadratic and gated layers."""

import warnings
from collections.abc import Sequence

import equinox as eqx
import jax
import numpy as np
from jaxtyping import Array, Bool, Float, PRNGKeyArray

from .. import enforce
from ..action import AbstractAction, FieldAction, represented, scalars
from ..sampling import checked_flag
from ._arguments import checked_count, checked_key
from ._bilinear import couplings
from ._gated import Gated, Norm
from ._hidden import hidden as uniform
from ._hidden import linear_part
from ._isotypic import kinds, named
from ._linear import Linear, one_example
from ._quadratic import Quadratic
from ._vanishing import vanishing

_LOOKED = 5000  # entries up to which maps between two summands are looked at row by row
_ORDERS = (1, 2, 3)  # of hidden tensors: higher ones are taken where outputs cannot be reached without
Layer = Linear | Quadratic | Gated | Norm


class MLP(eqx.Module):
    """An equivariant perceptron: (Quadratic, Gated) `depth` times, then Linear.

    Where nothing is to be multiplied a Linear stands for Quadratic; affine points first become vectors, by one more
    Linear.

    Fields: `layers`, in order, each with `source` and `target`.
    Reference: Finzi, Welling and Wilson, A Practical Method for Constructing Equivariant MLPs, ICML 2021.
    """

    layers: tuple[Layer, ...]

    def __init__(
        self,
        source: AbstractAction,
        target: AbstractAction,
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
        """Random weights: linear terms keep unit variance from layer to layer, products start at a tenth of it.

        Scale inputs to about unit variance, by one number for all coordinates that the group mixes; outputs alike.

        Arguments:
            source: representation of inputs; linear, or affine points. A found symmetry goes in as `s.action`.
            target: representation of outputs; linear. `s.target_action`.
            width: of the hidden layers: scalars, and what source and target are made of (`ld.nn.hidden`); tensor
                powers of it, up to the third, where outputs cannot be reached without.
            depth: how many hidden layers; 0 is one linear layer.
            key: of the random weights.
            hidden: the hidden representation instead, or one for each hidden layer.
            bilinear: whether hidden layers multiply; default: yes, unless all are scalars and permutation
                representations, whose pointwise functions do without.
            rank: of the products, as in `ld.nn.Bilinear`.
            tolerance: of the maps, as in `ld.enforce.maps`; for measured generators.
            dtype: of the weights; default JAX's own, float32 unless x64 is on.
        Warns: where outputs are zero for every equivariant function, as a pseudoscalar of one vector is.
        Raises:
            ValueError: outputs that no layer reaches; different algebras; a depth below 0.
            TypeError: actions that are not linear.
        """
        depth, rank = checked_count(depth, "depth", 0), checked_count(rank, "rank", 1)
        checked_key(key)
        bilinear = None if bilinear is None else checked_flag(bilinear, "bilinear")
        source, target = represented(source, "source"), represented(target, "target")
        if not target.is_linear:
            raise TypeError(
                f"target, {named(target)}, is not linear. Learn the displacement from a reference point, which is a"
                " vector, and add it to the point."
            )
        if hidden is None:
            plans = [[uniform(source, target, width, order=order)] * depth for order in _ORDERS] if depth else [[]]
        else:
            given = [hidden] * depth if isinstance(hidden, AbstractAction) else hidden
            if not isinstance(given, Sequence) or not all(isinstance(one, AbstractAction) for one in given):
                raise TypeError(
                    f"hidden must be a representation, or a list of one for each hidden layer, got {hidden!r:.60}."
                )
            plans = [[represented(one, "hidden") for one in given]]
            if len(plans[0]) != depth:
                raise ValueError(f"hidden gives {len(plans[0])} representations for depth={depth} hidden layers.")
        dead = np.flatnonzero(vanishing(source, target))
        if len(dead):
            some = ", ".join(map(str, dead[:8])) + (" ..." if len(dead) > 8 else "")
            warnings.warn(
                f"outputs {some} of target, {named(target)}, are zero for every equivariant function of source,"
                f" {named(source)}: what leaves the input as it is turns them over. Add inputs, or leave them out.",
                stacklevel=2,
            )
        options = {"tolerance": tolerance, "dtype": dtype}
        for plan in plans:
            layers, silent = _built(source, target, plan, key, bilinear, rank, options)
            silent = np.setdiff1d(silent, dead)
            if not len(silent):
                break
        else:
            some = ", ".join(map(str, silent[:8])) + (" ..." if len(silent) > 8 else "")
            raise ValueError(
                f"outputs {some} of target, {named(target)}, would always be zero: no product of the hidden layers"
                f" reaches them. Raise width (now {width}), depth or rank, or give hidden= with tensors that contain"
                " them."
            )
        self.layers = layers

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
    if not layers[0].source.is_linear:
        x, layers = layers[0](x), layers[1:]
    if not layers:
        return x
    # Summand by summand from the first layer to the last: coordinates are sorted once.
    blocks = kinds(layers[0].source, "source").split(x)
    for layer in layers:
        blocks = layer.blocks(blocks)
    return kinds(layers[-1].target, "target").join(blocks)


def _built(
    source: FieldAction,
    target: FieldAction,
    plan: list[FieldAction],
    key: PRNGKeyArray,
    bilinear: bool | None,
    rank: int,
    options: dict,
) -> tuple[tuple[Layer, ...], np.ndarray]:
    """The layers through given hidden representations, and which outputs they never reach."""
    layers: list[Layer] = []
    now, possible = source, np.ones(source.width, bool)
    if plan and source.is_affine and not source.is_linear:
        now = linear_part(source)
        differences = Linear(source, now, key=jax.random.fold_in(key, len(plan) + 1), **options)
        possible = _reached(differences, possible)
        layers.append(differences)
    for number, each in enumerate(plan):
        gate = Gated(each)
        own = jax.random.fold_in(key, number)
        if _multiplies(now, gate, bilinear, options["tolerance"]):
            layer = Quadratic(now, gate.source, key=own, rank=rank, **options)
            possible = _reached(layer.linear, possible) | layer.products.reached(possible)
        else:
            layer = Linear(now, gate.source, key=own, **options)
            possible = _reached(layer, possible)
        layers += [layer, gate]
        now, possible = gate.target, possible[: gate.target.width]
    last = Linear(now, target, key=jax.random.fold_in(key, len(plan)), **options)
    return (*layers, last), np.flatnonzero(~_reached(last, possible))


def _multiplies(source: FieldAction, gate: Gated, asked: bool | None, tolerance: float | None) -> bool:
    if asked is False or (asked is None and not gate.kinds.moved):
        return False
    return asked is True or bool(couplings(source, gate.source, False, tolerance).each)


def _reached(layer: Linear, live: Bool[np.ndarray, " n"]) -> Bool[np.ndarray, " m"]:
    """Which outputs of a linear layer are not always zero, where some inputs are."""
    maps, tolerance = layer.maps, layer.maps.tolerance
    live = np.append(live, np.ones(maps.source.width - len(live), bool))  # the 1 that extends points
    out = np.zeros(maps.target.width, bool)
    starts = [kind for kind in kinds(maps.source, "source").each if live[kind.places].any()]
    for to in kinds(maps.target, "target").each:
        rows = np.zeros(to.size, bool)
        for by in starts:
            rows |= _rows(by.action, to.action, tolerance)
        if layer.invariants is not None:
            rows |= _rows(scalars(maps.target.algebra), to.action, tolerance)
        out[to.places] = rows
    return out


def _rows(source: FieldAction, target: FieldAction, tolerance: float) -> Bool[np.ndarray, " m"]:
    """Which coordinates of one summand some map from another reaches."""
    found = enforce.maps(source, target, tolerance=tolerance)
    if source.width * target.width > _LOOKED:
        return np.full(target.width, found.dim > 0)
    return np.abs(found.dense()).max(axis=(0, 2), initial=0.0) > 1e-9
