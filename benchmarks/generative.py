"""Digits that were turned: how far `ld.discover.generative` says they were, over seeds; and what a step costs.

The data are real: 1,797 scans from scikit-learn, 8 x 8, set by cubic interpolation in 16 x 16 with a margin of two
pixels, each turned once. Handwriting has a slant of its own, so that what was planted is told beside the digits that
were not turned (`Spread.beyond`), trained with the same seed.

python benchmarks/generative.py --keep generative.json            # 5 seeds of 5 plans, 1 CPU minute a cell
python benchmarks/generative.py --keep quick.json --quick         # 1 seed of 2 plans
python benchmarks/generative.py --throughput                      # a step against its flops
"""

import argparse
import json
import time
from itertools import pairwise
from pathlib import Path

import measure

# isort: split

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import scipy.ndimage
from sklearn.datasets import load_digits

import lieder as ld
from lieder.learn import Generative, Sizes
from lieder.learn._inference import Inference
from lieder.learn._transformations import named_transformations

PLANS = ("none", "15", "90", "180", "two")
SIDE, INSIDE = 16, 12


def digits() -> tuple[np.ndarray, np.ndarray]:
    """Pictures (1797, 16, 16) from 0 to 1, and labels."""
    small, labels = load_digits(return_X_y=True)
    fine = (np.arange(SIDE) - (SIDE - 1) / 2) * (8 / INSIDE) + 3.5
    places = np.stack(np.meshgrid(fine, fine, indexing="ij")) + 4
    wide = np.pad(small.reshape(-1, 8, 8) / 16, ((0, 0), (4, 4), (4, 4)))
    large = [scipy.ndimage.map_coordinates(one, places, order=3) for one in wide]
    return np.clip(large, 0, 1), labels


def turned(pictures: np.ndarray, degrees: np.ndarray) -> np.ndarray:
    """Each picture by its own angle."""
    pairs = zip(pictures, degrees, strict=True)
    return np.clip([scipy.ndimage.rotate(one, angle, reshape=False, order=3) for one, angle in pairs], 0, 1)


def angles(plan: str, count: int, seed: int) -> np.ndarray:
    """In degrees: none; uniform within +-a; or 45 to one side or the other, give or take 5."""
    rng = np.random.default_rng(seed)
    if plan == "none":
        return np.zeros(count)
    if plan == "two":
        return rng.choice([-45, 45], count) + rng.uniform(-5, 5, count)
    return rng.uniform(-1, 1, count) * float(plan)


def cell(plan: str, seed: int, sizes: str | Sizes = "small") -> tuple[Generative, float]:
    """A model of one plan and seed, and the CPU seconds it took."""
    pictures, _ = digits()
    given = turned(pictures, angles(plan, len(pictures), seed))
    begun = time.process_time()
    found = ld.discover.generative(given, transformations=["rotation"], sizes=sizes, seed=seed)
    return found, time.process_time() - begun


def sweep(keep: Path, seeds: int, plans: tuple[str, ...]) -> None:
    """Every cell that is not yet in the file, then the table."""
    done = json.loads(keep.read_text()) if keep.exists() else {}
    for seed in range(seeds):
        own = None
        for plan in plans:
            name = f"{plan} {seed}"
            if name in done and plan != "none":
                continue
            file = keep.with_name(f"{keep.stem}-none-{seed}.npz")
            if plan == "none" and file.exists():
                own = Generative.load(file)
                continue
            found, seconds = cell(plan, seed)
            if plan == "none":
                found.save(file)
                own = found
            assert own is not None
            spread = found.spreads["rotation"]
            done[name] = {
                "range": np.degrees(spread.range),
                "beyond": np.degrees(spread.beyond(own.spreads["rotation"])),
                "modes": np.degrees(spread.modes).tolist(),
                "calibration": found.calibration["rotation"],
                "log_likelihood": float(np.mean(found.log_likelihoods)),
                "equivariance": found.errors.equivariance,
                "words": found.words,
                "seconds": seconds,
            }
            keep.write_text(json.dumps(done, indent=1))
            print(name, done[name]["words"], f"{seconds:.0f} CPU s", flush=True)
    print(table(done, plans))


def table(done: dict, plans: tuple[str, ...]) -> str:
    """A row a plan: over seeds, the range told, that beyond the digits' own, and how often it is within 10 %."""
    lines = [
        "| planted | seeds | range told | beyond the digits' own | right | calibration | CPU s |",
        "|" + " --- |" * 7,
    ]
    for plan in plans:
        of = [one for name, one in done.items() if name.split()[0] == plan]
        if not of:
            continue
        beyond = np.array([one["beyond"] for one in of])
        if plan == "two":
            right = sum(len(one["modes"]) == 2 for one in of)
        elif plan == "none":
            right = sum(beyond <= 3)
        else:
            right = sum(np.abs(beyond - float(plan)) <= 0.1 * float(plan))
        ranges = ", ".join(f"{one['range']:.0f}" for one in of)
        more = ", ".join(f"{one:.1f}" for one in beyond)
        calibration = np.median([one["calibration"] for one in of])
        seconds = np.median([one["seconds"] for one in of])
        lines.append(
            f"| {plan} | {len(of)} | {ranges} | {more} | {right} of {len(of)} | {calibration:.2f} | {seconds:.0f} |"
        )
    return "\n".join(lines)


def throughput() -> None:
    """A step of the perceptron of the inference, forward and back, against its products at the rate they run at."""
    transforms = named_transformations(["rotation"], (1, SIDE, SIDE))
    for title, widths, batch in (("small", (256, 128, 64), 160), ("published", (2048, 1024, 512, 256), 160)):
        network = Inference(transforms, widths, jax.random.key(0))
        parameters, rest = eqx.partition(network, eqx.is_inexact_array)
        pictures = jax.random.normal(jax.random.key(1), (batch, 1, SIDE, SIDE), jnp.float32)

        @jax.jit
        def step(parameters, pictures, rest=rest):
            return jax.grad(lambda p: jnp.mean(jax.vmap(eqx.combine(p, rest).answers)(pictures)[0] ** 2))(parameters)

        sizes = [SIDE * SIDE, *widths, len(network.layers[-1].bias)]
        flops = sum(6 * batch * a * b for a, b in pairwise(sizes)) - 2 * batch * sizes[0] * sizes[1]
        rate = measure.layer_rate(batch, sizes[0], sizes[1])
        seconds = measure.least_seconds(lambda parameters=parameters, pictures=pictures: step(parameters, pictures))
        print(f"{title}: {seconds * 1e3:.2f} ms, floor {flops / rate * 1e3:.2f} ms, share {flops / rate / seconds:.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description="How far digits were turned, and what a step costs")
    parser.add_argument("--keep", type=Path, help="a JSON file; cells in it are not run again")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="one seed of two plans")
    parser.add_argument("--throughput", action="store_true")
    given = parser.parse_args()
    if given.throughput:
        throughput()
    elif given.keep is None:
        parser.error("give --keep FILE or --throughput")
    else:
        sweep(given.keep, 1 if given.quick else given.seeds, PLANS[:2] if given.quick else PLANS)


if __name__ == "__main__":
    main()
