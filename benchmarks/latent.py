"""Latent symmetries by both routes over seeds: how often they are claimed, how equivariant, in which time.

python benchmarks/latent.py --keep latent.json --seeds 5                      # half a CPU minute a cell
python benchmarks/latent.py --keep latent.json --seeds 1 --tasks double_bump  # other tasks
python benchmarks/latent.py --keep gpu.json --published                       # networks as published
"""

import argparse
import json
import sys
import time
from pathlib import Path

import numpy as np

import lieder as ld

sys.path.insert(0, str(Path(__file__).parents[1] / "examples"))

from latent_tasks import TASKS

SHORT = "direct, short"
STEPS = {"direct": 3000, SHORT: 600, "adversarial": 3000}


def cell(task: str, route: str, seed: int, published: bool) -> dict:
    """One training: what its record says, and its CPU seconds, compiling among them."""
    make, k, generators = TASKS[task]
    x = make()
    training = "published" if published else ld.discover.Encoding(steps=STEPS[route])
    begun = time.process_time()
    found = ld.discover.latent(
        x, latent_dim=k, n_generators=generators, route=route.split(",")[0], training=training, seed=seed
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--keep", type=Path, required=True, help="a JSON file; what is in it is not run again")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--tasks", nargs="+", choices=list(TASKS), default=["pendulum", "lotka_volterra"])
    parser.add_argument("--routes", nargs="+", choices=list(STEPS), default=list(STEPS))
    parser.add_argument("--published", action="store_true")
    given = parser.parse_args()
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
