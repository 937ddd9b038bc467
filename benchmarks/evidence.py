"""How often a certificate is wrong, and how often it finds what is there: systems with exactly known affine symmetries.

    python benchmarks/evidence.py [--quick] [--trials 200] [--keep cells.json] [--part 1/2] [--minutes 60]
                                  [--edge] [--every 5] [--table] [--cost]

79 polynomial systems (evidence_systems.py), labels of pure noise and constants; 4 numbers of rows, 4 levels of noise
relative to the spread of each output (labels without a law: noise alone, and at level 0 a constant); at 300 rows and
3 % also Student's t with 3 degrees of freedom, noise that grows with an input, and noise that rows share in 30 groups
(with groups=). Twelve affine candidates, delta .05, alpha .05, the family of the law's own degree. A trial is false
where more is certified than the law has directions with defects up to delta at these rows, or less is left open; it is
detected where all symmetries of the exact algebra are certified; "of each" is the share of them that is.
Beside it three rules on the same fits: defects up to delta count (threshold), the largest gap of at least 5
(eigengap), as many as a test at level alpha does not tell from zero (rank).
--edge: the hardest cases instead, systems bent at random within their family until the first, or the last, of their
symmetries has a defect of 1.001 delta at these rows: certifying it is false. --every 5 takes one in five of the systems
at each number of rows.
Cells that are done are kept in the file given, and gain trials when more are asked for; two processes may work on parts
1/2 and 2/2 with a file each, and --table prints what files hold together.
--cost: the processor time of one certificate alone, for a cubic in 6 variables and the 42 affine candidates.
"""

import argparse
import json
import time
import zlib
from fractions import Fraction
from pathlib import Path

import measure  # first: it fixes the threads before NumPy and JAX start

# isort: split

import numpy as np

import lieder as ld
from lieder import models
from lieder.discover._certify import Drawn, drawn, stated
from lieder.discover._question import Question, Rule
from lieder.discover._reduce import Units

ROWS, NOISE = (100, 300, 1000, 3000), (0.0, 0.01, 0.03, 0.1)
KINDS = ("student, 3", "heteroskedastic", "shared")
RULES = ("certificate", "threshold", "eigengap", "rank")
DELTA, ALPHA, LACK, GROUPS = 0.05, 0.05, 0.01, 30
BROKEN = 0.3
EDGE = 1.001  # times delta: the defect of bent laws
EDGES = {100: (0.01, 0.03), 300: (0.03, 0.1)}  # rows, and levels of noise at which they are tried
AFFINE = ld.algebra.aff(3)
SYSTEMS = json.loads((Path(__file__).parent / "evidence_systems.json").read_text())
EDGED = ", at the edge: "
LAWLESS = {"pure noise": 0.0, "constant and noise": 5.0}


def law(name: str, x: np.ndarray) -> np.ndarray:
    if name in LAWLESS:
        return np.full((len(x), 1), LAWLESS[name])
    columns = []
    for terms in SYSTEMS[name]["terms"]:
        columns.append(sum(float(Fraction(c)) * np.prod(x ** np.array(power), axis=1) for power, c in terms))
    return np.stack(columns, axis=1)


def errors(kind: str, random: np.random.Generator, x: np.ndarray, outputs: int, codes: np.ndarray) -> np.ndarray:
    shape = len(x), outputs
    if kind == "student, 3":
        return random.standard_t(3, shape) / np.sqrt(3)
    if kind == "heteroskedastic":
        return random.normal(size=shape) * np.abs(x[:, :1])
    if kind == "shared":
        return np.sqrt(0.5) * (random.normal(size=shape) + random.normal(size=(GROUPS, outputs))[codes])
    return random.normal(size=shape)


class Cell:
    """A system at some rows: all that does not depend on the noise, once."""

    def __init__(self, name: str, rows: int, kind: str):
        self.name, self.kind = name, kind
        random = np.random.default_rng(zlib.crc32(f"{name} {rows}".encode()))
        self.x = random.normal(size=(rows, 3))
        self.codes = np.arange(rows) * GROUPS // rows
        if kind == "shared":
            self.x = 0.8 * self.x + 0.6 * random.normal(size=(GROUPS, 3))[self.codes]
        self.y = law(name, self.x)
        outputs = self.y.shape[1]
        spread = self.y.std(axis=0)
        self.spread = np.where(spread > 1e-9, spread, 0.0) if name not in LAWLESS else np.ones(1)
        action = ld.points(AFFINE)
        target = ld.scalars(AFFINE) if outputs == 1 else ld.action.tangent(action)
        names = tuple(f"x{i}" for i in range(3)) + tuple(f"y{i}" for i in range(outputs))
        self.question = Question(action, target, names, "", lifted=outputs == 3)
        degree = 2 if name in LAWLESS else SYSTEMS[name]["degree"]
        features = models.linear_features(models.fit(self.x[:50], self.x[:50].sum(axis=1), f"polynomial({degree})"))
        assert features is not None
        self.design = models.design(self.x, np.ones(rows), features, self.codes if kind == "shared" else None)
        # Where there is no law, nothing is a symmetry of it.
        self.true = 0 if name in LAWLESS else int(np.sum(self.defects(self.y) <= DELTA))
        self.exact = 0 if name in LAWLESS else SYSTEMS[name]["dimension"]

    def defects(self, y: np.ndarray) -> np.ndarray:
        return np.sort(self.read(y, 0)[0].defects)

    def bent(self, which: int) -> bool:
        """Bends the law within its family until a defect is a little above delta; whether that was possible."""
        toward = np.random.default_rng(7).normal(size=(self.design.orthonormal.shape[1], self.y.shape[1]))
        toward = self.design.orthonormal @ toward
        toward *= self.y.std(axis=0) / toward.std(axis=0)
        low, high = 0.0, 1e-3
        while self.defects(self.y + high * toward)[which] < EDGE * DELTA:
            low, high = high, 2 * high
            if high > 1.0:
                return False
        for _ in range(25):
            middle = (low + high) / 2
            small = self.defects(self.y + middle * toward)[which] < EDGE * DELTA
            low, high = (middle, high) if small else (low, middle)
        self.y = self.y + high * toward
        self.spread = self.y.std(axis=0)
        self.true, self.exact = int(np.sum(self.defects(self.y) <= DELTA)), 0
        return True

    def read(self, y: np.ndarray, seed: int) -> tuple[Drawn, float]:
        estimate = self.design.fit(y)
        rule = Rule(seed=seed, delta=DELTA, alpha=ALPHA)
        units = Units(np.ones(3), np.ones(y.shape[1]))
        return drawn(self.question, rule, estimate, units, self.x, np.ones(len(self.x))), estimate.misfit

    def trial(self, noise: float, seed: int) -> dict[str, tuple[int, int]]:
        """At least and at most how many, by rule."""
        random = np.random.default_rng([zlib.crc32(self.name.encode()), seed])
        e = errors(self.kind, random, self.x, self.y.shape[1], self.codes)
        read, misfit = self.read(self.y + noise * self.spread * e, seed)
        c = stated(Rule(seed=seed, delta=DELTA, alpha=ALPHA), read)
        open_ = misfit <= LACK
        count = len(read.defects)
        ordered = np.sort(read.defects)
        gap = ld.linalg.decide(ordered, resolution=1e-7, min_gap=5.0, top=np.sqrt(2), following=BROKEN)
        found = {
            "certificate": (0, count) if open_ else (c.at_least, c.at_most),
            "threshold": (int(np.sum(ordered <= DELTA)),) * 2,
            "eigengap": (gap.count if gap.clear else 0, gap.count if gap.clear else count),
            "rank": (_rank(read),) * 2,
        }
        return found


def _rank(read: Drawn) -> int:
    """The largest number of directions whose defects a test at level alpha does not tell from zero."""
    known = np.cumsum(read.defects**2)
    chance = np.cumsum(np.einsum("gkk->gk", read.numerator), axis=1)
    return int(np.sum(np.cumprod(known <= np.quantile(chance, 1 - ALPHA, axis=0) + 1e-12)))


def run(name: str, rows: int, levels: list[tuple[float, str]], trials: int, done: dict[str, dict]) -> dict[str, dict]:
    """The cells of a system at some rows, with the trials that they have."""
    out = {}
    system, _, edge = name.partition(EDGED)
    for kind in dict.fromkeys(kind for _, kind in levels):
        cell = Cell(system, rows, kind)
        if edge and not cell.bent(0 if edge == "first" else cell.exact - 1):
            continue
        for noise in [noise for noise, other in levels if other == kind]:
            key = f"{name}|{rows}|{noise}|{kind}"
            before = done.get(key, {"trials": 0, "ms": 0.0})
            start = time.process_time()
            found = [cell.trial(noise, seed) for seed in range(before["trials"], trials)]
            spent = 1e3 * (time.process_time() - start) + before["trials"] * before["ms"]
            tally = {"true": cell.true, "exact": cell.exact, "trials": trials, "ms": round(spent / trials, 1)}
            for rule in RULES:
                least, most = np.array([f[rule] for f in found]).T
                mine = {
                    "false": int(np.sum(least > cell.true)),
                    "ruled out": int(np.sum(most < cell.true)),
                    "detected": int(np.sum((least >= cell.exact) & (least <= cell.true))),
                    "each": int(np.sum(np.minimum(least, cell.exact)[least <= cell.true])),
                    "exactly": int(np.sum((least == cell.true) & (most == cell.true))),
                }
                tally[rule] = {what: n + before.get(rule, {}).get(what, 0) for what, n in mine.items()}
            out[key] = tally
    return out


def wanted(quick: bool, edge: bool) -> list[tuple[str, int, list[tuple[float, str]]]]:
    if edge:
        some = [name for name, system in SYSTEMS.items() if system["dimension"]]
        names = [name + EDGED + which for name in some for which in ("first", "last")]
        kinds = ["normal"] if quick else ["normal", *KINDS]
        levels = {rows: [(noise, k) for k in kinds for noise in each] for rows, each in EDGES.items()}
        return [(name, rows, levels[rows]) for rows in EDGES for name in names]
    names = [*LAWLESS, *SYSTEMS]
    names = names[::8] if quick else names
    plain = [(noise, "normal") for noise in NOISE]
    more = [(0.03, kind) for kind in KINDS]
    sizes = (300,) if quick else ROWS
    return [(name, rows, plain + (more if rows == 300 else [])) for rows in sizes for name in names]


def _trials(cells: dict[str, dict], name: str, rows: int, noise: float, kind: str) -> int:
    return cells.get(f"{name}|{rows}|{noise}|{kind}", {"trials": 0})["trials"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a tenth of the systems, 300 rows, 10 trials")
    parser.add_argument("--edge", action="store_true", help="laws bent until they hardly lack a symmetry")
    parser.add_argument("--every", type=int, default=1, help="one in so many of what is to be done")
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument(
        "--keep", type=Path, nargs="*", default=[], help="JSON files of cells that are done; new ones go to the first"
    )
    parser.add_argument("--part", default="1/1")
    parser.add_argument("--minutes", type=float, default=np.inf, help="of processor time, then it stops")
    parser.add_argument("--table", action="store_true", help="no new cells")
    parser.add_argument("--cost", action="store_true", help="of one certificate")
    given = parser.parse_args()
    if given.cost:
        cost()
        return
    kept = [json.loads(path.read_text()) if path.exists() else {} for path in given.keep] or [{}]
    cells = {key: value for one in reversed(kept) for key, value in one.items()}
    place, parts = map(int, given.part.split("/"))
    measure.move_to_part(place - 1)
    trials = 10 if given.quick else given.trials
    for name, rows, levels in (
        [] if given.table else wanted(given.quick, given.edge)[:: given.every][place - 1 :: parts]
    ):
        missing = [(noise, kind) for noise, kind in levels if _trials(cells, name, rows, noise, kind) < trials]
        if not missing or time.process_time() > 60 * given.minutes:
            continue
        done = run(name, rows, missing, trials, cells)
        cells |= done
        kept[0] |= done
        if given.keep:
            given.keep[0].write_text(json.dumps(kept[0], indent=0))
    report(cells)


def cost(rows: int = 500, width: int = 6, degree: int = 3, repetitions: int = 60) -> None:
    random, affine = np.random.default_rng(0), ld.algebra.aff(width)
    x = random.normal(size=(rows, width))
    y = np.sum(x**2, axis=1, keepdims=True)
    y = y + 0.02 * y.std() * random.normal(size=y.shape)
    features = models.linear_features(models.fit(x, y[:, 0], f"polynomial({degree})"))
    assert features is not None
    estimate = models.design(x, np.ones(rows), features, None).fit(y)
    names = (*(f"x{i}" for i in range(width)), "y")
    question = Question(ld.points(affine), ld.scalars(affine), names, "")
    units, rule, spent = Units(np.ones(width), np.ones(1)), Rule(delta=DELTA, alpha=ALPHA), []
    certificate = stated(rule, drawn(question, rule, estimate, units, x, np.ones(rows)))  # compiles
    for _ in range(repetitions):
        start = time.process_time()
        certificate = stated(rule, drawn(question, rule, estimate, units, x, np.ones(rows)))
        spent.append(1e3 * (time.process_time() - start))
    print(measure.machine())
    print(f"{certificate.at_least} to {certificate.at_most} of {affine.dim} candidates are symmetries")
    print(f"{rows} rows, degree {degree}, {width} variables: median {np.median(spent):.1f}, least {min(spent):.1f} ms")


def report(cells: dict[str, dict]) -> None:
    print(measure.machine())
    trials = sum(cell["trials"] for cell in cells.values())
    each = np.mean([cell["ms"] for cell in cells.values()] or [0])
    print(f"\n{len(cells)} cells, {trials} trials, delta {DELTA}, alpha {ALPHA}, {each:.0f} ms each\n")
    print("| rule | false, worst cell | cells above alpha | false in all | detected | of each | exactly right |")
    print("|---|---|---|---|---|---|---|")
    some = [cell for cell in cells.values() if cell["exact"]]
    for rule in RULES:
        false = [max(cell[rule]["false"], cell[rule]["ruled out"]) / cell["trials"] for cell in cells.values()]
        found = np.sum([cell[rule]["detected"] for cell in some]) / max(sum(cell["trials"] for cell in some), 1)
        each = np.mean([cell[rule]["each"] / cell["trials"] / cell["exact"] for cell in some] or [0])
        exact = np.sum([cell[rule]["exactly"] for cell in cells.values()]) / max(trials, 1)
        above, worst = int(np.sum(np.array(false) > ALPHA)), max(false, default=0)
        text = f"{worst:.3f} | {above} | {np.mean(false or [0]):.4f} | {found:.3f} | {each:.3f} | {exact:.3f}"
        print(f"| {rule} | {text} |")
    print("\n| rows | " + " | ".join(f"{noise:g}" for noise in NOISE) + " | " + " | ".join(KINDS) + " |")
    print("|---|" + "---|" * (len(NOISE) + len(KINDS)))
    for rows in ROWS:
        row = []
        for noise, kind in [*((noise, "normal") for noise in NOISE), *((0.03, kind) for kind in KINDS)]:
            mine = [c for k, c in cells.items() if k.split("|")[1:] == [str(rows), str(noise), kind] and c["exact"]]
            seen = sum(c["certificate"]["detected"] for c in mine) / max(sum(c["trials"] for c in mine), 1)
            row.append(f"{seen:.2f}" if mine else "")
        print(f"| {rows} | " + " | ".join(row) + " |")
    print("\nShare of trials in which the certificate holds all symmetries of the exact algebra, by rows and noise.")


if __name__ == "__main__":
    main()
