"""Symmetries of point clouds and graphs whose symmetries are known: how often the answer is right, and how often wrong.

    python benchmarks/shapes.py                                # 10 draws of each cell, about 30 minutes
    python benchmarks/shapes.py --quick                        # 2 draws of 300 and 2,000 points, 2 minutes
    python benchmarks/shapes.py --seeds 20 --results kept.json # cells found in the file are not run again

A cell is a shape (`known_shapes.py`), a number of points, and noise on every coordinate, as a share of the points' rms
distance from their mean over a coordinate. Nothing but points and candidates is given. Right: the verdict is true, the
number of symmetries is that of the exact shape, and the least cosine of the principal angles with the true generators
is above .9. "Cannot tell" counts as neither right nor wrong, and so does the refusal of points that seem to fill their
space. A symmetry that the exact shape lacks counts as wrong also where its violation is below the stated resolution.
"""

import argparse
import json
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import measure  # noqa: F401  first: it fixes the threads before NumPy and JAX start

# isort: split

import numpy as np
from known_shapes import SHAPES, Shape

from lieder import discover

COUNTS = (300, 1000, 2000, 5000, 20000)
NOISES = (0.0, 0.01, 0.05)
RIGHT, UNSURE, REFUSED, WRONG = "right", "cannot tell", "refused", "wrong"


def judged(shape: Shape, truth: np.ndarray, points: np.ndarray) -> str:
    n = shape.source.width
    try:
        if shape.target is None:
            found = discover.cloud(points, action=shape.source)
        else:
            found = discover.graph(points[:, :n], points[:, n:], source=shape.source, target=shape.target)
    except ValueError as refusal:
        if "fill their" not in str(refusal):
            raise
        return REFUSED
    if found.evidence.verdict == UNSURE:
        return UNSURE
    if found.dim != len(truth):
        return WRONG
    return RIGHT if found.dim == 0 or found.similarity(truth) > 0.9 else WRONG


def table(title: str, rows: list, cells: dict[tuple, str], belongs: Callable) -> None:
    print(f"\n| {title} | " + " | ".join(f"noise {100 * noise:g} %" for noise in NOISES) + " |\n" + "| --- " * 4 + "|")
    for row in rows:
        parts = []
        for noise in NOISES:
            count = Counter(answer for key, answer in cells.items() if belongs(key, row) and key[2] == noise)
            parts.append(f"{count[RIGHT]} / {count[UNSURE] + count[REFUSED]} / {count[WRONG]}")
        print(f"| {row} | " + " | ".join(parts) + " |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="2 draws of 300 and 2,000 points")
    parser.add_argument("--seeds", type=int, help="draws of each cell, default 10")
    parser.add_argument("--results", type=Path, help="JSON file of finished cells, read and written")
    options = parser.parse_args()
    counts = (300, 2000) if options.quick else COUNTS
    seeds = options.seeds or (2 if options.quick else 10)
    kept = json.loads(options.results.read_text()) if options.results and options.results.exists() else {}
    truths = {name: shape.truth()[0] for name, shape in SHAPES.items()}
    cells, began = {}, time.process_time()
    for seed in range(seeds):
        for name, shape in SHAPES.items():
            for count in counts:
                for noise in NOISES:
                    key = f"{name}|{count}|{noise}|{seed}"
                    if key not in kept:
                        kept[key] = judged(shape, truths[name], shape.draw(count, noise, seed))
                        if kept[key] == WRONG:
                            print(f"wrong: {name}, {count} points, noise {noise:g}, draw {seed}", flush=True)
                    cells[name, count, noise, seed] = kept[key]
            if options.results:
                options.results.write_text(json.dumps(kept))
    print(f"\nEach: right / cannot tell or refused / wrong, of {seeds} draws a cell.")
    table("shape", list(SHAPES), cells, lambda key, name: key[0] == name)
    table("points", list(counts), cells, lambda key, count: key[1] == count)
    total = Counter(cells.values())
    print(
        f"\nOf {len(cells)}: {total[RIGHT]} right ({100 * total[RIGHT] / len(cells):.1f} %), {total[UNSURE]} cannot "
        f"tell, {total[REFUSED]} refused, {total[WRONG]} wrong ({100 * total[WRONG] / len(cells):.2f} %); "
        f"{time.process_time() - began:.0f} CPU seconds in this run."
    )


if __name__ == "__main__":
    main()
