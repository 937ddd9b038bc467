"""The penalty: a norm of the Lie derivative with a gradient everywhere, and what it does to networks."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from drawn import normal, weights

from lieder import action, algebra, discover, promote
from lieder.derivative import lie_derivative
from lieder.linalg import nuclear_norm

GL3, SO3, SE3 = algebra.gl(3), algebra.so(3), algebra.se(3)
S3 = algebra.symmetric(3)
V3 = action.vectors(SO3)
X = normal(1, (9, 3))

# Compiled, as in a training step; one example runs them as they are.
penalty, layer_penalty = eqx.filter_jit(promote.penalty), eqx.filter_jit(promote.layer_penalty)
value_and_gradient = jax.jit(jax.value_and_grad(nuclear_norm), static_argnums=2)

# Inputs, outputs and how many: linear, affine, lifted over the base, not affine at all.
ACTIONS = {
    "vectors": (action.vectors(GL3), action.vectors(GL3), 3),
    "invariance": (action.points(SE3), None, 1),
    "points to points": (action.points(SE3), action.points(SE3), 3),
    "tangent lift": (action.points(SE3), action.tangent(action.points(SE3)), 3),
    "quadratic fields": (action.polynomial_fields(3, 2), action.polynomial_fields(3, 2), 3),
}


def network(outputs, dtype=None, key=0, width=8):
    make = lambda: eqx.nn.MLP(3, outputs, width, 1, activation=jnp.tanh, key=jax.random.key(0), dtype=dtype)  # noqa: E731
    return weights(make, key)


def block(F, x, source, target):
    return np.asarray(jax.vmap(lambda z: lie_derivative(F, z, source=source, target=target))(x), np.float64)


def assembled(F, x, source, target, inner=None):
    """The (B m, q) block in orthonormal candidates."""
    rows = block(F, x, source, target)
    lifted = not isinstance(target, action.AbstractAction)
    basis = promote.orthonormal(source, None if lifted else target, inner=inner)
    return rows.reshape(-1, rows.shape[2]) @ basis.T / len(x) ** 0.5


def nuclear(a):
    return np.linalg.svd(a, compute_uv=False).sum()


@pytest.mark.parametrize(("source", "target", "m"), ACTIONS.values(), ids=ACTIONS.keys())
def test_it_is_the_nuclear_norm_of_the_lie_derivative(source, target, m):
    F = network(m)
    given = action.scalars(source.algebra, m) if target is None else target
    block_ = assembled(F, X, source, given)
    assert penalty(F, X, source=source, target=target, smoothing=0) == pytest.approx(nuclear(block_), rel=1e-12)


def test_per_output():
    F = network(2)
    source, target = action.points(SE3), action.scalars(SE3, 2)
    whole = [assembled(lambda z, i=i: F(z)[i], X, source, action.scalars(SE3)) for i in (0, 1)]
    value = penalty(F, X, source=source, target=target, per_output=True, smoothing=0)
    assert value == pytest.approx(sum(nuclear(a) for a in whole), rel=1e-12)
    assert value >= penalty(F, X, source=source, target=target, smoothing=0)


def test_more_of_the_same_examples_change_nothing():
    F, (source, target, _) = network(3), ACTIONS["vectors"]
    once, thrice = (penalty(F, x, source=source, target=target) for x in (X, jnp.tile(X, (3, 1))))
    np.testing.assert_allclose(once, thrice, rtol=1e-12)


@pytest.mark.parametrize("smoothing", [0.0, 1e-2, 0.3])
def test_it_scales_with_the_model(smoothing):
    F, (source, target, _) = network(3), ACTIONS["vectors"]
    one, many = (
        penalty(lambda z, c=c: c * F(z), X, source=source, target=target, smoothing=smoothing) for c in (1, -70)
    )
    np.testing.assert_allclose(many, 70 * one, rtol=1e-12)


def test_orthogonal_changes_of_the_candidates_do_not_count():
    F, q = network(3), np.linalg.qr(np.random.default_rng(0).normal(size=(9, 9)))[0]
    given = action.vectors(GL3)
    turned = action.vectors(algebra.matrices(np.tensordot(q, GL3.generators.dense()[:, :, :3], axes=1)))
    one, other = (penalty(F, X, source=side, target=side) for side in (given, turned))
    np.testing.assert_allclose(one, other, rtol=1e-9)


def test_the_inner_product_counts():
    """Candidates in other units: a basis that is orthonormal in the inner product given for them has the same norm."""
    F, mixing = network(1), np.random.default_rng(0).normal(size=(6, 6))
    source = action.points(SE3)
    basis = promote.orthonormal(source)
    plain = np.linalg.inv(basis.T @ basis)
    matrices = np.tensordot(mixing, SE3.generators.dense(), axes=1)
    mixed = action.points(algebra.affine(matrices[:, :, :3], matrices[:, :, 3]))
    same = jax.jit(lambda x: promote.penalty(F, x, source=mixed, inner=mixing @ plain @ mixing.T))(X)
    np.testing.assert_allclose(same, penalty(F, X, source=source), rtol=1e-9)
    heavy = jax.jit(lambda x: promote.penalty(F, x, source=source, inner=np.diag([1.0, 1, 1, 100, 100, 100])))(X)
    assert heavy < 0.95 * penalty(F, X, source=source)


def spectra():
    """Matrices, tall, square and wide, whose singular values differ, coincide, or vanish."""
    rng = np.random.default_rng(0)
    for shape in ((12, 5), (5, 5), (4, 6)):
        u, s, v = np.linalg.svd(rng.normal(size=shape), full_matrices=False)
        for name, values in {"any": s, "equal": np.ones_like(s), "nearly equal": 1 + 1e-9 * s}.items():
            yield f"{shape}, {name}", (u * values) @ v
        values = s.copy()
        values[-2:] = 0.0
        yield f"{shape}, two vanish", (u * values) @ v


WAYS = [(0.0, None), (1e-9, "diagonal"), (1e-2, None), (0.0, "full"), (0.3, "full")]


@pytest.mark.parametrize(("smoothing", "basis"), WAYS)
def test_the_gradient_is_that_of_finite_differences(smoothing, basis):
    rng = np.random.default_rng(1)
    for name, a in spectra():
        q = a.shape[1]
        full = np.eye(q) + 0.2 * rng.normal(size=(q, q))
        c = None if basis is None else full if basis == "full" else np.diag(full)
        x = a if c is None else a @ c.T if c.ndim == 2 else a * c
        value, gradient = value_and_gradient(a, c, smoothing)
        u, s, v = np.linalg.svd(x, full_matrices=False)
        e = smoothing * np.linalg.norm(s)
        np.testing.assert_allclose(value, np.sum(np.sqrt(s**2 + e**2) - e), rtol=1e-9, err_msg=name)
        if "vanish" in name and smoothing < 1e-3:  # a kink: of the subgradients the least
            kept = s > 1e-9
            least = u[:, kept] @ v[kept]
            np.testing.assert_allclose(
                gradient, least if c is None else least * c if c.ndim == 1 else least @ c, atol=1e-6, err_msg=name
            )
            continue
        step, h = rng.normal(size=a.shape), 1e-6
        up, down = (value_and_gradient(a + t * step, c, smoothing)[0] for t in (h, -h))
        slope = np.sum(gradient * step)
        np.testing.assert_allclose(slope, (up - down) / (2 * h), rtol=1e-4, atol=1e-7, err_msg=name)


def test_forward_and_reverse_agree():
    a, step = normal(0, (2, 6, 4))
    push = jax.jit(lambda a: jax.jvp(lambda z: nuclear_norm(z, None, 1e-2), (a,), (step,))[1])(a)
    np.testing.assert_allclose(push, np.sum(value_and_gradient(a, None, 1e-2)[1] * step), rtol=1e-9)


@pytest.mark.parametrize("smoothing", [0.0, 1e-3, 1e-2])
@pytest.mark.parametrize(("dtype", "near"), [(jnp.float32, 3e-3), (jnp.float64, 1e-9), (jnp.bfloat16, 2e-2)])
def test_precision(dtype, near, smoothing):
    """Singular values over eight orders of magnitude: value and gradient are those of more digits, but for rounding."""
    rng = np.random.default_rng(0)
    u, v = (np.linalg.qr(rng.normal(size=(n, 8)))[0] for n in (200, 8))
    rounded = jnp.asarray((u * 10.0 ** -np.arange(8)) @ v).astype(dtype)
    value, gradient = value_and_gradient(rounded, None, smoothing)
    assert value.dtype == gradient.dtype == dtype
    wanted = value_and_gradient(rounded.astype(jnp.float64), None, smoothing)
    assert abs(float(value) / float(wanted[0]) - 1) < 100 * float(jnp.finfo(dtype).eps)
    if smoothing:
        np.testing.assert_allclose(np.asarray(gradient, np.float64), wanted[1], atol=near)
    assert np.isfinite(np.asarray(gradient, np.float64)).all()


def test_no_number_is_too_large_or_small():
    a = normal(0, (6, 4))
    for size in (1e-290, 1e290):
        value, gradient = value_and_gradient(size * a, None, 1e-2)
        assert value == pytest.approx(size * float(nuclear_norm(a, None, 1e-2)), rel=1e-9)
        np.testing.assert_allclose(gradient, jax.grad(nuclear_norm)(a, None, 1e-2), rtol=1e-6)


def test_the_gradient_with_respect_to_parameters():
    F, (source, target, _) = network(3), ACTIONS["vectors"]
    flat, build = jax.flatten_util.ravel_pytree(eqx.filter(F, eqx.is_array))
    rest = eqx.filter(F, eqx.is_array, inverse=True)
    along = normal(2, flat.shape)
    loss = jax.jit(
        lambda t: promote.penalty(eqx.combine(build(flat + t * along), rest), X, source=source, target=target)
    )
    assert jax.grad(loss)(0.0) == pytest.approx(float(loss(1e-5) - loss(-1e-5)) / 2e-5, rel=1e-6)


def test_nothing_pulls_at_a_symmetric_model():
    """|z|^2 times a number has all of so(3); a constant has everything, and a derivative of zero."""
    source = action.vectors(SO3)
    for F in (lambda a, z: a * jnp.sum(z**2), lambda a, z: a + 0 * z[0]):
        value, slope = jax.jit(jax.value_and_grad(lambda a, F=F: promote.penalty(lambda z: F(a, z), X, source=source)))(
            1.3
        )
        assert abs(value) < 1e-12 and abs(slope) < 1e-12
    value, slope = jax.value_and_grad(lambda a: penalty(lambda z: a * z, X, source=source, target=source))(0.0)
    assert value == 0 and slope == 0


@pytest.mark.parametrize("outputs", [1, 3])
def test_dead_units(outputs):
    """Networks whose derivative is zero at all examples."""
    F = weights(lambda: eqx.nn.MLP(3, outputs, 8, 2, key=jax.random.key(0)))
    F = eqx.tree_at(lambda net: net.layers[0].bias, F, replace_fn=lambda bias: bias - 100)
    source = action.vectors(SO3)
    target = source if outputs == 3 else action.scalars(SO3)
    gradient = eqx.filter_jit(eqx.filter_grad(promote.penalty))(F, X, source=source, target=target)
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(eqx.filter(gradient, eqx.is_array)))


def test_compiled_and_vectorised():
    """Eager, compiled, and over an ensemble of networks at once: the same values and gradients."""
    source, target, m = ACTIONS["points to points"]
    models = [network(m, key=k) for k in range(3)]
    alone = [penalty(F, X, source=source, target=target) for F in models]
    np.testing.assert_allclose(promote.penalty(models[0], X, source=source, target=target), alone[0], rtol=1e-12)
    parts = [eqx.filter(F, eqx.is_array) for F in models]
    rest = eqx.filter(models[0], eqx.is_array, inverse=True)
    of = jax.value_and_grad(lambda part: promote.penalty(eqx.combine(part, rest), X, source=source, target=target))
    values, gradients = jax.jit(jax.vmap(of))(jax.tree.map(lambda *leaves: jnp.stack(leaves), *parts))
    np.testing.assert_allclose(values, alone, rtol=1e-12)
    one = jax.jit(of)(parts[1])[1]
    np.testing.assert_allclose(gradients.layers[1].weight[1], one.layers[1].weight, rtol=1e-6, atol=1e-12)


def test_float32_agrees_with_float64():
    source, target, m = ACTIONS["vectors"]
    F = network(m, dtype=jnp.float32)
    wide = jax.tree.map(lambda leaf: leaf.astype(jnp.float64) if eqx.is_array(leaf) else leaf, F)
    low, high = (
        penalty(F, X.astype(jnp.float32), source=source, target=target),
        penalty(wide, X, source=source, target=target),
    )
    assert low.dtype == jnp.float32
    assert low == pytest.approx(float(high), rel=1e-5)


# Layers.


def test_layers_are_summed():
    F = weights(lambda: eqx.nn.MLP(3, 3, 8, 2, activation=jnp.tanh, key=jax.random.key(0)))
    V, one = action.vectors(SO3), action.scalars(SO3, 5)
    hidden = [V + one, V + one]
    maps = [lambda z: jnp.tanh(F.layers[0](z)), lambda z: jnp.tanh(F.layers[1](z)), lambda z: F.layers[2](z)]

    @jax.jit
    def three_ways(z):
        total, x = 0.0, z
        for f, before, after in zip(maps, [V, *hidden], [*hidden, V], strict=True):
            total += promote.penalty(f, x, source=before, target=after)
            x = jax.vmap(f)(x)
        return (
            total,
            promote.layer_penalty(F, z, source=V, target=V, hidden=hidden),
            promote.layer_penalty(maps, z, source=V, target=V, hidden=hidden),
        )

    expected, of_mlp, of_list = three_ways(X)
    np.testing.assert_allclose([of_mlp, of_list], expected, rtol=1e-12)


def test_a_network_of_equivariant_layers_has_none():
    """Rotations turn three hidden units; the squared length of the input is a fourth."""
    V, one = action.vectors(SO3), action.scalars(SO3)
    layers = [lambda z: jnp.append(2 * z, z @ z), lambda z: z[:3] * jnp.tanh(z[3])]
    assert layer_penalty(layers, X, source=V, target=V, hidden=[V + one]) < 1e-12


# Finite elements.


def test_elements():
    F = network(3)
    P = action.vectors(S3)
    given = P.discrete().dense()
    of = eqx.filter_jit(lambda F, s, t: promote.element_penalty(F, X, source=s, target=t, smoothing=0))
    gaps = [jax.vmap(F)(X @ h.T) @ np.linalg.inv(h).T - jax.vmap(F)(X) for h in given]
    expected = sum(np.linalg.norm(gap) / len(X) ** 0.5 for gap in gaps)
    np.testing.assert_allclose(of(F, P, P), expected, rtol=1e-12)
    np.testing.assert_allclose(
        promote.element_penalty(F, X, source=given, target=given, smoothing=0), expected, rtol=1e-12
    )
    assert of(lambda z: z**3, P, P) == 0
    assert of(lambda z: jnp.sum(z**3), P, None) < 1e-12


def test_affine_elements():
    """Rotations by a third of a turn about a point that is not the origin, of inputs and outputs."""
    c, s = np.cos(2 * np.pi / 3), np.sin(2 * np.pi / 3)
    turn, centre = np.array([[c, -s], [s, c]]), np.array([1.0, 2.0])
    g = np.concatenate([turn, (centre - turn @ centre)[:, None]], axis=1)[None]
    F = lambda z: centre + jnp.sum((z - centre) ** 2) * (z - centre)  # noqa: E731
    assert promote.element_penalty(F, X[:, :2], source=g, target=g) < 1e-12
    assert promote.element_penalty(lambda z: 2 * z, X[:, :2], source=g, target=g) > 0.1


@pytest.mark.parametrize("smoothing", [0.0, 1e-2])
def test_gradients_of_elements(smoothing):
    P = action.vectors(S3)

    def compiled(F):
        of = lambda a: promote.element_penalty(lambda z: F(a, z), X, source=P, target=P, smoothing=smoothing)  # noqa: E731
        return jax.jit(jax.value_and_grad(of))

    assert compiled(lambda a, z: a * z**2)(1.0) == (0, 0)
    broken = compiled(lambda a, z: z**2 + a * jnp.array([1.0, 0, 0]))
    slope = float(broken(0.701)[0] - broken(0.699)[0]) / 2e-3
    assert broken(0.7)[1] == pytest.approx(slope, rel=1e-6)
    # One element is kept, and the other not: (1 2) swaps what is equal here.
    value, slope = compiled(lambda a, z: jnp.stack([z[0], z[1], a * z[2]]))(1.5)
    assert np.isfinite(slope) and slope > 0 and value > 0


# Training.


def test_training_keeps_a_symmetry_and_drops_what_the_data_break():
    """y = |x|^2 / 3 + x_0 from 60 noisy samples: of so(3) only the rotation about the first axis is kept."""
    source = action.vectors(SO3)
    x, free = normal(0, (60, 3)), normal(2, (100, 3))
    y = jnp.sum(x**2, axis=1) / 3 + x[:, 0] + 0.3 * normal(3, (60,))
    F = weights(lambda: eqx.nn.MLP(3, "scalar", 24, 1, activation=jax.nn.gelu, key=jax.random.key(1)), 1)
    optimiser = optax.adam(optax.cosine_decay_schedule(2e-2, 300))
    parts, rest = eqx.partition(F, eqx.is_array)

    def loss(parts):
        F = eqx.combine(parts, rest)
        return jnp.mean((jax.vmap(F)(x) - y) ** 2) + 0.2 * promote.penalty(F, free, source=source)

    def step(carry, _):
        parts, state = carry
        change, state = optimiser.update(jax.grad(loss)(parts), state)
        return (optax.apply_updates(parts, change), state), None

    (parts, _), _ = jax.jit(lambda state: jax.lax.scan(step, state, None, length=300))((parts, optimiser.init(parts)))
    fresh = np.random.default_rng(0).normal(size=(300, 3))
    kept = discover.function(eqx.combine(parts, rest), fresh, source=source)
    axis = SO3.generators.dense()[:, 1, 2]
    assert abs(kept.directions[0] @ axis) / np.linalg.norm(axis) > 0.99
    assert kept.defects[0] < 0.1 < 0.3 < kept.defects[1]


# Messages.

V3 = action.vectors(SO3)

FAULTS = {
    "NumPy": (
        lambda: promote.penalty(lambda z: np.asarray(z), X, source=V3, target=V3),
        TypeError,
        r"turns its input into a NumPy array\. Write it with jax\.numpy\.",
    ),
    "hidden, one action": (
        lambda: promote.layer_penalty([jnp.tanh, jnp.tanh], X, source=V3, target=V3, hidden=V3),
        TypeError,
        r"hidden must be a list of actions.*hidden=\[action\]; got FieldAction",
    ),
    "per_output": (
        lambda: promote.penalty(jnp.tanh, X, source=V3, target=V3, per_output="no"),
        TypeError,
        "per_output must be True or False, got 'no'",
    ),
    "one example": (lambda: promote.penalty(network(3), X[0], source=V3, target=V3), ValueError, r"pass x\[None\]"),
    "width": (
        lambda: promote.penalty(network(3), X[:, :2], source=V3, target=V3),
        ValueError,
        r"shape \(B, 3\).*got \(9, 2\)",
    ),
    "empty": (lambda: promote.penalty(network(3), X[:0], source=V3, target=V3), ValueError, "minibatch of shape"),
    "NaN": (
        lambda: promote.penalty(network(3), X.at[2, 1].set(jnp.nan), source=V3, target=V3),
        ValueError,
        "1 of 9 rows.*first 2",
    ),
    "booleans": (lambda: promote.penalty(network(3), X > 0, source=V3, target=V3), TypeError, "x has dtype bool"),
    "outputs": (lambda: promote.penalty(network(2), X, source=V3, target=V3), ValueError, "target has width 3"),
    "algebras": (
        lambda: promote.penalty(network(3), X, source=V3, target=action.vectors(GL3)),
        ValueError,
        "different algebras",
    ),
    "no candidates": (
        lambda: promote.penalty(network(3), X, source=action.vectors(S3)),
        ValueError,
        "no generators.*element_penalty",
    ),
    "negative": (
        lambda: promote.penalty(network(3), X, source=V3, target=V3, smoothing=-1),
        ValueError,
        "smoothing must be .* -1",
    ),
    "NaN smoothing": (
        lambda: promote.penalty(network(3), X, source=V3, smoothing=np.nan),
        ValueError,
        "smoothing must be",
    ),
    "inner": (
        lambda: promote.penalty(network(3), X, source=V3, target=V3, inner=np.eye(2)),
        ValueError,
        r"inner.*\(3, 3\)",
    ),
    "algebra alone": (lambda: promote.penalty(network(3), X, source=SO3), TypeError, "source must be an action"),
    "no function": (lambda: promote.penalty(3.0, X, source=V3), TypeError, "F must be a function of one example"),
    "numpy model": (lambda: promote.penalty(lambda z: np.sin(z), X, source=V3, target=V3), TypeError, "jax.numpy"),
    "twice": (
        lambda: jax.jit(jax.hessian(lambda a: promote.penalty(lambda z: a * jnp.sin(z), X, source=V3, target=V3)))(1.0),
        NotImplementedError,
        "first derivatives only",
    ),
    "traced NaN": (
        lambda: eqx.filter_jit(promote.penalty)(network(3), X.at[0, 0].set(jnp.inf), source=V3, target=V3),
        RuntimeError,
        "x holds NaN or infinite values in this minibatch",
    ),
    "layers": (lambda: promote.layer_penalty(network(3), X, source=V3, target=V3), ValueError, "1 for 2 layers, got 0"),
    "layer's width": (
        lambda: promote.layer_penalty(network(3), X, source=V3, target=V3, hidden=[V3]),
        ValueError,
        "^layer 0, Linear",
    ),
    "no layers": (
        lambda: promote.layer_penalty(lambda z: z, X, source=V3, target=V3),
        TypeError,
        "use ld.promote.penalty",
    ),
    "no elements": (
        lambda: promote.element_penalty(network(3), X, source=V3, target=V3),
        ValueError,
        "no discrete elements",
    ),
    "elements' shape": (
        lambda: promote.element_penalty(network(3), X, source=np.eye(3)),
        ValueError,
        r"shape \(G, n, n\)",
    ),
    "elements' count": (
        lambda: promote.element_penalty(network(3), X, source=np.eye(3)[None], target=np.stack([np.eye(3)] * 2)),
        ValueError,
        "target has 2 elements, but source 1",
    ),
    "elements' outputs": (
        lambda: promote.element_penalty(network(2), X, source=np.eye(3)[None], target=np.eye(3)[None]),
        ValueError,
        "F returns 2 numbers, but target acts on 3",
    ),
    "singular": (
        lambda: promote.element_penalty(network(3), X, source=np.eye(3)[None], target=np.zeros((1, 3, 3))),
        ValueError,
        "element 0 has no inverse",
    ),
    "elements, NaN": (
        lambda: promote.element_penalty(network(3), X, source=np.full((1, 3, 3), np.nan)),
        ValueError,
        "source holds NaN",
    ),
    "elements, text": (
        lambda: promote.element_penalty(network(3), X, source="S_3"),
        TypeError,
        "source must be an action",
    ),
}


@pytest.mark.parametrize(("call", "fault", "message"), FAULTS.values(), ids=FAULTS.keys())
def test_messages(call, fault, message):
    with pytest.raises(fault, match=message):
        call()
