"""What is said on the slower routes, and how often it is wrong: kernels, graphs, clouds, transitions, networks.

    python benchmarks/evidence_routes.py [--quick] [--trials 30] [--keep trials.json] [--only cloud] [--minutes 30]

Systems with a symmetry; the same bent by a function of another kind until a defect is 1.001 delta at these rows (at the
edge: certifying it is false); and labels without a law. delta .05, alpha .05. Routes:
    smooth       200 rows, dataset(fit="kernel"), the six affine candidates
    graph        500 rows, inputs on a square, so(2)
    cloud        500 points of curves, 800 of surfaces, all coordinates noisy, so(2) and so(3)
    transitions  500 pairs, state and state a short time later, one after the other from trajectories, so(2): as a graph
                 with transition=True, and as dataset(fit="polynomial(3)") of displacements, with trajectories as groups
    network      a network fitted to 300 rows and given to discover.function with error=, its error on other rows: what
                 is certified of the network, taken for the law's
Said by default: "false" is a symmetry that the law has not to within delta, or that one is missing that it has exactly;
"right" that all it has exactly are found and no more, or none where it has none. At the edge a claim counts as false.
Certified: false where more is certified than the law has to within delta, or less is left open. The loop runs over
seeds first, so that a run that is stopped has some of everything.
"""

import argparse
import json
import time
import zlib
from collections.abc import Callable
from functools import lru_cache, partial
from pathlib import Path
from typing import NamedTuple

import measure  # first: it fixes the threads before NumPy and JAX start

# isort: split

import jax
import jax.numpy as jnp
import numpy as np

import lieder as ld
from lieder import models
from lieder.linalg import relative_spectrum

DELTA, EDGE = 0.05, 1.001
AFFINE, TURNS, SPHERICAL = ld.points(ld.algebra.aff(2)), ld.vectors(ld.algebra.so(2)), ld.vectors(ld.algebra.so(3))
WAVES = np.random.default_rng(11).normal(size=(5, 2)) * 1.2
SHIFTS = np.random.default_rng(12).uniform(0, 6.28, 5)


class Case(NamedTuple):
    """A question with its answer: `ask` the library; the law has `exact` symmetries, and `true` to within delta."""

    ask: Callable[[], ld.discover.Symmetries]
    exact: int
    true: int


def bump(x):
    """No polynomial, and without a symmetry."""
    return jnp.sum(jnp.cos(WAVES @ x[:2] + SHIFTS))


def bowl(x):
    return jnp.sum(x**2) / 2


LAWS = {
    "bell": (lambda x: jnp.exp(-jnp.sum(x**2) / 2), 1),
    "wave": (lambda x: jnp.sin(1.5 * x[0]), 3),
    "cone": (lambda x: jnp.sqrt(0.3 + jnp.sum(x**2)), 1),
}


def bent(defect: Callable[[float], float]) -> float:
    """By how much a law is bent until its defect is at the edge."""
    low, high = 0.0, 1e-3
    while defect(high) < EDGE * DELTA:
        low, high = high, 2 * high
    for _ in range(25):
        middle = (low + high) / 2
        low, high = (middle, high) if defect(middle) < EDGE * DELTA else (low, middle)
    return high


@lru_cache
def compiled(law: Callable) -> Callable:
    return jax.jit(jax.vmap(jax.value_and_grad(law)))


def values_and_slopes(law: Callable, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    with jax.enable_x64(True):
        both = compiled(law)(jnp.asarray(x))
    return np.asarray(both[0]), np.asarray(both[1])


def moved(action, points: np.ndarray) -> np.ndarray:
    """Fields (N, q, n) of all candidates."""
    basis = np.eye(action.algebra.dim)
    with jax.enable_x64(True):
        return np.stack([np.asarray(ld.action.velocities(action, xi, points)) for xi in basis], axis=1)


def invariance(x: np.ndarray, slopes: np.ndarray, action) -> np.ndarray:
    """Relative defects of a function of known slopes."""
    fields = moved(action, x)
    across = np.einsum("nqi,ni->nq", fields, slopes)
    size = (fields * np.linalg.norm(slopes, axis=1)[:, None, None]).transpose(0, 2, 1).reshape(-1, fields.shape[1])
    return defects(across, size)


def tangency(points: np.ndarray, normals: np.ndarray, action) -> np.ndarray:
    """Relative defects of a surface of known normals, in the spread of each block of coordinates."""
    units = np.ones(points.shape[1])
    for group in action.unit_groups():
        units[group] = ld.sampling.common_spread(points[:, group])
    fields, normals = moved(action, points) / units, normals * units
    normals = normals / np.linalg.norm(normals, axis=1, keepdims=True)
    across = np.einsum("nqi,ni->nq", fields, normals)
    return defects(across, fields.transpose(0, 2, 1).reshape(-1, fields.shape[1]))


def defects(across: np.ndarray, size: np.ndarray) -> np.ndarray:
    one, other = (np.asarray(np.linalg.qr(each, mode="r")) for each in (across, size))
    return np.sort(relative_spectrum(one, other, 1e-9).values)


def smooth(name: str, edge: bool, noise: float, random: np.random.Generator, seed: int) -> Case:
    x = random.normal(size=(200, 2))
    source, target = AFFINE, ld.scalars(AFFINE.algebra)
    y, true, exact = np.zeros(len(x)), 0, 0
    if name in LAWS:
        law, exact = LAWS[name]
        y, slopes = values_and_slopes(law, x)
        if edge:
            more, steeper = values_and_slopes(bump, x)
            by = bent(lambda t: invariance(x, slopes + t * steeper, source)[exact - 1])
            y, slopes, exact = y + by * more, slopes + by * steeper, 0
        true = int(np.sum(invariance(x, slopes, source) <= DELTA))
    y = y + (noise * y.std() or 1.0) * random.normal(size=len(x))

    def ask():
        return ld.discover.dataset(x, y, source=source, target=target, fit="kernel", evidence="certificate", seed=seed)

    return Case(ask, exact, true)


def graph(name: str, edge: bool, noise: float, random: np.random.Generator, seed: int) -> Case:
    x = random.uniform(-1, 1, size=(500, 2))
    target = ld.scalars(TURNS.algebra)
    y, true, exact = np.zeros(len(x)), 0, 0
    if name == "bowl":
        y, slopes = values_and_slopes(bowl, x)
        more, steeper = values_and_slopes(bump, x)
        both = ld.action.total(TURNS, target)

        def at(t: float) -> float:
            normals = np.concatenate([slopes + t * steeper, -np.ones((len(x), 1))], axis=1)
            return float(tangency(np.column_stack([x, y + t * more]), normals, both)[0])

        by = bent(at) if edge else 0.0
        y, exact, true = y + by * more, int(not edge), int(at(by) <= DELTA)
    y = y + (noise * y.std() or 1.0) * random.normal(size=len(x))

    def ask():
        return ld.discover.graph(x, y, source=TURNS, target=target, evidence="certificate", seed=seed)

    return Case(ask, exact, true)


def circle(angle: np.ndarray, bend: float) -> tuple[np.ndarray, np.ndarray]:
    """An ellipse."""
    wide = 1.0 + bend
    along = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return along * [wide, 1.0], along / [wide, 1.0]


def ring(angle: np.ndarray, bend: float) -> tuple[np.ndarray, np.ndarray]:
    """A circle with five waves."""
    radius, slope = 1 + bend * np.cos(5 * angle), -5 * bend * np.sin(5 * angle)
    out, along = np.stack([np.cos(angle), np.sin(angle)], axis=1), np.stack([-np.sin(angle), np.cos(angle)], axis=1)
    return radius[:, None] * out, radius[:, None] * out - slope[:, None] * along


def sphere(u: np.ndarray, bend: float) -> tuple[np.ndarray, np.ndarray]:
    """An ellipsoid of three axes."""
    axes = np.array([1.0 + bend, 1.0 + bend / 2, 1.0])
    return u * axes, u / axes


CLOUDS = {"circle": (circle, TURNS, 1), "ring": (ring, TURNS, 1), "sphere": (sphere, SPHERICAL, 3)}


def cloud(name: str, edge: bool, noise: float, random: np.random.Generator, seed: int) -> Case:
    made, action, exact = CLOUDS[name]
    if name == "sphere":
        u = random.normal(size=(800, 3))
        u /= np.linalg.norm(u, axis=1, keepdims=True)
    else:
        u = random.uniform(0, 2 * np.pi, size=500)

    def least(t: float) -> float:
        z, normals = made(u, t)
        return tangency(z, normals, action)[0]

    by = bent(least) if edge else 0.0
    z, normals = made(u, by)
    true = int(np.sum(tangency(z, normals, action) <= DELTA))
    z = z + noise * random.normal(size=z.shape)
    return Case(
        lambda: ld.discover.cloud(z, action=action, evidence="certificate", seed=seed), 0 if edge else exact, true
    )


@jax.jit
@partial(jax.vmap, in_axes=(None, 0))
def flow(bend, x):
    """The state after a time of .1, and its derivative by the state, flat."""

    def field(z):
        return (1 - jnp.sum(z**2)) * z + jnp.stack([-z[1], z[0]]) + bend * jnp.stack([z[0] ** 2, 0.5 * z[1] ** 2])

    def onward(z):
        h = 0.1 / 4
        for _ in range(4):
            a = field(z)
            b = field(z + h / 2 * a)
            c = field(z + h / 2 * b)
            z = z + h / 6 * (a + 2 * b + 2 * c + field(z + h * c))
        return z

    return jnp.concatenate([onward(x), jax.jacfwd(onward)(x).reshape(-1)])


def flown(bend: float, x: np.ndarray) -> np.ndarray:
    with jax.enable_x64(True):
        return np.asarray(flow(jnp.asarray(bend), jnp.asarray(x)))


def transitions(name: str, edge: bool, noise: float, random: np.random.Generator, seed: int) -> Case:
    """x' = x - y - x r^2, y' = x + y - y r^2, bent by a quadratic term: 20 trajectories of 26 states, a time of .1."""
    start = random.uniform(-1.5, 1.5, size=(20, 2))

    def path(bend: float) -> np.ndarray:
        states = [start]
        for _ in range(25):
            states.append(flown(bend, states[-1])[:, :2])
        return np.stack(states)

    def at(bend: float) -> float:
        """The defect of the displacement, as a function of the state."""
        x = path(bend)[:-1].reshape(-1, 2)
        there = flown(bend, x)
        move, slope = there[:, :2] - x, there[:, 2:].reshape(-1, 2, 2) - np.eye(2)
        turn = np.array([[0.0, -1.0], [1.0, 0.0]])
        along, turned = np.einsum("nij,nj->ni", slope, x @ turn.T), move @ turn.T
        if name == "as a graph":
            units = [ld.sampling.common_spread(v) for v in (x, move)]
            normal = np.concatenate([slope / units[1] * units[0], -np.tile(np.eye(2), (len(x), 1, 1))], axis=2)
            field = np.concatenate([x @ turn.T / units[0], turned / units[1]], axis=1)
            q, _ = np.linalg.qr(normal.transpose(0, 2, 1))
            across = np.einsum("nij,ni->nj", q, field)
            return float(np.sqrt(np.sum(across**2) / np.sum(field**2)))
        size = np.sum(slope**2, axis=(1, 2)) * np.sum(x**2, axis=1) + np.sum(turned**2, axis=1)
        return float(np.sqrt(np.sum((along - turned) ** 2) / np.sum(size)))

    by = bent(at) if edge else 0.0
    states = path(by)
    moves = np.std(states[1:] - states[:-1])
    true = int(at(by) <= DELTA)
    x, y = states[:-1].reshape(-1, 2), states[1:].reshape(-1, 2)
    # What is measured are pairs, each with noise of its own that is small beside the displacement.
    y = y + noise * moves * random.normal(size=y.shape)
    groups = np.tile(np.arange(20), 25)

    def ask():
        if name == "as a graph":
            return ld.discover.graph(
                x, y, source=TURNS, target=TURNS, transition=True, evidence="certificate", seed=seed
            )
        target = ld.action.tangent(TURNS)
        asked = {"fit": "polynomial(3)", "groups": groups, "evidence": "certificate", "seed": seed}
        return ld.discover.dataset(x, y - x, source=TURNS, target=target, **asked)

    return Case(ask, int(not edge), true)


def network(name: str, edge: bool, noise: float, random: np.random.Generator, seed: int) -> Case:
    x = random.normal(size=(500, 2))
    target = ld.scalars(TURNS.algebra)
    y, true, exact = np.zeros(len(x)), 0, 0
    if name in LAWS:
        law, exact = LAWS[name]
        y, slopes = values_and_slopes(law, x)
        if edge:
            more, steeper = values_and_slopes(bump, x)
            by = bent(lambda t: invariance(x, slopes + t * steeper, TURNS)[0])
            y, slopes, exact = y + by * more, slopes + by * steeper, 0
        true = int(np.sum(invariance(x, slopes, TURNS) <= DELTA))
    y = y + (noise * y.std() or 1.0) * random.normal(size=len(x))

    def ask():
        fitted = models.fit(x[:300], y[:300, None], "mlp", seed=seed)
        rest = y[300:] - fitted.values(x[300:])[:, 0]
        wrong = float(min(np.sqrt(np.mean(rest**2)) / y[300:].std(), 1.0))
        named = {"source": TURNS, "target": target, "seed": seed}
        found = ld.discover.function(fitted.model, x[300:], labels=y[300:], **named)
        given = ld.discover.function(fitted.model, x[300:], error=wrong, evidence="certificate", **named)
        object.__setattr__(found, "certificate", given.certificate)
        return found

    return Case(ask, exact, true)


# Route -> how a case is made, and its systems with the levels of noise.
BOTH = (False, True)
ROUTES: dict[str, tuple[Callable[..., Case], list[tuple[str, bool, float]]]] = {
    "smooth": (
        smooth,
        [(n, e, 0.01) for n in LAWS for e in BOTH] + [("pure noise", False, 1.0)],
    ),
    "graph": (graph, [("bowl", e, v) for e in BOTH for v in (0.003, 0.01)] + [("pure noise", False, 1.0)]),
    "cloud": (cloud, [(n, e, v) for n in CLOUDS for e in BOTH for v in (0.003, 0.02)]),
    "transitions": (
        transitions,
        [(n, e, v) for n in ("as a graph", "polynomials, groups") for e in BOTH for v in (0.003, 0.03)],
    ),
    "network": (network, [("bell", e, 0.01) for e in BOTH] + [("pure noise", False, 1.0)]),
}


def trial(route: str, name: str, edge: bool, noise: float, seed: int) -> dict:
    random = np.random.default_rng([zlib.crc32(f"{route} {name} {edge}".encode()), seed])
    case = ROUTES[route][0](name, edge, noise, random, seed)
    start = time.process_time()
    found = case.ask()
    c, verdict = found.certificate, found.evidence.verdict
    assert c is not None
    claimed = found.dim if verdict == "symmetries" else 0
    said = "cannot tell" if verdict == "cannot tell" else "right" if claimed == case.exact else "false"
    return {
        "exact": case.exact,
        "true": case.true,
        "said": said,
        "at_least": c.at_least,
        "at_most": c.at_most,
        "reason": c.reason,
        "ms": round(1e3 * (time.process_time() - start)),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="2 trials")
    parser.add_argument("--trials", type=int, default=30)
    parser.add_argument("--keep", type=Path, help="JSON file of trials that are done")
    parser.add_argument("--only", nargs="*", default=list(ROUTES), choices=list(ROUTES))
    parser.add_argument("--minutes", type=float, default=np.inf, help="of processor time, then it stops")
    given = parser.parse_args()
    kept = json.loads(given.keep.read_text()) if given.keep and given.keep.exists() else {}
    for seed in range(2 if given.quick else given.trials):
        for route in given.only:
            for name, edge, noise in ROUTES[route][1]:
                key = f"{route}|{name}{', at the edge' if edge else ''}|{noise:g}|{seed}"
                if key in kept or time.process_time() > 60 * given.minutes:
                    continue
                kept[key] = trial(route, name, edge, noise, seed)
                if given.keep:
                    given.keep.write_text(json.dumps(kept, indent=0))
    report(kept)


def report(kept: dict[str, dict]) -> None:
    print(measure.machine())
    print("\nSaid by default, and certified; of the certificates those that are false, and that hold all symmetries.\n")
    print(
        "| route | system | noise | symmetries | trials | false | right | cannot tell | false certificates | all | ms |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|---|")
    for cell in dict.fromkeys(
        key.rpartition("|")[0] for key in sorted(kept, key=lambda k: list(ROUTES).index(k.split("|")[0]))
    ):
        mine = [t for key, t in kept.items() if key.rpartition("|")[0] == cell]
        said = [str(sum(t["said"] == what for t in mine)) for what in ("false", "right", "cannot tell")]
        false = sum(not t["at_least"] <= t["true"] <= t["at_most"] for t in mine)
        exact = mine[0]["exact"]
        every = str(sum(t["at_least"] == exact for t in mine)) if exact else ""
        numbers = [str(exact), str(len(mine)), *said, str(false), every, f"{np.mean([t['ms'] for t in mine]):.0f}"]
        print(f"| {' | '.join([*cell.split('|'), *numbers])} |")


if __name__ == "__main__":
    main()
