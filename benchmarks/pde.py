"""Point symmetries of seven differential equations from sampled solutions: Grassmann distance to the affine ones.

    python benchmarks/pde.py [--quick] [--seeds 3] [--noise 0,0.01,0.05] [--systems heat,kdv] [--keep cells.json]

Candidates are all affine fields on (t, x[, y], u[, v]). The distance is sqrt(sum theta^2) over the principal angles
between coefficients, in the users' units, of all affine point symmetries and of as many directions of least defect.
The count itself is lieder's own. Cells that are done are kept in the file given and not run again.
"""

import argparse
import json
import sys
import time
import warnings
from pathlib import Path

import measure  # first: it fixes the threads before NumPy and JAX start

# isort: split

import numpy as np

import lieder as ld

sys.path.insert(0, str(Path(__file__).parents[1] / "examples"))
import pde_solvers

T, X, Y = 0, 1, 2
ONE = -1  # the constant
LONG = 70  # characters of an equation that are printed


def _plane(*fields, functions: int):
    """With the translations of t, x and y."""
    return 3 + functions, [{(T, ONE): 1}, {(X, ONE): 1}, {(Y, ONE): 1}, *fields]


def _line(*fields):
    """With the translations of t and x."""
    return 3, [{(T, ONE): 1}, {(X, ONE): 1}, *fields]


TURN = {(X, Y): 1, (Y, X): -1}
# Each field by its coefficients of z_j d/dz_i; the published distance (Hu, Li, Lin, ICML 2025).
KNOWN = {
    "heat": (
        *_line({(2, ONE): 1}, {(2, 2): 1}, {(2, X): 1}, {(T, T): 2, (X, X): 1}),
        {"order": 2},
        0.00074,
    ),
    "burgers": (*_line({(X, T): 1, (2, ONE): 1}, {(T, T): 2, (X, X): 1, (2, 2): -1}), {"order": 2}, None),
    "potential_burgers": (
        *_line({(2, ONE): 1}, {(X, T): 2, (2, X): -1}, {(T, T): 2, (X, X): 1}),
        {"order": 2},
        0.0126,
    ),
    "kdv": (*_line({(X, T): 1, (2, ONE): 1}, {(T, T): 3, (X, X): 1, (2, 2): -2}), {"order": 3}, 0.0052),
    "wave": (
        *_plane(
            TURN,
            {(T, X): 1, (X, T): 1},
            {(T, Y): 1, (Y, T): 1},
            {(T, T): 1, (X, X): 1, (Y, Y): 1},
            *({(3, j): 1} for j in (T, X, Y, 3, ONE)),
            functions=1,
        ),
        {"order": 2, "time_order": 2},
        0.0140,
    ),
    "schroedinger": (
        *_plane(TURN, {(3, 4): 1, (4, 3): -1}, {(T, T): 2, (X, X): 1, (Y, Y): 1, (3, 3): -1, (4, 4): -1}, functions=2),
        {"order": 2},
        0.0862,
    ),
    "reaction_diffusion": (*_plane(TURN, {(3, 4): 1, (4, 3): -1}, functions=2), {"order": 2}, 0.124),
}


def coefficients(width: int, fields: list[dict]) -> np.ndarray:
    """In the order of the generators of aff(width)."""
    places = [*((i, j) for i in range(width) for j in range(width)), *((i, ONE) for i in range(width))]
    return np.array([[field.get(place, 0.0) for place in places] for field in fields])


def distance(found: np.ndarray, known: np.ndarray) -> float:
    """sqrt(sum theta^2); by sines, which hold their digits where angles are small."""
    a, b = np.linalg.qr(found.T)[0], np.linalg.qr(known.T)[0]
    sines = np.linalg.svd(a - b @ (b.T @ a), compute_uv=False)
    return float(np.linalg.norm(np.arcsin(np.clip(sines, 0, 1))))


def measured(system: str, noise: float, seed: int, quick: bool) -> dict:
    width, fields, options, _ = KNOWN[system]
    known = coefficients(width, fields)
    more = {"times": 60, "solutions": 4} if quick else {"times": 200 if width == 3 else 100}
    u, grids = getattr(pde_solvers, system)(seed=seed, **more)
    u = u + noise * u.std() * np.random.default_rng(1000 + seed).normal(size=u.shape)
    start = time.process_time()
    options = dict(options)
    found = ld.discover.pde(u, grids, options.pop("order"), seed=seed, **options)
    return {
        "verdict": found.evidence.verdict,
        "dim": found.dim,
        "true": len(known),
        "distance": distance(found.directions[: len(known)], known),
        "resolution": found.evidence.resolution,
        "model": found.evidence.model.split(". ")[0],
        "seconds": time.process_time() - start,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="one seed, four solutions of the equations on a line")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--noise", default="0,0.01,0.05", help="standard deviations, in those of the samples")
    parser.add_argument("--systems", default=",".join(KNOWN))
    parser.add_argument("--keep", type=Path, help="a JSON file of cells that are done")
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    cells = json.loads(given.keep.read_text()) if given.keep and given.keep.exists() else {}
    systems = [name for name in given.systems.split(",") if not given.quick or KNOWN[name][0] == 3]
    levels = [float(level) for level in given.noise.split(",")]
    for seed in range(1 if given.quick else given.seeds):
        for level in levels:
            for system in systems:
                key = f"{system}|{level:g}|{seed}" + ("|quick" if given.quick else "")
                if key in cells:
                    continue
                cells[key] = measured(system, level, seed, given.quick)
                if given.keep:
                    given.keep.write_text(json.dumps(cells, indent=0))
    report(cells, systems, levels, given.quick)


def report(cells: dict, systems: list[str], levels: list[float], quick: bool) -> None:
    print(measure.machine())
    print("\n| equation | symmetries | published | noise | found | distance | equation of the first seed | s |")
    print("|---|---|---|---|---|---|---|---|")
    for system in systems:
        for level in levels:
            mine = [
                cell
                for key, cell in cells.items()
                if key.split("|")[:2] == [system, f"{level:g}"] and (len(key.split("|")) == 4) == quick
            ]
            if not mine:
                continue
            said = ", ".join(str(c["dim"]) if c["verdict"] == "symmetries" else c["verdict"] for c in mine)
            worst = max(c["distance"] for c in mine)
            seconds = np.mean([c["seconds"] for c in mine])
            published = "" if KNOWN[system][3] is None else KNOWN[system][3]
            model = mine[0]["model"] if len(mine[0]["model"]) <= LONG else mine[0]["model"][:LONG] + " ..."
            row = (system, mine[0]["true"], published, f"{100 * level:g} %", said, f"{worst:.2g}", model)
            print("| " + " | ".join(str(entry) for entry in row) + f" | {seconds:.0f} |")


if __name__ == "__main__":
    main()
