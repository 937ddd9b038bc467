"""One problem solved by emlp, in an interpreter of its own: `maps.py --rival PYTHON` starts it. Imports no lieder.

    python benchmarks/rival_emlp.py GROUP RANK_IN RANK_OUT     # maps V^a -> V^b, e.g. "so(3)" 4 3
    python benchmarks/rival_emlp.py network GROUP              # three gated linear layers of width 384 and the last

Prints one line of JSON when the first call is done and one more, with everything, after the warm call: the same again
in the same process with emlp's cache of solved representations emptied, so that only what JAX has compiled is kept.
GROUP: so(3), so(5), so(1,3), o(5), o(1,3), s(6). Each call may take RIVAL_LIMIT CPU seconds (330); past that the system
ends the process (SIGXCPU).
"""

import json
import os
import resource
import sys
import time
from itertools import pairwise

os.environ.setdefault("JAX_PLATFORMS", "cpu")

import measure  # noqa: F401 - first: it fixes the threads before NumPy and JAX start

# isort: split

import jax
import numpy as np
from emlp import groups  # pyright: ignore[reportMissingImports]
from emlp.nn import EMLP, Linear, gated, uniform_rep  # pyright: ignore[reportMissingImports]
from emlp.reps import Rep, Scalar, T, V  # pyright: ignore[reportMissingImports]

LIMIT = int(os.environ.get("RIVAL_LIMIT", "330"))
WIDTH, LAYERS = 384, 3
GROUPS = {"so": groups.SO, "o": groups.O, "s": groups.S}


def group(name: str) -> groups.Group:
    """so(1,3) is the connected component, o(1,3) has parity and time reversal."""
    if name in ("so(1,3)", "o(1,3)"):
        return groups.SO13p() if name[0] == "s" else groups.O13()
    letters, n = name.rstrip(")").split("(")
    return GROUPS[letters](int(n))


def timed(call):
    """CPU seconds of a call from nothing known: the cache of solved representations emptied, with the limit set."""
    Rep.solcache.clear()
    return seconds(call)


def seconds(call):
    used = time.process_time()
    resource.setrlimit(resource.RLIMIT_CPU, (int(used) + LIMIT + 1, resource.RLIM_INFINITY))
    begun = time.process_time()
    result = jax.block_until_ready(call())
    return time.process_time() - begun, result


def maps(name: str, a: int, b: int) -> None:
    def solve():
        g = group(name)
        return (T(a, 0, g) >> T(b, 0, g)).equivariant_basis()

    first, basis = timed(solve)
    found = {"first": first, "dim": int(basis.shape[1]), "residual": residual(group(name), a, b, basis)}
    print(json.dumps(found), flush=True)
    found["warm"], _ = timed(solve)
    print(json.dumps(found), flush=True)


def residual(g: groups.Group, a: int, b: int, basis) -> float:
    """The largest |rho_b W - W rho_a| / ((|rho_a| + |rho_b|) |W|) over generators and discrete elements, in float64.

    |W| is the Frobenius norm, |rho| that over the root of the width: root mean square sizes.
    """
    d, worst = g.d, 0.0
    maps = np.asarray(basis, np.float64).reshape(d**b, d**a, -1).transpose(2, 0, 1)
    norms = np.linalg.norm(maps, axis=(1, 2))
    eye = np.eye(d)
    for elements, power in ((g.lie_algebra, derivative), (g.discrete_generators, finite)):
        for element in elements:
            matrix = np.asarray(element @ eye, np.float64)
            left, right = power(matrix, b), power(matrix, a)
            scale = sum(np.linalg.norm(side) / np.sqrt(len(side)) for side in (left, right))
            error = np.linalg.norm(left @ maps - maps @ right, axis=(1, 2))
            worst = max(worst, float((error / norms).max() / scale))
    return worst


def derivative(matrix: np.ndarray, power: int) -> np.ndarray:
    """A x 1 x 1 + 1 x A x 1 + 1 x 1 x A."""
    d = len(matrix)
    return np.sum([np.kron(np.kron(np.eye(d**i), matrix), np.eye(d ** (power - 1 - i))) for i in range(power)], axis=0)


def finite(matrix: np.ndarray, power: int) -> np.ndarray:
    """A x A x A."""
    total = np.eye(1)
    for _ in range(power):
        total = np.kron(total, matrix)
    return total


def network(name: str) -> None:
    """Linear maps and biases of V + 1 -> hidden -> hidden -> hidden -> V, each hidden one with its gates.

    The bilinear part of emlp's block is left out: nothing is solved for it. "whole" is emlp's own class, which has it.
    """
    ranks = hidden(name)

    def build():
        g = group(name)
        middle = rebuilt(ranks, g)
        reps = [T(1, 0, g) + Scalar(g)] + [middle] * LAYERS
        pairs = [(a, gated(b)) for a, b in pairwise(reps)] + [(middle, T(1, 0, g))]
        return pairs, [Linear(a, b) for a, b in pairs]

    first, (pairs, _) = timed_object(build)
    sums = [rep for a, b in pairs for rep in (b * a.T, b)]
    dim = sum(int(rep.equivariant_basis().shape[1]) for rep in sums)
    found = {"first": first, "dim": dim, "ranks": ranks, "size": int(pairs[1][0].size())}
    print(json.dumps(found), flush=True)
    found["cached"], _ = seconds_object(build)
    found["warm"], _ = timed_object(build)
    print(json.dumps(found), flush=True)
    np.random.seed(0)
    found["whole"], _ = timed_object(lambda: EMLP(V + Scalar, V, group(name), WIDTH, LAYERS))
    print(json.dumps(found), flush=True)


def timed_object(call):
    """The layers are no pytree to wait for; their bases are, in the cache."""
    Rep.solcache.clear()
    return seconds_object(call)


def seconds_object(call):
    kept = []
    spent, _ = seconds(lambda: (kept.append(call()), list(Rep.solcache.values()))[1])
    return spent, kept[0]


def hidden(name: str) -> list[tuple[int, int, int]]:
    """emlp's own choice of hidden tensors: (how many, copies of V, copies of V*)."""
    np.random.seed(0)
    g = group(name)
    rep = uniform_rep(WIDTH, g)
    v = T(1, 0, g)
    ranks = []
    for tensor, count in rep.reps.items():
        if tensor == Scalar:
            ranks.append((count, 0, 0))
            continue
        factors = getattr(tensor, "reps", {tensor: 1})
        ranks.append((count, factors.get(v, 0), 0 if v.T == v else factors.get(v.T, 0)))
    return [(int(count), int(p), int(q)) for count, p, q in ranks]


def rebuilt(ranks: list[tuple[int, int, int]], g: groups.Group) -> Rep:
    return sum(count * T(p, q, g) if p + q else count * Scalar(g) for count, p, q in ranks)


if __name__ == "__main__":
    if sys.argv[1] == "network":
        network(sys.argv[2])
    else:
        maps(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
