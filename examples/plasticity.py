"""Loss of plasticity: a network that learns task after task learns less and less, unless its mirrors are removed.

Twenty tasks, one after another: the same 512 images of handwritten digits (scikit-learn), their labels shuffled anew
for each task, so that every task is as hard as the first and nothing learnt before helps. A ReLU network with two
hidden layers of 64 units learns each for 1,000 steps of Adam. Units die and the hidden layer loses dimensions:
symmetric points of the parameters attract, and no gradient leads away from them. Four ways to go on:

    nothing; weight decay; weight decay after `ld.promote.mirror.remove`; all parameters drawn anew for each task.

Strengths of decay, and the scale of theta_0, are the best of a few on three repetitions; the table is of five others.
Resets cannot lose here, since tasks share nothing: they are what the best could reach. The live units are those that
any image turns on, of 128; the dimension is that of the last hidden layer, (sum s^2)^2 / sum s^4 of its singular
values s.

    python examples/plasticity.py                       # about four minutes on one core
    python examples/plasticity.py --quick
    python examples/plasticity.py --figure plasticity.png
"""

import argparse
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array
from matplotlib.figure import Figure
from sklearn.datasets import load_digits

import lieder as ld

UNITS, IMAGES, BATCH, RATE = 64, 512, 64, 1e-3
COLOURS = {"nothing": "#9aa3af", "weight decay": "#0072B2", "mirrors removed": "#D55E00", "resets": "#009E73"}
DASHES = {"nothing": ":", "weight decay": "--", "mirrors removed": "-", "resets": "-."}
INK = "#1f2430"


class Budget(NamedTuple):
    """How much of everything."""

    tasks: int = 20
    steps: int = 1000
    chosen_on: int = 3
    repetitions: int = 5
    decays: tuple[float, ...] = (1e-3, 3e-3, 6e-3)
    scales: tuple[float, ...] = (0.3, 1.0, 1.5)


QUICK = Budget(tasks=2, steps=30, chosen_on=0, repetitions=1, decays=(1e-3,), scales=(0.3,))


class Way(NamedTuple):
    """One way to go on learning: its name, its weight decay, and the scale of theta_0 (0: mirrors stay)."""

    name: str
    decay: float = 0.0
    scale: float = 0.0


class Course(NamedTuple):
    """After each task (tasks,): accuracy on it, live units, dimension of the last hidden layer."""

    accuracy: Array
    live: Array
    dimension: Array


def images() -> tuple[Array, Array]:
    x, y = load_digits(return_X_y=True)
    return jnp.asarray((x - 8) / 8, jnp.float32), jnp.asarray(y)


def network(key: Array) -> list[tuple[Array, Array]]:
    """He's scaling (He et al. 2015): as large as ReLU needs."""
    sizes = [64, UNITS, UNITS, 10]
    keys = jax.random.split(key, 3)
    return [
        (jnp.sqrt(2 / n) * jax.random.normal(k, (n, m), jnp.float32), jnp.zeros(m, jnp.float32))
        for k, n, m in zip(keys, sizes[:-1], sizes[1:], strict=True)
    ]


def hidden(model: list[tuple[Array, Array]], x: Array) -> list[Array]:
    out = [x]
    for weight, bias in model[:-1]:
        out.append(jax.nn.relu(out[-1] @ weight + bias))
    return out[1:]


def logits(model: list[tuple[Array, Array]], x: Array) -> Array:
    weight, bias = model[-1]
    return hidden(model, x)[-1] @ weight + bias


def squares(tree: Any) -> Array:
    return sum((jnp.sum(leaf**2) for leaf in jax.tree.leaves(tree)), jnp.zeros(()))


def learn(way: Way, budget: Budget, x: Array, y: Array, key: Array) -> Course:
    """All tasks one after another, in one compiled program."""
    first, mirrors, rows, tasks = jax.random.split(key, 4)
    rows = jax.random.permutation(rows, len(x))[:IMAGES]
    x, y = x[rows], y[rows]
    adam = optax.adam(RATE)
    start = network(first)
    if way.scale:
        # The penalty is added to the loss, as plain weight decay is: Adam scales both in the same way.
        removed = ld.promote.mirror.remove(start, penalty=way.decay, key=mirrors, scale=way.scale)
        value, penalty = (lambda c: c.value()), (lambda c: c.penalty())
    else:
        removed, value, penalty = start, (lambda c: c), (lambda c: way.decay * squares(c))
    trains, still = eqx.partition(removed, eqx.is_inexact_array)

    def loss(trains, x, labels):
        c = eqx.combine(trains, still)
        return optax.softmax_cross_entropy_with_integer_labels(logits(value(c), x), labels).mean() + penalty(c)

    def task(carry, key):
        shuffled, again, batches = jax.random.split(key, 3)
        labels = jax.random.permutation(shuffled, y)
        if way.name == "resets":
            trains = network(again)
            carry = trains, adam.init(trains)

        def step(carry, key):
            trains, memory = carry
            some = jax.random.randint(key, (BATCH,), 0, IMAGES)
            change, memory = adam.update(jax.grad(loss)(trains, x[some], labels[some]), memory)
            return (optax.apply_updates(trains, change), memory), None

        carry, _ = jax.lax.scan(step, carry, jax.random.split(batches, budget.steps))
        model = value(eqx.combine(carry[0], still))
        layers = hidden(model, x)
        live = sum((jnp.sum((layer > 0).any(axis=0)) for layer in layers), jnp.zeros((), int))
        s = jnp.linalg.svd(layers[-1] - layers[-1].mean(axis=0), compute_uv=False)
        dimension = jnp.sum(s**2) ** 2 / jnp.maximum(jnp.sum(s**4), jnp.finfo(s.dtype).tiny)
        return carry, Course(jnp.mean(logits(model, x).argmax(axis=1) == labels), live, dimension)

    _, course = jax.lax.scan(task, (trains, adam.init(trains)), jax.random.split(tasks, budget.tasks))
    return course


def repeated(way: Way, budget: Budget, seeds: range) -> Course:
    """The courses of some repetitions, (repetitions, tasks) each."""
    keys = jnp.stack([jax.random.key(seed) for seed in seeds])
    return jax.jit(jax.vmap(partial(learn, way, budget, *images())))(keys)


def ways(budget: Budget) -> list[Way]:
    """Nothing, the best weight decay, the best removal, and resets; best by the accuracy on the later half of tasks."""
    seeds = range(1000, 1000 + budget.chosen_on)

    def late(way: Way) -> float:
        if not seeds:
            return 0.0
        return float(repeated(way, budget, seeds).accuracy[:, budget.tasks // 2 :].mean())

    decay = max((Way("weight decay", a) for a in budget.decays), key=late)
    removal = max((Way("mirrors removed", a, s) for a in budget.decays for s in budget.scales), key=late)
    return [Way("nothing"), decay, removal, Way("resets")]


def figure(courses: dict[str, Course]) -> Figure:
    picture = Figure(figsize=(9, 3.4), layout="constrained")
    axes = picture.subplots(1, 2)
    what: list[tuple[Callable[[Course], Array], str]] = [
        (lambda course: course.accuracy, "accuracy at the end of the task"),
        (lambda course: course.live, "live units of 128"),
    ]
    for axis, (of, label) in zip(axes, what, strict=True):
        for name, course in courses.items():
            each = np.asarray(of(course))
            task = np.arange(1, each.shape[1] + 1)
            axis.plot(task, each.mean(axis=0), color=COLOURS[name], linestyle=DASHES[name], lw=1.8, label=name)
            axis.fill_between(task, each.min(axis=0), each.max(axis=0), color=COLOURS[name], alpha=0.15, lw=0)
        axis.set_xlabel("task", color=INK)
        axis.set_ylabel(label, color=INK)
        axis.set_ylim(bottom=0)
        axis.set_xticks([1, *range(5, len(task) + 1, 5)])
        axis.spines[["top", "right"]].set_visible(False)
    axes[0].legend(frameon=False, fontsize=9, loc="lower left")
    return picture


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="four short tasks")
    parser.add_argument("--figure", help="where to write the figure")
    given = parser.parse_args()
    budget = QUICK if given.quick else Budget()
    print("| | decay | scale | accuracy, first task | last task | least, most of the last | live units | dimension |")
    print("|---|---|---|---|---|---|---|---|")
    courses = {}
    for way in ways(budget):
        course = courses[way.name] = repeated(way, budget, range(budget.repetitions))
        last = course.accuracy[:, -1]
        print(
            f"| {way.name} | {way.decay:g} | {way.scale:g} | {course.accuracy[:, 0].mean():.2f} | {last.mean():.2f} |"
            f" {last.min():.2f}, {last.max():.2f} | {course.live[:, -1].mean():.0f} |"
            f" {course.dimension[:, -1].mean():.1f} |",
            flush=True,
        )
    if given.figure:
        figure(courses).savefig(given.figure, dpi=150)
        print(f"figure: {given.figure}")


if __name__ == "__main__":
    main()
