"""Symmetries in a latent: a planted rotation is found by both routes, and what cannot be claimed or used is told."""

import subprocess
import sys

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import lieder as ld
from lieder.learn._autoencoder import Autoencoder, Normal, autoencoder, convolves, finished
from lieder.learn._encounter import Encounter, Rows
from lieder.learn._equivariance import equivariance
from lieder.learn._latent_data import latent_pairs
from lieder.learn._moments import Dynamics, Pair, discovered, law, monomials, resting, shares

SMALL = ld.discover.Encoding(widths=(32, 32), judge=32, batch=128, steps=800)
TURN = np.array([0.0, -1.0, 1.0, 0.0])


def spirals(count=40, steps=30, seed=0):
    """Points of a plane that turn the faster the further out they are: trajectories (count, steps, 2)."""
    random = np.random.default_rng(seed)
    radius, start = random.uniform(0.3, 1.7, count), random.uniform(-np.pi, np.pi, count)
    angle = start[:, None] + (0.3 + 0.25 * radius[:, None]) * np.arange(steps)
    return radius[:, None, None] * np.stack([np.cos(angle), np.sin(angle)], axis=-1)


def seen(states, columns=8, seed=1):
    """What is observed of the plane: a smooth map at random, in which no rotation is linear."""
    return np.sinh(states @ np.random.default_rng(seed).normal(size=(2, columns)) / 2)


TRAJECTORIES = seen(spirals())


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """A checkpoint, and what was found when it was written."""
    file = tmp_path_factory.mktemp("training") / "latent.npz"
    return file, ld.discover.latent(TRAJECTORIES, latent_dim=2, training=SMALL, checkpoint=file)


@pytest.fixture(scope="module")
def found(kept):
    return kept[1]


def test_the_planted_rotation_is_found(found):
    assert found.evidence.verdict == "symmetries" and found.dim == 1
    assert found.similarity(TURN) > 0.999
    assert found.fields()[0] == "z0 d/dz1 - z1 d/dz0"
    assert found.defects[0] < 0.1 and np.allclose(found.defects[1:], 1.0)


def test_it_turns_the_states_behind_the_columns(found):
    """Orbits keep their distance from the middle of the plane, which the columns do not show."""
    fresh = spirals(20, 2, seed=5)[:, 0]
    turns = np.linspace(0, 2 * np.pi, 9)
    scale = np.linalg.norm(found.basis[0]) / np.sqrt(2)
    orbits = ld.action.orbits(found.action, np.ones(1) / scale, seen(fresh), turns)
    many = spirals(400, 30, seed=6).reshape(-1, 2)
    far = np.linalg.norm(seen(many)[None, None] - orbits[:, :, None], axis=-1)
    radius = np.linalg.norm(many, axis=1)[np.argmin(far, axis=-1)]
    own = np.linalg.norm(fresh, axis=1)[:, None]
    assert np.sqrt(np.mean((radius - own) ** 2)) < 0.15  # of radii from .3 to 1.7
    assert np.sqrt(np.mean(np.min(far, axis=-1) ** 2)) < 0.1 * seen(many).std() * np.sqrt(8)
    np.testing.assert_allclose(orbits[:, 0], orbits[:, -1], atol=0.05)  # once round


def test_the_record_says_what_was_measured(found):
    text = " ".join(str(found).split())
    assert "by the direct route" in text and "of the variance" in text
    assert "The number of generators, 1, was given" in text
    assert "encoding undoes decoding" in text


def test_equations_in_the_latent_have_the_symmetry_that_was_found(found):
    """Of all fields of degree 3 four are left, and their solutions stay near the states for a turn."""
    flat = TRAJECTORIES.reshape(-1, TRAJECTORIES.shape[-1])
    inner = np.asarray(jax.vmap(found.source.encoder)(flat)).reshape(*TRAJECTORIES.shape[:2], 2)
    ask = {"t": 1.0, "derivative": "spline"}
    free = ld.enforce.sparse_dynamics(list(inner), None, "polynomials(3)", **ask)
    bound = ld.enforce.sparse_dynamics(list(inner), None, "polynomials(3)", symmetry=found.action.base, **ask)
    assert free.dimension_ == 20 and bound.dimension_ == 4
    there = np.asarray(bound.simulate(inner[:5, 0], np.arange(10.0)))
    assert np.sqrt(np.mean((there - inner[:5, :10]) ** 2)) < 0.3 * inner.std()


def test_generators_turn_about_the_point_where_the_dynamics_rest():
    """Rows of a part of each turn only: their mean is not the middle, and the dynamics say where that is."""
    states = spirals(300, 30).astype(np.float32)
    some = states[(states[:, 0, 0] > 0.2)]
    z, w = (some[:, k : k + 2].reshape(-1, 2) for k in (0, 1))
    mean = z.mean(axis=0)
    assert np.linalg.norm(mean) > 0.3
    d = (w - z) / np.sqrt(np.mean((w - z) ** 2))
    pair = Pair(jnp.asarray(z - mean), jnp.asarray(d))
    v = jnp.asarray(TURN[None] / np.sqrt(2), pair.z.dtype)
    rest = resting(pair, v, law(pair))
    np.testing.assert_allclose(mean + rest, 0.0, atol=0.05)


def test_successors_that_are_drawn_are_judged_by_mean_and_covariance():
    """Points of a circle move by chance, as far along it as across: what turns them is told from what stretches."""
    random = np.random.default_rng(0)
    angle = random.uniform(0, 2 * np.pi, 6000)
    out = np.stack([np.cos(angle), np.sin(angle)], axis=1) * np.sqrt(2)
    along = out @ np.array([[0.0, 1.0], [-1.0, 0.0]])
    x, y = out, out + 0.4 * random.normal(size=(6000, 1)) * along + 0.1 * random.normal(size=(6000, 1)) * out
    held = np.arange(6000) < 2000
    groups = np.arange(6000) // 100
    shear = np.array([0.0, 1.0, 1.0, 0.0])
    rows = np.stack([TURN, shear]) / np.sqrt(2)
    got = equivariance((x[~held], y[~held]), (x[held], y[held]), groups[held], rows)
    assert not got.function and got.shares[0] < 0.05 < 0.5 < got.shares[1]


def test_columns_of_one_unit_keep_their_sizes():
    x = TRAJECTORIES * np.r_[np.ones(4), np.full(4, 1e-3)]
    spread = latent_pairs(x, None, None, 0, True).spread
    assert np.ptp(spread) == 0.0
    assert np.ptp(latent_pairs(x, None, None, 0, False).spread) > 0.1


def test_a_convolutional_encoder_takes_rows_of_double_precision():
    """Convolutions refuse rows of another precision than their own, and users' rows are of double precision."""

    class Pictures(eqx.Module):
        layer: eqx.nn.Conv2d

        def __call__(self, x):
            return jnp.mean(self.layer(x.reshape(1, 4, 4)), axis=(1, 2))

    layer = eqx.nn.Conv2d(1, 2, 3, key=jax.random.key(0), dtype=jnp.float32)
    decoder = eqx.nn.Linear(2, 16, key=jax.random.key(1), dtype=jnp.float32)
    normal = Normal(jnp.ones(2, jnp.float32), 2 * jnp.eye(2, dtype=jnp.float32))
    maps = finished(Autoencoder(Pictures(layer), decoder, False), normal, np.zeros(16), np.ones(16))
    x = jnp.arange(16.0) / 16
    z = maps[0](x)
    assert x.dtype == z.dtype == jnp.float64
    np.testing.assert_allclose(z, (Pictures(layer)(x.astype(jnp.float32)) - 1) / 2, rtol=1e-5)
    action = ld.action.encoded(ld.vectors(ld.algebra.so(2)), *maps, 16)
    assert action.field(jnp.ones(1), x).shape == (16,)


def test_its_action_is_one(found):
    """The field is the derivative of the flow, and two moves are one where encoding undoes decoding."""
    action, x = found.action, jnp.asarray(TRAJECTORIES[0, 0])
    flow = lambda t, x: ld.action.flow(action, jnp.ones(1), x, t)  # noqa: E731
    np.testing.assert_allclose(jax.jacfwd(flow)(0.0, x), action.field(jnp.ones(1), x), atol=1e-8)
    twice, once = flow(0.3, flow(0.4, x)), flow(0.7, x)
    assert jnp.linalg.norm(twice - once) < 0.1 * TRAJECTORIES.std() * np.sqrt(8)
    slope = jax.grad(lambda action: jnp.sum(action.field(jnp.ones(1), x)), allow_int=True)(action)
    assert any(np.abs(leaf).max() > 0 for leaf in jax.tree.leaves(slope.decoder))  # its leaves train


def test_it_is_read_again_in_another_process(found, tmp_path):
    file = found.save(tmp_path / "found.npz")
    x = TRAJECTORIES[0, 0].tolist()
    code = (
        "import jax.numpy as jnp, lieder as ld\n"
        f"found = ld.Symmetries.load({str(file)!r})\n"
        f"print(ld.action.flow(found.action, jnp.ones(1), jnp.array({x!r})).tolist())"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    here = ld.action.flow(found.action, jnp.ones(1), jnp.array(x))
    np.testing.assert_allclose(eval(out), here, rtol=1e-4, atol=1e-5)  # the other process is one of float32


def test_a_finished_training_is_not_done_again(kept):
    file, found = kept
    again = ld.discover.latent(TRAJECTORIES, latent_dim=2, training=SMALL, checkpoint=file)
    assert np.array_equal(again.directions, found.directions)


def test_the_checkpoint_of_other_settings_is_refused(kept):
    with pytest.raises(ValueError, match="belongs to other data or settings"):
        ld.discover.latent(TRAJECTORIES, latent_dim=2, training=SMALL, seed=1, checkpoint=kept[0])


def test_modules_of_the_users_own_and_pairs_by_an_adversary():
    """Few steps: the answer need not be found, and what is missing is told."""
    one, two = jax.random.split(jax.random.key(0))
    encoder = eqx.nn.MLP(8, 2, 16, 1, activation=jnp.tanh, key=one, dtype=jnp.float32)
    decoder = eqx.nn.MLP(2, 8, 16, 1, key=two, dtype=jnp.float32)
    x, y = (TRAJECTORIES[:, part].reshape(-1, 8) for part in (slice(None, -1), slice(1, None)))
    few = ld.discover.Encoding(judge=8, batch=32, steps=50)
    got = ld.discover.latent(
        x, y, latent_dim=2, route="adversarial", encoder=encoder, decoder=decoder, training=few, n_generators=2
    )
    assert got.evidence.verdict == "cannot tell" and got.source.width == 8
    assert "the decoder misses" in " ".join(str(got).split())


class Waves(eqx.Module):
    """An encoder with a convolution, (8,) -> (2,)."""

    along: eqx.nn.Conv1d
    last: eqx.nn.Linear

    def __call__(self, x):
        return self.last(jnp.tanh(self.along(x[None])).reshape(-1))


class Walk(Encounter):
    """Steps at random, of what there is to lose."""

    def _step(self, rows, found, state, key):
        v = state["v"] + jax.random.normal(key, (1, 4))
        return {"v": v}, v[0, :2]


def test_convolutions_step_one_by_one_and_to_the_same_end(monkeypatch):
    """In a compiled loop their gradients take many times as long."""
    one, two = jax.random.split(jax.random.key(0))
    along = eqx.nn.Conv1d(1, 2, 4, 2, 1, key=one, dtype=jnp.float32)
    waves = Waves(along, eqx.nn.Linear(8, 2, key=two, dtype=jnp.float32))
    plain, model = (autoencoder(8, 2, (8,), one, encoder, None) for encoder in (None, waves))
    assert convolves(model, 8, 2) and not convolves(plain, 8, 2)
    walks = [Walk(SMALL, "adversarial", 2, 1, None, stepwise=each) for each in (False, True)]
    ends = [walk.block(Rows(*jnp.zeros((4, 1, 2))), {"v": jnp.zeros((1, 4))}, two) for walk in walks]
    for here, there in zip(*map(jax.tree.leaves, ends), strict=True):
        assert np.allclose(here, there) and float(np.abs(here).min()) > 0
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    assert not convolves(model, 8, 2)


def test_a_latent_that_is_too_large_collapses_and_is_told():
    """A curve in space needs one coordinate, or two to close: three of four are none."""
    angle = np.linspace(0, 25, 200)
    line = np.stack([angle, 2 * angle, -angle, 3 * angle, angle, angle], axis=1).reshape(8, 25, 6)
    identity = eqx.nn.Linear(6, 2, use_bias=False, key=jax.random.key(0), dtype=jnp.float32)
    few = ld.discover.Encoding(widths=(16,), batch=32, steps=50)
    got = ld.discover.latent(line, latent_dim=2, encoder=identity, training=few)
    assert "the latent collapsed" in " ".join(str(got).split()) and "smaller latent_dim" in " ".join(str(got).split())


def test_linear_algebra_finds_what_keeps_pairs():
    """Of points of a plane that turn, rotations; of two planes, those of both; and of none, none."""
    states = spirals(200).astype(np.float32)
    scale = np.sqrt(np.mean(states**2))
    z, w = states[:, :-1].reshape(-1, 2) / scale, states[:, 1:].reshape(-1, 2) / scale
    pair = Pair(jnp.asarray(z), jnp.asarray((w - z) / np.sqrt(np.mean((w - z) ** 2))))
    v, found = discovered(pair, 1)
    assert abs(np.asarray(v[0]) @ TURN) / np.sqrt(2) > 0.999
    assert all(float(share[0]) < 0.02 for share in shares(found, v))
    stretch = jnp.array([[1.0, 0.0, 0.0, 1.0]]) / np.sqrt(2)
    assert float(shares(found, stretch)[0][0]) > 0.5
    skew = Pair(pair.z + 0.5 * pair.z[:, ::-1] ** 2 - 0.5, pair.d)
    assert float(shares(law(skew), v)[1][0]) > 0.05


def test_the_lie_derivative_is_that_of_the_dynamics():
    random = np.random.default_rng(0)
    z = jnp.asarray(random.normal(size=(400, 2)))
    d = z[:, ::-1] * jnp.array([-1.0, 1.0]) + 0.3 * z**3
    matrix = jnp.asarray(random.normal(size=(2, 2)))
    wanted = (
        jax.vmap(lambda z: jax.jvp(lambda z: z[::-1] * jnp.array([-1.0, 1.0]) + 0.3 * z**3, (z,), (matrix @ z,))[1])(z)
        - d @ matrix.T
    )
    every = monomials(z)
    got = Dynamics.of(every, d).breaks(every, matrix[None])[0, :, :2]
    assert float(jnp.linalg.norm(got - wanted) / jnp.linalg.norm(wanted)) < 0.01


def test_equivariance_is_measured_on_trajectories_kept_apart():
    states = spirals(60) / 0.75
    x, y = states[:, :-1].reshape(-1, 2), states[:, 1:].reshape(-1, 2)
    groups = np.repeat(np.arange(60), 29)
    held = groups < 12
    shear = np.array([0.0, 1.0, 0.0, 0.0])
    got = equivariance((x[~held], y[~held]), (x[held], y[held]), groups[held], np.stack([TURN / np.sqrt(2), shear]))
    assert got.shares[0] < 0.01 < 0.1 < got.shares[1]
    assert got.fit < 0.01 and got.resolved < 0.3


REFUSED = {
    "a latent as large as the data": (
        {"latent_dim": 8},
        ValueError,
        "8 coordinates were asked for, and the data have 8",
    ),
    "no number": ({"latent_dim": 1.5}, ValueError, "latent_dim must be a whole number"),
    "too many generators": ({"n_generators": 5}, ValueError, r"gl\(2\) has 4"),
    "one trajectory": ({"x": TRAJECTORIES[0]}, ValueError, "one trajectory came"),
    "a list of one": ({"x": [TRAJECTORIES[0]]}, ValueError, "one trajectory came"),
    "short": ({"x": [TRAJECTORIES[0], TRAJECTORIES[1][:1]]}, ValueError, "trajectory 1 has shape"),
    "of other columns": ({"x": [TRAJECTORIES[0], TRAJECTORIES[1][:, :5]]}, ValueError, "8 columns of the first"),
    "constant columns": ({"x": TRAJECTORIES * (np.arange(8) > 1)}, ValueError, "2 of 8 columns never vary"),
    "not finite": ({"x": np.where(np.arange(8) == 3, np.inf, TRAJECTORIES)}, ValueError, "finite|inf"),
    "other successors": ({"x": TRAJECTORIES[0], "y": TRAJECTORIES[0][1:]}, ValueError, "successor of each row"),
    "unknown route": ({"route": "straight"}, ValueError, "route must be 'direct' or 'adversarial'"),
    "unknown sizes": ({"training": "large"}, ValueError, "'small', 'published'"),
    "no sizes": ({"training": 3}, TypeError, "Encoding"),
    "no encoder": ({"encoder": 3}, TypeError, "encoder must be an equinox module"),
    "an encoder of another shape": ({"encoder": lambda x: x[:3]}, ValueError, r"encoder must take \(8,\) to \(2,\)"),
    "a decoder of another shape": (
        {"decoder": lambda z: z @ jnp.ones((3, 8))},
        ValueError,
        r"decoder must take a point of shape \(2,\) in float32",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_bad_input_is_refused_in_words(case):
    changed, error, message = REFUSED[case]
    given = {"x": TRAJECTORIES, "y": None, "latent_dim": 2, **changed}
    with pytest.raises(error, match=message):
        ld.discover.latent(given.pop("x"), given.pop("y"), **given)


def test_sizes_are_checked():
    for changed in (
        {"widths": ()},
        {"batch": 2},
        {"steps": 0},
        {"rates": (1e-3,)},
        {"threshold": 1.0},
        {"smooth": -1},
        {"units": "metres"},
    ):
        with pytest.raises(ValueError, match="training"):
            ld.discover.Encoding(**changed)
