"""Whether pairs keep their law when a linear map moves them, in linear algebra that can be differentiated."""

from functools import cache, partial, reduce
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from ..dictionary import polynomials

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


class Monomials(NamedTuple):
    """Those of k variables up to some degree, in order of it, and what becomes of them in tables.

    Fields: `powers` (t, k), the exponents a of each; `lower` (t, k), which one is z^(a - e_i), and `moved` (t, k, k),
        which is z^(a - e_i + e_j): what z_j d/dz_i makes of z^a is a_i times that. Both are 0 where a_i is.
    """

    powers: Int[np.ndarray, "t k"]
    lower: Int[np.ndarray, "t k"]
    moved: Int[np.ndarray, "t k k"]

    @property
    def derivations(self) -> Float[np.ndarray, "k k t t"]:
        """Of z_j d/dz_i, row i and column j, the matrix that takes coefficients of polynomials to those of what they
        become."""
        a, i, j = np.nonzero(np.repeat(self.powers[:, :, None], self.powers.shape[1], axis=2))
        out = np.zeros((*self.moved.shape[1:], len(self.powers), len(self.powers)), np.float32)
        out[i, j, self.moved[a, i, j], a] = self.powers[a, i]
        return out


@cache
def monomials_of(k: int, degree: int) -> Monomials:
    """Those of degree 0 to `degree`."""
    powers, one = polynomials(k, degree).exponents, np.eye(k, dtype=int)
    where = {tuple(term): n for n, term in enumerate(powers.tolist())}
    lower, moved = np.zeros(powers.shape, int), np.zeros((*powers.shape, k), int)
    for n, i in np.argwhere(powers):
        less = powers[n] - one[i]
        lower[n, i] = where[tuple(less)]
        moved[n, i] = [where[tuple(more)] for more in less + one]
    return Monomials(powers, lower, moved)


def count(k: int, degree: int) -> int:
    """How many monomials of k variables there are up to a degree."""
    return polynomials(k, degree).size


def dynamics_degree(k: int) -> int:
    """Of the latent dynamics: the largest that has no more than `TERMS`, and two at least."""
    return max([2, *(degree for degree in range(DYNAMICS + 1) if count(k, degree) <= TERMS)])


def _needed(k: int) -> Monomials:
    """Up to the degree of the moments, or of the dynamics."""
    return monomials_of(k, max(STATES, dynamics_degree(k)))


@jax.custom_jvp
def monomials(z: Float[Array, "b k"]) -> Float[Array, "b t"]:
    """All that are needed of some states."""
    powers = _needed(z.shape[1]).powers
    raised = [jnp.ones_like(z)]
    for _ in range(powers.max()):
        raised.append(raised[-1] * z)
    each = jnp.stack(raised)
    return reduce(jnp.multiply, (each[power, :, i] for i, power in enumerate(powers.T))).T


@monomials.defjvp
def _(at, along):
    """By a table: the derivative of the products is a program several times as long, and so is the time to compile."""
    (z,), (towards,) = at, along
    every, table = monomials(z), _needed(z.shape[1])
    return every, jnp.einsum("bti,ti,bi->bt", every[:, table.lower], table.powers.astype(z.dtype), towards)


class Moments(NamedTuple):
    """The means of functions that a symmetry keeps: monomials of z of degree 2 to 4, and d_i times those of degree 0
    to 3.

    Fields: `states` (t,), the means of monomials of degree 0 to 4; `changes` (k, u), of d_i times those up to 3.
    """

    states: Float[Array, " t"]
    changes: Float[Array, "k u"]

    @classmethod
    def of(cls, every: Float[Array, "b t"], d: Float[Array, "b k"]) -> "Moments":
        """Of pairs, of whose states all monomials are given."""
        k = d.shape[1]
        states = jnp.mean(every[:, : count(k, STATES)], axis=0)
        return cls(states, d.T @ every[:, : count(k, CHANGES)] / len(every))

    @property
    def rates(self) -> Float[Array, "f q"]:
        """How fast they change when pairs are moved, for each generator E_ij of gl(k), row i and column j: means of
        the same monomials."""
        k, u = self.changes.shape
        powers, _, moved = monomials_of(k, STATES)
        states = powers[:, :, None] * self.states[moved]
        changes = powers[:u, :, None] * self.changes[:, moved[:u]]
        own = jnp.einsum("pi,ja->paij", jnp.eye(k, dtype=changes.dtype), self.changes)  # d_p becomes d_j where i is p
        return jnp.concatenate([states[1 + k :], (changes + own).reshape(-1, k, k)]).reshape(-1, k * k)


def squares(every: Float[Array, "b t"], d: Float[Array, "b k"]) -> Float[Array, " f"]:
    """The mean squares of these rates at single pairs, over pairs and over generators."""
    k = d.shape[1]
    powers, _, moved = monomials_of(k, STATES)
    states = jnp.sum(powers[:, :, None] ** 2 * jnp.mean(every**2, axis=0)[moved], axis=(1, 2))
    u = count(k, CHANGES)
    powers, moved = powers[:u], moved[:u]
    beside = (d[:, :, None] * every[:, None, :u]).reshape(len(every), -1)
    gram = (beside.T @ beside / len(every)).reshape(k, u, k, u)
    own = jnp.einsum("papa->pa", gram)
    p, a, j = np.indices((k, u, k))
    both = jnp.sum(powers.T[:, :, None] * gram[j, a, p, moved[a, p, j]], axis=2)
    changes = jnp.sum(powers[:, :, None] ** 2 * own[:, moved], axis=(2, 3)) + jnp.sum(own, axis=0) + 2 * both
    return jnp.concatenate([states[1 + k :], changes.reshape(-1)]) / k**2


class Dynamics(NamedTuple):
    """The displacement as a polynomial of the state, d = P(z) + rest, and the covariance of the rest, C(z): next to
    nothing where the next state is a function of the state, and all there is where it is drawn at random.

    Fields: `weights` (t, k), of P; `spread` (t, k^2), of C.
    """

    weights: Float[Array, "t k"]
    spread: Float[Array, "t kk"]

    @classmethod
    def of(cls, every: Float[Array, "b t"], d: Float[Array, "b k"]) -> "Dynamics":
        """By least squares, of pairs of whose states all monomials are given."""
        design = _terms(every, d.shape[1])
        size = jax.lax.stop_gradient(jnp.sqrt(jnp.mean(design**2, axis=0)) + 1e-6)
        design = design / size
        gram = design.T @ design / len(design) + RIDGE * jnp.eye(len(size), dtype=size.dtype)
        factor = jax.scipy.linalg.cho_factor(jax.lax.stop_gradient(gram))

        def fitted(values):  # its derivative is a solution, too, and no derivative of the factor
            return jax.lax.custom_linear_solve(
                partial(jnp.matmul, gram),
                design.T @ values / len(design),
                lambda _, right: jax.scipy.linalg.cho_solve(factor, right),
                symmetric=True,
            )

        weights = fitted(d)
        rest = d - design @ weights
        spread = fitted((rest[:, :, None] * rest[:, None, :]).reshape(len(rest), -1))
        return cls(weights / size[:, None], spread / size[:, None])

    def breaks(self, every: Float[Array, "b t"], matrices: Float[Array, "r k k"]) -> Float[Array, "r b breaks"]:
        """By each L at each state, of which all monomials are given: the Lie derivative DP(z) L z - L P(z), k numbers,
        and DC(z) L z - L C(z) - C(z) L^T behind it. They are polynomials of the degree of P and C."""
        k = matrices.shape[1]
        both = jnp.concatenate([self.weights, self.spread], axis=1)
        tables = monomials_of(k, dynamics_degree(k)).derivations
        derivations = jnp.einsum("rij,ijcs->rcs", matrices, jnp.tensordot(tables, both, 1))
        along = jnp.einsum("rip,tp->rti", matrices, self.weights)
        turned = jnp.einsum("rip,tpq->rtiq", matrices, self.spread.reshape(-1, k, k))
        turned = (turned + jnp.swapaxes(turned, 2, 3)).reshape(*derivations.shape[:2], -1)
        polynomials = derivations - jnp.concatenate([along, turned], axis=2)
        return jnp.einsum("bt,rts->rbs", _terms(every, k), polynomials)

    def slopes(self, every: Float[Array, "b t"]) -> Float[Array, "b k k"]:
        """The derivative DP(z) at each state."""
        k = self.weights.shape[1]
        powers, lower, _ = monomials_of(k, dynamics_degree(k))
        return jnp.einsum("ti,btj,tj->bij", self.weights, every[:, lower], powers.astype(every.dtype))


def _terms(every: Float[Array, "b t"], k: int) -> Float[Array, "b u"]:
    """The monomials of which the latent dynamics are fitted."""
    return every[:, : count(k, dynamics_degree(k))]


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
    every = monomials(pair.z)
    dynamics = Dynamics.of(every, pair.d)
    units = jnp.sqrt(squares(every, pair.d)) + 1e-6
    matrix = Moments.of(every, pair.d).rates / units[:, None]
    flat = dynamics.breaks(every, jnp.eye(k * k, dtype=every.dtype).reshape(-1, k, k)).reshape(k * k, -1)
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
    every = monomials(pair.z)
    parts = (Moments.of(every[s], pair.d[s]) for s in (slice(half), slice(half, 2 * half)))
    first, second = (part.rates / found.units[:, None] @ v.T for part in parts)
    broken = jnp.sum(Dynamics.of(every, pair.d).breaks(every, v.reshape(-1, k, k)) ** 2) / len(every)
    moved = jnp.sum(first * second) / len(found.units)
    return moved / jnp.maximum(found.typical, LEAST) + broken / jnp.maximum(found.usual, LEAST)


@jax.jit
def resting(pair: Pair, v: Float[Array, "r q"], found: Law) -> Float[Array, " k"]:
    """The point that generators should leave at rest, so that L (z - point) commutes best with the dynamics.

    It is the mean of states where their law is symmetric; but rows are some, of a few orbits, and their mean is not
    quite that of the law. The dynamics are the same at all of them. Where the dynamics do not say it is the mean, by
    `SLACK`.
    """
    k = pair.z.shape[1]
    every, matrices = monomials(pair.z), v.reshape(-1, k, k)
    broken = found.dynamics.breaks(every, matrices)[..., :k].reshape(-1)
    slopes = jnp.einsum("bij,rjl->rbil", found.dynamics.slopes(every), matrices).reshape(-1, k)
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
