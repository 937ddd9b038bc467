"""A discrete rotation by an adversary: of seven teeth in a turn, which turns keep them?

A row is x in R^3, normal, and y = x3 / (1 + (angle of (x1, x2) mod 2 pi / 7)); candidates are all of gl(3). Only whole
multiples of 2 pi / 7 about the third axis are symmetries (Yang, Walters, Dehmamy, Yu 2023, section 5.3). Any of 1 to 6
of them, taken for the step, makes the same group.

    python examples/seven_fold.py            # 20,000 rows, 75 CPU seconds
    python examples/seven_fold.py --quick    # 2,000 rows and little training, which do not suffice
"""

import argparse
import time

import numpy as np

import lieder as ld

TOOTH = 2 * np.pi / 7
SETTINGS = {
    "distribution": "integers",
    "spread": 10,
    "losses": ld.discover.Losses(0.5, "relative"),
    "smooth": 0.0,  # y jumps
    "waves": 128,
    "rates": (3e-3, 3e-3),
    "batch": 256,
    "steps": 3000,
    "restarts": 2,
}


def teeth(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Rows (N, 3) and numbers (N,)."""
    x = np.random.default_rng(seed).normal(size=(count, 3))
    return x, x[:, 2] / (1 + np.mod(np.arctan2(x[:, 1], x[:, 0]), TOOTH))


def read(step: np.ndarray) -> tuple[float, float]:
    """Of a generator over gl(3): the cosine with the rotation about the third axis, and its rate in teeth."""
    step = step.reshape(3, 3)
    cosine = abs(step[1, 0] - step[0, 1]) / np.sqrt(2) / np.linalg.norm(step)
    return float(cosine), float(np.abs(np.linalg.eigvals(step).imag).max() / TOOTH)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="2,000 rows and little training")
    quick = parser.parse_args().quick
    space, begun = ld.vectors(ld.algebra.gl(3)), time.process_time()
    little = {"steps": 250, "restarts": 1} if quick else {}
    rows, y = teeth(2000 if quick else 20000)
    found = ld.discover.adversarial(rows, y, source=space, target=ld.scalars(space.algebra), **(SETTINGS | little))
    print(f"{found}\n{time.process_time() - begun:.0f} s")
    if found.dim:
        print("cosine with the rotation {:.5f}; a step is {:.4f} teeth".format(*read(found.basis[0])))


if __name__ == "__main__":
    main()
