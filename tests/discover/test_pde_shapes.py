"""Solutions that determine no equation, grids of every kind, and models other than few terms."""

import numpy as np
import pytest

import lieder as ld

T, X = np.linspace(0, 1, 60), np.arange(64) * 2 * np.pi / 64
K = np.arange(1, 4)[:, None, None]


def heat(t: np.ndarray, x: np.ndarray, count: int = 3) -> np.ndarray:
    """Solutions (count, 1, T, X) of u_t = u_xx, of three waves each."""
    rng = np.random.default_rng(0)
    size, phase = rng.normal(size=(count, 1, 3, 1, 1)), rng.uniform(0, 6, (count, 1, 3, 1, 1))
    return np.sum(size * np.exp(-(K**2) * t[:, None]) * np.sin(K * x + phase), axis=2)


def undetermined(found: ld.Symmetries) -> bool:
    return found.dim == 0 and found.evidence.verdict == "cannot tell"


def soliton(c: float, start: float, t: np.ndarray, x: np.ndarray) -> np.ndarray:
    return 3 * c / np.cosh(np.sqrt(c) / 2 * (x - c * t[:, None] - start)) ** 2


def test_one_soliton_cannot_tell():
    """One obeys u_t = -c u_x, and much besides."""
    t, x = np.linspace(0, 2, 80), np.linspace(-12, 12, 128)
    assert undetermined(ld.discover.pde(soliton(1.0, -2.0, t, x), (t, x), 3, degree=2))


@pytest.mark.slow
def test_two_solitons_of_two_speeds_can():
    """Among polynomials of degree 2 both obey one equation alone."""
    t, x = np.linspace(0, 2, 80), np.linspace(-12, 12, 128)
    slow, fast = soliton(1.0, -2.0, t, x), soliton(2.0, -4.0, t, x)
    both = ld.discover.pde([slow, fast], (t, x), 3, degree=2)
    assert set(both.fields()) == {"d/dt", "d/dx", "t d/dx + d/du", "t d/dt + 1/3 x d/dx - 2/3 u d/du"}


@pytest.mark.parametrize(
    "u",
    [
        np.exp(-T[:, None]) * np.sin(X),  # u_t = -u, u_t = u_xx, and all between
        pytest.param(np.exp(-T[:, None]) * np.ones_like(X), marks=pytest.mark.slow),  # nothing depends on x
        pytest.param(np.ones_like(T)[:, None] * np.sin(X), marks=pytest.mark.slow),  # nor on t
    ],
    ids=["separable", "without x", "without t"],
)
def test_one_solution_of_product_form_cannot_tell(u):
    assert undetermined(ld.discover.pde(u, (T, X), 2))


def test_axes_in_another_order_claim_nothing():
    """The grids may be as long as each other, so that shapes cannot tell: u_x = u_tt is no u_t = f."""
    t = np.linspace(0, 1, 64)
    assert undetermined(ld.discover.pde(heat(t, X).swapaxes(2, 3), (X, t), 2))


@pytest.mark.slow
def test_uneven_grids():
    rng = np.random.default_rng(1)
    t, x = np.sort(rng.uniform(0, 1, 90)), np.sort(rng.uniform(0, 2 * np.pi, 110))
    found = ld.discover.pde(heat(t, x), (t, x), 2)
    assert set(found.fields()) == {"d/dt", "d/dx", "d/du", "u d/du", "x d/du", "t d/dt + 1/2 x d/dx"}
    assert "Fourier" not in found.evidence.model


@pytest.mark.slow
def test_a_network_claims_nothing_that_it_does_not_resolve():
    """A network of 60 x 64 samples is known to a few hundredths: not enough to tell the six from the others."""
    found = ld.discover.pde(heat(T, X), (T, X), 2, fit="mlp")
    assert undetermined(found) and found.evidence.model.startswith("mlp, held-out relative error")
    assert found.evidence.resolution > found.defects[0]
