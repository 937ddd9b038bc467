"""The symmetry of gravity from orbits alone: no model is fitted and no equation given.

Two bodies of equal mass circle their common centre of mass in a plane. A row is the state (q1, q2, p1, p2) in R^8,
positions and momenta of both bodies; next to it stands the state one step later. Candidates are, first, the four
generators of gl(2) turning every 2-vector at once, then all 64 of gl(8). The true answer is one rotation. With gl(8)
half of the candidates do nothing to the data, because body 2 is
always opposite to body 1: they are listed apart, and the rotation is judged by what it does to the data, not by its
    matrix.

    python examples/two_body.py            # 800 orbits x 20 steps, without noise and with 1 % noise
    python examples/two_body.py --quick    # 150 orbits
"""

import argparse

import diffrax
import jax
import jax.numpy as jnp
import numpy as np

import lieder as ld

STEP = 0.2  # of time, in units where G = masses = 1; the orbits below take between 3 and 6 of them


def orbits(count: int, steps: int, seed: int = 0) -> np.ndarray:
    """States (count, steps + 1, 8) of two unit masses in their centre-of-mass frame, eccentricities 0 to 0.6."""
    random = np.random.default_rng(seed)
    axis, eccentricity = random.uniform(0.8, 1.2, count), random.uniform(0.0, 0.6, count)
    angle, phase = random.uniform(0, 2 * np.pi, count), random.uniform(0, 1, count)
    # Start at the point of closest approach of the separation r = q1 - q2, which obeys r'' = -2 r / |r|^3.
    distance, speed = axis * (1 - eccentricity), np.sqrt(2 / axis * (1 + eccentricity) / (1 - eccentricity))
    turn = np.stack([np.cos(angle), np.sin(angle)], 1), np.stack([-np.sin(angle), np.cos(angle)], 1)
    start = np.concatenate([distance[:, None] * turn[0], speed[:, None] * turn[1]], axis=1)
    begin = phase * 2 * np.pi * np.sqrt(axis**3 / 2)

    def gravity(t, state, args):
        r, v = state[:2], state[2:]
        return jnp.concatenate([v, -2 * r / jnp.linalg.norm(r) ** 3])

    def orbit(state, first):
        times = first + STEP * jnp.arange(steps + 1)
        control = diffrax.PIDController(rtol=1e-10, atol=1e-10)
        term, solver, saved = diffrax.ODETerm(gravity), diffrax.Dopri8(), diffrax.SaveAt(ts=times)
        return diffrax.diffeqsolve(
            term, solver, 0.0, times[-1], 0.01, state, saveat=saved, stepsize_controller=control
        ).ys

    with jax.enable_x64(True):
        separation = np.asarray(jax.jit(jax.vmap(orbit))(jnp.asarray(start), jnp.asarray(begin)))
    r, v = separation[..., :2], separation[..., 2:]
    return np.concatenate([r / 2, -r / 2, v / 2, -v / 2], axis=-1)


def search(states: np.ndarray, noise: float, seed: int = 1) -> None:
    """Both candidate sets on one set of orbits, with the known rotation to compare."""
    noisy = states + noise * states.std() * np.random.default_rng(seed).standard_normal(states.shape)
    now, later = noisy[:, :-1].reshape(-1, 8), noisy[:, 1:].reshape(-1, 8)
    names = ["q1x", "q1y", "q2x", "q2y", "p1x", "p1y", "p2x", "p2y"]

    plane = ld.algebra.gl(2)
    every_vector = 4 * ld.vectors(plane)
    few = ld.discover.graph(now, later, source=every_vector, target=every_vector, transition=True, names=names)
    print(f"\n--- {len(now)} transitions, noise {100 * noise:g} %: gl(2) on every 2-vector at once ---\n{few}")
    rotation = np.array([0.0, -1.0, 1.0, 0.0])
    matrix = few.directions[0]
    cosine = abs(matrix @ rotation) / np.linalg.norm(matrix) / np.linalg.norm(rotation)
    print(f"|cos| with the rotation: {cosine:.7f} as matrices, {few.similarity(rotation, dim=1):.7f} on the data")

    whole = ld.vectors(ld.algebra.gl(8))
    many = ld.discover.graph(now, later, source=whole, target=whole, transition=True, names=names)
    every_rotation = np.kron(np.eye(4), [[0.0, -1.0], [1.0, 0.0]]).ravel()
    print(f"\n--- the same, gl(8) ---\n{many}")
    print(f"|cos| with the rotation on the data: {many.similarity(every_rotation, dim=1):.7f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="150 orbits in place of 800")
    states = orbits(150 if parser.parse_args().quick else 800, 20)
    search(states, noise=0.0)
    search(states, noise=0.01)


if __name__ == "__main__":
    main()
