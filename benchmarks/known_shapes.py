"""Submanifolds given by a map, noise on every coordinate, and their symmetries from the map's own derivative."""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from lieder import action, algebra
from lieder.linalg import relative_spectrum

PI = np.pi


class Shape(NamedTuple):
    """`point` maps parameters (d,), drawn uniformly from `box` (d, 2), to a point; with `target` the first
    `source.width` coordinates are inputs and the others outputs."""

    point: Callable
    box: tuple[tuple[float, float], ...]
    source: action.AbstractAction
    target: action.AbstractFibreAction | None = None

    def draw(self, count: int, noise: float, seed: int) -> np.ndarray:
        """(count, n) points; noise is a share of the rms distance from the mean over a coordinate."""
        random = np.random.default_rng(seed)
        points = np.asarray(self._points(random.uniform(size=(count, len(self.box)))))
        spread = np.sqrt(np.mean((points - points.mean(axis=0)) ** 2))
        return points + noise * spread * random.normal(size=points.shape)

    def _points(self, share: np.ndarray) -> jax.Array:
        with jax.enable_x64(True):
            low, high = np.array(self.box).T
            return jax.vmap(self.point)(jnp.asarray(low + (high - low) * share))

    @property
    def total(self) -> action.AbstractAction:
        return self.source if self.target is None else action.total(self.source, self.target)

    def truth(self) -> tuple[np.ndarray, np.ndarray]:
        """(r, q) generators that are symmetries, and all relative defects, from exact tangent spaces."""
        low, high = np.array(self.box).T
        u = low + (high - low) * np.random.default_rng(0).uniform(size=(1000, len(self.box)))
        with jax.enable_x64(True):
            z = jax.vmap(self.point)(jnp.asarray(u))
            along = np.linalg.qr(np.asarray(jax.vmap(jax.jacfwd(self.point))(jnp.asarray(u))))[0]  # (p, n, d)
            fields = np.swapaxes(np.asarray(jax.vmap(self.total.fields)(z)), 1, 2)  # (p, n, q)
        rows = fields - along @ (np.swapaxes(along, 1, 2) @ fields)
        q = fields.shape[2]
        spectrum = relative_spectrum(_factor(rows.reshape(-1, q)), _factor(fields.reshape(-1, q)), 1e-7)
        return spectrum.directions[spectrum.values < 1e-9], spectrum.values


def _factor(rows: np.ndarray) -> np.ndarray:
    return np.asarray(np.linalg.qr(rows, mode="r"))


def _plane(u):
    frame = np.linalg.qr(np.random.default_rng(4).normal(size=(4, 2)))[0]
    return jnp.asarray(frame) @ u + jnp.array([0.3, -0.2, 0.1, 0.5])


def _moebius(u):
    radius = 2 + u[1] * jnp.cos(u[0] / 2)
    return jnp.array([radius * jnp.cos(u[0]), radius * jnp.sin(u[0]), u[1] * jnp.sin(u[0] / 2)])


def _generic(u):
    height = (
        0.5 * jnp.sin(1.7 * u[0] + 0.4) + 0.4 * jnp.cos(1.3 * u[1] - 0.5) * u[0] + 0.3 * jnp.sin(u[0] * u[1] + u[1])
    )
    return jnp.array([u[0], u[1], height])


def _shapes() -> dict[str, Shape]:
    aff = {n: action.points(algebra.aff(n)) for n in (2, 3, 4)}
    gl = {n: action.vectors(algebra.gl(n)) for n in (2, 3)}
    linear = (gl[2], action.scalars(gl[2].algebra))
    angle, unit = (0.0, 2 * PI), (-1.0, 1.0)
    square = (unit, unit)
    sin, cos, sinh, cosh = jnp.sin, jnp.cos, jnp.sinh, jnp.cosh

    def ball(u):  # uniform on the sphere: Archimedes
        return jnp.array([jnp.sqrt(1 - u[1] ** 2) * cos(u[0]), jnp.sqrt(1 - u[1] ** 2) * sin(u[0]), u[1]])

    def torus(u):
        return jnp.array([(2 + cos(u[1])) * cos(u[0]), (2 + cos(u[1])) * sin(u[0]), sin(u[1])])

    def trefoil(u):
        return jnp.array([sin(u[0]) + 2 * sin(2 * u[0]), cos(u[0]) - 2 * cos(2 * u[0]), -sin(3 * u[0])])

    return {
        "circle": Shape(lambda u: jnp.array([cos(u[0]), sin(u[0])]), (angle,), aff[2]),
        "ellipse, se(2)": Shape(
            lambda u: jnp.array([2 * cos(u[0]), sin(u[0])]), (angle,), action.points(algebra.se(2))
        ),
        "ellipse": Shape(lambda u: jnp.array([2 * cos(u[0]), sin(u[0])]), (angle,), aff[2]),
        "helix": Shape(lambda u: jnp.array([cos(u[0]), sin(u[0]), u[0] / 4]), ((-2 * PI, 2 * PI),), aff[3]),
        "trefoil": Shape(trefoil, (angle,), aff[3]),
        "sphere": Shape(ball, (angle, unit), aff[3]),
        "torus": Shape(torus, (angle, angle), aff[3]),
        "cylinder": Shape(lambda u: jnp.array([cos(u[0]), sin(u[0]), u[1]]), (angle, unit), aff[3]),
        "swiss roll, se(3)": Shape(
            lambda u: jnp.array([u[0] * cos(u[0]), u[0] * sin(u[0]), 6 * u[1]]) / 6,
            ((PI / 2, 5 * PI / 2), unit),
            action.points(algebra.se(3)),
        ),
        "hyperboloid": Shape(
            lambda u: jnp.array([cosh(u[1]) * cos(u[0]), cosh(u[1]) * sin(u[0]), sinh(u[1])]), (angle, unit), gl[3]
        ),
        "cone": Shape(lambda u: u[1] * jnp.array([cos(u[0]), sin(u[0]), 1.0]), (angle, (0.5, 1.5)), gl[3]),
        "paraboloid": Shape(lambda u: jnp.array([u[0], u[1], u[0] ** 2 + u[1] ** 2]), square, aff[3]),
        "saddle, se(3)": Shape(lambda u: jnp.array([u[0], u[1], u[0] * u[1]]), square, action.points(algebra.se(3))),
        "Moebius strip": Shape(_moebius, (angle, (-0.7, 0.7)), gl[3]),
        "generic surface": Shape(_generic, square, aff[3]),
        "product of sines": Shape(lambda u: jnp.array([u[0], u[1], sin(2 * u[0]) * sin(2 * u[1])]), square, aff[3]),
        "plane in R^4": Shape(_plane, square, aff[4]),
        "graph x (1 + |x|^2)": Shape(lambda u: jnp.concatenate([u, u * (1 + u @ u)]), square, gl[2], gl[2]),
        "graph x + y^3": Shape(lambda u: jnp.array([u[0], u[1], u[0] + u[1] ** 3]), square, *linear),
        "graph |x|^2 in R^3": Shape(
            lambda u: jnp.concatenate([u, (u @ u)[None]]),
            (unit, unit, unit),
            aff[3],
            action.scalars(aff[3].algebra),
        ),
        "graph of a swirl": Shape(
            lambda u: jnp.concatenate([u, jnp.array([-u[1], u[0]]) * jnp.exp(-(u @ u))]), square, gl[2], gl[2]
        ),
    }


SHAPES = _shapes()
