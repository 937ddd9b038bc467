"""Whether pairs keep their law when a linear map moves them, in linear algebra that can be differentiated."""

from functools import cache, partial
from itertools import combinations_with_replacement
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

SLACK = 0.03  # share of the usual break, which a resting point one spread from the mean costs
FAR = 1.0  # from the mean, in spreads: a resting point is not sought further out
LEAST = 1e-3  # share of the motion at single pairs below which that of means counts as none
DYNAMICS, TERMS = 7, 40  # degree and number of terms of the latent dynamics, at most
RIDGE = 2e-5
STATES, CHANGES = 4, 3  # degrees of the moments of states, and of those that stand beside a displacement


class Pair(NamedTuple):
    """Latent states (b, k) and their displacements (b, k) in units of their own size: each is moved as a vector."""

    z: Float[Array, "b k"]
    d: Float[Array, "b k"]


def moments(z: Float[Array, " k"], d: Float[Array, " k"]) -> Float[Array, " f"]:
    """The functions whose means a symmetry keeps: monomials of z of degree 2 to 4, and d_i times those of degree 0
    to 3."""
    levels = [jnp.ones(1, z.dtype)]
    for parent, variable in _grown(len(z), STATES):
        levels.append(levels[-1][parent] * z[variable])
    beside = jnp.concatenate(levels[: CHANGES + 1])
    return jnp.concatenate([*levels[2:], (d[:, None] * beside).reshape(-1)])


@cache
def _grown(k: int, degree: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """For each degree from 1, each monomial as one of the degree below times a variable."""
    out: list[tuple[np.ndarray, np.ndarray]] = []
    below: dict[tuple[int, ...], int] = {(): 0}
    for size in range(1, degree + 1):
        every = list(combinations_with_replacement(range(k), size))
        out.append((np.array([below[one[:-1]] for one in every]), np.array([one[-1] for one in every])))
        below = {one: i for i, one in enumerate(every)}
    return out


def rates(pair: Pair, matrix: Float[Array, "k k"]) -> Float[Array, "b f"]:
    """How fast the functions change at each pair that a generator moves."""
    moving = pair.z @ matrix.T, pair.d @ matrix.T
    return jax.vmap(lambda z, d, vz, vd: jax.jvp(moments, (z, d), (vz, vd))[1])(pair.z, pair.d, *moving)


def flow_terms(z: Float[Array, " k"]) -> Float[Array, " t"]:
    """The monomials of which the latent dynamics are fitted: as many degrees, up to 5, as have no more than 40."""
    levels = [jnp.ones(1, z.dtype)]
    for parent, variable in _grown(len(z), DYNAMICS):
        if sum(map(len, levels)) + len(parent) > TERMS and len(levels) > 2:
            break
        levels.append(levels[-1][parent] * z[variable])
    return jnp.concatenate(levels)


class Dynamics(NamedTuple):
    """The displacement as a polynomial of the state, d = P(z) + rest, and the covariance of the rest, C(z): next to
    nothing where the next state is a function of the state, and all there is where it is drawn at random.

    Fields: `weights` (t, k), of P; `spread` (t, k^2), of C.
    """

    weights: Float[Array, "t k"]
    spread: Float[Array, "t kk"]

    @classmethod
    def of(cls, pair: Pair) -> "Dynamics":
        """By least squares."""
        design = jax.vmap(flow_terms)(pair.z)
        size = jax.lax.stop_gradient(jnp.sqrt(jnp.mean(design**2, axis=0)) + 1e-6)
        design = design / size
        gram = design.T @ design / len(design) + RIDGE * jnp.eye(len(size), dtype=size.dtype)
        factor = jax.scipy.linalg.cho_factor(gram)

        def fitted(values):
            return jax.scipy.linalg.cho_solve(factor, design.T @ values / len(design))

        weights = fitted(pair.d)
        rest = pair.d - design @ weights
        spread = fitted(jax.vmap(jnp.outer)(rest, rest).reshape(len(rest), -1))
        return cls(weights / size[:, None], spread / size[:, None])

    def broken(self, z: Float[Array, "b k"], matrix: Float[Array, "k k"]) -> Float[Array, "b k"]:
        """The Lie derivative DP(z) L z - L P(z) at each state."""
        return self.breaks(z, matrix)[:, : z.shape[1]]

    def breaks(self, z: Float[Array, "b k"], matrix: Float[Array, "k k"]) -> Float[Array, "b breaks"]:
        """The same, and DC(z) L z - L C(z) - C(z) L^T behind it."""
        k = len(matrix)

        def one(z):
            value, slope = jax.jvp(flow_terms, (z,), (matrix @ z,))
            turned = matrix @ (value @ self.spread).reshape(k, k)
            mean = slope @ self.weights - matrix @ (value @ self.weights)
            return jnp.concatenate([mean, slope @ self.spread - (turned + turned.T).reshape(-1)])

        return jax.vmap(one)(z)

    def slopes(self, z: Float[Array, "b k"]) -> Float[Array, "b k k"]:
        """The derivative DP(z) at each state."""
        return jax.vmap(lambda z: self.weights.T @ jax.jacfwd(flow_terms)(z))(z)


class Law(NamedTuple):
    """What all generators of gl(k) do to pairs.

    Fields: `matrix` (f, k^2), the rates of the means of `moments`, each in units of the root mean square of what it is
        at single pairs; `units` (f,), these; `typical`, the mean square over directions of size one taken at random;
        `gram` (k^2, k^2), of the Lie derivative of the `dynamics`, and `usual`, the same mean of it.
    """

    matrix: Float[Array, "f q"]
    units: Float[Array, " f"]
    typical: Float[Array, ""]
    gram: Float[Array, "q q"]
    usual: Float[Array, ""]
    dynamics: Dynamics


@jax.jit
def law(pair: Pair) -> Law:
    """The law of some pairs, for each generator E_ij of gl(k), row i and column j."""
    k = pair.z.shape[1]
    dynamics = Dynamics.of(pair)

    def one(unit):
        every = rates(pair, unit.reshape(k, k))
        return jnp.mean(every, axis=0), jnp.mean(every**2, axis=0), dynamics.breaks(pair.z, unit.reshape(k, k))

    means, squares, broken = jax.lax.map(one, jnp.eye(k * k, dtype=pair.z.dtype))
    units = jnp.sqrt(jnp.mean(squares, axis=0)) + 1e-6
    matrix = (means / units).T
    flat = broken.reshape(k * k, -1)
    gram = flat @ flat.T / len(pair.z)
    return Law(matrix, units, jnp.sum(matrix**2) / matrix.size, gram, jnp.trace(gram) / len(gram), dynamics)


def weakest(found: Law, count: int) -> Float[Array, "r q"]:
    """The directions of size one that change moments and dynamics least: singular vectors of least singular values."""
    both = found.matrix.T @ found.matrix / (len(found.matrix) * found.typical) + found.gram / found.usual
    return jnp.linalg.eigh(both)[1][:, :count].T


def shares(found: Law, v: Float[Array, "r q"]) -> tuple[Float[Array, " r"], Float[Array, " r"]]:
    """How much each of these changes the moments, and breaks the dynamics, squared, as a share of directions taken at
    random."""
    moments = jnp.mean((found.matrix @ v.T) ** 2, axis=0) / found.typical
    return moments, jnp.sum((v @ found.gram) * v, axis=1) / found.usual


def unlike(pair: Pair, v: Float[Array, "r q"], found: Law) -> Float[Array, ""]:
    """The sum over generators of what `shares` are of a batch, differentiable, in units of a law of other pairs.

    The two halves of a batch estimate the means independently: their product has no share of the noise, which an
    encoder could otherwise lower.
    """
    k, half = pair.z.shape[1], len(pair.z) // 2
    parts = [jax.tree.map(lambda one, s=s: one[s], pair) for s in (slice(half), slice(half, 2 * half))]
    dynamics = Dynamics.of(pair)

    def one(row):
        matrix = row.reshape(k, k)
        first, second = (jnp.mean(rates(part, matrix), axis=0) / found.units for part in parts)
        broken = jnp.mean(jnp.sum(dynamics.breaks(pair.z, matrix) ** 2, axis=1))
        return jnp.mean(first * second) / jnp.maximum(found.typical, LEAST) + broken / jnp.maximum(found.usual, LEAST)

    return jnp.sum(jax.vmap(one)(v))


@jax.jit
def resting(pair: Pair, v: Float[Array, "r q"], found: Law) -> Float[Array, " k"]:
    """The point that generators should leave at rest, so that L (z - point) commutes best with the dynamics.

    It is the mean of states where their law is symmetric; but rows are some, of a few orbits, and their mean is not
    quite that of the law. The dynamics are the same at all of them. Where the dynamics do not say it is the mean, by
    `SLACK`.
    """
    k = pair.z.shape[1]
    dynamics = found.dynamics
    matrices = v.reshape(-1, k, k)
    broken = jax.vmap(partial(dynamics.broken, pair.z))(matrices).reshape(-1)
    slopes = jnp.einsum("bij,rjl->rbil", dynamics.slopes(pair.z), matrices).reshape(-1, k)
    slack = SLACK * len(broken) / k * found.usual * jnp.eye(k, dtype=broken.dtype)
    return jnp.linalg.solve(slopes.T @ slopes + slack, slopes.T @ broken)


def near(rest: Float[Array, " k"]) -> Float[Array, " k"]:
    """A resting point as far from the mean as one is sought."""
    return jnp.clip(rest, -FAR, FAR)


@partial(jax.jit, static_argnums=1)
def discovered(pair: Pair, count: int) -> tuple[Float[Array, "r q"], Law]:
    """The generators whose flows keep the law best, and the law."""
    found = law(pair)
    return weakest(found, count), found
