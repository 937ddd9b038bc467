"""What a decoder misses is told from the noise of single rows."""

import numpy as np
import pytest

import lieder as ld
from lieder.learn._equivariance import Equivariance
from lieder.learn._latent_told import Judged, learnt
from lieder.learn._missed import noise_among


def smooth(rows, columns, states=3, seed=0):
    """What depends on a state that moves little from row to row, (rows, columns), and the same a step later."""
    random = np.random.default_rng(seed)
    time = np.arange(rows + 1)[:, None]
    state = np.cos(0.3 * time * random.uniform(0.5, 1.5, states) + random.uniform(0, 6, states))
    seen = np.tanh(state @ random.normal(size=(states, columns)) + random.normal(size=columns))
    seen -= seen.mean(axis=0)
    return seen[:-1] / seen.std(), seen[1:] / seen.std()


def noise(rows, columns, seed=1):
    return np.random.default_rng(seed).standard_normal((2, rows, columns))


@pytest.mark.parametrize(("rows", "columns"), [(1000, 8), (1000, 50), (200, 1024)])
@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 1.0])
@pytest.mark.parametrize("unit", [1e-3, 1e3])
def test_the_share_of_noise_is_read_off(rows, columns, share, unit):
    parts = zip(smooth(rows, columns), noise(rows, columns), strict=True)
    one, other = (np.sqrt(1 - share) * known + np.sqrt(share) * new for known, new in parts)
    order = np.random.default_rng(2).permutation(columns)
    assert noise_among(unit * one[:, order], unit * other[:, order]) == pytest.approx(share, abs=0.06)


def test_what_is_missed_alike_in_all_directions_is_no_noise_where_the_next_row_misses_it_too():
    one = noise(500, 20)[0]
    assert noise_among(one, one) < 0.01


def test_what_is_missed_in_few_directions_is_no_noise_however_fast_it_changes():
    new = noise(500, 2) @ np.random.default_rng(3).normal(size=(2, 20))
    assert noise_among(*new) < 0.01


def test_noise_of_some_columns_is_not_told_from_what_is_missed():
    assert noise_among(*(noise(500, 20) * (np.arange(20) < 5))) < 0.01


@pytest.mark.parametrize(("rows", "columns"), [(0, 5), (3, 5), (100, 1)])
def test_too_few_to_tell(rows, columns):
    assert noise_among(*noise(rows, columns)) == 0.0


@pytest.mark.parametrize(
    ("missed", "noise", "noisy", "words"),
    [
        (0.02, 0.0, 0.0, ""),
        (0.088, 0.083, 0.086, ""),  # noise of 30 % of the columns' spread
        (0.088, 0.0, 0.0, "decoder misses 8.8 % of the variance, so that the latent"),
        (0.14, 0.058, 0.06, "decoder misses 14 % of the variance, of which 5.8 % is noise, alike in all directions"),
        (0.91, 0.9, 0.95, "of the variance of the rows 95 % is noise"),
        (0.33, 0.33, 0.99, "of the variance of the rows 99 % is noise"),  # two of three columns
    ],
)
def test_only_what_is_missed_beside_noise_keeps_from_an_answer(missed, noise, noisy, words):
    steps = Equivariance(np.array([0.01]), 1.0, 0.01, np.array([1e-4]), 0.01, 20)
    judged = Judged(missed, noise, noisy, 0.9, np.array([0.01]), 0.02, steps, 0.01)
    told = learnt(ld.discover.Encoding(), "direct", np.array([[0.0, -1.0, 1.0, 0.0]]), judged, "", 1.0)
    assert words in told.unknown and bool(told.unknown) == bool(words)
