"""Which route to take to the symmetries of points: tangent spaces or level sets, on known shapes with noise.

    python benchmarks/beyond.py --keep FILE            # 500 and 3,000 points, 5 draws, noise 0 to 20 %
    python benchmarks/beyond.py --keep FILE --quick    # 500 points, 1 draw
    python benchmarks/beyond.py --keep FILE --only auto torus

A cell is a route, a shape, a number of points and noise on every coordinate, as a share of the points' rms distance
from their mean over a coordinate. Right: the verdict is true, the number of symmetries is that of the exact shape, and
the least cosine of the principal angles with the true generators is above .9. "Cannot tell", and the refusal of points
that fill their space or lie on no level set, count as neither right nor wrong. On points that lie on no surface any
claim is wrong. Beside it the largest sine of the angles between the true generators and as many directions of least
defect, whether claimed or not: how well they are known.
"""

import argparse
import json
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import measure  # noqa: F401  first: it fixes the threads before NumPy and JAX start

# isort: split

import jax.numpy as jnp
import numpy as np
from known_shapes import PI, SHAPES, Shape

from lieder import action, algebra, discover
from lieder.discover import Symmetries

NOISES = (0.0, 0.01, 0.03, 0.05, 0.1, 0.2)
RIGHT, UNSURE, REFUSED, WRONG = "right", "cannot tell", "refused", "wrong"
REFUSALS = "fill their", "stands apart", "no level set"

AFF = {n: action.points(algebra.aff(n)) for n in (2, 3, 5)}
UNIT, ANGLE = (-1.0, 1.0), (0.0, 2 * PI)


def _normal(u):
    """Normal numbers from uniform ones, two by two (Box and Muller)."""
    radius = jnp.sqrt(-2 * jnp.log(u[::2]))
    return jnp.concatenate([radius * jnp.cos(2 * PI * u[1::2]), radius * jnp.sin(2 * PI * u[1::2])])


# Shapes, and the degree of the polynomials that vanish on them (2 where none do).
CASES: dict[str, tuple[Shape, int]] = {
    **{name: (SHAPES[name], 2) for name in ("circle", "sphere", "hyperboloid", "cone", "paraboloid", "helix")},
    "torus": (SHAPES["torus"], 4),
    "swiss roll": (SHAPES["swiss roll, se(3)"], 2),
    "generic surface": (SHAPES["generic surface"], 2),
    "y = x^3": (Shape(lambda u: jnp.array([u[0], u[0] ** 3]), (UNIT,), AFF[2]), 3),
    "5 columns": (
        Shape(lambda u: jnp.array([u[0], u[1], u[0] ** 2, u[0] * u[1], u[1] ** 2]), (UNIT, UNIT), AFF[5]),
        2,
    ),
}
# Points on no surface: any claim is wrong.
NOTHING: dict[str, tuple[Shape, int]] = {
    "normal, 2 columns": (Shape(_normal, ((0.0, 1.0),) * 2, AFF[2]), 2),
    "normal, 4 columns": (Shape(_normal, ((0.0, 1.0),) * 4, action.vectors(algebra.gl(4))), 2),
    "square": (Shape(lambda u: u, (UNIT,) * 2, AFF[2]), 2),
    "cube": (Shape(lambda u: u, (UNIT,) * 3, AFF[3]), 2),
    "disc": (
        Shape(lambda u: jnp.sqrt(u[1]) * jnp.array([jnp.cos(u[0]), jnp.sin(u[0])]), (ANGLE, (0.0, 1.0)), AFF[2]),
        2,
    ),
}

ROUTES: dict[str, Callable[[np.ndarray, Shape, int], Symmetries]] = {
    "tangents": lambda z, shape, degree: discover.cloud(z, action=shape.source),
    "level set": lambda z, shape, degree: discover.cloud(z, action=shape.source, route="level set"),
    "auto": lambda z, shape, degree: discover.cloud(z, action=shape.source, route="auto"),
}


def judged(route: str, name: str, count: int, noise: float, seed: int) -> dict:
    shape, degree = {**CASES, **NOTHING}[name]
    truth = shape.truth()[0] if name in CASES else np.zeros((0, shape.source.algebra.dim))
    points, began = shape.draw(count, noise, seed), time.process_time()
    try:
        found = ROUTES[route](points, shape, degree)
    except ValueError as refusal:
        if not any(text in str(refusal) for text in REFUSALS):
            raise
        return {"answer": REFUSED, "seconds": time.process_time() - began}
    out = {"seconds": time.process_time() - began}
    if 0 < len(truth) <= len(found.directions):
        out["sine"] = float(np.sqrt(1 - found.similarity(truth, dim=len(truth)) ** 2))
    if found.evidence.verdict == UNSURE:
        answer = UNSURE
    elif name in NOTHING:
        answer = WRONG if found.dim else UNSURE
    elif found.dim != len(truth):
        answer = WRONG
    else:
        answer = RIGHT if found.dim == 0 or found.similarity(truth) > 0.9 else WRONG
    return {"answer": answer, **out}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="500 points, 1 draw")
    parser.add_argument("--keep", type=Path, help="JSON file of finished cells, read and written")
    parser.add_argument("--draws", type=int, default=5, help="of each shape")
    parser.add_argument("--only", nargs="*", help="routes and shapes, all where none of a kind is named")
    options = parser.parse_args()
    kept = json.loads(options.keep.read_text()) if options.keep and options.keep.exists() else {}
    only = options.only or []
    routes = [name for name in ROUTES if name in only] or list(ROUTES)
    names = [name for name in (*CASES, *NOTHING) if name in only] or [*CASES, *NOTHING]
    counts, seeds = ((500,), 1) if options.quick else ((500, 3000), options.draws)
    for name in names:
        for route in routes:
            for count in counts:
                for noise in NOISES if name in CASES else (0.0,):
                    for seed in range(seeds):
                        key = f"{route}|{name}|{count}|{noise}|{seed}"
                        if key not in kept:
                            kept[key] = judged(route, name, count, noise, seed)
                            if options.keep:
                                options.keep.write_text(json.dumps(kept))
    for count in counts:
        _table(f"{count} points", kept, [(name, route) for name in names for route in routes], count, seeds)
    for route in routes:
        cells = [cell for key, cell in kept.items() if key.split("|")[0] == route]
        total = Counter(cell["answer"] for cell in cells)
        print(
            f"\n{route}: {total[RIGHT]} right, {total[UNSURE] + total[REFUSED]} cannot tell or refused, "
            f"{total[WRONG]} wrong; {np.mean([cell['seconds'] for cell in cells]):.2f} CPU seconds a cell"
        )


def _table(title: str, kept: dict, rows: list[tuple[str, str]], count: int, seeds: int) -> None:
    """Right / cannot tell / wrong, and the mean sine."""
    print(f"\n| {title} | route | " + " | ".join(f"noise {100 * noise:g} %" for noise in NOISES) + " |")
    print("| --- " * (2 + len(NOISES)) + "|")
    for name, route in rows:
        parts = []
        for noise in NOISES if name in CASES else (0.0,):
            cells = [kept[f"{route}|{name}|{count}|{noise}|{seed}"] for seed in range(seeds)]
            answers = Counter(cell["answer"] for cell in cells)
            sines = [cell["sine"] for cell in cells if "sine" in cell]
            said = f"{answers[RIGHT]} / {answers[UNSURE] + answers[REFUSED]} / {answers[WRONG]}"
            parts.append(said + (f", {np.mean(sines):.1g}" if sines else ""))
        print(f"| {name} | {route} | " + " | ".join(parts) + " |")


if __name__ == "__main__":
    main()
