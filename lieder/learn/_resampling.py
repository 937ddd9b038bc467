"""Pictures between their pixels, and exponentials of small matrices: what training does thousands of times a step."""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

HALVINGS, TERMS = 5, 7  # of the exponential: exact to rounding in float32 for matrices of norm up to 6


def small_exponential(m: Float[Array, "n n"]) -> Float[Array, "n n"]:
    """exp(m) by a Taylor polynomial of m / 32, squared five times.

    A general exponential chooses its degree and solves linear equations, which takes longer than all else in a step.
    The error is below |m|^8 32^-7 / 8!, 1e-9 for a half turn.
    """
    one = jnp.eye(len(m), dtype=m.dtype)
    small = m / 2**HALVINGS
    terms = jnp.arange(TERMS, 0, -1, dtype=m.dtype)
    # Loops, not a dozen products: they are compiled in a tenth of the time.
    out, _ = jax.lax.scan(lambda out, k: (one + small @ out / k, None), one, terms)
    return jax.lax.scan(lambda out, _: (out @ out, None), out, None, length=HALVINGS)[0]


def bilinear(
    u: Float[Array, "c h w"], rows: Float[Array, " places"], columns: Float[Array, " places"]
) -> Float[Array, "c places"]:
    """Values between the four pixels around each place; zero beyond the frame.

    Four taps and continuous, with kinks at the pixels: what networks are trained with. `lieder.action.grid` has smooth
    interpolants, at 9 to 169 taps.
    """
    c, h, w = u.shape
    wide = jnp.pad(u, ((0, 0), (1, 1), (1, 1))).reshape(c, -1)  # a rim of zeros to fade into
    rows, columns = jnp.clip(rows + 1, 0, h + 1), jnp.clip(columns + 1, 0, w + 1)
    # The last pixel of the rim is the end of a cell and not the beginning of one.
    top, left = jnp.clip(jnp.floor(rows), 0, h), jnp.clip(jnp.floor(columns), 0, w)
    down, right = rows - top, columns - left
    index = top.astype(np.int32) * (w + 2) + left.astype(np.int32)
    above = (1 - right) * wide[:, index] + right * wide[:, index + 1]
    below = (1 - right) * wide[:, index + w + 2] + right * wide[:, index + w + 3]
    return (1 - down) * above + down * below


def blurring(size: int, sigma: Float[Array, ""]) -> Float[Array, "size size"]:
    """The matrix that blurs a row of pixels by a normal kernel, in pixels; the identity as sigma goes to zero."""
    apart = jnp.asarray(np.subtract.outer(np.arange(size), np.arange(size)), sigma.dtype)
    weights = jnp.exp(-0.5 * (apart / jnp.maximum(sigma, 0.05)) ** 2)
    return weights / weights.sum(axis=1, keepdims=True)
