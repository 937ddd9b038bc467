"""An action of the user's own, with an algebra, a width and a field, is a full action in every verb."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import sympy
from laws import Waves

import lieder as ld
from lieder.algebra import LieAlgebra
from lieder.linalg import MatrixStack

A = 0.7
WAVES = Waves(jnp.asarray(A))
STILL = ld.scalars(WAVES.algebra)


def surface(z):
    """Constant along the waves of height A."""
    u = z[1] - A * jnp.sin(z[0])
    return u + 0.5 * u**2


def rows(count=300, seed=0):
    x = np.random.default_rng(seed).uniform(-2, 2, (count, 2))
    return x, np.array(jax.vmap(surface)(x))


def test_discover_function():
    x, _ = rows()
    found = ld.discover.function(surface, x, source=WAVES, target=STILL)
    assert found.dim == 1 and found.evidence.verdict == "symmetries"
    assert "t(1)" in str(found) or "P1" in str(found)
    other = ld.discover.function(surface, x, source=Waves(jnp.asarray(0.3)), target=STILL)
    assert other.evidence.verdict == "no symmetry"


def test_discover_dataset_with_noise():
    x, y = rows()
    y = y + 0.01 * y.std() * np.random.default_rng(1).normal(size=len(y))
    assert ld.discover.dataset(x, y, source=WAVES, target=STILL).dim == 1
    wrong = ld.discover.dataset(x, y, source=Waves(jnp.asarray(-1.0)), target=STILL)
    assert wrong.evidence.verdict == "no symmetry"


def test_what_was_found_in_noise_is_enforced():
    x, y = rows()
    y = y + 0.01 * y.std() * np.random.default_rng(1).normal(size=len(y))
    found = ld.discover.dataset(x, y, source=WAVES, target=STILL)
    members = [lambda z: z[1], lambda z: jnp.sin(z[0]), lambda z: z[1] ** 2, lambda z: jnp.sin(z[0]) ** 2]
    library = ld.dictionary.functions([*members, lambda z: z[1] * jnp.sin(z[0]), lambda z: jnp.cos(z[0])], 2)
    kept = ld.enforce.functions(library, source=found.action, target=ld.scalars(found.action.algebra), x=x)
    assert kept.dim == 2
    assert "10 y - 7 sin(x)" in str(kept)  # y - .7 sin(x) and its square


def test_discover_vector_field_and_cloud():
    x, _ = rows(200)
    field = lambda z: jnp.stack([jnp.ones(()), A * jnp.cos(z[0])])  # noqa: E731
    assert ld.discover.vector_field(field, x, action=WAVES).dim == 1
    assert ld.discover.vector_field(lambda z: z * z, x, action=WAVES).evidence.verdict == "no symmetry"
    along = np.linspace(-3, 3, 400)
    curve = np.stack([along, 0.4 + A * np.sin(along)], axis=1)
    assert ld.discover.cloud(curve, action=WAVES, dimension=1).dim == 1


def test_flow_is_the_closed_form():
    z = jnp.array([0.3, -0.2])
    moved = ld.action.flow(WAVES, jnp.ones(1), z, 1.5)
    np.testing.assert_allclose(moved, [1.8, -0.2 + A * (np.sin(1.8) - np.sin(0.3))], rtol=1e-9)
    assert float(surface(moved)) == pytest.approx(float(surface(z)))
    orbit = ld.action.orbits(WAVES, np.ones(1), np.array([[0.3, -0.2]]), np.array([0.0, 1.5]))
    np.testing.assert_allclose(orbit[0, 1], moved, rtol=1e-9)


def test_closed_forms_may_be_given():
    class Known(Waves):
        def transformed(self, xi, z):
            x = z[0] + xi[0]
            return jnp.stack([x, z[1] + self.height * (jnp.sin(x) - jnp.sin(z[0]))])

    z = jnp.array([0.3, -0.2])
    np.testing.assert_allclose(
        ld.action.flow(Known(jnp.asarray(A)), jnp.ones(1), z), ld.action.flow(WAVES, jnp.ones(1), z), rtol=1e-9
    )


def test_enforce_functions():
    D = ld.dictionary.functions([lambda z: z[1], lambda z: jnp.sin(z[0]), lambda z: jnp.cos(z[0])], 2, ["y", "s", "c"])
    found = ld.enforce.functions(D, source=WAVES, target=STILL)
    assert found.dim == 1
    np.testing.assert_allclose(found.basis[0, 0] / found.basis[0, 0, 0], [1.0, -A, 0.0], atol=1e-9)


def test_found_symmetry_is_enforced():
    x, _ = rows()
    found = ld.discover.function(surface, x, source=WAVES, target=STILL)
    D = ld.dictionary.functions([lambda z: z[1], lambda z: jnp.sin(z[0]), lambda z: jnp.cos(z[0])], 2, ["y", "s", "c"])
    again = ld.enforce.functions(D, source=found.action, target=found.target_action, x=x)
    assert again.dim == 1


def test_promote_regression_keeps_it():
    x, y = rows(60)
    members = [lambda z: z[1], lambda z: jnp.sin(z[0]), lambda z: z[1] ** 2, lambda z: z[1] * jnp.sin(z[0])]
    D = ld.dictionary.functions([*members, lambda z: jnp.sin(z[0]) ** 2, lambda z: z[0]], 2)
    model = ld.promote.Regression(D, source=WAVES).fit(x, y + 0.01 * np.random.default_rng(2).normal(size=60))
    assert model.kept_ == 1
    fresh, exact = rows(200, 3)
    assert np.sqrt(np.mean((model.predict(fresh) - exact) ** 2)) < 0.02 * exact.std()


def test_promote_penalty_sees_the_symmetry_and_trains_the_action():
    x, _ = rows(64)
    kept = ld.promote.penalty(surface, x, source=WAVES, target=STILL)
    broken = ld.promote.penalty(surface, x, source=Waves(jnp.asarray(0.2)), target=STILL)
    assert float(kept) < 1e-6 < float(broken)

    @eqx.filter_jit
    @eqx.filter_value_and_grad
    def loss(action):
        one = lambda z: ld.lie_derivative(surface, z, source=action, target=STILL)  # noqa: E731
        return jnp.mean(jax.vmap(one)(x) ** 2)

    action = Waves(jnp.asarray(0.0))
    for _ in range(60):
        _, slope = loss(action)
        action = jax.tree.map(lambda leaf, g: leaf - 0.2 * g, action, slope)
    assert float(action.height) == pytest.approx(A, abs=1e-3)


def test_sparse_dynamics():
    # u = y - A sin x decays while x runs: the field commutes with the waves.
    x = np.random.default_rng(4).uniform(-2, 2, (300, 2))
    dx = np.stack([np.ones(300), A * np.cos(x[:, 0]) - 0.5 * (x[:, 1] - A * np.sin(x[:, 0]))], axis=1)
    dx = dx + 0.01 * np.random.default_rng(5).normal(size=dx.shape)
    D = ld.dictionary.functions(
        [lambda z: jnp.ones(()), lambda z: z[1], lambda z: jnp.sin(z[0]), lambda z: jnp.cos(z[0])], 2, list("1ysc")
    )
    model = ld.enforce.sparse_dynamics(x, dx, D, symmetry=WAVES)
    np.testing.assert_allclose(model.coefficients_, [[1, 0, 0, 0], [0, -0.5, 0.5 * A, A]], atol=0.01)
    assert model.dimension_ < D.size * 2


def test_nn_check():
    x, _ = rows(50)
    assert ld.nn.check(surface, WAVES, STILL, x).worst.max() < 1e-6
    assert ld.nn.check(lambda z: z[1], WAVES, STILL, x).worst.max() > 0.1


def test_networks_need_matrices_in_words():
    with pytest.raises(TypeError, match=r"source must be a representation.*got Waves .*`expansion`"):
        ld.nn.MLP(WAVES, STILL, key=jax.random.key(0))


def test_an_expansion_makes_it_exact():
    class Turns(ld.action.AbstractAction):
        algebra: LieAlgebra = eqx.field(static=True, default=ld.algebra.so(2))
        width: int = eqx.field(static=True, default=2)

        def field(self, xi, z):
            return xi[0] * jnp.stack([-z[1], z[0]])

        @property
        def expansion(self):
            return ld.vectors(ld.algebra.so(2))

    D = ld.dictionary.polynomials(2, 2)
    found = ld.enforce.functions(D, source=Turns(), target=ld.scalars(ld.algebra.so(2)))
    assert found.how == "exact" and found.dim == 2
    assert ld.enforce.maps(Turns(), Turns()).dim == 2
    assert Turns().is_linear and ld.enforce.functions(D, source=Turns(), target=Turns()).how == "exact"
    turned = ld.action.flow(Turns(), jnp.array([jnp.pi / 2]), jnp.array([1.0, 0.0]))
    np.testing.assert_allclose(turned, [0.0, 1.0], atol=1e-14)


def test_plots_and_reports(tmp_path):
    x, _ = rows()
    found = ld.discover.function(surface, x, source=WAVES, target=STILL)
    assert found.plot() is not None
    assert found.report(tmp_path / "report.html").stat().st_size > 1000


class Exchanged(ld.action.AbstractAction):
    """The first half of the columns is turned into the second."""

    width: int = eqx.field(static=True)
    algebra: LieAlgebra = eqx.field(static=True, default=ld.algebra.so(2))

    def field(self, xi, z):
        first, second = jnp.split(z, 2)
        return xi[0] * jnp.concatenate([-second, first])


def test_many_columns_are_written_by_the_first_and_the_last():
    """A hundred functions of a hundred variables took most of a minute to print, in 55,000 letters."""
    x = np.random.default_rng(0).normal(size=(60, 100))
    found = ld.discover.function(lambda x: x @ x, x, source=Exchanged(100), target=ld.scalars(ld.algebra.so(2)))
    written = found.fields()[0]
    assert found.dim == 1 and written.startswith("J12_0(x0, ..., x99) d/dx0 + J12_1(x0, ..., x99) d/dx1")
    assert len(written) < 4_000
    some = [sympy.Symbol(f"x{i}") for i in range(8)]
    assert str(Exchanged(8).symbolic(np.ones(1), some, some)[0]) == "1.0*J12_0(x0, x1, x2, x3, x4, x5, x6, x7)"


def test_records_are_saved_and_read_with_the_action(tmp_path):
    x, _ = rows()
    found = ld.discover.function(surface, x, source=WAVES, target=STILL)
    path = found.save(tmp_path / "waves.npz")
    with pytest.raises(ValueError, match=r"class Waves.*pass it: Symmetries.load\(path, source="):
        ld.Symmetries.load(path)
    with pytest.raises(ValueError, match=r"source: .* with other numbers"):
        ld.Symmetries.load(path, source=Waves(jnp.asarray(0.1)))
    again = ld.Symmetries.load(path, source=Waves(jnp.asarray(A)))
    assert str(again) == str(found) and again.source == found.source
    lifted = ld.discover.vector_field(lambda z: jnp.stack([jnp.ones(()), A * jnp.cos(z[0])]), x, action=WAVES)
    assert ld.Symmetries.load(lifted.save(tmp_path / "lifted.npz"), source=WAVES).dim == 1


def test_equal_actions_are_compiled_once():
    traces = []

    class Counted(Waves):
        def field(self, xi, z):
            traces.append(None)
            return Waves.field(self, xi, z)

    for _ in range(3):
        action = Counted(jnp.asarray(A))
        ld.action.velocities(action, np.ones(1), np.zeros((2, 2)))
    assert len(traces) == 1
    assert Counted(jnp.asarray(A)) == action != Counted(jnp.asarray(0.1))


def test_equality_is_by_content():
    so = lambda: ld.algebra.so(3)  # noqa: E731
    assert ld.vectors(so()) == ld.vectors(so()) and hash(ld.vectors(so())) == hash(ld.vectors(so()))
    assert ld.vectors(so()) != ld.points(ld.algebra.se(3))
    assert ld.action.grid(ld.algebra.se(2), (8, 8)) == ld.action.grid(ld.algebra.se(2), (8, 8))
    assert ld.action.grid(ld.algebra.se(2), (8, 8)) != ld.action.grid(ld.algebra.se(2), (8, 9))


def test_numbers_of_given_actions_are_leaves():
    V = ld.vectors(ld.algebra.so(3))
    leaves = jax.tree.leaves(V)
    assert [np.size(leaf) for leaf in leaves] == [6, 0]

    def size(action, z):
        return jnp.sum(action.field(jnp.ones(3), z) ** 2) + jnp.sum(action.contract(jnp.eye(3), z))

    z = jnp.array([1.0, 2.0, 3.0])
    slope = eqx.filter_jit(eqx.filter_grad(size))(V, z)
    assert isinstance(slope.generators, MatrixStack) and float(jnp.abs(slope.generators.value).max()) > 0
    assert float(jax.jit(size)(V, z)) == pytest.approx(float(size(V, z)))


def test_discrete_elements_are_asked_for_in_words():
    class Reflected(Waves):
        algebra: LieAlgebra = eqx.field(static=True, default=ld.algebra.o(2))

    with pytest.raises(TypeError, match=r"does not say what the discrete elements of o\(2\) do.*method element"):
        Reflected(jnp.asarray(A)).element(0, jnp.zeros(2))
    with pytest.raises(IndexError, match="0 discrete elements, and no number 0"):
        WAVES.element(0, jnp.zeros(2))
