"""The nuclear norm of a model's Lie derivative over a minibatch: what a network's loss is given to keep symmetries."""

from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jax.sharding import AxisType
from jaxtyping import Array, Float

from ..action import AbstractAction, AbstractFibreAction, check_same_algebra, refuse_elements, scalars
from ..derivative import lie_derivative
from ..linalg import nuclear_norm
from ..sampling import checked_flag
from ._batch import checked_batch, checked_smoothing, output_width
from ._candidates import orthonormal, traced_frobenius

SMOOTHING = 1e-2  # of |L|: trained networks come out alike from 1e-3 to 5e-2, and above 3.5e-3 float32 is quickest


def penalty(
    F: Callable,
    x: Float[Array | np.ndarray, "B n"],
    *,
    source: AbstractAction,
    target: AbstractFibreAction | None = None,
    inner: Float[np.ndarray, "q q"] | None = None,
    per_output: bool = False,
    smoothing: float = SMOOTHING,
) -> Float[Array, ""]:
    """How many candidates a model breaks, and by how much, as one number to be added to its loss.

        |L_F|_*,    L_F = [(L_k F)(x_i)] / sqrt(B)   of shape (B m, q)

    The sum of singular values: the convex relaxation of the rank of L_F, which is the number of candidates less the
    dimension of the symmetries. Its gradient is as large for small defects as for large ones, so that some vanish
    altogether and the data keep the others. Candidates are taken in a basis that is orthonormal in `inner`, because the
    norm depends on it. Divided by sqrt(B) it estimates a property of F and the distribution of x: more examples do not
    change its size.

    Call it inside a jitted loss. Besides L_F itself (q or n directional derivatives or m gradients of F, whichever is
    least) its gradient takes two products with the (B m, q) block and an eigen-decomposition, min(B m, q) square.

    Arguments:
        F: one example (n,) -> one output (m,), or a scalar when m = 1; differentiable by JAX, once more than the loss.
        x: (B, n) a minibatch of inputs; no outputs are needed, so that unlabelled ones and fewer ones serve too.
        source: how inputs are acted on, by q candidates.
        target: how outputs are acted on; default not at all. Any action will do, also one that is not linear in y.
        inner: (q, q), the inner product <e_j, e_k> of the candidates; default that of their matrices (Frobenius).
        per_output: sum over outputs of the norm of each one's (B, q) block: each output may keep symmetries of its own.
        smoothing: d >= 0. Singular values below e = d |L_F|_F count as squares, sqrt(s^2 + e^2) - e, which lets them
            come to rest instead of rattling about zero. Relative, so that penalty(c F) = |c| penalty(F). Default
            1e-2: networks come out alike from 1e-3 to 5e-2, and above 3.5e-3 the norm is quickest in float32.
    Returns:
        a scalar in units of F over the parameter of a generator. It has first derivatives only; at L_F = 0 they are 0.
    Raises:
        ValueError: widths, shapes and algebras that do not match; NaN in x; no candidates, or discrete elements;
            negative smoothing.
            TypeError: a model that JAX cannot differentiate. NotImplementedError: a second derivative.
    Reference: Otto, Zolman, Kutz, Brunton (2025), section 6 (promoting symmetry by the nuclear norm).
    """
    checked_smoothing(smoothing)
    per_output = checked_flag(per_output, "per_output")
    x = checked_batch(F, x, source)
    target = scalars(source.algebra, output_width(F, x)) if target is None else target
    basis = _basis(source, target, inner)
    return _of_batch(F, x, source, target, basis, per_output, float(smoothing))


def layer_penalty(
    model: Any,
    x: Float[Array | np.ndarray, "B n"],
    *,
    source: AbstractAction,
    target: AbstractAction,
    hidden: Sequence[AbstractAction] = (),
    inner: Float[np.ndarray, "q q"] | None = None,
    per_output: bool = False,
    smoothing: float = SMOOTHING,
) -> Float[Array, ""]:
    """The sum of the penalties of a network's layers, each at its own inputs.

    A network whose layers all keep a generator keeps it. The other way round is false: layers can keep it in a
    representation of the hidden units other than the one given. Use it where that representation is known; `penalty`
    needs none.

    Arguments:
        model: an equinox MLP (a layer is a linear map and the activation after it), a module with `layers` such as
            eqx.nn.Sequential, or a list of callables that follow each other, each for one example.
        x: (B, n) a minibatch of inputs.
        source, target: how inputs and outputs are acted on, by the same candidates.
        hidden: how what comes out of each layer but the last is acted on. Pointwise activations commute with scalars
            and permutations only.
        inner, per_output, smoothing: as in `penalty`.
    Returns: a scalar.
    Raises: as `penalty`; ValueError for another number of actions than there are layers.
    Reference: Otto, Zolman, Kutz, Brunton (2025), section 6.
    """
    checked_smoothing(smoothing)
    per_output = checked_flag(per_output, "per_output")
    parts = _layers(model)
    if not isinstance(hidden, list | tuple) or not all(isinstance(one, AbstractAction) for one in hidden):
        raise TypeError(
            "hidden must be a list of actions, one for each layer but the last, also where it is one: hidden=[action];"
            f" got {type(hidden).__name__}."
        )
    actions = [source, *hidden, target]
    if len(actions) != len(parts) + 1:
        raise ValueError(
            f"hidden must hold one action for each layer but the last: {len(parts) - 1} for {len(parts)} layers, got"
            f" {len(actions) - 2}."
        )
    z = checked_batch(parts[0], x, source)
    basis = _basis(source, target, inner)
    total = jnp.zeros((), z.dtype)
    for number, (layer, (before, after)) in enumerate(zip(parts, pairwise(actions), strict=True)):
        try:
            total = total + _of_batch(layer, z, before, after, basis, per_output, float(smoothing))
        except ValueError as fault:
            raise ValueError(f"layer {number}, {_named(layer)}: {fault}") from fault
        if number < len(parts) - 1:
            z = jax.vmap(lambda one, layer=layer, m=after.width: jnp.reshape(layer(one), (m,)))(z)
    return total


def _basis(source: AbstractAction, target: AbstractFibreAction, inner) -> np.ndarray | Array | None:
    """Orthonormal combinations of the candidates: rows, or a diagonal, or nothing for the candidates themselves."""
    check_same_algebra(source, target)
    if source.algebra.dim == 0:
        raise ValueError(
            f"source: {source.algebra.name} has no generators, so there is nothing to promote. The discrete elements of"
            " a finite group have a penalty of their own, ld.promote.element_penalty."
        )
    refuse_elements(
        source,
        "source",
        "a penalty of generators does not see them",
        "add ld.promote.element_penalty for the others.",
    )
    if isinstance(inner, Tracer):
        raise TypeError("inner must be a NumPy array that the loss holds, not an argument that is traced with it.")
    side = target if isinstance(target, AbstractAction) else None
    if inner is None and (traced := traced_frobenius(source, side)) is not None:
        # Combinations of numbers that are trained with the model, or only passed to it under jit.
        return jnp.linalg.inv(jnp.linalg.cholesky(traced))
    rows = orthonormal(source, side, inner=inner)
    diagonal = np.diag(rows)
    if not np.array_equal(rows, np.diag(diagonal)):
        return rows
    return None if np.all(diagonal == 1.0) else diagonal


def _of_batch(
    F, x: Array, source, target, basis: np.ndarray | Array | None, per_output: bool, smoothing: float
) -> Array:
    rows = jax.vmap(lambda one: lie_derivative(F, one, source=source, target=target))(x)  # B, m, q
    combined = None if basis is None else jnp.asarray(basis, rows.dtype)
    return _gathered(partial(_norm, combined, per_output, smoothing), rows)


def _norm(combined: Array | None, per_output: bool, smoothing: float, rows: Array) -> Array:
    b, m, q = rows.shape
    if per_output:
        norms = jax.vmap(lambda block: nuclear_norm(block, combined, smoothing), in_axes=1)(rows)
        return norms.sum() / b**0.5
    return nuclear_norm(rows.reshape(b * m, q), combined, smoothing) / b**0.5


def _gathered(f: Callable[[Array], Array], rows: Array) -> Array:
    """A number that is a function of all rows. Where these are spread over a mesh by their type (axes that JAX calls
    explicit) it must be said that the number is not; elsewhere the compiler sees to it."""
    mesh = jax.typeof(rows).sharding.mesh
    if AxisType.Explicit not in mesh.axis_types:
        return f(rows)
    gathered: Callable[..., Any] = jax.sharding.auto_axes(f, out_sharding=jax.NamedSharding(mesh, jax.P()))
    return gathered(rows)


class _Dense(eqx.Module):
    """One layer of an equinox MLP: a linear map and an activation, which has arrays of its own for each unit."""

    linear: eqx.nn.Linear
    activation: Any
    pointwise: bool = eqx.field(static=True)

    def __call__(self, z):
        y = self.linear(z)
        return eqx.filter_vmap(lambda unit, a: unit(a))(self.activation, y) if self.pointwise else self.activation(y)


def _layers(model: Any) -> list[Callable]:
    if isinstance(model, eqx.nn.MLP):
        dense = []
        for number, linear in enumerate(model.layers):
            last = number == len(model.layers) - 1
            unit = model.final_activation if last else model.activation
            unit = unit if last else jax.tree.map(lambda leaf, i=number: leaf[i] if eqx.is_array(leaf) else leaf, unit)
            dense.append(_Dense(linear, unit, not last or linear.out_features != "scalar"))
        return dense
    parts = getattr(model, "layers", None) if isinstance(model, eqx.Module) else model
    if not isinstance(parts, list | tuple) or not parts or not all(callable(part) for part in parts):
        raise TypeError(
            f"model must be an equinox MLP or Sequential, or a list of callables, got {type(model).__name__}. For a"
            " model without layers use ld.promote.penalty."
        )
    return list(parts)


def _named(layer: Callable) -> str:
    return (
        "Linear with its activation" if isinstance(layer, _Dense) else getattr(layer, "__name__", type(layer).__name__)
    )
