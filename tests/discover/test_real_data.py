"""The main job on real data, and orbits without a model."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

import lieder as ld

EXAMPLES = Path(__file__).parents[2] / "examples"
INPUTS, OUTPUTS = ["x", "y", "z"], ["ax", "ay", "az"]


@pytest.fixture(scope="module")
def planets() -> ld.Symmetries:
    table = ld.files.read_csv(EXAMPLES / "planets.csv", INPUTS + OUTPUTS)
    source, target = ld.action.independent(ld.vectors(ld.algebra.gl(3)), ld.vectors(ld.algebra.gl(3)))
    x, y = table.values[:, :3], table.values[:, 3:]
    return ld.discover.dataset(
        x, y, source=source, target=target, fit="radial(-5,0)", names=INPUTS, output_names=OUTPUTS
    )


def test_planets_have_two_symmetries(planets):
    assert planets.dim == 2 and planets.evidence.verdict == "symmetries"
    assert planets.evidence.gap > 10
    assert planets.identify() == "R^2"
    scaling, rotation = planets.fields()
    assert rotation == "x d/dy - y d/dx + ax d/day - ay d/dax"
    assert scaling == "1/2 x d/dx + 1/2 y d/dy + 1/2 z d/dz - ax d/dax - ay d/day - az d/daz"


def test_planets_ratio_of_scalings_is_the_inverse_square_law(planets):
    # In the found space itself, not in its rounded basis: the generator orthogonal to the rotation.
    found = planets.generators
    rotation = np.zeros(18)
    rotation[[1, 3, 10, 12]] = -1, 1, -1, 1
    metric = planets.denominator.T @ planets.denominator
    along = found @ metric @ rotation
    scaling = along[1] * found[0] - along[0] * found[1]
    assert scaling[9] / scaling[0] == pytest.approx(-2.0, abs=0.03)
    assert scaling[13] / scaling[4] == pytest.approx(-2.0, abs=0.03)


def test_planets_evidence_names_the_weak_direction(planets):
    assert 2 in planets.evidence.weak
    assert planets.defects[0] < 0.002 and planets.defects[1] < 0.005 and 0.02 < planets.defects[2] < 0.08
    assert planets.defects[3] > 0.2
    assert "z" in planets.evidence.weak_reasons[planets.evidence.weak.index(2)]
    assert planets.evidence.finite is not None and (planets.evidence.finite < 0.02).all()
    assert "held-out relative error" in planets.evidence.model


def two_body():
    spec = importlib.util.spec_from_file_location("two_body", EXAMPLES / "two_body.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


ROTATION = np.array([0.0, -1.0, 1.0, 0.0])


def transitions(orbits: int, noise: float):
    states = two_body().orbits(orbits, 20)
    states = states + noise * states.std() * np.random.default_rng(1).standard_normal(states.shape)
    return states[:, :-1].reshape(-1, 8), states[:, 1:].reshape(-1, 8)


def cosine(a, b) -> float:
    return abs(a @ b) / np.linalg.norm(a) / np.linalg.norm(b)


@pytest.mark.parametrize(
    ("orbits", "noise", "least", "declared"),
    [
        (150, 0.0, 0.9999, True),
        pytest.param(800, 0.0, 0.9999, True, marks=pytest.mark.slow),
        pytest.param(800, 0.01, 0.999, True, marks=pytest.mark.slow),
    ],
)
def test_orbits_turn(orbits, noise, least, declared):
    now, later = transitions(orbits, noise)
    every = 4 * ld.vectors(ld.algebra.gl(2))
    s = ld.discover.graph(now, later, source=every, target=every, transition=True)
    assert cosine(s.directions[0], ROTATION) >= least
    assert s.similarity(ROTATION, dim=1) >= least
    assert (s.dim == 1) == declared


@pytest.mark.parametrize(
    ("orbits", "noise"),
    [pytest.param(*each, marks=pytest.mark.slow) for each in [(150, 0.0), (800, 0.0), (800, 0.01)]],
)
def test_orbits_have_one_symmetry_among_all_linear_maps(orbits, noise):
    now, later = transitions(orbits, noise)
    whole = ld.vectors(ld.algebra.gl(8))
    s = ld.discover.graph(now, later, source=whole, target=whole, transition=True)
    assert s.dim == 1
    assert s.similarity(np.kron(np.eye(4), ROTATION.reshape(2, 2)).ravel(), dim=1) >= 0.999
    if noise == 0.0:  # body 2 = - body 1: half of all matrices do nothing to the data
        assert len(s.ineffective) == 32
        assert "Ineffective: 32 of 64" in str(s)
