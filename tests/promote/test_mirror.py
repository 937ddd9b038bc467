"""Mirror symmetries: exact solutions of the norms that products stand for, laws, and faults."""

import equinox as eqx
import jax
import jax.flatten_util
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import scipy.sparse
from drawn import weights
from scipy.optimize import minimize
from sklearn.linear_model import Lasso

from lieder.promote import mirror

RNG = np.random.default_rng(0)
N, P = 60, 20
X = RNG.normal(size=(N, P))
TRUE = np.where(np.arange(P) % 3 == 0, RNG.normal(size=P), 0.0)
Y = X @ TRUE + 0.1 * RNG.normal(size=N)
A = 0.05


def minimum(constrained, loss):
    """Trained to the rounding floor by L-BFGS, then once more from new factors of the same parameters."""
    _, unravel = jax.flatten_util.ravel_pytree(constrained)
    slope = jax.jit(jax.value_and_grad(lambda z: loss(unravel(z).value()) + unravel(z).penalty()))
    options = {"maxiter": 5000, "maxfun": 10000, "ftol": 0.0, "gtol": 1e-12, "maxcor": 30}
    for _ in range(2):
        z = np.asarray(jax.flatten_util.ravel_pytree(constrained)[0])
        z = minimize(lambda z: tuple(map(np.asarray, slope(z))), z, jac=True, method="L-BFGS-B", options=options).x
        found = unravel(jnp.asarray(z))
        constrained = mirror.constrain(found.value(), found.mirrors, penalty=found.strengths)
    return found


def squares(theta):
    return jnp.sum((X @ theta.reshape(P, -1) - Y[:, None]) ** 2) / (2 * N)


def proximal(gradient, step, shrink, start):
    """FISTA with restarts."""
    x = z = start
    t = 1.0
    for _ in range(20000):
        new = shrink(z - step * gradient(z), step)
        if np.sum((z - new) * (new - x)) > 0:
            t = 1.0
        after = (1 + np.sqrt(1 + 4 * t * t)) / 2
        z = new + (t - 1) / after * (new - x)
        if np.abs(new - x).max() < 1e-15 and np.abs(new - z).max() < 1e-15:
            break
        x, t = new, after
    return new


def layers(dtype=jnp.float64, bias=True):
    key = jax.random.key(0)
    first = weights(lambda: eqx.nn.Linear(3, 6, use_bias=bias, key=key, dtype=dtype), 0)
    second = weights(lambda: eqx.nn.Linear(6, 2, key=key, dtype=dtype), 1)
    return [first, eqx.nn.Lambda(jnp.tanh), second]


INTO = lambda m: (m[0].weight, m[0].bias)  # noqa: E731
OUT_OF = lambda m: m[2].weight  # noqa: E731


def forward(model):
    return jax.vmap(eqx.nn.Sequential(model))(jnp.asarray(X[:, :3], model[0].weight.dtype))


# Exact solutions


def test_elementwise_is_the_lasso():
    found = minimum(mirror.constrain(jnp.zeros(P), mirror.entries(jnp.zeros(P)), penalty=A / 2), squares)
    exact = Lasso(alpha=A, tol=1e-15, max_iter=100000, fit_intercept=False).fit(X, Y).coef_
    np.testing.assert_allclose(found.value(), exact, atol=1e-6 * np.abs(exact).max())
    np.testing.assert_allclose(found.penalty(), A * np.abs(exact).sum(), rtol=1e-6)
    np.testing.assert_allclose(found.penalty(), found.norm(), rtol=1e-9)
    assert (found.project().zero[0] == (exact == 0)).all()
    assert ((np.asarray(found.project().value) == 0) == (exact == 0)).all()


def test_elementwise_along_rotated_directions():
    """The lasso of other coordinates, with directions that stay free."""
    RNG = np.random.default_rng(1)
    O = np.linalg.qr(RNG.normal(size=(P, P)))[0]  # noqa: E741
    k = 12
    found = minimum(mirror.constrain(jnp.ones(P), O[:, :k], penalty=A / 2), squares)
    rotated, free = X @ O[:, :k], X @ O[:, k:]
    off = np.eye(N) - free @ np.linalg.pinv(free)  # what the free directions cannot explain
    exact = Lasso(alpha=A, tol=1e-15, max_iter=100000, fit_intercept=False).fit(off @ rotated, off @ Y).coef_
    np.testing.assert_allclose(O[:, :k].T @ found.value(), exact, atol=1e-6 * np.abs(exact).max())


def test_groups_are_the_group_lasso():
    groups = np.repeat(np.arange(5), 4)
    found = minimum(mirror.constrain(jnp.zeros(P), np.eye(P), penalty=A, kind="group", groups=groups), squares)

    def shrink(z, step):
        lengths = np.linalg.norm(z.reshape(5, 4), axis=1, keepdims=True)
        return (z.reshape(5, 4) * np.maximum(1 - 2 * A * step / np.maximum(lengths, 1e-300), 0)).ravel()

    exact = proximal(lambda z: X.T @ (X @ z - Y) / N, N / np.linalg.norm(X, 2) ** 2, shrink, np.zeros(P))
    np.testing.assert_allclose(found.value(), exact, atol=1e-6 * np.abs(exact).max())
    np.testing.assert_allclose(found.penalty(), 2 * A * np.linalg.norm(exact.reshape(5, 4), axis=1).sum(), rtol=1e-6)


def test_one_group_vanishes_as_a_whole():
    large = float(np.linalg.norm(X.T @ Y / N))  # 2 a above the slope at zero
    for a, kept in ((0.45 * large, 1), (0.55 * large, 0)):
        found = minimum(mirror.constrain(jnp.ones(P), np.eye(P), penalty=a, kind="group"), squares)
        assert found.project().kept == (kept,)


def test_low_rank_is_the_nuclear_norm():
    RNG = np.random.default_rng(1)
    m = 8
    true = RNG.normal(size=(P, 2)) @ RNG.normal(size=(2, m))
    Z = X @ true + 0.3 * RNG.normal(size=(N, m))
    loss = lambda W: jnp.sum((X @ W - Z) ** 2) / (2 * N)  # noqa: E731
    start = jnp.zeros((P, m))
    found = minimum(mirror.constrain(start, mirror.entries(start, kind="low rank"), penalty=A), loss)

    def shrink(W, step):
        left, values, right = np.linalg.svd(W, full_matrices=False)
        return (left * np.maximum(values - 2 * A * step, 0)) @ right

    exact = proximal(lambda W: X.T @ (X @ W - Z) / N, N / np.linalg.norm(X, 2) ** 2, shrink, np.zeros((P, m)))
    np.testing.assert_allclose(found.value(), exact, atol=1e-6 * np.abs(exact).max())
    record = found.project()
    rank = np.linalg.matrix_rank(exact, 1e-6)
    assert 2 <= rank < m and record.kept == (rank,) and np.linalg.matrix_rank(record.value) == rank


def test_gradient_descent_reaches_the_lasso():
    """The optimiser of the user's own training, and no more."""
    optimiser = optax.sgd(0.05, momentum=0.9)
    constrained = mirror.constrain(jnp.zeros(P), np.eye(P), penalty=A / 2)

    @jax.jit
    def step(carry, _):
        constrained, state = carry
        slope = jax.grad(lambda c: squares(c.value()) + c.penalty())(constrained)
        change, state = optimiser.update(slope, state)
        return (optax.apply_updates(constrained, change), state), None

    (found, _), _ = jax.lax.scan(step, (constrained, optimiser.init(constrained)), length=40000)
    exact = Lasso(alpha=A, tol=1e-15, max_iter=100000, fit_intercept=False).fit(X, Y).coef_
    np.testing.assert_allclose(found.value(), exact, atol=1e-11)


# Laws

MIRRORS = {
    "rescaling": lambda m: mirror.rescaling(m, INTO, OUT_OF),
    "rotation": lambda m: mirror.rotation(m, INTO, OUT_OF),
    "one rotation": lambda m: mirror.rotation(m, INTO, OUT_OF, direction=np.arange(6.0)),
    "permutation": lambda m: mirror.permutation(m, INTO, OUT_OF),
    "pairs": lambda m: mirror.permutation(m, INTO, OUT_OF, clusters=[[0, 3], [5, 1]]),
    "entries": mirror.entries,
    "matrix": lambda m: mirror.entries(m, where=lambda m: m[0].weight, kind="low rank"),
    "own": lambda m: mirror.own(m, np.eye(6)[:, :2], where=lambda m: m[0].bias),
    "sparse": lambda m: mirror.own(m, scipy.sparse.eye_array(12).tocsc()[:, 3:7], where=OUT_OF, kind="group"),
    "function": lambda m: mirror.own(m, lambda c: jnp.concatenate([0 * c, c]), where=lambda m: m[0].bias, dim=3),
    "several": lambda m: (mirror.rescaling(m, INTO, OUT_OF), mirror.entries(m, where=lambda m: m[2].bias)),
    "orthogonal": lambda m: tuple(mirror.own(m, np.eye(6)[:, [k]], where=lambda m: m[0].bias) for k in (1, 4)),
}


QUICK = ("rescaling", "rotation", "permutation", "sparse", "function", "several")
KINDS = [pytest.param(name, jnp.float64, marks=[] if name in QUICK else pytest.mark.slow) for name in MIRRORS]
KINDS += [pytest.param(name, jnp.float32, marks=[] if name == "several" else pytest.mark.slow) for name in MIRRORS]


@pytest.mark.parametrize(("name", "dtype"), KINDS, ids=lambda part: part if isinstance(part, str) else part.__name__)
def test_laws(name, dtype, tmp_path):
    """In double precision, and in single with x64 off."""
    with jax.enable_x64(dtype == jnp.float64):
        check_laws(MIRRORS[name], dtype, tmp_path)


def check_laws(make, dtype, tmp_path):
    model = layers(dtype)
    model[0] = eqx.tree_at(lambda one: one.bias, model[0], jnp.zeros(6, dtype))  # at zero: the saddle
    made = make(model)
    constrained = mirror.constrain(model, made, penalty=0.1)
    small = 1e-12 if dtype == jnp.float64 else 1e-5

    @eqx.filter_jit
    def look(c, strength):
        objective = lambda c: jnp.sum((forward(c.value()) - 1) ** 2) + c.penalty()  # noqa: E731
        return c.value(), c.penalty(), c.norm(), c.penalty(strength), eqx.filter_grad(objective)(c)

    value, penalty, norm, twice, slope = look(constrained, 0.2)
    assert jax.tree.structure(value) == jax.tree.structure(model)
    for ours, theirs in zip(jax.tree.leaves(value), jax.tree.leaves(model), strict=True):
        if eqx.is_array(theirs):
            assert ours.dtype == theirs.dtype
            np.testing.assert_allclose(ours, theirs, atol=small)
    assert penalty >= norm * (1 - small) and penalty.dtype == dtype
    np.testing.assert_allclose(twice, 2 * penalty, rtol=small)
    for pair in slope.factors:  # no product is at its saddle
        assert all(np.isfinite(part).all() for part in pair) and any(np.abs(part).max() > 0 for part in pair)

    # Mirrors are equal by content, so that a training step compiles once.
    again = mirror.constrain(model, make(model), penalty=0.1)
    if make is not MIRRORS["function"]:
        assert jax.tree.structure(constrained) == jax.tree.structure(again)
    eqx.tree_serialise_leaves(tmp_path / "c.eqx", constrained)
    other = jax.tree.map(lambda leaf: 2 * leaf if eqx.is_array(leaf) else leaf, constrained)
    loaded = eqx.tree_deserialise_leaves(tmp_path / "c.eqx", other)
    assert eqx.tree_equal(loaded, constrained)

    record = constrained.project(0.999)
    assert jax.tree.structure(record.value) == jax.tree.structure(model)
    assert [leaf.dtype for leaf in jax.tree.leaves(record.value) if eqx.is_array(leaf)] == [dtype] * 4
    assert "are zero" in repr(record)
    unmoved = constrained.project(0)
    assert unmoved.distance < small
    np.testing.assert_allclose(unmoved.value[0].weight, model[0].weight, atol=small)


def test_gradients_are_right():
    RNG = np.random.default_rng(1)
    model = layers()
    constrained = mirror.constrain(model, MIRRORS["permutation"](model), penalty=0.1)
    flat, unravel = jax.flatten_util.ravel_pytree(eqx.filter(constrained, eqx.is_array))
    static = eqx.filter(constrained, eqx.is_array, inverse=True)

    @jax.jit
    def objective(z):
        c = eqx.combine(unravel(z), static)
        return jnp.sum((forward(c.value()) - 1) ** 2) + c.penalty()

    way = RNG.normal(size=len(flat))
    step = 1e-6 * way
    rate = (objective(flat + step) - objective(flat - step)) / 2e-6
    np.testing.assert_allclose(jax.grad(objective)(flat) @ way, rate, rtol=1e-7)


@pytest.mark.parametrize("name", ["rescaling", "one rotation", "permutation", "own", "sparse", "function"])
def test_directions_are_orthonormal(name):
    RNG = np.random.default_rng(1)
    made = MIRRORS[name](layers())
    O = np.asarray(jax.jit(jax.vmap(made.directions.combine))(jnp.eye(made.dim))).T  # noqa: E741
    np.testing.assert_allclose(O.T @ O, np.eye(made.dim), atol=1e-14)
    theta = RNG.normal(size=made.size)
    do = jax.jit(lambda z: (made.directions.components(z), made.directions.without(z)))
    c, rest = do(theta)
    np.testing.assert_allclose(c, O.T @ theta, atol=1e-13)
    np.testing.assert_allclose(rest, theta - O @ (O.T @ theta), atol=1e-13)


def test_norms():
    """Balanced, the penalty at construction is 2 a times the norm."""
    RNG = np.random.default_rng(1)
    W = jnp.asarray(RNG.normal(size=(4, 3)) + 3 * np.eye(4, 3))
    every = mirror.entries(W)
    np.testing.assert_allclose(mirror.constrain(W, every, penalty=0.5, offset=1e-6).penalty(), jnp.abs(W).sum())
    low = mirror.entries(W, kind="low rank")
    np.testing.assert_allclose(mirror.constrain(W, low, penalty=0.5, offset=1e-6).penalty(), np.linalg.norm(W, "nuc"))
    group = mirror.own(W, np.eye(12), kind="group", groups=np.repeat(np.arange(4), 3))
    np.testing.assert_allclose(
        mirror.constrain(W, group, penalty=0.5, offset=1e-6).penalty(), np.linalg.norm(W, axis=1).sum()
    )
    both = mirror.constrain(
        W, (mirror.own(W, np.eye(12)[:, :1]), mirror.own(W, np.eye(12)[:, 1:3])), penalty=(0.5, 1.5), offset=1e-6
    )
    np.testing.assert_allclose(both.penalty(), abs(W[0, 0]) + 3 * (abs(W[0, 1]) + abs(W[0, 2])))
    np.testing.assert_allclose(both.norm(), both.penalty())


def test_an_ensemble():
    """vmap over models: the operator is shared, projection is one by one."""
    RNG = np.random.default_rng(1)
    starts = jnp.asarray(RNG.normal(size=(3, P)))
    every = mirror.entries(starts[0])
    stack = eqx.filter_vmap(lambda w: mirror.constrain(w, every, penalty=0.1))(starts)
    np.testing.assert_allclose(eqx.filter_vmap(lambda c: c.value())(stack), starts, atol=1e-13)
    np.testing.assert_allclose(
        eqx.filter_vmap(lambda c: c.penalty())(stack), 0.2 * jnp.abs(starts).sum(axis=1), rtol=1e-2
    )
    with pytest.raises(ValueError, match="a stack of models: take one"):
        stack.project()
    assert jax.tree.map(lambda leaf: leaf[1], stack).project().kept == (P,)


def test_numpy_parameters_and_tuples():
    params = {"a": np.ones(3, np.float32), "b": (np.arange(4.0), "a name", np.arange(3))}
    made = mirror.constrain(params, np.eye(7), penalty=0.1, where=lambda p: (p["a"], p["b"][0]))
    value = made.value()
    assert value["b"][1] == "a name" and value["a"].dtype == np.float32 and value["b"][0].dtype == np.float64
    np.testing.assert_allclose(value["b"][0], np.arange(4.0), atol=1e-13)


def test_dead_units_are_exactly_zero():
    model = layers()
    dying = mirror.constrain(model, mirror.rescaling(model, INTO, OUT_OF), penalty=0.1)
    s, u = dying.factors[0]
    dying = eqx.tree_at(lambda c: c.factors, dying, ((s.at[jnp.array([1, 4])].set(1e-6), u),))
    record = dying.project()
    assert record.zero[0].tolist() == [False, True, False, False, True, False]
    assert dying.mirrors[0].names == record.names[0] == tuple(f"unit {number}" for number in range(6))
    first, _, second = record.value
    assert not np.asarray(first.weight)[[1, 4]].any() and not np.asarray(second.weight)[:, [1, 4]].any()
    assert np.asarray(first.bias)[0] != 0


@pytest.mark.parametrize("dtype", [jnp.float64, jnp.float32], ids=["float64", "float32"])
def test_merged_units_are_exactly_equal(dtype):
    model = layers(dtype)
    made = mirror.permutation(model, INTO, OUT_OF, clusters=[[0, 2, 5], [1, 3]])
    merging = mirror.constrain(model, made, penalty=0.1)
    s, u = merging.factors[0]
    record = eqx.tree_at(lambda c: c.factors, merging, ((1e-6 * s, u),)).project()
    first, _, second = record.value
    units = np.concatenate([first.weight, first.bias[:, None], second.weight.T], axis=1)
    assert (units[[2, 5]] == units[0]).all() and (units[3] == units[1]).all()
    assert len(np.unique(units, axis=0)) == 3
    start = np.concatenate([model[0].weight, model[0].bias[:, None], model[2].weight.T], axis=1)
    np.testing.assert_allclose(units[0], start[[0, 2, 5]].mean(axis=0), rtol=1e-5)
    assert "units 1 - 3" in (made.names or ())


def test_layouts_of_layers():
    """x W, and queries and keys: the same mirror, other axes."""
    model = layers(bias=False)
    turned = [model[0].weight.T, model[2].weight.T]
    ours = mirror.rescaling(model, lambda m: m[0].weight, OUT_OF)
    theirs = mirror.rescaling(turned, lambda m: m[0], lambda m: m[1], axes=(-1, 0))
    a, b = (mirror.constrain(p, o, penalty=0.1) for p, o in ((model, ours), (turned, theirs)))
    np.testing.assert_allclose(a.penalty(), b.penalty())
    rows = [model[0].weight, model[2].weight.T]
    attention = mirror.rotation(rows, lambda m: m[0], lambda m: m[1], axes=(0, 0))
    np.testing.assert_allclose(
        mirror.constrain(rows, attention, penalty=0.5, offset=1e-6).penalty(),
        np.linalg.norm(np.concatenate(rows, axis=1), "nuc"),
    )


# Which symmetries a loss has


def test_defect():
    model = layers()
    odd = mirror.rescaling(model, INTO, OUT_OF)
    assert mirror.defect(forward, model, odd) < 1e-15
    assert mirror.defect(forward, model, odd, each=True).max() < 1e-15
    pairs = mirror.permutation(model, INTO, OUT_OF, clusters=[[0, 3], [5, 1]])
    assert mirror.defect(forward, model, pairs, each=True).shape == (2,)
    assert mirror.defect(forward, model, pairs) < 1e-15
    turn = mirror.rotation(model, INTO, OUT_OF, direction=np.ones(6))
    assert mirror.defect(forward, model, turn) > 1e-2  # tanh does not commute with rotations
    linear = [model[0], eqx.nn.Lambda(lambda x: x), model[2]]
    assert mirror.defect(forward, linear, turn) < 1e-14
    relu = [model[0], eqx.nn.Lambda(jax.nn.relu), model[2]]
    assert mirror.defect(forward, relu, odd) > 1e-2
    assert mirror.defect(lambda t: jnp.abs(t), jnp.arange(1.0, 4), np.eye(3), each=True).tolist() == [0, 0, 0]
    with pytest.raises(ValueError, match="lie on the mirror"):
        mirror.defect(jnp.sum, jnp.array([1.0, 0.0]), np.eye(2)[:, [1]])
    with pytest.raises(ValueError, match="loss returns NaN"):
        mirror.defect(lambda t: jnp.log(-t), jnp.ones(2), np.eye(2))


# Removal


def test_removal_laws(tmp_path):
    for dtype in (jnp.float64, jnp.bfloat16):
        model = layers(dtype)
        removed = mirror.remove(model, penalty=0.1, key=jax.random.key(0), spread=0.5)
        value = eqx.filter_jit(lambda s: s.value())(removed)
        assert jax.tree.structure(value) == jax.tree.structure(model)
        assert value[0].weight.dtype == dtype
        np.testing.assert_allclose(value[0].weight, model[0].weight, atol=float(jnp.finfo(dtype).eps))
    shifted = mirror.remove(layers(), penalty=0.1, key=jax.random.key(0), spread=0.5)
    slope = eqx.filter_jit(eqx.filter_grad(lambda s: jnp.sum(forward(s.value())) + s.penalty()))(shifted)
    assert all(part is None for part in slope.shift)  # optimisers leave theta_0 as it is
    trained = [leaf for leaf in jax.tree.leaves(eqx.filter(shifted, eqx.is_inexact_array))]
    assert len(trained) == 4
    eqx.tree_serialise_leaves(tmp_path / "s.eqx", shifted)
    other = mirror.remove(layers(), penalty=0.1, key=jax.random.key(5), spread=0.5)
    assert eqx.tree_equal(eqx.tree_deserialise_leaves(tmp_path / "s.eqx", other), shifted)
    plain = mirror.remove(jnp.ones(4), penalty=0.5, key=jax.random.key(0))
    np.testing.assert_allclose(plain.penalty(), 0.5 * jnp.sum(plain.parameters**2))
    np.testing.assert_allclose(plain.penalty(1.0), 2 * plain.penalty())


def test_removal_size_and_spread():
    params = {"w": 3 * jnp.ones((100, 400)), "b": jnp.zeros(40_000), "n": jnp.arange(3)}
    shifted = mirror.remove(params, penalty=0.1, key=jax.random.key(0), scale=0.02, spread=0.3)
    moved = params["w"] - shifted.parameters["w"]
    np.testing.assert_allclose(np.std(moved), 0.06, rtol=0.05)
    np.testing.assert_allclose(np.std(shifted.parameters["b"]), 0.06 * np.sqrt(0.5), rtol=0.05)
    assert (shifted.value()["n"] == params["n"]).all()
    weights = jax.grad(lambda w: mirror.Shifted(w, *rest).penalty())
    rest = (shifted.shift, shifted.weights, shifted.leaves, 0.5)
    ratio = weights({**shifted.parameters, "n": jnp.zeros(3)})["w"] / shifted.parameters["w"]
    assert 0.7 <= ratio.min() < 0.71 and 1.29 < ratio.max() <= 1.3


def test_removal_prevents_collapse():
    """A deep linear chain near zero: with its symmetry it decays to nothing, without it it fits.

    Near means that the decay is steeper than the loss: at .001 it held for 400 of 400 starts, at .01 for half of them.
    """
    x = X[:, :3]
    y = x @ np.array([1.0, -2.0, 0.5])
    rng = np.random.default_rng(11)
    start = [0.001 * jnp.asarray(rng.normal(size=shape)) for shape in ((3, 8), (8, 8), (8, 1))]
    loss = lambda w: jnp.mean((x @ w[0] @ w[1] @ w[2] - y[:, None]) ** 2)  # noqa: E731

    def train(params, value, penalty):
        slope = eqx.filter_grad(lambda p: loss(value(p)) + penalty(p))

        @jax.jit
        def move(p, _):
            return eqx.apply_updates(p, jax.tree.map(lambda g: -0.02 * g, slope(p))), None

        return float(loss(value(jax.lax.scan(move, params, length=2000)[0])))

    decayed = train(start, lambda p: p, lambda p: 0.05 * sum(jnp.sum(w**2) for w in p))
    assert decayed > 0.99 * np.mean(y**2)
    shifted = mirror.remove(start, penalty=0.05, key=jax.random.key(0), scale=100.0)
    assert train(shifted, lambda p: p.value(), lambda p: p.penalty()) < 0.1 * np.mean(y**2)


# Faults

W = jnp.ones((2, 3))
ZERO_START = {"where": lambda p: p["w"]}
FAULTS = {
    "O too tall": (
        lambda: mirror.constrain(W, np.eye(5), penalty=0.1),
        ValueError,
        r"O has 5 rows, but the selected.* 6 numbers",
    ),
    "O rank": (lambda: mirror.constrain(W, np.ones((6, 2)), penalty=0.1), ValueError, "2 columns but rank 1"),
    "O zero": (lambda: mirror.constrain(W, np.zeros((6, 1)), penalty=0.1), ValueError, "1 columns but rank 0"),
    "O wide": (lambda: mirror.constrain(W, np.ones((6, 7)), penalty=0.1), ValueError, "7 columns in a space of 6"),
    "O no columns": (lambda: mirror.constrain(W, np.zeros((6, 0)), penalty=0.1), ValueError, "O has no columns"),
    "O NaN": (lambda: mirror.constrain(W, np.full((6, 1), np.nan), penalty=0.1), ValueError, "O holds NaN"),
    "O shape": (lambda: mirror.constrain(W, np.ones((6, 1, 1)), penalty=0.1), ValueError, "O must be a matrix"),
    "O text": (lambda: mirror.constrain(W, "identity", penalty=0.1), TypeError, "O must be a matrix of real numbers"),
    "O complex": (
        lambda: mirror.constrain(W, 1j * np.eye(6), penalty=0.1),
        TypeError,
        "O must be a matrix of real numbers",
    ),
    "O sparse, oblique": (
        lambda: mirror.constrain(W, 2 * scipy.sparse.eye_array(6), penalty=0.1),
        ValueError,
        "O is sparse and its columns are not orthonormal",
    ),
    "O sparse, NaN": (
        lambda: mirror.constrain(W, np.nan * scipy.sparse.eye_array(6), penalty=0.1),
        ValueError,
        "O holds NaN",
    ),
    "O function without dim": (lambda: mirror.constrain(W, lambda c: c, penalty=0.1), ValueError, "say with dim"),
    "O function, oblique": (
        lambda: mirror.constrain(W, lambda c: 2 * c, penalty=0.1, dim=6),
        ValueError,
        "not orthonormal",
    ),
    "O function, bent": (
        lambda: mirror.constrain(W, lambda c: c**2, penalty=0.1, dim=6),
        ValueError,
        "O must be linear",
    ),
    "O function, size": (lambda: mirror.constrain(W, lambda c: c, penalty=0.1, dim=5), ValueError, "O has 5 rows"),
    "O function, matrix": (
        lambda: mirror.constrain(W, jnp.diag, penalty=0.1, dim=2),
        ValueError,
        "O must return a vector",
    ),
    "O mixed": (
        lambda: mirror.constrain(W, (mirror.entries(W), np.eye(6)), penalty=0.1),
        TypeError,
        "a tuple of Mirrors",
    ),
    "penalty negative": (
        lambda: mirror.constrain(W, np.eye(6), penalty=-0.1),
        ValueError,
        "penalty must be .* got -0.1",
    ),
    "penalty NaN": (lambda: mirror.constrain(W, np.eye(6), penalty=np.nan), ValueError, "penalty must be .* got nan"),
    "penalty text": (lambda: mirror.constrain(W, np.eye(6), penalty="much"), ValueError, "penalty must be .* got much"),
    "penalties": (
        lambda: mirror.constrain(W, np.eye(6), penalty=(0.1, 0.2)),
        ValueError,
        "penalty has 2 numbers for 1",
    ),
    "offset": (lambda: mirror.constrain(W, np.eye(6), penalty=0.1, offset=0), ValueError, "offset must be a positive"),
    "kind": (
        lambda: mirror.constrain(W, np.eye(6), penalty=0.1, kind="sparse"),
        ValueError,
        "kind must be one of 'element",
    ),
    "groups, elementwise": (
        lambda: mirror.constrain(W, np.eye(6), penalty=0.1, groups=np.arange(6)),
        ValueError,
        "groups are for kind='group'",
    ),
    "groups": (lambda: mirror.own(W, np.eye(6), kind="group", groups=[0, 1]), ValueError, "groups must be 6 integers"),
    "shape": (lambda: mirror.own(W, np.eye(6), kind="low rank", shape=(2, 2)), ValueError, "m n = 6"),
    "shape, elementwise": (lambda: mirror.own(W, np.eye(6), shape=(2, 3)), ValueError, "shape is for kind='low rank'"),
    "shape of two": (lambda: mirror.entries((W, W), kind="low rank"), ValueError, "say which matrix"),
    "kind twice": (
        lambda: mirror.constrain(W, mirror.entries(W), penalty=0.1, kind="group"),
        ValueError,
        "a Mirror has its own",
    ),
    "where twice": (
        lambda: mirror.constrain(W, mirror.entries(W), penalty=0.1, where=lambda w: w),
        ValueError,
        "a Mirror has its own",
    ),
    "integers": (lambda: mirror.entries(np.arange(3), where=lambda p: p), TypeError, "selects params, dtype int64"),
    "function leaf": (lambda: mirror.entries(layers(), where=lambda m: m[1].fn), TypeError, r"params\[1\].fn, a "),
    "nothing": (lambda: mirror.entries({"n": 3}), ValueError, "params holds no floating-point array"),
    "nothing selected": (lambda: mirror.entries(W, where=lambda w: ()), ValueError, "where selects no leaf"),
    "no bias": (
        lambda: mirror.entries(layers(bias=False), where=lambda m: m[0].bias),
        ValueError,
        "where selects no leaf",
    ),
    "twice": (lambda: mirror.entries(W, where=lambda w: (w, w)), ValueError, "selects a leaf of params twice"),
    "computed": (lambda: mirror.entries(W, where=lambda w: w.T), ValueError, "where cannot be applied"),
    "constant": (lambda: mirror.entries(W, where=lambda w: 3), ValueError, "where must return leaves"),
    "empty leaf": (lambda: mirror.entries(jnp.ones((0, 2)), where=lambda w: w), ValueError, "holds no number"),
    "NaN": (
        lambda: mirror.constrain(W.at[0, 0].set(np.nan), np.eye(6), penalty=0.1),
        ValueError,
        "params holds NaN .* in params",
    ),
    "other params": (
        lambda: mirror.constrain(jnp.ones(4), mirror.entries(W), penalty=0.1),
        ValueError,
        "made for other params",
    ),
    "fewer params": (
        lambda: mirror.constrain(W, mirror.entries((W, W)), penalty=0.1),
        ValueError,
        "made for other params",
    ),
    "shared directions": (
        lambda: mirror.constrain(W, (mirror.entries(W), mirror.own(W, np.eye(6)[:, :1])), penalty=0.1),
        ValueError,
        "share directions on params",
    ),
    "units": (
        lambda: mirror.rescaling(layers(), INTO, lambda m: m[2].bias, axes=(0, 0)),
        ValueError,
        "do not have the same number of units: .*weight 6, .*bias 6, .*bias 2",
    ),
    "no such axis": (lambda: mirror.rescaling(layers(), INTO, lambda m: m[2].bias), ValueError, "no axis 1 of units"),
    "same layer": (lambda: mirror.rotation(layers(), INTO, INTO, axes=(0, 0)), ValueError, "different leaves"),
    "direction": (
        lambda: mirror.rotation(layers(), INTO, OUT_OF, direction=np.zeros(6)),
        ValueError,
        "direction must be 6 finite numbers",
    ),
    "clusters of one": (
        lambda: mirror.permutation(layers(), INTO, OUT_OF, clusters=[[0]]),
        ValueError,
        "clusters must hold two units or more",
    ),
    "clusters overlap": (
        lambda: mirror.permutation(layers(), INTO, OUT_OF, clusters=[[0, 1], [1, 2]]),
        ValueError,
        "different units from 0 to 5",
    ),
    "tolerance": (lambda: mirror.constrain(W, np.eye(6), penalty=0.1).project(-1), ValueError, "tolerance must be"),
    "tolerance text": (
        lambda: mirror.constrain(W, np.eye(6), penalty=0.1).project("a"),
        ValueError,
        "tolerance .* got 'a'",
    ),
    "no loss": (lambda: mirror.defect(3, W, np.eye(6)), TypeError, "loss must be a function of params.* got int"),
    "loss of other params": (lambda: mirror.defect(lambda p: p["w"], W, np.eye(6)), TypeError, "loss cannot be eval"),
    "loss of text": (lambda: mirror.defect(lambda p: "high", W, np.eye(6)), TypeError, "loss must return real numbers"),
    "params": (lambda: mirror.defect(lambda p: p, 3, np.eye(6)), ValueError, "params holds no floating-point array"),
    "each": (lambda: mirror.defect(jnp.sum, W, np.eye(6), each="no"), TypeError, "each must be True or False"),
    "dim text": (
        lambda: mirror.constrain(W, lambda c: c, penalty=0.1, dim="six"),
        ValueError,
        "dim must be a whole number",
    ),
    "shape text": (lambda: mirror.own(W, np.eye(6), kind="low rank", shape="ab"), ValueError, "shape must be .* 'ab'"),
    "axes": (lambda: mirror.rotation(layers(), INTO, OUT_OF, axes=3), ValueError, "axes must be two whole numbers"),
    "direction text": (
        lambda: mirror.rotation(layers(), INTO, OUT_OF, direction="up"),
        TypeError,
        "direction must be 6 numbers",
    ),
    "clusters text": (
        lambda: mirror.permutation(layers(), INTO, OUT_OF, clusters=["ab"]),
        TypeError,
        "clusters must be lists of unit numbers",
    ),
    "key": (lambda: mirror.remove(W, penalty=0.1, key=0), TypeError, r"key must be a random key, .*; got 0"),
    "tolerance NaN": (
        lambda: mirror.constrain(W, np.eye(6), penalty=0.1).project(np.nan),
        ValueError,
        "tolerance must be",
    ),
    "diverged": (
        lambda: jax.tree.map(lambda leaf: np.nan * leaf, mirror.constrain(W, np.eye(6), penalty=0.1)).project(),
        ValueError,
        "the training diverged",
    ),
    "remove, penalty": (lambda: mirror.remove(W, penalty=-1.0, key=jax.random.key(0)), ValueError, "penalty must be"),
    "remove, scale": (
        lambda: mirror.remove(W, penalty=0.1, key=jax.random.key(0), scale=0.0),
        ValueError,
        "scale must be",
    ),
    "remove, spread": (
        lambda: mirror.remove(W, penalty=0.1, key=jax.random.key(0), spread=1.0),
        ValueError,
        "spread must be",
    ),
    "remove, NaN": (
        lambda: mirror.remove(np.nan * W, penalty=0.1, key=jax.random.key(0)),
        ValueError,
        "params holds NaN",
    ),
    "remove, integers": (
        lambda: mirror.remove(np.arange(2), penalty=0.1, key=jax.random.key(0), where=lambda w: w),
        TypeError,
        "dtype int64",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_faults(fault):
    act, kind, message = FAULTS[fault]
    with pytest.raises(kind, match=message):
        act()


def test_oblique_directions_are_orthonormalised_and_it_says_so():
    RNG = np.random.default_rng(1)
    oblique = np.array([[1.0, 1.0], [0.0, 2.0], [0.0, 0.0]])
    with pytest.warns(UserWarning, match="no orthonormal columns .*they are replaced"):
        made = mirror.own(jnp.ones(3), oblique)
    np.testing.assert_allclose(made.directions.matrix.array, np.eye(3)[:, :2], atol=1e-15)
    # Single precision is no fault.
    turned = np.linalg.qr(RNG.normal(size=(3, 2)))[0].astype(np.float32)
    again = mirror.own(jnp.ones(3), turned).directions.matrix.array
    np.testing.assert_allclose(again, turned, atol=1e-6)
    np.testing.assert_allclose(again.T @ again, np.eye(2), atol=1e-15)


def test_a_direction_alone():
    assert mirror.own(jnp.ones(3), np.array([0.0, 1.0, 0.0])).dim == 1


def test_all_parameters_zero():
    """Every direction begins at the saddle, and leaves it; all may vanish again."""
    made = mirror.constrain(jnp.zeros(P), np.eye(P), penalty=A / 2)
    assert (made.value() == 0).all() and (jax.grad(lambda c: squares(c.value()))(made).factors[0][1] != 0).all()
    record = mirror.constrain(jnp.zeros(P), np.eye(P), penalty=0.0).project()
    assert record.kept == (0,) and record.distance == 0.0
