"""Latent symmetries by both routes over seeds: how often they are claimed, how equivariant, in which time.

python benchmarks/latent.py --keep latent.json --seeds 5                      # half a CPU minute a cell
python benchmarks/latent.py --keep latent.json --seeds 1 --tasks double_bump  # other tasks
python benchmarks/latent.py --keep gpu.json --published                       # networks as published
python benchmarks/latent.py --throughput                                      # a step against its flops
"""

import argparse
import json
import sys
import time
from dataclasses import replace
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Literal

import measure

# isort: split

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

import lieder as ld
from lieder.learn._autoencoder import autoencoder
from lieder.learn._encoding import PUBLISHED
from lieder.learn._encounter import BLOCK, Encounter, Rows

sys.path.insert(0, str(Path(__file__).parents[1] / "examples"))

from latent_tasks import TASKS, observed, pendulum, spiral

SHORT = "direct, short"
ROUTES: dict[str, Literal["direct", "adversarial"]] = {
    "direct": "direct",
    SHORT: "direct",
    "adversarial": "adversarial",
}
SHARE = {"direct": 1.0, SHORT: 0.1, "adversarial": 1.0}  # of the steps of a task


def cell(task: str, route: str, seed: int, published: bool) -> dict:
    """One training: what its record says, and its CPU seconds, compiling among them."""
    make, k, generators, training = TASKS[task]
    x = spiral() if published and task.startswith("spiral") else make()
    training = replace(PUBLISHED, units=training.units) if published else training
    training = replace(training, steps=int(SHARE[route] * training.steps))
    begun = time.process_time()
    found = ld.discover.latent(
        x, latent_dim=k, n_generators=generators, route=ROUTES[route], training=training, seed=seed
    )
    seconds = time.process_time() - begun
    return {
        "verdict": found.evidence.verdict,
        "defect": float(np.max(found.defects[:generators])),
        "said": found.evidence.model,
        "notes": list(found.evidence.notes),
        "seconds": seconds,
    }


def table(done: dict) -> str:
    """A row a task and route."""
    lines = ["| task | route | claimed | defects | CPU s |", "|" + " --- |" * 5]
    for name in dict.fromkeys(key.rsplit(" ", 1)[0] for key in done):
        of = [one for key, one in done.items() if key.rsplit(" ", 1)[0] == name]
        claimed = sum(one["verdict"] == "symmetries" for one in of)
        defects = ", ".join(f"{one['defect']:.2g}" for one in of)
        seconds = np.median([one["seconds"] for one in of])
        task, route = name.split(" / ")
        lines.append(f"| {task} | {route} | {claimed} of {len(of)} | {defects} | {seconds:.0f} |")
    return "\n".join(lines)


def throughput() -> None:
    """A step of either route against the products of its networks at the rate at which a layer of them runs alone.

    Of a row that is encoded and decoded, forward and back, each weight costs 6 flops; a step does so with both rows of
    its pairs, and with the moved states, of which it decodes and encodes one a pair. Discriminators come on top.
    """
    rows = jnp.asarray(observed(pendulum()), jnp.float32)
    x, y = (rows[:, part].reshape(-1, 50) for part in (slice(None, -1), slice(1, None)))
    data = Rows(x, y, x[:500], y[:500])
    print("| widths | batch | route | ms a step | floor, ms | share of the floor |\n" + "|" + " --- |" * 6)
    for widths, batch in (((64, 64), 256), ((512,) * 5, 256)):
        sizes = 50, *widths, 2
        weights = 2 * sum(a * b for a, b in pairwise(sizes))
        rate = measure.layer_rate(2 * batch, widths[0], widths[0])
        for route in ("direct", "adversarial"):
            how = ld.discover.Encoding(widths=widths, batch=batch, judge=widths[0])
            model = autoencoder(50, 2, widths, jax.random.key(0), None, None)
            rest = eqx.filter(model, eqx.is_inexact_array, inverse=True)
            game = Encounter(how, route, 2, 1, rest)
            block = partial(game.block, data, game.start(model, jax.random.key(1)), jax.random.key(2))
            seconds = measure.least_seconds(block, 5) / BLOCK
            flops = 6 * 3 * batch * weights
            if route == "adversarial":  # two passes of the discriminator for generators and networks, three for its own
                flops += 6 * 5 * batch * (4 * widths[0] + widths[0] ** 2)
            told = f"{seconds * 1e3:.2f} | {flops / rate * 1e3:.2f} | {flops / rate / seconds:.2f}"
            print(f"| {len(widths)} x {widths[0]} | {batch} | {route} | {told} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--keep", type=Path, help="a JSON file; what is in it is not run again")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--tasks", nargs="+", choices=list(TASKS), default=["pendulum", "lotka_volterra"])
    parser.add_argument("--routes", nargs="+", choices=list(SHARE), default=list(SHARE))
    parser.add_argument("--published", action="store_true")
    parser.add_argument("--throughput", action="store_true", help="a step of training against its flops")
    given = parser.parse_args()
    if given.throughput:
        return throughput()
    if given.keep is None:
        parser.error("--keep FILE says where results are kept")
    done = json.loads(given.keep.read_text()) if given.keep.exists() else {}
    for seed in range(given.seeds):
        for task in given.tasks:
            for route in given.routes:
                name = f"{task} / {route} {seed}"
                if name not in done:
                    done[name] = cell(task, route, seed, given.published)
                    given.keep.write_text(json.dumps(done, indent=1))
                    print(name, done[name], flush=True)
    print(table(done))


if __name__ == "__main__":
    main()
