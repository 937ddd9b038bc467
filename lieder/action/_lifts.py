"""Output actions built from an input action: how directions, gradients, densities and tensors at a point are moved."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from .. import dictionary as families
from ..algebra import LieAlgebra, Span
from ..late import sympy
from ..linalg import MatrixStack
from ._abstract import AbstractAction, AbstractFibreAction
from ._fields import FieldAction


class Lift(AbstractFibreAction):
    """Tensors of type (up, down) and given weight over the points of `base`.

    phi(x, T) = sum over up slots Dtheta(x) T - sum over down slots Dtheta(x)^T T - weight div theta(x) T.

    Needed only where theta is not affine: for affine base actions `tangent` and its kin return constant matrices.
    """

    base: AbstractAction
    up: int = eqx.field(static=True)
    down: int = eqx.field(static=True)
    weight: float = eqx.field(static=True)

    @property
    def algebra(self) -> LieAlgebra | Span:
        return self.base.algebra

    @property
    def width(self) -> int:
        return self.base.width ** (self.up + self.down)

    @property
    def blocks(self) -> tuple[tuple[str, int], ...]:
        return (("tensors", self.width),)

    def over(self, x: Float[Array, " n"], y: Float[Array, " m"]) -> Float[Array, "generators m"]:
        return jax.vmap(lambda slope: self._move(slope, y))(jax.jacfwd(self.base.fields)(x).astype(y.dtype))

    def over_one(self, xi, x, y):
        return self._move(jax.jacfwd(lambda z: self.base.field(xi, z))(x), y)

    def element_over(self, number, x, y, inverse=False):
        slope = jax.jacfwd(lambda z: self.base.element(number, z, inverse))(x).astype(y.dtype)
        back = jnp.linalg.inv(slope).T
        n, slots = self.base.width, self.up + self.down
        tensor = jnp.abs(jnp.linalg.det(slope)) ** -self.weight * y.reshape((n,) * slots)
        for slot in range(slots):
            matrix = slope if slot < self.up else back
            tensor = jnp.moveaxis(jnp.tensordot(matrix, tensor, axes=(1, slot)), 0, slot)
        return tensor.reshape(-1)

    def _move(self, slope: Float[Array, "n n"], y: Float[Array, " m"]) -> Float[Array, " m"]:
        n, slots = self.base.width, self.up + self.down
        tensor = y.reshape((n,) * slots)
        total = -self.weight * jnp.trace(slope) * tensor
        for slot in range(slots):
            matrix = slope if slot < self.up else -slope.T
            total = total + jnp.moveaxis(jnp.tensordot(matrix, tensor, axes=(1, slot)), 0, slot)
        return total.reshape(-1)

    def restrict(self, rows: Float[np.ndarray, "new generators"], algebra: LieAlgebra | Span) -> "Lift":
        return Lift(self.base.restrict(rows, algebra), self.up, self.down, self.weight)

    def written(self):
        base = self.base.written()
        if base is None:
            return None
        return {"type": "Lift", "base": base, "up": self.up, "down": self.down, "weight": self.weight}

    def symbolic(self, xi, x, y) -> "list[sympy.Expr]":
        field = self.base.symbolic(xi, x, x)
        n, slots = self.base.width, self.up + self.down
        slope = [[sympy.diff(component, variable) for variable in x] for component in field]
        divergence = sympy.Add(*[slope[i][i] for i in range(n)])
        out = []
        for place in np.ndindex(*(n,) * slots):
            terms = [-sympy.nsimplify(self.weight) * divergence * y[_flat(place, n)]]
            for slot in range(slots):
                for j in range(n):
                    other = (*place[:slot], j, *place[slot + 1 :])
                    factor = slope[place[slot]][j] if slot < self.up else -slope[j][place[slot]]
                    terms.append(factor * y[_flat(other, n)])
            out.append(sympy.expand(sympy.Add(*terms)))
        return out

    def __repr__(self) -> str:
        return f"tensors({self.up}, {self.down}) of weight {self.weight:g} over {self.base}"


def _flat(place: tuple[int, ...], n: int) -> int:
    return int(np.ravel_multi_index(place, (n,) * len(place))) if place else 0


def tensor(action: AbstractAction, up: int, down: int = 0, weight: float = 0.0) -> AbstractFibreAction:
    """Tensor fields of type (up, down) and density weight over the points that `action` moves.

    phi(x, T): Leibniz over the slots, Dtheta on up slots, -Dtheta^T on down slots, -weight div theta. A discrete
    element x -> H x + h acts by H on up slots, H^-T on down slots, and |det H|^-weight.

    Arguments: `action` of width n; `up`, `down` >= 0; `weight` (default 0; 1 for a density).
    Returns: a fibre action of width n ** (up + down); constant matrices where `action` is affine.
    Raises: ValueError for negative slots.
    Reference: Otto, Zolman, Kutz, Brunton (2025), section 3.
    """
    if up < 0 or down < 0:
        raise ValueError(f"a tensor lift needs up >= 0 and down >= 0, got up={up}, down={down}.")
    fields = action.expansion
    if fields is None or not fields.is_affine:
        return Lift(action, up, down, float(weight))
    action, n = fields, fields.width
    linear_part = action.elements.columns(0, n)
    slope = FieldAction(action.algebra, action.affine().columns(0, n), families.linear(n), action.blocks, linear_part)
    if up + down == 1 and weight == 0:
        return _named(slope if up == 1 else slope.dual)
    slots = [slope] * up + [slope.dual] * down
    divergence = MatrixStack.from_entries(
        (action.algebra.dim, 1, 1), *_diagonal_entries(slope.generators, -float(weight))
    )
    factor = MatrixStack.from_dense(_volumes(linear_part, float(weight)))
    total = FieldAction(action.algebra, divergence, families.linear(1), (("scalars", 1),), factor)
    for slot in slots:
        total = total * slot
    return total


def _named(action: FieldAction) -> FieldAction:
    swap = {"points": "vectors"}
    blocks = tuple((swap.get(k, k), w) for k, w in action.blocks)
    return FieldAction(action.algebra, action.generators, action.dictionary, blocks, action.elements)


def _volumes(elements: MatrixStack, weight: float) -> np.ndarray:
    """|det H_j|^-weight as a (c, 1, 1) array."""
    if weight == 0:
        return np.ones((elements.shape[0], 1, 1))
    log = np.linalg.slogdet(elements.dense())[1]
    return np.exp(-weight * log)[:, None, None]


def _diagonal_entries(stack: MatrixStack, factor: float):
    """Coordinates and values of factor * trace(A_k) as a (q, 1, 1) stack."""
    on = stack.index[1] == stack.index[2]
    index = np.zeros((3, int(on.sum())), np.int64)
    index[0] = stack.index[0, on]
    return index, factor * stack.value[on]


def tangent(action: AbstractAction) -> AbstractFibreAction:
    """Directions and velocities at the points that `action` moves: phi(x, u) = Dtheta(x) u.

    Arguments: `action` of width n.
    Returns: a fibre action of width n.
    Reference: theory of tangent lifts; Otto et al.
        (2025), section 3.
    """
    return tensor(action, 1, 0)


def cotangent(action: AbstractAction) -> AbstractFibreAction:
    """Gradients and momenta at the points that `action` moves: phi(x, p) = -Dtheta(x)^T p.

    Arguments: `action` of width n.
    Returns: a fibre action of width n.
    """
    return tensor(action, 0, 1)


def density(action: AbstractAction, weight: float = 1.0) -> AbstractFibreAction:
    """Densities over the points that `action` moves: phi(x, rho) = -weight div theta(x) rho.

    Arguments: `action`; `weight` (default 1: rho dx is preserved).
    Returns: a fibre action of width 1.
    """
    return tensor(action, 0, 0, weight)
