"""Networks: variance, structure, files, training, found symmetries."""

import subprocess
import sys

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from drawn import normal

import lieder as ld

# The group, the representation of inputs over vectors V, points P and scalars S, and the width.
VARIANCE = {
    "so(3)": (ld.algebra.so(3), lambda V, P, S: 4 * V + S, 256),
    "so(3) tensors": (ld.algebra.so(3), lambda V, P, S: V * V + V, 64),
    "o(3)": (ld.algebra.o(3), lambda V, P, S: 4 * V, 96),
    "so(1,3)": (ld.algebra.so(1, 3), lambda V, P, S: 4 * V + S, 128),
    "sl(2)": (ld.algebra.sl(2), lambda V, P, S: 2 * V + V.dual, 48),
    "sp(4)": (ld.algebra.sp(4), lambda V, P, S: 3 * V, 64),
    "S_4": (ld.algebra.symmetric(4), lambda V, P, S: 2 * V + V * V, 256),
    "se(3) points": (ld.algebra.se(3), lambda V, P, S: 3 * P + S, 64),
}


@pytest.mark.parametrize("case", VARIANCE)
def test_activations_neither_vanish_nor_grow(case):
    algebra, build, width = VARIANCE[case]
    V = ld.vectors(algebra)
    source, target = build(V, ld.points(algebra), ld.scalars(algebra)), V
    x = normal(1, (200, source.width), jnp.float32)
    # Linear terms keep unit variance; scalars that only products reach start at a tenth of that, on purpose.
    nets = [ld.nn.MLP(source, target, width=width, depth=3, key=jax.random.key(i), dtype=jnp.float32) for i in range(8)]
    sizes = jnp.mean(jnp.stack([squares(net, x) for net in nets]), axis=0)
    assert jnp.all((0.3 < jnp.sqrt(sizes)) & (jnp.sqrt(sizes) < 2.0)), jnp.sqrt(sizes)
    assert abs(nets[0].layers[-1].source.width - width) < 0.1 * width


@eqx.filter_jit
def squares(net, x):
    """The mean squares after each gate. Before the first products most tensors are zero: vectors hold no invariants."""
    found = []
    for layer in net.layers[:-1]:
        x = jax.vmap(layer)(x)
        if isinstance(layer, ld.nn.Gated):
            found.append(jnp.mean(x**2))
    assert x.dtype == jnp.float32
    return jnp.stack(found)


def test_unit_variance_holds_in_depth():
    """Products of products do not grow, even where no invariant norm exists."""
    V = ld.vectors(ld.algebra.so(1, 3))
    net = ld.nn.MLP(4 * V, V, width=48, depth=8, key=jax.random.key(1))
    y = normal(2, (200, 16))
    for layer in net.layers[:-1]:
        y = jax.vmap(layer)(y)
    assert 0.3 < float(jnp.sqrt(jnp.mean(y**2))) < 3.0


def test_layers_alike_have_one_structure():
    """Modules built twice from representations built twice can be mapped together and compile once."""

    def make(key):
        V = ld.vectors(ld.algebra.so(3))
        return ld.nn.MLP(2 * V, V * V, width=30, depth=1, key=key)

    one, two = make(jax.random.key(0)), make(jax.random.key(1))
    assert jax.tree.structure(one) == jax.tree.structure(two)
    mean = jax.tree.map(lambda a, b: (a + b) / 2, one, two)
    assert mean(jnp.ones(6)).shape == (9,)
    both = eqx.filter_vmap(make)(jax.random.split(jax.random.key(0), 3))
    assert eqx.filter_vmap(lambda net: net(jnp.ones(6)))(both).shape == (3, 9)


_RELOAD = """
import sys
import equinox as eqx, jax, jax.numpy as jnp, numpy as np
import lieder as ld
V, S = ld.vectors(ld.algebra.o(3)), ld.scalars(ld.algebra.o(3))
net = ld.nn.MLP(2 * V + S, V + S, width=30, depth=1, key=jax.random.key(int(sys.argv[2])))
if sys.argv[2] == "7":
    eqx.tree_serialise_leaves(sys.argv[1], net)
else:
    net = eqx.tree_deserialise_leaves(sys.argv[1], net)
x = jnp.asarray(np.random.default_rng(0).normal(size=(5, 7)), jnp.float32)
print(np.asarray(jax.vmap(net)(x)).tobytes().hex())
"""


def test_a_saved_network_answers_alike_bit_for_bit(tmp_path):
    """Saved in one process, loaded in another into a network with other weights."""
    answers = []
    for seed in ("7", "8"):
        run = subprocess.run(
            [sys.executable, "-c", _RELOAD, str(tmp_path / "net.eqx"), seed], capture_output=True, text=True, check=True
        )
        answers.append(run.stdout)
    assert answers[0] == answers[1]
    assert len(answers[0]) == 2 * 5 * 4 * 4 + 1


def test_float32_training_learns_an_invariant():
    """The moment of inertia of four points, from 300 examples."""
    V = ld.vectors(ld.algebra.o(3))
    S = ld.scalars(V.algebra)
    rng = np.random.default_rng(0)
    x = rng.normal(size=(300, 12)).astype(np.float32)
    y = np.sum(x.reshape(-1, 4, 3) ** 2, axis=(1, 2))[:, None] / 5
    net = ld.nn.MLP(4 * V, S, width=64, depth=1, key=jax.random.key(0), dtype=jnp.float32)
    adam = optax.adam(1e-2)

    @eqx.filter_jit
    def step(net, state):
        loss, slope = eqx.filter_value_and_grad(lambda net: jnp.mean((jax.vmap(net)(x) - y) ** 2))(net)
        change, state = adam.update(slope, state)
        return eqx.apply_updates(net, change), state, loss

    state, losses = adam.init(eqx.filter(net, eqx.is_inexact_array)), []
    for _ in range(200):
        net, state, loss = step(net, state)
        losses.append(float(loss))
    assert losses[-1] < 0.02 * losses[0]
    assert all(leaf.dtype == jnp.float32 for leaf in jax.tree.leaves(net))


def test_a_found_symmetry_goes_straight_in():
    """Candidates gl(3), truth so(3): the network takes the generators as they were measured."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(300, 6))
    gl = ld.algebra.gl(3)
    action = 2 * ld.vectors(gl)

    def energy(z):
        return jnp.stack([jnp.sum(z[:3] ** 2) * jnp.sum(z[:3] * z[3:]) + jnp.sum(z[3:] ** 2)])

    found = ld.discover.function(energy, x, source=action, target=ld.scalars(gl))
    assert found.dim == 3
    net = ld.nn.MLP(found.action, found.target_action, width=24, depth=1, key=jax.random.key(0), tolerance=1e-5)
    # To rounding with the measured generators, to their accuracy with the true ones.
    assert ld.nn.check(net, found.action, found.target_action, x).is_equivariant
    so3 = ld.algebra.so(3)
    slope = jax.vmap(lambda one: ld.lie_derivative(net, one, source=2 * ld.vectors(so3), target=ld.scalars(so3)))(x)
    assert float(jnp.abs(slope).max()) < 1e-5


def test_affine_points_of_discovered_motions():
    """Found rigid motions of two points in the plane, candidates all affine maps."""
    rng = np.random.default_rng(1)
    aff = ld.algebra.aff(2)
    x = rng.normal(size=(400, 4))
    found = ld.discover.function(
        lambda z: jnp.stack([jnp.sum((z[:2] - z[2:]) ** 2)]), x, source=2 * ld.points(aff), target=ld.scalars(aff)
    )
    assert found.dim == 3
    net = ld.nn.MLP(found.action, found.target_action, width=20, depth=1, key=jax.random.key(0), tolerance=1e-5)
    report = ld.nn.check(net, found.action, found.target_action, x, tolerance=1e-5)
    assert report.is_equivariant
    assert float(jnp.std(jax.vmap(net)(x))) > 1e-3


def test_measured_generators_with_noise_need_a_tolerance():
    noise = 1e-5 * np.random.default_rng(0).normal(size=(3, 3, 3))
    noisy = ld.algebra.matrices(ld.algebra.so(3).generators.dense()[:, :, :3] + noise, tolerance=1e-3)
    W = ld.vectors(noisy)
    net = ld.nn.MLP(2 * W, W, width=16, depth=1, key=jax.random.key(0), tolerance=1e-3)
    x = np.random.default_rng(1).normal(size=(20, 6))
    report = ld.nn.check(net, 2 * W, W, x)
    assert report.is_equivariant
    assert report.total[0].max() > 1e-7


def test_hidden_representations_share_the_width():
    V = ld.vectors(ld.algebra.so(3))
    rep = ld.nn.hidden(4 * V, V, 128)
    sizes = [width for _, width in rep.blocks]
    assert rep.width == 128
    assert sizes.count(3) == 21
    assert sizes.count(9) == 0
    higher = [width for _, width in ld.nn.hidden(4 * V, V, 128, order=3).blocks]
    assert (higher.count(3), higher.count(9), higher.count(27)) == (10, 3, 1)
    # Nothing but scalars where nothing moves; one copy of everything where it does not fit.
    assert len(set(ld.nn.hidden(ld.scalars(V.algebra), ld.scalars(V.algebra), 8).blocks)) == 1
    assert ld.nn.hidden(V * V, V, 2).width == 1 + 9 + 3


def test_higher_tensors_come_where_outputs_need_them():
    """The determinant of three vectors of o(3) is no function of scalar products: it needs tensors of order two."""
    g = ld.algebra.o(3)
    V = ld.vectors(g)
    determinant = ld.action.linear(g, np.zeros((3, 1, 1)), [-np.eye(1)])
    net = ld.nn.MLP(3 * V, determinant, width=60, depth=2, key=jax.random.key(0))
    assert max(kind.size for kind in net.layers[1].kinds.each) == 9
    assert float(jnp.std(jax.vmap(net)(normal(1, (50, 9))))) > 0
    plain = ld.nn.MLP(3 * V, ld.scalars(g), width=60, depth=2, key=jax.random.key(0))
    assert max(kind.size for kind in plain.layers[1].kinds.each) == 3


def test_one_network_learns_what_grows_and_keeps_learning_with_few_examples():
    """|x|^2 y.z of normal vectors from 150 examples; a network that normalises its features cannot follow the tail."""
    V, S = ld.vectors(ld.algebra.o(3)), ld.scalars(ld.algebra.o(3))

    def rows(seed, n):
        x = np.random.default_rng(seed).normal(size=(n, 3, 3)).astype(np.float32)
        return x.reshape(n, 9), (np.sum(x[:, 0] ** 2, axis=1) * np.sum(x[:, 1] * x[:, 2], axis=1))[:, None] / 5

    (x, y), (u, v) = rows(0, 150), rows(1, 2000)
    net = ld.nn.MLP(3 * V, S, width=32, depth=2, key=jax.random.key(0), dtype=jnp.float32)
    adam = optax.adam(1e-2)
    leaves, rest = eqx.partition(net, eqx.is_inexact_array)

    @jax.jit
    def fit(leaves):
        def step(carry, _):
            leaves, state = carry
            slope = jax.grad(lambda leaves: jnp.mean((jax.vmap(eqx.combine(leaves, rest))(x) - y) ** 2))(leaves)
            change, state = adam.update(slope, state)
            return (optax.apply_updates(leaves, change), state), None

        return jax.lax.scan(step, (leaves, adam.init(leaves)), None, 400)[0][0]

    error = np.mean((np.asarray(jax.vmap(eqx.combine(fit(leaves), rest))(u)) - v) ** 2)
    assert error < 0.1 * np.mean(v**2)


def test_a_given_hidden_representation_is_used():
    V = ld.vectors(ld.algebra.so(3))
    S = ld.scalars(V.algebra)
    net = ld.nn.MLP(V, V, depth=2, hidden=[5 * S + 2 * V, 3 * S + 4 * V], key=jax.random.key(0), bilinear=False)
    assert [type(layer).__name__ for layer in net.layers] == ["Linear", "Gated", "Linear", "Gated", "Linear"]
    assert net.layers[1].target.width == 11
    assert net.layers[3].target.width == 15
    assert len(ld.nn.MLP(V, V, depth=0, key=jax.random.key(0)).layers) == 1
