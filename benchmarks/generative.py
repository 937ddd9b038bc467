"""Pictures that were transformed: how far `ld.discover.generative` says they were, over seeds; and what a step costs.

The data are real: 1,797 scans of digits from scikit-learn, 8 x 8, set by cubic interpolation in 16 x 16 with a margin
of two pixels, and patches of its two photographs, each transformed once. Handwriting has a slant of its own and
photographs their colours, so that what was planted is told beside pictures that were not transformed
(`Spread.beyond`), trained with the same seed.

python benchmarks/generative.py --keep generative.json            # 5 seeds of 11 plans, 1 CPU minute a cell
python benchmarks/generative.py --keep large.json --side 28       # digits in 28 x 28
python benchmarks/generative.py --keep gpu.json --published --pictures digits.npz  # your own, networks as published
python benchmarks/generative.py --keep quick.json --quick         # 1 seed of 2 plans
python benchmarks/generative.py --limits                          # what the pictures' own variation allows
python benchmarks/generative.py --throughput                      # a step against its flops
"""

import argparse
import json
import time
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import measure

# isort: split

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import scipy.ndimage
from sklearn.datasets import load_digits, load_sample_image

import lieder as ld
from lieder.learn import Generative, Sizes
from lieder.learn._inference import Inference
from lieder.learn._spread import Spread
from lieder.learn._transformations import Composed, batched, named_transformations

SIDE, INSIDE = 16, 12


class Plan(NamedTuple):
    """What pictures undergo: each transformation by a uniform number in plus and minus so much, radians, shares of the
    side, or logarithms; and which are asked for."""

    family: str
    planted: dict[str, float]


# What is asked for, by family: more than was planted in most.
ASKED = {
    "rotation": ("rotation",),
    "several": ("rotation", "shift x", "shift y", "scale x", "scale y"),
    "colour": ("hue", "saturation", "value"),
    "even": ("hue", "saturation", "value"),
}
PLANS = {
    "none": Plan("rotation", {}),
    "15": Plan("rotation", {"rotation": np.radians(15)}),
    "90": Plan("rotation", {"rotation": np.radians(90)}),
    "180": Plan("rotation", {"rotation": np.pi}),
    "two": Plan("rotation", {"rotation": np.radians(5)}),  # and 45 degrees to either side
    "several-none": Plan("several", {}),
    "several": Plan("several", {"rotation": np.radians(45), "shift x": 0.1, "scale y": 0.2}),
    "colour-none": Plan("colour", {}),
    "colour": Plan("colour", {"hue": np.radians(60), "value": 0.3}),
    "even-none": Plan("even", {}),
    "even": Plan("even", {"hue": np.radians(60), "value": 0.3}),
}
# Scales lose their meaning under turns by half a circle: exp of a half turn and a small stretch is a half turn.
BOUNDS = {"several": {"rotation": 1.2}}
OWN = {"rotation": "none", "several": "several-none", "colour": "colour-none", "even": "even-none"}


def digits(side: int = SIDE) -> tuple[np.ndarray, np.ndarray]:
    """Pictures (1797, side, side) from 0 to 1, an eighth of the side of margin all round, and labels."""
    small, labels = load_digits(return_X_y=True)
    fine = (np.arange(side) - (side - 1) / 2) * (8 / (0.75 * side)) + 3.5
    places = np.stack(np.meshgrid(fine, fine, indexing="ij")) + 4
    wide = np.pad(small.reshape(-1, 8, 8) / 16, ((0, 0), (4, 4), (4, 4)))
    large = [scipy.ndimage.map_coordinates(one, places, order=3) for one in wide]
    return np.clip(large, 0, 1), np.asarray(labels)


def patches(count: int = 1800, side: int = 8) -> np.ndarray:
    """Patches of scikit-learn's two photographs, (count, 3, side, side) from 0 to 1, every fourth pixel."""
    photographs = [load_sample_image(name)[::4, ::4] / 255 for name in ("china.jpg", "flower.jpg")]
    rng, out = np.random.default_rng(0), []
    while len(out) < count:
        of = photographs[len(out) % 2]
        row, column = rng.integers(0, of.shape[0] - side), rng.integers(0, of.shape[1] - side)
        patch = of[row : row + side, column : column + side]
        if patch.std() > 0.05:  # not the sky
            out.append(patch.transpose(2, 0, 1))
    return np.array(out)


def evened(pictures: np.ndarray) -> np.ndarray:
    """Patches of one brightness and one saturation: what photographs have of their own (`own_colours`) is taken out."""
    grey = pictures.mean(axis=1, keepdims=True)
    away = pictures - grey
    parts = [part / np.sqrt((part**2).mean(axis=(1, 2, 3), keepdims=True)) for part in (grey, away)]
    return 0.5 * parts[0] + 0.2 * parts[1]


def own_colours(pictures: np.ndarray) -> dict[str, np.ndarray]:
    """Saturation and value of each patch, as logarithms: exactly what a faultless inference reads off, up to a
    constant. Changes of saturation and value are added to them."""
    grey = pictures.mean(axis=1, keepdims=True)
    sizes = [np.log((part**2).mean(axis=(1, 2, 3))) / 2 for part in (grey, pictures - grey)]
    return {"saturation": sizes[1] - sizes[0], "value": sizes[0]}


def own_places(pictures: np.ndarray) -> dict[str, np.ndarray]:
    """Shifts and scales of each digit, from the centre and the second moments of its ink, as shares and logarithms."""
    ink = pictures / pictures.sum(axis=(1, 2), keepdims=True)
    places = (np.arange(pictures.shape[1]) - (pictures.shape[1] - 1) / 2) / pictures.shape[1]
    out = {}
    for name, along, sign in (("x", ink.sum(axis=1), 1), ("y", ink.sum(axis=2), -1)):
        middle = along @ places
        out[f"shift {name}"] = sign * middle
        out[f"scale {name}"] = np.log(along @ places**2 - middle**2) / 2
    return out


def turned(pictures: np.ndarray, degrees: np.ndarray) -> np.ndarray:
    """Each picture by its own angle."""
    pairs = zip(pictures, degrees, strict=True)
    return np.clip([scipy.ndimage.rotate(one, angle, reshape=False, order=3) for one, angle in pairs], 0, 1)


def angles(plan: str, count: int, seed: int) -> np.ndarray:
    """In degrees: none; uniform within +-a; or 45 to one side or the other, give or take 5."""
    rng = np.random.default_rng(seed)
    sides = rng.choice([-45, 45], count) if plan == "two" else 0.0
    return sides + rng.uniform(-1, 1, count) * np.degrees(PLANS[plan].planted.get("rotation", 0.0))


def originals(family: str) -> np.ndarray:
    """The pictures of a family before anything is planted."""
    if family in ("colour", "even"):
        return patches() if family == "colour" else evened(patches())
    return digits()[0]


def planted(pictures: np.ndarray, plan: str, seed: int) -> np.ndarray:
    """The pictures as the plan has them."""
    family, ranges = PLANS[plan]
    if family == "rotation":
        return turned(pictures, angles(plan, len(pictures), seed))
    rng = np.random.default_rng(seed)
    etas = np.stack([ranges.get(name, 0.0) * rng.uniform(-1, 1, len(pictures)) for name in ASKED[family]], axis=1)
    shape = pictures.shape[1:] if pictures.ndim == 4 else (1, *pictures.shape[1:])
    moves = named_transformations(ASKED[family], shape)
    if pictures.ndim == 4:
        return np.asarray(batched(moves, jnp.asarray(etas), jnp.asarray(pictures)))
    assert isinstance(moves, Composed)
    backs = moves.frame @ np.asarray(jax.vmap(moves.element)(jnp.asarray(etas))[0], float) @ np.linalg.inv(moves.frame)
    out = [scipy.ndimage.affine_transform(one, back, order=3) for one, back in zip(pictures, backs, strict=True)]
    return np.clip(out, 0, 1)


def cell(
    plan: str, seed: int, sizes: str | Sizes = "small", pictures: np.ndarray | None = None
) -> tuple[Generative, float]:
    """A model of one plan and seed, and the CPU seconds it took."""
    family = PLANS[plan].family
    if pictures is None:
        pictures = originals(family)
    given = planted(pictures, plan, seed)
    begun = time.process_time()
    found = ld.discover.generative(
        given, transformations=ASKED[family], bounds=BOUNDS.get(family), sizes=sizes, seed=seed
    )
    return found, time.process_time() - begun


def sweep(keep: Path, seeds: Sequence[int], plans: Sequence[str], sizes: str, pictures: np.ndarray | None) -> None:
    """Every cell that is not yet in the file, then the table."""
    done = json.loads(keep.read_text()) if keep.exists() else {}
    for seed in seeds:
        for plan in plans:
            name = f"{plan} {seed}"
            if name in done:
                continue
            own = OWN[PLANS[plan].family]
            found, seconds = cell(plan, seed, sizes, pictures)
            if plan == own:
                found.save(_file(keep, own, seed))
            before = Generative.load(_file(keep, own, seed)).spreads
            done[name] = {
                "told": {name: spread.range for name, spread in found.spreads.items()},
                "beyond": {name: spread.beyond(before[name]) for name, spread in found.spreads.items()},
                "modes": {name: list(spread.modes) for name, spread in found.spreads.items()},
                "calibration": max(found.calibration.values()),
                "log_likelihood": float(np.mean(found.log_likelihoods)),
                "equivariance": found.errors.equivariance,
                "words": found.words,
                "notes": list(found.notes),
                "seconds": seconds,
            }
            keep.write_text(json.dumps(done, indent=1))
            print(name, done[name]["words"], f"{seconds:.0f} CPU s", flush=True)
    # What nothing was planted in is compared with another seed's: beyond itself it is nothing, whatever is told.
    for own in set(plans) & set(OWN.values()) if len(seeds) > 1 else ():
        for seed, other in zip(seeds, [*seeds[1:], seeds[0]], strict=True):
            here, there = (Generative.load(_file(keep, own, one)).spreads for one in (seed, other))
            done[f"{own} {seed}"]["beyond"] = {name: spread.beyond(there[name]) for name, spread in here.items()}
    keep.write_text(json.dumps(done, indent=1))
    print(table(done))


def _file(keep: Path, own: str, seed: int) -> Path:
    """Where the model of pictures that were not transformed is kept."""
    return keep.with_name(f"{keep.stem}-{own}-{seed}.npz")


def right(plan: str, one: dict, which: str) -> dict[str, bool]:
    """Of each transformation: whether `which`, "told" or "beyond", is within 10 % of what was planted, or at most 3
    degrees or 3 % where nothing was."""
    if plan == "two":
        modes = np.sort(np.degrees(one["modes"]["rotation"]))
        return {"rotation": len(modes) == 2 and bool(np.all(np.abs(modes - [-45, 45]) <= 4.5))}
    ranges = PLANS[plan].planted
    out = {}
    for name, found in one[which].items():
        true, small = ranges.get(name, 0.0), np.radians(3) if name in ("rotation", "hue") else 0.03
        out[name] = abs(found - true) <= 0.1 * true if true else found <= small
    return out


def table(done: dict) -> str:
    """A row a plan and transformation: over seeds, the range told, that beyond the data's own, how often right."""
    lines = [
        "| pictures | transformation | planted | told | right | beyond the data's own | right | calibration | CPU s |",
        "|" + " --- |" * 9,
    ]
    for plan in PLANS:
        of = [one for name, one in done.items() if name.rsplit(" ", 1)[0] == plan]
        for name in of[0]["told"] if of else ():
            angle = name in ("rotation", "hue")
            scale, unit, digit = (180 / np.pi, "°", 0) if angle else (1.0, "", 2)
            true = PLANS[plan].planted.get(name, 0.0)
            told, beyond = (
                ", ".join(f"{scale * one[which][name]:.{digit}f}{unit}" for one in of) for which in ("told", "beyond")
            )
            if plan == "two":
                beyond = "; ".join(" and ".join(f"{np.degrees(m):.0f}°" for m in one["modes"][name]) for one in of)
            counts = [
                f"{sum(right(plan, one, which)[name] for one in of)} of {len(of)}" for which in ("told", "beyond")
            ]
            calibration, seconds = (np.median([one[which] for one in of]) for which in ("calibration", "seconds"))
            words = "45° to either side" if plan == "two" else f"±{scale * true:.{digit}f}{unit}" if true else "none"
            lines.append(
                f"| {PLANS[plan].family} | {name} | {words} | {told} | {counts[0]} | {beyond} | {counts[1]} |"
                f" {calibration:.2f} | {seconds:.0f} |"
            )
    return "\n".join(lines)


def limits(draws: int = 40, held_out: int = 256) -> str:
    """How often `beyond` is right where the inference is faultless and the prototype tells nothing: what pictures have
    of their own is added to what is planted, with pictures before of the same seed and of another."""
    rng = np.random.default_rng(0)
    lines = ["| transformation | own | planted | right, the same pictures before | right, others |", "|" + " --- |" * 5]
    for name, own in (own_places(digits()[0]) | own_colours(patches())).items():
        for true in (0.0, {"shift": 0.1, "scale": 0.2}.get(name.split()[0], 0.3)):
            rates = []
            for same in (True, False):
                found = []
                for _ in range(draws):
                    here, other = (rng.choice(own, held_out, replace=False) for _ in range(2))
                    after = Spread(name, "factor", here + true * rng.uniform(-1, 1, held_out), 0.03)
                    found.append(after.beyond(Spread(name, "factor", here if same else other, 0.03)))
                rates.append(np.mean(np.abs(np.array(found) - true) <= max(0.1 * true, 0.03 * (true == 0))))
            wide = Spread(name, "factor", own, 0.03).range
            words = f"±{true:.2f}" if true else "none"
            lines.append(f"| {name} | ±{wide:.2f} | {words} | {rates[0]:.2f} | {rates[1]:.2f} |")
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

        sizes = [SIDE * SIDE, *widths, int(network.layers[-1].out_features)]
        flops = sum(6 * batch * a * b for a, b in pairwise(sizes)) - 2 * batch * sizes[0] * sizes[1]
        rate = measure.layer_rate(batch, sizes[0], sizes[1])
        seconds = measure.least_seconds(lambda parameters=parameters, pictures=pictures: step(parameters, pictures))
        print(f"{title}: {seconds * 1e3:.2f} ms, floor {flops / rate * 1e3:.2f} ms, share {flops / rate / seconds:.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description="How far digits were turned, and what a step costs")
    parser.add_argument("--keep", type=Path, help="a JSON file; cells in it are not run again")
    parser.add_argument("--seeds", type=int, nargs="+", default=list(range(5)))
    parser.add_argument("--plans", nargs="+", choices=list(PLANS), default=list(PLANS))
    parser.add_argument("--side", type=int, default=SIDE, help="pixels of a digit's side")
    parser.add_argument("--pictures", type=Path, help="an .npz file with other `pictures`, (N, side, side) of 0 to 255")
    parser.add_argument("--published", action="store_true", help="networks as published: a GPU's work")
    parser.add_argument("--quick", action="store_true", help="one seed of two plans")
    parser.add_argument("--throughput", action="store_true")
    parser.add_argument("--limits", action="store_true", help="how often a faultless inference would be right")
    given = parser.parse_args()
    if given.throughput:
        throughput()
    elif given.limits:
        print(limits())
    elif given.keep is None:
        parser.error("give --keep FILE, --limits or --throughput")
    else:
        pictures = None
        if given.pictures:
            pictures = np.load(given.pictures)["pictures"] / 255
        elif given.side != SIDE:
            pictures = digits(given.side)[0]
        seeds, plans = (given.seeds[:1], ("none", "15")) if given.quick else (given.seeds, given.plans)
        sweep(given.keep, seeds, plans, "published" if given.published else "small", pictures)


if __name__ == "__main__":
    main()
