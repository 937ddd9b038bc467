"""Point symmetries of differential equations from sampled solutions: known algebras, units, noise, and no answer."""

import numpy as np
import pytest

import lieder as ld

TX = 2 * np.pi
T, X = np.linspace(0, 1, 60), np.arange(64) * TX / 64
NAMES = ["t", "x", "u"]


def distance(found: np.ndarray, known: np.ndarray) -> float:
    """Grassmann distance of two spaces of coefficients, sqrt(sum theta^2)."""
    sines = np.linalg.svd(np.linalg.qr(found.T)[0] - known.T @ np.linalg.pinv(known.T) @ np.linalg.qr(found.T)[0])[1]
    return float(np.sqrt(np.sum(np.arcsin(np.clip(sines, 0, 1)) ** 2)))


def affine(*fields: dict[tuple[int, int], float]) -> np.ndarray:
    """Fields by their coefficients of z_j d/dz_i, j = 3 for 1, in the order of the generators of aff(3)."""
    places = [*((i, j) for i in range(3) for j in range(3)), *((i, 3) for i in range(3))]
    return np.array([[field.get(place, 0.0) for place in places] for field in fields])


TIME, SPACE, UP = {(0, 3): 1.0}, {(1, 3): 1.0}, {(2, 3): 1.0}
HEAT = affine(TIME, SPACE, UP, {(2, 2): 1.0}, {(2, 1): 1.0}, {(0, 0): 2.0, (1, 1): 1.0})
BURGERS = affine(TIME, SPACE, {(1, 0): 1.0, (2, 3): 1.0}, {(0, 0): 2.0, (1, 1): 1.0, (2, 2): -1.0})


def heat_solutions(count: int = 3, seed: int = 0, offset: float = 0.0) -> np.ndarray:
    """u_t = u_xx, waves of three lengths each."""
    rng = np.random.default_rng(seed)
    size, phase = rng.normal(size=(count, 3, 1, 1)), rng.uniform(0, TX, size=(count, 3, 1, 1))
    k = np.arange(1, 4)[:, None, None]
    return offset + np.sum(size * np.exp(-(k**2) * T[:, None]) * np.sin(k * X + phase), axis=1)[:, None]


def burgers_solutions(count: int = 3, seed: int = 0) -> np.ndarray:
    """u_t = -u u_x + u_xx by Cole and Hopf: u = -2 (log w)_x of solutions w > 0 of the heat equation."""
    w = heat_solutions(count, seed, offset=12.0)
    waves = 1j * np.fft.fftfreq(64, 1 / 64)
    return -2 * np.fft.ifft(waves * np.fft.fft(w)).real / w


@pytest.fixture(scope="module")
def burgers() -> ld.Symmetries:
    return ld.discover.pde(burgers_solutions(), (T, X), 2)


def test_heat():
    found = ld.discover.pde(heat_solutions(), (T, X), 2)
    assert found.dim == 6 and distance(found.generators, HEAT) < 1e-4
    assert set(found.fields()) == {"d/dt", "d/dx", "d/du", "u d/du", "x d/du", "t d/dt + 1/2 x d/dx"}
    assert "u_t = 1 u_xx." in found.evidence.model and "Fourier series" in found.evidence.model
    assert found.names == ("t", "x", "u") and found.target is None and found.algebra.dim == 6
    assert found.evidence.finite is not None and np.all(found.evidence.finite < 1e-3)


@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.slow)])
def test_burgers_whatever_the_seed(seed, burgers):
    found = ld.discover.pde(burgers_solutions(), (T, X), 2, seed=seed) if seed else burgers
    assert found.dim == 4 and distance(found.generators, BURGERS) < 1e-3
    assert set(found.fields()) == {"d/dt", "d/dx", "t d/dx + d/du", "t d/dt + 1/2 x d/dx - 1/2 u d/du"}


@pytest.mark.parametrize(
    ("size", "centre"),
    [
        ((1e3, 1e-3, 1e3), (1e6, -1.0, 1e6)),
        pytest.param((1e3, 1e-3, 1e3), (0.0, 0.0, 0.0), marks=pytest.mark.slow),
        pytest.param((1.0, 1.0, 1.0), (1e3, -1e3, 1e3), marks=pytest.mark.slow),
    ],
)
def test_units_and_origins_change_nothing(size, centre, burgers):
    """In other units the same defects to rounding, and the symmetries themselves in these units."""
    u, plain = burgers_solutions(), burgers
    moved = ld.discover.pde(centre[2] + size[2] * u, (centre[0] + size[0] * T, centre[1] + size[1] * X), 2)
    assert moved.dim == plain.dim == 4 and moved.evidence.verdict == plain.evidence.verdict
    np.testing.assert_allclose(moved.defects[4:], plain.defects[4:], rtol=1e-3)
    # theta(centre + size z) = size theta'(z)
    linear, shift = plain.generators[:, :9].reshape(-1, 3, 3), plain.generators[:, 9:]
    scaled = linear * np.array(size)[:, None] / np.array(size)
    wanted = np.concatenate([scaled.reshape(-1, 9), shift * size - scaled @ np.array(centre)], axis=1)
    assert moved.similarity(wanted) > 1 - 1e-4


@pytest.mark.parametrize(
    ("noise", "verdict", "far"),
    [(0.002, "symmetries", 0.0126), pytest.param(0.01, "cannot tell", 0.05, marks=pytest.mark.slow)],
)
def test_noise_is_averaged_out(noise, verdict, far):
    """Waves that last a tenth of the time: 0.2 % of noise leaves the count; 1 % leaves the directions, and it is said
    that the fifth is not known to be worse. The best published distance, of exact samples, is 0.0126."""
    u = burgers_solutions(8)
    noisy = u + noise * u.std() * np.random.default_rng(5).normal(size=u.shape)
    found = ld.discover.pde(noisy, (T, X), 2)
    assert found.evidence.verdict == verdict and found.dim == (4 if verdict == "symmetries" else 0)
    assert distance(found.directions[:4], BURGERS) < far


def test_noise_alone_tells_nothing():
    u = np.random.default_rng(0).normal(size=(3, 1, 60, 64))
    assert ld.discover.pde(u, (T, X), 2).evidence.verdict == "cannot tell"


def test_one_travelling_wave_cannot_tell():
    """u(x - t) obeys u_t = -u_x and many other equations: the wave of u_t = -u u_x + u_xx does so too."""
    t, x = np.linspace(0, 2, 60), np.linspace(-8, 8, 128)
    front = 1 - np.tanh((x - t[:, None]) / 2)
    found = ld.discover.pde(front, (t, x), 2)
    assert found.dim == 0 and found.evidence.verdict == "cannot tell"
    assert "other equations fit as well" in found.evidence.model


def test_two_functions_and_second_order_in_time():
    """u_tt = u_xx has the boost x d/dt + t d/dx; u and v that obey it mix."""
    waves = np.arange(1, 4)[:, None, None]
    rng = np.random.default_rng(3)
    phase, size = rng.uniform(0, TX, size=(2, 2, 2, 3, 1, 1)), rng.normal(size=(2, 2, 2, 3, 1, 1))
    right, left = (np.sum(size[d] * np.sin(waves * (X + (-1) ** d * T[:, None]) + phase[d]), axis=2) for d in (0, 1))
    found = ld.discover.pde(right + left, (T, X), 2, time_order=2, degree=1, names=["t", "x", "u", "v"])
    # Translations 4, boost and common scaling of (t, x), gl(2) on (u, v), and u, v plus multiples of t and x.
    assert found.dim == 4 + 2 + 4 + 4
    assert "x d/dt + t d/dx" in found.fields() and "v_tt = 1 v_xx" in found.evidence.model


@pytest.mark.parametrize(
    ("fit", "words"),
    [("sparse", "u_t ="), pytest.param("polynomial(2)", "polynomial ridge", marks=pytest.mark.slow)],
)
def test_candidates_of_the_callers_own(fit, words):
    turn = ld.action.fields([lambda z: z * np.array([2.0, 1.0, -1.0]), lambda z: z * np.array([1.0, 0.0, 0.0])], 3)
    found = ld.discover.pde(burgers_solutions(), (T, X), 2, candidates=turn, fit=fit)
    assert found.dim == 1 and found.similarity([1.0, 0.0]) > 0.999
    assert words in found.evidence.model


GOOD = heat_solutions(1)[0, 0]
HOLE = GOOD.copy()
HOLE[3, 5] = np.nan


@pytest.mark.parametrize(
    ("u", "grids", "more", "message"),
    [
        (GOOD, (T[::-1], X), {}, r"grids: t must increase, but sample 1 \(0\.98.*\) comes after 1\. Sort"),
        (GOOD, (T, np.sqrt(X)), {"derivative": "spectral"}, "'spectral' needs a regular grid, but steps along x run"),
        (HOLE, (T, X), {}, r"u holds NaN or inf, first at t=0\.0508.*, x=0\.49.*cut off the times"),
        (GOOD.T, (T, X), {}, r"u has shape \(64, 60\), but the grids have \(60, 64\) samples"),
        (GOOD, (T,), {}, r"grids must hold the axes \(t, x\) or \(t, x, y\)"),
        (GOOD[:5], (T[:5], X), {}, "grids: t must be one axis of at least 8 samples"),
        (np.ones_like(GOOD), (T, X), {}, "u: u never varies"),
        (
            GOOD,
            (T, X),
            {"candidates": ld.points(ld.algebra.se(2))},
            "candidates act on 2 coordinates, but 3 are needed",
        ),
        (GOOD, (T, X), {"derivative": "spectrum"}, "derivative must be one of auto, spectral, local, differences"),
        (GOOD, (T, X), {"names": ["t", "x"]}, "names must hold 3 names"),
        ([], (T, X), {}, "u is empty"),
    ],
)
def test_bad_input(u, grids, more, message):
    with pytest.raises(ValueError, match=message):
        ld.discover.pde(u, grids, 2, **more)


def test_an_order_that_is_none():
    with pytest.raises(ValueError, match="order must be a whole number of at least 1, got 0"):
        ld.discover.pde(GOOD, (T, X), 0)
