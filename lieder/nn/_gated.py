"""Nonlinearities that commute with the action."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from ..action import FieldAction, scalars
from ._kinds import Kinds, kinds, named
from ._linear import floating, one_example

# Root mean squares of silu(z) and sigmoid(z) for a standard normal z: dividing by them keeps unit variance.
_SILU, _SIGMOID = 0.5964, 0.5416


def _pointwise(x: Array) -> Array:
    return jax.nn.silu(x) / _SILU


class Gated(eqx.Module):
    """Each copy of a vector or tensor times the sigmoid of a scalar of its own; silu on scalars.

    It holds for every representation. The source is the target followed by one scalar for each copy that needs a gate:
    all but scalars and permutation representations, where silu acts on single coordinates. No parameters. Inputs of
    unit variance give outputs of unit variance.

    Fields: `kinds`, the summands of the target.
    """

    kinds: Kinds = eqx.field(static=True)
    source: FieldAction = eqx.field(static=True)

    def __init__(self, target: FieldAction):
        """For a representation.

        Arguments: `target`: linear; read `source` for what the layer before must return.
        Raises: TypeError for actions that are not linear.
        """
        self.kinds = kinds(target, "target")
        gates = sum(kind.copies for kind in self.kinds.moved)
        target = self.kinds.action
        self.source = kinds(target + scalars(target.algebra, gates), "source").action if gates else target

    @property
    def target(self) -> FieldAction:
        return self.kinds.action

    def __call__(self, x: Float[Array, " n"]) -> Float[Array, " m"]:
        """Gate one example.

        Arguments: `x` (n,), coordinates of the target, then gates.
        Returns: (m,).
        Raises: ValueError for another shape.
        """
        x = one_example(x, self.source)
        values, gates = x[: self.target.width], x[self.target.width :]
        gates = jax.nn.sigmoid(gates) / _SIGMOID
        out, start = [], 0
        for kind, block in zip(self.kinds.each, self.kinds.split(values), strict=True):
            if kind.is_pointwise:
                out.append(_pointwise(block))
            else:
                out.append(block * gates[start : start + kind.copies, None])
                start += kind.copies
        return self.kinds.join(out)


class Norm(eqx.Module):
    """Each copy of a vector times the sigmoid of an affine function of its length; silu on scalars.

    Only where lengths are invariant: rotations, reflections, unitary groups and permutations. Lorentz boosts and sl(n)
    change Euclidean lengths; use Gated there.

    Fields: `slope`, `offset` (copies,), of the affine function of the root mean square of each copy.
    """

    slope: Float[Array, " copies"]
    offset: Float[Array, " copies"]
    kinds: Kinds = eqx.field(static=True)

    def __init__(self, target: FieldAction, *, dtype=None):
        """Slopes one and offsets minus one: sigmoid of zero at unit variance.

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
        out, start = [], 0
        for kind, block in zip(self.kinds.each, self.kinds.split(x), strict=True):
            if kind.is_pointwise:
                out.append(_pointwise(block))
                continue
            own = slice(start, start + kind.copies)
            start += kind.copies
            square = jnp.mean(block**2, axis=1)
            # The root has no derivative at zero; there the gradient of the length is taken as zero.
            length = jnp.sqrt(jnp.where(square > 0, square, 1.0)) * (square > 0)
            gate = jax.nn.sigmoid(self.slope[own] * length + self.offset[own]) / 0.5
            out.append(block * gate[:, None])
        return self.kinds.join(out)
