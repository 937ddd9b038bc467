"""Laws that every layer keeps, over a table of groups and representations."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.linalg
from drawn import normal

import lieder as ld

# The group, and the representations of inputs and outputs over its vectors V and scalars S.
CASES = {
    "so(2)": (ld.algebra.so(2), lambda V, S: 2 * V + S, lambda V, S: V + S),
    "so(3)": (ld.algebra.so(3), lambda V, S: V * V + V, lambda V, S: 2 * V + V * V + S),
    "o(3)": (ld.algebra.o(3), lambda V, S: 3 * V + S, lambda V, S: V + V * V),
    "so(1,3)": (ld.algebra.so(1, 3), lambda V, S: 3 * V + S, lambda V, S: V + S),
    "sl(2)": (ld.algebra.sl(2), lambda V, S: 2 * V + V.dual, lambda V, S: V.dual + S),
    "sp(4)": (ld.algebra.sp(4), lambda V, S: 3 * V, lambda V, S: V + S),
    "su(2)": (ld.algebra.su(2), lambda V, S: 2 * V + S, lambda V, S: V + S),
    "S_4": (ld.algebra.symmetric(4), lambda V, S: 2 * V + V * V, lambda V, S: V + S),
    "D_5": (ld.algebra.dihedral(5), lambda V, S: 2 * V, lambda V, S: V + S),
    "se(3) vectors": (ld.algebra.se(3), lambda V, S: 3 * V + S, lambda V, S: V + S),
}
POINTS = "se(3) points"


def representations(case):
    if case == POINTS:
        algebra = ld.algebra.se(3)
        return 3 * ld.points(algebra) + ld.scalars(algebra), ld.vectors(algebra) + ld.scalars(algebra)
    algebra, source, target = CASES[case]
    V, S = ld.vectors(algebra), ld.scalars(algebra)
    return source(V, S), target(V, S)


def transformations(actions, rng):
    """One random element of the group, as a function of points for each action: exponentials, then finite elements."""
    algebra = actions[0].algebra
    xi = 0.4 * rng.normal(size=algebra.dim)
    elements = rng.integers(0, len(algebra.components), size=3) if len(algebra.components) else []

    def move(action):
        n = action.width
        matrix = np.zeros((n + 1, n + 1))
        matrix[:n] = np.tensordot(xi, action.affine().dense(), axes=1)
        matrix = scipy.linalg.expm(matrix)
        for j in elements:
            step = np.eye(n + 1)
            step[:n, :n] = action.elements.dense()[j][:, :n]
            matrix = step @ matrix
        return lambda z: z @ matrix[:n, :n].T + matrix[:n, n]

    return [move(action) for action in actions]


def modules(case, dtype):
    source, target = representations(case)
    key = jax.random.key(3)
    out = {"MLP": ld.nn.MLP(source, target, width=20, depth=1, rank=4, key=key, dtype=dtype)}
    out["Linear"] = ld.nn.Linear(source, target, key=key, dtype=dtype)
    out["Gated"] = ld.nn.Gated(target)
    if source.is_linear:
        out["Bilinear"] = ld.nn.Bilinear(source, target, key=key, rank=4, dtype=dtype)
    if case not in ("so(1,3)", "sl(2)", "sp(4)"):
        out["Norm"] = ld.nn.Norm(target, dtype=dtype)
    return out


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("case", [*CASES, POINTS])
def test_group_elements_pass_through(case, dtype):
    """f(g x) = g f(x), to rounding."""
    rng = np.random.default_rng(0)
    for name, module in modules(case, jnp.dtype(dtype)).items():
        if dtype == "float32" and name not in ("MLP", "Norm"):
            continue  # made of the others
        # Moved in float64, so that only the module rounds.
        x = rng.normal(size=(10, module.source.width))
        run = jax.jit(jax.vmap(module))
        for _ in range(2):
            by, to = transformations([module.source, module.target], rng)
            moved, still = (np.asarray(run(jnp.asarray(z, dtype)), np.float64) for z in (by(x), x))
            error = np.linalg.norm(moved - to(still)) / np.linalg.norm(moved)
            assert error < (1e-10 if dtype == "float64" else 1e-4), (name, error)
            assert np.linalg.norm(moved) > 0


@pytest.mark.parametrize("case", ["o(3)", POINTS])
def test_jit_vmap_and_gradients(case):
    for name, module in modules(case, jnp.float64).items():
        x = normal(1, (4, module.source.width))
        every = jax.vmap(module)(x)
        np.testing.assert_allclose(every, np.stack([module(one) for one in x]), atol=1e-12, err_msg=name)
        np.testing.assert_allclose(every, jax.jit(jax.vmap(module))(x), atol=1e-12, err_msg=name)
        weights, rest = eqx.partition(module, eqx.is_inexact_array)

        @jax.jit
        def loss(weights, x, rest=rest):
            return jnp.sum(jnp.sin(jax.vmap(eqx.combine(weights, rest))(x)))

        steps = jax.tree.map(lambda leaf: jnp.cos(jnp.arange(leaf.size, dtype=float)).reshape(leaf.shape), (weights, x))
        slopes = jax.jit(jax.grad(loss, argnums=(0, 1)))(weights, x)
        along = sum(float(jnp.vdot(a, b)) for a, b in zip(jax.tree.leaves(slopes), jax.tree.leaves(steps), strict=True))
        ends = [loss(*jax.tree.map(lambda a, b, t=t: a + t * b, (weights, x), steps)) for t in (-1e-5, 1e-5)]
        assert along == pytest.approx(float(ends[1] - ends[0]) / 2e-5, rel=1e-5, abs=1e-6), name


def test_linear_by_pieces_and_by_one_matrix_agree():
    V = ld.vectors(ld.algebra.so(3))
    big = 40 * V + 20 * (V * V)
    layer = ld.nn.Linear(big, big, key=jax.random.key(0), dtype=jnp.float64)
    x = normal(1, (big.width,))
    np.testing.assert_allclose(layer(x), layer.maps.matrix(layer.weight) @ x, atol=1e-10)


def test_a_norm_has_gradients_at_zero():
    layer = ld.nn.Norm(2 * ld.vectors(ld.algebra.so(3)))
    slope = jax.jacobian(layer)(jnp.zeros(6))
    assert bool(jnp.isfinite(slope).all())


SO3 = ld.algebra.so(3)
V3, S3 = ld.vectors(SO3), ld.scalars(SO3)
LORENTZ = ld.vectors(ld.algebra.so(1, 3))
KEY = jax.random.key(0)

REFUSED = {
    "zero map": (lambda: ld.nn.Linear(V3, S3, key=KEY), ValueError, r"only the zero map .* so\(3\) on vectors\(3\)"),
    "other algebra": (lambda: ld.nn.Linear(V3, LORENTZ, key=KEY), ValueError, "different algebras"),
    "no action": (lambda: ld.nn.Linear(3, V3, key=KEY), TypeError, "source must be a representation"),
    "integer weights": (lambda: ld.nn.Linear(V3, V3, key=KEY, dtype=int), TypeError, "dtype must be real floating"),
    "a batch": (lambda: ld.nn.Linear(V3, V3, key=KEY)(jnp.ones((2, 3))), ValueError, "Use jax.vmap"),
    "Lorentz norm": (lambda: ld.nn.Norm(LORENTZ), ValueError, r"changes the Euclidean length of vectors\(4\).*Gated"),
    "sl norm": (lambda: ld.nn.Norm(ld.vectors(ld.algebra.sl(2))), ValueError, "Euclidean length"),
    "gated points": (lambda: ld.nn.Gated(ld.points(ld.algebra.se(2))), TypeError, "Start with ld.nn.Linear"),
    "gated number": (lambda: ld.nn.Gated(4), TypeError, "target must be a representation"),
    "rank": (lambda: ld.nn.Bilinear(V3, V3, key=KEY, rank=0), ValueError, "rank must be 1"),
    "no product": (
        lambda: ld.nn.Bilinear(ld.vectors(ld.algebra.o(3)), ld.vectors(ld.algebra.o(3)), key=KEY),
        ValueError,
        "no product of two summands",
    ),
    "depth": (lambda: ld.nn.MLP(V3, V3, depth=-1, key=KEY), ValueError, "depth must be 0"),
    "width": (lambda: ld.nn.MLP(V3, V3, width=0, key=KEY), ValueError, "width must be 1"),
    "hidden count": (lambda: ld.nn.MLP(V3, V3, depth=2, hidden=[V3], key=KEY), ValueError, "1 representations for"),
    "MLP of a number": (lambda: ld.nn.MLP(V3, 3, key=KEY), TypeError, "target must be a representation"),
    "points out": (
        lambda: ld.nn.MLP(ld.points(ld.algebra.se(2)), ld.points(ld.algebra.se(2)), key=KEY),
        TypeError,
        "Learn the displacement",
    ),
    "curved": (
        lambda: ld.nn.MLP(ld.points(ld.algebra.conformal(2)), ld.scalars(ld.algebra.conformal(2)), key=KEY),
        TypeError,
        "neither linear nor affine",
    ),
    "out of reach": (
        lambda: ld.nn.MLP(2 * V3, V3 * V3, hidden=3 * S3, depth=1, key=KEY),
        ValueError,
        r"would (always be zero|always return zero)",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_bad_input(case):
    call, error, message = REFUSED[case]
    with pytest.raises(error, match=message):
        call()
