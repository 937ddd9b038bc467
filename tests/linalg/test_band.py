"""Bands that hold along every direction at once: as often as they say, and not where draws are too few to say it."""

import numpy as np
import pytest

from lieder.linalg import Band, largest_eigenvalue, simultaneous_band


def forms(random, draws, sizes):
    errors = random.normal(size=(draws, 6, len(sizes))) * sizes
    return errors.swapaxes(1, 2) @ errors


@pytest.mark.parametrize("level", [0.6, 0.9])
@pytest.mark.parametrize("sizes", [[1.0, 1.0, 1.0], [1.0, 1e-2, 1e-4], [1.0]], ids=["alike", "apart", "one"])
def test_one_draw_more_is_inside_as_often_as_is_said(level, sizes):
    random = np.random.default_rng(0)
    outside = 0
    for _ in range(400):
        *known, new = forms(random, 40, np.array(sizes))
        band = simultaneous_band(np.array(known), level)
        vectors = np.linalg.inv(np.linalg.cholesky(band.scale))
        outside += np.sqrt(np.linalg.eigvalsh(vectors @ new @ vectors.T)[-1]) > band.times
    assert outside / 400 <= 1 - level + 3 * np.sqrt(level * (1 - level) / 400)


def test_a_bound_over_a_subspace_is_attained_in_it():
    random = np.random.default_rng(1)
    band = Band(2.0, forms(random, 1, np.ones(5))[0])
    among = np.linalg.qr(random.normal(size=(5, 2)))[0]
    tried = random.normal(size=(20_000, 2))
    tried = (tried / np.linalg.norm(tried, axis=1, keepdims=True)) @ among.T
    lengths = 2.0 * np.sqrt(np.einsum("ka,ab,kb->k", tried, band.scale, tried))
    assert lengths.max() <= band.most(among) * (1 + 1e-12)
    assert lengths.max() >= band.most(among) * (1 - 1e-3)


def test_no_error_has_no_width():
    band = simultaneous_band(np.zeros((40, 3, 3)), 0.9)
    assert band.most(np.eye(3)) == 0.0
    assert largest_eigenvalue(np.zeros((0, 0))) == 0.0


def test_few_draws_tell_no_high_level():
    with pytest.raises(ValueError, match=r"level: 40 draws tell levels up to 0.9756, got 0.99"):
        simultaneous_band(np.ones((40, 1, 1)), 0.99)
