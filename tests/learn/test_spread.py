"""How far data were transformed, about their own middle, and what is said of it."""

import numpy as np
import pytest

from lieder.learn import Spread
from lieder.learn._spread import centred


def of(draws, kind="angle", name="rotation", small=None):
    return Spread(name, kind, draws, np.radians(3) if small is None else small)


def test_ranges_and_words():
    even = np.linspace(-1, 1, 3001)
    assert of(0.26 * even).range == pytest.approx(0.26, rel=1e-3)
    assert of(np.radians(15) * even).words == "rotated within ±15 degrees"
    assert of(np.pi * even).words == "rotated at will"
    assert of(np.radians(2) * even).words == "not rotated"
    assert of(0.1 * even, "share", "shift x", 0.03).words == "shifted along x within ±10 %"
    assert of(0.001 * even, "factor", "scale y", 0.03).words == "not scaled along y"


def test_two_modes_are_two_and_one_is_one():
    rng = np.random.default_rng(2)
    two = np.radians(rng.choice([-45, 45], 4000) + rng.uniform(-5, 5, 4000))
    assert np.degrees(of(two).modes) == pytest.approx([-45, 45], abs=4)
    assert of(two).words.startswith("rotated by about -4")
    for one in (rng.uniform(-1, 1, 4000), rng.normal(0, 0.3, 4000)):
        assert len(of(one).modes) == 1
    assert len(of(rng.uniform(-np.pi, np.pi, 20000)).modes) == 1


@pytest.mark.parametrize("pictures", [30, 170])
def test_few_pictures_make_no_modes_by_chance(pictures):
    """Draws beyond count tell no more than the pictures: of 30 even ones nearly all would show a second mode."""
    rng, false, seen = np.random.default_rng(6), 0, 0
    for _ in range(100):
        one = rng.choice(rng.uniform(-0.12, 0.12, pictures), 1920)
        false += len(Spread("shift x", "share", one, 0.03, pictures).modes) > 1
        two = rng.choice(np.radians(rng.choice([-45, 45], pictures) + rng.uniform(-10, 10, pictures)), 1920)
        seen += len(Spread("rotation", "angle", two, 0.05, pictures).modes) == 2
    assert false <= 5 and seen >= 90


@pytest.mark.parametrize(
    ("draws", "pictures", "said"),
    [
        (np.zeros(0), None, "draws of 'rotation' must be finite and at least one"),
        (np.array([0.1, np.nan]), None, "draws of 'rotation' must be finite"),
        (np.array([0.1]), 0, "pictures must be a whole number of at least 1, got 0"),
        (np.array([0.1]), "many", "pictures must be a whole number of at least 1, got 'many'"),
    ],
)
def test_draws_that_are_none_are_refused(draws, pictures, said):
    with pytest.raises(ValueError, match=said):
        Spread("rotation", "angle", draws, 0.05, pictures)


def test_what_was_added_to_a_spread_of_its_own():
    rng = np.random.default_rng(3)
    own, total = rng.normal(0, 0.1, 20000), rng.normal(0, 0.1, 20000) + rng.uniform(-0.26, 0.26, 20000)
    assert of(total).beyond(of(own)) == pytest.approx(0.26, rel=0.05)
    assert of(own).beyond(of(own)) < np.radians(3)
    around = np.angle(np.exp(1j * (own + rng.uniform(-np.pi, np.pi, 20000))))
    assert of(around).beyond(of(own)) == pytest.approx(np.pi, rel=0.05)


def test_draws_are_told_from_their_middle():
    """Each picture's prototype may stand as it likes, across the end of the circle too."""
    rng = np.random.default_rng(4)
    draws = rng.uniform(-0.2, 0.2, (20, 300)) + rng.uniform(-np.pi, np.pi, (20, 1))
    assert np.abs(centred((draws + np.pi) % (2 * np.pi) - np.pi, True)).max() < 0.25
    two = rng.choice([-np.pi / 2, np.pi / 2], (20, 300)) + rng.uniform(-np.pi, np.pi, (20, 1))
    assert len(of(centred((two + np.pi) % (2 * np.pi) - np.pi, True).ravel()).modes) == 2


def test_draws_all_around_are_not_gathered():
    """Sixty-four even draws have a mean direction by chance; counted from it they would look narrower than they are."""
    even = np.random.default_rng(5).uniform(-np.pi, np.pi, (256, 64))
    around = of(centred(even, True).ravel())
    assert around.range == pytest.approx(np.pi, rel=0.01)
    assert around.beyond(of(np.zeros(1000))) == pytest.approx(np.pi, rel=0.02)
