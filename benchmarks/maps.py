"""Equivariant linear maps: seconds to find them and to use them, against emlp.

    python benchmarks/maps.py [--rival PYTHON] [--quick] [--only TABLE]

PYTHON is an interpreter that has emlp (benchmarks/README.md says how to make one); without it the rival's columns are
empty. Each problem runs in a fresh process, ours and the rival's, on one thread. Times are CPU seconds of the process.
"First" is the first call in the process, representations included. "Warm" is the same again with everything either
library remembers of solved representations emptied: what is left is code that is loaded and compiled.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import reduce
from itertools import pairwise
from operator import add, mul
from pathlib import Path
from typing import TypeVar

import measure  # first: it fixes the threads before NumPy and JAX start

# isort: split

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import scipy.sparse

import lieder as ld
import lieder.enforce

LIMIT = 330  # CPU seconds of a call of the rival
BATCH = 256

# (group, a, b): maps from V^a to V^b, and the line in seconds. The lines are for a warm call.
PROBLEMS = {
    ("so(3)", 3, 3): 0.02,
    ("so(3)", 4, 3): 0.1,
    ("so(3)", 4, 4): 0.3,
    ("so(3)", 5, 5): 5.0,
    ("o(5)", 2, 2): 0.05,
    ("o(5)", 3, 3): 0.5,
    ("s(6)", 2, 2): 0.02,
    ("s(10)", 2, 2): 0.05,
    ("s(14)", 2, 2): 0.2,
    ("o(1,3)", 2, 2): 0.02,
    ("o(1,3)", 3, 3): 0.2,
}
LONG = {("so(3)", 4, 4), ("so(3)", 5, 5), ("s(14)", 2, 2)}  # of the rival, left out by --quick

# Hidden layers of width 384 that emlp's `uniform_rep` chooses: (how many, copies of V, copies of its dual); the line.
NETWORKS = {
    "so(3)": (((102, 0, 0), (34, 1, 0), (11, 2, 0), (3, 3, 0)), 1.0),
    "so(5)": (((134, 0, 0), (25, 1, 0), (5, 2, 0)), 1.0),
    "so(1,3)": (((112, 0, 0), (14, 1, 0), (14, 0, 1), (4, 1, 1), (1, 2, 0), (1, 0, 2), (1, 2, 1)), 3.0),
}
LAYERS = 3


def group(name: str) -> ld.algebra.LieAlgebra:
    """so(1,3) is connected, o(1,3) has parity and time reversal, s(n) permutes n coordinates."""
    if name == "o(1,3)":
        return ld.algebra.extended(ld.algebra.so(1, 3), [np.diag([1.0, -1, -1, -1]), np.diag([-1.0, 1, 1, 1])])
    letters, sizes = name.rstrip(")").split("(")
    constructor = {"so": ld.algebra.so, "o": ld.algebra.o, "s": ld.algebra.symmetric}[letters]
    return constructor(*[int(n) for n in sizes.split(",")])


def forget() -> None:
    """Empty every cache of the library, so that nothing is known of a representation."""
    for name, module in list(sys.modules.items()):
        if name.startswith("lieder"):
            for value in vars(module).values():
                if callable(getattr(value, "cache_clear", None)):
                    value.cache_clear()


Result = TypeVar("Result")


def seconds(call: Callable[[], Result]) -> tuple[float, Result]:
    begun = time.process_time()
    result = jax.block_until_ready(call())
    return time.process_time() - begun, result


def warm(call: Callable[[], object], first: float) -> float:
    """The median of calls that find nothing known: five of them if they are short."""
    times = []
    for _ in range(5 if first < 5 else 1):
        forget()
        times.append(seconds(call)[0])
    return float(np.median(times))


def solve(name: str, a: int, b: int) -> dict[str, float]:
    def call():
        v = ld.vectors(group(name))
        found = ld.enforce.maps(v**a, v**b)
        return found, found.dense()

    first, (found, basis) = seconds(call)
    worst = max(residual(found, matrix) for matrix in basis)
    return {"first": first, "warm": warm(call, first), "dim": found.dim, "residual": worst}


def residual(found, matrix: np.ndarray) -> float:
    """The largest |rho_b W - W rho_a| / ((|rho_a| + |rho_b|) |W|) over generators and discrete elements.

    |W| is the Frobenius norm, |rho| that over the root of the width: root mean square sizes.
    """
    worst, size = 0.0, np.linalg.norm(matrix)
    for by, to in (
        (found.source.matrices(), found.target.matrices()),
        (found.source.discrete(), found.target.discrete()),
    ):
        for left, right in zip(sparse(to), sparse(by), strict=True):
            sides = zip((left, right), matrix.shape, strict=True)
            scale = sum(np.linalg.norm(side.data) / np.sqrt(width) for side, width in sides)
            error = np.linalg.norm(left @ matrix - (right.T @ matrix.T).T)
            worst = max(worst, float(error / (scale * size)))
    return worst


def sparse(stack) -> list[scipy.sparse.csr_array]:
    flat = stack.flat()
    return [flat[[k]].reshape(stack.shape[1:]).tocsr() for k in range(stack.shape[0])]


def structured(name: str, a: int, b: int) -> dict[str, float]:
    """Nothing dense in the unknowns: the maps, and one random combination of them for the residual."""

    def call():
        v = ld.vectors(group(name))
        return ld.enforce.maps(v**a, v**b)

    first, found = seconds(call)
    # Not ru_maxrss, which a child inherits from the process that started it.
    peak = next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM")) / 1024
    with jax.enable_x64(True):
        c = jnp.asarray(np.random.default_rng(0).standard_normal(found.dim))
        matrix = np.asarray(found.matrix(c))
    return {"first": first, "dim": found.dim, "residual": residual(found, matrix), "peak": peak}


def tensors(v, ranks):
    """Scalars, vectors and tensors: the sum of (count, copies of V, copies of its dual)."""
    return reduce(add, [count * tensor(v, p, q) for count, p, q in ranks])


def tensor(v, p: int, q: int):
    """V^p V*^q; the scalar for none."""
    return reduce(mul, [v] * p + [v.dual] * q) if p + q else ld.scalars(v.algebra)


def network(name: str) -> dict[str, object]:
    """Linear maps and biases of V + 1 -> hidden -> hidden -> hidden -> V, hidden ones with a gate for each tensor."""
    ranks, linear = NETWORKS[name][0], ld.nn.Linear  # imports have a line of their own: benchmarks/imports.py

    def build():
        v = ld.vectors(group(name))
        gates = ld.scalars(v.algebra, sum(count for count, p, q in ranks if p + q))
        middle = tensors(v, ranks)
        reps = [v + ld.scalars(v.algebra), *[middle] * LAYERS]
        pairs = [(a, b + gates) for a, b in pairwise(reps)] + [(middle, v)]
        return [linear(a, b, key=jax.random.key(i)) for i, (a, b) in enumerate(pairs)]

    first, layers = seconds(build)
    dim = parameters(layers)
    cached, _ = seconds(build)
    return {"first": first, "cached": cached, "warm": warm(build, first), "dim": dim, "ranks": ranks}


def parameters(model) -> int:
    return sum(leaf.size for leaf in jax.tree.leaves(eqx.filter(model, eqx.is_inexact_array)))


def by_rank(ranks, d: int) -> list[tuple[int, np.ndarray]]:
    """(rank k, (copies, d^k) coordinates) of a sum of tensors."""
    out, start = [], 0
    for count, p, q in ranks:
        size = count * d ** (p + q)
        out.append((p + q, np.arange(start, start + size).reshape(count, -1)))
        start += size
    return out


def projector(parts: list[tuple[int, np.ndarray]], bases: dict[int, jax.Array]) -> Callable[[jax.Array], jax.Array]:
    """emlp's projection of a vector made of tensors, (copies, d^k) coordinates each: P w = Q_k (Q_k^T w), rank by rank.

    As published: brought into the order of ranks, multiplied by the dense bases, brought back.
    """
    ranks = sorted({k for k, _ in parts})
    groups = [np.concatenate([index for rank, index in parts if rank == k]) for k in ranks]
    order = np.concatenate([index.reshape(-1) for index in groups])
    back = np.argsort(order)

    def project(w):
        w, out, start = w[order], [], 0
        for k, index in zip(ranks, groups, strict=True):
            part = w[start : start + index.size].reshape(index.shape)
            out.append(((part @ bases[k]) @ bases[k].T).reshape(-1))
            start += index.size
        return jnp.concatenate(out)[back]

    return project


def emlp_layer(v, ranks, key) -> tuple[dict[str, jax.Array], Callable]:
    """emlp's linear layer from a sum of tensors to itself, with its bias, in today's JAX: parameters and function."""
    d, places = v.width, by_rank(ranks, v.width)
    width = sum(index.size for _, index in places)
    entries = np.arange(width**2).reshape(width, width)
    parts = [
        (a + b, entries[to.reshape(-1)][:, by.reshape(-1)].reshape(len(to), d**b, len(by), d**a))
        for b, to in places
        for a, by in places
    ]
    parts = [(k, part.transpose(0, 2, 1, 3).reshape(-1, d**k)) for k, part in parts]
    one = ld.scalars(v.algebra)
    bases = {
        k: jnp.asarray(ld.enforce.maps(one, tensor(v, k, 0)).dense()[:, :, 0].T, jnp.float32)
        for k in {k for k, _ in (*parts, *places)}
    }
    weight, bias = projector(parts, bases), projector(places, bases)
    parameters = dense_parameters(width, key)

    def apply(p, x):
        return x @ weight(p["w"].reshape(-1)).reshape(width, width).T + bias(p["b"])

    return parameters, apply


def dense_parameters(width: int, key) -> dict[str, jax.Array]:
    return {"w": jax.random.normal(key, (width, width)) / np.sqrt(width), "b": jnp.zeros(width)}


def dense_layer(width: int, key) -> tuple[dict[str, jax.Array], Callable]:
    return dense_parameters(width, key), lambda p, x: x @ p["w"].T + p["b"]


def our_layer(representation, key) -> tuple[object, Callable]:
    layer = ld.nn.Linear(representation, representation, key=key)
    arrays, rest = eqx.partition(layer, eqx.is_inexact_array)
    return arrays, lambda p, x: jax.vmap(eqx.combine(p, rest))(x)


def shares(width: int) -> tuple[tuple[int, int, int], ...]:
    """Scalars, vectors and rank-2 tensors of so(3) with a third of the channels each."""
    second = round(width / 27)
    first = round((width - 9 * second) / 6)
    return (width - 3 * first - 9 * second, 0, 0), (first, 1, 0), (second, 2, 0)


def layers(width: int, rounds: int) -> dict[str, dict[str, float]]:
    """CPU seconds of a batch forward and of a training step, float32, in turns: the least of all rounds."""
    v, ranks = ld.vectors(ld.algebra.so(3)), shares(width)
    keys = jax.random.split(jax.random.key(0), 5)
    x, y = jax.random.normal(keys[0], (BATCH, width)), jax.random.normal(keys[1], (BATCH, width))
    candidates = {
        "ours": our_layer(tensors(v, ranks), keys[2]),
        "emlp": emlp_layer(v, ranks, keys[3]),
        "dense": dense_layer(width, keys[4]),
    }
    calls = {}
    for name, (p, apply) in candidates.items():
        calls[name, "forward"] = jax.jit(apply), p, x
        calls[name, "step"] = training(apply), p, x, y
    times = {key: np.inf for key in calls}
    for call, *arguments in calls.values():
        for _ in range(2):
            jax.block_until_ready(call(*arguments))
    for _ in range(rounds):
        for key, (call, *arguments) in calls.items():
            begun = time.process_time()
            jax.block_until_ready(call(*arguments))
            times[key] = min(times[key], time.process_time() - begun)
    count = {name: parameters(p) for name, (p, _) in candidates.items()}
    return {name: {k: times[name, k] for k in ("forward", "step")} | {"parameters": count[name]} for name in candidates}


def training(apply: Callable) -> Callable:
    """Gradient of the mean squared error and one step of gradient descent."""

    @jax.jit
    def step(p, x, y):
        gradient = jax.grad(lambda p: jnp.mean((apply(p, x) - y) ** 2))(p)
        return jax.tree.map(lambda a, g: a - 0.01 * g, p, gradient)

    return step


MODES = {"solve": solve, "structured": structured, "network": network, "layers": layers}


def fresh(command: list[str]) -> dict | None:
    """The last line a process prints, as JSON; None when the system ended it at the limit before the first."""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1]), "RIVAL_LIMIT": str(LIMIT)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    if done.returncode not in (0, -signal.SIGXCPU):
        raise RuntimeError(done.stderr)
    return json.loads(done.stdout.splitlines()[-1]) if done.stdout.strip() else None


def ours(*arguments: object) -> dict:
    found = fresh([sys.executable, __file__, "--one", *map(str, arguments)])
    assert found is not None
    return found


def theirs(python: str | None, *arguments: object) -> dict:
    """The rival's figures; {} without a rival, only "first" to say so where it was ended at the limit."""
    if python is None:
        return {}
    found = fresh([python, str(Path(__file__).with_name("rival_emlp.py")), *map(str, arguments)])
    unfinished = f"unfinished at {LIMIT} s"
    return {"first": unfinished, "warm": unfinished, **(found or {})}


def text(found: dict, key: str, form: str = "{:.3g}") -> str:
    value = found.get(key, "")
    return value if isinstance(value, str) else form.format(value)


def problems_table(python: str | None, quick: bool) -> None:
    rows = []
    for (name, a, b), line in PROBLEMS.items():
        mine = ours("solve", name, a, b)
        other = theirs(None if quick and (name, a, b) in LONG else python, name, a, b)
        check(other, mine["dim"], "dim")
        rows.append(
            (
                f"{name}: V^{a} -> V^{b}",
                str(mine["dim"]),
                *(text(other, key) for key in ("first", "warm")),
                text(other, "residual", "{:.0e}"),
                *(text(mine, key) for key in ("first", "warm")),
                text(mine, "residual", "{:.0e}"),
                f"{line:g}",
                ratio(other, mine),
            )
        )
    head = ("maps", "how many", "emlp first", "warm", "residual", "ours first", "warm", "residual", "line", "ratio")
    measure.table(head, rows)


def check(other: dict, value, key: str) -> None:
    """Both solved the same problem."""
    if key in other and other[key] != value:
        raise RuntimeError(f"{key}: emlp has {other[key]}, ours {value}")


def ratio(other: dict, mine: dict, key: str = "warm") -> str:
    value = other.get(key, "")
    return (
        f"> {LIMIT / mine[key]:,.0f}"
        if value and isinstance(value, str)
        else text({key: value / mine[key]} if value else {}, key, "{:,.0f}")
    )


def networks_table(python: str | None) -> None:
    rows = []
    for name, (ranks, line) in NETWORKS.items():
        mine = ours("network", name)
        other = theirs(python, "network", name)
        check(other, mine["dim"], "dim")
        other |= {"ranks": sorted(other["ranks"])} if "ranks" in other else {}  # emlp's order is that of hashes
        check(other, sorted(map(list, ranks)), "ranks")
        rows.append(
            (
                f"{name}: {LAYERS} layers of width 384",
                f"{mine['dim']:,}",
                *(text(other, key) for key in ("first", "warm", "cached", "whole")),
                *(text(mine, key) for key in ("first", "warm", "cached")),
                f"{line:g}",
            )
        )
    head = ("network", "parameters", "emlp first", "warm", "cached", "whole class, warm", "ours first", "warm")
    measure.table((*head, "cached", "line"), rows)


def structured_table() -> None:
    found = ours("structured", "so(3)", 6, 6)
    row = ["so(3): V^6 -> V^6", f"{729**2:,}", f"{found['dim']:,}", f"{found['first']:.1f}"]
    row += [f"{found['peak']:.0f} MB", text(found, "residual", "{:.0e}"), "60 s, 4 GB"]
    measure.table(("maps", "unknowns", "how many", "ours first", "peak memory", "residual", "line"), [tuple(row)])


def layers_table(quick: bool) -> None:
    rows = []
    for width in (64, 128, 256, 512, 1024):
        found = ours("layers", width, 5 if quick else 40)
        mine, emlp, dense = (found[name] for name in ("ours", "emlp", "dense"))
        row = [str(width), f"{mine['parameters']:,} of {dense['parameters']:,}"]
        for key in ("forward", "step"):
            row += [f"{1e3 * side[key]:.2g}" for side in (mine, emlp, dense)]
            row += [f"{mine[key] / emlp[key]:.2f}", f"{mine[key] / dense[key]:.2f}"]
        rows.append(tuple(row))
    head = ["width", "parameters, ours of dense"]
    for key in ("forward", "training step"):
        head += [f"{key}: ours, ms", "emlp's formula", "dense", "ours / emlp's", "ours / dense"]
    measure.table(tuple(head), rows)


TABLES = ("maps", "networks", "structured", "layers")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rival", metavar="PYTHON", help="an interpreter that has emlp")
    parser.add_argument("--quick", action="store_true", help="without the rival's longest problems; 5 rounds, not 40")
    parser.add_argument("--only", choices=TABLES, nargs="*", default=TABLES, help="which tables")
    parser.add_argument("--one", nargs="+", help="used by this script itself")
    options = parser.parse_args()
    if options.one:
        mode, *arguments = options.one
        values = [int(a) if a.isdigit() else a for a in arguments]
        print(json.dumps(MODES[mode](*values)))
        return
    print(measure.machine())
    if "maps" in options.only:
        problems_table(options.rival, options.quick)
    if "networks" in options.only:
        networks_table(options.rival)
    if "structured" in options.only:
        structured_table()
    if "layers" in options.only:
        layers_table(options.quick)


if __name__ == "__main__":
    main()
