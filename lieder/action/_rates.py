"""How rates of change x' are moved by fields on states, inputs and time."""

import equinox as eqx
import jax
import numpy as np
from jaxtyping import Array, Float

from ..algebra import LieAlgebra, Span
from ..late import sympy
from ..sampling import checked_flag
from ._abstract import AbstractAction, AbstractFibreAction


class Rates(AbstractFibreAction):
    """Rates x' of the first `states` columns over points z = (x, u, t), where t is the last column if `timed`.

    phi(z, v) = theta_x,x v + theta_x,t - v (theta_t,x v + theta_t,t): states move along, and where time is moved, rates
    are measured in the moved time. Build it with `rates`.
    """

    base: AbstractAction
    states: int = eqx.field(static=True)
    timed: bool = eqx.field(static=True)

    @property
    def algebra(self) -> LieAlgebra | Span:
        return self.base.algebra

    @property
    def width(self) -> int:
        return self.states

    @property
    def blocks(self) -> tuple[tuple[str, int], ...]:
        return (("vectors", self.states),)

    def over(self, x: Float[Array, " n"], y: Float[Array, " m"]) -> Float[Array, "generators m"]:
        return jax.vmap(lambda slope: self._move(slope, y))(jax.jacfwd(self.base.fields)(x).astype(y.dtype))

    def over_one(self, xi, x, y):
        return self._move(jax.jacfwd(lambda z: self.base.field(xi, z))(x), y)

    def _move(self, slope: Float[Array, "n n"], y: Float[Array, " m"]) -> Float[Array, " m"]:
        n = self.states
        moved = slope[:, :n] @ y + (slope[:, -1] if self.timed else 0.0)
        return moved[:n] - (y * moved[-1] if self.timed else 0.0)

    def by_inputs(self, z: Float[Array, " n"], y: Float[Array, " m"]) -> Float[Array, "generators m inputs"]:
        """What rates of the inputs would do to those of the states: zero for all fields that can be symmetries.

        d theta_x / du - v d theta_t / du.
        """
        slope, n = jax.jacfwd(self.base.fields)(z), self.states
        inputs = slice(n, slope.shape[2] - self.timed)
        pushed = slope[:, :n, inputs]
        return pushed - y[:, None] * slope[:, -1:, inputs] if self.timed else pushed

    def unit_groups(self):
        inside = (group[group < self.states] for group in self.base.unit_groups())
        return tuple(group for group in inside if len(group))

    def restrict(self, rows: Float[np.ndarray, "new generators"], algebra: LieAlgebra | Span) -> "Rates":
        return Rates(self.base.restrict(rows, algebra), self.states, self.timed)

    def written(self):
        base = self.base.written()
        return base and {"type": "Rates", "base": base, "states": self.states, "timed": self.timed}

    def symbolic(self, xi, x, y) -> "list[sympy.Expr]":
        field, n = self.base.symbolic(xi, x, x), self.states
        along = [*zip(x[:n], y, strict=True), *([(x[-1], sympy.Integer(1))] if self.timed else [])]
        moved = [sympy.Add(*[sympy.diff(one, v) * rate for v, rate in along]) for one in field]
        late = moved[-1] if self.timed else sympy.Integer(0)
        return [sympy.expand(one - rate * late) for one, rate in zip(moved[:n], y, strict=True)]

    def __repr__(self) -> str:
        return f"rates of {self.states} states over {self.base}"


def rates(action: AbstractAction, states: int, timed: bool = False) -> Rates:
    """Rates of change of the first columns that `action` moves, the others being inputs and, if `timed`, time.

    The first prolongation of the fields; without inputs and time that of `tangent`.

    Arguments: `action` on z = (x, u, t); `states` n >= 1, how many of its columns are states; `timed`, whether the last
        one is time (default False).
    Returns: a fibre action of width n over z.
    Raises: ValueError for more states than columns.
    Reference: Olver, Applications of Lie Groups to Differential Equations (1993), theorem 2.36.
    """
    timed = checked_flag(timed, "timed")
    if not 1 <= states <= action.width - timed:
        raise ValueError(
            f"states must lie in 1..{action.width - timed}, as the action moves {action.width} columns"
            f"{', time among them' if timed else ''}; got {states}."
        )
    return Rates(action, states, timed)
