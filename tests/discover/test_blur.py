"""A blur between images: se(2) but for the edges of the grid, and not all of aff(2)."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import lieder as ld

SIDE, WIDTH = 24, 2.0
IMAGES = ld.action.grid(ld.algebra.aff(2), shape=(SIDE, SIDE), order=6)
TURN, SHIFTS = [0, -1, 1, 0, 0, 0], [[0, 0, 0, 0, 1, 0], [0, 0, 0, 0, 0, 1]]


def pictures(count):
    """Blobs near the middle of the grid."""
    rng = np.random.default_rng(0)
    centres, widths = rng.uniform(-3, 3, (count, 3, 2)), rng.uniform(1.6, 2.4, (count, 3))
    distances = np.sum((IMAGES.positions - centres[:, :, None]) ** 2, axis=3)
    return np.sum(rng.normal(size=(count, 3, 1)) * np.exp(-distances / (2 * widths[:, :, None] ** 2)), axis=1)


def blur(z, width=WIDTH):
    steps = np.arange(-9, 10)
    kernel = np.exp(-(steps[:, None] ** 2 + steps**2) / (2 * width**2))
    return jax.scipy.signal.convolve2d(z.reshape(SIDE, SIDE), jnp.asarray(kernel / kernel.sum()), mode="same").ravel()


def narrow(z):
    return blur(z, 1.0)


@pytest.mark.parametrize("count", [12, 6])
def test_a_blur_is_known_to_one_in_a_hundred(count):
    """The first broken direction lies seven times above the error, three more right behind it and far below one."""
    found = ld.discover.function(blur, pictures(count), source=IMAGES, target=IMAGES, error=1e-2)
    assert found.dim == 3 and found.defects[2] < 2e-3 and 0.06 < found.defects[3] < found.defects[5] < 0.12
    assert found.similarity([TURN, *SHIFTS]) > 0.99
    assert found.identify() == "se(2)"


def test_where_all_candidates_are_accepted_the_whole_algebra_is_the_answer():
    found = ld.discover.function(blur, pictures(6), source=IMAGES, target=IMAGES, tolerance=0.2)
    assert found.dim == 6 and found.algebra.dim == 6


@pytest.mark.parametrize("error, count", [(1e-3, 3), (1e-2, 6)])
def test_a_narrow_blur_known_roughly_has_every_candidate(error, count):
    """The broken directions lie at .02 to .03: twenty times above the one error, and not resolved by the other."""
    found = ld.discover.function(narrow, pictures(6), source=IMAGES, target=IMAGES, error=error)
    assert found.dim == count and 0.02 < found.defects[3] < found.defects[5] < 0.03
