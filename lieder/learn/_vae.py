"""A variational autoencoder of pictures, by itself or of pictures that a generative model transforms anew."""

import os
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray
from numpy.typing import ArrayLike

from ..files import fingerprint, read_record, write_record
from ..sampling import check_whole
from ._descent import Descent, descent
from ._devices import split_over, whole
from ._leaves import array_leaves, with_leaves
from ._model import Generative, anew, etas_and_answers
from ._pictures import Standard, checked_pictures, pictures_like, standard
from ._training import trained
from ._transformations import Transformations

FORMAT = "lieder variational autoencoder 1"
HOW = Descent(6000, 64, 1e-3)
SHARE = 0.15  # of the pictures, which training does not see and which choose the best state
LOOKED = 512  # of these at most
TOGETHER = 64  # pictures whose bounds are computed at once
LEAST_NOISE = 0.01  # of a pixel, in root mean squares of the pictures: constant margins make no density infinite


class Coder(eqx.Module):
    """Perceptrons from a picture to the mean and log variance of its code, and from a code to a picture; the logarithm
    of the standard deviation of a pixel about that, one for all."""

    encode: eqx.nn.MLP
    decode: eqx.nn.MLP
    log_noise: Float[Array, ""]

    def __init__(self, pixels: int, latent: int, width: int, key: PRNGKeyArray):
        into, out = jax.random.split(key)
        with jax.enable_x64(False):
            self.encode = eqx.nn.MLP(pixels, 2 * latent, width, 2, jax.nn.gelu, key=into)
            self.decode = eqx.nn.MLP(latent, pixels, width, 2, jax.nn.gelu, key=out)
        self.log_noise = jnp.zeros((), jnp.float32)

    @property
    def noise(self) -> Float[Array, ""]:
        """The standard deviation of a pixel."""
        return LEAST_NOISE + jnp.exp(self.log_noise)

    def code(self, pixels: Float[Array, " d"]) -> tuple[Float[Array, " k"], Float[Array, " k"]]:
        """Mean and log variance."""
        mean, log_variance = jnp.split(self.encode(pixels), 2)
        return mean, jnp.clip(log_variance, -12.0, 6.0)

    def log_picture(self, pixels: Float[Array, " d"], z: Float[Array, " k"]) -> Float[Array, ""]:
        """log p(x | z), in nats."""
        off = (pixels - self.decode(z)) / self.noise
        return -0.5 * jnp.sum(off**2) - pixels.size * (jnp.log(self.noise) + 0.5 * np.log(2 * np.pi))

    def bound(self, pixels: Float[Array, " d"], key: PRNGKeyArray) -> Float[Array, ""]:
        """The evidence lower bound, from one draw of the code."""
        mean, log_variance = self.code(pixels)
        z = mean + jnp.exp(0.5 * log_variance) * jax.random.normal(key, mean.shape, mean.dtype)
        apart = 0.5 * jnp.sum(mean**2 + jnp.exp(log_variance) - log_variance - 1.0)
        return self.log_picture(pixels, z) - apart

    def weighted(self, pixels: Float[Array, " d"], key: PRNGKeyArray, samples: int) -> Float[Array, ""]:
        """The bound from many draws, weighted by importance: log p(x) in the limit."""
        mean, log_variance = self.code(pixels)
        e = jax.random.normal(key, (samples, len(mean)), mean.dtype)
        z = mean + jnp.exp(0.5 * log_variance) * e
        # log p(z) - log q(z | x): the constants of both normal densities cancel.
        prior = 0.5 * jnp.sum(e**2 + log_variance - z**2, axis=1)
        return jax.nn.logsumexp(jax.vmap(self.log_picture, (None, 0))(pixels, z) + prior) - np.log(samples)


@dataclass(frozen=True, eq=False, repr=False)
class VAE:
    """A density of pictures.

    Fields: `coder`, the networks; `standard`, background and size of pictures; `shape` of a picture, as it came;
    `latent`, numbers of a code; `width` of the networks; `course`, the negative bound on pictures kept apart, one a
    block of training; `stopped`, why training ended early, or "".
    """

    coder: Coder
    standard: Standard
    shape: tuple[int, ...]
    latent: int
    width: int
    course: Float[np.ndarray, " blocks"]
    stopped: str

    def log_likelihood(self, images: ArrayLike, samples: int = 300, seed: int = 0) -> Float[np.ndarray, " n"]:
        """A lower bound of log p of each picture, in nats and in units of its pixels, from so many draws of its code.

        Reference: Burda, Grosse, Salakhutdinov (2016), Importance weighted autoencoders, equation 8.
        """
        check_whole(samples, "samples")
        flat = self._inward(images)
        keys = jax.random.split(jax.random.key(seed), len(flat))
        bounds = np.asarray(_weighted(self.coder, flat, keys, samples), float)
        return bounds - flat.shape[1] * np.log(self.standard.size)

    def sample(self, count: int, seed: int = 0) -> np.ndarray:
        """New pictures, (count, *shape): means, without the noise of pixels."""
        check_whole(count, "count")
        z = jax.random.normal(jax.random.key(seed), (count, self.latent), jnp.float32)
        return self._outward(jax.vmap(self.coder.decode)(z))

    def reconstruct(self, images: ArrayLike) -> np.ndarray:
        """Each picture from the mean of its code."""
        return self._outward(jax.vmap(lambda x: self.coder.decode(self.coder.code(x)[0]))(self._inward(images)))

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write everything to one .npz file (arrays and JSON, no pickle).

        Raises: OSError for a bad path."""
        plain = {
            "coder": array_leaves(self.coder),
            "background": self.standard.background,
            "size": self.standard.size,
            "shape": list(self.shape),
            "latent": self.latent,
            "width": self.width,
            "course": self.course,
            "stopped": self.stopped,
        }
        return write_record(path, plain, FORMAT)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> "VAE":
        """Read what `save` wrote.

        Arguments: `path`. Returns: the model.
        Raises: OSError when there is no such file; ValueError when it is another kind of file."""
        plain = read_record(path, FORMAT, "VAE.save")
        shape = tuple(plain["shape"])
        latent, width = plain["latent"], plain["width"]
        coder = with_leaves(Coder(int(np.prod(shape)), latent, width, jax.random.key(0)), plain["coder"])
        kept = Standard(plain["background"], plain["size"])
        return cls(coder, kept, shape, latent, width, plain["course"], plain["stopped"])

    def _inward(self, images: ArrayLike) -> Float[Array, "n d"]:
        inward = self.standard.inward(pictures_like(images, self.shape))
        return jnp.asarray(inward.reshape(len(inward), -1))

    def _outward(self, flat: Array) -> np.ndarray:
        channels = self.shape if len(self.shape) == 3 else (1, *self.shape)
        return self.standard.outward(np.asarray(flat).reshape(-1, *channels)).reshape(-1, *self.shape)

    def __repr__(self) -> str:
        size = " x ".join(map(str, self.shape))
        return f"VAE(pictures of {size}, codes of {self.latent}, bound {-np.min(self.course):.1f} nats)"


def vae(
    images: ArrayLike,
    *,
    augment: Generative | None = None,
    latent: int = 16,
    width: int = 256,
    how: Descent = HOW,
    seed: int = 0,
    checkpoint: str | os.PathLike[str] | None = None,
) -> VAE:
    """A density of pictures; with `augment`, one that knows their symmetry and needs fewer of them.

    Without it, a plain variational autoencoder with normal noise on pixels. With a generative model of transformations,
    that network sees in every step the prototype of a picture, transformed anew as pictures like it are (AugVAE): what
    the data show of one digit in one place it learns of all places where it may be.

    Arguments:
        images: (N, rows, columns) or (N, channels, rows, columns), as `generative` takes them.
        augment: what `lieder.discover.generative` returned for these pictures, or for others like them.
        latent: numbers of a code (default 16). width: of the two hidden layers of encoder and decoder (default 256).
        how: steps, batch and rate. seed: of all that is drawn. checkpoint: file from which training goes on.
    Returns: VAE; the state of training that does best on pictures that are kept apart, none of them transformed.
    Raises: ValueError, TypeError as `generative`, for pictures of another shape than those of `augment`, and for a
        checkpoint of other data or settings; FloatingPointError where training makes no finite numbers from the start.
    Reference: Kingma and Welling (2014), Auto-encoding variational Bayes; Allingham et al. (2024), section 4.
    """
    check_whole(latent, "latent")
    check_whole(width, "width")
    asked = {"latent": latent, "width": width, "how": how, "seed": seed}
    split = split_over(images, how.batch, asked)
    given = checked_pictures(whole(images))
    if augment is not None and augment.transforms.shape != given.shape[1:]:
        raise ValueError(
            f"augment: it is a model of pictures of shape {augment.transforms.shape}, and images are of"
            f" {given.shape[1:]} (channels, rows, columns)."
        )
    shape = np.shape(images)[1:]
    how_seen = augment.standard if augment is not None else standard(given, moves=False)
    order = np.random.default_rng(seed).permutation(len(given))
    apart = min(max(round(SHARE * len(given)), 2), len(given) - 2)
    pictures = jnp.asarray(how_seen.inward(given[order]))
    kept, seen = pictures[:apart].reshape(apart, -1)[:LOOKED], pictures[apart:]
    coder = Coder(kept.shape[1], latent, width, jax.random.key(seed))
    rows, shown = seen.reshape(len(seen), -1), lambda row, key: row
    if augment is not None:
        etas, own = etas_and_answers(augment, seen, seed)
        rows = jnp.concatenate([rows, own, etas.reshape(len(seen), -1)], axis=1)
        shown = partial(_transformed, augment.transforms)

    def loss(coder, rows, key, done, _):
        first, second = jax.random.split(key)
        rows = jax.vmap(shown)(rows, jax.random.split(first, len(rows)))
        bound = jnp.mean(jax.vmap(Coder.bound, (None, 0, 0))(coder, rows, jax.random.split(second, len(rows))))
        return -bound / rows.shape[1], {"negative bound": -bound}

    start, block, module = descent(coder, loss, rows, how, split=split)
    keys = jax.random.split(jax.random.key(seed + 1), len(kept))
    held_out = jax.jit(lambda state, kept: -jnp.mean(jax.vmap(Coder.bound, (None, 0, 0))(module(state), kept, keys)))
    course = trained(
        start,
        block,
        lambda state: held_out(state, kept),
        blocks=how.blocks,
        key=jax.random.key(seed + 2),
        title="Autoencoder of pictures",
        mark=fingerprint(np.asarray(rows), np.asarray(kept), repr((latent, width, how, seed))),
        checkpoint=checkpoint,
        split=split,
    )
    sizes = kept.shape[1] * np.log(how_seen.size)
    return VAE(module(course.best), how_seen, shape, latent, width, course.criteria + sizes, course.stopped)


def _transformed(transforms: Transformations, row: Float[Array, " d"], key: PRNGKeyArray) -> Float[Array, " p"]:
    """A picture as its prototype looks under one of the draws; both follow it in the row: f(x), and the draws."""
    pixels = int(np.prod(transforms.shape))
    etas = row[pixels:].reshape(-1, transforms.count)
    eta = etas[jax.random.randint(key, (), 1, len(etas))]
    return anew(transforms, row[:pixels].reshape(transforms.shape), etas[0], eta).reshape(-1)


@eqx.filter_jit
def _weighted(coder: Coder, flat: Array, keys: Array, samples: int) -> Any:
    several = lambda pair: coder.weighted(pair[0], pair[1], samples)  # noqa: E731
    return jax.lax.map(several, (flat, keys), batch_size=min(TOGETHER, len(flat)))
