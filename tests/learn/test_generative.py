"""A generative model of transformations: a planted answer, its record, and what is said where it cannot work."""

import os
import re
import subprocess
import sys
from dataclasses import replace

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.stats

import lieder as ld
from lieder import learn
from lieder.learn import Blur, Descent, Generative, Sizes, _stages
from lieder.learn._flow import Flow
from lieder.learn._generative import _notes
from lieder.learn._inference import Inference, Wrong
from lieder.learn._stages import Errors, Task, errors
from lieder.learn._training import Trained
from lieder.learn._transformations import named_transformations

TINY = Sizes(
    widths=(64,), inference=Descent(300, 16, 3e-3), draws=3, features=(16,), layers=2, density=Descent(300, 64, 3e-3)
)
SHORT = Descent(400, 32, 3e-3)
WORDS = ["shift x", "shift y"]
BOUNDS = dict.fromkeys(WORDS, 0.2)
REACH = 0.12  # of a side of ten pixels


def crosses(count: int = 200, seed: int = 0) -> np.ndarray:
    """Smooth lopsided spots, shifted along x only."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[:10, :10]
    middle = 4.5 + 10 * rng.uniform(-REACH, REACH, count)[:, None, None]
    height = rng.uniform(0.8, 1.2, (count, 1, 1))
    spot = np.exp(-((rows - 4.5) ** 2 / 5 + (columns - middle) ** 2 / 2))
    return height * (spot + 0.7 * np.exp(-((rows - 2.5) ** 2 + (columns - middle - 1) ** 2) / 1.5))


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    return tmp_path_factory.mktemp("checkpoints") / "kept.npz"


@pytest.fixture(scope="module")
def found(kept):
    return ld.discover.generative(crosses(), transformations=WORDS, bounds=BOUNDS, sizes=TINY, checkpoint=kept)


def test_what_was_planted_is_found(found):
    along, up = found.spreads["shift x"], found.spreads["shift y"]
    assert along.range == pytest.approx(REACH, rel=0.2)
    assert up.range < 0.03 and up.words == "not shifted along y"
    assert found.words.startswith("Shifted along x within ±1") and found.words.endswith("and not shifted along y.")
    assert (found.verdict, found.notes) == ("symmetries", ())
    assert along.words in str(found)


def test_answers_follow_the_picture(found):
    """Equivariance after training: a picture shifted by a pixel is read off a tenth of a side further."""
    x = crosses(50, seed=1)
    change = found.infer(np.roll(x, 1, axis=2)) - found.infer(x)
    np.testing.assert_allclose(np.median(change, axis=0), [0.1, 0], atol=0.015)
    apart = np.abs(found.prototypes(np.roll(x, 1, axis=2)) - found.prototypes(x)).mean()
    assert apart < 0.3 * np.abs(np.roll(x, 1, axis=2) - x).mean()


def test_samples_lie_where_the_data_lie(found):
    x = crosses(60, seed=2)
    columns = np.arange(10) - 4.5

    def middles(pictures):
        mass = pictures.sum(axis=-2)
        return (mass * columns).sum(axis=-1) / mass.sum(axis=-1)

    drawn = found.sample(x, 8)
    assert drawn.shape == (60, 8, 10, 10)
    assert middles(drawn).std() == pytest.approx(middles(x).std(), rel=0.25)
    assert middles(drawn).std(axis=1).mean() > 0.4  # pixels: each picture goes to new places
    assert found.augment(x).shape == x.shape
    far = found.log_likelihood(np.roll(x, 3, axis=2))
    assert np.median(found.log_likelihood(x)) > np.median(far) + 2
    assert found.calibration["shift x"] < 0.35


def test_it_is_kept_in_a_file_for_another_process(found, tmp_path):
    x = crosses(5, seed=3)
    file = found.save(tmp_path / "model.npz")
    np.save(tmp_path / "x.npy", x)
    again = Generative.load(file)
    assert str(again) == str(found)
    code = (
        "import sys, numpy as np; from lieder.learn import Generative; x = np.load(sys.argv[2]);"
        "found = Generative.load(sys.argv[1]); np.save(sys.argv[2], found.sample(x, 2)); print(found.words)"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, str(file), str(tmp_path / "x.npy")],
        env={**os.environ, "JAX_ENABLE_X64": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.strip() == found.words
    np.testing.assert_allclose(np.load(tmp_path / "x.npy"), found.sample(x, 2), atol=1e-4)


def test_a_checkpoint_of_other_data_is_refused(found, kept):
    assert {file.name for file in kept.parent.iterdir()} == {"kept-inference.npz", "kept-density-0.2.npz"}
    with pytest.raises(ValueError, match="belongs to other data or settings"):
        ld.discover.generative(crosses(seed=1), transformations=WORDS, bounds=BOUNDS, sizes=TINY, checkpoint=kept)


@pytest.mark.parametrize(
    ("courses", "kept"),
    [
        ({0.2: ([3.0, 1.0], False)}, 0.2),  # still growing likelier: nothing else is tried
        ({0.2: ([3.0, 1.0], True), 0.5: ([2.0, 0.5], False)}, 0.5),
        ({0.2: ([3.0, 1.0], True), 0.5: ([2.0, 1.5], False)}, 0.2),
    ],
)
def test_pictures_kept_apart_choose_how_much_a_density_may_know(monkeypatch, courses, kept):
    tried, transforms, pictures = [], named_transformations(["shift x"], (1, 4, 4)), jnp.ones((2, 1, 4, 4))
    network = Inference(transforms, (2,), jax.random.key(0))

    def fit(task, network, dropout):
        tried.append(dropout)
        criteria, by_heart = courses[dropout]
        flow = Flow(transforms, ((0.0,), (1.0,)), (2,), (1, 2), jax.random.key(0), dropout)
        return flow, Trained(None, None, np.array(criteria), {}, 0.0), by_heart

    monkeypatch.setattr(_stages, "_fitted", fit)
    flow, course = _stages.fitted(Task(transforms, pictures, pictures, TINY, 0, None), network)
    assert (flow.dropout, tried, list(course.criteria)) == (kept, list(courses), courses[kept][0])


def test_an_inference_that_learnt_nothing_and_pictures_that_leave_the_frame_are_said(found):
    """Measured on a network that was not trained, under shifts by nearly a side."""
    transforms = named_transformations(["shift x"], (1, 10, 10), {"shift x": 0.9})
    pictures = jnp.asarray(found.standard.inward(crosses(40)[:, None]))
    task = Task(transforms, pictures, pictures, TINY, 0, None)
    wrong = errors(task, Inference(transforms, (8,), jax.random.key(0)))
    told = " and ".join(_notes(wrong))
    assert "out of the frame: pad the pictures, or give smaller bounds" in told
    assert "hardly learnt to read transformations off" in told and "train longer" in told
    assert _notes(found.errors) == []
    assert found.errors.equivariance < 0.2 * found.errors.chance


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (Errors(0.0, 1.0, 0.9, 0.0, 0.01), "prototypes are nearly empty .1 % of the pictures' mean square."),
        (Errors(0.0, 1.0, 0.3, 0.0, 0.9), "prototypes lose 30 % of their pictures"),
    ],
)
def test_a_collapse_is_said(found, wrong, message):
    (note,) = _notes(wrong)
    assert re.search(message, note)
    assert replace(found, notes=(note,)).verdict == "cannot tell" and "Note: " in str(replace(found, notes=(note,)))


FLAT = crosses(30)
FLAT[7] = 0.5
BROKEN = crosses(30)
BROKEN[3, 2, 2] = np.nan


@pytest.mark.parametrize(
    ("images", "more", "message"),
    [
        (FLAT, {}, r"1 of 30 pictures have one colour all over \(constant pixels\), the first is number 7"),
        (BROKEN, {}, "1 of 30 pictures hold NaN or infinite values, the first is number 3"),
        (crosses(3), {}, "3 pictures of 10 x 10 pixels came; at least 20"),
        (np.ones((30, 100)), {}, "expected .N, rows, columns. or"),
        (np.ones((30, 8, 8, 3)), {}, "channels came last; pass np.moveaxis"),
        (crosses(30), {"sizes": "huge"}, "expected 'small', 'published'"),
        (crosses(30), {"sizes": Sizes(draws=1)}, "draws and bins at least 2"),
        (crosses(30), {"held_out": 1.5}, "held_out: expected a share between 0 and 1"),
    ],
)
def test_what_cannot_be_learnt_from_is_refused(images, more, message):
    with pytest.raises(ValueError, match=message):
        ld.discover.generative(images, **more)


def test_words_are_no_pictures(found):
    with pytest.raises(TypeError, match="expected real numbers"):
        ld.discover.generative(np.array([["a"]]))
    with pytest.raises(ValueError, match=r"images: expected \(n, 10, 10\)"):
        found.infer(np.zeros((3, 9, 9)))
    with pytest.raises(ValueError, match="count: expected at least 1"):
        found.sample(crosses(2), 0)


def test_the_blur_ends():
    assert float(Blur(3.0, 0.1).at(jnp.float32(0.05))) == pytest.approx(1.5)
    assert float(Blur(3.0, 0.1).at(jnp.float32(0.5))) == 0
    assert learn.generative is ld.discover.generative


def test_answers_do_not_level_off():
    """Photographs differ in brightness of their own by several times the bounds: the answers are linear in what the
    last layer sees, however far."""
    transforms = named_transformations(["shift x", "scale x"], (1, 10, 10), {"shift x": 0.01, "scale x": 0.01})
    network, picture = Inference(transforms, (8,), jax.random.key(0)), jnp.asarray(crosses(1), jnp.float32)
    far = eqx.tree_at(lambda one: one.layers[-1].weight, network, 100 * network.layers[-1].weight)
    np.testing.assert_allclose(far(picture), 100 * network(picture), rtol=1e-4)
    assert np.abs(far(picture)).max() > 1


def test_a_dark_picture_counts_as_much_as_a_bright_one():
    picture = jnp.asarray(crosses(1))
    bright, dark = (Wrong(2.0 * s**2, 1.0 * s**2, 0.5).relative(s * picture, 1.0) for s in (1.0, 0.5))
    np.testing.assert_allclose(bright, dark, rtol=1e-6)
    black = Wrong(2.0, 1.0, 0.5).relative(0 * picture, 1.0)
    assert black.equivariance == pytest.approx(2000)


@pytest.fixture(scope="module")
def plain():
    return learn.vae(crosses(60, seed=6), latent=3, width=32, how=SHORT)


def test_a_density_that_knows_the_symmetry_expects_what_it_has_not_seen(found, tmp_path):
    """Shown pictures on the left alone, it expects those on the right as well."""
    x, file = crosses(150, seed=6), tmp_path / "density.npz"
    from_the_left = x[np.argsort((x.sum(axis=1) * np.arange(10)).sum(axis=1) / x.sum(axis=(1, 2)))]
    left, right = from_the_left[:50], from_the_left[100:]
    plain, augmented = (learn.vae(left, augment=one, latent=3, width=32, how=SHORT) for one in (None, found))
    assert augmented.log_likelihood(right, 50).mean() > plain.log_likelihood(right, 50).mean() + 50
    augmented.save(file)
    again = learn.VAE.load(file)
    np.testing.assert_array_equal(again.log_likelihood(right, 5), augmented.log_likelihood(right, 5))
    assert again.sample(3).shape == (3, 10, 10) and str(again) == str(augmented)
    assert np.mean((augmented.reconstruct(right) - right) ** 2) < 0.5 * np.var(right)


def test_the_weighted_bound_is_the_density_where_the_code_is_exact(plain):
    """A linear decoder and the exact normal posterior: every sample gives log p(x) of N(b, W W^T + s^2)."""
    rng = np.random.default_rng(0)
    w, b = rng.normal(size=(4, 1)), rng.normal(size=4)
    coder = eqx.tree_at(lambda c: c.log_noise, plain.coder, jnp.float32(np.log(0.5)))
    s = float(coder.noise)
    precise = 1.0 + float(w[:, 0] @ w[:, 0]) / s**2
    linear = {
        "encode": lambda x: jnp.stack([(w[:, 0] @ (x - b)) / s**2 / precise, -jnp.log(precise)]),
        "decode": lambda z: w @ z + b,
    }
    coder = eqx.tree_at(lambda c: (c.encode, c.decode), coder, (linear["encode"], linear["decode"]))
    x = rng.normal(size=4)
    exact = scipy.stats.multivariate_normal(b, w @ w.T + s**2 * np.eye(4)).logpdf(x)
    for samples in (1, 7):
        assert float(coder.weighted(jnp.asarray(x), jax.random.key(samples), samples)) == pytest.approx(exact, rel=1e-5)


def test_units_of_pixels_enter_the_density(plain):
    """Pictures a hundred times as bright: the density of each is lower by log 100 a pixel, and nothing else changes."""
    x = crosses(60, seed=6)
    bright = learn.vae(100 * x, latent=3, width=32, how=SHORT)
    told = bright.log_likelihood(100 * x, 20) + 100 * np.log(100)
    np.testing.assert_allclose(told, plain.log_likelihood(x, 20), atol=2.0)


def test_what_is_no_picture_for_a_density(found, plain):
    with pytest.raises(ValueError, match=r"augment: it is a model of pictures of shape \(1, 10, 10\), and images are"):
        learn.vae(np.ones((30, 12, 12)) * np.arange(12), augment=found)
    with pytest.raises(ValueError, match=r"images: expected \(n, 10, 10\), got shape \(3, 9, 9\)"):
        plain.log_likelihood(np.zeros((3, 9, 9)))
    with pytest.raises(ValueError, match="latent must be a whole number of at least 1"):
        learn.vae(crosses(30), latent=0)
    with pytest.raises(ValueError, match="count must be a whole number"):
        plain.sample(0)
