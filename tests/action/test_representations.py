"""A representation turns brackets into commutators, however it was built."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from laws import ACTIONS, ALGEBRAS, BUILT

from lieder import action, algebra

ACTING = [
    (text, g)
    for text, g in ALGEBRAS
    if g.generators is not None and 0 < g.dim <= 10 and not text.startswith("conformal")
]
QUICK = (
    "so(3)",
    "so(1,2)",
    "se(2)",
    "gl(2)",
    "sp(4)",
    "galilean(1)",
    "heisenberg(1)",
    "su(2)",
    "product(se(2), so(3))",
)
every_algebra = pytest.mark.parametrize(
    "g", [pytest.param(g, id=text, marks=() if text in QUICK else pytest.mark.slow) for text, g in ACTING]
)


def commutators(a):
    products = np.einsum("iab,jbc->ijac", a, a)
    return products - products.swapaxes(0, 1)


def assert_represents(g, matrices):
    wanted = np.einsum("ijk,kac->ijac", g.structure, matrices)
    np.testing.assert_allclose(commutators(matrices), wanted, atol=1e-10)


@every_algebra
@pytest.mark.parametrize("build", list(BUILT.values()), ids=list(BUILT))
def test_brackets_become_commutators(g, build):
    v = action.vectors(g)
    if v.width > 5:
        v = action.linear(g, v.matrices().dense(), v.discrete().dense())
    built = build(v)
    assert built.algebra == g and built.is_linear
    assert sum(width for _, width in built.blocks) == built.width
    if built.width <= 30:
        assert_represents(g, built.matrices().dense())


@every_algebra
def test_points_move_by_affine_maps(g):
    p = action.points(g)
    homogeneous = np.pad(p.affine().dense(), ((0, 0), (0, 1), (0, 0)))
    assert_represents(g, homogeneous)
    assert np.array_equal(p.affine().dense(), g.generators.dense())
    z = np.random.default_rng(0).normal(size=p.width)
    np.testing.assert_allclose(p.fields(jnp.asarray(z)), g.generators.dense() @ np.append(z, 1.0), atol=1e-13)


@every_algebra
def test_pairing_of_covectors_and_vectors_is_invariant(g):
    rng = np.random.default_rng(1)
    v = action.vectors(g)
    u, p = jnp.asarray(rng.normal(size=v.width)), jnp.asarray(rng.normal(size=v.width))
    change = v.fields(u) @ p + action.covectors(g).fields(p) @ u
    np.testing.assert_allclose(change, 0.0, atol=1e-12)


def test_products_are_kroneckers_and_maps_are_flattened_row_by_row():
    rng = np.random.default_rng(2)
    g = algebra.gl(2)
    v = action.linear(g, algebra.gl(2).generators.dense()[:, :, :2])
    w = v + action.scalars(g)
    a, b = v.matrices().dense(), w.matrices().dense()
    got = (v * w).matrices().dense()
    wanted = [np.kron(x, np.eye(3)) + np.kron(np.eye(2), y) for x, y in zip(a, b, strict=True)]
    np.testing.assert_allclose(got, wanted)
    m = rng.normal(size=(3, 2))  # a map from V to W
    moved = (v >> w).fields(jnp.asarray(m.reshape(-1)))
    np.testing.assert_allclose(moved, [(y @ m - m @ x).reshape(-1) for x, y in zip(a, b, strict=True)], atol=1e-13)


@pytest.mark.parametrize(("up", "down"), [(0, 0), (1, 0), (0, 1), (2, 0), (1, 1), (0, 2), (2, 1)])
@pytest.mark.parametrize("g", [algebra.se(2), algebra.gl(2), algebra.so(3)], ids=["se(2)", "gl(2)", "so(3)"])
def test_tensors_follow_leibniz(g, up, down):
    t = action.tensors(g, up, down)
    n = g.degree
    assert t.width == n ** (up + down)
    assert_represents(g, t.matrices().dense())
    tensor = np.random.default_rng(3).normal(size=(n,) * (up + down))
    for k, a in enumerate(g.generators.dense()[:, :, :n]):
        wanted = np.zeros_like(tensor)
        for slot in range(up + down):
            matrix = a if slot < up else -a.T
            wanted = wanted + np.moveaxis(np.tensordot(matrix, tensor, axes=(1, slot)), 0, slot)
        np.testing.assert_allclose(t.fields(jnp.asarray(tensor.reshape(-1)))[k], wanted.reshape(-1), atol=1e-12)


def test_invariant_tensors_do_not_move():
    g = algebra.so(3)
    epsilon = np.zeros((3, 3, 3))
    for i, j, k in ((0, 1, 2), (1, 2, 0), (2, 0, 1)):
        epsilon[i, j, k], epsilon[i, k, j] = 1.0, -1.0
    np.testing.assert_allclose(action.tensors(g, 3).fields(jnp.asarray(epsilon.reshape(-1))), 0.0, atol=1e-14)
    np.testing.assert_allclose(action.tensors(g, 2).fields(jnp.eye(3).reshape(-1)), 0.0, atol=1e-14)


def test_independent_actions_are_moved_by_their_own_factor_only():
    a, b, c = action.vectors(algebra.so(3)), action.points(algebra.se(2)), action.scalars(algebra.t(1), 2)
    x, y, z = action.independent(a, b, c)
    assert x.algebra == y.algebra == z.algebra == algebra.product(algebra.so(3), algebra.se(2), algebra.t(1))
    rng = np.random.default_rng(4)
    p, q = jnp.asarray(rng.normal(size=3)), jnp.asarray(rng.normal(size=2))
    np.testing.assert_array_equal(x.fields(p)[:3], a.fields(p))
    np.testing.assert_array_equal(x.fields(p)[3:], 0.0)
    np.testing.assert_array_equal(y.fields(q)[3:6], b.fields(q))
    np.testing.assert_array_equal(np.delete(y.fields(q), [3, 4, 5], axis=0), 0.0)
    assert_represents(x.algebra, (x + x).matrices().dense())
    mixed = action.independent(a, action.polynomial_fields(2, 1))
    assert isinstance(mixed[0].algebra, algebra.Span) and mixed[0].algebra.dim == 3 + 6
    assert len(set(mixed[0].algebra.names)) == 9
    np.testing.assert_array_equal(mixed[1].fields(q)[:3], 0.0)


def test_sums_move_each_part():
    rng = np.random.default_rng(5)
    g = algebra.se(2)
    parts = [action.points(g), action.vectors(g), action.covectors(g), action.scalars(g, 2), action.points(g)]
    z = jnp.asarray(rng.normal(size=10))
    total = parts[0] + parts[1] + parts[2] + parts[3] + parts[4]
    pieces = jnp.split(z, [2, 4, 6, 8])
    wanted = jnp.concatenate([part.fields(piece) for part, piece in zip(parts, pieces, strict=True)], axis=1)
    np.testing.assert_allclose(total.fields(z), wanted, atol=1e-14)
    assert total.blocks == (("points", 2), ("vectors", 2), ("covectors", 2), ("scalars", 2), ("points", 2))
    assert total.is_affine and not total.is_linear
    curved = action.points(algebra.conformal(2))
    both = curved + action.scalars(curved.algebra, 1)
    np.testing.assert_allclose(both.fields(z[:3])[:, :2], curved.fields(z[:2]), atol=1e-14)
    np.testing.assert_array_equal(both.fields(z[:3])[:, 2], 0.0)


def test_names_of_blocks():
    so, se = algebra.so(3), algebra.se(2)
    assert action.points(so).dual.blocks == (("covectors", 3),)
    assert action.covectors(so).dual.blocks == (("vectors", 3),)
    assert action.tangent(action.points(se)).blocks == (("vectors", 2),)
    assert action.cotangent(action.points(so)).blocks == (("covectors", 3),)
    assert action.density(action.points(se)).blocks == (("scalars", 1),)
    assert repr(2 * action.points(se) + action.scalars(se)) == "se(2) on 2 points(2) + scalars(1)"


# All ways to evaluate one action


every_action = pytest.mark.parametrize("a", [a for _, _, a in ACTIONS], ids=[label for _, label, _ in ACTIONS])
WORKERS = {
    "bracket_constants",
    "without_elements",
    "check_map",
    "check_same_algebra",
    "closure",
    "discrete_elements",
    "refuse_elements",
    "flow",
    "jet_names",
    "leaving_pair",
    "multi_indices",
    "measured_algebra",
    "read_algebra",
    "written_algebra",
    "carried",
    "element_maps",
    "with_elements",
    "moved",
    "orbits",
    "origin",
    "remembering",
    "sized_target",
    "velocities",
}


def test_every_public_constructor_has_a_row():
    made = {name for name in vars(action) if name.islower() and callable(getattr(action, name))}
    assert made - WORKERS - {name for name, _, _ in ACTIONS} == set()


@every_action
def test_fields_field_and_contract_agree(a):
    rng = np.random.default_rng(6)
    z, xi = jnp.asarray(rng.normal(size=a.width)), jnp.asarray(rng.normal(size=a.algebra.dim))
    left = jnp.asarray(rng.normal(size=(2, a.width)))
    theta = a.fields(z)
    assert theta.shape == (a.algebra.dim, a.width)
    np.testing.assert_allclose(a.field(xi, z), xi @ theta, atol=1e-12)
    np.testing.assert_allclose(a.contract(left, z), left @ theta.T, atol=1e-12)
    np.testing.assert_array_equal(a.over(jnp.zeros(1), z), theta)
    np.testing.assert_array_equal(a.over_one(xi, jnp.zeros(1), z), a.field(xi, z))


@every_action
def test_compiled_and_batched_evaluation(a):
    z = jnp.asarray(np.random.default_rng(7).normal(size=(3, a.width)))
    loop = np.stack([a.fields(row) for row in z])
    np.testing.assert_allclose(jax.jit(jax.vmap(a.fields))(z), loop, atol=1e-12)
    np.testing.assert_allclose(jax.jit(lambda action, z: action.fields(z))(a, z[0]), loop[0], atol=1e-12)


@every_action
def test_restriction_combines_the_generators(a):
    rng = np.random.default_rng(8)
    rows = rng.normal(size=(2, a.algebra.dim))
    small = a.restrict(rows, algebra.Span("two", ("u", "v")))
    z = jnp.asarray(rng.normal(size=a.width))
    assert small.algebra.dim == 2 and small.width == a.width and small.blocks == a.blocks
    np.testing.assert_allclose(small.fields(z), rows @ a.fields(z), atol=1e-12)


@every_action
def test_single_precision_flows_through(a):
    z, xi = jnp.full(a.width, 0.3, jnp.float32), np.full(a.algebra.dim, 0.5)
    left = jnp.ones((2, a.width), jnp.float32)
    assert a.fields(z).dtype == jnp.float32
    assert a.field(jnp.asarray(xi, jnp.float32), z).dtype == jnp.float32
    assert a.contract(left, z).dtype == jnp.float32


@every_action
def test_symbols_agree_with_numbers(a):
    import sympy

    rng = np.random.default_rng(9)
    z = sympy.symbols(f"z0:{a.width}")
    xi, at = rng.normal(size=a.algebra.dim), rng.uniform(0.2, 1.0, size=a.width)
    expressions = a.symbolic(xi, list(z), list(z))
    if any(e.has(sympy.core.function.AppliedUndef) for e in expressions):
        return  # a function that sympy cannot trace is printed by its name
    got = sympy.lambdify([z], expressions, "numpy")(at)
    np.testing.assert_allclose(np.array(got, float), a.field(jnp.asarray(xi), jnp.asarray(at)), atol=1e-10)


def test_total_is_the_pair():
    rng = np.random.default_rng(10)
    curved = action.points(algebra.conformal(2))
    lifted = action.tangent(curved)
    both = action.total(curved, lifted)
    x, y = jnp.asarray(rng.normal(size=2)), jnp.asarray(rng.normal(size=2))
    got = both.fields(jnp.concatenate([x, y]))
    np.testing.assert_allclose(got[:, :2], curved.fields(x), atol=1e-14)
    np.testing.assert_allclose(got[:, 2:], lifted.over(x, y), atol=1e-14)
    assert both.blocks == curved.blocks + lifted.blocks and "with" in repr(both)


# Families of candidates


def test_polynomial_fields_are_all_monomials_in_every_direction():
    a = action.polynomial_fields(2, 2)
    assert a.algebra.dim == 2 * 6 and a.width == 2
    z = jnp.array([2.0, 3.0])
    monomials = [1, 2, 3, 4, 6, 9]
    np.testing.assert_array_equal(a.fields(z)[:6], np.stack([monomials, np.zeros(6)], axis=1))
    np.testing.assert_array_equal(a.fields(z)[6:], np.stack([np.zeros(6), monomials], axis=1))
    assert a.algebra.names[:4] == ("1 d/dz0", "z0 d/dz0", "z1 d/dz0", "z0**2 d/dz0")


def test_user_fields():
    turn = lambda z: jnp.stack([-z[1], z[0]])  # noqa: E731

    def stretch(z):
        return z

    a = action.fields([turn, stretch], 2)
    assert a.algebra.names == ("field1", "stretch")
    z = jnp.array([2.0, 3.0])
    np.testing.assert_array_equal(a.fields(z), [[-3.0, 2.0], [2.0, 3.0]])
    assert action.fields([turn], 2, names=["turn"]).algebra.names == ("turn",)


# Errors


def test_different_algebras_do_not_mix():
    v, w = action.vectors(algebra.so(3)), action.vectors(algebra.gl(3))
    for mix in (lambda: v + w, lambda: v * w, lambda: v >> w):
        with pytest.raises(ValueError, match=r"different algebras: .*\(dim [39]\).*lieder.action.independent"):
            mix()
    with pytest.raises(ValueError, match=r"source over so\(3\) \(dim 3\), target over\s+gl\(3\) \(dim 9\)"):
        action.total(v, w)


def test_counts_that_mean_nothing():
    g = algebra.so(2)
    v = action.vectors(g)
    with pytest.raises(ValueError, match=r"repeated 1, 2, 3, \.\.\. times, got 0"):
        0 * v
    with pytest.raises(TypeError, match="unsupported operand"):
        1.5 * v
    with pytest.raises(TypeError, match="unsupported operand"):
        v + 1
    with pytest.raises(TypeError, match="unsupported operand"):
        v * 1.5
    with pytest.raises(ValueError, match=r"a tensor power must be 0, 1, 2, \.\.\., got -1"):
        v**-1
    with pytest.raises(ValueError, match=r"count must be 1, 2, 3, \.\.\., got 0"):
        action.scalars(g, 0)
    with pytest.raises(ValueError, match=r"tensors need up >= 0 and down >= 0, got up=-1, down=0"):
        action.tensors(g, -1)
    with pytest.raises(ValueError, match=r"a tensor lift needs up >= 0 and down >= 0, got up=0, down=-2"):
        action.tensor(v, 0, -2)
    with pytest.raises(ValueError, match=r"independent needs two or more actions, got 1"):
        action.independent(v)


def test_matrices_that_represent_nothing():
    g = algebra.so(3)
    with pytest.raises(
        ValueError, match=r"matrices must have shape \(3, n, n\), one square matrix a generator; got \(2, 3, 3\)"
    ):
        action.linear(g, np.zeros((2, 3, 3)))
    with pytest.raises(ValueError, match="matrices hold NaN or inf"):
        action.linear(g, np.full((3, 2, 2), np.nan))
    with pytest.raises(ValueError, match=r"do not represent so\(3\): .* Order them as J12, J13, J23\."):
        action.linear(g, g.generators.dense()[[1, 0, 2], :, :3])


def test_algebras_without_a_space():
    abstract = algebra.LieAlgebra("abstract", ("a", "b", "c"), constants=algebra.so(3).structure)
    for build in (action.points, action.vectors, action.covectors):
        with pytest.raises(TypeError, match=r"abstract is known by its bracket only .* lieder.action.linear"):
            build(abstract)
    adjoint = np.swapaxes(abstract.structure, 1, 2)
    assert action.linear(abstract, adjoint).width == 3
    with pytest.raises(TypeError, match=r"conformal maps turn vectors differently .* lieder.action.tangent"):
        action.vectors(algebra.conformal(2))


def test_only_linear_actions_have_matrices():
    p, curved = action.points(algebra.se(2)), action.points(algebra.conformal(2))
    for attempt in (p.matrices, p.discrete):
        with pytest.raises(
            TypeError, match=r"se\(2\) on points\(2\) is not linear: products, duals and maps need matrices"
        ):
            attempt()
    for attempt in (lambda: curved * curved, lambda: curved.dual):
        with pytest.raises(TypeError, match=r"conformal\(2\) on points\(2\) is not linear: products, duals and maps"):
            attempt()
    v = action.vectors(algebra.se(2))
    for attempt in (lambda: p * p, lambda: v * p, lambda: v >> p):
        with pytest.raises(TypeError, match=r"se\(2\) on points\(2\) moves points, and a product needs linear actions"):
            attempt()
    for attempt in (lambda: p.dual, lambda: p >> v, lambda: (p + v).dual):
        with pytest.raises(TypeError, match=r"a point has no dual; use vectors \(directions\), .* lieder.covectors"):
            attempt()
    with pytest.raises(TypeError, match=r"conformal\(2\) on points\(2\) is not affine"):
        curved.affine()


def test_fields_that_are_none():
    with pytest.raises(ValueError, match="functions is empty: give at least one vector field"):
        action.fields([], 2)
    with pytest.raises(ValueError, match=r"field 'f' returns shape \(\) for a point of width 2: it must return \(2,\)"):
        action.fields([lambda z: z[0]], 2, ["f"])
    with pytest.raises(TypeError, match=r"functions must hold callables z \(n,\) -> \(n,\), got 3"):
        action.fields([3], 2)
    with pytest.raises(ValueError, match="names holds 1 names for 2 fields"):
        action.fields([jnp.sin, jnp.cos], 2, ["one"])


def test_generators_that_do_not_fit_their_dictionary():
    v = action.vectors(algebra.so(2))
    with pytest.raises(
        ValueError, match=r"generators has shape \(1, 2, 2\), but the algebra has 3 generators and the dictionary"
    ):
        action.FieldAction(algebra.so(3), v.generators, v.dictionary, v.blocks)
