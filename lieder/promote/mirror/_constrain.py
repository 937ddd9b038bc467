"""Differentiable constraints by symmetry: parameters whose components along O are products of factors."""

import math
import numbers
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ._directions import Units
from ._factors import Elementwise, LowRank
from ._mirror import Mirror, own
from ._selection import check_finite

OFFSET = 0.1  # u^2 - v^2 = .01: a direction at zero begins at u = .1, v = 0, since u = v = 0 is a stationary point
TOLERANCE = 1e-3  # trained to the minimum, constrained directions are at 1e-6 or at 1e-1: .001 lies well between
_SAME = 1e-12  # units that merged differ by rounding


@dataclass(frozen=True)
class Projected:
    """A model in its original shape, in which the constrained directions that vanished are exactly zero.

    Fields: `value`, the model; `zero`, for each constraint the directions, groups or singular values that are zero;
        `lengths`, what they were before, next to `thresholds`; `names` of the groups, where they have any; `distance`,
        how far the parameters moved, relative to their norm.
    """

    value: Any
    zero: tuple[np.ndarray, ...]
    lengths: tuple[np.ndarray, ...]
    thresholds: tuple[float, ...]
    names: tuple[tuple[str, ...] | None, ...]
    kinds: tuple[str, ...]
    distance: float

    @property
    def kept(self) -> tuple[int, ...]:
        """How many directions, groups or singular values are left, for each constraint."""
        return tuple(int((~zero).sum()) for zero in self.zero)

    def __repr__(self) -> str:
        lines = [f"Projected: the parameters moved by {self.distance:.2g} of their norm"]
        for zero, lengths, kind in zip(self.zero, self.lengths, self.kinds, strict=True):
            line = f"  {zero.sum()} of {len(zero)} {kind} are zero"
            if zero.any():
                line += f", the largest of them was {lengths[zero].max():.2g}"
            if not zero.all():
                line += f"; the smallest left is {lengths[~zero].min():.2g}"
            lines.append(line)
        return "\n".join(lines)


class Constrained(eqx.Module):
    """theta = (I - O O^T) w + O (u v), trained as any other pytree.

    Fields: `rest`, w, with the shape of the model; `factors`, (u, v) for each constraint; `mirrors`, with O;
        `strengths`, the penalty a of each.
    """

    rest: Any
    factors: tuple[tuple[Array, ...], ...]
    mirrors: tuple[Mirror, ...] = eqx.field(static=True)
    strengths: tuple[float, ...] = eqx.field(static=True)

    def value(self) -> Any:
        """theta, as the model that it was made from.

        Returns: the same pytree, the same shapes and dtypes.
        """
        leaves, structure = jax.tree_util.tree_flatten(self.rest)
        for mirror, pair in zip(self.mirrors, self.factors, strict=True):
            theta = mirror.leaves.ravel(leaves)
            c = mirror.factors.join(pair).astype(theta.dtype)
            leaves = mirror.leaves.put(leaves, mirror.directions.without(theta) + mirror.directions.combine(c))
        return jax.tree_util.tree_unflatten(structure, leaves)

    def penalty(self, strength: float | Float[Array, ""] | None = None) -> Float[Array, ""]:
        """a (|u|^2 + |v|^2), to be added to the loss.

        At its minimum over all factors of one product it is 2 a |O^T theta|_1, 2 a |O^T theta|_2 or 2 a |O^T theta|_*.

        Arguments: `strength`, another a for all constraints, a number or traced; default those given to `constrain`.
        Returns: a scalar.
        """
        total = jnp.zeros((), self.factors[0][0].dtype)
        for pair, own_strength in zip(self.factors, self.strengths, strict=True):
            a = own_strength if strength is None else strength
            total = total + a * sum(jnp.sum(factor**2) for factor in pair)
        return total

    def norm(self) -> Float[Array, ""]:
        """The norm that the penalty stands for, sum of 2 a |O^T theta|: never larger than the penalty.

        Returns: a scalar; equal to the penalty when the factors are balanced, as they are at a minimum.
        """
        total = jnp.zeros((), self.factors[0][0].dtype)
        for mirror, pair, a in zip(self.mirrors, self.factors, self.strengths, strict=True):
            total = total + 2 * a * mirror.factors.norm(mirror.factors.join(pair))
        return total

    def project(self, tolerance: float = TOLERANCE) -> Projected:
        """The model in its original shape, with what has vanished exactly zero.

        A direction (a group, a singular value) has vanished when |c| <= tolerance * (the largest entry of the
        constrained leaves, at the start or now).

        Arguments: `tolerance`, default .001: a trained model has directions near zero and others far from it, and the
            record says how far. With large learning rates the ones that vanish fluctuate more.
        Returns: Projected.
        Raises: ValueError for a tolerance that is no number from 0 to 1, for NaN, and for a stack of models.
        """
        number = isinstance(tolerance, numbers.Real) and not isinstance(tolerance, bool)
        if not number or not 0 <= float(tolerance) < 1:
            raise ValueError(f"tolerance must be a number from 0 to below 1, got {tolerance!r}.")
        for mirror, pair in zip(self.mirrors, self.factors, strict=True):
            if any(factor.ndim > (2 if isinstance(mirror.factors, LowRank) else 1) for factor in pair):
                raise ValueError(
                    "this is a stack of models: take one, jax.tree.map(lambda a: a[0], stack), and project."
                )
            if not all(np.isfinite(np.asarray(factor, np.float64)).all() for factor in pair):
                raise ValueError("the factors hold NaN or infinite numbers: the training diverged.")
            check_finite(self.rest, mirror.leaves, "rest")
        return self._projected(tolerance)

    def _projected(self, tolerance: float) -> Projected:
        every, structure = jax.tree_util.tree_flatten(self.rest)
        touched = sorted({position for mirror in self.mirrors for position in mirror.leaves.positions})
        now = [np.asarray(leaf, np.float64) if p in touched else leaf for p, leaf in enumerate(every)]
        made = list(now)
        zero, lengths, thresholds = [], [], []
        for mirror, pair in zip(self.mirrors, self.factors, strict=True):
            c = mirror.factors.join(tuple(np.asarray(factor, np.float64) for factor in pair))
            # The components of w along O have no influence, and remember how large the parameters were at the start.
            largest = max(float(np.abs(every[position]).max()) for position in mirror.leaves.positions)
            threshold = tolerance * max(largest, float(np.abs(c).max()), OFFSET**2)
            left, sizes = mirror.factors.vanish(c, threshold)
            now = mirror.leaves.put(now, _recombined(mirror, _flat(mirror, now), c))
            made = mirror.leaves.put(made, _merged(mirror, _recombined(mirror, _flat(mirror, made), left)))
            zero.append(sizes <= threshold)
            lengths.append(sizes)
            thresholds.append(threshold)
        moved = math.hypot(*(float(np.linalg.norm(made[p] - now[p])) for p in touched))
        size = math.hypot(*(float(np.linalg.norm(now[p])) for p in touched))
        for position in touched:
            made[position] = jnp.asarray(made[position], every[position].dtype)
        return Projected(
            jax.tree_util.tree_unflatten(structure, made),
            tuple(zero),
            tuple(lengths),
            tuple(thresholds),
            tuple(mirror.names for mirror in self.mirrors),
            tuple(_noun(mirror) for mirror in self.mirrors),
            moved / size if size > 0 else 0.0,
        )


def constrain(
    params: Any,
    O: Any,  # noqa: E741
    *,
    penalty: float | Sequence[float],
    kind: str = "elementwise",
    where: Callable | None = None,
    groups: Any = None,
    shape: tuple[int, int] | None = None,
    dim: int | None = None,
    offset: float = OFFSET,
) -> Constrained:
    """Parameters that can vanish along O, by a symmetry made for it (DCS).

    theta = (I - O O^T) w + O (u v). Train the result in the place of `params`, on loss(c.value()) + c.penalty(), by any
    optimiser; then `c.project().value` is the model again. The minimum is that of loss + 2 a |O^T theta|_1 (of the
    2-norm for "group": O (s u), s a number; of the nuclear norm for "low rank": O^T theta = U V^T), but the
    loss stays differentiable. theta does not change at the start, and u is nearly sqrt|c|, v nearly sign(c) sqrt|c|.

    Arguments:
        params: a pytree, such as an equinox model.
        O: a Mirror (`rescaling`, `rotation`, `permutation`, `entries`, `own`), or several of them as a tuple, which
            must not share directions. Or directions as in `own`, which `kind`, `where`, `groups`, `shape` and `dim`
            then belong to.
        penalty: a >= 0, one number or one for each mirror. Do not let weight decay act on the result as well: it would
            be one more penalty on the factors.
        offset: (u^2 - v^2)^(1/2) at the start. At u = v = 0 the gradient is zero whatever the data say; a direction at
            zero begins at u = offset, v = 0. Training without penalty conserves u^2 - v^2, and exactly balanced factors
            would stop at zero where c should change its sign. The penalty lets it fade; `constrain(c.value(), ..)`
            renews it.
    Returns: Constrained.
    Raises: ValueError for a negative penalty or NaN, and as `own`; TypeError for leaves that are not floating point.
    Reference: Ziyin (2024), *Symmetry Induces Structure and Constraint of Learning*, ICML, section on DCS.
    """
    mirrors = _given(O)
    if mirrors and (where is not None or groups is not None or shape is not None or dim is not None):
        raise ValueError("where, groups, shape, dim: a Mirror has its own; give them where it is made.")
    if mirrors and kind != "elementwise":
        raise ValueError(f"kind: a Mirror has its own; give kind={kind!r} where it is made.")
    if not mirrors:
        mirrors = (own(params, O, where=where, kind=kind, groups=groups, shape=shape, dim=dim),)
    strengths = _strengths(penalty, len(mirrors))
    if isinstance(offset, bool) or not isinstance(offset, int | float) or not 0 < offset < math.inf:
        raise ValueError(f"offset must be a positive number, got {offset}: at u = v = 0 no gradient moves a direction.")
    leaves, structure = jax.tree_util.tree_flatten(params)
    for mirror in mirrors:
        _check_made_for(mirror, leaves)
        check_finite(params, mirror.leaves)
        for position in mirror.leaves.positions:
            leaves[position] = jnp.asarray(leaves[position])  # NumPy arrays are not trained
    _check_apart(mirrors, leaves)
    factors = [_split(mirror, mirror.leaves.ravel(leaves), float(offset)) for mirror in mirrors]
    return Constrained(jax.tree_util.tree_unflatten(structure, leaves), tuple(factors), mirrors, strengths)


def _given(O: Any) -> tuple[Mirror, ...]:  # noqa: E741
    if isinstance(O, Mirror):
        return (O,)
    if isinstance(O, tuple | list) and len(O) > 0 and any(isinstance(one, Mirror) for one in O):
        if not all(isinstance(one, Mirror) for one in O):
            raise TypeError("O: several constraints are a tuple of Mirrors; make one of a matrix with mirror.own.")
        return tuple(O)
    return ()


def _strengths(penalty: Any, count: int) -> tuple[float, ...]:
    given = list(penalty) if isinstance(penalty, tuple | list | np.ndarray) else [penalty] * count
    if len(given) != count:
        raise ValueError(f"penalty has {len(given)} numbers for {count} constraints; give one, or one for each.")
    for a in given:
        if isinstance(a, bool) or not isinstance(a, int | float | np.number) or not 0 <= a < math.inf:
            raise ValueError(f"penalty must be a finite number, zero or positive, got {a}.")
    return tuple(float(a) for a in given)


def _check_made_for(mirror: Mirror, leaves: list) -> None:
    for position, shape, name in zip(mirror.leaves.positions, mirror.leaves.shapes, mirror.leaves.names, strict=True):
        found = np.shape(leaves[position]) if position < len(leaves) else None
        if found != shape:
            raise ValueError(f"the mirror was made for other params: {name} had shape {shape}, here it is {found}.")


def _check_apart(mirrors: tuple[Mirror, ...], leaves: list) -> None:
    """Directions of different constraints must be orthogonal where they act on the same leaves."""
    for number, second in enumerate(mirrors):
        for first in mirrors[:number]:
            shared = set(first.leaves.positions) & set(second.leaves.positions)
            if not shared:
                continue
            with jax.enable_x64(True):
                c = jnp.asarray(np.random.default_rng(0).normal(size=second.dim))
                blank = [jnp.zeros(np.shape(leaf)) if eqx.is_array(leaf) else leaf for leaf in leaves]
                moved = second.leaves.put(blank, second.directions.combine(c))
                along = first.directions.components(first.leaves.ravel(moved))
                if float(jnp.linalg.norm(along)) > 1e-9 * float(jnp.linalg.norm(c)):
                    both = zip(second.leaves.names, second.leaves.positions, strict=True)
                    names = [name for name, position in both if position in shared]
                    raise ValueError(
                        f"two constraints share directions on {', '.join(names)}: use different leaves or orthogonal"
                        " directions, or one constraint after the other."
                    )


# Compiled as a whole: operation by operation the first call takes seconds.
@partial(jax.jit, static_argnums=(0, 2))
def _split(mirror: Mirror, theta: Array, offset: float) -> tuple[Array, ...]:
    return mirror.factors.split(mirror.directions.components(theta), offset)


@partial(jax.jit, static_argnums=0)
def _replaced(mirror: Mirror, theta: Array, c: Array) -> Array:
    return mirror.directions.without(theta) + mirror.directions.combine(c)


def _recombined(mirror: Mirror, theta: np.ndarray, c: np.ndarray) -> np.ndarray:
    """(I - O O^T) theta + O c in double precision."""
    with jax.enable_x64(True):
        return np.asarray(_replaced(mirror, jnp.asarray(theta), jnp.asarray(c)))


def _flat(mirror: Mirror, leaves: list) -> np.ndarray:
    return np.concatenate([np.asarray(leaves[position], np.float64).ravel() for position in mirror.leaves.positions])


def _noun(mirror: Mirror) -> str:
    if isinstance(mirror.factors, Elementwise):
        return "directions"
    return "singular values" if isinstance(mirror.factors, LowRank) else "groups"


def _merged(mirror: Mirror, theta: np.ndarray) -> np.ndarray:
    """Units that are equal but for rounding, made equal."""
    if not isinstance(mirror.directions, Units) or mirror.directions.contrasts is None:
        return theta
    order = mirror.directions.order.array
    rows = theta[order]
    # Equal rows have equal projections on a random vector, and so are neighbours in its order.
    along = np.argsort(rows @ np.random.default_rng(0).normal(size=rows.shape[1]))
    for first, second in pairwise(along):
        if np.abs(rows[first] - rows[second]).max() <= _SAME * np.abs(rows).max():
            rows[second] = rows[first]
    made = theta.copy()
    made[order] = rows
    return made
