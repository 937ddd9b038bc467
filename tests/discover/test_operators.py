"""Symmetries of operators between fields on a grid, with answers that are known."""

import jax.numpy as jnp
import numpy as np
import pytest

import lieder as ld

N = 20
GRID = ld.action.grid(ld.algebra.aff(2), (N, N), boundary="periodic", derivative="spectral")
PLACES = GRID.positions
random = np.random.default_rng(0)


def spots(count: int) -> np.ndarray:
    out = []
    for angle, centre in zip(random.uniform(0, np.pi, count), random.uniform(-1.5, 1.5, (count, 2)), strict=True):
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        out.append(np.exp(-np.sum(((PLACES - centre) @ turn) ** 2 / [3, 6], axis=1)))
    return np.stack(out)


def blurred(u, along=2.0, across=2.0):
    steps = np.arange(N) - N // 2
    kernel = np.exp(-(steps[:, None] ** 2 / along + steps**2 / across) / 2)
    spectrum = jnp.fft.rfft2(jnp.fft.ifftshift(kernel / kernel.sum()))
    return jnp.fft.irfft2(jnp.fft.rfft2(u.reshape(N, N)) * spectrum, (N, N)).reshape(-1)


TURN, SHIFT_X, SHIFT_Y = [0, -1, 1, 0, 0, 0], [0, 0, 0, 0, 1, 0], [0, 0, 0, 0, 0, 1]
OPERATORS = {
    "heat": (blurred, [TURN, SHIFT_X, SHIFT_Y]),
    "stretched blur": (lambda u: blurred(u, 1.5, 6.0), [[0, -0.25, 1, 0, 0, 0], SHIFT_X, SHIFT_Y]),
    "defect in the centre": (lambda u: blurred(u) * (1 - 0.7 * jnp.exp(-jnp.sum(PLACES**2, axis=1) / 6)), [TURN]),
    "varies along x": (lambda u: blurred(u) * (1 + 0.8 * jnp.tanh(PLACES[:, 0] / 3)), [SHIFT_Y]),
}


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=[] if name == "defect in the centre" else [pytest.mark.slow]) for name in OPERATORS],
)
def test_motions_that_an_operator_commutes_with(name):
    operator, known = OPERATORS[name]
    found = ld.discover.function(operator, spots(12), source=GRID, target=GRID, error=2e-3)
    assert found.dim == len(known) and found.evidence.verdict == "symmetries"
    assert found.similarity(np.array(known, float)) > 0.9999
    # Samples of a field share its unit, also those near an edge: nothing is said of thin or uneven columns.
    assert found.evidence.notes == () and found.evidence.weak == ()


def test_a_kernel_by_convex_regression_on_its_moments():
    """A gradient keeps the turn of picture and arrow together, one with unequal weights neither."""
    so2, family = ld.algebra.so(2), ld.dictionary.polynomials(2, 3)
    window = np.exp(-np.sum(PLACES**2, axis=1) / 4)[:, None]
    functions = ld.derivative.values(family, PLACES) * window
    turning = ld.derivative.lie_matrices(family, ld.vectors(so2)).generators.dense()
    source, target = ld.action.independent(ld.action.linear(so2, turning), ld.vectors(so2))
    pictures = spots(30)
    moments, arrows = pictures @ functions, pictures @ (PLACES * window)
    arrows = arrows + 0.05 * arrows.std() * random.normal(size=arrows.shape)
    for weights, kept in (([1, 1], 1), ([1, 2], 0)):
        fit = ld.promote.Regression(ld.dictionary.linear(10), source=source, target=target, collocation="data")
        fit.fit(moments, arrows * weights)
        assert fit.kept_ == kept


def test_the_penalty_of_a_field_operator_is_least_where_it_commutes():
    pictures = jnp.asarray(spots(4))
    values = [
        float(ld.promote.penalty(lambda u, a=a: blurred(u, 2.0, a), pictures, source=GRID, target=GRID, smoothing=0.0))
        for a in (2.0, 3.0, 4.0)
    ]
    assert values[0] < values[1] < values[2]
