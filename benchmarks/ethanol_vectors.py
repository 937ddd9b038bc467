"""e(3) with its mirrors and the exchanges of like hydrogens, of one model of ethanol with none of them built in.

python benchmarks/ethanol_vectors.py DATA.npz [--judged 300] [--keep fit.npz] [--out ethanol.json]

The energy is a sum of functions of the vectors from atom to atom, each pair of labelled atoms with functions of its own
along the axes of space: of the length, of the direction, of both, of two vectors that share an atom; and of where each
atom is. It is fitted to energies and forces of 1,000 molecules, each turned and shifted at random: that nothing else
changes then, the forces themselves say, without any model (`ethanol.py`). Each function alone is known where an
exchange or a mirror takes it, though no molecule is there. Held out are 1,000 others, turned and shifted as well.

Two controls. The same family, fitted to the same molecules with a term added that a mirror turns round: does it find
the mirror broken? And with signed volumes of four atoms as further functions: as all molecules have one chirality of
their labels, these cannot be told from functions of distances, and the mirror is left open.

Data: rMD17 configurations (Christensen, von Lilienfeld 2020) recomputed with PBE/def2-SVP by Kovacs et al. (2021).
"""

import argparse
import itertools
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import scipy.linalg

import lieder as ld
from lieder import algebra as algebras

FIRST, SECOND = np.triu_indices(9, 1)
KIND = np.array([0, 1, 2, 3, 3, 4, 4, 4, 5])  # like atoms share ranges of distances, not functions
SHARED = np.array(
    [(a, b) for a in range(36) for b in range(a) if len({FIRST[a], SECOND[a], FIRST[b], SECOND[b]}) == 3]
).T
FOURS = np.array(list(itertools.combinations(range(9), 4)))
RIDGE = 1e-2
ENERGY = 10.0  # weight of an energy's row beside that of a force, in 1/A
HANDED = 1.0  # eV/A^2, of the term that a mirror turns round


class Molecules(NamedTuple):
    """Places and forces (N, 27), and energies (N,)."""

    x: np.ndarray
    forces: np.ndarray
    energy: np.ndarray


def turned(data, part: str, seed: int) -> Molecules:
    """Molecules turned and shifted at random."""
    random = np.random.default_rng(seed)
    x, forces = data[f"{part}_positions"], data[f"{part}_forces"]
    turn, corner = np.linalg.qr(random.normal(size=(len(x), 3, 3)))
    turn = turn * np.sign(np.diagonal(corner, axis1=1, axis2=2))[:, None]
    turn = turn * np.linalg.det(turn)[:, None, None]
    x = x - x.mean(axis=1, keepdims=True)
    there, pulls = (np.einsum("nij,naj->nai", turn, each) for each in (x, forces))
    there = there + random.normal(size=(len(x), 1, 3))
    return Molecules(there.reshape(len(x), 27), pulls.reshape(len(x), 27), data[f"{part}_energy"])


class Ranges(NamedTuple):
    """Of the distance of each pair: least, largest, mean and spread."""

    low: np.ndarray
    high: np.ndarray
    mean: np.ndarray
    spread: np.ndarray


def ranges(x: np.ndarray) -> Ranges:
    atoms = x.reshape(-1, 9, 3)
    distance = np.linalg.norm(atoms[:, FIRST] - atoms[:, SECOND], axis=2)
    pairs = [tuple(sorted((KIND[i], KIND[j]))) for i, j in zip(FIRST, SECOND, strict=True)]
    out = np.empty((4, 36))
    for pair in set(pairs):
        some = [k for k in range(36) if pairs[k] == pair]
        values = distance[:, some]
        out[:, some] = np.array([values.min(), values.max(), values.mean(), values.std()])[:, None]
    return Ranges(*out)


def second_degree(v):
    """x y, x z, y z, x^2 - y^2, 2 z^2 - x^2 - y^2 of vectors (..., 3)."""
    a, b, c = v[..., 0], v[..., 1], v[..., 2]
    return jnp.stack([a * b, a * c, b * c, a * a - b * b, 2 * c * c - a * a - b * b], -1)


def functions(known: Ranges, volumes: bool) -> Callable:
    """Places (27,) -> the functions that are combined."""

    def all_of(z):
        atoms = z.reshape(9, 3)
        between = atoms[FIRST] - atoms[SECOND]
        distance = jnp.sqrt(jnp.sum(between**2, axis=1))
        direction = between / distance[:, None]
        bells = (distance - known.low)[:, None] / (known.high - known.low)[:, None] * 7 - jnp.arange(-1, 9)
        u = (distance - known.mean) / known.spread
        a, b = u[SHARED[0]], u[SHARED[1]]
        angular = jnp.concatenate([direction, second_degree(direction)], axis=1)
        radial = jnp.stack([jnp.ones_like(u), u, u * u], axis=1)
        out = [
            *(atoms, second_degree(atoms), jnp.sum(atoms**2, axis=1)),
            *(jnp.exp(-0.5 * bells**2), angular[:, :, None] * radial[:, None]),
            *(a * b, a**2 * b, a * b**2, a**2 * b**2),
            direction[SHARED[0]][:, :, None] * direction[SHARED[1]][:, None],
        ]
        if volumes:
            corners = atoms[FOURS]
            out.append(jnp.linalg.det(corners[:, 1:] - corners[:, :1]))
        return jnp.concatenate([jnp.ravel(each) for each in out])

    return all_of


class Fit(NamedTuple):
    """Functions, and what forces and energies say of their weights: squares of rows in units of their sizes."""

    all_of: Callable
    gram: np.ndarray
    size: np.ndarray
    middle: np.ndarray

    def weights(self, known: Molecules) -> np.ndarray:
        """Of the functions, the last one of the constant."""
        right = np.zeros(len(self.size))
        for some, rows in slopes(self.all_of, known.x):
            right -= rows.T @ known.forces[some].ravel()
        off = known.energy - known.energy.mean()
        for some, rows in values(self.all_of, known.x):
            right += ENERGY**2 * (rows - self.middle).T @ off[some]
        ridge = self.gram + RIDGE * np.eye(len(self.size))
        found = scipy.linalg.solve(ridge, right / self.size, assume_a="pos", overwrite_a=True) / self.size
        return np.append(found, known.energy.mean() - self.middle @ found)


def slopes(all_of: Callable, x: np.ndarray):
    """Of the functions along all coordinates, fifty molecules at a time."""
    each = jax.jit(jax.vmap(jax.jacfwd(all_of)))
    for start in range(0, len(x), 50):
        some = slice(start, start + 50)
        found = np.asarray(each(x[some]))
        yield some, found.transpose(0, 2, 1).reshape(-1, found.shape[1])


def values(all_of: Callable, x: np.ndarray):
    each = jax.jit(jax.vmap(all_of))
    for start in range(0, len(x), 50):
        yield slice(start, start + 50), np.asarray(each(x[start : start + 50]))


def fitted(x: np.ndarray, volumes: bool = False) -> Fit:
    all_of = functions(ranges(x), volumes)
    gram = sum(rows.T @ rows for _, rows in slopes(all_of, x))
    size = np.sqrt(np.diag(gram) / x.size)
    whole = np.concatenate([rows for _, rows in values(all_of, x)])
    middle = whole.mean(axis=0)
    gram = gram + ENERGY**2 * (whole - middle).T @ (whole - middle)
    return Fit(all_of, gram / size / size[:, None], size, middle)


def energy_of(all_of: Callable, weights: np.ndarray) -> Callable:
    parts, constant = jnp.asarray(weights[:-1]), weights[-1]
    return lambda z: all_of(z) @ parts + constant


def force_of(energy: Callable) -> Callable:
    return lambda z: -jax.grad(energy)(z)


def with_handed_term(known: Molecules) -> Molecules:
    """With an energy more: the area that C to C and C to O span across the third axis, with the sign that a mirror
    across the first turns round."""

    def energy(z):
        atoms = z.reshape(9, 3)
        a, b = atoms[1] - atoms[0], atoms[2] - atoms[0]
        return HANDED * (a[0] * b[1] - a[1] * b[0])

    more = jax.jit(jax.vmap(jax.value_and_grad(energy)))(known.x)
    return Molecules(known.x, known.forces - np.asarray(more[1]), known.energy + np.asarray(more[0]))


def exchange(order: list[int]) -> np.ndarray:
    return np.kron(np.eye(9)[order], np.eye(3))


MIRROR = np.kron(np.eye(9), np.diag([-1.0, 1.0, 1.0]))
LIKE = [exchange([0, 1, 2, 4, 3, 5, 6, 7, 8]), exchange([0, 1, 2, 3, 4, 6, 5, 7, 8])]
THREE = exchange([0, 1, 2, 3, 4, 6, 7, 5, 8])
UNLIKE = {
    "(3 5)": [0, 1, 2, 5, 4, 3, 6, 7, 8],
    "(3 8)": [0, 1, 2, 8, 4, 5, 6, 7, 3],
    "(5 8)": [0, 1, 2, 3, 4, 8, 6, 7, 5],
}


def group(*maps: np.ndarray) -> ld.action.FieldAction:
    nothing = algebras.permutations(np.zeros((0, 27), int))
    return ld.vectors(algebras.extended(nothing, list(maps), "mirror and exchanges"))


def relative(found: np.ndarray, known: np.ndarray) -> float:
    return float(np.sqrt(np.sum((found - known) ** 2) / np.sum((known - known.mean(axis=0)) ** 2)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data")
    parser.add_argument("--judged", type=int, default=300)
    parser.add_argument("--keep", type=Path, help="a file in which the weights are kept")
    parser.add_argument("--out")
    arguments = parser.parse_args()
    jax.config.update("jax_enable_x64", True)
    data = np.load(arguments.data)
    train, test = turned(data, "train", 0), turned(data, "test", 1)
    start = time.process_time()
    kept = fits(train, arguments.keep)
    print(f"{len(kept['plain']) - 1} functions; three fits: {time.process_time() - start:.0f} CPU s")
    few = Molecules(*(each[: arguments.judged] for each in test))
    all_of = functions(ranges(train.x), False)
    energy = energy_of(all_of, kept["plain"])
    force = force_of(energy)
    error = errors(energy, test)
    space = ld.discover.function(energy, few.x, source=9 * ld.points(algebras.aff(3)), labels=few.energy)
    print(f"affine maps of space: {space.dim} of 12, {space.identify()}; {space.defects[:7]}")
    acting = group(MIRROR, *LIKE, THREE)
    answer = ld.discover.finite(force, few.x, source=acting, target=acting, error=error)
    print(answer)
    moved = there(force, few, answer)
    print(f"error at g x, against the forces moved by g: {moved.min():.3f} to {moved.max():.3f}")
    for name, order in UNLIKE.items():
        pair = group(exchange(order))
        other = ld.discover.finite(force, few.x, source=pair, target=pair, error=error)
        print(f"  {name}, of unlike hydrogens: defect {other.defects[1]:.3g}, {other.evidence.readings[1]}")
    mirror = group(MIRROR)
    for name, functions_, label in (
        ("with a handed term", all_of, "handed"),
        ("with volumes of four atoms", functions(ranges(train.x), True), "volumes"),
    ):
        known = with_handed_term(test) if label == "handed" else test
        control = energy_of(functions_, kept[label])
        off = errors(control, known)
        one = ld.discover.finite(force_of(control), few.x, source=mirror, target=mirror, error=off)
        print(f"{name}: mirror {one.defects[1]:.3g}, {one.evidence.readings[1]}")
    print(f"{time.process_time() - start:.0f} CPU s")
    if arguments.out:
        plain = {"defects": answer.defects.tolist(), "words": [list(answer.group.word(k)) for k in range(24)]}
        plain |= {"readings": list(answer.evidence.readings), "moved": moved.tolist(), "error": error}
        Path(arguments.out).write_text(json.dumps(plain | {"space": space.defects.tolist()}))


def fits(train: Molecules, path: Path | None) -> dict[str, np.ndarray]:
    """Weights: of the molecules, of these with a handed term, and with volumes of four atoms as further functions."""
    if path is not None and path.exists():
        return dict(np.load(path))
    fit = fitted(train.x)
    found = {"plain": fit.weights(train), "handed": fit.weights(with_handed_term(train))}
    found["volumes"] = fitted(train.x, volumes=True).weights(train)
    if path is not None:
        np.savez(path, **found)  # pyright: ignore[reportArgumentType]
    return found


def errors(energy: Callable, known: Molecules) -> float:
    """Of held-out forces, relative; printed with that of the energies."""
    e, slope = jax.jit(jax.vmap(jax.value_and_grad(energy)))(known.x)
    error, off = relative(-np.asarray(slope), known.forces), np.asarray(e) - known.energy
    mean = 1000 * np.abs(np.asarray(slope) + known.forces).mean()
    print(
        f"held out: forces, relative error {error:.3f}, mean {mean:.1f} meV/A; energies, relative error"
        f" {np.std(off) / np.std(known.energy):.3f}, mean {1000 * np.abs(off).mean():.1f} meV"
    )
    return error


def there(force: Callable, known: Molecules, answer: ld.discover.FiniteSymmetries) -> np.ndarray:
    """The error of the model at g x, if forces there are those at x, moved: for each element."""
    found = []
    many = jax.jit(jax.vmap(force))
    for k in range(answer.group.order):
        turn = answer.group.maps[k][:, :27]
        found.append(relative(np.asarray(many(known.x @ turn.T)), known.forces @ turn.T))
    return np.array(found)


if __name__ == "__main__":
    main()
