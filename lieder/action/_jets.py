"""An action lifted to derivatives: how u_x, u_xx, ... of a function u move when the points (x, u) of its graph do."""

from collections.abc import Callable, Sequence
from itertools import combinations_with_replacement
from math import comb, factorial, prod

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from .. import dictionary as families
from ..algebra import LieAlgebra, Span
from ..late import sympy
from ..sampling import check_whole
from ._abstract import AbstractAction


def multi_indices(independent: int, order: int) -> list[tuple[int, ...]]:
    """Along which variables a derivative is taken, for all derivatives up to an order: (), (0,), (1,), (0, 0), ...

    Arguments: `independent` p, the number of variables; `order` n.
    Returns: binomial(p + n, n) tuples of variables in ascending order, by degree: the order of jet coordinates.
    """
    return [J for degree in range(order + 1) for J in combinations_with_replacement(range(independent), degree)]


def jet_names(independent: Sequence[str], fields: Sequence[str], order: int) -> tuple[str, ...]:
    """The names of jet coordinates: t, x, u, u_t, u_x, u_tt, u_tx, u_xx, ...

    Arguments: `independent`, names of the p variables; `fields`, of the m functions; `order` n.
    Returns: p + m binomial(p + n, n) names.
    """
    derivatives = [
        f"{u}_{''.join(independent[i] for i in J)}" if J else u
        for J in multi_indices(len(independent), order)
        for u in fields
    ]
    return (*independent, *derivatives)


class Prolonged(AbstractAction):
    """The prolongation of an action on (x, u): its fields on (x, u, u_x, u_xx, ...), all derivatives up to `order`.

        phi^Ji = D_i phi^J - sum_k D_i(theta^k) u_Jk

    with D_i the total derivative along a variable. No formula is expanded: D_i is a forward derivative along the
    direction (e_i, u_i, u_ij, ...). A finite transformation moves the graph of u's Taylor polynomial, and the
    derivatives of what it became are read off. Where the base action is known in closed form, so is this one.

    Fields: `base`, of width p + m; `independent` p, how many of its coordinates come first as variables; `order` n.
    """

    base: AbstractAction
    independent: int = eqx.field(static=True)
    order: int = eqx.field(static=True)

    @property
    def algebra(self) -> LieAlgebra | Span:
        return self.base.algebra

    @property
    def functions(self) -> int:
        """The number m of functions u."""
        return self.base.width - self.independent

    @property
    def width(self) -> int:
        return self.independent + self.functions * comb(self.independent + self.order, self.order)

    @property
    def blocks(self) -> tuple[tuple[str, int], ...]:
        rest = self.width - self.base.width
        return self.base.blocks + ((("jets", rest),) if rest else ())

    def fields(self, z: Float[Array, " n"]) -> Float[Array, "generators n"]:
        return self._prolonged(self.base.fields, z)

    def field(self, xi, z):
        return self._prolonged(lambda point: self.base.field(xi, point)[None], z)[0]

    def _prolonged(self, fields: Callable, z: Float[Array, " n"]) -> Float[Array, "q n"]:
        p, base = self.independent, self.base.width
        given = fields
        fields = jax.jit(lambda point: given(point))  # traced once, however often it is differentiated
        # Where u_Ji stands, for all i at once: (m, p, .., p) for a degree.
        place = {J: p + k * self.functions for k, J in enumerate(multi_indices(p, self.order))}
        stands = [
            np.array([[place[tuple(sorted(J))] + a for J in np.ndindex(*(p,) * degree)] for a in range(self.functions)])
            .reshape(self.functions, *(p,) * degree)
            .astype(np.int32)
            for degree in range(self.order + 1)
        ]
        further = np.zeros((p, self.width, self.width))  # D_i z = e_i + further_i z, but for derivatives beyond
        for J, start in place.items():
            for i in range(p if len(J) < self.order else 0):
                for a in range(self.functions):
                    further[i, start + a, place[tuple(sorted((*J, i)))] + a] = 1.0
        units, shifts = jnp.eye(p, self.width, dtype=z.dtype), jnp.asarray(further, z.dtype)

        def total(function: Callable) -> Callable:
            """All total derivatives D_i of a function on jets, as a last axis."""

            def derivative(w):
                along = units + shifts @ w
                return jax.vmap(lambda v: jax.jvp(function, (w,), (v,))[1], out_axes=-1)(along)

            return derivative

        def lifted(phi: Callable, degree: int) -> Callable:
            """phi^Ji = D_i phi^J - sum_k D_i theta^k u_Jk."""
            first, second = total(phi), total(lambda w: fields(w[:base])[:, :p])
            return lambda w: first(w) - jnp.einsum("qki,a...k->qa...i", second(w), w[stands[degree]])

        here = fields(z[:base])
        moved, phi = [here], lambda w: fields(w[:base])[:, p:]
        for degree in range(1, self.order + 1):
            phi = lifted(phi, degree)
            every = phi(z)
            moved += [every[(slice(None), slice(None), *J)] for J in place if len(J) == degree]
        return jnp.concatenate(moved, axis=1)

    def _graph(self, z: Float[Array, " n"]) -> Callable:
        """h -> (x + h, u(x + h)), u the Taylor polynomial of these derivatives."""
        p = self.independent
        every = multi_indices(p, self.order)
        factorials = np.array([prod(factorial(J.count(i)) for i in set(J)) for J in every], float)
        coefficients = z[p:].reshape(-1, self.functions) / jnp.asarray(factorials, z.dtype)[:, None]
        monomials = families.polynomials(p, self.order)
        return lambda h: jnp.concatenate([z[:p] + h, monomials(h) @ coefficients])

    def _image(self, transformation: Callable, z: Float[Array, " n"]) -> Float[Array, " n"]:
        """Where a transformation of (x, u) takes derivatives."""
        p, graph = self.independent, self._graph(z)
        # Traced once each, however often they are differentiated.
        there = jax.jit(lambda h: transformation(graph(h)))
        back = jax.jit(lambda h: _inverse(jax.jacfwd(lambda k: there(k)[:p])(h)))

        def along(derivative: Callable) -> Callable:
            """D/dX of what is known as a function of h."""
            return jax.jit(lambda h: jax.jacfwd(derivative)(h) @ back(h))

        here, derivative = jnp.zeros(p, z.dtype), lambda h: there(h)[p:]
        moved = [there(here)]
        for degree in range(1, self.order + 1):
            derivative = along(derivative)
            every = derivative(here)
            moved += [every[(..., *J)] for J in combinations_with_replacement(range(p), degree)]
        return jnp.concatenate(moved)

    def transformed(self, xi, z):
        width = self.base.width
        if self.base.transformed(xi, z[:width]) is None:
            return None
        if not self.base.is_affine:
            return self._image(lambda point: self._known(xi, point), z)
        # The matrix exponential once, and not with each derivative.
        origin = self._known(xi, jnp.zeros(width, z.dtype))
        slope = jax.vmap(lambda point: self._known(xi, point))(jnp.eye(width, dtype=z.dtype)) - origin
        return self._image(lambda point: origin + point @ slope, z)

    def _known(self, xi, point) -> Array:
        end = self.base.transformed(xi, point)
        if end is None:
            raise AssertionError("known at one point and not at another: our own bug")
        return end

    def element(self, number, z, inverse=False):
        return self._image(lambda point: self.base.element(number, point, inverse), z)

    def restrict(self, rows, algebra):
        return Prolonged(self.base.restrict(rows, algebra), self.independent, self.order)

    def unit_groups(self):
        """Derivatives share a unit where the functions, and the variables one by one, do."""
        p = self.independent
        unit = np.zeros(self.base.width, int)
        for number, group in enumerate(self.base.unit_groups()):
            unit[group] = number
        groups: dict[tuple, list[int]] = {}
        for k, J in enumerate(multi_indices(p, self.order)):
            for a in range(self.functions):
                kind = (unit[p + a], *sorted(unit[i] for i in J))
                groups.setdefault(kind, []).append(p + k * self.functions + a)
        for i in range(p):
            groups.setdefault((unit[i],), []).append(i)
        return tuple(sorted((np.sort(np.array(group)) for group in groups.values()), key=lambda group: group[0]))

    def written(self):
        base = self.base.written()
        if base is None:
            return None
        return {"type": "Prolonged", "base": base, "independent": self.independent, "order": self.order}

    def symbolic(self, xi, x, y) -> "list[sympy.Expr]":
        p, m = self.independent, self.functions
        theta = self.base.symbolic(xi, x[: p + m], y[: p + m])
        place = {J: p + m * k for k, J in enumerate(multi_indices(p, self.order))}

        def total(expression, i: int):
            """D_i, up to the derivatives that are coordinates."""
            out = sympy.diff(expression, y[i])
            for J, start in place.items():
                further = place.get(tuple(sorted((*J, i))))
                for a in range(m):
                    out += 0 if further is None else sympy.diff(expression, y[start + a]) * y[further + a]
            return out

        # phi^Ji = D_i phi^J - sum_k D_i(theta^k) u_Jk: no derivative beyond those of phi^Ji itself appears.
        known: dict[tuple[int, ...], list] = {(): list(theta[p:])}
        for J in list(place)[1:]:
            before, i = known[J[:-1]], J[-1]
            known[J] = [
                total(before[a], i)
                - sum(total(theta[k], i) * y[place[tuple(sorted((*J[:-1], k)))] + a] for k in range(p))
                for a in range(m)
            ]
        return [*theta[:p], *(sympy.expand(one) for J in place for one in known[J])]

    def __repr__(self) -> str:
        return f"{self.base} prolonged to order {self.order}"


def _inverse(square: Float[Array, "p p"]) -> Float[Array, "p p"]:
    """By cofactors where there are few: nothing that is slow to differentiate or to compile."""
    if len(square) == 1:
        return 1 / square
    if len(square) == 2:
        (a, b), (c, d) = square
        return jnp.stack([jnp.stack([d, -b]), jnp.stack([-c, a])]) / (a * d - b * c)
    if len(square) == 3:
        x, y, z = square
        cofactors = jnp.stack([jnp.cross(y, z), jnp.cross(z, x), jnp.cross(x, y)], axis=1)
        return cofactors / (x @ cofactors[:, 0])
    return jnp.linalg.inv(square)


def prolong(action: AbstractAction, independent: int, order: int) -> Prolonged:
    """The action on derivatives of functions u(x), from one on points (x, u).

    A field theta = sum_i theta^i(x, u) d/dx_i + sum_a phi^a(x, u) d/du^a moves the graph of u, and with it the
    derivatives of u: pr theta = theta + sum phi^J d/du_J. A differential equation has a point symmetry where the
    prolonged field keeps it.

    Arguments:
        action: on points (x, u), p + m coordinates, x first; any.
        independent: p >= 1, how many coordinates are x. At least one u must be left.
        order: n >= 0, up to which derivatives are taken along.
    Returns: an action of width p + m binomial(p + n, n) of the same algebra; coordinates x, then u, then all
        derivatives of order 1, ... as in `jet_names`, all functions for one derivative together.
    Raises: TypeError when `action` is none; ValueError for `independent` or `order` out of range.
    Reference: Olver, Applications of Lie Groups to Differential Equations, 1993, theorem 2.36.

    >>> import jax.numpy as jnp, numpy as np, lieder as ld
    >>> boost = np.zeros(12)  # x d/dt - t d/dx + 0 d/du, of the affine fields on (t, x, u)
    >>> boost[[2, 5]] = 1.0, -1.0
    >>> action = ld.action.prolong(ld.action.polynomial_fields(3, 1), independent=2, order=1)
    >>> print(action.field(jnp.asarray(boost), jnp.asarray([0.0, 0.0, 1.0, 3.0, 5.0])))  # t, x, u, u_t, u_x
    [ 0.  0.  0.  5. -3.]
    """
    if not isinstance(action, AbstractAction):
        raise TypeError(f"action must act on points (x, u), such as ld.action.polynomial_fields(3, 1), got {action!r}.")
    for value, name, least in ((independent, "independent", 1), (order, "order", 0)):
        check_whole(value, name, least)
    if independent >= action.width:
        raise ValueError(
            f"independent must leave a function u: the action has {action.width} coordinates, and {independent} of them"
            " are said to be variables."
        )
    return Prolonged(action, int(independent), int(order))
