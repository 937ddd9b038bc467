"""Transformations of pictures: a group that acts, and what may be asked for by which name."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.linalg

import lieder as ld
from lieder.learn import _resampling as resampling
from lieder.learn._model import anew
from lieder.learn._transformations import Composed, Flowed, named_transformations

RNG = np.random.default_rng(0)
PICTURE = (
    jnp.asarray(RNG.uniform(size=(1, 9, 9)), jnp.float32).at[:, [0, 1, -2, -1]].set(0).at[:, :, [0, 1, -2, -1]].set(0)
)
AFFINE = ("shift x", "shift y", "rotation", "scale x", "scale y", "shear")


def moved(transforms, eta, picture=PICTURE):
    return transforms.moved(transforms.element(jnp.asarray(eta, jnp.float32)), picture)


def test_words_say_where_a_picture_goes():
    """x is to the right, y up, a positive turn is counterclockwise, and a share is of the side."""
    one = named_transformations(["shift x", "shift y", "rotation", "scale x"], (1, 9, 9))
    np.testing.assert_allclose(moved(one, [1 / 9, 0, 0, 0]), np.roll(PICTURE, 1, axis=2), atol=1e-5)
    np.testing.assert_allclose(moved(one, [0, 1 / 9, 0, 0]), np.roll(PICTURE, -1, axis=1), atol=1e-5)
    np.testing.assert_allclose(moved(one, [0, 0, np.pi / 2, 0]), np.rot90(PICTURE, axes=(1, 2)), atol=1e-5)
    wide = moved(one, [0, 0, 0, np.log(2)])
    np.testing.assert_allclose(wide[0, :, ::2], PICTURE[0, :, 2:7], atol=1e-5)


def test_a_product_is_one_after_the_other():
    """Composed as matrices, where each move is exact on the pixels, and so in the right order."""
    one = named_transformations(["shift x", "rotation"], (1, 9, 9))
    shift, turn = jnp.array([1 / 9, 0], jnp.float32), jnp.array([0, np.pi / 2], jnp.float32)
    both = one.product(one.element(shift), one.element(turn))
    np.testing.assert_allclose(one.moved(both, PICTURE), moved(one, turn, moved(one, shift)), atol=1e-5)
    assert np.abs(moved(one, shift, moved(one, turn)) - one.moved(both, PICTURE)).max() > 0.1


@pytest.mark.parametrize("words", [AFFINE, ("rotation",), ("scale x", "shear")])
def test_the_inverse_undoes(words):
    one = named_transformations(words, (1, 9, 9))
    eta = jnp.asarray(RNG.uniform(-1, 1, one.count) * one.bounds, jnp.float32)
    back, turn = one.product(*one.both_ways(eta))
    np.testing.assert_allclose(back, np.eye(3), atol=1e-5)
    np.testing.assert_allclose(turn, np.eye(1))


def test_a_picture_is_stretched_then_turned_then_shifted():
    """Each factor is an exponential, that of the stretches also where both scales are alike."""
    one = named_transformations(AFFINE, (1, 9, 9))
    assert isinstance(one, Composed)
    for eta in ([0.1, -0.05, 1.1, 0.2, -0.3, 0.4], [0.0, 0.0, 0.0, 0.2, 0.199, 0.4]):
        parts = [scipy.linalg.expm(np.tensordot(eta[k:m], one.plane[k:m], 1)) for k, m in ((0, 2), (2, 3), (3, 6))]
        back = one.element(jnp.asarray(eta))[0]
        np.testing.assert_allclose(np.linalg.inv(back), parts[0] @ parts[1] @ parts[2], atol=1e-5)


def test_a_picture_moved_further_stays_in_the_family():
    """Turned and stretched along its own axes, however it stands: angles and logarithms add up, and it can be undone.
    Of a sum in one exponential neither holds."""
    one = named_transformations(["rotation", "scale x", "scale y"], (1, 9, 9))
    own, more = jnp.array([2.0, 0.1, -0.2]), jnp.array([-0.7, 0.2, 0.3])
    there, undone = one.further(more, own)
    whole = one.product(one.element(own), there)
    np.testing.assert_allclose(whole[0], one.element(own + more)[0], atol=1e-6)
    np.testing.assert_allclose(one.product(there, undone)[0], np.eye(3), atol=1e-6)


def test_how_far_an_element_is_grows_to_the_half_turn_and_knows_no_picture():
    """Of a turn by theta, (2 - 2 cos theta) times the mean square of the distance from the centre; of colours alike."""
    one = named_transformations(["rotation"], (1, 9, 9))
    theta = np.linspace(-np.pi, np.pi, 9)
    away = [one.away(one.element(jnp.asarray([t], jnp.float32))) for t in theta]
    mean = 2 * np.mean((np.arange(-4, 5) / 9) ** 2)
    np.testing.assert_allclose(away, (2 - 2 * np.cos(theta)) * mean, atol=1e-6)
    grey = named_transformations(["value"], (3, 4, 4))
    np.testing.assert_allclose(grey.away(grey.element(jnp.array([0.3]))), (np.exp(0.3) - 1) ** 2 / 3, rtol=1e-5)


def test_a_picture_made_anew_is_resampled_once():
    """By what was read off, it is itself, to rounding; by way of its prototype it would be blurred twice."""
    one = named_transformations(["rotation", "shift x"], (1, 9, 9))
    own, other = jnp.array([0.4, 0.03], jnp.float32), jnp.array([-0.9, 0.0], jnp.float32)
    np.testing.assert_allclose(anew(one, PICTURE, own, own), PICTURE, atol=1e-5)
    by_prototype = moved(one, own, one.moved(one.inverse(own), PICTURE))
    assert np.abs(by_prototype - PICTURE).max() > 0.1
    there = one.product(one.inverse(own), one.element(other))
    np.testing.assert_allclose(anew(one, PICTURE, own, other), one.moved(there, PICTURE), atol=1e-6)


def test_colours_commute_and_keep_grey():
    one = named_transformations(["hue", "saturation", "value"], (3, 4, 4))
    colours = jnp.asarray(RNG.uniform(size=(3, 4, 4)), jnp.float32)
    third = moved(one, [2 * np.pi / 3, 0, 0], colours)
    np.testing.assert_allclose(third, colours[np.array([2, 0, 1])], atol=1e-5)  # red becomes green
    grey = jnp.broadcast_to(colours[:1], (3, 4, 4))
    np.testing.assert_allclose(moved(one, [1.0, 0.5, 0.0], grey), grey, atol=1e-5)
    np.testing.assert_allclose(moved(one, [0.0, 0.0, 0.3], colours), np.exp(0.3) * colours, rtol=1e-5)
    a, b = one.element(jnp.array([1.0, 0.2, 0.1])), one.element(jnp.array([-0.4, 0.3, 0.0]))
    np.testing.assert_allclose(one.product(a, b)[1], one.product(b, a)[1], atol=1e-6)


def test_a_grid_moves_as_its_action_does():
    """A picture that is smooth between its pixels, by four taps and by the interpolant of the action."""
    action = ld.action.grid(ld.algebra.se(2), (24, 24))
    one = named_transformations(action, (1, 24, 24))
    assert one.turns == (False, False, True) or sorted(one.turns) == [False, False, True]
    rows, columns = np.mgrid[:24, :24]
    smooth = jnp.asarray(np.exp(-((rows - 10.0) ** 2 + 0.5 * (columns - 13.0) ** 2) / 20), jnp.float32)
    eta = jnp.array([1.3, -0.7, 0.4], jnp.float32)
    wanted = action.transformed(eta, smooth.reshape(-1)).reshape(24, 24)
    np.testing.assert_allclose(moved(one, eta, smooth[None])[0], wanted, atol=0.02)
    assert np.abs(wanted - smooth).max() > 0.2


def test_any_action_is_followed():
    """One of one's own, which brightens the left half: its flows follow one another."""
    action = ld.action.fields([lambda z: z * (jnp.arange(16) % 4 < 2)], 16, ["left"])
    one = named_transformations(action, (1, 4, 4), {"left": 0.5})
    assert isinstance(one, Flowed)
    picture = jnp.asarray(RNG.uniform(size=(1, 4, 4)), jnp.float32)
    twice = one.product(one.element(jnp.array([0.2], jnp.float32)), one.element(jnp.array([0.1], jnp.float32)))
    wanted = np.concatenate([np.exp(0.3) * picture[:, :, :2], picture[:, :, 2:]], axis=2)
    np.testing.assert_allclose(one.moved(twice, picture), wanted, rtol=1e-4)


def test_the_exponential_of_small_matrices():
    m = RNG.normal(size=(3, 3))
    m *= 5 / np.linalg.norm(m, 2)
    ours = resampling.small_exponential(jnp.asarray(m))
    np.testing.assert_allclose(ours, scipy.linalg.expm(m), rtol=1e-6, atol=1e-6)


def test_what_is_beyond_the_frame_is_zero_and_has_a_slope():
    u = jnp.ones((1, 4, 4), jnp.float32)

    def at(row):
        return resampling.bilinear(u, jnp.array([row]), jnp.array([1.5]))[0, 0]

    assert [float(at(row)) for row in (-5.0, -0.5, 0.0, 3.0, 3.25, 9.0)] == [0, 0.5, 1, 1, 0.75, 0]
    assert float(jax.grad(at)(jnp.float32(3.25))) == -1


@pytest.mark.parametrize(
    ("given", "shape", "bounds", "message"),
    [
        (["turning"], (1, 9, 9), None, "expected some of shift x, .* or an action on a grid; got"),
        ([], (1, 9, 9), None, "expected some of shift x"),
        (["rotation", "hue"], (1, 9, 9), None, "hue need pictures of 3 channels"),
        (["rotation"], (1, 9, 9), {"shear": 1.0}, "bounds: 'shear' is none of the transformations"),
        (["rotation"], (1, 9, 9), {"rotation": -1.0}, "bounds: expected positive numbers"),
        (ld.action.grid(ld.algebra.se(2), (8, 8)), (1, 9, 9), None, "acts on .* and pictures are of shape"),
        (ld.vectors(ld.algebra.so(4)), (1, 2, 2), None, "how far .* may go cannot be read off"),
    ],
)
def test_what_cannot_be_is_refused(given, shape, bounds, message):
    with pytest.raises(ValueError, match=message):
        named_transformations(given, shape, bounds)
