"""Equivariant kernels: as many as representation theory says, and equivariant at every place.

Between real irreducible fields of frequencies m and n over SO(2) a kernel k(r, phi) is, for each radius, a map from
angles to the m-to-n matrices. Hom(m, n) = m (x) n splits into frequencies |m - n| and m + n, and an equivariant kernel
is an intertwiner from functions on the circle, which hold the trivial representation once and each frequency j > 0
once as a real pair of complex type (2 intertwiners: scale and quarter turn). So:
    0 -> 0: 1;  0 -> m and m -> 0: 2 (frequency m once in Hom);  m -> n, m != n: 2 + 2;
    m -> m: Hom = 2 trivial + frequency 2m, so 2 + 2.
That is the table of Weiler and Cesa (2019), appendix F.5, table 8. Harmonic polynomials up to degree L hold each
frequency j <= L once, so exactly the frequencies |m - n| and m + n up to L count. Over O(2) reflections halve the
intertwiners between pairs: functions on the circle hold each pair once and each pair is of real type; the trivial
representation is there, the sign representation is not: 0 -> 0: 1, 0 -> m: 1, m -> n: 2, m -> m: 1 + 1.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.linalg

from lieder import action, algebra, dictionary
from lieder.enforce import kernels

SE2, SE3, E2 = algebra.se(2), algebra.se(3), algebra.e(2)
TURN = np.array([[0.0, -1.0], [1.0, 0.0]])


def irreducible(frequency, g=SE2):
    """The real field of a frequency: angle t turns its values by frequency t."""
    if frequency == 0:
        return action.scalars(g)
    matrices = np.zeros((g.dim, 2, 2))
    matrices[0] = frequency * TURN
    return action.linear(g, matrices)


def by_hand(m, n, degree):
    """The table of the text above for SO(2)."""
    if m == 0 or n == 0:
        return (1 if m == n else 2) if m + n <= degree else 0
    return 2 * sum(frequency <= degree for frequency in (abs(m - n), m + n))


# Dimensions


@pytest.mark.parametrize("degree", [0, 1, 2, 3, 6])
def test_dimensions_over_so2_are_those_of_the_table(degree):
    for m in range(4):
        for n in range(4):
            found = kernels(irreducible(m), irreducible(n), degree=degree, harmonic=True).dim
            assert found == by_hand(m, n, degree), (m, n)


def test_published_table_once_all_frequencies_count():
    found = [[kernels(irreducible(m), irreducible(n), degree=6, harmonic=True).dim for n in range(4)] for m in range(4)]
    assert found == [[1, 2, 2, 2], [2, 4, 4, 4], [2, 4, 4, 4], [2, 4, 4, 4]]


def test_so2_alone_says_the_same_as_se2():
    g = algebra.so(2)
    for m, n in ((0, 1), (1, 1), (2, 1)):
        assert kernels(irreducible(m, g), irreducible(n, g), degree=4, harmonic=True).dim == by_hand(m, n, 4)


def test_reflections_halve_the_kernels():
    one, pair = action.scalars(E2), action.vectors(E2)
    found = [[kernels(a, b, degree=4, harmonic=True).dim for b in (one, pair)] for a in (one, pair)]
    assert found == [[1, 1], [1, 2]]


def test_quarter_turns_keep_every_fourth_frequency():
    """C4, scalar to scalar: frequencies 0 (one kernel) and 4 (cos 4t and sin 4t) among degrees up to 7."""
    g = algebra.extended(algebra.t(2), [np.column_stack([TURN, np.zeros(2)])])
    assert kernels(action.scalars(g), action.scalars(g), degree=3, harmonic=True).dim == 1
    assert kernels(action.scalars(g), action.scalars(g), degree=7, harmonic=True).dim == 3


def test_three_dimensions():
    """SO(3), real type: l -> l' has one kernel for each harmonic degree |l - l'| .. l + l'.

    Rank-2 tensors are 0 + 1 + 2: to vectors 1 + 3 + 3, to themselves 1 + 1 + 1 + 1 + 3 + 3 + 1 + 3 + 5.
    """
    kinds = [action.scalars(SE3), action.vectors(SE3), action.tensors(SE3, 2)]
    found = [[kernels(a, b, degree=4, harmonic=True).dim for b in kinds] for a in kinds]
    assert found == [[1, 1, 3], [1, 3, 7], [3, 7, 19]]


def test_radial_factors_and_scales_multiply():
    """All polynomials: frequency j comes with |z|^0, |z|^2, .. up to the degree. Each scale once more."""
    assert kernels(irreducible(0), irreducible(0), degree=6).dim == 4  # 1, r^2, r^4, r^6
    assert kernels(irreducible(1), irreducible(1), degree=3).dim == 2 * 2 + 2  # frequency 0 with r^0, r^2; 2 with r^0
    assert kernels(irreducible(1), irreducible(1), degree=3, scales=(1.0, 2.0)).dim == 12


def test_multiplicities():
    source, target = 2 * irreducible(0) + 3 * irreducible(1), irreducible(1) + 4 * irreducible(0)
    k = kernels(source, target, degree=2, harmonic=True)
    assert k.dim == 2 * 2 + 3 * 4 + 4 * 2 * 1 + 4 * 3 * 2
    assert k.dense().shape == (k.dim, 6, 8, 6) and len(k.pieces) == 4
    assert repr(k).startswith("48 independent kernels are equivariant from fields of se(2) on")


def test_translations_alone_leave_every_function():
    g = algebra.t(2)
    assert kernels(action.scalars(g), 2 * action.scalars(g), degree=2).dim == 2 * 6


def test_translations_of_pairs_leave_functions_of_the_difference():
    """The kernel as a section over X x X: x^a y^b up to degree 3, and only powers of x - y are left."""
    g = algebra.t(1)
    k = kernels(action.scalars(g), action.scalars(g), dictionary=dictionary.polynomials(2, 3))
    assert k.dim == 4
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2, 30))
    f = dictionary.polynomials(2, 3)
    values = np.asarray(jax.vmap(f)(jnp.stack([x, y], axis=1))) @ k.dense()[:, 0, 0].T
    powers = (x - y)[:, None] ** np.arange(4)
    left = values - powers @ np.linalg.lstsq(powers, values, rcond=None)[0]
    np.testing.assert_allclose(left, 0.0, atol=1e-10)


def test_pairs_under_rigid_motions_depend_on_the_distance():
    k = kernels(action.scalars(SE2), action.scalars(SE2), dictionary=dictionary.polynomials(4, 4))
    assert k.dim == 3 and k.joint  # 1, |x - y|^2, |x - y|^4


def test_scalings_count_the_volume():
    """k(s z) s^2 = k(z) in the plane, for scalars: no polynomial; with densities as output: constants."""
    g = algebra.affine(np.array([np.eye(2)]), np.zeros((1, 2)))
    one = action.scalars(g)
    weight = action.linear(g, 2 * np.ones((1, 1, 1)))
    f = dictionary.polynomials(2, 3)
    assert kernels(one, one, dictionary=f).dim == 0
    assert "only the zero kernel is equivariant" in repr(kernels(one, one, dictionary=f))
    assert kernels(one, weight, dictionary=f).dim == 1


# Equivariance at every place


def finite(a, xi):
    return scipy.linalg.expm(np.tensordot(xi, a.matrices().dense(), axes=1))


@pytest.mark.parametrize("g", [SE2, SE3], ids=["se(2)", "se(3)"])
def test_turned_kernels_are_the_kernels(g):
    source = 2 * action.scalars(g) + action.vectors(g)
    target = action.vectors(g) + action.tensors(g, 1, 1)
    k = kernels(source, target, degree=3, scales=(0.7, 1.3))
    rng = np.random.default_rng(1)
    c, xi, z = rng.normal(size=k.dim), rng.normal(size=g.dim), rng.normal(size=k.space.width)
    turned = k.apply(jnp.asarray(c), jnp.asarray(finite(k.space, xi) @ z))
    want = finite(target, xi) @ np.asarray(k.apply(jnp.asarray(c), jnp.asarray(z))) @ np.linalg.inv(finite(source, xi))
    np.testing.assert_allclose(turned, want, atol=1e-11)
    assert np.abs(want).max() > 0.01


def test_reflected_kernels_are_the_kernels():
    source, target = action.scalars(E2) + action.vectors(E2), action.tensors(E2, 2)
    k = kernels(source, target, degree=3)
    rng = np.random.default_rng(2)
    c, z = jnp.asarray(rng.normal(size=k.dim)), rng.normal(size=2)
    h, into, outof = (a.discrete().dense()[0] for a in (k.space, target, source))
    want = into @ np.asarray(k.apply(c, jnp.asarray(z))) @ np.linalg.inv(outof)
    np.testing.assert_allclose(k.apply(c, jnp.asarray(h @ z)), want, atol=1e-12)


def test_default_kernels_are_orthonormal_for_each_scale():
    k = kernels(irreducible(1), irreducible(1), degree=4, scales=(0.8,))
    steps = np.arange(-40, 41) * 0.15
    z = np.stack(np.meshgrid(steps, steps), -1).reshape(-1, 2)
    features = np.asarray(jax.vmap(k.features)(jnp.asarray(z)))
    values = np.einsum("rabf,pf->rpab", k.dense(), features).reshape(k.dim, -1)
    np.testing.assert_allclose(values @ values.T * 0.15**2, np.eye(k.dim), atol=1e-8)


def test_harmonic_kernels_are_of_one_degree_each():
    """Vector to vector: two of degree 0, constant in angle, and two of degree 2."""
    k = kernels(irreducible(1), irreducible(1), degree=2, harmonic=True)
    degrees = dictionary.polynomials(2, 2).exponents.sum(axis=1)
    held = [sorted(set(degrees[np.abs(w).max(axis=(0, 1)) > 1e-12].tolist())) for w in k.dense()]
    assert held == [[0], [0], [2], [2]]


def test_one_question_one_object():
    assert kernels(irreducible(1), irreducible(0)) is kernels(irreducible(1), irreducible(0))


def test_compiled_differentiated_single_precision():
    k = kernels(irreducible(0), irreducible(1), degree=2)
    c, z = jnp.ones(k.dim), jnp.array([0.3, -0.2])
    np.testing.assert_allclose(jax.jit(k.apply)(c, z), k.apply(c, z), atol=1e-14)
    assert k.apply(c.astype(jnp.float32), z.astype(jnp.float32)).dtype == jnp.float32
    assert np.isfinite(jax.jacobian(k.apply, argnums=1)(c, jnp.zeros(2))).all()


# Bad input

FAULTS = [
    (dict(source=action.points(SE2)), TypeError, "source must be a linear action"),
    (dict(target=action.scalars(SE3)), ValueError, r"different algebras"),
    (dict(scales=()), ValueError, r"scales must be different positive numbers, one or more, got \(\)"),
    (dict(scales=(1.0, 1.0)), ValueError, "scales must be different positive numbers"),
    (dict(scales=(np.nan,)), ValueError, "scales must be different positive numbers"),
    (dict(degree=-1), ValueError, "degree"),
    (dict(tolerance=0.0), ValueError, r"tolerance must lie between 0 and 1, got 0\.0"),
    (dict(dictionary=dictionary.polynomials(3, 2)), ValueError, r"dictionary takes 3 variables: kernels on R\^2"),
    (dict(dictionary="polynomials"), TypeError, "dictionary must be one such as"),
]


@pytest.mark.parametrize(("change", "kind", "message"), FAULTS)
def test_bad_input(change, kind, message):
    with pytest.raises(kind, match=message):
        kernels(**{"source": action.scalars(SE2), "target": action.scalars(SE2), **change})


def test_an_algebra_that_stretches_needs_a_family_of_its_own():
    g = algebra.aff(2)
    with pytest.raises(ValueError, match=r"aff\(2\): E11 does not leave round Gaussians as they are.*Give dictionary="):
        kernels(action.scalars(g), action.scalars(g))


def test_an_algebra_without_points():
    g = algebra.LieAlgebra("abstract", ("a",), constants=np.zeros((1, 1, 1)))
    with pytest.raises(TypeError, match="abstract moves no points"):
        kernels(action.scalars(g), action.scalars(g))


def test_coefficients_of_another_length():
    k = kernels(irreducible(0), irreducible(0))
    with pytest.raises(ValueError, match=r"coefficients must have shape \(2,\), one a kernel, got \(3,\)"):
        k.apply(jnp.ones(3), jnp.zeros(2))
