"""The weight of the penalty that does best on planted symmetries, and the rules that could have named it beforehand.

    python benchmarks/penalty_weight.py [--quick] [--keep weights.json]

Five functions of 4 to 6 inputs of which candidates keep 15 of 15, 6 of 10, 6 of 16, 3 of 6 or none, with noise of
standard deviation .1 or .4 and 150 or 600 samples. A perceptron (n-64-64-1) is trained with each weight on a grid, and
without. The best weight is that with the least error on 2,000 fresh inputs without noise. A rule names a weight from
what is known beforehand: the penalty P of the network that was trained without, the variance of y, and the held-out
error e of that network. Cells that are done are kept in the JSON file and not computed again.
"""

import argparse
import json
from pathlib import Path

# isort: split

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax

import lieder as ld

WEIGHTS = (0.0, 1e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 3e-1, 1.0)
BATCH, HELD, FRESH = 64, 300, 2000


def wave(x):
    return np.sin(1.5 * x @ np.array([0.6, 0.8, 0.0, 0.0]))


def broken(x):
    directions = np.random.default_rng(3).normal(size=(12, x.shape[1]))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    return np.sin(1.5 * x @ directions.T + np.arange(12)).sum(axis=1) / 6**0.5


CASES = {  # candidates, function, how many of the candidates it keeps
    "so(6), 15 of 15": (ld.algebra.so(6), lambda x: np.sin(1.5 * np.linalg.norm(x, axis=1))),
    "se(4), 6 of 10": (ld.algebra.se(4), wave),
    "gl(4), 6 of 16": (ld.algebra.gl(4), lambda x: np.tanh(0.5 * (x**2).sum(axis=1) - 2)),
    "so(4), 3 of 6": (ld.algebra.so(4), lambda x: np.sin(2 * np.linalg.norm(x, axis=1)) + x[:, 0]),
    "so(6), none": (ld.algebra.so(6), broken),
}


def cell(case: str, count: int, noise: float, seeds: int, steps: int) -> list[dict]:
    """Errors of all weights, and what the rules know, for each repetition."""
    algebra, f = CASES[case]
    source, target = ld.points(algebra), ld.scalars(algebra)
    n = source.width
    start = lambda key: eqx.nn.MLP(n, "scalar", 64, 2, activation=jax.nn.gelu, key=key, dtype=jnp.float32)  # noqa: E731
    rest = eqx.filter(start(jax.random.key(0)), eqx.is_array, inverse=True)
    optimiser = optax.adam(optax.cosine_decay_schedule(3e-3, steps))

    def train(key, weight, x, y, free):
        def loss(parts, rows, others):
            model = eqx.combine(parts, rest)
            misfit = jnp.mean((jax.vmap(model)(x[rows]) - y[rows]) ** 2)
            return misfit + weight * ld.promote.penalty(model, free[others], source=source, target=target)

        def step(state, key):
            parts, memory = state
            first, second = jax.random.split(key)
            rows = jax.random.randint(first, (BATCH,), 0, len(x))
            slope = jax.grad(loss)(parts, rows, jax.random.randint(second, (BATCH,), 0, len(free)))
            change, memory = optimiser.update(slope, memory)
            return (optax.apply_updates(parts, change), memory), None

        parts = eqx.filter(start(key), eqx.is_array)
        (parts, _), _ = jax.lax.scan(step, (parts, optimiser.init(parts)), jax.random.split(key, steps))
        return parts

    all_weights = jax.jit(jax.vmap(train, in_axes=(None, 0, None, None, None)))
    out = []
    for seed in range(seeds):
        random = np.random.default_rng(seed)
        x, held, fresh, free = (random.normal(size=(k, n)).astype(np.float32) for k in (count, HELD, FRESH, 500))
        y, held_y = (f(z) + noise * random.normal(size=len(z)) for z in (x, held))
        nets = all_weights(
            jax.random.key(seed), jnp.asarray(WEIGHTS, jnp.float32), x, jnp.asarray(y, jnp.float32), jnp.asarray(free)
        )
        models = [eqx.combine(jax.tree.map(lambda a, k=k: a[k], nets), rest) for k in range(len(WEIGHTS))]
        errors = [float(np.sqrt(np.mean((np.asarray(jax.vmap(m)(fresh)) - f(fresh)) ** 2))) for m in models]
        sizes = [float(ld.promote.penalty(m, free[:BATCH], source=source, target=target)) for m in models]
        plain = float(np.mean((np.asarray(jax.vmap(models[0])(held)) - held_y) ** 2))
        out.append({"errors": errors, "penalties": sizes, "held": plain, "variance": float(np.var(y))})
    return out


def table(done: dict[str, list[dict]]) -> None:
    rows, known = [], []
    for name, runs in done.items():
        errors = np.exp(np.mean(np.log([run["errors"] for run in runs]), axis=0))
        size, held, variance = (np.mean([run[key] for run in runs]) for key in ("penalties_plain", "held", "variance"))
        best = int(errors[1:].argmin()) + 1
        rows.append((name, errors, best, size, held, variance))
        if errors[best] < 0.97 * errors[0]:  # elsewhere no weight matters
            known.append((np.log(WEIGHTS[best]), np.log(variance / size), np.log(held / size)))
    print(f"{'case':34} {'plain':>6} {'best':>6} {'at weight':>9} {'P':>6} {'var y':>6} {'e^2':>6} ")
    for name, errors, best, size, held, variance in rows:
        print(
            f"{name:34} {errors[0]:6.3f} {errors[best]:6.3f} {WEIGHTS[best]:9.0e} {size:6.2f} {variance:6.2f}"
            f" {held:6.3f}"
        )
    best, by_variance, by_error = np.array(known).T
    print()
    for rule, logs in (("variance of y", by_variance), ("held-out square error", by_error)):
        share = np.exp(np.mean(best - logs))
        off = np.exp(np.std(best - logs))
        cost = []
        for _, errors, at, size, held, variance in rows:
            weight = share * (variance if rule == "variance of y" else held) / size
            named = np.exp(np.interp(np.log(weight), np.log(WEIGHTS[1:]), np.log(errors[1:])))
            cost.append(named / min(errors[at], errors[0]))
        print(
            f"weight times penalty = {share:.3g} of the {rule}: best weights scatter by a factor {off:.2g};"
            f" error over the best, median {np.median(cost):.2f}, worst {max(cost):.2f}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="one repetition, two cases, little training")
    parser.add_argument("--keep", type=Path, help="JSON file of the cells that are done")
    arguments = parser.parse_args()
    seeds, steps = (1, 100) if arguments.quick else (2, 1200)
    done = json.loads(arguments.keep.read_text()) if arguments.keep and arguments.keep.exists() else {}
    cases = list(CASES)[:2] if arguments.quick else list(CASES)
    for case in cases:
        for count, noise in ((150, 0.1), (150, 0.4), (600, 0.1), (600, 0.4)):
            name = f"{case}, {count}, noise {noise}"
            if name in done:
                continue
            runs = cell(case, count, noise, seeds, steps)
            done[name] = [run | {"penalties_plain": run["penalties"][0]} for run in runs]
            print(name, [round(e, 3) for e in np.mean([run["errors"] for run in runs], axis=0)], flush=True)
            if arguments.keep:
                arguments.keep.write_text(json.dumps(done))
    table(done)


if __name__ == "__main__":
    main()
