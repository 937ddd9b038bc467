"""Dynamics whose symmetry is linear in no column: trajectories for `ld.discover.latent`, each from its own solver.

python examples/latent_tasks.py                    # the pendulum, half a CPU minute
python examples/latent_tasks.py lotka_volterra     # or another task
python examples/latent_tasks.py spiral --convolutional
python examples/latent_tasks.py spiral --published # 100 x 100 pixels as they are, and networks as published
"""

import argparse
import time
from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import scipy.fft
from scipy.integrate import solve_ivp
from scipy.ndimage import gaussian_filter
from scipy.spatial import ConvexHull
from scipy.spatial.transform import Rotation

import lieder as ld
from lieder.learn._encoding import PUBLISHED


def observed(states: np.ndarray, columns: int = 50, seed: int = 0, like: np.ndarray | None = None) -> np.ndarray:
    """What is seen of states (trajectories, T, k): a smooth map at random into many columns.

    The map uses mean and spread of the states, or of those that these are to be seen `like`.
    """
    random = np.random.default_rng(seed)
    flat = (states if like is None else like).reshape(-1, states.shape[-1])
    units = (states - flat.mean(axis=0)) / flat.std(axis=0)
    first, shift = random.normal(size=(states.shape[-1], 32)) / np.sqrt(2), random.normal(size=32)
    return np.tanh(0.7 * (units @ first + shift)) @ random.normal(size=(32, columns)) / np.sqrt(32)


def solved(field: Callable, start: np.ndarray, times: np.ndarray) -> np.ndarray:
    """One trajectory (T, k)."""
    return solve_ivp(field, (0, times[-1]), start, t_eval=times, rtol=1e-9, atol=1e-9).y.T


def pendulum(count: int = 60, steps: int = 60, step: float = 0.25, seed: int = 0) -> np.ndarray:
    """Angle and velocity of pendulums that swing, up to 127 degrees: the larger the slower.

    Returns: (count, steps, 2).
    """
    random, out = np.random.default_rng(seed), []
    while len(out) < count:
        start = random.uniform([-np.pi, -2], [np.pi, 2])
        if start[1] ** 2 / 2 - np.cos(start[0]) < 0.6:
            out.append(solved(lambda t, z: [z[1], -np.sin(z[0])], start, step * np.arange(steps)))
    return np.array(out)


def lotka_volterra(count: int = 60, steps: int = 60, step: float = 0.25, seed: int = 0) -> np.ndarray:
    """Logarithms of prey and predators; periods grow with the amplitude.

    Returns: (count, steps, 2).
    """
    random = np.random.default_rng(seed)
    field = lambda t, z: [2 / 3 - 4 / 3 * np.exp(z[1]), np.exp(z[0]) - 1]  # noqa: E731
    return np.array([solved(field, random.uniform(-1.2, 1.2, 2), step * np.arange(steps)) for _ in range(count)])


def double_bump(count: int = 60, steps: int = 60, places: int = 32, seed: int = 0) -> np.ndarray:
    """Two bumps that go round on two circles, each at a speed of its own that is the larger the higher it is.

    The latent has four coordinates, a height and an angle of each bump, and two symmetries, so(2) x so(2).

    Returns: (count, steps, 2 places), the values on the first circle and on the second.
    """
    random = np.random.default_rng(seed)
    place = 2 * np.pi * np.arange(places) / places
    height = random.uniform(0.5, 1.5, (count, 2))
    angle = random.uniform(0, 2 * np.pi, (count, 2))[:, None] + np.arange(steps)[:, None] * (
        np.array([0.2, 0.35]) + np.array([0.15, -0.2]) * (height[:, None] - 1)
    )
    bumps = height[:, None, :, None] * np.exp(2.0 * (np.cos(place - angle[..., None]) - 1))
    return bumps.reshape(count, steps, -1)


def spiral(count: int = 12, steps: int = 80, side: int = 100, seed: int = 0) -> np.ndarray:
    """Spiral waves of a lambda-omega system, u of u' = (1 - A^2) u + A^2 v + .1 Lap u, v' = (1 - A^2) v - A^2 u
    + .1 Lap v, A^2 = u^2 + v^2, on a square of side 20, each from its own phase and perturbation.

    By splitting: diffusion exactly, in cosines, which have no slope at the edges; what happens at a place by the exact
    solution of its amplitude and phase. The step is .05, and every fifth is kept, after a time of 10.

    Returns: (count, steps, side^2).
    """
    random = np.random.default_rng(seed)
    x = (np.arange(side) + 0.5) * 20 / side - 10
    far, angle = np.hypot(*np.meshgrid(x, x)), np.arctan2(*np.meshgrid(x, x)[::-1])
    wave = np.pi * np.arange(side) / 20
    decay = np.exp(-0.1 * 0.05 * (wave[:, None] ** 2 + wave[None, :] ** 2))
    phase = angle - far + random.uniform(0, 2 * np.pi, (count, 1, 1))
    bent = 1 + 0.2 * random.normal(size=(count, 1, 1)) * np.exp(-((far - random.uniform(2, 6, (count, 1, 1))) ** 2))
    field = np.tanh(far) * np.exp(1j * phase) * bent
    out = []
    for number in range(200 + 5 * steps):
        if number >= 200 and number % 5 == 0:
            out.append(field.real.reshape(count, -1).copy())
        size = np.abs(field) ** 2 + 1e-300
        grown = size * np.exp(0.1) / (1 + size * (np.exp(0.1) - 1))  # of the amplitude's square, after .05
        turned = 0.5 * np.log1p(size * (np.exp(0.1) - 1))  # the integral of the amplitude's square
        field = field * np.sqrt(grown / size) * np.exp(-1j * turned)
        parts = [scipy.fft.idctn(decay * scipy.fft.dctn(p, axes=(1, 2)), axes=(1, 2)) for p in (field.real, field.imag)]
        field = parts[0] + 1j * parts[1]
    return np.stack(out, axis=1)


def silhouettes(
    count: int = 400, steps: int = 8, side: int = 24, angle: float = 0.5, cameras: int = 2, blur: float = 2.0, seed=0
) -> np.ndarray:
    """Silhouettes of a cone, a mesh of 25 corners, that is turned by `angle` a step about an axis of each trajectory.

    A latent of three coordinates holds points of spheres, and on these SO(3) acts; so what the silhouettes show has to
    be a point of a sphere. A cone's do: its axis, all that is left of its orientation, since it is round. (A body that
    is not round shows all of its orientation, which no linear action of SO(3) has room for in three coordinates: an
    orbit of it is at most a sphere. Two copies of them, six, would be needed.) The next axis is no function of the
    axis: it is drawn, since the axis of turning is.

    Of sharp silhouettes of a cone that turns about its middle the larger part is even in the axis, and axes up to sign
    have no place in three coordinates: a latent of them is folded. So it turns about the middle of its base, two
    cameras at right angles look at it, and pictures are blurred, which leaves where it is rather than its outline: then
    the axis makes 65 % of the variance linearly, not 27.

    Arguments: `blur`, the standard deviation in pixels.
    Returns: (count, steps, cameras side^2), the share of each pixel that is covered, blurred.
    """
    random = np.random.default_rng(seed)
    turn = Rotation.from_rotvec(angle * _directions(random, count))
    now, frames = Rotation.from_quat(random.normal(size=(count, 4))), []
    round = 2 * np.pi * np.arange(24) / 24
    base = np.stack([0.48 * np.cos(round), 0.48 * np.sin(round), 0 * round], 1)
    corners = np.concatenate([[[0, 0, 1.2]], base])
    views = [np.roll(np.arange(3), -shift) for shift in range(cameras)]
    for _ in range(steps):
        frames.append([[covered(one.apply(corners)[:, view], side) for view in views] for one in now])
        now = turn * now
    return gaussian_filter(np.stack(frames, axis=1), (0, 0, 0, blur, blur)).reshape(count, steps, -1)


def _directions(random: np.random.Generator, count: int) -> np.ndarray:
    away = random.normal(size=(count, 3))
    return away / np.linalg.norm(away, axis=1, keepdims=True)


def covered(corners: np.ndarray, side: int, distance: float = 2.5) -> np.ndarray:
    """The silhouette of a convex mesh (corners, 3), seen from a `distance` along z.

    Returns: (side, side), 1 inside and 0 outside; at the outline the share of the pixel that is covered, nearly.
    """
    flat = corners[:, :2] * (distance / (distance - corners[:, 2:]))
    outline = ConvexHull(flat)
    x = 1.3 * (2 * (np.arange(side) + 0.5) / side - 1)
    inside = -np.max(
        outline.equations @ np.stack([*(one.ravel() for one in np.meshgrid(x, x)), np.ones(side**2)]), axis=0
    )
    return np.clip(inside / (x[1] - x[0]) + 0.5, 0, 1).reshape(side, side)


def components(rows: np.ndarray, most: int = 30) -> tuple[np.ndarray, np.ndarray, float]:
    """Pictures (trajectories, T, pixels) in their principal components, which are faster to train on.

    Returns: the coordinates (trajectories, T, most), the pictures (most, pixels) that they stand for, and the share of
        the variance that is left out.
    """
    flat = rows.reshape(-1, rows.shape[-1])
    away = flat - flat.mean(axis=0)
    _, sizes, pictures = np.linalg.svd(away, full_matrices=False)
    kept = pictures[:most]
    return (away @ kept.T).reshape(*rows.shape[:-1], -1), kept, float(np.sum(sizes[most:] ** 2) / np.sum(sizes**2))


class Convolutional(eqx.Module):
    """An encoder of pictures, of one's own: two convolutions of stride 2 and a linear map, (side^2,) -> (k,)."""

    first: eqx.nn.Conv2d
    second: eqx.nn.Conv2d
    last: eqx.nn.Linear
    side: int = eqx.field(static=True)

    @classmethod
    def new(cls, side: int, k: int, seed: int = 0, channels: int = 8) -> "Convolutional":
        """One that knows nothing, in single precision; `side` is a multiple of 4."""
        keys = jax.random.split(jax.random.key(seed), 3)
        layer = {"kernel_size": 4, "stride": 2, "padding": 1, "dtype": jnp.float32}
        return cls(
            eqx.nn.Conv2d(1, channels, key=keys[0], **layer),
            eqx.nn.Conv2d(channels, 2 * channels, key=keys[1], **layer),
            eqx.nn.Linear(2 * channels * (side // 4) ** 2, k, key=keys[2], dtype=jnp.float32),
            side,
        )

    def __call__(self, x):
        picture = x.reshape(1, self.side, self.side)
        return self.last(jax.nn.tanh(self.second(jax.nn.tanh(self.first(picture)))).reshape(-1))


class Task(NamedTuple):
    """What makes trajectories of columns, coordinates of the latent, generators, and how it is trained."""

    make: Callable[[], np.ndarray]
    k: int
    generators: int
    training: ld.discover.Encoding = ld.discover.Encoding()


COMMON = ld.discover.Encoding(units="common")
TASKS = {
    "pendulum": Task(lambda: observed(pendulum()), 2, 1),
    "lotka_volterra": Task(lambda: observed(lotka_volterra()), 2, 1),
    "double_bump": Task(double_bump, 4, 2),
    "spiral": Task(lambda: components(spiral())[0], 2, 1, COMMON),
    "spiral_3": Task(lambda: components(spiral())[0], 3, 1, COMMON),
    "silhouettes": Task(lambda: components(silhouettes())[0], 3, 3, replace(COMMON, widths=(128, 128), symmetry=0.01)),
}


def main() -> None:
    parser = argparse.ArgumentParser(description="Latent symmetries of dynamics")
    parser.add_argument("task", nargs="?", choices=list(TASKS), default="pendulum")
    parser.add_argument("--route", choices=["direct", "adversarial"], default="direct")
    parser.add_argument("--steps", type=int, help="of training; else those of the task")
    parser.add_argument("--quick", action="store_true", help="100 steps, which show how it goes and claim nothing")
    parser.add_argument("--published", action="store_true", help="networks as published; a GPU's work")
    parser.add_argument("--convolutional", action="store_true", help="the spiral's pictures, 32 x 32, by convolutions")
    parser.add_argument("--noise", type=float, default=0.0, help="a share of each column's spread, in training's units")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    make, k, generators, training = TASKS[given.task]
    encoder = None
    if given.convolutional:
        x, encoder = spiral(side=32), Convolutional.new(32, k, given.seed)
    else:
        x = spiral() if given.published and given.task.startswith("spiral") else make()
    spread = x.std() if training.units == "common" else x.std(axis=(0, 1))
    x = x + given.noise * spread * np.random.default_rng(given.seed).standard_normal(x.shape)
    print(f"{given.task}: {x.shape[0]} trajectories of {x.shape[1]} rows, {x.shape[2]} columns")
    begun = time.process_time()
    if given.published:
        training = replace(PUBLISHED, units=training.units)
    steps = 100 if given.quick else given.steps or training.steps
    training = replace(training, steps=steps)
    asked = {"latent_dim": k, "n_generators": generators, "route": given.route, "seed": given.seed}
    found = ld.discover.latent(x, **asked, encoder=encoder, training=training)
    print(found)
    print(f"{time.process_time() - begun:.0f} CPU s")


if __name__ == "__main__":
    main()
