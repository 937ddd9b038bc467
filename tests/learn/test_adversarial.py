"""Generators by an adversary: what is found, what is not claimed, and what is refused."""

import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import lieder as ld
from lieder.discover import pairs
from lieder.learn._carried import carrier
from lieder.learn._distribution import Coefficients
from lieder.learn._game import Game, Losses, Settings, board
from lieder.learn._sight import sight

GL2 = ld.algebra.gl(2)
V = ld.vectors(GL2)
TURN = np.array([0.0, -1.0, 1.0, 0.0])
SMALL = {"width": 32, "batch": 64, "steps": 1000, "restarts": 2}


def swirled(count=4000, seed=0):
    """Points of a plane and what a map makes of them that commutes with rotations alone."""
    x = np.random.default_rng(seed).normal(size=(count, 2))
    size = np.sum(x**2, axis=1, keepdims=True)
    return x, x / (1 + size) + 0.5 * x[:, ::-1] * [-1.0, 1.0]


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """A checkpoint, and what was found when it was written."""
    file = tmp_path_factory.mktemp("training") / "game.npz"
    return file, ld.discover.adversarial(*swirled(), source=V, target=V, checkpoint=file, **SMALL)


@pytest.fixture(scope="module")
def found(kept):
    return kept[1]


def test_the_rotation_is_found_among_all_linear_maps(found):
    assert found.evidence.verdict == "symmetries" and found.dim == 1
    assert found.similarity(TURN) > 0.999
    assert found.fields() == ["x0 d/dx1 - x1 d/dx0 + y0 d/dy1 - y1 d/dy0"]


def test_the_record_says_what_was_given_and_what_was_trained(found):
    text = " ".join(str(found).split())
    assert "The number of generators, 1, was given" in text
    assert "2 of 2 restarts" in text
    assert "new discriminators find" in text


def test_its_action_goes_into_another_verb(found):
    D = ld.dictionary.polynomials(2, 2)
    free = ld.enforce.functions(D, source=found.action, target=ld.scalars(found.algebra))
    assert free.dim == 2  # 1 and x0^2 + x1^2


def test_it_is_read_again_in_another_process(found, tmp_path):
    file = found.save(tmp_path / "found.npz")
    code = f"import lieder as ld; print(ld.Symmetries.load({str(file)!r}).directions[0].tolist())"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert np.array_equal(eval(out), found.directions[0])


def test_a_finished_training_is_not_done_again(kept):
    file, found = kept
    again = ld.discover.adversarial(*swirled(), source=V, target=V, checkpoint=file, **SMALL)
    assert np.array_equal(again.directions, found.directions)


def test_the_checkpoint_of_other_settings_is_refused(kept):
    with pytest.raises(ValueError, match="belongs to other data or settings"):
        ld.discover.adversarial(*swirled(), source=V, target=V, checkpoint=kept[0], **(SMALL | {"batch": 32}))


def test_no_symmetry_is_claimed_where_there_is_none():
    x, y = swirled()
    y = y + 0.7 * np.stack([x[:, 0] ** 2, np.sin(2 * x[:, 1])], axis=1)
    found = ld.discover.adversarial(x, y, source=V, target=V, **SMALL)
    assert found.dim == 0 and found.evidence.verdict == "cannot tell"


def test_the_size_of_a_discrete_generator_is_claimed_only_where_it_is_seen(tmp_path):
    random = np.random.default_rng(0)

    def asked(angles):
        rows = 2 * np.stack([np.cos(angles), np.sin(angles)], axis=1) + 0.3 * random.normal(size=(len(angles), 2))
        settings = SMALL | {"distribution": "integers", "losses": ld.discover.Losses(1.0, "cosine", 0.0)}
        return ld.discover.adversarial(rows, source=V, **settings)

    four = asked(np.pi / 2 * random.integers(4, size=4000))  # quarter turns
    assert four.evidence.verdict == "symmetries" and four.similarity(TURN) > 0.99
    assert "Only whole multiples" in " ".join(str(four).split())
    step = four.basis[0].reshape(2, 2)  # by a quarter of a turn, or by a half more than that
    assert np.allclose(np.abs(four.action.algebra.dim), 1)
    assert abs(np.sin(np.abs(np.linalg.eigvals(step).imag).max())) > 0.99
    again = ld.Symmetries.load(four.save(tmp_path / "four.npz"))
    assert np.array_equal(again.basis, four.basis) and again.algebra == four.algebra
    assert "whole multiples" in four.algebra.identify() and four.action.algebra.dim == four.plain()["dim"] == 1
    ring = asked(random.uniform(-np.pi, np.pi, 4000))  # all turns: a part of any generator does as well
    assert ring.evidence.verdict == "cannot tell"
    assert any("its size means nothing" in note and "distribution='normal'" in note for note in ring.evidence.notes)


def test_generators_that_shrink_are_told():
    few = SMALL | {"restarts": 1, "steps": 500, "rates": (3e-2, 1e-3)}
    losses = ld.discover.Losses(sparsity=30.0)
    found = ld.discover.adversarial(*swirled(), source=V, target=V, size="free", losses=losses, **few)
    assert found.evidence.verdict == "cannot tell"
    assert "shrank to the identity: raise losses.identity" in " ".join(str(found).split())


X, Y = swirled(40)
REFUSED = {
    "one row": ({"x": X[:1], "y": Y[:1]}, ValueError, "one row"),
    "not a number": ({"x": np.where(np.arange(40)[:, None] == 3, np.nan, X)}, ValueError, "x"),
    "no source": ({"source": None}, TypeError, "source must be an action"),
    "of another algebra": ({"target": ld.vectors(ld.algebra.so(2))}, ValueError, "algebra"),
    "more generators than candidates": ({"n_generators": 5}, ValueError, "only 4 combinations"),
    "no number of generators": ({"n_generators": 1.5}, ValueError, "n_generators must be a whole number"),
    "no restarts": ({"restarts": 0}, ValueError, "restarts must be a whole number"),
    "unknown distribution": ({"distribution": "cauchy"}, ValueError, "distribution must be one of"),
    "no spread": ({"spread": 0.0}, ValueError, "spread must be a number above 0"),
    "half an integer": ({"distribution": "integers", "spread": 1.5}, ValueError, "whole number"),
    "unknown size": ({"size": "large"}, ValueError, "size must be 'fixed' or 'free'"),
    "waves below none": ({"waves": -1}, ValueError, "waves must be a whole number of at least 0"),
    "products of few rows": (
        {"x": np.tile(X[:9], 2), "y": None, "target": None, "source": 2 * V, "products": True},
        ValueError,
        "4 columns make 15 products, and 8 rows",
    ),
    "one rate": ({"rates": (1e-3,)}, ValueError, "rates must be two"),
    "outputs of nothing": ({"y": None}, ValueError, "y is missing"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_bad_input_is_refused_in_words(case):
    changed, error, message = REFUSED[case]
    given = {"x": X, "y": Y, "source": V, "target": V, **changed}
    with pytest.raises(error, match=message):
        ld.discover.adversarial(given.pop("x"), given.pop("y"), **given)


def test_losses_are_checked():
    with pytest.raises(ValueError, match="measure must be"):
        ld.discover.Losses(measure="angle")
    with pytest.raises(ValueError, match=r"losses\.identity"):
        ld.discover.Losses(identity=-1.0)


def test_sines_of_the_rows_show_what_is_narrow():
    """The third column by y + 1 has seven teeth in a turn of the others; rows are turned by half a tooth."""
    x, tooth = np.random.default_rng(0).normal(size=(8000, 3)), 2 * np.pi / 7
    y = x[:, 2:] / (1 + np.mod(np.arctan2(x[:, 1:2], x[:, :1]), tooth))
    so2 = ld.algebra.so(2)
    rows = pairs(x, y, source=ld.vectors(so2) + ld.scalars(so2), target=ld.scalars(so2), method="a test")
    on = board(rows.rows, rows.motion, np.arange(2000))
    told = {}
    for waves in (0, 128):
        settings = Settings(1, Coefficients("integers", 1), False, Losses(), 96, 128, 1000, (1e-3, 3e-3), 0.0, waves)
        half = np.array([[tooth / 2 / on.basis[0, 0]]])
        told[waves] = Game(rows.question.both, settings).judged(on, half, jax.random.key(0))[0, 0]
    assert told[128] > 0.1 > 4 * max(told[0], 0.0)


def test_products_of_columns_show_at_once_what_leaves_a_surface():
    """Points of a branch of a hyperbola: a boost keeps to it, a scaling by one part in a hundred does not."""
    rapidity = np.random.default_rng(0).normal(size=(2, 1000))
    seen, others = (np.stack([np.cosh(each), np.sinh(each)], axis=1) for each in rapidity)
    eyes = {products: sight(seen, products) for products in (False, True)}
    assert [eye.width for eye in eyes.values()] == [2, 6]
    for products, eye in eyes.items():
        there = np.asarray(eye(jnp.asarray(others, jnp.float32)), float)
        assert np.abs(np.mean(there, axis=0)).max() < 0.2 and np.std(there, axis=0).max() < 1.2
        boost = np.array([[np.cosh(0.01), np.sinh(0.01)], [np.sinh(0.01), np.cosh(0.01)]])
        boosted, scaled = (
            np.sqrt(np.mean((np.asarray(eye(jnp.asarray(moved, jnp.float32))) - there) ** 2, axis=0).max())
            for moved in (others @ boost, 1.01 * others)
        )
        assert (scaled > 10 * boosted) == products
        assert (scaled > 0.1) == products


def test_judges_do_not_learn_few_rows_by_heart():
    """Nothing tells normal rows from the same turned; 240 rows of 16 columns are learnt in no time."""
    x = np.random.default_rng(0).normal(size=(300, 16))
    so2 = ld.algebra.so(2)
    rows = pairs(x, source=8 * ld.vectors(so2), method="a test")
    settings = Settings(1, Coefficients(), True, Losses(), 64, 64, 1000, (1e-3, 3e-3), 0.0)
    bits, error = Game(rows.question.both, settings).judged(
        board(rows.rows, rows.motion, np.arange(60)), np.ones((1, 1)), jax.random.key(0)
    )[0]
    assert abs(bits) < 0.1 and error < 0.1


def test_rows_are_carried_alike_along_one_generator_and_along_several():
    action = ld.vectors(GL2)
    z, c = jax.numpy.asarray(X, "float32"), jax.numpy.linspace(-1, 1, len(X), dtype="float32")[:, None]
    turn = jax.numpy.asarray([TURN], "float32")
    alone = carrier(action, 1.0)(turn, c, z)
    beside = carrier(action, 1.0)(jax.numpy.concatenate([turn, turn]), jax.numpy.hstack([c, 0 * c]), z)
    cos, sin = np.cos(c[:, 0]), np.sin(c[:, 0])
    exact = np.stack([cos * z[:, 0] - sin * z[:, 1], sin * z[:, 0] + cos * z[:, 1]], axis=1)
    np.testing.assert_allclose(alone, exact, atol=1e-4)
    np.testing.assert_allclose(beside, exact, atol=1e-4)
