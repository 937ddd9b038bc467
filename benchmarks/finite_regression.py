"""How often a regression finds which finite elements the truth keeps, and what it gains over ridge regression.

    python benchmarks/finite_regression.py --out FILE            # 1,008 problems; resumes from FILE (.json)
    python benchmarks/finite_regression.py --out FILE --quick    # 2 seeds
    python benchmarks/finite_regression.py forms                 # which convex norm proposes the right group

Random functions, averaged over a subgroup that is planted, so that what is broken is broken at the size of the function
itself. Noise relative to its standard deviation; errors are those of the function, relative, on fresh inputs.

    lattice     Fourier series of degree 3 on a square cell, 25 functions; D4 with its subgroups C4, Z2 x Z2, Z2, none
    exchange    cubic polynomials of three like coordinates, 20 functions; S3 with C3, Z2, none
    reversal    cubic fields of position and momentum, 2 x 10 functions; time reversal R (fields change their sign) and
                parity P, with R alone, P alone, R P alone, none

"known" is ridge regression on the data together with all that the planted group makes of them: least squares that is
told the symmetry.
"""

import measure  # before NumPy: threads are set there

# isort: split
import argparse
import json
import os
import time
import warnings
from itertools import product
from pathlib import Path

import numpy as np
from sklearn.linear_model import RidgeCV

import lieder as ld
from lieder.derivative import values
from lieder.linalg import Columns, MatrixStack
from lieder.promote import Regression
from lieder.promote import _group_columns as group_columns

RATIOS, NOISES, SEEDS = (0.6, 1.0, 1.5, 3.0), (0.01, 0.05, 0.3), range(100, 106)
TURN, SWAP, MIRROR = np.array([[0.0, -1.0], [1.0, 0.0]]), np.array([[0.0, 1.0], [1.0, 0.0]]), np.diag([-1.0, 1.0])
CYCLE, PAIR = np.eye(3)[[1, 2, 0]], np.eye(3)[[1, 0, 2]]
R, P = np.diag([1.0, -1.0]), -np.eye(2)
KEPT = group_columns.Elements.beside


def lattice():
    square = ld.algebra.polygon(4)
    kinds = {"D4": [TURN, MIRROR], "C4": [TURN], "Z2 x Z2": [SWAP, -SWAP], "Z2": [SWAP], "none": []}
    return ld.vectors(square), None, ld.dictionary.fourier(2, 3), np.pi, kinds


def exchange():
    like = ld.algebra.symmetric(3)
    kinds = {"S3": [CYCLE, PAIR], "C3": [CYCLE], "Z2": [PAIR], "none": []}
    return ld.vectors(like), None, ld.dictionary.polynomials(3, 3), 1.0, kinds


def reversal():
    nothing = ld.algebra.permutations(np.zeros((0, 2), int))
    both = ld.algebra.extended(nothing, [R, P], "time reversal and parity")
    state = ld.vectors(both)
    odd = state * ld.action.pseudoscalars(both, [-1, 1])
    kinds = {"R, P": [R, P], "R": [R], "P": [P], "R P": [R @ P], "none": []}
    return state, odd, ld.dictionary.polynomials(2, 3), 1.0, kinds


FAMILIES = {"lattice": lattice(), "exchange": exchange(), "reversal": reversal()}


def planted(family: str, kind: str) -> np.ndarray:
    """The numbers of the elements that the truth keeps."""
    source, _, _, _, kinds = FAMILIES[family]
    group = ld.algebra.generated(source.algebra)
    given = [int(np.argmin([np.abs(m[:, :-1] - one).max() for m in group.maps])) for one in kinds[kind]]
    return group.subgroup(given)


def carried(family: str, numbers, x, y):
    """Inputs and outputs under each of some elements."""
    source, target, *_ = FAMILIES[family]
    group = ld.algebra.generated(source.algebra)
    there, out = ld.action.carried(source, target, group, x, y[:, None])
    return there[numbers], out[numbers][:, :, 0]


def truth(family: str, kind: str, rng: np.random.Generator):
    """A random function, averaged over what is planted."""
    source, target, dictionary, *_ = FAMILIES[family]
    m = 1 if target is None else target.width
    W = rng.normal(size=(m, dictionary.size))
    numbers = planted(family, kind)
    group = ld.algebra.generated(source.algebra)
    back = [group.inverse(int(k)) for k in numbers]

    def F(x):
        # The mean over g of g F(g^-1 x).
        total = np.zeros((len(x), m))
        for k, inverse in zip(numbers, back, strict=True):
            before = ld.action.carried(source, None, group, x, np.zeros((len(x), 1, 1)))[0][inverse]
            total += carried(family, [k], before, values(dictionary, before) @ W.T)[1][0]
        return total / len(numbers)

    return F, numbers


def problem(family: str, kind: str, ratio: float, noise: float, seed: int) -> dict:
    """The errors of everyone, whether the group is right, CPU seconds."""
    source, target, dictionary, half, _ = FAMILIES[family]
    rng = np.random.default_rng([seed, *map(ord, family + kind)])
    F, numbers = truth(family, kind, rng)
    fresh = rng.uniform(-half, half, (2000, source.width))
    exact = F(fresh)
    rows = max(round(ratio * dictionary.size), 10)
    x = rng.uniform(-half, half, (rows, source.width))
    y = F(x)
    y = y + noise * exact.std() * rng.normal(size=y.shape)

    def error(found) -> float:
        return float(np.sqrt(np.mean((found.reshape(exact.shape) - exact) ** 2)) / exact.std())

    begun = time.process_time()
    model = Regression(dictionary, source=source, target=target).fit(x, y)
    seconds = time.process_time() - begun
    there, turned = carried(family, numbers, x, y)
    known = ridge(dictionary, there.reshape(-1, x.shape[1]), turned.reshape(-1, y.shape[1]), fresh)
    return {
        "seconds": seconds,
        "found": model.kept_elements_.tolist(),
        "right": bool(np.array_equal(model.kept_elements_, numbers)),
        "false": bool(not np.isin(model.kept_elements_, numbers).all()),
        "ours": error(model.predict(fresh)),
        "ridge": error(ridge(dictionary, x, y, fresh)),
        "known": error(known),
    }


def ridge(dictionary, x, y, fresh):
    features, there = values(dictionary, x)[:, 1:], values(dictionary, fresh)[:, 1:]
    size = features.std(axis=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return RidgeCV(np.logspace(-6, 3, 28)).fit(features / size, y).predict(there / size)


def run(out: Path, quick: bool) -> dict:
    """All problems that FILE does not hold yet."""
    done = json.loads(out.read_text()) if out.exists() else {}
    for family, (*_, kinds) in FAMILIES.items():
        for kind in kinds:
            for ratio, noise, seed in product(RATIOS, NOISES, SEEDS[:2] if quick else SEEDS):
                name = f"{family}|{kind}|{ratio}|{noise}|{seed}"
                if name not in done:
                    done[name] = problem(family, kind, ratio, noise, seed)
            new = out.with_suffix(".new")
            new.write_text(json.dumps(done))
            os.replace(new, out)
    return {tuple(name.split("|")): value for name, value in done.items()}


def tables(done: dict) -> None:
    """One line a planted group and noise, from as many rows as functions on; then what few rows give."""
    rows = []
    for family, (*_, kinds) in FAMILIES.items():
        for kind, noise in product(kinds, map(str, NOISES)):
            some = [v for (f, k, r, e, _), v in done.items() if (f, k, e) == (family, kind, noise) and float(r) >= 1]
            few = [v for (f, k, r, e, _), v in done.items() if (f, k, e) == (family, kind, noise) and float(r) < 1]
            if some:
                rows.append(
                    (family, kind, noise, str(len(some)), f"{100 * np.mean([v['right'] for v in some]):.0f}",
                     f"{100 * np.mean([v['false'] for v in some]):.0f}",
                     *(f"{np.median([v[name] for v in some]):.2g}" for name in ("ours", "ridge", "known")),
                     f"{100 * np.mean([v['right'] for v in few]):.0f}",
                     *(f"{np.median([v[name] for v in few]):.2g}" for name in ("ours", "ridge", "known")))
                )  # fmt: skip
    head = ("family", "planted", "noise", "problems", "group right, %", "too much kept, %", "ours", "ridge", "known",
            "few rows: right, %", "ours", "ridge", "known")  # fmt: skip
    measure.table(head, rows)
    print(f"CPU s of one fit, median: {np.median([v['seconds'] for v in done.values()]):.2f}")


def forms() -> None:
    """Convex fits alone, of three norms, without refits."""
    norms = {"one nuclear norm": KEPT, "group lasso": lasso, "one nuclear norm, not divided": undivided}
    rows = []
    for family, (source, target, dictionary, half, kinds) in FAMILIES.items():
        for noise in NOISES[1:2]:
            right = dict.fromkeys(norms, 0)
            errors: dict[str, list[float]] = {name: [] for name in norms}
            count = 0
            for kind, ratio, seed in [(k, r, s) for k in kinds for r in (1.0, 3.0) for s in SEEDS[:4]]:
                rng = np.random.default_rng([seed, *map(ord, family + kind)])
                F, numbers = truth(family, kind, rng)
                fresh = rng.uniform(-half, half, (1000, source.width))
                exact = F(fresh)
                x = rng.uniform(-half, half, (round(ratio * dictionary.size), source.width))
                y = F(x)
                y = y + noise * exact.std() * rng.normal(size=y.shape)
                count += 1
                for name, norm in norms.items():
                    group_columns.Elements.beside = norm
                    with warnings.catch_warnings():
                        warnings.simplefilter("ignore")
                        model = Regression(dictionary, source=source, target=target, refit=False).fit(x, y)
                    right[name] += np.array_equal(model.kept_elements_, numbers)
                    off = model.predict(fresh).reshape(exact.shape) - exact
                    errors[name].append(float(np.sqrt(np.mean(off**2)) / exact.std()))
            group_columns.Elements.beside = KEPT
            rows.append(
                (family, str(noise), str(count),
                 *(f"{100 * right[name] / count:.0f} ({np.median(errors[name]):.2g})" for name in norms))
            )  # fmt: skip
    measure.table(("family", "noise", "problems", *(f"{name}: right, % (error)" for name in norms)), rows)


def lasso(self, motions: Columns) -> Columns:
    """Every element in a block of its own: a sum of norms."""
    assert motions.shape[1] == 0
    c, p = self.count, len(self.measured)
    k, row, column = np.nonzero(self.changes)
    shape = (c, c * self.changes.shape[1], self.changes.shape[2])
    stack = MatrixStack.from_entries(
        shape, np.stack([k, k * shape[1] // c + row, column]), self.changes[k, row, column]
    )
    return Columns(stack, np.kron(np.eye(c), self.measured).reshape(c * p, -1))


def undivided(self, motions: Columns) -> Columns:
    """Columns that are not divided by the length of the motion."""
    plain = group_columns.Elements(
        self.group, self.cyclic, self.first, self.lengths, self.changes * self.lengths[:, None, None], self.measured
    )
    return KEPT(plain, motions)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="?", choices=("forms",))
    parser.add_argument("--out", type=Path)
    parser.add_argument("--quick", action="store_true")
    arguments = parser.parse_args()
    if arguments.what == "forms":
        forms()
    elif arguments.out is None:
        parser.error("--out FILE keeps what has been computed")
    else:
        tables(run(arguments.out, arguments.quick))


if __name__ == "__main__":
    main()
