"""What pairs that training did not see say of a latent and of what acts on it."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from ._autoencoder import Autoencoder, Normal
from ._encounter import Encounter, Rows
from ._equivariance import equivariance
from ._latent_told import Judged
from ._missed import noise_among
from ._moments import Pair, discovered, law, near, resting, shares

LOOKED = 4096  # pairs that are looked at
TURNS = 4  # after which generators and the point at which they rest stay as they are
BATCH = 2048  # rows that go through a network at a time


def judge(
    game: Encounter, model: Autoencoder, rows: Rows, groups: Int[np.ndarray, " kept"], v: Float[Array, "r q"]
) -> tuple[Float[np.ndarray, "r q"], Normal, Judged]:
    """The end of a training.

    Arguments: the `game`, the `model` it trained and the generators `v` it ended with; `rows`; `groups`, the trajectory
        of each kept pair.
    Returns: the generators, by the direct route found anew from all pairs trained on; the latent's resting point and
        covariance on these; and what was measured on the kept pairs.
    """
    x, y, kept_x, kept_y = (np.asarray(_raw(model, part), float) for part in rows)
    both = np.concatenate([x, y])
    covariance = np.atleast_2d(np.cov(both.T))
    spreads = np.sqrt(np.maximum(np.linalg.eigvalsh(covariance), 0.0))
    ridge = 1e-10 * np.trace(covariance) + 1e-20
    root = np.linalg.cholesky(covariance + ridge * np.eye(len(covariance)))
    about_mean = [np.linalg.solve(root, (raw - both.mean(axis=0)).T).T for raw in (x, y, kept_x, kept_y)]
    v, rest = _at_rest(game, _pair(*about_mean[:2]), v)
    x, y, kept_x, kept_y = (side - rest for side in about_mean)
    seen, held = (x, y), (kept_x, kept_y)
    normal = Normal(*(jnp.asarray(one, jnp.float32) for one in (both.mean(axis=0) + root @ rest, root)))
    generators = np.asarray(v, float)
    looked = slice(LOOKED)
    z, w = (jnp.asarray(side[looked], jnp.float32) for side in held)
    residual, later, missed, undone = _decoded(game, model, normal, rows, z, w, v)
    noise = float(missed) * noise_among(np.asarray(residual, float), np.asarray(later, float))
    k, n = z.shape[1], residual.shape[1]
    judged = Judged(
        float(missed),
        noise,
        noise * n / max(n - k, 1),
        float(spreads[0] / max(spreads[-1], 1e-30)),
        np.asarray(shares(law(_pair(held[0][looked], held[1][looked])), v)[0], float),
        float(undone),
        equivariance(seen, (held[0][looked], held[1][looked]), groups[looked], generators),
        float(np.linalg.norm(rest)),
    )
    return generators, normal, judged


def _at_rest(game: Encounter, pair: Pair, v: Array) -> tuple[Array, Float[np.ndarray, " k"]]:
    """The generators, and the point that they leave at rest, from the mean of the states: by the direct route each is
    found from the other, in turns."""
    rest = jnp.zeros(pair.z.shape[1], jnp.float32)
    for _ in range(TURNS if game.route == "direct" else 1):
        here = pair._replace(z=pair.z - rest)
        if game.route == "direct":
            v, found = discovered(here, game.generators)
            v = game.sparse(v)
        else:
            found = law(here)
        rest = near(rest + resting(here, v, found))
    return v, np.asarray(rest, float)


def _pair(z: np.ndarray, w: np.ndarray) -> Pair:
    size = np.sqrt(np.mean((w - z) ** 2)) + 1e-12
    return Pair(jnp.asarray(z, jnp.float32), jnp.asarray((w - z) / size, jnp.float32))


@eqx.filter_jit
def _raw(model: Autoencoder, rows: Float[Array, "b n"]) -> Float[Array, "b k"]:
    return jax.lax.map(model.projected, rows, batch_size=min(BATCH, len(rows)))


@eqx.filter_jit
def _decoded(game: Encounter, model: Autoencoder, normal: Normal, rows: Rows, z: Array, w: Array, v: Array):
    """What the decoder misses of rows and of those that follow, its share of the variance, and how far encoding undoes
    decoding at moved states."""
    wanted = rows.kept_x[: len(z)]
    residual, later = model.decoded(z) - wanted, model.decoded(w) - rows.kept_y[: len(z)]
    missed = jnp.mean(residual**2) / jnp.mean((wanted - jnp.mean(wanted, axis=0)) ** 2)
    there = game.moved(v, Pair(z, z), jax.random.key(2))[:, : z.shape[1]]
    again = normal(model.raw(model.decoded(there)))
    return residual, later, missed, jnp.sqrt(jnp.mean((again - there) ** 2))
