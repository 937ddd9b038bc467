"""What speaks against a certificate: p-values that are seldom small where there is nothing, and are where there is."""

import numpy as np
import pytest

import lieder as ld
from lieder.discover import _falsify
from lieder.discover._falsify import inputs_moved, missed
from lieder.discover._question import Question

DRAWS = 60
TURNS, TURNS3 = ld.points(ld.algebra.so(2)), ld.points(ld.algebra.so(3))


def question(action):
    return Question(action, ld.scalars(action.algebra), (*(f"x{i}" for i in range(action.width)), "y"), "")


def most(level):
    """Of `DRAWS` p-values, how many may be below a level but for one time in a thousand."""
    return DRAWS * level + 3.1 * np.sqrt(DRAWS * level * (1 - level))


def round_rows(random):
    return TURNS, random.normal(size=(60, 2)), np.arange(60)


def heavy_rows(random):
    return TURNS3, random.normal(size=(60, 3)) * random.exponential(size=(60, 1)), np.arange(60)


def round_groups(random):
    """Groups of four rows, each turned as a whole: rows of one group are alike, and only groups have the symmetry."""
    angle = random.uniform(0, 2 * np.pi, 20)
    turn = np.stack([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]).transpose(2, 0, 1)
    rows = np.array([2.0, 0.0]) + random.normal(size=(20, 4, 2)) * np.array([0.2, 1.0])
    return TURNS, np.einsum("gij,grj->gri", turn, rows).reshape(-1, 2), np.repeat(np.arange(20), 4)


@pytest.mark.parametrize("rows", [round_rows, heavy_rows, round_groups])
def test_inputs_that_have_the_symmetry_are_seldom_taken_for_others(rows, monkeypatch):
    monkeypatch.setattr(_falsify, "TREES", 4)  # the level hangs on none of them
    found = []
    for seed in range(DRAWS):
        action, x, groups = rows(np.random.default_rng([seed, 5]))
        generators = np.eye(action.algebra.dim)[:2]
        found.append(inputs_moved(question(action), x, np.zeros((len(x), 1)), generators, groups, seed))
    for level in (0.05, 0.2):
        assert np.sum(np.array(found) <= level) <= most(level)


def test_inputs_on_one_side_are_told_from_moved_ones():
    for seed in range(5):
        x = np.random.default_rng(seed).normal(size=(150, 2)) + np.array([2.0, 0.0])
        y = np.zeros((150, 1))
        assert inputs_moved(question(TURNS), x, y, np.eye(1), np.arange(150), seed) < 0.01


def held(seed, rows=80):
    """A law with the symmetry, held-out labels, and a model with an error that is as large where rows are moved to."""
    random = np.random.default_rng([seed, 6])
    x = random.normal(size=(rows, 2))
    way = random.normal(size=(2, 2))

    def model(z):
        return (np.sum(z**2, axis=1) + 0.2 * np.sin(z @ way.T).sum(axis=1))[:, None]

    return model, x, (np.sum(x**2, axis=1) + 0.2 * random.normal(size=rows))[:, None]


@pytest.mark.parametrize("together", [1, 4])
def test_a_law_with_the_symmetry_is_seldom_missed_when_moved(together):
    found = []
    for seed in range(DRAWS):
        model, x, y = held(seed)
        groups = np.arange(len(x)) // together
        found.append(missed(question(TURNS), model, (x, y, groups), np.eye(1), np.zeros(1), np.ones(1), seed))
    for level in (0.05, 0.2):
        assert np.sum(np.array(found) <= level) <= most(level)


def test_a_law_without_it_is_missed():
    for seed in range(5):
        x = np.random.default_rng(seed).normal(size=(80, 2))

        def model(z):
            return (z[:, :1] ** 2 + 2 * z[:, 1:] ** 2) / 2

        held_out = x, model(x), np.arange(80)
        assert missed(question(TURNS), model, held_out, np.eye(1), np.array([0.01]), np.ones(1), seed) < 0.01
