"""Decays in flight: the Lorentz group as the invariance of a label, by an adversary and by linear algebra.

A row holds three massless 4-vectors (E, x, y, z), the products of a particle of mass one that decays at once (label 0),
or through another of mass 0.4 (label 1), turned and boosted at random. Candidates are the sixteen generators of gl(4)
turning all three 4-vectors at once. The true answer is so(1,3), of six generators. It is no symmetry of the rows'
distribution in the strict sense: no distribution of rapidities is the same after a boost. It is nearly one for moves
that are small beside the spread of rapidities, and the adversary is given such. But of small moves a network that sees
the columns alone hardly notices that they leave the light cone, however wrong they are: it sees products of them.

    python examples/jets.py            # 4,000 decays
    python examples/jets.py --quick    # 1,500 decays and little training
"""

import argparse
import time

import numpy as np

import lieder as ld

NAMES = [f"{c}{k}" for k in (1, 2, 3) for c in ("E", "x", "y", "z")]
SETTINGS = {"n_generators": 6, "products": True, "spread": 0.2, "steps": 1000, "restarts": 1}


def directions(random: np.random.Generator, count: int) -> np.ndarray:
    """Unit vectors in space."""
    v = random.normal(size=(count, 3))
    return v / np.linalg.norm(v, axis=1, keepdims=True)


def boosted(p: np.ndarray, velocity: np.ndarray) -> np.ndarray:
    """4-vectors (N, k, 4) seen from a frame in which theirs moves with a velocity (N, 3)."""
    gamma = 1 / np.sqrt(1 - np.sum(velocity**2, axis=1))[:, None]
    energy, space = p[..., 0], p[..., 1:]
    along = np.einsum("nki,ni->nk", space, velocity)
    factor = (gamma**2 / (gamma + 1) * along + gamma * energy)[..., None]
    return np.concatenate([(gamma * (energy + along))[..., None], space + factor * velocity[:, None]], axis=-1)


def decays(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Rows (N, 12) and labels (N,): a massless particle and a pair, whose mass is 0.4 (label 1) or random (label 0)."""
    random = np.random.default_rng(seed)
    label = random.integers(0, 2, count)
    mass = np.where(label == 1, 0.4, np.sqrt(random.uniform(0, 1, count) * 0.9))  # of the pair
    axis, energy = directions(random, count), (1 - mass**2) / 2
    first = energy[:, None] * np.concatenate([np.ones((count, 1)), axis], axis=1)
    half = mass[:, None] / 2
    inner = directions(random, count)
    pair = np.stack([half * np.concatenate([np.ones((count, 1)), s * inner], axis=1) for s in (1, -1)], axis=1)
    pair = boosted(pair, -axis * (energy / (1 - energy))[:, None])
    rapidity = np.abs(random.normal(0, 1.0, count))
    whole = boosted(
        np.concatenate([first[:, None], pair], axis=1), np.tanh(rapidity)[:, None] * directions(random, count)
    )
    return whole.reshape(count, 12), label


def lorentz() -> np.ndarray:
    """The six generators of so(1,3) as coefficients over gl(4)."""
    out = []
    for k in range(1, 4):
        boost = np.zeros((4, 4))
        boost[0, k] = boost[k, 0] = 1.0
        out.append(boost.ravel())
    for i, j in ((1, 2), (1, 3), (2, 3)):
        turn = np.zeros((4, 4))
        turn[i, j], turn[j, i] = -1.0, 1.0
        out.append(turn.ravel())
    return np.array(out)


def angles(found: ld.Symmetries) -> np.ndarray:
    """The principal angles, in degrees, of the best six directions and so(1,3)."""
    spans = (np.linalg.qr(each.T)[0] for each in (found.directions[:6], lorentz()))
    cosines = np.linalg.svd(next(spans).T @ next(spans), compute_uv=False)
    return np.degrees(np.arccos(np.clip(cosines, 0.0, 1.0)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="1,500 decays and little training")
    quick = parser.parse_args().quick
    rows, label = decays(1500 if quick else 4000)
    plane = ld.algebra.gl(4)
    every = 3 * ld.vectors(plane)
    routes = {
        "adversary": lambda: ld.discover.adversarial(
            rows, label, source=every, names=NAMES, **(SETTINGS | ({"steps": 250} if quick else {}))
        ),
        "level sets": lambda: ld.discover.level_set(
            rows[label == 0], action=every, dictionary=ld.dictionary.polynomials(12, 2), names=NAMES
        ),  # decays of label 1 lie on a smaller surface: the pair has one mass
        "graph": lambda: ld.discover.graph(rows, label, source=every, target=ld.scalars(plane), names=NAMES),
    }
    for name, route in routes.items():
        begun = time.process_time()
        found = route()
        print(f"\n--- {name}, {time.process_time() - begun:.0f} s ---\n{found}")
        print("angles of six directions and so(1,3), in degrees:", np.round(angles(found), 2))


if __name__ == "__main__":
    main()
