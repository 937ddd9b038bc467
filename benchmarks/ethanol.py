"""Finite symmetries of ethanol from energies and forces of density functional theory.

python benchmarks/ethanol.py DATA.npz [--rows 500] [--judged 400] [--out ethanol.json]

Three questions. Which affine maps of space leave the energy as it is, from the forces alone (they are its derivative)?
Which exchanges of like hydrogens and mirrors hold, for a model fitted to forces in which none of them is built in? And
how well does that model predict forces it has not seen?

The model is a Gaussian process on the energy, learned from forces: a Matern covariance of inverse distances of labelled
atoms, and of the heights of the hydrogens over the plane of C, C and O, which a mirror turns round. Rotations and
translations are taken out by a frame in that plane, once the first answer has justified it.

A second model, local in another way, speaks for single exchanges, which move whole molecules off the data: a sum of
functions of one distance and of products of two distances that share an atom, each pair of labelled atoms with its own.
Each function alone is known where the exchange takes it.

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


class Pairs:
    """Forces from an energy that is linear in functions of one distance and of two that share an atom."""

    def __init__(self, x: np.ndarray, forces: np.ndarray):
        kind = np.array([0, 1, 2, 3, 3, 4, 4, 4, 5])  # like atoms share ranges of distances, not functions
        named = [tuple(sorted((kind[i], kind[j]))) for i, j in zip(FIRST, SECOND, strict=True)]
        atoms = np.zeros((len(x), 27))
        atoms[:, FREE] = x
        atoms = atoms.reshape(-1, 9, 3)
        distance = np.linalg.norm(atoms[:, FIRST] - atoms[:, SECOND], axis=2)
        ranges = np.empty((4, 36))
        for name in set(named):
            some = [k for k in range(36) if named[k] == name]
            values = distance[:, some]
            ranges[:, some] = np.array([values.min(), values.max(), values.mean(), values.std()])[:, None]
        shared = [(a, b) for a in range(36) for b in range(a) if len({FIRST[a], SECOND[a], FIRST[b], SECOND[b]}) == 3]
        self.ranges, self.shared = ranges, np.array(shared).T
        self.slopes = jax.jit(jax.vmap(jax.jacrev(self.functions)))
        rows = self.rows(x)
        size = np.sqrt(np.mean(rows**2, axis=0))
        rows = rows / size
        gram = rows.T @ rows + 1e-2 * np.eye(len(size))
        self.weights = scipy.linalg.solve(gram, -rows.T @ forces.ravel(), assume_a="pos") / size

    def functions(self, z):
        atoms = jnp.zeros(27).at[FREE].set(z).reshape(9, 3)
        distance = jnp.sqrt(jnp.sum((atoms[FIRST] - atoms[SECOND]) ** 2, axis=1))
        low, high, mean, spread = self.ranges
        bells = jnp.exp(-0.5 * ((distance - low)[:, None] / (high - low)[:, None] * 7 - jnp.arange(-1, 9)) ** 2)
        u = (distance - mean) / spread
        a, b = u[self.shared[0]], u[self.shared[1]]
        return jnp.concatenate([bells.ravel(), a * b, a**2 * b, a * b**2, a**2 * b**2])

    def rows(self, x: np.ndarray) -> np.ndarray:
        parts = [np.asarray(self.slopes(x[k : k + 50])).transpose(0, 2, 1) for k in range(0, len(x), 50)]
        return np.concatenate(parts).reshape(x.size, -1)

    def __call__(self, x: np.ndarray) -> np.ndarray:
        return -(self.rows(x) @ self.weights).reshape(x.shape)


SINGLE = {
    "(3 4), of CH2": [0, 1, 2, 4, 3, 5, 6, 7, 8],
    "(5 6), of CH3": [0, 1, 2, 3, 4, 6, 5, 7, 8],
    "(5 6 7)": [0, 1, 2, 3, 4, 6, 7, 5, 8],
    "(3 4)(5 6)": [0, 1, 2, 4, 3, 6, 5, 7, 8],
    "(3 8), unlike": [0, 1, 2, 8, 4, 5, 6, 7, 3],
    "(3 5), unlike": [0, 1, 2, 5, 4, 3, 6, 7, 8],
}


def single_exchanges(x, forces, there, known) -> None:
    """Exchanges without a mirror, by the second model: its defect, and its error at g x against the true forces."""
    model = Pairs(x, forces)
    plain = model(there)
    spread = np.sum((known - known.mean(axis=0)) ** 2)
    print(f"pairs of distances: held-out relative error {np.sqrt(np.sum((plain - known) ** 2) / spread):.3f}")
    for name, order in SINGLE.items():
        turn = exchange(order)
        moved = model(there @ turn.T)
        change = 2 * np.sum((plain - plain.mean(axis=0)) ** 2) + np.sum((plain @ turn.T - plain) ** 2)
        defect = np.sqrt(np.sum((moved - plain @ turn.T) ** 2) / change)
        error = np.sqrt(np.sum((moved - known @ turn.T) ** 2) / spread)
        print(f"  {name}: defect {defect:.3f}, error against the forces, exchanged, {error:.3f}")


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
    single_exchanges(*framed(positions, forces), x[:300], y[:300])
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
