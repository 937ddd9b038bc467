"""Finite symmetries of ethanol from energies and forces of density functional theory.

python benchmarks/ethanol.py DATA.npz [--rows 500] [--judged 400] [--out ethanol.json]

Three questions. Which affine maps of space leave the energy as it is, from the forces alone (they are its derivative)?
Which exchanges of like hydrogens and mirrors hold, for a model fitted to forces in which none of them is built in? And
how well does that model predict forces it has not seen?

The model is a Gaussian process on the energy, learned from forces: a Matern covariance of inverse distances of labelled
atoms, and of the heights of the hydrogens over the plane of C, C and O, which a mirror turns round. Rotations and
translations are taken out by a frame in that plane, once the first answer has justified it.

Single exchanges, and the mirror alone, take whole molecules off the data: `ethanol_vectors.py` has a model for these.

Data: rMD17 configurations (Christensen, von Lilienfeld 2020) recomputed with PBE/def2-SVP by Kovacs et al. (2021).
Reference: Chmiela et al. (2017) for learning energies from forces; Longuet-Higgins (1963) for feasible permutations.
"""

import argparse
import json
import time

import jax
import jax.numpy as jnp
import numpy as np
import scipy.linalg

import lieder as ld
from lieder import algebra as algebras
from lieder.interop import ForeignModel

FREE = np.array([3, 6, 7, *range(9, 27)])  # coordinates that the frame leaves free
FIRST, SECOND = np.triu_indices(9, 1)
LENGTH, HEIGHTS, NOISE = 8.0, 0.2, 1e-10


def framed(x: np.ndarray, forces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Free coordinates and forces, a carbon at the origin, the other on the x axis, oxygen in the plane."""
    x = x - x[:, :1]
    first = x[:, 1] / np.linalg.norm(x[:, 1], axis=1, keepdims=True)
    across = x[:, 2] - np.sum(x[:, 2] * first, axis=1, keepdims=True) * first
    second = across / np.linalg.norm(across, axis=1, keepdims=True)
    frame = np.stack([first, second, np.cross(first, second)], axis=1)
    turned = [np.einsum("nij,naj->nai", frame, part).reshape(len(x), 27)[:, FREE] for part in (x, forces)]
    return turned[0], turned[1]


def descriptors(x):
    atoms = jnp.zeros(27).at[FREE].set(x).reshape(9, 3)
    inverse = 1 / jnp.sqrt(jnp.sum((atoms[FIRST] - atoms[SECOND]) ** 2, axis=1))
    return jnp.concatenate([inverse, HEIGHTS * atoms[3:, 2]])


def fitted(x: np.ndarray, forces: np.ndarray):
    """x -> forces, the derivative of one energy."""
    known = np.asarray(jax.vmap(descriptors)(x))
    slopes = np.asarray(jax.vmap(jax.jacfwd(descriptors))(x))
    rows, n = x.shape
    c = 5 / (3 * LENGTH**2)
    gram = np.empty((rows * n, rows * n))
    for i in range(rows):
        apart = known[i] - known
        q = np.sqrt(5 * np.sum(apart**2, axis=1)) / LENGTH
        size = np.exp(-q)
        right = np.einsum("nm,nmk->nk", apart, slopes)
        both = np.einsum("ma,nmk->nak", slopes[i], slopes) * (size * (1 + q))[:, None, None]
        both -= 5 / LENGTH**2 * size[:, None, None] * (apart @ slopes[i])[:, :, None] * right[:, None, :]
        gram[i * n : (i + 1) * n] = c * both.transpose(1, 0, 2).reshape(n, rows * n)
    gram[np.diag_indices_from(gram)] += NOISE
    weights = scipy.linalg.solve(gram, forces.ravel(), assume_a="pos", overwrite_a=True).reshape(rows, n)
    along = np.einsum("nmk,nk->nm", slopes, weights)

    def force(z):
        here, back = jax.vjp(descriptors, jnp.asarray(z))
        apart = here - known
        q = jnp.sqrt(5 * jnp.sum(apart**2, axis=1) + 1e-20) / LENGTH
        size = jnp.exp(-q)
        steep = (size * (1 + q)) @ along - 5 / LENGTH**2 * ((size * jnp.sum(apart * along, axis=1)) @ apart)
        return back(c * steep)[0]

    return force


def of_space(x: np.ndarray, energy: np.ndarray, forces: np.ndarray) -> ld.Symmetries:
    """Which affine maps of space leave the energy as it is, by its derivative, which is given."""
    number = {row.tobytes(): k for k, row in enumerate(x)}

    def rows(z):
        return np.array([number.get(np.ascontiguousarray(row, np.float64).tobytes(), -1) for row in z])

    def values(z):
        at = rows(z)
        return np.where(at >= 0, energy[at], np.nan)[:, None]

    given = ForeignModel(values, lambda z: -forces[rows(z)][:, None], "given")
    return ld.discover.function(given, x, source=9 * ld.points(algebras.aff(3)), error=1e-4)


def candidates() -> ld.action.AbstractAction:
    """The mirror in the plane of the frame, the exchange of the two hydrogens of CH2, and all of the three of CH3."""
    mirror = np.diag(np.tile([1.0, 1.0, -1.0], 9)[FREE])
    pair, two = exchange([0, 1, 2, 4, 3, 5, 6, 7, 8]), exchange([0, 1, 2, 3, 4, 6, 5, 7, 8])
    three = exchange([0, 1, 2, 3, 4, 6, 7, 5, 8])
    nothing = algebras.permutations(np.zeros((0, len(FREE)), int))
    return ld.vectors(algebras.extended(nothing, [mirror, pair, two, three], "mirror, S2, S3"))


def exchange(order: list[int]) -> np.ndarray:
    """What an order of the atoms does to the free coordinates."""
    return np.kron(np.eye(9)[order], np.eye(3))[np.ix_(FREE, FREE)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data")
    parser.add_argument("--rows", type=int, default=500)
    parser.add_argument("--judged", type=int, default=400)
    parser.add_argument("--out")
    arguments = parser.parse_args()
    jax.config.update("jax_enable_x64", True)
    data = np.load(arguments.data)
    positions, forces = data["train_positions"], data["train_forces"]
    found = of_space(positions.reshape(-1, 27), data["train_energy"], forces.reshape(-1, 27))
    print(found)
    start = time.process_time()
    chosen = np.random.default_rng(0).permutation(len(positions))[: arguments.rows]
    model = fitted(*framed(positions[chosen], forces[chosen]))
    x, y = framed(data["test_positions"], data["test_forces"])
    off = np.asarray(jax.jit(jax.vmap(model))(x)) - y
    error = float(np.sqrt(np.sum(off**2) / np.sum((y - y.mean(axis=0)) ** 2)))
    print(f"held-out forces: relative error {error:.3f}, mean {1000 * np.abs(off).mean():.1f} meV/A")
    action = candidates()
    count = arguments.judged
    answer = ld.discover.finite(model, x[:count], labels=y[:count], source=action, target=action)
    print(answer, f"{time.process_time() - start:.0f} CPU s")
    if arguments.out:
        e = answer.evidence
        plain = {"defects": answer.defects.tolist(), "away": e.away.tolist(), "covered": e.covered.tolist()}
        plain |= {"readings": list(e.readings), "words": [list(answer.group.word(k)) for k in range(24)]}
        plain |= {"error": error, "mean": float(1000 * np.abs(off).mean()), "space": found.defects.tolist()}
        with open(arguments.out, "w") as file:
            json.dump(plain, file)


if __name__ == "__main__":
    main()
