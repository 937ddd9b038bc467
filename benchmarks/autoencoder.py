"""How many pictures a density of pictures needs, with and without their symmetry: AugVAE beside a plain autoencoder.

scikit-learn's digits, 16 x 16, each turned once at random (as in benchmarks/generative.py); 360 of them for the test,
and all, a half, a quarter, an eighth of the other 1,437 to learn from. Both have the same networks and steps; AugVAE
has besides what `ld.discover.generative` made of the same pictures. Figures: importance-weighted bounds of log p of
test pictures, 300 samples, in nats.

python benchmarks/autoencoder.py --keep autoencoder.json              # 5 seeds, 6 CPU minutes each
python benchmarks/autoencoder.py --keep quick.json --quick            # 1 seed of a quarter and all
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np
from generative import angles, digits, turned

import lieder as ld

SHARES = {"1/8": 0.125, "1/4": 0.25, "1/2": 0.5, "all": 1.0}
TEST = 360


def cell(share: float, plan: str, seed: int) -> dict[str, float | str]:
    pictures, _ = digits()
    order = np.random.default_rng(seed).permutation(len(pictures))
    given = turned(pictures, angles(plan, len(pictures), seed))[order]
    test, seen = given[:TEST], given[TEST:][: int(share * (len(given) - TEST))]
    told: dict[str, float | str] = {"pictures": len(seen)}

    def fitted(name: str, augment: ld.learn.Generative | None) -> None:
        begun = time.process_time()
        density = ld.learn.vae(seen, augment=augment, seed=seed)
        told[f"{name} seconds"] = time.process_time() - begun
        bounds = density.log_likelihood(test)
        told[name], told[f"{name} error"] = float(bounds.mean()), float(bounds.std() / np.sqrt(len(bounds)))
        told[f"{name} block"] = int(np.argmin(density.course))

    fitted("plain", None)
    begun = time.process_time()
    found = ld.discover.generative(seen, transformations=["rotation"], seed=seed)
    told["generative seconds"], told["words"] = time.process_time() - begun, found.words
    fitted("augmented", found)
    return told


def table(done: dict[str, dict]) -> str:
    lines = ["| turned within | pictures | seeds | plain | AugVAE | CPU s |", "|" + " --- |" * 6]
    for name in dict.fromkeys(key.rsplit(" ", 1)[0] for key in done):
        of = [one for key, one in done.items() if key.rsplit(" ", 1)[0] == name]
        plain, augmented = (", ".join(f"{one[which]:.1f}" for one in of) for which in ("plain", "augmented"))
        seconds = [np.median([one[f"{which} seconds"] for one in of]) for which in ("plain", "generative", "augmented")]
        spent = f"{seconds[0]:.0f}, {seconds[1]:.0f} + {seconds[2]:.0f}"
        plan, share = name.split(" ")
        lines.append(f"| ±{plan}° | {share}, {of[0]['pictures']} | {len(of)} | {plain} | {augmented} | {spent} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description="AugVAE beside a plain autoencoder, by how many pictures there are")
    parser.add_argument("--keep", type=Path, required=True, help="a JSON file; cells in it are not run again")
    parser.add_argument("--seeds", type=int, nargs="+", default=list(range(5)))
    parser.add_argument("--shares", nargs="+", choices=list(SHARES), default=list(SHARES))
    parser.add_argument("--plan", default="180", help="degrees within which digits are turned")
    parser.add_argument("--quick", action="store_true", help="one seed of a quarter and all")
    given = parser.parse_args()
    done = json.loads(given.keep.read_text()) if given.keep.exists() else {}
    for seed in given.seeds[:1] if given.quick else given.seeds:
        for share in ("1/4", "all") if given.quick else given.shares:
            name = f"{given.plan} {share} {seed}"
            if name not in done:
                done[name] = cell(SHARES[share], given.plan, seed)
                given.keep.write_text(json.dumps(done, indent=1))
                print(name, done[name], flush=True)
    print(table(done))


if __name__ == "__main__":
    main()
