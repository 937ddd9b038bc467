"""Elements of a Lie group outside its connected symmetries: many starts, then cosets, then the group that they form."""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import scipy.linalg
from jaxtyping import Array, Float

from ..action import FieldAction, discrete_elements, element_maps
from ..algebra import FiniteGroup
from ..derivative import full_precision
from ..interop import ForeignModel
from ._group_scores import Judged, Scale, predicted, scale_of

POINTS = 96  # at which starts are compared: a few dozen equations for each unknown
GRADIENT = 150  # steps of Adam
RATE = 0.08
NEWTON = 25  # steps of Levenberg and Marquardt
FAR = 3.0  # standard deviation of the first coefficients: rotations by up to about half a turn
LARGEST_ORDER = 60
MOST = 500  # elements of the group that is formed
CLOSE = 1e-5  # two elements that differ by less, relative, are one, however well they are known
COSET_STARTS = 8
PIECE = 8  # maps in one compiled call


class Moves(NamedTuple):
    """Maps of the defining space, of inputs and of outputs side by side: blocks (s, s) of affine maps, each in
    homogeneous coordinates.

    Fields: `generators` (q, s, s); `elements` (c, s, s); `cuts`, where the blocks of inputs and outputs begin.
    """

    generators: Float[np.ndarray, "q s s"]
    elements: Float[np.ndarray, "c s s"]
    cuts: tuple[int, int]


def moves_of(source: FieldAction, target: FieldAction | None) -> Moves:
    """The joint maps of an algebra's generators and discrete elements."""
    algebra = source.algebra
    sides = [np.asarray(algebra.generators.dense()), np.asarray(source.affine().dense())]  # type: ignore[union-attr]
    maps = [np.reshape(discrete_elements(algebra), (-1, *sides[0].shape[1:])), _maps(source)]
    if target is not None:
        sides.append(np.asarray(target.affine().dense()))
        maps.append(_maps(target))
    widths = [side.shape[2] for side in sides]
    generators = [np.pad(side, ((0, 0), (0, 1), (0, 0))) for side in sides]
    elements = [_homogeneous(one) for one in maps]
    return Moves(_blocks(generators), _blocks(elements), (widths[0], widths[0] + widths[1]))


def _maps(action: FieldAction) -> np.ndarray:
    maps = element_maps(action)
    assert maps is not None  # our own bug
    return maps


def _homogeneous(maps: np.ndarray) -> np.ndarray:
    last = np.zeros((len(maps), 1, maps.shape[2]))
    last[:, 0, -1] = 1.0
    return np.concatenate([maps, last], axis=1)


def _blocks(parts: list[np.ndarray]) -> np.ndarray:
    size = sum(part.shape[1] for part in parts)
    out = np.zeros((len(parts[0]), size, size))
    for k, each in enumerate(zip(*parts, strict=True)):
        out[k] = scipy.linalg.block_diag(*each)
    return out


class _Problem(NamedTuple):
    """What the search compares: points, outputs, units, and the model."""

    x: Array
    y: Array
    scale: Scale
    moves: Moves
    model: Callable


@full_precision()
def candidates(
    judged: Judged, source: FieldAction, target: FieldAction | None, x: np.ndarray, starts: int, seed: int
) -> tuple[Float[np.ndarray, "starts s s"], Float[np.ndarray, " starts"]]:
    """Joint maps h exp(xi) exp(eta) at which F(g x) = g F(x) is locally best met, from random starts, and how far it is
    not; h is the identity or a discrete element of the algebra."""
    if isinstance(judged.model, ForeignModel):
        raise TypeError(
            "F must be a model that JAX can differentiate: the search follows the gradient. Give data as a pair,"
            " (x, y), or test a given group with ld.discover.finite."
        )
    moves = moves_of(source, target)
    x = x[np.linspace(0, len(x) - 1, min(POINTS, len(x))).astype(int)].astype(np.float64)
    y = predicted(judged.model, x, judged.outputs)
    scale = scale_of(source, target, x, y)
    with jax.enable_x64(True):
        problem = _Problem(jnp.asarray(x), jnp.asarray(y), scale, moves, judged.model)
        rng = np.random.default_rng(seed)
        q, heads = len(moves.generators), len(moves.elements) + 1
        size = np.linalg.norm(moves.generators, axis=(1, 2))
        first = FAR * rng.normal(size=(starts, 2, q)) / np.sqrt(q) / np.where(size > 0, size, 1.0) * np.sqrt(2)
        first[:, 1] *= 0.1
        head = np.concatenate([np.eye(len(moves.generators[0]))[None], moves.elements])[np.arange(starts) % heads]
        xi, head = jnp.asarray(first.reshape(starts, 2 * q)), jnp.asarray(head)
        ends = jax.jit(jax.vmap(lambda xi, h: _polished(problem, _descended(problem, xi, h), h)))(xi, head)
        maps = jax.vmap(lambda xi, h: _joint(moves, xi, h))(ends, head)
        left = jax.jit(jax.vmap(lambda xi, h: jnp.sum(_residual(problem, xi, h) ** 2)))(ends, head)
        return np.asarray(maps), np.sqrt(np.asarray(left))


def _joint(moves: Moves, xi: Array, head: Array) -> Array:
    first, second = jnp.tensordot(xi.reshape(2, -1), jnp.asarray(moves.generators), axes=1)
    return head @ jax.scipy.linalg.expm(first) @ jax.scipy.linalg.expm(second)


def _residual(problem: _Problem, xi: Array, head: Array) -> Array:
    """sqrt(mean |F(g x) - g F(x)|^2 / mean (|F(g x) - mean|^2 + |g F(x) - mean|^2)) as a vector."""
    x, y, scale, moves, model = problem
    a, b = moves.cuts
    joint = _joint(moves, xi, head)
    there = x @ joint[a : b - 1, a : b - 1].T + joint[a : b - 1, b - 1]
    values = jax.vmap(lambda z: jnp.reshape(model(z), (y.shape[1],)))(there)
    out = y if b == len(joint) else y @ joint[b:-1, b:-1].T + joint[b:-1, -1]
    units = jnp.asarray(scale.outputs)
    size = jnp.sum((units * (values - scale.mean)) ** 2) + jnp.sum((units * (out - scale.mean)) ** 2)
    return jnp.ravel(units * (values - out)) / jnp.sqrt(size + 1e-300)


def _descended(problem: _Problem, xi: Array, head: Array) -> Array:
    """Adam, with a rate that falls to zero."""

    def step(state, k):
        at, mean, square = state
        slope = jax.grad(lambda xi: jnp.sum(_residual(problem, xi, head) ** 2))(at)
        slope = jnp.where(jnp.isfinite(slope), slope, 0.0)
        mean, square = 0.9 * mean + 0.1 * slope, 0.99 * square + 0.01 * slope**2
        rate = RATE * 0.5 * (1 + jnp.cos(jnp.pi * k / GRADIENT))
        move = mean / (1 - 0.9 ** (k + 1)) / (jnp.sqrt(square / (1 - 0.99 ** (k + 1))) + 1e-12)
        return (at - rate * move, mean, square), None

    zero = jnp.zeros_like(xi)
    return jax.lax.scan(step, (xi, zero, zero), jnp.arange(GRADIENT))[0][0]


def _polished(problem: _Problem, xi: Array, head: Array) -> Array:
    return _marquardt(lambda xi: _residual(problem, xi, head), xi)


def _marquardt(residual: Callable, xi: Array) -> Array:
    """Levenberg and Marquardt: quadratic where the residual vanishes, also where coefficients are redundant."""

    def step(state, _):
        at, damping, here = state
        r, J = residual(at), jax.jacfwd(residual)(at)
        normal = J.T @ J
        move = jnp.linalg.solve(normal + damping * (jnp.trace(normal) + 1e-30) * jnp.eye(len(at)), J.T @ r)
        further = at - move
        there = jnp.sum(residual(further) ** 2)
        better = there < here
        at = jnp.where(better, further, at)
        return (at, jnp.where(better, damping / 8, damping * 6), jnp.where(better, there, here)), None

    first = (xi, jnp.asarray(1e-3), jnp.sum(residual(xi) ** 2))
    return jax.lax.scan(step, first, None, length=NEWTON)[0][0]


class Cosets:
    """Equality of joint maps up to the flows of the connected symmetries, within an error."""

    def __init__(self, moves: Moves, rows: Float[np.ndarray, "r q"], error: float):
        self.flows = np.tensordot(rows, moves.generators, axes=1)
        self.error = max(CLOSE, error)
        self._nearest = None

    def distance(self, maps: Float[np.ndarray, "k s s"]) -> tuple[np.ndarray, np.ndarray]:
        """How far each map is from the nearest flow, relative to its size, and that flow (k, s, s)."""
        size = np.sqrt(maps.shape[1])
        if len(self.flows) == 0:
            one = np.broadcast_to(np.eye(maps.shape[1]), maps.shape)
            return np.linalg.norm(maps - one, axis=(1, 2)) / size, one
        with jax.enable_x64(True):
            if self._nearest is None:
                self._nearest = jax.jit(jax.vmap(self._one))
            away, flow = [], []
            for start in range(0, len(maps), PIECE):  # of one length, so that it is compiled once
                part = maps[start : start + PIECE]
                full = np.concatenate([part, np.repeat(part[:1], PIECE - len(part), axis=0)])
                found = self._nearest(jnp.asarray(full))
                away.append(np.asarray(found[0])[: len(part)])
                flow.append(np.asarray(found[1])[: len(part)])
        return np.concatenate(away) / size, np.concatenate(flow)

    def _one(self, map_: Array) -> tuple[Array, Array]:
        flows, r = jnp.asarray(self.flows), len(self.flows)
        starts = jax.random.normal(jax.random.key(0), (COSET_STARTS, 2 * r), map_.dtype) * FAR
        starts = starts.at[0].set(0.0)

        def flow(eta):
            first, second = jnp.tensordot(eta.reshape(2, r), flows, axes=1)
            return jax.scipy.linalg.expm(first) @ jax.scipy.linalg.expm(second)

        ends = jax.vmap(lambda eta: _marquardt(lambda e: jnp.ravel(flow(e) - map_), eta))(starts)
        all_ = jax.vmap(flow)(ends)
        away = jnp.nan_to_num(jnp.linalg.norm(all_ - map_, axis=(1, 2)), nan=jnp.inf)
        return away.min(), all_[jnp.argmin(away)]

    def position(self, map_: np.ndarray, known: list[np.ndarray]) -> int:
        """Which of the known maps it is, -1 for none."""
        away, _ = self.distance(np.stack([np.linalg.solve(one, map_) for one in known]))
        best = int(np.argmin(away))
        return best if away[best] <= 4 * self.error else -1


def distinct(maps: np.ndarray, cosets: Cosets) -> list[np.ndarray]:
    """One of each coset, without that of the identity, as near to the identity as it comes."""
    known = [np.eye(maps.shape[1])]
    for one in maps:
        if cosets.position(one, known) < 0:
            if len(cosets.flows):
                one = one @ np.linalg.inv(cosets.distance(one[None])[1][0])
            known.append(_of_finite_order(one, cosets.error))
    return known[1:]


def _of_finite_order(map_: np.ndarray, error: float) -> np.ndarray:
    """The nearest map whose k-th power is the identity, for the least k that is so near; itself where there is none."""
    one, size = np.eye(len(map_)), np.sqrt(len(map_))
    power = map_
    for k in range(2, LARGEST_ORDER + 1):
        power = power @ map_
        if np.linalg.norm(power - one) / size / k <= 2 * error:
            for _ in range(20):  # Newton's method for g^k = 1; all powers commute
                map_ = map_ - (np.linalg.matrix_power(map_, k) - one) @ map_ / k
            return map_
    return map_


def formed(maps: list[np.ndarray], cosets: Cosets, moves: Moves) -> tuple[FiniteGroup, np.ndarray] | None:
    """The group that maps generate modulo flows, and the joint maps of its generators; None for more than `MOST`
    elements."""
    known = [np.eye(len(moves.generators[0]))]
    chosen: list[np.ndarray] = []
    for one in maps:
        if cosets.position(one, known) < 0:
            chosen.append(one)
            grown = _closed(chosen, cosets)
            if grown is None:
                return None
            known, left = grown
    if not chosen:
        return None
    if len(cosets.flows) == 0:
        known = _averaged(known, left)
    joint = np.stack([known[int(row[0])] for row in left])
    n = moves.cuts[0] - 1
    parent, step = _tree(left)
    group = FiniteGroup("", np.stack([one[:n, : n + 1] for one in known]), joint[:, :n, : n + 1], parent, step, left)
    return _in_order(group), joint


def _closed(chosen: list[np.ndarray], cosets: Cosets) -> tuple[list[np.ndarray], np.ndarray] | None:
    known, left, at = [np.eye(len(chosen[0]))], [[] for _ in chosen], 0
    while at < len(known):
        for j, generator in enumerate(chosen):
            product = generator @ known[at]
            number = cosets.position(product, known)
            if number < 0:
                number = len(known)
                known.append(product)
            left[j].append(number)
        at += 1
        if len(known) > MOST:
            return None
    return known, np.array(left)


def _averaged(known: list[np.ndarray], left: np.ndarray) -> list[np.ndarray]:
    """Maps that multiply exactly as the table says, from some that do so nearly: M_g <- mean_h M_h^-1 M_hg."""
    parent, step = _tree(left)
    table = [np.arange(len(known))] + [np.array([])] * (len(known) - 1)
    for k in _by_depth(parent):
        if k:
            table[k] = left[step[k]][table[parent[k]]]
    rows = np.stack(table)
    maps = np.stack(known)
    for _ in range(6):
        back = np.linalg.inv(maps)
        maps = np.stack([np.mean(back @ maps[rows[:, k]], axis=0) for k in range(len(known))])
    return list(maps)


def _tree(left: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of each element a shorter one and the generator that leads from there."""
    size = left.shape[1]
    parent, step, seen, queue = np.full(size, -1), np.full(size, -1), {0}, [0]
    for k in queue:
        for j in range(len(left)):
            number = int(left[j, k])
            if number not in seen:
                seen.add(number)
                parent[number], step[number] = k, j
                queue.append(number)
    return parent, step


def _by_depth(parent: np.ndarray) -> list[int]:
    depth = [0] * len(parent)
    for k in range(1, len(parent)):
        at = k
        while at:
            at, depth[k] = int(parent[at]), depth[k] + 1
    return sorted(range(len(parent)), key=lambda k: depth[k])


def _in_order(group: FiniteGroup) -> FiniteGroup:
    """The same group with its elements in an order in which parents come first."""
    order = np.array(_by_depth(group.parent))
    new = np.argsort(order)
    parent = np.where(group.parent[order] < 0, -1, new[group.parent[order]])
    return FiniteGroup(
        group.name, group.maps[order], group.generators, parent, group.step[order], new[group.left[:, order]]
    )
