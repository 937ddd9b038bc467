"""Nonlinearities that commute with the action."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from ..action import AbstractAction, FieldAction, scalars
from ._arguments import floating
from ._isotypic import Ends, Kinds, kinds, named, spread
from ._linear import one_example

# Gates open slowly: with sigmoid(z) activations of size one already sit on its bend, features saturate where inputs are
# large, and functions that grow are learnt last there.
_SLOPE = 1 / 3
# Root mean squares of z sigmoid(z / 3) and sigmoid(z / 3) for standard normal z: dividing by them keeps unit variance.
_POINTWISE, _GATE = 0.5187, 0.5065


def _gate(z: Array) -> Array:
    return jax.nn.sigmoid(_SLOPE * z)


def _pointwise(x: Array) -> Array:
    return x * _gate(x) / _POINTWISE


class Gated(eqx.Module):
    """Each copy of a vector or tensor times s(gate), a scalar of its own; z s(z) on scalars; s(z) = sigmoid(z / 3).

    It holds for every representation. The source is the target followed by one scalar for each copy that needs a gate:
    all but scalars and permutation representations, where z s(z) acts on single coordinates. No parameters. Inputs of
    unit variance give outputs of unit variance.

    Fields: `kinds`, the summands of the target.
    """

    kinds: Kinds = eqx.field(static=True, repr=False)
    ends: Ends = eqx.field(static=True, repr=False)

    def __init__(self, target: AbstractAction):
        """For a representation.

        Arguments: `target`: linear; read `source` for what the layer before must return.
        Raises: TypeError for actions that are not linear.
        """
        self.kinds = kinds(target, "target")
        gates = sum(kind.copies for kind in self.kinds.moved)
        target = self.kinds.action
        source = kinds(target + scalars(target.algebra, gates), "source").action if gates else target
        self.ends = Ends(source, target)

    @property
    def source(self) -> FieldAction:
        return self.ends.source

    @property
    def target(self) -> FieldAction:
        return self.ends.target

    def __call__(self, x: Float[Array, " n"]) -> Float[Array, " m"]:
        """Gate one example.

        Arguments: `x` (n,), coordinates of the target, then gates.
        Returns: (m,).
        Raises: ValueError for another shape.
        """
        return _gated(self, one_example(x, self.source))

    def blocks(self, x: list[Array]) -> list[Array]:
        """The same on summands.

        Arguments: `x`, of each different summand of the source (size, copies).
        Returns: of each different summand of the target (size, copies).
        """
        inside = kinds(self.source, "source").each
        still = next((i for i, kind in enumerate(inside) if kind.motion == "still"), None)
        out, start, gates = [], 0, x[0][:, :0]
        if still is not None:
            # Gates are the last scalars of the source; a target without scalars of its own has nothing else in there.
            own = inside[still].copies - sum(kind.copies for kind in self.kinds.moved)
            gates = _gate(x[still][:, own:]) / _GATE
            x = [block[:, :own] if i == still else block for i, block in enumerate(x)]
        for kind, block in zip(self.kinds.each, x, strict=False):
            if kind.is_pointwise:
                out.append(_pointwise(block))
            else:
                out.append(block * spread(gates[:, start : start + kind.copies], kind.size))
                start += kind.copies
        return out


@eqx.filter_jit
def _gated(layer: Gated, x: Array) -> Array:
    return layer.kinds.join(layer.blocks(kinds(layer.source, "source").split(x)))


class Norm(eqx.Module):
    """Each copy of a vector times s(z), z an affine function of its length; z s(z) on scalars; s(z) = sigmoid(z / 3).

    Only where lengths are invariant: rotations, reflections, unitary groups and permutations. Lorentz boosts and sl(n)
    change Euclidean lengths; use Gated there.

    Fields: `slope`, `offset` (copies,), of the affine function of the root mean square of each copy.
    """

    slope: Float[Array, " copies"]
    offset: Float[Array, " copies"]
    kinds: Kinds = eqx.field(static=True, repr=False)

    def __init__(self, target: AbstractAction, *, dtype=None):
        """Slopes one and offsets minus one: s(0) at unit variance.

        Arguments: `target`: linear, moved by orthogonal maps; inputs are moved alike. `dtype` of the parameters;
        default JAX's own.
        Raises: ValueError when lengths are not invariant; TypeError for actions that are not linear.
        """
        dtype = floating(dtype)
        self.kinds = kinds(target, "target")
        for kind in self.kinds.moved:
            if kind.motion != "orthogonal":
                raise ValueError(
                    f"target, {named(target)}: {target.algebra.name} changes the Euclidean length of"
                    f" {kind.action.blocks[0][0]}({kind.size}), so a function of it would break the symmetry. Use"
                    " ld.nn.Gated, whose gates are scalars, with ld.nn.Bilinear to compute invariants."
                )
        copies = sum(kind.copies for kind in self.kinds.moved)
        self.slope, self.offset = jnp.ones(copies, dtype), -jnp.ones(copies, dtype)

    @property
    def source(self) -> FieldAction:
        return self.kinds.action

    @property
    def target(self) -> FieldAction:
        return self.kinds.action

    def __call__(self, x: Float[Array, " n"]) -> Float[Array, " n"]:
        """Scale each copy of one example.

        Arguments: `x` (n,).
        Returns: (n,).
        Raises: ValueError for another shape.
        """
        x = one_example(x, self.source)
        return self.kinds.join(self.blocks(self.kinds.split(x)))

    def blocks(self, x: list[Array]) -> list[Array]:
        """The same on summands.

        Arguments: `x`, of each different summand (size, copies).
        Returns: the same shapes.
        """
        out, start = [], 0
        for kind, block in zip(self.kinds.each, x, strict=True):
            if kind.is_pointwise:
                out.append(_pointwise(block))
                continue
            own = slice(start, start + kind.copies)
            start += kind.copies
            square = jnp.mean(block**2, axis=0)
            # The root has no derivative at zero; there the gradient of the length is taken as zero.
            length = jnp.sqrt(jnp.where(square > 0, square, 1.0)) * (square > 0)
            out.append(block * _gate(self.slope[own] * length + self.offset[own]) / 0.5)
        return out
