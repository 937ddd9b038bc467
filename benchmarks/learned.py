"""Symmetries by an adversary beside those by linear algebra, on the same rows: what each says, and processor time.

    python benchmarks/learned.py --keep learned.json [--quick]       # 35 CPU minutes; --quick takes 4
    python benchmarks/learned.py --keep learned-1.json --part 1/5    # every fifth cell, from the second on
    python benchmarks/learned.py --show learned-*.json               # the table of several such files
    python benchmarks/learned.py --throughput                        # a step of the game against its flops

Two bodies: 8,000 transitions of two bodies on their orbits, four blocks of gl(2), five seeds.
Seven teeth: `examples/seven_fold.py`, 20,000 rows, gl(3), a discrete rotation; five seeds, and twice by the published
sizes: networks of 512, 100 epochs of batches of 64, the published rates, no sines (--published; a GPU's work).
500 rows: 24 vectors in the plane, normal, and a number y; gl(2) turns all vectors at once. Five laws for y that turns
leave as it is, five seeds each, and for each a control without symmetry (x + y^2 of the first vector is added). Linear
algebra is `dataset` (a fitted model) and `graph` (tangent spaces). 4,000 rows: y is normal, and the length of the first
vector is its standard deviation (in the control x + y^2), so that no function of x is there to be fitted.
Jets: `examples/jets.py`, 4,000 decays, gl(4) turning three 4-vectors at once, so(1,3) of six generators, five seeds: an
adversary that sees products of columns, one that sees the columns alone and is given twice the steps, and level sets,
also of the decays of one label alone: those of the other lie on a smaller surface.
Control: the third 4-vector of each decay is seen through a matrix near one.
"Right" is so(1,3) of jets to a cosine of .999, else the one rotation, to a cosine of .9998 for two bodies, of .9999
with an angle within 1 % of a whole number of teeth for these, of .99 for the laws; of a control "no symmetry" or
"cannot tell". "False": a claim of less than .99, or any claim of a control.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import measure

# isort: split

import jax
import jax.numpy as jnp
import numpy as np

import lieder as ld
from lieder.learn._discriminator import discriminating, discriminator

sys.path.insert(0, str(Path(__file__).parents[1] / "examples"))

import jets
import seven_fold
import two_body

TURN = np.array([[0.0, -1.0], [1.0, 0.0]])
VECTORS, ROWS, MANY = 24, 500, 4000
LAWS: dict[str, Callable[[np.ndarray], np.ndarray]] = {  # of vectors (N, 24, 2)
    "length of one": lambda v: np.linalg.norm(v[:, 0], axis=1),
    "product of two": lambda v: np.sum(v[:, 0] * v[:, 1], axis=1),
    "area of two": lambda v: v[:, 0, 0] * v[:, 1, 1] - v[:, 0, 1] * v[:, 1, 0],
    "length of the sum": lambda v: np.linalg.norm(v.sum(axis=1), axis=1),
    "sine of lengths": lambda v: np.sin(2 * np.linalg.norm(v[:, 0], axis=1)) + np.linalg.norm(v[:, 1], axis=1),
}


def wide(law: str, control: bool, seed: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    rows = ROWS if law in LAWS else MANY
    v = random.normal(size=(rows, VECTORS, 2))
    bent = control * (v[:, 0, 0] + v[:, 0, 1] ** 2)  # no linear map keeps it, nor its sum with a law
    y = (
        LAWS[law](v) + bent
        if law in LAWS
        else random.normal(size=rows) * (bent if control else np.linalg.norm(v[:, 0], axis=1))
    )
    return v.reshape(rows, -1), y[:, None]


def two_bodies(rows: int) -> tuple[np.ndarray, np.ndarray]:
    states = two_body.orbits(rows // 20, 20)
    return states[:, :-1].reshape(-1, 8), states[:, 1:].reshape(-1, 8)


def flights(seed: int, control: bool) -> tuple[np.ndarray, np.ndarray]:
    """Decays and their labels."""
    rows, label = jets.decays(4000, seed)
    bent = np.eye(4) + 0.2 * control * np.random.default_rng(100 + seed).normal(size=(4, 4))
    rows[:, 8:] = rows[:, 8:] @ bent.T
    return rows, label


def said(found, name: str, control: bool) -> dict[str, object]:
    verdict = found.evidence.verdict
    claimed = found.dim if verdict == "symmetries" else 0
    words = f"{claimed} found" if claimed else verdict
    if name.startswith("seven teeth"):
        cosine, teeth = seven_fold.read((found.basis if claimed else found.directions)[0])
        words += f", {teeth:.3f} teeth" if claimed else ""
        right = claimed == 1 and cosine > 0.9999 and round(teeth) % 7 and abs(teeth / round(teeth) - 1) < 0.01
    elif name.startswith("jets"):
        angles = jets.angles(found)
        words += f", {np.sum(angles < 1)} of six within a degree, all within {angles.max():.2g}"
        cosine = float(np.cos(np.radians(angles.max())))
        right = claimed == 0 if control else claimed == 6 and cosine > 0.999
    else:
        cosine = found.similarity(truth_of(name), dim=max(claimed, 1))
        enough = 0.9998 if name.startswith("two bodies") else 0.99
        possible = (1, 3) if "area" in name else (1,)  # sl(2) keeps areas; of it the adversary can see the turn alone
        right = claimed == 0 if control else claimed in possible and cosine > enough
    return {
        "said": words,
        "cosine": float(cosine),
        "false": bool(claimed and (control or cosine < 0.99)),
        "right": bool(right),
    }


def cells(quick: bool, published: bool = False) -> Iterator[tuple[str, Callable, bool]]:
    """Name, what runs it, and whether there is nothing to find."""
    gl, seeds = ld.algebra.gl(2), range(1 if quick else 5)
    tied, blocks, number = VECTORS * ld.vectors(gl), bodies_action(), ld.scalars(gl)
    game, line = ld.discover.adversarial, {"source": blocks, "target": blocks, "transition": True}
    now, later = two_bodies(8000)
    for seed in seeds:
        yield f"two bodies|adversary|{seed}", partial(game, now, later, **line, seed=seed), False
    yield "two bodies|graph|0", partial(ld.discover.graph, now, later, **line), False
    space = ld.vectors(ld.algebra.gl(3))
    for seed in seeds:
        teeth = partial(game, *seven_fold.teeth(20000, seed), source=space, target=ld.scalars(space.algebra), seed=seed)
        yield f"seven teeth|adversary|{seed}", partial(teeth, **seven_fold.SETTINGS), False
        if published and seed < 2:
            large = {"waves": 0, "width": 512, "batch": 64, "steps": 31250, "restarts": 1, "rates": (1e-3, 2e-4)}
            large |= {"losses": ld.discover.Losses(1.0, "cosine")}
            yield f"seven teeth, published sizes|adversary|{seed}", partial(teeth, **seven_fold.SETTINGS | large), False
    every, quadratic = 3 * ld.vectors(ld.algebra.gl(4)), ld.dictionary.polynomials(12, 2)
    for seed, control in [(seed, control) for seed in seeds for control in (False, True)]:
        rows, label = flights(seed, control)
        fly = partial(game, rows, label, source=every, seed=seed, **jets.SETTINGS)
        name = f"jets{' (control)' * control}"
        yield f"{name}|adversary, products|{seed}", fly, control
        if not control:
            yield f"{name}|adversary, columns|{seed}", partial(fly, products=False, spread=0.3, steps=2000), False
        level_set = partial(ld.discover.level_set, action=every, dictionary=quadratic)
        yield f"{name}|level_set|{seed}", partial(level_set, rows), control
        yield f"{name}|level_set of one label|{seed}", partial(level_set, rows[label == 0]), control
        if seed == 0:
            graph = partial(ld.discover.graph, rows, label, source=every, target=ld.scalars(every.algebra))
            yield f"{name}|graph|{seed}", graph, control
    laws = [(law, control, seed) for seed in seeds for law in (*LAWS, "spread") for control in (False, True)]
    for law, control, seed in laws:
        if seed == 0 or law in LAWS:
            if not quick or law == "length of one":
                x, y = wide(law, control, seed)
                name, sides = f"{len(x)} rows, {law}{' (control)' * control}", {"source": tied, "target": number}
                yield f"{name}|adversary|{seed}", partial(game, x, y, **sides, seed=seed), control
                yield f"{name}|dataset|{seed}", partial(ld.discover.dataset, x, y, **sides), control
                yield f"{name}|graph|{seed}", partial(ld.discover.graph, x, y, **sides), control


def bodies_action() -> ld.action.AbstractAction:
    """Four blocks of gl(2), each its own."""
    blocks = [ld.algebra.gl(2)] * 4
    return ld.vectors(ld.algebra.product(*blocks))


def truth_of(name: str) -> np.ndarray:
    return np.tile(TURN.ravel(), 4) if name.startswith("two bodies") else TURN.ravel()


def sweep(keep: Path, quick: bool, published: bool, part: tuple[int, int]) -> None:
    done = json.loads(keep.read_text()) if keep.exists() else {}
    for number, (name, run, control) in enumerate(cells(quick, published)):
        if name not in done and number % part[1] == part[0]:
            begun = time.process_time()
            try:
                told = said(run(), name, control)
            except ValueError as refusal:
                told = {"said": f"refused: {refusal}", "cosine": 0.0, "false": False, "right": control}
            done[name] = told | {"seconds": time.process_time() - begun}
            keep.write_text(json.dumps(done, indent=1))
    show(done)


def show(done: dict[str, dict]) -> None:
    print(measure.machine())
    rows = []
    for name in dict.fromkeys(key.rsplit("|", 1)[0] for key in done):
        of = [one for key, one in done.items() if key.rsplit("|", 1)[0] == name]
        seconds = np.median([one["seconds"] for one in of])
        cosines = ", ".join(f"{one['cosine']:.5f}" for one in of)
        words = "; ".join(dict.fromkeys(str(one["said"]) for one in of))
        case, route = name.split("|")
        counts = (f"{sum(one[which] for one in of)} of {len(of)}" for which in ("right", "false"))
        rows.append((case, route, *counts, cosines, words, f"{seconds:.1f}"))
    measure.table(("case", "route", "right", "false", "cosine of the first direction", "said", "CPU s"), rows)


def throughput(batch: int = 128, columns: int = 16) -> None:
    """A step of a discriminator, forward and back, against its products at the rate that they run at."""
    rows = []
    real, moved = (jax.random.normal(jax.random.key(k), (batch, columns), jnp.float32) for k in (1, 2))
    step = jax.jit(jax.grad(discriminating, has_aux=True), static_argnums=3)
    for width in (128, 512):
        layers = discriminator(jax.random.key(0), columns, width)
        products = columns * width + width * width + width
        rate = measure.layer_rate(2 * batch, width, width)
        for smooth in (0.0, 0.1):
            # Both batches forward and back, 6 flops a weight and row less the slope by the inputs of the first layer;
            # the slope at real rows, and its own slope, are another 6 of half of the rows.
            flops = 2 * batch * (6 * products - 2 * columns * width) + (6 * batch * products if smooth else 0)
            seconds = measure.least_seconds(partial(step, layers, real, moved, smooth))
            told = f"{seconds * 1e3:.2f}", f"{flops / rate * 1e3:.2f}", f"{flops / rate / seconds:.2f}"
            rows.append((f"{width}", f"{smooth:g}", *told))
    measure.table(("width", "slope penalty", "ms a step", "floor, ms", "share of the floor"), rows)


def main() -> None:
    parser = argparse.ArgumentParser(description="Symmetries by an adversary beside those by linear algebra")
    parser.add_argument("--keep", type=Path, help="a JSON file; cells in it are not run again")
    parser.add_argument("--quick", action="store_true", help="one seed, one law")
    parser.add_argument("--throughput", action="store_true")
    parser.add_argument("--published", action="store_true", help="the large networks of the seven teeth, too")
    parser.add_argument("--part", default="0/1", help="k/n: cells k, k + n, ...")
    parser.add_argument("--show", type=Path, nargs="+", help="files of --keep, shown together")
    given = parser.parse_args()
    if given.throughput:
        throughput()
    elif given.show:
        show({name: one for file in given.show for name, one in json.loads(file.read_text()).items()})
    elif given.keep is None:
        parser.error("give --keep FILE, --show FILES or --throughput")
    else:
        part, parts = map(int, given.part.split("/"))
        sweep(given.keep, given.quick, given.published, (part, parts))


if __name__ == "__main__":
    main()
