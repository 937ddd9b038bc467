"""Symmetry dimensions of dynamical systems against exact rational null spaces computed with sympy."""

import jax.numpy as jnp
import numpy as np
import pytest
import sympy

import lieder as ld

x, y, z, u, v = sympy.symbols("x y z u v", real=True)
r3 = (x**2 + y**2) ** sympy.Rational(3, 2)

# name: (variables, right-hand sides)
SYSTEMS = {
    "rotation": ((x, y), (-y, x)),
    "node": ((x, y), (-x, -3 * y)),
    "Jordan node": ((x, y), (-x + y, -y)),
    "isotropic contraction": ((x, y, z), (-x, -y, -z)),
    "Hopf normal form": ((x, y), (x - y - x * (x**2 + y**2), x + y - y * (x**2 + y**2))),
    "Van der Pol": ((x, y), (y, (1 - x**2) * y - x)),
    "Duffing": ((x, y), (y, x - x**3 - y / 5)),
    "Lorenz": ((x, y, z), (10 * (y - x), x * (28 - z) - y, x * y - sympy.Rational(8, 3) * z)),
    "Kepler": ((x, y, u, v), (u, v, -x / r3, -y / r3)),
}
ANSWERS = {"isotropic contraction": 9, "Van der Pol": 0, "Duffing": 0}


def exact_dimension(variables, field) -> int:
    """Rank deficit over the rationals of affine theta -> DU theta - Dtheta U."""
    n = len(variables)
    unknowns = sympy.symbols(f"c:{n * (n + 1)}")
    matrix = sympy.Matrix(n, n + 1, unknowns)
    theta = matrix * sympy.Matrix([*variables, 1])
    bracket = sympy.Matrix(field).jacobian(variables) * theta - theta.jacobian(variables) * sympy.Matrix(field)
    rows = []
    radius, inverse = sympy.Symbol("R", positive=True), sympy.Symbol("q", positive=True)
    for component in bracket:
        # Radicals are replaced by a variable of their own; x^2 + y^2 = R^2 = 1/q^2 is then used to clear it.
        clean = sympy.simplify(component).subs(sympy.sqrt(x**2 + y**2), radius).subs(x**2 + y**2, radius**2)
        clean = sympy.numer(sympy.together(clean))
        polynomial = sympy.Poly(
            sympy.rem(sympy.expand(clean), radius**2 - x**2 - y**2, radius), *variables, radius, inverse
        )
        rows += [[coefficient.coeff(unknown) for unknown in unknowns] for coefficient in polynomial.coeffs()]
    return len(unknowns) - sympy.Matrix(rows).rank()


def model(variables, field):
    function = sympy.lambdify(variables, field, "jax")
    return lambda state: jnp.stack([jnp.asarray(component, float) * jnp.ones(()) for component in function(*state)])


@pytest.mark.parametrize("name", SYSTEMS)
def test_dimension_is_the_rational_null_space(name):
    variables, field = SYSTEMS[name]
    expected = exact_dimension(variables, field)
    assert ANSWERS.get(name, expected) == expected
    n = len(variables)
    states = np.random.default_rng(0).normal(size=(240, n))
    s = ld.discover.vector_field(model(variables, field), states, action=ld.points(ld.algebra.aff(n)))
    assert s.dim == expected
    assert s.evidence.verdict == ("symmetries" if expected else "no symmetry")
    assert (s.defects[expected:] > 1e-6).all()


def test_contraction_has_the_whole_linear_group():
    states = np.random.default_rng(1).normal(size=(200, 3))
    s = ld.discover.vector_field(
        lambda state: -state, states, action=ld.points(ld.algebra.aff(3)), names=["x", "y", "z"]
    )
    assert s.dim == 9 and s.identify() == "gl(3)"
    assert "x d/dy" in s.fields()
