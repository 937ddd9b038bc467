"""Networks on the three regression tasks of Finzi, Welling and Wilson (2021), section 7: error and time of a step.

    python benchmarks/networks.py results.json             # all cells; one that is in the file is not run again
    python benchmarks/networks.py results.json --quick     # one seed, a tenth of the steps
    python benchmarks/networks.py results.json --only o5   # cells of one task; --models lists what is trained
    python benchmarks/networks.py results.json --cost      # time and memory of a step instead, all networks in turns

Width 128, depth 3, Adam .003, batches of 500, float32. Inputs and outputs are standardised as in emlp's `datasets`:
inertia not at all, the others by one number for each vector, and by mean and deviation of the training outputs; errors
are mean squares over 5,000 test rows in the units of the raw targets. The fourth task, five charged bodies, is in
fivebody.py.
"""

import argparse
import json
import os
import time
from functools import partial

import measure  # isort: skip - before NumPy and JAX
import equinox as eqx
import fivebody
import jax
import jax.numpy as jnp
import numpy as np
import optax

import lieder as ld

WIDTH, DEPTH, RATE, BATCH, SEEDS, TEST = 128, 3, 3e-3, 500, 5, 5000
CELLS = ((100, (1000,)), (1000, (600, 1800)))  # training rows, and steps after which the error is measured


def inertia(rng: np.random.Generator, rows: int) -> tuple[np.ndarray, np.ndarray]:
    """sum_i m_i (|x_i|^2 1 - x_i x_i^T) of five masses log(1 + exp(normal)) and normal positions."""
    mass, x = np.log1p(np.exp(rng.normal(size=(rows, 5)))), rng.normal(size=(rows, 5, 3))
    total = np.einsum("na,nai,nai->n", mass, x, x)[:, None, None] * np.eye(3) - np.einsum("na,nai,naj->nij", mass, x, x)
    return np.concatenate([mass, x.reshape(rows, 15)], axis=1), total.reshape(rows, 9)


def o5(rng: np.random.Generator, rows: int) -> tuple[np.ndarray, np.ndarray]:
    """sin|x1| - |x2|^3 / 2 + x1.x2 / (|x1| |x2|) of two normal vectors."""
    x = rng.normal(size=(rows, 2, 5))
    one, two = np.linalg.norm(x, axis=2).T
    y = np.sin(one) - two**3 / 2 + np.sum(x[:, 0] * x[:, 1], axis=1) / (one * two)
    return x.reshape(rows, 10), y[:, None]


def particle(rng: np.random.Generator, rows: int) -> tuple[np.ndarray, np.ndarray]:
    """4 L_e . L_mu, L = p q - (p.q - p.p) eta of an electron's and a muon's momenta before and after, normal / 4."""
    x, metric = rng.normal(size=(rows, 4, 4)) / 4, np.diag([1.0, -1.0, -1.0, -1.0])

    def tensor(p, q):
        trace = np.einsum("ni,ij,nj->n", p, metric, q - p)
        return p[:, :, None] * q[:, None, :] - trace[:, None, None] * metric

    electron, muon = tensor(x[:, 0], x[:, 2]), tensor(x[:, 1], x[:, 3])
    y = 4 * np.einsum("nij,ik,jl,nkl->n", electron, metric, metric, muon)
    return x.reshape(rows, 16), y[:, None]


TASKS = {"inertia": (inertia, 0), "o5": (o5, 2), "particle": (particle, 4)}  # how many vectors are standardised


def representations(task: str):
    if task == "particle":
        reflections = [np.diag([1.0, -1, -1, -1]), np.diag([-1.0, 1, 1, 1])]
        algebra = ld.algebra.extended(ld.algebra.so(1, 3), reflections)
    else:
        algebra = ld.algebra.o(3 if task == "inertia" else 5)
    V, S = ld.vectors(algebra), ld.scalars(algebra)
    return {"inertia": (5 * S + 5 * V, V * V), "o5": (2 * V, S), "particle": (4 * V, S)}[task]


class Plus(eqx.Module):
    """y + .1 B(y, y)."""

    products: ld.nn.Bilinear

    def __call__(self, y):
        return y + 0.1 * self.products(y)


def parts(source, target, key) -> eqx.nn.Sequential:
    """Linear, then y + .1 Bilinear(y), then Gated: put together by hand, over hidden tensors up to order 3."""
    hidden, now, layers = ld.nn.hidden(source, target, WIDTH, order=3), source, []
    for number in range(DEPTH):
        one, two = jax.random.split(jax.random.fold_in(key, number))
        gate = ld.nn.Gated(hidden)
        products = ld.nn.Bilinear(gate.source, gate.source, key=two, dtype=jnp.float32)
        layers += [ld.nn.Linear(now, gate.source, key=one, dtype=jnp.float32), Plus(products), gate]
        now = hidden
    layers.append(ld.nn.Linear(now, target, key=jax.random.fold_in(key, DEPTH), dtype=jnp.float32))
    return eqx.nn.Sequential([eqx.nn.Lambda(layer) for layer in layers])


MODELS = {
    "plain": lambda source, target, key: eqx.nn.MLP(
        source.width, target.width, WIDTH, DEPTH, activation=jax.nn.silu, key=key, dtype=jnp.float32
    ),
    "nn.MLP": lambda source, target, key: ld.nn.MLP(
        source, target, width=WIDTH, depth=DEPTH, key=key, dtype=jnp.float32
    ),
    "parts": parts,
}


class Trainer:
    """Steps and test errors of one kind of network, compiled once for all seeds."""

    def __init__(self, model: eqx.Module):
        weights, self.rest = eqx.partition(model, eqx.is_inexact_array)
        self.tree, adam = jax.tree.structure(weights), optax.adam(RATE)
        self.start = lambda leaves: (leaves, adam.init(leaves))

        def predict(leaves, x):
            return jax.vmap(eqx.combine(jax.tree.unflatten(self.tree, leaves), self.rest))(x)

        def step(carry, batch):
            leaves, state = carry
            slope = jax.grad(lambda leaves: jnp.mean((predict(leaves, batch[0]) - batch[1]) ** 2))(leaves)
            change, state = adam.update(slope, state)
            return (optax.apply_updates(leaves, change), state), None

        self.steps = jax.jit(
            lambda carry, x, y, rows: jax.lax.scan(lambda c, own: step(c, (x[own], y[own])), carry, rows)[0]
        )
        batched = jax.jit(lambda leaves, x: jax.lax.map(lambda part: predict(leaves, part), x))
        self.predict = lambda leaves, x: np.asarray(batched(leaves, x.reshape(-1, 500, x.shape[1]))).reshape(len(x), -1)


def train(trainer: Trainer, model, task: str, rows: int, marks: tuple[int, ...], seed: int, quick: bool) -> dict:
    make, vectors = TASKS[task]
    x, y = make(np.random.default_rng(seed), rows)
    test_x, test_y = make(np.random.default_rng(10_000), TEST)
    centre, spread = 0.0, 1.0
    if vectors:
        sizes = np.repeat(np.sqrt(np.mean(x.reshape(rows, vectors, -1) ** 2, axis=(0, 2))), x.shape[1] // vectors)
        x, test_x, centre, spread = x / sizes, test_x / sizes, y.mean(), y.std()
    rng, batch, order = np.random.default_rng(seed + 1000), min(BATCH, rows), []
    while len(order) < marks[-1]:
        order.extend(rng.permutation(rows)[: rows // batch * batch].reshape(-1, batch))
    order, pieces = np.stack(order), 20 if quick else 100
    x, y, test_x = (jnp.asarray(part, jnp.float32) for part in (x, (y - centre) / spread, test_x))
    carry = trainer.start(jax.tree.leaves(eqx.filter(model, eqx.is_inexact_array)))
    errors, times = {}, []
    for start in range(0, marks[-1], pieces):
        begun = time.process_time()
        carry = jax.block_until_ready(trainer.steps(carry, x, y, jnp.asarray(order[start : start + pieces])))
        times.append((time.process_time() - begun) / pieces * 1e3)
        if start + pieces in marks:
            errors[start + pieces] = float(np.mean((centre + spread * trainer.predict(carry[0], test_x) - test_y) ** 2))
    return {"errors": errors, "ms": float(np.median(times[1:])), "parameters": sum(leaf.size for leaf in carry[0])}


def cost(tasks: list[str], models: list[str], rounds: int) -> None:
    """ms of CPU of a step, and what its compiled program holds besides arguments and results; all networks in turns."""
    lines = []
    for task in tasks:
        x, y = (jnp.asarray(part, jnp.float32) for part in TASKS[task][0](np.random.default_rng(0), 1000))
        order = jnp.stack([jax.random.permutation(jax.random.key(i), 1000)[:BATCH] for i in range(20)])
        calls, memory, times = {}, {}, {name: [] for name in models}
        for name in models:
            model = MODELS[name](*representations(task), jax.random.key(0))
            trainer = Trainer(model)
            carry = trainer.start(jax.tree.leaves(eqx.filter(model, eqx.is_inexact_array)))
            steps = trainer.steps.lower(carry, x, y, order).compile()
            memory[name] = steps.memory_analysis().temp_size_in_bytes / 1e6
            calls[name] = partial(steps, carry, x, y, order)
            jax.block_until_ready(calls[name]())
        for _ in range(rounds):
            for name, call in calls.items():
                begun = time.process_time()
                jax.block_until_ready(call())
                times[name].append((time.process_time() - begun) / len(order) * 1e3)
        for name in models:
            ratio = np.median(np.divide(times[name], times[models[0]]))
            lines.append((task, name, f"{np.median(times[name]):.2g}", f"{ratio:.2f}", f"{memory[name]:.1f}"))
    measure.table(("task", "network", "ms a step", f"times {models[0]}", "MB"), lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("results", help="JSON file in which results are kept")
    parser.add_argument("--quick", action="store_true", help="one seed, a tenth of the steps")
    parser.add_argument("--cost", action="store_true", help="time and memory of a step, nothing trained")
    parser.add_argument("--only", default=",".join([*TASKS, "fivebody"]), help="tasks, separated by commas")
    parser.add_argument("--models", default="plain,nn.MLP,parts", help="models, separated by commas")
    given = parser.parse_args()
    done = json.load(open(given.results)) if os.path.exists(given.results) else {}
    print(measure.machine())
    tasks, models = given.only.split(","), given.models.split(",")
    if given.cost:
        cost([task for task in tasks if task in TASKS], models, 5 if given.quick else 25)
        return
    for task in tasks:
        if task == "fivebody":
            for seed in range(1 if given.quick else fivebody.SEEDS):
                for name in fivebody.MODELS:
                    steps = fivebody.STEPS // 10 if given.quick else fivebody.STEPS
                    cell = f"{task} {fivebody.ROWS} {steps} {name} {seed}"
                    if cell not in done:
                        keep(done, cell, fivebody.cell(name, seed, steps), given.results)
            continue
        source, target = representations(task)
        for rows, marks in CELLS:
            marks = tuple(mark // 10 for mark in marks) if given.quick else marks
            for name in models:
                trainer = None
                for seed in range(1 if given.quick else SEEDS):
                    cell = f"{task} {rows} {marks[-1]} {name} {seed}"
                    if cell not in done:
                        model = MODELS[name](source, target, jax.random.key(seed))
                        trainer = trainer or Trainer(model)
                        found = train(trainer, model, task, rows, marks, seed, given.quick)
                        keep(done, cell, found, given.results)
    report(done)


def keep(done: dict, cell: str, found: dict, path: str) -> None:
    done[cell] = found
    with open(path, "w") as file:
        json.dump(done, file, indent=1)


def report(done: dict) -> None:
    groups: dict[tuple[str, ...], list[dict]] = {}
    for cell, result in done.items():
        groups.setdefault(tuple(cell.split()[:4]), []).append(result)
    rows = []
    for (task, count, _, name), found in groups.items():
        for mark in found[0]["errors"]:
            errors = sorted(result["errors"][mark] for result in found)
            times = np.median([result["ms"] for result in found])
            rows.append((task, count, str(mark), name, f"{np.median(errors):.3g}"))
            rows[-1] += (f"{errors[0]:.3g} to {errors[-1]:.3g}", f"{times:.2g}", str(found[0]["parameters"]))
    head = ("task", "rows", "steps", "network", "median error", "least to largest", "ms a step", "parameters")
    measure.table(head, sorted(rows, key=lambda row: (row[0], int(row[1]), int(row[2]), row[3])))


if __name__ == "__main__":
    main()
