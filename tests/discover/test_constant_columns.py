"""Columns that never vary are data like others where nothing is asked along them."""

import time

import numpy as np
import pytest

import lieder as ld

RNG = np.random.default_rng(0)
SO3 = ld.algebra.so(3)
V, S = ld.vectors(SO3), ld.scalars(SO3)


def test_a_circle_in_a_plane_of_space():
    RNG = np.random.default_rng(1)
    angle = RNG.uniform(0, 2 * np.pi, 300)
    z = np.stack([np.cos(angle), np.sin(angle), np.zeros(300)], axis=1)
    found = ld.discover.cloud(z, action=V)
    assert found.dim == 1
    assert found.fields(["x", "y", "z"]) == ["x d/dy - y d/dx"]
    levels = ld.discover.level_set(z, action=V, dictionary=ld.dictionary.polynomials(3, 2))
    assert levels.dim == 1


def test_inputs_in_a_plane_go_to_the_graph():
    RNG = np.random.default_rng(1)
    x = np.concatenate([RNG.normal(size=(400, 2)), np.zeros((400, 1))], axis=1)
    found = ld.discover.dataset(x, np.sum(x**2, axis=1), source=V, target=S)
    assert found.dim == 1
    assert "graph" in found.evidence.model
    with pytest.raises(ValueError, match=r"x has constant columns: 'x2' \(always 0\)"):
        ld.discover.dataset(x, np.sum(x**2, axis=1), source=V, target=S, fit="polynomial(2)")


def test_bodies_at_rest():
    """Positions vary, velocities are zero, and the candidates are linear: nothing moves the velocities."""
    RNG = np.random.default_rng(1)
    x = np.concatenate([RNG.normal(size=(200, 3)), np.zeros((200, 3))], axis=1)
    energy = lambda s: (s[:3] ** 2).sum() + (s[3:] ** 2).sum()  # noqa: E731
    assert ld.discover.function(energy, x, source=2 * V, target=S).dim == 3
    y = np.concatenate([x[:, :3] * np.sum(x[:, :3] ** 2, axis=1, keepdims=True), x[:, 3:]], axis=1)
    found = ld.discover.dataset(x[:, :3], y, source=V, target=2 * V, fit="polynomial(3)")
    assert found.dim == 3
    assert ld.discover.vector_field(lambda s: -s, x, action=2 * V).dim == 3


def test_a_number_that_never_varies_and_is_never_moved():
    RNG = np.random.default_rng(1)
    x = np.concatenate([RNG.normal(size=(200, 3)), np.full((200, 1), 9.81)], axis=1)
    found = ld.discover.function(lambda s: s[3] * (s[:3] ** 2).sum(), x, source=V + S, target=S)
    assert found.dim == 3


def test_along_what_is_moved_the_data_must_vary():
    RNG = np.random.default_rng(1)
    x = RNG.normal(size=(200, 3)) * [1.0, 1.0, 0.0]
    with pytest.raises(ValueError, match=r"x has constant columns: 'x2' \(always -?0\)"):
        ld.discover.function(lambda s: s[0] ** 2 + s[2] ** 2, x, source=V, target=S)
    with pytest.raises(ValueError, match=r"y has constant columns: 'y0'"):
        ld.discover.dataset(RNG.normal(size=(200, 3)), np.ones(200), source=V, target=S)


def test_too_many_candidates_are_refused_at_once():
    RNG = np.random.default_rng(1)
    big = ld.algebra.so(200)
    x = RNG.normal(size=(3000, 200))
    start = time.perf_counter()
    with pytest.raises(ValueError, match=r"x gives 3000 equations for 19900 candidate generators"):
        ld.discover.dataset(x, np.sum(x**2, axis=1), source=ld.vectors(big), target=ld.scalars(big))
    with pytest.raises(ValueError, match=r"x gives 3000 equations for 19900 candidate generators"):
        ld.discover.function(lambda s: (s**2).sum(), x, source=ld.vectors(big), target=ld.scalars(big))
    with pytest.raises(ValueError, match=r"19,900 candidate generators take a triangular factor of 3.0 GiB"):
        ld.discover.cloud(x, action=ld.vectors(big))
    assert time.perf_counter() - start < 10  # seconds: it took minutes
