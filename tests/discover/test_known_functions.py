"""Known functions, clean and noisy: the right generators come back, and how near."""

import jax.numpy as jnp
import numpy as np
import pytest

import lieder as ld

AFFINE = ld.algebra.aff(2)
# (x - 1)^2 + 4 (y - 1)^2 is kept by 4 (y - 1) d/dx - (x - 1) d/dy; names: E11 E12 E21 E22 P1 P2
ELLIPSE = np.array([0.0, 4.0, -1.0, 0.0, -4.0, 1.0])
# x^3 - y^2 is kept by 2 y d/dx + 3 x^2 d/dy; monomials 1 x y x^2 xy y^2 along d/dx, then along d/dy
CUSP = np.array([0, 0, 2, 0, 0, 0, 0, 0, 0, 3, 0, 0], dtype=float)


def ellipse(points):
    return (points[..., 0] - 1) ** 2 + 4 * (points[..., 1] - 1) ** 2


def cusp(points):
    return points[..., 0] ** 3 - points[..., 1] ** 2


def labelled(function, low, high, rows, noise, seed=0):
    random = np.random.default_rng(seed)
    points = random.uniform(low, high, (rows, 2))
    clean = function(points)
    return points, clean + noise * clean.std() * random.standard_normal(rows)


@pytest.mark.parametrize(("rows", "noise", "least"), [(200, 0.0, 1 - 1e-12), (200, 0.2, 0.999), (2000, 0.2, 0.999)])
def test_ellipse_from_samples(rows, noise, least):
    points, labels = labelled(ellipse, -1, 3, rows, noise)
    s = ld.discover.dataset(points, labels, source=ld.points(AFFINE), target=ld.scalars(AFFINE), fit="polynomial")
    assert s.similarity(ELLIPSE, dim=1) >= least
    assert s.dim == 1 and s.evidence.verdict == "symmetries"


@pytest.mark.parametrize(("noise", "least"), [(0.0, 1 - 1e-12), (0.2, 0.999)])
def test_cusp_from_samples_with_quadratic_fields(noise, least):
    fields = ld.action.polynomial_fields(2, 2)
    points, labels = labelled(cusp, -1, 1, 2000, noise)
    s = ld.discover.dataset(points, labels, source=fields, target=ld.scalars(fields.algebra), fit="polynomial")
    assert s.similarity(CUSP, dim=1) >= least
    assert s.dim == 1


def test_the_functions_themselves():
    points = np.random.default_rng(3).uniform(-1, 1, (100, 2))
    s = ld.discover.function(ellipse, points, source=ld.points(AFFINE), names=["x", "y"])
    assert s.similarity(ELLIPSE) > 1 - 1e-14 and s.fields() == ["(1 - y) d/dx + 1/4 (x - 1) d/dy"]
    s = ld.discover.function(cusp, points, source=ld.action.polynomial_fields(2, 2), names=["x", "y"])
    assert s.similarity(CUSP) > 1 - 1e-14 and s.fields() == ["2/3 y d/dx + x^2 d/dy"]


@pytest.mark.parametrize(("noise", "least_mean", "least_worst"), [(0.0, 1 - 1e-12, 1 - 1e-12), (0.2, 0.999, 0.99)])
def test_ten_dimensions_three_of_them_nuisance(noise, least_mean, least_worst):
    """An ellipsoid in seven of ten inputs: 21 rotations of it and 33 affine fields along the nuisance inputs."""
    weights, centre = np.linspace(1, 4, 7), np.linspace(-0.5, 0.5, 7)
    candidates = ld.algebra.aff(10)
    random = np.random.default_rng(5)
    points = random.uniform(-1, 1, (2000, 10))
    clean = (weights * (points[:, :7] - centre) ** 2).sum(axis=1)
    labels = clean + noise * clean.std() * random.standard_normal(len(clean))

    def truth(x):
        return jnp.sum(weights * (x[:7] - centre) ** 2)

    exact = ld.discover.function(truth, points[:400], source=ld.points(candidates))
    assert exact.dim == 54
    s = ld.discover.dataset(
        points, labels, source=ld.points(candidates), target=ld.scalars(candidates), fit="polynomial(2)"
    )
    cosines = principal_cosines(s, exact.generators)
    assert s.dim == 54
    assert cosines.mean() >= least_mean and cosines.min() >= least_worst


def principal_cosines(s: ld.Symmetries, known: np.ndarray) -> np.ndarray:
    """Cosines of all principal angles between found and known generators, as the data see them."""
    found, wanted = (np.linalg.qr(s.denominator @ rows.T)[0] for rows in (s.directions[: len(known)], known))
    return np.linalg.svd(found.T @ wanted, compute_uv=False)


def test_an_asymmetric_function_has_none():
    points = np.random.default_rng(7).uniform(-1, 1, (300, 2))
    s = ld.discover.function(lambda x: jnp.exp(x[0]) + jnp.sin(3 * x[1]) * x[0], points, source=ld.points(AFFINE))
    assert s.dim == 0 and s.evidence.verdict == "no symmetry"
    assert "No symmetry" in str(s)


def test_a_poor_model_cannot_tell():
    """A linear fit of a curved function would call many things a symmetry: its own error must forbid it."""
    random = np.random.default_rng(8)
    points = random.uniform(-1, 1, (600, 2))
    labels = np.stack([np.sin(4 * points[:, 0]) * points[:, 1], np.cos(4 * points[:, 1]) * points[:, 0]], axis=1)
    both = ld.vectors(ld.algebra.gl(2))
    s = ld.discover.dataset(points, labels, source=both, target=both, fit="polynomial(1)")
    assert s.evidence.verdict == "cannot tell" and s.dim == 0
    assert "Cannot tell" in str(s)
