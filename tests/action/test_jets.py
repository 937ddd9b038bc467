"""Prolongation: a law of Lie algebras, hand-computed coefficients, finite transformations, and functions themselves."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lieder import action, algebra

T, X, U = range(3)
AFFINE = action.polynomial_fields(3, 1)  # on (t, x, u)
SQUARE = action.polynomial_fields(3, 2)


def xi(*terms: tuple[float, int, tuple[int, ...]], candidates=AFFINE) -> np.ndarray:
    """Coefficients of terms c z_i z_j d/dz_k, given as (c, k, (i, j))."""
    powers = candidates.dictionary.exponents
    out = np.zeros((3, len(powers)))
    for value, along, factors in terms:
        power = np.bincount(np.array(factors, int), minlength=3)
        out[along, np.flatnonzero((powers == power).all(axis=1))[0]] = value
    return out.ravel()


NAMES = action.jet_names("tx", "u", 3)
BOOST = xi((1.0, X, (T,)), (1.0, U, ()))  # Galilean boost of u_t + u u_x + u_xxx = 0
SCALING = xi((3.0, T, (T,)), (1.0, X, (X,)), (-2.0, U, (U,)))
# Of the heat equation, Olver (1993), example 2.41: v_5 and v_6.
HEAT_BOOST = xi((2.0, X, (T,)), (-1.0, U, (X, U)), candidates=SQUARE)

# What each derivative's coefficient is, by hand.
BY_HAND = {
    "boost": (AFFINE, BOOST, {"u_t": lambda j: -j["u_x"], "u_x": lambda j: 0.0, "u_xxx": lambda j: 0.0}),
    "scaling": (
        AFFINE,
        SCALING,
        {"u_t": lambda j: -5 * j["u_t"], "u_x": lambda j: -3 * j["u_x"], "u_xxx": lambda j: -5 * j["u_xxx"]},
    ),
    "boost of the heat equation": (
        SQUARE,
        HEAT_BOOST,
        {
            "u_t": lambda j: -j["x"] * j["u_t"] - 2 * j["u_x"],
            "u_x": lambda j: -j["u"] - j["x"] * j["u_x"],
            "u_xx": lambda j: -2 * j["u_x"] - j["x"] * j["u_xx"],
        },
    ),
    "u d/dx": (
        AFFINE,
        xi((1.0, X, (U,))),
        {
            "u_x": lambda j: -(j["u_x"] ** 2),
            "u_xx": lambda j: -3 * j["u_x"] * j["u_xx"],
            "u_t": lambda j: -j["u_t"] * j["u_x"],
            "u_xxx": lambda j: -3 * j["u_xx"] ** 2 - 4 * j["u_x"] * j["u_xxx"],
        },
    ),
}


@pytest.mark.parametrize("case", BY_HAND)
def test_coefficients_by_hand(case):
    candidates, coefficients, wanted = BY_HAND[case]
    z = np.random.default_rng(0).normal(size=len(NAMES))
    jets = dict(zip(NAMES, z, strict=True))
    got = dict(
        zip(NAMES, action.prolong(candidates, 2, 3).field(jnp.asarray(coefficients), jnp.asarray(z)), strict=True)
    )
    for name, value in wanted.items():
        np.testing.assert_allclose(got[name], value(jets), atol=1e-12, err_msg=name)


def test_kdv_is_kept_by_its_four_symmetries_and_by_no_other_direction():
    """pr theta (u_t + u u_x + u_xxx) = 0 on the equation, and at no such points for other affine fields."""
    z = np.random.default_rng(1).normal(size=(200, len(NAMES)))
    j = {name: z[:, k] for k, name in enumerate(NAMES)}
    j["u_t"][:] = -j["u"] * j["u_x"] - j["u_xxx"]
    theta = np.asarray(jax.vmap(action.prolong(AFFINE, 2, 3).fields)(jnp.asarray(z)))
    along = {name: theta[:, :, k] for k, name in enumerate(NAMES)}
    rows = along["u_t"] + along["u"] * j["u_x"][:, None] + j["u"][:, None] * along["u_x"] + along["u_xxx"]
    s, v = np.linalg.svd(rows)[1:]
    assert (s < 1e-10).sum() == 4 and s[-5] > 0.1
    known = np.stack([xi((1.0, T, ())), xi((1.0, X, ())), BOOST, SCALING])
    np.testing.assert_allclose(known @ v[:-4].T, 0, atol=1e-12)


def wavy(z):
    return jnp.stack([jnp.sin(z[2]), z[0] * z[1], jnp.exp(z[0]) + z[2] ** 2])


def bent(z):
    return jnp.stack([z[1] * z[2], jnp.cos(z[0]), z[1]])


@pytest.mark.parametrize("candidates", [action.points(algebra.se(3)), SQUARE], ids=["se(3)", "quadratic"])
@pytest.mark.parametrize(("independent", "order"), [(2, 1), (1, 2)])
def test_the_prolonged_bracket_is_the_bracket_prolonged(candidates, independent, order):
    """A homomorphism of Lie algebras: Olver (1993), theorem 2.39; the bracket on the base by its own fields."""
    rng = np.random.default_rng(2)
    a, b = candidates.restrict(rng.normal(size=(2, candidates.algebra.dim)), algebra.Span("two", ("a", "b"))), None

    def bracket(fields, z):
        one, two = lambda w: fields(w)[0], lambda w: fields(w)[1]
        return jax.jvp(two, (z,), (one(z),))[1] - jax.jvp(one, (z,), (two(z),))[1]

    b = action.fields([lambda w: bracket(a.fields, w)], 3, ["bracket"])
    lifted = action.prolong(a, independent, order)
    z = jnp.asarray(rng.normal(size=lifted.width))
    np.testing.assert_allclose(
        bracket(lifted.fields, z), action.prolong(b, independent, order).fields(z)[0], atol=1e-9, rtol=1e-9
    )


def test_finite_transformations_are_the_flow_of_the_fields():
    """The image of a Taylor polynomial's graph, against the integrated prolonged field."""
    base = action.points(algebra.aff(3))
    lifted = action.prolong(base, 2, 2)

    class Hidden(action.AbstractAction):
        """The same, whose closed form is not known."""

        algebra: object = lifted.algebra
        width: int = lifted.width

        def field(self, xi, z):
            return lifted.field(xi, z)

    rng = np.random.default_rng(3)
    coefficients, z = jnp.asarray(rng.normal(size=12)) / 4, jnp.asarray(rng.normal(size=lifted.width)) / 2
    known = lifted.transformed(coefficients, z)
    assert known is not None
    np.testing.assert_allclose(known, action.flow(Hidden(), coefficients, z), atol=1e-7)


def test_derivatives_move_with_their_function():
    """u(x) = x^3 turned by a small angle: the derivatives of the turned curve, found by implicit functions."""
    turn = action.prolong(action.points(algebra.so(2)), 1, 3)
    angle, x = 0.2, 0.4
    start = jnp.array([x, x**3, 3 * x**2, 6 * x, 6.0])
    end = turn.transformed(jnp.array([angle]), start)
    assert end is not None

    def curve(s):
        c, k = jnp.cos(angle), jnp.sin(angle)
        return c * s - k * s**3, k * s + c * s**3  # so(2) turns x to u

    def along(f):
        return lambda s: jax.grad(f)(s) / jax.grad(lambda r: curve(r)[0])(s)

    first = along(lambda s: curve(s)[1])
    second, third = along(first), along(along(first))
    wanted = [*curve(x), first(x), second(x), third(x)]
    if not np.allclose(end[:2], wanted[:2]):  # the other way round
        pytest.fail(f"the turn is another one: {end[:2]} {wanted[:2]}")
    np.testing.assert_allclose(end, wanted, atol=1e-10)


def test_reflections_are_prolonged():
    mirror = action.prolong(action.points(algebra.extended(algebra.t(2), [np.diag([-1.0, 1.0])])), 1, 3)
    np.testing.assert_allclose(mirror.element(0, jnp.arange(1.0, 6.0)), [-1.0, 2.0, -3.0, 4.0, -5.0])


def test_units_of_derivatives():
    """Where only scalings act all have their own; where t, x and u are mixed those of one order share theirs."""
    own = action.prolong(action.points(algebra.scalings(3)), 2, 2)
    assert [len(group) for group in own.unit_groups()] == [1] * own.width
    mixed = action.prolong(AFFINE, 2, 2)
    assert [list(group) for group in mixed.unit_groups()] == [[0, 1, 2], [3, 4], [5, 6, 7]]
    assert np.unique(np.concatenate(mixed.unit_groups())).size == mixed.width


def test_names_and_what_is_refused():
    assert action.jet_names("tx", "u", 2) == ("t", "x", "u", "u_t", "u_x", "u_tt", "u_tx", "u_xx")
    assert action.jet_names(["x"], ["u", "v"], 1) == ("x", "u", "v", "u_x", "v_x")
    with pytest.raises(ValueError, match="independent must leave a function u: the action has 3 coordinates"):
        action.prolong(AFFINE, 3, 1)
    with pytest.raises(ValueError, match="order must be a whole number of at least 0, got -1"):
        action.prolong(AFFINE, 2, -1)
    with pytest.raises(TypeError, match="action must act on points"):
        action.prolong("affine", 2, 1)  # pyright: ignore[reportArgumentType]
    with pytest.raises(ValueError, match="size must be positive"):
        action.rescaled(AFFINE, np.zeros(3), np.array([1.0, 0.0, 1.0]))
    with pytest.raises(ValueError, match="centre must hold 3 finite numbers"):
        action.rescaled(AFFINE, np.zeros(2), np.ones(3))
