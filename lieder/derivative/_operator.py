"""A family of functions meets all generators and discrete elements: one matrix each on the family's coefficients."""

from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from .. import dictionary as families
from ..action import AbstractAction, AbstractFibreAction, FieldAction, discrete_elements
from ..interop import ForeignModel
from ..linalg import MatrixStack, stacked
from ._features import LieMatrices
from ._sampled import at_points


def family_operator(matrices: LieMatrices, target: FieldAction) -> MatrixStack:
    """How far F_W(x) = W f(x) is from equivariant, linear in W: each generator, then each discrete element, a matrix.

        W -> W T_k - B_k W P    and    W -> W S_j - H_j W P,    in the joint functions g: f = P g

    Arguments: `matrices` of a dictionary of D functions under the action on inputs (`lie_matrices`); `target`, linear,
        of width m, over the same algebra.
    Returns: (q + c, m E, m D); W and what it is mapped to are flattened row by row.
    """
    P = matrices.features.tocoo()
    T = stacked([matrices.generators, matrices.elements], axis=0)
    B = stacked([target.matrices(), target.discrete()], axis=0)
    m, (count, size, joint) = target.width, T.shape
    function, place = P.coords
    output = np.arange(m)[:, None]
    moved = [np.tile(T.index[0], m), output * joint + T.index[2], output * size + T.index[1]]
    i, j = B.index[1][:, None], B.index[2][:, None]
    turned = [np.repeat(B.index[0], P.nnz), i * joint + place, j * size + function]
    index = np.concatenate([np.stack([part.reshape(-1) for part in parts]) for parts in (moved, turned)], axis=1)
    value = np.concatenate([np.tile(T.value, m), -np.outer(B.value, P.data).reshape(-1)])
    return MatrixStack.from_entries((count, m * joint, m * size), index, value)


@dataclass(frozen=True, eq=False)
class SampledOperator:
    """The same at points, for outputs that may move in a way that depends on the input.

        W -> W T_k(x) - B_k(x) W f(x)

    Fields: `values` f (N, D); `moved` T (q + c, N, D): J_f theta_k at each point for a generator, f at the moved point
        for a discrete element; `turned` B (q + c, N, m, m), what these do to outputs; `bend`, how far that is from
        linear in the outputs, relative to it: rounding, or the operator is not one.
    """

    values: Float[np.ndarray, "N D"]
    moved: Float[np.ndarray, "k N D"]
    turned: Float[np.ndarray, "k N m m"]
    bend: float

    def changed(self, left: Float[np.ndarray, "r D"]) -> "SampledOperator":
        """The same for coefficients V (m, r) of W = V left."""
        return SampledOperator(self.values @ left.T, self.moved @ left.T, self.turned, self.bend)

    def rows(self) -> Float[np.ndarray, "moves rows coefficients"]:
        """One matrix a generator, then one a discrete element, on W flattened row by row."""
        return self._with(np.einsum("knij,nd->knijd", -self.turned, self.values))

    def moving(self) -> Float[np.ndarray, "moves rows coefficients"]:
        """The first term alone, W T_k(x)."""
        return self._with(np.zeros((*self.turned.shape, self.values.shape[1])))

    def _with(self, rows: np.ndarray) -> np.ndarray:
        k, count, m, _, size = rows.shape
        for i in range(m):
            rows[:, :, i, i] += self.moved
        return rows.reshape(k, count * m, m * size)


def sampled_operator(
    F: families.AbstractDictionary | ForeignModel,
    source: AbstractAction,
    target: AbstractFibreAction,
    x: Float[np.ndarray, "N n"],
) -> SampledOperator:
    """How far F_W(x) = W f(x) is from equivariant at points, linear in W.

    Arguments: `F`, a dictionary, or the features of another package with their derivatives; `source` on inputs;
        `target` on outputs, linear in them, over the same algebra; `x` (N, n).
    Returns: SampledOperator, in float64.
    """
    found, moved = at_points(F, source, x)
    with jax.enable_x64(True):
        turned, bend = _turned(target, jnp.asarray(x, jnp.float64))
    return SampledOperator(found, moved, np.asarray(turned), float(bend))


@partial(jax.jit, static_argnums=0)
def _turned(target: AbstractFibreAction, x):
    """What generators and elements do to each unit output at each point (k, N, m, m), and how far from linear it is."""
    m, count = target.width, len(discrete_elements(target.algebra))

    def one(p, y):
        return jnp.concatenate([target.over(p, y), *(target.element_over(j, p, y)[None] for j in range(count))])

    at = jax.vmap(lambda y: jax.vmap(lambda p: one(p, y))(x))  # y, x, k, i
    unit = at(jnp.eye(m))
    size = jnp.maximum(1.0, jnp.abs(unit).max(initial=0.0))
    nothing, both = at(jnp.stack([jnp.zeros(m), 2.0 * jnp.ones(m)]))
    off = jnp.abs(both - 2.0 * unit.sum(axis=0)).max(initial=0.0) + jnp.abs(nothing).max(initial=0.0)
    return unit.transpose(2, 1, 3, 0), off / size
