"""The nearest equivariant parameters to given ones, and how far they are."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from ..action import FieldAction, linear, scalars
from ..algebra import LieAlgebra
from ..dictionary import AbstractDictionary
from ._functions import functions
from ._maps import maps


@dataclass(frozen=True, eq=False)
class Projection:
    """The nearest equivariant parameters.

    Fields: `value`, of the kind that was given; `distance` between the two and `norm` of what was given, in the chosen
        inner product; `layers`, the relative distance of each linear layer of a network, empty for arrays.
    """

    value: Any
    distance: float
    norm: float
    layers: tuple[float, ...] = ()

    @property
    def relative(self) -> float:
        """The distance over the norm: 0 when it was equivariant already, 1 when nothing of it is left."""
        return self.distance / self.norm if self.norm > 0 else 0.0

    def __repr__(self) -> str:
        layers = f", by layer {', '.join(f'{share:.3g}' for share in self.layers)}" if self.layers else ""
        return f"Projection: moved by {self.distance:.4g} ({100 * self.relative:.3g} % of the norm{layers})"


def project(
    parameters: Any,
    *,
    source: FieldAction,
    target: FieldAction,
    dictionary: AbstractDictionary | None = None,
    hidden: Sequence[FieldAction] = (),
    space: FieldAction | None = None,
    gram: Float[np.ndarray, "features features"] | None = None,
    x: Float[np.ndarray, "N n"] | None = None,
    tolerance: float | None = None,
) -> Projection:
    """Given parameters moved to the nearest equivariant ones.

    The inner product is that of the parameters, |W|^2 = sum of squares, or, with `gram` or `x`, that of the functions
    over the inputs: |W|^2 = tr W G W^T = mean |F(x)|^2.

    Arguments:
        parameters: a matrix W (m, n), F(x) = W x; with `dictionary`, coefficients W (m, D), F(x) = W f(x); with
            `space`, a convolution kernel (m, n, k, .., k); an equinox Linear (its bias becomes invariant) or MLP.
        source, target: how inputs and outputs are acted on.
        dictionary: whose coefficients these are.
        hidden: for an MLP, how the units of each hidden layer are acted on. The layers become equivariant; the network
            is so only if the activation commutes with these, as any pointwise one does with scalars and permutations.
        space: for a kernel, how the group acts on positions: a finite group of signed permutations of the axes, such
            as quarter turns. Rotations by other angles move pixels between pixels: see `ld.enforce.kernels`.
        gram: (n, n) or (D, D), mean of x x^T or f f^T over inputs, positive semi-definite.
        x: (N, n) inputs over which functions are compared; for an MLP each layer's own inputs are computed from them.
        tolerance: as in `maps` and `functions`.
    Returns: Projection. Projecting again changes nothing.
    Raises: ValueError for shapes that do not fit, NaN, or both `gram` and `x`; TypeError for other kinds of parameters.
    """
    if gram is not None and x is not None:
        raise ValueError("gram, x: give the mean of x x^T or the inputs themselves, not both.")
    if isinstance(parameters, eqx.nn.MLP | eqx.nn.Linear):
        if gram is not None or dictionary is not None or space is not None:
            raise ValueError("gram, dictionary, space: these are for arrays; for a network give inputs x.")
        if isinstance(parameters, eqx.nn.Linear):
            return _layer(parameters, source, target, x, tolerance)
        return _network(parameters, [source, *hidden, target], x, tolerance)
    W = _array(parameters)
    if space is not None:
        if gram is not None or x is not None or dictionary is not None:
            raise ValueError("space: kernels are compared by the sum of squares; leave out gram, x and dictionary.")
        flat = _kernel_source(W, source, space)
        found = _nearest(W.reshape(len(W), -1), maps(flat, target, tolerance=tolerance).project, None, None)
        return Projection(found.value.reshape(W.shape), found.distance, found.norm)
    if W.ndim != 2:
        raise ValueError(
            f"parameters have shape {W.shape}: expected a matrix (m, n), or coefficients (m, D) with dictionary=; for a"
            " convolution kernel say how positions move with space=."
        )
    if dictionary is not None:
        known = functions(dictionary, source=source, target=target, tolerance=tolerance)
        features = None if x is None else _values(dictionary, _inputs(x, source.width))
        return _nearest(W, known.project, lambda: known.basis, _gram(gram, features, dictionary.size))
    known = maps(source, target, tolerance=tolerance)
    inputs = None if x is None else _inputs(x, source.width)
    return _nearest(W, known.project, known.dense, _gram(gram, inputs, source.width))


def _array(parameters: Any) -> np.ndarray:
    if not isinstance(parameters, np.ndarray | jax.Array | list | tuple):
        raise TypeError(
            f"parameters: expected an array, an equinox Linear or an equinox MLP, got {type(parameters).__name__}. For"
            " other networks project each layer's array."
        )
    W = np.asarray(parameters, dtype=np.float64)
    if not np.isfinite(W).all():
        raise ValueError("parameters hold NaN or infinite entries.")
    return W


def _inputs(x, width: int) -> np.ndarray:
    x = np.asarray(x, dtype=np.float64)
    if x.ndim != 2 or x.shape[1] != width or len(x) == 0 or not np.isfinite(x).all():
        raise ValueError(f"x must hold finite inputs as rows, (N, {width}), got shape {x.shape}.")
    return x


def _values(dictionary: Callable, x: np.ndarray) -> np.ndarray:
    with jax.enable_x64(True):
        return np.asarray(jax.vmap(dictionary)(jnp.asarray(x)))


def _gram(gram, features: np.ndarray | None, size: int) -> np.ndarray | None:
    """A square root R (., size) of the Gram matrix: |W|^2 = |W R^T|^2."""
    if features is not None:
        return np.linalg.qr(features, mode="r") / np.sqrt(len(features))
    if gram is None:
        return None
    gram = np.asarray(gram, dtype=np.float64)
    if gram.shape != (size, size) or not np.isfinite(gram).all() or not np.allclose(gram, gram.T):
        raise ValueError(f"gram must be a symmetric matrix ({size}, {size}), got shape {gram.shape}.")
    values, vectors = np.linalg.eigh(gram)
    if values[0] < -1e-9 * max(values[-1], 0.0) or values[-1] <= 0:
        raise ValueError(f"gram has eigenvalues from {values[0]:.2g} to {values[-1]:.2g}: it must be positive.")
    return np.sqrt(np.maximum(values, 0.0))[:, None] * vectors.T


def _nearest(W: np.ndarray, plain: Callable, basis: Callable | None, root: np.ndarray | None) -> Projection:
    near = plain(W)
    if root is None or basis is None:
        return _moved(near, np.linalg.norm(W - near), np.linalg.norm(W))
    # Where the inner product does not decide (directions without inputs) the plain one does.
    rows = basis() @ root.T
    rows = rows.reshape(len(rows), -1)
    shift = np.linalg.lstsq(rows.T, ((W - near) @ root.T).reshape(-1), rcond=1e-12)[0]
    near = near + np.tensordot(shift, basis(), axes=1)
    return _moved(near, np.linalg.norm((W - near) @ root.T), np.linalg.norm(W @ root.T))


def _moved(near: np.ndarray, distance, size) -> Projection:
    return Projection(near, float(distance), float(size))


def _layer(layer: eqx.nn.Linear, source, target, x, tolerance) -> Projection:
    """Weight and bias together: the bias is the column of a constant input, which is a scalar."""
    weight = np.asarray(layer.weight, np.float64)
    inputs = None if x is None else np.asarray(x, np.float64)
    if layer.bias is None:
        found = project(weight, source=source, target=target, x=inputs, tolerance=tolerance)
        near, bias = found.value, None
    else:
        both = np.concatenate([weight, np.asarray(layer.bias, np.float64)[:, None]], axis=1)
        more = None if inputs is None else np.concatenate([inputs, np.ones((len(inputs), 1))], axis=1)
        wide = source + scalars(source.algebra)
        found = project(both, source=wide, target=target, x=more, tolerance=tolerance)
        near, bias = found.value[:, :-1], found.value[:, -1]
    made = eqx.tree_at(lambda linear: linear.weight, layer, jnp.asarray(near, layer.weight.dtype))
    if bias is not None:
        made = eqx.tree_at(lambda linear: linear.bias, made, jnp.asarray(bias, layer.weight.dtype))
    return Projection(made, found.distance, found.norm)


def _network(network: eqx.nn.MLP, spaces: list[FieldAction], x, tolerance) -> Projection:
    widths = [network.layers[0].in_features, *(layer.out_features for layer in network.layers)]
    given = [space.width for space in spaces]
    if given != widths:
        raise ValueError(
            f"source, hidden, target have widths {given}, but the layers of the network {widths}: give one"
            f" representation for each of its {len(widths) - 2} hidden layers."
        )
    inputs = None if x is None else jnp.asarray(_inputs(x, given[0]), network.layers[0].weight.dtype)
    found = []
    for number, (layer, source, target) in enumerate(zip(network.layers, spaces[:-1], spaces[1:], strict=True)):
        found.append(_layer(layer, source, target, inputs, tolerance))
        if inputs is not None and number < len(network.layers) - 1:
            # One activation for each unit of each layer, as equinox keeps them.
            own = jax.tree_util.tree_map(
                lambda leaf, i=number: leaf[i] if eqx.is_array(leaf) else leaf, network.activation
            )
            inputs = jax.vmap(lambda z, f=layer, a=own: eqx.filter_vmap(lambda unit, y: unit(y))(a, f(z)))(inputs)
    made = eqx.tree_at(lambda m: m.layers, network, tuple(part.value for part in found))
    distance, norm = (
        float(np.linalg.norm(sizes)) for sizes in zip(*((p.distance, p.norm) for p in found), strict=True)
    )
    return Projection(made, distance, norm, tuple(part.relative for part in found))


def _kernel_source(kernel: np.ndarray, source: FieldAction, space: FieldAction) -> FieldAction:
    """How (channel, pixel) pairs move: a kernel is a matrix from them to the output channels."""
    shape, axes = kernel.shape[2:], space.width
    _check_finite(space)
    if kernel.ndim != 2 + axes or len(set(shape)) != 1:
        raise ValueError(f"parameters have shape {kernel.shape}: a kernel over {axes} axes has shape (m, n, k, .., k).")
    matrices = space.discrete().dense()
    whole = np.round(matrices)
    if np.abs(matrices - whole).max(initial=0.0) > 1e-9 or np.any(np.abs(whole).sum(axis=1) != 1):
        raise ValueError(f"space, {space}, does not map the grid to itself: its elements must permute or flip axes.")
    size = shape[0]
    places = np.stack(np.meshgrid(*[np.arange(size)] * axes, indexing="ij"), axis=-1).reshape(-1, axes)
    centred = 2 * places - (size - 1)
    turned = np.zeros((len(whole), len(places), len(places)))
    for number, h in enumerate(whole.astype(int)):
        image = (centred @ h.T + size - 1) // 2
        turned[number, np.ravel_multi_index(tuple(image.T), shape), np.arange(len(places))] = 1.0
    pixels = linear(space.algebra, np.zeros((0, len(places), len(places))), turned)
    return source * pixels


def _check_finite(space: FieldAction) -> None:
    if not isinstance(space.algebra, LieAlgebra) or space.algebra.dim:
        raise ValueError(
            f"space, {space}, has continuous rotations, which move pixels between pixels: no kernel on a grid keeps"
            " them exactly. Use a finite group such as quarter turns, or ld.enforce.kernels."
        )
